// agnhost's small servers: serve-hostname, liveness, test-webserver, porter, fake-gitserver.
import { ErrnoError, type TcpSocket } from '../../network/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { goError, goNotFound, goResponse, listenGo, logStamp } from '../go-http.ts';

type Flags = ReadonlyMap<string, string>;

const LIVELY_MS = 10_000;

export async function serveHostname(proc: Process, flags: Flags): Promise<number> {
  const port = Number(flags.get('port') ?? 9376);
  const hostname = proc.kernel.hostnameOf(proc.pid);
  const [tcp, udp] = [flags.get('tcp') === 'true', flags.get('udp') === 'true'];
  if ((tcp || udp) && flags.get('http') === 'true') {
    await proc.stderr.write(`${logStamp(proc)}Can't server TCP/UDP mode and HTTP mode at the same time\n`);
    return 1;
  }
  using stack = new DisposableStack();
  if (tcp) {
    const listener = stack.use(
      proc.net.sockets.listenTcp({ address: '0.0.0.0', port }, { owner: proc.socketOwner }),
    );
    greet(proc, () => listener.accept(), hostname);
    await proc.stderr.write(`${logStamp(proc)}Serving TCP on port ${port}\n`);
  }
  if (udp) {
    const socket = stack.use(
      proc.net.sockets.openUdp({ owner: proc.socketOwner, local: { address: '0.0.0.0', port } }),
    );
    const serve = async (): Promise<void> => {
      for (;;) {
        const { from, to } = await socket.receive();
        await proc.stderr.write(`${logStamp(proc)}UDP request from ${from.address}:${from.port}\n`);
        socket.send(Buffer.from(hostname), from, to.address);
      }
    };
    serve().catch(unlessClosed);
  }
  if (!tcp && !udp) {
    const server = await listenGo(proc, port, async ({ request }) => {
      await proc.stderr.write(
        `${logStamp(proc)}HTTP request from ${request.peer.address}:${request.peer.port}\n`,
      );
      return goResponse(proc, hostname, {
        headers: flags.get('close') === 'true' ? [['Connection', 'close']] : [],
      });
    });
    if (server === undefined) return 1;
    stack.use(server);
    await proc.stderr.write(`${logStamp(proc)}Serving HTTP on port ${port}\n`);
  }
  return await untilStopped(proc);
}

function greet(proc: Process, accept: () => Promise<TcpSocket>, text: string): void {
  const serve = async (): Promise<void> => {
    for (;;) {
      const socket = await accept();
      await proc.stderr.write(
        `${logStamp(proc)}TCP request from ${socket.remote.address}:${socket.remote.port}\n`,
      );
      await socket.write(Buffer.from(text)).catch(unlessClosed);
      socket.end();
      socket.close();
    }
  };
  serve().catch(unlessClosed);
}

/** The end of a socket is the end of whoever served it. */
function unlessClosed(error: unknown): void {
  if (!(error instanceof ErrnoError)) throw error;
}

/** Healthy for ten seconds, then not. */
export async function liveness(proc: Process): Promise<number> {
  const startMs = proc.clock.now();
  using server = await listenGo(proc, 8080, ({ path, query }) => {
    const elapsedMs = proc.clock.now() - startMs;
    switch (path) {
      case '/started':
        return goResponse(proc, `${elapsedMs / 1000}s`);
      case '/healthz':
        return elapsedMs > LIVELY_MS
          ? goResponse(proc, `error: ${elapsedMs / 1000}`, { status: 500 })
          : goResponse(proc, 'ok');
      case '/redirect':
        return goResponse(proc, '', { status: 302, headers: [['Location', query.get('loc') ?? '']] });
      default:
        return goNotFound(proc);
    }
  });
  return server === undefined ? 1 : await untilStopped(proc);
}

/** Files of the container over HTTP. */
export async function testWebserver(proc: Process, flags: Flags): Promise<number> {
  const port = Number(flags.get('port') ?? 80);
  using server = await listenGo(proc, port, ({ path }) => {
    try {
      const { fs } = proc;
      const stat = fs.stat(path);
      if (stat.type !== 'directory') return goResponse(proc, fs.readFile(path));
      const entries = fs
        .readdir(path)
        .map(({ name, type }) => (type === 'directory' ? `${name}/` : name))
        .map((name) => `<a href="${name}">${name}</a>\n`);
      return goResponse(
        proc,
        `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${entries.join('')}</pre>\n`,
        { headers: [['Content-Type', 'text/html; charset=utf-8']] },
      );
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      return error.code === 'EACCES' ? goError(proc, 403, '403 Forbidden') : goNotFound(proc);
    }
  });
  if (server === undefined) return 1;
  await proc.stderr.write(`${logStamp(proc)}Listening on port ${port}...\n`);
  return await untilStopped(proc);
}

/** Serves on each port named in the environment (SERVE_PORT_8080=text) the text that it has. */
export async function porter(proc: Process): Promise<number> {
  using stack = new DisposableStack();
  for (const [name, text] of proc.env) {
    const match = /^SERVE_(TLS_|SCTP_)?PORT_(\d+)$/.exec(name);
    if (match === null) continue;
    if (match[1] !== undefined) {
      await proc.stderr.write(`drydock: agnhost porter with ${name} isn't simulated\n`);
      return 1;
    }
    const server = await listenGo(proc, Number(match[2]), () => goResponse(proc, text));
    if (server === undefined) return 1;
    stack.use(server);
  }
  return await untilStopped(proc);
}

/** What answers on 8000 as if it had a repository. */
export async function fakeGitServer(proc: Process): Promise<number> {
  using server = await listenGo(proc, 8000, ({ path }) =>
    path === '/' ? goResponse(proc, 'I am a fake git server') : goResponse(proc, ''),
  );
  return server === undefined ? 1 : await untilStopped(proc);
}
