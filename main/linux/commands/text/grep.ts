// grep(1), egrep, fgrep
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { bytesToText, textToBytes } from '../../shell/index.ts';
import { command, Failure, type CommandForm, type Invocation } from '../frame/command.ts';
import { globRegex } from '../frame/glob.ts';
import { LineReader, readAllText } from '../frame/input.ts';
import { compilePerlRegex } from '../frame/perl-regex.ts';
import { compileRegex, escapeRegex, longestRegex, RegexError } from '../frame/regex.ts';
import { lastPart, statOf } from '../coreutils/files.ts';

const FORM: CommandForm = {
  short: '0123456789A:B:C:EFGPHILTUVabcd:e:f:hilm:noqrRsuvwxyzZD:X:',
  long: [
    'after-context:>A',
    'before-context:>B',
    'context:>C',
    'extended-regexp>E',
    'fixed-strings>F',
    'basic-regexp>G',
    'perl-regexp>P',
    'with-filename>H',
    'files-without-match>L',
    'initial-tab>T',
    'text>a',
    'byte-offset>b',
    'count>c',
    'directories:>d',
    'devices:>D',
    'regexp:>e',
    'file:>f',
    'no-filename>h',
    'ignore-case>i',
    'no-ignore-case',
    'files-with-matches>l',
    'max-count:>m',
    'line-number>n',
    'only-matching>o',
    'quiet>q',
    'silent>q',
    'recursive>r',
    'dereference-recursive>R',
    'no-messages>s',
    'invert-match>v',
    'word-regexp>w',
    'line-regexp>x',
    'null>Z',
    'null-data>z',
    'color::',
    'colour::>color',
    'include:',
    'exclude:',
    'exclude-from:',
    'exclude-dir:',
    'label:',
    'line-buffered',
    'no-group-separator',
    'group-separator:',
    'unix-byte-offsets>u',
    'binary-files:',
    'binary>U',
  ],
  usage: '[OPTION]... PATTERNS [FILE]...',
  summary: 'Search for PATTERNS in each FILE.',
  version: '(GNU grep) 3.8',
  usageExit: 2,
  hint: (name) =>
    `Usage: ${name} [OPTION]... PATTERNS [FILE]...\nTry '${name} --help' for more information.\n`,
};

/** grep(1) */
export const grep: Program = command(FORM, (it) => run(it, undefined));
/** egrep: grep -E */
export const egrep: Program = command(FORM, (it) => run(it, 'E'));
/** fgrep: grep -F */
export const fgrep: Program = command(FORM, (it) => run(it, 'F'));

async function run(it: Invocation, syntax: 'E' | 'F' | undefined): Promise<number> {
  const { options } = it;
  if (options.has('V')) {
    await it.out.line(`${it.name} (GNU grep) 3.8`);
    return 0;
  }
  if (options.has('u')) await it.complain('warning: --unix-byte-offsets (-u) is obsolete');
  if (options.has('X')) throw new Failure(`invalid matcher ${options.value('X')}`, 2);
  if (options.has('m') && !/^-?\d+[bkKMG]?$/.test(options.value('m')!))
    throw new Failure('invalid max count', 2);
  const patterns = [...options.values('e')];
  for (const path of options.values('f'))
    patterns.push(
      ...(path === '-'
        ? (await readAllText(it.proc.stdin)).replace(/\n$/, '').split('\n')
        : readPatterns(it, path)),
    );
  const operands = [...it.operands];
  if (!options.has('e', 'f')) {
    const first = operands.shift();
    if (first === undefined) {
      await it.proc.stderr.write(FORM.hint!(it.name));
      return 2;
    }
    patterns.push(first);
  }
  const search = new Search(
    it,
    compile(
      it,
      patterns.flatMap((p) => p.split('\n')),
      syntax ?? options.last('E', 'F', 'G', 'P') ?? 'G',
    ),
    operands,
  );
  return search.run();
}

function readPatterns(it: Invocation, path: string): string[] {
  try {
    const text = path === '-' ? '' : bytesToText(it.proc.fs.readFile(path));
    return text === '' ? [] : text.replace(/\n$/, '').split('\n');
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`${path}: ${error.message}`, 2);
  }
}

function compile(it: Invocation, patterns: readonly string[], syntax: string): RegExp[] {
  const { options } = it;
  const ignoreCase =
    options.last('i', 'y', 'no-ignore-case') !== undefined &&
    options.last('i', 'y', 'no-ignore-case') !== 'no-ignore-case';
  try {
    return patterns.map((pattern) => {
      if (syntax !== 'F' && syntax !== 'P') checkBrackets(pattern);
      const base =
        syntax === 'F'
          ? new RegExp(escapeRegex(pattern), 'gu')
          : syntax === 'P'
            ? compilePerlRegex(pattern, { ignoreCase })
            : compileRegex(pattern, { syntax: syntax === 'E' ? 'extended' : 'basic' });
      let source = base.source;
      if (options.has('x')) source = `^(?:${source})$`;
      else if (options.has('w')) source = `(?<![\\p{L}\\p{Nd}_])(?:${source})(?![\\p{L}\\p{Nd}_])`;
      const flags = `gu${ignoreCase || base.ignoreCase ? 'i' : ''}`;
      return syntax === 'P' ? new RegExp(source, flags) : longestRegex(source, flags);
    });
  } catch (error) {
    if (error instanceof RegexError) throw new Failure(error.message, 2);
    throw error;
  }
}

/** `[:space:]` by itself is a mistake. */
function checkBrackets(pattern: string): void {
  const found = /(?:^|[^[\\])\[:(\w+):\]/.exec(pattern);
  if (found !== null)
    throw new Failure(`character class syntax is [[:${found[1]}:]], not [:${found[1]}:]`, 2);
}

/** What makes a file binary: a NUL, or a byte that isn't UTF-8. */
const BINARY = /[\0\udc80-\udcff]/;

interface Span {
  readonly from: number;
  readonly to: number;
}

class Search {
  private readonly it: Invocation;
  private readonly patterns: readonly RegExp[];
  private readonly operands: readonly string[];
  private readonly named: boolean;
  private readonly color: boolean;
  private readonly before: number;
  private readonly after: number;
  private found = false;
  private failed = false;
  private wroteGroup = false;

  constructor(it: Invocation, patterns: readonly RegExp[], operands: readonly string[]) {
    this.it = it;
    this.patterns = patterns;
    const { options } = it;
    const recursive = options.has('r', 'R') || options.value('d') === 'recurse';
    this.operands = operands.length > 0 ? operands : recursive ? ['.'] : ['-'];
    const single =
      this.operands.length === 1 &&
      !(recursive && statOf(it.proc.fs, this.operands[0]!)?.type === 'directory');
    const name = options.last('H', 'h');
    this.named = name === 'H' || (name === undefined && !single);
    const color = options.has('color') ? (options.value('color') ?? 'auto') : 'never';
    this.color = color === 'always' || (color === 'auto' && it.proc.stdout.tty !== undefined);
    const digits = options.list
      .filter((option) => /^\d$/.test(option.name))
      .map((option) => option.name)
      .join('');
    const context = options.value('C') ?? (digits === '' ? '0' : digits);
    this.before = this.contextLength(options.value('B') ?? context);
    this.after = this.contextLength(options.value('A') ?? context);
  }

  private contextLength(text: string): number {
    if (!/^\d+$/.test(text)) throw new Failure(`${text}: invalid context length argument`, 2);
    return Number(text);
  }

  async run(): Promise<number> {
    for (const path of this.operands) {
      await this.searchPath(path, true);
      if (this.found && this.it.options.has('q')) return 0;
    }
    return this.failed && !(this.found && this.it.options.has('q')) ? 2 : this.found ? 0 : 1;
  }

  private async searchPath(path: string, top: boolean): Promise<void> {
    const { it } = this;
    const { fs } = it.proc;
    const recursive = it.options.has('r', 'R') || it.options.value('d') === 'recurse';
    if (path !== '-' && recursive) {
      const stat = statOf(fs, path);
      if (stat?.type === 'directory') {
        if (!top && it.options.values('exclude-dir').some((glob) => globRegex(glob).test(lastPart(path))))
          return;
        const omitted = top && path === '.' && it.operands.length < 2 && !it.operands.includes('.');
        for (const entry of fs.readdir(path)) {
          const child = omitted
            ? entry.name
            : path.endsWith('/')
              ? path + entry.name
              : `${path}/${entry.name}`;
          if (entry.type === 'symlink' && !it.options.has('R')) continue;
          await this.searchPath(child, false);
          if (this.found && it.options.has('q')) return;
        }
        return;
      }
    }
    if (!this.selected(path, top)) return;
    let file: OpenFile;
    try {
      file = it.open(path);
      if (file.kind === 'directory' || (path !== '-' && file.stat().type === 'directory'))
        throw new ErrnoError('EISDIR');
      await this.searchFile(file, path === '-' ? (it.options.value('label') ?? '(standard input)') : path);
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      if (error.code === 'EISDIR' && it.options.value('d') === 'skip') return;
      this.failed = true;
      if (it.options.has('s')) return;
      await it.complain(`${path}: ${error.message}`);
    }
  }

  private selected(path: string, top: boolean): boolean {
    const { options } = this.it;
    const name = top ? path : lastPart(path);
    const include = options.values('include');
    if (include.length > 0 && !include.some((glob) => globRegex(glob).test(lastPart(path)))) return false;
    return !options
      .values('exclude')
      .some((glob) => globRegex(glob).test(name) || globRegex(glob).test(lastPart(path)));
  }

  private spans(line: string): Span[] {
    const all: Span[] = [];
    for (const pattern of this.patterns) {
      pattern.lastIndex = 0; // matchAll goes on from where test() stopped.
      for (const match of line.matchAll(pattern))
        all.push({ from: match.index, to: match.index + match[0].length });
    }
    if (this.patterns.length === 1) return all;
    all.sort((a, b) => a.from - b.from || b.to - a.to);
    const out: Span[] = [];
    for (const span of all) if (out.length === 0 || span.from >= out.at(-1)!.to) out.push(span);
    return out;
  }

  private matches(line: string): boolean {
    for (const pattern of this.patterns) {
      pattern.lastIndex = 0;
      if (pattern.test(line)) return !this.it.options.has('v');
    }
    return this.it.options.has('v');
  }

  private async searchFile(file: OpenFile, name: string): Promise<void> {
    const { it } = this;
    const { options } = it;
    const separator = options.has('z') ? '\0' : '\n';
    const reader = new LineReader(file, separator);
    const max = Number(options.value('m') ?? Infinity);
    const quiet = options.has('q', 'l', 'L', 'c');
    const held: { text: string; number: number; offset: number }[] = [];
    let number = 0;
    let offset = 0;
    let count = 0;
    let afterLeft = 0;
    let lastShown = 0;
    const asText = options.has('a') || options.value('binary-files') === 'text';
    const skipBinary = options.has('I') || options.value('binary-files') === 'without-match';
    const counting = options.has('b');
    let binary = false;
    const contextual = this.before > 0 || this.after > 0 || options.has('A', 'B', 'C');
    while (count < max || afterLeft > 0) {
      if (!reader.ready) await it.out.flush();
      const line = await reader.next();
      if (line === undefined) break;
      number++;
      if (number === 1 && !asText) {
        binary = separator === '\n' && (BINARY.test(line.text) || BINARY.test(reader.buffered));
        if (binary && skipBinary) break;
      }
      const start = offset;
      if (counting) offset += textToBytes(line.text).length + 1;
      if (count < max && this.matches(line.text)) {
        count++;
        this.found = true;
        if (options.has('q')) return;
        if (options.has('l', 'L')) break;
        if (quiet) continue;
        if (!asText && separator === '\n' && (binary || BINARY.test(line.text))) {
          await it.complain(`${name}: binary file matches`);
          break;
        }
        if (contextual && lastShown > 0 && number - held.length > lastShown + 1) await this.divider();
        else if (contextual && lastShown === 0 && this.wroteGroup) await this.divider();
        for (const one of held) await this.show(name, one.text, one.number, one.offset, '-', separator);
        held.length = 0;
        await this.show(name, line.text, number, start, ':', separator);
        this.wroteGroup = true;
        lastShown = number;
        afterLeft = this.after;
      } else if (afterLeft > 0) {
        afterLeft--;
        if (!quiet) await this.show(name, line.text, number, start, '-', separator);
        lastShown = number;
      } else if (this.before > 0) {
        held.push({ text: line.text, number, offset: start });
        if (held.length > this.before) held.shift();
      }
    }
    if (options.has('c') && !options.has('l', 'L'))
      await it.out.line(`${this.named ? this.paint(name, '35') + this.paint(':', '36') : ''}${count}`);
    if (options.has('l') && count > 0)
      await it.out.put(this.paint(name, '35') + (options.has('Z') ? '\0' : '\n'));
    if (options.has('L') && count === 0) {
      this.found = true;
      await it.out.line(this.paint(name, '35'));
    }
    await it.out.flush();
  }

  private async divider(): Promise<void> {
    const { options } = this.it;
    if (options.has('no-group-separator')) return;
    await this.it.out.line(this.paint(options.value('group-separator') ?? '--', '36'));
  }

  private paint(text: string, code: string): string {
    return this.color ? `\u001b[${code}m\u001b[K${text}\u001b[m\u001b[K` : text;
  }

  private async show(
    name: string,
    text: string,
    number: number,
    offset: number,
    mark: string,
    end: string,
  ): Promise<void> {
    const { options } = this.it;
    const prefix = (at: number): string => {
      let s = '';
      if (this.named) s += this.paint(name, '35') + (options.has('Z') ? '\0' : this.paint(mark, '36'));
      if (options.has('n')) s += this.paint(String(number), '32') + this.paint(mark, '36');
      if (options.has('b')) s += this.paint(String(at), '32') + this.paint(mark, '36');
      return s + (options.has('T') ? '\t' : '');
    };
    if (options.has('o')) {
      if (mark === '-' || options.has('v')) return;
      for (const span of this.spans(text)) {
        if (span.to === span.from) continue;
        await this.it.out.put(
          prefix(offset + textToBytes(text.slice(0, span.from)).length) +
            this.paint(text.slice(span.from, span.to), '01;31') +
            end,
        );
      }
      return;
    }
    let shown = text;
    if (this.color && mark === ':' && !options.has('v')) {
      shown = '';
      let at = 0;
      for (const span of this.spans(text)) {
        if (span.to === span.from) continue;
        shown += text.slice(at, span.from) + this.paint(text.slice(span.from, span.to), '01;31');
        at = span.to;
      }
      shown += text.slice(at);
    }
    await this.it.out.put(prefix(offset) + shown + end);
  }
}
