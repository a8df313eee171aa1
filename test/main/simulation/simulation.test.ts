import { expect, test } from 'vitest';
import { every, makeRandom, Simulation, type Input } from '../../../main/simulation/index.ts';
import { hostLoop } from '../../support/host-loop.ts';

const startMs = Date.UTC(2026, 0, 1);

function makeSimulation(inputs: Input[] = []): { simulation: Simulation; faults: unknown[] } {
  const faults: unknown[] = [];
  const simulation = new Simulation({
    startMs,
    host: hostLoop,
    onFault: (error) => faults.push(error),
    onInput: (input) => inputs.push(input),
  });
  return { simulation, faults };
}

test('timers run in order of their instants, and in the order asked for within one', async () => {
  const { simulation } = makeSimulation();
  const seen: string[] = [];
  simulation.after(20, () => seen.push('late'));
  simulation.after(10, () => seen.push('first'));
  simulation.after(10, () => seen.push('second'));
  simulation.soon(() => seen.push('now'));
  await simulation.advance({ ms: 15 });
  expect(seen).toEqual(['now', 'first', 'second']);
  expect(simulation.now()).toBe(startMs + 15);
});

test('promises settle between the tasks of one instant', async () => {
  const { simulation } = makeSimulation();
  const seen: string[] = [];
  simulation.after(1, () => void Promise.resolve().then(() => seen.push('promise of the first')));
  simulation.after(1, () => seen.push('second'));
  await simulation.advance({ ms: 5 });
  expect(seen).toEqual(['promise of the first', 'second']);
});

test('sleeping is woken by the clock and cut short by its signal', async () => {
  const { simulation } = makeSimulation();
  const controller = new AbortController();
  const cut = simulation.sleep(1000, controller.signal).catch((error: unknown) => error);
  let woken = false;
  void simulation.sleep(50).then(() => (woken = true));
  await simulation.advance({ ms: 49 });
  expect(woken).toBe(false);
  await simulation.advance({ ms: 1 });
  expect(woken).toBe(true);
  controller.abort(new Error('enough'));
  expect(await cut).toEqual(new Error('enough'));
  await simulation.advance({ ms: 0 });
  expect(simulation.pending).toBe(0);
});

test('a task that throws is reported and the rest goes on', async () => {
  const { simulation, faults } = makeSimulation();
  let ran = false;
  simulation.soon(() => {
    throw new Error('broken');
  });
  simulation.soon(() => (ran = true));
  await simulation.advance({ ms: 1 });
  expect(faults).toEqual([new Error('broken')]);
  expect(ran).toBe(true);
});

test('a condition stops the run at the instant at which it holds', async () => {
  const { simulation } = makeSimulation();
  let count = 0;
  using _ = every(simulation, 1000, () => count++);
  expect(await simulation.advanceUntil(() => count === 3, { minutes: 1 })).toBe(true);
  expect(simulation.now()).toBe(startMs + 3000);
  expect(await simulation.advanceUntil(() => count === 300, { seconds: 2 })).toBe(false);
  expect(simulation.now()).toBe(startMs + 5000);
});

test('paused, nothing happens but inputs; stepping runs one batch', async () => {
  const { simulation } = makeSimulation();
  const seen: string[] = [];
  simulation.onInput<string>('say', (text) => seen.push(text));
  simulation.after(5, () => seen.push('timer'));
  await simulation.input('say', 'hello');
  expect(seen).toEqual(['hello']);
  expect(await simulation.step()).toBe(true);
  expect(seen).toEqual(['hello', 'timer']);
  expect(await simulation.step()).toBe(false);
});

test('inputs are numbered, timed and handled in order; an unknown kind is refused', async () => {
  const inputs: Input[] = [];
  const { simulation } = makeSimulation(inputs);
  simulation.onInput<number>('double', (value) => value * 2);
  expect(await simulation.input('double', 21)).toBe(42);
  await simulation.advance({ seconds: 1 });
  await simulation.input('double', 4);
  await expect(simulation.input('halve', 4)).rejects.toThrow('no handler for inputs of kind halve');
  expect(inputs.map(({ sequence, timeMs, payload }) => [sequence, timeMs - startMs, payload])).toEqual([
    [0, 0, 21],
    [1, 1000, 4],
  ]);
});

test('at a speed, virtual time keeps step with the wall', async () => {
  const { simulation } = makeSimulation();
  simulation.setSpeed(100);
  await new Promise<void>((resolve) => void simulation.after(2000, resolve)); // 20 ms of wall time.
  expect(simulation.now() - startMs).toBeGreaterThanOrEqual(2000);
  simulation.setSpeed(0);
});

test('after a wait in which nothing was due, the next timer is not late', async () => {
  let wallMs = startMs;
  const simulation = new Simulation({
    startMs,
    onFault: () => undefined,
    host: {
      ...hostLoop,
      wallNowMs: () => wallMs,
      timeout: (delayMs, task) => {
        const immediate = setImmediate(() => {
          wallMs += delayMs;
          task();
        });
        return { [Symbol.dispose]: () => clearImmediate(immediate) };
      },
    },
  });
  simulation.setSpeed(1);
  await new Promise<void>((resolve) => void simulation.after(600, resolve));
  await new Promise<void>((resolve) => void simulation.after(5000, resolve));
  expect(wallMs - startMs).toBe(5600);
  expect(simulation.now() - startMs).toBe(5600);
});

test('a host that is too slow is forgiven all but a moment', async () => {
  let wallMs = startMs;
  const simulation = new Simulation({
    startMs,
    onFault: () => undefined,
    host: { ...hostLoop, wallNowMs: () => wallMs },
  });
  const seen: number[] = [];
  using _ = every(simulation, 100, () => seen.push(simulation.now() - startMs));
  simulation.setSpeed(1);
  wallMs += 10_000; // The host was away for ten seconds.
  await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(seen.length).toBeLessThanOrEqual(4);
  simulation.setSpeed(0);
});

test('one seed gives one sequence, and a fork does not depend on draws elsewhere', () => {
  const first = makeRandom(7);
  const second = makeRandom(7);
  first.integer(10);
  expect(first.fork('dns').bytes(8)).toEqual(second.fork('dns').bytes(8));
  expect(makeRandom(8).uuid()).not.toBe(makeRandom(7).uuid());
  expect(makeRandom(7).uuid()).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});
