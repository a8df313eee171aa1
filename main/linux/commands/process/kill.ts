// kill(1), pkill(1), pgrep(1), killall(1), pidof(8)
import { ErrnoError } from '../../../network/index.ts';
import {
  parseSignal,
  SIGNAL_NUMBERS,
  type ProcessInfo,
  type Program,
  type Signal,
} from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';

/** kill(1), the one in /usr/bin. */
export const kill: Program = async (proc) => {
  const args = proc.argv.slice(1);
  let signal: Signal | 0 = 'SIGTERM';
  const first = args[0];
  const usage = async (): Promise<number> => {
    await proc.stderr.write(
      '\nUsage:\n kill [options] <pid> [...]\n\nOptions:\n <pid> [...]            send signal to every <pid> listed\n -<signal>, -s, --signal <signal>\n                        specify the <signal> to be sent\n -q, --queue <value>    integer value to be sent with the signal\n -l, --list=[<signal>]  list all signal names, or convert one to a name\n -L, --table            list all signal names in a nice table\n\n -h, --help     display this help and exit\n -V, --version  output version information and exit\n\nFor more details see kill(1).\n',
    );
    return 1;
  };
  if (first === undefined) return usage();
  if (first === '-l' || first === '--list' || first === '-L') {
    const names = Object.keys(SIGNAL_NUMBERS).map((name) => name.slice(3));
    const wanted =
      args[1] === undefined ? undefined : Number(args[1]) > 128 ? String(Number(args[1]) - 128) : args[1];
    if (wanted === undefined) await proc.stdout.write(`${names.join(' ')}\n`);
    else {
      const found = parseSignal(wanted);
      if (found === undefined) return usage();
      await proc.stdout.write(`${/^\d+$/.test(wanted) ? found.slice(3) : SIGNAL_NUMBERS[found]}\n`);
    }
    return 0;
  }
  const named =
    first === '-s' || first === '--signal'
      ? args.splice(0, 2)[1]
      : /^-./.test(first) && first !== '--'
        ? args.shift()!.slice(1)
        : undefined;
  if (args[0] === '--') args.shift();
  if (named !== undefined) {
    const found = named === '0' ? 0 : parseSignal(named);
    if (found === undefined) {
      await proc.stderr.write(`kill: unknown signal name ${named}\n`);
      return 1;
    }
    signal = found;
  }
  if (args.length === 0) return usage();
  let status = 0;
  for (const text of args) {
    if (!/^-?\d+$/.test(text)) {
      await proc.stderr.write(`kill: failed to parse argument: '${text}'\n`);
      status = 1;
      continue;
    }
    try {
      if (signal !== 0) proc.kill(Number(text), signal);
      else if (!proc.kernel.listProcesses(proc).some((info) => info.pid === Number(text)))
        throw new ErrnoError('ESRCH');
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await proc.stderr.write(`kill: (${text}): ${error.message}\n`);
      status = 1;
    }
  }
  return status;
};

const SELECTION = {
  short: 'cd:flLnovxP:u:U:g:s:t:e',
  long: [
    'count>c',
    'delimiter:>d',
    'full>f',
    'list-name>l',
    'list-full>a',
    'newest>n',
    'oldest>o',
    'inverse>v',
    'exact>x',
    'parent:>P',
    'euid:>u',
    'uid:>U',
    'pgroup:>g',
    'session:>s',
    'terminal:>t',
    'signal:',
    'echo>e',
  ],
} as const;

function hint(name: string): string {
  return `Try \`${name} --help' for more information.\n`;
}

function matching(it: Invocation): ProcessInfo[] {
  const { proc, options } = it;
  const [pattern] = it.operands;
  const filters: ((info: ProcessInfo) => boolean)[] = [];
  const list = (letter: string): string[] | undefined => options.value(letter)?.split(',');
  const parents = list('P');
  if (parents !== undefined) filters.push((info) => parents.includes(String(info.parentPid)));
  const users = [...(list('u') ?? []), ...(list('U') ?? [])];
  if (users.length > 0)
    filters.push(
      (info) =>
        users.includes(userName(proc, info.credentials.uid)) || users.includes(String(info.credentials.uid)),
    );
  const groups = list('g');
  if (groups !== undefined) filters.push((info) => groups.includes(String(info.processGroup)));
  const terminals = list('t');
  if (terminals !== undefined)
    filters.push((info) => terminals.includes(info.tty?.replace('/dev/', '') ?? ''));
  if (pattern === undefined && filters.length === 0) throw new Failure('no matching criteria specified', 2);
  if (pattern !== undefined) {
    let regex: RegExp;
    try {
      regex = new RegExp(options.has('x') ? `^(?:${pattern})$` : pattern);
    } catch {
      throw new Failure(`regex error: Invalid regular expression`, 2); // The pattern isn't one: as regcomp says.
    }
    filters.push((info) => regex.test(options.has('f') ? info.argv.join(' ') : info.command));
  }
  let found = proc.kernel
    .listProcesses(proc)
    .filter(
      (info) =>
        info.pid !== proc.pid &&
        info.state !== 'Z' &&
        filters.every((filter) => filter(info)) !== options.has('v'),
    );
  if (options.has('n')) found = found.toSorted((a, b) => b.startMs - a.startMs || b.pid - a.pid).slice(0, 1);
  if (options.has('o')) found = found.toSorted((a, b) => a.startMs - b.startMs || a.pid - b.pid).slice(0, 1);
  return found;
}

async function selected(it: Invocation): Promise<ProcessInfo[] | number> {
  try {
    return matching(it);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await it.proc.stderr.write(`${it.name}: ${error.message}\n${hint(it.name)}`);
    return error.exitCode;
  }
}

/** pgrep(1) */
export const pgrep: Program = command(
  {
    ...SELECTION,
    short: `a${SELECTION.short}`,
    usage: '[options] <pattern>',
    usageExit: 2,
    hint,
    version: 'from procps-ng 4.0.2',
  },
  async (it) => {
    const found = await selected(it);
    if (typeof found === 'number') return found;
    if (it.options.has('c')) await it.out.line(String(found.length));
    else if (found.length > 0) {
      const delimiter = it.options.value('d') ?? '\n';
      await it.out.line(
        found
          .map((info) =>
            it.options.has('a')
              ? `${info.pid} ${info.argv.join(' ')}`
              : it.options.has('l')
                ? `${info.pid} ${info.command}`
                : String(info.pid),
          )
          .join(delimiter),
      );
    }
    return found.length > 0 ? 0 : 1;
  },
);

/** pkill(1) */
export const pkill: Program = command(
  {
    ...SELECTION,
    usage: '[options] <pattern>',
    usageExit: 2,
    hint,
    version: 'from procps-ng 4.0.2',
    prepare: (args) =>
      args.map((arg) =>
        /^-(?:\d+|(?:SIG)?[A-Z]{2,}\d?)$/.test(arg) && parseSignal(arg.slice(1)) !== undefined
          ? `--signal=${arg.slice(1)}`
          : arg,
      ),
  },
  async (it) => {
    const found = await selected(it);
    if (typeof found === 'number') return found;
    const signal = parseSignal(it.options.value('signal') ?? 'TERM');
    if (signal === undefined) throw new Failure(`unknown signal name ${it.options.value('signal')}`, 2);
    for (const info of found) {
      try {
        it.proc.kill(info.pid, signal);
        if (it.options.has('e')) await it.out.line(`${info.command} killed (pid ${info.pid})`);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.complain(`killing pid ${info.pid} failed: ${error.message}`);
      }
    }
    return found.length > 0 ? 0 : 1;
  },
);

/** killall(1) */
export const killall: Program = command(
  {
    short: 'eIgioqrs:u:vwy:lV',
    long: [
      'exact>e',
      'ignore-case>I',
      'process-group>g',
      'interactive>i',
      'quiet>q',
      'regexp>r',
      'signal:>s',
      'user:>u',
      'verbose>v',
      'wait>w',
      'list>l',
    ],
    usage: '[OPTION]... [--] NAME...',
    prepare: (args) =>
      args.map((arg) =>
        /^-(?:\d+|(?:SIG)?[A-Z]{2,}\d?)$/.test(arg) && parseSignal(arg.slice(1)) !== undefined
          ? `-s${arg.slice(1)}`
          : arg,
      ),
  },
  async (it) => {
    const signal = parseSignal(it.options.value('s') ?? 'TERM');
    if (signal === undefined)
      throw new Failure(`${it.options.value('s')}: unknown signal; killall -l lists signals.`);
    if (it.operands.length === 0) throw new Failure(`Usage: killall [OPTION]... [--] NAME...`);
    for (const name of it.operands) {
      const found = it.proc.kernel
        .listProcesses(it.proc)
        .filter(
          (info) =>
            info.pid !== it.proc.pid &&
            info.state !== 'Z' &&
            info.command === name.slice(name.lastIndexOf('/') + 1).slice(0, 15),
        );
      if (found.length === 0) {
        it.exitCode = 1;
        if (!it.options.has('q'))
          await it.proc.stderr.write(
            it.dialect === 'busybox'
              ? `killall: ${name}: no process killed\n`
              : `${name}: no process found\n`,
          );
      }
      for (const info of found) {
        it.proc.kill(info.pid, signal);
        if (it.options.has('v'))
          await it.proc.stderr.write(`Killed ${name}(${info.pid}) with signal ${SIGNAL_NUMBERS[signal]}\n`);
      }
    }
    return it.exitCode;
  },
);

/** pidof(8) */
export const pidof: Program = command(
  { short: 'scxqo:S:', usage: '[options] [program [...]]' },
  async (it) => {
    const found = it.operands.flatMap((name) =>
      it.proc.kernel
        .listProcesses(it.proc)
        .filter((info) => info.command === name.slice(name.lastIndexOf('/') + 1).slice(0, 15))
        .map((info) => info.pid)
        .toReversed(),
    );
    const shown = it.options.has('s') ? found.slice(0, 1) : found;
    if (shown.length > 0 && !it.options.has('q')) await it.out.line(shown.join(it.options.value('S') ?? ' '));
    return shown.length > 0 ? 0 : 1;
  },
);
