// Kubernetes quantities: exact parsing, comparison and the canonical form (apimachinery pkg/api/resource).

/** A quantity as an exact count of nano-units, with the suffix family it was written in. */
export interface Quantity {
  /** Value times 10^9; finer parts are rounded up as upstream does. */
  readonly nano: bigint;
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent';
}

const NANO = 1_000_000_000n;
const BINARY = new Map<string, bigint>([
  ['Ki', 1n << 10n],
  ['Mi', 1n << 20n],
  ['Gi', 1n << 30n],
  ['Ti', 1n << 40n],
  ['Pi', 1n << 50n],
  ['Ei', 1n << 60n],
]);
const DECIMAL_EXPONENT = new Map<string, number>([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const DECIMAL_SUFFIX = new Map([...DECIMAL_EXPONENT].map(([suffix, exponent]) => [exponent, suffix]));
const PATTERN = /^([+-]?)(\d*)(?:\.(\d*))?([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

/** The text of upstream's ErrFormatWrong. */
export const QUANTITY_FORMAT_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Parses a quantity; undefined if it isn't one. */
export function parseQuantity(text: string | number): Quantity | undefined {
  const match = PATTERN.exec(String(text));
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const binary = BINARY.get(suffix);
  const scientific = /^[eE][+-]?\d+$/.test(suffix);
  const exponent =
    binary !== undefined ? 0 : scientific ? Number(suffix.slice(1)) : DECIMAL_EXPONENT.get(suffix);
  if (exponent === undefined || Math.abs(exponent) > 100) return undefined;
  const digits = BigInt(`${whole}${fraction}` === '' ? '0' : `${whole}${fraction}`) * (binary ?? 1n);
  const power = 9 + exponent - fraction.length;
  let nano: bigint;
  if (power >= 0) nano = digits * 10n ** BigInt(power);
  else {
    const divisor = 10n ** BigInt(-power);
    nano = (digits + divisor - 1n) / divisor;
  }
  const format = binary !== undefined ? 'BinarySI' : scientific ? 'DecimalExponent' : 'DecimalSI';
  return { nano: sign === '-' ? -nano : nano, format };
}

/** Parses a quantity that is known to be one; throws RangeError otherwise. */
export function requireQuantity(text: string | number): Quantity {
  const quantity = parseQuantity(text);
  if (quantity === undefined) throw new RangeError(`${text} is not a quantity`);
  return quantity;
}

/** Whole units, rounded up: bytes of `memory`, cores of `cpu`. */
export function quantityValue(text: string | number): number {
  const { nano } = requireQuantity(text);
  return Number(nano >= 0n ? (nano + NANO - 1n) / NANO : nano / NANO);
}

/** Thousandths, rounded up: the millicores of `cpu`. */
export function quantityMilliValue(text: string | number): number {
  const { nano } = requireQuantity(text);
  return Number(nano >= 0n ? (nano + 999_999n) / 1_000_000n : nano / 1_000_000n);
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: string | number, b: string | number): number {
  const difference = requireQuantity(a).nano - requireQuantity(b).nano;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The sum in the first operand's format. */
export function addQuantities(a: string | number, b: string | number): string {
  const first = requireQuantity(a);
  return formatQuantity({ nano: first.nano + requireQuantity(b).nano, format: first.format });
}

/** The canonical form: no fractional digits, the largest suffix that keeps it exact. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const sign = nano < 0n ? '-' : '';
  const magnitude = nano < 0n ? -nano : nano;
  if (format === 'BinarySI' && magnitude % NANO === 0n && magnitude >= 1024n * NANO) {
    let value = magnitude / NANO;
    let suffix = '';
    for (const [name, factor] of BINARY) {
      if ((magnitude / NANO) % factor !== 0n) break;
      value = magnitude / NANO / factor;
      suffix = name;
    }
    return `${sign}${value}${suffix}`;
  }
  let value = magnitude;
  let exponent = -9;
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${sign}${value}` : `${sign}${value}e${exponent}`;
  return `${sign}${value}${DECIMAL_SUFFIX.get(exponent) ?? ''}`;
}

/** The canonical form of a text, or the text itself when it isn't a quantity. */
export function canonicalQuantity(text: string | number): string {
  const quantity = parseQuantity(text);
  return quantity === undefined ? String(text) : formatQuantity(quantity);
}
