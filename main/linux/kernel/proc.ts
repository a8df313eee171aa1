// procfs: processes and the machine's figures as text. proc(5).
import type { Process } from './process.ts';
import {
  GeneratedDirectory,
  GeneratedFile,
  GeneratedLink,
  GeneratedTree,
  fixed,
  refuseWrite,
  type GeneratedNode,
  type Listing,
} from './generated-tree.ts';
import type { MachineKernel } from './make-kernel.ts';
import { processDirectory } from './proc-process.ts';
import { ticksOf } from './proc-status.ts';
import { makeNetFiles } from './proc-net.ts';
import { sysctlDirectory } from './proc-sys.ts';
import { VirtualProcess } from './virtual-process.ts';

/** What the kernel and its caches hold of a machine's memory. */
const KERNEL_SHARE = 0.08;
const CACHE_SHARE = 0.2;

const NODEV_TYPES = [
  'sysfs',
  'tmpfs',
  'bdev',
  'proc',
  'cgroup',
  'cgroup2',
  'devtmpfs',
  'sockfs',
  'pipefs',
  'devpts',
];
/** Nobody waits for a CPU or for memory here. */
const NO_PRESSURE =
  'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';

export function makeProc(kernel: MachineKernel): GeneratedTree {
  const tree = new GeneratedTree('proc', () => kernel.clock.now());
  const file =
    (make: (viewer: Process) => string): (() => GeneratedFile) =>
    () =>
      new GeneratedFile(tree, make, refuseWrite, 0o444);
  const figures: Record<string, () => GeneratedNode> = {
    cgroups: file(() => {
      const count = 1 + kernel.countCgroups();
      const rows = [
        'cpuset',
        'cpu',
        'cpuacct',
        'blkio',
        'memory',
        'devices',
        'freezer',
        'net_cls',
        'perf_event',
        'net_prio',
        'hugetlb',
        'pids',
      ];
      return `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${rows.map((name) => `${name}\t0\t${count}\t1\n`).join('')}`;
    }),
    cmdline: file(() => `${kernel.commandLine}\n`),
    cpuinfo: file(() => cpuInfo(kernel.cpuCount)),
    devices: file(
      () =>
        'Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n136 pts\n\nBlock devices:\n  8 sd\n253 device-mapper\n',
    ),
    diskstats: file(() => diskStatistics()),
    filesystems: file(
      () => [...NODEV_TYPES, 'overlay', 'mqueue'].map((name) => `nodev\t${name}\n`).join('') + '\txfs\n',
    ),
    loadavg: file((viewer) => loadAverage(kernel, viewer)),
    meminfo: file(() => memoryInfo(kernel)),
    modules: file(() => kernel.listModules().map(moduleLine).join('')),
    mounts: () => new GeneratedLink(tree, 'self/mounts'),
    net: () => new GeneratedLink(tree, 'self/net'),
    partitions: file(() => {
      const blocks = Math.floor(kernel.usage('/').totalBytes / 1024);
      return `major minor  #blocks  name\n\n   8        0 ${String(blocks).padStart(10)} sda\n   8        1 ${String(blocks).padStart(10)} sda1\n`;
    }),
    pressure: () =>
      new GeneratedDirectory(
        tree,
        fixed(Object.fromEntries(['cpu', 'io', 'memory'].map((name) => [name, file(() => NO_PRESSURE)]))),
        0o555,
      ),
    self: () => new GeneratedLink(tree, (viewer) => String(viewer?.pid ?? '')),
    stat: file(() => machineStat(kernel)),
    swaps: file(() => 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n'),
    sys: () => sysctlDirectory(tree, kernel),
    'thread-self': () =>
      new GeneratedLink(tree, (viewer) => (viewer === undefined ? '' : `${viewer.pid}/task/${viewer.pid}`)),
    uptime: file(() => uptime(kernel)),
    vmstat: file(() => virtualMemory(kernel)),
    version: file(
      () => `Linux version ${kernel.release} (mockbuild@kbuilder) (gcc version 4.8.5) ${kernel.version}\n`,
    ),
  };
  const fixedNames = fixed(figures);
  const netFiles = makeNetFiles(tree, kernel);
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

interface MachineMemory {
  readonly totalKilobytes: number;
  readonly freeKilobytes: number;
  readonly cachedKilobytes: number;
  readonly anonymousKilobytes: number;
  readonly sharedKilobytes: number;
}

/** Differs: the page cache is a fixed share, as it isn't followed; tmpfs comes on top of it, as in Linux. */
function memoryOf(kernel: MachineKernel): MachineMemory {
  const totalKilobytes = Math.floor(kernel.memoryBytes / 1024);
  const anonymousKilobytes = Math.floor(kernel.cgroups.anonymousBytes / 1024);
  const sharedKilobytes = Math.floor(kernel.cgroups.sharedBytes / 1024);
  const room = totalKilobytes * (1 - KERNEL_SHARE) - anonymousKilobytes - sharedKilobytes;
  const cache = Math.max(0, Math.floor(Math.min(totalKilobytes * CACHE_SHARE, room)));
  return {
    totalKilobytes,
    freeKilobytes: Math.max(0, Math.floor(room - cache)),
    cachedKilobytes: cache + sharedKilobytes,
    anonymousKilobytes,
    sharedKilobytes,
  };
}

/** What free(1) computes from. */
function memoryInfo(kernel: MachineKernel): string {
  const { totalKilobytes: total, freeKilobytes: free, ...rest } = memoryOf(kernel);
  const { cachedKilobytes: cached, anonymousKilobytes: anonymous, sharedKilobytes: shared } = rest;
  const reclaimable = cached - shared;
  const slab = Math.floor(total * 0.02);
  const rows: readonly (readonly [string, number])[] = [
    ['MemTotal', total],
    ['MemFree', free],
    ['MemAvailable', free + reclaimable],
    ['Buffers', 2108],
    ['Cached', cached],
    ['SwapCached', 0],
    ['Active', Math.floor(anonymous + reclaimable / 2)],
    ['Inactive', Math.floor(reclaimable / 2) + shared],
    ['Active(anon)', anonymous],
    ['Inactive(anon)', shared],
    ['Active(file)', Math.floor(reclaimable / 2)],
    ['Inactive(file)', Math.floor(reclaimable / 2)],
    ['Unevictable', 0],
    ['Mlocked', 0],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', 0],
    ['Writeback', 0],
    ['AnonPages', anonymous],
    ['Mapped', Math.floor(anonymous / 3)],
    ['Shmem', shared],
    ['Slab', slab],
    ['SReclaimable', Math.floor(slab / 2)],
    ['SUnreclaim', slab - Math.floor(slab / 2)],
    ['KernelStack', 16 * kernel.pids.processes.size],
    ['PageTables', 40 * kernel.pids.processes.size],
    ['CommitLimit', Math.floor(total / 2)],
    ['Committed_AS', anonymous * 2],
    ['VmallocTotal', 34_359_738_367],
    ['VmallocUsed', 0],
    ['HugePages_Total', 0],
    ['HugePages_Free', 0],
    ['Hugepagesize', 2048],
  ];
  return rows
    .map(([name, kilobytes]) => {
      const unit = name.startsWith('HugePages_') ? '' : ' kB';
      return `${`${name}:`.padEnd(16)}${String(kilobytes).padStart(8)}${unit}\n`;
    })
    .join('');
}

function loadAverage(kernel: MachineKernel, viewer: Process): string {
  const processes = processesSeenBy(kernel, viewer);
  let running = 0;
  for (const process of processes.values()) if (process.running || process === viewer) running++;
  const averages = kernel.table.load.at(kernel.clock.now()).map((value) => value.toFixed(2));
  const { surroundings } = viewer instanceof VirtualProcess ? viewer : kernel.init;
  return `${averages.join(' ')} ${running}/${processes.size} ${surroundings.pids.newest}\n`;
}

/** Differs: reads and writes of the disk aren't counted. */
function diskStatistics(): string {
  return ['   8       0 sda', '   8       1 sda1'].map((name) => `${name} 0 0 0 0 0 0 0 0 0 0 0\n`).join('');
}

/** What vmstat(8) needs. */
function virtualMemory(kernel: MachineKernel): string {
  const { freeKilobytes, anonymousKilobytes, sharedKilobytes } = memoryOf(kernel);
  const pages = (kilobytes: number): number => Math.floor(kilobytes / 4);
  return (
    `nr_free_pages ${pages(freeKilobytes)}\nnr_anon_pages ${pages(anonymousKilobytes)}\nnr_shmem ${pages(sharedKilobytes)}\n` +
    `pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault ${pages(anonymousKilobytes)}\npgmajfault 0\noom_kill ${kernel.cgroups.oomKills}\n`
  );
}

function uptime(kernel: MachineKernel): string {
  const seconds = (kernel.clock.now() - kernel.bootMs) / 1000;
  const idle = Math.max(0, seconds * kernel.cpuCount - kernel.table.cpuMs / 1000);
  return `${seconds.toFixed(2)} ${idle.toFixed(2)}\n`;
}

function machineStat(kernel: MachineKernel): string {
  const busy = ticksOf(kernel.table.cpuMs);
  const all = ticksOf((kernel.clock.now() - kernel.bootMs) * kernel.cpuCount);
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
