// Lists words in columns, as readline shows possible completions.
import { textWidth } from '../editor/width.ts';

/** The rows of a list, sorted down the columns, or along the rows if `across`. */
export function columnRows(
  items: readonly string[],
  columns: number,
  { across = false }: { readonly across?: boolean } = {},
): string[] {
  // Readline doesn't count the slash that it shows behind a directory.
  const width = Math.max(...items.map((item) => textWidth(item.replace(/(?<=.)\/$/, '')))) + 2;
  let perRow = Math.floor(columns / width);
  if (perRow !== 1 && perRow * width === columns) perRow--;
  if (perRow <= 0) perRow = 1;
  const count = Math.ceil(items.length / perRow);
  return Array.from({ length: count }, (_, row) => {
    let text = '';
    for (let column = 0; column < perRow; column++) {
      const index = across ? row * perRow + column : row + column * count;
      const item = items[index];
      if (item === undefined) break;
      text += column + 1 < perRow ? item + ' '.repeat(Math.max(1, width - textWidth(item))) : item;
    }
    return text;
  });
}
