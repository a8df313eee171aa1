// Replays the recorded text-tool cases: stdout, stderr and status as the real tools gave them.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { KNOWN_TEXT_FAILURES } from './known-failures.ts';
import { runScript } from './text-machine.ts';

interface Case {
  readonly id: string;
  readonly script: string;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const golden = path.resolve(import.meta.dirname, '../../../../shared/golden/bash');
const recorded = existsSync(golden);
const setup = recorded ? readFileSync(path.join(golden, 'setup.sh'), 'utf8') : '';
const cases = recorded
  ? readFileSync(path.join(golden, 'text-cases.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Case)
  : [];

test.runIf(recorded)('the recorded text cases are there (../shared/golden/bash)', () => {
  expect(cases.length).toBeGreaterThan(70);
});

for (const one of cases) {
  const known = KNOWN_TEXT_FAILURES[one.id];
  test(`${one.id} prints what the real tools print${known === undefined ? '' : ` (known to differ: ${known})`}`, async () => {
    const result = await runScript(setup, one.script, one.stdin);
    const got = { stdout: mask(result.stdout), stderr: mask(result.stderr), code: result.status };
    const wanted = { stdout: mask(one.stdout), stderr: mask(one.stderr), code: one.code };
    expect(
      JSON.stringify(got) === JSON.stringify(wanted) ? 'same' : known === undefined ? got : 'different',
    ).toEqual(known === undefined ? 'same' : 'different');
  });
}

/** What depends on the moment or the machine. */
function mask(text: string): string {
  return text.replaceAll(/\bNov 20 \d\d:\d\d\b|\bMar {2}1 \d\d:\d\d\b/g, 'DATE');
}
