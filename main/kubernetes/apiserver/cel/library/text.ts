// CEL's extended strings, lists and sets, and Kubernetes' regular expressions and URLs (cel-go ext, apiserver pkg/cel/library).
import { EvaluationError, type Environment } from '@marcbachmann/cel-js';
import { patternOf } from '../../custom/validate-value.ts';

/** Functions called as `sets.contains(…)`: a constant of a type of its own has them as methods. */
export function namespace(environment: Environment, name: string, type: string): void {
  const Namespace = class {};
  environment.registerType(type, Namespace);
  environment.registerConstant(name, type, new Namespace());
}

export function registerText(environment: Environment): void {
  registerStrings(environment);
  registerLists(environment);
  registerSets(environment);
  registerPatterns(environment);
  registerUrls(environment);
}

function registerStrings(environment: Environment): void {
  environment.registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
    const characters = [...text];
    const at = Number(index);
    if (at < 0 || at > characters.length) throw new EvaluationError(`index out of range: ${at}`);
    return characters[at] ?? '';
  });
  const replace = (text: string, from: string, to: string, most = -1n): string => {
    if (most < 0n) return text.replaceAll(from, () => to);
    let result = '';
    let rest = text;
    for (let count = 0n; count < most; count++) {
      const at = rest.indexOf(from);
      if (at < 0 || (from === '' && rest === '')) break;
      const next = at + Math.max(from.length, from === '' ? 1 : 0);
      result += rest.slice(0, at) + to + (from === '' ? rest.slice(at, next) : '');
      rest = rest.slice(next);
    }
    return result + rest;
  };
  environment.registerFunction(
    'string.replace(string, string): string',
    (text: string, a: string, b: string) => replace(text, a, b),
  );
  environment.registerFunction(
    'string.replace(string, string, int): string',
    (text: string, a: string, b: string, most: bigint) => replace(text, a, b, most),
  );
  environment.registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''));
  environment.registerFunction('string.format(list): string', (template: string, values: unknown[]) =>
    formatText(template, values),
  );
  namespace(environment, 'strings', 'StringsNamespace');
  environment.registerFunction('StringsNamespace.quote(string): string', (_self: unknown, text: string) =>
    JSON.stringify(text),
  );
}

/** The `%`-clauses of `format`: s, d, f, e, b, x, X, o. */
function formatText(template: string, values: readonly unknown[]): string {
  let next = 0;
  return template.replace(/%(?:%|(?:\.(\d+))?([a-zA-Z]))/g, (clause, precision?: string, verb?: string) => {
    if (clause === '%%') return '%';
    if (next >= values.length) throw new EvaluationError(`index ${next} out of range`);
    return formatOne(verb ?? '', precision === undefined ? 6 : Number(precision), values[next++]);
  });
}

function formatOne(verb: string, precision: number, value: unknown): string {
  switch (verb) {
    case 's':
      return shown(value);
    case 'd':
      return String(value as bigint);
    case 'f':
      return Number(value).toFixed(precision);
    case 'e':
      return Number(value)
        .toExponential(precision)
        .replace(/e([+-])(\d)$/, 'e$10$2');
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : (value as bigint).toString(2);
    case 'o':
      return (value as bigint).toString(8);
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string' ? Buffer.from(value).toString('hex') : (value as bigint).toString(16);
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    default:
      throw new EvaluationError(
        `could not parse formatting clause: unrecognized formatting clause "${verb}"`,
      );
  }
}

/** A value as `%s` shows it. */
function shown(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    return String(value as string | number | bigint | boolean);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${key}: ${shown(member)}`).join(', ')}}`;
}

type Comparable = bigint | number | string | boolean | Date;

function compare(a: Comparable, b: Comparable): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Equality of what lists hold: numbers by value, the rest by content. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' || typeof a === 'bigint')
    return (typeof b === 'number' || typeof b === 'bigint') && Number(a) === Number(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const text = (value: unknown): string =>
    JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? Number(member) : member));
  return text(a) === text(b);
}

function registerLists(environment: Environment): void {
  environment.registerFunction('list.isSorted(): bool', (list: Comparable[]) =>
    list.every((item, index) => index === 0 || compare(list[index - 1]!, item) <= 0),
  );
  environment.registerFunction('list<A>.sum(): A', (list: (bigint | number)[]) =>
    list.length > 0 && typeof list[0] === 'number'
      ? (list as number[]).reduce((total, item) => total + item, 0)
      : (list as bigint[]).reduce((total, item) => total + item, 0n),
  );
  const extreme = (name: string, sign: number) => (list: Comparable[]) => {
    if (list.length === 0) throw new EvaluationError(`${name} called on empty list`);
    return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best));
  };
  environment.registerFunction('list<A>.min(): A', extreme('min', -1));
  environment.registerFunction('list<A>.max(): A', extreme('max', 1));
  environment.registerFunction('list<A>.indexOf(A): int', (list: unknown[], item: unknown) =>
    BigInt(list.findIndex((each) => same(each, item))),
  );
  environment.registerFunction('list<A>.lastIndexOf(A): int', (list: unknown[], item: unknown) =>
    BigInt(list.findLastIndex((each) => same(each, item))),
  );
}

function registerSets(environment: Environment): void {
  namespace(environment, 'sets', 'SetsNamespace');
  const has = (list: readonly unknown[], item: unknown): boolean => list.some((each) => same(each, item));
  environment.registerFunction(
    'SetsNamespace.contains(list<A>, list<A>): bool',
    (_self: unknown, all: unknown[], part: unknown[]) => part.every((item) => has(all, item)),
  );
  environment.registerFunction(
    'SetsNamespace.equivalent(list<A>, list<A>): bool',
    (_self: unknown, a: unknown[], b: unknown[]) =>
      a.every((item) => has(b, item)) && b.every((item) => has(a, item)),
  );
  environment.registerFunction(
    'SetsNamespace.intersects(list<A>, list<A>): bool',
    (_self: unknown, a: unknown[], b: unknown[]) => a.some((item) => has(b, item)),
  );
}

function requirePattern(text: string): RegExp {
  const pattern = patternOf(text);
  if (pattern === undefined) throw new EvaluationError(`Illegal regex: ${text}`);
  return pattern;
}

function registerPatterns(environment: Environment): void {
  const findAll = (text: string, pattern: string, most = -1n): string[] => {
    const found = text.match(new RegExp(requirePattern(pattern).source, 'gu')) ?? [];
    return most < 0n ? [...found] : found.slice(0, Number(most));
  };
  environment.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => requirePattern(pattern).exec(text)?.[0] ?? '',
  );
  environment.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
    findAll(text, pattern),
  );
  environment.registerFunction(
    'string.findAll(string, int): list<string>',
    (text: string, pattern: string, most: bigint) => findAll(text, pattern, most),
  );
}

/** A URL as apiserver's `url()` reads it: absolute, or an absolute path. */
class CelUrl {
  readonly url: URL;
  readonly text: string;
  /** Path only, without scheme and host. */
  readonly isPath: boolean;

  constructor(text: string) {
    this.isPath = text.startsWith('/');
    this.text = text;
    try {
      this.url = new URL(text, this.isPath ? 'http://path.invalid' : undefined);
    } catch (error) {
      throw new EvaluationError(
        `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
        undefined,
        error,
      );
    }
  }
}

const URL_TYPE = 'kubernetes.URL';

function registerUrls(environment: Environment): void {
  environment.registerType(URL_TYPE, CelUrl);
  const isUrl = (text: string): boolean =>
    (text.startsWith('/') || /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text)) &&
    URL.canParse(text, text.startsWith('/') ? 'http://path.invalid' : undefined);
  environment.registerFunction('isURL(string): bool', isUrl);
  environment.registerFunction(`url(string): ${URL_TYPE}`, (text: string) => {
    if (!isUrl(text))
      throw new EvaluationError(
        `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
      );
    return new CelUrl(text);
  });
  const part = (name: string, read: (url: CelUrl) => string): void => {
    environment.registerFunction(`${URL_TYPE}.${name}(): string`, read);
  };
  part('getScheme', ({ url, isPath }) => (isPath ? '' : url.protocol.slice(0, -1)));
  part('getHost', ({ url, isPath, text }) => (isPath ? '' : hostOf(text) || url.host));
  part('getHostname', ({ url, isPath }) => (isPath ? '' : url.hostname.replace(/^\[|\]$/g, '')));
  part('getPort', ({ isPath, text }) => (isPath ? '' : (/:(\d+)$/.exec(hostOf(text))?.[1] ?? '')));
  part('getEscapedPath', ({ url, text }) => (/^[^/]*:\/\/[^/?#]*$/.test(text) ? '' : url.pathname));
  environment.registerFunction(`${URL_TYPE}.getQuery(): map<string, list<string>>`, ({ url }: CelUrl) => {
    const query: Record<string, string[]> = {};
    for (const [key, value] of url.searchParams) (query[key] ??= []).push(value);
    return query;
  });
  environment.registerOperator(`${URL_TYPE} == ${URL_TYPE}`, (a: CelUrl, b: CelUrl) => a.text === b.text);
}

/** Host and port as written; the URL class leaves out a scheme's own port. */
function hostOf(text: string): string {
  return /^[^/]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(text)?.[1] ?? '';
}
