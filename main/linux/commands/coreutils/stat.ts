// stat(1)
import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, Program } from '../../kernel/index.ts';
import { groupName, userName } from '../frame/accounts.ts';
import { command, UsageError, type Invocation } from '../frame/command.ts';
import { modeString } from '../frame/format.ts';
import { quoteAlways } from '../frame/quote.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { expandEscapes } from './printf.ts';

const KINDS = {
  file: 'regular file',
  directory: 'directory',
  symlink: 'symbolic link',
  fifo: 'fifo',
  socket: 'socket',
  'character-device': 'character special file',
  'block-device': 'block special file',
} as const;
const TYPE_BITS = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  fifo: 0o010000,
  socket: 0o140000,
  'character-device': 0o020000,
  'block-device': 0o060000,
} as const;

/** stat(1) */
export const stat: Program = command(
  {
    short: 'Lfc:t',
    long: ['dereference>L', 'file-system>f', 'format:>c', 'printf:', 'terse>t', 'cached:'],
    usage: '[OPTION]... FILE...',
    summary: 'Display file or file system status.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc, options } = it;
    if (it.operands.length === 0) throw new UsageError('missing operand');
    for (const path of it.operands) {
      try {
        const found = options.has('L') ? proc.fs.stat(path) : proc.fs.lstat(path);
        const printf = options.value('printf');
        const format = options.value('c');
        if (printf !== undefined) await it.out.put(fill(it, expandEscapes(printf, false).text, path, found));
        else if (format !== undefined) await it.out.line(fill(it, format, path, found));
        else if (options.has('t')) await it.out.line(fill(it, TERSE, path, found));
        else await it.out.put(standard(it, path, found));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`cannot statx ${quoteAlways(path)}: ${error.message}`);
      }
    }
  },
);

/** `stat -t`. */
const TERSE = '%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o';

function kindOf(found: FileStat): string {
  return found.type === 'file' && found.sizeBytes === 0 ? 'regular empty file' : KINDS[found.type];
}

function blocks(found: FileStat): number {
  return found.type === 'file' || found.type === 'directory'
    ? (found.allocatedBytes ?? Math.ceil(found.sizeBytes / 4096) * 4096) / 512
    : 0;
}

function standard(it: Invocation, path: string, found: FileStat): string {
  const { proc } = it;
  const zone = zoneOf(proc);
  const time = (ms: number): string => strftime('%F %T.%N %z', ms, zone);
  const octal = (found.mode & 0o7777).toString(8).padStart(4, '0');
  const shown = found.type === 'symlink' ? `${path} -> ${proc.fs.readlink(path)}` : path;
  return [
    `  File: ${shown}`,
    `  Size: ${String(found.sizeBytes).padEnd(10)}\tBlocks: ${String(blocks(found)).padEnd(10)} IO Block: 4096   ${kindOf(found)}`,
    `Device: ${found.device >> 8},${found.device & 0xff}\tInode: ${String(found.inode).padEnd(10)}  Links: ${found.links}`,
    `Access: (${octal}/${modeString(found.type, found.mode)})  Uid: (${String(found.uid).padStart(5)}/${userName(proc, found.uid).padStart(8)})   Gid: (${String(found.gid).padStart(5)}/${groupName(proc, found.gid).padStart(8)})`,
    `Access: ${time(found.accessMs)}`,
    `Modify: ${time(found.modifyMs)}`,
    `Change: ${time(found.changeMs)}`,
    ` Birth: ${time(found.changeMs)}`,
    '',
  ].join('\n');
}

function fill(it: Invocation, format: string, path: string, found: FileStat): string {
  const { proc } = it;
  const zone = zoneOf(proc);
  const time = (ms: number): string => strftime('%F %T.%N %z', ms, zone);
  const seconds = (ms: number): string => String(Math.floor(ms / 1000));
  const fields: Readonly<Record<string, () => string>> = {
    a: () => (found.mode & 0o7777).toString(8),
    A: () => modeString(found.type, found.mode),
    b: () => String(blocks(found)),
    B: () => '512',
    d: () => String(found.device),
    D: () => found.device.toString(16),
    f: () => (TYPE_BITS[found.type] | found.mode).toString(16),
    F: () => kindOf(found),
    g: () => String(found.gid),
    G: () => groupName(proc, found.gid),
    h: () => String(found.links),
    i: () => String(found.inode),
    m: () => '/',
    n: () => path,
    N: () =>
      found.type === 'symlink'
        ? `${quoteAlways(path)} -> ${quoteAlways(proc.fs.readlink(path))}`
        : quoteAlways(path),
    o: () => '4096',
    s: () => String(found.sizeBytes),
    t: () => ((found.rdev ?? 0) >> 8).toString(16),
    T: () => ((found.rdev ?? 0) & 0xff).toString(16),
    C: () => '?',
    r: () => String(found.rdev ?? 0),
    R: () => (found.rdev ?? 0).toString(16),
    u: () => String(found.uid),
    U: () => userName(proc, found.uid),
    w: () => time(found.changeMs),
    W: () => seconds(found.changeMs),
    x: () => time(found.accessMs),
    X: () => seconds(found.accessMs),
    y: () => time(found.modifyMs),
    Y: () => seconds(found.modifyMs),
    z: () => time(found.changeMs),
    Z: () => seconds(found.changeMs),
    '%': () => '%',
  };
  return format.replaceAll(
    /%(-?)(0?)(\d*)([a-zA-Z%])/g,
    (_, left: string, zero: string, width: string, letter: string) => {
      const text = fields[letter]?.();
      if (text === undefined) return '?';
      return left === '-'
        ? text.padEnd(Number(width))
        : text.padStart(Number(width || 0), zero === '0' ? '0' : ' ');
    },
  );
}
