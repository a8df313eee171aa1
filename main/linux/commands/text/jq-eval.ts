// jq's semantics: a filter makes a stream of values from one value.
import { compareNames } from '../frame/collate.ts';
import { strftime, UTC } from '../frame/time.ts';
import { undefinedNames, type Missing } from './jq-check.ts';
import { compactText, JsonTextError, parseJson, streamEvents } from './jq-json.ts';
import type { Filter, Pattern } from './jq-parse.ts';
import { preludeOf } from './jq-prelude.ts';

/** `error(x)`, and every type error; `value` is its message. */
export class JqError extends Error {
  readonly value: unknown;
  constructor(value: unknown) {
    super(typeof value === 'string' ? value : compactText(value));
    this.value = value;
  }
}

/** `halt` and `halt_error`. */
export class JqHalt extends Error {
  readonly exitCode: number;
  readonly text: string | undefined;
  constructor(exitCode: number, text?: string) {
    super('halt');
    this.exitCode = exitCode;
    this.text = text;
  }
}

type Obj = Record<string, unknown>;
type Path = (string | number | { start: number | null; end: number | null })[];

interface Closure {
  readonly parameters: readonly string[];
  readonly body: Filter;
  scope: Scope;
}

interface Scope {
  readonly variables: ReadonlyMap<string, unknown>;
  readonly functions: ReadonlyMap<string, Closure>;
}

interface World {
  readonly variables: ReadonlyMap<string, unknown>;
  readonly inputs: Iterator<unknown>;
  readonly nowMs: number;
  /** The file the input at hand comes from. */
  readonly fileName?: () => string | null;
  /** What debug and stderr print. */
  readonly tell?: (text: string) => void;
}

/** Values of `filter` for `input`. Throws JqError. */
export function* evaluate(filter: Filter, input: unknown, world: World): Generator<unknown> {
  yield* new Interpreter(world).run(filter, input, { variables: world.variables, functions: new Map() });
}

const BUILTINS: Readonly<Record<string, readonly number[]>> = {
  isnormal: [0],
  atan2: [2],
  fmin: [2],
  fmax: [2],
  fma: [3],
  ldexp: [2],
  scalb: [2],
  tostream: [0],
  gmtime: [0],
  localtime: [0],
  mktime: [0],
  strptime: [1],
  strflocaltime: [1],
  input_filename: [0],
  get_search_list: [0],
  builtins: [0],
  trunc: [0],
  rint: [0],
  nearbyint: [0],
  cbrt: [0],
  sin: [0],
  cos: [0],
  tan: [0],
  asin: [0],
  acos: [0],
  atan: [0],
  sinh: [0],
  cosh: [0],
  tanh: [0],
  log2: [0],
  log1p: [0],
  expm1: [0],
  exp2: [0],
  exp10: [0],
  significand: [0],
  logb: [0],
  empty: [0],
  not: [0],
  length: [0],
  keys: [0],
  keys_unsorted: [0],
  values: [0],
  nulls: [0],
  booleans: [0],
  numbers: [0],
  strings: [0],
  arrays: [0],
  objects: [0],
  iterables: [0],
  scalars: [0],
  add: [0],
  any: [0, 1, 2],
  all: [0, 1, 2],
  range: [1, 2, 3],
  floor: [0],
  ceil: [0],
  round: [0],
  sqrt: [0],
  pow: [2],
  log: [0],
  log10: [0],
  exp: [0],
  fabs: [0],
  tostring: [0],
  tonumber: [0],
  type: [0],
  infinite: [0],
  nan: [0],
  isinfinite: [0],
  isnan: [0],
  sort: [0],
  sort_by: [1],
  group_by: [1],
  min: [0],
  max: [0],
  min_by: [1],
  max_by: [1],
  unique: [0],
  unique_by: [1],
  reverse: [0],
  contains: [1],
  inside: [1],
  startswith: [1],
  endswith: [1],
  ltrimstr: [1],
  rtrimstr: [1],
  explode: [0],
  implode: [0],
  split: [1, 2],
  join: [1],
  ascii_downcase: [0],
  ascii_upcase: [0],
  recurse: [0, 1],
  env: [0],
  transpose: [0],
  first: [0, 1],
  last: [0, 1],
  nth: [1, 2],
  limit: [2],
  until: [2],
  while: [2],
  repeat: [1],
  input: [0],
  inputs: [0],
  select: [1],
  map: [1],
  map_values: [1],
  path: [1],
  paths: [0],
  leaf_paths: [0],
  del: [1],
  delpaths: [1],
  to_entries: [0],
  from_entries: [0],
  with_entries: [1],
  has: [1],
  in: [1],
  index: [1],
  rindex: [1],
  indices: [1],
  flatten: [0, 1],
  test: [1, 2],
  match: [1, 2],
  capture: [1, 2],
  scan: [1],
  splits: [1, 2],
  sub: [2, 3],
  gsub: [2, 3],
  tojson: [0],
  fromjson: [0],
  todate: [0],
  fromdate: [0],
  now: [0],
  strftime: [1],
  fromdateiso8601: [0],
  todateiso8601: [0],
  error: [0, 1],
  halt: [0],
  halt_error: [0, 1],
  getpath: [1],
  setpath: [2],
  input_line_number: [0],
  debug: [0],
  stderr: [0],
  walk: [1],
  utf8bytelength: [0],
  isempty: [1],
  trim: [0],
  ltrim: [0],
  rtrim: [0],
  abs: [0],
  toarray: [0],
};

/** What a program names that isn't there. */
export function missingNames(filter: Filter, variables: Iterable<string>): Missing[] {
  return undefinedNames(filter, variables, (key) => {
    const slash = key.lastIndexOf('/');
    return (
      BUILTINS[key.slice(0, slash)]?.includes(Number(key.slice(slash + 1))) === true ||
      preludeOf(key) !== undefined
    );
  });
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function shown(value: unknown): string {
  const text = compactText(value);
  return text.length > 11 ? `${text.slice(0, 10)}...` : text;
}

const ORDER = ['null', 'false', 'true', 'number', 'string', 'array', 'object'];

function compare(a: unknown, b: unknown): number {
  const rank = (value: unknown): number =>
    ORDER.indexOf(typeof value === 'boolean' ? String(value) : typeOf(value));
  const order = rank(a) - rank(b);
  if (order !== 0) return order;
  if (typeof a === 'number') return Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - (b as number);
  if (typeof a === 'string') return compareNames(a, b as string);
  if (Array.isArray(a)) {
    const other = b as unknown[];
    for (let i = 0; i < Math.min(a.length, other.length); i++) {
      const one = compare(a[i], other[i]);
      if (one !== 0) return one;
    }
    return a.length - other.length;
  }
  if (typeof a !== 'object' || a === null) return 0;
  const [x, y] = [Object.keys(a).toSorted(compareNames), Object.keys(b as Obj).toSorted(compareNames)];
  const keys = compare(x, y);
  if (keys !== 0) return keys;
  for (const key of x) {
    const one = compare((a as Obj)[key], (b as Obj)[key]);
    if (one !== 0) return one;
  }
  return 0;
}

const MATH: Readonly<Record<string, (x: number) => number>> = {
  floor: (x) => Math.floor(x),
  ceil: (x) => Math.ceil(x),
  round: (x) => Math.sign(x) * Math.round(Math.abs(x)),
  sqrt: (x) => Math.sqrt(x),
  log: (x) => Math.log(x),
  log10: (x) => Math.log10(x),
  exp: (x) => Math.exp(x),
  abs: (x) => Math.abs(x),
  fabs: (x) => Math.abs(x),
  trunc: (x) => Math.trunc(x),
  rint: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  nearbyint: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  cbrt: (x) => Math.cbrt(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tan: (x) => Math.tan(x),
  asin: (x) => Math.asin(x),
  acos: (x) => Math.acos(x),
  atan: (x) => Math.atan(x),
  sinh: (x) => Math.sinh(x),
  cosh: (x) => Math.cosh(x),
  tanh: (x) => Math.tanh(x),
  log2: (x) => Math.log2(x),
  log1p: (x) => Math.log1p(x),
  expm1: (x) => Math.expm1(x),
  exp2: (x) => 2 ** x,
  exp10: (x) => 10 ** x,
  significand: (x) => (x === 0 ? 0 : x / 2 ** Math.floor(Math.log2(Math.abs(x)))),
  logb: (x) => Math.floor(Math.log2(Math.abs(x))),
};

/** A JSON text; what is wrong with it becomes jq's error. */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new JqError(`${error.message} (while parsing '${text}')`);
  }
}

function truthy(value: unknown): boolean {
  return value !== null && value !== false;
}

/** `break`, on its way out to its label. */
class JqBreak extends Error {}

function namesOf(pattern: Pattern): string[] {
  if (pattern.kind === 'variable') return [pattern.name];
  if (pattern.kind === 'array') return pattern.items.flatMap(namesOf);
  return pattern.entries.flatMap((one) => [
    ...(one.key.kind === 'variable' ? [one.key.name] : []),
    ...namesOf(one.pattern),
  ]);
}

/** Steps of a program without an output in between, beyond which it can't be interrupted any more. */
const STEPS_MAX = 20_000_000;

class Interpreter {
  private steps = 0;
  private readonly world: World;
  constructor(world: World) {
    this.world = world;
  }

  private count(): void {
    if (++this.steps > STEPS_MAX)
      throw new JqError(
        "drydock: a jq program of more than 20 million steps without an output isn't simulated",
      );
  }

  *run(filter: Filter, input: unknown, scope: Scope): Generator<unknown> {
    for (const { value } of this.paths(filter, { path: undefined, value: input }, scope)) {
      this.count();
      yield value;
    }
  }

  private one(filter: Filter, input: unknown, scope: Scope): unknown {
    for (const value of this.run(filter, input, scope)) return value;
    return null;
  }

  /** Values with the paths they have, where they have one (`path` undefined: not asked for, or computed). */
  private *paths(
    filter: Filter,
    at: { path: Path | undefined; value: unknown },
    scope: Scope,
  ): Generator<{ path: Path | undefined; value: unknown }> {
    this.count();
    const input = at.value;
    const fresh = (value: unknown): { path: Path | undefined; value: unknown } => ({
      path: undefined,
      value,
    });
    switch (filter.kind) {
      case 'identity':
        yield at;
        return;
      case 'recurse':
        yield* this.recurse(at);
        return;
      case 'literal':
        yield fresh(filter.value);
        return;
      case 'variable': {
        if (!scope.variables.has(filter.name)) throw new JqError(`$${filter.name} is not defined`);
        yield fresh(scope.variables.get(filter.name));
        return;
      }
      case 'format':
        yield fresh(formatted(filter.name, input));
        return;
      case 'string':
        yield* this.strings(filter.parts, filter.format, input, scope, 0, '');
        return;
      case 'field':
        for (const target of this.paths(filter.of, at, scope)) {
          for (const name of this.run(filter.name, input, scope))
            yield {
              path: target.path === undefined ? undefined : [...target.path, name as string],
              value: index(target.value, name),
            };
        }
        return;
      case 'slice':
        for (const target of this.paths(filter.of, at, scope)) {
          const start = filter.from === undefined ? null : (this.one(filter.from, input, scope) as number);
          const end = filter.to === undefined ? null : (this.one(filter.to, input, scope) as number);
          yield {
            path: target.path === undefined ? undefined : [...target.path, { start, end }],
            value: slice(target.value, start, end),
          };
        }
        return;
      case 'iterate':
        for (const target of this.paths(filter.of, at, scope)) yield* iterate(target);
        return;
      case 'try':
        try {
          yield* this.paths(filter.body, at, scope);
        } catch (error) {
          if (!(error instanceof JqError)) throw error;
          if (filter.handler !== undefined) yield* this.paths(filter.handler, fresh(error.value), scope);
        }
        return;
      case 'pipe':
        for (const middle of this.paths(filter.left, at, scope))
          yield* this.paths(filter.right, middle, scope);
        return;
      case 'comma':
        yield* this.paths(filter.left, at, scope);
        yield* this.paths(filter.right, at, scope);
        return;
      case 'negate':
        for (const value of this.run(filter.of, input, scope)) {
          if (typeof value !== 'number')
            throw new JqError(`${typeOf(value)} (${shown(value)}) cannot be negated`);
          yield fresh(-value);
        }
        return;
      case 'binary':
        yield* this.binary(filter, at, scope);
        return;
      case 'assign':
        for (const value of this.assign(filter, input, scope)) yield fresh(value);
        return;
      case 'array':
        yield fresh(filter.body === undefined ? [] : [...this.run(filter.body, input, scope)]);
        return;
      case 'object':
        for (const value of this.objects(filter.entries, 0, {}, input, scope)) yield fresh(value);
        return;
      case 'if':
        for (const test of this.run(filter.test, input, scope)) {
          if (truthy(test)) yield* this.paths(filter.yes, at, scope);
          else if (filter.no === undefined) yield at;
          else yield* this.paths(filter.no, at, scope);
        }
        return;
      case 'as':
        for (const value of this.run(filter.source, input, scope))
          yield* this.bound(filter, value, at, scope);
        return;
      case 'label': {
        const mark = new JqBreak();
        try {
          yield* this.paths(filter.body, at, {
            variables: new Map([...scope.variables, [`*${filter.name}`, mark]]),
            functions: scope.functions,
          });
        } catch (error) {
          if (error !== mark) throw error;
        }
        return;
      }
      case 'break':
        throw scope.variables.get(`*${filter.name}`) as JqBreak;
      case 'reduce': {
        let state = this.one(filter.init, input, scope);
        for (const value of this.run(filter.source, input, scope)) {
          let next: unknown = null;
          for (const one of this.run(filter.update, state, this.bind(filter.pattern, value, scope)))
            next = one;
          state = next;
        }
        yield fresh(state);
        return;
      }
      case 'foreach': {
        let state = this.one(filter.init, input, scope);
        for (const value of this.run(filter.source, input, scope)) {
          const inner = this.bind(filter.pattern, value, scope);
          for (const next of this.run(filter.update, state, inner)) {
            state = next;
            if (filter.extract === undefined) yield fresh(next);
            else for (const one of this.run(filter.extract, next, inner)) yield fresh(one);
          }
        }
        return;
      }
      case 'define': {
        const closure: Closure = { parameters: filter.parameters, body: filter.body, scope };
        const inner: Scope = {
          variables: scope.variables,
          functions: new Map([...scope.functions, [`${filter.name}/${filter.parameters.length}`, closure]]),
        };
        closure.scope = inner;
        yield* this.paths(filter.rest, at, inner);
        return;
      }
      case 'call':
        yield* this.call(filter.name, filter.args, at, scope);
    }
  }

  /** The body of `source as patterns`: with `?//`, the next pattern where one fails. */
  private *bound(
    filter: Filter & { kind: 'as' },
    value: unknown,
    at: { path: Path | undefined; value: unknown },
    scope: Scope,
  ): Generator<{ path: Path | undefined; value: unknown }> {
    if (filter.alternatives === undefined) {
      yield* this.paths(filter.body, at, this.bind(filter.pattern, value, scope));
      return;
    }
    const patterns = [filter.pattern, ...filter.alternatives];
    const nulls: Scope = {
      variables: new Map([
        ...scope.variables,
        ...patterns.flatMap(namesOf).map((name) => [name, null] as const),
      ]),
      functions: scope.functions,
    };
    for (const [index, pattern] of patterns.entries()) {
      try {
        yield* this.paths(filter.body, at, this.bind(pattern, value, nulls));
        return;
      } catch (error) {
        if (!(error instanceof JqError) || index === patterns.length - 1) throw error;
      }
    }
  }

  private *recurse(at: {
    path: Path | undefined;
    value: unknown;
  }): Generator<{ path: Path | undefined; value: unknown }> {
    yield at;
    if (typeof at.value === 'object' && at.value !== null)
      for (const child of iterate(at)) yield* this.recurse(child);
  }

  private *strings(
    parts: readonly (string | Filter)[],
    format: string | undefined,
    input: unknown,
    scope: Scope,
    from: number,
    text: string,
  ): Generator<{ path: undefined; value: unknown }> {
    const part = parts[from];
    if (part === undefined) yield { path: undefined, value: text };
    else if (typeof part === 'string')
      yield* this.strings(parts, format, input, scope, from + 1, text + part);
    else
      for (const value of this.run(part, input, scope))
        yield* this.strings(
          parts,
          format,
          input,
          scope,
          from + 1,
          text +
            (format === undefined
              ? typeof value === 'string'
                ? value
                : compactText(value)
              : formatted(format, value)),
        );
  }

  private *objects(
    entries: readonly { key: Filter; value: Filter }[],
    from: number,
    done: Obj,
    input: unknown,
    scope: Scope,
  ): Generator<Obj> {
    const entry = entries[from];
    if (entry === undefined) {
      yield done;
      return;
    }
    for (const key of this.run(entry.key, input, scope)) {
      if (typeof key !== 'string') throw new JqError(`Object keys must be strings`);
      for (const value of this.run(entry.value, input, scope))
        yield* this.objects(entries, from + 1, { ...done, [key]: value }, input, scope);
    }
  }

  private bind(pattern: Pattern, value: unknown, scope: Scope): Scope {
    const variables = new Map(scope.variables);
    const walk = (one: Pattern, part: unknown): void => {
      if (one.kind === 'variable') variables.set(one.name, part);
      else if (one.kind === 'array') one.items.forEach((item, at) => walk(item, index(part, at)));
      else
        for (const entry of one.entries) walk(entry.pattern, index(part, this.one(entry.key, null, scope)));
    };
    walk(pattern, value);
    return { variables, functions: scope.functions };
  }

  private *binary(
    filter: Filter & { kind: 'binary' },
    at: { path: Path | undefined; value: unknown },
    scope: Scope,
  ): Generator<{ path: Path | undefined; value: unknown }> {
    const input = at.value;
    const { op } = filter;
    if (op === 'and' || op === 'or') {
      for (const left of this.run(filter.left, input, scope)) {
        if (truthy(left) === (op === 'or')) yield { path: undefined, value: op === 'or' };
        else
          for (const right of this.run(filter.right, input, scope))
            yield { path: undefined, value: truthy(right) };
      }
      return;
    }
    if (op === '//') {
      let any = false;
      try {
        for (const left of this.paths(filter.left, at, scope))
          if (truthy(left.value)) {
            any = true;
            yield left;
          }
      } catch (error) {
        if (!(error instanceof JqError)) throw error;
      }
      if (!any) yield* this.paths(filter.right, at, scope);
      return;
    }
    for (const right of this.run(filter.right, input, scope))
      for (const left of this.run(filter.left, input, scope))
        yield { path: undefined, value: operate(op, left, right) };
  }

  private *assign(filter: Filter & { kind: 'assign' }, input: unknown, scope: Scope): Generator<unknown> {
    const paths = (): Path[] =>
      [...this.paths(filter.left, { path: [], value: input }, scope)].map(({ path }) => {
        if (path === undefined) throw new JqError('Invalid path expression');
        return path;
      });
    if (filter.op === '|=') {
      let result = input;
      const gone: Path[] = [];
      for (const path of paths()) {
        const values = this.run(filter.right, getPath(result, path), scope).next();
        if (values.done === true) gone.push(path);
        else result = setPath(result, path, values.value);
      }
      yield deletePaths(result, gone);
      return;
    }
    for (const value of this.run(filter.right, input, scope)) {
      let result = input;
      for (const path of paths()) {
        const old = getPath(result, path);
        result = setPath(
          result,
          path,
          filter.op === '='
            ? value
            : filter.op === '//='
              ? truthy(old)
                ? old
                : value
              : operate(filter.op.slice(0, -1), old, value),
        );
      }
      yield result;
    }
  }

  private *call(
    name: string,
    args: readonly Filter[],
    at: { path: Path | undefined; value: unknown },
    scope: Scope,
  ): Generator<{ path: Path | undefined; value: unknown }> {
    const closure = scope.functions.get(`${name}/${args.length}`);
    if (closure !== undefined) {
      yield* this.callClosure(closure, args, 0, closure.scope, at, scope);
      return;
    }
    const written = preludeOf(`${name}/${args.length}`);
    if (written !== undefined) {
      const global: Scope = { variables: this.world.variables, functions: new Map() };
      const itself: Closure = { ...written, scope: global };
      itself.scope = {
        variables: global.variables,
        functions: new Map([[`${name}/${args.length}`, itself]]),
      };
      yield* this.callClosure(itself, args, 0, itself.scope, at, scope);
      return;
    }
    const input = at.value;
    const [a, b, c] = args;
    switch (name) {
      case 'empty':
        return;
      case 'select':
        for (const test of this.run(a!, input, scope)) if (truthy(test)) yield at;
        return;
      case 'values':
        if (input !== null) yield at;
        return;
      case 'nulls':
        if (input === null) yield at;
        return;
      case 'booleans':
      case 'numbers':
      case 'strings':
      case 'arrays':
      case 'objects':
        if (`${typeOf(input)}s` === name) yield at;
        return;
      case 'iterables':
        if (typeof input === 'object' && input !== null) yield at;
        return;
      case 'scalars':
        if (typeof input !== 'object' || input === null) yield at;
        return;
      case 'recurse':
        if (a === undefined) yield* this.recurse(at);
        else {
          yield at;
          for (const next of this.paths(a, at, scope)) yield* this.call('recurse', args, next, scope);
        }
        return;
      case 'first':
        if (a !== undefined) {
          for (const value of this.paths(a, at, scope)) {
            yield value;
            return;
          }
          return;
        }
        yield { path: at.path === undefined ? undefined : [...at.path, 0], value: index(input, 0) };
        return;
      case 'last':
        if (a !== undefined) {
          let found: { path: Path | undefined; value: unknown } | undefined;
          for (const value of this.paths(a, at, scope)) found = value;
          if (found !== undefined) yield found;
          return;
        }
        yield { path: at.path === undefined ? undefined : [...at.path, -1], value: index(input, -1) };
        return;
      case 'limit': {
        let left = this.one(a!, input, scope) as number;
        if (left < 0) left = Infinity; // jq 1.6 takes all, and one where it is zero.
        for (const value of this.paths(b!, at, scope)) {
          yield value;
          if (--left <= 0) return;
        }
        return;
      }
      case 'getpath':
        for (const path of this.run(a!, input, scope))
          yield {
            path: at.path === undefined ? undefined : [...at.path, ...(path as Path)],
            value: getPath(input, path as Path),
          };
        return;
      case 'map_values': {
        for (const value of this.assign(
          { kind: 'assign', op: '|=', left: { kind: 'iterate', of: { kind: 'identity' } }, right: a! },
          input,
          scope,
        ))
          yield { path: undefined, value };
        return;
      }
      case 'error':
        throw new JqError(a === undefined ? input : this.one(a, input, scope));
      case 'halt':
        throw new JqHalt(0);
      case 'halt_error':
        throw new JqHalt(
          a === undefined ? 5 : (this.one(a, input, scope) as number),
          typeof input === 'string' ? input : `${compactText(input)}\n`,
        );
      default:
        break;
    }
    for (const value of this.builtin(name, a, b, c, input, scope)) yield { path: undefined, value };
  }

  private numeric(input: unknown, wanted: string): number {
    if (typeof input !== 'number')
      throw new JqError(
        wanted.includes('requires') ? wanted : `${typeOf(input)} (${shown(input)}) ${wanted}`,
      );
    return input;
  }

  private *callClosure(
    closure: Closure,
    args: readonly Filter[],
    from: number,
    inner: Scope,
    at: { path: Path | undefined; value: unknown },
    scope: Scope,
  ): Generator<{ path: Path | undefined; value: unknown }> {
    const parameter = closure.parameters[from];
    if (parameter === undefined) {
      yield* this.paths(closure.body, at, inner);
      return;
    }
    const bound = (name: string, body: Filter, of: Scope): [string, Closure] => [
      `${name}/0`,
      { parameters: [], body, scope: of },
    ];
    if (!parameter.startsWith('$')) {
      yield* this.callClosure(
        closure,
        args,
        from + 1,
        {
          variables: inner.variables,
          functions: new Map([...inner.functions, bound(parameter, args[from]!, scope)]),
        },
        at,
        scope,
      );
      return;
    }
    const name = parameter.slice(1);
    for (const value of this.run(args[from]!, at.value, scope)) {
      const next: Scope = {
        variables: new Map([...inner.variables, [name, value]]),
        functions: new Map([...inner.functions, bound(name, { kind: 'literal', value }, scope)]),
      };
      yield* this.callClosure(closure, args, from + 1, next, at, scope);
    }
  }

  private list(value: unknown, what: string): unknown[] {
    if (!Array.isArray(value)) throw new JqError(`${typeOf(value)} (${shown(value)}) cannot be ${what}`);
    return value;
  }

  private text(value: unknown, what: string): string {
    if (typeof value !== 'string') throw new JqError(`${typeOf(value)} (${shown(value)}) ${what}`);
    return value;
  }

  private *builtin(
    name: string,
    a: Filter | undefined,
    b: Filter | undefined,
    c: Filter | undefined,
    input: unknown,
    scope: Scope,
  ): Generator<unknown> {
    const each = (filter: Filter | undefined): unknown[] =>
      filter === undefined ? [] : [...this.run(filter, input, scope)];
    const value = (filter: Filter | undefined): unknown =>
      filter === undefined ? null : this.one(filter, input, scope);
    const by = (item: unknown): unknown[] => [...this.run(a!, item, scope)];
    switch (name) {
      case 'not':
        yield !truthy(input);
        return;
      case 'length':
        yield lengthOf(input);
        return;
      case 'utf8bytelength':
        yield Buffer.byteLength(this.text(input, 'only strings have UTF-8 byte length'));
        return;
      case 'keys':
      case 'keys_unsorted':
        if (typeof input !== 'object' || input === null)
          throw new JqError(`${typeOf(input)} (${shown(input)}) has no keys`);
        yield Array.isArray(input)
          ? input.map((_, i) => i)
          : name === 'keys'
            ? Object.keys(input).toSorted(compareNames)
            : Object.keys(input);
        return;
      case 'add': {
        const items = Array.isArray(input) ? input : Object.values(input as Obj);
        let sum: unknown = null;
        for (const item of items) sum = operate('+', sum, item);
        yield sum;
        return;
      }
      case 'any':
      case 'all': {
        const items = b !== undefined ? each(a) : Array.isArray(input) ? input : Object.values(input as Obj);
        const test = (item: unknown): boolean =>
          b === undefined && a === undefined
            ? truthy(item)
            : [...this.run((b ?? a)!, item, scope)].some(truthy);
        yield name === 'any' ? items.some(test) : items.every(test);
        return;
      }
      case 'range': {
        const [from, to, step] =
          b === undefined
            ? [0, value(a) as number, 1]
            : [value(a) as number, value(b) as number, c === undefined ? 1 : (value(c) as number)];
        if (step === 0) return;
        for (let n = from; step > 0 ? n < to : n > to; n += step) yield n;
        return;
      }
      case 'pow':
        yield (value(a) as number) ** (value(b) as number);
        return;
      case 'tostring':
        yield typeof input === 'string' ? input : compactText(input);
        return;
      case 'tojson':
        yield compactText(input);
        return;
      case 'fromjson':
        yield parsed(this.text(input, 'cannot be parsed as JSON'));
        return;
      case 'tonumber': {
        if (typeof input === 'number') yield input;
        else if (typeof input === 'string') {
          const found = parsed(input);
          if (typeof found !== 'number')
            throw new JqError(`${typeOf(input)} (${shown(input)}) cannot be parsed as a number`);
          yield found;
        } else throw new JqError(`${typeOf(input)} (${shown(input)}) cannot be parsed as a number`);
        return;
      }
      case 'type':
        yield typeOf(input);
        return;
      case 'infinite':
        yield Infinity;
        return;
      case 'nan':
        yield Number.NaN;
        return;
      case 'isnan':
        yield Number.isNaN(input);
        return;
      case 'isinfinite':
        yield input === Infinity || input === -Infinity;
        return;
      case 'sort':
        yield this.list(input, 'sorted, as it is not an array').toSorted(compare);
        return;
      case 'sort_by':
        yield this.list(input, 'sorted, as it is not an array').toSorted((x, y) => compare(by(x), by(y)));
        return;
      case 'group_by':
      case 'unique_by': {
        const groups: { key: unknown; items: unknown[] }[] = [];
        for (const item of this.list(input, 'grouped, as it is not an array').toSorted((x, y) =>
          compare(by(x), by(y)),
        )) {
          const key = by(item);
          if (groups.length > 0 && compare(groups.at(-1)!.key, key) === 0) groups.at(-1)!.items.push(item);
          else groups.push({ key, items: [item] });
        }
        yield groups.map((group) => (name === 'group_by' ? group.items : group.items[0]));
        return;
      }
      case 'unique':
        yield this.list(input, 'sorted, as it is not an array')
          .toSorted(compare)
          .filter((item, i, all) => i === 0 || compare(all[i - 1], item) !== 0);
        return;
      case 'min':
      case 'max':
      case 'min_by':
      case 'max_by': {
        const sign = name.startsWith('min') ? 1 : -1;
        let found: unknown = null;
        this.list(input, 'iterated over').forEach((item, i) => {
          const order =
            i === 0 ? -1 : name.endsWith('_by') ? compare(by(item), by(found)) : compare(item, found);
          if (order * sign < 0 || i === 0 || (sign < 0 && order === 0)) found = item;
        });
        yield found;
        return;
      }
      case 'reverse':
        yield typeof input === 'string'
          ? [...input].toReversed().join('')
          : input === null
            ? []
            : this.list(input, 'reversed, as it is not an array').toReversed();
        return;
      case 'contains':
        yield contains(input, value(a));
        return;
      case 'inside':
        yield contains(value(a), input);
        return;
      case 'startswith':
      case 'endswith': {
        const other = value(a);
        if (typeof input !== 'string' || typeof other !== 'string')
          throw new JqError(`${name}() requires string inputs`);
        yield name === 'startswith' ? input.startsWith(other) : input.endsWith(other);
        return;
      }
      case 'ltrimstr': {
        const other = value(a);
        yield typeof input === 'string' && typeof other === 'string' && input.startsWith(other)
          ? input.slice(other.length)
          : input;
        return;
      }
      case 'rtrimstr': {
        const other = value(a);
        yield typeof input === 'string' && typeof other === 'string' && other !== '' && input.endsWith(other)
          ? input.slice(0, -other.length)
          : input;
        return;
      }
      case 'trim':
        yield this.text(input, 'cannot be trimmed').trim();
        return;
      case 'ltrim':
        yield this.text(input, 'cannot be trimmed').trimStart();
        return;
      case 'rtrim':
        yield this.text(input, 'cannot be trimmed').trimEnd();
        return;
      case 'explode':
        yield Array.from(this.text(input, 'cannot be exploded'), (character) => character.codePointAt(0));
        return;
      case 'implode':
        yield String.fromCodePoint(...(input as number[]));
        return;
      case 'split': {
        const separator = value(a);
        if (typeof input !== 'string' || typeof separator !== 'string')
          throw new JqError('split input and separator must be strings');
        yield b !== undefined
          ? input.split(new RegExp(separator, regexFlags(value(b))))
          : input === ''
            ? []
            : input.split(separator);
        return;
      }
      case 'splits':
        yield* this.text(input, 'cannot be matched, as it is not a string').split(
          new RegExp(value(a) as string),
        );
        return;
      case 'join':
        yield this.list(input, 'joined')
          .map((item) => (item === null ? '' : typeof item === 'string' ? item : compactText(item)))
          .join(value(a) as string);
        return;
      case 'ascii_downcase':
        yield this.text(input, 'cannot be lower-cased').replaceAll(/[A-Z]/g, (x) => x.toLowerCase());
        return;
      case 'ascii_upcase':
        yield this.text(input, 'cannot be upper-cased').replaceAll(/[a-z]/g, (x) => x.toUpperCase());
        return;
      case 'env':
        yield this.world.variables.get('ENV');
        return;
      case 'transpose': {
        const rows = input as unknown[][];
        yield Array.from({ length: Math.max(0, ...rows.map((row) => row.length)) }, (_, i) =>
          rows.map((row) => row[i] ?? null),
        );
        return;
      }
      case 'nth': {
        const n = value(a) as number;
        if (b === undefined) yield index(input, n);
        else {
          const all = each(b);
          if (n < all.length) yield all[n];
        }
        return;
      }
      case 'until': {
        let now = input;
        while (!truthy(this.one(a!, now, scope))) now = this.one(b!, now, scope);
        yield now;
        return;
      }
      case 'while': {
        let now = input;
        while (truthy(this.one(a!, now, scope))) {
          yield now;
          now = this.one(b!, now, scope);
        }
        return;
      }
      case 'repeat': {
        let now = input;
        for (;;) {
          yield now;
          now = this.one(a!, now, scope);
        }
      }
      case 'input': {
        const next = this.world.inputs.next();
        if (next.done === true) throw new JqError('break');
        yield next.value;
        return;
      }
      case 'inputs':
        for (let next = this.world.inputs.next(); next.done !== true; next = this.world.inputs.next())
          yield next.value;
        return;
      case 'map':
        yield this.list(
          Array.isArray(input)
            ? input
            : typeof input === 'object' && input !== null
              ? Object.values(input)
              : input,
          'iterated over',
        ).flatMap((item) => [...this.run(a!, item, scope)]);
        return;
      case 'path':
        for (const { path } of this.paths(a!, { path: [], value: input }, scope)) yield path;
        return;
      case 'paths':
      case 'leaf_paths':
        for (const { path, value: item } of this.recurse({ path: [], value: input }))
          if (
            path!.length > 0 &&
            (name === 'leaf_paths'
              ? typeof item !== 'object' || item === null
              : a === undefined || truthy(this.one(a, item, scope)))
          )
            yield path;
        return;
      case 'del':
        yield deletePaths(
          input,
          [...this.paths(a!, { path: [], value: input }, scope)].map(({ path }) => path ?? []),
        );
        return;
      case 'delpaths':
        yield deletePaths(input, value(a) as Path[]);
        return;
      case 'setpath':
        yield setPath(input, value(a) as Path, value(b));
        return;
      case 'to_entries':
        yield Array.isArray(input)
          ? input.map((one, key) => ({ key, value: one }))
          : Object.entries(input as Obj).map(([key, one]) => ({ key, value: one }));
        return;
      case 'from_entries':
        yield fromEntries(input as unknown[]);
        return;
      case 'with_entries':
        yield fromEntries(
          Object.entries(input as Obj).flatMap(([key, one]) => [...this.run(a!, { key, value: one }, scope)]),
        );
        return;
      case 'has': {
        const key = value(a);
        yield Array.isArray(input)
          ? (key as number) >= 0 && (key as number) < input.length
          : Object.hasOwn(input as Obj, key as string);
        return;
      }
      case 'in': {
        const of = value(a);
        yield Array.isArray(of) ? (input as number) < of.length : Object.hasOwn(of as Obj, input as string);
        return;
      }
      case 'index':
      case 'rindex':
      case 'indices': {
        const found = indices(input, value(a));
        yield name === 'indices' ? found : ((name === 'index' ? found[0] : found.at(-1)) ?? null);
        return;
      }
      case 'flatten':
        yield this.list(input, 'flattened').flat(a === undefined ? Infinity : (value(a) as number));
        return;
      case 'test':
      case 'match':
      case 'capture':
      case 'scan':
      case 'sub':
      case 'gsub':
        yield* this.regex(name, a!, b, c, input, scope);
        return;
      case 'now':
        yield this.world.nowMs / 1000;
        return;
      case 'todate':
      case 'todateiso8601':
        yield strftime('%FT%TZ', (input as number) * 1000, UTC);
        return;
      case 'fromdate':
      case 'fromdateiso8601':
        yield Math.floor(Date.parse(this.text(input, 'cannot be parsed as a date')) / 1000);
        return;
      case 'strftime':
        yield strftime(value(a) as string, (typeof input === 'number' ? input : 0) * 1000, UTC);
        return;
      case 'debug':
        this.world.tell?.(`${compactText(['DEBUG:', input])}\n`);
        yield input;
        return;
      case 'stderr':
        this.world.tell?.(compactText(input));
        yield input;
        return;
      case 'isempty':
        yield this.run(a!, input, scope).next().done === true;
        return;
      case 'toarray':
        yield Array.isArray(input) ? input : [input];
        return;
      case 'input_line_number':
        yield 0;
        return;
      case 'walk': {
        const walk = (one: unknown): unknown =>
          this.one(
            a!,
            Array.isArray(one)
              ? one.map(walk)
              : typeof one === 'object' && one !== null
                ? Object.fromEntries(Object.entries(one).map(([key, item]) => [key, walk(item)]))
                : one,
            scope,
          );
        yield walk(input);
        return;
      }
      case 'isnormal':
        yield (
          typeof input === 'number' && Number.isFinite(input) && Math.abs(input) >= 2.2250738585072014e-308
        );
        return;
      case 'atan2':
        yield Math.atan2(value(a) as number, value(b) as number);
        return;
      case 'fmin':
        yield Math.min(value(a) as number, value(b) as number);
        return;
      case 'fmax':
        yield Math.max(value(a) as number, value(b) as number);
        return;
      case 'fma':
        yield (value(a) as number) * (value(b) as number) + (value(c) as number);
        return;
      case 'ldexp':
      case 'scalb':
        yield (value(a) as number) * 2 ** (value(b) as number);
        return;
      case 'tostream':
        yield* streamEvents(input);
        return;
      case 'gmtime':
      case 'localtime':
        yield brokenDown(this.numeric(input, 'gmtime() requires a number'));
        return;
      case 'mktime':
        yield secondsOf(input, 'mktime');
        return;
      case 'strptime':
        yield parsedTime(
          this.text(input, 'strptime/1 requires string inputs and arguments'),
          value(a) as string,
        );
        return;
      case 'strflocaltime':
        yield strftime(
          value(a) as string,
          (typeof input === 'number' ? input : secondsOf(input, 'strflocaltime')) * 1000,
          UTC,
        );
        return;
      case 'input_filename':
        yield this.world.fileName?.() ?? null;
        return;
      case 'get_search_list':
        yield [];
        return;
      case 'builtins':
        yield Object.entries(BUILTINS).flatMap(([one, arities]) => arities.map((arity) => `${one}/${arity}`));
        return;
      case 'ascii':
        yield String.fromCharCode(input as number);
        return;
      default:
        if (MATH[name] !== undefined) {
          yield MATH[name](this.numeric(input, 'number required'));
          return;
        }
        throw new JqError(`drydock: jq's ${name} isn't simulated`);
    }
  }

  private *regex(
    name: string,
    a: Filter,
    b: Filter | undefined,
    c: Filter | undefined,
    input: unknown,
    scope: Scope,
  ): Generator<unknown> {
    if (typeof input !== 'string')
      throw new JqError(`${typeOf(input)} (${shown(input)}) cannot be matched, as it is not a string`);
    const given = this.one(a, input, scope);
    const [source, inline] = Array.isArray(given)
      ? [given[0] as string, given[1] as string | undefined]
      : [given as string, undefined];
    const replaces = name === 'sub' || name === 'gsub';
    const options = regexFlags(
      (replaces
        ? c === undefined
          ? undefined
          : this.one(c, input, scope)
        : b === undefined
          ? inline
          : this.one(b, input, scope)) ?? '',
    );
    let regex: RegExp;
    try {
      regex = new RegExp(
        source,
        `${options.includes('g') || name === 'gsub' || name === 'scan' ? 'g' : ''}${options.replace('g', '')}u`,
      );
    } catch {
      throw new JqError(`${source} (at offset 0) is not a valid regex`); // The engine's own words differ.
    }
    if (name === 'test') {
      yield regex.test(input);
      return;
    }
    const matches = regex.global
      ? [...input.matchAll(regex)]
      : [regex.exec(input)].filter((match) => match !== null);
    const captured = (match: RegExpMatchArray): Obj =>
      Object.fromEntries(Object.entries(match.groups ?? {}).map(([key, text]) => [key, text ?? null]));
    if (replaces) {
      let out = '';
      let at = 0;
      for (const match of matches) {
        out += input.slice(at, match.index) + String(this.one(b!, captured(match), scope) as string);
        at = match.index! + match[0].length;
      }
      yield out + input.slice(at);
      return;
    }
    for (const match of matches) {
      if (name === 'capture') yield captured(match);
      else if (name === 'scan') yield match.length > 1 ? match.slice(1) : match[0];
      else
        yield {
          offset: match.index,
          length: [...match[0]].length,
          string: match[0],
          captures: match.slice(1).map((text, i) => ({
            offset: text === undefined ? -1 : input.indexOf(text, match.index),
            length: text?.length ?? 0,
            string: text ?? null,
            name: Object.keys(match.groups ?? {})[i] ?? null,
          })),
        };
    }
  }
}

function regexFlags(value: unknown): string {
  return typeof value === 'string' ? [...value].filter((flag) => 'gis'.includes(flag)).join('') : '';
}

function* iterate(at: {
  path: Path | undefined;
  value: unknown;
}): Generator<{ path: Path | undefined; value: unknown }> {
  const { value, path } = at;
  if (typeof value !== 'object' || value === null)
    throw new JqError(
      `Cannot iterate over ${value === null ? 'null' : `${typeOf(value)} (${shown(value)})`}`,
    );
  if (Array.isArray(value))
    for (const [i, item] of value.entries())
      yield { path: path === undefined ? undefined : [...path, i], value: item };
  else
    for (const [key, item] of Object.entries(value))
      yield { path: path === undefined ? undefined : [...path, key], value: item };
}

function index(value: unknown, key: unknown): unknown {
  if (value === null && (typeof key === 'string' || typeof key === 'number' || key === null)) return null;
  if (typeof key === 'object' && key !== null && !Array.isArray(key))
    return slice(value, (key as { start: number | null }).start, (key as { end: number | null }).end);
  if (Array.isArray(value) && typeof key === 'number') {
    const at = Math.floor(key);
    return value[at < 0 ? at + value.length : at] ?? null;
  }
  if (typeOf(value) === 'object' && typeof key === 'string') return (value as Obj)[key] ?? null;
  if (Array.isArray(value) && Array.isArray(key)) return indices(value, key);
  const shownKey =
    typeof key !== 'string'
      ? typeOf(key)
      : typeOf(value) === 'object' || value === null
        ? compactText(key)
        : `string ${compactText(key)}`;
  throw new JqError(`Cannot index ${typeOf(value)} with ${shownKey}`);
}

function slice(value: unknown, start: number | null, end: number | null): unknown {
  if (value === null) return null;
  if (typeof value === 'string') return [...value].slice(start ?? 0, end ?? undefined).join('');
  if (Array.isArray(value)) return value.slice(start ?? 0, end ?? undefined);
  throw new JqError(`Cannot index ${typeOf(value)} with object`);
}

function getPath(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((one, key) => (one === null ? null : index(one, key)), value);
}

function setPath(value: unknown, path: Path, to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  if (typeof key === 'number') {
    if (value !== null && !Array.isArray(value))
      throw new JqError(`Cannot index ${typeOf(value)} with number`);
    const copy = [...((value as unknown[] | null) ?? [])];
    const at = key < 0 ? key + copy.length : key;
    if (at < 0) throw new JqError('Out of bounds negative array index');
    while (copy.length < at) copy.push(null);
    copy[at] = setPath(copy[at] ?? null, rest, to);
    return copy;
  }
  if (typeof key === 'object') {
    const copy = [...((value as unknown[] | null) ?? [])];
    const end = key.end ?? copy.length;
    copy.splice(
      key.start ?? 0,
      end - (key.start ?? 0),
      ...(setPath(slice(copy, key.start, key.end), rest, to) as unknown[]),
    );
    return copy;
  }
  if (value !== null && typeOf(value) !== 'object')
    throw new JqError(`Cannot index ${typeOf(value)} with "${key}"`);
  return { ...(value as Obj | null), [key]: setPath((value as Obj | null)?.[key] ?? null, rest, to) };
}

function deletePaths(value: unknown, paths: readonly Path[]): unknown {
  let result = value;
  for (const path of paths.toSorted((x, y) => compare(y, x))) {
    const parent = getPath(result, path.slice(0, -1));
    const key = path.at(-1)!;
    if (Array.isArray(parent)) {
      const from = typeof key === 'object' ? (key.start ?? 0) : (key as number);
      const count = typeof key === 'object' ? (key.end ?? parent.length) - from : 1;
      result = setPath(
        result,
        path.slice(0, -1),
        parent.filter((_, i) => i < from || i >= from + count),
      );
    } else if (typeOf(parent) === 'object')
      result = setPath(
        result,
        path.slice(0, -1),
        Object.fromEntries(Object.entries(parent as Obj).filter(([name]) => name !== key)),
      );
  }
  return result;
}

function lengthOf(value: unknown): number {
  if (value === null) return 0;
  if (typeof value === 'string') return [...value].length;
  if (typeof value === 'number') return Math.abs(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object') return Object.keys(value).length;
  throw new JqError(`boolean (${compactText(value)}) has no length`);
}

function operate(op: string, a: unknown, b: unknown): unknown {
  switch (op) {
    case '==':
      return compare(a, b) === 0;
    case '!=':
      return compare(a, b) !== 0;
    case '<':
      return compare(a, b) < 0;
    case '<=':
      return compare(a, b) <= 0;
    case '>':
      return compare(a, b) > 0;
    case '>=':
      return compare(a, b) >= 0;
    default:
      break;
  }
  const words: Readonly<Record<string, string>> = {
    '+': 'added',
    '-': 'subtracted',
    '*': 'multiplied',
    '/': 'divided',
    '%': 'divided',
  };
  if (op === '+' && a === null) return b;
  if (op === '+' && b === null) return a;
  if (typeof a === 'number' && typeof b === 'number') {
    if ((op === '/' || op === '%') && Math.trunc(b) === 0 && (op === '%' || b === 0))
      throw new JqError(
        `number (${a}) and number (${b}) cannot be divided${op === '%' ? ' (remainder)' : ''} because the divisor is zero`,
      );
    return op === '+'
      ? a + b
      : op === '-'
        ? a - b
        : op === '*'
          ? a * b
          : op === '/'
            ? a / b
            : Math.trunc(a) % Math.trunc(b);
  }
  if (typeof a === 'string' && typeof b === 'string') {
    if (op === '+') return a + b;
    if (op === '/') return a.split(b);
  }
  if (op === '*' && typeof a === 'string' && typeof b === 'number')
    return b > 0 ? a.repeat(Math.max(1, Math.floor(b))) : null;
  if (Array.isArray(a) && Array.isArray(b)) {
    if (op === '+') return [...a, ...b];
    if (op === '-') return a.filter((item) => !b.some((other) => compare(item, other) === 0));
  }
  if (typeOf(a) === 'object' && typeOf(b) === 'object') {
    if (op === '+') return { ...(a as Obj), ...(b as Obj) };
    if (op === '*') return merge(a as Obj, b as Obj);
  }
  throw new JqError(`${typeOf(a)} (${shown(a)}) and ${typeOf(b)} (${shown(b)}) cannot be ${words[op]}`);
}

function merge(a: Obj, b: Obj): Obj {
  const out: Obj = { ...a };
  for (const [key, value] of Object.entries(b))
    out[key] =
      typeOf(out[key]) === 'object' && typeOf(value) === 'object'
        ? merge(out[key] as Obj, value as Obj)
        : value;
  return out;
}

function contains(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a.includes(b);
  if (Array.isArray(a) && Array.isArray(b))
    return b.every((item) => a.some((other) => contains(other, item)));
  if (typeOf(a) === 'object' && typeOf(b) === 'object')
    return Object.entries(b as Obj).every(
      ([key, item]) => Object.hasOwn(a as Obj, key) && contains((a as Obj)[key], item),
    );
  if (typeOf(a) === typeOf(b)) return compare(a, b) === 0;
  throw new JqError(
    `${typeOf(a)} (${shown(a)}) and ${typeOf(b)} (${shown(b)}) cannot have their containment checked`,
  );
}

function indices(value: unknown, of: unknown): number[] {
  if (value === null) return [];
  const found: number[] = [];
  if (typeof value === 'string' && typeof of === 'string') {
    if (of !== '') for (let at = value.indexOf(of); at >= 0; at = value.indexOf(of, at + 1)) found.push(at);
    return found;
  }
  const list = value as unknown[];
  if (Array.isArray(of)) {
    if (of.length > 0)
      for (let i = 0; i + of.length <= list.length; i++)
        if (of.every((item, k) => compare(list[i + k], item) === 0)) found.push(i);
    return found;
  }
  list.forEach((item, i) => {
    if (compare(item, of) === 0) found.push(i);
  });
  return found;
}

function fromEntries(entries: readonly unknown[]): Obj {
  const out: Obj = {};
  for (const entry of entries) {
    const one = entry as Obj;
    const key = one['key'] ?? one['k'] ?? one['name'] ?? one['Name'] ?? one['K'] ?? one['Key'];
    out[typeof key === 'string' ? key : compactText(key ?? null)] =
      one['value'] ?? one['v'] ?? one['Value'] ?? one['V'] ?? null;
  }
  return out;
}

function notInRow(item: unknown, kind: 'csv' | 'tsv'): never {
  throw new JqError(`${typeOf(item)} (${shown(item)}) is not valid in a ${kind} row`);
}

function formatted(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : compactText(value);
  const row = (quote: (item: unknown) => string, glue: string): string => {
    if (!Array.isArray(value))
      throw new JqError(
        `${typeOf(value)} (${shown(value)}) cannot be ${name.slice(1)}-formatted, only array`,
      );
    return value.map(quote).join(glue);
  };
  switch (name) {
    case '@text':
      return text;
    case '@json':
      return compactText(value);
    case '@csv':
      return row(
        (item) =>
          typeof item === 'object' && item !== null
            ? notInRow(item, 'csv')
            : typeof item === 'string'
              ? `"${item.replaceAll('"', '""')}"`
              : item === null
                ? ''
                : String(item as number),
        ',',
      );
    case '@tsv':
      return row(
        (item) =>
          typeof item === 'object' && item !== null
            ? notInRow(item, 'tsv')
            : item === null
              ? ''
              : typeof item === 'string'
                ? item
                    .replaceAll('\\', '\\\\')
                    .replaceAll('\t', '\\t')
                    .replaceAll('\n', '\\n')
                    .replaceAll('\r', '\\r')
                : String(item as number),
        '\t',
      );
    case '@html':
      return text.replaceAll(
        /[<>&'"]/g,
        (c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&apos;', '"': '&quot;' })[c]!,
      );
    case '@uri':
      return encodeURIComponent(text).replaceAll(
        /[!'()*]/g,
        (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    case '@sh': {
      const quote = (item: unknown): string =>
        typeof item === 'string' ? `'${item.replaceAll("'", "'\\''")}'` : compactText(item);
      return Array.isArray(value) ? value.map(quote).join(' ') : quote(value);
    }
    case '@base64':
      return Buffer.from(text).toString('base64');
    case '@base64d':
      return Buffer.from(text, 'base64').toString();
    default:
      throw new JqError(`${name.slice(1)} is not a valid format`);
  }
}

/** gmtime: year, month from 0, day, hour, minute, seconds with fraction, weekday, day of the year from 0. */
function brokenDown(seconds: number): number[] {
  const date = new Date(Math.floor(seconds) * 1000);
  const year = date.getUTCFullYear();
  const midnight = Date.UTC(year, date.getUTCMonth(), date.getUTCDate());
  return [
    year,
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds() + (seconds - Math.floor(seconds)),
    date.getUTCDay(),
    Math.round((midnight - Date.UTC(year, 0, 1)) / 86_400_000),
  ];
}

function secondsOf(value: unknown, name: string): number {
  if (!Array.isArray(value) || value.length < 6) throw new JqError(`${name} requires array of 6 numbers`);
  const numbers = value.slice(0, 6);
  if (!numbers.every((one) => typeof one === 'number'))
    throw new JqError(`${name} requires parsed datetime inputs`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers as number[];
  return Math.floor(Date.UTC(year, month, day, hour, minute, second) / 1000);
}

const MONTH_NAMES = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

/** strptime(3) of what dates are made of, in UTC. */
function parsedTime(text: string, format: string): number[] {
  const fail = (): never => {
    throw new JqError(`date "${text}" does not match format "${format}"`);
  };
  let [year, month, day, hour, minute, second] = [1900, 0, 1, 0, 0, 0];
  let epoch: number | undefined;
  let at = 0;
  const take = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern.source, 'iy');
    sticky.lastIndex = at;
    const found = sticky.exec(text);
    if (found === null) return fail();
    at += found[0].length;
    return found[0].trim();
  };
  const full = format
    .replaceAll('%F', '%Y-%m-%d')
    .replaceAll('%T', '%H:%M:%S')
    .replaceAll('%R', '%H:%M')
    .replaceAll('%D', '%m/%d/%y')
    .replaceAll('%c', '%a %b %e %H:%M:%S %Y');
  let afternoon: boolean | undefined;
  for (let i = 0; i < full.length; i++) {
    if (full[i] !== '%') {
      if (/\s/.test(full[i]!)) take(/\s*/);
      else if (text[at] === full[i]) at++;
      else fail();
      continue;
    }
    switch (full[++i]) {
      case 'Y':
        year = Number(take(/[-+]?\d{1,4}/));
        break;
      case 'y': {
        const short = Number(take(/\d{2}/));
        year = short < 69 ? 2000 + short : 1900 + short;
        break;
      }
      case 'm':
        month = Number(take(/\d{1,2}/)) - 1;
        break;
      case 'd':
      case 'e':
        day = Number(take(/\s*\d{1,2}/));
        break;
      case 'H':
      case 'I':
      case 'k':
      case 'l':
        hour = Number(take(/\s*\d{1,2}/));
        break;
      case 'M':
        minute = Number(take(/\d{1,2}/));
        break;
      case 'S':
        second = Number(take(/\d{1,2}/));
        break;
      case 'j':
        day = Number(take(/\d{1,3}/));
        break;
      case 'a':
      case 'A':
        take(/(?:sun|mon|tue|wed|thu|fri|sat)[a-z]*/);
        break;
      case 'b':
      case 'B':
      case 'h':
        month = MONTH_NAMES.indexOf(
          take(/(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*/)
            .slice(0, 3)
            .toLowerCase(),
        );
        break;
      case 'p':
        afternoon = /p/i.test(take(/[ap]m/));
        break;
      case 's':
        epoch = Number(take(/-?\d+/));
        break;
      case 'Z':
        take(/[A-Za-z]+/);
        break;
      case 'z': {
        take(/Z|[-+]\d{2}:?\d{2}/); // As jq does, without using it.
        break;
      }
      case 'n':
      case 't':
        take(/\s*/);
        break;
      case '%':
        take(/%/);
        break;
      default:
        fail();
    }
  }
  if (at < text.length) fail();
  if (afternoon !== undefined) hour = (hour % 12) + (afternoon ? 12 : 0);
  return brokenDown(epoch ?? Date.UTC(year, month, day, hour, minute, second) / 1000);
}
