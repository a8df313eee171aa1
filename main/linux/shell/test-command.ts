// `[[ … ]]`: strings, patterns, regular expressions, numbers and files.
import { ArithmeticError, evaluateArithmetic } from './arithmetic.ts';
import { compareNumbers, fileComparison, unaryTest } from './conditional.ts';
import { Discard } from './control.ts';
import { expandToPattern, expandToRegex, expandToText } from './expand.ts';
import { matchesPattern } from './pattern.ts';
import { quoteForTrace } from './quoting.ts';
import { BadRegex, matchExtended } from './regex.ts';
import type { Shell } from './shell.ts';
import type { TestExpression } from './syntax/ast.ts';
import { trace } from './trace.ts';

/** `[[ … ]]`: 0, 1, or 2 for a regular expression that is none. */
export async function runTest(shell: Shell, expression: TestExpression): Promise<number> {
  try {
    return (await evaluateTest(shell, expression)) ? 0 : 1;
  } catch (error) {
    if (error instanceof ArithmeticError && error.unwinds === undefined) {
      await shell.error(`[[: ${error.message}`);
      return 1;
    }
    if (error instanceof BadRegex) return 2;
    if (error instanceof Discard) throw error;
    return shell.abandon(error);
  }
}

async function evaluateTest(shell: Shell, expression: TestExpression): Promise<boolean> {
  switch (expression.kind) {
    case 'and':
      return (await evaluateTest(shell, expression.left)) && (await evaluateTest(shell, expression.right));
    case 'or':
      return (await evaluateTest(shell, expression.left)) || (await evaluateTest(shell, expression.right));
    case 'not':
      return !(await evaluateTest(shell, expression.operand));
    case 'group':
      return evaluateTest(shell, expression.operand);
    case 'unary': {
      const operand = await shell.attempt(() => expandToText(shell, expression.operand));
      await trace(shell, () => `[[ ${expression.operator} ${quoteForTrace(operand)} ]]`);
      if (expression.operator === '-v') return unaryTest(shell, '-v', operand) === true;
      return unaryTest(shell, expression.operator, operand) === true;
    }
    case 'binary':
      return evaluateBinary(shell, expression);
  }
}

async function evaluateBinary(
  shell: Shell,
  expression: TestExpression & { kind: 'binary' },
): Promise<boolean> {
  const { operator } = expression;
  const left = await shell.attempt(() => expandToText(shell, expression.left));
  const show = (right: string): Promise<void> =>
    trace(shell, () => `[[ ${quoteForTrace(left)} ${operator} ${right} ]]`);
  if (operator === '==' || operator === '=' || operator === '!=') {
    const pattern = await shell.attempt(() => expandToPattern(shell, expression.right));
    await show(pattern === '' ? "''" : pattern);
    return (
      matchesPattern(left, pattern, { extglob: true, ignoreCase: shell.shopts.has('nocasematch') }) ===
      (operator !== '!=')
    );
  }
  if (operator === '=~') {
    const source = await shell.attempt(() => expandToRegex(shell, expression.right));
    await show(source);
    return matchRegex(shell, left, source);
  }
  const right = await shell.attempt(() => expandToText(shell, expression.right));
  await show(quoteForTrace(right));
  if (operator === '<') return left < right;
  if (operator === '>') return left > right;
  if (operator === '-nt' || operator === '-ot' || operator === '-ef')
    return fileComparison(shell, operator, left, right);
  return compareNumbers(
    operator,
    evaluateArithmetic(left, shell.arithmetic),
    evaluateArithmetic(right, shell.arithmetic),
  );
}

/** Matches a POSIX extended regular expression and fills BASH_REMATCH. */
function matchRegex(shell: Shell, text: string, source: string): boolean {
  const groups = matchExtended(text, source, shell.shopts.has('nocasematch'));
  shell.vars.setArray('BASH_REMATCH', groups ?? []);
  return groups !== undefined;
}
