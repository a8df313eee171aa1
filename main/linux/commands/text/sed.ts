// sed(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { bytesToText, textToBytes } from '../../shell/index.ts';
import { capture } from '../frame/child.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { LineReader, type Line } from '../frame/input.ts';
import { parseSed, type ReplacementPart, type SedAddress, type SedCommand } from './sed-script.ts';

const USAGE = `Usage: {name} [OPTION]... {script-only-if-no-other-script} [input-file]...

  -n, --quiet, --silent
                 suppress automatic printing of pattern space
      --debug
                 annotate program execution
  -e script, --expression=script
                 add the script to the commands to be executed
  -f script-file, --file=script-file
                 add the contents of script-file to the commands to be executed
  --follow-symlinks
                 follow symlinks when processing in place
  -i[SUFFIX], --in-place[=SUFFIX]
                 edit files in place (makes backup if SUFFIX supplied)
  -l N, --line-length=N
                 specify the desired line-wrap length for the \`l' command
  --posix
                 disable all GNU extensions.
  -E, -r, --regexp-extended
                 use extended regular expressions in the script
                 (for portability use POSIX -E).
  -s, --separate
                 consider files as separate rather than as a single,
                 continuous long stream.
      --sandbox
                 operate in sandbox mode (disable e/r/w commands).
  -u, --unbuffered
                 load minimal amounts of data from the input files and flush
                 the output buffers more often
  -z, --null-data
                 separate lines by NUL characters
      --help     display this help and exit
      --version  output version information and exit

If no -e, --expression, -f, or --file option is given, then the first
non-option argument is taken as the sed script to interpret.  All
remaining arguments are names of input files; if no input files are
specified, then the standard input is read.

GNU sed home page: <https://www.gnu.org/software/sed/>.
General help using GNU software: <https://www.gnu.org/gethelp/>.
`;

/** sed(1) */
export const sed: Program = command(
  {
    short: 'bsnrzuEe:f:l:i::V:',
    long: [
      'binary>b',
      'regexp-extended>E',
      'debug',
      'in-place::>i',
      'expression:>e',
      'file:>f',
      'line-length:>l',
      'null-data>z',
      'zero-terminated>z',
      'quiet>n',
      'posix',
      'silent>n',
      'sandbox',
      'separate>s',
      'unbuffered>u',
      'follow-symlinks',
    ],
    help: USAGE,
    version: '(GNU sed) 4.9',
    hint: (name) => USAGE.replace('{name}', name),
  },
  async (it) => {
    const operands = [...it.operands];
    const sources: { text: string; origin: string }[] = [];
    let number = 0;
    for (const option of it.options.list) {
      if (option.name === 'e') sources.push({ text: option.value!, origin: `-e expression #${++number}` });
      else if (option.name === 'f')
        sources.push({ text: readScript(it, option.value!), origin: `file ${option.value}` });
    }
    if (sources.length === 0) {
      const script = operands.shift();
      if (script === undefined) {
        await it.proc.stderr.write(USAGE.replace('{name}', it.name));
        return 1;
      }
      sources.push({ text: script, origin: '-e expression #1' });
    }
    const commands = parseSed(sources, {
      extended: it.options.has('E', 'r'),
      nulls: it.options.has('z'),
      sandbox: it.options.has('sandbox'),
    });
    if (it.options.has('i') && operands.length === 0) throw new Failure('no input files', 4);
    const quiet = it.options.has('n') || /^#n(?:\n|$)/.test(sources[0]!.text);
    const run = new Run(it, commands, quiet, operands.length > 0 ? operands : ['-']);
    return run.execute();
  },
);

function readScript(it: Invocation, path: string): string {
  try {
    return it.proc.fs.readText(path).replace(/\n$/, '');
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`couldn't open file ${path}: ${error.message}`);
  }
}

/** Feeds lines from files in turn, and knows which line is the last. */
class Feed {
  private readonly it: Invocation;
  private readonly separate: boolean;
  private readonly separator: string;
  private readonly opened: (path: string) => void;
  private paths: string[];
  private reader: LineReader | undefined;
  private ahead: Line | undefined;
  private primed = false;
  path = '-';

  constructor(
    it: Invocation,
    paths: readonly string[],
    separate: boolean,
    separator: string,
    opened: (path: string) => void,
  ) {
    this.it = it;
    this.paths = [...paths];
    this.separate = separate;
    this.separator = separator;
    this.opened = opened;
  }

  private async fetch(): Promise<Line | undefined> {
    for (;;) {
      if (this.reader !== undefined) {
        if (!this.reader.ready) await this.it.out.flush();
        const line = await this.reader.next();
        if (line !== undefined) return line;
        this.reader = undefined;
        if (this.separate) return undefined;
      }
      if (!(await this.advance())) return undefined;
    }
  }

  /** Goes on to the next file that can be read. */
  async advance(): Promise<boolean> {
    for (;;) {
      const path = this.paths.shift();
      if (path === undefined) return false;
      try {
        const file = this.it.open(path);
        if (file.kind === 'directory' || file.stat().type === 'directory') {
          if (!this.it.options.has('i')) throw new Failure(`read error on ${path}: Is a directory`, 4);
          await this.it.complain(`couldn't edit ${path}: not a regular file`);
          this.it.exitCode = 4;
          continue;
        }
        this.reader = new LineReader(file, this.separator);
        this.path = path;
        this.opened(path);
        return true;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await this.it.complain(`can't read ${path}: ${error.message}`);
        this.it.exitCode = 2;
      }
    }
  }

  async next(): Promise<Line | undefined> {
    if (!this.primed) return this.fetch();
    this.primed = false;
    const line = this.ahead;
    this.ahead = undefined;
    return line;
  }

  /** Looks ahead, which may wait for input. */
  async isLast(): Promise<boolean> {
    if (!this.primed) {
      this.ahead = await this.fetch();
      this.primed = true;
    }
    return this.ahead === undefined;
  }
}

class Run {
  private readonly it: Invocation;
  private readonly commands: SedCommand[];
  private readonly quiet: boolean;
  private readonly paths: readonly string[];
  private readonly inPlace: boolean;
  private readonly end: string;
  private pattern = '';
  private hold = '';
  private line = 0;
  private ended = true;
  /** The last line printed lacks its newline. */
  private owed = false;
  private replaced = false;
  private lastRegex: RegExp | undefined;
  private appended: string[] = [];
  private collected: string[] = [];
  private readonly written = new Map<string, string[]>();
  private readonly readers = new Map<string, string[]>();

  constructor(it: Invocation, commands: SedCommand[], quiet: boolean, paths: readonly string[]) {
    this.it = it;
    this.commands = commands;
    this.quiet = quiet;
    this.paths = paths;
    this.inPlace = it.options.has('i');
    this.end = it.options.has('z') ? '\0' : '\n';
  }

  async execute(): Promise<number> {
    for (const one of this.commands) {
      const file = one.name === 'w' ? one.text : one.substitute?.file;
      if (file !== undefined && !file.startsWith('/dev/std')) {
        this.it.proc.fs.writeFile(file, '');
        this.written.set(file, []);
      }
    }
    if (!this.inPlace) {
      const feed = new Feed(this.it, this.paths, this.it.options.has('s'), this.end, () => undefined);
      if (this.it.options.has('s'))
        while (await feed.advance()) {
          this.reset();
          const status = await this.process(feed);
          if (status !== undefined) return status;
        }
      return (await this.process(feed)) ?? this.it.exitCode;
    }
    for (const path of this.paths) {
      let found = false;
      const feed = new Feed(this.it, [path], true, this.end, () => (found = true));
      if (!(await feed.advance()) || !found) continue;
      const status = await this.process(feed);
      const { fs } = this.it.proc;
      const suffix = this.it.options.value('i');
      if (suffix !== undefined)
        fs.writeFile(suffix.includes('*') ? suffix.replaceAll('*', path) : path + suffix, fs.readFile(path));
      fs.writeFile(path, textToBytes(this.collected.join('')));
      this.collected = [];
      this.reset();
      if (status !== undefined) return status;
    }
    return this.it.exitCode;
  }

  /** With -s and -i each file begins anew. */
  private reset(): void {
    this.line = 0;
    this.hold = '';
    this.owed = false;
    this.readers.clear();
    for (const one of this.commands) one.active = false;
  }

  /** Prints a line that may lack its newline, which is made up for when more follows. */
  private async putLine(text: string, ended: boolean): Promise<void> {
    await this.put(text + (ended ? this.end : ''));
    this.owed = !ended;
  }

  private async put(chunk: string): Promise<void> {
    if (chunk === '') return;
    const text = this.owed ? this.end + chunk : chunk;
    this.owed = false;
    if (this.inPlace) this.collected.push(text);
    else await this.it.out.put(text);
  }

  private async process(feed: Feed): Promise<number | undefined> {
    let restart = false;
    for (const one of this.commands)
      if (
        one.name === 'r' &&
        one.from?.kind === 'line' &&
        one.from.line === 0 &&
        this.it.proc.fs.exists(one.text)
      )
        await this.put(bytesToText(this.it.proc.fs.readFile(one.text)));
    for (;;) {
      if (!restart) {
        const line = await feed.next();
        if (line === undefined) return undefined;
        this.take(line);
      }
      restart = false;
      const verdict = await this.cycle(feed);
      if (verdict.kind === 'restart') {
        await this.finishAppended();
        restart = true;
        continue;
      }
      if (verdict.kind !== 'delete' && !(verdict.kind === 'quit' && verdict.silent) && !this.quiet)
        await this.putLine(this.pattern, this.ended);
      await this.finishAppended();
      if (this.it.options.has('u')) await this.it.out.flush();
      const paused = this.it.proc.cpu(0.001);
      if (paused !== undefined) await paused;
      if (verdict.kind === 'quit') {
        if (this.inPlace)
          for (let rest = await feed.next(); rest !== undefined; rest = await feed.next())
            await this.putLine(rest.text, rest.ended);
        return verdict.code;
      }
    }
  }

  private take(line: Line): void {
    this.pattern = line.text;
    this.ended = line.ended;
    this.line++;
    this.replaced = false;
  }

  private async finishAppended(): Promise<void> {
    const texts = this.appended;
    this.appended = [];
    for (const text of texts) await this.put(text);
  }

  private async matches(address: SedAddress, feed: Feed): Promise<boolean> {
    switch (address.kind) {
      case 'line':
        return this.line === address.line;
      case 'last':
        return feed.isLast();
      case 'step':
        return address.step <= 0
          ? this.line === address.first
          : this.line >= address.first && (this.line - address.first) % address.step === 0;
      case 'regex': {
        const regex = this.regexOr(address.regex);
        regex.lastIndex = 0;
        return regex.test(this.pattern);
      }
      default:
        return false;
    }
  }

  private regexOr(regex: RegExp | undefined): RegExp {
    const found = regex ?? this.lastRegex;
    if (found === undefined) throw new Failure('-e expression #1, char 0: no previous regular expression');
    this.lastRegex = found;
    return found;
  }

  private async selects(one: SedCommand, feed: Feed): Promise<boolean> {
    const { from, to } = one;
    if (from === undefined) return true;
    if (to === undefined) return this.matches(from, feed);
    if (one.active) {
      if (to.kind === 'line' || to.kind === 'count' || to.kind === 'multiple') {
        if (this.line >= one.endLine) one.active = false;
        return this.line <= one.endLine || (to.kind === 'line' && (await this.matches(from, feed)));
      }
      if (await this.matches(to, feed)) one.active = false;
      return true;
    }
    const starts = from.kind === 'line' && from.line === 0 ? this.line === 1 : await this.matches(from, feed);
    if (!starts) return false;
    one.active = true;
    if (to.kind === 'line') {
      one.endLine = to.line;
      if (to.line <= this.line) one.active = false;
    } else if (to.kind === 'count') {
      one.endLine = this.line + to.count;
      if (to.count === 0) one.active = false;
    } else if (to.kind === 'multiple') {
      one.endLine = to.of <= 0 ? this.line : Math.ceil(this.line / to.of) * to.of;
      if (one.endLine <= this.line) one.active = false;
    } else if (to.kind === 'last') {
      if (await feed.isLast()) one.active = false;
    } else if (from.kind === 'line' && from.line === 0 && (await this.matches(to, feed))) one.active = false;
    return true;
  }

  private async cycle(
    feed: Feed,
  ): Promise<{ kind: 'end' | 'delete' | 'restart' } | { kind: 'quit'; code: number; silent: boolean }> {
    const { commands } = this;
    let steps = 0;
    for (let at = 0; at < commands.length; at++) {
      if (++steps % 1000 === 0) await this.it.proc.cpu(0.5);
      const one = commands[at]!;
      const selected = (await this.selects(one, feed)) !== one.inverted;
      if (one.name === '{') {
        if (!selected) at = one.target - 1;
        continue;
      }
      if (!selected) continue;
      switch (one.name) {
        case 's':
          await this.substitute(one);
          break;
        case 'p':
          await this.putLine(this.pattern, this.ended);
          break;
        case 'd':
          return { kind: 'delete' };
        case 'D': {
          const newline = this.pattern.indexOf('\n');
          if (newline < 0) return { kind: 'delete' };
          this.pattern = this.pattern.slice(newline + 1);
          return { kind: 'restart' };
        }
        case 'P':
          await this.put(this.pattern.split('\n', 1)[0]! + this.end);
          break;
        case 'n': {
          if (await feed.isLast()) {
            if (this.it.options.has('posix')) return { kind: 'delete' };
            return { kind: 'quit', code: this.it.exitCode, silent: false };
          }
          if (!this.quiet) await this.putLine(this.pattern, this.ended);
          await this.finishAppended();
          const { replaced } = this;
          this.take((await feed.next())!);
          this.replaced = replaced;
          break;
        }
        case 'N': {
          if (await feed.isLast()) return { kind: 'quit', code: this.it.exitCode, silent: false };
          await this.finishAppended();
          const { pattern, replaced } = this;
          this.take((await feed.next())!);
          this.pattern = `${pattern}\n${this.pattern}`;
          this.replaced = replaced;
          break;
        }
        case 'g':
          this.pattern = this.hold;
          break;
        case 'G':
          this.pattern += `\n${this.hold}`;
          break;
        case 'h':
          this.hold = this.pattern;
          break;
        case 'H':
          this.hold += `\n${this.pattern}`;
          break;
        case 'x':
          [this.pattern, this.hold] = [this.hold, this.pattern];
          break;
        case 'z':
          this.pattern = '';
          break;
        case '=':
          await this.put(`${this.line}\n`);
          break;
        case 'F':
          await this.put(`${feed.path}\n`);
          break;
        case 'a':
          this.appended.push(one.text);
          break;
        case 'i':
          await this.put(one.text);
          break;
        case 'c':
          if (one.to === undefined || !one.active || one.inverted) await this.put(one.text);
          return { kind: 'delete' };
        case 'y':
          this.pattern = [...this.pattern].map((c) => one.map!.get(c) ?? c).join('');
          break;
        case 'l':
          await this.put(`${unambiguous(this.pattern, this.wrapAt(one.text))}$\n`);
          break;
        case 'q':
          return { kind: 'quit', code: Number(one.text || 0), silent: false };
        case 'Q':
          return { kind: 'quit', code: Number(one.text || 0), silent: true };
        case 'b':
          at = one.target - 1;
          break;
        case 't':
          if (this.replaced) {
            this.replaced = false;
            at = one.target - 1;
          }
          break;
        case 'T':
          if (!this.replaced) at = one.target - 1;
          this.replaced = false;
          break;
        case 'r': {
          const path = one.text === '/dev/stdin' ? undefined : one.text;
          if (path === undefined) this.appended.push(await this.it.proc.stdin.readText());
          else if (this.it.proc.fs.exists(path))
            this.appended.push(bytesToText(this.it.proc.fs.readFile(path)));
          break;
        }
        case 'R': {
          if (!this.readers.has(one.text))
            this.readers.set(
              one.text,
              this.it.proc.fs.exists(one.text)
                ? bytesToText(this.it.proc.fs.readFile(one.text)).replace(/\n$/, '').split('\n')
                : [],
            );
          const next = this.readers.get(one.text)!.shift();
          if (next !== undefined) this.appended.push(`${next}\n`);
          break;
        }
        case 'w':
          await this.writeTo(one.text, this.pattern);
          break;
        case 'W':
          await this.writeTo(one.text, this.pattern.split('\n', 1)[0]!);
          break;
        case 'e': {
          const { output } = await capture(this.it.proc, {
            argv: ['sh', '-c', one.text === '' ? this.pattern : one.text],
          });
          if (one.text === '') this.pattern = output.replace(/\n$/, '');
          else await this.put(output);
          break;
        }
        default:
          break;
      }
    }
    return { kind: 'end' };
  }

  /** The line length of an `l` command; 0 doesn't wrap. */
  private wrapAt(text: string): number {
    if (text !== '') return Number(text);
    const length = Number(this.it.options.value('l') ?? 70);
    return length === 1 ? 0 : length;
  }

  private async writeTo(path: string, text: string): Promise<void> {
    if (path === '/dev/stdout') return this.put(text + this.end);
    if (path === '/dev/stderr') return this.it.proc.stderr.write(text + this.end);
    this.it.proc.fs.writeFile(path, textToBytes(text + this.end), { append: true });
  }

  private async substitute(one: SedCommand): Promise<void> {
    const s = one.substitute!;
    const regex = this.regexOr(s.regex);
    regex.lastIndex = 0;
    let out = '';
    let at = 0;
    let count = 0;
    let changed = false;
    for (const match of this.pattern.matchAll(regex)) {
      if (match[0] === '' && match.index === at && at > 0 && count > 0 && this.lastEnd === at) continue;
      count++;
      this.lastEnd = match.index + match[0].length;
      if (count < s.number) continue;
      out += this.pattern.slice(at, match.index) + expand(s.replacement, match);
      at = match.index + match[0].length;
      changed = true;
      if (!s.global) break;
    }
    if (!changed) return;
    this.pattern = out + this.pattern.slice(at);
    this.replaced = true;
    if (s.evaluate)
      this.pattern = (await capture(this.it.proc, { argv: ['sh', '-c', this.pattern] })).output.replace(
        /\n$/,
        '',
      );
    if (s.print) await this.putLine(this.pattern, this.ended);
    if (s.file !== undefined) await this.writeTo(s.file, this.pattern);
  }
  private lastEnd = -1;
}

function expand(parts: readonly ReplacementPart[], match: RegExpMatchArray): string {
  let out = '';
  let mode: 'U' | 'L' | 'E' = 'E';
  let once: 'u' | 'l' | undefined;
  for (const part of parts) {
    if ('fold' in part) {
      if (part.fold === 'u' || part.fold === 'l') once = part.fold;
      else mode = part.fold;
      continue;
    }
    let text = 'text' in part ? part.text : (match[part.group] ?? '');
    if (mode === 'U') text = text.toUpperCase();
    else if (mode === 'L') text = text.toLowerCase();
    if (once !== undefined && text !== '') {
      text = (once === 'u' ? text[0]!.toUpperCase() : text[0]!.toLowerCase()) + text.slice(1);
      once = undefined;
    }
    out += text;
  }
  return out;
}

/** The `l` command's form of a line, in rows of `length - 1` characters and a backslash. */
function unambiguous(text: string, length: number): string {
  const named: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    '\n': '\\n',
    '\t': '\\t',
    '\r': '\\r',
    '\u0007': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
  };
  let out = '';
  let width = 0;
  for (const byte of textToBytes(text)) {
    const c = String.fromCharCode(byte);
    const shown = named[c] ?? (c < ' ' || c > '~' ? `\\${byte.toString(8).padStart(3, '0')}` : c);
    if (length > 0 && width + shown.length > length - 1) {
      out += '\\\n';
      width = 0;
    }
    out += shown;
    width += shown.length;
  }
  return out;
}
