// A machine with every package, and the working directory of golden/bash/setup.sh, for replaying recorded scripts.
import { machinePrograms, PACKAGES } from '../../../main/linux/commands/index.ts';
import type { Program } from '../../../main/linux/kernel/index.ts';
import { bash } from '../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type BareMachine, type RunResult } from '../../support/make-machine.ts';

/** The tools and bash on a bare machine; where the recording was made there were no binutils. */
export function makeToolMachine(): BareMachine {
  const programs: Record<string, Program> = { '/usr/bin/bash': bash, '/usr/bin/sh': bash };
  for (const [path, { program }] of machinePrograms(
    PACKAGES.map((one) => one.name).filter((name) => name !== 'binutils'),
  ))
    programs[path] = program;
  return makeBareMachine({ programs });
}

/** Makes /root/work as the recording made its directory, and runs one script in it. */
export async function runScript(setup: string, script: string, stdin = ''): Promise<RunResult> {
  const machine = makeToolMachine();
  const env = new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
    ['LANG', 'C.UTF-8'],
    ['TZ', 'UTC'],
  ]);
  await run(machine, ['mkdir', '-p', '/root/work']);
  const made = await run(machine, ['bash', '-c', setup], { cwd: '/root/work', env });
  if (made.status !== 0 || made.stderr !== '') throw new Error(`setup failed: ${made.status} ${made.stderr}`);
  const result = await run(machine, ['bash', '-c', script], {
    cwd: '/root/work',
    env,
    stdin,
    withinMs: 600_000,
  });
  if (machine.faults.length > 0) throw machine.faults[0];
  return result;
}
