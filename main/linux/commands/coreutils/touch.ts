// touch(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { parseDate, zoneOf } from '../frame/time.ts';
import { attempt, statOf } from './files.ts';

/** touch(1) */
export const touch: Program = command(
  {
    short: 'acd:fhmr:t:',
    long: ['date:>d', 'no-create>c', 'no-dereference>h', 'reference:>r', 'time:'],
    usage: '[OPTION]... FILE...',
    summary: 'Update the access and modification times of each FILE to the current time.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { fs, clock } = it.proc;
    if (it.operands.length === 0) throw new UsageError('missing file operand');
    const stamp = it.options.value('d') ?? stampDate(it.options.value('t'), clock.now());
    const reference = it.options.value('r');
    const base = reference === undefined ? clock.now() : fs.stat(reference).modifyMs;
    const wanted = stamp === undefined ? undefined : parseDate(stamp, base, zoneOf(it.proc));
    if (stamp !== undefined && wanted === undefined) throw new Failure(`invalid date format ${quote(stamp)}`);
    const from = reference === undefined ? undefined : fs.stat(reference);
    const accessMs = wanted ?? from?.accessMs ?? clock.now();
    const modifyMs = wanted ?? from?.modifyMs ?? clock.now();
    for (const path of it.operands) {
      const failed = attempt(() => {
        const found = statOf(fs, path);
        if (found === undefined) {
          if (it.options.has('c')) return;
          fs.open(path, { write: true, create: true }, 0o666);
        }
        const now = fs.stat(path);
        const only =
          it.options.has('a') !== it.options.has('m') ? (it.options.has('a') ? 'a' : 'm') : undefined;
        fs.utimes(path, only === 'm' ? now.accessMs : accessMs, only === 'a' ? now.modifyMs : modifyMs);
      });
      if (failed === undefined) continue;
      const what = it.dialect === 'busybox' ? path : `cannot touch ${quoteAlways(path)}`;
      await it.warn(`${what}: ${failed.message}`);
    }
  },
);

/** [[CC]YY]MMDDhhmm[.ss] as a date in words. */
function stampDate(text: string | undefined, nowMs: number): string | undefined {
  const match = /^(\d\d)?(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(text ?? '');
  if (match === null) return text;
  const [, century, year, month, day, hour, minute, second] = match;
  const years =
    year === undefined
      ? new Date(nowMs).getUTCFullYear()
      : `${century ?? (Number(year) < 69 ? '20' : '19')}${year}`;
  return `${years}-${month}-${day} ${hour}:${minute}:${second ?? '00'}`;
}
