// Random scripts in the virtual dash and in the host's: no difference. DRYDOCK_SHELL_SCRIPTS and DRYDOCK_SHELL_SEED as for bash.
import { existsSync, realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { HostRuns, virtually, type Outcome } from './both-shells.ts';
import { KNOWN_DIFFERENCES } from './exceptions.ts';
import { generateScript } from './generate-script.ts';
import { allPrograms } from './harness.ts';

const COUNT = Math.min(Number(process.env['DRYDOCK_SHELL_SCRIPTS'] ?? 1000), 20_000);
const SEED = process.env['DRYDOCK_SHELL_SEED'] ?? 'dash';

function comparable({ stdout, stderr, status }: Outcome): string {
  return JSON.stringify([stdout, stderr.split('\n').toSorted(), status]);
}

test(
  `${COUNT} random scripts do in the virtual sh what they do in the host's dash`,
  { timeout: 60_000 + COUNT * 200 },
  async (context) => {
    if (!existsSync('/bin/sh') || !realpathSync('/bin/sh').endsWith('dash'))
      context.skip('the sh of this machine is no dash');
    const programs = await allPrograms();
    const scripts = Array.from({ length: COUNT }, (_, i) => generateScript(`${SEED}/${i}`, 'dash'));
    const host = new HostRuns('sh');
    const differing: string[] = [];
    try {
      const expected = await host.run(scripts);
      for (const [i, script] of scripts.entries()) {
        const wanted = expected[i];
        const name = `${SEED}/${i}`;
        if (wanted === undefined || name in KNOWN_DIFFERENCES) continue;
        const actual = await virtually(script, 'sh', programs, host.workOf(i));
        if (comparable(actual) === comparable(wanted)) continue;
        differing.push(
          `${name}, by ${script.way}\n${script.source}host: ${JSON.stringify(wanted)}\nours: ${JSON.stringify(actual)}`,
        );
      }
    } finally {
      host.remove();
    }
    expect(differing).toEqual([]);
  },
);
