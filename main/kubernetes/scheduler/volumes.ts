// Volumes: claims must exist and be bound, or be ready to be bound where the pod goes.
import type { Clock } from '../../simulation/index.ts';
import {
  resources,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Stored,
  type StorageClass,
} from '../api/index.ts';
import type { ApiClient, Informer, Lister } from '../client/index.ts';
import type { ClusterState } from './cluster-state.ts';
import { reject, type NodeFilter } from './context.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { Refusal } from './rejection.ts';
import { makeLimitFilter, type LimitListers } from './volume-limits.ts';
import { candidatesFor, isInZone, isReachable } from './volume-matching.ts';

const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
/** How long a pod waits for its volumes once it has a node, in ms (bindTimeoutSeconds). */
const BIND_TIMEOUT_MS = 600_000;

type Claim = Stored<PersistentVolumeClaim>;
type Volume = Stored<PersistentVolume>;

export interface VolumeListers extends LimitListers {
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
  /** Volumes that are being bound, with the claim they are for. */
  readonly assumed: Map<string, string>;
}

/** What a pod's volumes mean for where it can go. */
export interface VolumePlan {
  /** No node will do. */
  readonly refusal?: Refusal;
  readonly filter: NodeFilter;
  /** Claims that wait for this pod to have a node. */
  readonly toBind: readonly Claim[];
  /** Which volumes that were made by hand each of them would get on a node; those it leaves out are provisioned. */
  readonly chosenOn: (node: NodeInfo) => ReadonlyMap<Claim, Volume> | undefined;
}

/** Looks at a pod's claims once, before nodes are looked at. */
export function planVolumes(listers: VolumeListers, info: PodInfo, state: ClusterState): VolumePlan {
  const { pod } = info;
  const toBind: Claim[] = [];
  const bound: Volume[] = [];
  let isTaken = false;
  const none = { filter: () => undefined, toBind, chosenOn: () => new Map<Claim, Volume>() };
  const refuse = (reason: string): VolumePlan => ({
    ...none,
    refusal: { plugin: 'VolumeBinding', reason },
  });
  for (const key of info.claims) {
    const claim = listers.claims.lister.get(key);
    const name = key.slice(key.indexOf('/') + 1);
    if (claim === undefined) {
      const isOwn = pod.spec!.volumes!.some(
        (volume) => volume.ephemeral != null && `${pod.metadata.name}-${volume.name}` === name,
      );
      return refuse(
        isOwn
          ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
          : `persistentvolumeclaim "${name}" not found`,
      );
    }
    if (claim.metadata.deletionTimestamp !== undefined)
      return refuse(`persistentvolumeclaim "${name}" is being deleted`);
    if (claim.status?.phase === 'Lost') {
      return refuse(
        `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName}"`,
      );
    }
    if (claim.spec?.accessModes?.includes('ReadWriteOncePod') === true && state.usersOf(key) > 0)
      isTaken = true;
    const { volumeName, storageClassName = '' } = claim.spec ?? {};
    if (volumeName) {
      const volumeObject = listers.volumes.get(volumeName) as Volume | undefined;
      if (volumeObject === undefined)
        return refuse('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)');
      bound.push(volumeObject);
    } else if (listers.classes.get(storageClassName)?.volumeBindingMode === 'WaitForFirstConsumer')
      toBind.push(claim);
    else return refuse('pod has unbound immediate PersistentVolumeClaims');
  }
  if (bound.length === 0 && toBind.length === 0 && !isTaken) return none;
  const chosenOn = chooser(listers, toBind);
  const limits = makeLimitFilter(listers, info.claims);
  return {
    toBind,
    chosenOn,
    filter: (node) => {
      if (isTaken) {
        const reason =
          'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
        return reject('VolumeRestrictions', reason, true);
      }
      const beyond = limits?.(node);
      if (beyond !== undefined) return beyond;
      for (const volume of bound) {
        if (!isReachable(volume, node.node!))
          return reject('VolumeBinding', "node(s) didn't match PersistentVolume's node affinity", false);
        if (!isInZone(volume, node.node!))
          return reject('VolumeZone', 'node(s) had no available volume zone', false);
      }
      if (chosenOn(node) !== undefined) return undefined;
      return reject('VolumeBinding', "node(s) didn't find available persistent volumes to bind", false);
    },
  };
}

/** Finds volumes for all claims at once, each for one claim; undefined on a node where some claim finds none. */
function chooser(listers: VolumeListers, claims: readonly Claim[]): VolumePlan['chosenOn'] {
  if (claims.length === 0) return () => new Map();
  const all = listers.volumes.list() as Volume[];
  const wishes = claims.map((claim) => ({
    claim,
    canProvision: listers.classes.get(claim.spec?.storageClassName ?? '')?.provisioner !== NO_PROVISIONER,
    candidates: candidatesFor(claim, all, (name) => {
      const other = listers.assumed.get(name);
      return other !== undefined && other !== claim.metadata.uid;
    }),
  }));
  return ({ node }) => {
    const chosen = new Map<Claim, Volume>();
    const taken = new Set<string>();
    for (const { claim, canProvision, candidates } of wishes) {
      const volume = candidates.find(
        (candidate) => !taken.has(candidate.metadata.name) && isReachable(candidate, node!),
      );
      if (volume !== undefined) {
        chosen.set(claim, volume);
        taken.add(volume.metadata.name);
      } else if (!canProvision) return undefined;
    }
    return chosen;
  };
}

/**
 * Gives each waiting claim its volume, or tells its provisioner which node it is for, and waits until all are bound.
 * Rejects when that takes too long.
 */
export async function bindVolumes(
  client: ApiClient,
  clock: Clock,
  listers: VolumeListers,
  plan: VolumePlan,
  node: NodeInfo,
): Promise<void> {
  const chosen = plan.chosenOn(node) ?? new Map<Claim, Volume>();
  for (const [claim, { metadata }] of chosen) listers.assumed.set(metadata.name, claim.metadata.uid);
  const timeout = new AbortController();
  try {
    for (const claim of plan.toBind) {
      const volume = chosen.get(claim);
      if (volume === undefined) await selectNode(client, claim, node.name);
      else await promise(client, claim, volume);
    }
    const late = clock.sleep(BIND_TIMEOUT_MS, timeout.signal).then(
      () =>
        Promise.reject(
          new Error('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'),
        ),
      () => undefined,
    );
    await Promise.race([Promise.all(plan.toBind.map((claim) => untilBound(listers.claims, claim))), late]);
  } finally {
    timeout.abort();
    for (const { metadata } of chosen.values()) listers.assumed.delete(metadata.name);
  }
}

async function selectNode(client: ApiClient, { metadata }: Claim, node: string): Promise<void> {
  if (metadata.annotations?.[SELECTED_NODE] === node) return;
  const patch = { metadata: { annotations: { [SELECTED_NODE]: node } } };
  const { name, namespace } = metadata;
  await client.patch(resources.persistentvolumeclaims, name, 'application/merge-patch+json', patch, {
    namespace,
  });
}

async function promise(client: ApiClient, claim: Claim, volume: Volume): Promise<void> {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  if (volume.spec?.claimRef?.uid === uid) return;
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion };
  const patch = { metadata: { annotations: { [BOUND_BY_CONTROLLER]: 'yes' } }, spec: { claimRef } };
  const { name: volumeName } = volume.metadata;
  await client.patch(resources.persistentvolumes, volumeName, 'application/merge-patch+json', patch);
}

function untilBound(
  claims: Informer<PersistentVolumeClaim>,
  claim: Stored<PersistentVolumeClaim>,
): Promise<void> {
  const { name, namespace, uid } = claim.metadata;
  const isOurs = (candidate: Stored<PersistentVolumeClaim>): boolean => candidate.metadata.uid === uid;
  return new Promise((resolve, reject) => {
    const current = claims.lister.get(`${namespace}/${name}`);
    if (current?.status?.phase === 'Bound') return resolve();
    const handling = claims.handle({
      update: (candidate) => {
        if (!isOurs(candidate) || candidate.status?.phase !== 'Bound') return;
        handling[Symbol.dispose]();
        resolve();
      },
      delete: (candidate) => {
        if (!isOurs(candidate)) return;
        handling[Symbol.dispose]();
        reject(new Error(`persistentvolumeclaim "${name}" was deleted`));
      },
    });
  });
}
