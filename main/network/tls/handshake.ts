// TLS as far as people meet it: a handshake with names and certificates, then the bytes themselves.
import type { Random } from '../../simulation/index.ts';
import type { ByteStream } from '../socket/socket.ts';
import {
  certificateProblem,
  parseCertificates,
  type Certificate,
  type CertificateProblem,
  type Identity,
} from './certificate.ts';
import { isRsaKey, isSignedBy, signWith } from './keys.ts';

/*
 * Differs: records look like TLS's (type, version, length) but their content is JSON, and what follows the handshake
 * isn't encrypted; a capture shows it. Identities are proved by signatures, so nobody can pretend.
 */

const HANDSHAKE = 0x16;
const ALERT = 0x15;
const RECORD_HEAD_BYTES = 5;
/** Four times TLSPlaintext.length's limit (RFC 8446, 5.1), for certificate chains in JSON. */
const RECORD_BYTES_MAX = 65_535;

/** Why there is no TLS session. `not-tls`: the other side speaks something else. */
export type TlsErrorCode = CertificateProblem | 'not-tls' | 'bad-certificate' | 'alert' | 'closed';

export class TlsError extends Error {
  readonly code: TlsErrorCode;
  /** What the other side presented, if it got that far. */
  readonly certificate: Certificate | undefined;
  constructor(code: TlsErrorCode, message: string, certificate?: Certificate) {
    super(message);
    this.code = code;
    this.certificate = certificate;
  }
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What both sides agreed on. */
export interface TlsAgreement {
  readonly version: TlsVersion;
  /** Such as `TLS_AES_256_GCM_SHA384`, as OpenSSL names it. */
  readonly cipher: string;
  /** ALPN; undefined where none was agreed on. */
  readonly protocol: string | undefined;
  /** Session tickets that the server sends after a handshake of TLS 1.3. */
  readonly tickets: number;
}

/** A session; close and end as the stream under it. */
export interface TlsStream extends ByteStream, TlsAgreement {
  /** All that the other side presented, its own certificate first, in PEM. */
  readonly peerChain: string;
  /** A client's side: whether the server asked for a certificate. */
  readonly wantsCertificate: boolean;
  /** The other side's certificate, verified unless verification was waived. */
  readonly peerCertificate: Certificate | undefined;
  /** SNI. */
  readonly serverName: string | undefined;
}

export interface TlsClientOptions {
  /** The host asked for, an address or a name: goes out as SNI and is compared with the certificate. */
  readonly serverName: string;
  /** PEM bundle of authorities. */
  readonly authorities: string;
  readonly identity?: Identity;
  /** Takes any certificate. */
  readonly insecure?: boolean;
  /** ALPN, by preference. */
  readonly protocols?: readonly string[];
  /** By default both. */
  readonly versions?: readonly TlsVersion[];
  readonly nowMs: number;
  readonly random: Random;
}

export interface TlsServerOptions {
  readonly identity: Identity;
  /** Another identity for a name that a client asks for, or undefined for the one above. */
  readonly identityFor?: (serverName: string) => Identity | undefined;
  /** ALPN, by preference; without it the server doesn't take part in it. */
  readonly protocols?: readonly string[];
  /** By default both. */
  readonly versions?: readonly TlsVersion[];
  /** The cipher of TLS 1.3: Go's servers choose AES-128, OpenSSL's AES-256. */
  readonly cipher13?: string;
  /** By default 2, as OpenSSL's servers send. */
  readonly tickets?: number;
  /** PEM bundle; if given, clients are asked for a certificate. One they present must be signed by these; they need not. */
  readonly clientAuthorities?: string;
  readonly nowMs: number;
  readonly random: Random;
}

interface ClientHello {
  readonly serverName?: string;
  readonly random: string;
  readonly protocols?: readonly string[];
  readonly versions?: readonly TlsVersion[];
}

interface ServerHello {
  readonly version: TlsVersion;
  readonly cipher: string;
  readonly protocol?: string;
  readonly tickets: number;
  readonly certificate: string;
  readonly random: string;
  readonly wantsCertificate: boolean;
  readonly proof: string;
}

/** The client's side. Rejects with TlsError, or with the stream's ErrnoError; the stream is closed then. */
export async function connectTls(stream: ByteStream, options: TlsClientOptions): Promise<TlsStream> {
  const records = new Records(stream);
  try {
    const own = hex(options.random);
    await records.send(HANDSHAKE, {
      // RFC 6066: addresses don't go out as a name.
      ...(/^[\d.]+$|:/.test(options.serverName) ? {} : { serverName: options.serverName }),
      random: own,
      ...(options.protocols === undefined ? {} : { protocols: options.protocols }),
      ...(options.versions === undefined ? {} : { versions: options.versions }),
    } satisfies ClientHello);
    const hello = await records.receive<ServerHello>();
    const [certificate, ...between] = parseCertificates(hello.certificate);
    if (certificate === undefined || !isSignedBy(certificate.publicKey, own, hello.proof)) {
      throw new TlsError('bad-certificate', 'bad certificate');
    }
    const problem = certificateProblem(
      certificate,
      parseCertificates(options.authorities),
      options.nowMs,
      options.serverName,
      between,
    );
    if (problem !== undefined && options.insecure !== true) {
      await records.send(ALERT, {
        description:
          problem === 'expired' || problem === 'not-yet-valid'
            ? 'certificate_expired'
            : problem === 'name-mismatch'
              ? 'bad_certificate'
              : 'unknown_ca',
      });
      throw new TlsError(problem, problem.replaceAll('-', ' '), certificate);
    }
    const identity = hello.wantsCertificate ? options.identity : undefined;
    const presented =
      identity === undefined
        ? {}
        : { certificate: identity.certificate, proof: signWith(identity.privateKey, hello.random) };
    await records.send(HANDSHAKE, { finished: true, ...presented });
    return {
      ...session(records, certificate, options.serverName),
      ...agreementOf(hello),
      peerChain: hello.certificate,
      wantsCertificate: hello.wantsCertificate,
    };
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** The server's side. Rejects with TlsError; on `not-tls` the stream is left open and can be read from its beginning by `readPlain`. */
export async function acceptTls(stream: ByteStream, options: TlsServerOptions): Promise<TlsStream> {
  const records = new Records(stream);
  const hello = await records.receive<ClientHello>();
  const own = hex(options.random);
  const identity =
    (hello.serverName === undefined ? undefined : options.identityFor?.(hello.serverName)) ??
    options.identity;
  const agreement = agree(hello, options, identity);
  if (agreement === undefined) {
    await records.send(ALERT, { description: 'protocol_version' });
    throw new TlsError('alert', 'tls: client offered only unsupported versions');
  }
  await records.send(HANDSHAKE, {
    version: agreement.version,
    cipher: agreement.cipher,
    tickets: agreement.tickets,
    ...(agreement.protocol === undefined ? {} : { protocol: agreement.protocol }),
    certificate: identity.certificate,
    random: own,
    wantsCertificate: options.clientAuthorities !== undefined,
    proof: signWith(identity.privateKey, hello.random),
  } satisfies ServerHello);
  const finished = await records.receive<{ certificate?: string; proof?: string }>();
  const [presented, ...between] = parseCertificates(finished.certificate ?? '');
  let certificate: Certificate | undefined;
  if (presented !== undefined && options.clientAuthorities !== undefined) {
    const proved = isSignedBy(presented.publicKey, own, finished.proof ?? '');
    const problem = certificateProblem(
      presented,
      parseCertificates(options.clientAuthorities),
      options.nowMs,
      undefined,
      between,
    );
    // Go's RequestClientCert: one that isn't trusted is as none, and the handler decides.
    if (proved && problem === undefined) certificate = presented;
  }
  return {
    ...session(records, certificate, hello.serverName),
    ...agreement,
    peerChain: finished.certificate ?? '',
    wantsCertificate: false,
  };
}

/** The newest version that both know, its cipher, and the server's favourite of the protocols offered. */
function agree(hello: ClientHello, options: TlsServerOptions, identity: Identity): TlsAgreement | undefined {
  const offered = hello.versions ?? ['TLSv1.2', 'TLSv1.3'];
  const known = options.versions ?? ['TLSv1.2', 'TLSv1.3'];
  const version = (['TLSv1.3', 'TLSv1.2'] as const).find(
    (each) => offered.includes(each) && known.includes(each),
  );
  if (version === undefined) return undefined;
  const kind = isRsaKey(identity.privateKey) ? 'RSA' : 'ECDSA';
  return {
    version,
    cipher:
      version === 'TLSv1.3'
        ? (options.cipher13 ?? 'TLS_AES_256_GCM_SHA384')
        : `ECDHE-${kind}-AES256-GCM-SHA384`,
    protocol: options.protocols?.find((protocol) => hello.protocols?.includes(protocol)),
    tickets: version === 'TLSv1.3' ? (options.tickets ?? 2) : 0,
  };
}

function agreementOf({ version, cipher, protocol, tickets }: ServerHello): TlsAgreement {
  return { version, cipher, protocol, tickets };
}

function session(
  records: Records,
  peerCertificate: Certificate | undefined,
  serverName: string | undefined,
): Omit<TlsStream, keyof TlsAgreement | 'peerChain' | 'wantsCertificate'> {
  return {
    peerCertificate,
    serverName,
    read: (sizeMax) => records.readPlain(sizeMax),
    write: (bytes) => records.stream.write(bytes),
    end: () => records.stream.end(),
    close: () => records.stream.close(),
  };
}

/** Records over a stream, and what came behind the last of them. */
class Records {
  readonly stream: ByteStream;
  private pending: Uint8Array = new Uint8Array(0);

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  async send(type: number, content: object): Promise<void> {
    const body = Buffer.from(JSON.stringify(content));
    await this.stream.write(
      Buffer.concat([Buffer.of(type, 3, 3, body.length >> 8, body.length & 0xff), body]),
    );
  }

  async receive<T>(): Promise<T> {
    const head = await this.take(RECORD_HEAD_BYTES, true);
    if (head[0] === ALERT) {
      const body = await this.take((head[3]! << 8) | head[4]!);
      const { description } = JSON.parse(Buffer.from(body).toString('utf8')) as { description: string };
      throw new TlsError('alert', `remote error: tls: ${description.replaceAll('_', ' ')}`);
    }
    if (head[0] !== HANDSHAKE || head[1] !== 3)
      throw new TlsError('not-tls', 'first record does not look like a TLS handshake');
    const length = (head[3]! << 8) | head[4]!;
    if (length > RECORD_BYTES_MAX) throw new TlsError('not-tls', 'record overflow');
    try {
      return JSON.parse(Buffer.from(await this.take(length)).toString('utf8')) as T;
    } catch (error) {
      if (error instanceof SyntaxError) throw new TlsError('not-tls', 'handshake failure');
      throw error;
    }
  }

  async readPlain(sizeMax = Infinity): Promise<Uint8Array | undefined> {
    if (this.pending.length === 0) return this.stream.read(sizeMax === Infinity ? undefined : sizeMax);
    const bytes = this.pending.subarray(0, sizeMax);
    this.pending = this.pending.subarray(bytes.length);
    return bytes;
  }

  private async take(sizeBytes: number, isHead = false): Promise<Uint8Array> {
    while (this.pending.length < sizeBytes) {
      const bytes = await this.stream.read();
      if (bytes === undefined) throw new TlsError('closed', 'EOF');
      this.pending = Buffer.concat([this.pending, bytes]);
      if (isHead && this.pending[0] !== HANDSHAKE && this.pending[0] !== ALERT) {
        throw new TlsError('not-tls', 'first record does not look like a TLS handshake');
      }
    }
    const taken = this.pending.subarray(0, sizeBytes);
    this.pending = this.pending.subarray(sizeBytes);
    return taken;
  }
}

function hex(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex');
}
