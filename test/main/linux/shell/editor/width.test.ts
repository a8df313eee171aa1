import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import xterm from '@xterm/headless';
import { expect, test } from 'vitest';
import { graphemes, textWidth } from '../../../../../main/linux/shell/editor/width.ts';

/** Letters, signs, CJK and emoji, sampled where there are many alike. */
const RANGES = [
  [0x20, 0x37f, 1],
  [0x400, 0x6ff, 7],
  [0x2010, 0x2bff, 1],
  [0x3000, 0x30ff, 1],
  [0x3400, 0x9fff, 97],
  [0xac00, 0xd7a3, 97],
  [0xff01, 0xffe6, 1],
  [0x1f000, 0x1f0ff, 1],
  [0x1f300, 0x1faff, 1],
  [0x20000, 0x2fffd, 997],
] as const;

test('characters are as wide as the terminal shows them', async () => {
  const characters = RANGES.flatMap(([from, to, step]) =>
    Array.from({ length: Math.ceil((to - from + 1) / step) }, (_, i) =>
      String.fromCodePoint(from + i * step),
    ),
  ).filter((c) => /^[\p{L}\p{N}\p{P}\p{S}\u0300-\u036f]$/u.test(c) && !/^[\u{1f3fb}-\u{1f3ff}]/u.test(c));
  const terminal = new xterm.Terminal({ cols: 8, rows: characters.length + 1, allowProposedApi: true });
  terminal.loadAddon(new UnicodeGraphemesAddon() as unknown as Parameters<typeof terminal.loadAddon>[0]);
  terminal.unicode.activeVersion = '15-graphemes';
  const text = characters.map((c) => `a${c}\x1b[7m|\x1b[m`).join('\r\n');
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const different = characters.filter((c, row) => {
    const line = terminal.buffer.active.getLine(row)!;
    const shown = Array.from({ length: 8 }, (_, i) => i).find((i) => line.getCell(i)!.isInverse() !== 0);
    return textWidth(`a${c}`) !== shown;
  });
  expect(different.map((c) => `U+${c.codePointAt(0)!.toString(16)} ${c}`)).toEqual([]);
});

test.each([
  ['👩‍👩‍👧', 2],
  ['👍🏽', 2],
  ['🇨🇳', 2],
  ['❤️', 2],
  ['한', 2],
  ['e\u0301\u0323', 1],
])('%s is one character', (text, width) => {
  expect(graphemes(text)).toEqual([text]);
  expect(textWidth(text)).toBe(width);
});
