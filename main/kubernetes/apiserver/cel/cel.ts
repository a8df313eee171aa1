// CEL as the API server uses it: expressions compiled once, run on values whose types aren't declared.
import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { patternOf } from '../custom/validate-value.ts';

export interface CelProgram {
  readonly run: ParseResult;
}

/** Compiled expressions kept; beyond that the oldest go. */
const PROGRAMS_MAX = 4096;

const environment = makeEnvironment();
const programs = new Map<string, CelProgram | { readonly error: string }>();

function makeEnvironment(): Environment {
  const made = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true });
  // What Kubernetes adds to the language (apiserver pkg/cel/library).
  made.registerFunction('string.find(string): string', (text: string, pattern: string) => {
    return patternOf(pattern)?.exec(text)?.[0] ?? '';
  });
  made.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => {
    const found = patternOf(pattern);
    return found === undefined ? [] : (text.match(new RegExp(found.source, 'gu')) ?? []);
  });
  made.registerFunction('isURL(string): bool', (text: string) => URL.canParse(text));
  return made;
}

/** Parses an expression; an error is the parser's first line. */
export function compileCel(expression: string): CelProgram | { readonly error: string } {
  let program = programs.get(expression);
  if (program === undefined) {
    program = compile(expression);
    if (programs.size >= PROGRAMS_MAX) programs.delete(programs.keys().next().value!);
    programs.set(expression, program);
  }
  return program;
}

function compile(expression: string): CelProgram | { readonly error: string } {
  try {
    return { run: environment.parse(expression) };
  } catch (error) {
    return { error: firstLine(error) };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}

/** Runs a program; what it throws is told as a text. */
export function runCel(
  { run }: CelProgram,
  variables: Readonly<Record<string, unknown>>,
): { readonly value?: unknown; readonly error?: string } {
  try {
    return { value: run({ ...variables }) as unknown };
  } catch (error) {
    return { error: firstLine(error) };
  }
}

/** The type that an expression evaluates to, `dyn` when that isn't known before it runs. */
export function resultTypeOf({ run }: CelProgram): string {
  const { valid, type } = run.check();
  return valid && type !== undefined ? String(type) : 'dyn';
}
