// Assignments: scalars, elements and whole arrays.
import { evaluateArithmetic } from './arithmetic.ts';
import { expandBraces } from './brace.ts';
import { expandToFields, expandToText } from './expand.ts';
import { quoteForTracedValue } from './quoting.ts';
import type { Shell } from './shell.ts';
import type { ArrayLiteral, Assignment, Word } from './syntax/ast.ts';
import { trace } from './trace.ts';
import { VariableError, type Variable } from './variables.ts';

export async function assignAll(shell: Shell, assignments: readonly Assignment[]): Promise<void> {
  for (const assignment of assignments) await assign(shell, assignment);
}

async function assign(shell: Shell, assignment: Assignment): Promise<void> {
  const { name, index, append, value } = assignment;
  if ('kind' in value) {
    await trace(shell, () => assignment.text);
    const variable = shell.vars.ensure(name);
    await assignArray(shell, name, variable, value, append);
    return;
  }
  const text = await expandToText(shell, value, true);
  await trace(
    shell,
    () =>
      `${assignment.text.slice(0, assignment.text.indexOf('=') + 1)}${text === '' ? '' : quoteForTracedValue(text)}`,
  );
  if (index !== undefined)
    await assignElement(shell, shell.vars.resolve(name).name, shell.vars.ensure(name), index, text, append);
  else shell.vars.set(name, text, append);
  if (shell.options.has('allexport')) shell.vars.ensure(name).attributes.add('exported');
}

/** The value of an assignment before a command. */
export async function temporaryValue(shell: Shell, assignment: Assignment): Promise<string> {
  const { value } = assignment;
  const text =
    'kind' in value
      ? assignment.text.slice(assignment.text.indexOf('=') + 1)
      : await expandToText(shell, value, true);
  await trace(shell, () => `${assignment.name}=${text === '' ? '' : quoteForTracedValue(text)}`);
  if (assignment.append && shell.vars.find(assignment.name)?.attributes.has('integer') === true)
    return String(evaluateArithmetic(`${shell.vars.get(assignment.name) ?? 0}+(${text})`, shell.arithmetic));
  if (!assignment.append) return text;
  return (shell.vars.get(assignment.name) ?? '') + text;
}

export async function assignElement(
  shell: Shell,
  name: string,
  variable: Variable,
  index: Word,
  text: string,
  append: boolean,
): Promise<void> {
  const subscript = await expandToText(shell, index);
  if (subscript === '') throw new VariableError(`${name}[${index.text}]: bad array subscript`);
  shell.vars.assignElement(name, variable, subscript, text, append);
}

/** Fills an array from `(…)`; what was in it goes unless `append`. */
export async function assignArray(
  shell: Shell,
  name: string,
  variable: Variable,
  literal: ArrayLiteral,
  append: boolean,
  expanded?: readonly ArrayEntry[],
): Promise<void> {
  shell.vars.checkWritable(name, variable);
  if (variable.associative !== undefined) return fillAssociative(shell, name, variable, literal, append);
  // The words are expanded before the old content goes: a=("${a[@]}" x).
  fillIndexed(shell, name, variable, expanded ?? (await expandElements(shell, literal)), append);
}

/** An element to be put into an indexed array. */
export interface ArrayEntry {
  readonly index: string | undefined;
  readonly append: boolean;
  readonly text: string;
}

/** The elements that an array literal stands for. */
export async function expandElements(shell: Shell, literal: ArrayLiteral): Promise<ArrayEntry[]> {
  const entries: ArrayEntry[] = [];
  for (const element of literal.elements) {
    const braced = element.index === undefined ? [] : expandBraces(element.value);
    if (element.index !== undefined && braced.length > 1) {
      // Brace expansion comes first, and makes plain words of it.
      const head = { kind: 'literal' as const, text: `[${element.index.text}]${element.append ? '+' : ''}=` };
      for (const word of braced)
        for (const text of await expandToFields(shell, { ...word, parts: [head, ...word.parts] }))
          entries.push({ index: undefined, append: false, text });
      continue;
    }
    if (element.index !== undefined) {
      entries.push({
        index: await expandToText(shell, element.index),
        append: element.append,
        text: await expandToText(shell, element.value, true),
      });
      continue;
    }
    for (const word of expandBraces(element.value))
      for (const text of await expandToFields(shell, word))
        entries.push({ index: undefined, append: false, text });
  }
  return entries;
}

function fillIndexed(
  shell: Shell,
  name: string,
  variable: Variable,
  entries: readonly ArrayEntry[],
  append: boolean,
): void {
  if (!append) {
    variable.value = undefined;
    variable.indexed = new Map();
  }
  const elements = shell.vars.makeIndexed(variable);
  let next = append ? Math.max(-1, ...elements.keys()) + 1 : 0;
  for (const entry of entries) {
    if (entry.index !== undefined) {
      const at = Number(evaluateArithmetic(entry.index, shell.arithmetic));
      next = at < 0 ? Math.max(-1, ...elements.keys()) + 1 + at : at;
    }
    shell.vars.assignElement(name, variable, String(next), entry.text, entry.append);
    next++;
  }
  if (shell.options.has('allexport')) variable.attributes.add('exported');
}

async function fillAssociative(
  shell: Shell,
  name: string,
  variable: Variable,
  literal: ArrayLiteral,
  append: boolean,
): Promise<void> {
  const pairs: { key: string; value: string; append: boolean; source: string }[] = [];
  const loose: { text: string; source: string }[] = [];
  for (const { index, value, append: appends } of literal.elements) {
    const text = await expandToText(shell, value, index !== undefined);
    if (index === undefined) loose.push({ text, source: value.text });
    else
      pairs.push({
        key: await expandToText(shell, index),
        value: text,
        append: appends,
        source: `[${index.text}]=${value.text}`,
      });
  }
  for (let i = 0; i < loose.length; i += 2) {
    const { text, source } = loose[i]!;
    pairs.push({ key: text, value: loose[i + 1]?.text ?? '', append: false, source });
  }
  if (!append) variable.associative = new Map();
  for (const pair of pairs) {
    if (pair.key === '') await shell.error(`${pair.source}: bad array subscript`);
    else shell.vars.assignElement(name, variable, pair.key, pair.value, pair.append);
  }
}
