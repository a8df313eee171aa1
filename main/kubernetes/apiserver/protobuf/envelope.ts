// Kubernetes' protobuf bodies: the magic number, runtime.Unknown, and the object inside, decoded by tables.
import { rfc3339, rfc3339Micro } from '../../../simulation/index.ts';
import type { Tree } from '../object.ts';
import { badRequest } from '../refusals.ts';
import { MESSAGES } from './fields.ts';

const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

interface Field {
  readonly name: string;
  readonly type: string;
  readonly shape: 'single' | 'list' | 'map';
}

const tables = new Map<string, ReadonlyMap<number, Field>>();

function tableOf(message: string): ReadonlyMap<number, Field> {
  let table = tables.get(message);
  if (table !== undefined) return table;
  const text = MESSAGES[message];
  if (text === undefined) throw badRequest(`drydock: protobuf bodies of ${message} aren't simulated`);
  const fields = text === '' ? [] : text.split(', ');
  table = new Map(
    fields.map((field) => {
      const [number = '', name = '', type = ''] = field.split(' ');
      const shape = type.startsWith('[]') ? 'list' : type.startsWith('{}') ? 'map' : 'single';
      return [Number(number), { name, type: shape === 'single' ? type : type.slice(2), shape }];
    }),
  );
  tables.set(message, table);
  return table;
}

/** Groups whose package isn't the first part of their name. */
function packageOf(apiVersion: string): string {
  const [group, version] = apiVersion.includes('/')
    ? (apiVersion.split('/') as [string, string])
    : ['core', apiVersion];
  return `${group.split('.')[0]}.${version}`;
}

/** Decodes a body to what its JSON form would parse to. Throws 400. */
export function decodeProtobuf(bytes: Uint8Array): unknown {
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw badRequest(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  const unknown = decodeMessage('runtime.Unknown', bytes.subarray(4)) as {
    typeMeta?: { apiVersion?: string; kind?: string };
    raw?: string;
  };
  const { apiVersion = 'v1', kind = '' } = unknown.typeMeta ?? {};
  const raw = Buffer.from(unknown.raw ?? '', 'base64');
  const message = kind === 'DeleteOptions' ? 'meta.v1.DeleteOptions' : `${packageOf(apiVersion)}.${kind}`;
  return { apiVersion, kind, ...decodeMessage(message, raw) };
}

class Cursor {
  private readonly bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get done(): boolean {
    return this.at >= this.bytes.length;
  }
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || shift > 63n) throw badRequest('proto: unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw badRequest('proto: unexpected EOF');
    const piece = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return piece;
  }
}

type Raw = bigint | Uint8Array;

/** A field of bytes, text or a message. Throws 400 for a number. */
function bytesOf(raw: Raw): Uint8Array {
  if (typeof raw === 'bigint') throw badRequest('proto: wrong wireType = 0');
  return raw;
}

/** A field of a whole number. Throws 400 for bytes. */
function integerOf(raw: Raw): bigint {
  if (typeof raw !== 'bigint') throw badRequest('proto: wrong wireType = 2');
  return raw;
}

function readField(cursor: Cursor): { number: number; raw: Raw } {
  const tag = Number(cursor.varint());
  const number = tag >> 3;
  switch (tag & 7) {
    case 0:
      return { number, raw: cursor.varint() };
    case 1:
      return { number, raw: cursor.take(8) };
    case 2:
      return { number, raw: cursor.take(Number(cursor.varint())) };
    case 5:
      return { number, raw: cursor.take(4) };
    default:
      throw badRequest(`proto: illegal wireType ${tag & 7}`);
  }
}

function decodeMessage(message: string, bytes: Uint8Array): Tree {
  const table = tableOf(message);
  const result: Tree = {};
  const cursor = new Cursor(bytes);
  while (!cursor.done) {
    const { number, raw } = readField(cursor);
    const field = table.get(number);
    if (field === undefined) continue;
    if (field.shape === 'map') {
      const map = (result[field.name] ??= {}) as Tree;
      const [key, value] = decodeEntry(field.type, bytesOf(raw));
      Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    } else {
      const value = decodeValue(field.type, raw);
      if (field.name.startsWith('~')) {
        Object.assign(result, value); // An embedded struct: its fields are the parent's.
        continue;
      }
      if (field.shape === 'list') ((result[field.name] ??= []) as unknown[]).push(value);
      // Go's encoder writes plain strings even when they are empty; JSON would have left them out.
      else if (value !== '' && value !== null) result[field.name] = value;
    }
  }
  return result;
}

function decodeEntry(type: string, bytes: Uint8Array): [string, unknown] {
  const cursor = new Cursor(bytes);
  let key = '';
  let value: unknown = type === 'string' || type === 'bytes' ? '' : {};
  while (!cursor.done) {
    const { number, raw } = readField(cursor);
    if (number === 1) key = textOf(raw);
    else if (number === 2) value = decodeValue(type, raw);
  }
  return [key, value];
}

function textOf(raw: Raw): string {
  return Buffer.from(bytesOf(raw)).toString('utf8');
}

function decodeValue(type: string, raw: Raw): unknown {
  switch (type) {
    case 'string':
      return textOf(raw);
    case 'bytes':
      return Buffer.from(bytesOf(raw)).toString('base64');
    case 'bool':
      return raw !== 0n;
    case 'int32':
    case 'int64':
      return Number(BigInt.asIntN(64, integerOf(raw)));
    case 'uint64':
      return Number(integerOf(raw));
    case 'double':
      return doubleOf(bytesOf(raw));
    case 'resource.Quantity':
      return quantityOf(bytesOf(raw));
    case 'intstr.IntOrString':
      return intOrStringOf(bytesOf(raw));
    case 'meta.v1.Time':
      return timeOf(bytesOf(raw), false);
    case 'meta.v1.MicroTime':
      return timeOf(bytesOf(raw), true);
    case 'meta.v1.FieldsV1':
    case 'runtime.RawExtension':
      return jsonOf(textOf(firstField(bytesOf(raw)) ?? Buffer.from('null')));
    default:
      return LISTS.test(type)
        ? (decodeMessage(type, bytesOf(raw))['items'] ?? [])
        : decodeMessage(type, bytesOf(raw));
  }
}

function doubleOf(bytes: Uint8Array): number {
  if (bytes.length !== Float64Array.BYTES_PER_ELEMENT) throw badRequest('proto: unexpected EOF');
  return Buffer.from(bytes).readDoubleLE(0);
}

/** JSON inside a message. Throws 400. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest('proto: a raw extension holds no JSON');
    throw error;
  }
}

/** Messages that stand for Go's named slices of strings, which are lists in JSON. */
const LISTS = /\.(?:ExtraValue|AttestationValue)$/;

function firstField(bytes: Uint8Array): Raw | undefined {
  const cursor = new Cursor(bytes);
  return cursor.done ? undefined : readField(cursor).raw;
}

function quantityOf(bytes: Uint8Array): string {
  const raw = firstField(bytes);
  return raw === undefined ? '0' : textOf(raw);
}

function intOrStringOf(bytes: Uint8Array): string | number {
  const cursor = new Cursor(bytes);
  let isString = false;
  let number = 0;
  let text = '';
  while (!cursor.done) {
    const field = readField(cursor);
    if (field.number === 1) isString = field.raw === 1n;
    else if (field.number === 2) number = Number(BigInt.asIntN(64, integerOf(field.raw)));
    else text = textOf(field.raw);
  }
  return isString ? text : number;
}

/** Seconds and nanoseconds since the epoch; nothing at all for Go's zero time. */
function timeOf(bytes: Uint8Array, micro: boolean): string | null {
  const cursor = new Cursor(bytes);
  if (cursor.done) return null;
  let seconds = 0;
  let nanos = 0;
  while (!cursor.done) {
    const { number, raw } = readField(cursor);
    if (number === 1) seconds = Number(BigInt.asIntN(64, integerOf(raw)));
    else if (number === 2) nanos = Number(integerOf(raw));
  }
  const instantMs = seconds * 1000 + nanos / 1e6;
  if (Number.isNaN(new Date(instantMs).getTime())) throw badRequest('proto: a time is out of range');
  return micro ? rfc3339Micro(instantMs) : rfc3339(instantMs);
}
