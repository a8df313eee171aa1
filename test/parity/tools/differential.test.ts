// Random commands on the host and on a virtual machine: no difference. DRYDOCK_TOOL_CASES sets how many, DRYDOCK_TOOL_SEED where to begin.
import { existsSync } from 'node:fs';

import { expect, test } from 'vitest';

import { generateCommand } from './generate-command.ts';
import { onHost, virtually } from './judge.ts';

const COUNT = Number(process.env['DRYDOCK_TOOL_CASES'] ?? 150);
const SEED = process.env['DRYDOCK_TOOL_SEED'] ?? 'drydock';

/** What the generator's commands need, in the versions we follow: gawk, since mawk's words differ. */
const NEEDED = [
  '/bin/bash',
  '/usr/bin/gawk',
  '/usr/bin/sed',
  '/usr/bin/grep',
  '/usr/bin/find',
  '/usr/bin/diff',
];

test(
  `${COUNT} random commands do on a virtual machine what they do on the host`,
  { timeout: 60_000 + COUNT * 200 },
  async (context) => {
    const commands = Array.from({ length: COUNT }, (_, i) => generateCommand(`${SEED}/${i}`));
    const runnable = existsSync(NEEDED[1]!) ? commands : commands.filter((one) => !/\bawk\b/.test(one));
    if (NEEDED.some((path) => path !== NEEDED[1] && !existsSync(path)))
      context.skip('the host lacks some of the tools');
    const wanted = onHost(runnable);
    const different: unknown[] = [];
    for (const [i, script] of runnable.entries()) {
      const got = await virtually(script);
      if (JSON.stringify(got) !== JSON.stringify(wanted[i]))
        different.push({ script, wanted: wanted[i], got });
    }
    expect(different).toEqual([]);
  },
);
