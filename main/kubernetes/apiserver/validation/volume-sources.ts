// Sources of volumes that pods and persistent volumes share (pkg/apis/core/validation validate…VolumeSource).
import { required } from '../refusals.ts';
import { subdomainProblems } from '../kinds/names.ts';
import type { Faults } from './checks.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const MODE_MAX = 0o777;

/** What a source may have, whatever its kind; all but the kind's own members are absent. */
export interface VolumeMembers {
  readonly path?: string;
  readonly type?: string;
  readonly server?: string;
  readonly pdName?: string;
  readonly volumeID?: string;
  readonly partition?: number;
  readonly repository?: string;
  readonly directory?: string;
  readonly targetPortal?: string;
  readonly iqn?: string;
  readonly lun?: number;
  readonly endpoints?: string;
  readonly monitors?: readonly string[];
  readonly image?: string;
  readonly datasetName?: string;
  readonly datasetUUID?: string;
  readonly targetWWNs?: readonly string[];
  readonly wwids?: readonly string[];
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly secretName?: string;
  readonly shareName?: string;
  readonly registry?: string;
  readonly volume?: string;
  readonly volumePath?: string;
  readonly pdID?: string;
  readonly diskName?: string;
  readonly diskURI?: string;
  readonly gateway?: string;
  readonly system?: string;
  readonly volumeName?: string;
  readonly volumeHandle?: string;
}

export function checkNoBacksteps(faults: Faults, field: string, path: string): boolean {
  if (!path.split('/').includes('..')) return true;
  faults.invalid(field, path, "must not contain '..'");
  return false;
}

/** A path below something, which may not lead out of it. */
export function checkRelativePath(faults: Faults, field: string, path: string): void {
  if (path.startsWith('/')) faults.invalid(field, path, 'must be a relative path');
  checkNoBacksteps(faults, field, path);
}

/** A path of a file in a volume that the kubelet writes; names that begin with `..` are its own. */
export function checkFilePath(faults: Faults, field: string, path: string): void {
  checkRelativePath(faults, field, path);
  if (path.startsWith('..') && !path.startsWith('../'))
    faults.invalid(field, path, "must not start with '..'");
}

export function checkMode(faults: Faults, field: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > MODE_MAX))
    faults.invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive');
}

function hostPath(faults: Faults, at: string, { path, type }: VolumeMembers): void {
  if (!faults.required(`${at}.path`, path)) return;
  checkNoBacksteps(faults, `${at}.path`, path!);
  faults.word(`${at}.type`, type, HOST_PATH_TYPES);
}

function nfs(faults: Faults, at: string, { server, path = '' }: VolumeMembers): void {
  faults.required(`${at}.server`, server);
  faults.required(`${at}.path`, path);
  if (!path.startsWith('/')) faults.invalid(`${at}.path`, path, 'must be an absolute path');
}

function iscsi(faults: Faults, at: string, { targetPortal, iqn = '', lun = 0 }: VolumeMembers): void {
  faults.required(`${at}.targetPortal`, targetPortal);
  if (faults.required(`${at}.iqn`, iqn) && !/^(iqn|eui|naa)/.test(iqn))
    faults.invalid(`${at}.iqn`, iqn, 'must be valid format starting with iqn, eui, or naa');
  faults.between(`${at}.lun`, lun, 0, 255);
}

function fc(faults: Faults, at: string, { targetWWNs = [], wwids = [], lun }: VolumeMembers): void {
  if (targetWWNs.length < 1 && wwids.length < 1)
    faults.add(required(`${at}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (targetWWNs.length > 0 && wwids.length > 0)
    faults.invalid(
      `${at}.targetWWNs`,
      targetWWNs,
      'targetWWNs and wwids can not be specified simultaneously',
    );
  if (targetWWNs.length > 0) {
    if (lun === undefined) faults.add(required(`${at}.lun`, 'lun is required if targetWWNs is specified'));
    else faults.between(`${at}.lun`, lun, 0, 255);
  }
}

function flocker(faults: Faults, at: string, { datasetName = '', datasetUUID = '' }: VolumeMembers): void {
  if (datasetName === '' && datasetUUID === '')
    faults.add(required(at, 'one of datasetName and datasetUUID is required'));
  if (datasetName !== '' && datasetUUID !== '')
    faults.invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously');
  if (datasetName.includes('/')) faults.invalid(`${at}.datasetName`, datasetName, "must not contain '/'");
}

function flexVolume(faults: Faults, at: string, { driver, options = {} }: VolumeMembers): void {
  faults.required(`${at}.driver`, driver);
  for (const key of Object.keys(options)) {
    const domain = key.toLowerCase().split('/')[0]!;
    if (['kubernetes.io', 'k8s.io'].some((name) => domain === name || domain.endsWith(`.${name}`)))
      faults.invalid(`${at}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved');
  }
}

function csi(faults: Faults, at: string, { driver = '', volumeHandle }: VolumeMembers): void {
  checkDriverName(faults, `${at}.driver`, driver);
  faults.required(`${at}.volumeHandle`, volumeHandle);
}

const DRIVER_NAME_MAX = 63;

/** The name of a CSI driver. */
export function checkDriverName(faults: Faults, field: string, name: string): void {
  faults.required(field, name);
  if (name.length > DRIVER_NAME_MAX) faults.tooLong(field, DRIVER_NAME_MAX);
  faults.problems(field, name.toLowerCase(), subdomainProblems(name.toLowerCase()));
}

type SourceCheck = (faults: Faults, at: string, source: VolumeMembers) => void;

/** A source that only has to have some members. */
function members(...names: readonly (keyof VolumeMembers)[]): SourceCheck {
  return (faults, at, source) => {
    for (const name of names) {
      const value = source[name];
      if (Array.isArray(value) ? value.length === 0 : (value ?? '') === '')
        faults.add(required(`${at}.${name}`));
    }
  };
}

/** A disk of a cloud, with a partition. */
function disk(name: keyof VolumeMembers): SourceCheck {
  return (faults, at, source) => {
    members(name)(faults, at, source);
    faults.between(`${at}.partition`, source.partition, 0, 255);
  };
}

/** Checks by the kind of source; those of pods only are in pod-volumes.ts. */
export const sharedSources: Readonly<Record<string, SourceCheck>> = {
  hostPath,
  nfs,
  iscsi,
  fc,
  flocker,
  flexVolume,
  csi,
  gcePersistentDisk: disk('pdName'),
  awsElasticBlockStore: disk('volumeID'),
  glusterfs: members('endpoints', 'path'),
  rbd: members('monitors', 'image'),
  cinder: members('volumeID'),
  cephfs: members('monitors'),
  azureFile: members('secretName', 'shareName'),
  quobyte: members('registry', 'volume'),
  vsphereVolume: members('volumePath'),
  photonPersistentDisk: members('pdID'),
  portworxVolume: members('volumeID'),
  azureDisk: members('diskName', 'diskURI'),
  storageos: members(),
  scaleIO: members('gateway', 'system', 'volumeName'),
};
