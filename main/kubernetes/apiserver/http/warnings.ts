// Warning headers, and how long they may grow (apiserver's WithWarningRecorder).

/** Characters that all warnings of an answer may have together before they are cut short. */
const TOTAL_CHARACTERS_MAX = 4096;
/** Characters of one warning once they are cut short. */
const CUT_CHARACTERS = 256;

/** Warnings as headers, each once. One with a control character can't be a header and is left out. */
export function warningHeaders(warnings: readonly string[]): (readonly [string, string])[] {
  const texts = [...new Set(warnings)].filter((text) => text !== '' && !/\p{Cc}/u.test(text));
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  return (total <= TOTAL_CHARACTERS_MAX ? texts : cutShort(texts)).map(
    (text) => ['warning', `299 - "${text.replace(/["\\]/g, String.raw`\$&`)}"`] as const,
  );
}

function cutShort(texts: readonly string[]): string[] {
  const cut: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= TOTAL_CHARACTERS_MAX) break;
    const characters = [...text].slice(0, CUT_CHARACTERS);
    written += characters.length;
    cut.push(characters.join(''));
  }
  return cut;
}
