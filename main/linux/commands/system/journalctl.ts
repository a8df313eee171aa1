// journalctl(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { journalSocket, type Journal, type JournalEntry, type JournalQuery } from '../../systemd/index.ts';
import { command, Failure } from '../frame/command.ts';
import { parseDate, strftime, zoneOf, type Zone } from '../frame/time.ts';

const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** One entry as `journalctl -o FORMAT` prints it. */
export function entryLine(entry: JournalEntry, format: string, zone: Zone, color: boolean): string {
  const paint = (text: string): string =>
    !color || entry.priority > 5
      ? text
      : entry.priority <= 3
        ? `\u001b[0;1;31m${text}\u001b[0m`
        : entry.priority === 4
          ? `\u001b[0;1;38;5;185m${text}\u001b[0m`
          : `\u001b[0;1;39m${text}\u001b[0m`;
  if (format === 'cat') return paint(entry.message);
  if (format.startsWith('json')) {
    const object = {
      PRIORITY: String(entry.priority),
      _HOSTNAME: entry.hostname,
      ...(entry.pid === undefined ? {} : { _PID: String(entry.pid) }),
      SYSLOG_IDENTIFIER: entry.identifier,
      ...(entry.unit === undefined ? {} : { _SYSTEMD_UNIT: entry.unit }),
      __REALTIME_TIMESTAMP: String(Math.floor(entry.timeMs * 1000)),
      MESSAGE: entry.message,
    };
    return format === 'json-pretty'
      ? JSON.stringify(object, undefined, '\t').replaceAll('": "', '" : "')
      : JSON.stringify(object);
  }
  const time =
    format === 'short-iso'
      ? strftime('%FT%T%z', entry.timeMs, zone)
      : format === 'short-precise'
        ? `${strftime('%b %d %T', entry.timeMs, zone)}.${strftime('%6N', entry.timeMs, zone)}`
        : format === 'short-full'
          ? strftime('%a %F %T %Z', entry.timeMs, zone)
          : format === 'short-unix'
            ? (entry.timeMs / 1000).toFixed(6)
            : strftime('%b %d %T', entry.timeMs, zone);
  const head = `${time} ${entry.hostname} ${entry.identifier}${entry.pid === undefined ? '' : `[${entry.pid}]`}: `;
  const [first = '', ...rest] = entry.message.split('\n');
  return [head + paint(first), ...rest.map((line) => ' '.repeat(head.length) + paint(line))].join('\n');
}

/** journalctl(1) */
export const journalctl: Program = command(
  {
    short: 'au:fn::p:S:U:o:b::kqxerlt:g:NF:D:mM',
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
      'no-pager',
      'no-tail',
      'no-hostname',
      'utc',
      'list-boots',
      'disk-usage',
      'vacuum-size:',
      'vacuum-time:',
      'rotate',
      'flush',
      'header',
      'user-unit:',
      'system',
      'user',
      'no-full',
      'after-cursor:',
      'fields>N',
      'case-sensitive::',
    ],
    usage: '[OPTIONS...] [MATCHES...]',
    hint: () => '',
    prepare: (args) =>
      args.flatMap((arg, index) =>
        arg === '-n' && /^(?:\+?\d+|all)$/.test(args[index + 1] ?? '')
          ? [`-n${args[index + 1]}`]
          : args[index - 1] === '-n' && /^(?:\+?\d+|all)$/.test(arg)
            ? []
            : [arg],
      ),
  },
  async (it) => {
    const { proc, options } = it;
    let journal: Journal;
    try {
      journal = proc.kernel.connectService(journalSocket);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await proc.stderr.write('No journal files were found.\n');
      return 1;
    }
    const zone = options.has('utc') ? { name: 'UTC', offset: 0 } : zoneOf(proc);
    const color = proc.stdout.tty !== undefined;
    const time = async (letter: 'S' | 'U'): Promise<number | undefined> => {
      const text = options.value(letter);
      if (text === undefined) return undefined;
      const parsed = parseDate(
        text
          .replace(/^-(\d+\s*\w+)$/, '$1 ago')
          .replaceAll(
            /(\d)(min|h|d|s)\b/g,
            (_, digit: string, unit: string) =>
              `${digit} ${{ min: 'min', h: 'hour', d: 'day', s: 'sec' }[unit]}`,
          ),
        proc.clock.now(),
        zone,
      );
      if (parsed === undefined) throw new UnparsedTime(text);
      return parsed;
    };
    let query: JournalQuery;
    try {
      query = await makeQuery();
    } catch (error) {
      if (!(error instanceof UnparsedTime)) throw error;
      const text = `Failed to parse timestamp: ${error.message}`;
      await proc.stderr.write(`${proc.stderr.tty === undefined ? text : `\u001b[0;1;31m${text}\u001b[0m`}\n`);
      return 1;
    }
    if (options.has('disk-usage'))
      return void (await it.out.line('Archived and active journals take up 16.0M in the file system.'));
    if (options.has('list-boots')) {
      const last = journal.query({ lines: 1 })[0]?.timeMs ?? proc.clock.now();
      await it.out.put(
        `IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY\n  0 ${bootId(proc.kernel.bootMs)} ${strftime('%a %F %T %Z', journal.bootMs, zone)} ${strftime('%a %F %T %Z', last, zone)}\n`,
      );
      return undefined;
    }
    if (options.has('rotate', 'flush', 'vacuum-size', 'vacuum-time')) return undefined;
    const format = options.value('o') ?? 'short';
    const entries = journal.query(query);
    if (options.has('r')) entries.reverse();
    if (entries.length === 0 && !options.has('f') && !options.has('q')) await it.out.line('-- No entries --');
    for (const entry of entries) await it.out.line(entryLine(entry, format, zone, color));
    if (!options.has('f')) return undefined;
    await it.out.flush();
    const queue: JournalEntry[] = [];
    let wake: (() => void) | undefined;
    using following = journal.follow({ ...query, lines: undefined }, (entry) => {
      queue.push(entry);
      wake?.();
    });
    void following;
    for (;;) {
      while (queue.length > 0) await proc.stdout.write(`${entryLine(queue.shift()!, format, zone, color)}\n`);
      await proc.interruptible(
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      );
    }

    async function makeQuery(): Promise<JournalQuery> {
      const [sinceMs, untilMs] = [await time('S'), await time('U')];
      const priority = options.value('p')?.split('..').at(-1);
      const priorityMax =
        priority === undefined
          ? undefined
          : /^\d$/.test(priority)
            ? Number(priority)
            : PRIORITIES.findIndex(
                (name) =>
                  name === priority ||
                  (priority === 'error' && name === 'err') ||
                  (priority === 'warn' && name === 'warning'),
              );
      if (priorityMax === -1) throw new Failure(`Unknown log level ${priority}`);
      const count = options.has('n')
        ? (options.value('n') ?? '10')
        : options.has('f') && !options.has('no-tail')
          ? '10'
          : options.has('e')
            ? '1000'
            : 'all';
      if (count !== 'all' && !/^\+?\d+$/.test(count)) throw new Failure(`Failed to parse lines '${count}'`);
      const units = [
        ...options.values('u'),
        ...it.operands
          .filter((text) => text.startsWith('_SYSTEMD_UNIT='))
          .map((text) => text.slice('_SYSTEMD_UNIT='.length)),
      ];
      const grep = options.value('g');
      return {
        ...(units.length > 0 ? { units } : {}),
        ...(options.value('t') === undefined ? {} : { identifier: options.value('t')! }),
        ...(options.has('k') ? { kernel: true } : {}),
        ...(priorityMax === undefined ? {} : { priorityMax }),
        ...(sinceMs === undefined ? (options.has('b') ? { sinceMs: journal.bootMs } : {}) : { sinceMs }),
        ...(untilMs === undefined ? {} : { untilMs }),
        ...(count === 'all' ? {} : { lines: Number(count.replace('+', '')) }),
        ...(grep === undefined ? {} : { grep: new RegExp(grep, /[A-Z]/.test(grep) ? '' : 'i') }),
      };
    }
  },
);

class UnparsedTime extends Error {}

function bootId(bootMs: number): string {
  return Math.floor(bootMs).toString(16).padStart(12, '0').repeat(3).slice(0, 32);
}
