// Names for containers that nobody named: two words.
import type { Random } from '../../simulation/index.ts';

/** Two words, as docker names what nobody named. */
const LEFT = [
  'admiring',
  'bold',
  'clever',
  'dazzling',
  'eager',
  'festive',
  'gallant',
  'happy',
  'jolly',
  'keen',
  'lucid',
  'modest',
  'nifty',
  'quirky',
  'serene',
  'upbeat',
  'vibrant',
  'wizardly',
  'youthful',
  'zealous',
];
const RIGHT = [
  'agnesi',
  'bell',
  'cori',
  'darwin',
  'euler',
  'fermat',
  'gauss',
  'hopper',
  'hypatia',
  'johnson',
  'keller',
  'lovelace',
  'morse',
  'noether',
  'pascal',
  'ritchie',
  'shannon',
  'turing',
  'wing',
  'yalow',
];

/** One that isn't taken. */
export function inventName(random: Random, taken: readonly string[]): string {
  const names = new Set(taken);
  for (let suffix = ''; ; suffix = String(random.integer(10))) {
    const name = `${LEFT[random.integer(LEFT.length)]}_${RIGHT[random.integer(RIGHT.length)]}${suffix}`;
    if (!names.has(name)) return name;
  }
}
