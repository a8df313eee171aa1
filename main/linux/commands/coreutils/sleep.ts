// sleep(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `5`, `0.5`, `2m`, `infinity` in ms; undefined if it is no interval. */
export function parseInterval(text: string): number | undefined {
  if (/^inf(?:inity)?$/i.test(text)) return Infinity;
  const match = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2]!]!;
}

/** sleep(1) */
export const sleep: Program = command(
  {
    usage: 'NUMBER[SUFFIX]...',
    summary: 'Pause for NUMBER seconds.  SUFFIX may be s, m, h or d.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing operand');
    let total = 0;
    for (const text of it.operands) {
      const interval = parseInterval(text);
      if (interval === undefined) {
        if (it.dialect === 'busybox') throw new Failure(`invalid number '${text}'`);
        throw new UsageError(`invalid time interval ${quote(text)}`);
      }
      total += interval;
    }
    const DAY_MS = 86_400_000;
    while (total > 0) {
      const slice = Math.min(total, 20 * DAY_MS);
      await it.proc.sleep(slice);
      total -= slice;
    }
  },
);
