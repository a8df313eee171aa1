// Replays cases recorded from the host's real tools (coreutils 9.1, grep 3.8, sed 4.9, gawk 5.2.1, jq 1.6, bc, find, busybox …).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { virtually, type Manner, type Outcome } from './judge.ts';
import { KNOWN_CASE_DIFFERENCES } from './known-cases.ts';

const folder = join(import.meta.dirname, 'cases');

interface Recorded extends Outcome {
  readonly script: string;
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl'))) {
  const name = file.replace(/\.jsonl$/, '');
  const cases = readFileSync(join(folder, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
  test(`${cases.length} cases of ${name} do what the real tools do`, { timeout: 60_000 }, async () => {
    const manner: Manner = name.startsWith('busybox') ? 'busybox' : 'gnu';
    const different: unknown[] = [];
    for (const { script, stdout, stderr, status } of cases) {
      const wanted: Outcome = { stdout, stderr, status };
      const got = await virtually(script, manner);
      const same = JSON.stringify(got) === JSON.stringify(wanted);
      const known = KNOWN_CASE_DIFFERENCES.get(script);
      if (same && known !== undefined) different.push({ script, now: 'the same: it leaves the list' });
      if (!same && known === undefined) different.push({ script, wanted, got });
    }
    expect(different).toEqual([]);
  });
}
