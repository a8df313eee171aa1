// openssl s_client: shakes hands with a TLS server, tells of it, and passes bytes.
import { createPublicKey } from 'node:crypto';
import { ErrnoError, type TcpSocket } from '../../../../network/index.ts';
import {
  certificateProblem,
  connectTls,
  parseCertificates,
  TlsError,
  x509,
  type Certificate,
  type TlsStream,
} from '../../../../network/tls/index.ts';
import type { Process } from '../../../kernel/index.ts';
import { lookupHost, lookupService } from '../../../libc/index.ts';
import { VERIFY_ERRORS } from '../tls.ts';
import { fault, has, OpensslError, parseArguments, valueOf, type Arguments } from './arguments.ts';
import { dateText, keyAlgorithm, signatureName } from './text.ts';
import { culprit, issuerText, subjectText } from './verify.ts';

const SIGNATURE_SHORT: Readonly<Record<string, string>> = {
  sha256WithRSAEncryption: 'RSA-SHA256',
  sha384WithRSAEncryption: 'RSA-SHA384',
  sha512WithRSAEncryption: 'RSA-SHA512',
  sha1WithRSAEncryption: 'RSA-SHA1',
  'ecdsa-with-SHA256': 'ecdsa-with-SHA256',
};
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

export async function sClient(proc: Process, args: readonly string[]): Promise<number> {
  const parsed = parseArguments(
    's_client',
    args,
    'showcerts brief quiet ign_eof no_ign_eof tls1 tls1_1 tls1_2 tls1_3 no_tls1_3 no_tls1_2 no_ssl3 verify_return_error noservername status debug msg state prexit crlf nocommands servername_none 4 6',
    'connect host port servername CAfile CApath cert key alpn verify verify_hostname verify_depth starttls cipher ciphersuites sess_out sess_in nameopt groups curves sigalgs',
  );
  if (valueOf(parsed, 'starttls') !== undefined)
    throw new OpensslError("drydock: s_client -starttls isn't simulated\n");
  const [host, portText] = split(
    valueOf(parsed, 'connect') ??
      parsed.operands[0] ??
      `${valueOf(parsed, 'host') ?? 'localhost'}:${valueOf(parsed, 'port') ?? '4433'}`,
  );
  const socket = await open(proc, host, portText);
  const isBrief = has(parsed, 'brief');
  const isQuiet = has(parsed, 'quiet');
  const show = async (text: string): Promise<void> => {
    if (!isQuiet && !isBrief) await proc.stdout.write(text);
  };
  await show('CONNECTED(00000003)\n');
  const name = has(parsed, 'noservername')
    ? undefined
    : (valueOf(parsed, 'servername') ?? (/^[\d.]+$/.test(host) ? undefined : host));
  let stream: TlsStream;
  try {
    stream = await proc.interruptible(
      connectTls(socket, {
        serverName: name ?? '0.0.0.0',
        authorities: '',
        insecure: true,
        ...(valueOf(parsed, 'alpn') === undefined ? {} : { protocols: valueOf(parsed, 'alpn')!.split(',') }),
        versions:
          has(parsed, 'tls1_2') || has(parsed, 'no_tls1_3')
            ? ['TLSv1.2']
            : has(parsed, 'tls1_3')
              ? ['TLSv1.3']
              : ['TLSv1.3', 'TLSv1.2'],
        nowMs: proc.clock.now(),
        random: proc.random,
        ...identityOf(proc, parsed),
      }),
    );
  } catch (error) {
    if (!(error instanceof TlsError || error instanceof ErrnoError)) throw error;
    return failed(proc, error, show);
  }
  const code = await describe(proc, parsed, stream, { name, isBrief, isQuiet, show });
  if (code.fatal) return 1;
  const isCut = await relay(proc, stream, has(parsed, 'ign_eof') || isQuiet);
  if (!isQuiet) await proc.stderr.write(isCut ? 'closed\n' : 'DONE\n');
  return 0;
}

function split(text: string): [string, string] {
  const colon = text.lastIndexOf(':');
  return colon < 0
    ? [text, '4433']
    : [text.slice(0, colon).replaceAll(/^\[|\]$/g, ''), text.slice(colon + 1)];
}

function identityOf(
  proc: Process,
  parsed: Arguments,
): { identity?: { certificate: string; privateKey: string } } {
  const certificate = valueOf(parsed, 'cert');
  if (certificate === undefined) return {};
  const key = valueOf(parsed, 'key') ?? certificate;
  return { identity: { certificate: proc.fs.readText(certificate), privateKey: proc.fs.readText(key) } };
}

async function open(proc: Process, host: string, portText: string): Promise<TcpSocket> {
  const port = /^\d+$/.test(portText) ? Number(portText) : lookupService(portText);
  const [address] = (await lookupHost(proc, host)).addresses;
  if (address === undefined || port === undefined)
    throw new OpensslError(
      `${fault(proc, `10080002:BIO routines:BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:738:Name or service not known`)}connect:errno=22\n`,
    );
  try {
    return await proc.interruptible(
      proc.net.sockets.connectTcp({ address, port }, { owner: proc.socketOwner, signal: proc.signal }),
    );
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    const number =
      { ECONNREFUSED: 111, EHOSTUNREACH: 113, ETIMEDOUT: 110, ENETUNREACH: 101 }[error.code as 'ETIMEDOUT'] ??
      5;
    throw new OpensslError(
      `${fault(proc, `80000${(0x1000 + number).toString(16).slice(1).toUpperCase()}:system library:BIO_connect:${error.message}:../crypto/bio/bio_sock2.c:117:calling connect()`)}${fault(proc, '10000067:BIO routines:BIO_connect:connect error:../crypto/bio/bio_sock2.c:119:')}connect:errno=${number}\n`,
    );
  }
}

async function failed(
  proc: Process,
  error: TlsError | ErrnoError,
  show: (text: string) => Promise<void>,
): Promise<number> {
  const text =
    error instanceof ErrnoError
      ? `write:errno=104\n`
      : error.code === 'not-tls'
        ? fault(
            proc,
            '0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:',
          )
        : error.code === 'closed'
          ? fault(
              proc,
              '0A000126:SSL routines:ssl3_read_n:unexpected eof while reading:../ssl/record/rec_layer_s3.c:322:',
            )
          : fault(
              proc,
              `0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:1590:SSL alert number 70`,
            );
  await proc.stderr.write(text);
  await show(
    '---\nno peer certificate available\n---\nNo client certificate CA names sent\n---\nSSL handshake has read 5 bytes and written 293 bytes\nVerification: OK\n---\nNew, (NONE), Cipher is (NONE)\nSecure Renegotiation IS NOT supported\nCompression: NONE\nExpansion: NONE\nNo ALPN negotiated\nEarly data was not sent\nVerify return code: 0 (ok)\n---\n',
  );
  return 1;
}

interface Showing {
  readonly name: string | undefined;
  readonly isBrief: boolean;
  readonly isQuiet: boolean;
  readonly show: (text: string) => Promise<void>;
}

async function describe(
  proc: Process,
  parsed: Arguments,
  stream: TlsStream,
  { name, isBrief, isQuiet, show }: Showing,
): Promise<{ fatal: boolean }> {
  const chain = parseCertificates(stream.peerChain);
  const [certificate, ...between] = chain;
  if (certificate === undefined) return { fatal: false };
  const bundle = valueOf(parsed, 'CAfile') ?? BUNDLES.find((path) => proc.fs.exists(path));
  const trusted = bundle === undefined ? [] : parseCertificates(proc.fs.readText(bundle));
  const problem = certificateProblem(
    certificate,
    trusted,
    proc.clock.now(),
    valueOf(parsed, 'verify_hostname'),
    between,
  );
  await verifyLines(proc, certificate, problem, trusted, between, name === undefined);
  // With the leaf alone OpenSSL goes on to say that it can't be verified either.
  const result =
    problem === undefined
      ? { number: 0, text: 'ok' }
      : problem === 'name-mismatch'
        ? { number: 62, text: 'hostname mismatch' }
        : problem === 'unknown-authority' && between.length === 0
          ? { number: 21, text: 'unable to verify the first certificate' }
          : VERIFY_ERRORS[problem];
  if (problem !== undefined && has(parsed, 'verify_return_error')) {
    await proc.stderr.write(
      fault(
        proc,
        '0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889:',
      ),
    );
    stream.close();
    return { fatal: true };
  }
  const key = createPublicKey(certificate.publicKey);
  const { name: algorithm, bits } = keyAlgorithm(key);
  const kind =
    key.asymmetricKeyType === 'rsa'
      ? stream.version === 'TLSv1.3'
        ? 'RSA-PSS'
        : 'RSA'
      : key.asymmetricKeyType === 'ec'
        ? 'ECDSA'
        : 'Ed25519';
  if (isBrief) {
    await proc.stderr.write(
      `CONNECTION ESTABLISHED\nProtocol version: ${stream.version}\nCiphersuite: ${stream.cipher}\nPeer certificate: ${subjectText(certificate)}\n${kind === 'Ed25519' ? '' : 'Hash used: SHA256\n'}Signature type: ${kind}\n${result.number === 0 ? 'Verification: OK' : `Verification error: ${result.text}`}\nServer Temp Key: X25519, 253 bits\n`,
    );
    return { fatal: false };
  }
  if (isQuiet) return { fatal: false };
  await show(
    `---\nCertificate chain\n${chain.map((each, index) => chainText(each, index, has(parsed, 'showcerts'))).join('')}---\nServer certificate\n`,
  );
  if (!has(parsed, 'showcerts'))
    await show(x509.pemBlock('CERTIFICATE', Buffer.from(certificate.x509, 'base64')));
  await show(`subject=${subjectText(certificate)}\nissuer=${issuerText(certificate)}\n---\n`);
  await show(
    stream.wantsCertificate
      ? 'Acceptable client certificate CA names\n'
      : 'No client certificate CA names sent\n',
  );
  await show(
    `${kind === 'Ed25519' ? '' : 'Peer signing digest: SHA256\n'}Peer signature type: ${kind}\nServer Temp Key: X25519, 253 bits\n---\n`,
  );
  const read = Buffer.byteLength(stream.peerChain) * 0.75;
  await show(
    `SSL handshake has read ${Math.floor(read) + 300} bytes and written ${371 + (name?.length ?? 0)} bytes\n`,
  );
  await show(`${result.number === 0 ? 'Verification: OK' : `Verification error: ${result.text}`}\n---\n`);
  await show(
    `New, ${stream.version}, Cipher is ${stream.cipher}\nServer public key is ${algorithm === 'ED25519' ? 256 : bits} bit\nSecure Renegotiation IS ${stream.version === 'TLSv1.3' ? 'NOT ' : ''}supported\nCompression: NONE\nExpansion: NONE\n${stream.protocol === undefined ? 'No ALPN negotiated' : `ALPN protocol: ${stream.protocol}`}\n`,
  );
  if (stream.version === 'TLSv1.3')
    await show(`Early data was not sent\nVerify return code: ${result.number} (${result.text})\n---\n`);
  else await show(sessionText(proc, stream, result));
  return { fatal: false };
}

function sessionText(proc: Process, stream: TlsStream, result: { number: number; text: string }): string {
  const hex = (size: number): string => Buffer.from(proc.random.bytes(size)).toString('hex').toUpperCase();
  return `SSL-Session:\n    Protocol  : ${stream.version}\n    Cipher    : ${stream.cipher}\n    Session-ID: ${hex(32)}\n    Session-ID-ctx: \n    Master-Key: ${hex(48)}\n    PSK identity: None\n    PSK identity hint: None\n    SRP username: None\n    Start Time: ${Math.floor(proc.clock.now() / 1000)}\n    Timeout   : 7200 (sec)\n    Verify return code: ${result.number} (${result.text})\n    Extended master secret: yes\n---\n`;
}

function chainText(certificate: Certificate, index: number, withPem: boolean): string {
  const bytes = Buffer.from(certificate.x509, 'base64');
  const parts = x509.certificateParts(bytes);
  const key = createPublicKey({ key: parts.publicKey.whole, format: 'der', type: 'spki' });
  const { name, bits } = keyAlgorithm(key);
  const signature = signatureName(parts.algorithm);
  return `${String(index).padStart(2)} s:${subjectText(certificate)}\n   i:${issuerText(certificate)}\n   a:PKEY: ${name}, ${name === 'ED25519' ? 256 : bits} (bit); sigalg: ${SIGNATURE_SHORT[signature] ?? signature}\n   v:NotBefore: ${dateText(certificate.notBeforeMs)}; NotAfter: ${dateText(certificate.notAfterMs)}\n${withPem ? x509.pemBlock('CERTIFICATE', bytes) : ''}`;
}

async function verifyLines(
  proc: Process,
  certificate: Certificate,
  problem: ReturnType<typeof certificateProblem>,
  trusted: readonly Certificate[],
  between: readonly Certificate[],
  isNameless: boolean,
): Promise<void> {
  let text = isNameless ? "Can't use SSL_get_servername\n" : '';
  if (problem === undefined || problem === 'name-mismatch') {
    const chain = [certificate];
    for (let last = certificate; last.issuerName !== last.subjectName && chain.length < 10;) {
      const next = [...between, ...trusted].find((each) => each.subjectName === last.issuerName);
      if (next === undefined) break;
      chain.push(next);
      last = next;
    }
    for (let depth = chain.length - 1; depth >= 0; depth--)
      text += `depth=${depth} ${subjectText(chain[depth]!)}\nverify return:1\n`;
  } else {
    const at = culprit(certificate, problem, trusted, between, proc.clock.now());
    const { number, text: words } = VERIFY_ERRORS[problem];
    text += `depth=${at.depth} ${subjectText(at.certificate)}\nverify error:num=${number}:${words}\nverify return:1\n`;
    if (problem === 'unknown-authority' && between.length === 0)
      text += `depth=0 ${subjectText(certificate)}\nverify error:num=21:unable to verify the first certificate\nverify return:1\n`;
    if (problem === 'expired' || problem === 'not-yet-valid')
      text += `notAfter=${dateText(at.certificate.notAfterMs)}\n`.replace(
        'notAfter',
        problem === 'expired' ? 'notAfter' : 'notBefore',
      );
    text += `depth=0 ${subjectText(certificate)}\nverify return:1\n`;
  }
  await proc.stderr.write(text);
}

/** Bytes both ways; true when the server ended first. stdin's end ends it, unless -ign_eof. */
async function relay(proc: Process, stream: TlsStream, ignoresEnd: boolean): Promise<boolean> {
  const sending = async (): Promise<'sent'> => {
    for (let bytes = await proc.stdin.read(4096); bytes.length > 0; bytes = await proc.stdin.read(4096)) {
      if (!ignoresEnd && Buffer.from(bytes).toString('latin1') === 'Q\n') return 'sent';
      await stream.write(bytes);
    }
    return 'sent';
  };
  const receiving = async (): Promise<'received'> => {
    for (;;) {
      const bytes = await stream.read();
      if (bytes === undefined) return 'received';
      await proc.stdout.write(bytes);
    }
  };
  const receive = receiving();
  receive.catch(() => undefined); // The stream is closed when stdin ends first.
  try {
    const first = await proc.interruptible(Promise.race([sending(), receive]));
    if (first === 'sent' && ignoresEnd) {
      await proc.interruptible(receive);
      return true;
    }
    return first === 'received';
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    return true;
  } finally {
    stream.close();
  }
}
