// The lines between Services and what answers for them.
import { expect, test } from 'vitest';

import { wirePath } from '../../../renderer/topology/wire-path.ts';

test('a line goes down, along its lane, down beside the Pod, and in from the left', () => {
  const path = wirePath({ x: 100, y: 0 }, { x: 300, y: 200 }, 0, 'left');
  expect(path.startsWith('M100 0')).toBe(true);
  expect(path.endsWith('L300 200')).toBe(true);
  expect(path).toContain('Q100 11');
  expect(path).toContain('Q292 11');
  expect(path).toContain('Q292 200');
});

test('lines of different Services run beside each other', () => {
  const from = { x: 0, y: 0 };
  const to = { x: 300, y: 200 };
  expect(wirePath(from, to, 0, 'left')).not.toBe(wirePath(from, to, 1, 'left'));
});

test('a line straight down has no broken numbers', () => {
  expect(wirePath({ x: 50, y: 0 }, { x: 50, y: 100 }, 0, 'top')).not.toContain('NaN');
});
