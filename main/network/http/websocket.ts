// RFC 6455 over a byte stream: server and client, fragmentation, ping and pong, close.
import { createHash } from 'node:crypto';
import type { ByteStream } from '../socket/socket.ts';
import { httpRequest, type ClientResponse } from './client.ts';
import { hasToken } from './head.ts';
import { headerOf, type HeaderList, type HttpRequest, type HttpResponse } from './message.ts';
import { StreamReader } from './stream-reader.ts';

export interface WebSocketMessage {
  readonly kind: 'text' | 'binary';
  readonly bytes: Uint8Array;
}

/** Why the other side (or this one) ended it. */
export interface WebSocketClose {
  readonly code: number;
  readonly reason: string;
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** A message larger than this is refused with 1009. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

const OP_CONTINUATION = 0;
const OP_TEXT = 1;
const OP_BINARY = 2;
const OP_CLOSE = 8;
const OP_PING = 9;
const OP_PONG = 10;

/** One end of a WebSocket. Only one `receive` may wait at a time. */
export class WebSocket {
  readonly protocol: string | undefined;
  private readonly stream: ByteStream;
  private readonly reader: StreamReader;
  /** Clients mask what they send (RFC 6455, 5.3); undefined at a server. */
  private readonly maskKey: (() => Uint8Array) | undefined;
  private isCloseSent = false;
  /** Set once it has ended. */
  closed: WebSocketClose | undefined = undefined;

  constructor(stream: ByteStream, protocol: string | undefined, maskKey?: () => Uint8Array) {
    this.stream = stream;
    this.reader = new StreamReader(stream);
    this.protocol = protocol;
    this.maskKey = maskKey;
  }

  /** The next message, undefined after a close (see `closed`). Pings are answered meanwhile. Rejects with ErrnoError. */
  async receive(): Promise<WebSocketMessage | undefined> {
    const parts: Uint8Array[] = [];
    let kind: 'text' | 'binary' | undefined;
    let size = 0;
    while (this.closed === undefined) {
      const frame = await this.readFrame();
      if (frame === undefined) break;
      if (frame.opcode >= OP_CLOSE) {
        await this.control(frame);
        continue;
      }
      const isFirst = frame.opcode !== OP_CONTINUATION;
      if (isFirst === (kind !== undefined) || frame.opcode > OP_BINARY) {
        await this.fail(1002, 'unexpected frame');
        break;
      }
      if (isFirst) kind = frame.opcode === OP_TEXT ? 'text' : 'binary';
      size += frame.payload.length;
      if (size > MESSAGE_BYTES_MAX) {
        await this.fail(1009, 'message too big');
        break;
      }
      parts.push(frame.payload);
      if (frame.isFinal) return { kind: kind!, bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
    }
    return undefined;
  }

  /** A string goes as text, bytes as binary. */
  send(message: Uint8Array | string): Promise<void> {
    if (typeof message === 'string') return this.writeFrame(OP_TEXT, Buffer.from(message, 'utf8'));
    return this.writeFrame(OP_BINARY, message);
  }

  ping(payload: Uint8Array = new Uint8Array(0)): Promise<void> {
    return this.writeFrame(OP_PING, payload);
  }

  /** Sends a close frame. Messages still to come can be received; the stream ends when the other side's close has come. */
  async close(code = 1000, reason = ''): Promise<void> {
    if (this.isCloseSent) return;
    this.isCloseSent = true;
    const text = Buffer.from(reason, 'utf8').subarray(0, 123);
    await this.writeFrame(OP_CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), text]));
    if (this.closed !== undefined) this.stream.end();
  }

  private async control(frame: Frame): Promise<void> {
    if (frame.opcode === OP_PING) return this.writeFrame(OP_PONG, frame.payload);
    if (frame.opcode !== OP_CLOSE) return; // Pongs need no answer.
    const { payload } = frame;
    const code = payload.length >= 2 ? payload[0]! * 256 + payload[1]! : 1005;
    this.closed = { code, reason: Buffer.from(payload.subarray(2)).toString('utf8') };
    if (this.isCloseSent) this.stream.end();
    else await this.close(code === 1005 ? 1000 : code);
  }

  private async fail(code: number, reason: string): Promise<void> {
    this.closed = { code, reason };
    await this.close(code, reason);
  }

  private async readFrame(): Promise<Frame | undefined> {
    const head = await this.reader.readExactly(2);
    if (head === undefined) return this.lost();
    const [first = 0, second = 0] = head;
    const length = await this.readLength(second & 127);
    if (length === undefined) return this.lost();
    const isMasked = (second & 128) !== 0;
    const isBad =
      (first & 0x70) !== 0 || isMasked === (this.maskKey !== undefined) || length > MESSAGE_BYTES_MAX;
    if (isBad) {
      await this.fail(length > MESSAGE_BYTES_MAX ? 1009 : 1002, 'protocol error');
      return undefined;
    }
    const mask = isMasked ? await this.reader.readExactly(4) : undefined;
    const body = await this.reader.readExactly(length);
    if (body === undefined || (isMasked && mask === undefined)) return this.lost();
    return {
      isFinal: (first & 128) !== 0,
      opcode: first & 15,
      payload: mask === undefined ? body : masked(body, mask),
    };
  }

  private async readLength(short: number): Promise<number | undefined> {
    if (short < 126) return short;
    const bytes = await this.reader.readExactly(short === 126 ? 2 : 8);
    return bytes?.reduce((length, byte) => length * 256 + byte, 0);
  }

  /** The stream ended without a close frame. */
  private lost(): undefined {
    this.closed ??= { code: 1006, reason: '' };
    return undefined;
  }

  private writeFrame(opcode: number, payload: Uint8Array): Promise<void> {
    const { length } = payload;
    const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
    const mask = this.maskKey?.();
    const frame = new Uint8Array(2 + extended + (mask === undefined ? 0 : 4) + length);
    frame[0] = 128 | opcode;
    frame[1] = (mask === undefined ? 0 : 128) | (extended === 0 ? length : extended === 2 ? 126 : 127);
    for (let i = 0, left = length; i < extended; i++, left = Math.floor(left / 256))
      frame[1 + extended - i] = left % 256;
    if (mask !== undefined) frame.set(mask, 2 + extended);
    frame.set(mask === undefined ? payload : masked(payload, mask), frame.length - length);
    return this.stream.write(frame);
  }
}

interface Frame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly payload: Uint8Array;
}

function masked(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte ^ mask[index & 3]!);
}

function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** Whether a request asks to become a WebSocket. */
function isWebSocketUpgrade(headers: HeaderList): boolean {
  return hasToken(headers, 'connection', 'upgrade') && hasToken(headers, 'upgrade', 'websocket');
}

/** The 101 response to an upgrade request, or a refusal (400, 426) if it isn't a good one. */
export function acceptWebSocket(
  request: Pick<HttpRequest, 'method' | 'headers'>,
  options: {
    /** Subprotocols this side speaks, preferred first. If the client names some and none fits, it's refused with 400. */
    readonly protocols?: readonly string[];
    readonly serve: (socket: WebSocket) => Promise<void>;
  },
): HttpResponse {
  const { headers, method } = request;
  const refuse = (status: number, text: string): HttpResponse => ({
    status,
    headers: status === 426 ? [['Sec-WebSocket-Version', '13']] : [],
    body: text,
  });
  if (method !== 'GET' || !isWebSocketUpgrade(headers)) return refuse(400, 'not a WebSocket upgrade\n');
  if (headerOf(headers, 'sec-websocket-version') !== '13') return refuse(426, 'WebSocket version 13 only\n');
  const key = headerOf(headers, 'sec-websocket-key');
  if (key === undefined || Buffer.from(key, 'base64').length !== 16)
    return refuse(400, 'bad Sec-WebSocket-Key\n');
  const offered = headers
    .filter(([name]) => name.toLowerCase() === 'sec-websocket-protocol')
    .flatMap(([, value]) => value.split(',').map((part) => part.trim()));
  const protocol = options.protocols?.find((each) => offered.includes(each));
  if (options.protocols !== undefined && offered.length > 0 && protocol === undefined) {
    return refuse(400, 'no subprotocol in common\n');
  }
  return {
    status: 101,
    headers: [
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Accept', acceptKey(key)],
      ...(protocol === undefined ? [] : [['Sec-WebSocket-Protocol', protocol] as const]),
    ],
    upgrade: async (stream) => {
      const socket = new WebSocket(stream, protocol);
      await options.serve(socket);
    },
  };
}

/** The server answered an upgrade with something else; `response` is it. */
export class WebSocketRefused extends Error {
  readonly response: ClientResponse;
  constructor(response: ClientResponse) {
    super(`bad handshake: ${response.status} ${response.reason}`);
    this.response = response;
  }
}

/** Asks for an upgrade. Rejects with WebSocketRefused, HttpProtocolError, ErrnoError. */
export async function connectWebSocket(
  stream: ByteStream,
  options: {
    readonly target: string;
    /** Host and what else the request needs. */
    readonly headers: HeaderList;
    readonly protocols?: readonly string[];
    readonly randomBytes: (sizeBytes: number) => Uint8Array;
  },
): Promise<WebSocket> {
  const key = Buffer.from(options.randomBytes(16)).toString('base64');
  const response = await httpRequest(stream, {
    method: 'GET',
    target: options.target,
    headers: [
      ...options.headers,
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Key', key],
      ['Sec-WebSocket-Version', '13'],
      ...(options.protocols === undefined
        ? []
        : [['Sec-WebSocket-Protocol', options.protocols.join(', ')] as const]),
    ],
  });
  const { upgraded, headers } = response;
  if (upgraded === undefined || headerOf(headers, 'sec-websocket-accept') !== acceptKey(key))
    throw new WebSocketRefused(response);
  return new WebSocket(upgraded, headerOf(headers, 'sec-websocket-protocol'), () => options.randomBytes(4));
}
