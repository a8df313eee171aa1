// What is wrong with an expression, in cel-go's words: message, line and column, and the line with a caret.
import { ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';

/** What the parser could go on with where a value should be (ANTLR's list of token names). */
const OPERANDS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

interface Place {
  readonly message: string;
  /** Offset into the expression. */
  readonly at: number;
}

/** A node of the library's tree, as far as messages look at it. */
interface Node {
  readonly op?: string;
  readonly args?: unknown;
  readonly start?: number;
  readonly end?: number;
  readonly checkedType?: { readonly name: string };
}

/** `ERROR: <input>:1:8: …`, the line and a caret under the place. */
export function compileMessage(
  error: unknown,
  expression: string,
  isFunction: (name: string) => boolean,
): string {
  const { message, at } =
    error instanceof ParseError
      ? syntaxProblem(error, expression)
      : error instanceof CelTypeError
        ? typeProblem(error, expression, isFunction)
        : { message: error instanceof Error ? error.message : String(error), at: 0 };
  const before = expression.slice(0, at);
  const line = before.split('\n').length;
  const column = at - (before.lastIndexOf('\n') + 1);
  const shown = expression.split('\n')[line - 1] ?? '';
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${shown}\n | ${'.'.repeat(column)}^`;
}

function syntaxProblem({ code, summary, range }: ParseError, expression: string): Place {
  const at = Math.min(range?.start ?? 0, expression.length);
  const found = at >= expression.length ? '<EOF>' : tokenAt(expression, at);
  switch (code) {
    case 'unexpected_token':
      return { message: `Syntax error: mismatched input '${found}' expecting ${OPERANDS}`, at };
    case 'expected_token': {
      const wanted = /^Expected (\w+)/.exec(summary)?.[1] ?? '';
      if (wanted === 'IDENTIFIER') return { message: "Syntax error: no viable alternative at input '.'", at };
      const sign = CLOSERS[wanted];
      const why = sign === undefined ? `mismatched input '${found}'` : `missing '${sign}' at '${found}'`;
      return { message: `Syntax error: ${why}`, at };
    }
    case 'unexpected_character':
      return { message: `Syntax error: extraneous input '${found}' expecting <EOF>`, at };
    case 'unterminated_string':
      return { message: `Syntax error: token recognition error at: '${expression.slice(at)}'`, at };
    default:
      return { message: `Syntax error: ${summary}`, at };
  }
}

const CLOSERS: Readonly<Record<string, string>> = { RPAREN: ')', RBRACKET: ']', RBRACE: '}', COLON: ':' };

function tokenAt(expression: string, at: number): string {
  return /^(?:\w+|"[^"]*"|'[^']*'|[<>=!&|]{1,2}|.)/s.exec(expression.slice(at))?.[0] ?? '';
}

function typeProblem(
  { code, summary, node, range }: CelTypeError,
  expression: string,
  isFunction: (name: string) => boolean,
): Place {
  const tree = (node ?? {}) as Node;
  const start = range?.start ?? 0;
  switch (code) {
    case 'unknown_variable': {
      const name = /^Unknown variable: (.*)$/.exec(summary)?.[1] ?? '';
      return { message: `undeclared reference to '${name}' (in container '')`, at: start };
    }
    case 'no_such_key': {
      const name = /^No such key: (.*)$/.exec(summary)?.[1] ?? '';
      return { message: `undefined field '${name}'`, at: expression.lastIndexOf('.', start) };
    }
    case 'cannot_index_type': {
      const type = typeText(/'(.*)'$/.exec(summary)?.[1] ?? '');
      return {
        message: `type '${type}' does not support field selection`,
        at: expression.lastIndexOf('.', start),
      };
    }
    case 'no_such_overload': {
      const binary = /^no such overload: (.+) (==|!=|<=|>=|<|>|\+|-|\*|\/|%|in) (.+)$/.exec(summary);
      if (binary !== null) {
        const [, left = '', operator = '', right = ''] = binary;
        return overload(operatorName(operator), [left, right], operatorAt(tree, operator, expression));
      }
      const unary = /^no such overload: ([!-])(.+)$/.exec(summary);
      if (unary !== null) return overload(`${unary[1]}_`, [unary[2]!], start);
      return { message: summary, at: start };
    }
    case 'heterogeneous_list_element': {
      const types = /expected type '(.*)' but found '(.*)'$/.exec(summary);
      const [, wanted = '', found = ''] = types ?? [];
      return { message: `expected type '${typeText(wanted)}' but found '${typeText(found)}'`, at: start };
    }
    case 'no_matching_overload':
      return noFunction(summary, tree, expression, isFunction);
    case 'invalid_logical_operand':
      return overload(`_${tree.op ?? ''}_`, argumentTypes(tree), operatorAt(tree, tree.op ?? '', expression));
    case 'invalid_condition_type':
      return overload('_?_:_', argumentTypes(tree), operatorAt(tree, '?', expression));
    case 'invalid_index_type':
      return overload('_[_]', argumentTypes(tree), operatorAt(tree, '[', expression));
    default:
      return { message: summary, at: start };
  }
}

function overload(name: string, types: readonly string[], at: number): Place {
  return {
    message: `found no matching overload for '${name}' applied to '(${types.map(typeText).join(', ')})'`,
    at,
  };
}

function operatorName(operator: string): string {
  return operator === 'in' ? '@in' : `_${operator}_`;
}

function argumentTypes({ args }: Node): string[] {
  return (Array.isArray(args) ? (args as Node[]) : []).map(({ checkedType }) => checkedType?.name ?? 'dyn');
}

/** Where an operator stands: after what is left of it. */
function operatorAt({ args, start = 0 }: Node, operator: string, expression: string): number {
  const left = Array.isArray(args) ? (args[0] as Node) : undefined;
  const at = expression.indexOf(operator, left?.end ?? start);
  return at < 0 ? start : at;
}

function noFunction(
  summary: string,
  tree: Node,
  expression: string,
  isFunction: (name: string) => boolean,
): Place {
  const call = /^found no matching overload for '(.*)'$/s.exec(summary)?.[1] ?? '';
  const open = call.indexOf('(');
  const path = call.slice(0, open);
  const list = call.slice(open + 1, -1);
  const types = list === '' ? [] : splitTypes(list);
  const [name = '', , args] =
    tree.op === 'rcall'
      ? (tree.args as [string, Node, Node[]])
      : [(tree.args as [string, Node[]] | undefined)?.[0], undefined, (tree.args as [string, Node[]])?.[1]];
  void args;
  const receiver = tree.op === 'rcall' ? path.slice(0, path.length - name.length - 1) : undefined;
  const from =
    receiver === undefined ? (tree.start ?? 0) : ((tree.args as [string, Node, Node[]])[1].end ?? 0);
  const at = expression.indexOf('(', expression.indexOf(name, from));
  if (!isFunction(name)) return { message: `undeclared reference to '${name}' (in container '')`, at };
  const shown = types.map(typeText).join(', ');
  const applied = receiver === undefined ? `(${shown})` : `${typeText(receiver)}.(${shown})`;
  return { message: `found no matching overload for '${name}' applied to '${applied}'`, at };
}

/** Splits `string, map<string, int>` at the commas that aren't inside a type. */
function splitTypes(list: string): string[] {
  const types: string[] = [];
  let depth = 0;
  let begin = 0;
  for (const [index, character] of [...list].entries()) {
    if (character === '<') depth++;
    else if (character === '>') depth--;
    else if (character === ',' && depth === 0) {
      types.push(list.slice(begin, index).trim());
      begin = index + 1;
    }
  }
  return [...types, list.slice(begin).trim()];
}

/** A type as cel-go writes it: `list(string)`, `timestamp`, `object`. */
export function typeText(type: string): string {
  return type
    .replaceAll('google.protobuf.Timestamp', 'timestamp')
    .replaceAll('google.protobuf.Duration', 'duration')
    .replaceAll(/\bobject\.[\w.]+/g, 'object')
    .replaceAll(/\boptional</g, 'optional_type<')
    .replaceAll('<', '(')
    .replaceAll('>', ')')
    .replaceAll('null_type', 'null');
}
