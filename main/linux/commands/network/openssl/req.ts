// openssl req: certificate requests, and certificates signed by their own key.
import { createPublicKey } from 'node:crypto';
import {
  der,
  parseSigningRequest,
  publicKeyInfo,
  signatureAlgorithm,
  signBytes,
  x509,
} from '../../../../network/tls/index.ts';
import type { Process } from '../../../kernel/index.ts';
import {
  digestOf,
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
import { makeExtensions, parseSections, type Sections } from './extensions.ts';
import { blockOf, kindOf, newKey, passwordOf, randomSerial, readPrivateKey } from './keys.ts';
import { attributeId, nameText, parseSubject, type NameStyle } from './names.ts';
import { certificateText, requestText } from './text.ts';

const DAY_MS = 86_400_000;
const INTRODUCTION = `You are about to be asked to enter information that will be incorporated
into your certificate request.
What you are about to enter is what is called a Distinguished Name or a DN.
There are quite a few fields but you can leave some blank
For some fields there will be a default value,
If you enter '.', the field will be left blank.
-----
`;
/** What Debian's openssl.cnf asks for: attribute, question, default. */
const QUESTIONS: readonly (readonly [string, string, string])[] = [
  ['C', 'Country Name (2 letter code)', 'AU'],
  ['ST', 'State or Province Name (full name)', 'Some-State'],
  ['L', 'Locality Name (eg, city)', ''],
  ['O', 'Organization Name (eg, company)', 'Internet Widgits Pty Ltd'],
  ['OU', 'Organizational Unit Name (eg, section)', ''],
  ['CN', 'Common Name (e.g. server FQDN or YOUR name)', ''],
  ['emailAddress', 'Email Address', ''],
];

export async function req(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    'req',
    args,
    'new x509 nodes noenc text noout subject pubkey verify modulus batch utf8 newhdr verbose multivalue-rdn',
    'newkey key keyout keyform out outform in inform days subj addext config extensions reqexts set_serial passin passout nameopt pkeyopt section CA CAkey not_before not_after',
  );
  const configPath = valueOf(parsed, 'config');
  const sections =
    configPath === undefined
      ? new Map<string, Map<string, string>>()
      : parseSections(await configText(proc, configPath));
  const section: ReadonlyMap<string, string> = sections.get('req') ?? new Map<string, string>();
  const makes =
    has(parsed, 'new') ||
    has(parsed, 'newkey') ||
    (has(parsed, 'x509') && valueOf(parsed, 'in') === undefined);
  const bytes = makes ? await make(proc, parsed, sections, section) : await readRequest(proc, parsed);
  return show(proc, parsed, bytes, has(parsed, 'x509') && makes);
}

async function configText(proc: Process, path: string): Promise<string> {
  try {
    return (await readInput(proc, path, 'config')).toString('utf8');
  } catch (error) {
    if (!(error instanceof OpensslError)) throw error;
    throw new OpensslError(
      `Can't open "${path}" for reading, No such file or directory\n${fault(proc, `80000002:system library:BIO_new_file:No such file or directory:../crypto/bio/bss_file.c:67:calling fopen(${path}, r)`)}${fault(proc, '10000080:BIO routines:BIO_new_file:no such file:../crypto/bio/bss_file.c:75:')}`,
    );
  }
}

async function readRequest(proc: Process, parsed: Arguments): Promise<Buffer> {
  const path = valueOf(parsed, 'in');
  const block = blockOf(
    await readInput(proc, path, 'X509 request'),
    'CERTIFICATE REQUEST',
    'NEW CERTIFICATE REQUEST',
  );
  if (block === undefined)
    throw new OpensslError(
      `Unable to load X509 request\n${fault(proc, '0480006C:PEM routines:get_name:no start line:../crypto/pem/pem_lib.c:760:Expecting: CERTIFICATE REQUEST')}`,
    );
  return block;
}

async function make(
  proc: Process,
  parsed: Arguments,
  sections: Sections,
  section: ReadonlyMap<string, string>,
): Promise<Buffer> {
  const privateKey = await keyFor(proc, parsed, section);
  const digest = digestOf(parsed) ?? section.get('default_md') ?? 'sha256';
  const subject = await subjectFor(proc, parsed, sections, section);
  const publicKey = publicKeyInfo(privateKey);
  const isCertificate = has(parsed, 'x509');
  const added = valuesOf(parsed, 'addext').map((text): [string, string] => {
    const equals = text.indexOf('=');
    return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
  });
  const wanted = isCertificate
    ? (valueOf(parsed, 'extensions') ?? section.get('x509_extensions'))
    : (valueOf(parsed, 'reqexts') ?? valueOf(parsed, 'extensions') ?? section.get('req_extensions'));
  const named = wanted === undefined ? undefined : sections.get(wanted);
  if (wanted !== undefined && named === undefined)
    throw new OpensslError(
      `Error checking ${isCertificate ? 'x509' : 'request'} extension section ${wanted}\n`,
    );
  const usual: [string, string][] =
    isCertificate && sections.size === 0
      ? [
          ['subjectKeyIdentifier', 'hash'],
          ['authorityKeyIdentifier', 'keyid:always,issuer'],
          ['basicConstraints', 'critical,CA:true'],
        ]
      : [];
  const lines = [...(named === undefined ? usual : [...named]), ...added];
  const keys = { subject: publicKey, issuer: publicKey };
  const extensions = lastOfEach(makeExtensions(lines, sections, keys));
  if (!isCertificate) return signRequest(subject, publicKey, extensions, privateKey, digest);
  const days = Number(valueOf(parsed, 'days') ?? 30);
  if (!Number.isInteger(days))
    throw new OpensslError(`req: Can't parse "${valueOf(parsed, 'days')}" as a number\n`);
  const nowMs = Math.floor(proc.clock.now() / 1000) * 1000;
  const serialText = valueOf(parsed, 'set_serial');
  return x509.signCertificate(
    {
      subject,
      issuer: subject,
      publicKey,
      serial: serialText === undefined ? randomSerial(proc) : serialBytes(serialText),
      notBeforeMs: nowMs,
      notAfterMs: nowMs + days * DAY_MS,
      extensions,
    },
    privateKey,
    digest,
  );
}

/** -addext replaces nothing: openssl refuses a second of a kind, the configuration's one counts less here. */
function lastOfEach(extensions: readonly { readonly id: string; readonly bytes: Buffer }[]): Buffer[] {
  return extensions
    .filter(({ id }, index) => extensions.findLastIndex((each) => each.id === id) === index)
    .map(({ bytes }) => bytes);
}

/** `17`, `0x11`. */
export function serialBytes(text: string): Buffer {
  const hex = BigInt(text).toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

async function keyFor(
  proc: Process,
  parsed: Arguments,
  section: ReadonlyMap<string, string>,
): Promise<string> {
  const given = valueOf(parsed, 'key');
  if (given !== undefined) {
    const password = passwordOf(proc, valueOf(parsed, 'passin'));
    return (await readPrivateKey(proc, given, password === undefined ? {} : { password })).pem;
  }
  const kind = kindOf(
    proc,
    valueOf(parsed, 'newkey') ?? `rsa:${section.get('default_bits') ?? '2048'}`,
    valuesOf(parsed, 'pkeyopt'),
  );
  const isPlain = has(parsed, 'nodes') || has(parsed, 'noenc') || section.get('encrypt_key') === 'no';
  if (!isPlain) throw new OpensslError("drydock: encrypted private keys aren't simulated: give -nodes\n");
  const pem = await newKey(proc, kind);
  const file = valueOf(parsed, 'keyout') ?? section.get('default_keyfile') ?? 'privkey.pem';
  await writeOutput(proc, file, pem, 0o600);
  await proc.stderr.write('-----\n');
  return pem;
}

async function subjectFor(
  proc: Process,
  parsed: Arguments,
  sections: Sections,
  section: ReadonlyMap<string, string>,
): Promise<Buffer> {
  const given = valueOf(parsed, 'subj');
  if (given !== undefined) return parseSubject(given);
  const names = sections.get(section.get('distinguished_name') ?? '');
  if (sections.size > 1 && names === undefined) throw new OpensslError('Error making certificate request\n');
  if (section.get('prompt') === 'no') {
    const parts = [...(names ?? [])].flatMap(([key, value]) => {
      const type = attributeId(key.replace(/^\d+\./, ''));
      return type === undefined ? [] : [{ type, value }];
    });
    if (parts.length === 0)
      throw new OpensslError(
        'Error: No objects specified in config file\nError making certificate request\n',
      );
    return x509.nameBytes(parts);
  }
  return askSubject(proc, names);
}

/** Asks for the name's parts, one line each. */
async function askSubject(proc: Process, names: ReadonlyMap<string, string> | undefined): Promise<Buffer> {
  const questions =
    names === undefined
      ? QUESTIONS
      : [...names]
          .filter(([key]) => attributeId(key) !== undefined)
          .map(([key, text]) => [key, text, names.get(`${key}_default`) ?? ''] as const);
  await proc.stderr.write(INTRODUCTION);
  const parts: { type: string; value: string }[] = [];
  for (const [key, question, usual] of questions) {
    await proc.stderr.write(`${question} [${usual}]:`);
    const line = await readLine(proc);
    if (line === undefined) throw new OpensslError('\nError making certificate request\n');
    const value = line === '' ? usual : line;
    if (value !== '' && value !== '.') parts.push({ type: attributeId(key)!, value });
  }
  return x509.nameBytes(parts);
}

async function readLine(proc: Process): Promise<string | undefined> {
  let text = '';
  for (;;) {
    const bytes = await proc.stdin.read(1);
    if (bytes.length === 0) return text === '' ? undefined : text;
    const char = Buffer.from(bytes).toString('latin1');
    if (char === '\n') return Buffer.from(text, 'latin1').toString('utf8');
    text += char;
  }
}

function signRequest(
  subject: Buffer,
  publicKey: Buffer,
  extensions: readonly Buffer[],
  privateKey: string,
  digest: string,
): Buffer {
  const wanted =
    extensions.length === 0
      ? []
      : [der.sequence(der.oid('1.2.840.113549.1.9.14'), der.der(der.TAG.set, der.sequence(...extensions)))];
  const info = der.sequence(der.integer(Buffer.of(0)), subject, publicKey, der.der(0xa0, ...wanted));
  const algorithm = signatureAlgorithm(privateKey, digest);
  return der.sequence(info, algorithm, der.bitString(signBytes(privateKey, info, digest)));
}

async function show(
  proc: Process,
  parsed: Arguments,
  bytes: Buffer,
  isCertificate: boolean,
): Promise<number> {
  const style: NameStyle = /RFC2253/i.test(valueOf(parsed, 'nameopt') ?? '') ? 'rfc2253' : 'oneline';
  let status = 0;
  let text = '';
  if (has(parsed, 'verify')) {
    try {
      parseSigningRequest(x509.pemBlock('CERTIFICATE REQUEST', bytes));
      await proc.stderr.write('Certificate request self-signature verify OK\n');
    } catch (error) {
      if (!(error instanceof der.DerError)) throw error;
      await proc.stderr.write('Certificate request self-signature verify failure\n');
      status = 1;
    }
  }
  const [info] = der.inside(der.readAll(bytes)[0]);
  if (has(parsed, 'pubkey') && !isCertificate) {
    const [, , publicKey] = der.inside(info);
    const key = createPublicKey({ key: publicKey!.whole, format: 'der', type: 'spki' });
    text += key.export({ format: 'pem', type: 'spki' }) as string;
  }
  if (has(parsed, 'text') && !isCertificate) text += requestText(bytes, style);
  if (has(parsed, 'text') && isCertificate) {
    text += certificateText(bytes, style);
  }
  if (has(parsed, 'subject')) {
    const subject = isCertificate ? x509.certificateParts(bytes).subject : der.inside(info)[1]!;
    text += `subject=${nameText(subject, style)}\n`;
  }
  const isDer = valueOf(parsed, 'outform')?.toUpperCase() === 'DER';
  const out = valueOf(parsed, 'out');
  if (has(parsed, 'noout')) await writeOutput(proc, out, text);
  else if (isDer) await writeOutput(proc, out, bytes);
  else
    await writeOutput(
      proc,
      out,
      text + x509.pemBlock(isCertificate ? 'CERTIFICATE' : 'CERTIFICATE REQUEST', bytes),
    );
  return status;
}
