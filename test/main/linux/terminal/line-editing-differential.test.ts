// Thousands of random keys at the prompts of the host's bash and the virtual one: every screen on the way must agree.
import { describe, expect, test } from 'vitest';
import type { Random } from '../../../../main/simulation/index.ts';
import { hostHas } from './judge.ts';
import { completionKeys, emacsKeys, playLines, viKeys, type Setting } from './lines.ts';

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
const VI = 'set editing-mode vi\nset keyseq-timeout 1\n';

describe.skipIf(!hostHas('/usr/bin/bash'))('against the host’s bash', { timeout: 60_000 }, () => {
  test.each(numbers(SEQUENCES))('Emacs keys, sequence %i', async (i) => {
    const choose = (random: Random): string[] => emacsKeys(random, STEPS, i % 3 === 0);
    expect(await differenceOf(`emacs-${i + 200}`, settingOf(i), choose)).toBeUndefined();
  });

  test.each(numbers(Math.ceil(SEQUENCES / 2)))('completion, sequence %i', async (i) => {
    const choose = (random: Random): string[] => completionKeys(random, STEPS);
    expect(await differenceOf(`tab-${i}`, settingOf(i, '', SPECIFICATIONS), choose)).toBeUndefined();
  });

  test.each(numbers(Math.ceil(SEQUENCES / 4)))('vi keys, sequence %i', async (i) => {
    const choose = (random: Random): string[] => viKeys(random, STEPS);
    expect(await differenceOf(`vi-${i}`, settingOf(i, VI), choose)).toBeUndefined();
  });
});
