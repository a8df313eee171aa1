// Makes texts from a grammar: rules with alternatives, chosen at random within a depth.
import { readdirSync, readFileSync } from 'node:fs';
import type { Random } from '../../../main/simulation/index.ts';

/** One way to write a rule: texts, with the names of rules between them. */
interface Alternative {
  readonly pieces: readonly string[];
  readonly rules: readonly string[];
  /** How deep the shortest text of it nests. */
  depth: number;
}

/** A grammar read from files: `rule:` lines, each followed by its alternatives behind a tab. */
export class Grammar {
  private readonly rules = new Map<string, Alternative[]>();

  constructor(directory: URL) {
    for (const name of readdirSync(directory).toSorted())
      this.read(readFileSync(new URL(name, directory), 'utf8'));
    this.measure();
  }

  private read(source: string): void {
    let alternatives: Alternative[] = [];
    for (const line of source.split('\n')) {
      if (line.startsWith('\t')) alternatives.push(alternative(line.slice(1).replaceAll('⏎', '\n')));
      else if (line.endsWith(':')) this.rules.set(line.slice(0, -1), (alternatives = []));
    }
  }

  /** Finds the least depth of each alternative, by going over all until none changes. */
  private measure(): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const each of Array.from(this.rules.values()).flat()) {
        const depth = 1 + Math.max(0, ...each.rules.map((rule) => this.depthOf(rule)));
        if (depth < each.depth) changed = true;
        each.depth = Math.min(each.depth, depth);
      }
    }
  }

  private depthOf(rule: string): number {
    if (rule === '#') return 0;
    const alternatives = this.rules.get(rule);
    if (alternatives === undefined) throw new Error(`the grammar has no rule «${rule}»`);
    return Math.min(...alternatives.map(({ depth }) => depth));
  }

  /** A text of a rule. `«#»` becomes a number that is the same in one alternative and nowhere else. */
  text(rule: string, random: Random, depth: number, counter: { value: number }): string {
    const alternatives = this.rules.get(rule)!;
    const fitting = alternatives.filter((each) => each.depth <= depth);
    const least = this.depthOf(rule);
    const chosen = random.pick(
      fitting.length > 0 ? fitting : alternatives.filter((each) => each.depth === least),
    );
    const number = counter.value++;
    return chosen.pieces
      .map((piece, i) => {
        const next = chosen.rules[i];
        if (next === undefined) return piece;
        return piece + (next === '#' ? String(number) : this.text(next, random, depth - 1, counter));
      })
      .join('');
  }
}

function alternative(source: string): Alternative {
  const parts = source.split(/«([^»]*)»/);
  return {
    pieces: parts.filter((_, i) => i % 2 === 0),
    rules: parts.filter((_, i) => i % 2 === 1),
    depth: Number.POSITIVE_INFINITY,
  };
}
