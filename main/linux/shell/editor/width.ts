// How many terminal cells text takes: 0 for combining marks, 2 for CJK and emoji.

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const ZERO = /^[\p{Mn}\p{Me}\u200b-\u200f\ufeff]$/u;
/** A sign asked to be shown as an emoji, and the two letters of a flag. */
const EMOJI_STYLE = /\ufe0f|^[\u{1f1e6}-\u{1f1ff}]{2}/u;
/** Emoji since Unicode 13.1, which xterm's tables have as narrow. */
const NEWER_EMOJI =
  /^[\u{1f6d8}-\u{1f6df}\u{1f7f0}\u{1f979}\u{1f9cc}\u{1fa75}-\u{1fa77}\u{1fa7b}\u{1fa7c}\u{1fa87}-\u{1fa8f}\u{1faa9}-\u{1faaf}\u{1fab7}-\u{1fabf}\u{1fac3}-\u{1facf}\u{1fad7}-\u{1faff}]/u;

/** Splits a text into what a person sees as characters. */
export function graphemes(text: string): string[] {
  if (/^[\x00-\x7f]*$/.test(text) && !text.includes('\r\n')) return [...text];
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Cells of one character; a control character shows as `^X`. */
export function cellWidth(grapheme: string): number {
  const first = String.fromCodePoint(grapheme.codePointAt(0) ?? 0);
  if (first < ' ' || first === '\x7f') return 2;
  if (ZERO.test(first)) return 0;
  if (grapheme.length > first.length && EMOJI_STYLE.test(grapheme)) return 2;
  if (WIDE.test(first)) return 2;
  return /^\p{Emoji_Presentation}/u.test(first) && !NEWER_EMOJI.test(first) ? 2 : 1;
}

export function textWidth(text: string): number {
  return graphemes(text).reduce((sum, each) => sum + cellWidth(each), 0);
}
