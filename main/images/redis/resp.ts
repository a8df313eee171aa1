// RESP, Redis' protocol: replies as bytes, requests and replies out of a stream. https://redis.io/docs/latest/develop/reference/protocol-spec/
import type { ByteStream } from '../../network/index.ts';

/** A reply: simple string, error, integer, bulk string, null, or an array of them. */
export type Reply =
  | { readonly kind: 'simple' | 'error'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'bulk'; readonly value: string | undefined }
  | { readonly kind: 'array'; readonly items: readonly Reply[] | undefined };

export const OK: Reply = { kind: 'simple', text: 'OK' };
export const NIL: Reply = { kind: 'bulk', value: undefined };

export const simple = (text: string): Reply => ({ kind: 'simple', text });
export const failure = (text: string): Reply => ({ kind: 'error', text });
export const integer = (value: number): Reply => ({ kind: 'integer', value });
export const bulk = (value: string | undefined): Reply => ({ kind: 'bulk', value });
export const array = (items: readonly Reply[]): Reply => ({ kind: 'array', items });
export const texts = (items: readonly string[]): Reply => array(items.map(bulk));

/** Largest request that is read, as proto-max-bulk-len's little brother. */
const REQUEST_BYTES_MAX = 64 * 1024 ** 2;

export function encodeReply(reply: Reply): string {
  switch (reply.kind) {
    case 'simple':
      return `+${reply.text}\r\n`;
    case 'error':
      return `-${reply.text}\r\n`;
    case 'integer':
      return `:${reply.value}\r\n`;
    case 'bulk':
      return reply.value === undefined
        ? '$-1\r\n'
        : `$${Buffer.byteLength(reply.value, 'latin1')}\r\n${reply.value}\r\n`;
    case 'array':
      return reply.items === undefined
        ? '*-1\r\n'
        : `*${reply.items.length}\r\n${reply.items.map(encodeReply).join('')}`;
  }
}

export function encodeRequest(words: readonly string[]): string {
  return encodeReply(texts(words));
}

/** What a peer sent that isn't RESP. */
export class ProtocolError extends Error {}

/** Reads a stream of RESP values. Bytes are kept as latin1 characters, so that any value is a string. */
export class RespReader {
  private readonly stream: ByteStream;
  private rest = '';

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** False at the end of the stream. */
  private async more(): Promise<boolean> {
    const bytes = await this.stream.read();
    if (bytes === undefined) return false;
    this.rest += Buffer.from(bytes).toString('latin1');
    if (this.rest.length > REQUEST_BYTES_MAX) throw new ProtocolError('too big request');
    return true;
  }

  private async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.rest.indexOf('\n');
      if (end >= 0) {
        const line = this.rest.slice(0, end).replace(/\r$/, '');
        this.rest = this.rest.slice(end + 1);
        return line;
      }
      if (!(await this.more())) return undefined;
    }
  }

  private async bytes(count: number): Promise<string | undefined> {
    while (this.rest.length < count + 2) if (!(await this.more())) return undefined;
    const text = this.rest.slice(0, count);
    this.rest = this.rest.slice(count + 2);
    return text;
  }

  /** The next command: an array of bulk strings, or a line of words (inline). Undefined at the end. Throws ProtocolError. */
  async request(): Promise<readonly string[] | undefined> {
    const line = await this.line();
    if (line === undefined) return undefined;
    if (!line.startsWith('*')) return splitInline(line);
    const count = Number(line.slice(1));
    if (!Number.isInteger(count) || count > 1024 * 1024) throw new ProtocolError('invalid multibulk length');
    const words: string[] = [];
    for (let index = 0; index < count; index++) {
      const head = await this.line();
      if (head === undefined) return undefined;
      if (!head.startsWith('$')) throw new ProtocolError(`expected '$', got '${head.charAt(0)}'`);
      const length = Number(head.slice(1));
      if (!Number.isInteger(length) || length < 0) throw new ProtocolError('invalid bulk length');
      const word = await this.bytes(length);
      if (word === undefined) return undefined;
      words.push(word);
    }
    return words;
  }

  /** The next reply; undefined at the end. */
  async reply(): Promise<Reply | undefined> {
    const line = await this.line();
    if (line === undefined) return undefined;
    const text = line.slice(1);
    switch (line.charAt(0)) {
      case '+':
        return simple(text);
      case '-':
        return failure(text);
      case ':':
        return integer(Number(text));
      case '$': {
        if (text === '-1') return NIL;
        const value = await this.bytes(Number(text));
        return value === undefined ? undefined : bulk(value);
      }
      case '*': {
        if (text === '-1') return { kind: 'array', items: undefined };
        const items: Reply[] = [];
        for (let index = 0; index < Number(text); index++) {
          const item = await this.reply();
          if (item === undefined) return undefined;
          items.push(item);
        }
        return array(items);
      }
      default:
        throw new ProtocolError(`Protocol error, got "${line.charAt(0)}" as reply type byte`);
    }
  }
}

/** Words of an inline command or of what is typed at redis-cli, quotes as there. */
export function splitInline(line: string): string[] {
  return Array.from(
    line.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+)/g),
    ([, double, single, plain]) =>
      double === undefined
        ? (single?.replaceAll("\\'", "'") ?? plain ?? '')
        : double.replaceAll(/\\(x[0-9a-fA-F]{2}|.)/g, (_, code: string) =>
            code.length === 3
              ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
              : ({ n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' }[code] ?? code),
          ),
  );
}
