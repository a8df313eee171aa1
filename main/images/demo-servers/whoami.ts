// traefik/whoami: tells the caller who answered and what the request looked like.
import { headerOf, type HttpRequest } from '../../network/http/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import {
  goDuration,
  goError,
  goFlags,
  goResponse,
  listenGo,
  logStamp,
  readBody,
  type GoRequest,
} from '../go-http.ts';

const DATA_PATTERN = '-ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const UNITS: Readonly<Record<string, number>> = { '': 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
/** What /data gives at most, so that no request fills the host's memory. Differs: the real one has no limit. */
const DATA_BYTES_MAX = 64 * 1024 ** 2;

/** /whoami. */
export const whoami: Program = async (proc) => {
  const { flags } = goFlags(proc.argv.slice(1), ['verbose']);
  const port = Number(flags.get('port') ?? proc.env.get('WHOAMI_PORT_NUMBER') ?? 80);
  const name = flags.get('name') ?? proc.env.get('WHOAMI_NAME') ?? '';
  const verbose = flags.has('verbose');
  let health = { status: 200, body: '' };
  using server = await listenGo(proc, port, async (it) => {
    if (verbose)
      await proc.stdout.write(
        `${logStamp(proc)}${it.request.peer.address} - - "${it.request.method} ${it.request.target} HTTP/1.1" - -\n`,
      );
    switch (it.path) {
      case '/health':
        if (it.request.method === 'POST') {
          const body = String(await readBody(it.request)).trim();
          const status = Number.parseInt(body, 10);
          if (Number.isNaN(status))
            return goError(proc, 400, `strconv.Atoi: parsing "${body}": invalid syntax`);
          health = { status, body: '' };
          return goResponse(proc, '');
        }
        return goResponse(proc, health.body, { status: health.status });
      case '/bench':
        return goResponse(proc, '1', {
          headers: [
            ['Connection', 'keep-alive'],
            ['Content-Type', 'text/plain'],
          ],
        });
      case '/data':
        return data(it);
      case '/api':
        return goResponse(proc, `${JSON.stringify(description(it, name))}\n`, {
          headers: [['Content-Type', 'application/json']],
        });
      case '/echo':
        return goError(proc, 501, "drydock: whoami's /echo isn't simulated");
      default: {
        const wait = it.query.get('wait');
        const waitMs = wait === null ? undefined : goDuration(wait);
        if (waitMs !== undefined && waitMs > 0) await proc.clock.sleep(waitMs);
        return goResponse(proc, asText(it, name));
      }
    }
  });
  if (server === undefined) return 1;
  await proc.stdout.write(`${logStamp(proc)}Starting up on port ${port}\n`);
  return await untilStopped(proc);
};

/** The addresses of the machine it runs on, as net.Interfaces gives them. */
function addressesOf({ net }: Process): string[] {
  return net.links.list().flatMap((link) => net.addresses.list(link).map(({ address }) => address));
}

function hostnameOf(proc: Process): string {
  return proc.kernel.hostnameOf(proc.pid);
}

/** `Accept-Encoding`: Go's canonical form of a field's name. */
function canonicalName(name: string): string {
  return name
    .toLowerCase()
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('-');
}

function fieldsOf(request: HttpRequest): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of request.headers) {
    const key = canonicalName(name);
    if (key !== 'Host') fields.set(key, [...(fields.get(key) ?? []), value]);
  }
  return new Map([...fields].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function asText({ proc, request }: GoRequest, name: string): string {
  const fields = fieldsOf(request);
  const agent = fields.get('User-Agent');
  fields.delete('User-Agent');
  const lines = [
    ...(name === '' ? [] : [`Name: ${name}`]),
    `Hostname: ${hostnameOf(proc)}`,
    ...addressesOf(proc).map((address) => `IP: ${address}`),
    `RemoteAddr: ${request.peer.address}:${request.peer.port}`,
  ];
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    `Host: ${headerOf(request.headers, 'Host') ?? ''}`,
    ...(agent === undefined ? [] : [`User-Agent: ${agent.join()}`]),
    ...[...fields].flatMap(([key, values]) => values.map((value) => `${key}: ${value}`)),
  ];
  return `${lines.join('\n')}\n${head.join('\r\n')}\r\n\r\n`;
}

function description(it: GoRequest, name: string): unknown {
  const { proc, request } = it;
  return {
    hostname: hostnameOf(proc),
    ip: addressesOf(proc),
    headers: Object.fromEntries(fieldsOf(request)),
    url: request.target,
    host: headerOf(request.headers, 'Host') ?? '',
    method: request.method,
    ...(name === '' ? {} : { name }),
    remoteAddr: `${request.peer.address}:${request.peer.port}`,
  };
}

function data({ proc, query }: GoRequest): ReturnType<typeof goResponse> {
  const size = Number(query.get('size') ?? 0) * (UNITS[(query.get('unit') ?? '').toLowerCase()] ?? 1);
  const bytes = Math.min(Math.max(1, Number.isFinite(size) ? size : 1), DATA_BYTES_MAX);
  const fill = DATA_PATTERN.repeat(Math.ceil(bytes / DATA_PATTERN.length));
  const body = bytes === 1 ? '|' : `|${fill.slice(1, bytes - 1)}|`;
  return goResponse(
    proc,
    body,
    query.get('attachment') === 'true'
      ? {
          headers: [
            ['Content-Disposition', 'Attachment'],
            ['Content-Type', 'application/octet-stream'],
          ],
        }
      : {},
  );
}
