// Orders of names: the C locale's, and the one of version numbers (strverscmp, ls -v, sort -V).

/** By code points, as LC_ALL=C and C.UTF-8 order. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++)
    if (x[i] !== y[i]) return x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
  return x.length - y.length;
}

/** Numbers within names by their value. */
export function compareVersions(a: string, b: string): number {
  const x = a.match(/\d+|\D+/g) ?? [];
  const y = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const [p, q] = [x[i]!, y[i]!];
    if (p === q) continue;
    if (/^\d/.test(p) && /^\d/.test(q)) {
      const order = Number(p) - Number(q);
      if (order !== 0) return order;
    }
    return compareNames(p, q);
  }
  return x.length - y.length;
}
