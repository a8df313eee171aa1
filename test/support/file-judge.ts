// Plays sequences of file operations on the host's own Linux: JSON lines in, one line of outcomes out for each.
// Run as root with a directory (on tmpfs) to work in; each sequence gets a fresh one, eight levels down.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import type { Credentials } from '../../main/linux/kernel/index.ts';

/** One operation on files, by one of the users. */
export interface FileStep {
  readonly op: string;
  /** Which of the sequence's users. */
  readonly user: number;
  readonly umask: number;
  readonly at?: string;
  readonly to?: string;
  /** Which of the files opened so far. */
  readonly fd?: number;
  readonly flags?: Readonly<Record<string, boolean>>;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly text?: string;
}

/** What came of a sequence: each step's outcome, and the tree that it left. */
export interface FileOutcome {
  readonly outcomes: readonly string[];
  readonly tree: readonly string[];
}

const base = fs.mkdtempSync(path.join(process.argv[2]!, 'judge-'));
fs.chmodSync(base, 0o755);
let count = 0;

function become({ uid, gid, groups }: Credentials): void {
  process.seteuid!(0);
  process.setgroups!([...groups]);
  process.setegid!(gid);
  process.seteuid!(uid);
}

function flagsOf(flags: NonNullable<FileStep['flags']>): number {
  const c = fs.constants;
  const writes = flags.write === true;
  let bits = flags.read && writes ? c.O_RDWR : writes ? c.O_WRONLY : c.O_RDONLY;
  if (flags.append) bits |= c.O_APPEND;
  if (flags.create) bits |= c.O_CREAT;
  if (flags.exclusive) bits |= c.O_EXCL;
  if (flags.truncate) bits |= c.O_TRUNC;
  if (flags.directory) bits |= c.O_DIRECTORY;
  return bits | c.O_NONBLOCK;
}

function typeOf(stat: fs.Stats): string {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  return stat.isFIFO() ? 'fifo' : 'other';
}

function told(stat: fs.Stats): string {
  const type = typeOf(stat);
  const mode = (stat.mode & 0o7777).toString(8);
  return `${type} ${mode} ${stat.uid}:${stat.gid} ${stat.nlink} ${type === 'directory' ? '-' : stat.size}`;
}

const old = 1_000_000;
const aged = (stat: fs.Stats): string =>
  `${stat.atimeMs === old * 1000 ? 'old' : 'new'} ${stat.mtimeMs === old * 1000 ? 'old' : 'new'}`;

function play(step: FileStep, files: number[]): string {
  const { op, at = '', to = '', fd, mode = 0, size = 0 } = step;
  const opened = fd === undefined ? undefined : files[fd];
  if (fd !== undefined && opened === undefined) return 'none';
  const file = opened ?? -1;
  switch (op) {
    case 'open':
      files.push(fs.openSync(at, flagsOf(step.flags ?? {}), mode));
      return 'ok';
    case 'write':
      fs.writeSync(file, step.text ?? '');
      return 'ok';
    case 'read': {
      const buffer = Buffer.alloc(size);
      const length = fs.readSync(file, buffer, 0, size, null);
      return JSON.stringify(buffer.toString('latin1', 0, length));
    }
    case 'fstat':
      return told(fs.fstatSync(file));
    case 'ftruncate':
      fs.ftruncateSync(file, size);
      return 'ok';
    case 'mkdir':
      fs.mkdirSync(at, mode);
      return 'ok';
    case 'rmdir':
      fs.rmdirSync(at);
      return 'ok';
    case 'unlink':
      fs.unlinkSync(at);
      return 'ok';
    case 'rename':
      fs.renameSync(at, to);
      return 'ok';
    case 'link':
      fs.linkSync(at, to);
      return 'ok';
    case 'symlink':
      fs.symlinkSync(to, at);
      return 'ok';
    case 'readlink':
      return fs.readlinkSync(at);
    case 'chmod':
      fs.chmodSync(at, mode);
      return 'ok';
    case 'chown':
      fs.chownSync(at, step.uid ?? -1, step.gid ?? -1);
      return 'ok';
    case 'truncate': {
      const target = fs.openSync(at, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      try {
        fs.ftruncateSync(target, size);
      } finally {
        fs.closeSync(target);
      }
      return 'ok';
    }
    case 'stat':
      return told(fs.statSync(at));
    case 'lstat':
      return told(fs.lstatSync(at));
    case 'readdir':
      return fs.readdirSync(at).sort().join(',');
    case 'age':
      fs.utimesSync(at, old, old);
      return 'ok';
    case 'times':
      return aged(fs.lstatSync(at));
    default:
      throw new Error(`no operation ${op}`);
  }
}

function attempt(step: FileStep, files: number[]): string {
  try {
    return play(step, files);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code;
  }
}

function dump(directory: string, prefix: string, lines: string[], seen: Map<number, string>): void {
  for (const name of fs.readdirSync(directory).sort()) {
    const at = path.join(directory, name);
    const stat = fs.lstatSync(at);
    const first = seen.get(stat.ino);
    if (first === undefined) seen.set(stat.ino, prefix + name);
    const type = typeOf(stat);
    const content =
      type === 'file'
        ? JSON.stringify(fs.readFileSync(at, 'latin1'))
        : type === 'symlink'
          ? fs.readlinkSync(at)
          : '';
    lines.push(`${prefix}${name} ${told(stat)} ${type === 'directory' ? '' : (first ?? '')} ${content}`);
    if (type === 'directory') dump(at, `${prefix}${name}/`, lines, seen);
  }
}

function judge({ users, steps }: { users: readonly Credentials[]; steps: readonly FileStep[] }): FileOutcome {
  const [root] = users;
  become(root!);
  const top = path.join(base, String(count++));
  const work = path.join(top, '1/2/3/4/5/6/7/8');
  process.umask(0);
  fs.mkdirSync(work, { recursive: true, mode: 0o755 });
  fs.chmodSync(work, 0o1777);
  process.chdir(work);
  const files: number[] = [];
  const outcomes = steps.map((step) => {
    become(users[step.user]!);
    process.umask(step.umask);
    return attempt(step, files);
  });
  become(root!);
  for (const file of files) fs.closeSync(file);
  const lines: string[] = [];
  dump(work, '', lines, new Map());
  process.chdir(base);
  fs.rmSync(top, { recursive: true, force: true });
  return { outcomes, tree: lines };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(judge(JSON.parse(line) as Parameters<typeof judge>[0]))}\n`);
}
become({ uid: 0, gid: 0, groups: [0] });
process.chdir('/');
fs.rmSync(base, { recursive: true, force: true });
