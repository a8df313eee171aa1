// The printers of devices that pods claim (dynamic resource allocation).
import type { Printer } from '../kinds/kind.ts';
import { textAt } from '../object.ts';
import { age, AGE, NAME, NONE, printer } from './columns.ts';

const RESOURCE = '@io.k8s.api.resource.v1';

export const devicePrinters: Readonly<Record<string, Printer>> = {
  deviceclasses: printer<object>([NAME, AGE], (object, nowMs) => [object.metadata.name, age(object, nowMs)]),
  resourceclaims: printer<{ status?: { allocation?: unknown; reservedFor?: readonly unknown[] } }>(
    [NAME, 'State|A summary of the current state (allocated, pending, reserved, etc.).', AGE],
    (object, nowMs) => {
      const states = [
        ...(object.metadata.deletionTimestamp === undefined ? [] : ['deleted']),
        ...(object.status?.allocation === undefined ? ['pending'] : ['allocated']),
        ...((object.status?.reservedFor?.length ?? 0) > 0 ? ['reserved'] : []),
      ];
      return [object.metadata.name, states.join(','), age(object, nowMs)];
    },
  ),
  resourceclaimtemplates: printer<object>([NAME, AGE], (object, nowMs) => [
    object.metadata.name,
    age(object, nowMs),
  ]),
  resourceslices: printer<object>(
    [
      NAME,
      `Node|${RESOURCE}.ResourceSliceSpec.nodeName`,
      `Driver|${RESOURCE}.ResourceSliceSpec.driver`,
      `Pool|${RESOURCE}.ResourcePool.name`,
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      textAt(object, 'spec', 'nodeName') || NONE,
      textAt(object, 'spec', 'driver'),
      textAt(object, 'spec', 'pool', 'name'),
      age(object, nowMs),
    ],
  ),
};
