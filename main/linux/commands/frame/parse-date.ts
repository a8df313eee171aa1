// The dates `date -d` and `touch -d` understand (gnulib's parse_datetime).
import { wallToInstant, zoneNamed, type Zone } from './zone.ts';

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const DAYS = 'sun mon tue wed thu fri sat'.split(' ');
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
const ORDINALS: Readonly<Record<string, number>> = {
  last: -1,
  this: 0,
  next: 1,
  first: 1,
  third: 3,
  fourth: 4,
  fifth: 5,
  sixth: 6,
  seventh: 7,
  eighth: 8,
  ninth: 9,
  tenth: 10,
  eleventh: 11,
  twelfth: 12,
};
/** Seconds east of Greenwich. */
const ABBREVIATIONS: Readonly<Record<string, number>> = {
  gmt: 0,
  ut: 0,
  utc: 0,
  wet: 0,
  west: 3600,
  bst: 3600,
  art: -10_800,
  brt: -10_800,
  brst: -7200,
  nst: -12_600,
  ndt: -9000,
  ast: -14_400,
  adt: -10_800,
  clt: -14_400,
  clst: -10_800,
  est: -18_000,
  edt: -14_400,
  cst: -21_600,
  cdt: -18_000,
  mst: -25_200,
  mdt: -21_600,
  pst: -28_800,
  pdt: -25_200,
  akst: -32_400,
  akdt: -28_800,
  hst: -36_000,
  cet: 3600,
  cest: 7200,
  met: 3600,
  mez: 3600,
  mest: 7200,
  eet: 7200,
  eest: 10_800,
  cat: 7200,
  sast: 7200,
  eat: 10_800,
  msk: 10_800,
  msd: 14_400,
  ist: 19_800,
  sgt: 28_800,
  kst: 32_400,
  jst: 32_400,
  gst: 36_000,
  nzst: 43_200,
  nzdt: 46_800,
};

/** An instant in ms; undefined if the words can't be understood. */
export function parseDate(text: string, nowMs: number, zone: Zone): number | undefined {
  return new DateWords(text, nowMs, zone).instant();
}

class DateWords {
  private rest: string;
  private zone: Zone;
  private readonly nowMs: number;
  private date: { year: number; month: number; day: number } | undefined;
  private time: { hour: number; minute: number; second: number; ms: number } | undefined;
  private offset: number | undefined;
  private weekday: { day: number; ordinal: number } | undefined;
  private readonly add = { month: 0, day: 0, ms: 0 };
  private relative = false;
  private yearGiven = true;
  private readonly seen = { dates: 0, times: 0, days: 0, zones: 0 };

  constructor(text: string, nowMs: number, zone: Zone) {
    let rest = text.replaceAll(/\([^()]*\)/g, ' ').trim();
    this.zone = zone;
    this.nowMs = nowMs;
    const prefix = /^TZ="((?:[^"\\]|\\.)*)"\s*/.exec(rest);
    if (prefix !== null) {
      this.zone = zoneNamed(prefix[1]!);
      rest = rest.slice(prefix[0].length);
    }
    this.rest = rest;
  }

  instant(): number | undefined {
    const epoch = /^@\s*(-?\d+(?:[.,]\d+)?)$/.exec(this.rest);
    if (epoch !== null) return Number(epoch[1]!.replace(',', '.')) * 1000;
    while (this.rest !== '') if (!this.word()) return undefined;
    if (Math.max(this.seen.dates, this.seen.times, this.seen.days, this.seen.zones) > 1) return undefined;
    return this.put();
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    const match = pattern.exec(this.rest);
    if (match !== null) this.rest = this.rest.slice(match[0].length).replace(/^[\s,]+/, '');
    return match;
  }

  private setDate(year: number, month: number, day: number): boolean {
    this.date = { year, month, day };
    this.seen.dates++;
    return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  }

  private setTime(
    hour: number,
    minute: number,
    second: number,
    ms: number,
    half: string | undefined,
  ): boolean {
    this.seen.times++;
    let at = hour;
    if (half !== undefined) {
      if (hour < 1 || hour > 12) return false;
      at = (hour % 12) + (half.startsWith('p') ? 12 : 0);
    }
    this.time = { hour: at, minute, second, ms };
    return at <= 24 && minute <= 59 && second <= 60 && !(at === 24 && (minute > 0 || second > 0));
  }

  private year(text: string): number {
    const value = Number(text);
    return text.length > 2 ? value : value < 69 ? 2000 + value : 1900 + value;
  }

  private word(): boolean {
    return (
      this.dateWord() ??
      this.timeWord() ??
      this.relativeWord() ??
      this.nameWord() ??
      this.numberWord() ??
      false
    );
  }

  private dateWord(): boolean | undefined {
    let m: RegExpExecArray | null;
    if ((m = this.take(/^(\d{4,})-(\d{1,2})-(\d{1,2})(?:[Tt](?=\d))?(?!\d)/)) !== null)
      return this.setDate(Number(m[1]), Number(m[2]), Number(m[3]));
    if ((m = this.take(/^(\d{4,})-(\d{1,2})-(\d{1,2})[Tt](?=\d)/)) !== null)
      return this.setDate(Number(m[1]), Number(m[2]), Number(m[3]));
    if ((m = this.take(/^(\d{4})\/(\d{1,2})\/(\d{1,2})(?!\d)/)) !== null)
      return this.setDate(Number(m[1]), Number(m[2]), Number(m[3]));
    if ((m = this.take(/^(\d{1,2})\/(\d{1,2})(?:\/(\d{1,4}))?(?!\d)/)) !== null)
      return this.setDate(m[3] === undefined ? this.thisYear() : this.year(m[3]), Number(m[1]), Number(m[2]));
    const month = '(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\\.?';
    if (
      (m = this.take(new RegExp(`^(\\d{1,2})[ -]?${month}(?:[ ,-]+(\\d{4}|\\d{2})(?![\\d:]))?`, 'i'))) !==
      null
    )
      return this.setDate(
        m[3] === undefined ? this.thisYear() : this.year(m[3]),
        monthOf(m[2]!),
        Number(m[1]),
      );
    if (
      (m = this.take(
        new RegExp(`^${month}[ -]*(\\d{1,2})(?![\\d:])(?:st|nd|rd|th)?(?:(?:,\\s*|-)(\\d{4}))?`, 'i'),
      )) !== null
    )
      return this.setDate(m[3] === undefined ? this.thisYear() : Number(m[3]), monthOf(m[1]!), Number(m[2]));
    if ((m = this.take(new RegExp(`^${month}\\s+(\\d{4})(?!\\d)`, 'i'))) !== null)
      return this.setDate(Number(m[2]), monthOf(m[1]!), 1);
    return undefined;
  }

  private timeWord(): boolean | undefined {
    const m = this.take(
      /^[Tt]?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?\s*(?:([ap])\.?m\.?(?![a-z]))?/i,
    );
    if (m !== null) {
      const ms = m[4] === undefined ? 0 : Number(`0.${m[4]}`) * 1000;
      if (!this.setTime(Number(m[1]), Number(m[2]), Number(m[3] ?? 0), ms, m[5]?.toLowerCase())) return false;
      return this.offsetAfterTime();
    }
    const half = this.take(/^(\d{1,2})\s*([ap])\.?m\.?(?![a-z])/i);
    if (half !== null) return this.setTime(Number(half[1]), 0, 0, 0, half[2]!.toLowerCase());
    return undefined;
  }

  /** `+08:00` and the like directly behind a time. */
  private offsetAfterTime(): boolean {
    const m = this.take(/^([-+])\s*(\d{1,2})(?::?(\d{2}))?(?![\d:])/);
    if (m === null) return true;
    this.offset = (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 3600 + Number(m[3] ?? 0) * 60);
    this.seen.zones++;
    return Number(m[2]) <= 24;
  }

  private relativeWord(): boolean | undefined {
    const m = this.take(
      /^((?:[-+]\s*)*\d+|last|this|next|first|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|a(?=\s))?\s*(sec|second|min|minute|hour|day|week|fortnight|month|year)s?(?![a-z])(?:\s*(ago)(?![a-z]))?/i,
    );
    if (m === null) return undefined;
    const word = m[1]?.toLowerCase();
    const count =
      word === undefined || word === 'a'
        ? 1
        : (ORDINALS[word] ??
          Number(word.replaceAll(/[-+\s]/g, '')) * ((word.match(/-/g) ?? []).length % 2 === 1 ? -1 : 1));
    return this.move(m[3] === undefined ? count : -count, m[2]!.toLowerCase());
  }

  private move(count: number, unit: string): boolean {
    this.relative = true;
    if (unit === 'month') this.add.month += count;
    else if (unit === 'year') this.add.month += 12 * count;
    else if (unit === 'day' || unit === 'week' || unit === 'fortnight')
      this.add.day += (count * UNIT_MS[unit]!) / 86_400_000;
    else this.add.ms += count * UNIT_MS[unit]!;
    return true;
  }

  private nameWord(): boolean | undefined {
    let m: RegExpExecArray | null;
    if ((m = this.take(/^(now|today|yesterday|tomorrow)(?![a-z])/i)) !== null) {
      const word = m[1]!.toLowerCase();
      this.relative = true;
      if (word === 'yesterday') this.add.day--;
      else if (word === 'tomorrow') this.add.day++;
      return true;
    }
    if (
      (m = this.take(
        /^(?:(last|this|next|first|third|fourth|fifth|[-+]?\d+)\s+)?(sun|mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:day)?\.?(?![a-z])/i,
      )) !== null
    ) {
      const word = m[1]?.toLowerCase();
      this.weekday = {
        day: DAYS.indexOf(m[2]!.slice(0, 3).toLowerCase()),
        ordinal: word === undefined ? 0 : (ORDINALS[word] ?? Number(word)),
      };
      this.seen.days++;
      return true;
    }
    if (
      (m = this.take(/^([a-z]{2,5})(?![a-z])(?:\s*([-+])(\d{1,2})(?::?(\d{2}))?(?!\d))?(\s+dst)?/i)) !== null
    ) {
      const name = m[1]!.toLowerCase();
      const own = this.zone.name.toLowerCase() === name ? this.zone.offset : undefined;
      const base = ABBREVIATIONS[name] ?? own;
      if (base === undefined) return false;
      const extra =
        m[2] === undefined ? 0 : (m[2] === '-' ? -1 : 1) * (Number(m[3]) * 3600 + Number(m[4] ?? 0) * 60);
      this.offset = base + extra + (m[5] === undefined ? 0 : 3600);
      this.seen.zones++;
      return true;
    }
    if (this.take(/^z(?![a-z])/i) !== null) {
      this.offset = 0;
      this.seen.zones++;
      return true;
    }
    return undefined;
  }

  /** A bare number: a date YYYYMMDD, a time HHMM, a year after a date, or an hour. */
  private numberWord(): boolean | undefined {
    const m = this.take(/^(\d+)(?![\d:])/);
    if (m === null) return undefined;
    const text = m[1]!;
    if (
      this.date !== undefined &&
      !this.yearGiven &&
      !this.relative &&
      (this.seen.times > 0 || text.length > 2)
    ) {
      this.yearGiven = true;
      this.date.year = this.year(text);
      return true;
    }
    if (text.length > 4) {
      const [year, month, day] = [text.slice(0, -4), text.slice(-4, -2), text.slice(-2)];
      return this.setDate(this.year(year), Number(month), Number(day));
    }
    return text.length <= 2
      ? this.setTime(Number(text), 0, 0, 0, undefined)
      : this.setTime(Number(text.slice(0, -2)), Number(text.slice(-2)), 0, 0, undefined);
  }

  private thisYear(): number {
    this.yearGiven = false;
    return this.today().year;
  }

  private today(): {
    year: number;
    month: number;
    day: number;
    hour: number;
    minute: number;
    second: number;
    ms: number;
  } {
    const offset = this.offset ?? this.zone.at?.(this.nowMs).offset ?? this.zone.offset;
    const local = new Date(Math.floor(this.nowMs) + offset * 1000);
    return {
      year: local.getUTCFullYear(),
      month: local.getUTCMonth() + 1,
      day: local.getUTCDate(),
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
      second: local.getUTCSeconds(),
      ms: local.getUTCMilliseconds() + (this.nowMs - Math.floor(this.nowMs)),
    };
  }

  private put(): number | undefined {
    const now = this.today();
    const { year, month, day } = this.date ?? now;
    const plain = this.date === undefined && this.time === undefined && this.weekday === undefined;
    const time = this.time ?? (plain && this.relative ? now : { hour: 0, minute: 0, second: 0, ms: 0 });
    let days = this.add.day;
    if (this.weekday !== undefined && this.date === undefined) {
      const { day: wanted, ordinal } = this.weekday;
      const current = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
      days += ((wanted - current + 7) % 7) + 7 * (ordinal - (0 < ordinal && current !== wanted ? 1 : 0));
    }
    const wall = Date.UTC(
      year,
      month - 1 + this.add.month,
      day + days,
      time.hour,
      time.minute,
      time.second,
      time.ms,
    );
    const instant = this.offset === undefined ? wallToInstant(wall, this.zone) : wall - this.offset * 1000;
    const result = instant + this.add.ms;
    return Number.isFinite(result) ? result : undefined;
  }
}

function monthOf(text: string): number {
  return MONTHS.indexOf(text.slice(0, 3).toLowerCase()) + 1;
}
