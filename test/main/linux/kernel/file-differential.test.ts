// The file system against the host's: random sequences of operations must have the same errnos and leave the same tree.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Credentials, OpenFile, Process } from '../../../../main/linux/kernel/index.ts';
import { makeRandom, type Random } from '../../../../main/simulation/index.ts';
import type { FileOutcome, FileStep } from '../../../support/file-judge.ts';
import { makeBareMachine, run, type BareMachine } from '../../../support/make-machine.ts';

const JUDGE = new URL('../../../support/file-judge.ts', import.meta.url).pathname;
const SEQUENCES = Number(process.env['DRYDOCK_FILE_SEQUENCES'] ?? 300);
const SEED = process.env['DRYDOCK_FILE_SEED'] ?? 'files';
const STEPS = 40;
const WORK = '/work/1/2/3/4/5/6/7/8';
const OLD_MS = 1_000_000_000;

const USERS: readonly Credentials[] = [
  { uid: 0, gid: 0, groups: [0] },
  { uid: 1000, gid: 1000, groups: [1000, 1500] },
  { uid: 1001, gid: 1001, groups: [1001, 1500] },
];

// ── What is tried ──

const MODES = [0o777, 0o755, 0o700, 0o644, 0o666, 0o600, 0o444, 0o111, 0, 0o2775, 0o1777, 0o4755];

function pathFrom(random: Random): string {
  const names = ['a', 'b', 'c', 'd'];
  const parts = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3]) }, () =>
    random.integer(20) === 0 ? random.pick(['.', '..', '']) : random.pick(names),
  );
  const tail = random.integer(30);
  // Never an absolute path: that would be the host's own root.
  if (parts[0] === '') parts[0] = '.';
  return parts.join('/') + (tail === 0 ? '/' : tail === 1 ? '/.' : tail === 2 ? '/..' : '');
}

function flagsFrom(random: Random): Record<string, boolean> {
  const writes = random.integer(3) > 0;
  return {
    read: !writes || random.integer(3) === 0,
    write: writes,
    create: random.integer(3) > 0,
    exclusive: random.integer(6) === 0,
    truncate: writes && random.integer(4) === 0,
    append: writes && random.integer(5) === 0,
    directory: random.integer(16) === 0,
  };
}

const OPS: readonly (readonly [op: string, weight: number])[] = [
  ['open', 8],
  ['write', 5],
  ['read', 3],
  ['fstat', 2],
  ['ftruncate', 1],
  ['mkdir', 6],
  ['rmdir', 3],
  ['unlink', 4],
  ['rename', 7],
  ['link', 5],
  ['symlink', 4],
  ['readlink', 1],
  ['chmod', 4],
  ['chown', 3],
  ['truncate', 1],
  ['stat', 2],
  ['lstat', 2],
  ['readdir', 2],
  ['age', 2],
  ['times', 2],
];
const BAG = OPS.flatMap(([op, weight]) => Array.from({ length: weight }, () => op));

function stepFrom(random: Random): FileStep {
  const op = random.pick(BAG);
  const who = { op, user: random.pick([0, 0, 1, 1, 2]), umask: random.pick([0o022, 0o022, 0, 0o077, 0o027]) };
  const at = pathFrom(random);
  switch (op) {
    case 'open': {
      const flags = flagsFrom(random);
      // Linux 6.4 and later refuse O_CREAT with O_DIRECTORY, older ones don't.
      if (flags['directory'] === true) flags['create'] = false;
      return { ...who, at, flags, mode: random.pick(MODES) };
    }
    case 'write':
      return { ...who, fd: random.integer(6), text: random.pick(['x', 'hello', 'a longer text\n']) };
    case 'read':
      return { ...who, fd: random.integer(6), size: random.pick([1, 3, 100]) };
    case 'fstat':
      return { ...who, fd: random.integer(6) };
    case 'ftruncate':
      return { ...who, fd: random.integer(6), size: random.pick([0, 2, 20]) };
    case 'truncate':
      return { ...who, at, size: random.pick([0, 2, 20]) };
    case 'mkdir':
    case 'chmod':
      return { ...who, at, mode: random.pick(MODES) };
    case 'chown':
      return { ...who, at, uid: random.pick([0, 1000, 1001]), gid: random.pick([0, 1000, 1500]) };
    case 'rename':
    case 'link':
      return { ...who, at, to: pathFrom(random) };
    case 'symlink':
      return { ...who, at, to: random.pick([pathFrom(random), pathFrom(random), at]) };
    default:
      return { ...who, at };
  }
}

// ── What ours does ──

async function play(proc: Process, step: FileStep, files: OpenFile[]): Promise<string> {
  const { fs } = proc;
  const at = step.at ?? '';
  const opened = step.fd === undefined ? undefined : files[step.fd];
  if (step.fd !== undefined && opened === undefined) return 'none';
  // What it may do to the file is judged by who uses it now.
  const file = opened === undefined ? undefined : proc.fds.get(proc.setFd(opened));
  switch (step.op) {
    case 'open':
      files.push(fs.open(at, step.flags, step.mode));
      return 'ok';
    case 'write':
      await file!.write(step.text!);
      return 'ok';
    case 'read':
      return JSON.stringify(Buffer.from(await file!.read(step.size)).toString('latin1'));
    case 'fstat':
      return told(file!.stat());
    case 'ftruncate':
      file!.truncate(step.size!);
      return 'ok';
    case 'truncate':
      fs.open(at, { write: true }).truncate(step.size!);
      return 'ok';
    case 'mkdir':
      fs.mkdir(at, { mode: step.mode! });
      return 'ok';
    case 'rename':
      fs.rename(at, step.to!);
      return 'ok';
    case 'link':
      fs.link(at, step.to!);
      return 'ok';
    case 'symlink':
      fs.symlink(step.to!, at);
      return 'ok';
    case 'readlink':
      return fs.readlink(at);
    case 'chmod':
      fs.chmod(at, step.mode!);
      return 'ok';
    case 'chown':
      fs.chown(at, step.uid!, step.gid!);
      return 'ok';
    case 'stat':
      return told(fs.stat(at));
    case 'lstat':
      return told(fs.lstat(at));
    case 'readdir':
      return fs
        .readdir(at)
        .map(({ name }) => name)
        .join(',');
    case 'age':
      fs.utimes(at, OLD_MS, OLD_MS);
      return 'ok';
    case 'times': {
      const { accessMs, modifyMs } = fs.lstat(at);
      return `${accessMs === OLD_MS ? 'old' : 'new'} ${modifyMs === OLD_MS ? 'old' : 'new'}`;
    }
    case 'rmdir':
      fs.rmdir(at);
      return 'ok';
    case 'unlink':
      fs.unlink(at);
      return 'ok';
    default:
      throw new Error(`no operation ${step.op}`);
  }
}

type Stat = ReturnType<Process['fs']['stat']>;

function told({ type, mode, uid, gid, links, sizeBytes }: Stat): string {
  return `${type} ${mode.toString(8)} ${uid}:${gid} ${links} ${type === 'directory' ? '-' : sizeBytes}`;
}

function dump(proc: Process, directory: string, prefix: string, lines: string[], seen: Map<number, string>) {
  for (const { name } of proc.fs.readdir(directory)) {
    const at = `${directory}/${name}`;
    const stat = proc.fs.lstat(at);
    const first = seen.get(stat.inode);
    if (first === undefined) seen.set(stat.inode, prefix + name);
    const content =
      stat.type === 'file'
        ? JSON.stringify(Buffer.from(proc.fs.readFile(at)).toString('latin1'))
        : stat.type === 'symlink'
          ? proc.fs.readlink(at)
          : '';
    lines.push(`${prefix}${name} ${told(stat)} ${stat.type === 'directory' ? '' : (first ?? '')} ${content}`);
    if (stat.type === 'directory') dump(proc, at, `${prefix}${name}/`, lines, seen);
  }
}

/** Plays the steps, each in a process of its user, all of them in one directory. */
async function ours(machine: BareMachine, steps: readonly FileStep[]): Promise<FileOutcome> {
  const outcomes: string[] = [];
  const lines: string[] = [];
  machine.kernel.files.removeAll('/work');
  await run(machine, async (root) => {
    root.setUmask(0);
    root.fs.mkdir(WORK, { recursive: true, mode: 0o755 });
    root.fs.chmod(WORK, 0o1777);
    const files: OpenFile[] = [];
    const processes: Process[] = [];
    for (const credentials of USERS) {
      root.spawn({
        argv: ['player'],
        cwd: WORK,
        credentials,
        program: async (proc) => {
          processes.push(proc);
          await proc.sleep(1000);
          return 0;
        },
      });
    }
    await root.sleep(1);
    for (const step of steps) {
      const proc = processes[step.user]!;
      proc.setUmask(step.umask);
      try {
        outcomes.push(await play(proc, step, files));
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === undefined) throw error;
        outcomes.push(code);
      }
    }
    dump(root, WORK, '', lines, new Map());
    return 0;
  });
  return { outcomes, tree: lines };
}

function theirs(sequences: readonly (readonly FileStep[])[]): FileOutcome[] {
  const input = sequences.map((steps) => `${JSON.stringify({ users: USERS, steps })}\n`).join('');
  const { stdout, stderr, status } = spawnSync(process.execPath, [JUDGE, '/dev/shm'], {
    input,
    encoding: 'utf8',
    maxBuffer: 1024 ** 3,
  });
  if (status !== 0) throw new Error(`the judge failed: ${stderr}`);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as FileOutcome);
}

/** Whether the host can be the judge: root on Linux, with the protections that the virtual kernel has, and no others. */
function isFitJudge(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const setting = (name: string): string => readFileSync(`/proc/sys/fs/protected_${name}`, 'latin1').trim();
  try {
    accessSync('/dev/shm', constants.W_OK);
    return (
      setting('hardlinks') === '1' && ['symlinks', 'regular', 'fifos'].every((name) => setting(name) === '0')
    );
  } catch {
    return false;
  }
}

test.skipIf(!isFitJudge())(
  `${SEQUENCES} random sequences of file operations have the host's errnos and leave its tree (needs root on Linux, fs.protected_symlinks=0)`,
  { timeout: 600_000 },
  async () => {
    const random = makeRandom(SEED);
    const sequences = Array.from({ length: SEQUENCES }, () =>
      Array.from({ length: STEPS }, () => stepFrom(random)),
    );
    const expected = theirs(sequences);
    const machine = makeBareMachine();
    const differences: string[] = [];
    for (const [index, steps] of sequences.entries()) {
      const { outcomes, tree } = await ours(machine, steps);
      const wanted = expected[index]!;
      const at = outcomes.findIndex((outcome, step) => outcome !== wanted.outcomes[step]);
      if (at !== -1) {
        const before = steps.slice(0, at).map((step, i) => `  ${JSON.stringify(step)} → ${outcomes[i]}`);
        differences.push(
          [
            `sequence ${index}, step ${at}:`,
            ...before,
            `  ${JSON.stringify(steps[at])}`,
            `  Linux: ${wanted.outcomes[at]}`,
            `  here:  ${outcomes[at]}`,
          ].join('\n'),
        );
      } else if (tree.join('\n') !== wanted.tree.join('\n')) {
        const odd = tree.findIndex((line, i) => line !== wanted.tree[i]);
        const all = steps.map((step, i) => `  ${JSON.stringify(step)} → ${outcomes[i]}`);
        differences.push(
          [`sequence ${index}, tree:`, ...all, `  Linux: ${wanted.tree[odd]}`, `  here:  ${tree[odd]}`].join(
            '\n',
          ),
        );
      }
      if (differences.length >= 5) break;
    }
    expect(machine.faults).toEqual([]);
    expect(differences.join('\n\n')).toBe('');
  },
);
