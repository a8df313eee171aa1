import { expect, test } from 'vitest';
import { StatusError } from '../../../../../main/kubernetes/api/index.ts';
import {
  servePortForward,
  type Connect,
} from '../../../../../main/kubernetes/apiserver/stream/port-forward.ts';
import type { ByteStream } from '../../../../../main/network/index.ts';
import { ErrnoError } from '../../../../../main/network/index.ts';
import { settle, SpdyClient } from '../../../../support/spdy-client.ts';

/** A port of a pod that says what it heard when its client has ended; counts what is open. */
class EchoPort {
  open = 0;
  readonly connect: Connect = async () => {
    this.open++;
    let isClosed = false;
    const heard: Uint8Array[] = [];
    let wake: (() => void) | undefined;
    let isEnded = false;
    const stream: ByteStream = {
      async read() {
        while (heard.length === 0 && !isEnded && !isClosed)
          await new Promise<void>((resolve) => (wake = resolve));
        return isClosed ? undefined : heard.shift();
      },
      async write(bytes) {
        if (isClosed) throw new ErrnoError('EPIPE');
        heard.push(bytes);
        wake?.();
      },
      end() {
        isEnded = true;
        wake?.();
      },
      close: () => {
        if (!isClosed) this.open--;
        isClosed = true;
        wake?.();
      },
    };
    return stream;
  };
}

function refused(message: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    code: 500,
  });
}

/** As kubectl opens them: the error stream first, closed on its own side at once. */
function openPair(client: SpdyClient, id: string, port = '80'): { error: number; data: number } {
  const error = client.open({ streamType: 'error', port, requestID: id });
  client.data(error, '', true);
  return { error, data: client.open({ streamType: 'data', port, requestID: id }) };
}

test('connections are carried side by side, and each half-close is passed on', async () => {
  const port = new EchoPort();
  const client = new SpdyClient();
  const done = servePortForward(client.pipe, port.connect);
  const pairs = Array.from({ length: 20 }, (_, index) => openPair(client, String(index)));
  pairs.forEach(({ data }, index) => client.data(data, `I am ${index}`, index % 2 === 0));
  await settle();

  pairs.forEach(({ data, error }, index) => {
    expect(client.received(data)).toEqual({ text: `I am ${index}`, isEnded: index % 2 === 0 });
    expect(client.received(error)).toEqual({ text: '', isEnded: index % 2 === 0 });
  });
  expect(port.open).toBe(10);
  client.leave();
  await done;
  expect(port.open).toBe(0);
});

test('a refused port is told on the error stream, which ends before the data stream does', async () => {
  const client = new SpdyClient();
  const done = servePortForward(client.pipe, () => Promise.reject(refused('connection refused')));
  const { error, data } = openPair(client, '0');
  await settle();

  expect(client.frames.filter(({ kind }) => kind === 'data')).toEqual([
    { kind: 'data', id: error, text: 'connection refused', isLast: false },
    { kind: 'data', id: error, text: '', isLast: true },
    { kind: 'data', id: data, text: '', isLast: true },
  ]);
  client.leave();
  await done;
});

test('a client that resets the data stream still hears the end of the error stream, and the connection is closed', async () => {
  const port = new EchoPort();
  const client = new SpdyClient();
  const done = servePortForward(client.pipe, port.connect);
  const { error, data } = openPair(client, '0');
  client.data(data, 'something');
  await settle();
  expect(port.open).toBe(1);
  client.reset(data);
  await settle();

  expect(client.received(error)).toEqual({ text: '', isEnded: true });
  expect(port.open).toBe(0);
  client.leave();
  await done;
});

test('a connection that breaks on the pod side is told, as containerd tells it', async () => {
  const client = new SpdyClient();
  const broken: ByteStream = {
    read: () => Promise.reject(refused('read: connection reset by peer')),
    write: () => Promise.resolve(),
    end: () => undefined,
    close: () => undefined,
  };
  const done = servePortForward(client.pipe, () => Promise.resolve(broken));
  const { error, data } = openPair(client, '0');
  await settle();
  expect(client.received(error)).toEqual({ text: 'read: connection reset by peer', isEnded: true });
  expect(client.received(data).isEnded).toBe(true);
  client.leave();
  await done;
});

test.for([
  [{ streamType: 'data', port: '0' }],
  [{ streamType: 'data', port: '70000' }],
  [{ streamType: 'data', port: 'http' }],
  [{ streamType: 'data' }],
  [{ streamType: 'sideways', port: '80' }],
  [{}],
] as [Record<string, string>][])('a stream of %j is reset', async ([headers]) => {
  const client = new SpdyClient();
  const done = servePortForward(client.pipe, () => Promise.reject(new Error('not reached')));
  const id = client.open(headers);
  await settle();
  expect(client.frames.at(-1)).toMatchObject({ kind: 'reset', id });
  client.leave();
  await done;
});

test('a client that vanishes while connecting, writing or waiting leaves no connection behind', async () => {
  const port = new EchoPort();
  let release: (() => void) | undefined;
  const slow: Connect = async (number, signal) => {
    if (number === 81) await new Promise<void>((resolve) => (release = resolve));
    return port.connect(number, signal);
  };
  const client = new SpdyClient();
  const done = servePortForward(client.pipe, slow);
  openPair(client, 'slow', '81');
  const { data } = openPair(client, 'busy');
  openPair(client, 'idle');
  client.open({ streamType: 'error', port: '80', requestID: 'half a pair' });
  client.data(data, Buffer.alloc(100_000));
  await settle();
  client.leave();
  await settle();
  release!();
  await done;
  expect(port.open).toBe(0);
});
