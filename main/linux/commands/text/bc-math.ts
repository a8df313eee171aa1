// bc -l: sine, cosine, arctangent, logarithm, exponential and Bessel functions, cut off at the scale asked for.
import {
  add,
  compare,
  divide,
  fromInteger,
  multiply,
  negate,
  ONE,
  rescale,
  squareRoot,
  ZERO,
  type BcNumber,
} from './bc-number.ts';

const GUARD_DIGITS = 12;
const HALF: BcNumber = { digits: 5n, scale: 1 };

function sum(
  scale: number,
  term: (index: number, previous: BcNumber) => BcNumber | undefined,
  first: BcNumber,
): BcNumber {
  let total = first;
  let last = first;
  for (let index = 1; ; index++) {
    const next = term(index, last);
    if (next === undefined || rescale(next, scale).digits === 0n) return total;
    total = add(total, next);
    last = next;
  }
}

/** e to a power. */
export function exponential(x: BcNumber, scale: number): BcNumber {
  const whole = Number(rescale(x, 0).digits);
  const work = scale + GUARD_DIGITS + Math.max(0, Math.ceil(Math.abs(whole) * 0.45));
  let halvings = 0;
  let small = rescale(x, Math.max(x.scale, work));
  while (compare(absolute(small), HALF) > 0) {
    small = divide(small, fromInteger(2), work)!;
    halvings++;
  }
  let result = sum(
    work,
    (n, last) => divide(multiply(last, small, work), fromInteger(n), work),
    rescale(ONE, work),
  );
  for (; halvings > 0; halvings--) result = multiply(result, result, work + 5);
  return rescale(result, scale);
}

function absolute(x: BcNumber): BcNumber {
  return x.digits < 0n ? negate(x) : x;
}

/** The natural logarithm; what bc gives for zero and below is a very small number. */
export function logarithm(x: BcNumber, scale: number): BcNumber {
  if (x.digits <= 0n)
    return rescale(divide(add(ONE, negate(fromInteger(10n ** BigInt(scale)))), ONE, scale)!, scale);
  const work = scale + GUARD_DIGITS;
  let factor = 2n;
  let value = rescale(x, Math.max(x.scale, work));
  const [low, high] = [HALF, fromInteger(2)];
  while (compare(value, high) >= 0 || compare(value, low) <= 0) {
    value = squareRoot(value, work + 10)!;
    factor *= 2n;
  }
  const u = divide(add(value, negate(ONE)), add(value, ONE), work)!;
  const square = multiply(u, u, work);
  let power = u;
  let total = u;
  for (let n = 3; ; n += 2) {
    power = rescale(multiply(power, square, work), work);
    const term = divide(power, fromInteger(n), work)!;
    if (term.digits === 0n) break;
    total = add(total, term);
  }
  return rescale(multiply(total, fromInteger(factor), work), scale);
}

export function arctangent(x: BcNumber, scale: number): BcNumber {
  const work = scale + GUARD_DIGITS;
  const negative = x.digits < 0n;
  let value = absolute(rescale(x, Math.max(x.scale, work)));
  let factor = 1n;
  // atan(x) = 2 atan(x / (1 + sqrt(1 + x²)))
  while (compare(value, { digits: 2n, scale: 1 }) > 0) {
    const root = squareRoot(add(ONE, multiply(value, value, work)), work)!;
    value = divide(value, add(ONE, root), work)!;
    factor *= 2n;
  }
  const square = negate(multiply(value, value, work));
  let power = value;
  let total = value;
  for (let n = 3; ; n += 2) {
    power = rescale(multiply(power, square, work), work);
    const term = divide(power, fromInteger(n), work)!;
    if (term.digits === 0n) break;
    total = add(total, term);
  }
  const result = rescale(multiply(total, fromInteger(factor), work), scale);
  return negative ? negate(result) : result;
}

export function sine(x: BcNumber, scale: number): BcNumber {
  const work = scale + GUARD_DIGITS + Math.max(0, x.digits.toString().length - x.scale);
  const pi = multiply(fromInteger(4), arctangent(ONE, work), work);
  const turn = multiply(fromInteger(2), pi, work);
  let value = rescale(x, Math.max(x.scale, work));
  const turns = divide(value, turn, 0)!;
  value = add(value, negate(multiply(turns, turn, work)));
  const square = negate(multiply(value, value, work));
  let term = value;
  let total = value;
  for (let n = 1; ; n++) {
    term = divide(multiply(term, square, work), fromInteger(2 * n * (2 * n + 1)), work)!;
    if (term.digits === 0n) break;
    total = add(total, term);
  }
  return rescale(total, scale);
}

export function cosine(x: BcNumber, scale: number): BcNumber {
  const work = scale + GUARD_DIGITS;
  const quarter = multiply(fromInteger(2), arctangent(ONE, work), work);
  return rescale(sine(add(x, quarter), work), scale);
}

/** The Bessel function of whole order n. */
export function bessel(order: BcNumber, x: BcNumber, scale: number): BcNumber {
  const work = scale + GUARD_DIGITS;
  let n = Number(rescale(order, 0).digits);
  const negative = n < 0 && n % 2 !== 0;
  n = Math.abs(n);
  let factor: BcNumber = ONE;
  for (let i = 1; i <= n; i++) factor = divide(multiply(factor, x, work), fromInteger(2 * i), work)!;
  const square = negate(divide(multiply(x, x, work), fromInteger(4), work)!);
  let term: BcNumber = rescale(ONE, work);
  let total: BcNumber = term;
  for (let i = 1; ; i++) {
    term = divide(multiply(term, square, work), fromInteger(i * (n + i)), work)!;
    if (term.digits === 0n) break;
    total = add(total, term);
  }
  const result = rescale(multiply(factor, total, work), scale);
  return negative ? add(ZERO, negate(result)) : result;
}
