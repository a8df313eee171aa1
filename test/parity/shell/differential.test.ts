// Random scripts in the virtual bash and in the host's: no difference. DRYDOCK_SHELL_SCRIPTS sets how many, DRYDOCK_SHELL_SEED which.
import { expect, test } from 'vitest';
import { HostRuns, virtually, type Outcome } from './both-shells.ts';
import { KNOWN_DIFFERENCES } from './exceptions.ts';
import { generateScript } from './generate-script.ts';
import { allPrograms, hostBash } from './harness.ts';

const COUNT = Number(process.env['DRYDOCK_SHELL_SCRIPTS'] ?? 2000);
const SEED = process.env['DRYDOCK_SHELL_SEED'] ?? 'drydock';

/** Messages of processes that run at the same time come in any order. */
function comparable({ stdout, stderr, status }: Outcome): string {
  return JSON.stringify([stdout, stderr.split('\n').toSorted(), status]);
}

test(
  `${COUNT} random scripts do in the virtual bash what they do in the host's`,
  { timeout: 60_000 + COUNT * 200 },
  async (context) => {
    if (hostBash() === undefined) context.skip('no bash on this machine');
    const programs = await allPrograms();
    const scripts = Array.from({ length: COUNT }, (_, i) => generateScript(`${SEED}/${i}`));
    const host = new HostRuns('bash');
    const differing: string[] = [];
    try {
      const expected = await host.run(scripts);
      for (const [i, script] of scripts.entries()) {
        const wanted = expected[i];
        const name = `${SEED}/${i}`;
        if (wanted === undefined || name in KNOWN_DIFFERENCES) continue;
        const actual = await virtually(script, 'bash', programs, host.workOf(i));
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
