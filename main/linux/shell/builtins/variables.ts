// Builtins about variables: declare, local, export, readonly, unset, let, getopts.
import { ArithmeticError, evaluateArithmetic } from '../arithmetic.ts';
import { assignArray, assignElement, expandElements, type ArrayEntry } from '../assign.ts';
import { attributeLetters, declarationOf } from '../declaration.ts';
import { expandToText } from '../expand.ts';
import type { Argument } from '../simple-command.ts';
import type { Shell } from '../shell.ts';
import type { Assignment } from '../syntax/ast.ts';
import { functionText } from '../syntax/unparse.ts';
import { quoteForSet } from '../quoting.ts';
import { isName } from '../syntax/word-scanner.ts';
import { scalarOf, VariableError, type Attribute, type Variable } from '../variables.ts';
import { parseOptions, texts, textual, usageError, type Builtin } from './support.ts';

const DECLARE_USAGE = 'declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]';
const ATTRIBUTES: Record<string, Attribute> = {
  i: 'integer',
  l: 'lowercase',
  u: 'uppercase',
  c: 'capitalized',
  n: 'nameref',
  r: 'readonly',
  t: 'traced',
  x: 'exported',
};

interface Options {
  readonly on: Set<string>;
  readonly off: Set<string>;
  readonly operands: readonly Argument[];
}

async function readOptions(
  shell: Shell,
  name: string,
  args: readonly Argument[],
  letters: string,
  usage: string,
): Promise<Options | number> {
  const on = new Set<string>();
  const off = new Set<string>();
  let i = 0;
  for (; i < args.length; i++) {
    const arg = args[i]!;
    if (typeof arg !== 'string' || !/^[-+]./.test(arg)) break;
    if (arg === '--') {
      i++;
      break;
    }
    for (const letter of arg.slice(1)) {
      if (!letters.includes(letter))
        return usageError(shell, name, `${arg[0]}${letter}: invalid option`, usage);
      (arg[0] === '-' ? on : off).add(letter);
    }
  }
  return { on, off, operands: args.slice(i) };
}

function declareBuiltin(name: 'declare' | 'typeset' | 'local'): Builtin {
  return async (shell, args) => {
    const inFunction = shell.frames.some((frame) => frame.kind === 'function');
    if (name === 'local' && !inFunction) {
      await shell.error('local: can only be used in a function');
      return 1;
    }
    const usage =
      name === 'local' ? 'local [option] name[=value] ...' : DECLARE_USAGE.replaceAll('declare', name);
    const options = await readOptions(shell, name, args, 'aAcfFgiIlnprtux', usage);
    if (typeof options === 'number') return options;
    const { on, operands } = options;
    cancelCases(on);
    if (name === 'local' && texts(operands).includes('-')) {
      shell.saveOptions();
      return 0;
    }
    if (on.has('f') || on.has('F')) return declareFunctions(shell, on, texts(operands), options.off);
    if (on.has('p') || (operands.length === 0 && name !== 'local'))
      return printDeclarations(shell, name, options);
    if (operands.length === 0) return printLocals(shell);
    let status = 0;
    for (const operand of operands)
      if (!(await declareOne(shell, name, operand, options, inFunction && !on.has('g')))) status = 1;
    return status;
  };
}

/** Of the attributes that change case, two cancel each other. */
function cancelCases(letters: Set<string>): void {
  if (['c', 'l', 'u'].filter((letter) => letters.has(letter)).length < 2) return;
  for (const letter of ['c', 'l', 'u']) letters.delete(letter);
}

/** Splits `name[index]+=value`. */
function parseReference(
  text: string,
): { name: string; subscript: string | undefined; append: boolean; value: string | undefined } | undefined {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[(.*?)\])?(?:(\+?)=(.*))?$/s.exec(text);
  if (match === null) return undefined;
  return { name: match[1]!, subscript: match[2], append: match[3] === '+', value: match[4] };
}

async function declareOne(
  shell: Shell,
  command: string,
  operand: Argument,
  options: Options,
  local: boolean,
): Promise<boolean> {
  const reference =
    typeof operand === 'string'
      ? parseReference(operand)
      : {
          name: operand.assignment.name,
          subscript: undefined,
          append: operand.assignment.append,
          value: undefined,
        };
  if (reference === undefined) {
    await shell.error(
      `${command}: \`${typeof operand === 'string' ? operand : operand.text}': not a valid identifier`,
    );
    return false;
  }
  if ((command === 'export' || command === 'readonly') && isElement(operand)) {
    const text = typeof operand === 'string' ? operand : operand.text;
    await shell.error(`${command}: \`${text.replace(/=.*$/s, '')}': not a valid identifier`);
    return false;
  }
  const name =
    options.on.has('n') || options.off.has('n') ? reference.name : shell.vars.resolve(reference.name).name;
  // The value is expanded before the new variable hides the one it may refer to.
  const literal =
    typeof operand !== 'string' && 'kind' in operand.assignment.value ? operand.assignment.value : undefined;
  const isKeyed = options.on.has('A') || shell.vars.find(name)?.associative !== undefined;
  const entries =
    literal === undefined || isKeyed ? undefined : await shell.attempt(() => expandElements(shell, literal));
  const text =
    typeof operand === 'string' || 'kind' in operand.assignment.value
      ? reference.value
      : await shell.attempt(() => expandToText(shell, operand.assignment.value as never, true));
  try {
    const inherits = options.on.has('I') || shell.shopts.has('localvar_inherit');
    const inherited = local && inherits ? shell.vars.findRaw(name) : undefined;
    const variable = local
      ? shell.vars.ensureLocal(name)
      : options.on.has('g')
        ? shell.vars.ensureGlobal(name)
        : ensureOwn(shell, name);
    if (inherited !== undefined && inherited !== variable) inherit(variable, inherited);
    return await fill(shell, command, name, variable, operand, reference, text, options, entries);
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    await shell.error(
      `${command === 'local' || command === 'declare' || command === 'typeset' ? `${command}: ` : ''}${error.message}`,
    );
    return false;
  }
}

/** A local variable that begins as the outer one is. */
function inherit(variable: Variable, outer: Variable): void {
  for (const attribute of outer.attributes) if (attribute !== 'nameref') variable.attributes.add(attribute);
  variable.value ??= outer.dynamic === undefined ? outer.value : scalarOf(outer);
  if (outer.indexed !== undefined) variable.indexed = new Map(outer.indexed);
  if (outer.associative !== undefined) variable.associative = new Map(outer.associative);
}

function isElement(operand: Argument): boolean {
  return typeof operand === 'string'
    ? /^[A-Za-z_][A-Za-z0-9_]*\[/.test(operand)
    : operand.assignment.index !== undefined;
}

function ensureOwn(shell: Shell, name: string): Variable {
  return shell.vars.findRaw(name) ?? shell.vars.ensureGlobal(name);
}

async function fill(
  shell: Shell,
  command: string,
  name: string,
  variable: Variable,
  operand: Argument,
  reference: NonNullable<ReturnType<typeof parseReference>>,
  text: string | undefined,
  options: Options,
  entries: readonly ArrayEntry[] | undefined,
): Promise<boolean> {
  const assignment: Assignment | undefined = typeof operand === 'string' ? undefined : operand.assignment;
  const assigns = text !== undefined || assignment !== undefined;
  if (variable.attributes.has('readonly') && (assigns || options.off.has('r')))
    throw new VariableError(`${name}: readonly variable`);
  if (options.on.has('A') && variable.associative === undefined) {
    if (variable.indexed !== undefined) {
      await shell.error(`${command}: ${name}: cannot convert indexed to associative array`);
      return false;
    }
    variable.associative = new Map(variable.value === undefined ? [] : [['0', variable.value]]);
    variable.value = undefined;
  } else if (options.on.has('a') && variable.associative !== undefined) {
    await shell.error(`${command}: ${name}: cannot convert associative to indexed array`);
    return false;
  } else if (options.on.has('a')) {
    shell.vars.makeIndexed(variable);
  }
  for (const [letter, attribute] of Object.entries(ATTRIBUTES)) {
    if (letter === 'r') continue;
    if (options.on.has(letter)) {
      if (letter === 'c' || letter === 'l' || letter === 'u')
        for (const other of ['capitalized', 'lowercase', 'uppercase'] as const)
          variable.attributes.delete(other);
      variable.attributes.add(attribute);
    }
    if (options.off.has(letter)) variable.attributes.delete(attribute);
  }
  const refusal = options.on.has('n') ? namerefRefusal(shell, name, text) : undefined;
  if (refusal !== undefined) {
    variable.attributes.delete('nameref');
    await shell.error(`${command}: ${refusal}`);
    return false;
  }
  await assignDeclared(shell, name, variable, assignment, reference, text, entries);
  if (options.on.has('r')) variable.attributes.add('readonly');
  return true;
}

/** Why a name can't refer to another. */
function namerefRefusal(shell: Shell, name: string, target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  if (target === '') return "`': not a valid identifier";
  if (!/^[A-Za-z_][A-Za-z0-9_]*(?:\[.*\])?$/s.test(target))
    return `\`${target}': invalid variable name for name reference`;
  const isOwn =
    target.replace(/\[.*$/s, '') === name && !shell.frames.some(({ kind }) => kind === 'function');
  return isOwn ? `${name}: nameref variable self references not allowed` : undefined;
}

async function assignDeclared(
  shell: Shell,
  name: string,
  variable: Variable,
  assignment: Assignment | undefined,
  reference: NonNullable<ReturnType<typeof parseReference>>,
  text: string | undefined,
  entries: readonly ArrayEntry[] | undefined,
): Promise<void> {
  if (assignment !== undefined && 'kind' in assignment.value) {
    await shell.attempt(() =>
      assignArray(shell, name, variable, assignment.value as never, assignment.append, entries),
    );
    return;
  }
  if (text === undefined) return;
  if (assignment?.index !== undefined) {
    await shell.attempt(() =>
      assignElement(shell, name, variable, assignment.index!, text, assignment.append),
    );
  } else if (reference.subscript !== undefined) {
    shell.vars.assignElement(name, variable, reference.subscript, text, reference.append);
  } else if (variable.attributes.has('nameref')) {
    variable.value = text;
  } else {
    shell.vars.assign(name, variable, text, reference.append);
  }
}

async function declareFunctions(
  shell: Shell,
  on: ReadonlySet<string>,
  names: readonly string[],
  off: ReadonlySet<string>,
): Promise<number> {
  let status = 0;
  const all = names.length === 0 ? [...shell.functions.keys()].toSorted() : names;
  for (const name of all) {
    const definition = shell.functions.get(name);
    if (definition === undefined) status = 1;
    else if (on.has('x') || on.has('r') || off.size > 0) continue;
    else if (on.has('F'))
      await shell.out(
        names.length === 0
          ? `declare -f ${name}\n`
          : shell.shopts.has('extdebug')
            ? `${name} ${definition.line} ${definition.file}\n`
            : `${name}\n`,
      );
    else await shell.out(`${functionText(name, definition.body)}\n`);
  }
  return status;
}

async function printDeclarations(shell: Shell, command: string, options: Options): Promise<number> {
  let status = 0;
  const names = texts(options.operands);
  if (names.length === 0 && !options.on.has('p') && options.on.size === 0) return listSet(shell);
  const wanted = [...options.on].filter((letter) => letter in ATTRIBUTES || letter === 'a' || letter === 'A');
  const shown = names.length > 0 ? names : shell.vars.names();
  for (const name of shown) {
    const variable = shell.vars.findRaw(name);
    if (variable === undefined) {
      await shell.error(`${command}: ${name}: not found`);
      status = 1;
      continue;
    }
    const letters = attributeLetters(variable);
    if (
      names.length === 0 &&
      (!wanted.every((letter) => letters.includes(letter)) ||
        (variable.dynamic !== undefined && wanted.length > 0))
    )
      continue;
    await shell.out(`${declarationOf(name, variable, shell.vars)}\n`);
  }
  return status;
}

async function printLocals(shell: Shell): Promise<number> {
  for (const name of shell.vars.names()) {
    const variable = shell.vars.findLocal(name);
    if (variable !== undefined) await shell.out(`${settingOf(shell, name, variable)}\n`);
  }
  return 0;
}

function settingOf(shell: Shell, name: string, variable: Variable): string {
  if (variable.indexed !== undefined || variable.associative !== undefined)
    return declarationOf(name, variable, shell.vars).replace(/^declare -\S+ /, '');
  return `${name}=${quoteForSet(scalarOf(variable) ?? '')}`;
}

/** What `set` without arguments lists. */
export async function listSet(shell: Shell): Promise<number> {
  let text = '';
  for (const name of shell.vars.names()) {
    const variable = shell.vars.find(name);
    if (variable !== undefined && shell.vars.isSet(name)) text += `${settingOf(shell, name, variable)}\n`;
  }
  if (!shell.options.has('posix'))
    for (const [name, { body }] of [...shell.functions].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      text += `${functionText(name, body)}\n`;
  await shell.out(text);
  return 0;
}

function attributeBuiltin(name: 'export' | 'readonly', letter: 'x' | 'r'): Builtin {
  const usage =
    name === 'export'
      ? 'export [-fn] [name[=value] ...] or export -p'
      : 'readonly [-aAf] [name[=value] ...] or readonly -p';
  return async (shell, args) => {
    const options = await readOptions(shell, name, args, name === 'export' ? 'fnp' : 'aAfp', usage);
    if (typeof options === 'number') return options;
    const { on, operands } = options;
    if (on.has('f')) return markFunctions(shell, name, texts(operands), on.has('n'));
    if (operands.length === 0)
      return printDeclarations(shell, name, {
        on: new Set([letter, 'p', ...[...on].filter((each) => each === 'a' || each === 'A')]),
        off: new Set(),
        operands: [],
      });
    const added = on.has('n')
      ? { on: new Set<string>(), off: new Set([letter]) }
      : { on: new Set([letter, ...[...on].filter((each) => each !== 'p')]), off: new Set<string>() };
    let status = 0;
    for (const operand of operands) {
      if (!(await declareOne(shell, name, operand, { ...added, operands }, false))) status = 1;
    }
    return status;
  };
}

/** `export -f` and `readonly -f`. */
async function markFunctions(
  shell: Shell,
  command: 'export' | 'readonly',
  names: readonly string[],
  off: boolean,
): Promise<number> {
  let status = 0;
  for (const name of names) {
    const definition = shell.functions.get(name);
    if (definition === undefined) {
      await shell.error(`${command}: ${name}: not a function`);
      status = 1;
    } else {
      shell.functions.set(name, {
        ...definition,
        ...(command === 'export' ? { exported: !off } : { readonly: true }),
      });
    }
  }
  return status;
}

const unset = textual(async (shell, args) => {
  const letters = new Set<string>();
  let i = 0;
  for (; i < args.length && /^-./.test(args[i]!); i++) {
    if (args[i] === '--') {
      i++;
      break;
    }
    for (const letter of args[i]!.slice(1)) {
      if (!'fvn'.includes(letter))
        return usageError(shell, 'unset', `-${letter}: invalid option`, 'unset [-f] [-v] [-n] [name ...]');
      letters.add(letter);
    }
  }
  if (letters.has('f') && letters.has('v')) {
    await shell.error('unset: cannot simultaneously unset a function and a variable');
    return 1;
  }
  let status = 0;
  for (const operand of args.slice(i)) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)\[(.*)\]$/s.exec(operand);
    try {
      if (!letters.has('f') && match === null && !isName(operand) && (letters.has('v') || letters.has('n'))) {
        await shell.error(`unset: \`${operand}': not a valid identifier`);
        status = 1;
      } else if (letters.has('f')) shell.functions.delete(operand);
      else if (match !== null) unsetElement(shell, match[1]!, match[2]!);
      else if (isName(operand) && shell.vars.findRaw(operand) !== undefined)
        shell.vars.unset(operand, { nameref: letters.has('n') });
      else if (!letters.has('v')) shell.functions.delete(operand);
    } catch (error) {
      if (!(error instanceof VariableError)) throw error;
      await shell.error(`unset: ${error.message}`);
      status = 1;
    }
  }
  return status;
});

function unsetElement(shell: Shell, name: string, subscript: string): void {
  const variable = shell.vars.find(name);
  if ((subscript === '@' || subscript === '*') && variable?.associative === undefined) shell.vars.unset(name);
  else shell.vars.unsetElement(name, subscript.replace(/^(["'])(.*)\1$/s, '$2'));
}

const letBuiltin = textual(async (shell, args) => {
  if (args.length === 0) {
    await shell.error('let: expression expected');
    return 1;
  }
  let value = 0n;
  for (const expression of args) {
    try {
      value = evaluateArithmetic(expression, shell.arithmetic);
    } catch (error) {
      if (!(error instanceof ArithmeticError) || error.unwinds !== undefined) throw error;
      await shell.error(`let: ${error.message}`);
      return 1;
    }
  }
  return value === 0n ? 1 : 0;
});

/** How far into a bundle of options (`-abc`) getopts has come, by shell. */
const positions = new WeakMap<Shell, { index: number; offset: number }>();

const getopts = textual(async (shell, all) => {
  const parsed = await parseOptions(shell, 'getopts', all, '', 'getopts optstring name [arg ...]');
  if (typeof parsed === 'number') return parsed;
  const args = parsed.operands;
  const [spec, name, ...given] = args;
  if (spec === undefined || name === undefined) {
    await shell.err('getopts: usage: getopts optstring name [arg ...]\n');
    return 2;
  }
  const words = given.length > 0 ? given : shell.positional;
  const silent = spec.startsWith(':');
  const index = Number(shell.vars.get('OPTIND') ?? 1) || 1;
  let state = positions.get(shell);
  if (state === undefined || state.index !== index) state = { index, offset: 1 };
  const word = words[index - 1];
  const finish = (
    status: number,
    value: string,
    argument: string | undefined,
    next: { index: number; offset: number },
  ): number => {
    shell.vars.set('OPTIND', String(next.index));
    positions.set(shell, next);
    if (argument === undefined) shell.vars.unset('OPTARG');
    else shell.vars.set('OPTARG', argument);
    if (isName(name)) {
      shell.vars.set(name, value);
      return status;
    }
    void shell.error(`getopts: \`${name}': not a valid identifier`);
    return 1;
  };
  if (word === undefined || !word.startsWith('-') || word === '-')
    return finish(1, '?', undefined, { index, offset: 1 });
  if (word === '--') return finish(1, '?', undefined, { index: index + 1, offset: 1 });
  const letter = word[state.offset]!;
  const more = state.offset + 1 < word.length;
  const after = more ? { index, offset: state.offset + 1 } : { index: index + 1, offset: 1 };
  const at = letter === ':' ? -1 : spec.indexOf(letter);
  const complain = async (message: string): Promise<void> => {
    if (!silent && shell.vars.get('OPTERR') !== '0')
      await shell.err(
        shell.dialect.name !== 'dash'
          ? `${shell.name}: ${message} -- ${letter}\n`
          : message.startsWith('illegal')
            ? `Illegal option -${letter}\n`
            : `No arg for -${letter} option\n`,
      );
  };
  if (at < 0) {
    await complain('illegal option');
    return finish(0, '?', silent ? letter : undefined, after);
  }
  if (spec[at + 1] !== ':') return finish(0, letter, undefined, after);
  if (more) return finish(0, letter, word.slice(state.offset + 1), { index: index + 1, offset: 1 });
  const argument = words[index];
  if (argument === undefined) {
    await complain('option requires an argument');
    return finish(0, silent ? ':' : '?', silent ? letter : undefined, { index: index + 1, offset: 1 });
  }
  return finish(0, letter, argument, { index: index + 2, offset: 1 });
});

export const variableBuiltins: readonly (readonly [string, Builtin])[] = [
  ['declare', declareBuiltin('declare')],
  ['typeset', declareBuiltin('typeset')],
  ['local', declareBuiltin('local')],
  ['export', attributeBuiltin('export', 'x')],
  ['readonly', attributeBuiltin('readonly', 'r')],
  ['unset', unset],
  ['let', letBuiltin],
  ['getopts', getopts],
];
