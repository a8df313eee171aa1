// nc passes bytes both ways, listens, and leaves when it is told to.
import { expect, test } from 'vitest';
import { machinePrograms, PACKAGES } from '../../../../../main/linux/commands/index.ts';
import type { Program } from '../../../../../main/linux/kernel/index.ts';
import { bash } from '../../../../../main/linux/shell/index.ts';
import { makeBareMachine, run } from '../../../../support/make-machine.ts';

const programs: Record<string, Program> = { '/usr/bin/bash': bash };
for (const [file, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
  programs[file] = program;
const sh = (script: string) => run(makeBareMachine({ programs }), ['bash', '-c', script]);

test('a file goes through a listener, and -N ends it', async () => {
  const { stdout, stderr } = await sh(
    'nc -l 127.0.0.1 7000 > got & sleep 1; printf "one\\ntwo\\n" | nc -N 127.0.0.1 7000; wait; cat got',
  );
  expect({ stdout, stderr }).toEqual({ stdout: 'one\ntwo\n', stderr: '' });
});

test('-w leaves after some seconds without a byte; -q ends this side as -N does', async () => {
  const started = 'nc -lk 7001 >/dev/null & sleep 1; SECONDS=0;';
  expect((await sh(`${started} echo x | nc -w 3 127.0.0.1 7001; echo $SECONDS; kill %1`)).stdout).toBe('3\n');
  expect((await sh(`${started} echo x | nc -q 2 127.0.0.1 7001; echo $SECONDS; kill %1`)).stdout).toBe('0\n');
});

test('-u -l receives datagrams', async () => {
  const { stdout } = await sh(
    'timeout 3 nc -lu 7002 > got & sleep 1; echo hi | nc -u -w 1 127.0.0.1 7002; wait; cat got',
  );
  expect(stdout).toBe('hi\n');
});
