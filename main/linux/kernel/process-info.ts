// A row of ps(1): what the kernel tells of a process.
import type { ProcessInfo } from './kernel.ts';
import type { PidNamespace } from './pid-namespace.ts';
import type { Process } from './process.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** `pids` numbers the row; whoever looks is running. */
export function describeProcess(
  pid: number,
  process: VirtualProcess,
  viewer: Process | undefined,
  pids: PidNamespace,
): ProcessInfo {
  return {
    pid,
    parentPid: process.parent?.numbers.in(pids) ?? 0,
    processGroup: process.group?.numbers.in(pids) ?? 0,
    session: process.group?.session.numbers.in(pids) ?? 0,
    argv: process.argv,
    command: process.command,
    state:
      process.status !== undefined
        ? 'Z'
        : process.stopped
          ? 'T'
          : process.running || process === viewer
            ? 'R'
            : 'S',
    credentials: process.credentials,
    tty: process.tty?.path,
    startMs: process.startMs,
    cpuMs: process.cpuMs,
    memoryBytes: process.status === undefined ? process.memoryBytes : 0,
    cgroup: process.cgroup.path,
  };
}
