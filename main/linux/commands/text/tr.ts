// tr(1)
import type { Program } from '../../kernel/index.ts';
import { textToBytes } from '../../shell/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\u0000-\u001f\u007f]/,
  digit: /\d/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /\s/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** tr(1), by bytes, as GNU's is. */
export const tr: Program = command(
  {
    short: 'cCdst',
    long: ['complement>c', 'delete>d', 'squeeze-repeats>s', 'truncate-set1>t'],
    permute: false,
    usage: '[OPTION]... STRING1 [STRING2]',
    summary: 'Translate, squeeze, and/or delete characters from standard input, writing to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options } = it;
    const [one, two, three] = it.operands;
    const remove = options.has('d');
    const squeeze = options.has('s');
    if (one === undefined) throw new UsageError('missing operand');
    if (two === undefined && (remove ? squeeze : !squeeze)) {
      throw new UsageError(
        `missing operand after ${quote(one)}\nTwo strings must be given when ${remove ? 'both deleting and squeezing repeats' : 'translating'}.`,
      );
    }
    if (three !== undefined) throw new UsageError(`extra operand ${quote(three)}`);
    if (two !== undefined && remove && !squeeze)
      throw new UsageError(
        `extra operand ${quote(two)}\nOnly one string may be given when deleting without squeezing repeats.`,
      );
    const complement = options.has('c', 'C');
    for (const set of [one, two ?? ''])
      if (/(?:^|[^\\])(?:\\\\)*\\$/.test(set))
        await it.complain('warning: an unescaped backslash at end of string is not portable');
    const set1 = expand(latin(one));
    const translating = two !== undefined && !remove;
    if (translating) checkClasses(one, two);
    const set2 =
      two === undefined ? [] : expand(latin(two), complement ? 256 - new Set(set1).size : set1.length);
    const inSet1 = new Uint8Array(256).fill(complement ? 1 : 0);
    for (const code of set1) inSet1[code] = complement ? 0 : 1;
    const map = Uint8Array.from({ length: 256 }, (_, code) => code);
    if (translating) {
      if (set2.length === 0 && !options.has('t'))
        throw new Failure('when not truncating set1, string2 must be non-empty');
      const from = complement
        ? Array.from({ length: 256 }, (_, code) => code).filter((code) => inSet1[code])
        : set1;
      from.forEach((code, index) => {
        if (index < set2.length || !options.has('t')) map[code] = set2[Math.min(index, set2.length - 1)]!;
      });
    }
    const squeezed = new Uint8Array(256);
    if (squeeze && two === undefined) squeezed.set(inSet1);
    else if (squeeze) for (const code of set2) squeezed[code] = 1;
    let last = -1;
    for (;;) {
      const chunk = await it.proc.stdin.read(65_536);
      if (chunk.length === 0) return;
      const out = new Uint8Array(chunk.length);
      let length = 0;
      for (const code of chunk) {
        if (remove && inSet1[code] === 1) continue;
        const next = map[code]!;
        if (next === last && squeezed[next] === 1) continue;
        last = next;
        out[length++] = next;
      }
      await it.out.put(out.subarray(0, length));
      await it.out.flush();
    }
  },
);

/** A text as its bytes, one character each. */
function latin(text: string): string {
  return Buffer.from(textToBytes(text)).toString('latin1');
}

/** Throws a Failure for classes in STRING2 that don't translate those of STRING1. */
function checkClasses(one: string, two: string): void {
  const classes = [...two.matchAll(/\[:([a-z]+):\]/g)];
  if (classes.some((found) => found[1] !== 'upper' && found[1] !== 'lower'))
    throw new Failure(
      "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'",
    );
  for (const found of classes)
    if (expand(latin(two.slice(0, found.index))).length !== beforeCase(one, found[1]!))
      throw new Failure('misaligned [:upper:] and/or [:lower:] construct');
}

/** How many characters of STRING1 stand before its class of letters of the other case; -1 without one. */
function beforeCase(one: string, name: string): number {
  for (const found of one.matchAll(/\[:(upper|lower):\]/g)) {
    const length = expand(latin(one.slice(0, found.index))).length;
    if (name === 'upper' || name === 'lower') return length;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
};

/** The bytes of a set; `[x*]` fills up to `length`. */
function expand(text: string, length = 0): number[] {
  const out: number[] = [];
  let rest = text;
  const one = (): { c: string; literal: boolean } | undefined => {
    const octal = /^\\([0-7]{1,3})/.exec(rest);
    if (octal !== null) {
      rest = rest.slice(octal[0].length);
      return { c: String.fromCharCode(Number.parseInt(octal[1]!, 8) & 0xff), literal: true };
    }
    if (rest.startsWith('\\') && rest.length > 1) {
      const c = String.fromCodePoint(rest.codePointAt(1)!);
      rest = rest.slice(1 + c.length);
      return { c: ESCAPES[c] ?? c, literal: true };
    }
    if (rest === '') return undefined;
    const c = String.fromCodePoint(rest.codePointAt(0)!);
    rest = rest.slice(c.length);
    return { c, literal: false };
  };
  while (rest !== '') {
    const named = /^\[:([a-z]+):\]/.exec(rest);
    if (named !== null) {
      const known = CLASSES[named[1]!];
      if (known === undefined) throw new Failure(`invalid character class ${quote(named[1]!)}`);
      for (let code = 0; code < 128; code++) if (known.test(String.fromCharCode(code))) out.push(code);
      rest = rest.slice(named[0].length);
      continue;
    }
    const same = /^\[=(.)=\]/u.exec(rest);
    if (same !== null) {
      out.push(same[1]!.charCodeAt(0));
      rest = rest.slice(same[0].length);
      continue;
    }
    const fill = /^\[(\\.|[^\\])\*(\d*)\]/u.exec(rest);
    if (fill !== null) {
      const c = fill[1]!.startsWith('\\') ? (ESCAPES[fill[1]![1]!] ?? fill[1]![1]!) : fill[1]!;
      const count =
        fill[2] === '' || Number(fill[2]) === 0
          ? Math.max(0, length - out.length)
          : Number.parseInt(fill[2]!, fill[2]!.startsWith('0') ? 8 : 10);
      for (let i = 0; i < count; i++) out.push(c.charCodeAt(0));
      rest = rest.slice(fill[0].length);
      continue;
    }
    const from = one()!;
    if (rest.startsWith('-') && rest.length > 1) {
      rest = rest.slice(1);
      const to = one()!;
      const [low, high] = [from.c.codePointAt(0)!, to.c.codePointAt(0)!];
      if (low > high)
        throw new Failure(`range-endpoints of '${from.c}-${to.c}' are in reverse collating sequence order`);
      for (let code = low; code <= high; code++) out.push(code);
    } else out.push(from.c.charCodeAt(0));
  }
  return out;
}
