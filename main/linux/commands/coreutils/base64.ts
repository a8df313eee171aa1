// base64(1) and base32(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command, Failure, UsageError } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

interface Encoding {
  readonly name: string;
  readonly encode: (bytes: Uint8Array) => string;
  /** The bytes of as much of a text as is right, and whether that is all. */
  readonly decode: (text: string) => { bytes: Uint8Array; whole: boolean };
  readonly alphabet: RegExp;
}

const BASE64: Encoding = {
  name: 'Base64',
  encode: (bytes) => Buffer.from(bytes).toString('base64'),
  decode: (text) => {
    const good = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(text)![0];
    const tail = /^[A-Za-z0-9+/]{0,3}/.exec(text.slice(good.length))![0];
    return { bytes: Buffer.from(good + tail, 'base64'), whole: good.length === text.length };
  },
  alphabet: /[^A-Za-z0-9+/=]/g,
};

const LETTERS32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const BASE32: Encoding = {
  name: 'Base32',
  encode: (bytes) => {
    let text = '';
    for (let i = 0; i < bytes.length; i += 5) {
      let bits = 0n;
      for (let k = 0; k < 5; k++) bits = (bits << 8n) | BigInt(bytes[i + k] ?? 0);
      const count = Math.ceil((Math.min(5, bytes.length - i) * 8) / 5);
      for (let k = 0; k < 8; k++)
        text += k < count ? LETTERS32[Number((bits >> BigInt(35 - 5 * k)) & 31n)]! : '=';
    }
    return text;
  },
  decode: (text) => {
    const good = /^(?:[A-Z2-7]{8})*(?:[A-Z2-7]{2}={6}|[A-Z2-7]{4}={4}|[A-Z2-7]{5}={3}|[A-Z2-7]{7}=)?/.exec(
      text,
    )![0];
    const bytes: number[] = [];
    let [bits, count] = [0, 0];
    for (const c of good.replaceAll('=', '')) {
      bits = ((bits << 5) | LETTERS32.indexOf(c)) & 0xfff;
      count += 5;
      if (count < 8) continue;
      count -= 8;
      bytes.push((bits >> count) & 0xff);
    }
    return { bytes: Uint8Array.from(bytes), whole: good.length === text.length };
  },
  alphabet: /[^A-Z2-7=]/g,
};

/** base64(1) */
export const base64: Program = coder(BASE64);
/** base32(1) */
export const base32: Program = coder(BASE32);

function coder(encoding: Encoding): Program {
  return command(
    {
      short: 'diw:D',
      long: ['decode>d', 'ignore-garbage>i', 'wrap:>w'],
      usage: '[OPTION]... [FILE]',
      summary: `${encoding.name} encode or decode FILE, or standard input, to standard output.`,
      version: '(GNU coreutils) 9.1',
    },
    async (it) => {
      const [path = '-', extra] = it.operands;
      if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
      const wrap = it.options.value('w') ?? '76';
      if (!/^\d+$/.test(wrap)) throw new Failure(`invalid wrap size: ${quote(wrap)}`);
      let bytes: Uint8Array;
      try {
        bytes = await readAll(it.open(path));
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        throw new Failure(`${shownName(it, path)}: ${error.message}`);
      }
      if (!it.options.has('d')) {
        const text = encoding.encode(bytes);
        const columns = Number(wrap);
        if (columns === 0) await it.out.put(text);
        else for (let i = 0; i < text.length; i += columns) await it.out.line(text.slice(i, i + columns));
        return;
      }
      let text = Buffer.from(bytes).toString('latin1').replaceAll('\n', '');
      if (it.options.has('i')) text = text.replaceAll(encoding.alphabet, '');
      const decoded = encoding.decode(text);
      await it.out.put(decoded.bytes);
      if (!decoded.whole) throw new Failure('invalid input');
    },
  );
}
