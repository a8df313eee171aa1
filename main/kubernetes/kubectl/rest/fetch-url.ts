// Manifests at http and https addresses, as -f takes them.
import { Resolver, ResolveError } from '../../../network/dns/index.ts';
import { headerOf, httpRequest } from '../../../network/http/index.ts';
import { ErrnoError, type ByteStream } from '../../../network/index.ts';
import { connectTls } from '../../../network/tls/index.ts';
import type { Process } from '../../../linux/kernel/index.ts';
import { UnreachableError } from '../../client/http-client.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Kubectl } from '../kubectl.ts';

const REDIRECTS_MAX = 10;
/** Where distributions keep the authorities that they trust (crypto/x509's list). */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/** The text at an address. Throws CommandError and UnreachableError, in kubectl's words. */
export async function fetchUrl({ proc, version }: Kubectl, address: string): Promise<string> {
  let url = new URL(address);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const stream = await connect(proc, url);
    try {
      const answer = await httpRequest(stream, {
        method: 'GET',
        target: url.pathname + url.search,
        headers: [
          ['Host', url.host],
          ['User-Agent', `kubectl/${version.gitVersion} (linux/amd64) kubernetes`],
        ],
        signal: proc.signal,
      });
      const pieces: Uint8Array[] = [];
      for await (const piece of answer.body) pieces.push(piece);
      const location = headerOf(answer.headers, 'Location');
      if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
        url = new URL(location, url);
        continue;
      }
      if (answer.status !== 200)
        throw new CommandError(
          `unable to read URL "${address}", server reported ${answer.status} ${answer.reason}, status code=${answer.status}`,
        );
      return Buffer.concat(pieces).toString('utf8');
    } finally {
      stream.close();
    }
  }
  throw new UnreachableError('Get', address, new Error('stopped after 10 redirects'));
}

async function connect(proc: Process, url: URL): Promise<ByteStream> {
  const isSecure = url.protocol === 'https:';
  const port = Number(url.port || (isSecure ? 443 : 80));
  try {
    const address = await addressOf(proc, url.hostname);
    const socket = await proc.interruptible(
      proc.net.sockets.connectTcp({ address, port }, { owner: proc.socketOwner, signal: proc.signal }),
    );
    if (!isSecure) return socket;
    const bundle = BUNDLES.find((path) => proc.fs.exists(path));
    return await connectTls(socket, {
      serverName: url.hostname,
      authorities: bundle === undefined ? '' : proc.fs.readText(bundle),
      insecure: false,
      nowMs: proc.clock.now(),
      random: proc.random,
    });
  } catch (error) {
    if (error instanceof ErrnoError && error.code === 'EINTR') throw error;
    throw new UnreachableError('Get', url.href, error);
  }
}

async function addressOf(proc: Process, host: string): Promise<string> {
  const read = (path: string): string | undefined =>
    proc.fs.exists(path) ? proc.fs.readText(path) : undefined;
  const resolver = new Resolver({
    sockets: proc.net.sockets,
    clock: proc.clock,
    random: proc.random.fork('kubectl'),
    hosts: () => read('/etc/hosts'),
    resolvConf: () => read('/etc/resolv.conf'),
  });
  try {
    const { addresses } = await proc.interruptible(resolver.resolve(host, proc.signal));
    return addresses[0] ?? host;
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error;
    const server = /^nameserver\s+(\S+)/m.exec(read('/etc/resolv.conf') ?? '')?.[1] ?? '127.0.0.1';
    const why = error.code === 'EAI_AGAIN' ? 'i/o timeout' : 'no such host';
    throw new Error(`dial tcp: lookup ${host} on ${server}:53: ${why}`, { cause: error });
  }
}
