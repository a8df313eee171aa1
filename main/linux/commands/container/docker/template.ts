// Go's text/template as --format uses it: fields, pipes, json, range, if, with, and docker's functions.
import { CliError } from './flags.ts';

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipe: string }
  | {
      readonly kind: 'if' | 'range' | 'with';
      readonly pipe: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

interface Scope {
  readonly dot: unknown;
  readonly root: unknown;
  readonly variables: Map<string, unknown>;
}

/** Makes a template; throws CliError for what isn't one. */
export function makeTemplate(text: string): (value: unknown) => string {
  const nodes = parse(text);
  return (value) => render(nodes, { dot: value, root: value, variables: new Map() });
}

function fault(text: string): CliError {
  return new CliError(`template parsing error: template: :1: ${text}`, 64);
}

function parse(text: string): Node[] {
  const parts = text.split(/(\{\{-?\s*(?:"(?:[^"\\]|\\.)*"|[^}"])*\s*-?\}\})/s);
  const top: Node[] = [];
  const stack: { node: { body: Node[]; otherwise: Node[] } | undefined; into: Node[] }[] = [
    { node: undefined, into: top },
  ];
  let trimsNext = false;
  for (const part of parts) {
    const match = /^\{\{(-?)\s*(.*?)\s*(-?)\}\}$/s.exec(part);
    if (match === null) {
      if (part.includes('{{')) throw fault('unclosed action');
      if (part !== '') stack.at(-1)!.into.push({ kind: 'text', text: trimsNext ? part.trimStart() : part });
      trimsNext = false;
      continue;
    }
    const [, trimBefore, action = '', trimAfter] = match;
    const { into } = stack.at(-1)!;
    const last = into.at(-1);
    if (trimBefore === '-' && last?.kind === 'text')
      into.splice(-1, 1, { kind: 'text', text: last.text.trimEnd() });
    trimsNext = trimAfter === '-';
    const [word = ''] = action.split(/\s/, 1);
    const rest = action.slice(word.length).trim();
    if (word === 'if' || word === 'range' || word === 'with') {
      const node = { kind: word, pipe: rest, body: [] as Node[], otherwise: [] as Node[] } as const;
      into.push(node);
      stack.push({ node, into: node.body });
    } else if (word === 'else') {
      const { node } = stack.pop()!;
      if (node === undefined) throw fault('unexpected {{else}}');
      stack.push({ node, into: node.otherwise });
    } else if (word === 'end') {
      if (stack.pop()!.node === undefined) throw fault('unexpected {{end}}');
    } else if (!action.startsWith('/*')) into.push({ kind: 'value', pipe: action });
  }
  if (stack.length > 1) throw fault('unexpected EOF');
  return top;
}

function render(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => renderOne(node, scope)).join('');
}

function renderOne(node: Node, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const assigned = /^(?:(\$\w+)(?:,\s*(\$\w+))?\s*:?=\s*)(.*)$/s.exec(node.pipe);
  const pipe = assigned?.[3] ?? node.pipe;
  const value = evaluate(pipe, scope);
  if (node.kind === 'value') {
    if (assigned === null) return shown(value);
    scope.variables.set(assigned[1]!, value);
    return '';
  }
  if (node.kind !== 'range')
    return isTrue(value)
      ? render(node.body, node.kind === 'with' ? { ...scope, dot: value } : scope)
      : render(node.otherwise, scope);
  const entries: [unknown, unknown][] = Array.isArray(value)
    ? value.map((each, index) => [index, each as unknown])
    : typeof value === 'object' && value !== null
      ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      : [];
  if (entries.length === 0) return render(node.otherwise, scope);
  return entries
    .map(([key, each]) => {
      if (assigned?.[2] !== undefined) scope.variables.set(assigned[1]!, key);
      if (assigned !== null) scope.variables.set(assigned[2] ?? assigned[1]!, each);
      return render(node.body, { ...scope, dot: each });
    })
    .join('');
}

function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As fmt.Print shows it. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => `${key}:${shown(each)}`)
      .join(' ')}]`;
  return String(value as string | number | boolean);
}

const TOKENS = /"((?:[^"\\]|\\.)*)"|`([^`]*)`|(\(|\)|\|)|([^\s()|"`]+)/gs;

function evaluate(pipe: string, scope: Scope): unknown {
  const tokens = Array.from(
    pipe.matchAll(TOKENS),
    ([, double, raw, sign, word]): { text: string; isText: boolean } =>
      double !== undefined
        ? {
            text: double.replaceAll(
              /\\(.)/g,
              (_, letter: string) => ({ n: '\n', t: '\t' })[letter] ?? letter,
            ),
            isText: true,
          }
        : raw !== undefined
          ? { text: raw, isText: true }
          : { text: sign ?? word ?? '', isText: false },
  );
  let at = 0;
  const pipeline = (): unknown => {
    let value = command(undefined, false);
    while (at < tokens.length && !tokens[at]!.isText && tokens[at]!.text === '|') {
      at++;
      value = command(value, true);
    }
    return value;
  };
  const operand = (): unknown => {
    const token = tokens[at++]!;
    if (token.isText) return token.text;
    if (token.text === '(') {
      const value = pipeline();
      at++;
      const next = tokens[at];
      if (next !== undefined && !next.isText && next.text.startsWith('.'))
        return field(value, tokens[at++]!.text);
      return value;
    }
    return word(token.text, scope);
  };
  const isEnd = (): boolean =>
    at >= tokens.length || (!tokens[at]!.isText && (tokens[at]!.text === '|' || tokens[at]!.text === ')'));
  const command = (piped: unknown, hasPiped: boolean): unknown => {
    const first = tokens[at];
    const call = first !== undefined && !first.isText ? FUNCTIONS[first.text] : undefined;
    if (call === undefined) {
      if (
        first !== undefined &&
        !first.isText &&
        /^[a-z]\w*$/i.test(first.text) &&
        !/^(true|false|nil)$/.test(first.text)
      )
        throw fault(`function "${first.text}" not defined`);
      return operand();
    }
    at++;
    const args: unknown[] = [];
    while (!isEnd()) args.push(operand());
    if (hasPiped) args.push(piped);
    return call(args);
  };
  return pipeline();
}

function word(text: string, scope: Scope): unknown {
  if (text === '.') return scope.dot;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'nil') return undefined;
  if (/^-?\d+$/.test(text)) return Number(text);
  if (text.startsWith('$.')) return field(scope.root, text.slice(1));
  if (text === '$') return scope.root;
  if (text.startsWith('$')) {
    const [name = '', ...path] = text.split('.');
    return path.length === 0
      ? scope.variables.get(name)
      : field(scope.variables.get(name), `.${path.join('.')}`);
  }
  if (text.startsWith('.')) return field(scope.dot, text);
  throw fault(`function "${text}" not defined`);
}

function field(value: unknown, path: string): unknown {
  return path
    .split('.')
    .slice(1)
    .reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
      value,
    );
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

const FUNCTIONS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  json: ([value]) => JSON.stringify(value),
  join: ([list, separator]) => (Array.isArray(list) ? list.map(String).join(String(separator)) : ''),
  split: ([text, separator]) => String(text).split(String(separator)),
  upper: ([text]) => String(text).toUpperCase(),
  lower: ([text]) => String(text).toLowerCase(),
  title: ([text]) => String(text).replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  println: (args) => `${args.map(shown).join(' ')}\n`,
  print: (args) => args.map(shown).join(''),
  printf: ([form, ...args]) => {
    let index = 0;
    return String(form).replaceAll(/%(-?\d*)([svdqx%])/g, (_, width: string, letter: string) => {
      if (letter === '%') return '%';
      const text = letter === 'q' ? JSON.stringify(args[index++]) : shown(args[index++]);
      return width.startsWith('-') ? text.padEnd(Number(width.slice(1))) : text.padStart(Number(width || 0));
    });
  },
  len: ([value]) =>
    typeof value === 'string' || Array.isArray(value)
      ? value.length
      : typeof value === 'object' && value !== null
        ? Object.keys(value).length
        : 0,
  index: ([value, ...keys]) =>
    keys.reduce<unknown>(
      (at, key) =>
        typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[String(key)] : undefined,
      value,
    ),
  eq: ([first, ...others]) => others.some((other) => compare(first, other) === 0),
  ne: ([a, b]) => compare(a, b) !== 0,
  lt: ([a, b]) => compare(a, b) < 0,
  gt: ([a, b]) => compare(a, b) > 0,
  le: ([a, b]) => compare(a, b) <= 0,
  ge: ([a, b]) => compare(a, b) >= 0,
  not: ([value]) => !isTrue(value),
  and: (args) => args.find((each) => !isTrue(each)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  truncate: ([text, length]) => String(text).slice(0, Number(length)),
  pad: ([text, before, after]) => ' '.repeat(Number(before)) + String(text) + ' '.repeat(Number(after)),
};
