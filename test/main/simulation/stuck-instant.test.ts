// Time that stands still is noticed: the simulation stops, says who keeps asking, and can be set going again.
import { expect, test } from 'vitest';
import { Simulation } from '../../../main/simulation/index.ts';
import { hostLoop } from '../../support/host-loop.ts';

function make(): { readonly clock: Simulation; readonly faults: Error[] } {
  const faults: Error[] = [];
  const clock = new Simulation({
    startMs: Date.UTC(2024, 2, 1),
    host: { ...hostLoop, immediate: (task) => void Promise.resolve().then(task) },
    onFault: (error) => faults.push(error as Error),
  });
  return { clock, faults };
}

test('a task that asks for itself at once for ever is named, and who waits for time hears of it', async () => {
  const { clock, faults } = make();
  const askForever = (): void => clock.soon(askForever);
  askForever();
  await expect(clock.advance({ seconds: 1 })).rejects.toThrow(
    /^Time stands still at 2024-03-01T00:00:00\.000Z: 300000 steps .* same instant: askForever \(.*stuck-instant\.test\.ts:\d+\) \(100 %\)/,
  );
  expect(faults).toHaveLength(1);
  const { batch } = clock;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(clock.batch).toBe(batch);
});

test('an input lets it try again, and may end what was stuck', async () => {
  const { clock, faults } = make();
  let isOver = false;
  let rang = false;
  const again = (): void => void (isOver || clock.after(0, again));
  again();
  clock.after(500, () => {
    rang = true;
  });
  clock.onInput('stop', () => {
    isOver = true;
  });
  await expect(clock.advance({ seconds: 1 })).rejects.toThrow('Time stands still');
  expect(rang).toBe(false);
  await clock.input('stop', undefined);
  await clock.advance({ seconds: 1 });
  expect(rang).toBe(true);
  expect(faults).toHaveLength(1);
});

test('many steps are no trouble while the clock moves', async () => {
  const { clock, faults } = make();
  let left = 400_000;
  const work = (): void => {
    if (--left > 0) void (left % 1000 === 0 ? clock.after(0.001, work) : clock.soon(work));
  };
  work();
  await clock.advance({ seconds: 10 });
  expect([left, faults.length]).toEqual([0, 0]);
});
