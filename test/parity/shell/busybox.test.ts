// Scripts run by the sh of busybox 1.35, as recorded: the virtual ash gives the same output, errors and status.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ash } from '../../../main/linux/shell/index.ts';
import { makeBareMachine, run } from '../../support/make-machine.ts';
import { allPrograms } from './harness.ts';

interface Case {
  readonly script: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const cases = JSON.parse(readFileSync(new URL('busybox-cases.json', import.meta.url), 'utf8')) as Case[];

test.each(cases)('$script', async ({ script, stdout, stderr, status }) => {
  const machine = makeBareMachine({ programs: new Map([...(await allPrograms()), ['/usr/bin/sh', ash]]) });
  const result = await run(machine, ['sh', '-c', script], {
    cwd: '/',
    env: new Map([
      ['PATH', '/usr/bin:/bin'],
      ['HOME', '/root'],
      ['LC_ALL', 'C.UTF-8'],
    ]),
  });
  expect(machine.faults).toEqual([]);
  expect({ stdout: result.stdout, stderr: result.stderr, status: result.status }).toEqual({
    stdout,
    stderr,
    status,
  });
});
