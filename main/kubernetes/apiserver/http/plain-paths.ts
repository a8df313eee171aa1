// Paths outside the resources: health, version, discovery, OpenAPI.
import { headerOf, type HttpResponse } from '../../../network/http/index.ts';
import { noSuchResource } from '../refusals.ts';
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
    case '/':
      return documentAnswer(200, { paths: rootPaths(exchange) }, { ...wanted, pretty: true });
    default:
  }
  if (path.startsWith('/api/') || path.startsWith('/apis/')) throw noSuchResource();
  return textAnswer(404, '404 page not found\n');
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
