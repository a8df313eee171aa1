// Units: starting, stopping, restarting, enabling; and the journal that tells of it.
import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { makeMachine } from '../../../../main/linux/machine/index.ts';
import { journalSocket, systemdSocket, type UnitDefinition } from '../../../../main/linux/systemd/index.ts';
import { makeRandom } from '../../../../main/simulation/index.ts';
import { makeMemoryStore } from '../../../support/memory-store.ts';
import { makeTestNet, makeTestSimulation } from '../../../support/make-machine.ts';

const daemon: Program = async (proc) => {
  await proc.stdout.write('I am up\n<3>something broke\n');
  await proc.sleep(1e12);
  return 0;
};
const crasher: Program = async (proc) => {
  await proc.sleep(3000);
  return 1;
};
const hasty: Program = async (proc) => {
  await proc.sleep(200);
  return 1;
};
const UNITS: readonly UnitDefinition[] = [
  {
    name: 'daemon.service',
    description: 'A Daemon',
    execStart: ['/usr/bin/daemon', '--flag'],
    restart: 'always',
    restartDelayMs: 10_000,
    enabledByDefault: true,
    after: ['crasher.service'],
  },
  {
    name: 'crasher.service',
    description: 'A Crasher',
    execStart: ['/usr/bin/crasher'],
    restart: 'on-failure',
    restartDelayMs: 0,
  },
  { name: 'hasty.service', description: 'Haste', execStart: ['/usr/bin/hasty'], restart: 'always' },
  { name: 'absent.service', description: 'An Absence', execStart: ['/usr/bin/absent'] },
];

function make(store = makeMemoryStore(), clock = makeTestSimulation()) {
  const machine = makeMachine({
    name: 'worker1',
    clock,
    random: makeRandom(1),
    store,
    net: makeTestNet(clock),
    programs: new Map([
      ['/usr/bin/daemon', daemon],
      ['/usr/bin/crasher', crasher],
      ['/usr/bin/hasty', hasty],
    ]),
    units: UNITS,
    onFault: (error) => {
      throw error;
    },
  });
  const finish = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false;
    const settled = (): void => {
      done = true;
    };
    promise.then(settled, settled);
    await clock.advanceUntil(() => done, { minutes: 5 });
    return promise;
  };
  return {
    machine,
    clock,
    store,
    finish,
    systemd: machine.kernel.connectService(systemdSocket),
    journal: machine.kernel.connectService(journalSocket),
  };
}

test('enabled units start at boot, and what they print is in the journal', async () => {
  const { machine, finish, systemd, journal, clock } = make();
  await finish(machine.boot());
  await clock.advance({ ms: 10 });
  const status = systemd.status('daemon');
  expect(status).toMatchObject({
    activeState: 'active',
    subState: 'running',
    enabled: 'enabled',
    execStart: ['/usr/bin/daemon --flag'],
    pids: [status.mainPid],
  });
  expect(systemd.status('crasher.service')).toMatchObject({
    activeState: 'inactive',
    enabled: 'disabled',
    mainPid: 0,
  });
  expect(
    journal
      .query({ units: ['daemon'] })
      .map(({ identifier, message, priority }) => `${identifier}<${priority}> ${message}`),
  ).toEqual([
    'systemd<6> Started daemon.service - A Daemon.',
    'daemon<6> I am up',
    'daemon<3> something broke',
  ]);
  expect(machine.kernel.files.readText('/usr/lib/systemd/system/daemon.service')).toContain(
    'ExecStart=/usr/bin/daemon --flag\n',
  );
});

test('a killed service with Restart=always comes back after its delay with another pid', async () => {
  const { machine, finish, systemd, clock } = make();
  await finish(machine.boot());
  const { mainPid } = systemd.status('daemon');
  machine.kernel.kill(mainPid, 'SIGKILL');
  await clock.advance({ seconds: 5 });
  expect(systemd.status('daemon')).toMatchObject({
    activeState: 'activating',
    subState: 'auto-restart',
    result: { pid: mainPid, code: 'killed', status: 9 },
  });
  await clock.advance({ seconds: 6 });
  expect(systemd.status('daemon')).toMatchObject({ activeState: 'active', restarts: 1 });
  expect(systemd.status('daemon').mainPid).not.toBe(mainPid);
});

test('stop is final, start and restart are not, and a missing unit says so', async () => {
  const { machine, finish, systemd, clock } = make();
  await finish(machine.boot());
  await finish(systemd.stop('daemon'));
  await clock.advance({ minutes: 1 });
  expect(systemd.status('daemon')).toMatchObject({ activeState: 'inactive', subState: 'dead', mainPid: 0 });
  await finish(systemd.restart('daemon'));
  expect(systemd.status('daemon').activeState).toBe('active');
  await expect(systemd.start('foo')).rejects.toThrow('Unit foo.service not found.');
  await finish(systemd.start('absent')); // A simple service counts as started as soon as it is forked.
  await clock.advance({ ms: 10 });
  expect(systemd.status('absent')).toMatchObject({ activeState: 'failed', result: { status: 203 } });
});

test('a unit that keeps failing at once is given up; one that fails now and then is not', async () => {
  const { finish, systemd, clock, journal } = make();
  await finish(systemd.start('crasher'));
  await clock.advance({ minutes: 1 });
  expect(systemd.status('crasher')).toMatchObject({ activeState: 'active', restarts: 20 });
  await finish(systemd.start('hasty'));
  await clock.advance({ minutes: 1 });
  expect(systemd.status('hasty')).toMatchObject({
    activeState: 'failed',
    restarts: 5,
    serviceResult: 'exit-code',
  });
  expect(journal.query({ units: ['hasty'] }).map(({ message }) => message)).toContain(
    'hasty.service: Start request repeated too quickly.',
  );
});

test('enabling, disabling and masking are links on disk and survive a reopen', async () => {
  const first = make();
  expect(first.systemd.enable('crasher')).toEqual([
    {
      made: '/etc/systemd/system/multi-user.target.wants/crasher.service',
      target: '/usr/lib/systemd/system/crasher.service',
    },
  ]);
  expect(first.systemd.enable('crasher')).toEqual([]);
  expect(first.systemd.disable('daemon')).toEqual([
    { removed: '/etc/systemd/system/multi-user.target.wants/daemon.service' },
  ]);
  first.systemd.mask('absent');
  await first.clock.advance({ ms: 1 });
  const second = make(first.store, first.clock);
  expect(
    ['absent', 'crasher', 'daemon', 'hasty'].map((name) => {
      const unit = second.systemd.status(name);
      return `${unit.name} ${unit.enabled}`;
    }),
  ).toEqual([
    'absent.service masked',
    'crasher.service enabled',
    'daemon.service disabled',
    'hasty.service disabled',
  ]);
  await expect(second.systemd.start('absent')).rejects.toThrow('Unit absent.service is masked.');
});

test('the journal is kept, can be searched and followed, and holds what the kernel says', async () => {
  const first = make();
  await first.finish(first.machine.boot());
  first.machine.kernel.printk('eth0: link up');
  await first.clock.advance({ ms: 1 });
  const second = make(first.store, first.clock);
  expect(second.journal.query({ kernel: true, lines: 1 })[0]?.message).toBe('eth0: link up');
  expect(second.journal.query({ kernel: true })).toHaveLength(first.machine.kernel.messages.length);
  expect(second.journal.query({ units: ['daemon'], priorityMax: 3 })).toHaveLength(1);
  const seen: string[] = [];
  using _follower = second.journal.follow({ identifier: 'x' }, ({ message, sequence }) =>
    seen.push(`${sequence > 4} ${message}`),
  );
  second.journal.write({ priority: 6, identifier: 'x', pid: 5, unit: undefined, message: 'new' });
  expect(seen).toEqual(['true new']);
});
