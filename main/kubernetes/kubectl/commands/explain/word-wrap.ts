// Wraps words as github.com/mitchellh/go-wordwrap does: lines of the text stay apart, long words stay whole.

/** No line is longer than `columns` unless one word is. */
export function wordWrapped(text: string, columns: number): string {
  let out = '';
  let column = 0;
  let word = '';
  let space = '';
  const flush = (): void => {
    column += space.length + word.length;
    out += space + word;
    space = '';
    word = '';
  };
  for (const char of text) {
    if (char === '\n') {
      if (word === '' && column + space.length > columns) space = '';
      flush();
      out += '\n';
      column = 0;
    } else if (/\s/.test(char) && char !== '\u00a0') {
      if (space === '' || word !== '') flush();
      space += char;
    } else {
      word += char;
      if (column + space.length + word.length > columns && word.length < columns) {
        out += '\n';
        column = 0;
        space = '';
      }
    }
  }
  if (word !== '' || column + space.length <= columns) out += space + word;
  return out;
}
