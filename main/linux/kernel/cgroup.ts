// Control groups as far as they limit (number of processes, memory) and account (CPU time, memory). cgroups(7).
import type { ProcessTable } from './process-table.ts';
import type { VirtualProcess } from './virtual-process.ts';

export class Cgroup {
  readonly path: string;
  memoryMaxBytes: number | undefined;
  readonly pidsMax: number | undefined;
  readonly members = new Set<VirtualProcess>();
  /** How often the memory limit killed. */
  oomKills = 0;
  /** CPU time of all that ever ran in it, in ms. */
  cpuMs = 0;

  constructor(path: string, memoryMaxBytes?: number, pidsMax?: number) {
    this.path = path;
    this.memoryMaxBytes = memoryMaxBytes;
    this.pidsMax = pidsMax;
  }

  get full(): boolean {
    return this.pidsMax !== undefined && this.members.size >= this.pidsMax;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const member of this.members) bytes += member.memoryBytes;
    return bytes;
  }

  /** Kills the largest process while the limit is exceeded, as the kernel's OOM killer does. */
  checkMemory(table: ProcessTable): void {
    if (this.memoryMaxBytes === undefined) return;
    while (this.memoryBytes > this.memoryMaxBytes) {
      let largest: VirtualProcess | undefined;
      for (const member of this.members)
        if (largest === undefined || member.memoryBytes > largest.memoryBytes) largest = member;
      if (largest === undefined) return;
      this.kill(table, largest);
    }
  }

  /** What memory.events counts as oom_kill, be it for the group's own limit or the machine's. */
  kill(table: ProcessTable, member: VirtualProcess): void {
    this.oomKills++;
    table.outOfMemory(
      member,
      this.memoryMaxBytes === undefined ? 'Out of memory' : 'Memory cgroup out of memory',
    );
  }
}
