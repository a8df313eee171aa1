import { expect, test } from 'vitest';
import { CidrPool } from '../../../../main/kubernetes/controllers/node-ipam.ts';

test('parts are handed out in turn, and those given back come round again', () => {
  const pool = new CidrPool('10.244.0.0/22', 24);
  pool.occupy('10.244.1.0/24');
  expect([pool.take(), pool.take()]).toEqual(['10.244.0.0/24', '10.244.2.0/24']);
  pool.release('10.244.0.0/24');
  expect([pool.take(), pool.take(), pool.take()]).toEqual(['10.244.3.0/24', '10.244.0.0/24', undefined]);
});

test('a part of another network is nobody’s business', () => {
  const pool = new CidrPool('10.244.0.0/24', 24);
  pool.occupy('192.168.0.0/24');
  expect(pool.take()).toBe('10.244.0.0/24');
});

test('a network without parts of that size is refused', () => {
  expect(() => new CidrPool('10.244.0.0/26', 24)).toThrow(RangeError);
});
