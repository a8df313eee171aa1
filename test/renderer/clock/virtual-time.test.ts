// The clock bar's time.
import { expect, test } from 'vitest';

import { reckon, timeText } from '../../../renderer/clock/virtual-time.ts';

const clock = { nowMs: 1_000, paused: false, speed: 10, skipping: false };

test('between two messages time goes on at the clock’s speed', () => {
  expect(reckon(clock, 100, 350)).toBe(3_500);
});

test('a paused clock stands, and so does one that skips, until the engine says where it is', () => {
  expect(reckon({ ...clock, paused: true }, 100, 350)).toBe(1_000);
  expect(reckon({ ...clock, skipping: true }, 100, 350)).toBe(1_000);
});

test('time is shown as the machines show it, in UTC', () => {
  expect(timeText(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toBe('2026-01-02 03:04:05');
});
