// Scripts as people write them, in the virtual bash and in the host's: the same lines, errors and status.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeBareMachine, run } from '../../support/make-machine.ts';
import { allPrograms, hostBash } from './harness.ts';

const DIRECTORY = fileURLToPath(new URL('real-life/', import.meta.url));
const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', LC_ALL: 'C.UTF-8' };

/** Temporary names and process numbers differ from run to run. */
function masked(text: string): string {
  return text.replace(/tmp\.\w+/g, 'tmp.NAME');
}

test.each(readdirSync(DIRECTORY))(
  '%s does here what it does on the host',
  { timeout: 60_000 },
  async (name) => {
    const bash = hostBash();
    if (bash === undefined) return;
    const work = mkdtempSync(join(tmpdir(), 'drydock-script-'));
    try {
      const files = readdirSync(DIRECTORY).map(
        (file) => [file, readFileSync(DIRECTORY + file, 'utf8')] as const,
      );
      spawnSync('/bin/cp', ['-r', `${DIRECTORY}.`, work]);
      const expected = spawnSync(bash, [name], { cwd: work, env: ENVIRONMENT, encoding: 'utf8', input: '' });
      const machine = makeBareMachine({
        programs: await allPrograms(),
        files: new Map(
          files.map(([file, content]) => [`${work}/${file}`, { type: 'file' as const, content }]),
        ),
      });
      const actual = await run(machine, ['bash', name], {
        cwd: work,
        env: new Map(Object.entries(ENVIRONMENT)),
      });
      expect(machine.faults).toEqual([]);
      expect(masked(actual.stdout)).toBe(masked(expected.stdout));
      expect(masked(actual.stderr)).toBe(masked(expected.stderr));
      expect(actual.status).toBe(expected.status);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  },
);
