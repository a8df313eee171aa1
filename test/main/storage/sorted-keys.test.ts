import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedKeys } from '../../../main/storage/sorted-keys.ts';

test('prefix listing equals that of a sorted set, whatever was added and deleted', () => {
  const key = fc.stringMatching(/^[ab/]{1,6}$/);
  fc.assert(
    fc.property(fc.array(fc.record({ key, add: fc.boolean() }), { maxLength: 200 }), key, (steps, prefix) => {
      const keys = new SortedKeys();
      const model = new Set<string>();
      for (const step of steps) {
        if (step.add && !model.has(step.key)) keys.add(step.key);
        if (!step.add) keys.delete(step.key);
        if (step.add) model.add(step.key);
        else model.delete(step.key);
      }
      expect(keys.withPrefix(prefix)).toEqual([...model].filter((each) => each.startsWith(prefix)).sort());
    }),
  );
});

test('many keys stay in order across chunks', () => {
  const keys = new SortedKeys();
  for (let i = 0; i < 5000; i++) keys.add(`/k/${String((i * 7919) % 5000).padStart(5, '0')}`);
  expect(keys.withPrefix('/k/')).toHaveLength(5000);
  expect(keys.withPrefix('/k/0499')).toEqual(Array.from({ length: 10 }, (_, i) => `/k/0499${i}`));
});
