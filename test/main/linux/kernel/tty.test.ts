// Pseudo-terminals: the line discipline, job control, window size.
import { expect, test } from 'vitest';
import type { Program, TtyMaster } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, type BareMachine } from '../../../support/make-machine.ts';

const SIZE = { columns: 80, rows: 24 };

function open(program: Program): {
  machine: BareMachine;
  tty: TtyMaster;
  shown: () => string;
  settle: () => Promise<void>;
  ended: Promise<unknown>;
} {
  const machine = makeBareMachine();
  const tty = machine.kernel.openTty(SIZE);
  let shown = '';
  const pump = async (): Promise<void> => {
    for (;;) {
      const data = await tty.output();
      if (data === undefined) return;
      shown += Buffer.from(data).toString();
    }
  };
  const task = machine.kernel.start({ argv: ['test'], program, tty });
  void pump();
  return {
    machine,
    tty,
    shown: () => shown,
    settle: () => machine.clock.advance({ ms: 5 }),
    ended: task.ended,
  };
}

/** Says what it reads. */
const reader: Program = async (proc) => {
  for (;;) {
    const data = await proc.stdin.read();
    if (data.length === 0) break;
    await proc.stdout.write(`<${Buffer.from(data).toString()}>`);
  }
  await proc.stdout.write('EOF');
  return 0;
};

test('lines are edited before they are read: erase, word erase, kill, literal next, UTF-8', async () => {
  const { tty, shown, settle } = open(reader);
  await settle();
  tty.input('helk\x7flo\r');
  tty.input('one two\x17X\r');
  tty.input('all\x15gone\r');
  tty.input('\x16\x03\r');
  tty.input('你好\x7f\r');
  await settle();
  expect(shown()).toContain('<hello\r\n>');
  expect(shown()).toContain('<one X\r\n>');
  expect(shown()).toContain('<gone\r\n>');
  expect(shown()).toContain('<\x03\r\n>');
  expect(shown()).toContain('<你\r\n>');
  expect(shown()).toMatch(/^helk\x08 \x08lo\r\n/);
});

test('Ctrl-D ends the input on an empty line and passes an unfinished one on', async () => {
  const { tty, shown, settle, ended } = open(reader);
  await settle();
  tty.input('ab\x04');
  await settle();
  expect(shown()).toBe('ab<ab>');
  tty.input('\x04');
  await settle();
  expect(shown()).toBe('ab<ab>EOF');
  expect(await ended).toEqual({ kind: 'exited', exitCode: 0 });
});

test('Ctrl-C shows ^C, drops the line and ends the foreground group only', async () => {
  const { machine, tty, shown, settle, ended } = open(async (proc) => {
    proc.onSignal('SIGINT', 'ignore');
    const job = proc.spawn({
      argv: ['job'],
      processGroup: 0,
      program: async (child) => {
        child.onSignal('SIGINT', 'default');
        for (;;) await child.cpu(0.1);
      },
    });
    proc.tty!.foreground = job.pid;
    const status = await job.wait();
    proc.tty!.foreground = proc.processGroup;
    await proc.stdout.write(JSON.stringify(status));
    return 0;
  });
  await settle();
  tty.input('typed\x03');
  await settle();
  expect(shown()).toBe('typed^C{"kind":"signaled","signal":"SIGINT"}');
  expect(await ended).toEqual({ kind: 'exited', exitCode: 0 });
  expect(machine.faults).toEqual([]);
});

test('Ctrl-Z stops the foreground job; continued in front it goes on; a background reader is stopped by TTIN', async () => {
  const { tty, shown, settle } = open(async (proc) => {
    for (const signal of ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const) proc.onSignal(signal, 'ignore');
    const job = proc.spawn({
      argv: ['cat'],
      processGroup: 0,
      program: async (child) => {
        for (const signal of ['SIGTSTP', 'SIGTTIN'] as const) child.onSignal(signal, 'default');
        return reader(child);
      },
    });
    proc.tty!.foreground = job.pid;
    await proc.stdout.write(`${JSON.stringify(await job.wait({ untraced: true }))}\n`);
    proc.tty!.foreground = proc.processGroup;
    proc.kill(-job.pid, 'SIGCONT');
    await proc.stdout.write(`${JSON.stringify(await job.wait({ untraced: true }))}\n`);
    proc.tty!.foreground = job.pid;
    proc.kill(-job.pid, 'SIGCONT');
    await proc.stdout.write(`${JSON.stringify(await job.wait({ untraced: true }))}\n`);
    return 0;
  });
  await settle();
  tty.input('\x1a');
  await settle();
  tty.input('hi\r');
  await settle();
  tty.input('\x04');
  await settle();
  expect(shown().replaceAll('\r', '')).toBe(
    '^Z{"kind":"stopped","signal":"SIGTSTP"}\n{"kind":"stopped","signal":"SIGTTIN"}\nhi\n<hi\n>EOF{"kind":"exited","exitCode":0}\n',
  );
});

test('in raw mode bytes come as they are typed, unechoed, and output is untouched', async () => {
  const { tty, shown, settle } = open(async (proc) => {
    proc.tty!.setModes({
      canonical: false,
      echo: false,
      signals: false,
      inputNewline: false,
      outputNewline: false,
    });
    for (let i = 0; i < 3; i++)
      await proc.stdout.write(`${JSON.stringify(Buffer.from(await proc.stdin.read()).toString())}\n`);
    return 0;
  });
  await settle();
  for (const keys of ['a', '\x03\r', '\x1b[A']) {
    tty.input(keys);
    await settle();
  }
  expect(shown()).toBe('"a"\n"\\u0003\\r"\n"\\u001b[A"\n');
});

test('a resize is seen and told by SIGWINCH; the same size again is not', async () => {
  let resizes = 0;
  const { tty, shown, settle } = open(async (proc) => {
    proc.onSignal('SIGWINCH', () => resizes++);
    await proc.sleep(50).catch(() => undefined);
    await proc.stdout.write(`${proc.tty!.size.columns}x${proc.tty!.size.rows}`);
    return 0;
  });
  await settle();
  tty.resize({ columns: 80, rows: 24 });
  tty.resize({ columns: 132, rows: 50 });
  await settle();
  expect(shown()).toBe('132x50');
  expect(resizes).toBe(1);
});

test('a terminal that nobody looks at makes its writer wait', async () => {
  const machine = makeBareMachine();
  const tty = machine.kernel.openTty(SIZE);
  let written = 0;
  machine.kernel.start({
    argv: ['yes'],
    tty,
    program: async (proc) => {
      for (;;) {
        await proc.stdout.write('y'.repeat(1000));
        written++;
      }
    },
  });
  await machine.clock.advance({ seconds: 2 });
  expect(written).toBe(65);
  await tty.output();
  await machine.clock.advance({ seconds: 2 });
  expect(written).toBe(131);
});

test('when the session leader ends, its foreground job is hung up and background jobs live on without terminal', async () => {
  const { machine, settle } = open(async (proc) => {
    const sleep: Program = async (child) => {
      await child.sleep(1e9);
      return 0;
    };
    proc.spawn({ argv: ['background'], processGroup: 0, program: sleep });
    const front = proc.spawn({ argv: ['foreground'], processGroup: 0, program: sleep });
    proc.tty!.foreground = front.pid;
    return 0;
  });
  await settle();
  expect(
    machine.kernel.listProcesses().map(({ command, tty, parentPid }) => [command, tty, parentPid]),
  ).toEqual([
    ['systemd', undefined, 0],
    ['background', undefined, 1],
  ]);
});

test('a flood to a terminal comes no faster than terminals draw', async () => {
  const flood: Program = async (proc) => {
    for (;;) await proc.stdout.write('y\n'.repeat(2048));
  };
  const machine = makeBareMachine({ programs: { '/usr/bin/flood': flood } });
  const tty = machine.kernel.openTty({ columns: 80, rows: 24 });
  const task = machine.kernel.start({ argv: ['flood'], tty });
  let sizeBytes = 0;
  const read = async (): Promise<void> => {
    for (let bytes = await tty.output(); bytes !== undefined; bytes = await tty.output())
      sizeBytes += bytes.length;
  };
  void read();
  await machine.clock.advance({ seconds: 1 });
  expect(sizeBytes).toBeGreaterThan(1_000_000);
  expect(sizeBytes).toBeLessThan(20_000_000);
  machine.kernel.kill(task.pid, 'SIGKILL');
});
