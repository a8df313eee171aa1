// Waiting until an object is as one wants it: a list, then a watch, with a deadline (watchtools.UntilWithSync).
import type { ApiRequest } from '../../client/http-client.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Kubectl } from '../kubectl.ts';
import type { AnyObject } from './builder.ts';
import { pathOf, type DiscoveredResource } from './discovery.ts';
import { typed } from './selection.ts';
import { watchEvents } from './watch.ts';

/** The time is up. */
export class TimedOut extends CommandError {}

export interface Waited {
  readonly resource: DiscoveredResource;
  readonly namespace: string | undefined;
  readonly name: string;
}

/**
 * Calls `done` with the object at once and after each change, with undefined while there is none, until it says true.
 * Throws TimedOut after `timeoutMs` (0: never), and what `done` throws.
 */
export async function waitForObject(
  kubectl: Kubectl,
  { resource, namespace, name }: Waited,
  timeoutMs: number,
  done: (object: AnyObject | undefined) => Promise<boolean> | boolean,
): Promise<void> {
  const { clock, signal } = kubectl.proc;
  const deadline = new AbortController();
  const timer =
    timeoutMs > 0
      ? clock.after(timeoutMs, () => deadline.abort(new TimedOut('timed out waiting for the condition')))
      : undefined;
  const request: ApiRequest = {
    method: 'GET',
    path: pathOf(resource, namespace),
    query: { fieldSelector: `metadata.name=${name}` },
    signal: AbortSignal.any([signal, deadline.signal]),
  };
  try {
    for (;;) {
      const list = await kubectl.api.json<{
        items?: AnyObject[] | null;
        metadata?: { resourceVersion?: string };
      }>(request);
      const [current] = list.items ?? [];
      if (await done(current === undefined ? undefined : typed(resource, current))) return;
      const query = {
        ...request.query,
        resourceVersion: list.metadata?.resourceVersion,
        allowWatchBookmarks: 'true',
      };
      for await (const event of watchEvents<AnyObject>(kubectl.api, { ...request, query })) {
        if (event.type === 'BOOKMARK') continue;
        if (event.type === 'ERROR') break; // The server forgot that revision: list anew.
        if (await done(event.type === 'DELETED' ? undefined : event.object)) return;
      }
    }
  } catch (error) {
    if (deadline.signal.aborted) throw deadline.signal.reason;
    throw error;
  } finally {
    timer?.[Symbol.dispose]();
  }
}
