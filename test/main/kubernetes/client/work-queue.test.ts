import { expect, test } from 'vitest';
import { runWorkers, WorkQueue } from '../../../../main/kubernetes/client/index.ts';
import { Simulation } from '../../../../main/simulation/index.ts';
import { hostLoop } from '../../../support/host-loop.ts';

function makeClock(): Simulation {
  return new Simulation({
    startMs: 0,
    host: hostLoop,
    onFault: (error) => {
      throw error;
    },
  });
}

test('a key added twice waits once', () => {
  const queue = new WorkQueue(makeClock());
  queue.add('a');
  queue.add('b');
  queue.add('a');
  expect([queue.take(), queue.take(), queue.take()]).toEqual(['a', 'b', undefined]);
});

test('a key added while it is worked on waits again when it is done', () => {
  const queue = new WorkQueue(makeClock());
  queue.add('a');
  queue.take();
  queue.add('a');
  expect(queue.take()).toBeUndefined();
  queue.done('a');
  expect(queue.take()).toBe('a');
});

test('of several delayed adds the earliest counts', async () => {
  const clock = makeClock();
  const queue = new WorkQueue(clock);
  queue.addAfter('a', 500);
  queue.addAfter('a', 100);
  queue.addAfter('a', 900);
  await clock.advance({ ms: 99 });
  expect(queue.length).toBe(0);
  await clock.advance({ ms: 1 });
  expect(queue.take()).toBe('a');
  queue.done('a');
  await clock.advance({ seconds: 2 });
  expect(queue.length).toBe(0);
});

test('failures wait 5 ms doubled up to 1000 s, until they are forgotten', async () => {
  const clock = makeClock();
  const queue = new WorkQueue(clock);
  const waits: number[] = [];
  for (let i = 0; i < 20; i++) {
    const startMs = clock.now();
    queue.addRateLimited('a');
    await clock.advanceUntil(() => queue.length > 0, { hours: 1 });
    waits.push(clock.now() - startMs);
    queue.take();
    queue.done('a');
  }
  expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
  expect(waits.at(-1)).toBe(1_000_000);
  expect(queue.requeues('a')).toBe(20);
  queue.forget('a');
  expect(queue.requeues('a')).toBe(0);
});

test('workers never hold one key twice, and retry what throws', async () => {
  const clock = makeClock();
  const queue = new WorkQueue(clock);
  const busy = new Set<string>();
  const seen: string[] = [];
  const errors: string[] = [];
  using _workers = runWorkers(clock, queue, {
    workers: 2,
    onError: (error, key) => errors.push(`${key}: ${(error as Error).message}`),
    async sync(key) {
      expect(busy.has(key)).toBe(false);
      busy.add(key);
      seen.push(key);
      await clock.sleep(10);
      busy.delete(key);
      if (key === 'b' && errors.length === 0) throw new Error('not yet');
    },
  });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await clock.advance({ ms: 5 });
  queue.add('a');
  await clock.advance({ seconds: 1 });
  expect(seen.filter((key) => key === 'a')).toHaveLength(2);
  expect(seen.filter((key) => key === 'b')).toHaveLength(2);
  expect(errors).toEqual(['b: not yet']);
});

test('a disposed queue takes nothing and leaves no timer', async () => {
  const clock = makeClock();
  const queue = new WorkQueue(clock);
  const workers = runWorkers(clock, queue, {
    workers: 1,
    sync: () => Promise.reject(new Error('never')),
    onError: () => undefined,
  });
  queue.addAfter('a', 1000);
  workers[Symbol.dispose]();
  queue.add('b');
  await clock.advance({ seconds: 2 });
  expect(queue.length).toBe(0);
  expect(clock.pending).toBe(0);
});
