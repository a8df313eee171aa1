// /proc/PID/stat, status, statm and their like: one process in figures. proc(5), fs/proc/array.c.
import { capabilityMask, NO_CAPABILITIES } from './capability.ts';
import type { MachineKernel } from './make-kernel.ts';
import type { PidNamespace } from './pid-namespace.ts';
import type { Process, Signal, WaitStatus } from './process.ts';
import { SIGNAL_NUMBERS } from './signals.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** Jiffies per second, as user space sees them. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
/** What is mapped but not resident: so many times the resident memory. */
const VIRTUAL_FACTOR = 3;
const USER_SHARE = 0.6;
const PTS_DEVICE = 0x8800;
const STATE_NAMES = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' } as const;

/** Who asks, and how processes are numbered for them. */
export interface Asked {
  readonly kernel: MachineKernel;
  readonly process: VirtualProcess;
  readonly viewer: Process | undefined;
  readonly pids: PidNamespace;
}

export function ticksOf(ms: number): number {
  return Math.floor((ms * TICKS_PER_SECOND) / 1000);
}

/** /proc/PID/stat: 52 fields. */
export function statLine({ kernel, process, viewer, pids }: Asked): string {
  const { group, tty } = process;
  const cpu = ticksOf(process.cpuMs);
  const childCpu = ticksOf(process.childCpuMs);
  const user = Math.floor(cpu * USER_SHARE);
  const childUser = Math.floor(childCpu * USER_SHARE);
  const isZombie = process.status !== undefined;
  const fields: (string | number)[] = [
    process.numbers.in(pids),
    `(${process.command})`,
    stateOf(process, viewer),
    process.parent?.numbers.in(pids) ?? 0,
    group?.numbers.in(pids) ?? 0,
    group?.session.numbers.in(pids) ?? 0,
    tty === undefined ? 0 : PTS_DEVICE + Number(tty.path.replace(/\D/g, '')),
    tty === undefined ? -1 : (group?.session.foreground?.numbers.in(pids) ?? -1),
    4_194_304,
    pagesOf(process),
    0,
    0,
    0,
    user,
    cpu - user,
    childUser,
    childCpu - childUser,
    20,
    0,
    1,
    0,
    ticksOf(process.startMs - kernel.bootMs),
    isZombie ? 0 : process.memoryBytes * VIRTUAL_FACTOR,
    pagesOf(process),
    '18446744073709551615',
    ...[0, 0, 0, 0, 0],
    ...[0, 0, decimalMask(process.ignoredSignals()), decimalMask(process.caughtSignals())],
    isZombie ? 0 : 1,
    ...[0, 0, SIGNAL_NUMBERS.SIGCHLD, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0],
    process.status === undefined ? 0 : waitStatusOf(process.status),
  ];
  return `${fields.join(' ')}\n`;
}

/** As wait(2) gives it. */
function waitStatusOf(status: WaitStatus): number {
  return status.kind === 'exited' ? status.exitCode << 8 : SIGNAL_NUMBERS[status.signal];
}

/** /proc/PID/statm. */
export function statmLine(process: VirtualProcess): string {
  const resident = pagesOf(process);
  return `${resident * VIRTUAL_FACTOR} ${resident} ${Math.floor(resident / 2)} 200 0 ${resident} 0\n`;
}

/** /proc/PID/status. */
export function statusText({ process, viewer, pids }: Asked): string {
  const state = stateOf(process, viewer);
  const { uid, gid, groups } = process.credentials;
  const pid = process.numbers.in(pids);
  const { bounding } = process;
  const effective = capabilityMask(uid === 0 ? bounding : NO_CAPABILITIES);
  const none = '0'.repeat(16);
  const rows: readonly (readonly [string, string])[] = [
    ['Name', process.command],
    ['Umask', process.umask.toString(8).padStart(4, '0')],
    ['State', `${state} (${STATE_NAMES[state]})`],
    ['Tgid', String(pid)],
    ['Ngid', '0'],
    ['Pid', String(pid)],
    ['PPid', String(process.parent?.numbers.in(pids) ?? 0)],
    ['TracerPid', '0'],
    ['Uid', `${uid}\t${uid}\t${uid}\t${uid}`],
    ['Gid', `${gid}\t${gid}\t${gid}\t${gid}`],
    ['FDSize', String(Math.max(64, 2 ** Math.ceil(Math.log2(process.fds.size + 1))))],
    ['Groups', `${groups.join(' ')} `],
    ['NStgid', numbersFrom(process, pids)],
    ['NSpid', numbersFrom(process, pids)],
    ...(state === 'Z' ? [] : memoryRows(process)),
    ['Threads', '1'],
    ['SigQ', `0/${process.limits.sigpending.soft === Infinity ? 0 : process.limits.sigpending.soft}`],
    ['SigPnd', none],
    ['ShdPnd', signalMask(process.waitingSignals())],
    ['SigBlk', none],
    ['SigIgn', signalMask(process.ignoredSignals())],
    ['SigCgt', signalMask(process.caughtSignals())],
    ['CapInh', none],
    ['CapPrm', effective],
    ['CapEff', effective],
    ['CapBnd', capabilityMask(bounding)],
    ['CapAmb', none],
    ['NoNewPrivs', '0'],
    ['Seccomp', '0'],
    ['Cpus_allowed_list', process.table.cpuCount === 1 ? '0' : `0-${process.table.cpuCount - 1}`],
    ['Mems_allowed_list', '0'],
    ['voluntary_ctxt_switches', String(process.calls.reads + process.calls.writes)],
    ['nonvoluntary_ctxt_switches', String(Math.floor(process.cpuMs))],
  ];
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join('');
}

function memoryRows(process: VirtualProcess): (readonly [string, string])[] {
  const size = (bytes: number): string => `${String(Math.round(bytes / 1024)).padStart(8)} kB`;
  const { memoryBytes, peakBytes } = process;
  return [
    ['VmPeak', size(peakBytes * VIRTUAL_FACTOR)],
    ['VmSize', size(memoryBytes * VIRTUAL_FACTOR)],
    ['VmLck', size(0)],
    ['VmPin', size(0)],
    ['VmHWM', size(peakBytes)],
    ['VmRSS', size(memoryBytes)],
    ['RssAnon', size(memoryBytes)],
    ['RssFile', size(0)],
    ['RssShmem', size(0)],
    ['VmData', size(memoryBytes)],
    ['VmStk', size(132 * 1024)],
    ['VmSwap', size(0)],
  ];
}

/** /proc/PID/io. */
export function ioText({ calls }: VirtualProcess): string {
  return (
    `rchar: ${calls.readBytes}\nwchar: ${calls.writtenBytes}\nsyscr: ${calls.reads}\nsyscw: ${calls.writes}\n` +
    'read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n'
  );
}

/** Its numbers from the asker's namespace inwards. */
function numbersFrom(process: VirtualProcess, pids: PidNamespace): string {
  return process.numbers.byLevel.slice(pids.level).join('\t');
}

function maskOf(signals: readonly Signal[]): bigint {
  return signals.reduce((bits, signal) => bits | (1n << BigInt(SIGNAL_NUMBERS[signal] - 1)), 0n);
}

function signalMask(signals: readonly Signal[]): string {
  return maskOf(signals).toString(16).padStart(16, '0');
}

function decimalMask(signals: readonly Signal[]): string {
  return maskOf(signals).toString();
}

function stateOf(process: VirtualProcess, viewer: Process | undefined): 'R' | 'S' | 'T' | 'Z' {
  if (process.status !== undefined) return 'Z';
  if (process.stopped) return 'T';
  return process.running || process === viewer ? 'R' : 'S';
}

function pagesOf(process: VirtualProcess): number {
  return process.status === undefined ? Math.round(process.memoryBytes / PAGE_BYTES) : 0;
}
