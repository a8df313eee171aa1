import { expect, test } from 'vitest';
import { wordWrapped } from '../../../../../../main/kubernetes/kubectl/commands/explain/word-wrap.ts';

test('words go to the next line where they would pass the width', () => {
  expect(wordWrapped('one two three four', 9)).toBe('one two\nthree\nfour');
});

test('lines of the text stay apart, and blanks before a word that fits stay', () => {
  expect(wordWrapped('a\n  b c\n\nd', 9)).toBe('a\n  b c\n\nd');
});

test('a word longer than a line stays whole', () => {
  expect(wordWrapped('see https://example.com/page now', 10)).toBe('see\nhttps://example.com/page\nnow');
});
