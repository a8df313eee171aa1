// Durations as lab files write them: `30s`, `2m`, `1h30m`, as Go's time.ParseDuration reads them.

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration in ms. Throws RangeError with a sentence for a person. */
export function parseDuration(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new RangeError(`"${text}" is not a duration; write it as 30s, 2m or 1h30m`);
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * UNITS_MS[unit!]!;
  return total;
}
