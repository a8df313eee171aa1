// Lengths of time as unit files write them and systemctl prints them. systemd.time(7).

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  usec: 0.001,
  ms: 1,
  msec: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
  month: 2_629_800_000,
  months: 2_629_800_000,
  M: 2_629_800_000,
  y: 31_557_600_000,
  year: 31_557_600_000,
  years: 31_557_600_000,
};

/** ms of `2min 30s`; a bare number is seconds, `infinity` is Infinity. Undefined for what makes no sense. */
export function parseTimeSpan(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'infinity') return Number.POSITIVE_INFINITY;
  if (!/^(?:\d+(?:\.\d+)?\s*[a-zA-Z]*\s*)+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([a-zA-Z]*)/g)) {
    const scale = unit === '' ? 1000 : UNITS[unit!];
    if (scale === undefined) return undefined;
    total += Number(amount) * scale;
  }
  return total;
}

/** `3min 31s ago`, `1 day 10h left`: systemd's format_timestamp_relative, without the last word. */
export function formatRelative(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minute, hour, day, week, month, year] = [60, 3600, 86_400, 604_800, 2_629_800, 31_557_600] as const;
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  if (seconds >= year) {
    const months = Math.floor((seconds % year) / month);
    return `${plural(Math.floor(seconds / year), 'year')} ${plural(months, 'month')}`;
  }
  if (seconds >= month) {
    const days = Math.floor((seconds % month) / day);
    return `${plural(Math.floor(seconds / month), 'month')} ${plural(days, 'day')}`;
  }
  if (seconds >= week) {
    const days = Math.floor((seconds % week) / day);
    const weeks = plural(Math.floor(seconds / week), 'week');
    return days === 0 ? weeks : `${weeks} ${plural(days, 'day')}`;
  }
  if (seconds >= 2 * day) return `${Math.floor(seconds / day)} days`;
  if (seconds >= 25 * hour) return `1 day ${Math.floor((seconds - day) / hour)}h`;
  if (seconds >= 6 * hour) return `${Math.floor(seconds / hour)}h`;
  if (seconds >= hour) return `${Math.floor(seconds / hour)}h ${Math.floor((seconds % hour) / minute)}min`;
  if (seconds >= 5 * minute) return `${Math.floor(seconds / minute)}min`;
  if (seconds >= minute) return `${Math.floor(seconds / minute)}min ${seconds % minute}s`;
  if (seconds > 0) return `${seconds}s`;
  return ms > 0 ? `${Math.floor(ms)}ms` : 'now';
}
