// Which volume that somebody made by hand would do for a claim that waits for its pod to have a node.
import {
  compareQuantities,
  labelSelectorOf,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Stored,
} from '../api/index.ts';
import { matchesTerm } from './node-affinity.ts';

type Volume = Stored<PersistentVolume>;
type Claim = Stored<PersistentVolumeClaim>;

/** Volumes of a claim's class that have what it asks for and are nobody's, the smallest first. */
export function candidatesFor(
  claim: Claim,
  volumes: readonly Volume[],
  isAssumed: (volumeName: string) => boolean,
): Volume[] {
  const { storageClassName = '', accessModes = [], volumeMode = 'Filesystem', selector } = claim.spec ?? {};
  const wanted = claim.spec?.resources?.requests?.['storage'] ?? '0';
  return volumes
    .filter(({ metadata, spec, status }) => {
      if ((spec?.storageClassName ?? '') !== storageClassName) return false;
      if (metadata.deletionTimestamp !== undefined || isAssumed(metadata.name)) return false;
      if (spec?.claimRef === undefined && status?.phase !== undefined && status.phase !== 'Available')
        return false;
      if (spec?.claimRef !== undefined && !isPromised(spec.claimRef, claim)) return false;
      if ((spec?.volumeMode ?? 'Filesystem') !== volumeMode) return false;
      if (!accessModes.every((mode) => (spec?.accessModes ?? []).includes(mode))) return false;
      if (selector !== undefined && !labelSelectorOf(selector).matches(metadata.labels)) return false;
      return compareQuantities(sizeOf(spec), wanted) >= 0;
    })
    .sort((a, b) => compareQuantities(sizeOf(a.spec), sizeOf(b.spec)));
}

/** The volume's own rule about nodes. */
export function isReachable({ spec }: Volume, node: Stored<Node>): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesTerm(term, node));
}

const ZONE_LABELS = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
];

/** VolumeZone: a volume with zone labels is for nodes that have one of those; a cluster without zones is all one. */
export function isInZone({ metadata }: Volume, node: Stored<Node>): boolean {
  const labels = node.metadata.labels ?? {};
  if (!ZONE_LABELS.some((label) => labels[label] !== undefined)) return true;
  return ZONE_LABELS.every((label) => {
    const zones = metadata.labels?.[label];
    return zones === undefined || zones.split('__').includes(labels[label] ?? '');
  });
}

function isPromised(
  { name, namespace, uid }: NonNullable<NonNullable<PersistentVolume['spec']>['claimRef']>,
  claim: Claim,
): boolean {
  if (name !== claim.metadata.name || namespace !== claim.metadata.namespace) return false;
  return uid === undefined || uid === '' || uid === claim.metadata.uid;
}

function sizeOf(spec: PersistentVolume['spec']): string | number {
  return spec?.capacity?.['storage'] ?? '0';
}
