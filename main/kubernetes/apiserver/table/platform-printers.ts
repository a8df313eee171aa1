// Printers of what extends or carries a cluster, by plural: admission, storage drivers, addresses, flow control, devices.
import type { Printer } from '../kinds/kind.ts';
import { textAt } from '../object.ts';
import { age, AGE, NAME, NONE, printer, UNSET } from './columns.ts';

const STORAGE = '@io.k8s.api.storage.v1';
const RESOURCE = '@io.k8s.api.resource.v1';

const orElse = (text: string, other: string): string => (text === '' ? other : text);

export const platformPrinters: Readonly<Record<string, Printer>> = {
  componentstatuses: printer<{
    conditions?: readonly { type: string; status: string; message?: string; error?: string }[];
  }>(
    [
      NAME,
      'Status|Status of the component conditions',
      'Message|Message of the component conditions',
      'Error|Error of the component conditions',
    ],
    (object) => {
      const healthy = object.conditions?.find(({ type }) => type === 'Healthy');
      const status =
        healthy?.status === 'True' ? 'Healthy' : healthy?.status === 'False' ? 'Unhealthy' : 'Unknown';
      return [object.metadata.name, status, healthy?.message ?? '', healthy?.error ?? ''];
    },
  ),
  csistoragecapacities: printer<object>(
    [
      NAME,
      `StorageClassName|${STORAGE}.CSIStorageCapacity.storageClassName`,
      `Capacity|${STORAGE}.CSIStorageCapacity.capacity`,
    ],
    (object) => [
      object.metadata.name,
      textAt(object, 'storageClassName'),
      orElse(textAt(object, 'capacity'), UNSET),
    ],
  ),
  volumeattachments: printer<{ status?: { attached?: boolean } }>(
    [
      NAME,
      `Attacher|${STORAGE}.VolumeAttachmentSpec.attacher`,
      `PV|${STORAGE}.VolumeAttachmentSource.persistentVolumeName`,
      `Node|${STORAGE}.VolumeAttachmentSpec.nodeName`,
      `b:Attached|${STORAGE}.VolumeAttachmentStatus.attached`,
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      textAt(object, 'spec', 'attacher'),
      textAt(object, 'spec', 'source', 'persistentVolumeName'),
      textAt(object, 'spec', 'nodeName'),
      object.status?.attached ?? false,
      age(object, nowMs),
    ],
  ),
  volumeattributesclasses: printer<object>(
    [NAME, `DriverName|${STORAGE}.VolumeAttributesClass.driverName`, AGE],
    (object, nowMs) => [object.metadata.name, textAt(object, 'driverName'), age(object, nowMs)],
  ),
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
      orElse(textAt(object, 'spec', 'nodeName'), NONE),
      textAt(object, 'spec', 'driver'),
      textAt(object, 'spec', 'pool', 'name'),
      age(object, nowMs),
    ],
  ),
  // The one table whose name column has no format (registerScaleHandlers).
};
