// A machine's writable layer: what is saved, and what stands there after a reopen.
import { expect, test } from 'vitest';
import {
  makeKernel,
  makeLayer,
  makeOverlay,
  openDisk,
  type Disk,
  type Kernel,
} from '../../../../main/linux/kernel/index.ts';
import { makeRandom, type Simulation } from '../../../../main/simulation/index.ts';
import type { Store, StoredRecord } from '../../../../main/storage/index.ts';
import { makeMemoryStore } from '../../../support/memory-store.ts';
import { makeTestNet, makeTestSimulation, TEST_START_MS } from '../../../support/make-machine.ts';

const PREFIX = '/machines/m1/disk/';

function boot(store: Store, clock: Simulation): { kernel: Kernel; disk: Disk } {
  const base = makeLayer(
    'base',
    new Map([
      ['/etc/motd', { type: 'file', content: 'welcome\n' }],
      ['/etc/conf.d/a', { type: 'file', content: 'a\n' }],
      ['/etc/conf.d/b', { type: 'file', content: 'b\n', mode: 0o600 }],
      ['/opt/tools/run', { type: 'program', name: 'run', program: async () => 7 }],
    ] as const),
    TEST_START_MS,
  );
  const disk = openDisk({ id: 'disk', store, prefix: PREFIX, clock });
  const kernel = makeKernel({
    clock,
    random: makeRandom(1),
    net: makeTestNet(clock),
    hostname: 'm1',
    root: makeOverlay('root', [base], disk.tree),
    onFault: (error) => {
      throw error;
    },
  });
  return { kernel, disk };
}

/** Records of the parts of big files. */
function pieces(store: Store): StoredRecord[] {
  return store.list(`${PREFIX}node/`).filter(({ key }) => /node\/\d+\/\d+$/.test(key));
}

test('files, owners, modes, times, links, deletions and renames are there again after a reopen', async () => {
  const store = makeMemoryStore();
  const clock = makeTestSimulation();
  const first = boot(store, clock).kernel.files;
  await clock.advance({ seconds: 5 });
  first.mkdir('/srv/data', { recursive: true, mode: 0o750 });
  first.writeFile('/srv/data/x', 'one');
  first.chown('/srv/data/x', 1000, 100);
  first.chmod('/srv/data/x', 0o4711);
  first.utimes('/srv/data/x', 1000, 2000);
  first.link('/srv/data/x', '/srv/data/y');
  first.symlink('../data/x', '/srv/data/z');
  first.unlink('/etc/motd');
  first.rename('/etc/conf.d', '/etc/moved');
  first.mkdir('/etc/conf.d');
  first.writeFile('/etc/moved/c', 'c');
  first.writeFile('/srv/data/slash 你好', 'name');
  await clock.advance({ ms: 1 });

  const second = boot(store, clock).kernel.files;
  expect(second.stat('/srv/data/x')).toMatchObject({
    uid: 1000,
    gid: 100,
    mode: 0o4711,
    accessMs: 1000,
    modifyMs: 2000,
    links: 2,
    sizeBytes: 3,
  });
  expect(second.stat('/srv/data/y').inode).toBe(second.stat('/srv/data/x').inode);
  expect(second.readText('/srv/data/z')).toBe('one');
  expect(second.readText('/srv/data/slash 你好')).toBe('name');
  expect(second.stat('/srv/data').mode).toBe(0o750);
  expect(second.exists('/etc/motd')).toBe(false);
  expect(second.readdir('/etc/conf.d')).toEqual([]);
  expect(second.readdir('/etc/moved').map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  expect(second.stat('/etc/moved/b').mode).toBe(0o600);
});

test('appending to a log rewrites only its last piece', async () => {
  const store = makeMemoryStore();
  const clock = makeTestSimulation();
  const { kernel } = boot(store, clock);
  kernel.files.writeFile('/big', 'x'.repeat(100_000));
  await clock.advance({ ms: 1 });
  let saves = 0;
  let bytes = 0;
  const save = store.save.bind(store);
  store.save = (changes) => {
    saves++;
    for (const { value } of changes) bytes += value?.length ?? 0;
    save(changes);
  };
  for (let i = 0; i < 50; i++) kernel.files.writeFile('/big', 'line\n', { append: true });
  await clock.advance({ ms: 1 });
  expect(saves).toBe(1);
  expect(bytes).toBeLessThan(4096 + 500);
  expect(boot(store, clock).kernel.files.readText('/big')).toBe('x'.repeat(100_000) + 'line\n'.repeat(50));
});

test('a file that shrinks, grows a hole or goes away leaves no stale content', async () => {
  const store = makeMemoryStore();
  const clock = makeTestSimulation();
  const { files } = boot(store, clock).kernel;
  files.writeFile('/a', 'y'.repeat(20_000));
  files.writeFile('/b', 'gone');
  await clock.advance({ ms: 1 });
  files.writeFile('/a', 'short');
  const hole = files.open('/a', { read: true, write: true });
  hole.seek(9000, 'set');
  await hole.write('end');
  files.unlink('/b');
  await clock.advance({ ms: 1 });
  expect(boot(store, clock).kernel.files.readText('/a')).toBe(`short${'\0'.repeat(8995)}end`);
  expect(pieces(store)).toHaveLength(3);
  files.writeFile('/a', 'short again');
  await clock.advance({ ms: 1 });
  expect(pieces(store)).toEqual([]);
  expect(boot(store, clock).kernel.files.readText('/a')).toBe('short again');
});

test('a copied or re-moded executable still runs after a reopen', async () => {
  const store = makeMemoryStore();
  const clock = makeTestSimulation();
  const { files } = boot(store, clock).kernel;
  files.writeFile('/copy', files.readFile('/opt/tools/run'), { mode: 0o755 });
  files.chmod('/opt/tools/run', 0o700);
  await clock.advance({ ms: 1 });
  const { kernel } = boot(store, clock);
  for (const path of ['/copy', '/opt/tools/run']) {
    const task = kernel.start({ argv: [path] });
    await clock.advance({ ms: 1 });
    expect(await task.ended).toEqual({ kind: 'exited', exitCode: 7 });
  }
});

test('a piece of zeros is saved as nothing and reads back as zeros', async () => {
  const store = makeMemoryStore();
  const clock = makeTestSimulation();
  const first = boot(store, clock);
  first.kernel.files.writeFile('/zeros', Buffer.concat([Buffer.alloc(8192), Buffer.from('end')]));
  first.disk.close();
  expect(pieces(store).map(({ value }) => value.length)).toEqual([0, 0, 3]);
  const second = boot(store, clock);
  const content = Buffer.from(second.kernel.files.readFile('/zeros'));
  expect(content.equals(Buffer.concat([Buffer.alloc(8192), Buffer.from('end')]))).toBe(true);
});

test('a layer that the first format saved is there as it was', () => {
  const store = makeMemoryStore();
  const inode = (id: number, record: object): { key: string; value: string } => ({
    key: `${PREFIX}inode/${id}`,
    value: JSON.stringify({ mode: 0o644, uid: 0, gid: 0, size: 0, times: [1, 2, 3], ...record }),
  });
  store.write([
    inode(1, { type: 'directory', mode: 0o755 }),
    inode(2, { type: 'file', size: 3, uid: 7 }),
    inode(3, { type: 'file', size: 9000 }),
    inode(4, { type: 'symlink', target: 'small' }),
    inode(5, { type: 'character-device', whiteout: true }),
    inode(6, { type: 'directory', mode: 0o700 }),
    { key: `${PREFIX}entry/1/small`, value: '2' },
    { key: `${PREFIX}entry/6/again`, value: '2' },
    { key: `${PREFIX}entry/1/big`, value: '3' },
    { key: `${PREFIX}entry/1/link`, value: '4' },
    { key: `${PREFIX}entry/1/etc`, value: '5' },
    { key: `${PREFIX}entry/1/dir`, value: '6' },
    { key: `${PREFIX}data/2/00000000`, value: Buffer.from('one') },
    { key: `${PREFIX}data/3/00000000`, value: '' },
    { key: `${PREFIX}data/3/00000002`, value: Buffer.from('x'.repeat(808)) },
  ]);
  const clock = makeTestSimulation();
  for (let time = 0; time < 2; time++) {
    const { kernel, disk } = boot(store, clock);
    const { files } = kernel;
    expect(files.readText('/link')).toBe('one');
    expect(files.readText('/big')).toBe('\0'.repeat(8192) + 'x'.repeat(808));
    expect(files.stat('/dir/again')).toMatchObject({ uid: 7, links: 2, modifyMs: 2 });
    expect(files.stat('/dir').mode).toBe(0o700);
    expect(files.exists('/etc')).toBe(false);
    disk.close();
  }
  expect(store.list(`${PREFIX}entry/`)).toEqual([]);
  expect(store.list(`${PREFIX}data/`)).toEqual([]);
});
