// systemd-cgls(1), systemd-cat(1), systemd-notify(1), systemd-detect-virt(1), systemd-escape(1), systemd-analyze(1), loginctl(1), localectl(1), runlevel(8), logger(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { journalSocket, parseCalendar, systemdSocket } from '../../systemd/index.ts';
import { userName } from '../frame/accounts.ts';
import { command, Failure } from '../frame/command.ts';
import { runChild, statusNumber } from '../frame/child.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { SYSTEMD_VERSION } from './systemd-text.ts';

const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** Writes to the journal as syslog(3) does. Throws ErrnoError where no journal runs. */
function journalWrite(
  proc: Process,
  priority: number,
  identifier: string,
  message: string,
  pid?: number,
): void {
  proc.kernel.connectService(journalSocket).write({ priority, identifier, pid, unit: undefined, message });
}

/** `user.notice`, `err`, `3` */
function priorityOf(text: string): number | undefined {
  const level = text.includes('.') ? text.slice(text.indexOf('.') + 1) : text;
  if (/^[0-7]$/.test(level)) return Number(level);
  const found = PRIORITIES.indexOf({ error: 'err', warn: 'warning', panic: 'emerg' }[level] ?? level);
  return found < 0 ? undefined : found;
}

/** logger(1) */
export const logger: Program = command(
  {
    short: 'cdef:hinp:P:st:u:TS:',
    long: ['id::>i', 'file:>f', 'priority:>p', 'stderr>s', 'tag:>t', 'skip-empty>e'],
    usage: '[options] [<message>]',
    version: 'from util-linux 2.38.1',
    permute: false,
  },
  async (it) => {
    const { proc, options } = it;
    const priority = priorityOf(options.value('p') ?? 'user.notice');
    if (priority === undefined) throw new Failure(`unknown priority name: ${options.value('p')}`);
    const tag = options.value('t') ?? userName(proc, proc.credentials.uid);
    const text =
      it.operands.length > 0
        ? it.operands.join(' ')
        : options.has('f')
          ? proc.fs.readText(options.value('f')!)
          : await proc.stdin.readText();
    for (const line of text.replace(/\n$/, '').split('\n')) {
      if (line === '' && options.has('e')) continue;
      journalWrite(proc, priority, tag, line, options.has('i') ? proc.pid : undefined);
      if (options.has('s'))
        await proc.stderr.write(
          `<${8 + priority}>${strftime('%b %e %T', proc.clock.now(), zoneOf(proc))} ${tag}: ${line}\n`,
        );
    }
  },
);

/** systemd-cat(1) */
export const systemdCat: Program = command(
  {
    short: 't:p:',
    long: ['identifier:>t', 'priority:>p', 'stderr-priority:', 'level-prefix:'],
    permute: false,
    versionText: SYSTEMD_VERSION,
  },
  async (it) => {
    const { proc, options } = it;
    const priority = priorityOf(options.value('p') ?? 'info') ?? 6;
    const [name] = it.operands;
    const tag = options.value('t') ?? name?.replace(/.*\//, '') ?? 'cat';
    const log = async (lines: AsyncIterable<string>): Promise<void> => {
      for await (const line of lines) journalWrite(proc, priority, tag, line, proc.pid);
    };
    if (name === undefined) {
      await log(proc.stdin.lines());
      return 0;
    }
    const { reader, writer } = proc.kernel.pipe();
    const logged = log(reader.lines());
    const end = await runChild(proc, { argv: it.operands, stdout: writer, stderr: writer });
    proc.kernel.closeFile(writer);
    await logged;
    return statusNumber(end);
  },
);

/** systemd-notify(1) */
export const systemdNotify: Program = command(
  {
    long: ['ready', 'status:', 'pid::', 'booted', 'uid:', 'no-block', 'reloading', 'stopping'],
    versionText: SYSTEMD_VERSION,
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('booted')) return 0;
    if (!proc.env.has('NOTIFY_SOCKET'))
      throw new Failure('No status data could be sent: $NOTIFY_SOCKET was not set');
    const lines = [
      ...(options.has('ready') ? ['READY=1'] : []),
      ...(options.has('status') ? [`STATUS=${options.value('status')}`] : []),
      ...(options.has('pid') ? [`MAINPID=${options.value('pid') ?? proc.parentPid}`] : []),
      ...it.operands,
    ];
    proc.kernel.connectService(systemdSocket).notify(proc.pid, lines.join('\n'));
    return Promise.resolve(0);
  },
);

/** systemd-detect-virt(1) */
export const systemdDetectVirt: Program = command(
  { short: 'cvqr', long: ['container>c', 'vm>v', 'quiet>q'], versionText: SYSTEMD_VERSION },
  async (it) => {
    const found = it.options.has('c') ? 'none' : 'kvm';
    if (!it.options.has('q')) await it.out.line(found);
    return found === 'none' ? 1 : 0;
  },
);

/** systemd-escape(1) */
export const systemdEscape: Program = command(
  {
    short: 'up',
    long: ['unescape>u', 'path>p', 'suffix:', 'template:'],
    usage: '[OPTIONS...] [NAME...]',
    versionText: SYSTEMD_VERSION,
  },
  async (it) => {
    const { options } = it;
    const shown = it.operands.map((text) => {
      if (options.has('u'))
        return text
          .replaceAll('-', '/')
          .replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      const trimmed = options.has('p') ? text.replaceAll(/^\/+|\/+$/g, '') || '-' : text;
      const escaped = Array.from(trimmed, (char, index) =>
        char === '/'
          ? '-'
          : /[\w:.]/.test(char) && !(index === 0 && char === '.')
            ? char
            : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
      ).join('');
      const template = options.value('template');
      return template === undefined
        ? escaped + (options.has('suffix') ? `.${options.value('suffix')}` : '')
        : template.replace('@.', `@${escaped}.`);
    });
    await it.out.line(shown.join(' '));
  },
);

/** systemd-analyze(1): calendar and verify-like questions that need no boot profile. */
export const systemdAnalyze: Program = command(
  {
    long: ['no-pager', 'iterations:', 'base-time:'],
    usage: '[OPTIONS...] COMMAND ...',
    versionText: SYSTEMD_VERSION,
  },
  async (it) => {
    const { proc } = it;
    const [verb = 'time', ...args] = it.operands;
    if (verb !== 'calendar') throw new Failure(`drydock: systemd-analyze ${verb} isn't simulated`);
    const zone = zoneOf(proc);
    for (const text of args) {
      const next = parseCalendar(text)?.next(proc.clock.now());
      if (next === undefined) {
        await proc.stderr.write(`Failed to parse calendar specification '${text}': Invalid argument\n`);
        return 1;
      }
      await it.out.put(`  Original form: ${text}\n    Next elapse: ${strftime('%a %F %T %Z', next, zone)}\n`);
    }
    return 0;
  },
);

/** systemd-cgls(1) */
export const systemdCgls: Program = command(
  { short: 'akl', long: ['no-pager', 'all>a', 'full>l', 'unit:'], versionText: SYSTEMD_VERSION },
  async (it) => {
    const processes = it.proc.kernel.listProcesses(it.proc);
    interface Group {
      readonly children: Map<string, Group>;
      readonly pids: string[];
    }
    const root: Group = { children: new Map(), pids: [] };
    for (const { cgroup, pid, argv, command: name } of processes) {
      let group = root;
      for (const part of (pid === 1 ? '/init.scope' : cgroup).split('/').filter((one) => one !== '')) {
        const next = group.children.get(part) ?? { children: new Map(), pids: [] };
        group.children.set(part, next);
        group = next;
      }
      group.pids.push(`${pid} ${argv.length === 0 ? `[${name}]` : argv.join(' ')}`);
    }
    const lines = ['Control group /:', '-.slice'];
    const walk = (group: Group, indent: string): void => {
      const rows = [
        ...group.pids.map((text) => ({ text, below: undefined })),
        ...Array.from(group.children, ([text, below]) => ({ text, below })),
      ];
      for (const [index, { text, below }] of rows.entries()) {
        const last = index === rows.length - 1;
        lines.push(`${indent}${last ? '└─' : '├─'}${text}`);
        if (below !== undefined) walk(below, `${indent}${last ? '  ' : '│ '}`);
      }
    };
    walk(root, '');
    await it.out.put(lines.map((line) => `${line}\n`).join(''));
  },
);

/** loginctl(1): sessions are terminals with somebody on them. */
export const loginctl: Program = command(
  {
    long: ['no-pager', 'no-legend', 'all', 'property:'],
    short: 'p:a',
    usage: '[OPTIONS...] COMMAND ...',
    versionText: SYSTEMD_VERSION,
  },
  async (it) => {
    const { proc } = it;
    const [verb = 'list-sessions'] = it.operands;
    const leaders = proc.kernel
      .listProcesses(proc)
      .filter(({ pid, session, tty }) => pid === session && tty !== undefined);
    if (verb === 'list-users') {
      const users = new Map(
        leaders.map(({ credentials }) => [credentials.uid, userName(proc, credentials.uid)]),
      );
      const rows = Array.from(
        users,
        ([uid, name]) => `${String(uid).padStart(4)} ${name.padEnd(4)} no     active\n`,
      );
      await it.out.put(` UID USER LINGER STATE \n${rows.join('')}\n${users.size} users listed.\n`);
      return 0;
    }
    if (verb !== 'list-sessions') throw new Failure(`drydock: loginctl ${verb} isn't simulated`);
    const rows = leaders.map(
      ({ credentials, tty }, index) =>
        `${String(index + 1).padStart(7)} ${String(credentials.uid).padStart(4)} ${userName(proc, credentials.uid).padEnd(4)}      ${tty!.replace('/dev/', '')}\n`,
    );
    await it.out.put(`SESSION  UID USER SEAT TTY  \n${rows.join('')}\n${leaders.length} sessions listed.\n`);
    return 0;
  },
);

/** localectl(1), status. */
export const localectl: Program = command(
  { long: ['no-pager'], versionText: SYSTEMD_VERSION },
  async (it) => {
    const [verb = 'status', ...words] = it.operands;
    const { fs } = it.proc;
    const read = (): string =>
      fs.exists('/etc/locale.conf') ? fs.readText('/etc/locale.conf').trim() : 'LANG=en_US.UTF-8';
    if (verb === 'status') {
      await it.out.put(
        `   System Locale: ${read().replaceAll('\n', '\n                  ')}\n       VC Keymap: us\n      X11 Layout: us\n`,
      );
      return 0;
    }
    if (verb === 'set-locale') {
      fs.writeFile(
        '/etc/locale.conf',
        words.map((word) => `${word.includes('=') ? word : `LANG=${word}`}\n`).join(''),
      );
      return 0;
    }
    if (verb === 'list-locales') {
      await it.out.put('C.UTF-8\nen_US.UTF-8\nzh_CN.UTF-8\n');
      return 0;
    }
    throw new Failure(`drydock: localectl ${verb} isn't simulated`);
  },
);

/** runlevel(8) */
export const runlevel: Program = async (proc) => {
  try {
    const target = proc.kernel.connectService(systemdSocket).defaultTarget;
    await proc.stdout.write(`N ${target === 'graphical.target' ? 5 : target === 'rescue.target' ? 1 : 3}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stdout.write('unknown\n');
    return 1;
  }
};
