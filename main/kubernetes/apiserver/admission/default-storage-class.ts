// DefaultStorageClass: a claim that names no class gets the default one (plugin/pkg/admission/storage/storageclass/setdefault).
import type { PersistentVolumeClaim } from '../../api/types.ts';
import type { StoredObject } from '../object.ts';
import type { AdmissionPlugin } from './admission.ts';

const DEFAULT = 'storageclass.kubernetes.io/is-default-class';
const DEFAULT_BETA = 'storageclass.beta.kubernetes.io/is-default-class';
const CLASS_BETA = 'volume.beta.kubernetes.io/storage-class';

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  mutate({ operation, served, object, context }) {
    const { group, plural } = served.resource;
    if (operation !== 'CREATE' || group !== '' || plural !== 'persistentvolumeclaims') return;
    if (context.subresource !== '') return;
    const claim = object as PersistentVolumeClaim;
    // An empty name is one too: it asks for volumes without a class.
    if (claim.spec?.storageClassName != null || claim.metadata?.annotations?.[CLASS_BETA] !== undefined)
      return;
    const [chosen] = context.objects
      .list('storageclasses', 'storage.k8s.io')
      .filter(isDefault)
      .sort(newestFirst);
    if (chosen !== undefined) claim.spec = { ...claim.spec, storageClassName: chosen.metadata.name };
  },
};

function isDefault({ metadata }: StoredObject): boolean {
  return metadata.annotations?.[DEFAULT] === 'true' || metadata.annotations?.[DEFAULT_BETA] === 'true';
}

/** Of several defaults the newest counts; of one age, the first by name. */
function newestFirst(a: StoredObject, b: StoredObject): number {
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? 1 : -1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
