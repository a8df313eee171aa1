// Paths outside the resources: health, version, discovery, OpenAPI.
import { headerOf, type HttpResponse } from '../../../network/http/index.ts';
import { noSuchResource } from '../refusals.ts';
import { versionInfo } from '../version.ts';
import { discoveryAnswer } from '../discovery/discovery.ts';
import { openApiAnswer } from '../openapi/openapi.ts';
import { documentAnswer, textAnswer } from './answer.ts';
import type { Exchange } from './door.ts';
import { healthAnswer, healthPaths } from './health.ts';
import { metricsAnswer } from './metrics.ts';

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
    case '/metrics':
      return metricsAnswer(core);
    case '/':
      return documentAnswer(200, { paths: rootPaths(exchange) }, { ...wanted, pretty: true });
    default:
  }
  const health = healthAnswer(path, query);
  if (health !== undefined) return health;
  if (path.startsWith('/debug/')) return textAnswer(501, `drydock: ${path} isn't simulated\n`);
  if (path.startsWith('/api/') || path.startsWith('/apis/')) throw noSuchResource();
  return textAnswer(404, '404 page not found\n');
}

/** Every path that is served. Differs: the issuer's documents, /flagz and /statusz aren't. */
function rootPaths({ core }: Exchange): string[] {
  const paths = new Set([
    '/api',
    '/api/v1',
    '/apis',
    '/apis/',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/version',
    ...healthPaths(),
  ]);
  for (const { group, version } of [
    ...core.catalogue.builtIns,
    ...[...core.catalogue.all()].map(({ resource }) => resource),
  ]) {
    if (group === '') continue;
    paths.add(`/apis/${group}`);
    paths.add(`/apis/${group}/${version}`);
  }
  return [...paths].sort();
}
