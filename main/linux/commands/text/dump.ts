// od(1), hexdump(1), xxd(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command, Failure, type Invocation } from '../frame/command.ts';
import { parseSize } from '../frame/format.ts';
import { readAll } from '../frame/input.ts';

async function gather(it: Invocation): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const path of it.inputs) {
    try {
      parts.push(await readAll(it.open(path)));
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      await it.warn(`${shownName(it, path)}: ${error.message}`);
    }
  }
  return Buffer.concat(parts);
}

const NAMED: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};
const NAMES = [
  'nul',
  'soh',
  'stx',
  'etx',
  'eot',
  'enq',
  'ack',
  'bel',
  'bs',
  'ht',
  'nl',
  'vt',
  'ff',
  'cr',
  'so',
  'si',
  'dle',
  'dc1',
  'dc2',
  'dc3',
  'dc4',
  'nak',
  'syn',
  'etb',
  'can',
  'em',
  'sub',
  'esc',
  'fs',
  'gs',
  'rs',
  'us',
  'sp',
];

interface OdFormat {
  readonly size: number;
  readonly width: number;
  readonly show: (bytes: Buffer) => string;
  readonly text: boolean;
}

function odFormat(text: string): OdFormat {
  const match = /^([acdouxf])([1248CSIL]?)(z?)$/.exec(text);
  if (match === null) throw new Failure(`invalid type string ‘${text}’`);
  const [, kind = '', sizeText = '', z] = match;
  if (kind === 'c')
    return {
      size: 1,
      width: 4,
      show: ([byte]) =>
        NAMED[byte!] ??
        (byte! >= 32 && byte! < 127 ? String.fromCharCode(byte!) : byte!.toString(8).padStart(3, '0')),
      text: false,
    };
  if (kind === 'a')
    return {
      size: 1,
      width: 4,
      show: ([byte]) =>
        NAMES[byte! & 0x7f] ?? ((byte! & 0x7f) === 127 ? 'del' : String.fromCharCode(byte! & 0x7f)),
      text: false,
    };
  const size = sizeText === '' ? 4 : ({ C: 1, S: 2, I: 4, L: 8 }[sizeText] ?? Number(sizeText));
  const whole = (bytes: Buffer): bigint =>
    [...bytes].toReversed().reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const digits = {
    x: [2, 4, 8, 16],
    o: [3, 6, 11, 22],
    u: [3, 5, 10, 20],
    d: [4, 6, 11, 20],
    f: [15, 15, 15, 24],
  }[kind as 'x' | 'o' | 'u' | 'd' | 'f'][Math.log2(size)]!;
  const show = (bytes: Buffer): string => {
    const value = whole(bytes);
    if (kind === 'x') return value.toString(16).padStart(digits, '0');
    if (kind === 'o') return value.toString(8).padStart(digits, '0');
    if (kind === 'u') return String(value);
    if (kind === 'd') return String(BigInt.asIntN(size * 8, value));
    return String(size === 8 ? bytes.readDoubleLE(0) : bytes.readFloatLE(0));
  };
  return { size, width: digits + 1, show, text: z === 'z' };
}

/** od(1) */
export const od: Program = command(
  {
    short: 'A:abcdfij:lN:osS:t:vw::x',
    long: [
      'address-radix:>A',
      'skip-bytes:>j',
      'read-bytes:>N',
      'format:>t',
      'output-duplicates>v',
      'width::>w',
      'endian:',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Write an unambiguous representation, octal bytes by default, of FILE to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options } = it;
    const short: Readonly<Record<string, string>> = {
      a: 'a',
      b: 'o1',
      c: 'c',
      d: 'u2',
      f: 'fL',
      i: 'dI',
      l: 'dL',
      o: 'o2',
      s: 'd2',
      x: 'x2',
    };
    const formats = options.list
      .flatMap((option) =>
        option.name === 't'
          ? (option.value!.match(/[acdouxf][1248CSIL]?z?/g) ?? [option.value!])
          : short[option.name] === undefined
            ? []
            : [short[option.name]!],
      )
      .map(odFormat);
    if (formats.length === 0) formats.push(odFormat('o2'));
    let data = await gather(it);
    const skip = parseSize(options.value('j') ?? '0') ?? 0;
    data = data.subarray(skip);
    if (options.has('N')) data = data.subarray(0, parseSize(options.value('N')!) ?? 0);
    const perLine = options.has('w') ? Number(options.value('w') ?? 32) : 16;
    const radix = options.value('A') ?? 'o';
    const address = (offset: number): string =>
      radix === 'n'
        ? ''
        : offset.toString(radix === 'x' ? 16 : radix === 'd' ? 10 : 8).padStart(radix === 'x' ? 6 : 7, '0');
    // Columns of several formats line up by the widest per byte.
    const perByte = Math.max(...formats.map((format) => format.width / format.size));
    let previous: Buffer | undefined;
    let starred = false;
    for (let at = 0; at < data.length; at += perLine) {
      const row = data.subarray(at, at + perLine);
      if (!options.has('v') && previous !== undefined && row.length === perLine && row.equals(previous)) {
        if (!starred) await it.out.line('*');
        starred = true;
        continue;
      }
      starred = false;
      previous = row;
      for (const [index, format] of formats.entries()) {
        let line = index === 0 ? address(skip + at) : ' '.repeat(address(0).length);
        for (let k = 0; k < row.length; k += format.size) {
          const bytes = Buffer.alloc(format.size);
          row.copy(bytes, 0, k, k + format.size);
          line += format.show(bytes).padStart(Math.ceil(perByte * format.size));
        }
        if (format.text)
          line += `${' '.repeat(Math.max(0, Math.ceil((perLine - row.length) / format.size) * Math.ceil(perByte * format.size)))}  >${printable(row)}<`;
        await it.out.line(line);
      }
    }
    if (radix !== 'n') await it.out.line(address(skip + data.length));
  },
);

function printable(bytes: Uint8Array): string {
  return [...bytes].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
}

/** Bytes that hexdump -c names. */
const SHOWN: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

/** hexdump(1): -C, and the two-byte form. */
export const hexdump: Program = command(
  {
    short: 'bcCdn:os:vxe:f:',
    long: ['canonical>C', 'length:>n', 'skip:>s', 'no-squeezing>v'],
    usage: '[options] <file>...',
    summary: 'Display file contents in hexadecimal, decimal, octal, or ascii.',
  },
  async (it) => {
    const skip = parseSize(it.options.value('s') ?? '0') ?? 0;
    let data = (await gather(it)).subarray(skip);
    if (it.options.has('n')) data = data.subarray(0, parseSize(it.options.value('n')!) ?? 0);
    const canonical = it.options.has('C');
    let previous: Buffer | undefined;
    let starred = false;
    const address = (n: number): string => n.toString(16).padStart(canonical ? 8 : 7, '0');
    for (let at = 0; at < data.length; at += 16) {
      const row = data.subarray(at, at + 16);
      if (!it.options.has('v') && previous !== undefined && row.length === 16 && row.equals(previous)) {
        if (!starred) await it.out.line('*');
        starred = true;
        continue;
      }
      starred = false;
      previous = row;
      const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0'));
      if (canonical)
        await it.out.line(
          `${address(skip + at)}  ${hex.slice(0, 8).join(' ').padEnd(23)}  ${hex.slice(8).join(' ').padEnd(23)}  |${printable(row)}|`,
        );
      else if (it.options.has('b', 'c', 'd', 'o', 'x')) {
        for (const option of it.options.list.filter((one) => 'bcdox'.includes(one.name))) {
          const wide = option.name === 'b' || option.name === 'c' ? 1 : 2;
          const cells = Array.from({ length: Math.ceil(row.length / wide) }, (_, k) => {
            const value = wide === 1 ? row[k]! : row[2 * k]! | ((row[2 * k + 1] ?? 0) << 8);
            if (option.name === 'b') return ` ${value.toString(8).padStart(3, '0')}`;
            if (option.name === 'c')
              return (
                SHOWN[value] ??
                (value >= 32 && value < 127 ? String.fromCharCode(value) : value.toString(8).padStart(3, '0'))
              ).padStart(4);
            if (option.name === 'd') return `   ${String(value).padStart(5, '0')}`;
            if (option.name === 'o') return `  ${value.toString(8).padStart(6, '0')}`;
            return `    ${value.toString(16).padStart(4, '0')}`;
          });
          await it.out.line(`${address(skip + at)}${cells.join('').padEnd(64)}`);
        }
      } else {
        const words: string[] = [];
        for (let k = 0; k < row.length; k += 2) words.push((hex[k + 1] ?? '00') + hex[k]!);
        await it.out.line(`${address(skip + at)} ${words.join(' ').padEnd(39)}`);
      }
    }
    if (data.length > 0) await it.out.line(address(skip + data.length));
  },
);

/** xxd(1) */
export const xxd: Program = command(
  {
    short: 'abc:Ceg:il:o:prs:uE',
    long: [
      'bits>b',
      'cols:>c',
      'plain>p',
      'postscript>p',
      'revert>r',
      'len:>l',
      'seek:>s',
      'uppercase>u',
      'include>i',
    ],
    usage: '[options] [infile [outfile]]',
    usageExit: 1,
    prepare: (args) => args.map((arg) => (arg === '-ps' || arg === '-plain' ? '-p' : arg)),
  },
  async (it) => {
    const { options } = it;
    const [path = '-', output] = it.operands;
    let data: Buffer;
    try {
      data = Buffer.from(await readAll(it.open(path)));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`${path}: ${error.message}`, 2);
    }
    if (options.has('r')) {
      await it.out.put(reverted(data.toString('latin1'), options.has('p')));
      return;
    }
    const seek = parseSize((options.value('s') ?? '0').replace('+', '')) ?? 0;
    data = data.subarray(seek);
    if (options.has('l')) data = data.subarray(0, Number(options.value('l')));
    const text = dumped(it, data, seek, path);
    if (output === undefined) await it.out.put(text);
    else it.proc.fs.writeFile(output, text);
  },
);

/** The bytes of a dump. */
function reverted(text: string, plain: boolean): Buffer {
  if (plain) return Buffer.from(text.replaceAll(/[^0-9a-fA-F]/g, ''), 'hex');
  const pieces: Buffer[] = [];
  let length = 0;
  for (const line of text.split('\n')) {
    const found = /^([0-9a-fA-F]+):\s?((?:[0-9a-fA-F]+ ?)*)/.exec(line);
    if (found === null) continue;
    const at = Number.parseInt(found[1]!, 16);
    if (at > length) pieces.push(Buffer.alloc(at - length));
    const bytes = Buffer.from(found[2]!.replaceAll(' ', ''), 'hex');
    pieces.push(bytes);
    length = Math.max(length, at) + bytes.length;
  }
  return Buffer.concat(pieces);
}

function dumped(it: Invocation, data: Buffer, seek: number, path: string): string {
  const { options } = it;
  const hex = (byte: number): string => {
    const text = byte.toString(16).padStart(2, '0');
    return options.has('u') ? text.toUpperCase() : text;
  };
  if (options.has('p')) {
    const columns = Number(options.value('c') ?? 30);
    let text = '';
    for (let at = 0; at < data.length; at += columns)
      text += `${[...data.subarray(at, at + columns)].map(hex).join('')}\n`;
    return text;
  }
  if (options.has('i')) {
    const columns = Number(options.value('c') ?? 12);
    const rows: string[] = [];
    for (let at = 0; at < data.length; at += columns)
      rows.push(`  ${[...data.subarray(at, at + columns)].map((byte) => `0x${hex(byte)}`).join(', ')}`);
    if (path === '-') return `${rows.join(',\n')}\n`;
    const name = path.replaceAll(/[^A-Za-z0-9]/g, '_').replace(/^(?=\d)/, '__');
    return `unsigned char ${name}[] = {\n${rows.join(',\n')}\n};\nunsigned int ${name}_len = ${data.length};\n`;
  }
  const bits = options.has('b');
  const columns = Number(options.value('c') ?? (bits ? 6 : 16));
  const group = Number(options.value('g') ?? (bits ? 1 : options.has('e') ? 4 : 2)) || columns;
  const digits = bits ? 8 : 2;
  const width = columns * digits + Math.ceil(columns / group) - 1;
  let text = '';
  for (let at = 0; at < data.length; at += columns) {
    const row = data.subarray(at, at + columns);
    const words: string[] = [];
    for (let k = 0; k < row.length; k += group) {
      const bytes = [...row.subarray(k, k + group)].map((byte) =>
        bits ? byte.toString(2).padStart(8, '0') : hex(byte),
      );
      words.push(
        options.has('e')
          ? bytes
              .toReversed()
              .join('')
              .padStart(group * 2)
          : bytes.join(''),
      );
    }
    text += `${(seek + at).toString(16).padStart(8, '0')}: ${words.join(' ').padEnd(width)}  ${printable(row)}\n`;
  }
  return text;
}
