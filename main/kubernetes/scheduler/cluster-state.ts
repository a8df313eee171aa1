// The scheduler's picture of the cluster: nodes, the pods on them, and what those pods want of others.
import { keyOf, type Node, type ObjectKey, type Pod, type Stored } from '../api/index.ts';
import { MatchCounters } from './match-counter.ts';
import { NodeInfo } from './node-info.ts';
import { podInfo, type AffinityTerm, type PodInfo } from './pod-info.ts';

/** A term that pods on nodes have, and how many such pods each node has. */
export interface HeldTerm {
  readonly term: AffinityTerm;
  readonly perNode: Map<string, number>;
}

type TermKind = 'requiredAffinity' | 'requiredAntiAffinity' | 'preferredAffinity' | 'preferredAntiAffinity';
const TERM_KINDS: readonly TermKind[] = [
  'requiredAffinity',
  'requiredAntiAffinity',
  'preferredAffinity',
  'preferredAntiAffinity',
];

const NOBODY: readonly PodInfo[] = [];

/** Every change costs what changed, not what there is. */
export class ClusterState {
  /** Known nodes in order of arrival; all have their Node object. */
  readonly nodes = new Map<string, NodeInfo>();
  readonly counters: MatchCounters;
  /** On how many nodes each image is. */
  readonly imageNodes = new Map<string, number>();
  /** Nodes as a list, for going round; kept in step with `nodes`. */
  nodeList: readonly NodeInfo[] = [];
  /** Pods on nodes that aren't known, yet or any more. */
  private readonly strays = new Map<string, NodeInfo>();
  private readonly nominations = new Map<ObjectKey, string>();
  private readonly nominees = new Map<string, readonly PodInfo[]>();
  /** How many pods on nodes use a claim. */
  private readonly claimUsers = new Map<string, number>();
  private readonly places = new Map<ObjectKey, string>();
  private readonly held: Record<TermKind, Map<string, HeldTerm>> = {
    requiredAffinity: new Map(),
    requiredAntiAffinity: new Map(),
    preferredAffinity: new Map(),
    preferredAntiAffinity: new Map(),
  };

  constructor() {
    this.counters = new MatchCounters(() => this.nodes.values());
  }

  setNode(node: Stored<Node>): void {
    const { name } = node.metadata;
    let info = this.nodes.get(name);
    if (info === undefined) {
      info = this.strays.get(name) ?? new NodeInfo(name);
      this.strays.delete(name);
      this.nodes.set(name, info);
      this.nodeList = [...this.nodes.values()];
      // Its pods count from now on.
      for (const { pod } of info.pods.values()) this.counters.note(name, pod, 1);
    }
    for (const image of info.images.keys()) this.countImage(image, -1);
    info.setNode(node);
    for (const image of info.images.keys()) this.countImage(image, 1);
  }

  removeNode(name: string): void {
    const info = this.nodes.get(name);
    if (info === undefined) return;
    this.nodes.delete(name);
    this.nodeList = [...this.nodes.values()];
    for (const image of info.images.keys()) this.countImage(image, -1);
    for (const { pod } of info.pods.values()) this.counters.note(name, pod, -1);
    info.node = undefined;
    if (info.pods.size > 0) this.strays.set(name, info);
  }

  /** Puts a pod on the node its spec names, or where the scheduler is about to bind it. */
  putPod(pod: Stored<Pod>, nodeName: string, info: PodInfo = podInfo(pod)): void {
    const { key } = info;
    this.removePod(key);
    let node = this.nodes.get(nodeName) ?? this.strays.get(nodeName);
    if (node === undefined) this.strays.set(nodeName, (node = new NodeInfo(nodeName)));
    this.places.set(key, nodeName);
    this.place(node, info);
  }

  /** Takes in a newer version of a pod in which nothing that is counted has changed. */
  refreshPod(pod: Stored<Pod>): void {
    const key = keyOf(pod);
    const nodeName = this.places.get(key);
    const node = nodeName === undefined ? undefined : (this.nodes.get(nodeName) ?? this.strays.get(nodeName));
    const info = node?.pods.get(key);
    if (info !== undefined) info.pod = pod;
  }

  removePod(key: ObjectKey): void {
    const nodeName = this.places.get(key);
    if (nodeName === undefined) return;
    this.places.delete(key);
    const node = this.nodes.get(nodeName) ?? this.strays.get(nodeName);
    const info = node === undefined ? undefined : this.lift(node, key);
    if (info !== undefined && node!.pods.size === 0) this.strays.delete(nodeName);
  }

  /** Where a pod is, as far as the scheduler knows. */
  placeOf(key: ObjectKey): string | undefined {
    return this.places.get(key);
  }

  /** Remembers that room is being made for a pod on a node. */
  nominate(info: PodInfo, nodeName: string): void {
    this.denominate(info.key);
    this.nominations.set(info.key, nodeName);
    this.nominees.set(nodeName, [...(this.nominees.get(nodeName) ?? []), info]);
  }

  denominate(key: ObjectKey): void {
    const nodeName = this.nominations.get(key);
    if (nodeName === undefined) return;
    this.nominations.delete(key);
    const left = (this.nominees.get(nodeName) ?? []).filter((info) => info.key !== key);
    if (left.length === 0) this.nominees.delete(nodeName);
    else this.nominees.set(nodeName, left);
  }

  nominationOf(key: ObjectKey): string | undefined {
    return this.nominations.get(key);
  }

  nominatedOn(nodeName: string): readonly PodInfo[] {
    return this.nominees.get(nodeName) ?? NOBODY;
  }

  /** The terms of one kind that pods on nodes hold. */
  heldTerms(kind: TermKind): Iterable<HeldTerm> {
    return this.held[kind].values();
  }

  /** Does something as if these pods were not there; preemption tries things out so. */
  without<T>(node: NodeInfo, victims: readonly PodInfo[], attempt: () => T): T {
    for (const { key } of victims) this.lift(node, key);
    try {
      return attempt();
    } finally {
      for (const info of victims) this.place(node, info);
    }
  }

  /** How many pods on nodes use a claim, by `namespace/name`. */
  usersOf(claim: string): number {
    return this.claimUsers.get(claim) ?? 0;
  }

  private countClaims({ claims }: PodInfo, sign: 1 | -1): void {
    for (const claim of claims) {
      const count = this.usersOf(claim) + sign;
      if (count > 0) this.claimUsers.set(claim, count);
      else this.claimUsers.delete(claim);
    }
  }

  private place(node: NodeInfo, info: PodInfo): void {
    node.add(info);
    this.countClaims(info, 1);
    if (this.nodes.has(node.name)) this.counters.note(node.name, info.pod, 1);
    this.countTerms(node.name, info, 1);
  }

  private lift(node: NodeInfo, key: ObjectKey): PodInfo | undefined {
    const info = node.remove(key);
    if (info === undefined) return undefined;
    this.countClaims(info, -1);
    if (this.nodes.has(node.name)) this.counters.note(node.name, info.pod, -1);
    this.countTerms(node.name, info, -1);
    return info;
  }

  private countTerms(node: string, info: PodInfo, sign: 1 | -1): void {
    for (const kind of TERM_KINDS) {
      for (const term of info[kind]) {
        let held = this.held[kind].get(term.signature);
        if (held === undefined) this.held[kind].set(term.signature, (held = { term, perNode: new Map() }));
        const count = (held.perNode.get(node) ?? 0) + sign;
        if (count > 0) held.perNode.set(node, count);
        else held.perNode.delete(node);
        if (held.perNode.size === 0) this.held[kind].delete(term.signature);
      }
    }
  }

  private countImage(image: string, sign: 1 | -1): void {
    const count = (this.imageNodes.get(image) ?? 0) + sign;
    if (count > 0) this.imageNodes.set(image, count);
    else this.imageNodes.delete(image);
  }
}
