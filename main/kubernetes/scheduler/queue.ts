// The scheduling queue: pods to try now, by priority; pods backing off; and pods that wait for something to change.
import type { Clock } from '../../simulation/index.ts';
import type { ObjectKey } from '../api/index.ts';
import type { PodInfo } from './pod-info.ts';
import type { QueueingHint } from './queue-hints.ts';
import type { PluginName } from './rejection.ts';

/** A pod waits 1 s after its first failed attempt, doubled up to 10 s. */
const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 10_000;
/** A pod that nothing woke is tried again after this long. */
const UNSCHEDULABLE_MAX_MS = 5 * 60_000;

export interface QueuedPod {
  info: PodInfo;
  attempts: number;
  /** When its back-off ends. */
  readyMs: number;
  /** The plugins that rejected it last time: only what concerns them wakes it. */
  rejectedBy: ReadonlySet<PluginName>;
  place: 'active' | 'backing-off' | 'waiting' | 'gated' | 'out';
  timer: Disposable | undefined;
}

/** Pods by what they wait for. */
export class SchedulingQueue {
  /** Called whenever a pod has become takeable. */
  onReady: () => void = () => undefined;
  private readonly clock: Clock;
  private readonly pods = new Map<ObjectKey, QueuedPod>();
  /** Takeable pods: by priority, highest first, and then first come first served. */
  private readonly active = new Map<number, Set<QueuedPod>>();
  /** Waiting pods by each plugin that rejected them, so that a change costs only those it concerns. */
  private readonly waiting = new Map<PluginName, Set<QueuedPod>>();
  private readonly inFlight = new Map<ObjectKey, QueuedPod>();
  private activeCount = 0;

  /** Whether pods are taken before their back-off is over when no other waits (SchedulerPopFromBackoffQ, since 1.33). */
  private readonly popsFromBackoff: boolean;

  constructor(clock: Clock, popsFromBackoff = false) {
    this.clock = clock;
    this.popsFromBackoff = popsFromBackoff;
  }

  /** Pods that can be taken now. */
  get length(): number {
    return this.activeCount;
  }

  /** A new pod; or a waiting one whose change may help. */
  put(info: PodInfo): void {
    const gated = (info.pod.spec?.schedulingGates ?? []).length > 0;
    const known = this.pods.get(info.key) ?? this.inFlight.get(info.key);
    if (known === undefined) {
      const queued: QueuedPod = {
        info,
        attempts: 0,
        readyMs: 0,
        rejectedBy: new Set(),
        place: 'out',
        timer: undefined,
      };
      this.pods.set(info.key, queued);
      if (gated) queued.place = 'gated';
      else this.activate(queued);
      return;
    }
    const changed = specText(known.info) !== specText(info);
    if (known.place === 'active') this.deactivate(known);
    const wasActive = known.place === 'active';
    known.info = info;
    if (known.place === 'out') return; // Being tried; its failure comes back here.
    if (wasActive || (known.place === 'gated' && !gated)) this.activate(known);
    else if (known.place === 'waiting' && changed) this.wake(known);
  }

  remove(key: ObjectKey): void {
    this.inFlight.delete(key);
    const queued = this.pods.get(key);
    if (queued === undefined) return;
    this.pods.delete(key);
    this.leave(queued);
  }

  take(): QueuedPod | undefined {
    const priority = this.highest();
    if (priority === undefined) return undefined;
    for (const queued of this.active.get(priority)!) {
      this.deactivate(queued);
      queued.place = 'out';
      queued.attempts++;
      this.pods.delete(queued.info.key);
      this.inFlight.set(queued.info.key, queued);
      return queued;
    }
    return undefined;
  }

  /** The pod taken was bound. */
  done({ info }: QueuedPod): void {
    this.inFlight.delete(info.key);
  }

  /** No node fits: wait until something changes that the rejecting plugins care about. */
  park(queued: QueuedPod, rejectedBy: ReadonlySet<PluginName>): void {
    if (!this.takeBack(queued)) return;
    // Nothing to wait for in particular: the back-off alone decides.
    if (rejectedBy.size === 0) return this.wake(queued);
    queued.rejectedBy = rejectedBy;
    queued.place = 'waiting';
    for (const plugin of rejectedBy) {
      let pods = this.waiting.get(plugin);
      if (pods === undefined) this.waiting.set(plugin, (pods = new Set()));
      pods.add(queued);
    }
    queued.timer = this.clock.after(UNSCHEDULABLE_MAX_MS, () => this.wake(queued));
  }

  /** The attempt failed for another reason: try again after the back-off. */
  retry(queued: QueuedPod): void {
    queued.rejectedBy = new Set();
    if (this.takeBack(queued)) this.wake(queued);
  }

  /** Something changed in the cluster: pods rejected by one of these plugins get another chance. */
  wakeFor(plugins: readonly PluginName[], hint?: QueueingHint): void {
    for (const plugin of plugins)
      for (const queued of this.waiting.get(plugin) ?? [])
        if (hint === undefined || hint(queued.info, plugin)) this.wake(queued);
  }

  shutDown(): void {
    this.onReady = () => undefined;
    for (const queued of this.pods.values()) queued.timer?.[Symbol.dispose]();
    this.pods.clear();
    this.active.clear();
    this.activeCount = 0;
  }

  /** False if the pod was deleted while it was tried. */
  private takeBack(queued: QueuedPod): boolean {
    if (!this.inFlight.delete(queued.info.key)) return false;
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (queued.attempts - 1));
    queued.readyMs = this.clock.now() + backoffMs;
    this.pods.set(queued.info.key, queued);
    return true;
  }

  private wake(queued: QueuedPod): void {
    this.leave(queued);
    const leftMs = queued.readyMs - this.clock.now();
    // With nothing else to do the scheduler takes pods before their back-off is over, unless an error is its cause.
    const isIdle = this.popsFromBackoff && this.activeCount === 0 && queued.rejectedBy.size > 0;
    if (leftMs <= 0 || isIdle) return this.activate(queued);
    queued.place = 'backing-off';
    queued.timer = this.clock.after(leftMs, () => this.activate(queued));
  }

  private leave(queued: QueuedPod): void {
    queued.timer?.[Symbol.dispose]();
    queued.timer = undefined;
    for (const plugin of queued.rejectedBy) this.waiting.get(plugin)?.delete(queued);
    if (queued.place === 'active') this.deactivate(queued);
    queued.place = 'out';
  }

  private activate(queued: QueuedPod): void {
    queued.timer = undefined;
    queued.place = 'active';
    const { priority } = queued.info;
    let bucket = this.active.get(priority);
    if (bucket === undefined) this.active.set(priority, (bucket = new Set()));
    bucket.add(queued);
    this.activeCount++;
    this.onReady();
  }

  private deactivate(queued: QueuedPod): void {
    const { priority } = queued.info;
    const bucket = this.active.get(priority);
    if (bucket?.delete(queued) !== true) return;
    this.activeCount--;
    if (bucket.size === 0) this.active.delete(priority);
  }

  private highest(): number | undefined {
    let highest: number | undefined;
    for (const priority of this.active.keys())
      if (highest === undefined || priority > highest) highest = priority;
    return highest;
  }
}

/** What of a pod can change whether it fits: a status update must not wake it. */
function specText({ pod }: PodInfo): string {
  return JSON.stringify([pod.metadata.labels, pod.spec]);
}
