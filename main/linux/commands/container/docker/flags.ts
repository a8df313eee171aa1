// Flags in the manner of docker's own parser (pflag): its messages, and where flags end.

/** Gives up with a text on stderr and a status; '' prints nothing. */
export class CliError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Flags {
  readonly operands: readonly string[];
  has(name: string): boolean;
  /** Of its last occurrence. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

interface Flag {
  readonly name: string;
  readonly takesValue: boolean;
}

/**
 * `table` holds words like `a,all` (a switch), `n,last=` (takes a value), `rm`. With `stops` the first operand ends the
 * flags, as for run and exec. Throws CliError.
 */
export function parseFlags(command: string, args: readonly string[], table: string, stops = false): Flags {
  const known = new Map<string, Flag>();
  for (const word of table.split(' ').filter((each) => each !== '')) {
    const takesValue = word.endsWith('=');
    const names = word.replace(/=$/, '').split(',');
    const flag = { name: names.at(-1)!, takesValue };
    for (const name of names) known.set(name, flag);
  }
  const found: [name: string, value: string][] = [];
  const operands: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!;
    if (word === '--') {
      operands.push(...args.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      if (!stops) continue;
      operands.push(...args.slice(index + 1));
      break;
    }
    if (word.startsWith('--')) {
      const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
      const flag = known.get(name);
      if (flag === undefined) throw new CliError(`unknown flag: --${name}\nSee '${command} --help'.`, 125);
      if (flag.takesValue && value === undefined && index + 1 >= args.length)
        throw new CliError(`flag needs an argument: --${name}\nSee '${command} --help'.`, 125);
      found.push([flag.name, value ?? (flag.takesValue ? args[++index]! : 'true')]);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!;
      const flag = known.get(letter);
      if (flag === undefined)
        throw new CliError(`unknown shorthand flag: '${letter}' in ${word}\nSee '${command} --help'.`, 125);
      if (!flag.takesValue) {
        const assigned = /^=(.*)$/.exec(word.slice(at + 1))?.[1];
        found.push([flag.name, assigned ?? 'true']);
        if (assigned !== undefined) break;
        continue;
      }
      const rest = word.slice(at + 1).replace(/^=/, '');
      if (rest === '' && index + 1 >= args.length)
        throw new CliError(`flag needs an argument: '${letter}' in ${word}\nSee '${command} --help'.`, 125);
      found.push([flag.name, rest === '' ? args[++index]! : rest]);
      break;
    }
  }
  return {
    operands,
    has: (name) => found.findLast(([each]) => each === name)?.[1].match(/^(false|0)$/) === null,
    value: (name) => found.findLast(([each]) => each === name)?.[1],
    values: (name) => found.filter(([each]) => each === name).map(([, value]) => value),
  };
}
