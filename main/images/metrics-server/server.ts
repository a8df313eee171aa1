// The program metrics-server: scrapes the kubelets, and serves metrics.k8s.io/v1beta1 over HTTPS to the aggregator.
import { headerOf, serveHttp, type HttpHandler, type HttpRequest } from '../../network/http/index.ts';
import {
  GO_PLAIN_ANSWER,
  issueCertificate,
  makeKeyPair,
  tlsSource,
  type Identity,
} from '../../network/tls/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { resources, type ConfigMap, type Node, type Pod } from '../../kubernetes/api/index.ts';
import { makeInformerFactory, type ApiClient } from '../../kubernetes/client/index.ts';
import { klogLine, untilStopped } from '../../kubernetes/daemon/index.ts';
import { every } from '../../simulation/index.ts';
import { accessProblem, type Caller } from './access.ts';
import { answerMetrics, discoveryDocument, json, metricsPathOf, refusal } from './metrics-api.ts';
import { UsageStore } from './samples.ts';
import { scrapeNodes, type ScraperOptions } from './scraper.ts';

export interface MetricsServerOptions {
  /** How the program reaches the API server, with its pod's service account. */
  readonly client: (proc: Process) => ApiClient;
}

/** Of --metric-resolution, a scrape may take this share. */
const TIMEOUT_SHARE = 0.9;
const RESOLUTION_DEFAULT_MS = 60_000;
const YEAR_MS = 365 * 24 * 3_600_000;

/** Makes the program of the metrics-server image. */
export function makeMetricsServer(options: MetricsServerOptions): Program {
  return async (proc) => {
    const client = options.client(proc);
    let authority: string;
    try {
      authority = await frontProxyAuthority(client);
    } catch (error) {
      await log(proc, 'E', 'main.go:32', `"command failed" err=${JSON.stringify((error as Error).message)}`);
      return 1;
    }
    using _running = run(proc, client, authority);
    return await untilStopped(proc);
  };
}

/** PEM of who may speak for users, as the API server has published it. */
async function frontProxyAuthority(client: ApiClient): Promise<string> {
  const map = await client.get<ConfigMap>(resources.configmaps, 'extension-apiserver-authentication', {
    namespace: 'kube-system',
  });
  return map.data?.['requestheader-client-ca-file'] ?? '';
}

function run(proc: Process, client: ApiClient, authority: string): Disposable {
  const stack = new DisposableStack();
  const resolutionMs = durationFlag(proc, 'metric-resolution') ?? RESOLUTION_DEFAULT_MS;
  const onError = (error: unknown): void =>
    void log(proc, 'E', 'reflector.go:205', `"Failed to watch" err=${JSON.stringify(String(error))}`);
  const informers = makeInformerFactory(client, proc.clock, { onError });
  const nodes = informers.informer<Node>(resources.nodes);
  const pods = informers.informer<Pod>(resources.pods);
  stack.use(informers.start());
  const store = new UsageStore();
  const scraper: ScraperOptions = {
    proc,
    addressTypes: (
      flag(proc, 'kubelet-preferred-address-types') ??
      'Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP'
    ).split(','),
    insecure: flag(proc, 'kubelet-insecure-tls') !== undefined,
    port: flag(proc, 'kubelet-use-node-status-port') === undefined ? 10_250 : undefined,
    timeoutMs: resolutionMs * TIMEOUT_SHARE,
  };
  const tick = async (): Promise<void> => store.take(await scrapeNodes(scraper, nodes.lister.list()));
  void informers.waitForSync().then(() => {
    void tick();
    stack.use(every(proc.clock, resolutionMs, () => void tick()));
  });
  const identity = selfSigned(proc);
  const port = Number(flag(proc, 'secure-port') ?? '443');
  const listener = stack.use(
    proc.net.sockets.listenTcp({ address: '0.0.0.0', port }, { owner: proc.socketOwner }),
  );
  const source = tlsSource(listener, {
    identity: () => identity,
    // Differs: only the aggregator's certificate is taken; users come with a token.
    clientAuthorities: () => authority,
    clock: proc.clock,
    random: proc.random,
    plainAnswer: GO_PLAIN_ANSWER,
  });
  const api = { nodes: nodes.lister, pods: pods.lister, store, nowMs: () => proc.clock.now() };
  const handle: HttpHandler = async (request) => {
    const path = request.target.split('?')[0]!;
    const health = /^\/(livez|readyz|healthz)(?:\/|$)/.exec(path)?.[1];
    if (health !== undefined) return healthAnswer(health, health !== 'readyz' || store.isReady);
    const refused = await accessProblem(client, callerOf(request), request.method, path);
    if (refused !== undefined) return refused;
    const document = discoveryDocument(path);
    if (document !== undefined) return json(200, document);
    const wanted = metricsPathOf(path);
    if (wanted === undefined)
      return refusal(404, 'NotFound', 'the server could not find the requested resource');
    if (request.method !== 'GET')
      return refusal(
        405,
        'MethodNotAllowed',
        'the server does not allow this method on the requested resource',
      );
    return answerMetrics(api, wanted, request);
  };
  stack.use(serveHttp(source, handle, { onError }));
  void log(proc, 'I', 'secure_serving.go:211', `Serving securely on [::]:${port}`);
  return stack;
}

/** Who asks: whom the aggregator names, or the holder of a token. */
function callerOf({ peer, headers }: HttpRequest): Caller {
  const values = (name: string): string[] =>
    headers.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
  if (peer.certificate?.commonName === 'front-proxy-client') {
    const user = headerOf(headers, 'x-remote-user') ?? '';
    if (user !== '') return { user, groups: values('x-remote-group') };
  }
  const [scheme = '', token = ''] = (headerOf(headers, 'authorization') ?? '').split(' ');
  return scheme.toLowerCase() === 'bearer' ? { token } : {};
}

function healthAnswer(name: string, isFine: boolean): ReturnType<typeof json> {
  const headers = [['Content-Type', 'text/plain; charset=utf-8']] as const;
  if (isFine) return { status: 200, headers, body: 'ok' };
  const body = `[+]ping ok\n[-]metric-storage-ready failed: reason withheld\n${name} check failed\n`;
  return { status: 500, headers, body };
}

function selfSigned(proc: Process): Identity {
  const { privateKey } = makeKeyPair(proc.random);
  const nowMs = proc.clock.now();
  const certificate = issueCertificate(
    {
      commonName: `localhost@${Math.floor(nowMs / 1000)}`,
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
      notBeforeMs: nowMs,
      notAfterMs: nowMs + YEAR_MS,
      serial: Buffer.from(proc.random.bytes(8)).toString('hex'),
    },
    privateKey,
  );
  return { certificate, privateKey };
}

/** The value of `--name=value`; a bare `--name` is `true`. */
function flag(proc: Process, name: string): string | undefined {
  for (const arg of proc.argv) {
    if (arg === `--${name}`) return 'true';
    if (arg.startsWith(`--${name}=`)) return arg.slice(name.length + 3);
  }
  return undefined;
}

function durationFlag(proc: Process, name: string): number | undefined {
  const match = /^(\d+)(s|m)$/.exec(flag(proc, name) ?? '');
  return match === null ? undefined : Number(match[1]) * (match[2] === 'm' ? 60_000 : 1000);
}

function log(proc: Process, severity: 'I' | 'E', source: string, message: string): Promise<void> {
  return proc.stderr.write(klogLine(severity, proc.clock.now(), proc.pid, source, message));
}
