// One conversion of printf(3): %d, %5.2f, %-10s … as printf, awk, seq and others need it.

/** Formats a value by flags (`-+ #0`), width, precision and kind (`d i o u x X e E f F g G c s`). */
export function formatNumber(
  flags: string,
  width: number,
  precision: number | undefined,
  kind: string,
  value: number | string,
): string {
  const left = flags.includes('-') || width < 0;
  const columns = Math.abs(width);
  let sign = '';
  let body: string;
  if (typeof value === 'string') {
    body =
      kind === 'c'
        ? [...value].slice(0, 1).join('')
        : precision === undefined
          ? value
          : [...value].slice(0, precision).join('');
    const fill = ' '.repeat(Math.max(0, columns - [...body].length));
    return left ? body + fill : fill + body;
  }
  const negative = value < 0 || Object.is(value, -0);
  const magnitude = Math.abs(value);
  if (negative) sign = '-';
  else if (flags.includes('+') && !'ouxX'.includes(kind)) sign = '+';
  else if (flags.includes(' ') && !'ouxX'.includes(kind)) sign = ' ';
  if (!Number.isFinite(value)) {
    if (Number.isNaN(value)) sign = '';
    body = Number.isNaN(value) ? 'nan' : 'inf';
    if (/[EFGX]/.test(kind)) body = body.toUpperCase();
  } else if ('di'.includes(kind)) body = digits(wholeText(magnitude), precision);
  else if ('ouxX'.includes(kind)) {
    const whole = BigInt(Math.trunc(value));
    const unsigned = whole < 0n ? whole + (1n << 64n) : whole;
    sign = '';
    body = digits(unsigned.toString(kind === 'o' ? 8 : kind === 'u' ? 10 : 16), precision);
    if (kind === 'X') body = body.toUpperCase();
    if (flags.includes('#') && unsigned !== 0n)
      body = (kind === 'o' ? '0' : kind === 'x' ? '0x' : kind === 'X' ? '0X' : '') + body;
  } else body = float(magnitude, precision ?? 6, kind, flags.includes('#'));
  const fill = Math.max(0, columns - sign.length - body.length);
  if (left) return sign + body + ' '.repeat(fill);
  const zeros =
    flags.includes('0') && Number.isFinite(value) && !('diouxX'.includes(kind) && precision !== undefined);
  return zeros ? sign + '0'.repeat(fill) + body : ' '.repeat(fill) + sign + body;
}

function wholeText(magnitude: number): string {
  return magnitude < 1e15 ? String(Math.trunc(magnitude)) : BigInt(Math.trunc(magnitude)).toString();
}

function digits(text: string, precision: number | undefined): string {
  if (precision === 0 && text === '0') return '';
  return text.padStart(precision ?? 1, '0');
}

function float(value: number, precision: number, kind: string, alternate: boolean): string {
  let text: string;
  const lower = kind.toLowerCase();
  if (lower === 'f')
    text =
      value >= 1e21
        ? `${BigInt(value)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`
        : fixed(value, Math.min(100, precision));
  else if (lower === 'e') text = exponent(value, precision);
  else if (lower === 'a') text = `0x${value.toString(16)}`;
  else {
    const p = precision === 0 ? 1 : precision;
    const scientific = value === 0 ? '0e+00' : exponent(value, p - 1);
    const power = Number(scientific.slice(scientific.indexOf('e') + 1));
    text = power < -4 || power >= p ? scientific : value.toFixed(Math.max(0, Math.min(100, p - 1 - power)));
    if (!alternate)
      text = text.replace(/\.(\d*?)0+(?=e|$)/, (_, kept: string) => (kept === '' ? '' : `.${kept}`));
  }
  return kind === lower ? text : text.toUpperCase();
}

/** toFixed, but ties go to the even digit where the value is exactly between two (IEEE 754, as libc prints). */
function fixed(value: number, precision: number): string {
  const text = value.toFixed(precision);
  const scaled = value * 10 ** precision;
  if (precision > 15 || scaled % 1 !== 0.5 || scaled / 10 ** precision !== value || scaled > 2 ** 52)
    return text;
  const exact = value.toFixed(Math.min(100, precision + 30));
  if (!/^50*$/.test(exact.slice(exact.indexOf('.') + 1 + precision))) return text;
  const even = Math.floor(scaled) % 2 === 0 ? Math.floor(scaled) : Math.ceil(scaled);
  return (even / 10 ** precision).toFixed(precision);
}

function exponent(value: number, precision: number): string {
  return value.toExponential(Math.min(100, precision)).replace(/e([-+])(\d)$/, 'e$10$2');
}
