// OnCalendar=: when an expression comes due next. systemd.time(7), CALENDAR EVENTS. Times are UTC, as the machines' zone.

interface Field {
  matches(value: number): boolean;
}

export interface Calendar {
  /** The first instant after `afterMs`, or undefined if there is none within some years. */
  next(afterMs: number): number | undefined;
}

const SHORTHANDS: Readonly<Record<string, string>> = {
  minutely: '*-*-* *:*:00',
  hourly: '*-*-* *:00:00',
  daily: '*-*-* 00:00:00',
  midnight: '*-*-* 00:00:00',
  weekly: 'Mon *-*-* 00:00:00',
  monthly: '*-*-01 00:00:00',
  yearly: '*-01-01 00:00:00',
  annually: '*-01-01 00:00:00',
  quarterly: '*-01,04,07,10-01 00:00:00',
  semiannually: '*-01,07-01 00:00:00',
};
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const YEARS_MAX = 30;
const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** Undefined for what isn't an expression. */
export function parseCalendar(text: string): Calendar | undefined {
  const words = (SHORTHANDS[text.trim().toLowerCase()] ?? text.trim()).replace(/\s+UTC$/, '').split(/\s+/);
  const weekdays = /^[A-Za-z]/.test(words[0] ?? '') ? weekdayField(words.shift()!) : ANY;
  const date = words[0]?.includes('-') === true ? words.shift()! : '*-*-*';
  const time = words.shift() ?? '00:00:00';
  if (weekdays === undefined || words.length > 0 || !time.includes(':')) return undefined;
  const dateParts = date.split('-');
  const [year, month, day] = dateParts.length === 2 ? ['*', ...dateParts] : dateParts;
  const [hour, minute, second = '00'] = time.split(':');
  const fields = [
    field(year, 1970),
    field(month, 1),
    field(day, 1),
    field(hour, 0),
    field(minute, 0),
    field(second, 0),
  ];
  if (fields.includes(undefined)) return undefined;
  const [years, months, days, hours, minutes, seconds] = fields as Field[];
  return {
    next(afterMs) {
      let at = Math.floor(afterMs / SECOND_MS) * SECOND_MS + SECOND_MS;
      const limit = at + YEARS_MAX * 366 * DAY_MS;
      while (at < limit) {
        const now = new Date(at);
        const fits =
          years!.matches(now.getUTCFullYear()) &&
          months!.matches(now.getUTCMonth() + 1) &&
          days!.matches(now.getUTCDate()) &&
          weekdays.matches(now.getUTCDay());
        if (!fits) at = Math.floor(at / DAY_MS) * DAY_MS + DAY_MS;
        else if (!hours!.matches(now.getUTCHours())) at = Math.floor(at / 3_600_000) * 3_600_000 + 3_600_000;
        else if (!minutes!.matches(now.getUTCMinutes())) at = Math.floor(at / 60_000) * 60_000 + 60_000;
        else if (!seconds!.matches(now.getUTCSeconds())) at += SECOND_MS;
        else return at;
      }
      return undefined;
    },
  };
}

const ANY: Field = { matches: () => true };

function field(text: string | undefined, least: number): Field | undefined {
  if (text === undefined || text === '') return undefined;
  if (text === '*') return ANY;
  const parts = text.split(',').map((part) => {
    const match = /^(\*|\d+)(?:\.\.(\d+))?(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const from = match[1] === '*' ? least : Number(match[1]);
    const step = match[3] === undefined ? undefined : Number(match[3]);
    const to =
      match[2] === undefined ? (step === undefined ? from : Number.POSITIVE_INFINITY) : Number(match[2]);
    return (value: number): boolean => value >= from && value <= to && (value - from) % (step ?? 1) === 0;
  });
  if (parts.includes(undefined)) return undefined;
  return { matches: (value) => parts.some((part) => part!(value)) };
}

function weekdayField(text: string): Field | undefined {
  const wanted = new Set<number>();
  for (const part of text.toLowerCase().replace(/,$/, '').split(',')) {
    const [from, to] = part.split('..').map((name) => DAYS.indexOf(name.slice(0, 3)));
    if (from === undefined || from < 0 || (to !== undefined && to < 0)) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      wanted.add(day);
      if (day === (to ?? from)) break;
    }
  }
  return { matches: (value) => wanted.has(value) };
}
