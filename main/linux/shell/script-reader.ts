// Hands out a script's commands one by one; a script that has been read to its end before isn't parsed again.
import type { Shell } from './shell.ts';
import type { List } from './syntax/ast.ts';
import type { Parser } from './syntax/parser.ts';

/** A command with how much of the source had been read after it. */
interface Step {
  readonly list: List;
  readonly consumed: number;
  readonly line: number;
}

/** Every container of an image runs the same entrypoint: scripts known by dialect, extglob and text. */
const known = new Map<string, readonly Step[]>();
const KNOWN_MAX = 64;
const SOURCE_CHARS_MAX = 65_536;

/** The commands of one source, parsed as the shell's options stand when each is asked for. */
export class ScriptReader {
  private readonly shell: Shell;
  private readonly source: string;
  private readonly key: string;
  /** What a reading of the same source found; undefined once it doesn't hold any more. */
  private steps: readonly Step[] | undefined;
  /** What this reading finds; undefined once it isn't one that another shell could repeat. */
  private found: Step[] | undefined;
  private parser: Parser | undefined;
  private count = 0;
  private position = 0;

  constructor(shell: Shell, source: string) {
    this.shell = shell;
    this.source = source;
    this.key = `${shell.parserDialect ?? 'bash'} ${shell.shopts.has('extglob')} ${source}`;
    const isPlain = source.length <= SOURCE_CHARS_MAX && !shell.shopts.has('expand_aliases');
    this.steps = isPlain ? known.get(this.key) : undefined;
    this.found = isPlain && this.steps === undefined ? [] : undefined;
    if (this.steps === undefined) this.parser = shell.parser(source, 1, () => (this.found = undefined));
  }

  /** The line that has been read last. */
  line = 1;

  /** How much of the source has been read. */
  get consumed(): number {
    return this.position;
  }

  /** The next command, or undefined at the end. Throws ShellSyntaxError. */
  next(): List | undefined {
    if (this.steps !== undefined && this.isAsKnown()) {
      const step = this.steps[this.count];
      if (step === undefined) return undefined;
      this.count++;
      this.position = step.consumed;
      this.line = step.line;
      return step.list;
    }
    const parser = this.ownParser();
    if (!this.isAsKnown()) this.found = undefined;
    parser.setExtglob(this.shell.shopts.has('extglob'));
    const list = parser.next();
    this.position = parser.consumed;
    this.line = Math.max(1, parser.nextLine - 1);
    if (list === undefined) this.remember();
    else this.found?.push({ list, consumed: parser.consumed, line: this.line });
    return list;
  }

  /** Counts on from the line in which an error abandoned a command; see Parser.resumeAfter. */
  resumeAfter(line: number): void {
    this.ownParser().resumeAfter(line);
    this.found = undefined;
  }

  private isAsKnown(): boolean {
    const { shopts } = this.shell;
    return !shopts.has('expand_aliases') && this.key.includes(` ${shopts.has('extglob')} `);
  }

  /** A parser at the place that has been reached. */
  private ownParser(): Parser {
    if (this.parser !== undefined) return this.parser;
    this.steps = undefined;
    const parser = this.shell.parser(this.source);
    for (let step = 0; step < this.count; step++) parser.next();
    return (this.parser = parser);
  }

  private remember(): void {
    if (this.found === undefined) return;
    if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value!);
    known.set(this.key, this.found);
    this.found = undefined;
  }
}
