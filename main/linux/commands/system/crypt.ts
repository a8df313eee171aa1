// Password hashes of /etc/shadow: SHA-512 crypt, `$6$salt$…`. crypt(5); U. Drepper, "Unix crypt using SHA-256 and SHA-512".
import { createHash } from 'node:crypto';
import type { Random } from '../../../simulation/index.ts';

const ROUNDS = 5000;
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SALT_CHARS = 16;
const DIGEST_BYTES = 64;

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** As many bytes as wanted of a digest repeated. */
function stretched(digest: Buffer, length: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(length / DIGEST_BYTES) }, () => digest)).subarray(
    0,
    length,
  );
}

export function sha512Crypt(password: string, salt: string): string {
  const key = Buffer.from(password);
  const salted = Buffer.from(salt.slice(0, SALT_CHARS));
  const alternate = sha512(key, salted, key);
  const parts: Buffer[] = [key, salted, stretched(alternate, key.length)];
  for (let length = key.length; length > 0; length >>= 1) parts.push((length & 1) === 1 ? alternate : key);
  let digest = sha512(...parts);
  const p = stretched(sha512(...Array.from({ length: key.length }, () => key)), key.length);
  const s = stretched(sha512(...Array.from({ length: 16 + digest[0]! }, () => salted)), salted.length);
  for (let round = 0; round < ROUNDS; round++) {
    const odd = round % 2 === 1;
    const sequence = [odd ? p : digest];
    if (round % 3 !== 0) sequence.push(s);
    if (round % 7 !== 0) sequence.push(p);
    sequence.push(odd ? digest : p);
    digest = sha512(...sequence);
  }
  return `$6$${salted.toString()}$${encoded(digest)}`;
}

/** crypt's base 64, with the bytes in its own order. */
function encoded(digest: Buffer): string {
  let text = '';
  const put = (a: number, b: number, c: number, chars: number): void => {
    let word = (a << 16) | (b << 8) | c;
    for (let i = 0; i < chars; i++) {
      text += ALPHABET[word & 63]!;
      word >>= 6;
    }
  };
  for (let i = 0; i < 21; i++) {
    const order = [i, i + 21, i + 42];
    const [a, b, c] = [order[i % 3]!, order[(i + 1) % 3]!, order[(i + 2) % 3]!];
    put(digest[a]!, digest[b]!, digest[c]!, 4);
  }
  put(0, 0, digest[63]!, 2);
  return text;
}

export function hashPassword(password: string, random: Random): string {
  const salt = Array.from(random.bytes(SALT_CHARS), (byte) => ALPHABET[byte & 63]).join('');
  return sha512Crypt(password, salt);
}

/** Whether a password is that of a shadow field; locked and empty fields match none. */
export function passwordMatches(password: string, field: string): boolean {
  const salt = /^\$6\$([^$]*)\$/.exec(field)?.[1];
  return salt !== undefined && sha512Crypt(password, salt) === field;
}
