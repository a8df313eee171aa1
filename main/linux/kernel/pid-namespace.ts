// Process ids: namespaces that number processes, process groups and sessions. pid_namespaces(7).
import { ErrnoError } from '../../network/index.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** Where numbering starts over after the largest one (RESERVED_PIDS, pid_max). */
const PID_RESERVED = 300;
const PID_MAX_DEFAULT = 131_072;

export class PidNamespace {
  readonly parent: PidNamespace | undefined;
  readonly level: number;
  readonly processes = new Map<number, VirtualProcess>();
  /** kernel.pid_max; of the machine's own namespace it holds for all. */
  pidMax = PID_MAX_DEFAULT;
  /** Its first process; when that ends, all of it is killed. */
  init: VirtualProcess | undefined;
  private last: number;
  /** Numbers of groups and sessions whose leader is gone; not given out again while in use. */
  private readonly held = new Map<number, number>();

  constructor(parent: PidNamespace | undefined, last = 0) {
    this.parent = parent;
    this.level = parent === undefined ? 0 : parent.level + 1;
    this.last = last;
  }

  private get ceiling(): number {
    return this.parent?.ceiling ?? this.pidMax;
  }

  /** The next free number, as Linux gives them: ever upward, then around. Throws EAGAIN when there is none. */
  allocate(): number {
    const max = this.ceiling;
    for (let tries = 0; tries < max; tries++) {
      this.last = this.last + 1 >= max ? PID_RESERVED : this.last + 1;
      if (!this.processes.has(this.last) && !this.held.has(this.last)) return this.last;
    }
    throw new ErrnoError('EAGAIN');
  }

  /** The number given out last. */
  get newest(): number {
    return this.last;
  }

  /** Lets numbering go on from here: what a machine's boot used up. */
  skipTo(pid: number): void {
    this.last = Math.max(this.last, pid);
  }

  hold(pid: number): void {
    this.held.set(pid, (this.held.get(pid) ?? 0) + 1);
  }

  release(pid: number): void {
    const count = (this.held.get(pid) ?? 1) - 1;
    if (count === 0) this.held.delete(pid);
    else this.held.set(pid, count);
  }
}

/** One id as every namespace from the machine's down to its own numbers it. */
export class PidNumbers {
  readonly namespace: PidNamespace;
  readonly byLevel: readonly number[];

  constructor(namespace: PidNamespace) {
    const numbers: number[] = [];
    for (let at: PidNamespace | undefined = namespace; at !== undefined; at = at.parent)
      numbers.unshift(at.allocate());
    this.namespace = namespace;
    this.byLevel = numbers;
  }

  /** 0 where it can't be seen. */
  in(viewer: PidNamespace): number {
    for (let at: PidNamespace | undefined = this.namespace; at !== undefined; at = at.parent) {
      if (at === viewer) return this.byLevel[viewer.level]!;
    }
    return 0;
  }

  hold(): void {
    for (let at: PidNamespace | undefined = this.namespace; at !== undefined; at = at.parent)
      at.hold(this.byLevel[at.level]!);
  }

  release(): void {
    for (let at: PidNamespace | undefined = this.namespace; at !== undefined; at = at.parent)
      at.release(this.byLevel[at.level]!);
  }
}
