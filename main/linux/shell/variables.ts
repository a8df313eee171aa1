// Shell variables: scopes of functions, attributes, arrays, namerefs, and variables that compute their value.
import { textToBytes } from './bytes.ts';

export type Attribute =
  | 'exported'
  | 'readonly'
  | 'integer'
  | 'lowercase'
  | 'uppercase'
  | 'capitalized'
  | 'nameref'
  | 'traced';

/** Lets a variable compute its value; `set` absent means that assignments are lost. */
interface Dynamic {
  readonly get: () => string | readonly string[];
  readonly set?: (value: string) => void;
}

export interface Variable {
  /** A scalar's text; undefined when declared only. */
  value: string | undefined;
  indexed: Map<number, string> | undefined;
  associative: Map<string, string> | undefined;
  readonly attributes: Set<Attribute>;
  dynamic?: Dynamic;
}

/** An assignment to a readonly variable, or another one bash refuses; `message` is its text. */
export class VariableError extends Error {}

/** Values are accounted as memory in steps of this size. */
const HELD_STEP_BYTES = 256 * 1024;
/** How far namerefs may point to each other. */
const NAMEREF_DEPTH_MAX = 8;

/** Evaluates the right side for variables with the integer attribute. */
type IntegerEvaluator = (text: string, use: 'subscript' | 'integer') => bigint;

/** All variables of a shell: the global scope and one per running function, innermost last. */
export class Variables {
  private scopes: Map<string, Variable>[] = [new Map()];
  private readonly temporary = new Set<Map<string, Variable>>();
  private readonly evaluate: IntegerEvaluator;
  /** Told of changes that others follow (PATH, HISTSIZE …). */
  onChange: (name: string) => void = () => undefined;
  /** Told how many bytes plain values take, when that has changed by much. */
  onHeld: (bytes: number) => void = () => undefined;
  private heldBytes = 0;
  private toldBytes = 0;

  constructor(evaluate: IntegerEvaluator) {
    this.evaluate = evaluate;
  }

  /** A copy for a subshell; dynamic variables are left for the owner to define again. */
  copyTo(target: Variables): void {
    target.scopes = this.scopes.map((scope) => {
      const copy = new Map<string, Variable>();
      for (const [name, variable] of scope)
        if (variable.dynamic === undefined) copy.set(name, copyVariable(variable));
      return copy;
    });
  }

  private holds(moreBytes: number): void {
    this.heldBytes += moreBytes;
    if (Math.abs(this.heldBytes - this.toldBytes) < HELD_STEP_BYTES) return;
    this.toldBytes = this.heldBytes;
    this.onHeld(Math.max(0, this.heldBytes));
  }

  pushScope(): void {
    this.scopes.push(new Map());
  }

  /** A scope for the assignments before a command; `local` doesn't put variables there. */
  pushTemporary(): void {
    const scope = new Map<string, Variable>();
    this.scopes.push(scope);
    this.temporary.add(scope);
  }

  /** The innermost scope's variable of this name, made anew if need be. */
  ensureTop(name: string): Variable {
    const scope = this.scopes.at(-1)!;
    const variable = scope.get(name) ?? emptyVariable();
    scope.set(name, variable);
    return variable;
  }

  popScope(): void {
    const scope = this.scopes.pop()!;
    this.temporary.delete(scope);
    for (const [name, { value }] of scope) {
      this.holds(-(value?.length ?? 0));
      this.onChange(name);
    }
  }

  get depth(): number {
    return this.scopes.length;
  }

  // ── Looking up ──

  /** The variable a name means, namerefs followed. */
  find(name: string): Variable | undefined {
    return this.findRaw(this.resolve(name).name);
  }

  /** The variable of exactly this name, a nameref itself included. */
  findRaw(name: string): Variable | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const variable = this.scopes[i]!.get(name);
      if (variable !== undefined) return variable;
    }
    return undefined;
  }

  findLocal(name: string): Variable | undefined {
    return this.scopes.findLast((scope) => !this.temporary.has(scope))!.get(name);
  }

  /** Follows namerefs; a reference such as `a[1]` gives a subscript too. */
  resolve(name: string): { name: string; subscript: string | undefined } {
    let current = name;
    for (let depth = 0; depth < NAMEREF_DEPTH_MAX; depth++) {
      const variable = this.findRaw(current);
      if (variable === undefined || !variable.attributes.has('nameref') || variable.value === undefined) {
        return { name: current, subscript: undefined };
      }
      const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[(.*)\])?$/s.exec(variable.value);
      if (match === null) return { name: current, subscript: undefined };
      if (match[2] !== undefined) return { name: match[1]!, subscript: match[2] };
      current = match[1]!;
    }
    return { name: current, subscript: undefined };
  }

  /** The text of `$name`: of an array its element 0. */
  get(name: string): string | undefined {
    const target = this.resolve(name);
    const variable = this.findRaw(target.name);
    if (variable === undefined) return undefined;
    if (target.subscript !== undefined) return this.element(target.name, target.subscript);
    return scalarOf(variable);
  }

  /** One element; a subscript of an indexed array is an arithmetic expression. */
  element(name: string, subscript: string): string | undefined {
    const variable = this.find(name);
    if (variable?.associative !== undefined) return variable.associative.get(subscript);
    const elements = variable === undefined ? new Map<number, string>() : this.indexedOf(variable);
    if (
      variable?.indexed === undefined &&
      variable?.dynamic === undefined &&
      this.evaluate(subscript, 'subscript') < 0n
    )
      throw new VariableError(`${name}: bad array subscript`);
    const index = this.elementIndex(name, elements, subscript);
    return elements.get(index);
  }

  private elementIndex(name: string, elements: ReadonlyMap<number, string>, subscript: string): number {
    const index = Number(this.evaluate(subscript, 'subscript'));
    if (index >= 0) return index;
    const fromEnd = Math.max(-1, ...elements.keys()) + 1 + index;
    if (fromEnd < 0) throw new VariableError(`${name}: bad array subscript`);
    return fromEnd;
  }

  private indexedOf(variable: Variable): ReadonlyMap<number, string> {
    if (variable.dynamic !== undefined) {
      const value = variable.dynamic.get();
      return new Map((typeof value === 'string' ? [value] : value).map((text, i) => [i, text]));
    }
    if (variable.indexed !== undefined) return variable.indexed;
    return variable.value === undefined ? new Map() : new Map([[0, variable.value]]);
  }

  /** All values of `${name[@]}`, in order. */
  values(name: string): string[] {
    return this.entries(name).map(([, value]) => value);
  }

  /** Subscripts and values, in bash's order: by number, or by its hash table. */
  entries(name: string): [string, string][] {
    const variable = this.find(name);
    if (variable === undefined) return [];
    if (variable.associative !== undefined) return hashOrder(variable.associative);
    return [...this.indexedOf(variable)]
      .toSorted(([a], [b]) => a - b)
      .map(([index, value]) => [String(index), value]);
  }

  isSet(name: string): boolean {
    const variable = this.find(name);
    if (variable === undefined) return false;
    if (variable.dynamic !== undefined || variable.value !== undefined) return true;
    return (variable.indexed?.size ?? 0) > 0 || (variable.associative?.size ?? 0) > 0;
  }

  /** Names of all visible variables, sorted. */
  names(): string[] {
    const names = new Set<string>();
    for (const scope of this.scopes) for (const name of scope.keys()) names.add(name);
    return [...names].toSorted();
  }

  /** Name and value of what is exported. */
  environment(): Map<string, string> {
    const environment = new Map<string, string>();
    for (const scope of this.scopes) {
      for (const [name, variable] of scope) {
        const value = variable.attributes.has('exported') ? scalarOf(variable) : undefined;
        if (value !== undefined && variable.indexed === undefined && variable.associative === undefined)
          environment.set(name, value);
        else environment.delete(name);
      }
    }
    return environment;
  }

  // ── Changing ──

  define(name: string, dynamic: Dynamic): void {
    this.scopes[0]!.set(name, { ...emptyVariable(), dynamic });
  }

  /** The variable of this name, made in the global scope if there is none. */
  ensure(name: string): Variable {
    const resolved = this.resolve(name).name;
    let variable = this.findRaw(resolved);
    if (variable === undefined) {
      variable = emptyVariable();
      this.scopes[0]!.set(resolved, variable);
    }
    return variable;
  }

  /** The innermost scope's own variable of this name, made if need be. */
  ensureLocal(name: string): Variable {
    const scope = this.scopes.findLast((each) => !this.temporary.has(each))!;
    let variable = scope.get(name);
    if (variable === undefined) {
      if (this.findRaw(name)?.attributes.has('readonly') === true)
        throw new VariableError(`${name}: readonly variable`);
      variable = emptyVariable();
      scope.set(name, variable);
    }
    return variable;
  }

  ensureGlobal(name: string): Variable {
    let variable = this.scopes[0]!.get(name);
    if (variable === undefined) {
      variable = emptyVariable();
      this.scopes[0]!.set(name, variable);
    }
    return variable;
  }

  /** `name=value`. Throws VariableError for a readonly one. */
  set(name: string, value: string, append = false): void {
    const target = this.resolve(name);
    if (target.subscript !== undefined) {
      this.setElement(target.name, target.subscript, value, append);
      return;
    }
    const variable = this.ensure(target.name);
    this.assign(target.name, variable, value, append);
  }

  /** Assigns to a variable found before; the name is for messages and listeners. */
  assign(name: string, variable: Variable, value: string, append = false): void {
    this.checkWritable(name, variable);
    if (variable.dynamic !== undefined) {
      variable.dynamic.set?.(value);
      return;
    }
    const before = append ? (scalarOf(variable) ?? '') : undefined;
    const text = this.converted(variable, value, before);
    if (variable.associative !== undefined) variable.associative.set('0', text);
    else if (variable.indexed !== undefined) variable.indexed.set(0, text);
    else {
      this.holds(text.length - (variable.value?.length ?? 0));
      variable.value = text;
    }
    this.onChange(name);
  }

  /** `name[subscript]=value`; makes an indexed array of what was none. */
  setElement(name: string, subscript: string, value: string, append = false): void {
    const resolved = this.resolve(name).name;
    const variable = this.ensure(resolved);
    this.assignElement(resolved, variable, subscript, value, append);
  }

  assignElement(name: string, variable: Variable, subscript: string, value: string, append = false): void {
    this.checkWritable(name, variable);
    if (variable.associative !== undefined) {
      const before = append ? (variable.associative.get(subscript) ?? '') : undefined;
      variable.associative.set(subscript, this.converted(variable, value, before));
      return;
    }
    const elements = this.makeIndexed(variable);
    const index = this.elementIndex(`${name}[${subscript}]`, elements, subscript);
    elements.set(index, this.converted(variable, value, append ? (elements.get(index) ?? '') : undefined));
    this.onChange(name);
  }

  makeIndexed(variable: Variable): Map<number, string> {
    if (variable.indexed === undefined) {
      variable.indexed = new Map(variable.value === undefined ? [] : [[0, variable.value]]);
      variable.value = undefined;
    }
    return variable.indexed;
  }

  /** Replaces the content by an indexed array. */
  setArray(name: string, values: readonly string[]): void {
    const variable = this.ensure(name);
    this.checkWritable(name, variable);
    if (variable.dynamic !== undefined) return;
    variable.value = undefined;
    variable.associative = undefined;
    variable.indexed = new Map(values.map((value, i) => [i, this.converted(variable, value, undefined)]));
  }

  private converted(variable: Variable, value: string, before: string | undefined): string {
    if (variable.attributes.has('integer')) {
      const number = this.evaluate(value, 'integer');
      return String(
        before === undefined ? number : BigInt.asIntN(64, this.evaluate(before, 'integer') + number),
      );
    }
    const text = (before ?? '') + value;
    if (variable.attributes.has('lowercase')) return text.toLowerCase();
    if (variable.attributes.has('capitalized'))
      return text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();
    return variable.attributes.has('uppercase') ? text.toUpperCase() : text;
  }

  checkWritable(name: string, variable: Variable): void {
    if (variable.attributes.has('readonly')) throw new VariableError(`${name}: readonly variable`);
  }

  /** Removes a variable; in a function a local one hides the outer afterwards no more (bash 5's default). */
  unset(name: string, options: { readonly nameref?: boolean } = {}): void {
    const target = options.nameref === true ? { name, subscript: undefined } : this.resolve(name);
    if (target.subscript !== undefined) {
      this.unsetElement(target.name, target.subscript);
      return;
    }
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const variable = this.scopes[i]!.get(target.name);
      if (variable === undefined) continue;
      if (variable.attributes.has('readonly'))
        throw new VariableError(`${name}: cannot unset: readonly variable`);
      this.holds(-(variable.value?.length ?? 0));
      if (i === this.scopes.length - 1 && i > 0) this.scopes[i]!.set(target.name, emptyVariable());
      else this.scopes[i]!.delete(target.name);
      this.onChange(target.name);
      return;
    }
  }

  unsetElement(name: string, subscript: string): void {
    const variable = this.find(name);
    if (variable === undefined) return;
    this.checkWritable(name, variable);
    if (variable.associative !== undefined) {
      variable.associative.delete(subscript);
      return;
    }
    const elements = variable.indexed;
    if (elements !== undefined) elements.delete(this.elementIndex(name, elements, subscript));
    else if (this.evaluate(subscript, 'subscript') === 0n) variable.value = undefined;
  }
}

function emptyVariable(): Variable {
  return { value: undefined, indexed: undefined, associative: undefined, attributes: new Set() };
}

/** An independent copy. */
function copyVariable(variable: Variable): Variable {
  return {
    value: variable.value,
    indexed: variable.indexed === undefined ? undefined : new Map(variable.indexed),
    associative: variable.associative === undefined ? undefined : new Map(variable.associative),
    attributes: new Set(variable.attributes),
  };
}

/** The value of `$name`. */
export function scalarOf(variable: Variable): string | undefined {
  if (variable.dynamic !== undefined) {
    const value = variable.dynamic.get();
    return typeof value === 'string' ? value : value[0];
  }
  if (variable.associative !== undefined) return variable.associative.get('0');
  if (variable.indexed !== undefined) return variable.indexed.get(0);
  return variable.value;
}

const BUCKETS = 1024;

/** The order in which bash walks an associative array: FNV-1 hash, 1024 buckets, newest first in each (hashlib.c). */
function hashOrder(map: ReadonlyMap<string, string>): [string, string][] {
  const rows = [...map].map(([key, value], i) => ({ key, value, i, bucket: bucketOf(key) }));
  rows.sort((a, b) => a.bucket - b.bucket || b.i - a.i);
  return rows.map(({ key, value }) => [key, value]);
}

function bucketOf(key: string): number {
  let hash = 2166136261;
  for (const byte of textToBytes(key)) hash = (Math.imul(hash, 16777619) ^ byte) >>> 0;
  return hash & (BUCKETS - 1);
}
