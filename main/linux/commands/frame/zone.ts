// Time zones: what TZ and /etc/localtime name, with daylight saving (tzset(3), POSIX.1-2017 8.3).
import type { Process } from '../../kernel/index.ts';

export interface Zone {
  readonly name: string;
  /** Seconds east of Greenwich. */
  readonly offset: number;
  /** Where the zone changes with the time of year: what it is at an instant in ms. */
  readonly at?: (instantMs: number) => { readonly name: string; readonly offset: number };
}

export const UTC: Zone = { name: 'UTC', offset: 0 };

/** Rules of today for zones people use, as TZ would give them. Differs: earlier rules of a zone aren't known. */
const ZONES: Readonly<Record<string, string>> = {
  UTC: 'UTC0',
  GMT: 'GMT0',
  'Etc/UTC': 'UTC0',
  'Etc/GMT': 'GMT0',
  Zulu: 'UTC0',
  'Asia/Shanghai': 'CST-8',
  'Asia/Chongqing': 'CST-8',
  'Asia/Urumqi': '<+06>-6',
  PRC: 'CST-8',
  'Asia/Hong_Kong': 'HKT-8',
  'Asia/Taipei': 'CST-8',
  'Asia/Singapore': '<+08>-8',
  'Asia/Kuala_Lumpur': '<+08>-8',
  'Asia/Manila': 'PST-8',
  'Asia/Tokyo': 'JST-9',
  'Asia/Seoul': 'KST-9',
  'Asia/Bangkok': '<+07>-7',
  'Asia/Ho_Chi_Minh': '<+07>-7',
  'Asia/Jakarta': 'WIB-7',
  'Asia/Kolkata': 'IST-5:30',
  'Asia/Calcutta': 'IST-5:30',
  'Asia/Kathmandu': '<+0545>-5:45',
  'Asia/Karachi': 'PKT-5',
  'Asia/Dubai': '<+04>-4',
  'Asia/Tehran': '<+0330>-3:30',
  'Asia/Jerusalem': 'IST-2IDT,M3.4.4/26,M10.5.0',
  'Europe/London': 'GMT0BST,M3.5.0/1,M10.5.0',
  'Europe/Dublin': 'IST-1GMT0,M10.5.0,M3.5.0/1',
  'Europe/Lisbon': 'WET0WEST,M3.5.0/1,M10.5.0',
  'Europe/Berlin': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Paris': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Madrid': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Rome': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Amsterdam': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Brussels': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Vienna': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Zurich': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Stockholm': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Prague': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Warsaw': 'CET-1CEST,M3.5.0,M10.5.0/3',
  'Europe/Athens': 'EET-2EEST,M3.5.0/3,M10.5.0/4',
  'Europe/Helsinki': 'EET-2EEST,M3.5.0/3,M10.5.0/4',
  'Europe/Kiev': 'EET-2EEST,M3.5.0/3,M10.5.0/4',
  'Europe/Istanbul': '<+03>-3',
  'Europe/Moscow': 'MSK-3',
  'Africa/Cairo': 'EET-2EEST,M4.5.5/0,M10.5.4/24',
  'Africa/Johannesburg': 'SAST-2',
  'Africa/Nairobi': 'EAT-3',
  'Africa/Lagos': 'WAT-1',
  'America/New_York': 'EST5EDT,M3.2.0,M11.1.0',
  'America/Toronto': 'EST5EDT,M3.2.0,M11.1.0',
  'America/Chicago': 'CST6CDT,M3.2.0,M11.1.0',
  'America/Denver': 'MST7MDT,M3.2.0,M11.1.0',
  'America/Phoenix': 'MST7',
  'America/Los_Angeles': 'PST8PDT,M3.2.0,M11.1.0',
  'America/Vancouver': 'PST8PDT,M3.2.0,M11.1.0',
  'America/Anchorage': 'AKST9AKDT,M3.2.0,M11.1.0',
  'America/Halifax': 'AST4ADT,M3.2.0,M11.1.0',
  'America/Mexico_City': 'CST6',
  'America/Bogota': '<-05>5',
  'America/Sao_Paulo': '<-03>3',
  'America/Argentina/Buenos_Aires': '<-03>3',
  'US/Eastern': 'EST5EDT,M3.2.0,M11.1.0',
  'US/Central': 'CST6CDT,M3.2.0,M11.1.0',
  'US/Mountain': 'MST7MDT,M3.2.0,M11.1.0',
  'US/Pacific': 'PST8PDT,M3.2.0,M11.1.0',
  'Pacific/Honolulu': 'HST10',
  'Pacific/Auckland': 'NZST-12NZDT,M9.5.0,M4.1.0/3',
  'Australia/Sydney': 'AEST-10AEDT,M10.1.0,M4.1.0/3',
  'Australia/Melbourne': 'AEST-10AEDT,M10.1.0,M4.1.0/3',
  'Australia/Brisbane': 'AEST-10',
  'Australia/Perth': 'AWST-8',
  'Australia/Adelaide': 'ACST-9:30ACDT,M10.1.0,M4.1.0/3',
};

/** Names of the zones that there are besides UTC, in order. */
export const ZONE_NAMES: readonly string[] = Object.keys(ZONES)
  .filter((name) => name !== 'UTC')
  .toSorted();

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

const known = new Map<string, Zone>();

/** A zone by its name or its rule, such as `Asia/Shanghai` or `CST-8`. */
export function zoneNamed(name: string): Zone {
  let zone = known.get(name);
  if (zone === undefined) known.set(name, (zone = parseRule(ZONES[name] ?? name)));
  return zone;
}

/** What a zone is at an instant. */
export function zoneAt(zone: Zone, instantMs: number): { readonly name: string; readonly offset: number } {
  return zone.at?.(instantMs) ?? zone;
}

/** The instant a clock on the wall shows, given as if it were UTC. */
export function wallToInstant(wallMs: number, zone: Zone): number {
  const first = wallMs - zoneAt(zone, wallMs - zone.offset * 1000).offset * 1000;
  return wallMs - zoneAt(zone, first).offset * 1000;
}

const NAME = '(?:<([A-Za-z0-9+-]+)>|([A-Za-z]{3,}))';
const OFFSET = '([-+]?\\d{1,3}(?::\\d{1,2}(?::\\d{1,2})?)?)';
const RULE = new RegExp(`^${NAME}(?:${OFFSET}(?:${NAME}${OFFSET}?(?:,(.+),(.+))?)?)?`);

function seconds(text: string): number {
  const negative = text.startsWith('-');
  const [hours = 0, minutes = 0, rest = 0] = text.replace(/^[-+]/, '').split(':').map(Number);
  const total = hours * 3600 + minutes * 60 + rest;
  return negative ? -total : total;
}

function parseRule(text: string): Zone {
  const found = RULE.exec(text);
  if (found === null) return UTC;
  const [, quoted, bare, offset, quotedSummer, bareSummer, summerOffset, start, end] = found;
  const standard = {
    name: quoted ?? bare ?? 'UTC',
    offset: offset === undefined ? 0 : -seconds(offset) || 0,
  };
  const summerName = quotedSummer ?? bareSummer;
  if (summerName === undefined) return standard;
  const summer = {
    name: summerName,
    offset: summerOffset === undefined ? standard.offset + 3600 : -seconds(summerOffset) || 0,
  };
  const [from, to] = [start ?? 'M3.2.0', end ?? 'M11.1.0'];
  return {
    ...standard,
    at: (instantMs) => {
      const year = new Date(Math.floor(instantMs)).getUTCFullYear();
      const begins = changeOf(from, year) - standard.offset * 1000;
      const ends = changeOf(to, year) - summer.offset * 1000;
      const inside =
        begins < ends ? instantMs >= begins && instantMs < ends : instantMs >= begins || instantMs < ends;
      return inside ? summer : standard;
    },
  };
}

/** The wall time of a change in a year, as if it were UTC. */
function changeOf(rule: string, year: number): number {
  const [day = '', time] = rule.split('/');
  const at = (time === undefined ? 7200 : seconds(time)) * 1000;
  const [, month = '1', week = '1', weekday = '0'] = /^M(\d+)\.(\d)\.(\d)$/.exec(day) ?? [];
  const first = Date.UTC(year, Number(month) - 1, 1);
  const shift = (Number(weekday) - new Date(first).getUTCDay() + 7) % 7;
  const days = new Date(Date.UTC(year, Number(month), 0)).getUTCDate();
  let date = 1 + shift + (Number(week) - 1) * 7;
  while (date > days) date -= 7;
  return Date.UTC(year, Number(month) - 1, date) + at;
}
