// Why a node won't do, and what the scheduler says of it in all.

/** The plugins that reject, by the names the real ones have. */
export type PluginName =
  | 'NodeUnschedulable'
  | 'NodeName'
  | 'TaintToleration'
  | 'NodeAffinity'
  | 'NodePorts'
  | 'NodeResourcesFit'
  | 'VolumeRestrictions'
  | 'NodeVolumeLimits'
  | 'VolumeBinding'
  | 'VolumeZone'
  | 'PodTopologySpread'
  | 'InterPodAffinity';

/** One plugin's refusal of one node. */
export interface Rejection {
  readonly plugin: PluginName;
  readonly reasons: readonly string[];
  /** False when evicting pods from the node can't help (UnschedulableAndUnresolvable). */
  readonly resolvable: boolean;
}

/** A refusal of all nodes at once, before any was looked at. */
export interface Refusal {
  readonly plugin: PluginName;
  readonly reason: string;
}

/** `2 Insufficient cpu, 1 node(s) …`: each reason with the number of nodes, in the order of the texts. */
export function histogram(reasons: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ');
}
