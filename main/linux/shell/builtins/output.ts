// echo and printf.
import { DashFailure, textual, usageError, type Builtin } from './support.ts';
import { decodeEscape, decodeEscapes } from '../syntax/ansi-c.ts';
import { quoteForPrintf } from '../quoting.ts';
import { strftime } from '../strftime.ts';
import type { Shell } from '../shell.ts';
import { textToBytes, bytesToText, normalizeText } from '../bytes.ts';

const echo = textual(async (shell, args) => {
  let newline = true;
  let escapes = shell.shopts.has('xpg_echo');
  let i = 0;
  for (; i < args.length && /^-[neE]+$/.test(args[i]!); i++) {
    for (const letter of args[i]!.slice(1)) {
      if (letter === 'n') newline = false;
      else escapes = letter === 'e';
    }
  }
  const text = args.slice(i).join(' ');
  if (!escapes) {
    await shell.out(newline ? `${text}\n` : text);
    return 0;
  }
  const { value, stopped } = decodeEscapes(text, 'echo');
  await shell.out(newline && !stopped ? `${value}\n` : value);
  return 0;
});

const printf = textual(async (shell, args) => {
  if (shell.dialect.name === 'ash' && args[0] === undefined) {
    await shell.error('usage: printf FORMAT [ARGUMENT...]');
    return 2;
  }
  if (shell.dialect.name === 'dash') {
    if (args[0] === undefined || (args[0] === '--' && args[1] === undefined))
      throw new DashFailure('usage: printf format [arg ...]');
    if (/^-[^-]/.test(args[0])) throw new DashFailure(`Illegal option ${args[0].slice(0, 2)}`);
  }
  const usage = 'printf [-v var] format [arguments]';
  let target: string | undefined;
  let rest = args;
  if (rest[0] === '-v') {
    if (rest[1] === undefined) return usageError(shell, 'printf', '-v: option requires an argument', usage);
    target = rest[1];
    if (!/^[A-Za-z_][A-Za-z0-9_]*(\[.*\])?$/s.test(target)) {
      await shell.error(`printf: \`${target}': not a valid identifier`);
      return 2;
    }
    rest = rest.slice(2);
  }
  if (rest[0] === '--') rest = rest.slice(1);
  else if (rest[0] !== undefined && /^-./.test(rest[0]))
    return usageError(shell, 'printf', `${rest[0].slice(0, 2)}: invalid option`, usage);
  if (rest.length === 0) {
    await shell.err(`printf: usage: ${usage}\n`);
    return 2;
  }
  const formatter = new Formatter(shell, rest[0]!, rest.slice(1));
  const output = await formatter.run();
  if (target === undefined) {
    await shell.out(output);
  } else {
    const match = /^([^[]+)\[(.*)\]$/s.exec(target);
    if (match === null) shell.vars.set(target, output);
    else shell.vars.setElement(match[1]!, match[2]!, output);
  }
  return formatter.status;
});

/** One run of printf: the format is used again until the arguments are. */
class Formatter {
  status = 0;
  private readonly shell: Shell;
  private readonly format: string;
  private readonly args: readonly string[];
  private next = 0;
  private stopped = false;

  constructor(shell: Shell, format: string, args: readonly string[]) {
    this.shell = shell;
    this.format = format;
    this.args = args;
  }

  async run(): Promise<string> {
    let output = '';
    do {
      const before = this.next;
      output += await this.once();
      if (this.next === before) break;
    } while (this.next < this.args.length && !this.stopped);
    return normalizeText(output);
  }

  private argument(): string | undefined {
    return this.args[this.next++];
  }

  private async once(): Promise<string> {
    let output = '';
    for (let i = 0; i < this.format.length && !this.stopped;) {
      const c = this.format[i]!;
      if (c === '\\') {
        const escape = decodeEscape(this.format, i, 'printf');
        if (this.format[i + 1] === 'c') {
          this.stopped = true;
          break;
        }
        output += escape.value;
        i += escape.length;
        continue;
      }
      if (c !== '%') {
        output += c;
        i++;
        continue;
      }
      const spec =
        /^%([-+ #0']*)(\*|[0-9]+)?(?:\.(\*|-?[0-9]*))?(?:hh|h|ll|l|L|q|j|z|t)?(\([^)]*\)T|[a-zA-Z%])?/.exec(
          this.format.slice(i),
        )!;
      const loneQ = spec[4] === undefined && spec[0].endsWith('q');
      const conversion = loneQ ? 'q' : spec[4];
      if (this.shell.dialect.name === 'dash' && !/^[diouxXfFeEgGaAcsb%]$/.test(conversion ?? '')) {
        if (output !== '') await this.shell.out(output);
        throw new DashFailure(
          spec[0] === '%' && this.format[i + 1] === undefined
            ? 'missing format character'
            : `%${this.format[i + 1]}: invalid directive`,
        );
      }
      if (conversion === undefined) {
        await this.shell.error(
          `printf: \`${this.format[i + spec[0].length] ?? '%'}': ${this.format[i + spec[0].length] === undefined ? 'missing format character' : 'invalid format character'}`,
        );
        this.status = 1;
        this.stopped = true;
        break;
      }
      i += spec[0].length;
      output += await this.convert(spec[1]!, spec[2], spec[3], conversion, spec[3] !== undefined);
    }
    return output;
  }

  private async convert(
    flags: string,
    widthText: string | undefined,
    precisionText: string | undefined,
    conversion: string,
    precise: boolean,
  ): Promise<string> {
    if (conversion === '%') return '%';
    let left = flags.includes('-');
    let width = widthText === '*' ? Number(await this.integer()) : Number(widthText ?? 0);
    if (width < 0) {
      left = true;
      width = -width;
    }
    let precision = precise
      ? precisionText === '*'
        ? Number(await this.integer())
        : Number(precisionText || 0)
      : undefined;
    if (precision !== undefined && precision < 0) precision = undefined;
    const pad = (text: string, zero = false): string => {
      const { length } = textToBytes(text); // bash counts bytes here.
      if (length >= width) return text;
      if (left) return text + ' '.repeat(width - length);
      if (!zero) return ' '.repeat(width - length) + text;
      const sign = /^(?:[-+ ]|0[xX])?/.exec(text)![0];
      return sign + '0'.repeat(width - length) + text.slice(sign.length);
    };
    const zero = flags.includes('0') && !left;
    if (conversion.endsWith('T')) return pad(cut(await this.time(conversion.slice(1, -2)), precision));
    switch (conversion) {
      case 's':
        return pad(cut(this.argument() ?? '', precision));
      case 'b': {
        const { value, stopped } = decodeEscapes(this.argument() ?? '', 'echo');
        if (stopped) this.stopped = true;
        return pad(cut(value, precision));
      }
      case 'q':
        return pad(cut(quoteForPrintf(this.argument() ?? ''), precision));
      case 'Q':
        return pad(quoteForPrintf(cut(this.argument() ?? '', precision)));
      case 'c': {
        const bytes = textToBytes(this.argument() ?? '').subarray(0, 1);
        return pad(bytes.length === 0 ? '\0' : bytesToText(bytes));
      }
      case 'd':
      case 'i': {
        const value = await this.integer();
        const digits = String(value < 0n ? -value : value).padStart(precision ?? 1, '0');
        const sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
        return pad(sign + (precision === 0 && value === 0n ? '' : digits), zero && precision === undefined);
      }
      case 'u':
      case 'o':
      case 'x':
      case 'X': {
        const value = BigInt.asUintN(64, await this.integer());
        const base = conversion === 'u' ? 10 : conversion === 'o' ? 8 : 16;
        let digits = value.toString(base).padStart(precision ?? 1, '0');
        if (flags.includes('#') && value !== 0n)
          digits = base === 8 ? `0${digits}` : base === 16 ? `0x${digits}` : digits;
        return pad(conversion === 'X' ? digits.toUpperCase() : digits, zero && precision === undefined);
      }
      case 'f':
      case 'F':
      case 'e':
      case 'E':
      case 'g':
      case 'G':
      case 'a':
      case 'A':
        return pad(formatFloat(await this.float(), conversion, precision, flags), zero);
      default:
        await this.shell.error(`printf: \`${conversion}': invalid format character`);
        this.status = 1;
        this.stopped = true;
        return '';
    }
  }

  private async time(format: string): Promise<string> {
    const given = this.next < this.args.length ? Number(await this.integer()) : -1;
    const now = this.shell.proc.clock.now();
    const seconds =
      given === -1 ? Math.floor(now / 1000) : given === -2 ? Math.floor(this.shell.startMs / 1000) : given;
    return strftime(format === '' ? '%X' : format, seconds * 1000);
  }

  private async invalid(text: string): Promise<void> {
    const kind = /^0[xX]/.test(text) ? 'hex number' : text.startsWith('0') ? 'octal number' : 'number';
    const isPartly = /^\s*[-+]?[0-9]/.test(text);
    await this.shell.error(
      this.shell.dialect.name === 'ash'
        ? `invalid number '${text}'`
        : this.shell.dialect.name === 'dash'
          ? `printf: ${text}: ${isPartly ? 'not completely converted' : 'expected numeric value'}`
          : `printf: ${text}: invalid ${kind}`,
    );
    this.status = 1;
  }

  private async integer(): Promise<bigint> {
    const text = this.argument();
    if (text === undefined || text === '') return 0n;
    if (/^["']/.test(text)) return BigInt(text.codePointAt(1) ?? 0);
    const match = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(.*)$/s.exec(text);
    if (match === null) {
      await this.invalid(text);
      return 0n;
    }
    if (match[3]!.trim() !== '') await this.invalid(text);
    const digits = match[2]!;
    const magnitude = /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
    const value = match[1] === '-' ? -magnitude : magnitude;
    if (value > 9223372036854775807n || value < -9223372036854775808n) {
      await this.shell.err(`${this.shell.prefix()}printf: warning: ${text}: Numerical result out of range\n`);
      return value > 0n ? 9223372036854775807n : -9223372036854775808n;
    }
    return value;
  }

  private async float(): Promise<number> {
    const text = this.argument();
    if (text === undefined || text === '') return 0;
    if (/^["']/.test(text)) return text.codePointAt(1) ?? 0;
    const match =
      /^\s*([-+]?(?:inf(?:inity)?|nan|0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?))(.*)$/is.exec(
        text,
      );
    if (match === null) {
      await this.invalid(text);
      return 0;
    }
    if (match[2] !== '') await this.invalid(text);
    const body = match[1]!.toLowerCase();
    if (body.includes('inf')) return body.startsWith('-') ? -Infinity : Infinity;
    return body.includes('nan') ? Number.NaN : Number(body);
  }
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : bytesToText(textToBytes(text).subarray(0, precision));
}

/** The most decimals that toFixed gives. */
const EXACT_DIGITS = 100;

/** %f, %e and %g of C. */
function formatFloat(
  value: number,
  conversion: string,
  precision: number | undefined,
  flags: string,
): string {
  const lower = conversion.toLowerCase();
  const magnitude = Math.abs(value);
  const sign =
    value < 0 || Object.is(value, -0) ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  let text: string;
  if (!Number.isFinite(value)) text = Number.isNaN(value) ? 'nan' : 'inf';
  else if (lower === 'f') text = toFixed(magnitude, precision ?? 6);
  else if (lower === 'e') text = exponent(magnitude, precision ?? 6);
  else text = general(magnitude, precision ?? 6, flags.includes('#'));
  return sign + (conversion === lower ? text : text.toUpperCase());
}

function toFixed(value: number, places: number): string {
  if (value >= 1e21) return BigInt(value).toString() + (places > 0 ? `.${'0'.repeat(places)}` : '');
  const rounded = value.toFixed(Math.min(places, EXACT_DIGITS));
  // C rounds a tie to the even digit, JavaScript up.
  const exact = value.toFixed(EXACT_DIGITS);
  const cutAt = exact.indexOf('.') + 1 + places;
  if (places >= EXACT_DIGITS || !/^50*$/.test(exact.slice(cutAt))) return rounded;
  const down = places === 0 ? exact.slice(0, cutAt - 1) : exact.slice(0, cutAt);
  return '02468'.includes(down.at(-1)!) ? down : rounded;
}

function exponent(value: number, places: number): string {
  return value.toExponential(Math.min(places, EXACT_DIGITS)).replace(/e([-+])([0-9])$/, 'e$10$2');
}

function general(value: number, precision: number, alternate: boolean): string {
  const digits = precision === 0 ? 1 : precision;
  const power = value === 0 ? 0 : Number(value.toExponential(Math.min(100, digits - 1)).split('e')[1]);
  const text =
    power < -4 || power >= digits ? exponent(value, digits - 1) : toFixed(value, digits - 1 - power);
  if (alternate || !text.includes('.')) return text;
  return text.replace(/\.?0+(?=e|$)/, '');
}

export const outputBuiltins: readonly (readonly [string, Builtin])[] = [
  ['echo', echo],
  ['printf', printf],
];
