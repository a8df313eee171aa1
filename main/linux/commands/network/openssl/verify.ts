// openssl verify: whether a chain leads from certificates to authorities.
import {
  certificateProblem,
  parseCertificates,
  x509,
  type Certificate,
} from '../../../../network/tls/index.ts';
import type { Process } from '../../../kernel/index.ts';
import { VERIFY_ERRORS } from '../tls.ts';
import { fault, has, OpensslError, parseArguments, readInput, valueOf, valuesOf } from './arguments.ts';
import { nameText } from './names.ts';

const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

export async function verify(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    'verify',
    args,
    'verbose show_chain no-CAfile no-CApath no_check_time partial_chain x509_strict crl_check purpose_any',
    'CAfile CApath trusted untrusted purpose verify_hostname verify_ip verify_depth attime nameopt',
  );
  const file = valueOf(parsed, 'CAfile') ?? valueOf(parsed, 'trusted');
  if (file !== undefined && !proc.fs.exists(file))
    throw new OpensslError(
      `Error loading file ${file}\n${fault(proc, `80000002:system library:BIO_new_file:No such file or directory:../crypto/bio/bss_file.c:67:calling fopen(${file}, r)`)}${fault(proc, '10000080:BIO routines:BIO_new_file:no such file:../crypto/bio/bss_file.c:75:')}${fault(proc, '05880002:x509 certificate routines:X509_load_cert_crl_file_ex:system lib:../crypto/x509/by_file.c:229:')}`,
    );
  const bundle = file ?? BUNDLES.find((path) => proc.fs.exists(path));
  const trusted = bundle === undefined ? [] : parseCertificates(proc.fs.readText(bundle));
  const between = valuesOf(parsed, 'untrusted').flatMap((path) => parseCertificates(proc.fs.readText(path)));
  const paths = parsed.operands.length === 0 ? [undefined] : parsed.operands;
  const atMs =
    valueOf(parsed, 'attime') === undefined ? proc.clock.now() : Number(valueOf(parsed, 'attime')) * 1000;
  let status = 0;
  for (const path of paths) {
    const shown = path ?? 'stdin';
    const [certificate] = parseCertificates(
      (await readInput(proc, path, 'certificate file')).toString('latin1'),
    );
    if (certificate === undefined)
      throw new OpensslError(
        `Could not read certificate file from ${path ?? '<stdin>'}\nUnable to load certificate file\n`,
      );
    const problem = certificateProblem(
      certificate,
      trusted,
      atMs,
      valueOf(parsed, 'verify_hostname') ?? valueOf(parsed, 'verify_ip'),
      between,
    );
    if (
      problem === undefined ||
      (has(parsed, 'no_check_time') && (problem === 'expired' || problem === 'not-yet-valid'))
    ) {
      await proc.stdout.write(`${shown}: OK\n`);
      continue;
    }
    const { text, number } =
      problem === 'name-mismatch' ? { text: 'hostname mismatch', number: 62 } : VERIFY_ERRORS[problem];
    const at = culprit(certificate, problem, trusted, between, atMs);
    await proc.stderr.write(
      `${subjectText(at.certificate)}\nerror ${number} at ${at.depth} depth lookup: ${text}\nerror ${shown}: verification failed\n`,
    );
    status = 2;
  }
  return status;
}

/** The certificate of the chain that is at fault, and how far up it stands. */
export function culprit(
  certificate: Certificate,
  problem: string,
  trusted: readonly Certificate[],
  between: readonly Certificate[],
  atMs: number,
): { readonly certificate: Certificate; readonly depth: number } {
  let current = certificate;
  for (let depth = 0; depth < 10; depth++) {
    const isTime =
      problem === 'expired'
        ? current.notAfterMs < atMs
        : problem === 'not-yet-valid' && current.notBeforeMs > atMs;
    if (isTime || problem === 'self-signed' || problem === 'name-mismatch')
      return { certificate: current, depth };
    const next = [...between, ...trusted].find(
      (each) => each.subjectName === current.issuerName && each.signature !== current.signature,
    );
    if (next === undefined) return { certificate: current, depth };
    current = next;
  }
  return { certificate, depth: 0 };
}

/** `C = CN, CN = web`. */
export function subjectText({ x509: base64 }: Certificate): string {
  return nameText(x509.certificateParts(Buffer.from(base64, 'base64')).subject);
}

/** The issuer's name likewise. */
export function issuerText({ x509: base64 }: Certificate): string {
  return nameText(x509.certificateParts(Buffer.from(base64, 'base64')).issuer);
}
