// The persistent volume controller: finds a volume for each claim, and lets volumes go when their claim is gone.
import {
  compareQuantities,
  isStatus,
  keyOf,
  labelSelectorOf,
  resources,
  type ObjectKey,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type StorageClass,
  type Stored,
} from '../../api/index.ts';
import type { Informer, Lister } from '../../client/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { messageOf } from '../pod-control.ts';
import { writeStatus } from '../status.ts';

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
/** The one provisioner that lives in the controller manager (--enable-hostpath-provisioner). */
const HOST_PATH_PROVISIONER = 'kubernetes.io/host-path';
const HOST_PATH_FOLDER = '/tmp/hostpath_pv';
/** Unbound claims are looked at again this often (--pvclaimbinder-sync-period). */
const RESYNC_MS = 15_000;
const CLASS_INDEX = 'storage-class';
const UNBOUND_INDEX = 'unbound';

/** Makes the persistent volume controller. */
export function makePersistentVolumeController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'persistentvolume-binder-controller',
    component: 'persistentvolume-controller',
    workers: 1,
    setUp(run) {
      const binder = new VolumeBinder(run);
      return (key) => binder.syncClaim(key);
    },
  });
}

class VolumeBinder {
  private readonly run: ControllerRun;
  private readonly claims: Informer<PersistentVolumeClaim>;
  private readonly volumes: Informer<PersistentVolume>;
  private readonly classes: Lister<StorageClass>;

  constructor(run: ControllerRun) {
    this.run = run;
    this.claims = run.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims);
    this.volumes = run.informer<PersistentVolume>(resources.persistentvolumes);
    this.classes = run.lister<StorageClass>(resources.storageclasses);
    this.volumes.indexer.addIndex(CLASS_INDEX, ({ spec }) => [spec?.storageClassName ?? '']);
    this.claims.indexer.addIndex(UNBOUND_INDEX, ({ status }) => (status?.phase === 'Bound' ? [] : ['']));
    const volumeQueue = run.addQueue(1, (name) => this.syncVolume(name));
    const claimChanged = (claim: Stored<PersistentVolumeClaim>): void => {
      run.enqueue(claim);
      if (claim.spec?.volumeName) volumeQueue.add(claim.spec.volumeName);
    };
    run.on(this.claims, { add: claimChanged, update: claimChanged, delete: claimChanged });
    const volumeChanged = (volume: Stored<PersistentVolume>): void => volumeQueue.add(keyOf(volume));
    run.on(this.volumes, {
      add: volumeChanged,
      update: volumeChanged,
      delete: (volume) => {
        const { namespace, name } = volume.spec?.claimRef ?? {};
        if (name !== undefined) run.queue.add(`${namespace}/${name}`);
      },
    });
    run.every(RESYNC_MS, () => this.claims.indexer.byIndex(UNBOUND_INDEX, '').forEach(run.enqueue));
  }

  async syncClaim(key: ObjectKey): Promise<void> {
    const claim = this.claims.lister.get(key);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return;
    const { volumeName } = claim.spec ?? {};
    if (volumeName) {
      const volume = this.volumes.lister.get(volumeName);
      if (volume !== undefined && isClaimable(volume, claim)) return this.bind(claim, volume);
      const phase = claim.metadata.annotations?.[BIND_COMPLETED] === undefined ? 'Pending' : 'Lost';
      if (phase === 'Lost' && claim.status?.phase !== 'Lost') {
        this.tell(
          claim,
          'Warning',
          'ClaimLost',
          'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
        );
      }
      return this.setPhase(claim, phase);
    }
    const volume = this.match(claim);
    if (volume !== undefined) return this.bind(claim, volume);
    await this.provisionOrWait(claim);
  }

  // ── Finding ──

  /** The smallest volume that has what the claim asks for. */
  private match(claim: Stored<PersistentVolumeClaim>): Stored<PersistentVolume> | undefined {
    const storageClass = this.classes.get(claim.spec?.storageClassName ?? '');
    const waits =
      storageClass?.volumeBindingMode === 'WaitForFirstConsumer' &&
      claim.metadata.annotations?.[SELECTED_NODE] === undefined;
    const candidates = this.volumes.indexer
      .byIndex(CLASS_INDEX, claim.spec?.storageClassName ?? '')
      .filter((volume) => isClaimable(volume, claim) && suits(volume, claim));
    const promised = candidates.find(({ spec }) => spec?.claimRef !== undefined);
    if (promised !== undefined || waits) return promised;
    return candidates.sort((a, b) => compareQuantities(storageOf(a), storageOf(b)))[0];
  }

  private async provisionOrWait(claim: Stored<PersistentVolumeClaim>): Promise<void> {
    await this.setPhase(claim, 'Pending');
    const name = claim.spec?.storageClassName ?? '';
    const preset = claim.spec?.storageClassName === undefined ? this.defaultClass() : undefined;
    if (preset !== undefined) {
      // There was no default when it was made (KEP-3333).
      const { namespace } = claim.metadata;
      const changed = { ...claim, spec: { ...claim.spec, storageClassName: preset } };
      await this.run.client.update<PersistentVolumeClaim>(resources.persistentvolumeclaims, changed, {
        namespace,
      });
      return;
    }
    if (name === '') {
      return this.tell(
        claim,
        'Normal',
        'FailedBinding',
        'no persistent volumes available for this claim and no storage class is set',
      );
    }
    const storageClass = this.classes.get(name);
    if (storageClass === undefined) {
      return this.tell(
        claim,
        'Warning',
        'ProvisioningFailed',
        `storageclass.storage.k8s.io "${name}" not found`,
      );
    }
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && selected === undefined) {
      return this.tell(
        claim,
        'Normal',
        'WaitForFirstConsumer',
        'waiting for first consumer to be created before binding',
      );
    }
    const { provisioner } = storageClass;
    if (provisioner === 'kubernetes.io/no-provisioner') return;
    if (provisioner === HOST_PATH_PROVISIONER) return this.provision(claim, storageClass);
    if (claim.metadata.annotations?.[STORAGE_PROVISIONER] !== provisioner) {
      const patch = { metadata: { annotations: { [STORAGE_PROVISIONER]: provisioner } } };
      const { namespace } = claim.metadata;
      await this.run.client.patch(
        resources.persistentvolumeclaims,
        claim.metadata.name,
        'application/merge-patch+json',
        patch,
        { namespace },
      );
    }
    const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    this.tell(claim, 'Normal', 'ExternalProvisioning', message);
  }

  /** The newest class that is marked as the default. */
  private defaultClass(): string | undefined {
    const marked = this.classes
      .list()
      .filter(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')
      .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1));
    return marked[0]?.metadata.name;
  }

  private async provision(
    claim: Stored<PersistentVolumeClaim>,
    storageClass: Stored<StorageClass>,
  ): Promise<void> {
    const { uid, name, namespace } = claim.metadata;
    const volume = `pvc-${uid}`;
    const object = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume, annotations: { [PROVISIONED_BY]: HOST_PATH_PROVISIONER } },
      spec: {
        accessModes: claim.spec?.accessModes,
        capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '0' },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
        hostPath: { path: `${HOST_PATH_FOLDER}/${uid}`, type: 'DirectoryOrCreate' },
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
        storageClassName: storageClass.metadata.name,
        volumeMode: claim.spec?.volumeMode ?? 'Filesystem',
      },
    };
    try {
      await this.run.client.create<PersistentVolume>(resources.persistentvolumes, object as PersistentVolume);
    } catch (error) {
      if (isStatus(error, 'AlreadyExists')) return;
      this.tell(
        claim,
        'Warning',
        'ProvisioningFailed',
        `Error creating provisioned PV object for claim ${keyOf(claim)}: ${messageOf(error)}. Deleting the volume.`,
      );
      throw error;
    }
    this.tell(
      claim,
      'Normal',
      'ProvisioningSucceeded',
      `Successfully provisioned volume ${volume} using ${HOST_PATH_PROVISIONER}`,
    );
  }

  // ── Binding ──

  /** Writes both sides, each at most once: volume, its phase, claim, its phase. */
  private async bind(claim: Stored<PersistentVolumeClaim>, found: Stored<PersistentVolume>): Promise<void> {
    const { client } = this.run;
    const { name, namespace, uid, resourceVersion } = claim.metadata;
    let volume = found;
    if (volume.spec?.claimRef?.uid !== uid) {
      const byController = volume.spec?.claimRef === undefined;
      const annotations = byController
        ? { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' }
        : volume.metadata.annotations;
      const claimRef = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name,
        namespace,
        uid,
        resourceVersion,
      };
      const object = {
        ...volume,
        metadata: { ...volume.metadata, annotations },
        spec: { ...volume.spec!, claimRef },
      };
      volume = await client.update<PersistentVolume>(resources.persistentvolumes, object);
    }
    volume = await writeStatus<PersistentVolume>(client, resources.persistentvolumes, volume, {
      ...volume.status,
      phase: 'Bound',
    });
    let bound = claim;
    if (
      claim.spec?.volumeName !== volume.metadata.name ||
      claim.metadata.annotations?.[BIND_COMPLETED] === undefined
    ) {
      const annotations: Record<string, string> = { ...claim.metadata.annotations, [BIND_COMPLETED]: 'yes' };
      if (!claim.spec?.volumeName) annotations[BOUND_BY_CONTROLLER] = 'yes';
      const spec = { ...claim.spec, volumeName: volume.metadata.name };
      const object = { ...claim, metadata: { ...claim.metadata, annotations }, spec };
      bound = await client.update<PersistentVolumeClaim>(resources.persistentvolumeclaims, object, {
        namespace,
      });
    }
    const status = {
      ...bound.status,
      phase: 'Bound' as const,
      accessModes: volume.spec?.accessModes,
      capacity: volume.spec?.capacity,
    };
    await writeStatus<PersistentVolumeClaim>(client, resources.persistentvolumeclaims, bound, status);
  }

  private async setPhase(claim: Stored<PersistentVolumeClaim>, phase: 'Pending' | 'Lost'): Promise<void> {
    if (claim.status?.phase === phase) return;
    await writeStatus<PersistentVolumeClaim>(this.run.client, resources.persistentvolumeclaims, claim, {
      ...claim.status,
      phase,
    });
  }

  /** A volume is available until claimed, and when its claim is gone it is released, or deleted. */
  private async syncVolume(name: string): Promise<void> {
    const volume = this.volumes.lister.get(name);
    if (volume === undefined || volume.metadata.deletionTimestamp !== undefined) return;
    const { claimRef, persistentVolumeReclaimPolicy } = volume.spec!;
    const phase = (text: 'Available' | 'Released'): Promise<unknown> =>
      writeStatus<PersistentVolume>(this.run.client, resources.persistentvolumes, volume, {
        ...volume.status,
        phase: text,
      });
    if (claimRef?.uid === undefined) {
      await phase('Available');
      for (const claim of this.claims.indexer.byIndex(UNBOUND_INDEX, '')) this.run.enqueue(claim);
      return;
    }
    const claim = this.claims.lister.get(`${claimRef.namespace}/${claimRef.name}`);
    if (claim?.metadata.uid === claimRef.uid) {
      if (volume.status?.phase !== 'Bound' || claim.status?.phase !== 'Bound') this.run.enqueue(claim);
      return;
    }
    if (volume.status?.phase === 'Failed') return; // Somebody has to look into it.
    await phase('Released');
    if (persistentVolumeReclaimPolicy !== 'Delete') return;
    if (isExternal(volume)) return; // Whoever made it deletes it.
    const problem = undeletable(volume);
    if (problem !== undefined) return this.fail(volume, problem);
    try {
      await this.run.client.delete(resources.persistentvolumes, name);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  private async fail(volume: Stored<PersistentVolume>, message: string): Promise<void> {
    const status = { ...volume.status, phase: 'Failed' as const, message };
    await writeStatus<PersistentVolume>(this.run.client, resources.persistentvolumes, volume, status);
    this.run.recorder.event(volume, 'Warning', 'VolumeFailedDelete', message);
  }

  private tell(
    claim: Stored<PersistentVolumeClaim>,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    this.run.recorder.event(claim, type, reason, message);
  }
}

/** Made by a provisioner outside the manager. */
function isExternal({ spec, metadata }: Stored<PersistentVolume>): boolean {
  const provisioner = metadata.annotations?.[PROVISIONED_BY];
  return spec?.csi !== undefined || (provisioner !== undefined && provisioner !== HOST_PATH_PROVISIONER);
}

/** Why no plugin of the manager deletes what is behind a volume; undefined if one does. */
function undeletable({ spec, metadata }: Stored<PersistentVolume>): string | undefined {
  const path = spec?.hostPath?.path;
  if (path === undefined)
    return `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`;
  return /^\/tmp\/.+/.test(path)
    ? undefined
    : `host_path deleter only supports /tmp/.+ but received provided ${path}`;
}

/** Nobody has it, or it is promised to this claim. */
function isClaimable(
  { spec, metadata }: Stored<PersistentVolume>,
  claim: Stored<PersistentVolumeClaim>,
): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const { claimRef } = spec!;
  if (claimRef === undefined) return true;
  if (claimRef.name !== claim.metadata.name || claimRef.namespace !== claim.metadata.namespace) return false;
  return claimRef.uid === undefined || claimRef.uid === '' || claimRef.uid === claim.metadata.uid;
}

function suits(volume: Stored<PersistentVolume>, { spec }: Stored<PersistentVolumeClaim>): boolean {
  const { accessModes = [], volumeMode = 'Filesystem' } = volume.spec!;
  if ((spec?.volumeMode ?? 'Filesystem') !== volumeMode) return false;
  if (!(spec?.accessModes ?? []).every((mode) => accessModes.includes(mode))) return false;
  if (spec?.selector !== undefined && !labelSelectorOf(spec.selector).matches(volume.metadata.labels))
    return false;
  return compareQuantities(storageOf(volume), spec?.resources?.requests?.['storage'] ?? '0') >= 0;
}

function storageOf({ spec }: PersistentVolume): string | number {
  return spec?.capacity?.['storage'] ?? '0';
}
