// Volumes of pods, and what containers mount of them (pkg/apis/core/validation ValidateVolumes, ValidateVolumeMounts).
import type { Container, PodSpec, Volume } from '../../api/types.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { required } from '../refusals.ts';
import { Faults } from './checks.ts';
import { checkClaimTemplate } from './claims.ts';
import { checkFieldRef, checkResourceRef, VOLUME_FIELDS } from './pod-env.ts';
import { nanoOf } from './resources.ts';
import {
  checkDriverName,
  checkFilePath,
  checkMode,
  checkNoBacksteps,
  checkRelativePath,
  sharedSources,
  type VolumeMembers,
} from './volume-sources.ts';

/** Kinds of source in the order in which the server looks at them. */
const KINDS = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const;

/** A pod's volumes; returns those without faults, which may be mounted. */
export function checkVolumes(
  faults: Faults,
  path: string,
  spec: PodSpec | undefined,
  meta: ObjectMeta | undefined,
): Map<string, Volume> {
  const mountable = new Map<string, Volume>();
  for (const [index, volume] of (spec?.volumes ?? []).entries()) {
    const at = `${path}[${index}]`;
    const own = new Faults();
    checkSource(own, at, volume, meta);
    const { name = '' } = volume as Partial<Volume>;
    if (name === '') own.add(required(`${at}.name`));
    else own.label(`${at}.name`, name);
    if (mountable.has(name)) own.duplicate(`${at}.name`, name);
    if (own.all.length === 0) mountable.set(name, volume);
    faults.add(...own.all);
  }
  return mountable;
}

function checkSource(faults: Faults, at: string, volume: Volume, meta: ObjectMeta | undefined): void {
  let seen = 0;
  for (const kind of KINDS) {
    const source = volume[kind];
    if (source === undefined) continue;
    if (seen++ > 0) faults.forbidden(`${at}.${kind}`, 'may not specify more than 1 volume type');
    else if (kind in podSources) podSources[kind]!(faults, at, volume, meta);
    else sharedSources[kind]?.(faults, `${at}.${kind}`, source as VolumeMembers);
  }
  if (seen === 0) faults.add(required(at, 'must specify a volume type'));
}

type PodSourceCheck = (faults: Faults, at: string, volume: Volume, meta: ObjectMeta | undefined) => void;

const podSources: Readonly<Record<string, PodSourceCheck>> = {
  emptyDir(faults, at, { emptyDir }) {
    if (emptyDir?.sizeLimit !== undefined && nanoOf(emptyDir.sizeLimit) < 0n)
      faults.forbidden(`${at}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity');
  },
  gitRepo(faults, at, { gitRepo }) {
    faults.required(`${at}.gitRepo.repository`, gitRepo?.repository);
    checkFilePath(faults, `${at}.gitRepo.directory`, gitRepo?.directory ?? '');
  },
  secret(faults, at, { secret }) {
    faults.required(`${at}.secret.secretName`, secret?.secretName);
    checkKeys(faults, `${at}.secret`, secret!);
  },
  configMap(faults, at, { configMap }) {
    faults.required(`${at}.configMap.name`, configMap?.name);
    checkKeys(faults, `${at}.configMap`, configMap!);
  },
  persistentVolumeClaim(faults, at, { persistentVolumeClaim }) {
    faults.required(`${at}.persistentVolumeClaim.claimName`, persistentVolumeClaim?.claimName);
  },
  downwardAPI(faults, at, { downwardAPI }) {
    checkMode(faults, `${at}.downwardAPI.defaultMode`, downwardAPI?.defaultMode);
    for (const item of downwardAPI?.items ?? []) checkDownwardFile(faults, `${at}.downwardAPI`, item);
  },
  projected: (faults, at, { projected }) => checkProjected(faults, `${at}.projected`, projected!),
  csi(faults, at, { csi }) {
    checkDriverName(faults, `${at}.csi.driver`, csi?.driver ?? '');
    if (csi?.nodePublishSecretRef !== undefined)
      faults.required(`${at}.csi.nodePublishSecretRef.name`, csi.nodePublishSecretRef.name);
  },
  ephemeral(faults, at, { name, ephemeral }, meta) {
    const template = ephemeral?.volumeClaimTemplate;
    if (template === undefined) faults.add(required(`${at}.ephemeral.volumeClaimTemplate`));
    else checkClaimTemplate(faults, `${at}.ephemeral.volumeClaimTemplate`, template);
    if ((meta?.name ?? '') === '' || name === '') return;
    const claim = `${meta!.name}-${name}`;
    for (const problem of subdomainProblems(claim))
      faults.invalid(`${at}.name`, claim, `PVC name: ${problem}`);
  },
  image(faults, at, { image }) {
    const { reference = '', pullPolicy } = image ?? {};
    if (reference === '') faults.add(required(`${at}.image.reference`));
    else if (reference.trim() !== reference)
      faults.invalid(`${at}.image.reference`, reference, 'must not have leading or trailing whitespace');
    faults.word(`${at}.image.pullPolicy`, pullPolicy, ['Always', 'IfNotPresent', 'Never']);
  },
};

interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

function checkKeyToPath(faults: Faults, at: string, { key, path, mode }: KeyToPath): void {
  faults.required(`${at}.key`, key);
  faults.required(`${at}.path`, path);
  checkFilePath(faults, `${at}.path`, path);
  checkMode(faults, `${at}.mode`, mode);
}

function checkKeys(
  faults: Faults,
  at: string,
  { defaultMode, items }: { readonly defaultMode?: number; readonly items?: readonly KeyToPath[] },
): void {
  checkMode(faults, `${at}.defaultMode`, defaultMode);
  for (const [index, item] of (items ?? []).entries()) checkKeyToPath(faults, `${at}.items[${index}]`, item);
}

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

function checkDownwardFile(faults: Faults, at: string, file: Partial<DownwardFile>): void {
  const { path = '', fieldRef, resourceFieldRef, mode } = file;
  faults.required(`${at}.path`, path);
  checkFilePath(faults, `${at}.path`, path);
  if (fieldRef !== undefined) {
    checkFieldRef(faults, `${at}.fieldRef`, fieldRef, VOLUME_FIELDS);
    if (resourceFieldRef !== undefined)
      faults.invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
  } else if (resourceFieldRef !== undefined)
    checkResourceRef(faults, `${at}.resourceFieldRef`, resourceFieldRef as never, true);
  else faults.add(required(at, 'one of fieldRef and resourceFieldRef is required'));
  checkMode(faults, `${at}.mode`, mode);
}

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

function checkProjected(faults: Faults, at: string, projected: NonNullable<Volume['projected']>): void {
  checkMode(faults, `${at}.defaultMode`, projected.defaultMode);
  const paths = new Set<string>();
  const place = (path: string, name: string): void => {
    if (path === '') return;
    if (paths.has(path)) faults.invalid(at, name, 'conflicting duplicate paths');
    paths.add(path);
  };
  for (const [index, source] of (projected.sources ?? []).entries()) {
    const path = `${at}.sources[${index}]`;
    let seen = 0;
    const isFirst = (kind: string): boolean => {
      if (seen++ === 0) return true;
      faults.forbidden(`${path}.${kind}`, 'may not specify more than 1 volume type');
      return false;
    };
    for (const kind of ['secret', 'configMap'] as const) {
      const from = source[kind];
      if (from === undefined || !isFirst(kind)) continue;
      faults.required(`${path}.${kind}.name`, from.name);
      for (const [position, item] of (from.items ?? []).entries()) {
        checkKeyToPath(faults, `${path}.${kind}.items[${position}]`, item);
        place(item.path, from.name ?? '');
      }
    }
    if (source.downwardAPI !== undefined && isFirst('downwardAPI')) {
      for (const item of source.downwardAPI.items ?? []) {
        checkDownwardFile(faults, `${path}.downwardAPI`, item);
        place(item.path, item.path);
      }
    }
    const token = source.serviceAccountToken;
    if (token !== undefined && isFirst('serviceAccountToken')) {
      const field = `${path}.serviceAccountToken`;
      const seconds = token.expirationSeconds ?? TOKEN_SECONDS_MIN;
      if (seconds < TOKEN_SECONDS_MIN)
        faults.invalid(
          `${field}.expirationSeconds`,
          seconds,
          'may not specify a duration less than 10 minutes',
        );
      if (seconds > TOKEN_SECONDS_MAX)
        faults.invalid(
          `${field}.expirationSeconds`,
          seconds,
          'may not specify a duration larger than 2^32 seconds',
        );
      if (token.path === '') faults.add(required(`${field}.path`));
      else checkFilePath(faults, `${at}.path`, token.path);
      place(token.path, token.path);
    }
    const bundle = source.clusterTrustBundle;
    if (bundle !== undefined && isFirst('clusterTrustBundle')) {
      const field = `${path}.clusterTrustBundle`;
      if ((bundle.name ?? '') === '' && (bundle.signerName ?? '') === '')
        faults.add(required(field, 'either name or signerName must be specified'));
      if (faults.required(`${field}.path`, bundle.path)) checkFilePath(faults, `${field}.path`, bundle.path);
    }
  }
}

/** What a container mounts of the pod's volumes, as files and as devices. */
export function checkMounts(
  faults: Faults,
  at: string,
  container: Container,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const { volumeMounts = [], volumeDevices = [], securityContext } = container;
  const paths = new Set<string>();
  for (const [index, mount] of volumeMounts.entries()) {
    const field = `${at}.volumeMounts[${index}]`;
    const { name, mountPath, subPath = '', subPathExpr = '' } = mount;
    faults.required(`${field}.name`, name);
    if (!volumes.has(name)) faults.notFound(`${field}.name`, name);
    faults.required(`${field}.mountPath`, mountPath);
    if (paths.has(mountPath)) faults.invalid(`${field}.mountPath`, mountPath, 'must be unique');
    paths.add(mountPath);
    if (volumeDevices.some((device) => device.name === name))
      faults.invalid(`${field}.name`, name, 'must not already exist in volumeDevices');
    if (volumeDevices.some(({ devicePath }) => devicePath === mountPath))
      faults.invalid(`${field}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices');
    // These two fields are named without their index.
    if (subPath !== '') checkRelativePath(faults, `${at}.volumeMounts.subPath`, subPath);
    if (subPathExpr !== '') {
      if (subPath !== '')
        faults.invalid(`${field}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive');
      checkRelativePath(faults, `${at}.volumeMounts.subPathExpr`, subPathExpr);
    }
    const propagation = mount.mountPropagation;
    faults.word(`${at}.volumeMounts.mountPropagation`, propagation, [
      'Bidirectional',
      'HostToContainer',
      'None',
    ]);
    if (propagation === 'Bidirectional' && securityContext?.privileged !== true)
      faults.forbidden(
        `${at}.volumeMounts.mountPropagation`,
        'Bidirectional mount propagation is available only to privileged containers',
      );
    checkRecursion(faults, `${at}.volumeMounts.recursiveReadOnly`, mount);
  }
  checkDevices(faults, `${at}.volumeDevices`, container, volumes);
}

type Mount = NonNullable<Container['volumeMounts']>[number];

function checkRecursion(faults: Faults, field: string, mount: Mount): void {
  const { recursiveReadOnly, readOnly, mountPropagation } = mount;
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return;
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    faults.unsupported(field, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']);
    return;
  }
  if (readOnly !== true) faults.forbidden(field, 'may only be specified when readOnly is true');
  if (mountPropagation !== undefined && mountPropagation !== 'None')
    faults.forbidden(field, 'may only be specified when mountPropagation is None or not specified');
}

function checkDevices(
  faults: Faults,
  path: string,
  { volumeDevices = [], volumeMounts = [] }: Container,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, { name, devicePath }] of volumeDevices.entries()) {
    const at = `${path}[${index}]`;
    faults.required(`${at}.name`, name);
    if (names.has(name)) faults.invalid(`${at}.name`, name, 'must be unique');
    names.add(name);
    const volume = volumes.get(name);
    if (volume === undefined) faults.notFound(`${at}.name`, name);
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined)
      faults.invalid(
        `${at}.name`,
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      );
    if (devicePath === '') faults.add(required(`${at}.devicePath`));
    if (paths.has(devicePath)) faults.invalid(`${at}.devicePath`, devicePath, 'must be unique');
    if (devicePath !== '' && !checkNoBacksteps(new Faults(), '', devicePath))
      faults.invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')");
    else paths.add(devicePath);
    if (volumeMounts.some((mount) => mount.name === name))
      faults.invalid(`${at}.name`, name, 'must not already exist in volumeMounts');
    if (volumeMounts.some(({ mountPath }) => mountPath === devicePath))
      faults.invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts');
  }
}
