// Asks every node's kubelet what it uses, over the network, with the pod's service account (metrics-server pkg/scraper).
import { httpRequest } from '../../network/http/index.ts';
import { connectTls, TlsError } from '../../network/tls/index.ts';
import { ErrnoError, errnoMessage, type ByteStream } from '../../network/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { goTlsMessage } from '../../kubernetes/client/index.ts';
import { klogLine } from '../../kubernetes/daemon/index.ts';
import type { Node, Stored } from '../../kubernetes/api/index.ts';
import { parseResourceMetrics, type NodeSamples } from './samples.ts';

export interface ScraperOptions {
  readonly proc: Process;
  /** --kubelet-preferred-address-types. */
  readonly addressTypes: readonly string[];
  /** --kubelet-insecure-tls. */
  readonly insecure: boolean;
  /** --kubelet-port; undefined: as the node's status says (--kubelet-use-node-status-port). */
  readonly port: number | undefined;
  readonly timeoutMs: number;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const PORT_DEFAULT = 10_250;

/** One round over all nodes; those that fail are logged and left out. */
export async function scrapeNodes(
  options: ScraperOptions,
  nodes: readonly Stored<Node>[],
): Promise<Map<string, NodeSamples>> {
  const { proc } = options;
  const round = new Map<string, NodeSamples>();
  const scrape = async (node: Stored<Node>): Promise<void> => {
    const { name } = node.metadata;
    try {
      round.set(name, parseResourceMetrics(await ask(options, node)));
    } catch (error) {
      const words = JSON.stringify(error instanceof Error ? error.message : String(error));
      const message = `"Failed to scrape node" err=${words} node="${name}"`;
      await proc.stderr.write(klogLine('E', proc.clock.now(), proc.pid, 'scraper.go:149', message));
    }
  };
  await Promise.all(nodes.map(scrape));
  return round;
}

/** The text of /metrics/resource. Throws Error in Go's words. */
async function ask(options: ScraperOptions, node: Stored<Node>): Promise<string> {
  const { proc, insecure } = options;
  const address = addressOf(options, node);
  const port = options.port ?? node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? PORT_DEFAULT;
  const url = `https://${address}:${port}/metrics/resource`;
  const timeout = new AbortController();
  using _timer = proc.clock.after(options.timeoutMs, () =>
    timeout.abort(new Error('context deadline exceeded')),
  );
  const { signal } = timeout;
  const read = (path: string): string => (proc.fs.exists(path) ? proc.fs.readText(path).trim() : '');
  let stream: ByteStream | undefined;
  try {
    stream = await proc.net.sockets.connectTcp({ address, port }, { owner: proc.socketOwner, signal });
    stream = await connectTls(stream, {
      serverName: address,
      authorities: read(`${ACCOUNT}/ca.crt`),
      insecure,
      nowMs: proc.clock.now(),
      random: proc.random,
    });
    const response = await httpRequest(stream, {
      method: 'GET',
      target: '/metrics/resource',
      headers: [
        ['Host', `${address}:${port}`],
        ['User-Agent', 'metrics-server/v0.8.0'],
        ['Authorization', `Bearer ${read(`${ACCOUNT}/token`)}`],
      ],
      signal,
    });
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body) pieces.push(piece);
    if (response.status !== 200)
      throw new Error(`request failed, status: "${response.status} ${STATUS_WORDS[response.status] ?? ''}"`);
    return Buffer.concat(pieces).toString('utf8');
  } catch (error) {
    const get = `Get ${JSON.stringify(url)}: `;
    if (signal.aborted) throw new Error(`${get}context deadline exceeded`, { cause: error });
    if (error instanceof TlsError)
      throw new Error(get + goTlsMessage(error, address, proc.clock.now()), { cause: error });
    if (error instanceof ErrnoError) {
      const why = errnoMessage(error).toLowerCase();
      throw new Error(`${get}dial tcp ${address}:${port}: connect: ${why}`, { cause: error });
    }
    throw error;
  } finally {
    stream?.close();
  }
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
};

function addressOf({ addressTypes }: ScraperOptions, node: Stored<Node>): string {
  for (const type of addressTypes) {
    const found = node.status?.addresses?.find((address) => address.type === type);
    if (found !== undefined) return found.address;
  }
  throw new Error(`no address matched types [${addressTypes.join(' ')}]`);
}
