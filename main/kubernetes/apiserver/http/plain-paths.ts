// Paths outside the resources: health, version, discovery, OpenAPI.
import { headerOf, type HttpResponse } from '../../../network/http/index.ts';
import { noSuchResource, qualified } from '../refusals.ts';
import { versionInfo } from '../version.ts';
import { discoveryAnswer } from '../discovery/discovery.ts';
import { openApiAnswer } from '../openapi/openapi.ts';
import { documentAnswer, textAnswer } from './answer.ts';
import type { Exchange } from './door.ts';

/** Checks of `/healthz` and `/livez` that `/readyz` doesn't make. */
const LIVE_ONLY = ['loopback-serving-certificate', 'etcd'];
/** And the other way round, before the hooks and after them. */
const READY_ONLY = ['informer-sync', 'shutdown'];

/** What runs once the server listens, in upstream's order. Nothing of it can fail here. */
const HOOKS = [
  'poststarthook/start-apiserver-admission-initializer',
  'poststarthook/generic-apiserver-start-informers',
  'poststarthook/priority-and-fairness-config-consumer',
  'poststarthook/priority-and-fairness-filter',
  'poststarthook/storage-object-count-tracker-hook',
  'poststarthook/start-apiextensions-informers',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/crd-informer-synced',
  'poststarthook/start-system-namespaces-controller',
  'poststarthook/peer-endpoint-reconciler-controller',
  'poststarthook/start-cluster-authentication-info-controller',
  'poststarthook/start-kube-apiserver-identity-lease-controller',
  'poststarthook/start-kube-apiserver-identity-lease-garbage-collector',
  'poststarthook/storage-readiness',
  'poststarthook/start-legacy-token-tracking-controller',
  'poststarthook/start-service-ip-repair-controllers',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/priority-and-fairness-config-producer',
  'poststarthook/bootstrap-controller',
  'poststarthook/start-kubernetes-service-cidr-controller',
  'poststarthook/aggregator-reload-proxy-client-cert',
  'poststarthook/start-kube-aggregator-informers',
  'poststarthook/apiservice-status-local-available-controller',
  'poststarthook/apiservice-status-remote-available-controller',
  'poststarthook/apiservice-registration-controller',
  'poststarthook/apiservice-wait-for-first-sync',
  'poststarthook/apiservice-discovery-controller',
  'poststarthook/kube-apiserver-autoregistration',
  'autoregister-completion',
  'poststarthook/apiservice-openapi-controller',
  'poststarthook/apiservice-openapiv3-controller',
];

type Health = 'healthz' | 'livez' | 'readyz';

function checksOf(name: Health): string[] {
  return name === 'readyz'
    ? ['ping', 'log', READY_ONLY[0]!, ...HOOKS, READY_ONLY[1]!]
    : ['ping', 'log', ...LIVE_ONLY, ...HOOKS];
}

export async function plainAnswer(exchange: Exchange): Promise<HttpResponse> {
  const { core, info, request, query, wanted } = exchange;
  const path = info.path.length > 1 ? info.path.replace(/\/$/, '') : info.path;
  const discovery = discoveryAnswer(exchange, path);
  if (discovery !== undefined) return discovery;
  const openApi = openApiAnswer(exchange, path, headerOf(request.headers, 'if-none-match'));
  if (openApi !== undefined) return openApi;
  switch (path) {
    case '/version':
      return documentAnswer(200, versionInfo(core.version), { ...wanted, pretty: true });
    case '/healthz':
    case '/livez':
    case '/readyz':
      return healthAnswer(path.slice(1) as Health, query.has('verbose'));
    case '/metrics':
      return metricsAnswer(exchange);
    case '/':
      return documentAnswer(200, { paths: rootPaths(exchange) }, { ...wanted, pretty: true });
    default:
  }
  const [, health, check = ''] = /^\/(healthz|livez|readyz)\/(.+)$/.exec(path) ?? [];
  if (health !== undefined && checksOf(health as Health).includes(check)) return textAnswer(200, 'ok');
  if (path.startsWith('/api/') || path.startsWith('/apis/')) throw noSuchResource();
  return textAnswer(404, '404 page not found\n');
}

/** A few of upstream's metrics, with what this server knows to be true. Differs: the many others aren't kept. */
function metricsAnswer({ core }: Exchange): HttpResponse {
  const lines = [
    '# HELP apiserver_storage_objects [STABLE] Number of stored objects at the time of last check split by kind.',
    '# TYPE apiserver_storage_objects gauge',
  ];
  const watchers: string[] = [];
  for (const { resource, table } of core.catalogue.all()) {
    const name = qualified(resource);
    lines.push(`apiserver_storage_objects{resource="${name}"} ${table.size}`);
    const { group, version } = resource;
    if (table.watchers.size > 0)
      watchers.push(
        `apiserver_longrunning_requests{group="${group}",resource="${resource.plural}",verb="WATCH",version="${version}"} ${table.watchers.size}`,
      );
  }
  lines.push('# TYPE apiserver_longrunning_requests gauge', ...watchers);
  return {
    status: 200,
    headers: [['content-type', 'text/plain; version=0.0.4; charset=utf-8']],
    body: `${lines.join('\n')}\n`,
  };
}

function healthAnswer(name: Health, verbose: boolean): HttpResponse {
  if (!verbose) return textAnswer(200, 'ok');
  const lines = checksOf(name).map((check) => `[+]${check} ok\n`);
  return textAnswer(200, `${lines.join('')}${name} check passed\n`);
}

/** Every path that is served. Differs: the issuer's documents, /flagz and /statusz aren't. */
function rootPaths({ core }: Exchange): string[] {
  const paths = new Set([
    '/api',
    '/api/v1',
    '/apis',
    '/apis/',
    '/healthz',
    '/livez',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/readyz',
    '/version',
  ]);
  for (const { group, version } of [
    ...core.catalogue.builtIns,
    ...[...core.catalogue.all()].map(({ resource }) => resource),
  ]) {
    if (group === '') continue;
    paths.add(`/apis/${group}`);
    paths.add(`/apis/${group}/${version}`);
  }
  for (const name of ['healthz', 'livez', 'readyz'] as const)
    for (const check of checksOf(name)) paths.add(`/${name}/${check}`);
  return [...paths].sort();
}
