// agnhost guestbook: a key-value store with a primary and replicas, and the page before them.
import { httpRequest, type HttpResponse } from '../../network/http/index.ts';
import { ResolveError } from '../../network/dns/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { goError, goResponse, listenGo, logStamp, type GoRequest } from '../go-http.ts';
import { makeResolver, timeLimit } from './netexec.ts';

const REQUEST_TIMEOUT_MS = 60_000;
const REGISTER_RETRY_MS = 5000;

export async function guestbook(proc: Process, flags: ReadonlyMap<string, string>): Promise<number> {
  const port = Number(flags.get('http-port') ?? 80);
  const backendPort = Number(flags.get('backend-port') ?? 6379);
  const primary = flags.get('replicaof');
  const store = new Map<string, string>();
  const replicas = new Set<string>();
  const text = (value: unknown): HttpResponse => goResponse(proc, JSON.stringify(value));

  const answer = async ({ path, query }: GoRequest): Promise<HttpResponse> => {
    const [key, value] = [query.get('key') ?? '', query.get('value') ?? ''];
    switch (path) {
      case '/register':
        replicas.add(query.get('host') ?? '');
        await proc.stderr.write(`${logStamp(proc)}Node '${query.get('host') ?? ''}' registered.\n`);
        return text({ data: Object.fromEntries(store) });
      case '/get':
        return text({ data: key === '' ? Object.fromEntries(store) : (store.get(key) ?? '') });
      case '/set':
        store.set(key, value);
        for (const host of replicas)
          await ask(proc, host, backendPort, `/set?${String(new URLSearchParams({ key, value }))}`);
        return text({ data: 'Updated' });
      case '/guestbook': {
        const isWrite = query.get('cmd') === 'set';
        const service = isWrite ? 'agnhost-primary' : 'agnhost-replica';
        const target = isWrite
          ? `/set?${String(new URLSearchParams({ key, value }))}`
          : `/get?${String(new URLSearchParams({ key }))}`;
        const reply = await ask(proc, service, backendPort, target);
        return reply === undefined
          ? goError(proc, 500, `could not get data from ${service}`)
          : goResponse(proc, reply);
      }
      default:
        return goResponse(
          proc,
          '<html><head><title>Guestbook</title></head><body><h2>Guestbook</h2></body></html>\n',
        );
    }
  };

  using server = await listenGo(proc, port, answer);
  if (server === undefined) return 1;
  if (primary !== undefined && primary !== '') void register(proc, primary, backendPort, store);
  return await untilStopped(proc);
}

/** Asks the primary to push what is set there, until it says yes. */
async function register(
  proc: Process,
  primary: string,
  port: number,
  store: Map<string, string>,
): Promise<void> {
  const own = proc.net.addresses;
  const address = proc.net.links
    .list()
    .flatMap((link) => own.list(link).map((each) => each.address))
    .find((each) => !each.startsWith('127.') && each !== '::1');
  while (!proc.signal.aborted) {
    const reply = await ask(proc, primary, port, `/register?host=${address ?? ''}`);
    if (reply !== undefined) {
      const { data } = JSON.parse(reply) as { data: Record<string, string> };
      for (const [key, value] of Object.entries(data)) store.set(key, value);
      await proc.stderr.write(`${logStamp(proc)}Registered to node: ${primary}\n`);
      return;
    }
    await proc.clock.sleep(REGISTER_RETRY_MS);
  }
}

async function ask(proc: Process, host: string, port: number, target: string): Promise<string | undefined> {
  using limit = timeLimit(proc, REQUEST_TIMEOUT_MS);
  try {
    const [address = ''] = (await makeResolver(proc).resolve(host, limit.signal)).addresses;
    const stream = await proc.net.sockets.connectTcp(
      { address, port },
      { owner: proc.socketOwner, signal: limit.signal },
    );
    try {
      const response = await httpRequest(stream, {
        method: 'GET',
        target,
        headers: [['Host', `${host}:${port}`]],
        signal: limit.signal,
      });
      const parts: Uint8Array[] = [];
      for await (const part of response.body) parts.push(part);
      return String(Buffer.concat(parts));
    } finally {
      stream.close();
    }
  } catch (error) {
    if (error instanceof ErrnoError || error instanceof ResolveError || limit.signal.aborted)
      return undefined;
    throw error;
  }
}
