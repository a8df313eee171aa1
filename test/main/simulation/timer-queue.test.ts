import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimerQueue } from '../../../main/simulation/timer-queue.ts';

test('timers come out by instant, then in the order they were added, without the cancelled ones', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ due: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 300 }),
      (wanted) => {
        const queue = new TimerQueue();
        const timers = wanted.map(({ due }) => queue.add(due, () => undefined));
        timers.forEach((timer, index) => wanted[index]!.cancelled && queue.cancel(timer));
        const expected = wanted
          .map(({ due, cancelled }, index) => ({ due, cancelled, index }))
          .filter(({ cancelled }) => !cancelled)
          .sort((a, b) => a.due - b.due || a.index - b.index)
          .map(({ index }) => index);
        expect(queue.size).toBe(expected.length);
        const seen: number[] = [];
        for (let timer = queue.pop(); timer !== undefined; timer = queue.pop()) seen.push(timer.sequence);
        expect(seen).toEqual(expected);
      },
    ),
  );
});
