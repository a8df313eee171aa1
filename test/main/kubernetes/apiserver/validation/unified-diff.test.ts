import { expect, test } from 'vitest';
import { diffOf } from '../../../../../main/kubernetes/apiserver/validation/unified-diff.ts';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

test('equal values have no difference', () => {
  expect(diffOf({ a: [1, 2] }, { a: [1, 2] })).toBe('');
});

test('a changed line stands between three lines of context', () => {
  const [before, after] = [numbered(9), numbered(9)];
  after[4] = 'changed';
  expect(diffOf(before, after)).toBe(
    [
      '@@ -3,7 +3,7 @@',
      '  "line 1",',
      '  "line 2",',
      '  "line 3",',
      '- "line 4",',
      '+ "changed",',
      '  "line 5",',
      '  "line 6",',
      '  "line 7",',
      '',
    ].join('\n'),
  );
});

test('changes that are far from each other have a hunk each, near ones share it', () => {
  const before = numbered(40);
  const far = before.with(5, 'x').with(30, 'y');
  const near = before.with(5, 'x').with(9, 'y');
  const hunks = (text: string): number => text.split('\n').filter((line) => line.startsWith('@@')).length;
  expect(hunks(diffOf(before, far))).toBe(2);
  expect(hunks(diffOf(before, near))).toBe(1);
});

test('lines that only come or only go are marked so, and an empty side begins before its line', () => {
  expect(diffOf([], ['a'])).toBe('@@ -1 +1,3 @@\n-[]\n+[\n+ "a"\n+]\n');
  expect(diffOf({ a: 1, b: 2 }, { a: 1 })).toBe('@@ -1,4 +1,3 @@\n {\n- "a": 1,\n- "b": 2\n+ "a": 1\n }\n');
});

test('in a long text a line that is everywhere does not anchor a match', () => {
  const before = Array.from({ length: 300 }, (_, index) => (index % 3 === 0 ? 'often' : `rare ${index}`));
  const after = before.toSpliced(150, 1);
  expect(diffOf(before, after)).toBe(
    [
      '@@ -149,7 +149,6 @@',
      '  "often",',
      '  "rare 148",',
      '  "rare 149",',
      '- "often",',
      '  "rare 151",',
      '  "rare 152",',
      '  "often",',
      '',
    ].join('\n'),
  );
});
