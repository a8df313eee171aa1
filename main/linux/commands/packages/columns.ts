// How dnf shares a line's width among columns: those that gain most grow first, the rest is spread.

/** How many cells there are of each length, by column. */
export type Lengths = readonly ReadonlyMap<number, number>[];

export function countLengths(cells: readonly (readonly string[])[], columns: number): Map<number, number>[] {
  return Array.from({ length: columns }, (_, column) => {
    const counts = new Map<number, number>();
    for (const row of cells) counts.set(row[column]!.length, (counts.get(row[column]!.length) ?? 0) + 1);
    return counts;
  });
}

/** dnf's Output.calcColumns: widths that fill `total`. */
export function columnWidths(
  lengths: Lengths,
  {
    total,
    least,
    indent = 0,
    remainder,
  }: { total: number; least: readonly number[]; indent?: number; remainder: number },
): number[] {
  const pending = lengths.map((counts) => Array.from(counts).sort(([a], [b]) => a - b));
  const widths = [...least];
  let left = total - (widths.reduce((sum, width) => sum + width, 0) + widths.length - 1 + indent);
  while (left > 0) {
    let [best, chosen] = [0, -1];
    for (const [column, cells] of pending.entries()) {
      let helped = 0;
      for (const [length, count] of cells) {
        if (left < length - widths[column]!) break;
        helped += count;
      }
      if (helped === 0 || helped < best) continue;
      [best, chosen] = [helped, column];
    }
    if (chosen >= 0) {
      const difference = pending[chosen]!.shift()![0] - widths[chosen]!;
      widths[chosen]! += difference;
      left -= difference;
      continue;
    }
    const overflowing = pending.flatMap((cells, column) => (cells.length > 0 ? [column] : []));
    const share = overflowing.length === 0 ? 0 : Math.floor(left / overflowing.length);
    for (const column of overflowing) {
      widths[column]! += share;
      left -= share;
    }
    const spread = Math.floor(left / (widths.length - 1));
    for (let column = 0; column < widths.length - 1; column++) widths[column]! += spread;
    widths[remainder]! += left - (widths.length - 1) * spread;
    left = 0;
  }
  return widths;
}
