// printf(1): the format language, for the command (the shell's builtin has its own).
import type { Program } from '../../kernel/index.ts';
import { command, UsageError, type Invocation } from '../frame/command.ts';
import { quote, quoteWhenNeeded } from '../frame/quote.ts';
import { formatNumber } from '../frame/number-format.ts';

const NAMED: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** Backslash escapes as echo -e and %b (`leadingZero`) or printf's format read them; `\c` stops. */
export function expandEscapes(text: string, leadingZero: boolean): { text: string; stopped: boolean } {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      out += text[i];
      continue;
    }
    const rest = text.slice(i + 1);
    if (rest.startsWith('c')) return { text: out, stopped: true };
    const octal = (leadingZero ? /^0([0-7]{0,3})/ : /^([0-7]{1,3})/).exec(rest);
    const hex = /^x([0-9A-Fa-f]{1,2})/.exec(rest);
    const unicode = /^(?:u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8}))/.exec(rest);
    if (octal !== null) {
      out += String.fromCharCode(Number.parseInt(octal[1] === '' ? '0' : octal[1]!, 8) & 0xff);
      i += octal[0].length;
    } else if (hex !== null) {
      out += String.fromCharCode(Number.parseInt(hex[1]!, 16));
      i += hex[0].length;
    } else if (unicode !== null) {
      out += String.fromCodePoint(Number.parseInt((unicode[1] ?? unicode[2])!, 16));
      i += unicode[0].length;
    } else {
      const known = NAMED[rest[0] ?? ''];
      out += known ?? `\\${rest[0] ?? ''}`;
      i++;
    }
  }
  return { text: out, stopped: false };
}

/** printf(1) */
export const printf: Program = command(
  {
    permute: false,
    usage: 'FORMAT [ARGUMENT]...',
    summary: 'Print ARGUMENT(s) according to FORMAT.',
    version: '(GNU coreutils) 9.1',
    prepare: (args) =>
      args[0] === '--help' || args[0] === '--version' ? args : args[0] === '--' ? args : ['--', ...args],
  },
  async (it) => {
    const [format, ...args] = it.operands;
    if (format === undefined) throw new UsageError('missing operand');
    do {
      const before = args.length;
      if (await once(it, format, args)) return;
      if (args.length === before) {
        if (before > 0)
          await it.complain(`warning: ignoring excess arguments, starting with ${quote(args[0]!)}`);
        break;
      }
    } while (args.length > 0);
  },
);

/** One pass over the format; true if `\c` ended the output. */
async function once(it: Invocation, format: string, args: string[]): Promise<boolean> {
  const pieces = format.matchAll(
    /%%|%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?(?:[lhjztLq]+(?=[diouxXeEfFgGaAcs]))?([a-zA-Z])|((?:\\[^]|[^%\\])+|[^])/g,
  );
  for (const [whole, flags = '', widthText = '', precisionText, kind, literal] of pieces) {
    if (whole === '%%') {
      await it.out.put('%');
      continue;
    }
    if (kind === undefined && whole.startsWith('%')) {
      const bad = /^%[-+ #0]*\d*(?:\.\d*)?(?:.|$)/s.exec(format.slice(format.indexOf(whole)))![0];
      await it.warn(`${bad}: invalid conversion specification`);
      return true;
    }
    if (kind === undefined) {
      const { text, stopped } = expandEscapes(literal ?? whole, false);
      await it.out.put(text);
      if (stopped) return true;
      continue;
    }
    const width = widthText === '*' ? Number(args.shift() ?? 0) : Number(widthText || 0);
    const precision =
      precisionText === undefined
        ? undefined
        : precisionText === '*'
          ? Number(args.shift() ?? 0)
          : Number(precisionText || 0);
    const arg = args.shift();
    if (kind === 'b') {
      const { text, stopped } = expandEscapes(arg ?? '', true);
      await it.out.put(formatNumber(flags, width, precision, 's', text));
      if (stopped) return true;
    } else if (kind === 's' || kind === 'c')
      await it.out.put(formatNumber(flags, width, precision, kind, arg ?? ''));
    else if (kind === 'q') await it.out.put(arg === undefined || arg === '' ? "''" : quoteWhenNeeded(arg));
    else if ('diouxXeEfFgGaA'.includes(kind))
      await it.out.put(formatNumber(flags, width, precision, kind, await numberOf(it, arg)));
    else {
      await it.warn(`%${flags}${kind}: invalid conversion specification`);
      return true;
    }
  }
  return false;
}

/** What strtoimax gives for a number too large. */
const LARGEST = 2 ** 63;

async function numberOf(it: Invocation, arg: string | undefined): Promise<number> {
  if (arg === undefined || arg === '') return 0;
  if (/^['"]./u.test(arg)) return arg.codePointAt(1)!;
  const match = /^\s*([-+]?)(0[xX][0-9A-Fa-f]+|0[0-7]+(?![\d.])|\d*\.?\d*(?:[eE][-+]?\d+)?|inf|nan)/.exec(
    arg,
  );
  const digits = match?.[2] ?? '';
  if (digits === '' || match === null) {
    await it.warn(`${quote(arg)}: expected a numeric value`);
    return 0;
  }
  if (match[0].length < arg.length) await it.warn(`${quote(arg)}: value not completely converted`);
  const value = /^0[0-7]+$/.test(digits)
    ? Number.parseInt(digits, 8)
    : digits === 'inf'
      ? Infinity
      : Number(digits);
  const signed = match[1] === '-' ? -value : value;
  if (/^(?:\d+|0[xX][0-9a-fA-F]+)$/.test(digits) && (signed > 2 ** 63 || signed < -(2 ** 63))) {
    await it.warn(`${quote(arg)}: Numerical result out of range`);
    return signed > 0 ? LARGEST : -LARGEST;
  }
  return signed;
}
