// Load averages follow what runs, as uptime(1) shows them.
import { expect, test } from 'vitest';
import { LoadAverage } from '../../../../main/linux/kernel/load-average.ts';

test('two processes that run for a minute bring the first average to about 1.26, and rest takes it down', () => {
  const load = new LoadAverage(0);
  for (let now = 0; now <= 60_000; now += 10) load.spend(20, now);
  const [one, five, fifteen] = load.at(60_000);
  expect(one).toBeCloseTo(2 * (1 - Math.exp(-1)), 1);
  expect(five).toBeCloseTo(2 * (1 - Math.exp(-1 / 5)), 1);
  expect(fifteen).toBeCloseTo(2 * (1 - Math.exp(-1 / 15)), 1);
  expect(load.at(360_000)[0]).toBeLessThan(0.05);
});

test('nothing ran, nothing shows', () => {
  expect(new LoadAverage(5).at(1_000_000)).toEqual([0, 0, 0]);
});
