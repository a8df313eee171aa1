// The OOM killer: whom it takes when memory is at its limit, and what it says about it. mm/oom_kill.c.
import type { Cgroup } from './cgroup.ts';
import type { VirtualProcess } from './virtual-process.ts';

const PAGE_BYTES = 4096;
/** OOM_SCORE_ADJ_MIN: such a process is never taken. */
const SPARED = -1000;

export interface OomHost {
  readonly memoryBytes: number;
  /** The root of all groups. */
  readonly cgroups: Cgroup;
  printk(text: string, severity: number): void;
}

/** oom_badness: pages, moved by oom_score_adj in thousandths of what there is; undefined: not to be taken. */
function badness(process: VirtualProcess, totalPages: number): number | undefined {
  if (process.oomScoreAdj === SPARED || process.status !== undefined) return undefined;
  return pagesOf(process) + (process.oomScoreAdj * totalPages) / 1000;
}

/** /proc/PID/oom_score. */
export function oomScore(process: VirtualProcess, memoryBytes: number): number {
  const totalPages = Math.floor(memoryBytes / PAGE_BYTES);
  const points = badness(process, totalPages);
  return points === undefined ? 0 : Math.max(0, Math.floor(((1000 + (points * 1000) / totalPages) * 2) / 3));
}

/** Kills while a group on the way up from this one, or the machine as a whole, holds more than it may. */
export function checkMemory(host: OomHost, from: Cgroup, culprit: VirtualProcess): void {
  for (let group = from.overMemory(); group !== undefined; group = from.overMemory()) {
    group.memoryMaxEvents++;
    group.oomEvents++;
    if (!killOne(host, group, culprit)) return;
  }
  while (host.cgroups.memoryBytes > host.memoryBytes) if (!killOne(host, undefined, culprit)) return;
}

/** The group's limit was lowered below what it holds. */
export function reclaim(host: OomHost, group: Cgroup): void {
  for (const process of group.everyone()) {
    if (process.status !== undefined) continue;
    checkMemory(host, group, process);
    return;
  }
}

/** Takes the worst process of the group, or of the machine; false when there is none to take. */
function killOne(host: OomHost, group: Cgroup | undefined, culprit: VirtualProcess): boolean {
  const totalPages = Math.floor((group?.memoryMaxBytes ?? host.memoryBytes) / PAGE_BYTES);
  const candidates = Array.from((group ?? host.cgroups).everyone());
  let worst: VirtualProcess | undefined;
  let worstPoints = -Infinity;
  for (const candidate of candidates) {
    const points = badness(candidate, totalPages);
    if (points === undefined || points <= worstPoints) continue;
    worst = candidate;
    worstPoints = points;
  }
  tell(host, group, culprit, candidates);
  if (worst === undefined) {
    host.printk('Out of memory and no killable processes...', 4);
    return false;
  }
  kill(host, group, worst);
  return true;
}

/** Ends one process for want of memory. */
export function kill(host: OomHost, group: Cgroup | undefined, victim: VirtualProcess): void {
  const { cgroup, command, credentials } = victim;
  const pid = victim.numbers.byLevel[0]!;
  const cause =
    group === undefined
      ? 'constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom'
      : `constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=${group.name},mems_allowed=0,oom_memcg=${group.path}`;
  host.printk(
    `oom-kill:${cause},task_memcg=${cgroup.path},task=${command},pid=${pid},uid=${credentials.uid}`,
    6,
  );
  const resident = Math.round(victim.memoryBytes / 1024);
  host.printk(
    `${group === undefined ? 'Out of memory' : 'Memory cgroup out of memory'}: Killed process ${pid} (${command}) ` +
      `total-vm:${resident * 3}kB, anon-rss:${resident}kB, file-rss:0kB, shmem-rss:0kB, UID:${credentials.uid} ` +
      `pgtables:${pageTablesKilobytes(victim)}kB oom_score_adj:${victim.oomScoreAdj}`,
    3,
  );
  for (const at of cgroup.lineage) at.oomKills++;
  victim.deliver('SIGKILL');
}

function tell(
  host: OomHost,
  group: Cgroup | undefined,
  culprit: VirtualProcess,
  candidates: readonly VirtualProcess[],
): void {
  host.printk(
    `${culprit.command} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=${culprit.oomScoreAdj}`,
    4,
  );
  if (group !== undefined) {
    const kilobytes = Math.floor(group.memoryMaxBytes! / 1024);
    host.printk(`memory: usage ${kilobytes}kB, limit ${kilobytes}kB, failcnt ${group.memoryMaxEvents}`, 6);
    host.printk(`swap: usage 0kB, limit 0kB, failcnt 0`, 6);
    host.printk(`Memory cgroup stats for ${group.path}:`, 6);
  }
  host.printk('Tasks state (memory values in pages):', 6);
  host.printk('[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name', 6);
  for (const process of candidates) {
    const pid = process.numbers.byLevel[0]!;
    const columns = [
      `[${String(pid).padStart(7)}]`,
      String(process.credentials.uid).padStart(5),
      String(pid).padStart(5),
      String(pagesOf(process) * 3).padStart(8),
      String(pagesOf(process)).padStart(8),
      String(pageTablesKilobytes(process) * 1024).padStart(8),
      String(0).padStart(8),
      String(process.oomScoreAdj).padStart(13),
      process.command,
    ];
    host.printk(columns.join(' '), 6);
  }
}

function pagesOf(process: VirtualProcess): number {
  return process.status === undefined ? Math.round(process.memoryBytes / PAGE_BYTES) : 0;
}

/** A page of tables for every 2 MiB, and the levels above. */
function pageTablesKilobytes(process: VirtualProcess): number {
  return 4 * (8 + Math.ceil((process.memoryBytes * 3) / (2 * 1024 ** 2)));
}
