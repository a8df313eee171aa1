// Processes: spawning, waiting, signals, pipes.
import { expect, test } from 'vitest';
import { ErrnoError } from '../../../../main/network/index.ts';
import type { Program, WaitStatus } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, run } from '../../../support/make-machine.ts';

const echo: Program = async (proc) => {
  await proc.stdout.write(`${proc.argv.slice(1).join(' ')}\n`);
  return 0;
};
const cat: Program = async (proc) => {
  await proc.stdout.copyFrom(proc.stdin);
  return 0;
};
const yes: Program = async (proc) => {
  for (;;) await proc.stdout.write('y\n');
};
const PROGRAMS = { '/usr/bin/echo': echo, '/usr/bin/cat': cat, '/usr/bin/yes': yes };

test('a command is found in $PATH, runs, and its output arrives', async () => {
  const machine = makeBareMachine({ programs: PROGRAMS });
  expect(await run(machine, ['echo', 'hello', 'world'])).toMatchObject({
    stdout: 'hello world\n',
    status: 0,
  });
  expect(await run(machine, ['cat'], { stdin: '一二三\n' })).toMatchObject({ stdout: '一二三\n', status: 0 });
  expect(machine.faults).toEqual([]);
});

test('an unknown command is ENOENT, a file without execute permission EACCES, text without #! ENOEXEC', async () => {
  const machine = makeBareMachine({
    programs: PROGRAMS,
    files: { '/usr/bin/plain': 'text\n', '/root/x.sh': { type: 'file', content: 'echo\n', mode: 0o755 } },
  });
  expect(() => machine.kernel.start({ argv: ['nope'] })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(() => machine.kernel.start({ argv: ['/usr/bin/plain'] })).toThrow(
    expect.objectContaining({ code: 'EACCES' }),
  );
  expect(() => machine.kernel.start({ argv: ['/root/x.sh'] })).toThrow(
    expect.objectContaining({ code: 'ENOEXEC' }),
  );
  expect(machine.kernel.listProcesses().map((process) => process.pid)).toEqual([1]);
});

test('a script runs by its interpreter with one argument and its own path', async () => {
  const machine = makeBareMachine({
    programs: PROGRAMS,
    files: { '/root/go': { type: 'file', content: '#!/bin/echo -x y\n', mode: 0o755 } },
  });
  expect(await run(machine, ['./go', 'a', 'b'])).toMatchObject({ stdout: '-x y ./go a b\n' });
});

test('yes | head ends by SIGPIPE, and a full pipe makes its writer wait', async () => {
  const machine = makeBareMachine({ programs: PROGRAMS });
  const statuses: WaitStatus[] = [];
  const result = await run(machine, async (proc) => {
    const pipe = proc.kernel.pipe();
    const writer = proc.spawn({ argv: ['yes'], fds: new Map([[1, pipe.writer]]) });
    const reader = proc.spawn({
      argv: ['head'],
      program: async (child) => {
        await child.sleep(100);
        const data = await child.stdin.read(4);
        await child.stdout.write(data);
        return 3;
      },
      fds: new Map([
        [0, pipe.reader],
        [1, proc.stdout],
      ]),
    });
    statuses.push(await reader.wait(), await writer.wait());
    return 0;
  });
  expect(result.stdout).toBe('y\ny\n');
  expect(statuses).toEqual([
    { kind: 'exited', exitCode: 3 },
    { kind: 'signaled', signal: 'SIGPIPE' },
  ]);
});

test('a process that ignores SIGPIPE gets EPIPE', async () => {
  const machine = makeBareMachine();
  let code = '';
  await run(machine, async (proc) => {
    const pipe = proc.kernel.pipe();
    const writer = proc.setFd(pipe.writer, undefined, 3);
    const reader = proc.setFd(pipe.reader, undefined, 3);
    proc.closeFd(reader);
    proc.onSignal('SIGPIPE', 'ignore');
    try {
      await proc.fds.get(writer)!.write('x');
    } catch (error) {
      if (error instanceof ErrnoError) code = error.code;
    }
    return 0;
  });
  expect(code).toBe('EPIPE');
});

test('KILL ends a process in an endless loop at its next system call', async () => {
  const machine = makeBareMachine();
  const task = machine.kernel.start({
    argv: ['spin'],
    program: async (proc) => {
      for (;;) await proc.cpu(0.01);
    },
  });
  await machine.clock.advance({ ms: 50 });
  expect(machine.kernel.listProcesses().find((process) => process.pid === task.pid)).toMatchObject({
    state: 'R',
    command: 'spin',
  });
  await run(machine, async (proc) => {
    proc.kill(task.pid, 'SIGKILL');
    return 0;
  });
  expect(await task.ended).toEqual({ kind: 'signaled', signal: 'SIGKILL' });
  expect(machine.kernel.process(task.pid)).toBeUndefined();
});

test('a stopped process does not return from system calls until it is continued, and its parent hears of it', async () => {
  const machine = makeBareMachine();
  const seen: string[] = [];
  await run(machine, async (proc) => {
    const child = proc.spawn({
      argv: ['sleeper'],
      program: async (inner) => {
        await inner.sleep(100);
        seen.push(`woke at ${inner.clock.now() - start}`);
        return 0;
      },
    });
    const start = proc.clock.now();
    await proc.sleep(10);
    child.kill('SIGSTOP');
    seen.push(JSON.stringify(await child.wait({ untraced: true })));
    await proc.sleep(490);
    child.kill('SIGCONT');
    seen.push(JSON.stringify(await child.wait()));
    return 0;
  });
  expect(seen[0]).toBe('{"kind":"stopped","signal":"SIGSTOP"}');
  expect(seen[1]).toMatch(/^woke at 500/);
  expect(seen[2]).toBe('{"kind":"exited","exitCode":0}');
});

test('a handled signal interrupts sleep with EINTR and runs its handler; an ignored one does neither', async () => {
  const machine = makeBareMachine();
  const seen: string[] = [];
  await run(machine, async (proc) => {
    proc.onSignal('SIGUSR1', () => seen.push('handler'));
    proc.onSignal('SIGTERM', 'ignore');
    proc.spawn({
      argv: ['killer'],
      program: async (child) => {
        await child.sleep(5);
        child.kill(child.parentPid, 'SIGTERM');
        child.kill(child.parentPid, 'SIGUSR1');
        return 0;
      },
    });
    await proc.sleep(1000).catch((error: unknown) => {
      if (error instanceof ErrnoError) seen.push(error.code);
    });
    return 0;
  });
  expect(seen).toEqual(['handler', 'EINTR']);
});

test('a handler that settles what its process waits for ends the wait without EINTR', async () => {
  const machine = makeBareMachine();
  const task = machine.kernel.start({
    argv: ['server'],
    program: async (proc) => {
      const stop = Promise.withResolvers<number>();
      proc.onSignal('SIGTERM', () => stop.resolve(5));
      return proc.interruptible(stop.promise);
    },
  });
  await machine.clock.advance({ ms: 1 });
  machine.kernel.kill(task.pid, 'SIGTERM');
  await machine.clock.advance({ ms: 1 });
  expect(await task.ended).toEqual({ kind: 'exited', exitCode: 5 });
});

test('nothing kills init, and a container’s init is spared what it does not handle, except KILL from outside', async () => {
  const machine = makeBareMachine();
  const task = machine.kernel.start({
    argv: ['init'],
    namespaces: { pid: 'new' },
    program: (proc) => proc.sleep(1e9).then(() => 0),
  });
  await machine.clock.advance({ ms: 1 });
  machine.kernel.kill(1, 'SIGKILL');
  machine.kernel.kill(task.pid, 'SIGTERM');
  await machine.clock.advance({ ms: 1 });
  expect(machine.kernel.listProcesses().map(({ pid }) => pid)).toEqual([1, task.pid]);
  machine.kernel.kill(task.pid, 'SIGKILL');
  expect(await task.ended).toEqual({ kind: 'signaled', signal: 'SIGKILL' });
});

test('a setuid executable runs as its owner, and only root may choose other credentials', async () => {
  const whoami: Program = async (proc) => {
    await proc.stdout.write(`${proc.credentials.uid}\n`);
    return 0;
  };
  const machine = makeBareMachine({ programs: { '/usr/bin/whoami': whoami } });
  const alice = { uid: 1000, gid: 1000, groups: [1000] };
  expect((await run(machine, ['whoami'], { credentials: alice, cwd: '/' })).stdout).toBe('1000\n');
  machine.kernel.files.chmod('/usr/bin/whoami', 0o4755);
  const result = await run(
    machine,
    async (proc) => {
      expect(() => proc.spawn({ argv: ['whoami'], credentials: { uid: 0, gid: 0, groups: [] } })).toThrow(
        expect.objectContaining({ code: 'EPERM' }),
      );
      await proc.spawn({ argv: ['whoami'] }).wait();
      return proc.exec({ path: '/usr/bin/whoami', argv: ['whoami'] });
    },
    { credentials: alice, cwd: '/' },
  );
  expect(result.stdout).toBe('0\n0\n');
  expect(machine.faults).toEqual([]);
});

test('orphans go to init, zombies wait for their parent, waitAny takes whichever ends first', async () => {
  const machine = makeBareMachine();
  const seen: unknown[] = [];
  await run(machine, async (proc) => {
    const sleeper =
      (ms: number): Program =>
      async (child) => {
        await child.sleep(ms);
        return ms;
      };
    const slow = proc.spawn({ argv: ['slow'], program: sleeper(50) });
    const quick = proc.spawn({ argv: ['quick'], program: sleeper(5) });
    proc.spawn({
      argv: ['parent'],
      program: async (child) => {
        child.spawn({ argv: ['orphan'], program: sleeper(200) });
        return 0;
      },
    });
    await proc.sleep(20);
    seen.push(proc.kernel.listProcesses().find(({ pid }) => pid === quick.pid)?.state);
    seen.push(proc.kernel.listProcesses().find(({ command }) => command === 'orphan')?.parentPid);
    for (;;) {
      const ended = await proc.waitAny();
      if (ended === undefined) break;
      seen.push(ended.status);
    }
    seen.push(proc.kernel.process(slow.pid));
    return 0;
  });
  expect(seen).toEqual([
    'Z',
    1,
    { kind: 'exited', exitCode: 5 },
    { kind: 'exited', exitCode: 0 },
    { kind: 'exited', exitCode: 50 },
    undefined,
  ]);
});

test('a program that throws dies as by SIGSEGV, is reported and leaves a line in dmesg', async () => {
  const machine = makeBareMachine();
  const result = await run(machine, async () => {
    throw new TypeError('oops');
  });
  expect(result.status).toBe(139);
  expect(machine.faults).toHaveLength(1);
  expect(machine.kernel.messages.at(-1)?.text).toMatch(/^program\[\d+\]: segfault .*\(oops\)$/);
});

test('the thousand and twenty-fifth descriptor is EMFILE', async () => {
  const machine = makeBareMachine();
  let opened = 0;
  let code = '';
  await run(machine, async (proc) => {
    try {
      for (;;) {
        proc.setFd(proc.stdin);
        opened++;
      }
    } catch (error) {
      if (error instanceof ErrnoError) code = error.code;
    }
    return 0;
  });
  expect([opened, code]).toEqual([1021, 'EMFILE']);
});

test('exec puts another program into the process, which keeps its pid and descriptors', async () => {
  const machine = makeBareMachine({ programs: PROGRAMS });
  const result = await run(machine, async (proc) => {
    await proc.stdout.write(`${proc.argv[0]} `);
    return proc.exec({ path: '/bin/echo', argv: ['echo', 'replaced'], env: new Map([['A', 'b']]) });
  });
  expect(result.stdout).toBe('program replaced\n');
});

test('a pid namespace numbers from 1, and its first process takes all others with it', async () => {
  const machine = makeBareMachine();
  const seen: number[] = [];
  const task = machine.kernel.start({
    argv: ['init'],
    namespaces: { pid: 'new', hostname: 'pod-1' },
    program: async (proc) => {
      proc.spawn({ argv: ['child'], program: (child) => child.sleep(1e9).then(() => 0) });
      seen.push(proc.pid, proc.parentPid, ...proc.kernel.listProcesses(proc).map(({ pid }) => pid));
      expect(proc.kernel.hostname).toBe('pod-1');
      await proc.sleep(10);
      return 0;
    },
  });
  await machine.clock.advance({ ms: 5 });
  expect(seen).toEqual([1, 0, 1, 2]);
  expect(machine.kernel.hostnameOf(task.pid)).toBe('pod-1');
  expect(machine.kernel.listProcesses()).toHaveLength(3);
  await machine.clock.advance({ ms: 20 });
  expect(await task.ended).toEqual({ kind: 'exited', exitCode: 0 });
  expect(machine.kernel.listProcesses()).toHaveLength(1);
});

test('a stopped process outlives others of its group; only losing the group’s tie to the session hangs it up', async () => {
  const machine = makeBareMachine();
  const endings: string[] = [];
  const result = await run(machine, async (proc) => {
    const sleeper = proc.spawn({ argv: ['a'], program: (inner) => inner.sleep(1000).then(() => 0) });
    sleeper.kill('SIGSTOP');
    const other = proc.spawn({ argv: ['b'], program: (inner) => inner.sleep(1).then(() => 0) });
    await other.wait();
    sleeper.kill('SIGTERM');
    await proc.sleep(1);
    endings.push('waiting');
    sleeper.kill('SIGCONT');
    const status = await sleeper.wait();
    endings.push(status.kind === 'signaled' ? status.signal : status.kind);
    return 0;
  });
  expect(result.status).toBe(0);
  expect(endings).toEqual(['waiting', 'SIGTERM']);
});

test('nothing can be made or removed in proc and sysfs, and what only tells takes no writing', async () => {
  const machine = makeBareMachine();
  const answers: string[] = [];
  await run(machine, async (proc) => {
    const attempt = (action: () => void): void => {
      try {
        action();
        answers.push('ok');
      } catch (error) {
        answers.push((error as { code: string }).code);
      }
    };
    attempt(() => proc.fs.writeFile('/proc/zz', ''));
    attempt(() => proc.fs.mkdir('/proc/sys/net/zz'));
    attempt(() => proc.fs.unlink('/proc/uptime'));
    attempt(() => proc.fs.writeFile('/sys/zz', ''));
    attempt(() => proc.fs.mkdir('/sys/class/zz'));
    attempt(() => proc.fs.unlink('/sys/class/net'));
    attempt(() => proc.fs.writeFile('/proc/version', 'x'));
    attempt(() => proc.fs.writeFile('/proc/self/stat', 'x'));
    return 0;
  });
  expect(answers).toEqual(['ENOENT', 'ENOENT', 'EPERM', 'EACCES', 'EPERM', 'EISDIR', 'EIO', 'EIO']);
});

test('who asks is told that a stopped child goes on; who doesn’t is not', async () => {
  const machine = makeBareMachine();
  const told: string[] = [];
  await run(machine, async (proc) => {
    const child = proc.spawn({ argv: ['a'], program: (inner) => inner.sleep(10).then(() => 3) });
    child.kill('SIGSTOP');
    told.push((await child.wait({ untraced: true, continued: true })).kind);
    child.kill('SIGCONT');
    told.push((await child.wait({ untraced: true, continued: true })).kind);
    child.kill('SIGSTOP');
    child.kill('SIGCONT');
    told.push((await child.wait({ untraced: true })).kind);
    return 0;
  });
  expect(told).toEqual(['stopped', 'continued', 'exited']);
});
