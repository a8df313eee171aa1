// The events at the end of a description.
import type { Kubectl } from '../../kubectl.ts';
import { humanDuration } from '../../output/duration.ts';
import type { AnyObject } from '../../rest/builder.ts';
import type { DescribeWriter } from './writer.ts';

export interface EventObject extends AnyObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly reportingComponent?: string;
  readonly involvedObject?: {
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly fieldPath?: string;
  };
}

/** The events about an object, oldest first. */
export async function eventsOf(
  kubectl: Kubectl,
  { metadata }: AnyObject,
  kind: string,
  uid?: string,
): Promise<EventObject[]> {
  const about = metadata as { name?: string; namespace?: string; uid?: string };
  const fields = [`involvedObject.kind=${kind}`, `involvedObject.name=${about.name ?? ''}`];
  if (about.namespace !== undefined) fields.push(`involvedObject.namespace=${about.namespace}`);
  fields.push(`involvedObject.uid=${uid ?? about.uid ?? ''}`);
  const path =
    about.namespace === undefined ? '/api/v1/events' : `/api/v1/namespaces/${about.namespace}/events`;
  const list = await kubectl.api.json<{ items: EventObject[] | null }>({
    method: 'GET',
    path,
    query: { fieldSelector: fields.join(','), limit: '500' },
  });
  return sortEvents(list.items ?? []);
}

/** By the time they were last seen (event.SortableEvents). */
export function sortEvents(events: readonly EventObject[]): EventObject[] {
  return events.toSorted(
    (a, b) => instant(a.lastTimestamp ?? a.eventTime) - instant(b.lastTimestamp ?? b.eventTime),
  );
}

function instant(time: string | null | undefined): number {
  return time === null || time === undefined ? 0 : Date.parse(time);
}

/** `16m`, or `76s (x62 over 16m)`. */
export function intervalText(kubectl: Kubectl, event: EventObject): string {
  const now = kubectl.proc.clock.now();
  const since = (time: string | null | undefined): string =>
    time === null || time === undefined ? '<unknown>' : humanDuration(now - Date.parse(time));
  const first = event.firstTimestamp ?? event.eventTime;
  if (event.series !== undefined)
    return `${since(event.series.lastObservedTime)} (x${event.series.count} over ${since(first)})`;
  if ((event.count ?? 1) > 1) return `${since(event.lastTimestamp)} (x${event.count} over ${since(first)})`;
  return since(first);
}

export function writeEvents(writer: DescribeWriter, kubectl: Kubectl, events: readonly EventObject[]): void {
  if (events.length === 0) return writer.write(0, 'Events:\t<none>\n');
  writer.flush();
  writer.write(0, 'Events:\n  Type\tReason\tAge\tFrom\tMessage\n');
  writer.write(1, '----\t------\t----\t----\t-------\n');
  for (const event of events) {
    const source = event.source?.component || (event.reportingComponent ?? '');
    writer.write(
      1,
      `${event.type ?? ''}\t${event.reason ?? ''}\t${intervalText(kubectl, event)}\t${source}\t${(event.message ?? '').trim()}\n`,
    );
  }
}
