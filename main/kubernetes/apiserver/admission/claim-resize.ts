// PersistentVolumeClaimResize: only claims whose class allows it may grow (plugin/pkg/admission/storage/persistentvolume/resize).
import { compareQuantities } from '../../api/quantity.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/types.ts';
import { forbidden } from '../refusals.ts';
import type { AdmissionPlugin } from './admission.ts';

function requestedOf(claim: PersistentVolumeClaim): string {
  return String(claim.spec?.resources?.requests?.['storage'] ?? '0');
}

export const claimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  validate({ operation, served, object, old, context }) {
    const { group, plural } = served.resource;
    if (operation !== 'UPDATE' || group !== '' || plural !== 'persistentvolumeclaims') return;
    if (context.subresource !== '') return;
    const claim = object as PersistentVolumeClaim;
    const before = old as PersistentVolumeClaim;
    if (compareQuantities(requestedOf(before), requestedOf(claim)) >= 0) return;
    const refuse = (why: string): Error => forbidden(served.resource, before.metadata?.name ?? '', why);
    if (before.status?.phase !== 'Bound') throw refuse('Only bound persistent volume claims can be expanded');
    const name = claim.spec?.storageClassName ?? '';
    const storageClass = context.objects.get('storageclasses', 'storage.k8s.io', '', name);
    if ((storageClass as StorageClass | undefined)?.allowVolumeExpansion !== true) {
      throw refuse(
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
    }
  },
};
