// journalctl(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import {
  journalSocket,
  parseTimeSpan,
  systemdSocket,
  type Journal,
  type JournalEntry,
  type JournalQuery,
} from '../../systemd/index.ts';
import { command, type Invocation } from '../frame/command.ts';
import { globRegex } from '../frame/glob.ts';
import { page, wantsPager } from '../frame/pager.ts';
import { strftime, UTC, zoneOf, type Zone } from '../frame/time.ts';
import { entryLine, explanationOf, fieldsOf, FORMATS, type EntryStyle } from './journal-text.ts';
import { Paint, RED, SYSTEMD_VERSION, table } from './systemd-text.ts';

const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const PAGER_END_LINES = 1000;
/** What a journal file takes at least (JOURNAL_FILE_SIZE_MIN), and grows by. */
const FILE_BYTES = 8 * 1024 ** 2;
const ENTRY_BYTES = 600;
const DAY_MS = 86_400_000;

/** A complaint in red, and exit status 1. */
class Refusal extends Error {}

/** journalctl(1) */
export const journalctl: Program = command(
  {
    short: 'au:fn::p:S:U:o:b::kqxerlt:g:NF:D:mMi:',
    long: [
      'all>a',
      'unit:>u',
      'follow>f',
      'lines::>n',
      'priority:>p',
      'since:>S',
      'until:>U',
      'output:>o',
      'boot::>b',
      'dmesg>k',
      'quiet>q',
      'catalog>x',
      'pager-end>e',
      'reverse>r',
      'full>l',
      'identifier:>t',
      'grep:>g',
      'field:>F',
      'fields>N',
      'no-pager',
      'no-tail',
      'no-hostname',
      'utc',
      'list-boots',
      'disk-usage',
      'vacuum-size:',
      'vacuum-time:',
      'vacuum-files:',
      'rotate',
      'flush',
      'sync',
      'header',
      'verify',
      'user-unit:',
      'system',
      'user',
      'no-full',
      'cursor:',
      'after-cursor:',
      'show-cursor',
      'case-sensitive::',
      'output-fields:',
      'facility:',
    ],
    usage: '[OPTIONS...] [MATCHES...]',
    versionText: SYSTEMD_VERSION,
    hint: () => '',
    prepare: joinOptionalArguments,
  },
  async (it) => {
    try {
      return await run(it);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await it.out.flush();
      const { stderr } = it.proc;
      await stderr.write(
        `${stderr.tty === undefined ? error.message : new Paint(it.proc).color(error.message, RED)}\n`,
      );
      return 1;
    }
  },
);

/** `-n 5` and `-b -1` take the next word where it looks like theirs. */
function joinOptionalArguments(args: string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [arg, next = ''] = [args[i]!, args[i + 1]];
    const takes =
      (/^-[a-z]*n$/.test(arg) && /^(?:\+?\d+|all)$/.test(next)) ||
      (/^-[a-z]*b$/.test(arg) && /^(?:[-+]?\d+|[0-9a-f]{32}|all)$/.test(next));
    joined.push(takes ? arg + next : arg);
    if (takes) i++;
  }
  return joined;
}

async function run(it: Invocation): Promise<number> {
  const { proc, options } = it;
  let journal: Journal;
  try {
    journal = proc.kernel.connectService(journalSocket);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stderr.write('No journal files were found.\n');
    return 1;
  }
  const zone = options.has('utc') ? UTC : zoneOf(proc);
  if (options.has('disk-usage')) {
    await it.out.line(`Archived and active journals take up ${usage(journal)} in the file system.`);
    return 0;
  }
  if (options.has('list-boots')) return show(it, bootList(proc, journal, zone));
  if (options.has('vacuum-size', 'vacuum-time', 'vacuum-files')) {
    const directory = `/var/log/journal/${machineId(proc)}`;
    await proc.stderr.write(`Vacuuming done, freed 0B of archived journals from ${directory}.\n`);
    return 0;
  }
  if (options.has('rotate', 'flush', 'sync')) return 0;
  if (options.has('verify', 'header', 'user')) {
    await proc.stderr.write("drydock: journalctl --verify, --header and --user aren't simulated\n");
    return 1;
  }
  const format = options.value('o') ?? (options.has('x') ? 'short' : 'short');
  if (!FORMATS.has(format)) throw new Refusal(`Unknown output '${format}'.`);
  const query = makeQuery(it, journal, zone);
  const chosen = matcher(it);
  const field = options.value('F');
  if (field !== undefined) return showField(it, journal, field);
  const entries = cut(it, journal.query(query).filter(chosen));
  const style: EntryStyle = {
    zone,
    color: proc.stdout.tty !== undefined,
    noHostname: options.has('no-hostname'),
    machineId: machineId(proc),
    bootId: bootId(proc),
    bootMs: journal.bootMs,
  };
  const print = (entry: JournalEntry): string => {
    const line = `${entryLine(entry, format, style)}\n`;
    const why = options.has('x') && format.startsWith('short') ? explanationOf(entry) : undefined;
    return why === undefined ? line : `${line}${why}\n`;
  };
  if (options.has('r')) entries.reverse();
  if (options.has('f')) return follow(it, journal, { query, chosen, print, entries });
  if (entries.length === 0 && !options.has('q')) return show(it, '-- No entries --\n');
  return show(it, entries.map(print).join(''));
}

async function show(it: Invocation, text: string): Promise<number> {
  if (it.options.has('no-pager') || !wantsPager(it.proc)) await it.out.put(text);
  else await page(it.proc, text);
  return 0;
}

async function follow(
  it: Invocation,
  journal: Journal,
  {
    query,
    chosen,
    print,
    entries,
  }: {
    query: JournalQuery;
    chosen: (entry: JournalEntry) => boolean;
    print: (entry: JournalEntry) => string;
    entries: readonly JournalEntry[];
  },
): Promise<number> {
  const { proc } = it;
  const queue: JournalEntry[] = [];
  let wake: (() => void) | undefined;
  using following = journal.follow({ ...query, lines: undefined }, (entry) => {
    if (!chosen(entry)) return;
    queue.push(entry);
    wake?.();
  });
  void following;
  await it.out.put(entries.map(print).join(''));
  await it.out.flush();
  for (;;) {
    while (queue.length > 0) await proc.stdout.write(print(queue.shift()!));
    await proc.interruptible(
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
    );
  }
}

/** The newest, as many as -n says. */
function cut(it: Invocation, entries: JournalEntry[]): JournalEntry[] {
  const { options } = it;
  const count = options.has('n')
    ? (options.value('n') ?? '10')
    : options.has('f') && !options.has('no-tail')
      ? '10'
      : options.has('e')
        ? String(PAGER_END_LINES)
        : 'all';
  if (count === 'all') return entries;
  if (!/^\+?\d+$/.test(count)) throw new Refusal(`Failed to parse lines '${count}'`);
  const lines = Number(count.replace('+', ''));
  if (count.startsWith('+')) return entries.slice(0, lines);
  return lines === 0 ? [] : entries.slice(-lines);
}

function makeQuery(it: Invocation, journal: Journal, zone: Zone): JournalQuery {
  const { options, proc } = it;
  const time = (letter: 'S' | 'U'): number | undefined => {
    const text = options.value(letter);
    if (text === undefined) return undefined;
    const parsed = parseTimestamp(text, proc.clock.now(), zone);
    if (parsed === undefined) throw new Refusal(`Failed to parse timestamp: ${text}`);
    return parsed;
  };
  const [sinceMs, untilMs] = [time('S'), time('U')];
  const [from, to] = priorities(options.value('p'));
  const grep = options.value('g');
  const units = unitNames(it, options.values('u'));
  const boot =
    options.has('b') || options.has('k') ? bootRange(journal, options.value('b') ?? '0') : undefined;
  const caseSensitive = options.has('case-sensitive')
    ? options.value('case-sensitive') !== 'no'
    : grep !== undefined && /[A-Z]/.test(grep);
  return {
    ...(options.has('u') ? { units } : {}),
    ...(options.value('t') === undefined ? {} : { identifier: options.value('t')! }),
    ...(options.has('k') ? { kernel: true } : {}),
    ...(to === undefined ? {} : { priorityMax: to }),
    ...(from === undefined ? {} : { priorityMin: from }),
    sinceMs: max(sinceMs, boot?.sinceMs),
    untilMs: min(untilMs, boot?.untilMs),
    ...(grep === undefined ? {} : { grep: expression(grep, caseSensitive) }),
  };
}

function expression(pattern: string, caseSensitive: boolean): RegExp {
  try {
    return new RegExp(pattern, caseSensitive ? '' : 'i');
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal(`Bad pattern "${pattern}": ${error.message}`);
    throw error;
  }
}

function max(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
function min(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** Patterns stand for the units that are known. */
function unitNames(it: Invocation, given: readonly string[]): string[] {
  return given.flatMap((name) => {
    if (!/[*?[]/.test(name)) return [name];
    const systemd = it.proc.kernel.connectService(systemdSocket);
    const glob = globRegex(/\.\w+$/.test(name) ? name : `${name}.service`);
    return systemd
      .list()
      .map((unit) => unit.name)
      .filter((one) => glob.test(one));
  });
}

/** `err`, `3`, `warning..err`: the range of priorities, the least urgent last. */
function priorities(text: string | undefined): readonly [number | undefined, number | undefined] {
  if (text === undefined) return [undefined, undefined];
  const numbers = text.split('..').map((word) => {
    const name = { error: 'err', warn: 'warning', panic: 'emerg' }[word] ?? word;
    const found = /^[0-7]$/.test(name) ? Number(name) : PRIORITIES.indexOf(name);
    if (found < 0)
      throw new Refusal(
        text.includes('..') ? `Failed to parse log level range ${text}` : `Unknown log level ${word}`,
      );
    return found;
  });
  return numbers.length === 1 ? [undefined, numbers[0]] : [Math.min(...numbers), Math.max(...numbers)];
}

/** FIELD=VALUE matches: those of one field are alternatives, `+` begins another set. */
function matcher(it: Invocation): (entry: JournalEntry) => boolean {
  const sets: Map<string, string[]>[] = [new Map()];
  for (const text of it.operands) {
    if (text === '+') {
      sets.push(new Map());
      continue;
    }
    const match = /^([A-Z_][A-Z0-9_]*)=(.*)$/s.exec(text);
    const [key, value] =
      match === null
        ? text.startsWith('/')
          ? ['_COMM', text.slice(text.lastIndexOf('/') + 1)]
          : [undefined, '']
        : [match[1]!, match[2]!];
    if (key === undefined) throw new Refusal(`Failed to add match '${text}': Invalid argument`);
    const set = sets.at(-1)!;
    set.set(key, [...(set.get(key) ?? []), value]);
  }
  if (it.operands.length === 0) return () => true;
  return (entry) => {
    const fields = fieldsOf(entry);
    return sets.some((set) =>
      Array.from(set).every(([key, values]) => {
        const own = fields.get(key);
        return own !== undefined && values.includes(own);
      }),
    );
  };
}

async function showField(it: Invocation, journal: Journal, field: string): Promise<number> {
  const values = new Set<string>();
  for (const entry of journal.query()) {
    const value = fieldsOf(entry).get(field);
    if (value !== undefined) values.add(value);
  }
  return show(it, Array.from(values, (value) => `${value}\n`).join(''));
}

/** systemd.time(7), PARSING TIMESTAMPS. */
function parseTimestamp(text: string, now: number, zone: Zone): number | undefined {
  const midnight = Math.floor((now + zone.offset * 1000) / DAY_MS) * DAY_MS - zone.offset * 1000;
  const words: Readonly<Record<string, number>> = {
    now,
    today: midnight,
    yesterday: midnight - DAY_MS,
    tomorrow: midnight + DAY_MS,
  };
  if (text in words) return words[text];
  const ago = /^(.+) ago$/.exec(text) ?? /^-(.+)$/.exec(text);
  if (ago !== null) return offset(now, ago[1]!, -1);
  const ahead = /^\+(.+)$/.exec(text) ?? /^(.+) left$/.exec(text);
  if (ahead !== null) return offset(now, ahead[1]!, 1);
  const unix = /^@(\d+(?:\.\d+)?)$/.exec(text);
  if (unix !== null) return Number(unix[1]) * 1000;
  const match =
    /^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\s+)?(?:(\d{2,4})-(\d{1,2})-(\d{1,2}))?[ T]?(?:(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?(?:\s*(UTC|Z))?$/i.exec(
      text.trim(),
    );
  if (match === null || (match[1] === undefined && match[4] === undefined)) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', utc] = match;
  const time =
    (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000 + Number(`0.${fraction}`) * 1000;
  if (Number(hour) > 23 || Number(minute) > 59) return undefined;
  if (year === undefined) return midnight + time;
  const full = year.length === 2 ? 2000 + Number(year) : Number(year);
  return Date.UTC(full, Number(month) - 1, Number(day)) + time - (utc === undefined ? zone.offset * 1000 : 0);
}

function offset(now: number, text: string, sign: number): number | undefined {
  const span = parseTimeSpan(text);
  return span === undefined ? undefined : now + sign * span;
}

/** Which instants a boot took: 0 the present one, -1 the one before, 1 the first. */
function bootRange(journal: Journal, which: string): { sinceMs?: number; untilMs?: number } {
  const starts = bootStarts(journal);
  if (which === 'all' || /^[0-9a-f]{32}$/.test(which))
    return which === 'all' ? {} : { sinceMs: journal.bootMs };
  const number = Number(which);
  const index = number > 0 ? number - 1 : starts.length - 1 + number;
  const from = starts[index];
  if (from === undefined)
    throw new Refusal(`Data from the specified boot (${which}) is not available: No such boot ID in journal`);
  const next = starts[index + 1];
  return next === undefined ? { sinceMs: from } : { sinceMs: from, untilMs: next - 1 };
}

/** The kernel's first words of every boot that the journal still holds. */
function bootStarts(journal: Journal): number[] {
  const starts = journal
    .query({ kernel: true })
    .filter(({ message }) => message.startsWith('Linux version '))
    .map(({ timeMs }) => timeMs);
  return starts.length === 0 ? [journal.bootMs] : starts;
}

function bootList(proc: Process, journal: Journal, zone: Zone): string {
  const paint = new Paint(proc);
  const starts = bootStarts(journal);
  const at = (ms: number): string => strftime('%a %F %T %Z', ms, zone);
  return table(
    paint,
    ['IDX', 'BOOT ID', 'FIRST ENTRY', 'LAST ENTRY'],
    starts.map((from, index) => {
      const isLast = index === starts.length - 1;
      const until = isLast ? undefined : starts[index + 1]! - 1;
      const last = journal.query({ sinceMs: from, untilMs: until, lines: 1 })[0]?.timeMs ?? from;
      const id = isLast
        ? bootId(proc)
        : Math.floor(from).toString(16).padStart(12, '0').repeat(3).slice(0, 32);
      return [
        { text: String(index - starts.length + 1).padStart(3) },
        { text: id },
        { text: at(from) },
        { text: at(last) },
      ];
    }),
  );
}

function usage(journal: Journal): string {
  const bytes = journal.query().reduce((sum, { message }) => sum + message.length + ENTRY_BYTES, 0);
  return `${(((Math.floor(bytes / FILE_BYTES) + 2) * FILE_BYTES) / 1024 ** 2).toFixed(1)}M`;
}

function bootId({ fs }: Process): string {
  const path = '/proc/sys/kernel/random/boot_id';
  return fs.exists(path) ? fs.readText(path).trim().replaceAll('-', '') : '0'.repeat(32);
}

function machineId({ fs }: Process): string {
  return fs.exists('/etc/machine-id') ? fs.readText('/etc/machine-id').trim() : '0'.repeat(32);
}
