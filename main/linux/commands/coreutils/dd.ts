// dd(1): copies blocks, converts, and says how much.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { quote, quoteAlways } from '../frame/quote.ts';

const CONVERSIONS = new Set(
  'ascii ebcdic ibm block unblock lcase ucase sparse swab sync excl nocreat notrunc noerror fdatasync fsync'.split(
    ' ',
  ),
);
const FLAGS = new Set(
  'append direct directory dsync sync fullblock nonblock noatime nocache noctty nofollow count_bytes skip_bytes seek_bytes'.split(
    ' ',
  ),
);

interface Job {
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly count: number;
  readonly countIsBytes: boolean;
  readonly skipBytes: number;
  readonly seekBytes: number;
  readonly conversions: ReadonlySet<string>;
  readonly fullBlocks: boolean;
  readonly append: boolean;
  readonly status: string;
  /** bs= was given: what is read is written as it comes. */
  readonly direct: boolean;
}

/** dd(1) */
export const dd: Program = command(
  {
    usage: '[OPERAND]...\n  or:  dd OPTION',
    summary: 'Copy a file, converting and formatting according to the operands.',
    version: '(coreutils) 9.1',
  },
  async (it) => {
    const job = parse(it.operands);
    const startMs = it.proc.clock.now();
    const input = opened(
      () => (job.input === undefined ? it.proc.stdin : it.proc.fs.open(job.input)),
      job.input,
    );
    const output = opened(
      () =>
        job.output === undefined
          ? it.proc.stdout
          : it.proc.fs.open(job.output, {
              write: true,
              create: !job.conversions.has('nocreat'),
              exclusive: job.conversions.has('excl'),
              append: job.append,
              truncate: !job.conversions.has('notrunc') && job.seekBytes === 0,
            }),
      job.output,
    );
    if (job.output !== undefined && job.seekBytes > 0) {
      if (!job.conversions.has('notrunc')) output.truncate(job.seekBytes);
      output.seek(job.seekBytes, 'set');
    }
    const copy = new Copy(it, job, input, output);
    let exitCode = 0;
    try {
      await copy.skip();
      await copy.run();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      if (error.code === 'EPIPE') throw error;
      await it.complain(
        error.code === 'EISDIR'
          ? `error reading ${quoteAlways(job.input ?? 'standard input')}: ${error.message}`
          : `error writing ${quoteAlways(job.output ?? 'standard output')}: ${error.message}`,
      );
      exitCode = 1;
    }
    await it.out.flush();
    if (job.status !== 'none') await it.proc.stderr.write(copy.report(it.proc.clock.now() - startMs));
    return exitCode;
  },
);

function opened(open: () => OpenFile, path: string | undefined): OpenFile {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`failed to open ${quoteAlways(path ?? '')}: ${error.message}`);
  }
}

const UNITS = 'KMGTPEZY';

/** `512`, `1k`, `4MB`, `2x8`. Throws Failure. */
function sizeOf(text: string): number {
  let product = 1;
  for (const factor of text.split('x')) {
    const found = /^(\d+)(?:(c|w|b)|([kKMGTPEZY])(iB|B)?|(B))?$/.exec(factor);
    if (found === null) throw new Failure(`invalid number: ${quote(text)}`);
    const [, digits = '0', small, unit, suffix] = found;
    const scale =
      small !== undefined
        ? { c: 1, w: 2, b: 512 }[small]!
        : unit !== undefined
          ? (suffix === 'B' ? 1000 : 1024) ** (UNITS.indexOf(unit.toUpperCase()) + 1)
          : 1;
    product *= Number(digits) * scale;
  }
  return product;
}

function parse(operands: readonly string[]): Job {
  const given = new Map<string, string>();
  const conversions = new Set<string>();
  const flags = new Set<string>();
  for (const operand of operands) {
    const equals = operand.indexOf('=');
    const [name, value] = [operand.slice(0, equals), operand.slice(equals + 1)];
    if (equals < 0 || !/^(?:[io]f|[io]?bs|cbs|count|skip|seek|iseek|oseek|conv|status|[io]flag)$/.test(name))
      throw new UsageError(`unrecognized operand ${quote(operand)}`);
    if (name === 'conv')
      for (const word of value.split(',')) {
        if (!CONVERSIONS.has(word)) throw new UsageError(`invalid conversion: ${quote(word)}`);
        conversions.add(word);
      }
    else if (name.endsWith('flag'))
      for (const word of value.split(',')) {
        if (!FLAGS.has(word))
          throw new UsageError(`invalid ${name === 'iflag' ? 'input' : 'output'} flag: ${quote(word)}`);
        flags.add(name[0] + word);
      }
    else if (name === 'status') {
      if (!['none', 'noxfer', 'progress'].includes(value))
        throw new UsageError(`invalid status level: ${quote(value)}`);
      given.set(name, value);
    } else given.set(name === 'iseek' ? 'skip' : name === 'oseek' ? 'seek' : name, value);
  }
  const size = (name: string): number | undefined => {
    const text = given.get(name);
    if (text === undefined) return undefined;
    const value = sizeOf(text);
    if (value === 0 && name.endsWith('bs')) throw new Failure(`invalid number: ${quote(text)}`);
    return value;
  };
  const both = size('bs');
  const readBytes = both ?? size('ibs') ?? 512;
  const writeBytes = both ?? size('obs') ?? 512;
  const bytes = (name: string): boolean =>
    (given.get(name) ?? '').endsWith('B') && !/[kKMGTPEZY]i?B$/.test(given.get(name)!);
  return {
    input: given.get('if'),
    output: given.get('of'),
    readBytes,
    writeBytes,
    count: size('count') ?? Infinity,
    countIsBytes: flags.has('icount_bytes') || bytes('count'),
    skipBytes: (size('skip') ?? 0) * (flags.has('iskip_bytes') || bytes('skip') ? 1 : readBytes),
    seekBytes: (size('seek') ?? 0) * (flags.has('oseek_bytes') || bytes('seek') ? 1 : writeBytes),
    conversions,
    fullBlocks: flags.has('ifullblock'),
    append: flags.has('oappend'),
    status: given.get('status') ?? '',
    direct:
      both !== undefined &&
      ![...conversions].some((one) => ['block', 'unblock', 'swab', 'lcase', 'ucase'].includes(one)),
  };
}

class Copy {
  private readonly it: Invocation;
  private readonly job: Job;
  private readonly input: OpenFile;
  private readonly output: OpenFile;
  private readonly read = { whole: 0, part: 0 };
  private readonly written = { whole: 0, part: 0, bytes: 0 };
  private pending: Uint8Array = new Uint8Array(0);

  constructor(it: Invocation, job: Job, input: OpenFile, output: OpenFile) {
    this.it = it;
    this.job = job;
    this.input = input;
    this.output = output;
  }

  async skip(): Promise<void> {
    let left = this.job.skipBytes;
    while (left > 0) {
      const chunk = await this.input.read(Math.min(left, 65_536));
      if (chunk.length === 0) return;
      left -= chunk.length;
    }
  }

  async run(): Promise<void> {
    const { job } = this;
    let left = job.count;
    while (left > 0) {
      const block = await this.block(job.countIsBytes ? Math.min(left, job.readBytes) : job.readBytes);
      if (block.length === 0) break;
      if (block.length === job.readBytes) this.read.whole++;
      else this.read.part++;
      left -= job.countIsBytes ? block.length : 1;
      await this.put(this.converted(block));
    }
    if (this.pending.length > 0) await this.write(this.pending);
  }

  private async block(size: number): Promise<Uint8Array> {
    const first = await this.input.read(size);
    if (!this.job.fullBlocks || first.length === 0) return first;
    const chunks = [first];
    let length = first.length;
    while (length < size) {
      const chunk = await this.input.read(size - length);
      if (chunk.length === 0) break;
      chunks.push(chunk);
      length += chunk.length;
    }
    return Buffer.concat(chunks);
  }

  private converted(block: Uint8Array): Uint8Array {
    const { conversions, readBytes } = this.job;
    let out = block;
    if (conversions.has('sync') && out.length < readBytes) {
      const filled = new Uint8Array(readBytes).fill(
        conversions.has('block') || conversions.has('unblock') ? 32 : 0,
      );
      filled.set(out);
      out = filled;
    }
    if (conversions.has('ucase')) out = out.map((byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte));
    if (conversions.has('lcase')) out = out.map((byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));
    if (conversions.has('swab')) {
      out = out.slice();
      for (let i = 0; i + 1 < out.length; i += 2) [out[i], out[i + 1]] = [out[i + 1]!, out[i]!];
    }
    return out;
  }

  private async put(data: Uint8Array): Promise<void> {
    if (this.job.direct) return this.write(data);
    const { writeBytes } = this.job;
    let rest = this.pending.length === 0 ? data : Buffer.concat([this.pending, data]);
    while (rest.length >= writeBytes) {
      await this.write(rest.subarray(0, writeBytes));
      rest = rest.subarray(writeBytes);
    }
    this.pending = rest.slice();
    return undefined;
  }

  private async write(data: Uint8Array): Promise<void> {
    await this.it.proc.cpu(0.003 + data.length / 2_000_000);
    await this.output.write(data.slice());
    if (data.length === this.job.writeBytes) this.written.whole++;
    else this.written.part++;
    this.written.bytes += data.length;
  }

  report(elapsedMs: number): string {
    const records = `${this.read.whole}+${this.read.part} records in\n${this.written.whole}+${this.written.part} records out\n`;
    if (this.job.status === 'noxfer') return records;
    const { bytes } = this.written;
    const seconds = Math.max(elapsedMs, 0.01) / 1000;
    const decimal = human(bytes, 1000, 'B', ['', 'k', 'M', 'G', 'T', 'P']);
    const binary = human(bytes, 1024, 'iB', ['', 'K', 'M', 'G', 'T', 'P']);
    const sizes = bytes < 1000 ? '' : bytes < 1024 ? ` (${decimal})` : ` (${decimal}, ${binary})`;
    const rate = bytes === 0 ? '0.0 kB' : human(bytes / seconds, 1000, 'B', ['', 'k', 'M', 'G', 'T', 'P']);
    return `${records}${bytes} byte${bytes === 1 ? '' : 's'}${sizes} copied, ${general(seconds)} s, ${rate}/s\n`;
  }
}

/** %g with six digits. */
function general(value: number): string {
  const text = value.toPrecision(6);
  if (/e/.test(text) || value < 1e-4) {
    const [mantissa = '', exponent = ''] = value.toExponential(5).split('e');
    return `${mantissa.replace(/\.?0+$/, '')}e${exponent.replace(/^([-+])(\d)$/, '$10$2')}`;
  }
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function human(value: number, base: number, suffix: string, units: readonly string[]): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= base && unit < units.length - 1) {
    scaled /= base;
    unit++;
  }
  const shown =
    unit === 0 ? String(Math.round(scaled)) : scaled < 9.95 ? scaled.toFixed(1) : String(Math.round(scaled));
  return `${shown} ${unit === 0 ? 'B' : `${units[unit]}${suffix}`}`;
}
