// Counts, per node, the pods that a selector picks: worked out once, then kept up to date pod by pod.
import type { LabelSelector, Pod, Stored } from '../api/index.ts';
import type { NodeInfo } from './node-info.ts';

/** Which pods are counted. */
export interface Matcher {
  /** Equal for matchers that mean the same. */
  readonly signature: string;
  readonly matches: (pod: Stored<Pod>) => boolean;
}

/** Matching pods by node name; nodes with none are absent. */
export type Counts = ReadonlyMap<string, number>;

/** Counters kept; beyond, the one unused for longest is dropped, and would be worked out anew. */
const COUNTERS_MAX = 512;

/** The live counters of one cluster. A pod that comes or goes costs one look per counter. */
export class MatchCounters {
  private readonly counters = new Map<string, { matcher: Matcher; perNode: Map<string, number> }>();
  private readonly nodes: () => Iterable<NodeInfo>;

  constructor(nodes: () => Iterable<NodeInfo>) {
    this.nodes = nodes;
  }

  /** The counts of a matcher. */
  counts(matcher: Matcher): Counts {
    const known = this.counters.get(matcher.signature);
    if (known !== undefined) {
      this.counters.delete(matcher.signature);
      this.counters.set(matcher.signature, known);
      return known.perNode;
    }
    const perNode = new Map<string, number>();
    for (const info of this.nodes()) {
      let count = 0;
      for (const { pod } of info.pods.values()) if (matcher.matches(pod)) count++;
      if (count > 0) perNode.set(info.name, count);
    }
    this.counters.set(matcher.signature, { matcher, perNode });
    if (this.counters.size > COUNTERS_MAX) {
      for (const oldest of this.counters.keys()) {
        this.counters.delete(oldest);
        break;
      }
    }
    return perNode;
  }

  /** A pod came to the node (1) or left it (-1). */
  note(node: string, pod: Stored<Pod>, sign: 1 | -1): void {
    for (const { matcher, perNode } of this.counters.values()) {
      if (!matcher.matches(pod)) continue;
      const count = (perNode.get(node) ?? 0) + sign;
      if (count > 0) perNode.set(node, count);
      else perNode.delete(node);
    }
  }

  /** Something a matcher reads beside the pod has changed, such as a namespace's labels. */
  clear(): void {
    this.counters.clear();
  }
}

/** Pods of one namespace that a selector picks and that aren't on their way out, as topology spread counts. */
export function spreadMatcher(namespace: string, selector: LabelSelector, selectorText: string): Matcher {
  return {
    signature: `spread|${namespace}|${selectorText}`,
    matches: ({ metadata }) =>
      metadata.namespace === namespace &&
      metadata.deletionTimestamp === undefined &&
      selector.matches(metadata.labels),
  };
}
