// Control groups: limits that act, counters that add up, and the files that show both.
import { expect, test } from 'vitest';
import type { Process } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, run, type BareMachine } from '../../../support/make-machine.ts';

const MIB = 1024 ** 2;
const GROUP = '/kubepods.slice/kubepods-pod1.slice/cri-containerd-abc.scope';
const FILES = `/sys/fs/cgroup${GROUP}`;

function messages(machine: BareMachine): string[] {
  return machine.kernel.messages.map(({ text }) => text);
}

function inGroup(limits: object, newCgroupNamespace = false) {
  return { namespaces: { cgroup: GROUP, cgroupLimits: limits, newCgroupNamespace }, argv: ['hog'] };
}

test('beyond memory.max the largest process is killed, counted, and reported as the kernel does', async () => {
  const machine = makeBareMachine();
  const result = await run(
    machine,
    async (proc) => {
      proc.useMemory(90 * MIB);
      const child = proc.spawn({
        argv: ['small'],
        program: async (inner) => {
          inner.useMemory(20 * MIB);
          return 0;
        },
      });
      await child.wait();
      return 0;
    },
    inGroup({ memoryMaxBytes: 100 * MIB }),
  );
  expect(result.status).toBe(137);
  const { files } = machine.kernel;
  expect(files.readText(`${FILES}/memory.events`)).toBe(
    'low 0\nhigh 0\nmax 1\noom 1\noom_kill 1\noom_group_kill 0\n',
  );
  expect(files.readText('/sys/fs/cgroup/kubepods.slice/memory.events')).toContain('oom_kill 1\n');
  expect(files.readText(`${FILES}/memory.peak`)).toBe(`${114 * MIB - 4 * MIB}\n`);
  expect(files.readText(`${FILES}/memory.current`)).toBe('0\n');
  const log = messages(machine);
  expect(log).toContain('small invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0');
  expect(log).toContain('memory: usage 102400kB, limit 102400kB, failcnt 1');
  expect(log.at(-1)).toMatch(
    /^Memory cgroup out of memory: Killed process \d+ \(hog\) total-vm:276480kB, anon-rss:92160kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:\d+kB oom_score_adj:0$/,
  );
});

test('oom_score_adj decides who is taken, and -1000 spares', async () => {
  const machine = makeBareMachine();
  const endings: string[] = [];
  await run(
    machine,
    async (proc) => {
      const start = (name: string, megabytes: number, adjustment: number) => {
        const child = proc.spawn({
          argv: [name],
          program: async (inner) => {
            inner.fs.writeFile('/proc/self/oom_score_adj', `${adjustment}\n`);
            inner.useMemory(megabytes * MIB);
            await inner.sleep(100);
            return 0;
          },
        });
        void child.wait().then((status) => endings.push(`${name} ${status.kind}`));
      };
      start('spared', 60, -1000);
      start('wanted', 10, 900);
      start('other', 20, 0);
      await proc.sleep(10);
      proc.useMemory(8 * MIB);
      await proc.sleep(1000);
      return 0;
    },
    inGroup({ memoryMaxBytes: 95 * MIB }),
  );
  expect(endings.toSorted()).toEqual(['other exited', 'spared exited', 'wanted signaled']);
});

test('what lies in a tmpfs counts for the group that put it there, until it is taken away', async () => {
  const machine = makeBareMachine();
  const { files } = machine.kernel;
  const seen: string[] = [];
  await run(
    machine,
    async (proc) => {
      proc.fs.writeFile('/dev/shm/a', new Uint8Array(10 * MIB));
      seen.push(files.readText(`${FILES}/memory.stat`).match(/^shmem .*$/m)![0]);
      proc.fs.unlink('/dev/shm/a');
      seen.push(files.readText(`${FILES}/memory.stat`).match(/^shmem .*$/m)![0]);
      return 0;
    },
    inGroup({}),
  );
  expect(seen).toEqual([`shmem ${10 * MIB}`, 'shmem 0']);
  const killed = await run(
    machine,
    async (proc) => {
      const file = proc.fs.open('/dev/shm/b', { write: true, create: true });
      for (let i = 0; i < 30; i++) await file.write(new Uint8Array(MIB));
      return 0;
    },
    inGroup({ memoryMaxBytes: 20 * MIB }),
  );
  expect(killed.status).toBe(137);
});

test('pids.max counts the groups below and refuses with EAGAIN; the kernel says so once', async () => {
  const machine = makeBareMachine();
  machine.kernel.setCgroupLimits('/kubepods.slice/kubepods-pod1.slice', { pidsMax: 3 });
  const answers: string[] = [];
  await run(
    machine,
    async (proc) => {
      for (let i = 0; i < 4; i++) {
        try {
          proc.spawn({ argv: ['x'], program: (inner) => inner.sleep(10).then(() => 0) });
          answers.push('ok');
        } catch (error) {
          answers.push((error as { code: string }).code);
        }
      }
      return 0;
    },
    inGroup({}),
  );
  expect(answers).toEqual(['ok', 'ok', 'EAGAIN', 'EAGAIN']);
  expect(messages(machine).filter((text) => text.startsWith('cgroup: fork rejected'))).toEqual([
    'cgroup: fork rejected by pids controller in /kubepods.slice/kubepods-pod1.slice',
  ]);
  expect(machine.kernel.files.readText('/sys/fs/cgroup/kubepods.slice/kubepods-pod1.slice/pids.events')).toBe(
    'max 2\n',
  );
});

test('a tenth of a CPU makes work take ten times as long, and cpu.stat counts the waits', async () => {
  const machine = makeBareMachine();
  const busy = async (proc: Process): Promise<number> => {
    for (let i = 0; i < 1000; i++) await proc.cpu(1);
    return 0;
  };
  const elapsed = async (limits: object): Promise<number> => {
    const before = machine.clock.now();
    await run(machine, busy, inGroup(limits));
    return machine.clock.now() - before;
  };
  expect(await elapsed({})).toBeLessThan(1100);
  const slow = await elapsed({ cpuQuotaUs: 10_000 });
  expect(slow).toBeGreaterThan(9500);
  expect(slow).toBeLessThan(10_500);
  const stat = machine.kernel.files.readText(`${FILES}/cpu.stat`);
  expect(Number(/nr_throttled (\d+)/.exec(stat)![1])).toBeGreaterThan(95);
  expect(Number(/throttled_usec (\d+)/.exec(stat)![1])).toBeGreaterThan(8_500_000);
});

test('the files can be written, groups made and removed, and processes moved', async () => {
  const machine = makeBareMachine();
  const { stdout } = await run(machine, async (proc) => {
    const { fs } = proc;
    const top = '/sys/fs/cgroup/mine';
    const attempt = (action: () => void): void => {
      try {
        action();
        lines.push('ok');
      } catch (error) {
        lines.push((error as { code: string }).code);
      }
    };
    const lines: string[] = [];
    fs.mkdir(top);
    fs.mkdir(`${top}/inner`);
    fs.writeFile(`${top}/memory.max`, '64M\n');
    fs.writeFile(`${top}/cpu.max`, '50000 100000');
    fs.writeFile(`${top}/pids.max`, '12');
    attempt(() => fs.writeFile(`${top}/pids.max`, 'many'));
    attempt(() => fs.writeFile(`${top}/memory.current`, '1'));
    fs.writeFile(`${top}/inner/cgroup.procs`, `${proc.pid}\n`);
    attempt(() => fs.rmdir(`${top}/inner`));
    for (const name of ['memory.max', 'cpu.max', 'pids.max', 'pids.current'])
      lines.push(fs.readText(`${top}/${name}`).trim());
    lines.push(fs.readText('/proc/self/cgroup').trim());
    lines.push(String(fs.readText(`${top}/inner/cgroup.procs`) === `${proc.pid}\n`));
    fs.writeFile('/sys/fs/cgroup/cgroup.procs', '0');
    fs.rmdir(`${top}/inner`);
    fs.rmdir(top);
    lines.push(String(fs.exists(top)));
    await proc.stdout.write(lines.join('\n'));
    return 0;
  });
  expect(stdout.split('\n')).toEqual([
    'EINVAL',
    'EACCES',
    'EBUSY',
    '67108864',
    '50000 100000',
    '12',
    '1',
    '0::/mine/inner',
    'true',
    'false',
  ]);
});

test('in a cgroup namespace the own group is the root', async () => {
  const machine = makeBareMachine();
  const { stdout } = await run(
    machine,
    async (proc) => {
      await proc.stdout.write(
        proc.fs.readText('/proc/self/cgroup') +
          proc.fs.readText('/proc/1/cgroup') +
          proc.fs.readText('/sys/fs/cgroup/memory.max'),
      );
      return 0;
    },
    inGroup({ memoryMaxBytes: 32 * MIB }, true),
  );
  expect(stdout).toBe(`0::/\n0::/../../../init.scope\n${32 * MIB}\n`);
});
