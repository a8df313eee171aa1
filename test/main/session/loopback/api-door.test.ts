import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { HttpHandler } from '../../../../main/network/http/index.ts';
import { openApiDoor } from '../../../../main/session/loopback/api-door.ts';
import { hostCertificates } from '../../../../main/session/loopback/certificates.ts';
import { Simulation } from '../../../../main/simulation/index.ts';
import { SqliteStore } from '../../../../main/storage/index.ts';
import { hostLoop } from '../../../support/host-loop.ts';

const stack: (Disposable | AsyncDisposable)[] = [];
afterEach(async () => {
  for (const one of stack.splice(0).toReversed())
    await (Symbol.asyncDispose in one ? one[Symbol.asyncDispose]() : one[Symbol.dispose]());
});

async function openDoor(
  handler: HttpHandler,
): Promise<{ url: string; faults: unknown[]; close(): Promise<void> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'drydock-door-'));
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const store = new SqliteStore({ path: path.join(folder, 'w'), turns: hostLoop });
  const simulation = new Simulation({ startMs: Date.UTC(2026, 0, 1), host: hostLoop, onFault });
  const door = await openApiDoor({
    simulation,
    durable: () => store.durable(),
    certificates: await hostCertificates(store),
    port: 0,
    handler: () => handler,
    onFault,
  });
  stack.push({ [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }, store, simulation);
  return { url: door.url, faults, close: async () => door[Symbol.asyncDispose]() };
}

function ask(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; warning: string; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { rejectUnauthorized: false, agent: false, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.on('end', () =>
        resolve({ status: response.statusCode!, warning: String(response.headers['warning']), body }),
      );
    });
    call.on('error', reject);
    call.end();
  });
}

test('what the handler throws is told, and answered as a panic', async () => {
  const door = await openDoor(() => Promise.reject(new TypeError('oops')));
  expect(await ask(door.url)).toMatchObject({
    status: 500,
    body: 'This request caused apiserver to panic. Look in the logs for details.\n',
  });
  expect(door.faults).toEqual([new TypeError('oops')]);
  await door.close();
});

test('header fields leave as UTF-8, as those of a Go server do', async () => {
  const door = await openDoor(() =>
    Promise.resolve({ status: 200, headers: [['Warning', '299 - "größe 😀"']], body: 'x' }),
  );
  const { warning } = await ask(door.url);
  expect(Buffer.from(warning, 'latin1').toString('utf8')).toBe('299 - "größe 😀"');
  expect(door.faults).toEqual([]);
  await door.close();
});

test('the door closes though a client holds an upgraded connection', async () => {
  const door = await openDoor(() =>
    Promise.resolve({
      status: 101,
      headers: [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'x'],
      ],
      upgrade: () => new Promise<void>(() => undefined),
    }),
  );
  const call = request(door.url, {
    rejectUnauthorized: false,
    headers: { Connection: 'Upgrade', Upgrade: 'x' },
  });
  call.on('error', () => undefined);
  call.end();
  const [, socket] = (await once(call, 'upgrade')) as [unknown, NodeJS.ReadableStream & { resume(): void }];
  const closed = once(socket.resume(), 'close');
  await door.close();
  await closed;
  expect(door.faults).toEqual([]);
});

test('a client that leaves before it has its answer is heard of', async () => {
  let aborted: (() => void) | undefined;
  const isAborted = new Promise<void>((resolve) => (aborted = resolve));
  let asked: (() => void) | undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const door = await openDoor(async ({ signal }) => {
    asked?.();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    aborted?.();
    return {
      status: 101,
      headers: [],
      upgrade: () => Promise.reject(new Error('not for a client that has gone')),
    };
  });
  const call = request(door.url, {
    rejectUnauthorized: false,
    headers: { Connection: 'Upgrade', Upgrade: 'x' },
  });
  call.on('error', () => undefined);
  call.end();
  await isAsked;
  call.destroy();
  await expect(isAborted).resolves.toBeUndefined();
  await door.close();
});

test('an upgraded connection that nobody reads holds its writer up, until it is read or gone', async () => {
  let written = 0;
  let ended: (() => void) | undefined;
  const isEnded = new Promise<void>((resolve) => (ended = resolve));
  const door = await openDoor(() =>
    Promise.resolve({
      status: 101,
      headers: [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'x'],
      ],
      async upgrade(stream) {
        const gone = (async () => {
          while ((await stream.read()) !== undefined);
        })();
        let isGone = false;
        void gone.then(() => (isGone = true));
        while (!isGone) {
          await stream.write(Buffer.alloc(64 * 1024));
          written += 64 * 1024;
        }
        ended?.();
      },
    }),
  );
  const call = request(door.url, {
    rejectUnauthorized: false,
    headers: { Connection: 'Upgrade', Upgrade: 'x' },
  });
  call.end();
  const [, socket] = (await once(call, 'upgrade')) as [unknown, Socket];
  const still = async (): Promise<number> => {
    for (let before = -1; before !== written;) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return written;
  };
  const held = await still();
  expect(held).toBeLessThan(32 * 1024 * 1024);
  let read = 0;
  socket.on('data', (piece: Buffer) => {
    read += piece.length;
    if (read > held) socket.pause();
  });
  expect(await still()).toBeGreaterThan(held);
  socket.destroy();
  await isEnded;
  await door.close();
  expect(door.faults).toEqual([]);
});
