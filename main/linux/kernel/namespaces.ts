// The namespaces of a process: what /proc/PID/ns, lsns(8) and nsenter(1) tell apart. namespaces(7).
import type { VirtualProcess } from './virtual-process.ts';

/** Those a process can be in one of, in the order of /proc/PID/ns. */
export type NamespaceKind = 'cgroup' | 'ipc' | 'mnt' | 'net' | 'pid' | 'time' | 'user' | 'uts';

/** Which namespaces a child starts in instead of its parent's: setns(2), unshare(2). */
export interface NamespaceChanges {
  /** Those of another process, by its number as the parent sees it. */
  readonly enter?: { readonly of: number; readonly kinds: readonly NamespaceKind[] };
  /** New ones of its own. */
  readonly create?: readonly NamespaceKind[];
}

/** The numbers that the machine's first namespaces have: include/linux/proc_ns.h, and what a boot gives the others. */
export const FIRST_NUMBERS: Readonly<Record<NamespaceKind, number>> = {
  mnt: 4_026_531_832,
  net: 4_026_531_833,
  time: 4_026_531_834,
  cgroup: 4_026_531_835,
  pid: 4_026_531_836,
  user: 4_026_531_837,
  uts: 4_026_531_838,
  ipc: 4_026_531_839,
};

/** What stands for the namespaces that there is one of. */
const SINGLE_NAMESPACES = { time: {}, user: {} };

/** Names below /proc/PID/ns with the kind of namespace and what stands for it. */
export function namespacesOf(
  process: VirtualProcess,
): (readonly [name: string, kind: NamespaceKind, subject: object])[] {
  const { net, pids, mounts, uts, ipc, cgroupRoot } = process.surroundings;
  return [
    ['cgroup', 'cgroup', cgroupRoot],
    ['ipc', 'ipc', ipc],
    ['mnt', 'mnt', mounts],
    ['net', 'net', net],
    ['pid', 'pid', pids],
    ['pid_for_children', 'pid', pids],
    ['time', 'time', SINGLE_NAMESPACES.time],
    ['time_for_children', 'time', SINGLE_NAMESPACES.time],
    ['user', 'user', SINGLE_NAMESPACES.user],
    ['uts', 'uts', uts],
  ];
}
