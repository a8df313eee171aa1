// An overlay on a saved disk behaves as one plain tree does, whatever is done to it, and is the same after a reopen.
import { expect, test } from 'vitest';
import {
  makeKernel,
  makeLayer,
  makeOverlay,
  makeTmpfs,
  openDisk,
  type FileSystemTree,
  type FileSystemView,
  type LayerFile,
} from '../../../../main/linux/kernel/index.ts';
import { ErrnoError } from '../../../../main/network/index.ts';
import { makeRandom, type Random } from '../../../../main/simulation/index.ts';
import { makeMemoryStore } from '../../../support/memory-store.ts';
import { makeTestNet, makeTestSimulation, TEST_START_MS } from '../../../support/make-machine.ts';

const RUNS = 60;
const STEPS = 80;
const NAMES = ['a', 'b', 'c d', 'é', 'x'];
const LOWER = new Map<string, LayerFile>([
  ['/w/a/a', { type: 'file', content: 'lower a/a' }],
  ['/w/a/b/a', { type: 'file', content: 'lower a/b/a' }],
  ['/w/a/b/x', { type: 'file', content: 'lower a/b/x', mode: 0o600 }],
  ['/w/b', { type: 'file', content: 'lower b' }],
  ['/w/x', { type: 'symlink', target: 'a/b' }],
  ['/w/é/c d/b', { type: 'file', content: 'deep' }],
]);

function viewOf(root: FileSystemTree): FileSystemView {
  const clock = makeTestSimulation();
  const kernel = makeKernel({
    clock,
    random: makeRandom(1),
    net: makeTestNet(clock),
    hostname: 'h',
    root,
    onFault: (error) => {
      throw error;
    },
  });
  return kernel.files;
}

function pathOf(random: Random): string {
  const depth = 1 + random.integer(3);
  return `/w/${Array.from({ length: depth }, () => random.pick(NAMES)).join('/')}`;
}

/** One random call, as a function of a view, and its name for the report. */
function step(random: Random): { name: string; call: (fs: FileSystemView) => unknown } {
  const [one, two] = [pathOf(random), pathOf(random)];
  const text = random.string(random.integer(20), 'xyz');
  const mode = random.pick([0o644, 0o600, 0o755]);
  const size = random.integer(12_000);
  const calls: readonly (readonly [string, (fs: FileSystemView) => unknown])[] = [
    [`write ${one}`, (fs) => fs.writeFile(one, text)],
    [`append ${one}`, (fs) => fs.writeFile(one, text, { append: true })],
    [`truncate ${one} ${size}`, (fs) => fs.open(one, { write: true }).truncate(size)],
    [`mkdir ${one}`, (fs) => fs.mkdir(one)],
    [`rmdir ${one}`, (fs) => fs.rmdir(one)],
    [`unlink ${one}`, (fs) => fs.unlink(one)],
    [`removeAll ${one}`, (fs) => fs.removeAll(one)],
    [`rename ${one} ${two}`, (fs) => fs.rename(one, two)],
    [`rename ${two} ${one}`, (fs) => fs.rename(two, one)],
    [`link ${one} ${two}`, (fs) => fs.link(one, two)],
    [`symlink ${one} ${two}`, (fs) => fs.symlink(one, two)],
    [`chmod ${one}`, (fs) => fs.chmod(one, mode)],
    [`read ${one}`, (fs) => fs.readText(one)],
    [`readdir ${one}`, (fs) => fs.readdir(one)],
    [`realpath ${one}`, (fs) => fs.realpath(one)],
  ];
  const [name, call] = random.pick(calls);
  return { name, call };
}

function outcome(fs: FileSystemView, call: (fs: FileSystemView) => unknown): unknown {
  try {
    return call(fs) ?? 'done';
  } catch (error) {
    if (error instanceof ErrnoError) return error.code;
    throw error;
  }
}

function dump(fs: FileSystemView, path = '/w'): unknown {
  return fs.readdir(path).map(({ name, type }) => {
    const child = `${path}/${name}`;
    const { mode, links } = fs.lstat(child);
    if (type === 'directory') return [name, mode, links, dump(fs, child)];
    return [name, type, mode, links, type === 'symlink' ? fs.readlink(child) : fs.readText(child)];
  });
}

test('random calls give the same answers and the same tree as on a plain file system, also after a reopen', async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = makeRandom(seed);
    const clock = makeTestSimulation();
    const store = makeMemoryStore();
    const layer = makeLayer('lower', LOWER, TEST_START_MS);
    const open = (): FileSystemView =>
      viewOf(makeOverlay('root', [layer], openDisk({ id: 'disk', store, prefix: '/d/', clock }).tree));
    const overlay = open();
    const plain = viewOf(makeTmpfs({ id: 'plain', now: () => TEST_START_MS }));
    for (const [path, file] of LOWER) {
      plain.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
      if (file.type === 'symlink') plain.symlink(file.target, path);
      else if (file.type === 'file') plain.writeFile(path, file.content, { mode: file.mode ?? 0o644 });
    }
    const done: string[] = [];
    for (let count = 0; count < STEPS; count++) {
      const { name, call } = step(random);
      done.push(name);
      expect(outcome(overlay, call), `seed ${seed}: ${done.slice(-6).join('; ')}`).toEqual(
        outcome(plain, call),
      );
      if (count % 10 === 0) await clock.advance({ ms: 1 });
    }
    expect(dump(overlay), `seed ${seed}: ${done.join('; ')}`).toEqual(dump(plain));
    await clock.advance({ ms: 1 });
    expect(dump(open()), `seed ${seed} reopened: ${done.join('; ')}`).toEqual(dump(plain));
  }
});
