import { expect, test } from 'vitest';
import { warningHeaders } from '../../../../../main/kubernetes/apiserver/http/warnings.ts';

test('each warning is told once, its quotes and backslashes escaped', () => {
  expect(warningHeaders(['a "b" \\ ü', 'a "b" \\ ü', ''])).toEqual([
    ['warning', String.raw`299 - "a \"b\" \\ ü"`],
  ]);
});

test('a warning that no header can hold is left out', () => {
  expect(warningHeaders(['line\nbreak', 'good'])).toEqual([['warning', '299 - "good"']]);
});

test('too many characters are cut short, first of each warning and then of all', () => {
  const headers = warningHeaders(Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(1000)}`));
  expect(headers).toHaveLength(16);
  for (const [, value] of headers) expect(value).toHaveLength('299 - ""'.length + 256);
});
