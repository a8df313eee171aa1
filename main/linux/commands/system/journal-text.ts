// How journalctl prints an entry: its output formats, its colours, and the explanations of its catalogue.
import type { JournalEntry } from '../../systemd/index.ts';
import { strftime, type Zone } from '../frame/time.ts';
import { BOLD, GREY, OFF, RED, YELLOW } from './systemd-text.ts';

export interface EntryStyle {
  readonly zone: Zone;
  readonly color: boolean;
  readonly noHostname?: boolean;
  /** What the machine's own fields are. */
  readonly machineId?: string;
  readonly bootId?: string;
  readonly bootMs?: number;
}

export const FORMATS: ReadonlySet<string> = new Set([
  'short',
  'short-full',
  'short-iso',
  'short-iso-precise',
  'short-precise',
  'short-monotonic',
  'short-delta',
  'short-unix',
  'with-unit',
  'verbose',
  'export',
  'json',
  'json-pretty',
  'json-sse',
  'cat',
]);

/** Colours of a priority: what it is written in, and what a match would be. */
function colorsOf(priority: number): readonly [string, string] | undefined {
  if (priority <= 3) return [RED, BOLD];
  if (priority === 4) return [YELLOW, BOLD];
  if (priority === 5) return [BOLD, RED];
  return priority === 7 ? [GREY, RED] : undefined;
}

function painted(text: string, priority: number, color: boolean): string {
  const colors = color ? colorsOf(priority) : undefined;
  return colors === undefined ? text : `${colors[0]}${colors[1]}${colors[0]}${text}${OFF}`;
}

/** One entry as `journalctl -o FORMAT` prints it, without its last end of line. */
export function entryLine(entry: JournalEntry, format: string, style: EntryStyle): string {
  if (format === 'cat') return painted(entry.message, entry.priority, style.color);
  if (format.startsWith('json')) return jsonOf(entry, format, style);
  if (format === 'verbose' || format === 'export') return verboseOf(entry, format, style);
  const who = format === 'with-unit' && entry.unit !== undefined ? entry.unit : entry.identifier;
  const host = style.noHostname === true ? '' : ` ${entry.hostname}`;
  const pid = entry.pid === undefined ? '' : `[${entry.pid}]`;
  const head = `${stampOf(entry, format, style)}${host} ${who}${pid}: `;
  const [first = '', ...rest] = entry.message.split('\n');
  return [
    head + painted(first, entry.priority, style.color),
    ...rest.map((line) => ' '.repeat(head.length) + painted(line, entry.priority, style.color)),
  ].join('\n');
}

function stampOf({ timeMs }: JournalEntry, format: string, { zone, bootMs = 0 }: EntryStyle): string {
  const micros = strftime('%6N', timeMs, zone);
  switch (format) {
    case 'short-iso':
      return strftime('%FT%T%z', timeMs, zone);
    case 'short-iso-precise':
      return `${strftime('%FT%T', timeMs, zone)}.${micros}${strftime('%z', timeMs, zone)}`;
    case 'short-precise':
      return `${strftime('%b %d %T', timeMs, zone)}.${micros}`;
    case 'short-full':
    case 'with-unit':
      return strftime('%a %F %T %Z', timeMs, zone);
    case 'short-unix':
      return (timeMs / 1000).toFixed(6);
    case 'short-monotonic':
    case 'short-delta':
      return `[${((timeMs - bootMs) / 1000).toFixed(6).padStart(12)}]`;
    default:
      return strftime('%b %d %T', timeMs, zone);
  }
}

/** The fields of an entry that there are, by their journal names. systemd.journal-fields(7). */
export function fieldsOf(entry: JournalEntry, style: Partial<EntryStyle> = {}): Map<string, string> {
  const isKernel = entry.identifier === 'kernel';
  const isManager = entry.pid === 1;
  const micros = String(Math.floor(entry.timeMs * 1000));
  const { bootMs } = style;
  return new Map([
    ['__CURSOR', cursorOf(entry, style)],
    ['__REALTIME_TIMESTAMP', micros],
    ...(bootMs === undefined
      ? []
      : ([['__MONOTONIC_TIMESTAMP', String(Math.floor((entry.timeMs - bootMs) * 1000))]] as const)),
    ...(style.bootId === undefined ? [] : ([['_BOOT_ID', style.bootId]] as const)),
    ['_TRANSPORT', isKernel ? 'kernel' : isManager ? 'journal' : 'stdout'],
    ['PRIORITY', String(entry.priority)],
    ['SYSLOG_FACILITY', isKernel ? '0' : '3'],
    ['SYSLOG_IDENTIFIER', entry.identifier],
    ['_HOSTNAME', entry.hostname],
    ...(style.machineId === undefined ? [] : ([['_MACHINE_ID', style.machineId]] as const)),
    ...(entry.pid === undefined
      ? []
      : ([
          ['_PID', String(entry.pid)],
          ['_UID', '0'],
          ['_GID', '0'],
          ['_COMM', entry.identifier.slice(0, 15)],
        ] as const)),
    ...(entry.unit === undefined
      ? []
      : isManager
        ? ([
            ['_SYSTEMD_UNIT', 'init.scope'],
            ['UNIT', entry.unit],
          ] as const)
        : ([
            ['_SYSTEMD_CGROUP', `/system.slice/${entry.unit}`],
            ['_SYSTEMD_SLICE', 'system.slice'],
            ['_SYSTEMD_UNIT', entry.unit],
          ] as const)),
    ['MESSAGE', entry.message],
  ]);
}

function cursorOf(entry: JournalEntry, style: Partial<EntryStyle>): string {
  const hex = (value: number): string => Math.floor(value).toString(16);
  return `s=${style.machineId ?? ''};i=${hex(entry.sequence)};b=${style.bootId ?? ''};m=${hex((entry.timeMs - (style.bootMs ?? 0)) * 1000)};t=${hex(entry.timeMs * 1000)};x=${hex(entry.sequence * 2_654_435_761)}`;
}

function jsonOf(entry: JournalEntry, format: string, style: EntryStyle): string {
  const fields = fieldsOf(entry, style);
  if (format === 'json') return JSON.stringify(Object.fromEntries(fields));
  if (format === 'json-sse') return `data: ${JSON.stringify(Object.fromEntries(fields))}\n`;
  const green = (text: string): string => (style.color ? `\u001b[0;32m${text}${OFF}` : text);
  const rows = Array.from(fields, ([key, value]) => {
    const [name, shown] = [JSON.stringify(key).slice(1, -1), JSON.stringify(value).slice(1, -1)];
    return `\t"${green(name)}" : "${green(shown)}"`;
  });
  return `{\n${rows.join(',\n')}\n}`;
}

function verboseOf(entry: JournalEntry, format: string, style: EntryStyle): string {
  const fields = Array.from(fieldsOf(entry, style));
  if (format === 'export') return `${fields.map(([key, value]) => `${key}=${value}`).join('\n')}\n`;
  const stamp = strftime('%a %F %T', entry.timeMs, style.zone);
  const zone = strftime('%Z', entry.timeMs, style.zone);
  const head = `${stamp}.${strftime('%6N', entry.timeMs, style.zone)} ${zone} [${fields[0]![1]}]`;
  const rows = fields.filter(([key]) => !key.startsWith('__')).map(([key, value]) => `    ${key}=${value}`);
  return [head, ...rows].join('\n');
}

const SUPPORT = 'https://access.redhat.com/support';

/** `journalctl -x`: what the catalogue says of an entry. */
export function explanationOf(entry: JournalEntry): string | undefined {
  const { catalog, unit = '' } = entry;
  if (catalog === undefined) return undefined;
  const job = `The job identifier is ${entry.job ?? 0}`;
  const [subject, text] = ((): readonly [string, string] => {
    switch (catalog) {
      case 'starting':
        return twice(`A start job for unit ${unit} has begun execution`, `${job}.`);
      case 'started':
        return twice(`A start job for unit ${unit} has finished successfully`, `${job}.`);
      case 'start-failed':
        return [
          `A start job for unit ${unit} has failed`,
          `A start job for unit ${unit} has finished with a failure.\n\n${job} and the job result is failed.`,
        ];
      case 'stopping':
        return twice(`A stop job for unit ${unit} has begun execution`, `${job}.`);
      case 'stopped':
        return twice(`A stop job for unit ${unit} has finished`, `${job} and the job result is done.`);
      case 'reloading':
        return twice(`A reload job for unit ${unit} has begun execution`, `${job}.`);
      case 'reloaded':
        return twice(`A reload job for unit ${unit} has finished`, `${job} and the job result is done.`);
      case 'deactivated':
        return ['Unit succeeded', `The unit ${unit} has successfully entered the 'dead' state.`];
      case 'unit-failed':
        return [
          'Unit failed',
          `The unit ${unit} has entered the 'failed' state with result '${entry.result ?? 'exit-code'}'.`,
        ];
      case 'process-exited': {
        const [, code = 'exited', status = '0'] = /code=(\w+), status=(\d+)/.exec(entry.message) ?? [];
        return [
          'Unit process exited',
          `An ExecStart= process belonging to unit ${unit} has exited.\n\nThe process' exit code is '${code}' and its exit status is ${status}.`,
        ];
      }
      case 'restarting':
        return [
          'Automatic restarting of a unit has been scheduled',
          `Automatic restarting of the unit ${unit} has been scheduled, as the result for\nthe configured Restart= setting for the unit.`,
        ];
    }
  })();
  return ['', `Subject: ${subject}`, 'Defined-By: systemd', `Support: ${SUPPORT}`, '', ...text.split('\n')]
    .slice(1)
    .map((line) => `░░ ${line}`)
    .join('\n');
}

function twice(subject: string, more: string): readonly [string, string] {
  return [subject, `${subject}.\n\n${more}`];
}
