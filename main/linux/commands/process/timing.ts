// time(1), timeout(1), nohup(1), nice(1), setsid(1)
import { ErrnoError } from '../../../network/index.ts';
import { parseSignal, ProcessExit, type OpenFile, type Program } from '../../kernel/index.ts';
import { runChild, signalNumber, spawnOptions, statusNumber } from '../frame/child.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
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
