// Random scripts in the virtual bash and in the host's: no difference. DRYDOCK_SHELL_SCRIPTS sets how many, DRYDOCK_SHELL_SEED where to begin.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bash } from '../../../main/linux/shell/index.ts';
import { makeBareMachine, run } from '../../support/make-machine.ts';
import { generateScript } from './generate-script.ts';
import { hostBash } from './harness.ts';

const COUNT = Number(process.env['DRYDOCK_SHELL_SCRIPTS'] ?? 300);
const SEED = process.env['DRYDOCK_SHELL_SEED'] ?? 'drydock';
const DRIVER = `for f in *.sh; do (cd work && exec -a bash bash -c "$(<../$f)") >$f.out 2>$f.err </dev/null; echo $? >$f.status; done`;

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** What the host's bash makes of each script, from one driver process. */
function onHost(scripts: readonly string[]): Outcome[] {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-shell-'));
  try {
    mkdirSync(join(directory, 'work'));
    scripts.forEach((script, i) => writeFileSync(join(directory, `${i}.sh`), script));
    execFileSync('/bin/bash', ['-c', DRIVER], {
      cwd: directory,
      env: { PATH: '/usr/bin:/bin', HOME: '/root', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
      stdio: 'ignore',
    });
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
    return scripts.map((_, i) => ({
      stdout: read(`${i}.sh.out`),
      stderr: read(`${i}.sh.err`),
      status: Number(read(`${i}.sh.status`)),
    }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function virtually(script: string): Promise<Outcome> {
  const machine = makeBareMachine({ programs: { '/usr/bin/bash': bash } });
  const env = new Map([
    ['PATH', '/usr/bin:/bin'],
    ['HOME', '/root'],
    ['LANG', 'C.UTF-8'],
  ]);
  const { stdout, stderr, status } = await run(machine, ['bash', '-c', script.replace(/\n+$/, '')], {
    cwd: '/tmp',
    env,
  });
  if (machine.faults.length > 0) throw machine.faults[0];
  return { stdout, stderr, status };
}

test(
  `${COUNT} random scripts do in the virtual bash what they do in the host's`,
  { timeout: 60_000 + COUNT * 200 },
  async (context) => {
    if (hostBash() === undefined) context.skip('no bash on this machine');
    const scripts = Array.from({ length: COUNT }, (_, i) => generateScript(`${SEED}/${i}`));
    const expected = onHost(scripts);
    const differing: string[] = [];
    for (const [i, script] of scripts.entries()) {
      const actual = await virtually(script);
      if (JSON.stringify(actual) === JSON.stringify(expected[i])) continue;
      differing.push(
        `seed ${SEED}/${i}\n${script}host: ${JSON.stringify(expected[i])}\nours: ${JSON.stringify(actual)}`,
      );
    }
    expect(differing).toEqual([]);
  },
);
