// Lists words in columns, as readline shows possible completions.
import { textWidth } from '../editor/width.ts';

/** Sorted down the columns; each line ends in a newline. */
export function listColumns(items: readonly string[], columns: number): string {
  const width = Math.max(...items.map(textWidth)) + 2;
  let across = Math.floor(columns / width);
  if (across !== 1 && across * width === columns) across--;
  if (across === 0) across = 1;
  const rows = Math.ceil(items.length / across);
  let text = '';
  for (let row = 0; row < rows; row++) {
    for (let i = row; i < items.length; i += rows) {
      const item = items[i]!;
      text += i + rows < items.length ? item + ' '.repeat(width - textWidth(item)) : item;
    }
    text += '\n';
  }
  return text;
}
