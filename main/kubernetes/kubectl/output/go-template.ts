// Go's text/template as `-o go-template` uses it: actions, pipelines, variables, and the functions of template and kubectl.
import { goSprintf, goValue } from './go-format.ts';

/** A template that can't be parsed or carried out; the text is the one behind `template: output:`. */
export class TemplateError extends Error {}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pipeline'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with';
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: 'range';
      readonly names: readonly string[];
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'break' | 'continue' };

interface Pipe {
  /** The variable that is declared (`:=`) or set (`=`). */
  readonly variable: string | undefined;
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

type Operand =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'dot'; readonly fields: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly fields: readonly string[] }
  | { readonly kind: 'group'; readonly pipe: Pipe; readonly fields: readonly string[] }
  | { readonly kind: 'function'; readonly name: string };

class LoopSignal extends Error {
  readonly kind: 'break' | 'continue';
  constructor(kind: 'break' | 'continue') {
    super(kind);
    this.kind = kind;
  }
}

/** Parses a template; the result makes text of an object. Throws TemplateError, at once or when carried out. */
export function parseGoTemplate(template: string, allowMissing: boolean): (object: unknown) => string {
  const nodes = new Parser(split(template)).list([]);
  return (object) => {
    const variables = new Map<string, unknown>([['$', object]]);
    return new Runner(allowMissing).run(nodes, object, variables);
  };
}

/** Texts and actions in turn; `{{-` and `-}}` take the blanks beside them. */
function split(template: string): string[] {
  const parts: string[] = [];
  let rest = template;
  let trims = false;
  for (;;) {
    const start = rest.indexOf('{{');
    let text = start === -1 ? rest : rest.slice(0, start);
    if (trims) text = text.trimStart();
    if (start === -1) return [...parts, text];
    const end = endOfAction(rest, start + 2);
    if (end === -1) throw new TemplateError('unclosed action');
    let action = rest.slice(start + 2, end);
    if (/^-\s/.test(action)) {
      text = text.trimEnd();
      action = action.slice(1);
    }
    trims = /\s-$/.test(action);
    if (trims) action = action.slice(0, -1);
    parts.push(text, action.trim());
    rest = rest.slice(end + 2);
  }
}

/** Where `}}` stands that isn't within a text. */
function endOfAction(text: string, from: number): number {
  if (/^-?\s*\/\*/.test(text.slice(from))) return text.indexOf('}}', text.indexOf('*/', from));
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const letter = text[at]!;
    if (quote !== '') {
      if (letter === '\\' && quote === '"') at++;
      else if (letter === quote) quote = '';
    } else if (letter === '"' || letter === '`') quote = letter;
    else if (text.startsWith('}}', at)) return at;
  }
  return -1;
}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*")|(`[^`]*`)|(-?\d+(?:\.\d+)?)|(\$\w*|\.\w+|\.|\w+)|(:=|=|\||\(|\)|,))/y;

function tokensOf(action: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < action.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(action);
    if (match === null)
      throw new TemplateError(`unexpected ${JSON.stringify(action.slice(at).trim()[0])} in operand`);
    // A dot after a blank begins an operand of its own; one right behind belongs to what is before it.
    const isBehind =
      found.length > 0 && match[0].startsWith('.') && match[0] !== '.' && !/^[|(,:=]/.test(found.at(-1)!);
    found.push(isBehind ? `\u0000${match[0]}` : match[0].trim());
  }
  return found;
}

class Parser {
  private readonly parts: readonly string[];
  private at = 0;
  /** The action that ended the last list. */
  private closing = '';

  constructor(parts: readonly string[]) {
    this.parts = parts;
  }

  /** Nodes up to an action of `ends`; to the end of the template when there are none. */
  list(ends: readonly string[]): Node[] {
    const nodes: Node[] = [];
    while (this.at < this.parts.length) {
      const index = this.at++;
      const part = this.parts[index]!;
      if (index % 2 === 0) {
        if (part !== '') nodes.push({ kind: 'text', text: part });
        continue;
      }
      const [word = ''] = part.split(/\s+/);
      if (part.startsWith('/*')) continue;
      if (ends.includes(word)) {
        this.closing = part;
        return nodes;
      }
      if (word === 'end' || word === 'else') throw new TemplateError(`unexpected {{${word}}}`);
      nodes.push(this.action(word, part));
    }
    if (ends.length > 0) throw new TemplateError('unexpected EOF');
    return nodes;
  }

  private action(word: string, part: string): Node {
    if (word === 'break' || word === 'continue') return { kind: word };
    if (word === 'if' || word === 'with') return this.branch(word, part.slice(word.length));
    if (word === 'range') {
      const match = /^(\$\w+)(?:\s*,\s*(\$\w+))?\s*:=\s*(.*)$/s.exec(part.slice(5).trim());
      const names = match === null ? [] : [match[1]!, ...(match[2] === undefined ? [] : [match[2]])];
      const pipe = parsePipe(match === null ? part.slice(5) : match[3]!);
      const body = this.list(['end', 'else']);
      return {
        kind: 'range',
        names,
        pipe,
        body,
        otherwise: this.closing === 'else' ? this.list(['end']) : [],
      };
    }
    return { kind: 'pipeline', pipe: parsePipe(part) };
  }

  private branch(kind: 'if' | 'with', text: string): Node {
    const pipe = parsePipe(text);
    const body = this.list(['end', 'else']);
    const chained = /^else\s+(if|with)\s+(.*)$/s.exec(this.closing);
    if (chained !== null)
      return { kind, pipe, body, otherwise: [this.branch(chained[1] as 'if' | 'with', chained[2]!)] };
    return { kind, pipe, body, otherwise: this.closing.startsWith('else') ? this.list(['end']) : [] };
  }
}

function parsePipe(text: string): Pipe {
  const tokens = tokensOf(text);
  const assigns = tokens[1] === ':=' || tokens[1] === '=';
  const variable = assigns ? tokens[0] : undefined;
  const declares = tokens[1] === ':=';
  const reader = { tokens, at: assigns ? 2 : 0 };
  const commands = readCommands(reader);
  if (commands.length === 0 || commands.some((command) => command.length === 0))
    throw new TemplateError('missing value for command');
  return { variable, declares, commands };
}

function readCommands(reader: { tokens: readonly string[]; at: number }): Operand[][] {
  const commands: Operand[][] = [[]];
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at++]!;
    if (token === ')') break;
    if (token === '|') commands.push([]);
    else if (token.startsWith('\u0000')) extend(commands.at(-1)!, token.slice(1));
    else commands.at(-1)!.push(readOperand(token, reader));
  }
  return commands.length === 1 && commands[0]!.length === 0 ? [] : commands;
}

/** `.name` right behind an operand is a field of it. */
function extend(command: Operand[], token: string): void {
  const last = command.pop();
  if (last === undefined || last.kind === 'literal' || last.kind === 'function') {
    if (last !== undefined) command.push(last);
    command.push({ kind: 'dot', fields: token === '.' ? [] : [token.slice(1)] });
    return;
  }
  command.push({ ...last, fields: [...last.fields, token.slice(1)] });
}

function readOperand(token: string, reader: { tokens: readonly string[]; at: number }): Operand {
  if (token === '(')
    return {
      kind: 'group',
      pipe: { variable: undefined, declares: false, commands: readCommands(reader) },
      fields: [],
    };
  if (token.startsWith('"')) return { kind: 'literal', value: JSON.parse(token) as unknown };
  if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1) };
  if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) };
  if (token.startsWith('$')) return { kind: 'variable', name: token, fields: [] };
  if (token.startsWith('.')) return { kind: 'dot', fields: token === '.' ? [] : [token.slice(1)] };
  if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
  if (token === 'nil') return { kind: 'literal', value: null };
  if (FUNCTIONS[token] === undefined) throw new TemplateError(`function "${token}" not defined`);
  return { kind: 'function', name: token };
}

class Runner {
  private readonly allowMissing: boolean;

  constructor(allowMissing: boolean) {
    this.allowMissing = allowMissing;
  }

  run(nodes: readonly Node[], dot: unknown, variables: Map<string, unknown>): string {
    return nodes.map((node) => this.node(node, dot, variables)).join('');
  }

  private node(node: Node, dot: unknown, variables: Map<string, unknown>): string {
    switch (node.kind) {
      case 'text':
        return node.text;
      case 'pipeline': {
        const value = this.pipe(node.pipe, dot, variables);
        return node.pipe.variable === undefined ? goValue(value === null ? undefined : value) : '';
      }
      case 'if':
      case 'with': {
        const scope = new Map(variables);
        const value = this.pipe(node.pipe, dot, scope);
        if (isTrue(value)) return this.run(node.body, node.kind === 'with' ? value : dot, scope);
        return this.run(node.otherwise, dot, scope);
      }
      case 'range':
        return this.range(node, dot, variables);
      default:
        throw new LoopSignal(node.kind);
    }
  }

  private range(
    node: Extract<Node, { kind: 'range' }>,
    dot: unknown,
    variables: Map<string, unknown>,
  ): string {
    const value = this.pipe(node.pipe, dot, variables);
    const entries: [unknown, unknown][] = Array.isArray(value)
      ? value.map((item, index) => [index, item as unknown])
      : typeof value === 'object' && value !== null
        ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
        : [];
    if (value !== null && value !== undefined && typeof value !== 'object')
      throw new TemplateError(`range can't iterate over ${goValue(value)}`);
    if (entries.length === 0) return this.run(node.otherwise, dot, variables);
    let out = '';
    for (const [key, item] of entries) {
      const scope = new Map(variables);
      const [first, second] = node.names;
      if (second !== undefined) scope.set(first!, key).set(second, item);
      else if (first !== undefined) scope.set(first, item);
      try {
        out += this.run(node.body, item, scope);
      } catch (error) {
        if (!(error instanceof LoopSignal)) throw error;
        if (error.kind === 'break') break;
      }
    }
    return out;
  }

  private pipe(pipe: Pipe, dot: unknown, variables: Map<string, unknown>): unknown {
    let value: unknown;
    pipe.commands.forEach((command, index) => {
      value = this.command(command, dot, variables, index === 0 ? [] : [value]);
    });
    if (pipe.variable !== undefined) variables.set(pipe.variable, value);
    return value;
  }

  private command(
    command: readonly Operand[],
    dot: unknown,
    variables: Map<string, unknown>,
    piped: readonly unknown[],
  ): unknown {
    const [first, ...rest] = command;
    if (first?.kind === 'function')
      return FUNCTIONS[first.name]!([
        ...rest.map((operand) => this.operand(operand, dot, variables)),
        ...piped,
      ]);
    if (rest.length > 0 || piped.length > 0)
      throw new TemplateError(
        `can't give argument to non-function ${first?.kind === 'dot' ? `.${first.fields.join('.')}` : ''}`,
      );
    return this.operand(first!, dot, variables);
  }

  private operand(operand: Operand, dot: unknown, variables: Map<string, unknown>): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'dot':
        return this.fields(dot, operand.fields);
      case 'variable':
        if (!variables.has(operand.name)) throw new TemplateError(`undefined variable "${operand.name}"`);
        return this.fields(variables.get(operand.name), operand.fields);
      case 'group':
        return this.fields(this.pipe(operand.pipe, dot, variables), operand.fields);
      default:
        return FUNCTIONS[operand.name]!([]);
    }
  }

  private fields(value: unknown, fields: readonly string[]): unknown {
    let current = value;
    for (const field of fields) {
      if (current === null || current === undefined) {
        if (fields[0] === field) throw new TemplateError(`nil data; no entry for key "${field}"`);
        return this.missing(field);
      }
      if (typeof current !== 'object' || Array.isArray(current))
        throw new TemplateError(`can't evaluate field ${field} in type interface {}`);
      const tree = current as Record<string, unknown>;
      current = field in tree ? tree[field] : this.missing(field);
    }
    return current;
  }

  private missing(key: string): undefined {
    if (!this.allowMissing) throw new TemplateError(`map has no entry for key "${key}"`);
    return undefined;
  }
}

function isTrue(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value === 'object')
    return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
  return value !== false && value !== 0 && value !== '';
}

function compare(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) throw new TemplateError('incompatible types for comparison');
  return (a as number | string) < (b as number | string)
    ? -1
    : (a as number | string) > (b as number | string)
      ? 1
      : 0;
}

type TemplateFunction = (args: readonly unknown[]) => unknown;

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&#34;',
  "'": '&#39;',
};

const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: (args) =>
    args.find((arg) => !isTrue(arg)) ?? (args.every(isTrue) ? args.at(-1) : args.find((arg) => !isTrue(arg))),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  not: ([value]) => !isTrue(value),
  eq: ([first, ...others]) =>
    others.some((other) => first === other || (first === undefined && other === null)),
  ne: ([a, b]) => a !== b,
  lt: ([a, b]) => compare(a, b) < 0,
  le: ([a, b]) => compare(a, b) <= 0,
  gt: ([a, b]) => compare(a, b) > 0,
  ge: ([a, b]) => compare(a, b) >= 0,
  len: ([value]) => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    if (typeof value === 'object' && value !== null)
      return Array.isArray(value) ? value.length : Object.keys(value).length;
    throw new TemplateError('error calling len: len of nil pointer');
  },
  index: ([value, ...keys]) =>
    keys.reduce((current: unknown, key) => {
      if (current === null || current === undefined)
        throw new TemplateError('error calling index: index of untyped nil');
      if (Array.isArray(current) && ((key as number) < 0 || (key as number) >= current.length))
        throw new TemplateError(`error calling index: reflect: slice index out of range`);
      return (current as Record<string, unknown>)[key as string];
    }, value),
  slice: ([value, from = 0, to]) =>
    (value as string | unknown[]).slice(from as number, to as number | undefined),
  print: (args) =>
    args
      .map(
        (arg, index) =>
          (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string' ? ' ' : '') +
          goValue(arg),
      )
      .join(''),
  println: (args) => `${args.map(goValue).join(' ')}\n`,
  printf: ([format, ...values]) => goSprintf(format as string, values),
  html: (args) =>
    args
      .map(goValue)
      .join('')
      .replace(/[<>&"']/g, (character) => ESCAPES[character]!),
  js: (args) => JSON.stringify(args.map(goValue).join('')).slice(1, -1),
  urlquery: (args) => encodeURIComponent(args.map(goValue).join('')).replaceAll('%20', '+'),
  base64decode: ([text]) => Buffer.from(text as string, 'base64').toString('utf8'),
  exists: ([value, ...keys]) => {
    let current = value;
    for (const key of keys) {
      if (typeof current !== 'object' || current === null || !(String(key as string | number) in current))
        return false;
      current = (current as Record<string, unknown>)[String(key as string | number)];
    }
    return true;
  },
};
