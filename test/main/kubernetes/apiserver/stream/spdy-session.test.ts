import { deflateSync, constants } from 'node:zlib';
import { expect, test } from 'vitest';
import { HeaderReader, HeaderWriter } from '../../../../../main/kubernetes/apiserver/stream/spdy-headers.ts';
import {
  SpdySession,
  type SpdyStream,
} from '../../../../../main/kubernetes/apiserver/stream/spdy-session.ts';
import { settle, SpdyClient } from '../../../../support/spdy-client.ts';

function serve(): { client: SpdyClient; streams: SpdyStream[]; session: SpdySession; done: Promise<void> } {
  const client = new SpdyClient();
  const streams: SpdyStream[] = [];
  const session = new SpdySession(client.pipe, (stream) => streams.push(stream));
  return { client, streams, session, done: session.run() };
}

test('a stream is answered, read and written, and forgotten once both sides have ended it', async () => {
  const { client, streams, session, done } = serve();
  const id = client.open({ streamType: 'data', port: '80' });
  client.data(id, 'hello', true);
  await settle();

  expect(client.frames).toEqual([{ kind: 'reply', id, headers: {} }]);
  expect(streams[0]!.headers).toEqual({ streamtype: 'data', port: '80' });
  expect(Buffer.from((await streams[0]!.read())!).toString()).toBe('hello');
  expect(await streams[0]!.read()).toBeUndefined();

  await streams[0]!.write(Buffer.from('good'));
  expect(session.size).toBe(1);
  await streams[0]!.end();
  await streams[0]!.write(Buffer.from('too late'));
  expect(client.received(id)).toEqual({ text: 'good', isEnded: true });
  expect(session.size).toBe(0);
  client.leave();
  await done;
});

test('frames may come cut anywhere, or many at once', async () => {
  const { client, streams, done } = serve();
  const whole = new SpdyClient();
  const id = whole.open({ streamType: 'data', port: '1' });
  whole.data(id, 'abc');
  whole.data(id, 'def', true);
  const bytes: number[] = [];
  for (let left = whole.waiting; left > 0; left--) bytes.push(...(await whole.pipe.receive())!);
  for (const byte of bytes) client.raw(Uint8Array.of(byte));
  await settle();
  await settle();
  await settle();

  let text = '';
  for (let piece = await streams[0]!.read(); piece !== undefined; piece = await streams[0]!.read())
    text += Buffer.from(piece).toString();
  expect(text).toBe('abcdef');
  client.leave();
  await done;
});

test('a reset ends both directions: reads end, writes go nowhere', async () => {
  const { client, streams, session, done } = serve();
  const id = client.open({ streamType: 'data', port: '1' });
  await settle();
  const read = streams[0]!.read();
  client.reset(id);
  await settle();

  expect(await read).toBeUndefined();
  expect(streams[0]!.isWritable).toBe(false);
  await streams[0]!.write(Buffer.from('x'));
  await streams[0]!.end();
  expect(client.received(id)).toEqual({ text: '', isEnded: false });
  expect(session.size).toBe(0);
  client.leave();
  await done;
});

test('a stream that nobody reads holds up its session, and what it kept is dropped at its end', async () => {
  const { client, streams, done } = serve();
  const id = client.open({ streamType: 'data', port: '1' });
  for (let piece = 0; piece < 40; piece++) client.data(id, Buffer.alloc(32 * 1024));
  await settle();
  const held = client.waiting;
  expect(held).toBeGreaterThan(20);

  await streams[0]!.read();
  await settle();
  expect(client.waiting).toBe(held - 1);

  streams[0]!.discard();
  await settle();
  expect(client.waiting).toBe(0);
  client.leave();
  await done;
});

test('pings come back, unknown control frames are passed over, GOAWAY ends the session', async () => {
  const { client, streams, done } = serve();
  client.ping(7);
  client.raw(Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0])); // SETTINGS
  client.open({ streamType: 'data', port: '1' });
  await settle();
  expect(client.frames[0]).toEqual({ kind: 'ping', id: 7 });
  const read = streams[0]!.read();
  client.raw(Buffer.from([0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]));
  await done;
  expect(await read).toBeUndefined();
});

test.for([
  ['a frame longer than any', Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])],
  ['a SYN_STREAM without a body', Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 2, 0, 0])],
  [
    'headers that are no zlib stream',
    Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9]),
  ],
  ['a RST_STREAM without a body', Buffer.from([0x80, 3, 0, 3, 0, 0, 0, 0])],
] as const)('%s ends the session and nothing else', async ([, bytes]) => {
  const { client, done } = serve();
  client.raw(bytes);
  await expect(done).resolves.toBeUndefined();
});

test('header blocks refer back to earlier ones, as compressors write them', () => {
  const writer = new HeaderWriter();
  const reader = new HeaderReader();
  expect(reader.read(writer.write({ a: '1', b: '2' }))).toEqual({ a: '1', b: '2' });
  expect(reader.read(writer.write({ port: '80' }))).toEqual({ port: '80' });
  expect(() =>
    new HeaderReader().read(deflateSync(Buffer.alloc(1), { level: constants.Z_BEST_SPEED })),
  ).toThrow('cannot be read');
});
