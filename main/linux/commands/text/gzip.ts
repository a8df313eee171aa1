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

/** gzip puts the file's name and time into the header, unless it reads stdin or -n is given. */
function withName(member: Uint8Array, it: Invocation, path: string): Uint8Array {
  const header = Buffer.from(member.subarray(0, 10));
  header[9] = 3;
  if (path === '-' || it.options.has('n')) return Buffer.concat([header, member.subarray(10)]);
  header[3] = 8;
  header.writeUInt32LE(Math.floor(it.proc.fs.stat(path).modifyMs / 1000) >>> 0, 4);
  const name = Buffer.from(`${path.slice(path.lastIndexOf('/') + 1)}\0`);
  return Buffer.concat([header, name, member.subarray(10)]);
}

/** Invocations whose table has its heading. */
const listed = new WeakSet<Invocation>();

/** Bytes of a member's header beyond the ten it always has: the name with its NUL. */
function headerNameBytes(bytes: Uint8Array): number {
  return (bytes[3]! & 8) === 0 ? 0 : bytes.indexOf(0, 10) - 9;
}

async function one(it: Invocation, path: string, decompress: boolean, toStdout: boolean): Promise<number> {
  const { fs } = it.proc;
  const { options } = it;
  const complain = async (text: string): Promise<void> => {
    await it.out.flush();
    await it.proc.stderr.write(`gzip: ${text}\n`);
  };
  if (path !== '-' && isDirectory(fs, path) && options.has('r')) {
    let status = 0;
    for (const entry of fs.readdir(path))
      if (entry.type === 'directory' || !entry.name.endsWith('.gz') || decompress)
        status = Math.max(status, await one(it, `${path}/${entry.name}`, decompress, toStdout));
    return status;
  }
  if (path !== '-' && isDirectory(fs, path)) {
    await complain(`${path} is a directory -- ignored`);
    return 2;
  }
  let bytes: Uint8Array;
  try {
    bytes = await readAll(
      it.open(
        decompress && path !== '-' && !fs.exists(path) && fs.exists(`${path}.gz`) ? `${path}.gz` : path,
      ),
    );
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await complain(
      `${decompress && error.code === 'ENOENT' ? path.replace(/(?:\.gz)?$/, '.gz') : path}: ${error.message}`,
    );
    return 1;
  }
  if (decompress && !isGzip(bytes)) {
    if (path !== '-' && !toStdout && !options.has('t', 'l') && !/\.(?:gz|tgz|z|Z)$/.test(path)) {
      await complain(`${path}: unknown suffix -- ignored`);
      return 2;
    }
    await it.out.flush();
    await it.proc.stderr.write(`\ngzip: ${path === '-' ? 'stdin' : path}: not in gzip format\n`);
    return 1;
  }
  if (options.has('t')) return 0;
  if (options.has('l')) {
    const plain = Buffer.from(bytes).readUInt32LE(bytes.length - 4);
    const ratio = plain === 0 ? 0 : (1 - (bytes.length - 18 - headerNameBytes(bytes)) / plain) * 100;
    if (!listed.has(it)) {
      listed.add(it);
      await it.out.line('         compressed        uncompressed  ratio uncompressed_name');
    }
    await it.out.line(
      `${String(bytes.length).padStart(19)} ${String(plain).padStart(19)} ${`${ratio.toFixed(1)}%`.padStart(6)} ${path.replace(/\.gz$/, '')}`,
    );
    return 0;
  }
  let result: Uint8Array;
  try {
    result = decompress
      ? gunzipSync(bytes)
      : withName(
          gzipSync(bytes, {
            level: Number(options.last('1', '2', '3', '4', '5', '6', '7', '8', '9') ?? 6) as 6,
          }),
          it,
          path,
        );
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
    return 0;
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
  if (options.has('v')) {
    const [small, large] = decompress ? [bytes.length, result.length] : [result.length, bytes.length];
    const extra = 18 + headerNameBytes(decompress ? bytes : result);
    const ratio = large === 0 ? 0 : (1 - (small - extra) / large) * 100;
    await it.proc.stderr.write(
      `${path}:\t${`${ratio.toFixed(1)}%`.padStart(6)} -- ${options.has('k') ? 'created' : 'replaced with'} ${target}\n`,
    );
  }
  return 0;
}

/** gzip(1) */
export const gzip: Program = command(FORM, (it) => run(it, it.options.has('d', 't'), it.options.has('c')));
/** gunzip(1) */
export const gunzip: Program = command(FORM, (it) => run(it, true, it.options.has('c')));
/** zcat(1) */
export const zcat: Program = command(FORM, (it) => run(it, true, true));
