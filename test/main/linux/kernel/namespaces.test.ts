// Namespaces: how they are told apart, entered and made.
import { expect, test } from 'vitest';
import type { Process } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, makeTestNet, run, type BareMachine } from '../../../support/make-machine.ts';

const NAMES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];

function links(proc: Process, of: number | string): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [name, proc.fs.readlink(`/proc/${of}/ns/${name}`)]));
}

/** A sleeper in a pid, net and uts namespace of its own; its number on the machine. */
function startContainer(machine: BareMachine): number {
  return machine.kernel.start({
    argv: ['sleeper'],
    program: (proc) => proc.sleep(50_000).then(() => 0),
    namespaces: {
      pid: 'new',
      hostname: 'pod-1',
      net: makeTestNet(machine.clock, 'pod'),
      cgroup: '/pod',
      newCgroupNamespace: true,
    },
  }).pid;
}

test('the machine’s own have the numbers of every boot; a container’s differ where it has its own', async () => {
  const machine = makeBareMachine();
  const pid = startContainer(machine);
  let own: Record<string, string> = {};
  let theirs: Record<string, string> = {};
  await run(machine, async (proc) => {
    own = links(proc, 'self');
    theirs = links(proc, pid);
    return 0;
  });
  expect(own).toEqual({
    cgroup: 'cgroup:[4026531835]',
    ipc: 'ipc:[4026531839]',
    mnt: 'mnt:[4026531832]',
    net: 'net:[4026531833]',
    pid: 'pid:[4026531836]',
    user: 'user:[4026531837]',
    uts: 'uts:[4026531838]',
  });
  expect(NAMES.filter((name) => own[name] !== theirs[name])).toEqual(['cgroup', 'ipc', 'net', 'pid', 'uts']);
  expect(new Set(Object.values(theirs)).size).toBe(NAMES.length);
});

test('a program enters the namespaces of another: its network alone, or its processes and name too', async () => {
  const machine = makeBareMachine();
  const pid = startContainer(machine);
  const seen: string[] = [];
  const report = async (proc: Process): Promise<number> => {
    seen.push(`${proc.pid} ${proc.kernel.hostname} ${proc.net === machine.kernel.net}`);
    return 0;
  };
  const result = await run(machine, async (proc) => {
    for (const kinds of [['net'], ['net', 'pid', 'uts']] as const)
      await proc.spawn({ argv: ['in'], program: report, namespaces: { enter: { of: pid, kinds } } }).wait();
    return 0;
  });
  expect(result.status).toBe(0);
  expect(seen[0]).toMatch(/^\d{3,} master1 false$/);
  expect(seen[1]).toBe('2 pod-1 false');
});

test('entering is refused without CAP_SYS_ADMIN, and of who isn’t there', async () => {
  const machine = makeBareMachine();
  const pid = startContainer(machine);
  const attempt = async (of: number, uid: number): Promise<string> => {
    let code = 'ok';
    await run(
      machine,
      async (proc) => {
        try {
          proc.spawn({
            argv: ['in'],
            program: async () => 0,
            namespaces: { enter: { of, kinds: ['net'] } },
          });
        } catch (error) {
          code = (error as { code: string }).code;
        }
        return 0;
      },
      { credentials: { uid, gid: uid, groups: [uid] }, cwd: '/' },
    );
    return code;
  };
  expect([await attempt(pid, 0), await attempt(pid, 1000), await attempt(99_999, 0)]).toEqual([
    'ok',
    'EPERM',
    'ESRCH',
  ]);
});

test('in a new mount namespace mounts are one’s own; in a new uts namespace the name', async () => {
  const machine = makeBareMachine();
  const { stdout } = await run(machine, async (proc) => {
    const child = proc.spawn({
      argv: ['in'],
      namespaces: { create: ['mnt', 'uts'] },
      program: async (inner) => {
        inner.kernel.mountNew({ type: 'tmpfs', source: 'mine', target: '/tmp', options: ['size=1m'] }, inner);
        inner.kernel.hostname = 'elsewhere';
        await inner.stdout.write(
          `${inner.kernel.hostname} ${/^mine .*$/m.exec(inner.fs.readText('/proc/mounts'))![0]}\n`,
        );
        return 0;
      },
    });
    await child.wait();
    await proc.stdout.write(
      `${proc.kernel.hostname} ${/^mine .*$/m.exec(proc.fs.readText('/proc/mounts')) === null}`,
    );
    return 0;
  });
  expect(stdout).toBe('elsewhere mine /tmp tmpfs rw,relatime,size=1024k 0 0\nmaster1 true');
});

test('what is mounted elsewhere is seen through /proc/PID/root, by those who may look', async () => {
  const machine = makeBareMachine();
  const answers: string[] = [];
  await run(machine, async (proc) => {
    const child = proc.spawn({
      argv: ['in'],
      namespaces: { create: ['mnt'] },
      program: async (inner) => {
        inner.kernel.mountNew({ type: 'tmpfs', source: 'mine', target: '/tmp', options: [] }, inner);
        inner.fs.writeFile('/tmp/hello', 'there');
        await inner.sleep(100);
        return 0;
      },
    });
    await proc.sleep(10);
    answers.push(proc.fs.readText(`/proc/${child.pid}/root/tmp/hello`), String(proc.fs.exists('/tmp/hello')));
    const other = proc.spawn({
      argv: ['other'],
      credentials: { uid: 1000, gid: 1000, groups: [1000] },
      program: async (inner) => {
        try {
          inner.fs.readlink(`/proc/${child.pid}/root`);
        } catch (error) {
          answers.push((error as { code: string }).code);
        }
        return 0;
      },
    });
    await other.wait();
    return 0;
  });
  expect(answers).toEqual(['there', 'false', 'EACCES']);
});
