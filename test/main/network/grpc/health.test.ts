import { expect, test } from 'vitest';
import { checkHealth, serveHealth, type HealthStatus } from '../../../../main/network/grpc/index.ts';
import { callUnary } from '../../../../main/network/grpc/unary.ts';
import { serveHttp2 } from '../../../../main/network/http2/index.ts';
import type { ByteStream } from '../../../../main/network/index.ts';

/** Two ends of one connection. */
function pair(): [ByteStream, ByteStream] {
  const end = (): { queue: Uint8Array[]; isOver: boolean; wake: () => void } => ({
    queue: [],
    isOver: false,
    wake: () => undefined,
  });
  const [a, b] = [end(), end()];
  const stream = (mine: typeof a, other: typeof b): ByteStream => ({
    async read() {
      while (mine.queue.length === 0 && !mine.isOver)
        await new Promise<void>((resolve) => (mine.wake = resolve));
      return mine.queue.shift();
    },
    async write(bytes) {
      other.queue.push(bytes.slice());
      other.wake();
    },
    end() {
      other.isOver = true;
      other.wake();
    },
    close() {
      for (const side of [mine, other]) {
        side.isOver = true;
        side.wake();
      }
    },
  });
  return [stream(a, b), stream(b, a)];
}

const ask = { authority: '10.0.0.1:5000', userAgent: 'test' };

async function status(service: string, statuses: Record<string, HealthStatus>): Promise<string> {
  const [client, server] = pair();
  const serving = serveHealth(server, (name) => statuses[name]);
  try {
    return await checkHealth(client, { ...ask, service });
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.close();
    await serving;
  }
}

test('a server says how it and its services are', async () => {
  const statuses = { '': 'SERVING', db: 'NOT_SERVING' } as const;
  expect(await status('', statuses)).toBe('SERVING');
  expect(await status('db', statuses)).toBe('NOT_SERVING');
  expect(await status('nobody', statuses)).toBe('unknown service');
});

test('a method that nobody serves is unimplemented', async () => {
  const [client, server] = pair();
  void serveHealth(server, () => 'SERVING');
  const call = { ...ask, path: '/other.Service/Do', message: new Uint8Array(0) };
  await expect(callUnary(client, call)).rejects.toMatchObject({
    status: 12,
    message: 'unknown service other.Service',
  });
});

test('a server that is not gRPC is told by its HTTP status', async () => {
  const [client, server] = pair();
  void serveHttp2(server, async () => ({
    headers: [[':status', '404']],
    body: new Uint8Array(0),
    trailers: [],
  }));
  await expect(checkHealth(client, { ...ask, service: '' })).rejects.toThrow(
    'unexpected HTTP status code received from server: 404',
  );
});

test('a connection that ends early is unavailable', async () => {
  const [client, server] = pair();
  server.close();
  await expect(checkHealth(client, { ...ask, service: '' })).rejects.toMatchObject({ status: 14 });
});

test('a client that does not speak HTTP/2 is left alone', async () => {
  const [client, server] = pair();
  const serving = serveHealth(server, () => 'SERVING');
  await client.write(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  await serving;
  expect(await client.read()).toBeUndefined();
});
