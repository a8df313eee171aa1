// Remembers what was made from a text, so that the keys of every handshake aren't parsed anew.

/** Texts remembered; at the limit all are forgotten, which costs time and nothing else. */
const ENTRIES_MAX = 4096;

/** `make` with its results remembered. It must depend on its text alone, and its results must not be changed. */
export function memoized<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (known.size >= ENTRIES_MAX) known.clear();
    known.set(text, made);
    return made;
  };
}
