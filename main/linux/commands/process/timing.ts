// time(1), timeout(1), nohup(1), nice(1), setsid(1), watch(1)
import { ErrnoError } from '../../../network/index.ts';
import { parseSignal, ProcessExit, type OpenFile, type Program } from '../../kernel/index.ts';
import { capture, runChild, signalNumber, spawnOptions, statusNumber } from '../frame/child.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { displayWidth } from '../frame/format.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { parseInterval } from '../coreutils/sleep.ts';

function startFailure(name: string, error: unknown): Failure {
  if (!(error instanceof ErrnoError)) throw error;
  return new Failure(
    `failed to run command ${quote(name)}: ${error.message}`,
    error.code === 'ENOENT' ? 127 : 126,
  );
}

/** timeout(1) */
export const timeout: Program = command(
  {
    short: 'k:s:v',
    long: ['kill-after:>k', 'signal:>s', 'foreground', 'preserve-status', 'verbose>v'],
    permute: false,
    usage: '[OPTION] DURATION COMMAND [ARG]...',
    summary: 'Start COMMAND, and kill it if still running after DURATION.',
    version: '(GNU coreutils) 9.1',
    usageExit: 125,
  },
  async (it) => {
    const { proc, options } = it;
    const [duration, ...argv] = it.operands;
    if (duration === undefined || argv.length === 0) throw new UsageError('missing operand');
    const limit = parseInterval(duration);
    if (limit === undefined) throw new UsageError(`invalid time interval ${quote(duration)}`);
    const signal = parseSignal(options.value('s') ?? 'TERM');
    if (signal === undefined) throw new UsageError(`${quote(options.value('s')!)}: invalid signal`);
    const killAfter = options.value('k') === undefined ? undefined : parseInterval(options.value('k')!);
    let child;
    try {
      child = proc.spawn(spawnOptions(proc, { argv }));
    } catch (error) {
      throw startFailure(argv[0]!, error);
    }
    const running = child.wait().then((status) => ({ status }));
    let timedOut = false;
    const first =
      limit === 0 || limit === Infinity
        ? await running
        : await Promise.race([running, proc.sleep(limit).then(() => undefined)]);
    let end = first;
    if (end === undefined) {
      timedOut = true;
      if (options.has('v'))
        await it.complain(`sending signal ${signal.slice(3)} to command ${quote(argv[0]!)}`);
      child.kill(signal);
      end =
        killAfter === undefined
          ? await running
          : await Promise.race([running, proc.sleep(killAfter).then(() => undefined)]);
      if (end === undefined) {
        child.kill('SIGKILL');
        await running;
        return 137;
      }
    }
    const { status } = end;
    const number = status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
    if (timedOut && !options.has('preserve-status')) return signal === 'SIGKILL' ? 137 : 124;
    return number;
  },
);

/** time(1), /usr/bin/time. */
export const time: Program = command(
  {
    short: 'apvf:o:',
    long: ['portability>p', 'verbose>v', 'format:>f', 'output:>o', 'append>a'],
    permute: false,
    usage: '[-apvV] [-f format] [-o file] command [arg...]',
  },
  async (it) => {
    const { proc } = it;
    if (it.operands.length === 0)
      throw new Failure(
        'Usage: time [-apvV] [-f format] [-o file] [--append] [--verbose]\n       [--portability] [--format=format] [--output=file] [--version]\n       [--help] command [arg...]',
        125,
      );
    const from = proc.clock.now();
    let status: number;
    try {
      status = statusNumber(await runChild(proc, { argv: it.operands }));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        `cannot run ${it.operands[0]}: ${error.message}`,
        error.code === 'ENOENT' ? 127 : 126,
      );
    }
    const seconds = (proc.clock.now() - from) / 1000;
    await proc.stderr.write(
      it.options.has('p')
        ? `real ${seconds.toFixed(2)}\nuser 0.00\nsys 0.00\n`
        : `0.00user 0.00system ${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, '0')}elapsed 0%CPU (0avgtext+0avgdata 2048maxresident)k\n0inputs+0outputs (0major+90minor)pagefaults 0swaps\n`,
    );
    return status;
  },
);

/** nohup(1) */
export const nohup: Program = command(
  {
    permute: false,
    usage: 'COMMAND [ARG]...',
    summary: 'Run COMMAND, ignoring hangup signals.',
    version: '(GNU coreutils) 9.1',
    usageExit: 125,
  },
  async (it) => {
    const { proc } = it;
    if (it.operands.length === 0) throw new UsageError('missing operand');
    let stdout: OpenFile | undefined;
    const onTerminal = proc.stdout.tty !== undefined;
    if (onTerminal) {
      stdout = proc.fs.open('nohup.out', { write: true, create: true, append: true }, 0o600);
      await it.complain(
        proc.stdin.tty === undefined
          ? "appending output to 'nohup.out'"
          : "ignoring input and appending output to 'nohup.out'",
      );
    } else if (proc.stdin.tty !== undefined) await it.complain('ignoring input');
    const options = spawnOptions(proc, {
      argv: it.operands,
      ...(proc.stdin.tty === undefined ? {} : { stdin: 'null' as const }),
      ...(stdout === undefined ? {} : { stdout }),
      ...(stdout !== undefined && proc.stderr.tty !== undefined ? { stderr: stdout } : {}),
    });
    proc.onSignal('SIGHUP', 'ignore');
    try {
      const status = await proc.spawn({ ...options, ignoredSignals: ['SIGHUP'] }).wait();
      return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
    } catch (error) {
      if (error instanceof ProcessExit) throw error;
      throw startFailure(it.operands[0]!, error);
    }
  },
);

/** nice(1): priorities aren't simulated; the command runs. */
export const nice: Program = command(
  {
    short: 'n:',
    long: ['adjustment:>n'],
    permute: false,
    usage: '[OPTION] [COMMAND [ARG]...]',
    summary: 'Run COMMAND with an adjusted niceness.',
    version: '(GNU coreutils) 9.1',
    usageExit: 125,
    prepare: (args) => (/^--?\d+$/.test(args[0] ?? '') ? [`-n${args[0]!.slice(1)}`, ...args.slice(1)] : args),
  },
  async (it) => {
    const adjustment = it.options.value('n');
    if (adjustment !== undefined && !/^[-+]?\d+$/.test(adjustment))
      throw new Failure(`invalid adjustment ${quote(adjustment)}`, 125);
    if (it.operands.length === 0) return void (await it.out.line('0'));
    try {
      return statusNumber(await runChild(it.proc, { argv: it.operands }));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        `${quoteAlways(it.operands[0]!)}: ${error.message}`,
        error.code === 'ENOENT' ? 127 : 126,
      );
    }
  },
);

/** setsid(1) */
export const setsid: Program = command(
  {
    short: 'cfw',
    long: ['ctty>c', 'fork>f', 'wait>w'],
    permute: false,
    usage: '[options] <program> [arguments ...]',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('no command specified');
    try {
      const child = it.proc.spawn({ ...spawnOptions(it.proc, { argv: it.operands }), newSession: true });
      if (it.options.has('f') && !it.options.has('w')) return 0;
      const status = await child.wait();
      return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        `failed to execute ${it.operands[0]}: ${error.message}`,
        error.code === 'ENOENT' ? 127 : 126,
      );
    }
  },
);

const WATCH_USAGE = `
Usage:
 watch [options] command

Options:
  -b, --beep             beep if command has a non-zero exit
  -c, --color            interpret ANSI color and style sequences
  -d, --differences[=<permanent>]
                         highlight changes between updates
  -e, --errexit          exit if command has a non-zero exit
  -g, --chgexit          exit when output from command changes
  -q, --equexit <cycles>
                         exit when output from command does not change
  -n, --interval <secs>  seconds to wait between updates
  -p, --precise          attempt run command in precise intervals
  -t, --no-title         turn off header
  -w, --no-wrap          turn off line wrapping
  -x, --exec             pass command to exec instead of "sh -c"

 -h, --help     display this help and exit
 -v, --version  output version information and exit

For more details see watch(1).
`;

/** watch(1): runs a command again and again, full screen. */
export const watch: Program = command(
  {
    short: 'bcd::egq:n:ptwxhv',
    long: [
      'beep>b',
      'color>c',
      'differences::>d',
      'errexit>e',
      'chgexit>g',
      'equexit:>q',
      'interval:>n',
      'precise>p',
      'no-title>t',
      'no-wrap>w',
      'exec>x',
    ],
    permute: false,
    help: WATCH_USAGE,
    hint: () => WATCH_USAGE,
    version: 'from procps-ng 4.0.2',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('h')) return void (await it.out.put(WATCH_USAGE));
    if (it.operands.length === 0) {
      await proc.stderr.write(WATCH_USAGE);
      return 1;
    }
    const seconds = Math.max(0.1, Number(options.value('n') ?? 2));
    if (Number.isNaN(seconds)) throw new Failure(`failed to parse argument: '${options.value('n')}'`);
    const tty = proc.stdout.tty;
    const shown = it.operands.join(' ');
    const argv = options.has('x') ? it.operands : ['sh', '-c', shown];
    let before: string | undefined;
    await proc.stdout.write('\u001b[?1049h\u001b[22;0;0t\u001b[?25l\u001b[H\u001b[2J');
    // SIGINT ends watch; the screen is given back on the way out.
    let interrupted = false;
    proc.onSignal('SIGINT', () => {
      interrupted = true;
    });
    try {
      for (;;) {
        const { output, end } = await capture(proc, { argv, stderr: proc.stdout });
        const rows = tty?.size.rows ?? 24;
        const columns = tty?.size.columns ?? 80;
        const title = options.has('t')
          ? []
          : [
              header(
                seconds,
                shown,
                proc.kernel.hostnameOf(proc.pid),
                strftime('%a %b %e %H:%M:%S %Y', proc.clock.now(), zoneOf(proc)),
                columns,
              ),
              '',
            ];
        const lines = [
          ...title,
          ...output
            .replace(/\n$/, '')
            .split('\n')
            .flatMap((line) => (options.has('w') ? [cut(line, columns)] : wrap(line, columns))),
        ].slice(0, rows);
        await proc.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
        if (options.has('g') && before !== undefined && before !== output) return 0;
        if (options.has('e') && statusNumber(end) !== 0) return 8;
        before = output;
        if (interrupted) return 130;
        await proc.sleep(seconds * 1000);
      }
    } catch (error) {
      if (error instanceof ErrnoError && error.code === 'EINTR' && interrupted) return 130;
      throw error;
    } finally {
      if (interrupted || before !== undefined)
        await proc.stdout.write(`\u001b[${tty?.size.rows ?? 24};1H\u001b[?1049l\u001b[23;0;0t\r\u001b[?25h`);
    }
  },
);

function header(seconds: number, shown: string, host: string, date: string, columns: number): string {
  const left = `Every ${seconds.toFixed(1)}s: ${shown}`;
  const right = `${host}: ${date}`;
  if (displayWidth(left) + displayWidth(right) + 1 <= columns)
    return left + ' '.repeat(columns - displayWidth(left) - displayWidth(right)) + right;
  const room = columns - right.length - 4;
  return room > 10 ? `${left.slice(0, room)}... ${right}` : right.slice(0, columns);
}

function cut(line: string, columns: number): string {
  let out = '';
  for (const c of line) {
    if (displayWidth(out) + displayWidth(c) > columns) break;
    out += c;
  }
  return out;
}

function wrap(line: string, columns: number): string[] {
  const rows: string[] = [];
  let row = '';
  for (const c of line.replaceAll('\t', '        ')) {
    if (displayWidth(row) + displayWidth(c) > columns) {
      rows.push(row);
      row = '';
    }
    row += c;
  }
  return [...rows, row];
}
