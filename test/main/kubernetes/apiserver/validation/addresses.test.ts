import { expect, test } from 'vitest';
import {
  addressProblems,
  containsRange,
  parseAddress,
  parseRange,
  rangeProblems,
} from '../../../../../main/kubernetes/apiserver/validation/addresses.ts';

test.each(['10.0.0.1', '::', '::1', '2001:db8::ff00:42:8329', '::ffff:1.2.3.4', '1:2:3:4:5:6:7:8'])(
  '%s is an address',
  (text) => {
    expect(addressProblems(text)).toEqual([]);
  },
);

test.each(['', '1.2.3', '256.1.1.1', '1.2.3.4.5', ':::', '1::2::3', '12345::', '1:2:3:4:5:6:7', 'a.b.c.d'])(
  '%j is none',
  (text) => {
    expect(addressProblems(text)).toEqual(['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']);
  },
);

test('leading zeros are refused by name', () => {
  expect(addressProblems('010.0.0.1')).toEqual(['must not have leading 0s']);
});

test('an embedded IPv4 address has the bytes of its groups', () => {
  expect(parseAddress('::ffff:1.2.3.4')?.bytes.slice(10)).toEqual([255, 255, 1, 2, 3, 4]);
});

test.each(['10.0.0.0/33', '10.0.0.0', '10.0.0.0/', '2001:db8::/129', 'x/8'])('%s is no range', (text) => {
  expect(rangeProblems(text)).toEqual(['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']);
});

test('a range holds those whose first bits are its own', () => {
  const holds = (outer: string, inner: string): boolean =>
    containsRange(parseRange(outer)!, parseRange(inner)!);
  expect(holds('10.0.0.0/8', '10.200.0.0/16')).toBe(true);
  expect(holds('10.0.0.0/15', '10.2.0.0/16')).toBe(false);
  expect(holds('10.0.0.0/16', '10.0.0.0/8')).toBe(false);
  expect(holds('2001:db8::/32', '2001:db8:1::/48')).toBe(true);
  expect(holds('::/0', '10.0.0.0/8')).toBe(false);
});
