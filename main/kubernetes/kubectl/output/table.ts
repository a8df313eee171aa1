// Columns as kubectl's tabwriter sets them (cli-runtime printers.GetNewTabWriter): three blanks between, six characters at least.

const GAP = 3;
const WIDTH_MIN = 6;

/**
 * Lines of a table, without header when `headers` is undefined. The last column isn't padded. Tables that share
 * `widths` are parts of one: no column gets narrower than it was.
 */
export function formatTable(
  headers: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  widths: number[] = [],
): string {
  const lines = headers === undefined ? rows : [headers, ...rows];
  for (const line of lines) {
    for (const [index, cell] of line.entries()) {
      if (index < line.length - 1)
        widths[index] = Math.max(widths[index] ?? WIDTH_MIN, displayWidth(cell) + GAP);
    }
  }
  return lines
    .map((line) => {
      const text = line.map((cell, index) =>
        index < line.length - 1 ? cell + ' '.repeat(widths[index]! - displayWidth(cell)) : cell,
      );
      return `${text.join('')}\n`;
    })
    .join('');
}

/** text/tabwriter counts characters, wide or not. */
function displayWidth(text: string): number {
  return Array.from(text).length;
}
