// Texts with variables in them, and conditions: compiled once when the configuration is read.
import { errorAt, type Directive } from './config.ts';

/** What variables are read from while a request is answered. */
export interface Scope {
  /** undefined: the variable has no value. */
  get(name: string): string | undefined;
  /** `$0` … `$9` of the last regular expression that matched. */
  capture(index: number): string | undefined;
  setCaptures(match: RegExpExecArray): void;
}

export type TemplatePart = string | { readonly name: string };
export type Template = readonly TemplatePart[];

/** Compiles a text. Throws ConfigError for a lone `$`. */
export function compileTemplate(text: string, at: Pick<Directive, 'file' | 'line'>): Template {
  const parts: TemplatePart[] = [];
  let plain = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '$') {
      plain += text[i];
      continue;
    }
    const match = /^\$(?:\{(\w+)\}|([1-9])|([A-Za-z_]\w*))/.exec(text.slice(i));
    if (match === null) {
      if (text.startsWith('${', i))
        throw errorAt(
          at,
          `the closing bracket in "${/\w*/.exec(text.slice(i + 2))![0]}" variable is missing`,
        );
      throw errorAt(at, 'invalid variable name');
    }
    if (plain !== '') parts.push(plain);
    plain = '';
    parts.push({ name: match[1] ?? match[2] ?? match[3]! });
    i += match[0].length - 1;
  }
  if (plain !== '') parts.push(plain);
  return parts;
}

/** The text with its variables' values; what has none is empty. */
export function fill(template: Template, scope: Scope): string {
  let text = '';
  for (const part of template)
    text +=
      typeof part === 'string'
        ? part
        : ((/^\d$/.test(part.name) ? scope.capture(Number(part.name)) : scope.get(part.name)) ?? '');
  return text;
}

/** The text of one without variables; undefined for another. */
export function plainText(template: Template): string | undefined {
  return isPlain(template)
    ? fill(template, { get: () => '', capture: () => '', setCaptures: () => undefined })
    : undefined;
}

/** Whether it is without variables. */
export function isPlain(template: Template): boolean {
  return template.every((part) => typeof part === 'string');
}

/** The names of the variables in it. */
export function variablesOf(template: Template): string[] {
  return template.flatMap((part) => (typeof part === 'string' || /^\d$/.test(part.name) ? [] : [part.name]));
}

/** A PCRE pattern as this world's regular expressions. Throws ConfigError with nginx's words. */
export function compilePattern(
  pattern: string,
  ignoreCase: boolean,
  at: Pick<Directive, 'file' | 'line'>,
): RegExp {
  let flags = ignoreCase ? 'i' : '';
  let source = pattern
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\\A/g, '^')
    .replaceAll(/\\[zZ]/g, '$');
  const inline = /^\(\?([ims]+)\)/.exec(source);
  if (inline !== null) {
    source = source.slice(inline[0].length);
    for (const flag of inline[1]!) if (!flags.includes(flag)) flags += flag;
  }
  source = source.replaceAll(/([*+?}])\+/g, '$1'); // Possessive quantifiers only save time.
  try {
    return new RegExp(source, flags);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const what = /unterminated group/i.test(error.message)
      ? ['missing closing parenthesis', pattern.length]
      : /nothing to repeat/i.test(error.message)
        ? ['quantifier does not follow a repeatable item', 0]
        : /unterminated character class/i.test(error.message)
          ? ['missing terminating ] for character class', pattern.length]
          : /unmatched '\)'/i.test(error.message)
            ? ['unmatched closing parenthesis', pattern.indexOf(')')]
            : ['invalid pattern', 0];
    const [text, offset] = what as [string, number];
    const rest = pattern.slice(offset);
    throw errorAt(
      at,
      rest === ''
        ? `pcre2_compile() failed: ${text} in "${pattern}"`
        : `pcre2_compile() failed: ${text} in "${pattern}" at "${rest}"`,
    );
  }
}
