// agnhost netexec: an HTTP and a UDP server that answer who they are, run commands and dial others.
import { httpRequest, type HttpResponse } from '../../network/http/index.ts';
import { Resolver, ResolveError } from '../../network/dns/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { goDuration, goError, goResponse, listenGo, logStamp, readBody, type GoRequest } from '../go-http.ts';

const HTTP_PORT = 8080;
const UDP_PORT = 8081;
const DIAL_TIMEOUT_MS = 5000;
/** What one shell command may print; more is cut, as nobody reads it. */
const OUTPUT_BYTES_MAX = 1024 ** 2;

interface State {
  isReady: boolean;
  /** Ends the program with a status. */
  readonly exit: (code: number) => void;
}

export async function netexec(proc: Process, flags: ReadonlyMap<string, string>): Promise<number> {
  const httpPort = Number(flags.get('http-port') ?? HTTP_PORT);
  const udpPort = Number(flags.get('udp-port') ?? UDP_PORT);
  const ending = Promise.withResolvers<number>();
  const state: State = { isReady: udpPort === -1, exit: ending.resolve };
  const override = flags.get('http-override');
  using server = await listenGo(proc, httpPort, (it) => {
    if (override === undefined) return route(it, state);
    const [path = '/', query = ''] = override.split('?');
    return route({ ...it, path, query: new URLSearchParams(query) }, state);
  });
  if (server === undefined) return 1;
  await log(proc, `Started HTTP server on port ${httpPort}`);
  using _udp = udpPort === -1 ? undefined : serveUdp(proc, udpPort, state);
  return await untilStopped(proc, ending.promise);
}

function log(proc: Process, line: string): Promise<void> {
  return proc.stderr.write(`${logStamp(proc)}${line}\n`);
}

async function route(it: GoRequest, state: State): Promise<HttpResponse> {
  const { proc, query, request } = it;
  const field = (name: string): string => query.get(name) ?? '';
  switch (it.path) {
    case '/clientip':
      await log(proc, 'GET /clientip');
      return goResponse(proc, `${request.peer.address}:${request.peer.port}`);
    case '/serverport':
      await log(proc, 'GET /serverport');
      return goResponse(proc, String(it.localPort));
    case '/header': {
      const wanted = field('key').toLowerCase();
      await log(proc, `GET /header?key=${field('key')}`);
      return goResponse(proc, request.headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '');
    }
    case '/hostname':
    case '/hostName':
      await log(proc, `GET ${it.path}`);
      return goResponse(proc, proc.kernel.hostnameOf(proc.pid));
    case '/healthz':
      await log(proc, 'GET /healthz');
      return goResponse(proc, '', { status: state.isReady ? 200 : 412 });
    case '/echo':
      return echo(it);
    case '/dial':
      return dial(it);
    case '/redirect': {
      const code = field('code') === '' ? 302 : Number(field('code'));
      await log(proc, `${request.method} /redirect?msg=${field('location')}&code=${field('code')}`);
      return goResponse(proc, `<a href="${field('location')}">Found</a>.\n\n`, {
        status: code,
        headers: [
          ['Content-Type', 'text/html; charset=utf-8'],
          ['Location', field('location')],
        ],
      });
    }
    case '/shell':
      return shell(it);
    case '/upload':
      return upload(it);
    case '/shutdown':
      await log(proc, 'GET /shutdown');
      state.exit(0);
      return goResponse(proc, '');
    case '/exit':
      return exit(it, state);
    default:
      await log(proc, 'GET /');
      return goResponse(proc, `NOW: ${goTime(proc.clock.now())}`);
  }
}

/** time.Time's String. */
function goTime(nowMs: number): string {
  const text = new Date(Math.floor(nowMs)).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 23)}000000 +0000 UTC m=+${((nowMs / 1000) % 1e5).toFixed(9)}`;
}

async function echo({ proc, query }: GoRequest): Promise<HttpResponse> {
  const [text, code] = [query.get('msg') ?? '', query.get('code') ?? ''];
  await log(proc, `GET /echo?msg=${text}&code=${code}`);
  if (code !== '' && !/^[+-]?\d+$/.test(code))
    return goResponse(proc, `argument 'code' must be an integer or empty, got "${code}"\n`);
  return goResponse(proc, text, code === '' ? {} : { status: Number(code) });
}

async function exit({ proc, query }: GoRequest, state: State): Promise<HttpResponse> {
  const [wait, timeout, code] = ['wait', 'timeout', 'code'].map((name) => query.get(name) ?? '') as [
    string,
    string,
    string,
  ];
  await log(proc, `GET /exit?code=${code}&timeout=${timeout}&wait=${wait}`);
  for (const [name, value] of [
    ['timeout', timeout],
    ['wait', wait],
  ] as const)
    if (value !== '' && goDuration(value) === undefined)
      return goResponse(
        proc,
        `argument '${name}' must be a valid golang duration or empty, got "${value}"\n`,
      );
  if (code !== '' && !/^\d+$/.test(code))
    return goResponse(proc, `argument 'code' must be an integer [0-127] or empty, got "${code}"\n`);
  await log(
    proc,
    `Will begin shutdown in ${wait || '0s'}, allowing ${timeout || '0s'} for connections to close, then will exit with ${Number(code)}`,
  );
  await proc.clock.sleep(goDuration(wait) ?? 0);
  state.exit(Number(code));
  return goResponse(proc, '');
}

async function shell(it: GoRequest): Promise<HttpResponse> {
  const { proc, query } = it;
  const command = query.get('shellCommand') ?? query.get('cmd') ?? '';
  await log(proc, `GET /shell?cmd=${command}`);
  const pipe = proc.kernel.pipe();
  const child = proc.spawn({
    argv: ['/bin/sh', '-c', command],
    path: '/bin/sh',
    fds: new Map([
      [0, proc.kernel.nullFile()],
      [1, pipe.writer],
      [2, pipe.writer],
    ]),
  });
  const text = (await pipe.reader.readText()).slice(0, OUTPUT_BYTES_MAX);
  const status = await child.wait();
  const fault =
    status.kind === 'exited'
      ? status.exitCode === 0
        ? undefined
        : `exit status ${status.exitCode}`
      : `signal: ${status.signal.slice(3).toLowerCase()}`;
  const result = {
    ...(fault === undefined ? {} : { error: fault }),
    ...(text === '' ? {} : { output: text }),
  };
  await log(
    proc,
    `Output: map[${Object.entries(result)
      .map(([key, value]) => `${key}:${value}`)
      .join(' ')}]`,
  );
  return goResponse(proc, JSON.stringify(result));
}

async function upload({ proc, request }: GoRequest): Promise<HttpResponse> {
  await log(proc, 'GET /upload');
  const body = (await readBody(request)).toString('latin1');
  const content =
    /^--[^\r\n]+\r\n(?:[^\r\n]+\r\n)*?Content-Disposition:[^\r\n]*name="file"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^]*?)\r\n--/i.exec(
      body,
    );
  if (content === null) return goResponse(proc, '{"error":"Unable to upload file."}');
  const path = `/uploads/upload${proc.random.string(9, '0123456789')}`;
  if (!proc.fs.exists('/uploads')) proc.fs.mkdir('/uploads', { mode: 0o777 });
  proc.fs.writeFile(path, Buffer.from(content[1]!, 'latin1'), { mode: 0o600 });
  return goResponse(proc, JSON.stringify({ output: path }));
}

async function dial({ proc, query }: GoRequest): Promise<HttpResponse> {
  const field = (name: string): string => query.get(name) ?? '';
  const [host, port, request, protocol, tryText] = ['host', 'port', 'request', 'protocol', 'tries'].map(
    field,
  ) as [string, string, string, string, string];
  await log(
    proc,
    `GET /dial?host=${host}&protocol=${protocol}&port=${port}&request=${request}&tries=${tryText}`,
  );
  if (tryText !== '' && !/^\d+$/.test(tryText))
    return goError(
      proc,
      400,
      `tries parameter is invalid. strconv.Atoi: parsing "${tryText}": invalid syntax`,
    );
  if (request === '') return goError(proc, 400, 'request parameter not specified. <nil>');
  const kind = protocol.toLowerCase();
  if (!['', 'http', 'udp'].includes(kind)) return goError(proc, 400, `unsupported protocol. ${protocol}`);
  let address: string | undefined;
  try {
    address = (await makeResolver(proc).resolve(host)).addresses[0];
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error;
  }
  if (address === undefined)
    return goError(proc, 400, `host and/or port param are invalid. lookup ${host}: no such host`);
  const responses: string[] = [];
  const errors: string[] = [];
  for (let count = 0; count < (tryText === '' ? 1 : Number(tryText)); count++) {
    try {
      const remote = { address, port: Number(port) };
      responses.push(
        kind === 'udp' ? await dialUdp(proc, remote, request) : await dialHttp(proc, remote, request),
      );
    } catch (error) {
      if (!(error instanceof ErrnoError) && !(error instanceof DialError)) throw error;
      const text = error.message.toLowerCase();
      errors.push(
        kind === 'udp'
          ? `reading from udp connection failed. err:'${text}'`
          : `Get "http://${address}:${port}/${request}": ${error instanceof DialError ? error.message : `dial tcp ${address}:${port}: connect: ${text}`}`,
      );
    }
  }
  return goResponse(
    proc,
    JSON.stringify({
      ...(errors.length > 0 ? { errors } : {}),
      ...(responses.length > 0 ? { responses } : {}),
    }),
  );
}

class DialError extends Error {}

/** getaddrinfo with the container's own files. */
export function makeResolver(proc: Process): Resolver {
  const read = (path: string): string | undefined =>
    proc.fs.exists(path) ? proc.fs.readText(path) : undefined;
  return new Resolver({
    sockets: proc.net.sockets,
    clock: proc.clock,
    random: proc.random.fork('resolver'),
    hosts: () => read('/etc/hosts'),
    resolvConf: () => read('/etc/resolv.conf'),
  });
}

/** A signal that aborts after a time of the virtual clock. */
export function timeLimit(proc: Process, limitMs: number): { readonly signal: AbortSignal } & Disposable {
  const [limit, done] = [new AbortController(), new AbortController()];
  proc.clock.sleep(limitMs, done.signal).then(
    () =>
      limit.abort(
        new DialError('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
      ),
    () => undefined, // It was done in time.
  );
  return { signal: limit.signal, [Symbol.dispose]: () => done.abort() };
}

async function dialHttp(
  proc: Process,
  remote: { readonly address: string; readonly port: number },
  request: string,
): Promise<string> {
  using limit = timeLimit(proc, DIAL_TIMEOUT_MS);
  const stream = await proc.net.sockets.connectTcp(remote, { owner: proc.socketOwner, signal: limit.signal });
  try {
    const response = await httpRequest(stream, {
      method: 'GET',
      target: `/${request}`,
      headers: [
        ['Host', `${remote.address}:${remote.port}`],
        ['User-Agent', 'Go-http-client/1.1'],
        ['Accept-Encoding', 'gzip'],
      ],
      signal: limit.signal,
    });
    const parts: Uint8Array[] = [];
    for await (const part of response.body) parts.push(part);
    return String(Buffer.concat(parts));
  } finally {
    stream.close();
  }
}

async function dialUdp(
  proc: Process,
  remote: { readonly address: string; readonly port: number },
  request: string,
): Promise<string> {
  using limit = timeLimit(proc, DIAL_TIMEOUT_MS);
  using socket = proc.net.sockets.openUdp({ owner: proc.socketOwner, remote });
  socket.send(Buffer.from(request), remote);
  const { bytes } = await socket.receive(limit.signal);
  return String(Buffer.from(bytes));
}

function serveUdp(proc: Process, port: number, state: State): Disposable {
  const socket = proc.net.sockets.openUdp({
    owner: proc.socketOwner,
    local: { address: '0.0.0.0', port },
  });
  const serve = async (): Promise<void> => {
    await log(proc, `Started UDP server on port  ${port}`);
    state.isReady = true;
    for (;;) {
      const { bytes, from, to } = await socket.receive();
      const text = String(Buffer.from(bytes)).trim();
      await log(proc, `Received request: "${text}" from ${from.address}:${from.port}`);
      const lower = text.toLowerCase();
      const answer = lower.startsWith('echo ')
        ? text.slice(5)
        : lower === 'hostname'
          ? proc.kernel.hostnameOf(proc.pid)
          : lower === 'clientip'
            ? `${from.address}:${from.port}`
            : undefined;
      if (answer !== undefined) socket.send(Buffer.from(answer), from, to.address);
      else if (text !== '') await log(proc, `Unknown UDP command received: ${text}`);
    }
  };
  serve().catch((error: unknown) => {
    if (!(error instanceof ErrnoError) && !proc.signal.aborted) throw error; // The socket has closed: the program ends.
  });
  return socket;
}
