// The file system: paths, links, permissions, overlays, mounts, watches.
import { expect, test } from 'vitest';
import {
  makeTmpfs,
  type Credentials,
  type FileSystemView,
  type Process,
} from '../../../../main/linux/kernel/index.ts';
import { ErrnoError } from '../../../../main/network/index.ts';
import { makeBareMachine, run, TEST_START_MS } from '../../../support/make-machine.ts';

const ALICE: Credentials = { uid: 1000, gid: 1000, groups: [1000] };

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ErrnoError)
      return error.path === undefined ? error.code : `${error.code} ${error.path}`;
    throw error;
  }
  return 'no error';
}

async function as(
  credentials: Credentials,
  look: (fs: FileSystemView, proc: Process) => void | Promise<void>,
): Promise<void> {
  const machine = makeBareMachine({
    files: {
      '/etc/shadow': { type: 'file', content: 'secret', mode: 0 },
      '/srv/shared/theirs': { type: 'file', content: 'x' },
    },
  });
  machine.kernel.files.chmod('/srv/shared', 0o1777);
  await run(
    machine,
    async (proc) => {
      await look(proc.fs, proc);
      return 0;
    },
    { credentials, cwd: '/' },
  );
  if (machine.faults.length > 0) throw machine.faults[0];
}

test('errors are those of the system calls, with the path that was given', () => {
  const { files } = makeBareMachine().kernel;
  files.mkdir('/a/b', { recursive: true });
  files.writeFile('/a/f', 'x');
  expect(codeOf(() => files.stat('/a/none'))).toBe('ENOENT /a/none');
  expect(codeOf(() => files.stat('/a/f/x'))).toBe('ENOTDIR /a/f/x');
  expect(codeOf(() => files.stat('/a/f/'))).toBe('ENOTDIR /a/f/');
  expect(codeOf(() => files.readText('/a'))).toBe('EISDIR /a');
  expect(codeOf(() => files.mkdir('/a/b'))).toBe('EEXIST /a/b');
  expect(codeOf(() => files.mkdir('/x/y'))).toBe('ENOENT /x/y');
  expect(codeOf(() => files.rmdir('/a'))).toBe('ENOTEMPTY /a');
  expect(codeOf(() => files.rmdir('/a/f'))).toBe('ENOTDIR /a/f');
  expect(codeOf(() => files.unlink('/a/b'))).toBe('EISDIR /a/b');
  expect(codeOf(() => files.rename('/a', '/a/b/c'))).toBe('EINVAL /a/b/c');
  expect(codeOf(() => files.link('/a', '/c'))).toBe('EPERM /a');
  expect(codeOf(() => files.rename('/a/f', '/dev/shm/f'))).toBe('EXDEV /dev/shm/f');
  expect(codeOf(() => files.stat(`/${'n'.repeat(300)}`))).toMatch(/^ENAMETOOLONG/);
  expect(codeOf(() => files.stat(''))).toBe('ENOENT ');
  expect(codeOf(() => files.open('/a/f', { write: true, create: true, exclusive: true }))).toBe(
    'EEXIST /a/f',
  );
});

test('symbolic links are followed, relative to where they are, and a circle is ELOOP', () => {
  const { files } = makeBareMachine().kernel;
  files.mkdir('/d/e', { recursive: true });
  files.writeFile('/d/f', 'text');
  files.symlink('../f', '/d/e/up');
  files.symlink('/d/e', '/short');
  files.symlink('loop2', '/loop1');
  files.symlink('loop1', '/loop2');
  expect(files.readText('/short/up')).toBe('text');
  expect(files.realpath('/short/up')).toBe('/d/f');
  expect(files.realpath('/short/..')).toBe('/d');
  expect(files.lstat('/short').type).toBe('symlink');
  expect(files.stat('/short').type).toBe('directory');
  expect(codeOf(() => files.stat('/loop1'))).toBe('ELOOP /loop1');
  files.symlink('nowhere', '/dangling');
  expect(files.exists('/dangling')).toBe(false);
  files.writeFile('/dangling', 'made through the link');
  expect(files.readText('/nowhere')).toBe('made through the link');
  files.unlink('/dangling');
  expect(files.readText('/nowhere')).toBe('made through the link');
});

test('hard links are one file, and an unlinked file lives on while it is open', async () => {
  const { kernel } = makeBareMachine({ files: { '/etc/lower': 'from below' } });
  const { files } = kernel;
  files.link('/etc/lower', '/etc/other');
  files.writeFile('/etc/other', '!', { append: true });
  expect(files.readText('/etc/lower')).toBe('from below!');
  expect(files.stat('/etc/lower')).toMatchObject({ links: 2, inode: files.stat('/etc/other').inode });
  const open = files.open('/etc/lower', { read: true, write: true });
  files.unlink('/etc/lower');
  files.unlink('/etc/other');
  await open.write('still');
  open.seek(0, 'set');
  expect(await open.readText()).toBe('stillbelow!');
  expect(open.stat().links).toBe(0);
});

test('a layer below is never changed: deleting hides, writing copies, a new directory starts empty', () => {
  const below = makeBareMachine({ files: { '/opt/app/a': 'a', '/opt/app/sub/b': 'b' } });
  const { files } = below.kernel;
  files.unlink('/opt/app/a');
  expect(files.readdir('/opt/app').map(({ name }) => name)).toEqual(['sub']);
  files.removeAll('/opt/app');
  expect(files.exists('/opt/app/sub/b')).toBe(false);
  files.mkdir('/opt/app');
  expect(files.readdir('/opt/app')).toEqual([]);
  files.writeFile('/opt/app/a', 'new');
  expect(files.readText('/opt/app/a')).toBe('new');
});

test('renaming a directory of the layer below takes what is in it along', () => {
  const { files } = makeBareMachine({ files: { '/opt/app/a': 'a', '/opt/app/sub/b': 'b' } }).kernel;
  files.rename('/opt/app', '/opt/moved');
  expect(files.readText('/opt/moved/sub/b')).toBe('b');
  expect(files.exists('/opt/app')).toBe(false);
  files.mkdir('/opt/app');
  expect(files.readdir('/opt/app')).toEqual([]);
});

test('others than root are held to owner, group and mode', async () => {
  await as(ALICE, (fs) => {
    expect(codeOf(() => fs.readText('/etc/shadow'))).toBe('EACCES /etc/shadow');
    expect(codeOf(() => fs.readdir('/root'))).toBe('EACCES /root');
    expect(codeOf(() => fs.stat('/root/x'))).toBe('EACCES /root/x');
    expect(codeOf(() => fs.writeFile('/etc/new', ''))).toBe('EACCES /etc/new');
    expect(codeOf(() => fs.chmod('/etc/passwd', 0o777))).toBe('EPERM /etc/passwd');
    expect(codeOf(() => fs.unlink('/srv/shared/theirs'))).toBe('EPERM /srv/shared/theirs');
    fs.writeFile('/srv/shared/mine', 'ok');
    expect(fs.stat('/srv/shared/mine')).toMatchObject({ uid: 1000, gid: 1000, mode: 0o644 });
    fs.chmod('/srv/shared/mine', 0o200);
    expect(fs.access('/srv/shared/mine', { read: true })).toBe(false);
    expect(codeOf(() => fs.chown('/srv/shared/mine', 0, 0))).toBe('EPERM /srv/shared/mine');
    fs.unlink('/srv/shared/mine');
  });
});

test('the umask takes bits from new files', async () => {
  await as({ uid: 0, gid: 0, groups: [0] }, (fs, proc) => {
    proc.setUmask(0o077);
    fs.writeFile('/tmp/private', '');
    fs.mkdir('/tmp/folder');
    expect([fs.stat('/tmp/private').mode, fs.stat('/tmp/folder').mode]).toEqual([0o600, 0o700]);
  });
});

test('a mount hides what was there; a read-only one refuses; unmounting brings it back', async () => {
  const machine = makeBareMachine();
  const { kernel } = machine;
  kernel.files.mkdir('/mnt/data', { recursive: true });
  kernel.files.writeFile('/mnt/data/under', 'x');
  kernel.mount({
    target: '/mnt/data',
    source: 'tmpfs',
    type: 'tmpfs',
    tree: makeTmpfs({ id: 't', now: () => machine.clock.now(), sizeMaxBytes: 8192 }),
  });
  expect(kernel.files.readdir('/mnt/data')).toEqual([]);
  kernel.files.writeFile('/mnt/data/a', new Uint8Array(4096));
  expect(codeOf(() => kernel.files.writeFile('/mnt/data/b', new Uint8Array(8192)))).toBe(
    'ENOSPC /mnt/data/b',
  );
  expect(codeOf(() => kernel.files.rename('/mnt', '/elsewhere'))).toBe('EBUSY /mnt');
  expect(kernel.usage('/mnt/data')).toMatchObject({ totalBytes: 8192, usedBytes: 4096 });
  kernel.files.mkdir('/mnt/again');
  for (const mount of kernel.bindMounts('/mnt/data', '/mnt/again', { readOnly: true })) kernel.mount(mount);
  expect(kernel.files.stat('/mnt/again/a').sizeBytes).toBe(4096);
  expect(codeOf(() => kernel.files.writeFile('/mnt/again/a', ''))).toBe('EROFS /mnt/again/a');
  kernel.unmount('/mnt/data');
  expect(kernel.files.readText('/mnt/data/under')).toBe('x');
  expect(codeOf(() => kernel.unmount('/mnt/data'))).toBe('EINVAL /mnt/data');
});

test('times are the clock’s: content changes mtime, attributes only ctime', async () => {
  const machine = makeBareMachine();
  const { files } = machine.kernel;
  files.writeFile('/f', 'x');
  await machine.clock.advance({ seconds: 10 });
  files.chmod('/f', 0o600);
  expect(files.stat('/f')).toMatchObject({ modifyMs: TEST_START_MS, changeMs: TEST_START_MS + 10_000 });
  await machine.clock.advance({ seconds: 10 });
  files.writeFile('/f', 'y');
  expect(files.stat('/f')).toMatchObject({
    modifyMs: TEST_START_MS + 20_000,
    changeMs: TEST_START_MS + 20_000,
  });
});

test('a watch tells of changes below, of a file that comes later, and of a link that is turned', async () => {
  const machine = makeBareMachine();
  const { files } = machine.kernel;
  const seen: string[] = [];
  files.mkdir('/etc/conf/v1', { recursive: true });
  files.mkdir('/etc/conf/v2');
  files.symlink('v1', '/etc/conf/data');
  using _below = files.watch('/etc/conf', (path) => seen.push(`below ${path}`));
  using _later = files.watch('/srv/later/file', (path) => seen.push(`later ${path}`));
  using _through = files.watch('/etc/conf/data/file', (path) => seen.push(`through ${path}`));
  files.writeFile('/etc/conf/v1/file', 'one');
  files.writeFile('/etc/conf/v1/file', 'two');
  await machine.clock.advance({ ms: 1 });
  expect(seen.splice(0)).toEqual(['below /etc/conf/v1/file', 'through /etc/conf/data/file']);
  files.mkdir('/srv/later', { recursive: true });
  await machine.clock.advance({ ms: 1 });
  seen.length = 0;
  files.writeFile('/srv/later/file', 'x');
  await machine.clock.advance({ ms: 1 });
  expect(seen.splice(0)).toEqual(['later /srv/later/file']);
  files.symlink('v2', '/etc/conf/new');
  files.rename('/etc/conf/new', '/etc/conf/data');
  await machine.clock.advance({ ms: 1 });
  expect(seen).toContain('through /etc/conf/data/file');
});

test('a fifo carries what one process writes to another', async () => {
  const machine = makeBareMachine();
  machine.kernel.files.mkfifo('/tmp/pipe');
  const result = await run(machine, async (proc) => {
    const child = proc.spawn({
      argv: ['writer'],
      program: async (writer) => {
        await writer.sleep(10);
        await writer.fs.open('/tmp/pipe', { write: true }).write('through the fifo');
        return 0;
      },
    });
    await proc.stdout.write(await proc.fs.open('/tmp/pipe').readText());
    await child.wait();
    return 0;
  });
  expect(result.stdout).toBe('through the fifo');
});

test('who opens a fifo waits for the other end; what was written before is there, and then the end', async () => {
  const machine = makeBareMachine();
  machine.kernel.files.mkfifo('/tmp/p');
  const order: string[] = [];
  await run(machine, async (proc) => {
    const writer = proc.spawn({
      argv: ['writer'],
      program: async (inner) => {
        const file = inner.fs.open('/tmp/p', { write: true });
        await file.opened();
        order.push('opened');
        await file.write('hello');
        return 0;
      },
    });
    await proc.sleep(50);
    order.push('reader comes');
    const reader = proc.fs.open('/tmp/p');
    await reader.opened();
    order.push(await reader.readText());
    await writer.wait();
    return 0;
  });
  expect(order).toEqual(['reader comes', 'opened', 'hello']);
});

test('a handled signal ends the wait for a fifo’s other end with EINTR', async () => {
  const machine = makeBareMachine();
  machine.kernel.files.mkfifo('/tmp/p');
  let code = '';
  await run(machine, async (proc) => {
    const child = proc.spawn({
      argv: ['reader'],
      program: async (inner) => {
        inner.onSignal('SIGINT', () => undefined);
        try {
          await inner.fs.open('/tmp/p').opened();
        } catch (error) {
          code = (error as { code: string }).code;
        }
        return 0;
      },
    });
    await proc.sleep(5);
    child.kill('SIGINT');
    await child.wait();
    return 0;
  });
  expect(code).toBe('EINTR');
});

test('where a process is, and what it has open, follows what is renamed on the way there', async () => {
  const machine = makeBareMachine();
  const seen: string[] = [];
  await run(machine, async (proc) => {
    const { fs } = proc;
    fs.mkdir('/tmp/a/b', { recursive: true });
    fs.writeFile('/tmp/a/b/f', 'x');
    proc.chdir('/tmp/a/b');
    const fd = proc.setFd(fs.open('f'));
    fs.rename('/tmp/a', '/tmp/z');
    seen.push(proc.cwd, fs.readlink('/proc/self/cwd'), fs.resolve('f'), fs.readlink(`/proc/self/fd/${fd}`));
    fs.unlink('f');
    seen.push(fs.readlink(`/proc/self/fd/${fd}`), fs.realpath('..'));
    proc.chdir('..');
    seen.push(proc.cwd);
    fs.rmdir('b');
    proc.chdir('/');
    proc.chdir('/tmp/z');
    fs.rmdir('/tmp/z');
    seen.push(fs.readlink('/proc/self/cwd'));
    return 0;
  });
  expect(seen).toEqual([
    '/tmp/z/b',
    '/tmp/z/b',
    '/tmp/z/b/f',
    '/tmp/z/b/f',
    '/tmp/z/b/f (deleted)',
    '/tmp/z',
    '/tmp/z',
    '/tmp/z (deleted)',
  ]);
});

test('a tmpfs of few inodes takes no more files, however small', async () => {
  const machine = makeBareMachine();
  const { kernel } = machine;
  kernel.files.mkdir('/mnt');
  kernel.mountNew({ type: 'tmpfs', source: 'none', target: '/mnt', options: ['nr_inodes=4'] });
  const made = [1, 2, 3, 4].filter(
    (name) => codeOf(() => kernel.files.writeFile(`/mnt/${name}`, '')) === 'no error',
  );
  expect(made).toEqual([1, 2, 3]);
  expect(kernel.usage('/mnt')).toMatchObject({ inodesTotal: 4 });
});

test('a second mount at a place hides the first, which /proc/mounts still shows and unmounting brings back', () => {
  const { kernel } = makeBareMachine();
  kernel.files.mkdir('/mnt');
  for (const source of ['one', 'two']) {
    kernel.mountNew({ type: 'tmpfs', source, target: '/mnt', options: [] });
    kernel.files.writeFile(`/mnt/${source}`, '');
  }
  const sources = (): string[] =>
    Array.from(kernel.files.readText('/proc/mounts').matchAll(/^(\w+) \/mnt /gm), ([, source]) => source!);
  expect(sources()).toEqual(['one', 'two']);
  expect(kernel.files.exists('/mnt/one')).toBe(false);
  kernel.unmount('/mnt');
  expect(sources()).toEqual(['one']);
  expect(kernel.files.exists('/mnt/one')).toBe(true);
});
