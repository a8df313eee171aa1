// Control groups: a tree that counts processes, memory and CPU time, and holds each to its limits. cgroups(7), version 2.
import { ErrnoError } from '../../network/index.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** cfs_period: what a CPU quota is for, unless said otherwise. */
export const CPU_PERIOD_US = 100_000;

/** Absent members stay as they are; undefined (or, in the files, `max`) lifts the limit. */
export interface CgroupLimits {
  readonly memoryMaxBytes?: number | undefined;
  readonly pidsMax?: number | undefined;
  /** CPU time per period, in microseconds. */
  readonly cpuQuotaUs?: number | undefined;
  readonly cpuPeriodUs?: number | undefined;
  readonly cpuWeight?: number | undefined;
}

/** How much of its CPU quota a group has used, and how often it had to wait. */
interface Bandwidth {
  periodStartMs: number;
  leftMs: number;
  periods: number;
  throttled: number;
  throttledMs: number;
}

export class Cgroup {
  readonly name: string;
  readonly parent: Cgroup | undefined;
  /** Itself and those above, up to the root. */
  readonly lineage: readonly Cgroup[];
  memoryMaxBytes: number | undefined;
  pidsMax: number | undefined;
  cpuQuotaUs: number | undefined;
  cpuPeriodUs = CPU_PERIOD_US;
  cpuWeight = 100;
  /** CPU time of all that ever ran in it or below, in ms. */
  cpuMs = 0;
  /** Memory of the processes in it and below, and of what they have put into tmpfs. */
  anonymousBytes = 0;
  sharedBytes = 0;
  peakBytes = 0;
  /** Processes in it and below. */
  processes = 0;
  processesPeak = 0;
  /** How often its limit was met, and whom the OOM killer took: memory.events. */
  memoryMaxEvents = 0;
  oomEvents = 0;
  oomKills = 0;
  pidsMaxEvents = 0;
  private bandwidthState: Bandwidth | undefined;
  /** In it itself; absent while there are none. */
  private inside: Set<VirtualProcess> | undefined;
  private below: Map<string, Cgroup> | undefined;

  constructor(name: string, parent: Cgroup | undefined) {
    this.name = name;
    this.parent = parent;
    this.lineage = parent === undefined ? [this] : [this, ...parent.lineage];
  }

  /** `/` for the root. */
  get path(): string {
    if (this.parent === undefined) return '/';
    const above = this.parent.path;
    return above === '/' ? `/${this.name}` : `${above}/${this.name}`;
  }

  /** The path as those see it whose cgroup namespace begins at `root`: cgroup_namespaces(7). */
  pathFrom(root: Cgroup): string {
    const own = this.path.split('/').slice(1);
    const top = root.path === '/' ? [] : root.path.split('/').slice(1);
    let common = 0;
    while (common < top.length && own[common] === top[common]) common++;
    return `/${[...top.slice(common).fill('..'), ...own.slice(common)].join('/')}`;
  }

  get members(): Iterable<VirtualProcess> {
    return this.inside ?? [];
  }
  get children(): Iterable<Cgroup> {
    return this.below?.values() ?? [];
  }
  get isEmpty(): boolean {
    return (this.inside?.size ?? 0) === 0 && (this.below?.size ?? 0) === 0;
  }
  get memoryBytes(): number {
    return this.anonymousBytes + this.sharedBytes;
  }
  get bandwidth(): Readonly<Bandwidth> | undefined {
    return this.bandwidthState;
  }

  child(name: string): Cgroup | undefined {
    return this.below?.get(name);
  }

  /** The child of that name, made if need be. */
  require(name: string): Cgroup {
    const existing = this.child(name);
    if (existing !== undefined) return existing;
    const made = new Cgroup(name, this);
    (this.below ??= new Map()).set(name, made);
    return made;
  }

  /** rmdir(2). Throws EBUSY while anything is in it. */
  remove(name: string): void {
    const child = this.child(name);
    if (child === undefined) throw new ErrnoError('ENOENT');
    if (!child.isEmpty) throw new ErrnoError('EBUSY');
    this.below?.delete(name); // What it had put into a tmpfs stays with those above.
  }

  setLimits(limits: CgroupLimits): void {
    if ('memoryMaxBytes' in limits) this.memoryMaxBytes = limits.memoryMaxBytes;
    if ('pidsMax' in limits) this.pidsMax = limits.pidsMax;
    if ('cpuQuotaUs' in limits) this.cpuQuotaUs = limits.cpuQuotaUs;
    this.cpuPeriodUs = limits.cpuPeriodUs ?? this.cpuPeriodUs;
    this.cpuWeight = limits.cpuWeight ?? this.cpuWeight;
  }

  // ── What is in it ──

  join(process: VirtualProcess): void {
    (this.inside ??= new Set()).add(process);
    for (const group of this.lineage) {
      group.processes++;
      group.processesPeak = Math.max(group.processesPeak, group.processes);
    }
    this.chargeMemory(process.memoryBytes);
  }

  leave(process: VirtualProcess): void {
    if (this.inside?.delete(process) !== true) return;
    for (const group of this.lineage) group.processes--;
    this.chargeMemory(-process.memoryBytes);
  }

  chargeMemory(bytes: number): void {
    for (const group of this.lineage) {
      group.anonymousBytes += bytes;
      group.notePeak();
    }
  }

  /** What its processes put into a tmpfs, or take out. */
  chargeShared(bytes: number): void {
    for (const group of this.lineage) {
      group.sharedBytes += bytes;
      group.notePeak();
    }
  }

  private notePeak(): void {
    if (this.memoryBytes > this.peakBytes) this.peakBytes = this.memoryBytes;
  }

  /** The group on the way up that lets no further process in. */
  full(): Cgroup | undefined {
    for (const group of this.lineage)
      if (group.pidsMax !== undefined && group.processes >= group.pidsMax) return group;
    return undefined;
  }

  /** The group on the way up that is over its memory limit. */
  overMemory(): Cgroup | undefined {
    for (const group of this.lineage)
      if (group.memoryMaxBytes !== undefined && group.memoryBytes > group.memoryMaxBytes) return group;
    return undefined;
  }

  /** All processes in it and below. */
  *everyone(): Generator<VirtualProcess> {
    yield* this.members;
    for (const child of this.children) yield* child.everyone();
  }

  // ── CPU ──

  /** Accounts for CPU time. */
  spend(costMs: number): void {
    for (const group of this.lineage) group.cpuMs += costMs;
  }

  /** For how long who has just used so much CPU must wait, in ms: cpu.max of this group and those above. */
  throttleMs(costMs: number, nowMs: number): number {
    let waitMs = 0;
    for (const group of this.lineage)
      if (group.cpuQuotaUs !== undefined)
        waitMs = Math.max(waitMs, group.useQuota(costMs, nowMs, group.cpuQuotaUs));
    return waitMs;
  }

  private useQuota(costMs: number, nowMs: number, quotaUs: number): number {
    const periodMs = this.cpuPeriodUs / 1000;
    const quotaMs = quotaUs / 1000;
    const state = (this.bandwidthState ??= {
      periodStartMs: nowMs,
      leftMs: quotaMs,
      periods: 1,
      throttled: 0,
      throttledMs: 0,
    });
    if (nowMs >= state.periodStartMs + periodMs) {
      state.periodStartMs += Math.floor((nowMs - state.periodStartMs) / periodMs) * periodMs;
      state.leftMs = quotaMs;
      state.periods++;
    }
    state.leftMs -= costMs;
    if (state.leftMs > 0) return 0;
    const periods = Math.floor(-state.leftMs / quotaMs) + 1;
    state.leftMs += periods * quotaMs;
    state.periods += periods;
    state.throttled += periods;
    state.periodStartMs += periods * periodMs;
    const waitMs = Math.max(0, state.periodStartMs - nowMs);
    state.throttledMs += waitMs;
    return waitMs;
  }
}

/** Who has put how much into a tmpfs: what is taken out comes off the taker first, then off the others. */
export class SharedCharges {
  private readonly byGroup = new Map<Cgroup, number>();

  /** `bytes` more, or less, by a process of `group`. */
  account(bytes: number, group: Cgroup): void {
    if (bytes >= 0) return this.add(bytes, group);
    let left = -bytes;
    for (const owner of [group, ...this.byGroup.keys()]) {
      const part = Math.min(left, this.byGroup.get(owner) ?? 0);
      if (part > 0) this.add(-part, owner);
      left -= part;
      if (left === 0) return;
    }
  }

  /** The tmpfs is gone. */
  release(): void {
    for (const [group, bytes] of Array.from(this.byGroup)) this.add(-bytes, group);
  }

  private add(bytes: number, group: Cgroup): void {
    const total = (this.byGroup.get(group) ?? 0) + bytes;
    if (total === 0) this.byGroup.delete(group);
    else this.byGroup.set(group, total);
    group.chargeShared(bytes);
  }
}
