// MySQL's client/server protocol: packets, the handshake with mysql_native_password, results as text rows.
// https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
import { createHash } from 'node:crypto';
import type { ByteStream } from '../../network/index.ts';

const PACKET_BYTES_MAX = 16 * 1024 ** 2;
/** LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH. */
const CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;
const VAR_STRING = 0xfd;
const UTF8 = 45;
const PLUGIN = 'mysql_native_password';

/** Packets over a stream: three bytes of length, a sequence number, a payload. */
export class PacketStream {
  private readonly stream: ByteStream;
  private rest: Buffer = Buffer.alloc(0);
  sequence = 0;

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** The next payload; undefined at the end of the stream. */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.rest.length >= 4) {
        const length = this.rest.readUIntLE(0, 3);
        if (length > PACKET_BYTES_MAX) return undefined;
        if (this.rest.length >= 4 + length) {
          const payload = this.rest.subarray(4, 4 + length);
          this.sequence = (this.rest[3]! + 1) & 0xff;
          this.rest = this.rest.subarray(4 + length);
          return payload;
        }
      }
      const bytes = await this.stream.read();
      if (bytes === undefined) return undefined;
      this.rest = Buffer.concat([this.rest, bytes]);
    }
  }

  async write(...payloads: readonly Buffer[]): Promise<void> {
    const packets = payloads.map((payload) => {
      const head = Buffer.alloc(4);
      head.writeUIntLE(payload.length, 0, 3);
      head[3] = this.sequence;
      this.sequence = (this.sequence + 1) & 0xff;
      return Buffer.concat([head, payload]);
    });
    await this.stream.write(Buffer.concat(packets));
  }
}

function lengthEncoded(value: number): Buffer {
  if (value < 251) return Buffer.from([value]);
  const wide = Buffer.alloc(value < 65_536 ? 3 : 4);
  wide[0] = value < 65_536 ? 0xfc : 0xfd;
  wide.writeUIntLE(value, 1, wide.length - 1);
  return wide;
}

function lengthString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([lengthEncoded(bytes.length), bytes]);
}

function zeroString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8');
}

/** What SHA1 makes of a password for one handshake; empty for no password. */
export function scramble(password: string, salt: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const sha1 = (...parts: readonly Buffer[]): Buffer =>
    createHash('sha1').update(Buffer.concat(parts)).digest();
  const once = sha1(Buffer.from(password, 'utf8'));
  const mask = sha1(salt, sha1(once));
  return Buffer.from(once.map((byte, index) => byte ^ mask[index]!));
}

/** The server's first packet: HandshakeV10. */
export function greeting(version: string, connectionId: number, salt: Buffer): Buffer {
  const numbers = Buffer.alloc(4);
  numbers.writeUInt32LE(connectionId);
  const middle = Buffer.alloc(18);
  middle.writeUInt16LE(CAPABILITIES & 0xffff, 0);
  middle[2] = UTF8;
  middle.writeUInt16LE(2, 3); // Autocommit.
  middle.writeUInt16LE(CAPABILITIES >>> 16, 5);
  middle[7] = salt.length + 1;
  return Buffer.concat([
    Buffer.from([10]),
    zeroString(version),
    numbers,
    salt.subarray(0, 8),
    Buffer.from([0]),
    middle,
    salt.subarray(8),
    Buffer.from([0]),
    zeroString(PLUGIN),
  ]);
}

export interface Greeting {
  readonly version: string;
  readonly salt: Buffer;
}

export function readGreeting(payload: Buffer): Greeting {
  const end = payload.indexOf(0, 1);
  const at = end + 5;
  return {
    version: payload.toString('utf8', 1, end),
    salt: Buffer.concat([payload.subarray(at, at + 8), payload.subarray(at + 27, at + 39)]),
  };
}

export interface Login {
  readonly user: string;
  readonly answer: Buffer;
  readonly database: string | undefined;
}

export function loginPacket({ user, answer, database }: Login): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(database === undefined ? CAPABILITIES & ~0x8 : CAPABILITIES, 0);
  head.writeUInt32LE(PACKET_BYTES_MAX, 4);
  head[8] = UTF8;
  return Buffer.concat([
    head,
    zeroString(user),
    Buffer.from([answer.length]),
    answer,
    ...(database === undefined ? [] : [zeroString(database)]),
    zeroString(PLUGIN),
  ]);
}

/** A HandshakeResponse41. */
export function readLogin(payload: Buffer): Login {
  const flags = payload.readUInt32LE(0);
  const end = payload.indexOf(0, 32);
  const length = payload[end + 1] ?? 0;
  const after = end + 2 + length;
  const databaseEnd = payload.indexOf(0, after);
  return {
    user: payload.toString('utf8', 32, end),
    answer: payload.subarray(end + 2, after),
    database:
      (flags & 0x8) === 0 || databaseEnd <= after ? undefined : payload.toString('utf8', after, databaseEnd),
  };
}

export function okPacket(affectedRows = 0, insertId = 0): Buffer {
  return Buffer.concat([
    Buffer.from([0]),
    lengthEncoded(affectedRows),
    lengthEncoded(insertId),
    Buffer.from([2, 0, 0, 0]),
  ]);
}

export function errorPacket(code: number, state: string, message: string): Buffer {
  const head = Buffer.alloc(3);
  head[0] = 0xff;
  head.writeUInt16LE(code, 1);
  return Buffer.concat([head, Buffer.from(`#${state}${message}`, 'utf8')]);
}

const EOF_PACKET = Buffer.from([0xfe, 0, 0, 2, 0]);

/** A result set as packets: the number of columns, their definitions, rows as text, null as 0xfb. */
export function resultPackets(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): Buffer[] {
  const definition = (name: string): Buffer => {
    const fixed = Buffer.alloc(13);
    fixed[0] = 0x0c;
    fixed.writeUInt16LE(UTF8, 1);
    fixed.writeUInt32LE(1024, 3);
    fixed[7] = VAR_STRING;
    return Buffer.concat([
      lengthString('def'),
      lengthString(''),
      lengthString(''),
      lengthString(''),
      lengthString(name),
      lengthString(name),
      fixed,
    ]);
  };
  return [
    lengthEncoded(columns.length),
    ...columns.map(definition),
    EOF_PACKET,
    ...rows.map((row) =>
      Buffer.concat(row.map((value) => (value === null ? Buffer.from([0xfb]) : lengthString(value)))),
    ),
    EOF_PACKET,
  ];
}

/** Strings of a packet, each with its length before it. */
export function readStrings(payload: Buffer): (string | null)[] {
  const values: (string | null)[] = [];
  for (let at = 0; at < payload.length;) {
    const first = payload[at]!;
    if (first === 0xfb) {
      values.push(null);
      at++;
      continue;
    }
    const wide = first === 0xfc ? 2 : first === 0xfd ? 3 : 0;
    const length = wide === 0 ? first : payload.readUIntLE(at + 1, wide);
    at += 1 + wide;
    values.push(payload.toString('utf8', at, at + length));
    at += length;
  }
  return values;
}
