// Calendar time: strftime(3). Zones and the reading of dates are beside it.
import { zoneAt, type Zone } from './zone.ts';

export { parseDate } from './parse-date.ts';
export { UTC, ZONE_NAMES, zoneOf, type Zone } from './zone.ts';

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

function offsetText(zone: { readonly offset: number }, separator: string): string {
  const minutes = Math.abs(zone.offset) / 60;
  return `${zone.offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`;
}

/** strftime(3) with GNU date's flags (`%-d`, `%_H`, `%^a`, `%3N`). */
export function strftime(format: string, instantMs: number, named: Zone): string {
  const zone = zoneAt(named, instantMs);
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
      case '::z':
        return [`${offsetText(zone, ':')}:${pad(Math.abs(zone.offset) % 60)}`, ''];
      case ':::z':
        return [offsetText(zone, ':').replace(/:00$/, ''), ''];
      case 'Z':
        return [zone.name, ''];
      case '%':
        return ['%', ''];
      default:
        return undefined;
    }
  };
  return format.replaceAll(
    /%([-_0^#]*)(\d*)(:{0,3}[A-Za-z%])/g,
    (whole, flags: string, width: string, letter: string) => {
      const found = field(letter);
      if (found === undefined) return whole;
      let [text] = found;
      if (letter === 'N' && width !== '') return text.slice(0, Number(width));
      if (flags.includes('-')) text = text.replace(/^[0 ]+(?=\d)/, '');
      if (flags.includes('_')) text = text.replace(/^0+(?=\d)/, (zeros) => ' '.repeat(zeros.length));
      if (flags.includes('0') && found[1] === ' ') text = text.replaceAll(' ', '0');
      if (flags.includes('#')) text = letter === 'Z' ? text.toLowerCase() : text.toUpperCase();
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
