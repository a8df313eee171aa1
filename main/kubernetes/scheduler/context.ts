// What the plugins share: the cluster as the scheduler sees it, and the shape of a filter.
import type { Namespace, Stored } from '../api/index.ts';
import type { Lister } from '../client/index.ts';
import type { ClusterState } from './cluster-state.ts';
import type { NodeInfo } from './node-info.ts';
import type { Rejection } from './rejection.ts';

/** Looks at one node; undefined lets it pass. */
export type NodeFilter = (node: NodeInfo) => Rejection | undefined;

/** What filters and scores read. */
export interface SchedulingContext {
  readonly state: ClusterState;
  readonly namespaces: Lister<Namespace>;
  /** The minor version, for wordings that changed. */
  readonly minor: number;
}

export function reject(plugin: Rejection['plugin'], reason: string, resolvable: boolean): Rejection {
  return { plugin, reasons: [reason], resolvable };
}

/** The labels of a namespace, as affinity terms with a namespaceSelector read them. */
export function namespaceLabelsOf(
  namespaces: Lister<Namespace>,
): (name: string) => Record<string, string> | undefined {
  return (name) => (namespaces.get(name) as Stored<Namespace> | undefined)?.metadata.labels;
}
