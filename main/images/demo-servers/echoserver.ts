// registry.k8s.io/echoserver: an nginx with a Lua page that shows the request it got.
import { headerOf } from '../../network/http/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { listenGo, readBody, type GoRequest } from '../go-http.ts';

const PORT = 8080;

/** Of version 1.4 (plain) or 1.10 (with the pod's names). */
export function makeEchoServer(version: string): Program {
  const isOld = Number(version.split('.')[1]) < 5;
  const server = isOld ? 'nginx/1.10.0' : 'echoserver';
  return async (proc) => {
    using listening = await listenGo(proc, PORT, async (it) => {
      const body = String(await readBody(it.request));
      const text = isOld ? oldPage(it, body) : page(proc, it, body);
      await proc.stdout.write(accessLine(it, text.length));
      return {
        status: 200,
        headers: [
          ['Server', server],
          ['Date', new Date(Math.floor(proc.clock.now())).toUTCString()],
          ['Content-Type', 'text/plain'],
          ['Content-Length', String(Buffer.byteLength(text))],
        ],
        body: text,
      };
    });
    return listening === undefined ? 1 : await untilStopped(proc);
  };
}

function accessLine({ proc, request }: GoRequest, bytes: number): string {
  const day = new Date(Math.floor(proc.clock.now())).toUTCString();
  const agent = headerOf(request.headers, 'User-Agent') ?? '-';
  return `${request.peer.address} - - [${day.slice(5, 16).replaceAll(' ', '/')}:${day.slice(17, 25)} +0000] "${request.method} ${request.target} HTTP/1.1" 200 ${bytes} "-" "${agent}"\n`;
}

function fieldLines({ request }: GoRequest, indent: string): string {
  return request.headers
    .map(([name, value]) => `${indent}${name.toLowerCase()}=${value}\n`)
    .toSorted()
    .join('');
}

function uriOf({ request }: GoRequest): string {
  const host = headerOf(request.headers, 'Host') ?? '';
  return `http://${host.replace(/:\d+$/, '')}:${PORT}${request.target}`;
}

function oldPage(it: GoRequest, body: string): string {
  const { request } = it;
  const [path, query] = request.target.split('?', 2);
  return (
    `CLIENT VALUES:\nclient_address=${request.peer.address}\ncommand=${request.method}\nreal path=${path}\nquery=${query ?? 'nil'}\n` +
    `request_version=1.1\nrequest_uri=${uriOf(it)}\n\nSERVER VALUES:\nserver_version=nginx: 1.10.0 - lua: 10001\n\n` +
    `HEADERS RECEIVED:\n${fieldLines(it, '')}BODY:\n${body === '' ? '-no body in request-' : body}`
  );
}

function page(proc: Process, it: GoRequest, body: string): string {
  const { request } = it;
  const query = request.target.split('?')[1] ?? '';
  const pod = (
    [
      ['node name', 'NODE_NAME'],
      ['pod name', 'POD_NAME'],
      ['pod namespace', 'POD_NAMESPACE'],
      ['pod IP', 'POD_IP'],
    ] as const
  ).flatMap(([label, name]) => {
    const value = proc.env.get(name);
    return value === undefined ? [] : [`\t${label}:\t${value}\n`];
  });
  return (
    `\n\nHostname: ${proc.kernel.hostnameOf(proc.pid)}\n\nPod Information:\n${pod.length === 0 ? '\t-no pod information available-\n' : pod.join('')}\n` +
    `Server values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n\nRequest Information:\n\tclient_address=${request.peer.address}\n\tmethod=${request.method}\n` +
    `\treal path=${request.target}\n\tquery=${query}\n\trequest_version=1.1\n\trequest_scheme=http\n\trequest_uri=${uriOf(it)}\n\n` +
    `Request Headers:\n${fieldLines(it, '\t')}\nRequest Body:\n${body === '' ? '\t-no body in request-\n' : body}\n`
  );
}
