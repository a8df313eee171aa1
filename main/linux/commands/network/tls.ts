// TLS as curl and wget use it: a session over a connection, with OpenSSL's verification errors.
import { ErrnoError, type ByteStream, type TcpSocket } from '../../../network/index.ts';
import {
  certificateProblem,
  connectTls,
  parseCertificates,
  TlsError,
  type Certificate,
  type Identity,
} from '../../../network/tls/index.ts';
import type { Process } from '../../kernel/index.ts';
import { strftime, UTC } from '../frame/time.ts';

/** A handshake that failed: curl's exit code and text. */
export class TlsFailure extends Error {
  readonly curlCode: number;
  constructor(curlCode: number, message: string) {
    super(message);
    this.curlCode = curlCode;
  }
}

export interface TlsSession {
  readonly stream: ByteStream;
}

export interface TlsClientOptions {
  readonly host: string;
  /** -k */
  readonly insecure: boolean;
  readonly caFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly note: (text: string) => Promise<void>;
}

const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
];
const MORE =
  '\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the web page mentioned above.';

const PROBLEMS = {
  'self-signed': 'self-signed certificate',
  'unknown-authority': 'unable to get local issuer certificate',
  expired: 'certificate has expired',
  'not-yet-valid': 'certificate is not yet valid',
} as const;
const PROBLEM_NUMBERS = {
  'self-signed': 18,
  'unknown-authority': 20,
  expired: 10,
  'not-yet-valid': 9,
} as const;

/** Shakes hands over a connected socket. Rejects with TlsFailure. */
export async function openTls(
  proc: Process,
  socket: TcpSocket,
  options: TlsClientOptions,
): Promise<TlsSession> {
  const { note } = options;
  const bundle = options.caFile ?? BUNDLES.find((path) => proc.fs.exists(path)) ?? BUNDLES[0]!;
  const authorities = authoritiesOf(proc, bundle, options);
  await note('ALPN: offers h2,http/1.1');
  await note('TLSv1.3 (OUT), TLS handshake, Client hello (1):');
  if (!options.insecure) {
    await note(` CAfile: ${bundle}`);
    await note(' CApath: /etc/ssl/certs');
  }
  const now = proc.clock.now();
  try {
    const identity = identityOf(proc, options);
    const stream = await proc.interruptible(
      connectTls(socket, {
        serverName: options.host,
        authorities,
        insecure: options.insecure,
        nowMs: now,
        random: proc.random.fork('tls'),
        ...(identity === undefined ? {} : { identity }),
      }),
    );
    for (const line of [
      '(IN), TLS handshake, Server hello (2)',
      '(IN), TLS handshake, Encrypted Extensions (8)',
      ...(identity === undefined ? [] : ['(IN), TLS handshake, Request CERT (13)']),
      '(IN), TLS handshake, Certificate (11)',
      '(IN), TLS handshake, CERT verify (15)',
      '(IN), TLS handshake, Finished (20)',
      '(OUT), TLS change cipher, Change cipher spec (1)',
      ...(identity === undefined ? [] : ['(OUT), TLS handshake, Certificate (11)']),
      '(OUT), TLS handshake, Finished (20)',
    ])
      await note(`TLSv1.3 ${line}:`);
    await note('SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384');
    await note('ALPN: server accepted http/1.1');
    const certificate = stream.peerCertificate;
    if (certificate !== undefined) await describe(certificate, authorities, now, options);
    await note('using HTTP/1.x');
    return { stream };
  } catch (error) {
    if (error instanceof TlsError) throw failureOf(error, options.host);
    if (error instanceof ErrnoError && error.code !== 'EINTR')
      throw new TlsFailure(
        35,
        `OpenSSL SSL_connect: ${error.message} in connection to ${options.host}:${socket.remote.port} `,
      );
    throw error;
  }
}

function authoritiesOf(proc: Process, bundle: string, options: TlsClientOptions): string {
  if (!proc.fs.exists(bundle)) {
    if (options.caFile !== undefined && !options.insecure)
      throw new TlsFailure(77, `error setting certificate file: ${bundle}`);
    return '';
  }
  return proc.fs.readText(bundle);
}

function identityOf(proc: Process, options: TlsClientOptions): Identity | undefined {
  const { certificateFile, keyFile } = options;
  if (certificateFile === undefined) return undefined;
  const read = (path: string): string => {
    try {
      return proc.fs.readText(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new TlsFailure(
        58,
        `could not load PEM client certificate, OpenSSL error error:80000002:system library::No such file or directory, (no key found, wrong pass phrase, or wrong file format?)`,
      );
    }
  };
  const certificate = read(certificateFile);
  return { certificate, privateKey: keyFile === undefined ? certificate : read(keyFile) };
}

function failureOf(error: TlsError, host: string): TlsFailure {
  switch (error.code) {
    case 'self-signed':
    case 'unknown-authority':
    case 'expired':
    case 'not-yet-valid':
      return new TlsFailure(60, `SSL certificate problem: ${PROBLEMS[error.code]}${MORE}`);
    case 'name-mismatch':
      return new TlsFailure(
        60,
        `SSL: no alternative certificate subject name matches target host name '${host}'${MORE}`,
      );
    case 'not-tls':
      return new TlsFailure(35, 'OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number');
    case 'closed':
      return new TlsFailure(35, 'OpenSSL/3.0.22: error:0A000126:SSL routines::unexpected eof while reading');
    case 'alert':
      return new TlsFailure(
        56,
        `OpenSSL SSL_read: OpenSSL/3.0.22: error:0A000412:SSL routines::${error.message.replace('remote error: tls: ', 'sslv3 alert ')}, errno 0`,
      );
    default:
      return new TlsFailure(35, `OpenSSL/3.0.22: error:0A000086:SSL routines::certificate verify failed`);
  }
}

async function describe(
  certificate: Certificate,
  authorities: string,
  now: number,
  options: TlsClientOptions,
): Promise<void> {
  const { note } = options;
  const date = (ms: number): string => strftime('%b %e %H:%M:%S %Y GMT', ms, UTC);
  const organization = certificate.organizations.map((one) => `O=${one}; `).join('');
  await note('Server certificate:');
  await note(` subject: ${organization}CN=${certificate.commonName}`);
  await note(` start date: ${date(certificate.notBeforeMs)}`);
  await note(` expire date: ${date(certificate.notAfterMs)}`);
  const problem = certificateProblem(certificate, parseCertificates(authorities), now, options.host);
  if (!options.insecure) {
    if (certificate.ipAddresses.includes(options.host))
      await note(` subjectAltName: host "${options.host}" matched cert's IP address!`);
    else {
      const name = certificate.dnsNames.find((one) => one === options.host || one.startsWith('*.'));
      if (name !== undefined) await note(` subjectAltName: host "${options.host}" matched cert's "${name}"`);
    }
  }
  await note(` issuer: CN=${certificate.issuer}`);
  if (problem === undefined) await note(' SSL certificate verify ok.');
  else if (problem !== 'name-mismatch')
    await note(
      ` SSL certificate verify result: ${PROBLEMS[problem]} (${PROBLEM_NUMBERS[problem]}), continuing anyway.`,
    );
}
