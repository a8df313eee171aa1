// tsort(1): a total order of pairs.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, shownName, UsageError } from '../frame/command.ts';
import { readAllText } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

interface Item {
  readonly name: string;
  count: number;
  /** Latest first, as GNU's lists are. */
  readonly successors: Item[];
  printed: boolean;
}

/** tsort(1) */
export const tsort: Program = command(
  {
    usage: '[OPTION] [FILE]',
    summary: 'Write totally ordered list consistent with the partial ordering in FILE.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const [path = '-', extra] = it.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    let text: string;
    try {
      text = await readAllText(it.open(path));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`${shownName(it, path)}: ${error.message}`);
    }
    const words = text.split(/[ \t\n]+/).filter((word) => word !== '');
    if (words.length % 2 !== 0) throw new Failure(`${path}: input contains an odd number of tokens`);
    const items = new Map<string, Item>();
    const item = (name: string): Item => {
      let found = items.get(name);
      if (found === undefined) items.set(name, (found = { name, count: 0, successors: [], printed: false }));
      return found;
    };
    for (let i = 0; i < words.length; i += 2) {
      const [before, after] = [item(words[i]!), item(words[i + 1]!)];
      if (before === after) continue;
      before.successors.unshift(after);
      after.count++;
    }
    const ordered = [...items.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (let left = ordered.length; left > 0;) {
      const queue = ordered.filter((one) => one.count === 0 && !one.printed);
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        await it.out.line(one.name);
        one.printed = true;
        left--;
        for (const next of one.successors) if (--next.count === 0) queue.push(next);
      }
      if (left === 0) break;
      await it.warn(`${path}: input contains a loop:`);
      for (const one of breakLoop(ordered.filter((each) => !each.printed))) await it.complain(one);
    }
  },
);

/** Follows what comes before until something comes again, takes one pair of the loop away, and names the loop. */
function breakLoop(left: readonly Item[]): string[] {
  const path: Item[] = [];
  let at = left[0]!;
  while (!path.includes(at)) {
    path.push(at);
    const before = left.find((one) => one.successors.includes(at));
    if (before === undefined) {
      at = left.find((one) => !path.includes(one))!;
      path.length = 0;
    } else at = before;
  }
  const [first, ...before] = path.slice(path.indexOf(at));
  const loop = [first!, ...before.toReversed()];
  const last = loop.at(-1)!;
  last.successors.splice(last.successors.indexOf(first!), 1);
  first!.count--;
  return loop.map((one) => one.name);
}
