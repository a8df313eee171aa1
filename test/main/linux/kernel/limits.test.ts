// Resource limits: inherited, shown in /proc, refused where setrlimit(2) refuses, and enforced where they act.
import { expect, test } from 'vitest';
import type { Process } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, run } from '../../../support/make-machine.ts';

const ALICE = { uid: 1000, gid: 1000, groups: [1000] };

function attempt(action: () => unknown): string {
  try {
    action();
    return 'ok';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

test('limits are inherited by children and shown as /proc/PID/limits shows them', async () => {
  const machine = makeBareMachine();
  const { stdout } = await run(machine, async (proc) => {
    proc.setLimit('nofile', { soft: 100, hard: 200 });
    const child = proc.spawn({
      argv: ['child'],
      program: async (inner) => {
        await inner.stdout.write(inner.fs.readText('/proc/self/limits'));
        return 0;
      },
    });
    await child.wait();
    return 0;
  });
  expect(stdout.split('\n')).toHaveLength(18);
  expect(stdout).toContain(
    'Max open files            100                  200                  files     \n',
  );
  expect(stdout).toContain(
    'Max core file size        0                    unlimited            bytes     \n',
  );
  expect(stdout).toContain(
    'Max nice priority         0                    0                              \n',
  );
});

test('a soft limit beyond the hard one is EINVAL, and only root raises a hard one', async () => {
  const machine = makeBareMachine();
  const answers: string[] = [];
  const program = async (proc: Process): Promise<number> => {
    answers.push(
      attempt(() => proc.setLimit('nproc', { soft: 20, hard: 10 })),
      attempt(() => proc.setLimit('nproc', { soft: 10, hard: 20 })),
      attempt(() => proc.setLimit('nproc', { soft: 10, hard: 30 })),
      attempt(() => proc.setLimit('nofile', { soft: 10, hard: 2_000_000 })),
    );
    return 0;
  };
  await run(machine, program);
  await run(machine, program, { credentials: ALICE, cwd: '/' });
  expect(answers).toEqual(['EINVAL', 'ok', 'ok', 'EPERM', 'EINVAL', 'ok', 'EPERM', 'EPERM']);
});

test('descriptors end at RLIMIT_NOFILE', async () => {
  const machine = makeBareMachine();
  const answers: string[] = [];
  await run(machine, async (proc) => {
    proc.setLimit('nofile', { soft: 5, hard: 5 });
    for (let i = 0; i < 3; i++) answers.push(attempt(() => proc.setFd(proc.stdin)));
    answers.push(attempt(() => proc.setFd(proc.stdin, 5)));
    return 0;
  });
  expect(answers).toEqual(['ok', 'ok', 'EMFILE', 'EBADF']);
});

test('a file ends at RLIMIT_FSIZE: what fits is written, then SIGXFSZ, or EFBIG for who ignores it', async () => {
  const machine = makeBareMachine();
  const killed = await run(machine, async (proc) => {
    proc.setLimit('fsize', { soft: 10, hard: 10 });
    await proc.fs.open('/tmp/a', { write: true, create: true }).write('0123456789abc');
    return 0;
  });
  expect(killed.status).toBe(128 + 25);
  let code = '';
  await run(machine, async (proc) => {
    proc.onSignal('SIGXFSZ', 'ignore');
    proc.setLimit('fsize', { soft: 4, hard: 10 });
    code = attempt(() => proc.fs.writeFile('/tmp/b', '012345'));
    return 0;
  });
  expect(code).toBe('EFBIG');
  expect(machine.kernel.files.readText('/tmp/a')).toBe('0123456789');
  expect(machine.kernel.files.readText('/tmp/b')).toBe('0123');
});

test('a user has no more processes than RLIMIT_NPROC, root as many as it likes', async () => {
  const machine = makeBareMachine();
  const forks = (proc: Process): string[] => {
    proc.setLimit('nproc', { soft: 3, hard: 3 });
    return Array.from({ length: 4 }, () =>
      attempt(() =>
        proc.spawn({
          argv: ['sleeper'],
          program: async (inner) => {
            await inner.sleep(10);
            return 0;
          },
        }),
      ),
    );
  };
  let answers: string[] = [];
  const program = async (proc: Process): Promise<number> => {
    answers = forks(proc);
    return 0;
  };
  await run(machine, program, { credentials: ALICE, cwd: '/' });
  expect(answers).toEqual(['ok', 'ok', 'EAGAIN', 'EAGAIN']);
  await run(machine, program);
  expect(answers).toEqual(['ok', 'ok', 'ok', 'ok']);
});
