// openssl x509: shows certificates, and signs requests.
import { createHash, createPublicKey } from 'node:crypto';
import { der, parseSigningRequest, publicKeyInfo, x509 as writing } from '../../../../network/tls/index.ts';
import type { Process } from '../../../kernel/index.ts';
import {
  digestOf,
  fault,
  has,
  OpensslError,
  parseArguments,
  readInput,
  valueOf,
  writeOutput,
  type Arguments,
} from './arguments.ts';
import { makeExtensions, parseSections, type Sections } from './extensions.ts';
import { blockOf, passwordOf, randomSerial, readPrivateKey } from './keys.ts';
import { nameText, type NameStyle } from './names.ts';
import { serialBytes } from './req.ts';
import { certificateText, dateText, EXTENSION_NAMES, extensionText, timeOf } from './text.ts';

const DAY_MS = 86_400_000;

export async function x509(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    'x509',
    args,
    'req noout text subject issuer serial dates startdate enddate fingerprint pubkey modulus email ocspid hash subject_hash issuer_hash alias purpose CAcreateserial new trustout clrext preserve_dates nocert sha',
    'in out inform outform CA CAkey CAform CAkeyform CAserial days set_serial extfile extensions ext checkend nameopt signkey key copy_extensions passin certopt force_pubkey subj checkhost checkip',
    'Unknown option or cipher: ',
  );
  const bytes = has(parsed, 'req') ? await sign(proc, parsed) : await readCertificate(proc, parsed);
  return show(proc, parsed, bytes);
}

async function readCertificate(proc: Process, parsed: Arguments): Promise<Buffer> {
  const path = valueOf(parsed, 'in');
  let input: Buffer;
  try {
    input = await readInput(proc, path, 'certificate');
  } catch (error) {
    if (error instanceof OpensslError) throw new OpensslError(`${error.message}Unable to load certificate\n`);
    throw error;
  }
  const block = blockOf(input, 'CERTIFICATE', 'TRUSTED CERTIFICATE', 'X509 CERTIFICATE');
  const failed = new OpensslError(
    `Could not read certificate from ${path ?? '<stdin>'}\n${input.includes('-----BEGIN') ? fault(proc, '1608010C:STORE routines:ossl_store_handle_load_result:unsupported:../crypto/store/store_result.c:149:') : ''}Unable to load certificate\n`,
  );
  if (block === undefined) throw failed;
  try {
    writing.certificateParts(block);
  } catch (error) {
    if (error instanceof der.DerError) throw failed;
    throw error;
  }
  const own =
    valueOf(parsed, 'signkey') ?? (valueOf(parsed, 'CA') === undefined ? valueOf(parsed, 'key') : undefined);
  return own === undefined ? block : resign(proc, parsed, block, own);
}

/** -signkey: the certificate again, signed by this key, for -days from now. */
async function resign(proc: Process, parsed: Arguments, bytes: Buffer, keyPath: string): Promise<Buffer> {
  const { pem } = await readPrivateKey(proc, keyPath);
  const parts = writing.certificateParts(bytes);
  const nowMs = Math.floor(proc.clock.now() / 1000) * 1000;
  return writing.signCertificate(
    {
      subject: parts.subject.whole,
      issuer: parts.subject.whole,
      publicKey: publicKeyInfo(pem),
      serial: parts.serial.content,
      notBeforeMs: nowMs,
      notAfterMs: nowMs + Number(valueOf(parsed, 'days') ?? 30) * DAY_MS,
      extensions: parts.extensions.map(({ whole }) => whole),
    },
    pem,
    digestOf(parsed) ?? 'sha256',
  );
}

/** -req: a certificate for a request, by -CA or by -signkey. */
async function sign(proc: Process, parsed: Arguments): Promise<Buffer> {
  const path = valueOf(parsed, 'in');
  const block = blockOf(
    await readInput(proc, path, 'certificate request'),
    'CERTIFICATE REQUEST',
    'NEW CERTIFICATE REQUEST',
  );
  if (block === undefined)
    throw new OpensslError(
      `Unable to load certificate request input\n${fault(proc, '0480006C:PEM routines:get_name:no start line:../crypto/pem/pem_lib.c:760:Expecting: CERTIFICATE REQUEST')}`,
    );
  let request;
  try {
    request = parseSigningRequest(writing.pemBlock('CERTIFICATE REQUEST', block));
  } catch (error) {
    if (!(error instanceof der.DerError)) throw error;
    throw new OpensslError('Certificate request self-signature did not match the contents\n');
  }
  await proc.stderr.write(
    `Certificate request self-signature ok\nsubject=${nameText(der.readAll(request.subject)[0]!)}\n`,
  );
  const caPath = valueOf(parsed, 'CA');
  const signKey = valueOf(parsed, 'signkey') ?? valueOf(parsed, 'key');
  if (caPath === undefined && signKey === undefined)
    throw new OpensslError('We need a private key to sign with\n');
  const ca =
    caPath === undefined
      ? undefined
      : blockOf(await readInput(proc, caPath, 'CA certificate'), 'CERTIFICATE');
  if (caPath !== undefined && ca === undefined)
    throw new OpensslError(`Could not read CA certificate from ${caPath}\nUnable to load CA certificate\n`);
  const password = passwordOf(proc, valueOf(parsed, 'passin'));
  const { pem } = await readPrivateKey(
    proc,
    ca === undefined ? signKey! : (valueOf(parsed, 'CAkey') ?? caPath!),
    {
      what: ca === undefined ? 'private key' : 'CA private key',
      ...(password === undefined ? {} : { password }),
    },
  );
  if (ca !== undefined && !publicKeyInfo(pem).equals(writing.certificateParts(ca).publicKey.whole))
    throw new OpensslError('CA certificate and CA private key do not match\n');
  const extfile = valueOf(parsed, 'extfile');
  const sections: Sections =
    extfile === undefined
      ? new Map<string, Map<string, string>>()
      : parseSections((await readInput(proc, extfile, 'config')).toString('utf8'));
  const wanted = valueOf(parsed, 'extensions') ?? sections.get('default')?.get('extensions') ?? 'default';
  const lines = [...(sections.get(wanted) ?? [])].filter(([key]) => key !== 'extensions');
  const keys = { subject: request.publicKey, issuer: publicKeyInfo(pem) };
  const made = makeExtensions(lines, sections, keys).map((each) => each.bytes);
  const copied =
    valueOf(parsed, 'copy_extensions')?.startsWith('copy') === true ? requestedExtensions(block) : [];
  const identifiers =
    extfile === undefined
      ? [writing.subjectKeyIdentifier(request.publicKey), writing.authorityKeyIdentifier(publicKeyInfo(pem))]
      : [];
  // OpenSSL 3.0 adds the identifiers only where there are extensions at all.
  const extensions = [...copied, ...made, ...(copied.length > 0 ? identifiers : [])];
  const nowMs = Math.floor(proc.clock.now() / 1000) * 1000;
  return writing.signCertificate(
    {
      subject: request.subject,
      issuer: ca === undefined ? request.subject : writing.subjectOf(ca),
      publicKey: request.publicKey,
      serial: await serialFor(proc, parsed, caPath),
      notBeforeMs: nowMs,
      notAfterMs: nowMs + Number(valueOf(parsed, 'days') ?? 30) * DAY_MS,
      extensions,
    },
    pem,
    digestOf(parsed) ?? 'sha256',
  );
}

function requestedExtensions(request: Buffer): Buffer[] {
  const [info] = der.inside(der.readAll(request)[0]);
  return der
    .inside(info)
    .slice(3)
    .flatMap(({ content }) => der.readAll(content))
    .flatMap((attribute) => {
      const [type, values] = der.inside(attribute);
      return der.oidText(type!) === '1.2.840.113549.1.9.14'
        ? der.inside(values, der.TAG.set).flatMap((each) => der.inside(each))
        : [];
    })
    .map(({ whole }) => whole);
}

/** -set_serial, the file of -CAserial, a new one, or a random number. */
async function serialFor(proc: Process, parsed: Arguments, caPath: string | undefined): Promise<Buffer> {
  const given = valueOf(parsed, 'set_serial');
  if (given !== undefined) return serialBytes(given);
  const file =
    valueOf(parsed, 'CAserial') ??
    (caPath === undefined ? undefined : `${caPath.replace(/\.[^./]*$/, '')}.srl`);
  const isKept = has(parsed, 'CAcreateserial') || valueOf(parsed, 'CAserial') !== undefined;
  if (file === undefined || !isKept) return randomSerial(proc);
  const next = proc.fs.exists(file)
    ? serialBytes(`0x${(BigInt(`0x${proc.fs.readText(file).trim()}`) + 1n).toString(16)}`)
    : randomSerial(proc);
  await writeOutput(proc, file, `${next.toString('hex').toUpperCase()}\n`);
  return next;
}

async function show(proc: Process, parsed: Arguments, bytes: Buffer): Promise<number> {
  const style: NameStyle = /RFC2253/i.test(valueOf(parsed, 'nameopt') ?? '')
    ? 'rfc2253'
    : /compat/i.test(valueOf(parsed, 'nameopt') ?? '')
      ? 'compat'
      : /multiline/i.test(valueOf(parsed, 'nameopt') ?? '')
        ? 'multiline'
        : 'oneline';
  const parts = writing.certificateParts(bytes);
  const [from, to] = der.inside(parts.validity);
  const [fromMs, toMs] = [timeOf(from!), timeOf(to!)];
  const fingerprint = digestOf(parsed);
  let text = '';
  let status = 0;
  for (const { name, value } of parsed.given) {
    switch (name) {
      case 'subject':
        text += `subject=${nameText(parts.subject, style)}\n`;
        break;
      case 'issuer':
        text += `issuer=${nameText(parts.issuer, style)}\n`;
        break;
      case 'serial':
        text += `serial=${trimZero(parts.serial.content).toString('hex').toUpperCase()}\n`;
        break;
      case 'dates':
        text += `notBefore=${dateText(fromMs)}\nnotAfter=${dateText(toMs)}\n`;
        break;
      case 'startdate':
        text += `notBefore=${dateText(fromMs)}\n`;
        break;
      case 'enddate':
        text += `notAfter=${dateText(toMs)}\n`;
        break;
      case 'fingerprint': {
        const hex = createHash(fingerprint ?? 'sha1')
          .update(bytes)
          .digest('hex')
          .toUpperCase();
        text += `${fingerprint ?? 'SHA1'} Fingerprint=${hex.match(/../g)!.join(':')}\n`;
        break;
      }
      case 'text':
        text += certificateText(bytes, style);
        break;
      case 'ext':
        text += extensionsNamed(parts.extensions, value);
        break;
      case 'pubkey': {
        const key = createPublicKey({ key: parts.publicKey.whole, format: 'der', type: 'spki' });
        text += key.export({ format: 'pem', type: 'spki' }) as string;
        break;
      }
      case 'modulus': {
        const key = createPublicKey({ key: parts.publicKey.whole, format: 'der', type: 'spki' });
        const { n } = key.export({ format: 'jwk' });
        text +=
          n === undefined
            ? 'Modulus=No modulus for this public key type\n'
            : `Modulus=${Buffer.from(n, 'base64url').toString('hex').toUpperCase()}\n`;
        break;
      }
      case 'hash':
      case 'subject_hash':
      case 'issuer_hash':
      case 'purpose':
      case 'ocspid':
        throw new OpensslError(`drydock: x509 -${name} isn't simulated\n`);
      case 'checkend': {
        const isOver = toMs < proc.clock.now() + Number(value) * 1000;
        text += isOver ? 'Certificate will expire\n' : 'Certificate will not expire\n';
        if (isOver) status = 1;
        break;
      }
      default:
    }
  }
  const isDer = valueOf(parsed, 'outform')?.toUpperCase() === 'DER';
  const out = valueOf(parsed, 'out');
  const isSilent = has(parsed, 'noout') || valueOf(parsed, 'checkend') !== undefined;
  if (isSilent) await writeOutput(proc, out, text);
  else if (isDer) await writeOutput(proc, out, bytes);
  else await writeOutput(proc, out, text + writing.pemBlock('CERTIFICATE', bytes));
  return status;
}

function trimZero(bytes: Buffer): Buffer {
  return bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function extensionsNamed(extensions: readonly der.DerValue[], names: string): string {
  const ids = names.split(',').map((name) => EXTENSION_NAMES[name] ?? name);
  const found = extensions.filter((each) => ids.includes(der.oidText(der.inside(each)[0]!)));
  if (found.length === 0)
    return `No extensions matching names '${names}' in certificate\n`.replace(/^No.*\n$/, '');
  return found.map((each) => extensionText(each, '')).join('');
}
