// df(1), lsblk(8)
import type { Mount, Process, Program } from '../../kernel/index.ts';
import { command, Failure } from '../frame/command.ts';
import { humanSize } from '../frame/format.ts';

function typeOf(mount: Mount): string {
  return mount.type === 'bind' ? 'xfs' : mount.type;
}

/** df(1) */
export const df: Program = command(
  {
    short: 'aB:hHiklmPTt:vx:',
    long: [
      'all>a',
      'block-size:>B',
      'human-readable>h',
      'si>H',
      'inodes>i',
      'local>l',
      'no-sync',
      'output::',
      'portability>P',
      'print-type>T',
      'type:>t',
      'exclude-type:>x',
      'total',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Show information about the file system on which each FILE resides.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc, options } = it;
    const mounts = proc.kernel.listMounts(proc);
    let chosen: Mount[] = [];
    if (it.operands.length > 0) {
      for (const path of it.operands) {
        if (!proc.fs.exists(path)) {
          await it.warn(`${path}: No such file or directory`);
          continue;
        }
        const found = mountOf(mounts, proc.fs.realpath(path));
        if (found !== undefined) chosen.push(found);
      }
      if (chosen.length === 0) return;
    } else
      chosen = mounts.filter(
        (one) =>
          options.has('a') ||
          (!['proc', 'sysfs', 'bind'].includes(one.type) &&
            proc.kernel.usage(one.target, proc).totalBytes > 0),
      );
    const types = options.values('t');
    if (types.length > 0) chosen = chosen.filter((one) => types.includes(typeOf(one)));
    chosen = chosen.filter((one) => !options.values('x').includes(typeOf(one)));
    await table(it.out.put.bind(it.out), proc, chosen, options);
  },
);

function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts
    .filter((one) => one.target === '/' || path === one.target || path.startsWith(`${one.target}/`))
    .toSorted((a, b) => b.target.length - a.target.length)[0];
}

async function table(
  put: (text: string) => Promise<void> | undefined,
  proc: Process,
  mounts: readonly Mount[],
  options: { has: (...names: string[]) => boolean; value: (name: string) => string | undefined },
): Promise<void> {
  const human = options.has('h', 'H');
  const base = options.has('H') ? 1000 : 1024;
  const block =
    options.has('m') || options.value('B') === 'M'
      ? 1_048_576
      : options.value('B') === 'G'
        ? 1_073_741_824
        : 1024;
  const size = (bytes: number): string => (human ? humanSize(bytes, base) : String(Math.ceil(bytes / block)));
  const inodes = options.has('i');
  const titles = inodes
    ? ['Inodes', 'IUsed', 'IFree', 'IUse%']
    : [
        human
          ? 'Size'
          : block === 1024
            ? options.has('P')
              ? '1024-blocks'
              : '1K-blocks'
            : block === 1_048_576
              ? '1M-blocks'
              : '1G-blocks',
        'Used',
        human ? 'Avail' : 'Available',
        options.has('P') ? 'Capacity' : 'Use%',
      ];
  const rows = mounts.map((one) => {
    const usage = proc.kernel.usage(one.target, proc);
    const [total, used] = inodes
      ? [usage.inodesTotal, usage.inodesUsed]
      : [usage.totalBytes, usage.usedBytes];
    const percent = total === 0 ? '-' : `${Math.ceil((100 * used) / total)}%`;
    const show = inodes ? String : size;
    return [
      one.source,
      ...(options.has('T') ? [typeOf(one)] : []),
      show(total),
      show(used),
      show(Math.max(0, total - used)),
      percent,
      one.target,
    ];
  });
  const header = ['Filesystem', ...(options.has('T') ? ['Type'] : []), ...titles, 'Mounted on'];
  const widths = header.map((title, index) =>
    Math.max(
      title.length,
      index === 0 ? 14 : index >= (options.has('T') ? 2 : 1) && index < header.length - 2 ? 5 : 0,
      ...rows.map((row) => row[index]!.length),
    ),
  );
  for (const row of [header, ...rows]) {
    await put(
      `${row.map((cell, index) => (index === row.length - 1 ? cell : index === 0 || (options.has('T') && index === 1) ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!))).join(' ')}\n`,
    );
  }
}

/** lsblk(8): the machine's one disk. */
export const lsblk: Program = command(
  { short: 'abfilmnpo:', usage: '[options] [<device> ...]' },
  async (it) => {
    const [device] = it.operands;
    if (!it.proc.fs.exists('/sys/dev/block'))
      throw new Failure('failed to access sysfs directory: /sys/dev/block: No such file or directory', 32);
    if (device !== undefined && !it.proc.fs.exists(device))
      throw new Failure(`${device}: not a block device`, 32);
    const usage = it.proc.kernel.usage('/', it.proc);
    await it.out.put(
      `NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\nsda      8:0    0 ${humanSize(usage.totalBytes).padStart(4)}  0 disk \n\u2514\u2500sda1   8:1    0 ${humanSize(usage.totalBytes).padStart(4)}  0 part /\n`,
    );
  },
);
