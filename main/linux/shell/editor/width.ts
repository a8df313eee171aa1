// How many terminal cells text takes: 0 for combining marks, 2 for CJK and emoji.

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO = /^[\p{Mn}\p{Me}\u200b-\u200f\ufeff]$/u;

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
  return WIDE.test(first) ? 2 : 1;
}

export function textWidth(text: string): number {
  return graphemes(text).reduce((sum, each) => sum + cellWidth(each), 0);
}
