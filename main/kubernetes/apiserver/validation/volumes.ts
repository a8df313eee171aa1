// PersistentVolumes (pkg/apis/core/validation ValidatePersistentVolume).
import type { PersistentVolume } from '../../api/types.ts';
import { equalTrees, type Tree } from '../object.ts';
import { required } from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';
import type { Faults } from './checks.ts';
import { checkAccessModes, checkVolumeMode } from './claims.ts';
import { internalForm } from './internal-form.ts';
import { checkNodeSelector } from './node-selector.ts';
import { checkAmount, checkResourceName, nanoOf, type Amounts } from './resources.ts';
import { diffOf } from './unified-diff.ts';
import { checkNoBacksteps, sharedSources, type VolumeMembers } from './volume-sources.ts';
import { immutable, validator, type Validator } from './validator.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

/** Kinds of source in the order in which the server looks at them. */
const KINDS = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const;

function checkVolume(faults: Faults, { spec }: PersistentVolume): void {
  const modes: readonly string[] = spec?.accessModes ?? [];
  if (modes.length === 0) faults.add(required('spec.accessModes'));
  checkAccessModes(faults, 'spec.accessModes', modes);
  checkCapacity(faults, spec?.capacity as Amounts | undefined);
  if (spec?.nodeAffinity !== undefined) {
    if (spec.nodeAffinity.required === undefined)
      faults.add(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else checkNodeSelector(faults, 'spec.nodeAffinity.required', spec.nodeAffinity.required);
  }
  const policy = spec?.persistentVolumeReclaimPolicy ?? '';
  if (policy !== '') faults.word('spec.persistentVolumeReclaimPolicy', policy, RECLAIM_POLICIES);
  checkSource(faults, spec);
  if (policy === 'Recycle' && spec?.hostPath?.path === '/')
    faults.forbidden(
      'spec.persistentVolumeReclaimPolicy',
      "may not be 'recycle' for a hostPath mount of '/'",
    );
  if ((spec?.storageClassName ?? '') !== '')
    faults.subdomain('spec.storageClassName', spec!.storageClassName!);
  checkVolumeMode(faults, 'spec.volumeMode', spec?.volumeMode);
  if ((spec?.volumeAttributesClassName ?? '') !== '') {
    faults.subdomain('spec.volumeAttributesClassName', spec!.volumeAttributesClassName!);
    if (spec?.csi === undefined)
      faults.add(required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  } else if (spec?.volumeAttributesClassName === '')
    faults.add(required('spec.volumeAttributesClassName', 'an empty string is disallowed'));
}

function checkCapacity(faults: Faults, capacity: Amounts | undefined): void {
  const amounts = sortedEntries(capacity);
  if (amounts.length === 0) faults.add(required('spec.capacity'));
  if (capacity?.['storage'] === undefined || amounts.length > 1)
    faults.unsupported('spec.capacity', capacity ?? null, ['storage']);
  for (const [name, value] of amounts) {
    checkResourceName(faults, `spec.capacity[${name}]`, name);
    checkAmount(faults, `spec.capacity[${name}]`, name, value);
    if (nanoOf(value) <= 0n)
      faults.invalid(`spec.capacity[${name}]`, String(value), 'must be greater than zero');
  }
}

function checkSource(faults: Faults, spec: VolumeSpec | undefined): void {
  let seen = 0;
  for (const kind of KINDS) {
    const source = spec?.[kind];
    if (source === undefined) continue;
    if (seen++ > 0) faults.forbidden(`spec.${kind}`, 'may not specify more than 1 volume type');
    else if (kind === 'local') checkLocal(faults, spec!);
    else sharedSources[kind]?.(faults, `spec.${kind}`, source as VolumeMembers);
  }
  if (seen === 0) faults.add(required('spec', 'must specify a volume type'));
}

function checkLocal(faults: Faults, { local, nodeAffinity }: VolumeSpec): void {
  if (faults.required('spec.local.path', local?.path))
    checkNoBacksteps(faults, 'spec.local.path', local!.path);
  if (nodeAffinity === undefined)
    faults.add(required('spec.nodeAffinity', 'Local volume requires node affinity'));
}

const sourceOf = (spec: VolumeSpec | undefined): Tree =>
  Object.fromEntries(KINDS.map((kind) => [kind, spec?.[kind]]));

function checkVolumeUpdate(faults: Faults, volume: PersistentVolume, old: PersistentVolume): void {
  checkVolume(faults, volume);
  const [now, before] = [sourceOf(volume.spec), sourceOf(old.spec)];
  // Which secret is used to expand a volume may be said later.
  const [csi, had] = [now['csi'], before['csi']] as { controllerExpandSecretRef?: unknown }[];
  if (csi !== undefined && had !== undefined && had.controllerExpandSecretRef === undefined)
    now['csi'] = { ...csi, controllerExpandSecretRef: undefined };
  if (!equalTrees(now, before)) {
    const [was, is] = [before, now].map((source) => internalForm('PersistentVolumeSource', source));
    faults.forbidden(
      'spec.persistentvolumesource',
      `spec.persistentvolumesource is immutable after creation\n${diffOf(was, is)}`,
    );
  }
  immutable(faults, 'volumeMode', volume.spec?.volumeMode, old.spec?.volumeMode);
  const [affinity, bound] = [volume.spec?.nodeAffinity, old.spec?.nodeAffinity];
  if (bound !== undefined && !equalTrees(affinity, bound))
    faults.invalid(
      'spec.nodeAffinity',
      affinity === undefined ? null : internalForm('VolumeNodeAffinity', affinity),
      'field is immutable, except for updating from beta label to GA',
    );
}

export const volumeValidators: Readonly<Record<string, Validator>> = {
  persistentvolumes: validator<PersistentVolume>({ create: checkVolume, update: checkVolumeUpdate }),
};
