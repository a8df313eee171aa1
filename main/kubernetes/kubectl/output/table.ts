// Columns as kubectl's tabwriter sets them: three blanks between, cells padded to the widest of their column.

const GAP = 3;

/** Lines of a table, without header when `headers` is undefined. The last column isn't padded. */
export function formatTable(
  headers: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
): string {
  const lines = headers === undefined ? rows : [headers, ...rows];
  const widths: number[] = [];
  for (const line of lines) {
    for (const [index, cell] of line.entries()) {
      if (index < line.length - 1) widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell) + GAP);
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
