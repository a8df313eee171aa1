// mount(8), umount(8): list, make, change and take away mounts in the caller's mount namespace.
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure } from '../frame/command.ts';

/** A line of /proc/mounts. */
interface MountLine {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}

/** mount(8)'s exit status where the kernel refused. */
const MOUNT_FAILURE = 32;
const HINT = '\n       dmesg(1) may have more information after failed mount system call.';

function mountsOf(proc: Process): MountLine[] {
  const plain = (text = ''): string =>
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return proc.fs
    .readText('/proc/self/mounts')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [source, target, type = '', options = ''] = line.split(' ');
      return { source: plain(source), target: plain(target), type, options };
    });
}

/** mount(8): lists; mounts tmpfs, proc, sysfs and binds; remounts. */
export const mount: Program = command(
  {
    short: 'al:rwt:o:Bnvf',
    long: ['bind>B', 'rbind>R', 'all>a', 'types:>t', 'options:>o', 'read-only>r', 'read-write>w'],
    usage:
      '[-lhV]\n mount -a [options]\n mount [options] [--source] <source> | [--target] <directory>\n mount [options] <source> <directory>\n mount <operation> <mountpoint> [<target>]',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { proc, options } = it;
    const type = options.value('t');
    const [first, second] = it.operands;
    if (options.has('a')) return;
    if (first === undefined) {
      for (const line of mountsOf(proc))
        if (type === undefined || type.split(',').includes(line.type))
          await it.out.line(`${line.source} on ${line.target} type ${line.type} (${line.options})`);
      return;
    }
    const words = options.values('o').flatMap((value) => value.split(','));
    if (options.has('r')) words.push('ro');
    if (options.has('w')) words.push('rw');
    if (options.has('B')) words.push('bind');
    if (options.has('R')) words.push('rbind');
    const isRemount = words.includes('remount');
    const target = second ?? first;
    if (second === undefined && !isRemount) throw new Failure(`${first}: can't find in /etc/fstab.`, 1);
    if (!proc.can('SYS_ADMIN'))
      throw new Failure(
        proc.credentials.uid === 0
          ? `${target}: permission denied.${HINT}`
          : `${target}: must be superuser to use mount.${HINT}`,
        MOUNT_FAILURE,
      );
    if (!proc.fs.exists(target))
      throw new Failure(`${target}: mount point does not exist.${HINT}`, MOUNT_FAILURE);
    try {
      perform(proc, { type: type ?? '', source: first, target: proc.fs.realpath(target), words });
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`${target}: ${reasonOf(error, first, type)}${HINT}`, MOUNT_FAILURE);
    }
  },
);

interface Wanted {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly words: readonly string[];
}

function perform(proc: Process, { type, source, target, words }: Wanted): void {
  const { kernel } = proc;
  const readOnly = words.includes('ro');
  if (words.includes('remount')) {
    kernel.remount(target, readOnly, proc);
  } else if (words.includes('bind') || words.includes('rbind')) {
    for (const one of kernel.bindMounts(source, target, { readOnly, caller: proc })) kernel.mount(one, proc);
  } else {
    kernel.mountNew({ type, source, target, options: words }, proc);
  }
}

function reasonOf(error: ErrnoError, source: string, type: string | undefined): string {
  if (error.code === 'ENODEV' && type !== undefined && type !== '')
    return `unknown filesystem type '${type}'.`;
  if (error.code === 'ENODEV' || error.code === 'ENOENT') return `special device ${source} does not exist.`;
  if (error.code === 'EINVAL' && type === undefined) return 'mount point not mounted or bad option.';
  if (error.code === 'EINVAL')
    return `wrong fs type, bad option, bad superblock on ${source}, missing codepage or helper program, or other error.`;
  return `${error.message}.`;
}

/** umount(8) */
export const umount: Program = command(
  {
    short: 'aflrnvR',
    long: ['all>a', 'force>f', 'lazy>l', 'recursive>R'],
    usage: '[-hV]\n umount -a [options]\n umount [options] <source> | <directory>',
  },
  async (it) => {
    const { proc } = it;
    if (it.operands.length === 0) throw new Failure("bad usage\nTry 'umount --help' for more information.");
    for (const path of it.operands) {
      if (!proc.fs.exists(path)) {
        await it.warn(`${path}: no mount point specified.`, MOUNT_FAILURE);
        continue;
      }
      const target = proc.fs.realpath(path);
      const all = mountsOf(proc).map((line) => line.target);
      const below = it.options.has('R')
        ? all.filter((other) => other.startsWith(`${target}/`)).toReversed()
        : [];
      try {
        for (const one of [...below, target]) proc.kernel.unmount(one, proc);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`${path}: ${unmountReason(error)}`, MOUNT_FAILURE);
      }
    }
  },
);

function unmountReason(error: ErrnoError): string {
  if (error.code === 'EINVAL') return 'not mounted.';
  if (error.code === 'EBUSY') return 'target is busy.';
  return error.code === 'EPERM' ? 'must be superuser to unmount.' : `${error.message}.`;
}
