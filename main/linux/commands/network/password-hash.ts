// Password hashes as crypt(3), Apache and openssl passwd write them: MD5, SHA-256 and SHA-512 crypt, bcrypt, {SHA}.
import { createHash, timingSafeEqual } from 'node:crypto';
import { bcryptHash } from './bcrypt.ts';

const ITOA64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `count` characters of a number, six bits each, lowest first. */
function to64(value: number, count: number): string {
  let text = '';
  for (let i = 0, rest = value; i < count; i++, rest = Math.floor(rest / 64)) text += ITOA64[rest % 64];
  return text;
}

const digest = (name: string, ...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** MD5 crypt: `$1$salt$…`, or Apache's own `$apr1$salt$…`. */
export function md5Crypt(password: string, salt: string, magic: '1' | 'apr1'): string {
  const key = Buffer.from(password);
  const saltBytes = Buffer.from(salt.slice(0, 8));
  const inner = digest('md5', key, saltBytes, key);
  const parts: Uint8Array[] = [key, Buffer.from(`$${magic}$`), saltBytes];
  for (let left = key.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  for (let left = key.length; left > 0; left >>= 1)
    parts.push((left & 1) === 1 ? Buffer.of(0) : key.subarray(0, 1));
  let hash = digest('md5', ...parts);
  for (let round = 0; round < 1000; round++) {
    const isOdd = (round & 1) === 1;
    hash = digest(
      'md5',
      isOdd ? key : hash,
      round % 3 === 0 ? Buffer.alloc(0) : saltBytes,
      round % 7 === 0 ? Buffer.alloc(0) : key,
      isOdd ? hash : key,
    );
  }
  const triple = (a: number, b: number, c: number): string =>
    to64((hash[a]! << 16) | (hash[b]! << 8) | hash[c]!, 4);
  const text =
    triple(0, 6, 12) +
    triple(1, 7, 13) +
    triple(2, 8, 14) +
    triple(3, 9, 15) +
    triple(4, 10, 5) +
    to64(hash[11]!, 2);
  return `$${magic}$${saltBytes.toString()}$${text}`;
}

const SHA = {
  5: {
    name: 'sha256',
    order: [
      [0, 10, 20],
      [21, 1, 11],
      [12, 22, 2],
      [3, 13, 23],
      [24, 4, 14],
      [15, 25, 5],
      [6, 16, 26],
      [27, 7, 17],
      [18, 28, 8],
      [9, 19, 29],
      [-1, 31, 30],
    ],
  },
  6: {
    name: 'sha512',
    order: [
      [0, 21, 42],
      [22, 43, 1],
      [44, 2, 23],
      [3, 24, 45],
      [25, 46, 4],
      [47, 5, 26],
      [6, 27, 48],
      [28, 49, 7],
      [50, 8, 29],
      [9, 30, 51],
      [31, 52, 10],
      [53, 11, 32],
      [12, 33, 54],
      [34, 55, 13],
      [56, 14, 35],
      [15, 36, 57],
      [37, 58, 16],
      [59, 17, 38],
      [18, 39, 60],
      [40, 61, 19],
      [62, 20, 41],
      [-1, -1, 63],
    ],
  },
} as const;
const ROUNDS_DEFAULT = 5000;
/** SHA crypt allows up to 999,999,999; a wall of work for one login is of no use here. */
const ROUNDS_MAX = 1_000_000;

/** SHA crypt (Drepper's specification): `$5$` or `$6$`; `salt` may begin with `rounds=N$`. */
export function shaCrypt(password: string, salt: string, kind: 5 | 6): string {
  const { name, order } = SHA[kind];
  const given = /^rounds=(\d+)\$(.*)$/.exec(salt);
  const rounds = given === null ? ROUNDS_DEFAULT : Math.min(ROUNDS_MAX, Math.max(1000, Number(given[1])));
  const saltText = (given?.[2] ?? salt).slice(0, 16);
  const [key, saltBytes] = [Buffer.from(password), Buffer.from(saltText)];
  const spread = (bytes: Buffer, length: number): Buffer => {
    const all = Buffer.alloc(length);
    for (let at = 0; at < length; at += bytes.length)
      bytes.copy(all, at, 0, Math.min(bytes.length, length - at));
    return all;
  };
  const inner = digest(name, key, saltBytes, key);
  const parts: Uint8Array[] = [key, saltBytes, spread(inner, key.length)];
  for (let left = key.length; left > 0; left >>= 1) parts.push((left & 1) === 1 ? inner : key);
  let hash = digest(name, ...parts);
  const p = spread(digest(name, ...Array.from({ length: key.length }, () => key)), key.length);
  const s = spread(digest(name, ...Array.from({ length: 16 + hash[0]! }, () => saltBytes)), saltBytes.length);
  const none = Buffer.alloc(0);
  for (let round = 0; round < rounds; round++) {
    const isOdd = (round & 1) === 1;
    hash = digest(
      name,
      isOdd ? p : hash,
      round % 3 === 0 ? none : s,
      round % 7 === 0 ? none : p,
      isOdd ? hash : p,
    );
  }
  const byte = (at: number): number => (at < 0 ? 0 : hash[at]!);
  const text = order
    .map(([a, b, c]) => to64((byte(a) << 16) | (byte(b) << 8) | byte(c), a >= 0 ? 4 : b >= 0 ? 3 : 2))
    .join('');
  return `$${kind}$${given === null ? '' : `rounds=${rounds}$`}${saltText}$${text}`;
}

/** Whether a password is the one that a line of htpasswd or shadow has the hash of. */
export function verifyPassword(password: string, hash: string): boolean {
  const made = hashLike(password, hash);
  const [one, two] = [Buffer.from(made ?? ''), Buffer.from(hash)];
  return made !== undefined && one.length === two.length && timingSafeEqual(one, two);
}

/** The password hashed as another hash was; undefined for a kind that isn't known. */
function hashLike(password: string, hash: string): string | undefined {
  const [, kind, rest] = /^\$(apr1|1|5|6|2[abxy])\$(.*)$/.exec(hash) ?? [];
  if (kind === 'apr1' || kind === '1') return md5Crypt(password, rest!.split('$')[0]!, kind);
  if (kind === '5' || kind === '6') {
    const salt = /^((?:rounds=\d+\$)?[^$]*)/.exec(rest!)![1]!;
    return shaCrypt(password, salt, Number(kind) as 5 | 6);
  }
  if (kind !== undefined) return bcryptHash(password, hash);
  if (hash.startsWith('{SHA}')) return `{SHA}${createHash('sha1').update(password).digest('base64')}`;
  if (hash.startsWith('{PLAIN}')) return `{PLAIN}${password}`;
  if (hash.startsWith('{SSHA}')) {
    const salt = Buffer.from(hash.slice(6), 'base64').subarray(20);
    return `{SSHA}${Buffer.concat([digest('sha1', Buffer.from(password), salt), salt]).toString('base64')}`;
  }
  return undefined;
}
