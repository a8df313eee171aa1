// Numbers, times and modes as the tools print them.

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** GNU's human-readable size: one decimal below ten, rounded up (ls -h, du -h, df -h). */
export function humanSize(bytes: number, base: 1024 | 1000 = 1024): string {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < UNITS.length - 1) {
    value /= base;
    unit++;
  }
  if (unit === 0) return String(Math.ceil(value));
  const tenths = Math.ceil(value * 10 - 1e-9) / 10;
  const letter = base === 1000 && unit === 1 ? 'k' : UNITS[unit]!;
  if (tenths < 10) return `${tenths.toFixed(1)}${letter}`;
  const whole = Math.ceil(value - 1e-9);
  return whole >= base && unit < UNITS.length - 1 ? `1.0${UNITS[unit + 1]}` : `${whole}${letter}`;
}

const TYPE_LETTERS = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  'character-device': 'c',
  'block-device': 'b',
} as const;

/** `-rw-r--r--` */
export function modeString(type: keyof typeof TYPE_LETTERS, mode: number): string {
  const bits = 'rwxrwxrwx'.split('').map((letter, index) => (mode & (0o400 >> index) ? letter : '-'));
  if (mode & 0o4000) bits[2] = bits[2] === 'x' ? 's' : 'S';
  if (mode & 0o2000) bits[5] = bits[5] === 'x' ? 's' : 'S';
  if (mode & 0o1000) bits[8] = bits[8] === 'x' ? 't' : 'T';
  return TYPE_LETTERS[type] + bits.join('');
}

/** `512`, `1K`, `2MB`, `3GiB` as a number of bytes; undefined if it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(?:([bkKMGTPE])(iB|B)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, digits = '', unit, suffix] = match;
  if (unit === undefined) return Number(digits);
  if (unit === 'b') return Number(digits) * 512;
  return Math.floor(Number(digits) * (suffix === 'B' ? 1000 : 1024) ** UNITS.indexOf(unit.toUpperCase()));
}

/** Pads on the right by display columns (wide characters take two). */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/** Columns a text takes on a terminal (wcswidth). */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const c of text) width += charWidth(c.codePointAt(0)!);
  return width;
}

/** Columns of one code point (wcwidth). */
export function charWidth(code: number): number {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (
    (code >= 0x300 && code <= 0x36f) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0xfe00 && code <= 0xfe0f)
  )
    return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** `1-02:03:04`, `02:03:04`: how ps prints TIME. */
export function cpuTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
    .map((n) => String(n).padStart(2, '0'))
    .join(':');
  return days > 0 ? `${days}-${clock}` : clock;
}
