// mount(8), umount(8), df(1), lsblk(8)
import { ErrnoError } from '../../../network/index.ts';
import type { Mount, Process, Program } from '../../kernel/index.ts';
import { command, Failure } from '../frame/command.ts';
import { humanSize } from '../frame/format.ts';

function flagsOf(mount: Mount): string {
  const base = mount.readOnly === true ? 'ro' : 'rw';
  if (mount.type === 'proc' || mount.type === 'sysfs') return `${base},nosuid,nodev,noexec,relatime`;
  if (mount.type === 'devtmpfs') return `${base},nosuid,size=4096k,nr_inodes=1048576,mode=755`;
  if (mount.type === 'tmpfs') return `${base},nosuid,nodev`;
  return `${base},relatime`;
}

function typeOf(mount: Mount): string {
  return mount.type === 'bind' ? 'xfs' : mount.type;
}

/** mount(8): lists; mounts tmpfs and binds. */
export const mount: Program = command(
  {
    short: 'al:rwt:o:Bnvf',
    long: ['bind>B', 'all>a', 'types:>t', 'options:>o', 'read-only>r'],
    usage:
      '[-lhV]\n mount -a [options]\n mount [options] [--source] <source> | [--target] <directory>\n mount [options] <source> <directory>',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { proc, options } = it;
    const { kernel } = proc;
    const [source, target] = it.operands;
    if (source === undefined) {
      const wanted = options.value('t')?.split(',');
      for (const one of kernel.listMounts(proc))
        if (wanted === undefined || wanted.includes(typeOf(one)))
          await it.out.line(`${one.source} on ${one.target} type ${typeOf(one)} (${flagsOf(one)})`);
      return undefined;
    }
    if (options.has('a')) return undefined;
    if (target === undefined) throw new Failure(`${source}: can't find in /etc/fstab.`);
    if (proc.credentials.uid !== 0) throw new Failure(`${target}: must be superuser to use mount.`);
    const flags = (options.value('o') ?? '').split(',');
    try {
      if (options.has('B') || flags.includes('bind') || flags.includes('rbind')) {
        for (const one of kernel.bindMounts(proc.fs.resolve(source), proc.fs.resolve(target), {
          readOnly: flags.includes('ro') || options.has('r'),
        }))
          kernel.mount(one, proc);
        return undefined;
      }
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        error.code === 'ENOENT' && !proc.fs.exists(source)
          ? `${target}: special device ${source} does not exist.`
          : `${target}: mount point does not exist.`,
        32,
      );
    }
    await proc.stderr.write(`drydock: mounting ${options.value('t') ?? source} isn't simulated\n`);
    return 32;
  },
);

/** umount(8) */
export const umount: Program = command(
  {
    short: 'aflrnvR',
    long: ['all>a', 'force>f', 'lazy>l', 'recursive>R'],
    usage: '[-hV]\n umount -a [options]\n umount [options] <source> | <directory>',
  },
  async (it) => {
    if (it.operands.length === 0) throw new Failure("bad usage\nTry 'umount --help' for more information.");
    for (const path of it.operands) {
      const target = it.proc.fs.resolve(path);
      if (!it.proc.fs.exists(path)) {
        await it.warn(`${path}: no mount point specified.`, 32);
        continue;
      }
      try {
        it.proc.kernel.unmount(target, it.proc);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(
          error.code === 'EINVAL'
            ? `${path}: not mounted.`
            : error.code === 'EBUSY'
              ? `${path}: target is busy.`
              : `${path}: ${error.message}.`,
          32,
        );
      }
    }
  },
);

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
