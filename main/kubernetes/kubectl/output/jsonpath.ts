// JSONPath templates as client-go's util/jsonpath evaluates them: `{.items[*].metadata.name}`, range, filters, unions.
import { toCompactJson } from './json.ts';

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly steps: readonly Step[] }
  | { readonly kind: 'identifier'; readonly word: string }
  | { readonly kind: 'range'; readonly steps: readonly Step[]; readonly body: readonly Node[] };

type Step =
  | { readonly kind: 'root' }
  | { readonly kind: 'current' }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'index'; readonly indexes: readonly number[] }
  | {
      readonly kind: 'slice';
      readonly from: number | undefined;
      readonly to: number | undefined;
      readonly step: number;
    }
  | { readonly kind: 'union'; readonly paths: readonly (readonly Step[])[] }
  | {
      readonly kind: 'filter';
      readonly left: Operand;
      readonly operator: string;
      readonly right: Operand | undefined;
    };

type Operand =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'path'; readonly steps: readonly Step[] };

/** A template that can't be parsed, or a path that leads nowhere. */
export class JsonPathError extends Error {}

/** A parsed template. */
export interface JsonPath {
  /** The text for an object. Throws JsonPathError for a missing key unless `allowMissing`. */
  print(object: unknown, allowMissing?: boolean): string;
  /** The values that the template's paths find, for `-o jsonpath-as-json` and sorting. */
  find(object: unknown, allowMissing?: boolean): unknown[];
}

/** Parses `{…}` templates; a bare path such as `.metadata.name` is taken as one (RelaxedJSONPathExpression). */
export function parseJsonPath(template: string): JsonPath {
  const parser = new Parser(template);
  const nodes = parser.template();
  return {
    print: (object, allowMissing = false) => printNodes(nodes, object, object, allowMissing),
    find: (object, allowMissing = false) =>
      nodes.flatMap((node) => (node.kind === 'path' ? walk(node.steps, [object], object, allowMissing) : [])),
  };
}

/** `x`, `.x`, `{x}` and `{.x}` are all `{.x}`. Throws JsonPathError. */
export function relaxedJsonPath(expression: string): string {
  if (expression === '') return expression;
  const match = /^\{?\.?([^{}]+)\}?$/.exec(expression);
  if (match === null) {
    throw new JsonPathError(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    );
  }
  return `{.${match[1]}}`;
}

function printNodes(nodes: readonly Node[], object: unknown, root: unknown, allowMissing: boolean): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      if (node.kind === 'identifier') throw new JsonPathError(`unrecognized identifier ${node.word}`);
      const values = walk(node.steps, [object], root, allowMissing);
      if (node.kind === 'path') return values.map(valueText).join(' ');
      return values.map((value) => printNodes(node.body, value, root, allowMissing)).join('');
    })
    .join('');
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? toCompactJson(value) : String(value as string | number | boolean);
}

function walk(
  steps: readonly Step[],
  start: readonly unknown[],
  root: unknown,
  allowMissing: boolean,
): unknown[] {
  let values = [...start];
  for (const step of steps) values = values.flatMap((value) => takeStep(step, value, root, allowMissing));
  return values;
}

function takeStep(step: Step, value: unknown, root: unknown, allowMissing: boolean): unknown[] {
  switch (step.kind) {
    case 'root':
      return [root];
    case 'current':
      return [value];
    case 'field':
      return fieldOf(step.name, value, allowMissing);
    case 'wildcard':
      return children(value);
    case 'recursive':
      return [value, ...descendants(value)];
    case 'index':
      return step.indexes.flatMap((index) => elementAt(index, value, allowMissing));
    case 'slice':
      return sliceOf(step, value);
    case 'union':
      return step.paths.flatMap((path) => walk(path, [value], root, allowMissing));
    case 'filter':
      return children(value).filter((child) => holds(step, child, root));
  }
}

function fieldOf(name: string, value: unknown, allowMissing: boolean): unknown[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'object' && !Array.isArray(value) && Object.hasOwn(value, name)) {
    return [(value as Record<string, unknown>)[name]];
  }
  if (allowMissing) return [];
  if (Array.isArray(value)) throw new JsonPathError(`can't find field ${name} in a list`);
  throw new JsonPathError(`${name} is not found`);
}

function elementAt(index: number, value: unknown, allowMissing: boolean): unknown[] {
  if (!Array.isArray(value)) {
    if (allowMissing || value === undefined || value === null) return [];
    throw new JsonPathError(`${JSON.stringify(value)} is not array or slice`);
  }
  const at = index < 0 ? value.length + index : index;
  if (at < 0 || at >= value.length) {
    throw new JsonPathError(`array index out of bounds: index ${index}, length ${value.length}`);
  }
  return [value[at]];
}

function sliceOf({ from, to, step }: Extract<Step, { kind: 'slice' }>, value: unknown): unknown[] {
  if (!Array.isArray(value)) return [];
  const start = from === undefined ? 0 : from < 0 ? value.length + from : from;
  const end = to === undefined ? value.length : to < 0 ? value.length + to : to;
  return value.slice(start, end).filter((_, index) => index % step === 0);
}

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Record<string, unknown>;
  return Object.keys(object)
    .sort()
    .map((key) => object[key]);
}

function descendants(value: unknown): unknown[] {
  return children(value).flatMap((child) =>
    typeof child === 'object' && child !== null ? [child, ...descendants(child)] : [],
  );
}

function holds(
  { left, operator, right }: Extract<Step, { kind: 'filter' }>,
  child: unknown,
  root: unknown,
): boolean {
  const [a] = operandValues(left, child, root);
  if (operator === 'exists') return a !== undefined;
  const [b] = operandValues(right!, child, root);
  if (a === undefined || b === undefined) return false;
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return (a as number) < (b as number);
    case '<=':
      return (a as number) <= (b as number);
    case '>':
      return (a as number) > (b as number);
    default:
      return (a as number) >= (b as number);
  }
}

function operandValues(operand: Operand, child: unknown, root: unknown): unknown[] {
  return operand.kind === 'literal' ? [operand.value] : walk(operand.steps, [child], root, true);
}

class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  template(): Node[] {
    const nodes = this.nodes(false);
    return nodes;
  }

  private nodes(inRange: boolean): Node[] {
    const nodes: Node[] = [];
    while (this.at < this.text.length) {
      const open = this.text.indexOf('{', this.at);
      const end = open === -1 ? this.text.length : open;
      if (end > this.at) nodes.push({ kind: 'text', text: this.text.slice(this.at, end) });
      if (open === -1) {
        this.at = this.text.length;
        break;
      }
      const action = this.action(open);
      if (action === 'end') {
        if (inRange) return nodes;
        throw new JsonPathError('not in range, nothing to end');
      }
      nodes.push(...action);
    }
    return nodes;
  }

  /** What stands between braces from `open` on. */
  private action(open: number): Node[] | 'end' {
    this.at = open + 1;
    this.blanks();
    if (this.word('end')) {
      this.close();
      return 'end';
    }
    if (this.word('range')) {
      this.blanks();
      const steps = this.path();
      this.close();
      return [{ kind: 'range', steps, body: this.nodes(true) }];
    }
    const nodes: Node[] = [];
    for (;;) {
      this.blanks();
      const character = this.text[this.at];
      if (character === undefined) throw new JsonPathError('unclosed action');
      if (character === '}') {
        this.at++;
        return nodes;
      }
      if (character === '"' || character === "'") nodes.push({ kind: 'text', text: this.quoted() });
      else nodes.push(this.pathOrIdentifier());
    }
  }

  /** A word alone is nothing that can be evaluated, which is told only then. */
  private pathOrIdentifier(): Node {
    const word = /^[A-Za-z]\w*(?=[\s}])/.exec(this.text.slice(this.at))?.[0];
    if (word === undefined) return { kind: 'path', steps: this.path() };
    this.at += word.length;
    return { kind: 'identifier', word };
  }

  private close(): void {
    this.blanks();
    if (this.text[this.at] !== '}') throw new JsonPathError('unclosed action');
    this.at++;
  }

  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at) || /[\w.]/.test(this.text[this.at + word.length] ?? ''))
      return false;
    this.at += word.length;
    return true;
  }

  private path(): Step[] {
    const steps: Step[] = [];
    for (;;) {
      const character = this.text[this.at];
      if (character === '$') {
        steps.push({ kind: 'root' });
        this.at++;
      } else if (character === '@') {
        steps.push({ kind: 'current' });
        this.at++;
      } else if (character === '[') steps.push(this.bracket());
      else if (character === '.') {
        this.at++;
        if (this.text[this.at] === '.') {
          this.at++;
          steps.push({ kind: 'recursive' });
        }
        if (this.text[this.at] !== '[') this.fieldInto(steps);
      } else if (steps.length === 0 && character !== undefined && /[\w*]/.test(character))
        this.fieldInto(steps);
      else {
        if (steps.length === 0)
          throw new JsonPathError(
            `unrecognized character in action: U+${hex(character)} '${character ?? ''}'`,
          );
        return steps;
      }
    }
  }

  private fieldInto(steps: Step[]): void {
    if (this.text[this.at] === '*') {
      this.at++;
      steps.push({ kind: 'wildcard' });
      return;
    }
    let name = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === '\\' && this.at + 1 < this.text.length) {
        name += this.text[this.at + 1];
        this.at += 2;
      } else if (character === undefined || /[\s.[\](){}"'=<>!,@$]/.test(character)) break;
      else {
        name += character;
        this.at++;
      }
    }
    if (name !== '') steps.push({ kind: 'field', name });
  }

  private bracket(): Step {
    this.at++;
    this.blanks();
    const character = this.text[this.at];
    if (character === '?') return this.filter();
    const close = this.closing();
    const inside = this.text.slice(this.at, close).trim();
    if (inside === '*') {
      this.at = close + 1;
      return { kind: 'wildcard' };
    }
    if (/^-?\d*:-?\d*(?::\d+)?$/.test(inside)) {
      this.at = close + 1;
      const [from = '', to = '', step = ''] = inside.split(':');
      const number = (text: string): number | undefined => (text === '' ? undefined : Number(text));
      return { kind: 'slice', from: number(from), to: number(to), step: number(step) ?? 1 };
    }
    if (/^-?\d+(?:\s*,\s*-?\d+)*$/.test(inside)) {
      this.at = close + 1;
      return { kind: 'index', indexes: inside.split(',').map(Number) };
    }
    return this.union();
  }

  private union(): Step {
    const paths: Step[][] = [];
    for (;;) {
      this.blanks();
      const character = this.text[this.at];
      if (character === undefined) throw new JsonPathError('unterminated array');
      if (character === ']') {
        this.at++;
        return { kind: 'union', paths };
      }
      if (character === ',') this.at++;
      else if (
        character === '"' &&
        paths.length === 0 &&
        this.text.slice(this.at, this.closing()).includes(',')
      ) {
        throw new JsonPathError(`invalid array index ${JSON.stringify(this.quoted())}`);
      } else if (character === '"' || character === "'") paths.push([{ kind: 'field', name: this.quoted() }]);
      else paths.push(this.path());
    }
  }

  private filter(): Step {
    this.at++;
    this.blanks();
    if (this.text[this.at] !== '(') throw new JsonPathError('unterminated filter');
    this.at++;
    const left = this.operand();
    this.blanks();
    const operator = /^(==|!=|<=|>=|<|>)/.exec(this.text.slice(this.at))?.[1];
    let right: Operand | undefined;
    if (operator !== undefined) {
      this.at += operator.length;
      right = this.operand();
      this.blanks();
    }
    if (this.text[this.at] !== ')') throw new JsonPathError('unterminated filter');
    this.at++;
    this.blanks();
    if (this.text[this.at] !== ']') throw new JsonPathError('unclosed array expect ]');
    this.at++;
    return { kind: 'filter', left, operator: operator ?? 'exists', right };
  }

  private operand(): Operand {
    this.blanks();
    const character = this.text[this.at] ?? '';
    if (character === '"' || character === "'") return { kind: 'literal', value: this.quoted() };
    const number = /^-?\d+(?:\.\d+)?/.exec(this.text.slice(this.at))?.[0];
    if (number !== undefined) {
      this.at += number.length;
      return { kind: 'literal', value: Number(number) };
    }
    if (this.word('true')) return { kind: 'literal', value: true };
    if (this.word('false')) return { kind: 'literal', value: false };
    return { kind: 'path', steps: this.path() };
  }

  private quoted(): string {
    const quote = this.text[this.at++]!;
    let text = '';
    while (this.at < this.text.length) {
      const character = this.text[this.at++]!;
      if (character === quote) return text;
      if (character !== '\\') {
        text += character;
        continue;
      }
      const escaped = this.text[this.at++] ?? '';
      text += { n: '\n', t: '\t', r: '\r' }[escaped] ?? escaped;
    }
    throw new JsonPathError('unterminated quoted string');
  }

  private closing(): number {
    const close = this.text.indexOf(']', this.at);
    if (close === -1) throw new JsonPathError('unterminated array');
    return close;
  }

  private blanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }
}

function hex(character: string | undefined): string {
  return (character?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
