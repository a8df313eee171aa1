// The frame of commands: options as getopt_long takes them, and what happens when they are wrong.
import { expect, test } from 'vitest';

import { editorSocket, machinePrograms, PACKAGES } from '../../../../main/linux/commands/index.ts';
import { parseOptions } from '../../../../main/linux/commands/frame/options.ts';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, run, type BareMachine } from '../../../support/make-machine.ts';

const TABLE = { short: 'abn:c::', long: ['all>a', 'lines:>n', 'color::>c', 'colour::>c'] };

function makeMachine(): BareMachine {
  const programs: Record<string, Program> = {};
  for (const [path, { program }] of machinePrograms()) programs[path] = program;
  return makeBareMachine({
    programs,
    files: { '/etc/yum.repos.d/local.repo': '[baseos]\nname=BaseOS\nbaseurl=file:///srv/repo\n' },
  });
}

test('short options cluster, arguments attach, operands may stand between', () => {
  const options = parseOptions(['-abn5', 'x', '--lines=6', 'y', '-c', '--', '-z'], TABLE);

  expect(options.operands).toEqual(['x', 'y', '-z']);
  expect(options.values('n')).toEqual(['5', '6']);
  expect(options.value('c')).toBeUndefined();
});

test('long options may be shortened while they are unambiguous', () => {
  expect(parseOptions(['--al', '--li', '3'], TABLE).has('a')).toBe(true);
  expect(() => parseOptions(['--foo'], TABLE)).toThrow("unrecognized option '--foo'");
  expect(() => parseOptions(['-z'], TABLE)).toThrow("invalid option -- 'z'");
  expect(() => parseOptions(['-n'], TABLE)).toThrow("option requires an argument -- 'n'");
  expect(() => parseOptions(['--all=1'], TABLE)).toThrow("option '--all' doesn't allow an argument");
});

test('a wrong option gets the hint to --help', async () => {
  const result = await run(makeMachine(), ['ls', '-y']);

  expect(result).toMatchObject({
    stderr: "ls: invalid option -- 'y'\nTry 'ls --help' for more information.\n",
    status: 2,
  });
});

test('vim without a screen says so', async () => {
  const result = await run(makeMachine(), ['vim', 'x']);

  expect(result).toMatchObject({
    stderr: "drydock: vim without a terminal isn't simulated; ed and ex -s edit in scripts\n",
    status: 1,
  });
});

test('vim hands its file to the editor of its terminal, and what that saves is there', async () => {
  const machine = makeMachine();
  machine.kernel.bindService(editorSocket, {
    shows: () => true,
    edit: async (request) => {
      expect(request).toMatchObject({
        path: '/root/x',
        content: '',
        isNew: true,
        readOnly: false,
        editor: 'vim',
      });
      request.save('typed\n');
      return { exitCode: 0 };
    },
  });
  const master = machine.kernel.openTty({ columns: 80, rows: 24 });
  const task = machine.kernel.start({ argv: ['vim', 'x'], path: '/usr/bin/vim', cwd: '/root', tty: master });
  let ended: unknown;
  void task.ended.then((status) => (ended = status));
  await machine.clock.advanceUntil(() => ended !== undefined, { seconds: 1 });

  expect(ended).toEqual({ kind: 'exited', exitCode: 0 });
  expect(machine.kernel.files.readText('/root/x')).toBe('typed\n');
});

test('yum really adds a command', async () => {
  const machine = makeMachine();
  expect(PACKAGES.some((one) => one.name === 'tree')).toBe(true);
  await expect(run(machine, ['tree', '/tmp'])).rejects.toThrow('No such file');

  const installed = await run(machine, ['yum', '-y', 'install', 'tree']);
  expect(installed.status).toBe(0);
  expect(installed.stdout).toContain('\nInstalled:\n  tree-2.1.0-1.el9.x86_64');
  expect(installed.stdout).toMatch(/Complete!\n$/);

  expect((await run(machine, ['tree', '/tmp'])).stdout).toBe('/tmp\n\n0 directories, 0 files\n');
});

test('what switches a machine off says that it isn’t simulated', async () => {
  for (const name of ['reboot', 'poweroff', 'shutdown'])
    expect(await run(makeMachine(), [name])).toMatchObject({
      status: 1,
      stderr: `drydock: ${name} isn't simulated\n`,
    });
});
