// seq(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { formatNumber } from '../frame/number-format.ts';
import { quote } from '../frame/quote.ts';

/** seq(1) */
export const seq: Program = command(
  {
    short: 'f:s:w',
    long: ['format:>f', 'separator:>s', 'equal-width>w'],
    usage: '[OPTION]... LAST\n  or:  seq [OPTION]... FIRST LAST\n  or:  seq [OPTION]... FIRST INCREMENT LAST',
    summary: 'Print numbers from FIRST to LAST, in steps of INCREMENT.',
    version: '(GNU coreutils) 9.1',
    // Negative numbers are operands.
    prepare: (args) => {
      const at = args.findIndex((arg) => /^-\.?\d/.test(arg));
      return at < 0 || args.slice(0, at).includes('--') || ['-s', '-f'].includes(args[at - 1] ?? '')
        ? args
        : [...args.slice(0, at), '--', ...args.slice(at)];
    },
  },
  async (it) => {
    const { operands, options } = it;
    if (operands.length === 0) throw new UsageError('missing operand');
    if (operands.length > 3) throw new UsageError(`extra operand ${quote(operands[3]!)}`);
    const bad = operands.find(
      (text) =>
        !/^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|0[xX][0-9a-fA-F]+|inf(?:inity)?)$/i.test(text),
    );
    if (bad !== undefined) throw new UsageError(`invalid floating point argument: ${quote(bad)}`);
    const [a, b, c] = operands;
    const first = b === undefined ? '1' : a!;
    const step = c === undefined ? '1' : b!;
    const last = c ?? b ?? a!;
    const [from, by, to] = [valueOf(first), valueOf(step), valueOf(last)];
    if (by === 0) throw new UsageError(`invalid Zero increment value: ${quote(step)}`);
    const decimals = Math.max(fraction(first), fraction(step));
    const pattern = options.value('f');
    const conversion =
      pattern === undefined
        ? undefined
        : /^((?:[^%]|%%)*)%([-+ #0]*)(\d*)(?:\.(\d+))?([efgaEFGA])((?:[^%]|%%)*)$/.exec(pattern);
    if (conversion === null) throw new Failure(`format ${quote(pattern!)} ${wrongWith(pattern!)}`);
    if ([first, step, last].every((text) => /^\d{15,}$|^\d{1,15}$/.test(text)) && /^\d{16,}$/.test(last)) {
      const separator = options.value('s') ?? '\n';
      if (pattern === undefined && !options.has('w')) {
        for (let n = BigInt(first), i = 0; n <= BigInt(last); n += BigInt(step), i++)
          await it.out.put((i === 0 ? '' : separator) + n.toString());
        await it.out.put('\n');
        return 0;
      }
    }
    const plain = (value: number): string => value.toFixed(decimals);
    const count = Math.floor((to - from) / by + 1e-10);
    const width = options.has('w')
      ? Math.max(
          plain(from).length,
          plain(from + Math.max(0, count) * by).length,
          plain(Number(last)).length - (fraction(last) > decimals ? 0 : 0),
        )
      : 0;
    const show = (value: number): string => {
      if (conversion !== undefined)
        return `${conversion[1]!.replaceAll('%%', '%')}${formatNumber(conversion[2]!, Number(conversion[3] || 0), conversion[4] === undefined ? undefined : Number(conversion[4]), conversion[5]!, value)}${conversion[6]!.replaceAll('%%', '%')}`;
      const text = plain(value);
      return width === 0
        ? text
        : value < 0
          ? `-${text.slice(1).padStart(width - 1, '0')}`
          : text.padStart(width, '0');
    };
    const separator = options.value('s') ?? '\n';
    for (let i = 0; i <= count; i++) await it.out.put(show(from + i * by) + (i === count ? '\n' : separator));
    return 0;
  },
);

function valueOf(text: string): number {
  return /^[-+]?inf/i.test(text) ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

/** What is wrong with a format. */
function wrongWith(format: string): string {
  const directives = format.replaceAll('%%', '').match(/%[-+ #0]*\d*(?:\.\d*)?(.?)/g) ?? [];
  if (directives.length === 0) return 'has no % directive';
  const letter = directives[0]!.at(-1)!;
  if (directives[0] === '%') return 'ends in %';
  return /[efgaEFGA]/.test(letter) ? 'has too many % directives' : `has unknown %${letter} directive`;
}

function fraction(text: string): number {
  return /\.(\d+)/.exec(text)?.[1]?.length ?? 0;
}
