// NodeVolumeLimits: how many volumes of each CSI driver a node takes, as its CSINode says.
import type {
  KubernetesObject,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  Stored,
} from '../api/index.ts';
import type { Lister } from '../client/index.ts';
import { reject, type NodeFilter } from './context.ts';

/** storage.k8s.io/v1 CSINode, as far as limits go. */
export interface CsiNode extends KubernetesObject {
  readonly spec?: {
    readonly drivers?: readonly {
      readonly name: string;
      readonly allocatable?: { readonly count?: number };
    }[];
  };
}

export interface LimitListers {
  readonly claims: { readonly lister: Lister<PersistentVolumeClaim> };
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
  /** Absent in versions that don't serve it. */
  readonly csiNodes: Lister<CsiNode> | undefined;
}

/** One volume of a driver, and what makes it the same as another pod's. */
interface CsiVolume {
  readonly driver: string;
  readonly handle: string;
}

/** Undefined when the pod has no CSI volume. A node is looked at closely only if its CSINode limits a driver of the pod's. */
export function makeLimitFilter(listers: LimitListers, claims: readonly string[]): NodeFilter | undefined {
  if (listers.csiNodes === undefined) return undefined;
  const wanted = claims.flatMap((claim) => csiVolumeOf(listers, claim) ?? []);
  if (wanted.length === 0) return undefined;
  return (node) => {
    const drivers = (listers.csiNodes?.get(node.name) as Stored<CsiNode> | undefined)?.spec?.drivers ?? [];
    for (const { name, allocatable } of drivers) {
      const own = wanted.filter(({ driver }) => driver === name);
      if (allocatable?.count === undefined || own.length === 0) continue;
      const handles = new Set(own.map(({ handle }) => handle));
      for (const { claims: others } of node.pods.values())
        for (const claim of others) {
          const volume = csiVolumeOf(listers, claim);
          if (volume?.driver === name) handles.add(volume.handle);
        }
      if (handles.size > allocatable.count)
        return reject('NodeVolumeLimits', 'node(s) exceed max volume count', true);
    }
    return undefined;
  };
}

/** A claim's volume, or the one that will be made for it. */
function csiVolumeOf(listers: LimitListers, claim: string): CsiVolume | undefined {
  const { volumeName, storageClassName = '' } = listers.claims.lister.get(claim)?.spec ?? {};
  if (volumeName) {
    const csi = listers.volumes.get(volumeName)?.spec?.csi;
    return csi === undefined ? undefined : { driver: csi.driver, handle: csi.volumeHandle };
  }
  const provisioner = listers.classes.get(storageClassName)?.provisioner;
  return provisioner === undefined ? undefined : { driver: provisioner, handle: claim };
}
