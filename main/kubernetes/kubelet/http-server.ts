// The kubelet's HTTPS port: who may ask it, and its plain endpoints (health, metrics, pods). Streams are kubelet-server's.
import {
  headerOf,
  serveHttp,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
} from '../../network/http/index.ts';
import {
  GO_PLAIN_ANSWER,
  issueCertificate,
  makeKeyPair,
  parseCertificates,
  tlsSource,
  type Identity,
} from '../../network/tls/index.ts';
import { verbOfMethod } from '../api/index.ts';
import { reviewAccess, reviewToken, type ApiClient, type ReviewedUser } from '../client/index.ts';
import { kubeletPage, type PagesWorld } from './http-pages.ts';

export interface HttpServerWorld extends PagesWorld {
  readonly client: ApiClient;
  /** The pods of the node, as `/pods` lists them. */
  readonly pods: () => readonly unknown[];
  /** Text of `/metrics/resource`. */
  readonly resourceMetrics: () => string;
  /** Document of `/stats/summary`. */
  readonly summary: () => unknown;
  readonly onFault: (error: unknown) => void;
}

const PORT = 10_250;
const HEALTH_PORT = 10_248;
const CLIENT_AUTHORITY = '/etc/kubernetes/pki/ca.crt';
const CERTIFICATE = 'pki/kubelet.crt';
const KEY = 'pki/kubelet.key';
const YEAR_MS = 365 * 24 * 3_600_000;

/** Serves both ports until disposed. */
export function serveKubelet(world: HttpServerWorld): Disposable {
  const { proc, config, onFault } = world;
  const stack = new DisposableStack();
  const owner = proc.socketOwner;
  let identity: Identity | undefined;
  const listener = stack.use(proc.net.sockets.listenTcp({ address: '0.0.0.0', port: PORT }, { owner }));
  const authority = proc.fs.exists(CLIENT_AUTHORITY) ? proc.fs.readText(CLIENT_AUTHORITY) : undefined;
  const secure = tlsSource(listener, {
    identity: () => (identity ??= servingIdentity(world)),
    ...(authority === undefined ? {} : { clientAuthorities: () => authority }),
    clock: proc.clock,
    random: proc.random.fork(`kubelet/tls/${config.nodeName}`),
    plainAnswer: GO_PLAIN_ANSWER,
  });
  stack.use(serveHttp(secure, makeKubeletHandler(world), { onError: onFault }));
  const health = stack.use(
    proc.net.sockets.listenTcp({ address: '127.0.0.1', port: HEALTH_PORT }, { owner }),
  );
  const healthz: HttpHandler = (request) =>
    Promise.resolve(pathOf(request) === '/healthz' ? text(200, 'ok') : text(404, '404 page not found\n'));
  stack.use(serveHttp(health, healthz, { onError: onFault }));
  return stack;
}

/**
 * Its certificate: the one in its folder, or a new self-signed one for its name alone, as without serverTLSBootstrap.
 * Differs: it is made when the first client comes, not at the start.
 */
function servingIdentity({ proc, config }: HttpServerWorld): Identity {
  const folder = config.rootDirectory;
  const paths = { certificate: `${folder}/${CERTIFICATE}`, key: `${folder}/${KEY}` };
  const nowMs = proc.clock.now();
  if (proc.fs.exists(paths.certificate) && proc.fs.exists(paths.key)) {
    const certificate = proc.fs.readText(paths.certificate);
    const [parsed] = parseCertificates(certificate);
    if (parsed !== undefined && parsed.notAfterMs > nowMs)
      return { certificate, privateKey: proc.fs.readText(paths.key) };
  }
  const random = proc.random.fork('kubelet/serving');
  const { privateKey } = makeKeyPair(random);
  const certificate = issueCertificate(
    {
      commonName: `${config.nodeName}@${Math.floor(nowMs / 1000)}`,
      dnsNames: [config.nodeName],
      notBeforeMs: nowMs - 3_600_000,
      notAfterMs: nowMs + YEAR_MS,
      serial: Buffer.from(random.bytes(8)).toString('hex'),
    },
    privateKey,
  );
  proc.fs.mkdir(`${folder}/pki`, { recursive: true, mode: 0o755 });
  proc.fs.writeFile(paths.certificate, certificate, { mode: 0o644 });
  proc.fs.writeFile(paths.key, privateKey, { mode: 0o600 });
  return { certificate, privateKey };
}

/** Answers what the kubelet answers over HTTPS: authenticated, then authorized by the API server's word. */
function makeKubeletHandler(world: HttpServerWorld): HttpHandler {
  return async (request) => {
    const user = await userOf(world, request);
    if (user === undefined) return text(401, 'Unauthorized');
    const path = pathOf(request);
    const verb = verbOfMethod(request.method);
    const [specific, general] = subresourcesOf(path);
    if (
      !(await mayAccess(world, user, verb, specific)) &&
      (general === specific || !(await mayAccess(world, user, verb, general)))
    ) {
      return text(
        403,
        `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${[...new Set([specific, general])].join(' ')}])\n`,
      );
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return (await kubeletPage(world, request.target, request.signal))?.status === 501
        ? text(501, `drydock: the kubelet's ${path} isn't simulated\n`)
        : text(405, 'Method Not Allowed\n');
    }
    switch (path) {
      case '/healthz':
        return text(200, 'ok');
      case '/metrics/resource':
        return {
          status: 200,
          headers: [['Content-Type', 'text/plain; version=0.0.4; charset=utf-8']],
          body: world.resourceMetrics(),
        };
      case '/stats/summary':
        return json(world.summary());
      case '/pods':
        return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: world.pods() });
      default:
        return (
          (await kubeletPage(world, request.target, request.signal)) ?? text(404, '404 page not found\n')
        );
    }
  };
}

/** The subresources of nodes by which a path is authorized: the finer first (KEP-2862), then `proxy` if it alone would do. */
function subresourcesOf(path: string): readonly [string, string] {
  const [first = ''] = path.split('/').slice(1);
  if (first === 'stats') return ['stats', 'stats'];
  if (first === 'metrics') return ['metrics', 'metrics'];
  if (first === 'logs') return ['log', 'log'];
  if (first === 'checkpoint') return ['checkpoint', 'checkpoint'];
  if (first === 'pods' || first === 'runningpods') return ['pods', 'proxy'];
  if (first === 'healthz' || first === 'configz') return [first, 'proxy'];
  return ['proxy', 'proxy'];
}

/** By client certificate or bearer token; undefined: refused, since kubeadm turns anonymous requests off. */
async function userOf(
  { client }: HttpServerWorld,
  { peer, headers }: HttpRequest,
): Promise<ReviewedUser | undefined> {
  const { certificate } = peer;
  if (certificate !== undefined)
    return {
      name: certificate.commonName,
      groups: [...certificate.organizations, 'system:authenticated'],
    };
  const [scheme = '', token = ''] = (headerOf(headers, 'authorization') ?? '').split(' ');
  if (scheme.toLowerCase() !== 'bearer' || token === '') return undefined;
  return await reviewToken(client, token);
}

async function mayAccess(
  { client, config }: HttpServerWorld,
  user: ReviewedUser,
  verb: string,
  subresource: string,
): Promise<boolean> {
  return await reviewAccess(client, user, {
    resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: config.nodeName },
  });
}

function pathOf({ target }: HttpRequest): string {
  return target.split('?')[0]!;
}

function text(status: number, body: string): HttpResponse {
  return { status, headers: [['Content-Type', 'text/plain; charset=utf-8']], body };
}

function json(document: unknown): HttpResponse {
  return { status: 200, headers: [['Content-Type', 'application/json']], body: JSON.stringify(document) };
}
