// Thousands of random keys at the prompts of the host's bash and the virtual one: every screen on the way must agree.
import { describe, expect, test } from 'vitest';
import type { Random } from '../../../../main/simulation/index.ts';
import { hostHas } from './judge.ts';
import { completionKeys, emacsKeys, Pair, pasteKeys, playLines, viKeys, type Setting } from './lines.ts';

/** Sequences of each mode; DRYDOCK_LINES asks for more. */
const SEQUENCES = Number(process.env.DRYDOCK_LINES ?? 24);
const STEPS = 40;
const WIDTHS = [80, 40, 23, 60];
/** The host is a busy machine: a difference counts only if it comes again. */
const TRIES = 3;

async function differenceOf(
  seed: string,
  setting: Setting,
  choose: (random: Random) => readonly string[],
): Promise<string | undefined> {
  let difference: string | undefined;
  for (let i = 0; i < TRIES; i++) {
    difference = await playLines(seed, setting, choose);
    if (difference === undefined) return undefined;
  }
  return difference;
}

function settingOf(i: number, inputrc = '', rc = ''): Setting {
  return { columns: WIDTHS[i % WIDTHS.length]!, rows: 24, rc, inputrc };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Specifications as people write them. */
const SPECIFICATIONS = `
_p() { COMPREPLY=(apple apricot banana "with space"); }
complete -F _p prog
complete -W 'one three two thirteen' words
complete -f files
complete -o nospace -W 'alpha= beta=' nosp
complete -d dirs
complete -P pre_ -S _suf -W 'a b' pre`;
/** With colours, over several lines, wider than the window, with a title and wide characters. */
const PROMPTS = [
  "PS1='\\[\\e[31m\\]\\W\\[\\e[0m\\]$ '",
  "PS1='a\\nb> $ '",
  "PS1='wide prompt that goes on and on and on $ '",
  "PS1='\\[\\e]0;t\\a\\]中文$ '",
];
const VI = 'set editing-mode vi\nset keyseq-timeout 1\n';

/** Lines with history expressions, each on top of those before. */
const EXPRESSIONS: readonly string[] = [
  'echo !!',
  'echo !$',
  'echo !^',
  'echo !*',
  'echo !-2',
  'echo !1',
  'echo !echo',
  'echo !?beta?',
  'echo !?beta',
  '!nosuch',
  '!?nosuch?',
  '!99',
  '!-99',
  'echo !!:0',
  'echo !!:1-2',
  'echo !!:2*',
  'echo !!:2-',
  'echo !!:-1',
  'echo !!:$',
  'echo !foo:2:h',
  'echo !foo:2:t',
  'echo !foo:2:r',
  'echo !foo:2:e',
  'echo !foo:$:t:r',
  '!foo:p',
  'echo !#',
  'echo a b !#:1',
  '^alpha^ALPHA^',
  'echo old old',
  '^old^new',
  '!!:gs/o/0/',
  'echo x/y/z',
  '!!:s/x/Q/',
  'echo aaa',
  '!!:gs/a/b/:p',
  '!!:&',
  'echo "!!"',
  "echo '!!'",
  'echo \\!x',
  'echo ! a',
  'echo a!',
  'echo !=x',
  'echo "a!"',
  'echo !!x',
  'echo !!:q',
  'echo !!:x',
  'echo !{x}',
  'echo $!',
  '[[ ! a ]]',
  'echo a!b',
  '!printf',
  'echo !!:99',
  'echo !!:5-9',
  'echo !?gamma?:1',
  'echo !!:s/nothere/x/',
  '^zzz^y',
  'echo one two three four',
  'echo !!:2-3 !:1',
  'echo !:0 !:*',
  'echo !-1:2',
  '!-3:p',
  'echo !!:s/two/[&]/',
  'echo !!:G',
  'echo !!:as/e/E/',
  'echo !!:Gs/e/E/',
  'echo /a/b.c /d/e.f',
  'echo !!:h',
  'echo !!:1:r !!:2:t',
  'echo !!:x',
  'echo "!?alpha?:2"',
  'echo !"x',
  '!ec',
  '!e:s/ec/EC/:p',
  'history 3',
  'fc -l -2',
  'echo !$:h',
  'x=!$; echo $x',
  'echo !!!',
  'echo !!:',
  'echo !! | cat',
  '!1:0 q',
  "printf '%s|' a 'b c' \"d e\"",
  "printf '<%s>' !!:2-3",
  'echo !:2 !:3',
  '!!:$:q',
  '#comment !! x',
  'echo after',
];

describe.skipIf(!hostHas('/usr/bin/bash'))('against the host’s bash', { timeout: 60_000 }, () => {
  test.each(numbers(SEQUENCES))('Emacs keys, sequence %i', async (i) => {
    const choose = (random: Random): string[] => emacsKeys(random, STEPS, i % 3 === 0);
    expect(await differenceOf(`emacs-${i + 200}`, settingOf(i), choose)).toBeUndefined();
  });

  test.each(numbers(Math.ceil(SEQUENCES / 2)))('completion, sequence %i', async (i) => {
    const choose = (random: Random): string[] => completionKeys(random, STEPS);
    expect(await differenceOf(`tab-${i}`, settingOf(i, '', SPECIFICATIONS), choose)).toBeUndefined();
  });

  test.each(numbers(Math.ceil(SEQUENCES / 3)))('pastes, long lines and prompts, sequence %i', async (i) => {
    const rc = `${PROMPTS[i % PROMPTS.length]!}; cd /`;
    const choose = (random: Random): string[] => pasteKeys(random, 25, i % 2 === 1);
    expect(await differenceOf(`paste-${i}`, settingOf(i, '', rc), choose)).toBeUndefined();
  });

  test('history expressions, one after the other', async () => {
    await using pair = await Pair.open({ columns: 100, rows: 40, rc: '', inputrc: '' });
    for (const line of EXPRESSIONS) {
      await pair.step('\x0c');
      await pair.step(line);
      const difference = await pair.step('\r');
      expect(difference).toBeUndefined();
      if (pair.judge.screen().at(-1)?.startsWith('>') === true) await pair.step('\x03');
    }
  });

  test.each(numbers(Math.ceil(SEQUENCES / 4)))('vi keys, sequence %i', async (i) => {
    const choose = (random: Random): string[] => viKeys(random, STEPS);
    expect(await differenceOf(`vi-${i}`, settingOf(i, VI), choose)).toBeUndefined();
  });
});
