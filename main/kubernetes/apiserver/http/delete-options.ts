// The options of a deletion, from the body and the query.
import { isTree, type Tree } from '../object.ts';
import { badRequest, invalidValue, unsupported } from '../refusals.ts';
import type { DeleteRequestOptions } from '../verbs/request.ts';
import { objectFormat, parseBody } from './body.ts';
import { JsonError } from './json-reader.ts';
import { deleteOptionsFault, dryRunFault, integerOf } from './options.ts';
import { isTrue } from './request-info.ts';

export interface DeleteParameters extends DeleteRequestOptions {
  readonly dryRun: boolean;
  /** Whether the request said what becomes of dependents. */
  readonly policySet: boolean;
}

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;
type Policy = (typeof POLICIES)[number];

/** Reads DeleteOptions; a body takes the place of the query. Throws 400 and 422. */
export function deleteOptionsOf(
  bytes: Uint8Array,
  mediaType: string,
  query: URLSearchParams,
): DeleteParameters {
  const body = bytes.byteLength === 0 ? undefined : bodyOf(bytes, mediaType);
  const dryRun = body === undefined ? query.getAll('dryRun') : listOf(body['dryRun']);
  if (dryRun.some((value) => value !== 'All')) throw deleteOptionsFault([dryRunFault(dryRun)]);
  const policy = (
    body === undefined ? (query.get('propagationPolicy') ?? undefined) : body['propagationPolicy']
  ) as string | undefined;
  const orphan =
    body === undefined
      ? query.has('orphanDependents')
        ? isTrue(query, 'orphanDependents')
        : undefined
      : (body['orphanDependents'] as boolean | undefined);
  if (policy !== undefined && policy !== '' && orphan !== undefined && orphan !== null) {
    throw deleteOptionsFault([
      invalidValue(
        'propagationPolicy',
        policy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    ]);
  }
  if (policy !== undefined && policy !== '' && !POLICIES.includes(policy as Policy)) {
    throw deleteOptionsFault([unsupported('propagationPolicy', policy, [...POLICIES, 'nil'])]);
  }
  const preconditions = isTree(body?.['preconditions']) ? body['preconditions'] : {};
  const grace =
    body === undefined
      ? integerOf(query, 'gracePeriodSeconds')
      : (body['gracePeriodSeconds'] as number | undefined);
  return {
    gracePeriodSeconds: grace ?? undefined,
    propagationPolicy: policy === undefined || policy === '' ? undefined : (policy as Policy),
    orphanDependents: orphan ?? undefined,
    uid: preconditions['uid'] as string | undefined,
    resourceVersion: preconditions['resourceVersion'] as string | undefined,
    dryRun: dryRun.includes('All'),
    policySet: (policy !== undefined && policy !== '') || (orphan !== undefined && orphan !== null),
  };
}

function bodyOf(bytes: Uint8Array, mediaType: string): Tree {
  try {
    const { value } = parseBody(bytes, objectFormat(mediaType));
    if (value === null) return {};
    if (!isTree(value))
      throw badRequest('the object provided is unrecognized (must be of type DeleteOptions)');
    const { kind = 'DeleteOptions' } = value;
    if (kind !== 'DeleteOptions') {
      throw badRequest(`decoded object cannot be converted to DeleteOptions`);
    }
    return value;
  } catch (error) {
    if (error instanceof JsonError)
      throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    throw error;
  }
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
