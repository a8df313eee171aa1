// File modes in chmod(1)'s words.

/**
 * The mode after a change such as `755`, `u+x,g-w`, `a=r`, `g=u`. Undefined if it isn't one.
 * `umask` filters clauses without a class.
 */
export function changeMode(
  mode: number,
  change: string,
  directory: boolean,
  umask: number,
): number | undefined {
  if (/^[0-7]{1,5}$/.test(change)) return Number.parseInt(change, 8) & 0o7777;
  let result = mode & 0o7777;
  for (const clause of change.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]|[0-7]+))+)$/.exec(clause);
    if (match === null) return undefined;
    const [, who = '', actions = ''] = match;
    for (const [, operator = '', permissions = ''] of actions.matchAll(/([-+=])([rwxXst]*[ugo]?|[0-7]+)/g)) {
      result = apply(result, who, operator, permissions, directory, umask);
    }
  }
  return result;
}

const SHIFTS = { u: 6, g: 3, o: 0 } as const;

function apply(
  mode: number,
  who: string,
  operator: string,
  permissions: string,
  directory: boolean,
  umask: number,
): number {
  const classes =
    who === '' || who.includes('a')
      ? (['u', 'g', 'o'] as const)
      : (['u', 'g', 'o'] as const).filter((c) => who.includes(c));
  let bits = 0;
  for (const c of classes) {
    let three = 0;
    for (const p of permissions) {
      if (p === 'r') three |= 4;
      else if (p === 'w') three |= 2;
      else if (p === 'x' || (p === 'X' && (directory || (mode & 0o111) !== 0))) three |= 1;
      else if (p === 'u' || p === 'g' || p === 'o') three |= (mode >> SHIFTS[p]) & 7;
      else if (p === 's') bits |= c === 'u' ? 0o4000 : c === 'g' ? 0o2000 : 0;
      else if (p === 't') bits |= 0o1000;
    }
    bits |= three << SHIFTS[c];
  }
  if (who === '') bits &= ~umask | 0o7000;
  if (operator === '+') return mode | bits;
  if (operator === '-') return mode & ~bits;
  let cleared = mode;
  for (const c of classes) cleared &= ~(7 << SHIFTS[c]);
  return cleared | bits;
}
