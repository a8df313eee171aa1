// Random bytes and broken scripts through every shell: none crashes, hangs or keeps a process for ever.
import { expect, test } from 'vitest';
import { ash, bash, dash } from '../../../../main/linux/shell/index.ts';
import { makeRandom, type Random } from '../../../../main/simulation/index.ts';
import { generateScript } from '../../../parity/shell/generate-script.ts';
import { makeBareMachine } from '../../../support/make-machine.ts';

const COUNT = Number(process.env['DRYDOCK_SHELL_FUZZ'] ?? 300);
const SEED = process.env['DRYDOCK_SHELL_SEED'] ?? 'fuzz';
/** Virtual time after which a script is killed, as a person would. */
const PATIENCE_MS = 200;
const SHELLS = { bash, sh: dash, ash };
const PIECES = [
  ...'$(){}[]<>|&;`\'"\\#!*?~=+-:,.%^/ \n\t\0é\udcff'.split(''),
  '${',
  '$((',
  '((',
  '))',
  '[[',
  ']]',
  '<<E\n',
  '<<<',
  '${!',
  "$'",
  '"$',
  'case x in ',
  ';;',
  'esac',
  'for i in ',
  'do ',
  'done',
  'while :;',
  'if ',
  'then ',
  'fi',
  'f() ',
  'function ',
  'coproc ',
  '@(',
  '$@',
  'a[',
  ']=',
  '+=(',
  'eval ',
  'trap "',
  'exec ',
  '2>&1',
  '&>>',
  '{a,',
  '..9}',
  '${a//',
  '${a@',
];

function noise(random: Random): string {
  return Array.from({ length: 1 + random.integer(60) }, () => random.pick(PIECES)).join('');
}

/** A generated script with stretches left out, doubled, moved and spoilt. */
function broken(random: Random, seed: string): string {
  let text = generateScript(seed, random.fraction() < 0.7 ? 'bash' : 'dash').source;
  for (let times = 1 + random.integer(8); times > 0; times--) {
    const from = random.integer(text.length + 1);
    const to = Math.min(text.length, from + random.integer(40));
    const middle = random.pick([
      '',
      text.slice(from, to).repeat(2),
      noise(random),
      [...text.slice(from, to)].toReversed().join(''),
    ]);
    text = text.slice(0, from) + middle + text.slice(to);
  }
  return text;
}

test(`${COUNT} broken scripts end, or can be killed, in every shell`, { timeout: 120_000 }, async () => {
  const trouble: string[] = [];
  for (let i = 0; i < COUNT; i++) {
    const random = makeRandom(`${SEED}/${i}`);
    const script = random.fraction() < 0.3 ? noise(random) : broken(random, `${SEED}/${i}`);
    const shell = random.pick(Object.keys(SHELLS) as (keyof typeof SHELLS)[]);
    const machine = makeBareMachine({
      programs: { '/usr/bin/bash': bash, '/usr/bin/sh': dash, '/usr/bin/ash': ash },
    });
    const [output, errors] = [machine.kernel.pipe(), machine.kernel.pipe()];
    const task = machine.kernel.start({
      argv: [shell, '-c', script.replaceAll('\0', '')],
      cwd: '/tmp',
      env: new Map([['PATH', '/usr/bin']]),
      stdio: [machine.kernel.nullFile(), output.writer, errors.writer],
    });
    void output.reader.readText();
    void errors.reader.readText();
    let ended = false;
    void task.ended.then(() => {
      ended = true;
    });
    const started = Date.now();
    await machine.clock.advanceUntil(() => ended, { ms: PATIENCE_MS });
    if (!ended) {
      machine.kernel.kill(task.process.pid, 'SIGKILL');
      await machine.clock.advanceUntil(() => ended, { ms: 1000 });
    }
    const tookMs = Date.now() - started;
    if (!ended || machine.faults.length > 0 || tookMs > 3000)
      trouble.push(
        `${SEED}/${i} in ${shell}: ended ${ended}, ${tookMs} ms, ${String((machine.faults[0] as Error | undefined)?.stack)}\n${script}`,
      );
  }
  expect(trouble).toEqual([]);
});
