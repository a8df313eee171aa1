import { expect, test } from 'vitest';
import {
  ArithmeticError,
  evaluateArithmetic,
  type ArithmeticScope,
} from '../../../../main/linux/shell/arithmetic.ts';

function scopeOf(values: Record<string, string>): ArithmeticScope {
  return {
    get: (name, subscript) => values[subscript === undefined ? name : `${name}[${subscript}]`],
    set: (name, subscript, value) =>
      void (values[subscript === undefined ? name : `${name}[${subscript}]`] = String(value)),
  };
}

test.each([
  ['', 0n],
  ['1 + 2 * 3', 7n],
  ['(1 + 2) * 3', 9n],
  ['-7 / 2', -3n],
  ['-7 % 3', -1n],
  ['2 ** 3 ** 2', 512n],
  ['-2 ** 2', 4n],
  ['1 << 4 | 1', 17n],
  ['5 > 3 && 2 > 1', 1n],
  ['0 || 0', 0n],
  ['1 ? 2 : 3', 2n],
  ['0x1f + 010 + 2#101', 44n],
  ['36#Z', 35n],
  ['~0', -1n],
  ['!5', 0n],
  ['1, 2', 2n],
  ['9223372036854775807 + 1', -9223372036854775808n],
  ['1 == 1 != 0', 1n],
  ['6 & 3 ^ 1', 3n],
])('%j is %d', (text, value) => {
  expect(evaluateArithmetic(text, scopeOf({}))).toBe(value);
});

test('variables are read, assigned and incremented', () => {
  const values: Record<string, string> = { a: '5', b: 'a + 1', 'c[2]': '7' };
  const scope = scopeOf(values);
  expect(evaluateArithmetic('a++ + ++a', scope)).toBe(12n);
  expect(evaluateArithmetic('b * 2', scope)).toBe(16n);
  expect(evaluateArithmetic('x = y = c[2] += 3', scope)).toBe(10n);
  expect(values).toMatchObject({ a: '7', x: '10', y: '10', 'c[2]': '10' });
});

test('the branch that is not taken changes nothing', () => {
  const values: Record<string, string> = {};
  evaluateArithmetic('1 || (a = 1), 0 && (b = 1), 1 ? 0 : (c = 1), 0 && 1 / 0', scopeOf(values));
  expect(values).toEqual({});
});

test.each([
  ['1/0', '1/0: division by 0 (error token is "0")'],
  ['1+', '1+: syntax error: operand expected (error token is "+")'],
  ['08', '08: value too great for base (error token is "08")'],
  ['1.5+1', '1.5+1: syntax error: invalid arithmetic operator (error token is ".5+1")'],
  ['2 ** -1', '2 ** -1: exponent less than 0 (error token is "1")'],
])('%j fails as in bash', (text, message) => {
  expect(() => evaluateArithmetic(text, scopeOf({}))).toThrow(message);
});

test('variables that refer to each other end in an error', () => {
  expect(() => evaluateArithmetic('a', scopeOf({ a: 'b', b: 'a' }))).toThrow(ArithmeticError);
});
