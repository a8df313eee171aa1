// Events go an hour after they were last written (kube-apiserver --event-ttl, an etcd lease in the real one).
import { every } from '../../simulation/index.ts';
import { resources } from '../api/resources.ts';
import type { ServerCore } from './core.ts';
import type { StoredObject } from './object.ts';

const TTL_MS = 3_600_000;
/** How late one may go. */
const PERIOD_MS = 60_000;
const USER = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** Lets events go, oldest first, until disposed. Looks at those only that are due. */
export function expireEvents(core: ServerCore): Disposable {
  const served = core.catalogue.find(resources.events)!;
  /** By key, in the order of their last writing. */
  const written = new Map<string, { readonly object: StoredObject; readonly atMs: number }>();
  let isLoading = true;
  served.table.observe((before, after) => {
    const { namespace, name } = (after ?? before)!.metadata;
    const key = `${namespace}/${name}`;
    written.delete(key);
    if (after === undefined) return;
    written.set(key, { object: after, atMs: isLoading ? lastSeenMs(after) : core.clock.now() });
  });
  isLoading = false;
  return every(core.clock, PERIOD_MS, () => {
    for (const { object, atMs } of written.values()) {
      if (atMs + TTL_MS > core.clock.now()) return;
      const { namespace = '', name, uid } = object.metadata;
      const write = {
        served,
        namespace,
        user: USER,
        subresource: '',
        dryRun: false,
        fieldManager: '',
        tracked: false,
        warn: () => undefined,
      };
      core.api.writer.delete(write, name, { uid });
    }
  });
}

/** Of an event from before this process began. */
function lastSeenMs(event: StoredObject): number {
  const { lastTimestamp, eventTime } = event as { lastTimestamp?: string | null; eventTime?: string | null };
  return Date.parse(lastTimestamp ?? eventTime ?? event.metadata.creationTimestamp);
}
