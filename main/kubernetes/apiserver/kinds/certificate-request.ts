// Certificate signing requests: who asked, and when it was approved or denied (pkg/registry/certificates).
import { rfc3339 } from '../../../simulation/index.ts';
import type { ApiObject, StoredObject, Tree } from '../object.ts';
import type { Kind } from './kind.ts';

interface Condition {
  readonly type?: string;
  readonly status?: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
}

function conditionsOf(object: ApiObject | StoredObject): Condition[] {
  return (object['status'] as { conditions?: Condition[] } | undefined)?.conditions ?? [];
}

/** Gives conditions the times that their writer left out; the transition is when the status changed. */
function stamp(object: ApiObject, old: StoredObject, now: string): void {
  for (const condition of conditionsOf(object)) {
    condition.lastUpdateTime ??= now;
    if (condition.lastTransitionTime !== undefined) continue;
    const before = conditionsOf(old).find(({ type }) => type === condition.type);
    condition.lastTransitionTime = before?.status === condition.status ? before?.lastTransitionTime : now;
  }
}

/** What a client may say of a request: its spec once, its approval, its status. */
export const certificateRequests: Partial<Kind> = {
  prepareCreate(object, { user }) {
    const spec = (object['spec'] ?? {}) as Tree;
    spec['username'] = user.name;
    spec['groups'] = [...user.groups];
    if (user.uid !== undefined) spec['uid'] = user.uid;
    if (user.extra !== undefined) {
      spec['extra'] = Object.fromEntries(
        Object.entries(user.extra).map(([key, values]) => [key, [...values]]),
      );
    }
    object['spec'] = spec;
    object['status'] = {};
  },
  prepareUpdate(object, old, { subresource, nowMs }) {
    object['spec'] = old['spec'];
    if (subresource !== 'approval') return;
    object['status'] = { ...(old['status'] as Tree | undefined), conditions: conditionsOf(object) };
    stamp(object, old, rfc3339(nowMs));
  },
};
