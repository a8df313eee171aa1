// The scheduler: takes one pod after the other, finds the best node for it, and binds it there.
import { disposable, rfc3339, type Clock, type Random } from '../../simulation/index.ts';
import {
  isStatus,
  keyOf,
  resources,
  type Namespace,
  type Node,
  type ObjectKey,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type PodDisruptionBudget,
  type StorageClass,
  type Stored,
} from '../api/index.ts';
import {
  makeEventRecorder,
  makeInformerFactory,
  runWhileLeading,
  type ApiClient,
  type EventRecorder,
  type Informer,
  type InformerFactory,
  type Lister,
} from '../client/index.ts';
import { ClusterState } from './cluster-state.ts';
import type { NodeFilter, SchedulingContext } from './context.ts';
import { makeFilter } from './filters.ts';
import type { NodeInfo } from './node-info.ts';
import { podInfo, type PodInfo } from './pod-info.ts';
import { findPreemption, roomIsBeingMade } from './preemption.ts';
import { nodeHint, podAddedHint, podGoneHint } from './queue-hints.ts';
import { SchedulingQueue, type QueuedPod } from './queue.ts';
import { histogram, type PluginName, type Rejection } from './rejection.ts';
import { scoreNodes } from './scores.ts';
import { bindVolumes, planVolumes, type VolumeListers, type VolumePlan } from './volumes.ts';
import type { CsiNode } from './volume-limits.ts';
import { makeWorkloadSelectors } from './workload-selector.ts';
import type { WorkloadSelector } from './topology-spread.ts';

export interface SchedulerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  /** The names under which it schedules, one for each profile; pods that name another are left alone. */
  readonly profiles?: readonly string[];
  /** The host's name: the scheduler then takes part in leader election (--leader-elect) and runs only while it leads. */
  readonly leaderElectOn?: string;
  /** Kubernetes' minor version: some wordings changed with it. */
  readonly minorVersion?: number;
  /** Told of failed lists, watches and writes; they are retried by themselves. */
  readonly onError?: (source: string, key: ObjectKey, error: unknown) => void;
}

/** kube-scheduler as a loop: start it, and dispose what `start` gave to stop it. It can be started again. */
export interface Scheduler {
  start(): Disposable;
}

/** Makes the scheduler. */
export function makeScheduler(options: SchedulerOptions): Scheduler {
  const run = (): Disposable => new SchedulerRun(options).start();
  return {
    start() {
      const { client, clock, random, leaderElectOn: electOn } = options;
      return runWhileLeading({ client, clock, random, name: 'kube-scheduler', electOn, lead: run });
    },
  };
}

const DEFAULT_PROFILE = 'default-scheduler';
/** Enough nodes that fit have been found: all up to 100, of more a share that falls to 5 % (percentageOfNodesToScore). */
const FEASIBLE_MIN = 100;
/** From this minor version on, dynamic resource allocation adds its word to every failure. */
const CLAIMS_MINOR = 34;
/** From this minor version on the message also tells what preemption would have done. */
const PREEMPTION_TOLD_MINOR = 24;
/** Since this minor version CSINode is served as v1. */
const CSI_NODES_MINOR = 17;
/** From this minor version on an idle scheduler doesn't wait for back-offs. */
const POP_FROM_BACKOFF_MINOR = 33;
const EVERY_PLUGIN: readonly PluginName[] = [
  'NodeUnschedulable',
  'NodeName',
  'TaintToleration',
  'NodeAffinity',
  'NodePorts',
  'NodeResourcesFit',
  'VolumeRestrictions',
  'NodeVolumeLimits',
  'VolumeBinding',
  'VolumeZone',
  'PodTopologySpread',
  'InterPodAffinity',
];

/** The plugins that hope when a pod has left its node. */
const FREED_PLUGINS: readonly PluginName[] = [
  'NodePorts',
  'NodeResourcesFit',
  'VolumeRestrictions',
  'NodeVolumeLimits',
  'InterPodAffinity',
  'PodTopologySpread',
];

/** Why no node will do. */
interface Misfit {
  readonly message: string;
  readonly plugins: ReadonlySet<PluginName>;
  readonly nominated?: { node: NodeInfo; victims: readonly PodInfo[] };
  /** Pods still have to end on the node where room is being made. */
  readonly keepsNomination?: boolean;
}

class SchedulerRun {
  private readonly options: SchedulerOptions;
  private readonly minor: number;
  private readonly state = new ClusterState();
  private readonly queue: SchedulingQueue;
  private readonly informers: InformerFactory;
  /** By the name of the profile that speaks. */
  private readonly recorders: ReadonlyMap<string, EventRecorder>;
  private readonly random: Random;
  private readonly context: SchedulingContext;
  private readonly volumes: VolumeListers;
  private readonly budgets: Lister<PodDisruptionBudget>;
  private readonly workloadOf: (pod: Stored<Pod>) => WorkloadSelector | undefined;
  private readonly pods: Informer<Pod>;
  /** Where the round over the nodes goes on, so that all get their turn in large clusters. */
  private nextNode = 0;
  private ready = false;
  private stopped = false;
  private woken = false;

  constructor(options: SchedulerOptions) {
    const { client, clock, random, profiles = [DEFAULT_PROFILE], minorVersion = 36, onError } = options;
    this.options = options;
    this.minor = minorVersion;
    this.random = random.fork(profiles[0] ?? DEFAULT_PROFILE);
    this.queue = new SchedulingQueue(clock, minorVersion >= POP_FROM_BACKOFF_MINOR);
    this.informers = makeInformerFactory(client, clock, {
      onError: (error) => onError?.('informer', '', error),
    });
    this.recorders = new Map(
      profiles.map((component, index) => {
        const fork = this.random.fork(index === 0 ? 'events' : `events/${component}`);
        return [component, makeEventRecorder({ client, clock, random: fork, component })];
      }),
    );
    const claims = this.informers.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims);
    const volumes = this.informers.informer<PersistentVolume>(resources.persistentvolumes);
    const classes = this.informers.informer<StorageClass>(resources.storageclasses);
    const namespaces = this.informers.informer<Namespace>(resources.namespaces);
    const csiNodes =
      minorVersion >= CSI_NODES_MINOR ? this.informers.informer<CsiNode>(resources.csinodes) : undefined;
    this.volumes = {
      claims,
      volumes: volumes.lister,
      classes: classes.lister,
      csiNodes: csiNodes?.lister,
      assumed: new Map(),
    };
    this.budgets = this.informers.informer<PodDisruptionBudget>(resources.poddisruptionbudgets).lister;
    this.workloadOf = makeWorkloadSelectors(this.informers);
    this.context = { state: this.state, namespaces: namespaces.lister, minor: this.minor };
    this.pods = this.informers.informer<Pod>(resources.pods);

    this.informers.informer<Node>(resources.nodes).handle({
      add: (node) => {
        this.state.setNode(node);
        this.queue.wakeFor(EVERY_PLUGIN, nodeHint(node));
      },
      update: (node, old) => this.nodeUpdated(node, old),
      delete: (node) => this.state.removeNode(node.metadata.name),
    });
    this.pods.handle({
      add: (pod) => this.podSeen(pod, undefined),
      update: (pod, old) => this.podSeen(pod, old),
      delete: (pod) => this.podGone(pod),
    });
    const volumesChanged = (): void =>
      this.queue.wakeFor(['VolumeBinding', 'VolumeZone', 'VolumeRestrictions']);
    const limitsChanged = (): void => this.queue.wakeFor(['NodeVolumeLimits']);
    csiNodes?.handle({ add: limitsChanged, update: limitsChanged });
    for (const informer of [claims, volumes, classes])
      informer.handle({ add: volumesChanged, update: volumesChanged });
    namespaces.handle({
      update: (namespace, old) => {
        if (JSON.stringify(namespace.metadata.labels) === JSON.stringify(old.metadata.labels)) return;
        this.state.counters.clear();
        this.queue.wakeFor(['InterPodAffinity']);
      },
    });
  }

  start(): Disposable {
    const informing = this.informers.start();
    this.queue.onReady = () => this.wake();
    void this.informers.waitForSync().then(() => {
      this.ready = true;
      this.wake();
    });
    return disposable(() => {
      this.stopped = true;
      this.queue.shutDown();
      informing[Symbol.dispose]();
    });
  }

  // ── One pod after the other ──

  private wake(): void {
    if (!this.ready || this.stopped || this.woken || this.queue.length === 0) return;
    this.woken = true;
    this.options.clock.soon(() => {
      this.woken = false;
      const queued = this.stopped ? undefined : this.queue.take();
      if (queued !== undefined) this.schedule(queued);
      this.wake();
    });
  }

  private schedule(queued: QueuedPod): void {
    const { info } = queued;
    if (info.pod.metadata.deletionTimestamp !== undefined) {
      this.say(info.pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${info.key}`);
      return this.queue.done(queued);
    }
    const plan = planVolumes(this.volumes, info, this.state);
    const found = this.findNode(info, plan);
    if ('message' in found) return void this.fail(queued, found);
    this.state.putPod(info.pod, found.name, info); // It counts from now on, though it isn't bound yet.
    void this.bind(queued, found, plan);
  }

  private findNode(info: PodInfo, plan: VolumePlan): NodeInfo | Misfit {
    const { nodeList } = this.state;
    if (nodeList.length === 0)
      return { message: 'no nodes available to schedule pods', plugins: new Set(EVERY_PLUGIN) };
    if (plan.refusal !== undefined) {
      const message = `0/${nodeList.length} nodes are available: ${plan.refusal.reason}. not found`;
      return {
        message: this.minor >= CLAIMS_MINOR ? message : this.withPreemptionWord(plan.refusal.reason),
        plugins: new Set([plan.refusal.plugin]),
      };
    }
    const filter = this.mindingNominated(info, makeFilter(this.context, info, plan.filter));
    const nominated = this.nominatedNode(info);
    if (nominated !== undefined && filter(nominated) === undefined) return nominated;

    const feasible: NodeInfo[] = [];
    const rejections = new Map<NodeInfo, Rejection>();
    const wanted = feasibleMax(nodeList.length);
    let looked = 0;
    for (; looked < nodeList.length && feasible.length < wanted; looked++) {
      const node = nodeList[(this.nextNode + looked) % nodeList.length]!;
      const rejection = filter(node);
      if (rejection === undefined) feasible.push(node);
      else rejections.set(node, rejection);
    }
    this.nextNode = (this.nextNode + looked) % nodeList.length;
    if (feasible.length === 0) return this.misfit(info, plan, rejections);
    return feasible.length === 1 ? feasible[0]! : this.best(info, feasible);
  }

  /** The highest score; among equals, chance. */
  private best(info: PodInfo, feasible: readonly NodeInfo[]): NodeInfo {
    const scores = scoreNodes(this.context, info, feasible, this.workloadOf(info.pod));
    const highest = Math.max(...scores);
    return this.random.pick(feasible.filter((_, i) => scores[i] === highest));
  }

  /** Room that was made for a pod of the same or higher priority isn't given to another. */
  private mindingNominated(info: PodInfo, filter: NodeFilter): NodeFilter {
    return (node) => {
      const others = this.state
        .nominatedOn(node.name)
        .filter(({ key, priority }) => key !== info.key && priority >= info.priority);
      if (others.length === 0) return filter(node);
      for (const other of others) node.add(other);
      try {
        return filter(node);
      } finally {
        for (const other of others) node.remove(other.key);
      }
    };
  }

  private nominatedNode(info: PodInfo): NodeInfo | undefined {
    const name = this.state.nominationOf(info.key) ?? info.pod.status?.nominatedNodeName;
    return name ? this.state.nodes.get(name) : undefined;
  }

  private misfit(info: PodInfo, plan: VolumePlan, rejections: ReadonlyMap<NodeInfo, Rejection>): Misfit {
    const all = [...rejections.values()];
    const plugins = new Set(all.map(({ plugin }) => plugin));
    const reasons = histogram(all.flatMap((rejection) => rejection.reasons));
    const message = `0/${this.state.nodes.size} nodes are available: ${reasons}.`;
    const claims = this.minor >= CLAIMS_MINOR ? 'no new claims to deallocate, ' : '';
    const makeAgain = (): NodeFilter => makeFilter(this.context, info, plan.filter);
    if (info.pod.spec?.preemptionPolicy !== 'Never' && roomIsBeingMade(this.state, info, rejections)) {
      const waiting = 'preemption: not eligible due to a terminating pod on the nominated node.';
      return { message: `${message} ${claims}${waiting}`, plugins, keepsNomination: true };
    }
    const preemption = findPreemption(this.state, this.budgets, info, rejections, makeAgain);
    if (typeof preemption !== 'string') return { message, plugins, nominated: preemption };
    return {
      message: this.minor < PREEMPTION_TOLD_MINOR ? message : `${message} ${claims}${preemption}`,
      plugins,
    };
  }

  private withPreemptionWord(reason: string): string {
    const { size } = this.state.nodes;
    const available = `0/${size} nodes are available: `;
    return `${available}${reason}. preemption: ${available}${size} Preemption is not helpful for scheduling.`;
  }

  // ── Outcomes ──

  private say(pod: Stored<Pod>, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.recorders.get(profileOf(pod))?.event(pod, type, reason, message);
  }

  private async bind(queued: QueuedPod, node: NodeInfo, plan: VolumePlan): Promise<void> {
    const { pod, key } = queued.info;
    const { name, namespace, uid } = pod.metadata;
    try {
      if (plan.toBind.length > 0)
        await bindVolumes(this.options.client, this.options.clock, this.volumes, plan, node);
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node.name },
      };
      await this.options.client.create(resources.pods, binding, { namespace, name, subresource: 'binding' });
      this.say(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node.name}`);
      this.queue.done(queued);
    } catch (error) {
      if (this.stopped) return;
      if (this.pods.lister.get(key)?.spec?.nodeName === undefined) this.state.removePod(key);
      if (isStatus(error, 'NotFound')) return this.queue.done(queued);
      this.options.onError?.('bind', key, error);
      this.say(
        pod,
        'Warning',
        'FailedScheduling',
        `binding rejected: ${error instanceof Error ? error.message : String(error)}`,
      );
      this.queue.retry(queued);
    }
  }

  private async fail(
    queued: QueuedPod,
    { message, plugins, nominated, keepsNomination }: Misfit,
  ): Promise<void> {
    const { pod, key } = queued.info;
    this.say(pod, 'Warning', 'FailedScheduling', message);
    if (nominated !== undefined) this.state.nominate(queued.info, nominated.node.name);
    else if (keepsNomination !== true) this.state.denominate(key);
    this.queue.park(queued, plugins);
    try {
      await this.noteUnschedulable(pod, message, nominated?.node.name);
      if (nominated !== undefined) await this.preempt(pod, nominated.node, nominated.victims);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) this.options.onError?.('status', key, error);
    }
  }

  private async noteUnschedulable(
    pod: Stored<Pod>,
    message: string,
    nominatedNodeName: string | undefined,
  ): Promise<void> {
    const old = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    const unchanged = old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message;
    if (unchanged && nominatedNodeName === undefined) return;
    const lastTransitionTime =
      old?.status === 'False' ? old.lastTransitionTime : rfc3339(this.options.clock.now());
    const { name, namespace, generation } = pod.metadata;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime,
      reason: 'Unschedulable',
      message,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
    const patch = {
      status: { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) },
    };
    const options = { namespace, subresource: 'status' };
    await this.options.client.patch(
      resources.pods,
      name,
      'application/strategic-merge-patch+json',
      patch,
      options,
    );
  }

  private async preempt(pod: Stored<Pod>, node: NodeInfo, victims: readonly PodInfo[]): Promise<void> {
    for (const { pod: victim, key } of victims) {
      const { name, namespace, uid } = victim.metadata;
      if (victim.metadata.deletionTimestamp !== undefined) continue;
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${profileOf(pod)}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: rfc3339(this.options.clock.now()),
      };
      try {
        const patch = { status: { conditions: [condition] } };
        const options = { namespace, subresource: 'status' };
        await this.options.client.patch(
          resources.pods,
          name,
          'application/strategic-merge-patch+json',
          patch,
          options,
        );
        await this.options.client.delete(resources.pods, name, { namespace, uid });
      } catch (error) {
        if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) continue;
        this.options.onError?.('preempt', key, error);
        continue;
      }
      this.recorders
        .get(profileOf(pod))
        ?.event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${node.name}`);
    }
  }

  // ── What changes in the cluster ──

  private podSeen(pod: Stored<Pod>, old: Stored<Pod> | undefined): void {
    const key = keyOf(pod);
    if (old !== undefined && old.metadata.uid !== pod.metadata.uid) this.podGone(old);
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return this.podGone(pod);
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeName === '') {
      const ours = this.recorders.has(profileOf(pod));
      if (ours && this.state.placeOf(key) === undefined) this.queue.put(podInfo(pod));
      return;
    }
    this.queue.remove(key);
    this.state.denominate(key);
    // What was assumed when it was bound is so already.
    if (old !== undefined && this.state.placeOf(key) === nodeName && countsTheSame(pod, old))
      this.state.refreshPod(pod);
    else this.state.putPod(pod, nodeName);
    if (!old?.spec?.nodeName)
      this.queue.wakeFor(['InterPodAffinity', 'PodTopologySpread'], podAddedHint(this.context, pod));
  }

  private podGone(pod: Stored<Pod>): void {
    const key = keyOf(pod);
    this.queue.remove(key);
    this.state.denominate(key);
    if (this.state.placeOf(key) === undefined) return;
    this.state.removePod(key);
    this.queue.wakeFor(FREED_PLUGINS, podGoneHint(this.context, pod));
  }

  private nodeUpdated(node: Stored<Node>, old: Stored<Node>): void {
    const changed = (a: unknown, b: unknown): boolean => a !== b && JSON.stringify(a) !== JSON.stringify(b);
    const plugins: PluginName[] = [];
    if (changed(node.spec, old.spec))
      plugins.push('NodeUnschedulable', 'TaintToleration', 'PodTopologySpread');
    if (changed(node.status?.allocatable, old.status?.allocatable)) plugins.push('NodeResourcesFit');
    const relabelled = changed(node.metadata.labels, old.metadata.labels);
    if (relabelled) plugins.push('NodeAffinity', 'PodTopologySpread', 'InterPodAffinity', 'VolumeBinding');
    this.state.setNode(node);
    this.queue.wakeFor(plugins, nodeHint(node));
  }
}

/** Which profile a pod asks for. */
function profileOf(pod: Stored<Pod>): string {
  return pod.spec?.schedulerName ?? DEFAULT_PROFILE;
}

/** True if nothing that is counted differs: a mere change of status. */
function countsTheSame(pod: Stored<Pod>, old: Stored<Pod>): boolean {
  if (pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp) return false;
  if (
    pod.metadata.labels !== old.metadata.labels &&
    JSON.stringify(pod.metadata.labels) !== JSON.stringify(old.metadata.labels)
  ) {
    return false;
  }
  return pod.spec === old.spec || pod.metadata.generation === old.metadata.generation;
}

function feasibleMax(nodes: number): number {
  if (nodes < FEASIBLE_MIN) return nodes;
  const share = Math.max(5, 50 - Math.floor(nodes / 125));
  return Math.max(FEASIBLE_MIN, Math.floor((nodes * share) / 100));
}
