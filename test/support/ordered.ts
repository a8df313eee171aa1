// Values in their natural order, for expectations that don't depend on it.

/** A sorted copy; undefined comes first. */
export function ordered<T extends string | number | undefined>(values: readonly T[]): T[] {
  const rank = (value: T): string | number => value ?? '';
  return values.toSorted((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}
