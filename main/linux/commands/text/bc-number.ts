// Numbers of bc(1): whole digits with a decimal scale, as POSIX defines its arithmetic.

export interface BcNumber {
  /** The value times 10 to the scale. */
  readonly digits: bigint;
  readonly scale: number;
}

/** Digits of a power, beyond which it is more than memory holds. */
const DIGITS_MAX = 1_000_000n;

export const ZERO: BcNumber = { digits: 0n, scale: 0 };
export const ONE: BcNumber = { digits: 1n, scale: 0 };

export function fromInteger(value: number | bigint): BcNumber {
  return { digits: BigInt(value), scale: 0 };
}

function power10(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** The same value with another scale; digits beyond it are cut off. */
export function rescale(value: BcNumber, scale: number): BcNumber {
  if (scale === value.scale) return value;
  return scale > value.scale
    ? { digits: value.digits * power10(scale - value.scale), scale }
    : { digits: value.digits / power10(value.scale - scale), scale };
}

export function add(a: BcNumber, b: BcNumber): BcNumber {
  const scale = Math.max(a.scale, b.scale);
  return { digits: rescale(a, scale).digits + rescale(b, scale).digits, scale };
}

export function negate(a: BcNumber): BcNumber {
  return { digits: -a.digits, scale: a.scale };
}

export function multiply(a: BcNumber, b: BcNumber, scale: number): BcNumber {
  const full = a.scale + b.scale;
  return rescale(
    { digits: a.digits * b.digits, scale: full },
    Math.min(full, Math.max(scale, a.scale, b.scale)),
  );
}

/** Cut off after `scale` digits; undefined for a division by zero. */
export function divide(a: BcNumber, b: BcNumber, scale: number): BcNumber | undefined {
  if (b.digits === 0n) return undefined;
  const shift = scale + b.scale - a.scale;
  const dividend = shift >= 0 ? a.digits * power10(shift) : a.digits;
  const divisor = shift >= 0 ? b.digits : b.digits * power10(-shift);
  return { digits: dividend / divisor, scale };
}

export function modulo(a: BcNumber, b: BcNumber, scale: number): BcNumber | undefined {
  const quotient = divide(a, b, scale);
  if (quotient === undefined) return undefined;
  const kept = Math.max(a.scale, b.scale + scale);
  return rescale(add(a, negate(multiply(quotient, b, kept))), kept);
}

/** A whole power; undefined for a negative power of zero. */
export function raise(a: BcNumber, exponent: bigint, scale: number): BcNumber | undefined {
  if (exponent === 0n) return ONE;
  const times = exponent < 0n ? -exponent : exponent;
  if (
    times * BigInt(a.digits.toString().length) > DIGITS_MAX &&
    a.digits !== 0n &&
    a.digits !== 1n &&
    a.digits !== -1n
  )
    throw new RangeError('Maximum BigInt size exceeded');
  const full = { digits: a.digits ** times, scale: a.scale * Number(times) };
  if (exponent < 0n) return divide(ONE, full, scale);
  return rescale(full, Math.min(full.scale, Math.max(scale, a.scale)));
}

/** undefined for a negative number. */
export function squareRoot(a: BcNumber, scale: number): BcNumber | undefined {
  if (a.digits < 0n) return undefined;
  const kept = Math.max(scale, a.scale);
  const target = rescale(a, 2 * kept).digits;
  return { digits: integerRoot(target), scale: kept };
}

function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let x = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + value / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

export function compare(a: BcNumber, b: BcNumber): number {
  const difference = add(a, negate(b)).digits;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** How many digits it has, as length() counts them. */
export function digitCount(a: BcNumber): number {
  const whole = rescale(a, 0).digits;
  const digits = whole === 0n ? 0 : (whole < 0n ? -whole : whole).toString().length;
  return Math.max(1, digits + a.scale);
}

/** Reads digits of a base; in a number of several digits those too large count as the base's largest. */
export function parseNumber(text: string, base: number): BcNumber {
  const [whole = '', fraction = ''] = text.split('.');
  if (base === 10 && /^\d*$/.test(whole + fraction))
    return { digits: BigInt(`0${whole}${fraction}`), scale: fraction.length };
  const value = (c: string): number => Number.parseInt(c, 16);
  const single = whole.length === 1 && fraction === '';
  const of = (c: string): bigint => BigInt(single ? value(c) : Math.min(value(c), base - 1));
  let digits = 0n;
  for (const c of whole) digits = digits * BigInt(base) + of(c);
  if (fraction === '') return { digits, scale: 0 };
  let numerator = 0n;
  for (const c of fraction) numerator = numerator * BigInt(base) + of(c);
  const part = divide(
    { digits: numerator, scale: 0 },
    { digits: BigInt(base) ** BigInt(fraction.length), scale: 0 },
    fraction.length,
  )!;
  return add({ digits, scale: 0 }, part);
}

/** As bc prints it in a base: no zero before the point, digits above 16 as groups. */
export function formatNumber(value: BcNumber, base: number): string {
  const sign = value.digits < 0n ? '-' : '';
  const magnitude = value.digits < 0n ? -value.digits : value.digits;
  if (base === 10) {
    if (magnitude === 0n) return '0';
    const text = magnitude.toString().padStart(value.scale + 1, '0');
    const whole = text.slice(0, text.length - value.scale);
    const fraction = text.slice(text.length - value.scale);
    return `${sign}${whole === '0' && fraction !== '' ? '' : whole}${fraction === '' ? '' : `.${fraction}`}`;
  }
  if (magnitude === 0n) return '0';
  const unit = power10(value.scale);
  let whole = magnitude / unit;
  let rest = magnitude % unit;
  const big = BigInt(base);
  const width = String(base - 1).length;
  const digit = (d: bigint): string =>
    base <= 16 ? d.toString(16).toUpperCase() : ` ${d.toString().padStart(width, '0')}`;
  let text = '';
  while (whole > 0n) {
    text = digit(whole % big) + text;
    whole /= big;
  }
  if (value.scale > 0) {
    text += '.';
    let first = true;
    for (let reached = 1n; reached.toString().length <= value.scale; reached *= big) {
      rest *= big;
      const shown = digit(rest / unit);
      text += first ? shown.trimStart() : shown;
      first = false;
      rest %= unit;
    }
  }
  return sign + text;
}
