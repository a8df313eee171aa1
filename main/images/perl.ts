// perl, as far as Kubernetes' documentation goes: a Job that computes π. No other script is run.
import type { Program } from '../linux/kernel/index.ts';
import { debian, programFile } from './bases.ts';
import { repository, type Repository } from './image.ts';

/** What a digit costs on a CPU of this world, in ms: 2,000 digits take a few seconds, as there. */
const DIGIT_MS = 2;
const DIGITS_MAX = 20_000;
/** Digits beyond those asked for, so that the last one is rounded right. */
const GUARD_DIGITS = 10;

/** π to so many digits in all, rounded, by Machin's formula: π/4 = 4 arctan(1/5) − arctan(1/239). */
export function piDigits(count: number): string {
  const unit = 10n ** BigInt(count + GUARD_DIGITS);
  const arctan = (inverse: bigint): bigint => {
    let power = unit / inverse;
    let sum = power;
    for (let n = 3n, sign = -1n; power !== 0n; n += 2n, sign = -sign) {
      power /= inverse * inverse;
      sum += (sign * power) / n;
    }
    return sum;
  };
  const scaled = 4n * (4n * arctan(5n) - arctan(239n));
  const divisor = 10n ** BigInt(GUARD_DIGITS + 1);
  const rounded = String((scaled + divisor / 2n) / divisor);
  return count === 1 ? rounded : `${rounded.slice(0, 1)}.${rounded.slice(1)}`;
}

const perl: Program = async (proc) => {
  const words = proc.argv.slice(1);
  if (words[0] === '-v' || words[0] === '--version') {
    await proc.stdout.write(
      '\nThis is perl 5, version 34, subversion 0 (v5.34.0) built for x86_64-linux-gnu\n\nCopyright 1987-2021, Larry Wall\n',
    );
    return 0;
  }
  const script = words.at(-1) ?? '';
  const count = /^\s*print\s+bpi\(\s*(\d+)\s*\)\s*;?\s*$/.exec(script)?.[1];
  const isOneLiner = words.slice(0, -1).some((word) => /^-w?l?e$|^-[wle]+e$/.test(word));
  if (!words.includes('-Mbignum=bpi') || !isOneLiner || count === undefined || Number(count) > DIGITS_MAX) {
    await proc.stderr.write("drydock: perl isn't simulated beyond `perl -Mbignum=bpi -wle 'print bpi(N)'`\n");
    return 255;
  }
  for (let left = Number(count) * DIGIT_MS; left > 0; left -= 100) await proc.cpu(Math.min(100, left));
  await proc.stdout.write(
    `${piDigits(Math.max(1, Number(count)))}${words.some((word) => /^-w?l/.test(word)) ? '\n' : ''}`,
  );
  return 0;
};

export const PERL: Repository = repository(
  'docker.io/library/perl',
  /^(latest|5(\.\d+(\.\d+)?)?)(-slim|-threaded)?(-(bookworm|bullseye|buster|trixie))?$/,
  (tag) => ({
    base: debian({ number: '12.11', codename: 'bookworm' }),
    files: { '/usr/local/bin/perl': programFile('perl', perl) },
    build: tag === 'latest' ? '5.42.0' : tag,
    sizeBytes: tag.includes('slim') ? 52_000_000 : 336_000_000,
    command: [`perl${/^5\.\d+\.\d+/.exec(tag)?.[0] ?? '5.42.0'}`, '-de0'],
    workingDirectory: '/usr/src/app',
    created: '2021-12-21T05:40:00Z',
  }),
);
