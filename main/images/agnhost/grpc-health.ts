// agnhost grpc-health-checking: a gRPC health service whose answer HTTP requests turn.
import { serveHealth, type HealthStatus } from '../../network/grpc/index.ts';
import { ErrnoError, type TcpListener, type TcpSocket } from '../../network/index.ts';
import { serveHttp, type HttpResponse } from '../../network/http/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { untilStopped } from '../../kubernetes/daemon/index.ts';

const GRPC_PORT = 5000;
const HTTP_PORT = 8080;

/** Serves grpc.health.v1 on one port; HTTP on another turns the answer: /make-not-serving, /make-serving. */
export async function grpcHealthChecking(proc: Process, flags: readonly string[]): Promise<number> {
  const port = flagNumber(flags, 'port') ?? GRPC_PORT;
  const httpPort = flagNumber(flags, 'http-port') ?? HTTP_PORT;
  const delaySeconds = flagNumber(flags, 'delay-unhealthy-sec') ?? -1;
  const service = flagText(flags, 'service') ?? '';
  let status: HealthStatus = 'SERVING';
  const owner = proc.socketOwner;
  using grpc = proc.net.sockets.listenTcp({ address: '0.0.0.0', port }, { owner });
  using http = proc.net.sockets.listenTcp({ address: '0.0.0.0', port: httpPort }, { owner });
  await proc.stdout.write(
    `Http server starting to listen on :${httpPort}\nGrpc server starting to listen on :${port}\n`,
  );
  if (delaySeconds >= 0) void proc.sleep(delaySeconds * 1000).then(() => (status = 'NOT_SERVING'));
  void acceptAll(grpc, (socket) =>
    serveHealth(socket, (name) => (name === '' || name === service ? status : undefined)),
  );
  const answer = (code: number, body: string): HttpResponse => ({ status: code, headers: [], body });
  using _server = serveHttp(http, async ({ target }) => {
    if (target === '/make-not-serving') status = 'NOT_SERVING';
    else if (target === '/make-serving') status = 'SERVING';
    else return answer(404, '404 page not found\n');
    return answer(200, '');
  });
  return await untilStopped(proc);
}

async function acceptAll(
  listener: TcpListener,
  serve: (socket: TcpSocket) => Promise<unknown>,
): Promise<void> {
  for (;;) {
    let socket: TcpSocket;
    try {
      socket = await listener.accept();
    } catch (error) {
      if (error instanceof ErrnoError) return; // The program has ended.
      throw error;
    }
    void serve(socket);
  }
}

function flagText(flags: readonly string[], name: string): string | undefined {
  for (const [index, flag] of flags.entries()) {
    const [, key, value] = /^--?([a-z-]+)(?:=(.*))?$/.exec(flag) ?? [];
    if (key === name) return value ?? flags[index + 1];
  }
  return undefined;
}

function flagNumber(flags: readonly string[], name: string): number | undefined {
  const text = flagText(flags, name);
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
}
