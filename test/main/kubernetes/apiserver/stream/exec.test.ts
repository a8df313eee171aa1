import { expect, test } from 'vitest';
import type { ExecResult, ExecSession } from '../../../../../main/kubernetes/apiserver/kubelet-connector.ts';
import { serveExecChannels } from '../../../../../main/kubernetes/apiserver/stream/exec-channels.ts';
import { serveExecSpdy } from '../../../../../main/kubernetes/apiserver/stream/exec-spdy.ts';
import { WebSocket } from '../../../../../main/network/http/index.ts';
import { ErrnoError } from '../../../../../main/network/index.ts';
import { settle, SpdyClient } from '../../../../support/spdy-client.ts';
import { streamPair } from '../../../../support/stream-pair.ts';

const PIPES = { stdin: true, stdout: true, stderr: true, tty: false };
const TERMINAL = { stdin: true, stdout: true, stderr: false, tty: true };

/** A command that says back what it reads, and ends when its input does or when it's told. */
class Echo {
  readonly heard: string[] = [];
  readonly sizes: string[] = [];
  isInputEnded = false;
  readonly session: ExecSession;
  readonly controller = new AbortController();
  readonly end: (result: ExecResult) => void;
  private readonly out: Uint8Array[] = [];
  private readonly err: Uint8Array[] = [];
  private isOver = false;
  private wake: (() => void)[] = [];

  constructor({ refusesInput = false } = {}) {
    let resolve: (result: ExecResult) => void = () => undefined;
    const exit = new Promise<ExecResult>((settled) => (resolve = settled));
    this.end = (result) => {
      this.isOver = true;
      this.notify();
      resolve(result);
    };
    this.controller.signal.addEventListener('abort', () => this.end({ exitCode: -1, error: 'aborted' }));
    this.session = {
      stdin: {
        write: async (bytes) => {
          if (refusesInput) throw new ErrnoError('EPIPE');
          this.heard.push(Buffer.from(bytes).toString());
        },
        end: () => (this.isInputEnded = true),
      },
      stdout: this.pieces(this.out),
      stderr: this.pieces(this.err),
      resize: (columns, rows) => this.sizes.push(`${columns}x${rows}`),
      exit,
    };
  }

  say(text: string, stream: 'out' | 'err' = 'out'): void {
    this[stream].push(Buffer.from(text));
    this.notify();
  }

  private notify(): void {
    for (const wake of this.wake.splice(0)) wake();
  }

  private async *pieces(source: Uint8Array[]): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = source.shift();
      if (piece !== undefined) yield piece;
      else if (this.isOver) return;
      else await new Promise<void>((resolve) => this.wake.push(resolve));
    }
  }
}

/** A client over WebSocket: what it received, by channel. */
function overWebSocket(
  protocol: string | undefined,
  echo: Echo,
  streams: typeof PIPES,
): { socket: WebSocket; received: [number, string][]; drop: () => void; done: Promise<void> } {
  const [near, far] = streamPair();
  const socket = new WebSocket(near, protocol, () => Uint8Array.of(1, 2, 3, 4));
  const done = serveExecChannels(new WebSocket(far, protocol), echo.session, streams, echo.controller);
  const received: [number, string][] = [];
  const follow = async (): Promise<void> => {
    for (let message = await socket.receive(); message !== undefined; message = await socket.receive()) {
      const isText = protocol?.includes('base64') === true;
      const text = Buffer.from(message.bytes).toString('latin1');
      const payload = isText ? Buffer.from(text.slice(1), 'base64') : message.bytes.subarray(1);
      received.push([isText ? Number(text[0]) : message.bytes[0]!, Buffer.from(payload).toString()]);
    }
  };
  const following = follow();
  return {
    socket,
    received,
    drop: () => near.close(),
    done: Promise.all([done, following]).then(() => undefined),
  };
}

function channel(number: number, text: string | Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(number), Buffer.from(text as string)]);
}

const SUCCESS = '{"metadata":{},"status":"Success"}';

test('v5 carries input, output, errors and the end, and can close the input', async () => {
  const echo = new Echo();
  const { socket, received, done } = overWebSocket('v5.channel.k8s.io', echo, PIPES);
  await socket.send(channel(0, 'typed'));
  await socket.send(Uint8Array.of(255, 0));
  await settle();
  expect(echo.heard).toEqual(['typed']);
  expect(echo.isInputEnded).toBe(true);
  echo.say('out');
  echo.say('err', 'err');
  await settle();
  echo.end({ exitCode: 0 });
  await done;
  expect(received).toEqual([
    [1, ''],
    [2, ''],
    [3, ''],
    [1, 'out'],
    [2, 'err'],
    [3, SUCCESS],
  ]);
  expect(socket.closed?.code).toBe(1000);
});

test('a terminal has one output, is resized, and isn’t opened for errors', async () => {
  const echo = new Echo();
  const { socket, received, done } = overWebSocket('v5.channel.k8s.io', echo, TERMINAL);
  for (const size of ['{"Width":120,"Height":40}', '{"Width":0,"Height":0}', 'nonsense', '{"Width":"a"}'])
    await socket.send(channel(4, size));
  await settle();
  expect(echo.sizes).toEqual(['120x40']);
  echo.end({ exitCode: 7 });
  await done;
  expect(received.map(([number]) => number)).toEqual([1, 3, 3]);
  expect(JSON.parse(received.at(-1)![1])).toMatchObject({
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '7' }] },
  });
});

test.for([
  [
    'v5.channel.k8s.io',
    'Internal error occurred: Internal error occurred: error executing command in container: no such',
  ],
  ['v4.channel.k8s.io', 'Internal error occurred: error executing command in container: no such'],
] as const)('over %s what never ran says %s', async ([protocol, message]) => {
  const echo = new Echo();
  const { received, done } = overWebSocket(protocol, echo, PIPES);
  echo.end({ exitCode: 1, error: 'no such' });
  await done;
  expect(JSON.parse(received.at(-1)![1])).toMatchObject({ status: 'Failure', message });
});

test('the older protocols end in words, or in nothing', async () => {
  for (const protocol of ['channel.k8s.io', 'base64.channel.k8s.io', undefined]) {
    const echo = new Echo();
    const { socket, received, done } = overWebSocket(protocol, echo, PIPES);
    const typed =
      protocol === 'base64.channel.k8s.io'
        ? `0${Buffer.from('typed').toString('base64')}`
        : channel(0, 'typed');
    await socket.send(typed);
    await settle();
    expect(echo.heard).toEqual(['typed']);
    echo.end({ exitCode: 3 });
    await done;
    expect(received.at(-1)).toEqual([3, 'command terminated with non-zero exit code: exit status 3']);
  }
});

test('a client that vanishes ends the session', async () => {
  const echo = new Echo();
  const { drop, done } = overWebSocket('v4.channel.k8s.io', echo, PIPES);
  await settle();
  drop();
  await done;
  expect(echo.controller.signal.aborted).toBe(true);
  expect(echo.isInputEnded).toBe(true);
});

test('a command that closes its input early still says all it has to say', async () => {
  const echo = new Echo({ refusesInput: true });
  const { socket, received, done } = overWebSocket('v5.channel.k8s.io', echo, PIPES);
  await socket.send(channel(0, 'unwanted'));
  await settle();
  expect(echo.controller.signal.aborted).toBe(false);
  echo.say('the head of it');
  echo.end({ exitCode: 0 });
  await done;
  expect(received).toContainEqual([1, 'the head of it']);
});

/** As client-go opens them. */
function overSpdy(
  protocol: string,
  echo: Echo,
  streams: typeof PIPES,
): { client: SpdyClient; ids: Record<string, number>; done: Promise<void> } {
  const client = new SpdyClient();
  const done = serveExecSpdy(client.pipe, protocol, streams, echo.session, echo.controller);
  const types = [
    'error',
    ...(streams.stdin ? ['stdin'] : []),
    'stdout',
    ...(streams.stderr ? ['stderr'] : []),
  ];
  if (streams.tty) types.push('resize');
  const ids = Object.fromEntries(types.map((streamType) => [streamType, client.open({ streamType })]));
  return { client, ids, done };
}

test('SPDY has a stream for each, and ends them in order: output, errors, the end', async () => {
  const echo = new Echo();
  const { client, ids, done } = overSpdy('v4.channel.k8s.io', echo, PIPES);
  client.data(ids['stdin']!, 'typed', true);
  await settle();
  expect(echo.heard).toEqual(['typed']);
  expect(echo.isInputEnded).toBe(true);
  echo.say('out');
  echo.say('err', 'err');
  await settle();
  echo.end({ exitCode: 0 });
  await settle();
  expect(
    client.frames
      .filter(({ kind }) => kind === 'data')
      .map((frame) => [frame.id, frame.kind === 'data' && frame.text]),
  ).toEqual([
    [ids['stdout'], 'out'],
    [ids['stderr'], 'err'],
    [ids['stdout'], ''],
    [ids['stderr'], ''],
    [ids['error'], SUCCESS],
    [ids['error'], ''],
  ]);
  client.leave();
  await done;
});

test('sizes come over SPDY one after the other, cut anywhere', async () => {
  const echo = new Echo();
  const { client, ids, done } = overSpdy('v4.channel.k8s.io', echo, TERMINAL);
  client.data(ids['resize']!, '{"Width":80,"Hei');
  client.data(ids['resize']!, 'ght":24}\n{"Width":100,"Height":30}\n');
  await settle();
  expect(echo.sizes).toEqual(['80x24', '100x30']);
  client.leave();
  await done;
  expect(echo.controller.signal.aborted).toBe(true);
});

test('streams that were not asked for, or twice, are reset', async () => {
  const echo = new Echo();
  const { client, ids, done } = overSpdy('v4.channel.k8s.io', echo, { ...PIPES, stdin: false });
  const stdin = client.open({ streamType: 'stdin' });
  const again = client.open({ streamType: 'stdout' });
  await settle();
  expect(client.frames.filter(({ kind }) => kind === 'reset').map(({ id }) => id)).toEqual([stdin, again]);
  echo.end({ exitCode: 0 });
  await settle();
  expect(client.received(ids['error']!)).toEqual({ text: SUCCESS, isEnded: true });
  client.leave();
  await done;
});
