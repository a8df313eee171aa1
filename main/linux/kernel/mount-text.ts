// Mounts as text: the options of each, /proc/mounts and /proc/PID/mountinfo. proc(5).
import { MemoryTree } from './memory-tree.ts';
import type { Mount } from './mount.ts';
import type { Mounted } from './mount-table.ts';

/** What each type shows besides ro or rw, where the mount says nothing else. */
const USUAL: Partial<Record<Mount['type'], string>> = {
  proc: 'nosuid,nodev,noexec,relatime',
  sysfs: 'nosuid,nodev,noexec,relatime',
  cgroup2: 'nosuid,nodev,noexec,relatime',
  devtmpfs: 'nosuid,size=1928720k,nr_inodes=482180,mode=755',
  devpts: 'nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000',
  mqueue: 'nosuid,nodev,noexec,relatime',
  xfs: 'relatime,attr2,inode64,noquota',
};
const OTHERS = 'relatime';

/** As mount(8) shows it in brackets. */
function mountOptions(mount: Mount): string {
  const access = mount.readOnly === true ? 'ro' : 'rw';
  return `${access},${mount.options ?? USUAL[typeOf(mount)] ?? sizeOptions(mount)}`;
}

function sizeOptions({ type, tree }: Mount): string {
  if (type !== 'tmpfs' || !(tree instanceof MemoryTree) || !Number.isFinite(tree.sizeMaxBytes)) return OTHERS;
  return `${OTHERS},size=${Math.floor(tree.sizeMaxBytes / 1024)}k`;
}

/** The file system's own type: a bind shows that of what it shows. */
function typeOf(mount: Mount): Mount['type'] {
  return mount.type === 'bind' ? 'xfs' : mount.type;
}

/** A line of /proc/mounts. */
export function mountLine(mount: Mount): string {
  return `${escaped(mount.source)} ${escaped(mount.target)} ${typeOf(mount)} ${mountOptions(mount)} 0 0\n`;
}

const FIRST_ID = 20;

/** /proc/PID/mountinfo, of the mounts in the order of mounting. */
export function mountInfo(mounts: readonly Mounted[]): string {
  return mounts
    .map(({ mount, tree }, index) => {
      const device = tree.root.stat().device;
      const flags = mountOptions(mount)
        .split(',')
        .filter((option) => !/=|attr2|inode64|noquota/.test(option));
      const rest = mountOptions(mount)
        .split(',')
        .slice(1)
        .filter((option) => !flags.includes(option));
      const parent = index === 0 ? 1 : FIRST_ID + parentOf(mounts, index);
      return `${FIRST_ID + index} ${parent} ${device >> 8}:${device & 0xff} ${escaped(mount.root ?? '/')} ${escaped(mount.target)} ${flags.join(',')} - ${typeOf(mount)} ${escaped(mount.source)} ${[mount.readOnly === true && mount.type !== 'bind' ? 'ro' : 'rw', ...rest].join(',')}\n`;
    })
    .join('');
}

/** The index of the mount that the one at `index` lies on. */
function parentOf(mounts: readonly Mounted[], index: number): number {
  const { target } = mounts[index]!.mount;
  let best = 0;
  for (let at = 0; at < mounts.length; at++) {
    const other = mounts[at]!.mount.target;
    if (at === index || other === '/' || !target.startsWith(`${other}/`)) continue;
    if (best === 0 || other.length > mounts[best]!.mount.target.length) best = at;
  }
  return best;
}

/** Blanks and backslashes as octal. */
function escaped(text: string): string {
  return text.replace(
    /[ \t\n\\]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
