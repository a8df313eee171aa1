// du(1)
import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, Program } from '../../kernel/index.ts';
import { command, type Invocation } from '../frame/command.ts';
import { humanSize } from '../frame/format.ts';
import { quoteAlways } from '../frame/quote.ts';
import { join, lstatOf, statOf } from './files.ts';

/** du(1) */
export const du: Program = command(
  {
    short: '0abB:cd:DhHkLlmPsSt:xX:',
    long: [
      'null>0',
      'all>a',
      'apparent-size',
      'block-size:>B',
      'bytes>b',
      'total>c',
      'max-depth:>d',
      'human-readable>h',
      'dereference>L',
      'summarize>s',
      'separate-dirs>S',
      'one-file-system>x',
      'exclude:',
      'si',
      'threshold:>t',
      'time::',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Summarize device usage of the set of FILEs, recursively for directories.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    let total = 0;
    for (const path of it.operands.length > 0 ? it.operands : ['.']) {
      const found = it.options.has('L') ? statOf(it.proc.fs, path) : lstatOf(it.proc.fs, path);
      if (found === undefined) await it.warn(`cannot access ${quoteAlways(path)}: No such file or directory`);
      else total += await walk(it, path, found, 0, new Set());
    }
    if (it.options.has('c')) await show(it, total, 'total');
  },
);

function sizeOf(it: Invocation, stat: FileStat): number {
  if (it.options.has('b', 'apparent-size')) return stat.sizeBytes;
  return stat.type === 'file' || stat.type === 'directory'
    ? (stat.allocatedBytes ?? Math.ceil(stat.sizeBytes / 4096) * 4096)
    : 0;
}

async function walk(
  it: Invocation,
  path: string,
  stat: FileStat,
  depth: number,
  seen: Set<number>,
): Promise<number> {
  const { fs } = it.proc;
  if (stat.links > 1 && stat.type === 'file' && !it.options.has('l')) {
    if (seen.has(stat.inode)) return 0;
    seen.add(stat.inode);
  }
  let size = sizeOf(it, stat);
  if (stat.type === 'directory') {
    try {
      for (const entry of fs.readdir(path)) {
        const child = lstatOf(fs, join(path, entry.name));
        if (child !== undefined) size += await walk(it, join(path, entry.name), child, depth + 1, seen);
      }
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await it.warn(`cannot read directory ${quoteAlways(path)}: ${error.message}`);
    }
  }
  const deepest = it.options.has('s') ? 0 : Number(it.options.value('d') ?? Infinity);
  if (depth <= deepest && (depth === 0 || stat.type === 'directory' || it.options.has('a')))
    await show(it, size, path);
  return size;
}

async function show(it: Invocation, bytes: number, label: string): Promise<void> {
  const { options } = it;
  const unit = options.has('m')
    ? 1_048_576
    : options.has('b')
      ? 1
      : options.value('B') === undefined
        ? 1024
        : ({ K: 1024, M: 1_048_576, G: 1_073_741_824 }[options.value('B')!.slice(-1)] ??
          Number(options.value('B')));
  const text = options.has('h')
    ? humanSize(bytes)
    : options.has('si')
      ? humanSize(bytes, 1000)
      : String(Math.ceil(bytes / unit));
  await it.out.put(`${text}\t${label}${options.has('0') ? '\0' : '\n'}`);
}
