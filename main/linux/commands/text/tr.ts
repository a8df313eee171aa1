// tr(1)
import type { Program } from '../../kernel/index.ts';
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

/** tr(1), by characters. */
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
    const set1 = expand(one);
    const set2 = two === undefined ? [] : expand(two, set1.length);
    const inSet1 = new Set(set1);
    const matches = (c: string): boolean => inSet1.has(c) !== complement;
    const map = new Map<string, string>();
    if (two !== undefined && !remove) {
      if (set2.length === 0) throw new Failure('when not truncating set1, string2 must be non-empty');
      set1.forEach((c, index) => {
        if (index < set2.length || !options.has('t')) map.set(c, set2[Math.min(index, set2.length - 1)]!);
      });
    }
    const translate = (c: string): string => {
      if (two === undefined || remove) return c;
      if (complement) return inSet1.has(c) ? c : set2[set2.length - 1]!;
      return map.get(c) ?? c;
    };
    const squeezed = squeeze
      ? two === undefined
        ? matches
        : (
            (set) => (c: string) =>
              set.has(c)
          )(new Set(set2))
      : undefined;
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let last: string | undefined;
    for (;;) {
      const chunk = await it.proc.stdin.read(65_536);
      const text = decoder.decode(chunk, { stream: chunk.length > 0 });
      let out = '';
      for (const c of text) {
        if (remove && matches(c)) continue;
        const next = translate(c);
        if (squeezed !== undefined && next === last && squeezed(next)) continue;
        last = next;
        out += next;
      }
      await it.out.put(out);
      if (chunk.length === 0) return;
      await it.out.flush();
    }
  },
);

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

/** The characters of a set; `[x*]` fills up to `length`. */
function expand(text: string, length = 0): string[] {
  const out: string[] = [];
  let rest = text;
  const one = (): { c: string; literal: boolean } | undefined => {
    const octal = /^\\([0-7]{1,3})/.exec(rest);
    if (octal !== null) {
      rest = rest.slice(octal[0].length);
      return { c: String.fromCharCode(Number.parseInt(octal[1]!, 8)), literal: true };
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
      for (let code = 0; code < 128; code++)
        if (known.test(String.fromCharCode(code))) out.push(String.fromCharCode(code));
      rest = rest.slice(named[0].length);
      continue;
    }
    const same = /^\[=(.)=\]/u.exec(rest);
    if (same !== null) {
      out.push(same[1]!);
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
      for (let i = 0; i < count; i++) out.push(c);
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
      for (let code = low; code <= high; code++) out.push(String.fromCodePoint(code));
    } else out.push(from.c);
  }
  return out;
}
