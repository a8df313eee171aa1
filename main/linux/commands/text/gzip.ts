// gzip(1), gunzip(1), zcat(1)
import { gunzipSync, gzipSync } from 'node:zlib';

import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, type CommandForm, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { confirm, isDirectory } from '../coreutils/files.ts';

const FORM: CommandForm = {
  short: 'acdfhklLnNqrS:tvV123456789',
  long: [
    'stdout>c',
    'to-stdout>c',
    'decompress>d',
    'uncompress>d',
    'force>f',
    'keep>k',
    'list>l',
    'quiet>q',
    'recursive>r',
    'suffix:>S',
    'test>t',
    'verbose>v',
    'fast>1',
    'best>9',
  ],
  usage: '[OPTION]... [FILE]...',
  version: '1.12',
};

/** Whether bytes begin as a gzip member does. */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function run(it: Invocation, decompress: boolean, toStdout: boolean): Promise<number> {
  let status = 0;
  for (const path of it.inputs) {
    const code = await one(it, path, decompress, toStdout);
    status = status === 1 || code === 1 ? 1 : Math.max(status, code);
  }
  return status;
}

async function one(it: Invocation, path: string, decompress: boolean, toStdout: boolean): Promise<number> {
  const { fs } = it.proc;
  const { options } = it;
  const complain = async (text: string): Promise<void> => {
    await it.out.flush();
    await it.proc.stderr.write(`gzip: ${text}\n`);
  };
  if (path !== '-' && isDirectory(fs, path)) {
    await complain(`${path} is a directory -- ignored`);
    return 2;
  }
  let bytes: Uint8Array;
  try {
    bytes = await readAll(it.open(path));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await complain(`${path}: ${error.message}`);
    return 1;
  }
  if (decompress && !isGzip(bytes)) {
    if (path !== '-' && !toStdout && !/\.(?:gz|tgz|z|Z)$/.test(path)) {
      await complain(`${path}: unknown suffix -- ignored`);
      return 2;
    }
    await complain(`${path === '-' ? 'stdin' : path}: not in gzip format`);
    return 1;
  }
  if (options.has('t')) return 0;
  let result: Uint8Array;
  try {
    result = decompress ? gunzipSync(bytes) : gzipSync(bytes, { level: 6 });
  } catch {
    await complain(`${path === '-' ? 'stdin' : path}: unexpected end of file`);
    return 1; // Broken data: zlib's own error says no more than this.
  }
  if (toStdout || path === '-') {
    await it.out.put(result);
    return 0;
  }
  const suffix = options.value('S') ?? '.gz';
  if (decompress && !/\.(?:gz|tgz|z|Z)$/.test(path)) {
    await complain(`${path}: unknown suffix -- ignored`);
    return 2;
  }
  if (!decompress && path.endsWith(suffix)) {
    await complain(`${path} already has ${suffix} suffix -- unchanged`);
    return 2;
  }
  const target = decompress ? path.replace(/\.tgz$/, '.tar').replace(/\.(?:gz|z|Z)$/, '') : path + suffix;
  if (fs.exists(target) && !options.has('f')) {
    const overwrite =
      it.proc.stdin.tty !== undefined &&
      (await confirm(it, `${target} already exists; do you wish to overwrite (y or n)?`));
    if (!overwrite) {
      await complain(
        it.proc.stdin.tty === undefined ? `${target} already exists;\tnot overwritten` : '\tnot overwritten',
      );
      return 2;
    }
  }
  const stat = fs.stat(path);
  fs.writeFile(target, result, { mode: stat.mode & 0o777 });
  fs.utimes(target, stat.accessMs, stat.modifyMs);
  if (!options.has('k')) fs.unlink(path);
  return 0;
}

/** gzip(1) */
export const gzip: Program = command(FORM, (it) => run(it, it.options.has('d', 't'), it.options.has('c')));
/** gunzip(1) */
export const gunzip: Program = command(FORM, (it) => run(it, true, it.options.has('c')));
/** zcat(1) */
export const zcat: Program = command(FORM, (it) => run(it, true, true));
