// openssl genrsa, genpkey, ecparam, rsa, ec, pkey: making keys, and showing and changing the form of them.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { makeKeyPair, x509, type KeyKind } from '../../../../network/tls/index.ts';
import type { Process } from '../../../kernel/index.ts';
import {
  fault,
  has,
  OpensslError,
  parseArguments,
  readInput,
  valueOf,
  valuesOf,
  writeOutput,
  type Arguments,
} from './arguments.ts';
import { privateKeyText, publicKeyText } from './text.ts';

/** Names of curves that people give. */
const CURVES: Readonly<Record<string, 'prime256v1' | 'secp384r1' | 'secp521r1'>> = {
  prime256v1: 'prime256v1',
  'P-256': 'prime256v1',
  secp256r1: 'prime256v1',
  secp384r1: 'secp384r1',
  'P-384': 'secp384r1',
  secp521r1: 'secp521r1',
  'P-521': 'secp521r1',
};
const RSA_BITS_MIN = 512;
const RSA_BITS_MAX = 8192;

/** A new key, with the dots that openssl shows while it looks for primes. In PEM, PKCS #8. */
export async function newKey(proc: Process, kind: KeyKind): Promise<string> {
  let dots = '';
  const { random } = proc;
  const { privateKey } = makeKeyPair(random, kind, (mark) => {
    dots += mark === '+' ? `${'+'.repeat(65)}*` : '.';
  });
  if (typeof kind !== 'string') await proc.stderr.write(`${dots}\n`);
  return privateKey;
}

/** What `rsa:2048`, `ec` or `ed25519` mean. Throws OpensslError. */
export function kindOf(proc: Process, name: string, options: readonly string[]): KeyKind {
  const [algorithm = '', bitsText] = name.split(':');
  const option = (key: string): string | undefined =>
    options.find((each) => each.startsWith(`${key}:`))?.slice(key.length + 1);
  switch (algorithm.toLowerCase()) {
    case 'rsa': {
      const bits = Number(bitsText ?? option('rsa_keygen_bits') ?? 2048);
      if (!(bits >= RSA_BITS_MIN))
        throw new OpensslError(
          `Error setting RSA length\n${fault(proc, '1C8000AB:Provider routines:rsa_gen_set_params:key size too small:../providers/implementations/keymgmt/rsa_kmgmt.c:509:')}`,
        );
      if (bits > RSA_BITS_MAX)
        throw new OpensslError(`drydock: RSA keys of more than ${RSA_BITS_MAX} bits aren't simulated\n`);
      return { rsaBits: bits };
    }
    case 'ec': {
      const curve = option('ec_paramgen_curve') ?? 'prime256v1';
      const known = CURVES[curve];
      if (known === undefined)
        throw new OpensslError(`genpkey: Error setting ec_paramgen_curve:${curve} parameter:\n`);
      return known;
    }
    case 'ed25519':
      return 'ed25519';
    default:
      if (['ed448', 'x25519', 'x448', 'dsa', 'dh'].includes(algorithm.toLowerCase()))
        throw new OpensslError(`drydock: keys of the kind ${algorithm} aren't simulated\n`);
      throw new OpensslError(
        `Error initializing ${algorithm} context\n${fault(proc, `0308010C:digital envelope routines:inner_evp_generic_fetch:unsupported:../crypto/evp/evp_fetch.c:386:Global default library context, Algorithm (${algorithm} : 0), Properties ()`)}`,
      );
  }
}

/** A private key from a file, or what openssl says of one that is none. */
export async function readPrivateKey(
  proc: Process,
  path: string | undefined,
  options: { readonly what?: string; readonly password?: string } = {},
): Promise<{ key: KeyObject; pem: string }> {
  const bytes = await readInput(proc, path, options.what ?? 'private key');
  const text = bytes.toString('latin1');
  const failed = new OpensslError(
    `Could not read ${options.what ?? 'private key'} from ${path ?? '<stdin>'}\n`,
  );
  try {
    const key = text.includes('-----BEGIN')
      ? createPrivateKey({
          key: text,
          ...(options.password === undefined ? {} : { passphrase: options.password }),
        })
      : createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
    return { key, pem: key.export({ format: 'pem', type: 'pkcs8' }) as string };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw failed;
  }
}

/** `pass:secret`, `env:NAME`, `file:PATH`. */
export function passwordOf(proc: Process, argument: string | undefined): string | undefined {
  if (argument === undefined) return undefined;
  if (argument.startsWith('pass:')) return argument.slice(5);
  if (argument.startsWith('env:')) return proc.env.get(argument.slice(4)) ?? '';
  if (argument.startsWith('file:')) return proc.fs.readText(argument.slice(5)).split('\n')[0];
  throw new OpensslError(
    `Invalid password argument, missing ':' within the first 8 chars\nError getting passwords\n`,
  );
}

export async function genrsa(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    'genrsa',
    args,
    'traditional F4 3 f4 verbose quiet aes128 aes256 des3',
    'out passout rand writerand primes',
  );
  const kind = kindOf(proc, `rsa:${parsed.operands[0] ?? '2048'}`, []);
  const pem = await newKey(proc, kind).then((text) => text);
  await writeKey(proc, pem, parsed, has(parsed, 'traditional') ? 'pkcs1' : 'pkcs8');
  return 0;
}

export async function genpkey(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    'genpkey',
    args,
    'text genparam quiet aes128 aes256',
    'algorithm pkeyopt out outform pass paramfile config',
  );
  const name = valueOf(parsed, 'algorithm');
  if (name === undefined) throw new OpensslError('genpkey: Use -help for summary.\n');
  const pem = await newKey(proc, kindOf(proc, name, valuesOf(parsed, 'pkeyopt')));
  await writeKey(proc, pem, parsed, 'pkcs8');
  if (has(parsed, 'text')) await proc.stdout.write(privateKeyText(createPrivateKey(pem)));
  return 0;
}

export async function ecparam(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    'ecparam',
    args,
    'genkey noout text check list_curves param_enc conv_form',
    'name in out outform inform rand',
  );
  if (has(parsed, 'list_curves')) {
    await proc.stdout.write(
      '  secp384r1 : NIST/SECG curve over a 384 bit prime field\n  secp521r1 : NIST/SECG curve over a 521 bit prime field\n  prime256v1: X9.62/SECG curve over a 256 bit prime field\n',
    );
    return 0;
  }
  const name = valueOf(parsed, 'name') ?? '';
  const curve = CURVES[name];
  if (curve === undefined)
    throw new OpensslError(
      `unable to generate key\n${fault(proc, '0800008D:elliptic curve routines:group_new_from_name:invalid curve:../crypto/ec/ec_lib.c:1492:')}`,
    );
  const parameters: Readonly<Record<string, string>> = {
    prime256v1: 'BggqhkjOPQMBBw==',
    secp384r1: 'BgUrgQQAIg==',
    secp521r1: 'BgUrgQQAIw==',
  };
  let text = has(parsed, 'noout')
    ? ''
    : `-----BEGIN EC PARAMETERS-----\n${parameters[curve]}\n-----END EC PARAMETERS-----\n`;
  if (has(parsed, 'genkey')) {
    const key = createPrivateKey(await newKey(proc, curve));
    text += key.export({ format: 'pem', type: 'sec1' }) as string;
  }
  await writeOutput(proc, valueOf(parsed, 'out'), text, 0o600);
  return 0;
}

async function writeKey(
  proc: Process,
  pem: string,
  parsed: Arguments,
  type: 'pkcs1' | 'pkcs8' | 'sec1',
): Promise<void> {
  const isDer = valueOf(parsed, 'outform')?.toUpperCase() === 'DER';
  const password = passwordOf(proc, valueOf(parsed, 'passout') ?? valueOf(parsed, 'pass'));
  const cipher = ['aes128', 'aes256', 'des3'].find((each) => has(parsed, each));
  if (cipher !== undefined && password === undefined)
    throw new OpensslError(`drydock: asking for a pass phrase isn't simulated: give -passout\n`);
  const key = createPrivateKey(pem);
  const data = isDer
    ? key.export({ format: 'der', type: type as 'pkcs8' })
    : cipher === undefined
      ? (key.export({ format: 'pem', type: type as 'pkcs8' }) as string)
      : encrypted(proc);
  await writeOutput(proc, valueOf(parsed, 'out'), data, 0o600);
}

/** Encryption draws its salt from the host's randomness, which would differ from run to run. */
function encrypted(proc: Process): never {
  void proc;
  throw new OpensslError("drydock: encrypted private keys aren't simulated\n");
}

/** rsa, ec and pkey: one command with three names. */
export async function pkey(proc: Process, name: string, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    name,
    args,
    'pubin pubout noout text text_pub check pubcheck modulus param_out traditional RSAPublicKey_in RSAPublicKey_out aes128 aes256 des3 nocrypt topk8',
    'in out inform outform passin passout conv_form param_enc',
  );
  const path = valueOf(parsed, 'in');
  const isPublic = has(parsed, 'pubin');
  const what = name === 'pkey' ? 'key' : isPublic ? 'public key' : 'private key';
  const password = passwordOf(proc, valueOf(parsed, 'passin'));
  const key = isPublic
    ? await readPublic(proc, path, what)
    : (await readPrivateKey(proc, path, { what, ...(password === undefined ? {} : { password }) })).key;
  if (name === 'rsa' && key.asymmetricKeyType !== 'rsa') throw new OpensslError(`Not an RSA key\n`);
  if (name === 'ec') await proc.stderr.write('read EC key\n');
  let text = '';
  if (has(parsed, 'check'))
    text += name === 'rsa' ? 'RSA key ok\n' : name === 'ec' ? 'EC Key valid.\n' : 'Key is valid\n';
  if (has(parsed, 'text_pub')) text += publicKeyText(isPublic ? key : createPublicKey(key), '');
  else if (has(parsed, 'text')) text += isPublic ? publicKeyText(key, '') : privateKeyText(key);
  if (has(parsed, 'modulus')) {
    const { n = '' } = key.export({ format: 'jwk' });
    text += `Modulus=${Buffer.from(n, 'base64url').toString('hex').toUpperCase()}\n`;
  }
  const showsOut = !has(parsed, 'noout');
  if (showsOut && name !== 'pkey') await proc.stderr.write(`writing ${name.toUpperCase()} key\n`);
  const isDer = valueOf(parsed, 'outform')?.toUpperCase() === 'DER';
  const wantsPublic = isPublic || has(parsed, 'pubout');
  const type = wantsPublic
    ? 'spki'
    : has(parsed, 'traditional') || name === 'ec'
      ? key.asymmetricKeyType === 'rsa'
        ? 'pkcs1'
        : 'sec1'
      : 'pkcs8';
  const source = wantsPublic && !isPublic ? createPublicKey(key) : key;
  const data = source.export({ format: isDer ? 'der' : 'pem', type: type as 'spki' } as {
    format: 'pem';
    type: 'spki';
  });
  const [before, after] = name === 'pkey' && !has(parsed, 'text_pub') ? ['', text] : [text, ''];
  const out = showsOut ? (isDer ? data : before + String(data) + after) : text;
  await writeOutput(proc, valueOf(parsed, 'out'), out as string | Uint8Array, wantsPublic ? 0o644 : 0o600);
  return 0;
}

async function readPublic(proc: Process, path: string | undefined, what: string): Promise<KeyObject> {
  const bytes = await readInput(proc, path, what);
  try {
    return bytes.toString('latin1').includes('-----BEGIN')
      ? createPublicKey(bytes.toString('latin1'))
      : createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new OpensslError(`Could not read ${what} from ${path ?? '<stdin>'}\n`);
  }
}

/** Up to 20 random bytes as a serial number: positive, as openssl draws them. */
export function randomSerial(proc: Process): Buffer {
  const bytes = Buffer.from(proc.random.bytes(20));
  bytes[0]! &= 0x7f;
  return bytes;
}

/** The DER of a certificate or request in PEM or DER. */
export function blockOf(bytes: Buffer, ...labels: readonly string[]): Buffer | undefined {
  const text = bytes.toString('latin1');
  if (text.includes('-----BEGIN')) return x509.pemBytes(text, ...labels);
  return bytes[0] === 0x30 ? bytes : undefined;
}
