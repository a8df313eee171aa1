// Events go an hour after they were last written (kube-apiserver --event-ttl, an etcd lease in the real one).
import { disposable, every } from '../../simulation/index.ts';
import { resources } from '../api/resources.ts';
import type { ServerCore } from './core.ts';
import type { StoredObject } from './object.ts';
import { ownWrite } from './verbs/request.ts';

const TTL_MS = 3_600_000;
/** How late one may go. */
const PERIOD_MS = 60_000;
/** Then the window gets its turn. */
const EVENTS_PER_TASK_MAX = 100;

/** Lets events go, oldest first, until disposed. Looks at those only that are due. */
export function expireEvents(core: ServerCore): Disposable {
  const served = core.catalogue.find(resources.events)!;
  /** By key, in the order of their last writing. */
  const written = new Map<string, { readonly uid: string; readonly atMs: number }>();
  let isLoading = true;
  served.table.observe((before, after) => {
    const { namespace, name, uid } = (after ?? before)!.metadata;
    const key = `${namespace}/${name}`;
    written.delete(key);
    if (after === undefined) return;
    written.set(key, { uid, atMs: isLoading ? lastSeenMs(after) : core.clock.now() });
  });
  isLoading = false;
  let isStopped = false;
  const sweep = (): void => {
    let left = EVENTS_PER_TASK_MAX;
    for (const [key, { uid, atMs }] of written) {
      if (isStopped || atMs + TTL_MS > core.clock.now()) return;
      if (left-- === 0) return core.clock.soon(sweep);
      const [namespace = '', name = ''] = key.split('/');
      core.api.writer.delete(ownWrite(served, namespace), name, { uid });
    }
  };
  const timer = every(core.clock, PERIOD_MS, sweep);
  return disposable(() => {
    isStopped = true;
    timer[Symbol.dispose]();
  });
}

/** Of an event from before this process began. */
function lastSeenMs(event: StoredObject): number {
  const { lastTimestamp, eventTime } = event as { lastTimestamp?: string | null; eventTime?: string | null };
  return Date.parse(lastTimestamp ?? eventTime ?? event.metadata.creationTimestamp);
}
