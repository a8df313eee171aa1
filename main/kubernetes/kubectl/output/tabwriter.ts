// Go's text/tabwriter as kubectl describe sets it up: columns of adjacent lines end where their tabs stand, two blanks apart.

const PADDING = 2;

/** Text with tabs as aligned columns. A line without tabs ends the columns above it. */
export function alignTabs(text: string): string {
  const isEnded = text.endsWith('\n');
  const lines = (isEnded ? text.slice(0, -1) : text).split('\n').map((line) => line.split('\t'));
  const out: string[] = lines.map(() => '');
  layOut(lines, out, 0, lines.length, []);
  return out.join('\n') + (isEnded ? '\n' : '');
}

/** Lays out `from` to `to`, whose first columns are already as wide as `widths` says (tabwriter's format). */
function layOut(
  lines: readonly (readonly string[])[],
  out: string[],
  from: number,
  to: number,
  widths: readonly number[],
): void {
  const column = widths.length;
  let start = from;
  let at = from;
  while (at < to) {
    if (column >= lines[at]!.length - 1) {
      at++;
      continue;
    }
    for (; start < at; start++) out[start] = lineText(lines[start]!, widths);
    let end = at;
    let width = 0;
    for (; end < to && column < lines[end]!.length - 1; end++)
      width = Math.max(width, Array.from(lines[end]![column]!).length + PADDING);
    layOut(lines, out, at, end, [...widths, width]);
    start = at = end;
  }
  for (; start < to; start++) out[start] = lineText(lines[start]!, widths);
}

function lineText(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) =>
      index < widths.length ? cell + ' '.repeat(Math.max(0, widths[index]! - Array.from(cell).length)) : cell,
    )
    .join('');
}
