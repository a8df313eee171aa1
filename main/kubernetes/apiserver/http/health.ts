// /healthz, /livez and /readyz: all checks, one of them, or all but some (apiserver pkg/server/healthz).
import type { HttpResponse } from '../../../network/http/index.ts';
import { textAnswer } from './answer.ts';

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

const NAMES = ['healthz', 'livez', 'readyz'] as const;
type Health = (typeof NAMES)[number];

function checksOf(name: Health): string[] {
  return name === 'readyz'
    ? ['ping', 'log', READY_ONLY[0]!, ...HOOKS, READY_ONLY[1]!]
    : ['ping', 'log', ...LIVE_ONLY, ...HOOKS];
}

/** Answers the health paths; undefined for other paths, and for checks that there aren't. */
export function healthAnswer(path: string, query: URLSearchParams): HttpResponse | undefined {
  const [, found, check] = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(path) ?? [];
  if (found === undefined) return undefined;
  const name = found as Health;
  if (check !== undefined) return checksOf(name).includes(check) ? textAnswer(200, 'ok') : undefined;
  if (!query.has('verbose')) return textAnswer(200, 'ok');
  const excluded = new Set(query.getAll('exclude').filter((each) => each !== ''));
  const lines = checksOf(name).map((each) =>
    excluded.delete(each) ? `[+]${each} excluded: ok\n` : `[+]${each} ok\n`,
  );
  if (excluded.size > 0) {
    const quoted = [...excluded].sort().map((each) => JSON.stringify(each));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${quoted.join(', ')}\n`);
  }
  return textAnswer(200, `${lines.join('')}${name} check passed\n`);
}

/** Every health path. */
export function healthPaths(): string[] {
  return NAMES.flatMap((name) => [`/${name}`, ...checksOf(name).map((check) => `/${name}/${check}`)]);
}
