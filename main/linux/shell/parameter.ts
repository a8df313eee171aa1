// Parameter expansion: $name and every operator of ${…}.
import { ArithmeticError, evaluateArithmetic } from './arithmetic.ts';
import { ExitControl, ExpansionError } from './control.ts';
import {
  expandParts,
  expandToPattern,
  expandToText,
  joinFragments,
  result,
  type ExpandContext,
  type Fragment,
} from './expand.ts';
import { findMatch, matchEnd, matchesPattern } from './pattern.ts';
import { quoteForDeclare, quoteForReuse, quoteKey } from './quoting.ts';
import type { Shell } from './shell.ts';
import { decodeEscapes } from './syntax/ansi-c.ts';
import type { ParameterOperation, ParameterPart, Word } from './syntax/ast.ts';
import { attributeLetters, declarationOf } from './declaration.ts';
import { scalarOf, VariableError } from './variables.ts';

/** What a parameter holds before its operator is applied. */
interface Value {
  readonly values: readonly string[];
  /** Whether it's all of something: `@`, `*`, `a[@]`, `a[*]`. */
  readonly all: '@' | '*' | undefined;
  readonly set: boolean;
  /** Subscripts of the values, for slices of sparse arrays and @K. */
  readonly keys: readonly string[] | undefined;
}

/** A parameter with its subscript evaluated. */
interface Reference {
  readonly name: string;
  readonly subscript: string | undefined;
  readonly all: '@' | '*' | undefined;
}

export async function expandParameter(
  shell: Shell,
  part: ParameterPart,
  context: ExpandContext,
): Promise<Fragment[]> {
  const operation = part.operation;
  if (operation?.kind === 'bad')
    throw new ExpansionError(operation.message ?? `${part.text}: bad substitution`);
  if (operation?.kind === 'names') {
    const names = shell.vars.names().filter((name) => name.startsWith(part.name) && shell.vars.isSet(name));
    return spread(shell, names, operation.star ? '*' : '@', context);
  }
  if (part.indirect && (part.index === '@' || part.index === '*') && operation === undefined) {
    return spread(
      shell,
      shell.vars.entries(part.name).map(([key]) => key),
      part.index,
      context,
    );
  }
  const reference = part.indirect
    ? await indirect(shell, part)
    : await referenceOf(shell, part.name, part.index);
  if (reference === undefined) return [result('', context)];
  const value = scalarWhole(shell, reference, read(shell, reference), operation?.kind);
  if (part.length) return [result(String(lengthOf(shell, part, value)), context)];
  if (operation?.kind === 'default') return byDefault(shell, part, reference, value, operation, context);
  if (
    !value.set &&
    value.all === undefined &&
    shell.options.has('nounset') &&
    operation?.kind !== 'transform'
  )
    throw unbound(part, reference);
  const values =
    operation === undefined ? value.values : await apply(shell, part, reference, value, operation, context);
  if (value.all === undefined)
    return values.length === 0 ? [result('', context)] : [result(values[0]!, context)];
  // In a here-document that has a `$@` too, `$*` leaves empty parameters out.
  const shown =
    context.document === true && reference.name === '*' ? values.filter((each) => each !== '') : values;
  return spread(shell, shown, value.all, context);
}

function unbound(part: ParameterPart, reference: Reference): ExpansionError {
  const name = /^[0-9]+$/.test(reference.name) ? `$${reference.name}` : reference.name;
  return new ExpansionError(
    `${part.index === undefined || typeof part.index === 'string' ? name : `${name}[${part.index.text}]`}: unbound variable`,
    true,
  );
}

function lengthOf(shell: Shell, part: ParameterPart, value: Value): number {
  if (value.all !== undefined) return value.values.length;
  if (!value.set && shell.options.has('nounset'))
    throw new ExpansionError(`${part.name}: unbound variable`, true);
  return [...(value.values[0] ?? '')].length;
}

async function referenceOf(shell: Shell, name: string, index: ParameterPart['index']): Promise<Reference> {
  if (name === '@' || name === '*') return { name, subscript: undefined, all: name };
  if (index === '@' || index === '*') return { name, subscript: undefined, all: index };
  return {
    name,
    subscript: index === undefined ? undefined : await expandToText(shell, index),
    all: undefined,
  };
}

/** `${!name}`: the parameter that the value names; undefined when that is unset. */
async function indirect(shell: Shell, part: ParameterPart): Promise<Reference | undefined> {
  const variable = shell.vars.findRaw(part.name);
  if (variable?.attributes.has('nameref') === true && part.index === undefined) {
    return { name: '', subscript: variable.value ?? '', all: undefined };
  }
  const value = read(shell, await referenceOf(shell, part.name, part.index));
  const target = value.values[0];
  if (!value.set || target === undefined) {
    if (/^[0-9]+$/.test(part.name) || part.operation?.kind === 'default') return undefined;
    throw new ExpansionError(`${part.name}: invalid indirect expansion`);
  }
  const match = /^([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])(?:\[(.*)\])?$/s.exec(target);
  if (match === null) throw new ExpansionError(`${target}: invalid variable name`);
  const subscript = match[2];
  if (subscript === '@' || subscript === '*')
    return { name: match[1]!, subscript: undefined, all: subscript };
  const name = match[1]!;
  return { name, subscript, all: name === '@' || name === '*' ? name : undefined };
}

/** `${v[@]:1:2}` of what is no array cuts its text. */
function scalarWhole(shell: Shell, reference: Reference, value: Value, kind: string | undefined): Value {
  if (kind !== 'slice' || value.all === undefined || /^[@*]$/.test(reference.name)) return value;
  const variable = shell.vars.find(reference.name);
  if (variable === undefined || variable.indexed !== undefined) return value;
  if (variable.associative !== undefined || variable.dynamic !== undefined) return value;
  return { ...value, all: undefined };
}

/** A parameter as messages name it, subscript included. */
function labelOf(part: ParameterPart, reference: Reference): string {
  if (part.indirect || part.index === undefined) return reference.name;
  return `${reference.name}[${typeof part.index === 'string' ? part.index : part.index.text}]`;
}

function read(shell: Shell, reference: Reference): Value {
  const { name, subscript, all } = reference;
  if (name === '') return { values: [subscript!], all: undefined, set: true, keys: undefined }; // The name a nameref holds.
  if (name === '@' || name === '*')
    return { values: shell.positional, all: name, set: shell.positional.length > 0, keys: undefined };
  if (all !== undefined) {
    const entries = shell.vars.entries(name);
    return {
      values: entries.map(([, value]) => value),
      all,
      set: entries.length > 0,
      keys: entries.map(([key]) => key),
    };
  }
  const value = subscript === undefined ? shell.parameter(name) : elementOf(shell, name, subscript);
  return {
    values: value === undefined ? [] : [value],
    all: undefined,
    set: value !== undefined,
    keys: undefined,
  };
}

/** An element; a subscript before the first is told of, and nothing is there. */
function elementOf(shell: Shell, name: string, subscript: string): string | undefined {
  try {
    return shell.vars.element(name, subscript);
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    void shell.error(error.message);
    if (shell.options.has('errexit')) throw new ExitControl(1);
    return undefined;
  }
}

/** The fields of `@` and `*`, quoted or not. */
function spread(shell: Shell, values: readonly string[], all: '@' | '*', context: ExpandContext): Fragment[] {
  const ifs = shell.vars.get('IFS') ?? ' \t\n';
  if (all === '*' && (context.quoted || (context.joined && ifs !== ''))) {
    return [result(values.join(ifs.slice(0, 1)), context)];
  }
  // A separator that isn't blank keeps empty elements.
  const keepsEmpty = context.quoted || (/^[^ \t\n]/.test(ifs) && shell.dialect.name !== 'dash');
  const joint = context.joined ? undefined : keepsEmpty ? 'break' : 'soft';
  return values.flatMap((value, i): Fragment[] => {
    const piece = result(value, context);
    if (i === 0) return [piece];
    return joint === undefined
      ? [{ text: all === '*' && ifs === '' ? '' : ' ', quoted: context.quoted, split: false }, piece]
      : [joint, piece];
  });
}

async function byDefault(
  shell: Shell,
  part: ParameterPart,
  reference: Reference,
  value: Value,
  operation: ParameterOperation & { kind: 'default' },
  context: ExpandContext,
): Promise<Fragment[]> {
  const joined = value.all === undefined ? (value.values[0] ?? '') : value.values.join(' ');
  const present = value.set && !(operation.colon && joined === '');
  const own = (): Fragment[] =>
    value.all === undefined ? [result(joined, context)] : spread(shell, value.values, value.all, context);
  if (operation.operator === '+')
    return present
      ? operand(shell, operation.word, context)
      : value.all === '@' // `"${a[@]+…}"` of nothing is no field.
        ? []
        : [result('', context)];
  if (present) return own();
  if (operation.operator === '-') return operand(shell, operation.word, context);
  const text = joinFragments(await operand(shell, operation.word, { ...context, joined: true }));
  if (operation.operator === '?') {
    const unset = operation.colon ? 'parameter null or not set' : 'parameter not set';
    throw new ExpansionError(`${labelOf(part, reference)}: ${text === '' ? unset : text}`, true);
  }
  if (/^[^A-Za-z_]/.test(reference.name))
    throw new ExpansionError(`$${reference.name}: cannot assign in this way`);
  if (reference.subscript === undefined) shell.vars.set(reference.name, text);
  else shell.vars.setElement(reference.name, reference.subscript, text);
  return [result(shell.parameter(part.name) ?? text, context)];
}

/** The operator's word; unquoted literals in it are split like the result of an expansion. */
async function operand(shell: Shell, word: Word, context: ExpandContext): Promise<Fragment[]> {
  const first = word.parts[0];
  const parts =
    first?.kind === 'literal' && !context.quoted && /^~(?:\/|$)/.test(first.text)
      ? [
          { kind: 'quoted' as const, text: shell.homeOf('') ?? '~' },
          { kind: 'literal' as const, text: first.text.slice(1) },
          ...word.parts.slice(1),
        ]
      : word.parts;
  const fragments = await expandParts(shell, parts, context);
  if (fragments.length === 0) return [result('', context)];
  if (context.quoted || context.joined) return fragments;
  return fragments.map((fragment) =>
    typeof fragment === 'string' || fragment.quoted ? fragment : { ...fragment, split: true },
  );
}

async function apply(
  shell: Shell,
  part: ParameterPart,
  reference: Reference,
  value: Value,
  operation: Exclude<ParameterOperation, { kind: 'default' | 'names' | 'bad' }>,
  context: ExpandContext,
): Promise<readonly string[]> {
  const options = { extglob: shell.shopts.has('extglob') };
  switch (operation.kind) {
    case 'trim': {
      const pattern = await expandToPattern(shell, operation.pattern);
      const side = operation.operator.startsWith('#') ? 'prefix' : 'suffix';
      return value.values.map((text) => {
        const end = matchEnd(text, pattern, side, operation.operator.length === 2, options);
        if (end === undefined) return text;
        return side === 'prefix' ? text.slice(end) : text.slice(0, end);
      });
    }
    case 'replace': {
      const pattern = await expandToPattern(shell, operation.pattern);
      const replacement =
        operation.replacement === undefined ? '' : await replacementText(shell, operation.replacement);
      const ignoreCase = shell.shopts.has('nocasematch');
      return value.values.map((text) =>
        replace(text, pattern, replacement, operation.where, { ...options, ignoreCase }),
      );
    }
    case 'slice':
      return slice(shell, labelOf(part, reference), reference, value, operation);
    case 'case': {
      const pattern =
        operation.pattern === undefined ? undefined : await expandToPattern(shell, operation.pattern);
      return value.values.map((text) =>
        changeCase(
          text,
          operation.operator,
          (c) => pattern === undefined || pattern === '' || matchesPattern(c, pattern, options),
        ),
      );
    }
    case 'transform':
      return transform(shell, part, reference, value, operation.operator, context);
  }
}

/** With patsub_replacement (bash 5.2) an unquoted `&` stands for the match; it's marked by a NUL here. */
async function replacementText(shell: Shell, word: Word): Promise<string> {
  const fragments = await expandParts(shell, word.parts, { quoted: false, joined: true });
  return fragments
    .map((piece) => {
      if (typeof piece === 'string') return ' ';
      if (piece.quoted || !shell.shopts.has('patsub_replacement')) return piece.text;
      return piece.text.replace(/\\([\\&])|&/g, (_, escaped: string | undefined) => escaped ?? '\0');
    })
    .join('');
}

function replace(
  text: string,
  pattern: string,
  replacement: string,
  where: 'first' | 'all' | 'prefix' | 'suffix',
  options: { extglob: boolean; ignoreCase: boolean },
): string {
  const put = (match: string): string => replacement.replaceAll('\0', () => match);
  if (where === 'prefix' || where === 'suffix') {
    if (pattern === '') return where === 'prefix' ? put('') + text : text + put('');
    const end = matchEnd(text, pattern, where, true, options);
    if (end === undefined) return text;
    return where === 'prefix'
      ? put(text.slice(0, end)) + text.slice(end)
      : text.slice(0, end) + put(text.slice(end));
  }
  if (pattern === '') return text;
  let out = '';
  let at = 0;
  while (at < text.length || text === '') {
    const match = findMatch(text, pattern, at, options);
    if (match === undefined) break;
    if (match.end === match.start) {
      if (text === '') return put('');
      if (match.start >= text.length) break;
      out += text.slice(at, match.start) + put('');
      if (where === 'first') return out + text.slice(match.start);
      out += text.slice(match.start, match.start + 1);
      at = match.start + 1;
      continue;
    }
    out += text.slice(at, match.start) + put(text.slice(match.start, match.end));
    at = match.end;
    if (where === 'first') break;
  }
  return out + text.slice(at);
}

async function slice(
  shell: Shell,
  label: string,
  reference: Reference,
  value: Value,
  operation: ParameterOperation & { kind: 'slice' },
): Promise<readonly string[]> {
  const number = async (word: Word): Promise<number> => {
    const text = await expandToText(shell, word);
    try {
      return Number(evaluateArithmetic(text, shell.arithmetic));
    } catch (error) {
      if (error instanceof ArithmeticError) throw new ArithmeticError(`${label}: ${error.message}`);
      throw error;
    }
  };
  if (!value.set && value.all === undefined) return [''];
  const offset = await number(operation.offset);
  const length = operation.length === undefined ? undefined : await number(operation.length);
  if (value.all === undefined) {
    const characters = [...(value.values[0] ?? '')];
    const from = offset < 0 ? characters.length + offset : offset;
    if (from < 0 || from > characters.length) return [''];
    const to =
      length === undefined ? characters.length : length < 0 ? characters.length + length : from + length;
    if (to < from) throw new ArithmeticError(`${operation.length!.text}: substring expression < 0`);
    return [characters.slice(from, to).join('')];
  }
  if (length !== undefined && length < 0)
    throw new ArithmeticError(`${operation.length!.text}: substring expression < 0`);
  if (reference.name === '@' || reference.name === '*') {
    const all = [shell.name, ...shell.positional];
    const from = offset < 0 ? all.length + offset : offset;
    return from < 0 ? [] : all.slice(from, length === undefined ? undefined : from + length);
  }
  const keys = (value.keys ?? []).map(Number);
  const associative = keys.some(Number.isNaN);
  if (associative) {
    // bash counts the elements from 1, and takes one at least (assoc_subrange).
    const first = Math.max(0, (offset < 0 ? keys.length + offset : offset) - 1);
    return value.values.slice(first, length === undefined ? undefined : first + Math.max(1, length));
  }
  const top = (keys.at(-1) ?? -1) + 1;
  const from = offset < 0 ? top + offset : offset;
  if (from < 0) return [];
  const chosen = value.values.filter((_, i) => keys[i]! >= from);
  return length === undefined ? chosen : chosen.slice(0, length);
}

function changeCase(text: string, operator: string, matches: (c: string) => boolean): string {
  const change = (c: string): string => {
    if (!matches(c)) return c;
    if (operator.startsWith('^')) return c.toUpperCase();
    if (operator.startsWith(',')) return c.toLowerCase();
    return c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase();
  };
  const characters = [...text];
  if (operator.length === 2) return characters.map(change).join('');
  return characters.map((c, i) => (i === 0 ? change(c) : c)).join('');
}

/** `${v@A}` of a single value. */
function assignmentOf(name: string, letters: string, value: string | undefined): string {
  if (letters === '') return value === undefined ? '' : `${name}=${quoteForReuse(value)}`;
  return `declare -${letters} ${name}${value === undefined ? '' : `=${quoteForReuse(value)}`}`;
}

async function transform(
  shell: Shell,
  part: ParameterPart,
  reference: Reference,
  value: Value,
  operator: string,
  context: ExpandContext,
): Promise<readonly string[]> {
  const variable = shell.vars.find(reference.name);
  switch (operator) {
    case 'Q':
      return value.values.map(quoteForReuse);
    case 'E':
      return value.values.map((text) => decodeEscapes(text, 'ansi-c').value);
    case 'U':
      return value.values.map((text) => text.toUpperCase());
    case 'u':
      return value.values.map((text) => changeCase(text, '^', () => true));
    case 'L':
      return value.values.map((text) => text.toLowerCase());
    case 'P':
      return Promise.all(value.values.map((text) => shell.promptText(text)));
    case 'a':
      if (reference.name === '@' || reference.name === '*') return value.values.map(() => '');
      return variable === undefined
        ? ['']
        : value.all === undefined
          ? [attributeLetters(variable)]
          : value.values.map(() => attributeLetters(variable));
    case 'A':
      if (reference.name === '@' || reference.name === '*')
        return value.values.length === 0 ? [''] : ['set', '--', ...value.values.map(quoteForReuse)];
      if (variable === undefined) return [''];
      if (value.all !== undefined && (variable.indexed ?? variable.associative) !== undefined)
        return [declarationOf(reference.name, variable, shell.vars)];
      return [
        assignmentOf(
          reference.name,
          attributeLetters(variable),
          value.values[0] ?? (reference.subscript === undefined ? scalarOf(variable) : undefined),
        ),
      ];
    case 'K':
    case 'k': {
      if (value.all === undefined || value.keys === undefined) return value.values.map(quoteForReuse);
      if (
        variable?.indexed === undefined &&
        variable?.associative === undefined &&
        variable?.dynamic === undefined
      )
        return value.values.map(quoteForReuse);
      const isKeyed = variable?.associative !== undefined;
      const pairs = value.values.flatMap((text, i) => [
        operator === 'K' && isKeyed ? quoteKey(value.keys![i]!) : value.keys![i]!,
        operator === 'K' ? quoteForDeclare(text) : text,
      ]);
      return operator === 'K' || context.joined
        ? [pairs.join(' ') + (operator === 'K' && isKeyed ? ' ' : '')]
        : pairs;
    }
    default:
      if (!value.set) return [''];
      throw new ExpansionError(`${part.text}: bad substitution`, true);
  }
}
