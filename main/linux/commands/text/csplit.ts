// csplit(1): cuts a file where patterns or line numbers say.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { bytesToText, textToBytes } from '../../shell/index.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { formatNumber } from '../frame/number-format.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';

interface Cut {
  readonly text: string;
  readonly line?: number;
  readonly regex?: RegExp;
  /** `%…%`: what comes before is dropped. */
  readonly skips: boolean;
  readonly offset: number;
  /** How often more; Infinity for `{*}`. */
  repeat: number;
}

/** csplit(1) */
export const csplit: Program = command(
  {
    short: 'b:f:kn:qsz',
    long: [
      'suffix-format:>b',
      'prefix:>f',
      'keep-files>k',
      'suppress-matched',
      'digits:>n',
      'quiet>q',
      'silent>q',
      'elide-empty-files>z',
    ],
    usage: '[OPTION]... FILE PATTERN...',
    summary:
      "Output pieces of FILE separated by PATTERN(s) to files 'xx00', 'xx01', ...,\nand output byte counts of each piece to standard output.",
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const [path, ...patterns] = it.operands;
    if (path === undefined) throw new UsageError('missing operand');
    if (patterns.length === 0) throw new UsageError(`missing operand after ${quote(path)}`);
    const cuts = parseCuts(patterns);
    let text: string;
    try {
      text = bytesToText(await readAll(it.open(path)));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`cannot open ${quoteAlways(path)} for reading: ${error.message}`);
    }
    const splitter = new Splitter(it, text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
    try {
      for (const cut of cuts) await splitter.cut(cut);
      await splitter.finish();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await splitter.finish();
      if (!it.options.has('k')) splitter.remove();
      await it.complain(error.message);
      return it.options.has('k') && !error.message.includes('out of range') ? 0 : 1;
    }
    return 0;
  },
);

function parseCuts(patterns: readonly string[]): Cut[] {
  const cuts: Cut[] = [];
  for (const pattern of patterns) {
    const repeat = /^\{(\d+|\*)\}$/.exec(pattern);
    if (repeat !== null && cuts.length > 0) {
      cuts.at(-1)!.repeat = repeat[1] === '*' ? Infinity : Number(repeat[1]);
      continue;
    }
    const found = /^([/%])([^]*)\1([-+]?\d+)?$/.exec(pattern);
    if (found !== null) {
      try {
        const regex = compileRegex(found[2]!, { syntax: 'basic', global: false });
        cuts.push({
          text: pattern,
          regex,
          skips: found[1] === '%',
          offset: Number(found[3] ?? 0),
          repeat: 0,
        });
      } catch (error) {
        if (!(error instanceof RegexError)) throw error;
        throw new Failure(`${pattern}: invalid regular expression: ${error.message}`);
      }
      continue;
    }
    if (/^[/%]/.test(pattern)) throw new Failure(`${pattern}: closing delimiter '${pattern[0]}' missing`);
    if (!/^\d+$/.test(pattern)) throw new Failure(`${quote(pattern)}: invalid pattern`);
    if (Number(pattern) === 0) throw new Failure(`${pattern}: line number must be greater than zero`);
    cuts.push({ text: pattern, line: Number(pattern), skips: false, offset: 0, repeat: 0 });
  }
  return cuts;
}

class Splitter {
  private readonly it: Invocation;
  private readonly lines: readonly string[];
  private readonly made: string[] = [];
  /** Lines before this one are written. */
  private at = 0;
  /** The search for a pattern goes on behind the line that matched last. */
  private searchFrom = 0;

  constructor(it: Invocation, lines: readonly string[]) {
    this.it = it;
    this.lines = lines;
  }

  async cut(cut: Cut): Promise<void> {
    const suppress = this.it.options.has('suppress-matched');
    for (let turn = 0; turn <= cut.repeat; turn++) {
      if (cut.line !== undefined) {
        const line = cut.line * (turn + 1);
        if (line > this.lines.length + (turn === 0 ? 0 : 1)) {
          if (cut.repeat === Infinity) return;
          throw new Failure(
            `${quote(cut.text)}: line number out of range${turn > 0 ? ` on repetition ${turn}` : ''}`,
          );
        }
        await this.write(this.lines.slice(this.at, line - 1));
        this.at = suppress ? line : line - 1;
        this.searchFrom = this.at;
        continue;
      }
      let found = this.searchFrom;
      while (found < this.lines.length && !cut.regex!.test(this.lines[found]!.replace(/\n$/, ''))) found++;
      if (found >= this.lines.length) {
        if (cut.repeat === Infinity) {
          if (cut.skips) this.at = this.lines.length;
          return;
        }
        throw new Failure(`${quote(cut.text)}: match not found${turn > 0 ? ` on repetition ${turn}` : ''}`);
      }
      const end = found + cut.offset;
      if (end < this.at || end > this.lines.length)
        throw new Failure(`${quote(cut.text)}: line number out of range`);
      if (!cut.skips) await this.write(this.lines.slice(this.at, end));
      this.at = suppress ? end + 1 : end;
      this.searchFrom = Math.max(found + 1, this.at);
    }
  }

  async finish(): Promise<void> {
    await this.write(this.lines.slice(this.at));
    this.at = this.lines.length;
  }

  remove(): void {
    for (const path of this.made) this.it.proc.fs.unlink(path);
  }

  private async write(lines: readonly string[]): Promise<void> {
    const { options, proc, out } = this.it;
    if (lines.length === 0 && options.has('z')) return;
    const bytes = textToBytes(lines.join(''));
    const path = (options.value('f') ?? 'xx') + this.suffix(this.made.length);
    proc.fs.writeFile(path, bytes);
    this.made.push(path);
    if (!options.has('q', 's')) await out.line(String(bytes.length));
  }

  private suffix(index: number): string {
    const format = this.it.options.value('b');
    if (format === undefined) return String(index).padStart(Number(this.it.options.value('n') ?? 2), '0');
    return format.replace(
      /%([-+ #0]*)(\d*)(?:\.(\d+))?([diouxX])/,
      (_, flags: string, width: string, precision: string | undefined, kind: string) =>
        formatNumber(
          flags,
          Number(width || 0),
          precision === undefined ? undefined : Number(precision),
          kind === 'i' ? 'd' : kind,
          index,
        ),
    );
  }
}
