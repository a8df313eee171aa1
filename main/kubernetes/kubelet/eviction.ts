// Node-pressure eviction: watches memory, disk and process numbers, and ends pods before the node runs out.
import { every, type Clock } from '../../simulation/index.ts';
import type { Kernel } from '../../linux/kernel/index.ts';
import { quantityValue, type PodSpec } from '../api/index.ts';
import type { EventRecorder } from '../client/index.ts';
import { isCritical, type Pressure } from './admission.ts';
import type { KubeletConfig } from './config.ts';
import { parseThresholds, type Signal, type Threshold } from './eviction-thresholds.ts';
import { podReference, type KnownPod } from './pod-facts.ts';
import { podRequests } from './pod-requests.ts';
import { emptyDirBytes, usageOf, type ContainerUse, type PodUsageWorld } from './pod-usage.ts';

export interface EvictionWorld extends PodUsageWorld {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly config: KubeletConfig;
  readonly recorder: EventRecorder;
  /** Pods that hold anything, whatever their phase. */
  readonly pods: () => Iterable<KnownPod>;
  readonly imageBytes: () => number;
  /** Frees disk without ending pods: dead containers, unused images. */
  readonly reclaimDisk: () => Promise<void>;
  readonly evict: (pod: KnownPod, message: string, graceSeconds: number) => void;
  readonly nodeEvent: (reason: string, message: string) => void;
  /** The pressure on the node has changed. */
  readonly onPressure: () => void;
  readonly onFault: (error: unknown) => void;
}

interface Observation {
  readonly available: number;
  readonly capacity: number;
}

/** How often the node is looked at, in ms. */
const MONITORING_MS = 10_000;
/** What a pod gets when a hard threshold is met, in seconds. */
const HARD_GRACE_SECONDS = 1;
/** kernel.pid_max. */
const PIDS_MAX = 131_072;

type Resource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';

const MEANING: Record<Signal, { readonly resource: Resource; readonly pressure: Pressure }> = {
  'memory.available': { resource: 'memory', pressure: 'MemoryPressure' },
  'nodefs.available': { resource: 'ephemeral-storage', pressure: 'DiskPressure' },
  'nodefs.inodesFree': { resource: 'inodes', pressure: 'DiskPressure' },
  'imagefs.available': { resource: 'ephemeral-storage', pressure: 'DiskPressure' },
  'imagefs.inodesFree': { resource: 'inodes', pressure: 'DiskPressure' },
  'pid.available': { resource: 'pids', pressure: 'PIDPressure' },
};

export class EvictionManager {
  private readonly world: EvictionWorld;
  private readonly thresholds: readonly Threshold[];
  /** Since when a threshold has been met. */
  private readonly metSinceMs = new Map<Threshold, number>();
  private readonly lastPressureMs = new Map<Pressure, number>();
  private shown = '';
  private isBusy = false;

  constructor(world: EvictionWorld) {
    this.world = world;
    const { evictionHard, evictionSoft, evictionSoftGraceMs } = world.config;
    this.thresholds = [
      ...parseThresholds(evictionHard, () => 0),
      ...parseThresholds(evictionSoft, (signal) => evictionSoftGraceMs[signal] ?? 0),
    ].toSorted((a, b) => order(a) - order(b));
  }

  start(): Disposable {
    return every(this.world.clock, MONITORING_MS, () => {
      if (this.isBusy) return;
      this.isBusy = true;
      this.look()
        .catch(this.world.onFault)
        .finally(() => (this.isBusy = false));
    });
  }

  /** A condition lasts for a while after what caused it (evictionPressureTransitionPeriod). */
  pressure(): ReadonlySet<Pressure> {
    const sinceMs = this.world.clock.now() - this.world.config.evictionPressureTransitionMs;
    return new Set(
      [...this.lastPressureMs].filter(([, lastMs]) => lastMs > sinceMs).map(([pressure]) => pressure),
    );
  }

  private async look(): Promise<void> {
    const { clock } = this.world;
    const nowMs = clock.now();
    const isMet = (threshold: Threshold): boolean => {
      const { available, capacity } = this.observe(threshold.signal);
      return available < threshold.amountOf(capacity);
    };
    for (const threshold of this.thresholds) {
      if (!isMet(threshold)) this.metSinceMs.delete(threshold);
      else {
        if (!this.metSinceMs.has(threshold)) this.metSinceMs.set(threshold, nowMs);
        this.lastPressureMs.set(MEANING[threshold.signal].pressure, nowMs);
      }
    }
    const shown = [...this.pressure()].join();
    if (shown !== this.shown) {
      this.shown = shown;
      this.world.onPressure();
    }
    if (this.evictForLocalStorage()) return;
    const urgent = this.thresholds.find(
      (threshold) => nowMs - (this.metSinceMs.get(threshold) ?? Infinity) >= threshold.graceMs,
    );
    if (urgent === undefined) return;
    const { resource, pressure } = MEANING[urgent.signal];
    this.world.nodeEvent('EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (pressure === 'DiskPressure') {
      await this.world.reclaimDisk();
      if (!isMet(urgent)) return;
    }
    this.evictOne(urgent, resource);
  }

  private observe(signal: Signal): Observation {
    const { kernel, config, imageBytes } = this.world;
    switch (signal) {
      case 'memory.available': {
        const used = kernel.cgroupUsage()?.memoryBytes ?? 0;
        return { capacity: kernel.memoryBytes, available: kernel.memoryBytes - used };
      }
      case 'pid.available':
        return { capacity: PIDS_MAX, available: PIDS_MAX - (kernel.cgroupUsage()?.processes ?? 0) };
      case 'nodefs.inodesFree':
      case 'imagefs.inodesFree': {
        const { inodesTotal, inodesUsed } = kernel.usage(config.rootDirectory);
        return { capacity: inodesTotal, available: inodesTotal - inodesUsed };
      }
      default: {
        // Images and containers lie on the same disk as the kubelet's files.
        const { totalBytes, usedBytes } = kernel.usage(config.rootDirectory);
        return { capacity: totalBytes, available: totalBytes - usedBytes - imageBytes() };
      }
    }
  }

  private evictOne(threshold: Threshold, resource: Resource): void {
    const { world } = this;
    const pods = [...world.pods()].filter((pod) => !isCritical(pod));
    const [worst] = this.rank(pods, resource);
    if (worst === undefined) return;
    const { available, capacity } = this.observe(threshold.signal);
    const show = (amount: number): string => quantityText(amount, resource);
    let message = `The node was low on resource: ${resource}. Threshold quantity: ${show(threshold.amountOf(capacity))}, available: ${show(available)}. `;
    for (const use of usageOf(world, worst)) {
      const container = worst.spec.containers.find(({ name }) => name === use.name);
      const request = container?.resources?.requests?.[resource];
      const used = usedOf(use, resource);
      if (resource === 'inodes' || used <= (request === undefined ? 0 : quantityValue(request))) continue;
      message += `Container ${use.name} was using ${show(used)}, request is ${request ?? 0}, has larger consumption of ${resource}. `;
    }
    const grace = threshold.graceMs === 0 ? HARD_GRACE_SECONDS : world.config.evictionMaxPodGraceSeconds;
    this.evict(worst, message, grace);
  }

  /** First those that use more than they asked for, then the less important, then by how much more they use. */
  private rank(pods: readonly KnownPod[], resource: Resource): KnownPod[] {
    const facts = new Map(
      pods.map((pod) => {
        const used = usageOf(this.world, pod).reduce((sum, use) => sum + usedOf(use, resource), 0);
        const local = resource === 'ephemeral-storage' ? sum(emptyDirBytes(this.world, pod).values()) : 0;
        const requested = podRequests(pod.spec).get(resource) ?? 0;
        return [pod, used + local - requested] as const;
      }),
    );
    const excess = (pod: KnownPod): number => facts.get(pod) ?? 0;
    const exceeds = (pod: KnownPod): number => (excess(pod) > 0 && resource !== 'pids' ? 0 : 1);
    return pods.toSorted(
      (a, b) =>
        exceeds(a) - exceeds(b) || (a.spec.priority ?? 0) - (b.spec.priority ?? 0) || excess(b) - excess(a),
    );
  }

  /** Limits on volumes and on local storage are kept whether the node is short or not; true if a pod had to go. */
  private evictForLocalStorage(): boolean {
    let any = false;
    for (const pod of this.world.pods()) {
      if (!hasLocalLimits(pod.spec)) continue;
      const message = localStorageFault(this.world, pod);
      if (message === undefined || isCritical(pod)) continue;
      this.evict(pod, message, HARD_GRACE_SECONDS);
      any = true;
    }
    return any;
  }

  private evict(pod: KnownPod, message: string, graceSeconds: number): void {
    this.world.recorder.event(podReference(pod), 'Warning', 'Evicted', message);
    this.world.evict(pod, message, graceSeconds);
  }
}

const localLimits = new WeakMap<PodSpec, boolean>();

/** Whether anything limits what a pod keeps on its node's disk; most pods have no such limit, and are asked often. */
function hasLocalLimits(spec: PodSpec): boolean {
  let known = localLimits.get(spec);
  if (known === undefined) {
    known =
      (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) ||
      spec.containers.some(({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined);
    localLimits.set(spec, known);
  }
  return known;
}

/** What a pod has too much of on its node's disk; undefined when it keeps within its limits. */
function localStorageFault(world: PodUsageWorld, pod: KnownPod): string | undefined {
  const limits = pod.spec.containers.map(({ name, resources }) => ({
    name,
    limit: resources?.limits?.['ephemeral-storage'],
  }));
  const volumes = (pod.spec.volumes ?? []).filter(({ emptyDir }) => emptyDir?.sizeLimit !== undefined);
  if (volumes.length === 0 && limits.every(({ limit }) => limit === undefined)) return undefined;
  const sizes = emptyDirBytes(world, pod);
  for (const { name, emptyDir } of volumes) {
    const limit = emptyDir!.sizeLimit!;
    if (quantityValue(limit) > 0 && (sizes.get(name) ?? 0) > quantityValue(limit))
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
  }
  if (limits.every(({ limit }) => limit === undefined)) return undefined;
  const uses = usageOf(world, pod);
  if (limits.every(({ limit }) => limit !== undefined)) {
    const total = sum(limits.map(({ limit }) => quantityValue(limit!)));
    if (sum(uses.map(({ diskBytes }) => diskBytes)) + sum(sizes.values()) > total)
      return `Pod ephemeral local storage usage exceeds the total limit of containers ${binaryText(total)}. `;
  }
  for (const { name, limit } of limits) {
    const use = uses.find((each) => each.name === name);
    if (limit !== undefined && use !== undefined && use.diskBytes > quantityValue(limit))
      return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}

/** Memory comes first: nothing is as urgent. */
function order({ signal, graceMs }: Threshold): number {
  return (signal === 'memory.available' ? 0 : 2) + (graceMs === 0 ? 0 : 1);
}

function usedOf(use: ContainerUse, resource: Resource): number {
  if (resource === 'memory') return use.memoryBytes;
  if (resource === 'pids') return use.processes;
  return resource === 'ephemeral-storage' ? use.diskBytes : 0;
}

function sum(amounts: Iterable<number>): number {
  let total = 0;
  for (const amount of amounts) total += amount;
  return total;
}

function quantityText(amount: number, resource: Resource): string {
  return resource === 'memory' || resource === 'ephemeral-storage' ? binaryText(amount) : String(amount);
}

/** As resource.Quantity prints bytes: in the largest unit that divides them. */
function binaryText(bytes: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  let unit = 0;
  let amount = Math.max(0, Math.round(bytes));
  while (amount > 0 && amount % 1024 === 0 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount}${units[unit]}`;
}
