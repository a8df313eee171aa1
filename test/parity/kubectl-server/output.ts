// Compares what a command printed with what a scenario expects, where names, ages and addresses may be anything.

/** What each mask stands for; a line of just `...` stands for any number of lines. */
const MASKS: Readonly<Record<string, string>> = {
  any: '.*',
  word: '\\S+',
  n: '\\d+',
  /** `5m12s`, as kubectl tells a duration; to its own clock, what happened on a faster one is still to come. */
  age: '(?:(?:\\d+[smhdy])+|<invalid>)',
  /** `5m12s`, or `5s (x3 over 10s)`, as describe tells an event's. */
  ages: '(?:(?:\\d+[smhdy])+|<invalid>)(?: \\(x\\d+ over (?:(?:\\d+[smhdy])+|<invalid>)\\))?',
  ip: '\\d+\\.\\d+\\.\\d+\\.\\d+',
  /** Of a template: `web-<hash>-<id>`. */
  hash: '[a-z0-9]{5,10}',
  id: '[a-z0-9]{5}',
  uid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z',
  date: '\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d [+-]\\d{4}',
};

/** Tells whether output (its lines) is as expected. Blanks at line ends, and how many part two columns, don't matter. */
export function matches(expected: readonly string[], actual: readonly string[], namespace: string): boolean {
  const patterns = expected.map((line) => pattern(line, namespace));
  // Which expected lines may be current after each actual one: `...` makes several possible.
  let states = skipDots(new Set([0]), patterns);
  for (const line of actual) {
    const next = new Set<number>();
    for (const state of states) {
      const wanted = patterns[state];
      if (wanted === undefined) continue;
      if (wanted === ANY_LINES) next.add(state);
      else if (wanted.test(line)) next.add(state + 1);
    }
    states = skipDots(next, patterns);
  }
  return states.has(patterns.length);
}

/** The index of the first expected line that no beginning of the output reaches: where to look for the fault. */
export function firstMismatch(
  expected: readonly string[],
  actual: readonly string[],
  namespace: string,
): number {
  let index = 0;
  while (index < expected.length && matches([...expected.slice(0, index + 1), '...'], actual, namespace))
    index++;
  return index;
}

const ANY_LINES = /^\.\.\.$/;

function skipDots(states: Set<number>, patterns: readonly RegExp[]): Set<number> {
  for (const state of states) if (patterns[state] === ANY_LINES) states.add(state + 1); // A Set also visits what is added.
  return states;
}

function pattern(line: string, namespace: string): RegExp {
  if (line === '...') return ANY_LINES;
  const source = line
    .trimEnd()
    .split(/(<[a-z]+>|(?<=\S) {2,}|(?<=\s)-{3,}(?=\s|$))/)
    .map((part, index) => {
      if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      if (part === '<ns>') return namespace;
      if (part.startsWith(' ')) return ' +';
      if (part.startsWith('-')) return '-+'; // Below a heading, as wide as the widest cell.
      return MASKS[part.slice(1, -1)] ?? part;
    })
    .join('');
  return new RegExp(`^${source}\\s*$`);
}
