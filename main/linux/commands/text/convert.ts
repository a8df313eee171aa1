// iconv(1), dos2unix(1), unix2dos(1): text from one encoding or line ending to another.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';

/** Encodings by their names without punctuation: how TextDecoder calls them. */
const DECODERS: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  utf16: 'utf-16le',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  ascii: 'ascii',
  usascii: 'ascii',
  ansix341968: 'ascii',
  iso88591: 'latin1',
  latin1: 'latin1',
  l1: 'latin1',
  cp1252: 'windows-1252',
  windows1252: 'windows-1252',
  iso885915: 'iso-8859-15',
  gbk: 'gbk',
  gb2312: 'gbk',
  euccn: 'gbk',
  cp936: 'gbk',
  gb18030: 'gb18030',
  big5: 'big5',
  shiftjis: 'shift_jis',
  sjis: 'shift_jis',
  eucjp: 'euc-jp',
  euckr: 'euc-kr',
};

function encodingNamed(name: string): string | undefined {
  return DECODERS[name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')];
}

/** iconv(1) */
export const iconv: Program = command(
  {
    short: 'cf:lo:st:?V',
    long: ['from-code:>f', 'to-code:>t', 'list>l', 'output:>o', 'silent>s', 'verbose'],
    usage: '[OPTION...] [FILE...]',
    summary: 'Convert encoding of given files from one encoding to another.',
    version: '(GNU libc) 2.36',
  },
  async (it) => {
    const [toName = '', ...suffixes] = (it.options.value('t') ?? 'UTF-8').split('//');
    const fromName = (it.options.value('f') ?? 'UTF-8').split('//')[0]!;
    const [from, to] = [encodingNamed(fromName), encodingNamed(toName)];
    if (from === undefined || to === undefined) {
      const wrong =
        from === undefined && to === undefined
          ? `conversions from \`${fromName}' and to \`${toName}' are not supported`
          : from === undefined
            ? `conversion from \`${fromName}' is not supported`
            : `conversion to \`${toName}' is not supported`;
      throw new Failure(`${wrong}\nTry \`iconv --help' or \`iconv --usage' for more information.`);
    }
    const chunks: Uint8Array[] = [];
    let exitCode = 0;
    for (const path of it.inputs) {
      let bytes: Uint8Array;
      try {
        bytes = await readAll(it.open(path));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.complain(`cannot open input file \`${path}': ${error.message}`);
        exitCode = 1;
        continue;
      }
      const result = convert(
        bytes,
        from,
        to,
        it.options.has('c') || suffixes.includes('IGNORE'),
        suffixes.includes('TRANSLIT'),
      );
      chunks.push(result.bytes);
      if (result.badAt === undefined) continue;
      await write(it, chunks);
      throw new Failure(`illegal input sequence at position ${result.badAt}`);
    }
    await write(it, chunks);
    return exitCode;
  },
);

async function write(it: Invocation, chunks: readonly Uint8Array[]): Promise<void> {
  const output = it.options.value('o');
  if (output === undefined) await it.out.put(Buffer.concat(chunks));
  else it.proc.fs.writeFile(output, Buffer.concat(chunks));
}

function convert(
  bytes: Uint8Array,
  from: string,
  to: string,
  skip: boolean,
  transliterate: boolean,
): { bytes: Uint8Array; badAt: number | undefined } {
  const encode = encoder(to);
  const out: Uint8Array[] = [];
  let at = 0;
  if (to === 'utf-16le' && /^utf-?16$/i.test(to)) out.push(Uint8Array.of(0xff, 0xfe));
  for (const { character, length } of characters(bytes, from)) {
    const encoded =
      character === undefined
        ? undefined
        : (encode(character) ?? (transliterate ? encode(plainer(character)) : undefined));
    if (encoded === undefined) {
      if (!skip) return { bytes: Buffer.concat(out), badAt: at };
    } else out.push(encoded);
    at += length;
  }
  return { bytes: Buffer.concat(out), badAt: undefined };
}

/** The characters of an encoding with their lengths in bytes; undefined for bytes that are none. */
function* characters(
  bytes: Uint8Array,
  encoding: string,
): Generator<{ character: string | undefined; length: number }> {
  const single = encoding === 'latin1' || encoding === 'ascii';
  const decoder = new TextDecoder(single ? 'latin1' : encoding, { fatal: true, ignoreBOM: true });
  const longest =
    encoding.startsWith('utf-16') || encoding === 'utf-8' || encoding === 'gb18030' ? 4 : single ? 1 : 3;
  const unit = encoding.startsWith('utf-16') ? 2 : 1;
  for (let at = 0; at < bytes.length;) {
    let character: string | undefined;
    let length = unit;
    if (single) {
      const byte = bytes[at]!;
      character = encoding === 'ascii' && byte > 127 ? undefined : String.fromCharCode(byte);
    } else
      for (let size = unit; size <= longest && at + size <= bytes.length; size += unit) {
        try {
          character = decoder.decode(bytes.subarray(at, at + size));
          length = size;
          break;
        } catch {
          character = undefined; // Not a whole character yet, or none at all.
        }
      }
    yield { character, length };
    at += length;
  }
}

const TABLES = new Map<string, ReadonlyMap<string, Uint8Array>>();

/** How a character is written in an encoding; undefined where it has none. */
function encoder(encoding: string): (character: string) => Uint8Array | undefined {
  if (encoding === 'utf-8') return (c) => Buffer.from(c, 'utf8');
  if (encoding === 'utf-16le') return (c) => Buffer.from(c, 'utf16le');
  if (encoding === 'utf-16be') return (c) => Buffer.from(c, 'utf16le').swap16();
  if (encoding === 'ascii') return (c) => (c.charCodeAt(0) < 128 ? Buffer.from(c, 'latin1') : undefined);
  if (encoding === 'latin1') return (c) => (c.codePointAt(0)! < 256 ? Buffer.from(c, 'latin1') : undefined);
  let table = TABLES.get(encoding);
  if (table === undefined) TABLES.set(encoding, (table = reversed(encoding)));
  const known = table;
  return (c) => known.get(c);
}

/** The table of an encoding of one and two bytes, turned around. */
function reversed(encoding: string): ReadonlyMap<string, Uint8Array> {
  const table = new Map<string, Uint8Array>();
  const decoder = new TextDecoder(encoding, { fatal: true });
  const tryAll = (bytes: Uint8Array): void => {
    try {
      const text = decoder.decode(bytes);
      if ([...text].length === 1 && !table.has(text)) table.set(text, bytes);
    } catch {
      // No such character: the decoder has nothing to reset after an error.
    }
  };
  for (let lead = 0; lead < 256; lead++) tryAll(Uint8Array.of(lead));
  for (let lead = 0x81; lead < 0xff; lead++)
    for (let trail = 0x40; trail < 0xff; trail++) tryAll(Uint8Array.of(lead, trail));
  return table;
}

/** A letter without its marks, or a question mark (//TRANSLIT). */
function plainer(character: string): string {
  const plain = character.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  const known: Readonly<Record<string, string>> = {
    ß: 'ss',
    '€': 'EUR',
    '’': "'",
    '‘': "'",
    '“': '"',
    '”': '"',
    '–': '-',
    '—': '-',
  };
  return /^[\0-\x7f]+$/.test(plain) ? plain : (known[character] ?? '?');
}

function lineEnds(name: 'dos2unix' | 'unix2dos'): Program {
  const toUnix = name === 'dos2unix';
  return command(
    {
      short: 'ascii7bcdefhikLlnoqrsSuvV',
      long: ['keepdate>k', 'newfile>n', 'oldfile>o', 'quiet>q', 'force>f', 'safe>s', 'verbose>v'],
      usage: '[options] [file ...] [-n infile outfile ...]',
      summary: toUnix ? 'Convert DOS or Mac line endings to Unix.' : 'Convert Unix line endings to DOS.',
      version: '7.4.3 (2022-06-05)',
    },
    async (it) => {
      const change = (bytes: Uint8Array): Uint8Array => {
        const text = Buffer.from(bytes).toString('latin1');
        return Buffer.from(
          toUnix ? text.replaceAll('\r\n', '\n') : text.replaceAll(/(?<!\r)\n/g, '\r\n'),
          'latin1',
        );
      };
      if (it.operands.length === 0) {
        await it.out.put(change(await readAll(it.proc.stdin)));
        return;
      }
      const { fs } = it.proc;
      const pairs = it.options.has('n')
        ? it.operands.flatMap((path, index) =>
            index % 2 === 0 ? [[path, it.operands[index + 1] ?? path] as const] : [],
          )
        : it.operands.map((path) => [path, path] as const);
      for (const [from, to] of pairs) {
        try {
          const bytes = fs.readFile(from);
          if (bytes.includes(0) && !it.options.has('f')) {
            await it.complain(`Skipping binary file ${from}`);
            continue;
          }
          const found = fs.stat(from);
          fs.writeFile(to, change(bytes));
          if (it.options.has('k')) fs.utimes(to, found.accessMs, found.modifyMs);
          const kind = toUnix ? 'Unix' : 'DOS';
          if (!it.options.has('q'))
            await it.complain(
              it.options.has('n')
                ? `converting file ${from} to file ${to} in ${kind} format...`
                : `converting file ${from} to ${kind} format...`,
            );
        } catch (error) {
          if (!(error instanceof ErrnoError)) throw error;
          await it.warn(`${from}: ${error.message}`, 2);
          if (error.code === 'ENOENT') await it.complain(`Skipping ${from}, not a regular file.`);
        }
      }
    },
  );
}

/** dos2unix(1) */
export const dos2unix: Program = lineEnds('dos2unix');
/** unix2dos(1) */
export const unix2dos: Program = lineEnds('unix2dos');
