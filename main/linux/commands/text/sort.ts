// sort(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { textToBytes } from '../../shell/index.ts';
import { compareNames, compareVersions } from '../frame/collate.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { lineBatches, readAllText } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

/** Memory that a line takes beside its text. */
const LINE_BYTES = 16;

interface Key {
  readonly field: number;
  readonly char: number;
  readonly endField: number | undefined;
  readonly endChar: number;
  readonly flags: string;
}

/** sort(1) */
export const sort: Program = command(
  {
    short: 'bcCdfghiMmnRrsuVzk:o:S:t:T:',
    long: [
      'ignore-leading-blanks>b',
      'dictionary-order>d',
      'ignore-case>f',
      'general-numeric-sort>g',
      'ignore-nonprinting>i',
      'month-sort>M',
      'human-numeric-sort>h',
      'numeric-sort>n',
      'random-sort>R',
      'reverse>r',
      'version-sort>V',
      'check::>c',
      'key:>k',
      'merge>m',
      'output:>o',
      'stable>s',
      'buffer-size:>S',
      'field-separator:>t',
      'temporary-directory:>T',
      'parallel:',
      'unique>u',
      'zero-terminated>z',
      'debug',
      'sort:',
      'random-source:',
      'files0-from:',
      'compress-program:',
      'batch-size:',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Write sorted concatenation of all FILE(s) to standard output.',
    version: '(GNU coreutils) 9.1',
    usageExit: 2,
  },
  async (it) => {
    const { options } = it;
    const separator = options.value('t');
    if (separator === '') throw new Failure('empty tab', 2);
    if (separator !== undefined && [...separator].length > 1 && separator !== '\\0')
      throw new Failure(`multi-character tab ${quote(separator)}`, 2);
    const keys = options.values('k').map(parseKey);
    const named = options.value('sort');
    const sortLetter = named === undefined ? '' : SORTS[named];
    if (sortLetter === undefined)
      throw new Failure(
        `invalid argument ${quote(named!)} for ${quote('--sort')}\nValid arguments are:\n${Object.keys(SORTS)
          .map((one) => `  - ${quote(one)}`)
          .join('\n')}\nTry '${it.name} --help' for more information.`,
        1,
      );
    const global = ['b', 'd', 'f', 'g', 'h', 'i', 'M', 'n', 'r', 'R', 'V']
      .filter((letter) => options.has(letter) || letter === sortLetter)
      .join('');
    const orders = [...global].filter((letter) => 'ghnMRV'.includes(letter));
    if (orders.length > 1) throw new Failure(`options '-${orders.toSorted().join('')}' are incompatible`, 2);
    const compare = comparer(keys, global, separator, options.has('s') || options.has('u'));
    const end = options.has('z') ? '\0' : '\n';
    const lines: string[] = [];
    const list = options.value('files0-from');
    for (const path of list === undefined ? it.inputs : await listed(it, list)) {
      try {
        const file = it.open(path);
        let kept = 0;
        for await (const batch of lineBatches(file, end)) {
          for (const line of batch) {
            lines.push(line.text);
            kept += LINE_BYTES + line.text.length;
          }
          file.keep(kept);
        }
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        throw new Failure(
          `${error.code === 'EISDIR' ? 'read failed' : 'cannot read'}: ${path}: ${error.message}`,
          2,
        );
      }
    }
    if (options.has('c', 'C')) return check(it, lines, compare);
    if (global.includes('R')) shuffle(it, lines);
    else lines.sort(compare);
    const equal = options.has('u') ? comparer(keys, global, separator, true) : undefined;
    const kept =
      equal === undefined
        ? lines
        : lines.filter((line, index) => index === 0 || equal(lines[index - 1]!, line) !== 0);
    const output = options.value('o');
    if (output !== undefined) {
      it.proc.fs.writeFile(output, textToBytes(kept.map((line) => line + end).join('')));
      return 0;
    }
    for (const line of kept) await it.out.put(line + end);
    return 0;
  },
);

/** The files a list names, each ended by a NUL. */
async function listed(it: Invocation, path: string): Promise<string[]> {
  try {
    return (await readAllText(it.open(path))).split('\0').filter((name) => name !== '');
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`open failed: ${path}: ${error.message}`, 2);
  }
}

async function check(
  it: Invocation,
  lines: readonly string[],
  compare: (a: string, b: string) => number,
): Promise<number> {
  for (let i = 1; i < lines.length; i++) {
    const order = compare(lines[i - 1]!, lines[i]!);
    if (order > 0 || (order === 0 && it.options.has('u'))) {
      const mode = it.options.value('c');
      if (!it.options.has('C') && mode !== 'quiet' && mode !== 'silent')
        await it.complain(`${it.inputs[0]}:${i + 1}: disorder: ${lines[i]}`);
      return 1;
    }
  }
  return 0;
}

function shuffle(it: Invocation, lines: string[]): void {
  for (let i = lines.length - 1; i > 0; i--) {
    const j = it.proc.random.integer(i + 1);
    [lines[i], lines[j]] = [lines[j]!, lines[i]!];
  }
}

function parseKey(text: string): Key {
  const match = /^(\d+)(?:\.(\d+))?([bdfgiMhnRrV]*)(?:,(\d+)(?:\.(\d+))?([bdfgiMhnRrV]*))?$/.exec(text);
  if (match === null)
    throw new Failure(`invalid number at field start: invalid count at start of ${quote(text)}`, 2);
  if (Number(match[1]) === 0)
    throw new Failure(`field number is zero: invalid field specification ${quote(text)}`, 2);
  return {
    field: Number(match[1]),
    char: Number(match[2] ?? 1),
    endField: match[4] === undefined ? undefined : Number(match[4]),
    endChar: Number(match[5] ?? 0),
    flags: match[3]! + (match[6] ?? ''),
  };
}

function comparer(
  keys: readonly Key[],
  global: string,
  separator: string | undefined,
  stable: boolean,
): (a: string, b: string) => number {
  const last = (a: string, b: string): number =>
    stable ? 0 : global.includes('r') ? compareNames(b, a) : compareNames(a, b);
  if (keys.length === 0) {
    const plain = global.replace('r', '');
    return (a, b) => {
      const order = compareBy(plain, a, b);
      const signed = global.includes('r') ? -order : order;
      return signed === 0 && plain !== '' ? last(a, b) : signed;
    };
  }
  return (a, b) => {
    for (const key of keys) {
      const flags = key.flags === '' ? global : key.flags;
      const order = compareBy(flags, extract(a, key, separator, flags), extract(b, key, separator, flags));
      if (order !== 0) return flags.includes('r') ? -order : order;
    }
    return last(a, b);
  };
}

function extract(line: string, key: Key, separator: string | undefined, flags: string): string {
  // Without -t a field begins with the blanks before it.
  const bounds: [number, number][] = [];
  if (separator === undefined)
    for (const match of line.matchAll(/[ \t]*[^ \t]*/g)) {
      if (match[0] !== '') bounds.push([match.index, match.index + match[0].length]);
    }
  else {
    const tab = separator === '\\0' ? '\0' : separator;
    let at = 0;
    for (const part of line.split(tab)) {
      bounds.push([at, at + part.length]);
      at += part.length + tab.length;
    }
  }
  const from = bounds[key.field - 1];
  if (from === undefined) return '';
  let start = from[0];
  if (flags.includes('b') || (separator === undefined && key.char > 1 && flags.includes('b')))
    while (/[ \t]/.test(line[start] ?? '')) start++;
  start += key.char - 1;
  if (key.endField === undefined) return line.slice(start);
  const to = bounds[key.endField - 1];
  if (to === undefined) return line.slice(start);
  return line.slice(start, key.endChar === 0 ? to[1] : to[0] + key.endChar);
}

const SORTS: Readonly<Record<string, string>> = {
  'general-numeric': 'g',
  'human-numeric': 'h',
  month: 'M',
  numeric: 'n',
  random: 'R',
  version: 'V',
};
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const SCALE: Readonly<Record<string, number>> = { K: 1, k: 1, M: 2, G: 3, T: 4, P: 5, E: 6, Z: 7, Y: 8 };

function compareBy(flags: string, a: string, b: string): number {
  if (flags.includes('n')) return numeric(a) - numeric(b);
  if (flags.includes('g')) {
    const [x, y] = [general(a), general(b)];
    return x < y ? -1 : x > y ? 1 : 0; // Two that are no numbers are equal.
  }
  if (flags.includes('h')) {
    // With -f a small e is the E of exa.
    const raised = (text: string): string => (flags.includes('f') ? text.toUpperCase() : text);
    return human(raised(a)) - human(raised(b));
  }
  if (flags.includes('M')) return month(a) - month(b);
  if (flags.includes('V')) {
    const bare = (text: string): string => (flags.includes('b') ? text.replace(/^[ \t]+/, '') : text);
    return compareVersions(bare(a), bare(b));
  }
  const clean = (text: string): string => {
    let s = flags.includes('b') ? text.replace(/^[ \t]+/, '') : text;
    if (flags.includes('d')) s = s.replaceAll(/[^\p{L}\p{Nd} \t]/gu, '');
    return flags.includes('f') ? s.toUpperCase() : s;
  };
  return compareNames(clean(a), clean(b));
}

function numeric(text: string): number {
  return Number(/^\s*(-?\d*\.?\d*)/.exec(text)?.[1] ?? 0) || 0;
}

function general(text: string): number {
  const hex = /^\s*([-+]?)0[xX]([0-9a-fA-F]+)/.exec(text);
  if (hex !== null) return (hex[1] === '-' ? -1 : 1) * Number.parseInt(hex[2]!, 16);
  const value = Number.parseFloat(text);
  return Number.isNaN(value) ? -Infinity : value;
}

function human(text: string): number {
  const [, digits = '0', unit = ''] = /^\s*(-?\d*\.?\d*)([KkMGTPEZY]?)/.exec(text) ?? [];
  return (Number(digits) || 0) * 1e6 ** (SCALE[unit] ?? 0);
}

function month(text: string): number {
  return MONTHS.indexOf(text.trim().slice(0, 3).toUpperCase());
}
