// split(1): a file cut into pieces of lines, bytes, or so many parts.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { parseSize } from '../frame/format.ts';
import { readAll } from '../frame/input.ts';
import { quote, quoteAlways } from '../frame/quote.ts';

/** split(1) */
export const split: Program = command(
  {
    short: 'a:b:C:del:n:t:ux',
    long: [
      'suffix-length:>a',
      'bytes:>b',
      'line-bytes:>C',
      'numeric-suffixes::>numeric',
      'hex-suffixes::>hex',
      'elide-empty-files>e',
      'filter:',
      'lines:>l',
      'number:>n',
      'separator:>t',
      'unbuffered>u',
      'additional-suffix:',
      'verbose',
    ],
    usage: '[OPTION]... [FILE [PREFIX]]',
    summary:
      'Output pieces of FILE to PREFIXaa, PREFIXab, ...;\ndefault size is 1000 lines, and default PREFIX is ‘x’.',
    version: '(GNU coreutils) 9.1',
    prepare: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-l${arg.slice(1)}` : arg)),
  },
  async (it) => {
    const [path = '-', prefix = 'x', extra] = it.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    const kinds = ['b', 'C', 'l', 'n'].filter((letter) => it.options.has(letter));
    if (kinds.length > 1) throw new UsageError('cannot split in more than one way');
    const cutter = new Cutter(it);
    let data: Buffer;
    try {
      data = Buffer.from(await readAll(it.open(path)));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        error.code === 'EISDIR'
          ? `${path}: read error: ${error.message}`
          : `cannot open ${quoteAlways(path)} for reading: ${error.message}`,
      );
    }
    const only = cutter.only;
    const pieces = cutter.pieces(data);
    if (only !== undefined) {
      await it.out.put(pieces[only - 1] ?? Buffer.alloc(0));
      return;
    }
    const names = new Names(it, prefix);
    for (const piece of pieces) {
      if (piece.length === 0 && it.options.has('e')) continue;
      await write(it, names.next(), piece);
    }
  },
);

async function write(it: Invocation, name: string, piece: Buffer): Promise<void> {
  const { proc } = it;
  const filter = it.options.value('filter');
  if (it.options.has('verbose'))
    await it.out.line(
      filter === undefined
        ? `creating file ${quoteAlways(name)}`
        : `executing with FILE=${quoteAlways(name)}`,
    );
  if (filter === undefined) {
    proc.fs.writeFile(name, piece);
    return;
  }
  await it.out.flush();
  const { reader, writer } = proc.kernel.pipe();
  const fd = proc.setFd(writer, undefined, 20);
  const child = proc.spawn({
    argv: ['sh', '-c', filter],
    path: '/bin/sh',
    env: new Map([...proc.env, ['FILE', name]]),
    fds: new Map([
      [0, reader],
      [1, proc.stdout],
      [2, proc.stderr],
    ]),
  });
  try {
    await writer.write(piece);
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code !== 'EPIPE') throw error;
  } finally {
    proc.closeFd(fd);
  }
  const end = await child.wait();
  if (end.kind === 'exited' && end.exitCode !== 0)
    throw new Failure(`with FILE=${name}, exit ${end.exitCode} from command: ${filter}`, end.exitCode);
}

/** The names of the pieces: letters, digits or hexadecimal digits, growing when they run out. */
class Names {
  private readonly it: Invocation;
  private readonly prefix: string;
  private readonly digits: string;
  private readonly fixed: number | undefined;
  private width: number;
  private index: number;
  private lead = '';

  constructor(it: Invocation, prefix: string) {
    this.it = it;
    this.prefix = prefix;
    const { options } = it;
    const kind = options.last('d', 'x', 'numeric', 'hex');
    this.digits =
      kind === 'd' || kind === 'numeric'
        ? '0123456789'
        : kind === undefined
          ? 'abcdefghijklmnopqrstuvwxyz'
          : '0123456789abcdef';
    const start = kind === 'numeric' || kind === 'hex' ? options.value(kind) : undefined;
    this.index = start === undefined ? 0 : Number.parseInt(start, kind === 'hex' ? 16 : 10);
    const given = options.value('a');
    if (given !== undefined && !/^\d+$/.test(given))
      throw new Failure(`invalid suffix length: ${quote(given)}`);
    this.fixed = given === undefined || given === '0' ? undefined : Number(given);
    this.width = this.fixed ?? 2;
  }

  next(): string {
    const base = this.digits.length;
    const most = base ** this.width;
    if (this.fixed === undefined && this.index >= most - base ** (this.width - 1)) {
      // The last leading digit is kept to say that names grow by two.
      this.lead += this.digits.at(-1)!;
      this.width++;
      this.index = 0;
    } else if (this.index >= most) throw new Failure('output file suffixes exhausted');
    let text = '';
    for (let n = this.index++, k = 0; k < this.width; k++, n = Math.floor(n / base))
      text = this.digits[n % base]! + text;
    return this.prefix + this.lead + text + (this.it.options.value('additional-suffix') ?? '');
  }
}

class Cutter {
  private readonly it: Invocation;
  private readonly separator: number;
  /** `-n K/N`: only this part, on stdout. */
  readonly only: number | undefined;
  private readonly parts: { readonly kind: 'bytes' | 'lines' | 'round'; readonly count: number } | undefined;

  constructor(it: Invocation) {
    this.it = it;
    const separator = it.options.value('t') ?? '\n';
    if (separator !== '\\0' && [...separator].length > 1)
      throw new Failure(`multi-character separator ${quote(separator)}`);
    this.separator = separator === '\\0' ? 0 : separator.charCodeAt(0);
    const text = it.options.value('n');
    if (text === undefined) return;
    const found = /^(?:([lr])\/)?(?:(\d+)\/)?(\d+)$/.exec(text);
    if (found === null || Number(found[3]) === 0)
      throw new Failure(`invalid number of chunks: ${quote(found?.[3] ?? text.replace(/^[lr]\//, ''))}`);
    this.parts = {
      kind: found[1] === 'l' ? 'lines' : found[1] === 'r' ? 'round' : 'bytes',
      count: Number(found[3]),
    };
    if (found[2] !== undefined) this.only = Number(found[2]);
  }

  private amount(letter: string, what: string): number {
    const text = this.it.options.value(letter)!;
    const size = letter === 'l' ? (/^\d+$/.test(text) ? Number(text) : undefined) : parseSize(text);
    if (size === undefined) throw new Failure(`invalid number of ${what}: ${quote(text)}`);
    if (size === 0)
      throw new Failure(`invalid number of ${what}: ${quote(text)}: Numerical result out of range`);
    return size;
  }

  pieces(data: Buffer): Buffer[] {
    const { options } = this.it;
    if (this.parts !== undefined) return this.inParts(data, this.parts);
    if (options.has('b')) {
      const size = this.amount('b', 'bytes');
      return Array.from({ length: Math.ceil(data.length / size) }, (_, i) =>
        data.subarray(i * size, (i + 1) * size),
      );
    }
    if (options.has('C')) return this.byLineBytes(data, this.amount('C', 'bytes'));
    const count = options.has('l') ? this.amount('l', 'lines') : 1000;
    const lines = this.lines(data);
    return Array.from({ length: Math.ceil(lines.length / count) }, (_, i) =>
      Buffer.concat(lines.slice(i * count, (i + 1) * count)),
    );
  }

  private lines(data: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    for (let at = 0; at < data.length;) {
      const newline = data.indexOf(this.separator, at);
      const end = newline < 0 ? data.length : newline + 1;
      lines.push(data.subarray(at, end));
      at = end;
    }
    return lines;
  }

  private byLineBytes(data: Buffer, size: number): Buffer[] {
    const pieces: Buffer[] = [];
    let current: Buffer[] = [];
    let length = 0;
    const finish = (): void => {
      if (length > 0) pieces.push(Buffer.concat(current));
      [current, length] = [[], 0];
    };
    for (let line of this.lines(data)) {
      if (length + line.length > size) finish();
      for (; line.length > size; line = line.subarray(size)) pieces.push(line.subarray(0, size));
      current.push(line);
      length += line.length;
    }
    finish();
    return pieces;
  }

  private inParts(data: Buffer, parts: { readonly kind: string; readonly count: number }): Buffer[] {
    const { kind, count } = parts;
    if (kind === 'round') {
      const rows: Buffer[][] = Array.from({ length: count }, () => []);
      this.lines(data).forEach((line, index) => rows[index % count]!.push(line));
      return rows.map((row) => Buffer.concat(row));
    }
    const size = Math.floor(data.length / count);
    // Where each part ends by bytes: coreutils 9.1 gives what is left over to the last.
    const ends = Array.from({ length: count }, (_, i) => (i === count - 1 ? data.length : (i + 1) * size));
    if (kind === 'bytes') return ends.map((end, i) => data.subarray(i === 0 ? 0 : ends[i - 1]!, end));
    const rows: Buffer[][] = Array.from({ length: count }, () => []);
    let at = 0;
    for (const line of this.lines(data)) {
      const part = ends.findIndex((end) => at < end);
      rows[part < 0 ? count - 1 : part]!.push(line);
      at += line.length;
    }
    return rows.map((row) => Buffer.concat(row));
  }
}
