// TLS as curl and wget use it: a session over a connection, with OpenSSL's verification errors.
import { ErrnoError, type ByteStream, type TcpSocket } from '../../../network/index.ts';
import {
  certificateProblem,
  connectTls,
  matchesName,
  parseCertificates,
  TlsError,
  type Certificate,
  type CertificateProblem,
  type Identity,
  type TlsStream,
  type TlsVersion,
} from '../../../network/tls/index.ts';
import type { Process } from '../../kernel/index.ts';
import { strftime, UTC } from '../frame/time.ts';

/** A handshake that failed: curl's exit code and text. */
export class TlsFailure extends Error {
  readonly curlCode: number;
  /** What is wrong with the server's certificate, if that is why. */
  readonly problem: CertificateProblem | undefined;
  readonly certificate: Certificate | undefined;
  constructor(curlCode: number, message: string, problem?: CertificateProblem, certificate?: Certificate) {
    super(message);
    this.curlCode = curlCode;
    this.problem = problem;
    this.certificate = certificate;
  }
}

export interface TlsSession {
  readonly stream: ByteStream;
  /** ALPN. */
  readonly protocol: string | undefined;
  /** Session tickets still to be told of. */
  readonly tickets: number;
  /** OpenSSL's number for what is wrong with the certificate, which -k let pass; 0 if nothing is. */
  readonly verifyResult: number;
}

export interface TlsClientOptions {
  readonly host: string;
  /** -k */
  readonly insecure: boolean;
  readonly caFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  /** ALPN, by preference. */
  readonly protocols: readonly string[];
  readonly versions?: readonly TlsVersion[];
  readonly note: (text: string) => Promise<void>;
}

const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
];
const MORE =
  '\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the web page mentioned above.';

/** X509_V_ERR_*: OpenSSL's text and number. */
export const VERIFY_ERRORS: Readonly<
  Record<Exclude<CertificateProblem, 'name-mismatch'>, { readonly text: string; readonly number: number }>
> = {
  'self-signed': { text: 'self-signed certificate', number: 18 },
  'self-signed-in-chain': { text: 'self-signed certificate in certificate chain', number: 19 },
  'unknown-authority': { text: 'unable to get local issuer certificate', number: 20 },
  expired: { text: 'certificate has expired', number: 10 },
  'not-yet-valid': { text: 'certificate is not yet valid', number: 9 },
};

const HANDSHAKE_13 = [
  '(IN), TLS handshake, Encrypted Extensions (8)',
  '(IN), TLS handshake, Request CERT (13)',
  '(IN), TLS handshake, Certificate (11)',
  '(IN), TLS handshake, CERT verify (15)',
  '(IN), TLS handshake, Finished (20)',
  '(OUT), TLS change cipher, Change cipher spec (1)',
  '(OUT), TLS handshake, Certificate (11)',
  '(OUT), TLS handshake, CERT verify (15)',
  '(OUT), TLS handshake, Finished (20)',
];
const HANDSHAKE_12 = [
  '(IN), TLS handshake, Certificate (11)',
  '(IN), TLS handshake, Server key exchange (12)',
  '(IN), TLS handshake, Request CERT (13)',
  '(IN), TLS handshake, Server finished (14)',
  '(OUT), TLS handshake, Certificate (11)',
  '(OUT), TLS handshake, Client key exchange (16)',
  '(OUT), TLS handshake, CERT verify (15)',
  '(OUT), TLS change cipher, Change cipher spec (1)',
  '(OUT), TLS handshake, Finished (20)',
  '(IN), TLS handshake, Finished (20)',
];

/** Shakes hands over a connected socket. Rejects with TlsFailure. */
export async function openTls(
  proc: Process,
  socket: TcpSocket,
  options: TlsClientOptions,
): Promise<TlsSession> {
  const { note, host } = options;
  const bundle = options.caFile ?? BUNDLES.find((path) => proc.fs.exists(path)) ?? BUNDLES[0]!;
  const authorities = authoritiesOf(proc, bundle, options);
  const identity = identityOf(proc, options);
  await note(`ALPN: offers ${options.protocols.join(',')}`);
  await note('TLSv1.3 (OUT), TLS handshake, Client hello (1):');
  if (!options.insecure) {
    await note(` CAfile: ${bundle}`);
    await note(' CApath: /etc/ssl/certs');
  }
  const now = proc.clock.now();
  let stream: TlsStream;
  try {
    stream = await proc.interruptible(
      connectTls(socket, {
        serverName: host,
        authorities,
        insecure: options.insecure,
        protocols: options.protocols,
        ...(options.versions === undefined ? {} : { versions: options.versions }),
        nowMs: now,
        random: proc.random,
        ...(identity === undefined ? {} : { identity }),
      }),
    );
  } catch (error) {
    if (error instanceof TlsError) {
      const failure = failureOf(error, host);
      if (failure.problem !== undefined) await noteAlert(failure.problem, note);
      throw failure;
    }
    if (error instanceof ErrnoError && error.code !== 'EINTR')
      throw new TlsFailure(
        35,
        `OpenSSL SSL_connect: ${error.message} in connection to ${host}:${socket.remote.port} `,
      );
    throw error;
  }
  await noteHandshake(stream, identity !== undefined, note);
  const { peerCertificate: certificate, protocol, tickets } = stream;
  const verifyResult =
    certificate === undefined ? 0 : await describe(certificate, stream.peerChain, authorities, now, options);
  return { stream, protocol, tickets, verifyResult };
}

async function noteHandshake(
  stream: TlsStream,
  hasIdentity: boolean,
  note: TlsClientOptions['note'],
): Promise<void> {
  const { version, wantsCertificate } = stream;
  await note('TLSv1.3 (IN), TLS handshake, Server hello (2):');
  for (const line of version === 'TLSv1.3' ? HANDSHAKE_13 : HANDSHAKE_12) {
    if (
      !wantsCertificate &&
      (line.includes('Request CERT') || line.includes('(OUT), TLS handshake, Certificate'))
    )
      continue;
    if (!(wantsCertificate && hasIdentity) && line === '(OUT), TLS handshake, CERT verify (15)') continue;
    await note(`${version} ${line}:`);
  }
  await note(`SSL connection using ${version} / ${stream.cipher}`);
  await note(
    stream.protocol === undefined
      ? 'ALPN: server did not agree on a protocol. Uses default.'
      : `ALPN: server accepted ${stream.protocol}`,
  );
}

/** What OpenSSL shows of a client that leaves because of a certificate. */
async function noteAlert(problem: CertificateProblem, note: TlsClientOptions['note']): Promise<void> {
  await note('TLSv1.3 (IN), TLS handshake, Server hello (2):');
  for (const line of HANDSHAKE_13.slice(0, 3))
    if (!line.includes('Request CERT')) await note(`TLSv1.3 ${line}:`);
  if (problem === 'name-mismatch') return;
  const alert =
    problem === 'expired'
      ? 'certificate expired (557)'
      : problem === 'not-yet-valid'
        ? 'bad certificate (554)'
        : 'unknown CA (560)';
  await note(`TLSv1.3 (OUT), TLS alert, ${alert}:`);
}

function authoritiesOf(proc: Process, bundle: string, options: TlsClientOptions): string {
  if (!proc.fs.exists(bundle)) {
    if (options.caFile !== undefined && !options.insecure)
      throw new TlsFailure(77, `error setting certificate file: ${bundle}`);
    return '';
  }
  const text = proc.fs.readText(bundle);
  if (options.caFile !== undefined && !options.insecure && parseCertificates(text).length === 0)
    throw new TlsFailure(77, `error setting certificate file: ${bundle}`);
  return text;
}

function identityOf(proc: Process, options: TlsClientOptions): Identity | undefined {
  const { certificateFile, keyFile } = options;
  if (certificateFile === undefined) return undefined;
  const read = (path: string, what: string): string => {
    try {
      return proc.fs.readText(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new TlsFailure(58, what);
    }
  };
  const certificate = read(
    certificateFile,
    'could not load PEM client certificate, OpenSSL error error:80000002:system library::No such file or directory, (no key found, wrong pass phrase, or wrong file format?)',
  );
  const key = keyFile ?? certificateFile;
  const privateKey = read(key, `unable to set private key file: '${key}' type PEM`);
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(privateKey))
    throw new TlsFailure(58, `unable to set private key file: '${key}' type PEM`);
  return { certificate, privateKey };
}

function failureOf(error: TlsError, host: string): TlsFailure {
  switch (error.code) {
    case 'self-signed':
    case 'self-signed-in-chain':
    case 'unknown-authority':
    case 'expired':
    case 'not-yet-valid':
      return new TlsFailure(
        60,
        `SSL certificate problem: ${VERIFY_ERRORS[error.code].text}${MORE}`,
        error.code,
        error.certificate,
      );
    case 'name-mismatch':
      return new TlsFailure(
        60,
        `SSL: no alternative certificate subject name matches target host name '${host}'${MORE}`,
        error.code,
        error.certificate,
      );
    case 'not-tls':
      return new TlsFailure(35, 'OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number');
    case 'closed':
      return new TlsFailure(35, 'OpenSSL/3.0.22: error:0A000126:SSL routines::unexpected eof while reading');
    case 'alert':
      return error.message.includes('protocol version')
        ? new TlsFailure(35, 'OpenSSL/3.0.22: error:0A00042E:SSL routines::tlsv1 alert protocol version')
        : new TlsFailure(
            56,
            `OpenSSL SSL_read: OpenSSL/3.0.22: error:0A000412:SSL routines::${error.message.replace('remote error: tls: ', 'sslv3 alert ')}, errno 0`,
          );
    default:
      return new TlsFailure(35, `OpenSSL/3.0.22: error:0A000086:SSL routines::certificate verify failed`);
  }
}

/** Tells of the server's certificate; returns OpenSSL's number for what is wrong with it. */
async function describe(
  certificate: Certificate,
  chain: string,
  authorities: string,
  now: number,
  options: TlsClientOptions,
): Promise<number> {
  const { note, host } = options;
  const date = (ms: number): string => strftime('%b %e %H:%M:%S %Y GMT', ms, UTC);
  await note('Server certificate:');
  await note(` subject: ${certificate.subjectName}`);
  await note(` start date: ${date(certificate.notBeforeMs)}`);
  await note(` expire date: ${date(certificate.notAfterMs)}`);
  const between = parseCertificates(chain).slice(1);
  const problem = certificateProblem(certificate, parseCertificates(authorities), now, undefined, between);
  if (!options.insecure) {
    if (certificate.ipAddresses.includes(host))
      await note(` subjectAltName: host "${host}" matched cert's IP address!`);
    else {
      const name = certificate.dnsNames.find((one) => matchesName(one, host.toLowerCase()));
      if (name !== undefined) await note(` subjectAltName: host "${host}" matched cert's "${name}"`);
    }
  }
  await note(` issuer: ${certificate.issuerName}`);
  if (problem === undefined || problem === 'name-mismatch') {
    await note(' SSL certificate verify ok.');
    return 0;
  }
  const { text, number } = VERIFY_ERRORS[problem];
  await note(` SSL certificate verify result: ${text} (${number}), continuing anyway.`);
  return number;
}
