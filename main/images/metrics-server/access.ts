// Who may ask an extension server: the API server is asked about tokens and rights (apiserver's delegated authentication).
import type { HttpResponse } from '../../network/http/index.ts';
import { resources, type KubernetesObject } from '../../kubernetes/api/index.ts';
import type { ApiClient } from '../../kubernetes/client/index.ts';
import { metricsPathOf, refusal } from './metrics-api.ts';

/** Whom the aggregator names, who holds a token, or nobody. */
export interface Caller {
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly token?: string;
}

interface Review extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: {
    readonly allowed?: boolean;
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly groups?: readonly string[] };
  };
}

const ANONYMOUS = { user: 'system:anonymous', groups: ['system:unauthenticated'] };
const ALWAYS_ALLOWED_GROUP = 'system:masters';
const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** The refusal, if the caller may not; undefined if they may. */
export async function accessProblem(
  client: ApiClient,
  caller: Caller,
  method: string,
  path: string,
): Promise<HttpResponse | undefined> {
  const who = await identify(client, caller);
  if (who === undefined) return refusal(401, 'Unauthorized', 'Unauthorized');
  const { user, groups } = who;
  if (groups.includes(ALWAYS_ALLOWED_GROUP)) return undefined;
  const wanted = metricsPathOf(path);
  const plainVerb = VERBS[method] ?? '';
  const verb = wanted !== undefined && wanted.name === '' && plainVerb === 'get' ? 'list' : plainVerb;
  const attributes =
    wanted === undefined
      ? { nonResourceAttributes: { path, verb: method.toLowerCase() } }
      : { resourceAttributes: { group: 'metrics.k8s.io', version: 'v1beta1', verb, ...wanted } };
  const review = await client.create<Review>(resources.subjectaccessreviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, ...attributes },
  });
  if (review.status?.allowed === true) return undefined;
  if (wanted === undefined)
    return refusal(
      403,
      'Forbidden',
      `forbidden: User "${user}" cannot ${method.toLowerCase()} path "${path}"`,
    );
  const subject = `${wanted.resource}.metrics.k8s.io${wanted.name === '' ? '' : ` "${wanted.name}"`}`;
  const scope = wanted.namespace === '' ? 'at the cluster scope' : `in the namespace "${wanted.namespace}"`;
  const message = `${subject} is forbidden: User "${user}" cannot ${verb} resource "${wanted.resource}" in API group "metrics.k8s.io" ${scope}`;
  return refusal(403, 'Forbidden', message, { group: 'metrics.k8s.io', kind: wanted.resource });
}

async function identify(
  client: ApiClient,
  { user, groups = [], token }: Caller,
): Promise<{ user: string; groups: readonly string[] } | undefined> {
  if (user !== undefined) return { user, groups };
  if (token === undefined) return ANONYMOUS;
  const review = await client.create<Review>(resources.tokenreviews, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token },
  });
  const { authenticated, user: found } = review.status ?? {};
  if (authenticated !== true || found?.username === undefined) return undefined;
  return { user: found.username, groups: found.groups ?? [] };
}
