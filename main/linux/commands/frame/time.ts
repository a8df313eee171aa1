// Calendar time: strftime(3), the zone a process lives in, and the dates `date -d` and `touch -d` understand.
import type { Process } from '../../kernel/index.ts';

export interface Zone {
  readonly name: string;
  /** Seconds east of Greenwich. */
  readonly offset: number;
}

export const UTC: Zone = { name: 'UTC', offset: 0 };

/** Zones without daylight saving that labs use. Differs: zones with daylight saving keep their standard time. */
const ZONES: Readonly<Record<string, Zone>> = {
  'Asia/Shanghai': { name: 'CST', offset: 28_800 },
  PRC: { name: 'CST', offset: 28_800 },
  'Asia/Hong_Kong': { name: 'HKT', offset: 28_800 },
  'Asia/Taipei': { name: 'CST', offset: 28_800 },
  'Asia/Singapore': { name: '+08', offset: 28_800 },
  'Asia/Tokyo': { name: 'JST', offset: 32_400 },
  'Asia/Kolkata': { name: 'IST', offset: 19_800 },
  'Europe/London': { name: 'GMT', offset: 0 },
  'Europe/Berlin': { name: 'CET', offset: 3600 },
  'Europe/Paris': { name: 'CET', offset: 3600 },
  'America/New_York': { name: 'EST', offset: -18_000 },
  'America/Los_Angeles': { name: 'PST', offset: -28_800 },
};

/** Names of the zones that there are besides UTC. */
export const ZONE_NAMES: readonly string[] = Object.keys(ZONES);

/** The zone of $TZ, else of /etc/localtime, else UTC. */
export function zoneOf(proc: Process): Zone {
  const tz = proc.env.get('TZ');
  if (tz !== undefined && tz !== '') return zoneNamed(tz.replace(/^:/, ''));
  try {
    const target = proc.fs.readlink('/etc/localtime');
    return zoneNamed(target.slice(target.indexOf('zoneinfo/') + 'zoneinfo/'.length));
  } catch {
    return UTC; // No /etc/localtime: libc uses UTC.
  }
}

function zoneNamed(name: string): Zone {
  const known = ZONES[name];
  if (known !== undefined) return known;
  const posix = /^<?([A-Za-z+\-0-9]{3,}?)>?([+-]?\d{1,2})(?::(\d\d))?$/.exec(name);
  if (posix !== null) {
    const sign = posix[2]!.startsWith('-') ? 1 : -1;
    return {
      name: posix[1]!,
      offset: sign * (Math.abs(Number(posix[2])) * 3600 + Number(posix[3] ?? 0) * 60),
    };
  }
  return UTC;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function pad(value: number, width = 2, fill = '0'): string {
  return String(value).padStart(width, fill);
}

function offsetText(zone: Zone, separator: string): string {
  const minutes = Math.abs(zone.offset) / 60;
  return `${zone.offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`;
}

/** strftime(3) with GNU date's flags (`%-d`, `%_H`, `%^a`, `%3N`). */
export function strftime(format: string, instantMs: number, zone: Zone): string {
  const date = new Date(Math.floor(instantMs) + zone.offset * 1000);
  const nanos = pad(Math.floor((instantMs - Math.floor(instantMs / 1000) * 1000) * 1e6), 9);
  const field = (letter: string): [text: string, fill: string] | undefined => {
    const number = (value: number, width = 2, fill = '0'): [string, string] => [
      pad(value, width, fill),
      fill,
    ];
    const year = date.getUTCFullYear();
    const hour = date.getUTCHours();
    const yearDay = Math.floor(
      (Date.UTC(year, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(year, 0, 1)) / 86_400_000,
    );
    switch (letter) {
      case 'a':
        return [DAYS[date.getUTCDay()]!.slice(0, 3), ''];
      case 'A':
        return [DAYS[date.getUTCDay()]!, ''];
      case 'b':
      case 'h':
        return [MONTHS[date.getUTCMonth()]!.slice(0, 3), ''];
      case 'B':
        return [MONTHS[date.getUTCMonth()]!, ''];
      case 'c':
        return [strftime('%a %b %e %H:%M:%S %Y', instantMs, zone), ''];
      case 'C':
        return number(Math.floor(year / 100));
      case 'd':
        return number(date.getUTCDate());
      case 'D':
      case 'x':
        return [strftime('%m/%d/%y', instantMs, zone), ''];
      case 'e':
        return number(date.getUTCDate(), 2, ' ');
      case 'F':
        return [strftime('%Y-%m-%d', instantMs, zone), ''];
      case 'G':
        return number(isoWeek(date).year, 4);
      case 'g':
        return number(isoWeek(date).year % 100);
      case 'H':
        return number(hour);
      case 'I':
        return number(hour % 12 === 0 ? 12 : hour % 12);
      case 'j':
        return number(yearDay + 1, 3);
      case 'k':
        return number(hour, 2, ' ');
      case 'l':
        return number(hour % 12 === 0 ? 12 : hour % 12, 2, ' ');
      case 'm':
        return number(date.getUTCMonth() + 1);
      case 'M':
        return number(date.getUTCMinutes());
      case 'n':
        return ['\n', ''];
      case 'N':
        return [nanos, '0'];
      case 'p':
        return [hour < 12 ? 'AM' : 'PM', ''];
      case 'P':
        return [hour < 12 ? 'am' : 'pm', ''];
      case 'q':
        return [String(Math.floor(date.getUTCMonth() / 3) + 1), ''];
      case 'r':
        return [strftime('%I:%M:%S %p', instantMs, zone), ''];
      case 'R':
        return [strftime('%H:%M', instantMs, zone), ''];
      case 's':
        return [String(Math.floor(instantMs / 1000)), ''];
      case 'S':
        return number(date.getUTCSeconds());
      case 't':
        return ['\t', ''];
      case 'T':
      case 'X':
        return [strftime('%H:%M:%S', instantMs, zone), ''];
      case 'u':
        return [String(date.getUTCDay() === 0 ? 7 : date.getUTCDay()), ''];
      case 'U':
        return number(Math.floor((yearDay + 7 - date.getUTCDay()) / 7));
      case 'V':
        return number(isoWeek(date).week);
      case 'w':
        return [String(date.getUTCDay()), ''];
      case 'W':
        return number(Math.floor((yearDay + 7 - ((date.getUTCDay() + 6) % 7)) / 7));
      case 'y':
        return number(year % 100);
      case 'Y':
        return [String(year), '0'];
      case 'z':
        return [offsetText(zone, ''), ''];
      case ':z':
        return [offsetText(zone, ':'), ''];
      case 'Z':
        return [zone.name, ''];
      case '%':
        return ['%', ''];
      default:
        return undefined;
    }
  };
  return format.replaceAll(
    /%([-_0^#]*)(\d*)(:?[A-Za-z%])/g,
    (whole, flags: string, width: string, letter: string) => {
      const found = field(letter);
      if (found === undefined) return whole;
      let [text] = found;
      if (letter === 'N' && width !== '') return text.slice(0, Number(width));
      if (flags.includes('-')) text = text.replace(/^[0 ]+(?=\d)/, '');
      if (flags.includes('_')) text = text.replace(/^0+(?=\d)/, (zeros) => ' '.repeat(zeros.length));
      if (flags.includes('0') && found[1] === ' ') text = text.replaceAll(' ', '0');
      if (flags.includes('^')) text = text.toUpperCase();
      if (width !== '') text = text.padStart(Number(width), found[1] === '' ? ' ' : found[1]);
      return text;
    },
  );
}

function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getTime());
  thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() === 0 ? 7 : date.getUTCDay()));
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 604_800_000) + 1 };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  sec: 1000,
  second: 1000,
  min: 60_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  fortnight: 1_209_600_000,
};

/** An instant in the words of `date -d`; undefined if it can't be understood. */
export function parseDate(text: string, nowMs: number, zone: Zone): number | undefined {
  let rest = text.trim();
  const epoch = /^@(-?\d+(?:\.\d+)?)$/.exec(rest);
  if (epoch !== null) return Number(epoch[1]) * 1000;

  let offset = zone.offset;
  const local = new Date(Math.floor(nowMs) + offset * 1000);
  const parts = {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    ms: local.getUTCMilliseconds(),
  };
  const midnight = (): void => void Object.assign(parts, { hour: 0, minute: 0, second: 0, ms: 0 });
  const add = { month: 0, ms: 0 };
  let timed = false;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest);
    if (match !== null) rest = rest.slice(match[0].length).trimStart();
    return match;
  };

  while (rest !== '') {
    let m: RegExpExecArray | null;
    if (
      (m = take(/^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](?=\d{1,2}:))?/)) !== null ||
      (m = take(/^(\d{4})(\d\d)(\d\d)\b/)) !== null
    ) {
      Object.assign(parts, { year: Number(m[1]), month: Number(m[2]) - 1, day: Number(m[3]) });
      if (parts.month > 11 || parts.day > 31 || parts.month < 0 || parts.day < 1) return undefined;
      if (!timed) midnight();
    } else if ((m = take(/^(\d{1,2})\/(\d{1,2})\/(\d{4})/)) !== null) {
      Object.assign(parts, { year: Number(m[3]), month: Number(m[1]) - 1, day: Number(m[2]) });
      if (!timed) midnight();
    } else if ((m = take(/^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:\s*(am|pm))?/i)) !== null) {
      timed = true;
      const hour = Number(m[1]);
      const half = m[5]?.toLowerCase();
      Object.assign(parts, {
        hour: half === undefined ? hour : (hour % 12) + (half === 'pm' ? 12 : 0),
        minute: Number(m[2]),
        second: Number(m[3] ?? 0),
        ms: Number(`0.${m[4] ?? '0'}`) * 1000,
      });
      if (parts.hour > 24 || parts.minute > 59 || parts.second > 60) return undefined;
    } else if ((m = take(/^(?:Z|UTC|GMT)\b/i)) !== null) offset = 0;
    else if (timed && (m = take(/^([+-])(\d\d):?(\d\d)\b/)) !== null)
      offset = (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 3600 + Number(m[3]) * 60);
    else if (
      (m = take(
        /^([+-]?\s*\d+)?\s*(sec|second|min|minute|hour|day|week|fortnight|month|year)s?\b(\s+ago\b)?/i,
      )) !== null
    ) {
      const count =
        (m[1] === undefined ? 1 : Number(m[1].replaceAll(/\s/g, ''))) * (m[3] === undefined ? 1 : -1);
      const unit = m[2]!.toLowerCase();
      if (unit === 'month') add.month += count;
      else if (unit === 'year') add.month += 12 * count;
      else add.ms += count * (UNIT_MS[unit] ?? 0);
    } else if ((m = take(/^(now|today|yesterday|tomorrow|noon|midnight)\b/i)) !== null) {
      const word = m[1]!.toLowerCase();
      if (word === 'yesterday') add.ms -= 86_400_000;
      else if (word === 'tomorrow') add.ms += 86_400_000;
      else if (word === 'noon' || word === 'midnight') {
        midnight();
        parts.hour = word === 'noon' ? 12 : 0;
      }
    } else if (
      (m = take(
        /^(?:(\d{1,2})[ -])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:[ -](\d{1,2})(?!\d|:))?,?(?:[ -](\d{4}))?/i,
      )) !== null
    ) {
      parts.month = MONTHS.findIndex((month) => month.toLowerCase().startsWith(m![2]!.toLowerCase()));
      parts.day = Number(m[1] ?? m[3] ?? 1);
      if (m[4] !== undefined) parts.year = Number(m[4]);
      if (!timed) midnight();
    } else if ((m = take(/^(\d{4})(?!\d)/)) !== null) parts.year = Number(m[1]);
    else if ((m = take(/^(next|last)\s+(sec|second|min|minute|hour|day|week|month|year)\b/i)) !== null) {
      const sign = m[1]!.toLowerCase() === 'next' ? 1 : -1;
      const unit = m[2]!.toLowerCase();
      if (unit === 'month' || unit === 'year') add.month += sign * (unit === 'year' ? 12 : 1);
      else add.ms += sign * (UNIT_MS[unit] ?? 0);
    } else if ((m = take(/^(sun|mon|tue|wed|thu|fri|sat)[a-z]*,?/i)) !== null) {
      // A day's name beside a date only repeats it.
    } else return undefined;
  }
  const instant =
    Date.UTC(
      parts.year,
      parts.month + add.month,
      parts.day,
      parts.hour,
      parts.minute,
      parts.second,
      parts.ms,
    ) -
    offset * 1000 +
    add.ms;
  return Number.isFinite(instant) ? instant : undefined;
}
