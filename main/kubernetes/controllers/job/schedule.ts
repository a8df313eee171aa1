// Cron schedules: the five fields, the @ names, and the next moment they mean in a time zone (robfig/cron).

/** The fields as sets of values; `starred` fields don't restrict the day. */
export interface Schedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const NAMED: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MINUTE_MS = 60_000;
/** A schedule that hasn't come up for this long never will. */
const SEARCH_YEARS = 5;

/** Parses a schedule; undefined if it isn't one. */
export function parseSchedule(text: string): Schedule | undefined {
  const fields = (NAMED[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const [minutes, hours, days, months, weekdays] = [
    parseField(fields[0]!, 0, 59),
    parseField(fields[1]!, 0, 23),
    parseField(fields[2]!, 1, 31),
    parseField(fields[3]!, 1, 12, MONTHS, 1),
    parseField(fields[4]!, 0, 7, WEEKDAYS),
  ];
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  if (weekdays.has(7)) weekdays.add(0); // Both are Sunday.
  const isAny = (field: string): boolean => field.startsWith('*') || field.startsWith('?');
  return { minutes, hours, days, months, weekdays, anyDay: isAny(fields[2]!), anyWeekday: isAny(fields[4]!) };
}

function parseField(
  field: string,
  min: number,
  max: number,
  names: readonly string[] = [],
  offset = 0,
): Set<number> | undefined {
  const values = new Set<number>();
  const valueOf = (text: string): number => {
    const index = names.indexOf(text.toLowerCase());
    return index >= 0 ? index + offset : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  };
  for (const part of field.split(',')) {
    const match = /^(\*|\?|[^-/]+)(?:-([^/]+))?(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const [, start = '', end, step = '1'] = match;
    const isAny = start === '*' || start === '?';
    const first = isAny ? min : valueOf(start);
    const last = isAny ? max : end === undefined ? (match[3] === undefined ? first : max) : valueOf(end);
    if (!(first >= min && last <= max && first <= last && Number(step) > 0)) return undefined;
    for (let value = first; value <= last; value += Number(step)) values.add(value);
  }
  return values;
}

/** The first moment after `afterMs` (ms since the epoch) that the schedule means; undefined if there is none. */
export function nextTime(schedule: Schedule, afterMs: number, timeZone = 'UTC'): number | undefined {
  const local = localClock(timeZone);
  let ms = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  const limitMs = afterMs + SEARCH_YEARS * 366 * 24 * 60 * MINUTE_MS;
  while (ms < limitMs) {
    const time = local(ms);
    if (!schedule.months.has(time.month) || !dayMatches(schedule, time))
      ms += (24 * 60 - time.hour * 60 - time.minute) * MINUTE_MS;
    else if (!schedule.hours.has(time.hour)) ms += (60 - time.minute) * MINUTE_MS;
    else if (!schedule.minutes.has(time.minute)) ms += MINUTE_MS;
    else return ms;
  }
  return undefined;
}

interface LocalTime {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Both day fields restrict: either will do. One is a star: the other decides. */
function dayMatches({ days, weekdays, anyDay, anyWeekday }: Schedule, { day, weekday }: LocalTime): boolean {
  return anyDay || anyWeekday
    ? days.has(day) && weekdays.has(weekday)
    : days.has(day) || weekdays.has(weekday);
}

/** True if time zones of this name are known. */
export function isTimeZone(name: string): boolean {
  try {
    localClock(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function localClock(timeZone: string): (ms: number) => LocalTime {
  if (timeZone === 'UTC') {
    return (ms) => {
      const date = new Date(ms);
      return {
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        weekday: date.getUTCDay(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
      };
    };
  }
  // oxlint-disable-next-line drydock/determinism -- Locale and zone are both given: nothing of the host's is read.
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (ms) => {
    const parts = new Map(format.formatToParts(new Date(ms)).map(({ type, value }) => [type, value]));
    return {
      month: Number(parts.get('month')),
      day: Number(parts.get('day')),
      weekday: WEEKDAYS.indexOf(parts.get('weekday')!.toLowerCase()),
      hour: Number(parts.get('hour')),
      minute: Number(parts.get('minute')),
    };
  };
}
