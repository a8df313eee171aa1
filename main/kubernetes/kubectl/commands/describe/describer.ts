// What a describer is given, and what it gives.
import type { Kubectl } from '../../kubectl.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { eventsOf, writeEvents } from './events.ts';
import type { DescribeWriter } from './writer.ts';

export interface Describing {
  readonly kubectl: Kubectl;
  readonly w: DescribeWriter;
  readonly object: AnyObject;
  readonly showEvents: boolean;
}

/** Writes one object. */
export type Describer = (describing: Describing) => Promise<void> | void;

/** The events of the object, unless they aren't wanted. */
export async function writeOwnEvents(
  { kubectl, w, object, showEvents }: Describing,
  kind = object.kind ?? '',
): Promise<void> {
  if (showEvents) writeEvents(w, kubectl, await eventsOf(kubectl, object, kind));
}

/** A member of an object as the type it has. */
export function member<T>(object: AnyObject, name: 'spec' | 'status'): Partial<T> {
  return (object[name] ?? {}) as Partial<T>;
}
