// Flags in the manner of spf13/pflag: parsing, with its error texts.
import { CommandError } from './command-error.ts';

export type FlagKind = 'string' | 'bool' | 'int' | 'duration' | 'stringSlice' | 'stringArray' | 'enumOrBool';

/** A flag that a command takes. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly kind: FlagKind;
  /** Its text form, as help prints it; absent: the kind's zero. */
  readonly default?: string;
  /** What `--name` without a value means (pflag's NoOptDefVal). */
  readonly bare?: string;
  readonly usage?: string;
  readonly hidden?: boolean;
  /** One of those that every command takes, not one of its own by the same name. */
  readonly isGlobal?: boolean;
}

/** The values of one command line: by flag name, the last given, or all of them for lists. */
export class FlagValues {
  private readonly flags: ReadonlyMap<string, Flag>;
  private readonly given = new Map<string, string[]>();

  constructor(flags: ReadonlyMap<string, Flag>) {
    this.flags = flags;
  }

  add(flag: Flag, text: string): void {
    const values = flag.kind === 'stringSlice' ? splitComma(text) : [text];
    if (flag.kind === 'stringSlice' || flag.kind === 'stringArray') {
      this.given.set(flag.name, [...(this.given.get(flag.name) ?? []), ...values]);
    } else this.given.set(flag.name, values);
  }

  /** True when the flag stood on the command line. */
  changed(name: string): boolean {
    return this.given.has(name);
  }

  /** True when the flag that every command has was given: `create rolebinding --user` is another. */
  changedGlobally(name: string): boolean {
    return this.given.has(name) && this.flags.get(name)?.isGlobal === true;
  }

  /** Empty when neither given nor defaulted. */
  string(name: string): string {
    return this.given.get(name)?.at(-1) ?? this.flags.get(name)?.default ?? '';
  }

  bool(name: string): boolean {
    return ['true', '1', 't', 'T', 'TRUE', 'True'].includes(this.string(name));
  }

  int(name: string): number {
    return Number(this.string(name) || '0');
  }

  list(name: string): string[] {
    const given = this.given.get(name);
    if (given !== undefined) return given;
    const preset = this.flags.get(name)?.default;
    return preset === undefined || preset === '' || preset === '[]' ? [] : splitComma(preset);
  }

  /** In milliseconds; Infinity never occurs, negative may. */
  durationMs(name: string): number {
    return parseGoDuration(this.string(name) || '0s') ?? 0;
  }
}

/** Separates flags from arguments; flags may stand anywhere before `--`. Throws CommandError in pflag's words. */
export function parseFlags(
  args: readonly string[],
  flags: readonly Flag[],
): {
  readonly values: FlagValues;
  readonly args: string[];
  /** How many arguments stood before `--`; -1 without one. */ readonly dash: number;
} {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const byShort = new Map(
    flags.flatMap((flag) => (flag.short === undefined ? [] : [[flag.short, flag] as const])),
  );
  const values = new FlagValues(byName);
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === '--') {
      const dash = rest.length;
      rest.push(...args.slice(index + 1));
      return { values, args: rest, dash };
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = equals === -1 ? arg.slice(2) : arg.slice(2, equals);
      const flag = byName.get(name);
      if (flag === undefined) throw new CommandError(`unknown flag: --${name}`, 'usage');
      if (equals !== -1) set(values, flag, arg.slice(equals + 1), `--${name}`);
      else if (bareOf(flag) !== undefined) set(values, flag, bareOf(flag)!, `--${name}`);
      else {
        const next = args[++index];
        if (next === undefined) throw new CommandError(`flag needs an argument: --${name}`, 'usage');
        set(values, flag, next, `--${name}`);
      }
    } else if (arg.startsWith('-') && arg.length > 1) {
      index += parseShorts(arg.slice(1), args[index + 1], byShort, values);
    } else rest.push(arg);
  }
  return { values, args: rest, dash: -1 };
}

/** One cluster of short flags; tells how many further arguments it took. */
function parseShorts(
  cluster: string,
  next: string | undefined,
  byShort: ReadonlyMap<string, Flag>,
  values: FlagValues,
): number {
  for (let at = 0; at < cluster.length; at++) {
    const letter = cluster[at]!;
    const flag = byShort.get(letter);
    if (flag === undefined)
      throw new CommandError(`unknown shorthand flag: '${letter}' in -${cluster.slice(at)}`, 'usage');
    const label = `-${letter}, --${flag.name}`;
    const tail = cluster.slice(at + 1);
    if (tail.startsWith('=')) return (set(values, flag, tail.slice(1), label), 0);
    const bare = bareOf(flag);
    if (bare !== undefined) {
      set(values, flag, bare, label);
      continue;
    }
    if (tail !== '') return (set(values, flag, tail, label), 0);
    if (next === undefined)
      throw new CommandError(`flag needs an argument: '${letter}' in -${cluster.slice(at)}`, 'usage');
    return (set(values, flag, next, label), 1);
  }
  return 0;
}

function bareOf(flag: Flag): string | undefined {
  return flag.bare ?? (flag.kind === 'bool' ? 'true' : undefined);
}

function set(values: FlagValues, flag: Flag, text: string, label: string): void {
  const problem = problemOf(flag, text);
  if (problem !== undefined)
    throw new CommandError(`invalid argument "${text}" for "${label}" flag: ${problem}`, 'usage');
  values.add(flag, text);
}

function problemOf(flag: Flag, text: string): string | undefined {
  if (flag.kind === 'int' && !/^[+-]?\d+$/.test(text))
    return `strconv.ParseInt: parsing "${text}": invalid syntax`;
  if (flag.kind === 'bool' && !/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(text)) {
    return `strconv.ParseBool: parsing "${text}": invalid syntax`;
  }
  if (flag.kind === 'duration' && parseGoDuration(text) === undefined) return durationProblem(text);
  return undefined;
}

function durationProblem(text: string): string {
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)
    ? `time: missing unit in duration "${text}"`
    : `time: invalid duration "${text}"`;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's time.ParseDuration, in milliseconds; undefined where it would fail. */
function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)$/.exec(text);
  if (match === null) return undefined;
  let total = 0;
  for (const [, amount, unit] of match[2]!.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * UNITS_MS[unit!]!;
  }
  return match[1] === '-' ? -total : total;
}

function splitComma(text: string): string[] {
  return text === '' ? [] : text.split(',');
}
