// Orders of names: the C locale's, and the one of version numbers (gnulib's filevercmp: ls -v, sort -V).
import { textToBytes } from '../../shell/index.ts';

const SURROGATES = /[\ud800-\udfff]/;

/** By bytes, which is by code points, as LC_ALL=C and C.UTF-8 order. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  if (!SURROGATES.test(a) && !SURROGATES.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(textToBytes(a), textToBytes(b));
}

/** Numbers within names by their value; suffixes such as `.tar.gz` count last. */
export function compareVersions(a: string, b: string): number {
  if (a === '' || b === '') return Number(a !== '') - Number(b !== '');
  if (a.startsWith('.') || b.startsWith('.')) {
    if (!b.startsWith('.')) return -1;
    if (!a.startsWith('.')) return 1;
    for (const special of ['.', '..'])
      if (a === special || b === special) return Number(a !== special) - Number(b !== special);
  }
  const [x, y] = [withoutSuffix(a), withoutSuffix(b)];
  const order = compareRuns(x, y);
  return order !== 0 || (x === a && y === b) ? order : compareRuns(a, b);
}

function withoutSuffix(name: string): string {
  return name.replace(/(?:\.[A-Za-z~][A-Za-z0-9~]*)*$/, '');
}

function isDigit(c: string | undefined): boolean {
  return c !== undefined && c >= '0' && c <= '9';
}

function rank(c: string | undefined): number {
  if (c === undefined) return -1;
  if (isDigit(c)) return 0;
  if (/[A-Za-z]/.test(c)) return c.charCodeAt(0);
  return c === '~' ? -2 : c.charCodeAt(0) + 256;
}

function compareRuns(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a[i])) || (j < b.length && !isDigit(b[j]))) {
      const order = rank(a[i]) - rank(b[j]);
      if (order !== 0) return order;
      i++;
      j++;
    }
    while (a[i] === '0') i++;
    while (b[j] === '0') j++;
    let first = 0;
    while (isDigit(a[i]) && isDigit(b[j])) {
      if (first === 0) first = a.charCodeAt(i) - b.charCodeAt(j);
      i++;
      j++;
    }
    if (isDigit(a[i])) return 1;
    if (isDigit(b[j])) return -1;
    if (first !== 0) return first;
  }
  return 0;
}
