// ed(1) against what GNU ed 1.19 printed for the same input on the same file, messages and status included.
import { expect, test } from 'vitest';

import { run } from '../../../../support/make-machine.ts';
import { makeSystemMachine } from '../../../../parity/tools/system-machine.ts';
import cases from './ed-cases.json' with { type: 'json' };

const FILE = 'one\ntwo\nthree\nfour\nfive\n';

test('ed does and says what GNU ed does', async () => {
  const machine = await makeSystemMachine();
  for (const [input = '', recorded = ''] of cases) {
    machine.kernel.files.writeFile('/root/in', FILE);
    for (const name of ['out', 'part', 'new']) machine.kernel.files.removeAll(`/root/${name}`);
    const { stdout } = await run(machine, ['bash', '-c', 'exec 2>&1; ed in; echo "[$?]"'], { stdin: input });
    expect(`${input}${stdout}`).toBe(`${input}${recorded}`);
  }
  expect(cases.length).toBeGreaterThan(80);
});
