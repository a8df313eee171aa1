// Option parsing in the manner of getopt_long(3), with its error texts.

/**
 * What a command accepts. `short` is getopt's string (`n:` takes an argument, `i::` may have one attached);
 * `long` holds `name`, `name:` or `name::`, each optionally followed by `>x`, the short option it stands for.
 */
export interface OptionTable {
  readonly short?: string;
  readonly long?: readonly string[];
  /** False: stop at the first operand (POSIXLY_CORRECT, as env and xargs do). */
  readonly permute?: boolean;
}

export interface ParsedOption {
  /** The short letter, or the long name where there is no letter. */
  readonly name: string;
  readonly value: string | undefined;
}

/** A wrong command line, in getopt's words. */
export class OptionError extends Error {}

/** The options and operands of one invocation, in order. */
export class Options {
  readonly list: readonly ParsedOption[];
  readonly operands: string[];
  constructor(list: readonly ParsedOption[], operands: string[]) {
    this.list = list;
    this.operands = operands;
  }

  has(...names: string[]): boolean {
    return this.list.some((option) => names.includes(option.name));
  }

  /** The argument of its last occurrence. */
  value(name: string): string | undefined {
    return this.list.findLast((option) => option.name === name)?.value;
  }

  values(name: string): string[] {
    return this.list.flatMap((option) =>
      option.name === name && option.value !== undefined ? [option.value] : [],
    );
  }

  /** Which of these was given last, for options that override each other. */
  last(...names: string[]): string | undefined {
    return this.list.findLast((option) => names.includes(option.name))?.name;
  }

  count(name: string): number {
    return this.list.filter((option) => option.name === name).length;
  }
}

type Taking = 'none' | 'required' | 'optional';

interface LongOption {
  readonly name: string;
  readonly taking: Taking;
  readonly as: string;
}

const compiled = new WeakMap<OptionTable, { short: Map<string, Taking>; long: LongOption[] }>();

function compile(table: OptionTable): { short: Map<string, Taking>; long: LongOption[] } {
  const known = compiled.get(table);
  if (known !== undefined) return known;
  const short = new Map<string, Taking>();
  for (const [, letter = '', colons = ''] of (table.short ?? '').matchAll(/(.)(:{0,2})/g))
    short.set(letter, takingOf(colons));
  const long = (table.long ?? []).map((entry): LongOption => {
    const [, name = '', colons = '', as] = /^([^:>]+)(:{0,2})(?:>(.+))?$/.exec(entry) ?? [];
    return { name, taking: takingOf(colons), as: as ?? name };
  });
  const result = { short, long };
  compiled.set(table, result);
  return result;
}

function takingOf(colons: string): Taking {
  return colons === '' ? 'none' : colons === ':' ? 'required' : 'optional';
}

/** Parses `args` (without the command's name). Throws OptionError. */
export function parseOptions(args: readonly string[], table: OptionTable): Options {
  const { short, long } = compile(table);
  const list: ParsedOption[] = [];
  const operands: string[] = [];
  let i = 0;

  const takeLong = (text: string): void => {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const attached = equals < 0 ? undefined : text.slice(equals + 1);
    const option = findLong(long, name, text);
    if (option.taking === 'none' && attached !== undefined) {
      throw new OptionError(`option '--${option.name}' doesn't allow an argument`);
    }
    let value = attached;
    if (option.taking === 'required' && value === undefined) {
      value = args[i++];
      if (value === undefined) throw new OptionError(`option '--${option.name}' requires an argument`);
    }
    list.push({ name: option.as, value });
  };

  const takeShort = (cluster: string): void => {
    const letters = [...cluster];
    for (let k = 0; k < letters.length; k++) {
      const letter = letters[k]!;
      const taking = letter === ':' ? undefined : short.get(letter);
      if (taking === undefined) throw new OptionError(`invalid option -- '${letter}'`);
      if (taking === 'none') {
        list.push({ name: letter, value: undefined });
        continue;
      }
      const rest = letters.slice(k + 1).join('');
      let value: string | undefined = rest === '' ? undefined : rest;
      if (value === undefined && taking === 'required') {
        value = args[i++];
        if (value === undefined) throw new OptionError(`option requires an argument -- '${letter}'`);
      }
      list.push({ name: letter, value });
      return;
    }
  };

  while (i < args.length) {
    const arg = args[i++]!;
    if (arg === '--') {
      operands.push(...args.slice(i));
      break;
    }
    if (arg.startsWith('--')) takeLong(arg.slice(2));
    else if (arg.startsWith('-') && arg !== '-') takeShort(arg.slice(1));
    else {
      operands.push(arg);
      if (table.permute === false) {
        operands.push(...args.slice(i));
        break;
      }
    }
  }
  return new Options(list, operands);
}

function findLong(long: readonly LongOption[], name: string, text: string): LongOption {
  const exact = long.find((option) => option.name === name);
  if (exact !== undefined) return exact;
  const candidates = long.filter((option) => option.name.startsWith(name));
  const first = candidates[0];
  if (first === undefined) throw new OptionError(`unrecognized option '--${text}'`);
  if (candidates.every((option) => option.as === first.as)) return first;
  const names = candidates.map((option) => `'--${option.name}'`).join(' ');
  throw new OptionError(`option '--${name}' is ambiguous; possibilities: ${names}`);
}
