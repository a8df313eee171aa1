import { expect, test } from 'vitest';
import { StatusError } from '../../../../../main/kubernetes/api/index.ts';
import {
  portsOf,
  servePortForwardChannels,
} from '../../../../../main/kubernetes/apiserver/stream/port-forward-channels.ts';
import type { Connect } from '../../../../../main/kubernetes/apiserver/stream/port-forward.ts';
import { WebSocket } from '../../../../../main/network/http/index.ts';
import type { ByteStream } from '../../../../../main/network/index.ts';
import { settle } from '../../../../support/spdy-client.ts';
import { streamPair } from '../../../../support/stream-pair.ts';

interface Client {
  readonly socket: WebSocket;
  readonly received: number[][];
  readonly drop: () => void;
  readonly done: Promise<void>;
}

function start(ports: readonly number[], connect: Connect): Client {
  const [near, far] = streamPair();
  const socket = new WebSocket(near, 'v4.channel.k8s.io', () => Uint8Array.of(1, 2, 3, 4));
  const served = servePortForwardChannels(new WebSocket(far, 'v4.channel.k8s.io'), ports, connect);
  const received: number[][] = [];
  const follow = async (): Promise<void> => {
    for (let message = await socket.receive(); message !== undefined; message = await socket.receive())
      received.push([...message.bytes]);
  };
  const done = Promise.all([served, follow()]).then(() => undefined);
  return { socket, received, drop: () => near.close(), done };
}

test('both channels of each port begin with the port, then data goes both ways', async () => {
  const pods: ByteStream[] = [];
  const { socket, received, done } = start([80, 8443], async () => {
    const [near, far] = streamPair();
    pods.push(far);
    return near;
  });
  await settle();
  expect(received.toSorted((a, b) => a[0]! - b[0]!)).toEqual([
    [0, 80, 0],
    [1, 80, 0],
    [2, 0xfb, 0x20],
    [3, 0xfb, 0x20],
  ]);
  received.length = 0;
  await socket.send(Uint8Array.of(0, 104, 105));
  await settle();
  expect([...(await pods[0]!.read())!]).toEqual([104, 105]);
  await pods[0]!.write(Uint8Array.of(111, 107));
  await settle();
  expect(received).toEqual([[0, 111, 107]]);
  for (const pod of pods) pod.end();
  await done;
  expect(socket.closed?.code).toBe(1000);
});

test('a refused port is told on its error channel, and the socket is closed', async () => {
  const { received, done, socket } = start([81], () =>
    Promise.reject(
      new StatusError({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'refused',
        code: 500,
      }),
    ),
  );
  await done;
  expect(received.slice(2)).toEqual([[1, ...Buffer.from('refused')]]);
  expect(socket.closed?.code).toBe(1000);
});

test('a client that vanishes leaves no connection behind', async () => {
  let isClosed = false;
  const { drop, done } = start([80], async () => {
    const [near] = streamPair();
    return {
      ...near,
      close() {
        isClosed = true;
        near.close();
      },
    };
  });
  await settle();
  drop();
  await done;
  expect(isClosed).toBe(true);
});

test.for([
  ['ports=80', [80]],
  ['ports=80&ports=443', [80, 443]],
  ['ports=80,443', [80, 443]],
  ['', 'query parameter "port" is required'],
  ['ports=', 'query parameter "port" cannot be empty'],
  ['ports=0', 'unable to parse "0" as a port'],
  ['ports=http', 'unable to parse "http" as a port'],
] as const)('the query %j means %j', ([query, expected]) => {
  expect(portsOf(new URLSearchParams(query))).toEqual(expected);
});
