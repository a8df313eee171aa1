// Who may ask an extension server: the API server is asked about tokens and rights (apiserver's delegated authentication).
import type { HttpResponse } from '../../network/http/index.ts';
import { verbOfMethod } from '../../kubernetes/api/index.ts';
import {
  reviewAccess,
  reviewToken,
  type ApiClient,
  type ReviewedUser,
} from '../../kubernetes/client/index.ts';
import { metricsPathOf, refusal } from './metrics-api.ts';

/** Whom the aggregator names, who holds a token, or nobody. */
export interface Caller {
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly token?: string;
}

const ANONYMOUS = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const ALWAYS_ALLOWED_GROUP = 'system:masters';
/** The refusal, if the caller may not; undefined if they may. */
export async function accessProblem(
  client: ApiClient,
  caller: Caller,
  method: string,
  path: string,
): Promise<HttpResponse | undefined> {
  const who = await identify(client, caller);
  if (who === undefined) return refusal(401, 'Unauthorized', 'Unauthorized');
  if (who.groups.includes(ALWAYS_ALLOWED_GROUP)) return undefined;
  const wanted = metricsPathOf(path);
  const plainVerb = verbOfMethod(method);
  const verb = wanted !== undefined && wanted.name === '' && plainVerb === 'get' ? 'list' : plainVerb;
  const attributes =
    wanted === undefined
      ? { nonResourceAttributes: { path, verb: method.toLowerCase() } }
      : { resourceAttributes: { group: 'metrics.k8s.io', version: 'v1beta1', verb, ...wanted } };
  if (await reviewAccess(client, who, attributes)) return undefined;
  if (wanted === undefined)
    return refusal(
      403,
      'Forbidden',
      `forbidden: User "${who.name}" cannot ${method.toLowerCase()} path "${path}"`,
    );
  const subject = `${wanted.resource}.metrics.k8s.io${wanted.name === '' ? '' : ` "${wanted.name}"`}`;
  const scope = wanted.namespace === '' ? 'at the cluster scope' : `in the namespace "${wanted.namespace}"`;
  const message = `${subject} is forbidden: User "${who.name}" cannot ${verb} resource "${wanted.resource}" in API group "metrics.k8s.io" ${scope}`;
  return refusal(403, 'Forbidden', message, { group: 'metrics.k8s.io', kind: wanted.resource });
}

async function identify(
  client: ApiClient,
  { user, groups = [], token }: Caller,
): Promise<ReviewedUser | undefined> {
  if (user !== undefined) return { name: user, groups };
  return token === undefined ? ANONYMOUS : await reviewToken(client, token);
}
