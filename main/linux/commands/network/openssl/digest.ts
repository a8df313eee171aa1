// openssl dgst, enc, rand, passwd: hashes, ciphers, random bytes and password hashes.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  pbkdf2Sync,
  verify as verifySignature,
} from 'node:crypto';
import { ErrnoError } from '../../../../network/index.ts';
import { signBytes } from '../../../../network/tls/index.ts';
import type { Process } from '../../../kernel/index.ts';
import { md5Crypt, shaCrypt } from '../password-hash.ts';
import {
  DIGESTS,
  digestOf,
  fault,
  has,
  OpensslError,
  parseArguments,
  readInput,
  valueOf,
  writeOutput,
} from './arguments.ts';

/** dgst, and the digests as commands of their own. */
export async function dgst(proc: Process, args: readonly string[], name?: string): Promise<number> {
  const parsed = parseArguments(
    'dgst',
    args,
    'c r hex binary list',
    'out hmac sign verify signature keyform mac macopt',
    'Unknown option or message digest: ',
  );
  const chosen = name ?? digestOf(parsed);
  const found = DIGESTS.get(chosen ?? 'sha256')!;
  // The default goes by its older name.
  const algorithm = chosen === undefined ? { ...found, label: stdinLabel(found.label) } : found;
  const hmac = valueOf(parsed, 'hmac');
  const signKey = valueOf(parsed, 'sign');
  const verifyKey = valueOf(parsed, 'verify');
  let status = 0;
  for (const path of parsed.operands.length === 0 ? [undefined] : parsed.operands) {
    let bytes: Buffer;
    try {
      bytes = path === undefined ? await readInput(proc, undefined, '') : Buffer.from(proc.fs.readFile(path));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await proc.stderr.write(
        `${path}: ${error.message}\n${fault(proc, `80000002:system library:file_ctrl:${error.message}:../crypto/bio/bss_file.c:308:calling fopen(${path}, r)`)}${fault(proc, '10080002:BIO routines:file_ctrl:system lib:../crypto/bio/bss_file.c:311:')}`,
      );
      status = 1;
      continue;
    }
    if (signKey !== undefined) {
      const pem = createPrivateKey((await readInput(proc, signKey, 'private key')).toString()).export({
        format: 'pem',
        type: 'pkcs8',
      }) as string;
      await writeOutput(proc, valueOf(parsed, 'out'), signBytes(pem, bytes, algorithm.algorithm));
      continue;
    }
    if (verifyKey !== undefined) {
      const key = createPublicKey((await readInput(proc, verifyKey, 'public key')).toString());
      const signature = await readInput(proc, valueOf(parsed, 'signature'), 'signature');
      const holds = verifySignature(algorithm.algorithm, bytes, key, signature);
      await proc.stdout.write(holds ? 'Verified OK\n' : 'Verification failure\n');
      if (!holds) status = 1;
      continue;
    }
    const hash = hmac === undefined ? createHash(algorithm.algorithm) : createHmac(algorithm.algorithm, hmac);
    const sum = hash.update(bytes).digest();
    if (has(parsed, 'binary')) await writeOutput(proc, valueOf(parsed, 'out'), sum);
    else {
      const hex = sum.toString('hex');
      const shown = has(parsed, 'c') ? hex.match(/../g)!.join(':') : hex;
      const label =
        path === undefined && hmac === undefined
          ? stdinLabel(algorithm.label)
          : `${hmac === undefined ? '' : 'HMAC-'}${path === undefined ? stdinLabel(algorithm.label) : algorithm.label}`;
      const line = has(parsed, 'r')
        ? `${shown} *${path ?? 'stdin'}\n`
        : `${path === undefined ? stdinLabel(algorithm.label) : label}(${path ?? 'stdin'})= ${shown}\n`;
      await writeOutput(proc, valueOf(parsed, 'out'), line);
    }
  }
  return status;
}

/** Of stdin OpenSSL 3.0 shows the older name. */
function stdinLabel(label: string): string {
  return label.replace('SHA2-', 'SHA');
}

const CIPHERS: Readonly<Record<string, { readonly key: number; readonly iv: number }>> = {
  'aes-128-cbc': { key: 16, iv: 16 },
  'aes-192-cbc': { key: 24, iv: 16 },
  'aes-256-cbc': { key: 32, iv: 16 },
  'aes-128-ctr': { key: 16, iv: 16 },
  'aes-256-ctr': { key: 32, iv: 16 },
  'aes-128-ecb': { key: 16, iv: 0 },
  'aes-256-ecb': { key: 32, iv: 0 },
};

export async function enc(proc: Process, args: readonly string[], name?: string): Promise<number> {
  const ciphers = Object.keys(CIPHERS);
  const parsed = parseArguments(
    'enc',
    args,
    `d e a base64 A p P nosalt salt pbkdf2 nopad list ${ciphers.join(' ')} aes128 aes256`,
    'in out k pass kfile K iv S iter md bufsize',
  );
  const alias: Readonly<Record<string, string>> = { aes128: 'aes-128-cbc', aes256: 'aes-256-cbc' };
  const chosen =
    name === 'base64'
      ? undefined
      : (name ??
        parsed.given.map((each) => alias[each.name] ?? each.name).find((each) => ciphers.includes(each)));
  const isDecoding = has(parsed, 'd');
  const isText = has(parsed, 'a') || has(parsed, 'base64') || name === 'base64';
  let bytes = await readInput(proc, valueOf(parsed, 'in'), 'input');
  if (isDecoding && isText) bytes = Buffer.from(bytes.toString('latin1').replaceAll(/\s/g, ''), 'base64');
  if (chosen !== undefined) bytes = await crypt(proc, parsed, chosen, bytes, isDecoding);
  if (!isDecoding && isText) {
    const text = bytes.toString('base64');
    bytes = Buffer.from(has(parsed, 'A') ? text : text.replace(/.{64}/g, '$&\n').replace(/([^\n])$/, '$1\n'));
  }
  await writeOutput(proc, valueOf(parsed, 'out'), bytes);
  return 0;
}

async function crypt(
  proc: Process,
  parsed: ReturnType<typeof parseArguments>,
  cipher: string,
  input: Buffer,
  isDecoding: boolean,
): Promise<Buffer> {
  const { key: keySize, iv: ivSize } = CIPHERS[cipher]!;
  const given = valueOf(parsed, 'K');
  let [key, iv]: [Buffer, Buffer] = [
    Buffer.from(given ?? '', 'hex'),
    Buffer.from(valueOf(parsed, 'iv') ?? '', 'hex'),
  ];
  let [head, bytes]: [Buffer, Buffer] = [Buffer.alloc(0), input];
  if (given === undefined) {
    const password = valueOf(parsed, 'k') ?? valueOf(parsed, 'pass')?.replace(/^pass:/, '');
    if (password === undefined)
      throw new OpensslError("drydock: asking for a password isn't simulated: give -k or -pass\n");
    let salt: Buffer = Buffer.from(valueOf(parsed, 'S') ?? '', 'hex');
    const isSalted = !has(parsed, 'nosalt');
    if (isSalted && isDecoding && valueOf(parsed, 'S') === undefined) {
      if (bytes.subarray(0, 8).toString('latin1') !== 'Salted__')
        throw new OpensslError('bad magic number\n');
      salt = bytes.subarray(8, 16);
      bytes = bytes.subarray(16);
    } else if (isSalted && valueOf(parsed, 'S') === undefined) {
      salt = Buffer.from(proc.random.bytes(8));
      head = Buffer.concat([Buffer.from('Salted__'), salt]);
    }
    const digest = valueOf(parsed, 'md') ?? 'sha256';
    const usesPbkdf2 = has(parsed, 'pbkdf2') || valueOf(parsed, 'iter') !== undefined;
    if (!usesPbkdf2)
      await proc.stderr.write(
        '*** WARNING : deprecated key derivation used.\nUsing -iter or -pbkdf2 would be better.\n',
      );
    const material = usesPbkdf2
      ? pbkdf2Sync(password, salt, Number(valueOf(parsed, 'iter') ?? 10_000), keySize + ivSize, digest)
      : bytesToKey(password, isSalted ? salt : Buffer.alloc(0), keySize + ivSize, digest);
    [key, iv] = [material.subarray(0, keySize), material.subarray(keySize)];
  }
  const machine = isDecoding
    ? createDecipheriv(cipher, padded(key, keySize), ivSize === 0 ? null : padded(iv, ivSize))
    : createCipheriv(cipher, padded(key, keySize), ivSize === 0 ? null : padded(iv, ivSize));
  if (has(parsed, 'nopad')) machine.setAutoPadding(false);
  try {
    return Buffer.concat([head, machine.update(bytes), machine.final()]);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new OpensslError(
      `bad decrypt\n${fault(proc, '1C800064:Provider routines:ossl_cipher_unpadblock:bad decrypt:../providers/implementations/ciphers/ciphercommon_block.c:124:')}`,
    );
  }
}

const padded = (bytes: Buffer, size: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length))]).subarray(0, size);

/** EVP_BytesToKey with one round. */
function bytesToKey(password: string, salt: Buffer, size: number, digest: string): Buffer {
  let all = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (all.length < size) {
    last = createHash(digest).update(last).update(password).update(salt).digest();
    all = Buffer.concat([all, last]);
  }
  return all.subarray(0, size);
}

export async function rand(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments('rand', args, 'hex base64', 'out rand writerand');
  const size = Number(parsed.operands[0]);
  if (!Number.isInteger(size) || size <= 0) throw new OpensslError('rand: Use -help for summary.\n');
  const bytes = Buffer.from(proc.random.bytes(size));
  const text = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  await writeOutput(
    proc,
    valueOf(parsed, 'out'),
    has(parsed, 'hex') ? `${bytes.toString('hex')}\n` : has(parsed, 'base64') ? `${text}\n` : bytes,
  );
  return 0;
}

const SALT_ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export async function passwd(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    'passwd',
    args,
    '1 5 6 apr1 aixmd5 crypt stdin quiet table reverse noverify',
    'salt in',
  );
  const kind = ['1', '5', '6', 'apr1', 'aixmd5', 'crypt'].findLast((each) => has(parsed, each)) ?? '1';
  if (kind === 'aixmd5' || kind === 'crypt')
    throw new OpensslError(`drydock: passwd -${kind} isn't simulated\n`);
  const words: string[] = has(parsed, 'stdin')
    ? (await readInput(proc, undefined, '')).toString('utf8').trimEnd().split('\n')
    : [...parsed.operands];
  if (words.length === 0) {
    const typed = (await readInput(proc, undefined, '')).toString('utf8').split('\n')[0] ?? '';
    words.push(typed);
  }
  for (const password of words) {
    const size = kind === '5' || kind === '6' ? 16 : 8;
    const salt = valueOf(parsed, 'salt') ?? proc.random.string(size, SALT_ALPHABET);
    const hash =
      kind === '5' || kind === '6'
        ? shaCrypt(password, salt, Number(kind) as 5 | 6)
        : md5Crypt(password, salt, kind as '1' | 'apr1');
    const [left, right] = has(parsed, 'reverse') ? [hash, password] : [password, hash];
    await proc.stdout.write(has(parsed, 'table') ? `${left}\t${right}\n` : `${hash}\n`);
  }
  return 0;
}
