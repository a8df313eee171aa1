// A machine: its distribution's files, logins, commands, and what a reopen keeps.
import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { makeMachine, type Machine, type MachineOptions } from '../../../../main/linux/machine/index.ts';
import { makeRandom } from '../../../../main/simulation/index.ts';
import { makeMemoryStore } from '../../../support/memory-store.ts';
import { makeTestNet, makeTestSimulation } from '../../../support/make-machine.ts';

const shell: Program = async (proc) => {
  await proc.stdout.write(
    `${proc.argv[0]} ${proc.env.get('HOME')} ${proc.env.get('TERM')} ${proc.cwd} ${proc.tty?.path}$ `,
  );
  for await (const line of proc.stdin.lines()) {
    if (line === 'exit') return 0;
    await proc.stdout.write(`you said ${line}\n`);
  }
  return 1;
};
const sleeper: Program = async (proc) => {
  await proc.sleep(1e9);
  return 0;
};

function make(
  options: Partial<MachineOptions> = {},
): Machine & { clock: ReturnType<typeof makeTestSimulation> } {
  const clock =
    options.clock === undefined
      ? makeTestSimulation()
      : (options.clock as ReturnType<typeof makeTestSimulation>);
  const machine = makeMachine({
    name: 'master1',
    random: makeRandom(1),
    store: makeMemoryStore(),
    net: makeTestNet(clock),
    programs: new Map([
      ['/usr/bin/bash', shell],
      ['/usr/bin/sleeper', sleeper],
    ]),
    onFault: (error) => {
      throw error;
    },
    ...options,
    clock,
  });
  return { ...machine, clock };
}

test('a login gives a shell on the terminal, in the home directory, echoing what is typed', async () => {
  const machine = make();
  const tty = machine.kernel.openTty({ columns: 80, rows: 24 });
  const task = machine.login({ user: 'root', tty });
  await machine.clock.advance({ ms: 1 });
  tty.input('hello\r');
  await machine.clock.advance({ ms: 1 });
  tty.input('exit\r');
  await machine.clock.advance({ ms: 1 });
  expect(Buffer.from((await tty.output())!).toString()).toBe(
    '-bash /root xterm-256color /root /dev/pts/0$ hello\r\nyou said hello\r\nexit\r\n',
  );
  expect(await task.ended).toEqual({ kind: 'exited', exitCode: 0 });
  expect(await tty.output()).toBeUndefined();
});

test('closing the terminal hangs up its shell and frees its number', async () => {
  const machine = make();
  const tty = machine.kernel.openTty({ columns: 80, rows: 24 });
  const task = machine.login({ user: 'root', tty });
  await machine.clock.advance({ ms: 1 });
  tty[Symbol.dispose]();
  await machine.clock.advance({ ms: 1 });
  expect(await task.ended).toEqual({ kind: 'signaled', signal: 'SIGHUP' });
  expect(machine.kernel.openTty({ columns: 80, rows: 24 }).tty.path).toBe('/dev/pts/0');
});

test('an unknown user cannot log in', () => {
  const machine = make();
  const tty = machine.kernel.openTty({ columns: 80, rows: 24 });
  expect(() => machine.login({ user: 'ghost', tty })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

test('the distribution is recognisable, and files written on it are there after a reopen', async () => {
  const store = makeMemoryStore();
  const first = make({ store });
  expect(first.kernel.files.readText('/etc/os-release')).toContain('PRETTY_NAME="CentOS Linux 7 (Core)"');
  expect(first.kernel.files.realpath('/bin/bash')).toBe('/usr/bin/bash');
  expect(first.kernel.files.stat('/tmp').mode).toBe(0o1777);
  first.kernel.files.writeFile('/root/deploy.yaml', 'kind: Deployment\n');
  first.kernel.files.writeFile('/etc/hostname', 'renamed\n');
  first.kernel.files.writeFile('/run/lost', 'on tmpfs');
  await store.durable();
  await first.clock.advance({ minutes: 5 });

  const second = make({ store, clock: first.clock });
  expect(second.kernel.files.readText('/root/deploy.yaml')).toBe('kind: Deployment\n');
  expect(second.kernel.hostname).toBe('renamed');
  expect(second.kernel.files.exists('/run/lost')).toBe(false);
  expect(second.kernel.bootMs).toBe(first.kernel.bootMs);
});

test('a disposed machine leaves no process, no timer and no later write behind', async () => {
  const store = makeMemoryStore();
  const machine = make({
    store,
    units: [
      {
        name: 'nap.service',
        description: 'Nap',
        execStart: ['/usr/bin/sleeper'],
        restart: 'always',
        enabledByDefault: true,
      },
    ],
  });
  void machine.boot();
  machine.login({ user: 'root', tty: machine.kernel.openTty({ columns: 80, rows: 24 }) });
  await machine.clock.advance({ seconds: 1 });
  expect(machine.kernel.listProcesses()).toHaveLength(3);
  machine.kernel.files.writeFile('/root/last', 'saved');
  machine[Symbol.dispose]();
  const { revision } = store;
  machine.kernel.files.writeFile('/root/last', 'not saved');
  await machine.clock.advance({ minutes: 5 });
  expect(machine.clock.pending).toBe(0);
  expect(machine.kernel.listProcesses()).toHaveLength(1);
  expect(store.revision).toBe(revision);
  expect(make({ store, clock: machine.clock }).kernel.files.readText('/root/last')).toBe('saved');
});

test('loaded modules and set parameters are there after a reopen, and chance does not repeat itself', () => {
  const store = makeMemoryStore();
  const first = make({ store, modules: ['ip_vs'] });
  first.kernel.loadModule('br_netfilter');
  first.kernel.unloadModule('ip_vs');
  first.kernel.setSysctl('vm.swappiness', '0');
  const random = first.kernel.files.readText('/proc/sys/kernel/random/uuid');
  const second = make({ store, clock: first.clock, modules: ['ip_vs'] });
  expect(second.kernel.modules.has('br_netfilter')).toBe(true);
  expect(second.kernel.modules.has('ip_vs')).toBe(false);
  expect(second.kernel.files.readText('/proc/sys/vm/swappiness')).toBe('0\n');
  expect(second.kernel.files.readText('/proc/sys/kernel/random/boot_id')).toBe(
    first.kernel.files.readText('/proc/sys/kernel/random/boot_id'),
  );
  expect(second.kernel.files.readText('/proc/sys/kernel/random/uuid')).not.toBe(random);
});

test('a full disk is ENOSPC', () => {
  const machine = make({ diskBytes: 1024 ** 2 });
  expect(() => machine.kernel.files.writeFile('/root/big', new Uint8Array(2 * 1024 ** 2))).toThrow(
    expect.objectContaining({ code: 'ENOSPC', path: '/root/big' }),
  );
  machine.kernel.files.writeFile('/root/small', 'fits');
});

test('every file of a fresh machine can be looked at, /proc and /sys included', async () => {
  const machine = make();
  machine.kernel.start({ argv: ['sleeper'], path: '/usr/bin/sleeper' });
  await machine.clock.advance({ ms: 5 });
  const { files } = machine.kernel;
  const seen = new Map<string, string>();
  const look = (path: string, type: string): string => {
    if (type === 'file') return files.readText(path);
    return type === 'symlink' ? files.readlink(path) : files.lstat(path).type;
  };
  const visit = (folder: string): void => {
    for (const { name, type } of files.readdir(folder)) {
      const path = `${folder === '/' ? '' : folder}/${name}`;
      seen.set(path, look(path, type));
      if (type === 'directory') visit(path);
    }
  };
  visit('/');
  expect(seen.get('/etc/hostname')).toBe('master1\n');
  expect(seen.get('/proc/1/comm')).toBe('systemd\n');
  expect(seen.get('/proc/sys/net/ipv4/conf/lo/rp_filter')).toBe('0\n');
  expect(seen.get('/sys/class/net/lo/operstate')).toBe('unknown\n');
  expect(seen.get('/dev/null')).toBe('character-device');
});

test('one seed gives one history', async () => {
  const history = async (): Promise<unknown> => {
    const machine = make();
    for (let i = 0; i < 5; i++) machine.exec(['sleeper']);
    await machine.clock.advance({ seconds: 1 });
    const chance = Buffer.from(await machine.kernel.files.open('/dev/urandom').read(16)).toString('hex');
    return [
      chance,
      machine.kernel.files.readText('/proc/sys/kernel/random/uuid'),
      machine.kernel.listProcesses(),
    ];
  };
  expect(await history()).toEqual(await history());
});

test('file names of any kind survive a reopen', async () => {
  const store = makeMemoryStore();
  const machine = make({ store });
  const names = [
    'new\nline',
    'quote\'"',
    '-rf',
    ' space ',
    '*?[a]',
    '表情😀',
    'é',
    'e\u0301',
    '%2F',
    '..x',
    'x'.repeat(255),
    '\u0001',
    'a\\b',
  ];
  for (const name of names) machine.kernel.files.writeFile(`/root/${name}`, name);
  await store.durable();
  const { files } = make({ store, clock: machine.clock }).kernel;
  for (const name of names) expect(files.readText(`/root/${name}`)).toBe(name);
});
