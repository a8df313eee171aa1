// Paths outside the resources: health, version, discovery, OpenAPI.
import { headerOf, type HttpResponse } from '../../../network/http/index.ts';
import { noSuchResource, qualified } from '../refusals.ts';
import { versionInfo } from '../version.ts';
import { discoveryAnswer } from '../discovery/discovery.ts';
import { openApiAnswer } from '../openapi/openapi.ts';
import { documentAnswer, textAnswer } from './answer.ts';
import type { Exchange } from './door.ts';

/** Checks that `/readyz?verbose` lists. */
const CHECKS = [
  'ping',
  'log',
  'etcd',
  'informer-sync',
  'poststarthook/start-apiserver-admission-initializer',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/bootstrap-controller',
  'autoregister-completion',
  'shutdown',
];

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
      return healthAnswer(path.slice(1), query.has('verbose'));
    case '/metrics':
      return metricsAnswer(exchange);
    case '/':
      return documentAnswer(200, { paths: rootPaths(exchange) }, { ...wanted, pretty: true });
    default:
  }
  const check = /^\/(?:healthz|livez|readyz)\/(.+)$/.exec(path)?.[1];
  if (check !== undefined && CHECKS.includes(check)) return textAnswer(200, 'ok');
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

function healthAnswer(name: string, verbose: boolean): HttpResponse {
  if (!verbose) return textAnswer(200, 'ok');
  const lines = CHECKS.filter(
    (check) => name === 'readyz' || (check !== 'informer-sync' && check !== 'shutdown'),
  );
  return textAnswer(200, `${lines.map((check) => `[+]${check} ok\n`).join('')}${name} check passed\n`);
}

function rootPaths({ core }: Exchange): string[] {
  const paths = new Set([
    '/.well-known/openid-configuration',
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
    '/openid/v1/jwks',
    '/readyz',
    '/version',
  ]);
  for (const { resource } of core.catalogue.all()) {
    if (resource.group === '') continue;
    paths.add(`/apis/${resource.group}`);
    paths.add(`/apis/${resource.group}/${resource.version}`);
  }
  return [...paths].sort();
}
