// redis: the server's data types, expiry, transactions and channels, as redis-cli shows them.
import { expect, test } from 'vitest';
import { makeImageMachine } from '../../../support/image-machine.ts';

/** Runs lines at redis-cli's standard input, as on a terminal (`--no-raw`). */
async function redis(lines: readonly string[]): Promise<string[]> {
  const m = makeImageMachine();
  const server = await m.start('redis:7.2');
  const script = lines.map((line) => `redis-cli --no-raw ${line}`).join('\n');
  return (await m.exec(server, 'sh', '-c', script)).stdout.trimEnd().split('\n');
}

test.each([
  [
    'strings',
    ['set k v', 'get k', 'get none', 'append k w', 'strlen k', 'getrange k 0 0', 'setnx k x', 'mget k none'],
    ['OK', '"v"', '(nil)', '(integer) 2', '(integer) 2', '"v"', '(integer) 0', '1) "vw"', '2) (nil)'],
  ],
  [
    'counters',
    ['incr n', 'incrby n 5', 'decr n', 'set t x', 'incr t'],
    [
      '(integer) 1',
      '(integer) 6',
      '(integer) 5',
      'OK',
      '(error) ERR value is not an integer or out of range',
    ],
  ],
  [
    'lists',
    ['rpush l a b c', 'lrange l 0 -1', 'lpop l', 'llen l', 'lindex l -1', 'lrem l 0 c', 'lrange none 0 -1'],
    [
      '(integer) 3',
      '1) "a"',
      '2) "b"',
      '3) "c"',
      '"a"',
      '(integer) 2',
      '"c"',
      '(integer) 1',
      '(empty array)',
    ],
  ],
  [
    'hashes',
    ['hset h a 1 b 2', 'hget h a', 'hgetall h', 'hincrby h a 4', 'hdel h b c', 'hlen h'],
    [
      '(integer) 2',
      '"1"',
      '1) "a"',
      '2) "1"',
      '3) "b"',
      '4) "2"',
      '(integer) 5',
      '(integer) 1',
      '(integer) 1',
    ],
  ],
  [
    'sets',
    ['sadd s a b a', 'scard s', 'sismember s a', 'sadd q b c', 'sinter s q', 'srem s a'],
    ['(integer) 2', '(integer) 2', '(integer) 1', '(integer) 2', '1) "b"', '(integer) 1'],
  ],
  [
    'sorted sets',
    [
      'zadd z 2 b 1 a',
      'zrange z 0 -1 withscores',
      'zrank z b',
      'zincrby z 2.5 a',
      'zrangebyscore z "(2" +inf',
      'zrem z b',
    ],
    ['(integer) 2', '1) "a"', '2) "1"', '3) "b"', '4) "2"', '(integer) 1', '"3.5"', '1) "a"', '(integer) 1'],
  ],
  [
    'keys',
    [
      'set a 1',
      'set b 2',
      'exists a b c',
      'type a',
      'del a',
      'keys "*"',
      'rename b c',
      'dbsize',
      'flushall',
      'dbsize',
    ],
    ['OK', 'OK', '(integer) 2', 'string', '(integer) 1', '1) "b"', 'OK', '(integer) 1', 'OK', '(integer) 0'],
  ],
  [
    'wrong uses',
    ['set k v', 'lpush k x', 'get', 'nosuch a b', 'select 99'],
    [
      'OK',
      '(error) WRONGTYPE Operation against a key holding the wrong kind of value',
      "(error) ERR wrong number of arguments for 'get' command",
      '',
      "(error) ERR unknown command 'nosuch', with args beginning with: 'a' 'b' ",
      '(error) ERR DB index is out of range',
    ],
  ],
])('%s answer as the real server does', async (_, lines, expected) => {
  const shown = await redis(lines);
  expect(shown.filter((line) => line !== '')).toEqual(expected.filter((line) => line !== ''));
});

test('a key is gone when its time is up', async () => {
  const m = makeImageMachine();
  const server = await m.start('redis');
  await m.exec(server, 'redis-cli', 'set', 'k', 'v', 'EX', '10');
  await m.advance(4);
  expect((await m.exec(server, 'redis-cli', 'ttl', 'k')).stdout).toBe('6\n');
  await m.advance(7);
  expect((await m.exec(server, 'redis-cli', 'get', 'k')).stdout).toBe('\n');
});

test('a password is wanted where the server has one', async () => {
  const m = makeImageMachine();
  const server = await m.start('redis', { args: ['redis-server', '--requirepass', 'secret'] });
  expect((await m.exec(server, 'redis-cli', 'ping')).stdout).toBe('NOAUTH Authentication required.\n\n');
  expect((await m.exec(server, 'redis-cli', '--no-auth-warning', '-a', 'secret', 'ping')).stdout).toBe(
    'PONG\n',
  );
});

test('what is published reaches those who have subscribed', async () => {
  const m = makeImageMachine();
  const server = await m.start('redis');
  const listener = m.exec(server, 'redis-cli', 'subscribe', 'news');
  await m.advance(1);
  expect((await m.exec(server, 'redis-cli', 'publish', 'news', 'hi')).stdout).toBe('1\n');
  await m.settle(m.containerd.stopContainer(server, 10_000));
  expect((await listener).stdout).toBe('subscribe\nnews\n1\nmessage\nnews\nhi\n');
});

test('a transaction is done at once, or not at all', async () => {
  const m = makeImageMachine();
  const server = await m.start('redis');
  const { stdout } = await m.exec(
    server,
    'sh',
    '-c',
    'printf "multi\\nset a 1\\nincr a\\nexec\\nmulti\\nbogus\\nexec\\n" | redis-cli',
  );
  expect(stdout).toContain('OK\nQUEUED\nQUEUED\nOK\n2\nOK\n');
  expect(stdout).toContain('EXECABORT Transaction discarded because of previous errors.');
});

test('the server logs its start and its end', async () => {
  const m = makeImageMachine();
  const server = await m.start('redis');
  expect(m.log(server)).toContain('* Ready to accept connections tcp\n');
  await m.settle(m.containerd.stopContainer(server, 10_000));
  expect(m.log(server)).toContain('# Redis is now ready to exit, bye bye...\n');
  expect(m.containerd.containerStatus(server)?.exitCode).toBe(0);
});
