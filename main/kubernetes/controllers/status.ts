// Status pieces that workload controllers share: conditions, omitted zeros, and the write.
import { canonicalJson } from './template-hash.ts';
import type { KubernetesObject, Resource, Stored } from '../api/index.ts';
import type { ApiClient } from '../client/index.ts';

/** A condition as most kinds have it. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | null;
}

/**
 * The list with `condition` in it, as the real SetCondition functions do it: unchanged when status and reason are
 * the same, keeping the time of transition when only the reason is new, and otherwise moved to the end.
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, condition: C): C[] {
  const list = conditions ?? [];
  const current = list.find(({ type }) => type === condition.type);
  if (current !== undefined && current.status === condition.status && current.reason === condition.reason)
    return [...list];
  const lastTransitionTime =
    current?.status === condition.status ? current.lastTransitionTime : condition.lastTransitionTime;
  return [...withoutCondition(list, condition.type), { ...condition, lastTransitionTime }];
}

export function withoutCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

/** Without undefined values, empty lists, and zeros of the keys named: what Go's `omitempty` leaves out. */
export function omitEmpty<T extends object>(status: T, zeros: readonly (keyof T)[] = []): T {
  const entries = Object.entries(status).filter(([key, value]) => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return false;
    return !(value === 0 && zeros.includes(key as keyof T));
  });
  return Object.fromEntries(entries) as T;
}

/** Deep equality of JSON-like values, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a ?? {}) === canonicalJson(b ?? {});
}

/** Writes the status if it differs from what the object has; answers the object as it is then. */
export async function writeStatus<T extends KubernetesObject & { status?: unknown }>(
  client: ApiClient,
  resource: Resource,
  object: Stored<T>,
  status: T['status'],
): Promise<Stored<T>> {
  if (sameJson(object.status, status)) return object;
  const { namespace } = object.metadata;
  return client.update<T>(resource, { ...object, status }, { namespace, subresource: 'status' });
}
