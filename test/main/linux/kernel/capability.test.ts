// Capabilities: what a container's root may not do, and what others may when told so.
import { expect, test } from 'vitest';
import { containerCapabilities, type Process } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, run, type RunOptions } from '../../../support/make-machine.ts';

function attempt(action: () => unknown): string {
  try {
    action();
    return 'ok';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

async function answers(
  options: RunOptions,
  actions: (proc: Process) => (() => unknown)[],
): Promise<string[]> {
  const machine = makeBareMachine({
    files: { '/srv/secret': { type: 'file', content: 'x', mode: 0o600, uid: 99 } },
  });
  let result: string[] = [];
  await run(
    machine,
    async (proc) => {
      result = actions(proc).map(attempt);
      return 0;
    },
    options,
  );
  return result;
}

const FILES = (proc: Process): (() => unknown)[] => [
  () => proc.fs.readText('/srv/secret'),
  () => proc.fs.chmod('/srv/secret', 0o644),
  () => proc.fs.chown('/srv/secret', 0, 0),
  () => proc.kernel.mountNew({ type: 'tmpfs', source: 'none', target: '/srv', options: [] }, proc),
];

test('a container’s root reads and gives away files but mounts nothing; with all dropped it is like anybody', async () => {
  expect(await answers({ capabilities: containerCapabilities({}) }, FILES)).toEqual([
    'ok',
    'ok',
    'ok',
    'EPERM',
  ]);
  expect(await answers({ capabilities: containerCapabilities({ drop: ['ALL'] }) }, FILES)).toEqual([
    'EACCES',
    'EPERM',
    'EPERM',
    'EPERM',
  ]);
  expect(await answers({ capabilities: containerCapabilities({ add: ['CAP_SYS_ADMIN'] }) }, FILES)).toEqual([
    'ok',
    'ok',
    'ok',
    'ok',
  ]);
});

test('children can’t have more, whoever they become, and /proc/PID/status shows the sets', async () => {
  const machine = makeBareMachine();
  const { stdout } = await run(
    machine,
    async (proc) => {
      for (const credentials of [
        { uid: 0, gid: 0, groups: [0] },
        { uid: 1000, gid: 1000, groups: [1000] },
      ]) {
        const child = proc.spawn({
          argv: ['x'],
          credentials,
          program: async (inner) => {
            const status = inner.fs.readText('/proc/self/status');
            await inner.stdout.write(status.match(/^Cap(Eff|Bnd).*$/gm)!.join('\n') + '\n');
            return 0;
          },
        });
        await child.wait();
      }
      return 0;
    },
    { capabilities: containerCapabilities({}) },
  );
  expect(stdout).toBe(
    'CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\n',
  );
});

test('a low port is for CAP_NET_BIND_SERVICE, or for all from net.ipv4.ip_unprivileged_port_start on', async () => {
  const listen = (proc: Process) => () =>
    proc.net.sockets
      .listenTcp({ address: '0.0.0.0', port: 80 }, { owner: proc.socketOwner })
      [Symbol.dispose]();
  const alice = { credentials: { uid: 1000, gid: 1000, groups: [1000] }, cwd: '/' };
  expect(await answers({}, (proc) => [listen(proc)])).toEqual(['ok']);
  expect(await answers(alice, (proc) => [listen(proc)])).toEqual(['EACCES']);
  const without = { capabilities: containerCapabilities({ drop: ['NET_BIND_SERVICE'] }) };
  expect(await answers(without, (proc) => [listen(proc)])).toEqual(['EACCES']);
  expect(
    await answers(alice, (proc) => [
      () => proc.net.sysctls.set('net.ipv4.ip_unprivileged_port_start', '80'),
      listen(proc),
    ]),
  ).toEqual(['ok', 'ok']);
});
