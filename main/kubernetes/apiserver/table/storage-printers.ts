// The printers of volumes, claims, classes and drivers (pkg/printers/internalversion).
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/types.ts';
import type { Printer } from '../kinds/kind.ts';
import { textAt } from '../object.ts';
import { AGE, NAME, NONE, UNSET, age, printer } from './columns.ts';
import { CORE } from './cells.ts';

const ACCESS_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesText(modes: readonly string[] | undefined): string {
  const present = new Set(modes ?? []);
  return Object.keys(ACCESS_MODES)
    .filter((mode) => present.has(mode))
    .map((mode) => ACCESS_MODES[mode])
    .join(',');
}

const STORAGE = '@io.k8s.api.storage.v1';
const CSI_DRIVER = `${STORAGE}.CSIDriverSpec`;

interface CsiDriver {
  readonly spec?: {
    readonly attachRequired?: boolean;
    readonly podInfoOnMount?: boolean;
    readonly storageCapacity?: boolean;
    readonly requiresRepublish?: boolean;
    readonly tokenRequests?: readonly { readonly audience?: string }[];
    readonly volumeLifecycleModes?: readonly string[];
  };
}

export const storagePrinters: Readonly<Record<string, Printer>> = {
  persistentvolumeclaims: printer<PersistentVolumeClaim>(
    [
      NAME,
      `Status|@${CORE}.PersistentVolumeClaimStatus.phase`,
      `Volume|@${CORE}.PersistentVolumeClaimSpec.volumeName`,
      `Capacity|@${CORE}.PersistentVolumeClaimStatus.capacity`,
      `Access Modes|@${CORE}.PersistentVolumeClaimStatus.accessModes`,
      'StorageClass|StorageClass of the pvc',
      'VolumeAttributesClass|VolumeAttributesClass of the pvc',
      AGE,
      `VolumeMode*|@${CORE}.PersistentVolumeClaimSpec.volumeMode`,
    ],
    (claim, nowMs) => {
      const { spec, status } = claim;
      const isBound = (spec?.volumeName ?? '') !== '';
      return [
        claim.metadata.name,
        claim.metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
        spec?.volumeName ?? '',
        isBound ? String(status?.capacity?.['storage'] ?? '') : '',
        isBound ? modesText(status?.accessModes) : '',
        spec?.storageClassName ?? '',
        spec?.volumeAttributesClassName ?? UNSET,
        age(claim, nowMs),
        spec?.volumeMode ?? UNSET,
      ];
    },
  ),
  persistentvolumes: printer<PersistentVolume>(
    [
      NAME,
      `Capacity|@${CORE}.PersistentVolumeSpec.capacity`,
      `Access Modes|@${CORE}.PersistentVolumeSpec.accessModes`,
      `Reclaim Policy|@${CORE}.PersistentVolumeSpec.persistentVolumeReclaimPolicy`,
      `Status|@${CORE}.PersistentVolumeStatus.phase`,
      `Claim|@${CORE}.PersistentVolumeSpec.claimRef`,
      'StorageClass|StorageClass of the pv',
      'VolumeAttributesClass|VolumeAttributesClass of the pv',
      `Reason|@${CORE}.PersistentVolumeStatus.reason`,
      AGE,
      `VolumeMode*|@${CORE}.PersistentVolumeSpec.volumeMode`,
    ],
    (volume, nowMs) => {
      const { spec, status } = volume;
      const claim = spec?.claimRef;
      return [
        volume.metadata.name,
        String(spec?.capacity?.['storage'] ?? ''),
        modesText(spec?.accessModes),
        spec?.persistentVolumeReclaimPolicy ?? '',
        volume.metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
        claim === undefined ? '' : `${claim.namespace}/${claim.name}`,
        spec?.storageClassName ?? '',
        spec?.volumeAttributesClassName ?? UNSET,
        status?.reason ?? '',
        age(volume, nowMs),
        spec?.volumeMode ?? UNSET,
      ];
    },
  ),
  storageclasses: printer<StorageClass>(
    [
      NAME,
      'Provisioner|@io.k8s.api.storage.v1.StorageClass.provisioner',
      'ReclaimPolicy|@io.k8s.api.storage.v1.StorageClass.reclaimPolicy',
      'VolumeBindingMode|@io.k8s.api.storage.v1.StorageClass.volumeBindingMode',
      'AllowVolumeExpansion|@io.k8s.api.storage.v1.StorageClass.allowVolumeExpansion',
      AGE,
    ],
    (object, nowMs) => {
      const isDefault =
        object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
      return [
        isDefault ? `${object.metadata.name} (default)` : object.metadata.name,
        object.provisioner,
        object.reclaimPolicy ?? 'Delete',
        object.volumeBindingMode ?? 'Immediate',
        object.allowVolumeExpansion ?? false,
        age(object, nowMs),
      ];
    },
  ),
  csinodes: printer<{ spec?: { drivers?: unknown[] } }>(
    [NAME, 'i:Drivers|Drivers indicates the number of CSI drivers registered on the node', AGE],
    (object, nowMs) => [object.metadata.name, object.spec?.drivers?.length ?? 0, age(object, nowMs)],
  ),
  csidrivers: printer<CsiDriver>(
    [
      NAME,
      `b:AttachRequired|${CSI_DRIVER}.attachRequired`,
      `b:PodInfoOnMount|${CSI_DRIVER}.podInfoOnMount`,
      `b:StorageCapacity|${CSI_DRIVER}.storageCapacity`,
      `TokenRequests|${CSI_DRIVER}.tokenRequests`,
      `b:RequiresRepublish|${CSI_DRIVER}.requiresRepublish`,
      `Modes|${CSI_DRIVER}.volumeLifecycleModes`,
      AGE,
    ],
    (object, nowMs) => {
      const spec = object.spec ?? {};
      const audiences = (spec.tokenRequests ?? []).map(({ audience = '' }) => audience);
      return [
        object.metadata.name,
        spec.attachRequired ?? true,
        spec.podInfoOnMount ?? false,
        spec.storageCapacity ?? false,
        audiences.length === 0 ? UNSET : audiences.join(','),
        spec.requiresRepublish ?? false,
        (spec.volumeLifecycleModes ?? []).join(',') || NONE,
        age(object, nowMs),
      ];
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
      textAt(object, 'capacity') || UNSET,
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
};
