// The node lifecycle controller: notices nodes that no longer report, and taints them.
import { rfc3339 } from '../../simulation/index.ts';
import {
  keyOf,
  resources,
  type Lease,
  type Node,
  type NodeCondition,
  type Pod,
  type Stored,
  type Taint,
} from '../api/index.ts';
import { TokenBucket, type Informer, type WorkQueue } from '../client/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { instant, podCondition } from './pod-state.ts';
import { sameJson } from './status.ts';

/** The index of pods by node. */
export const POD_NODE_INDEX = 'node';
/** How often nodes are looked at (--node-monitor-period). */
const MONITOR_MS = 5_000;
/** Silence after which a node counts as unreachable (--node-monitor-grace-period; 40 s before v1.32). */
const GRACE_MS = 50_000;
/** The same for a node that has never reported (--node-startup-grace-period). */
const STARTUP_GRACE_MS = 60_000;
/** Nodes tainted NoExecute per second and zone (--node-eviction-rate, --secondary-node-eviction-rate). */
const EVICTIONS_PER_SECOND = 0.1;
const EVICTIONS_PER_SECOND_SECONDARY = 0.01;
/** The share of unready nodes at which a zone counts as disrupted, and the size from which it is large. */
const UNHEALTHY_SHARE = 0.55;
const LARGE_ZONE_NODES = 50;

const LEASE_NAMESPACE = 'kube-node-lease';
const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const MONITORED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
/** Conditions, and the taints that tell of them. */
const PRESSURE_TAINTS: readonly [condition: string, status: string, taint: string][] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
];
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
const CONDITION_TAINTS = new Set([...PRESSURE_TAINTS.map(([, , taint]) => taint), UNSCHEDULABLE]);

/** Makes the node lifecycle controller. */
export function makeNodeLifecycleController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'node-lifecycle-controller',
    component: 'node-controller',
    workers: 8,
    setUp(run) {
      const lifecycle = new NodeLifecycle(run);
      return (name) => lifecycle.syncTaints(name);
    },
  });
}

/** Files pods under their node. */
export function indexPodsByNode(pods: Informer<Pod>): void {
  pods.indexer.addIndex(POD_NODE_INDEX, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
}

/** What was last seen of a node, and when by our own clock. */
interface Health {
  probedMs: number;
  conditions: string;
  renewTime: string | undefined;
}

interface Zone {
  bucket: TokenBucket;
  rate: number;
  waiting: Set<string>;
}

class NodeLifecycle {
  private readonly run: ControllerRun;
  private readonly nodes: Informer<Node>;
  private readonly leases: Informer<Lease>;
  private readonly pods: Informer<Pod>;
  private readonly health = new Map<string, Health>();
  private readonly zones = new Map<string, Zone>();
  private readonly known = new Set<string>();
  private readonly unready: WorkQueue;

  constructor(run: ControllerRun) {
    this.run = run;
    this.nodes = run.informer<Node>(resources.nodes);
    this.leases = run.informer<Lease>(resources.leases);
    this.pods = run.informer<Pod>(resources.pods);
    indexPodsByNode(this.pods);
    run.on(this.nodes, {
      add: run.enqueue,
      update: (node, old) => {
        if (node.spec !== old.spec || node.status?.conditions !== old.status?.conditions) run.enqueue(node);
      },
    });
    run.on(this.pods, {
      add: (pod) => this.podSeen(pod),
      update: (pod, old) => {
        if (pod.spec?.nodeName !== old.spec?.nodeName) this.podSeen(pod);
      },
    });
    this.unready = run.addQueue(8, (key) => this.markNotReady(this.pods.lister.get(key)));
    const rounds = run.addQueue(1, () => this.monitor());
    run.every(MONITOR_MS, () => rounds.add('round'));
    // Nodes are registered as soon as they are seen, not only when the monitor comes round.
    run.on(this.nodes, { add: (node) => this.register(node) });
  }

  /** Brings one node's NoSchedule taints in line with its conditions. */
  async syncTaints(name: string): Promise<void> {
    const node = this.nodes.lister.get(name);
    if (node === undefined) return;
    const wanted: string[] = [];
    for (const [type, status, key] of PRESSURE_TAINTS)
      if (conditionOf(node, type)?.status === status) wanted.push(key);
    if (node.spec?.unschedulable === true) wanted.push(UNSCHEDULABLE);
    const taints = node.spec?.taints ?? [];
    const present = taints.filter(({ key, effect }) => effect === 'NoSchedule' && CONDITION_TAINTS.has(key));
    const missing = wanted.filter((key) => !present.some((taint) => taint.key === key));
    const surplus = present.filter(({ key }) => !wanted.includes(key));
    if (missing.length > 0 || surplus.length > 0) {
      const timeAdded = rfc3339(this.run.clock.now());
      const added = missing.map((key): Taint => ({ key, effect: 'NoSchedule', timeAdded }));
      await this.writeTaints(node, [...taints.filter((taint) => !surplus.includes(taint)), ...added]);
    }
    const current = this.nodes.lister.get(name) ?? node;
    // Healing is at once; on evicting the monitor's next round decides, so that a node may take a moment to get ready.
    if (noExecuteTaint(current) !== undefined) return;
    this.queueNoExecute(current);
    await this.serveZones();
  }

  // ── Health ──

  /** Looks at every node once: a fixed cost per period, however much happens. */
  private async monitor(): Promise<void> {
    for (const name of this.known) if (this.nodes.lister.get(name) === undefined) this.unregister(name);
    for (const node of this.nodes.lister.list()) this.queueNoExecute(await this.check(node));
    this.rateZones();
    await this.serveZones();
  }

  private register(node: Stored<Node>): void {
    const { name } = node.metadata;
    if (this.known.has(name)) return;
    this.known.add(name);
    this.tell(node, 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
  }

  private unregister(name: string): void {
    this.known.delete(name);
    this.health.delete(name);
    for (const zone of this.zones.values()) zone.waiting.delete(name);
    const node = { apiVersion: 'v1', kind: 'Node', name, uid: name };
    this.run.recorder.event(
      node,
      'Normal',
      'RemovingNode',
      `Node ${name} event: Removing Node ${name} from Controller`,
    );
  }

  /** Answers the node as it is then. */
  private async check(node: Stored<Node>): Promise<Stored<Node>> {
    const nowMs = this.run.clock.now();
    const health = this.observe(node, nowMs);
    const ready = conditionOf(node, 'Ready');
    const graceMs = ready === undefined ? STARTUP_GRACE_MS : GRACE_MS;
    if (nowMs <= health.probedMs + graceMs) {
      this.noteReadiness(node, ready?.status ?? 'Unknown');
      return node;
    }
    const conditions = silenced(node, nowMs);
    this.noteReadiness(node, 'Unknown');
    if (sameJson(conditions, node.status?.conditions ?? [])) return node;
    const status = { ...node.status, conditions };
    return this.run.client.update<Node>(resources.nodes, { ...node, status }, { subresource: 'status' });
  }

  private observe(node: Stored<Node>, nowMs: number): Health {
    const { name } = node.metadata;
    const renewTime = this.leases.lister.get(`${LEASE_NAMESPACE}/${name}`)?.spec?.renewTime ?? undefined;
    const conditions = (node.status?.conditions ?? [])
      .map((condition) => `${condition.type}=${condition.lastHeartbeatTime}`)
      .join();
    const health = this.health.get(name);
    if (health === undefined) {
      const ready = conditionOf(node, 'Ready') !== undefined;
      const probedMs = ready ? nowMs : instant(node.metadata.creationTimestamp);
      const first = { probedMs, conditions, renewTime };
      this.health.set(name, first);
      return first;
    }
    if (health.conditions !== conditions || health.renewTime !== renewTime) {
      // Our own writes keep the heartbeat's time, so a change is the kubelet's.
      health.probedMs = nowMs;
      health.conditions = conditions;
      health.renewTime = renewTime;
    }
    return health;
  }

  private readonly lastReadiness = new Map<string, string>();

  /** A node that stops being ready takes its pods' readiness with it. */
  private noteReadiness(node: Stored<Node>, status: string): void {
    const { name } = node.metadata;
    const before = this.lastReadiness.get(name);
    this.lastReadiness.set(name, status);
    if (before === status || status === 'True') return;
    if (before === 'True') this.tell(node, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    for (const pod of this.pods.indexer.byIndex(POD_NODE_INDEX, name)) this.unready.add(keyOf(pod));
  }

  /** A pod that lands on a node of which it's known that it isn't ready. */
  private podSeen(pod: Stored<Pod>): void {
    const name = pod.spec?.nodeName;
    if (!name || this.lastReadiness.get(name) !== 'Unknown') return;
    this.unready.add(keyOf(pod));
  }

  private async markNotReady(pod: Stored<Pod> | undefined): Promise<void> {
    if (pod === undefined || podCondition(pod, 'Ready')?.status !== 'True') return;
    const nowText = rfc3339(this.run.clock.now());
    const conditions = pod.status!.conditions!.map((condition) =>
      condition.type === 'Ready'
        ? { ...condition, status: 'False' as const, lastTransitionTime: nowText }
        : condition,
    );
    const { namespace } = pod.metadata;
    const object = { ...pod, status: { ...pod.status, conditions } };
    this.run.recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    await this.run.client.update<Pod>(resources.pods, object, { namespace, subresource: 'status' });
  }

  // ── NoExecute taints, at a limited rate ──

  private queueNoExecute(node: Stored<Node>): void {
    const zone = this.zoneOf(node);
    const wanted = noExecuteTaint(node);
    const present = (node.spec?.taints ?? []).filter(isNoExecute);
    const settled =
      wanted === undefined ? present.length === 0 : present.length === 1 && present[0]!.key === wanted;
    if (settled) zone.waiting.delete(node.metadata.name);
    else zone.waiting.add(node.metadata.name);
  }

  private async serveZones(): Promise<void> {
    for (const zone of this.zones.values()) {
      for (const name of zone.waiting) {
        const node = this.nodes.lister.get(name);
        if (node === undefined) {
          zone.waiting.delete(name);
          continue;
        }
        const wanted = noExecuteTaint(node);
        const present = (node.spec?.taints ?? []).some(isNoExecute);
        // Healing and changing one taint for the other need no permit; only evicting does.
        if (wanted !== undefined && !present && (zone.rate === 0 || !zone.bucket.tryTake())) continue;
        zone.waiting.delete(name);
        const others = (node.spec?.taints ?? []).filter((taint) => !isNoExecute(taint));
        const timeAdded = rfc3339(this.run.clock.now());
        const taints: Taint[] =
          wanted === undefined ? others : [...others, { key: wanted, effect: 'NoExecute', timeAdded }];
        await this.writeTaints(node, taints);
      }
    }
  }

  private zoneOf(node: Stored<Node>): Zone {
    const labels = node.metadata.labels ?? {};
    const name = `${labels['topology.kubernetes.io/region'] ?? ''}:${labels['topology.kubernetes.io/zone'] ?? ''}`;
    let zone = this.zones.get(name);
    if (zone === undefined) {
      zone = {
        bucket: new TokenBucket(this.run.clock, EVICTIONS_PER_SECOND, 1),
        rate: EVICTIONS_PER_SECOND,
        waiting: new Set(),
      };
      this.zones.set(name, zone);
    }
    return zone;
  }

  /** A zone in which most nodes are silent evicts slowly, or not at all: the fault may be the network's. */
  private rateZones(): void {
    const counts = new Map<Zone, { ready: number; unready: number }>();
    for (const node of this.nodes.lister.list()) {
      const zone = this.zoneOf(node);
      let count = counts.get(zone);
      if (count === undefined) counts.set(zone, (count = { ready: 0, unready: 0 }));
      if (conditionOf(node, 'Ready')?.status === 'True') count.ready++;
      else count.unready++;
    }
    const allDown = [...counts.values()].every(({ ready }) => ready === 0);
    for (const [zone, { ready, unready }] of counts) {
      const partial = ready > 0 && unready > 2 && unready / (ready + unready) >= UNHEALTHY_SHARE;
      const large = ready + unready > LARGE_ZONE_NODES;
      const rate = allDown
        ? 0
        : partial
          ? large
            ? EVICTIONS_PER_SECOND_SECONDARY
            : 0
          : EVICTIONS_PER_SECOND;
      if (rate === zone.rate) continue;
      zone.rate = rate;
      if (rate > 0) zone.bucket = new TokenBucket(this.run.clock, rate, 1);
    }
  }

  private async writeTaints(node: Stored<Node>, taints: Taint[]): Promise<void> {
    const patch = {
      metadata: { resourceVersion: node.metadata.resourceVersion },
      spec: { taints: taints.length === 0 ? null : taints },
    };
    await this.run.client.patch<Node>(resources.nodes, keyOf(node), 'application/merge-patch+json', patch);
  }

  private tell(node: Stored<Node>, reason: string, message: string): void {
    // The node controller names a node by its name where others put the uid.
    const { name } = node.metadata;
    this.run.recorder.event(
      { apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid },
      'Normal',
      reason,
      message,
    );
  }
}

function conditionOf(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

/** The conditions of a node that no longer reports: unknown, each since now unless it was so before. */
function silenced(node: Stored<Node>, nowMs: number): NodeCondition[] {
  const time = rfc3339(nowMs);
  const conditions = (node.status?.conditions ?? []).map((condition): NodeCondition => {
    if (!MONITORED.includes(condition.type) || condition.status === 'Unknown') return condition;
    const message = 'Kubelet stopped posting node status.';
    return {
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message,
      lastTransitionTime: time,
    };
  });
  for (const type of MONITORED) {
    if (conditions.some((condition) => condition.type === type)) continue;
    const { creationTimestamp } = node.metadata;
    const message = 'Kubelet never posted node status.';
    const times = { lastHeartbeatTime: creationTimestamp, lastTransitionTime: time };
    conditions.push({ type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message, ...times });
  }
  return conditions;
}

function noExecuteTaint(node: Node): string | undefined {
  const status = conditionOf(node, 'Ready')?.status;
  return status === 'False' ? NOT_READY : status === 'Unknown' ? UNREACHABLE : undefined;
}

function isNoExecute({ key, effect }: Taint): boolean {
  return effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE);
}
