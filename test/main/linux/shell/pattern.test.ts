import { expect, test } from 'vitest';
import { findMatch, isPattern, matchEnd, matchesPattern } from '../../../../main/linux/shell/pattern.ts';

const extglob = { extglob: true };

test.each([
  ['abc', 'a*', true],
  ['abc', '?b?', true],
  ['abc', '[!b]*', true],
  ['a]c', 'a[]]c', true],
  ['a-c', 'a[a-]c', true],
  ['A1', '[[:upper:]][[:digit:]]', true],
  ['a*c', 'a\\*c', true],
  ['abc', 'a\\*c', false],
  ['', '*', true],
  ['日本', '??', true],
  ['[x', '[x', true],
  ['a\nb', 'a?b', true],
])('%j against %j is %s', (text, pattern, expected) => {
  expect(matchesPattern(text, pattern)).toBe(expected);
});

test.each([
  ['foo', '@(foo|bar)', true],
  ['foofoo', '+(foo)', true],
  ['', '*(a)', true],
  ['baz', '!(foo|bar)', true],
  ['foo', '!(foo|bar)', false],
  ['a.txt', '!(*.txt)', false],
  ['a.log', '!(*.txt)', true],
  ['foobar', 'foo!(baz)', true],
  ['ab', '?(a)b', true],
])('%j against the extended %j is %s', (text, pattern, expected) => {
  expect(matchesPattern(text, pattern, extglob)).toBe(expected);
});

test('trimming finds the shortest and the longest end', () => {
  expect(matchEnd('a.b.c', '*.', 'prefix', false, {})).toBe(2);
  expect(matchEnd('a.b.c', '*.', 'prefix', true, {})).toBe(4);
  expect(matchEnd('a.b.c', '.*', 'suffix', false, {})).toBe(3);
  expect(matchEnd('abc', 'x', 'prefix', true, {})).toBeUndefined();
});

test('the first match is found where it is longest', () => {
  expect(findMatch('xaab', 'a*', 0, {})).toEqual({ start: 1, end: 4 });
  expect(findMatch('foobar', '@(o|oo)', 0, extglob)).toEqual({ start: 1, end: 3 });
});

test('a quoted star is no pattern', () => {
  expect(isPattern('a\\*', false)).toBe(false);
  expect(isPattern('a*', false)).toBe(true);
});
