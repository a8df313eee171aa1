// procfs: processes and the machine's figures as text. proc(5).
import type { Process } from './process.ts';
import {
  GeneratedFile,
  GeneratedLink,
  GeneratedTree,
  fixed,
  type GeneratedNode,
  type Listing,
} from './generated-tree.ts';
import type { MachineKernel } from './make-kernel.ts';
import { processDirectory } from './proc-process.ts';
import { TICKS_PER_SECOND } from './proc-status.ts';
import { makeNetFiles } from './proc-net.ts';
import { sysctlDirectory } from './proc-sys.ts';
import { VirtualProcess } from './virtual-process.ts';

/** What the kernel and its caches hold of a machine's memory. */
const KERNEL_SHARE = 0.08;
const CACHE_SHARE = 0.2;

export function makeProc(kernel: MachineKernel): GeneratedTree {
  const tree = new GeneratedTree('proc', () => kernel.clock.now());
  const file =
    (make: (viewer: Process) => string): (() => GeneratedFile) =>
    () =>
      new GeneratedFile(tree, make);
  const figures: Record<string, () => GeneratedNode> = {
    cgroups: file(
      () =>
        '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t5\t1\t1\ncpu\t3\t1\t1\nmemory\t8\t1\t1\npids\t11\t1\t1\n',
    ),
    cmdline: file(() => `${kernel.commandLine}\n`),
    cpuinfo: file(() => cpuInfo(kernel.cpuCount)),
    devices: file(
      () =>
        'Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n136 pts\n\nBlock devices:\n  8 sd\n253 device-mapper\n',
    ),
    filesystems: file(
      () =>
        ['sysfs', 'rootfs', 'tmpfs', 'proc', 'cgroup', 'devtmpfs', 'pipefs', 'devpts']
          .map((name) => `nodev\t${name}\n`)
          .join('') + '\txfs\nnodev\toverlay\n',
    ),
    loadavg: file((viewer) => loadAverage(kernel, viewer)),
    meminfo: file(() => memoryInfo(kernel)),
    modules: file(() => kernel.listModules().map(moduleLine).join('')),
    mounts: () => new GeneratedLink(tree, 'self/mounts'),
    net: () => new GeneratedLink(tree, 'self/net'),
    self: () => new GeneratedLink(tree, (viewer) => String(viewer?.pid ?? '')),
    stat: file(() => machineStat(kernel)),
    swaps: file(() => 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n'),
    sys: () => sysctlDirectory(tree, kernel),
    uptime: file(() => uptime(kernel)),
    version: file(
      () => `Linux version ${kernel.release} (mockbuild@kbuilder) (gcc version 4.8.5) ${kernel.version}\n`,
    ),
  };
  const fixedNames = fixed(figures);
  const netFiles = makeNetFiles(tree);
  const listing: Listing = {
    names: (viewer) => [...pidsSeenBy(kernel, viewer).map(String), ...fixedNames.names(viewer)],
    lookup(name, viewer) {
      if (!/^[1-9]\d*$/.test(name)) return fixedNames.lookup(name, viewer);
      const process = processesSeenBy(kernel, viewer).get(Number(name));
      return process === undefined ? undefined : processDirectory(tree, kernel, process, viewer, netFiles);
    },
  };
  tree.setRoot(listing);
  return tree;
}

function processesSeenBy(
  kernel: MachineKernel,
  viewer: Process | undefined,
): ReadonlyMap<number, VirtualProcess> {
  return viewer instanceof VirtualProcess ? viewer.surroundings.pids.processes : kernel.pids.processes;
}

function pidsSeenBy(kernel: MachineKernel, viewer: Process | undefined): number[] {
  return Array.from(processesSeenBy(kernel, viewer).keys()).sort((a, b) => a - b);
}

function cpuInfo(count: number): string {
  const one = (index: number): string =>
    [
      `processor\t: ${index}`,
      'vendor_id\t: GenuineIntel',
      'cpu family\t: 6',
      'model\t\t: 85',
      'model name\t: Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz',
      'stepping\t: 4',
      'cpu MHz\t\t: 2095.078',
      'cache size\t: 22528 KB',
      `physical id\t: ${index}`,
      `siblings\t: 1`,
      'core id\t\t: 0',
      'cpu cores\t: 1',
      'flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat clflush mmx fxsr sse sse2 ss ht syscall nx rdtscp lm constant_tsc',
      'bogomips\t: 4190.15',
    ].join('\n');
  return Array.from({ length: count }, (_, index) => `${one(index)}\n\n`).join('');
}

/** What free(1) computes from. */
function memoryInfo(kernel: MachineKernel): string {
  const total = Math.floor(kernel.memoryBytes / 1024);
  const processes = kernel.listProcesses().reduce((sum, { memoryBytes }) => sum + memoryBytes, 0) / 1024;
  const cached = Math.floor(total * CACHE_SHARE);
  const free = Math.max(0, Math.floor(total * (1 - KERNEL_SHARE) - processes - cached));
  const rows: readonly (readonly [string, number])[] = [
    ['MemTotal', total],
    ['MemFree', free],
    ['MemAvailable', free + cached],
    ['Buffers', 2108],
    ['Cached', cached],
    ['SwapCached', 0],
    ['Active', Math.floor(processes + cached / 2)],
    ['Inactive', Math.floor(cached / 2)],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', 0],
    ['AnonPages', Math.floor(processes)],
    ['Mapped', Math.floor(processes / 3)],
    ['Shmem', 11_888],
    ['Slab', Math.floor(total * 0.02)],
    ['SReclaimable', Math.floor(total * 0.01)],
    ['SUnreclaim', Math.floor(total * 0.01)],
  ];
  return rows
    .map(([name, kilobytes]) => `${`${name}:`.padEnd(16)}${String(kilobytes).padStart(8)} kB\n`)
    .join('');
}

/** Differs: the averages are the present moment's, as no history is kept. */
function loadAverage(kernel: MachineKernel, viewer: Process): string {
  const processes = kernel.listProcesses(viewer);
  const running = processes.filter(({ state, pid }) => state === 'R' && pid !== viewer.pid).length;
  const load = running.toFixed(2);
  return `${load} ${load} ${load} ${running + 1}/${processes.length} ${processes.at(-1)?.pid ?? 1}\n`;
}

function uptime(kernel: MachineKernel): string {
  const seconds = (kernel.clock.now() - kernel.bootMs) / 1000;
  const idle = Math.max(0, seconds * kernel.cpuCount - kernel.table.cpuMs / 1000);
  return `${seconds.toFixed(2)} ${idle.toFixed(2)}\n`;
}

function machineStat(kernel: MachineKernel): string {
  const ticks = (ms: number): number => Math.floor((ms * TICKS_PER_SECOND) / 1000);
  const busy = ticks(kernel.table.cpuMs);
  const all = ticks((kernel.clock.now() - kernel.bootMs) * kernel.cpuCount);
  const user = Math.floor(busy * 0.6);
  const line = (name: string, share: number): string =>
    `${name} ${Math.floor(user / share)} 0 ${Math.floor((busy - user) / share)} ${Math.floor(Math.max(0, all - busy) / share)} 0 0 0 0 0 0\n`;
  const cpus = Array.from({ length: kernel.cpuCount }, (_, index) =>
    line(`cpu${index}`, kernel.cpuCount),
  ).join('');
  const running = kernel.listProcesses().filter(({ state }) => state === 'R').length;
  return `${line('cpu ', 1)}${cpus}ctxt ${busy * 20}\nbtime ${Math.floor(kernel.bootMs / 1000)}\nprocesses ${kernel.table.forks}\nprocs_running ${running}\nprocs_blocked 0\n`;
}

function moduleLine(module: {
  readonly name: string;
  readonly sizeBytes: number;
  readonly usedBy: readonly string[];
}): string {
  const users = module.usedBy.length === 0 ? '-' : `${module.usedBy.join(',')},`;
  return `${module.name} ${module.sizeBytes} ${module.usedBy.length} ${users} Live 0x0000000000000000\n`;
}
