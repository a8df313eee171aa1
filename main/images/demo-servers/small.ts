// Servers of a few lines that Kubernetes' own documentation uses: hello-app, hello-node, serve_hostname, hpa-example.
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Program } from '../../linux/kernel/index.ts';
import { goFlags, goResponse, listenGo, logStamp } from '../go-http.ts';

/** gcr.io/google-samples/hello-app: tells its version and host. */
export function makeHelloApp(version: string): Program {
  return async (proc) => {
    const port = Number(proc.env.get('PORT') ?? 8080);
    using server = await listenGo(proc, port, async ({ path }) => {
      await proc.stderr.write(`${logStamp(proc)}Serving request: ${path}\n`);
      return goResponse(
        proc,
        `Hello, world!\nVersion: ${version}\nHostname: ${proc.kernel.hostnameOf(proc.pid)}\n`,
      );
    });
    if (server === undefined) return 1;
    await proc.stderr.write(`${logStamp(proc)}Server listening on port ${port}\n`);
    return await untilStopped(proc);
  };
}

/** serve_hostname, before agnhost took it in. */
export const serveHostname: Program = async (proc) => {
  const { flags } = goFlags(proc.argv.slice(1), ['tcp', 'udp', 'http', 'close']);
  if (flags.get('tcp') === 'true' || flags.get('udp') === 'true') {
    await proc.stderr.write("drydock: serve_hostname -tcp and -udp aren't simulated\n");
    return 1;
  }
  const port = Number(flags.get('port') ?? 9376);
  using server = await listenGo(proc, port, async ({ request }) => {
    await proc.stderr.write(
      `${logStamp(proc)}HTTP request from ${request.peer.address}:${request.peer.port}\n`,
    );
    return goResponse(proc, proc.kernel.hostnameOf(proc.pid), {
      headers: flags.get('close') === 'true' ? [['Connection', 'close']] : [],
    });
  });
  if (server === undefined) return 1;
  await proc.stderr.write(`${logStamp(proc)}Serving HTTP on port ${port}\n`);
  return await untilStopped(proc);
};

/** How much a request costs hpa-example's server: a million square roots, in ms of a CPU. */
const SQUARE_ROOTS_MS = 25;

/** registry.k8s.io/hpa-example: a PHP page that takes its time. */
export const hpaExample: Program = async (proc) => {
  using server = await listenGo(proc, 80, async ({ path, request }) => {
    const found = path === '/' || path === '/index.php';
    if (found) await proc.cpu(SQUARE_ROOTS_MS);
    const body = found ? 'OK!' : '';
    const status = found ? 200 : 404;
    const day = new Date(Math.floor(proc.clock.now())).toUTCString();
    await proc.stdout.write(
      `${request.peer.address} - - [${day.slice(5, 16).replaceAll(' ', '/')}:${day.slice(17, 25)} +0000] "${request.method} ${request.target} HTTP/1.1" ${status} ${body.length + 205} "-" "${request.headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1] ?? '-'}"\n`,
    );
    return {
      status,
      headers: [
        ['Date', day],
        ['Server', 'Apache/2.4.10 (Debian)'],
        ['X-Powered-By', 'PHP/5.6.14'],
        ['Content-Length', String(body.length)],
        ['Content-Type', 'text/html; charset=UTF-8'],
      ],
      body,
    };
  });
  if (server === undefined) return 1;
  await proc.stderr.write(
    "AH00558: apache2: Could not reliably determine the server's fully qualified domain name. Set the 'ServerName' directive globally to suppress this message\n",
  );
  return await untilStopped(proc);
};
