// CEL as the API server uses it: expressions checked against declared types, compiled once, run on plain values.
import { Environment, EvaluationError, type ParseResult } from '@marcbachmann/cel-js';
import { registerAuthorizer } from './library/authorizer.ts';
import { registerText } from './library/text.ts';
import { registerValues } from './library/values.ts';
import { compileMessage } from './messages.ts';

export interface CelProgram {
  readonly run: ParseResult;
  /** The type of its value, `dyn` when that isn't known before it runs. */
  readonly type: string;
}

export type Compiled = CelProgram | { readonly error: string };

/** Compiled expressions kept per scope; beyond that the oldest go. */
const PROGRAMS_MAX = 4096;

/** The language with all that Kubernetes adds to it (apiserver pkg/cel/environment). */
const language = new Environment({ enableOptionalTypes: true });
registerText(language);
registerValues(language);
registerAuthorizer(language);

/** Where programs run: types are known of values then, so variables needn't be declared. */
const runtime = language.clone({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });

const functionNames = new Set(language.getDefinitions().functions.map(({ name }) => name));

/** What an expression may speak of, and of which types that is. */
export class CelScope {
  private readonly declare: (environment: Environment) => void;
  private readonly environment: Environment;
  private readonly programs = new Map<string, Compiled>();

  /** `declare` registers the variables. */
  constructor(declare: (environment: Environment) => void) {
    this.declare = declare;
    this.environment = language.clone();
    declare(this.environment);
  }

  /** Lists mix types only as what `format` shows. */
  private mixed(): Environment {
    const environment = language.clone({ homogeneousAggregateLiterals: false });
    this.declare(environment);
    return environment;
  }

  /** Parses and checks an expression; an error is cel-go's text. */
  compile(expression: string): Compiled {
    let program = this.programs.get(expression);
    if (program === undefined) {
      program = this.compileAnew(expression);
      if (this.programs.size >= PROGRAMS_MAX) this.programs.delete(this.programs.keys().next().value!);
      this.programs.set(expression, program);
    }
    return program;
  }

  private compileAnew(expression: string): Compiled {
    const refuse = (error: unknown): Compiled => ({
      error: compileMessage(error, expression, (name) => functionNames.has(name)),
    });
    try {
      let outcome = this.environment.check(expression);
      if (outcome.error?.code.startsWith('heterogeneous_') === true && /\.format\(/.test(expression))
        outcome = this.mixed().check(expression);
      const { valid, type, error } = outcome;
      if (!valid) return refuse(error);
      return { run: runtime.parse(expression), type: type === undefined ? 'dyn' : String(type) };
    } catch (error) {
      return refuse(error);
    }
  }
}

/** Runs a program; what it throws is told as a text. */
export function runCel(
  { run }: CelProgram,
  variables: Readonly<Record<string, unknown>>,
): { readonly value?: unknown; readonly error?: string } {
  try {
    return { value: run({ ...variables }) as unknown };
  } catch (error) {
    return { error: runMessage(error) };
  }
}

/** cel-go's texts for what goes wrong when an expression runs. */
function runMessage(error: unknown): string {
  if (!(error instanceof EvaluationError)) return error instanceof Error ? error.message : String(error);
  const { code, summary } = error;
  switch (code) {
    case 'no_such_key':
      return `no such key: ${/^No such key: (.*)$/.exec(summary)?.[1] ?? ''}`;
    case 'no_such_overload':
    case 'no_matching_overload':
      return 'no such overload';
    case 'modulo_by_zero':
      return 'modulus by zero';
    case 'numeric_overflow':
      return 'integer overflow';
    default:
      return summary;
  }
}
