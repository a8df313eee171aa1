// date(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { readAllText } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';
import { parseDate, strftime, UTC, zoneOf } from '../frame/time.ts';

const ISO: Readonly<Record<string, string>> = {
  date: '%F',
  hours: '%FT%H%:z',
  minutes: '%FT%H:%M%:z',
  seconds: '%FT%T%:z',
  ns: '%FT%T,%N%:z',
};

/** date(1), in virtual time. Setting the clock isn't simulated. */
export const date: Program = command(
  {
    short: 'd:f:I::r:Rs:u',
    long: [
      'date:>d',
      'file:>f',
      'iso-8601::>I',
      'reference:>r',
      'rfc-email>R',
      'rfc-2822>R',
      'rfc-3339:',
      'set:>s',
      'universal>u',
      'utc>u',
      'debug',
      'resolution',
    ],
    usage: '[OPTION]... [+FORMAT]\n  or:  date [-u|--utc|--universal] [MMDDhhmm[[CC]YY][.ss]]',
    summary: 'Display date and time in the given FORMAT.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc, options } = it;
    const zone = options.has('u') ? UTC : zoneOf(proc);
    const [operand, extra] = it.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    let format = operand?.startsWith('+') === true ? operand.slice(1) : undefined;
    if (options.has('s') || (operand !== undefined && format === undefined)) {
      const text = options.value('s') ?? operand!;
      if (!/^\d{8}(?:\d\d)?(?:\d\d)?(?:\.\d\d)?$/.test(text) && parseDate(text, 0, zone) === undefined)
        throw new Failure(`invalid date ${quote(text)}`);
      if (operand !== undefined && !options.has('s') && !/^\d/.test(operand))
        throw new Failure(`invalid date ${quote(operand)}`);
      throw new Failure('cannot set date: Operation not permitted');
    }
    const iso = options.value('I');
    if (iso !== undefined && !Object.keys(ISO).some((name) => name.startsWith(iso)))
      throw new UsageError(
        `invalid argument ${quote(iso)} for ${quote('--iso-8601')}\nValid arguments are:\n${['hours', 'minutes', 'date', 'seconds', 'ns'].map((one) => `  - ${quote(one)}`).join('\n')}`,
      );
    if (options.has('I'))
      format = ISO[Object.keys(ISO).find((name) => name.startsWith(iso ?? 'date')) ?? 'date'];
    if (options.has('R')) format = '%a, %d %b %Y %T %z';
    const rfc = options.value('rfc-3339');
    if (rfc !== undefined)
      format = rfc.startsWith('d') ? '%F' : rfc.startsWith('n') ? '%F %T.%N%:z' : '%F %T%:z';
    const show = async (ms: number): Promise<void> => {
      await it.out.line(
        strftime(
          format ?? (it.dialect === 'busybox' ? '%a %b %e %H:%M:%S %Z %Y' : '%a %b %e %H:%M:%S %Z %Y'),
          ms,
          zone,
        ),
      );
    };
    const reference = options.value('r');
    if (reference !== undefined) {
      const ms =
        /^\d+$/.test(reference) && !proc.fs.exists(reference)
          ? Number(reference) * 1000
          : proc.fs.stat(reference).modifyMs;
      return show(ms);
    }
    const file = options.value('f');
    const texts =
      file !== undefined
        ? (await readAllText(it.open(file))).trimEnd().split('\n')
        : options.has('d')
          ? [options.value('d')!]
          : undefined;
    if (texts === undefined) return show(proc.clock.now());
    for (const text of texts) {
      const ms = parseDate(text, proc.clock.now(), zone);
      if (ms === undefined) await it.warn(`invalid date ${quote(text)}`);
      else await show(ms);
    }
    return undefined;
  },
);
