// jobs, fg, bg, wait, kill, disown, suspend.
import { ErrnoError } from '../../../network/index.ts';
import { parseSignal, SIGNAL_NUMBERS, type Signal } from '../../kernel/index.ts';
import { forgetCoprocess } from '../coproc.ts';
import { waitForeground } from '../foreground.ts';
import { statusCode, type Job } from '../jobs.ts';
import type { Shell } from '../shell.ts';
import { listSignals } from './flow.ts';
import { parseOptions, textual, type Builtin } from './support.ts';

const KILL_USAGE = 'kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]';

/** The job of a spec, or undefined after a message. */
async function requireJob(shell: Shell, name: string, spec: string | undefined): Promise<Job | undefined> {
  const job =
    spec !== undefined && /^[0-9]+$/.test(spec)
      ? shell.jobs.byPid(Number(spec))
      : shell.jobs.find(spec ?? '%%');
  if (job === 'ambiguous') await shell.error(`${name}: ${spec}: ambiguous job spec`);
  else if (job === undefined) await shell.error(`${name}: ${spec ?? 'current'}: no such job`);
  else return job;
  return undefined;
}

const jobs = textual(async (shell, args) => {
  const parsed = await parseOptions(
    shell,
    'jobs',
    args,
    'lnprsx',
    'jobs [-lnprs] [jobspec ...] or jobs -x command [args]',
  );
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  let status = 0;
  const chosen: Job[] = [];
  for (const spec of operands) {
    const job = await requireJob(shell, 'jobs', spec);
    if (job === undefined) status = 1;
    else chosen.push(job);
  }
  for (const job of operands.length > 0 ? chosen : [...shell.jobs.listed]) {
    if (options.has('r') && job.state !== 'running') continue;
    if (options.has('s') && job.state !== 'stopped') continue;
    if (options.has('n') && job.notified) continue;
    await shell.out(
      options.has('p') ? `${job.members[0]?.pid}\n` : `${shell.jobs.line(job, options.has('l'))}\n`,
    );
    job.notified = true;
    if (job.state === 'done') shell.jobs.remove(job);
  }
  return status;
});

const fg = textual(async (shell, args) => {
  if (!shell.monitor) {
    await shell.error('fg: no job control');
    return 1;
  }
  const job = await requireJob(shell, 'fg', args[0]);
  if (job === undefined) return 1;
  await shell.out(`${job.text}\n`);
  const { tty } = shell.proc;
  if (tty !== undefined && job.processGroup !== undefined) tty.foreground = job.processGroup;
  job.background = false;
  if (job.state === 'stopped') shell.jobs.resume(shell.proc, job);
  return waitForeground(shell, job);
});

const bg = textual(async (shell, args) => {
  if (!shell.monitor) {
    await shell.error('bg: no job control');
    return 1;
  }
  let status = 0;
  for (const spec of args.length > 0 ? args : [undefined]) {
    const job = await requireJob(shell, 'bg', spec);
    if (job === undefined) {
      status = 1;
    } else if (job.state === 'running') {
      await shell.error(`bg: job ${job.number} already in background`);
    } else {
      job.background = true;
      await shell.out(`[${job.number}]${shell.jobs.mark(job)} ${job.text} &\n`);
      shell.jobs.resume(shell.proc, job);
    }
  }
  return status;
});

// ── wait ──

const wait = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'wait', args, 'fnp:', 'wait [-fn] [-p var] [id ...]');
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  try {
    if (options.has('n')) return await waitNext(shell, options.get('p'));
    if (operands.length === 0) {
      for (const job of [...shell.jobs.jobs]) await waitJob(shell, job);
      await shell.lastSubstitution;
      shell.jobs.ended.clear();
      return 0;
    }
    let status = 0;
    for (const spec of operands) status = await waitFor(shell, spec);
    return status;
  } catch (error) {
    if (error instanceof WaitInterrupted) return error.status;
    throw error;
  } finally {
    forgetCoprocess(shell);
  }
});

class WaitInterrupted extends Error {
  readonly status: number;
  constructor(status: number) {
    super('wait interrupted');
    this.status = status;
  }
}

/** Waits in a way that a trapped signal ends. */
async function patiently(shell: Shell, change: Promise<void>): Promise<void> {
  try {
    await shell.proc.interruptible(change);
  } catch (error) {
    if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
    const status = await shell.takeSignals();
    if (status !== undefined) throw new WaitInterrupted(status);
  }
}

async function waitJob(shell: Shell, job: Job): Promise<number> {
  while (job.state === 'running') await patiently(shell, job.changed());
  job.notified = !shell.interactive || job.notified;
  if (job.state === 'done' && !shell.interactive) shell.jobs.remove(job);
  return statusCode(job.lastStatus!);
}

async function waitFor(shell: Shell, spec: string): Promise<number> {
  if (spec.startsWith('%')) {
    const job = await requireJob(shell, 'wait', spec);
    return job === undefined ? 127 : waitJob(shell, job);
  }
  if (!/^[0-9]+$/.test(spec)) {
    await shell.error(`wait: \`${spec}': not a pid or valid job spec`);
    return 1;
  }
  const pid = Number(spec);
  const job = shell.jobs.byPid(pid);
  const member = job?.members.find((each) => each.pid === pid);
  while (job !== undefined && member !== undefined && member.status === undefined)
    await patiently(shell, job.changed());
  if (member?.status !== undefined) {
    if (job!.state === 'done' && !shell.interactive) shell.jobs.remove(job!);
    return statusCode(member.status);
  }
  const ended = shell.jobs.ended.get(pid);
  if (ended !== undefined) return ended;
  await shell.error(`wait: pid ${pid} is not a child of this shell`);
  return 127;
}

async function waitNext(shell: Shell, variable: string | undefined): Promise<number> {
  for (;;) {
    const done = shell.jobs.jobs.find((job) => job.state === 'done');
    if (done !== undefined) {
      if (variable !== undefined) shell.vars.set(variable, String(done.pid));
      shell.jobs.remove(done);
      return statusCode(done.lastStatus!);
    }
    if (shell.jobs.jobs.length === 0) return 127;
    await patiently(shell, Promise.race(shell.jobs.jobs.map((job) => job.changed())));
  }
}

// ── kill ──

const kill = textual(async (shell, args) => {
  let signal: Signal | undefined | '0' = 'SIGTERM';
  let rest = args;
  const first = args[0];
  if (first === undefined || first === '--help') return killUsage(shell);
  if (first === '-l' || first === '-L')
    return args.length === 1 ? listSignals(shell) : translateSignals(shell, args.slice(1));
  if (first === '-s' || first === '-n') {
    if (args[1] === undefined) {
      await shell.error(`kill: ${first}: option requires an argument`);
      return 1;
    }
    signal = await signalOf(shell, args[1]);
    rest = args.slice(2);
  } else if (first === '--') {
    rest = args.slice(1);
  } else if (first.startsWith('-') && first.length > 1) {
    signal = await signalOf(shell, first.slice(1));
    rest = args.slice(1);
    if (rest[0] === '--') rest = rest.slice(1);
  }
  if (signal === undefined) return 1;
  if (rest.length === 0) return killUsage(shell);
  let status = 1;
  for (const target of rest) if (await killOne(shell, target, signal)) status = 0;
  await shell.checkpoint(0);
  return status;
});

async function killUsage(shell: Shell): Promise<number> {
  await shell.err(`kill: usage: ${KILL_USAGE}\n`);
  return 2;
}

async function signalOf(shell: Shell, text: string): Promise<Signal | '0' | undefined> {
  if (text === '0') return '0';
  const signal = parseSignal(text);
  if (signal === undefined) await shell.error(`kill: ${text}: invalid signal specification`);
  return signal;
}

async function translateSignals(shell: Shell, args: readonly string[]): Promise<number> {
  let status = 0;
  for (const arg of args) {
    const number = /^[0-9]+$/.test(arg) ? Number(arg) & 0x7f : undefined;
    const signal = parseSignal(number === undefined ? arg : String(number));
    if (signal === undefined) {
      await shell.error(`kill: ${arg}: invalid signal specification`);
      status = 1;
    } else {
      await shell.out(`${number === undefined ? SIGNAL_NUMBERS[signal] : signal.slice(3)}\n`);
    }
  }
  return status;
}

async function killOne(shell: Shell, target: string, signal: Signal | '0'): Promise<boolean> {
  const { proc } = shell;
  let pid: number;
  if (target.startsWith('%')) {
    const job = await requireJob(shell, 'kill', target);
    if (job === undefined) return false;
    if (signal === '0') return true;
    if (job.processGroup === undefined) {
      for (const member of job.members)
        if (member.status === undefined || member.status.kind === 'stopped') member.child.kill(signal);
    } else {
      proc.kill(-job.processGroup, signal);
      if (job.state === 'stopped' && (signal === 'SIGTERM' || signal === 'SIGHUP'))
        proc.kill(-job.processGroup, 'SIGCONT');
    }
    return true;
  }
  if (!/^-?[0-9]+$/.test(target)) {
    await shell.error(`kill: ${target}: arguments must be process or job IDs`);
    return false;
  }
  pid = Number(target);
  if (pid === 0) pid = -proc.processGroup;
  try {
    if (signal === '0') {
      if (pid > 0 && proc.kernel.process(pid) === undefined) throw new ErrnoError('ESRCH');
    } else {
      proc.kill(pid, signal);
    }
    return true;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await shell.error(
      shell.dialect.name === 'ash'
        ? `can't kill pid ${target}: ${error.message}`
        : `kill: (${target}) - ${error.message}`,
    );
    return false;
  }
}

const disown = textual(async (shell, args) => {
  const parsed = await parseOptions(
    shell,
    'disown',
    args,
    'ahr',
    'disown [-h] [-ar] [jobspec ... | pid ...]',
  );
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  let status = 0;
  const chosen: Job[] = [];
  if (operands.length === 0 && (options.has('a') || options.has('r')))
    chosen.push(...shell.jobs.jobs.filter((job) => !options.has('r') || job.state === 'running'));
  for (const spec of operands.length === 0 && chosen.length === 0 && !options.has('a')
    ? [undefined]
    : operands) {
    const job = await requireJob(shell, 'disown', spec);
    if (job === undefined) status = 1;
    else chosen.push(job);
  }
  for (const job of chosen) {
    if (options.has('h')) job.noHangup = true;
    else shell.jobs.remove(job);
  }
  return status;
});

const suspend = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'suspend', args, 'f', 'suspend [-f]');
  if (typeof parsed === 'number') return parsed;
  if (parsed.operands.length > 0) {
    await shell.error('suspend: too many arguments');
    return 1;
  }
  if (!parsed.options.has('f') && !shell.monitor) {
    await shell.error('suspend: cannot suspend: no job control');
    return 1;
  }
  if (shell.login) {
    await shell.error('suspend: cannot suspend a login shell');
    return 1;
  }
  shell.proc.kill(shell.proc.pid, 'SIGSTOP');
  await shell.checkpoint(0);
  return 0;
});

export const jobBuiltins: readonly (readonly [string, Builtin])[] = [
  ['jobs', jobs],
  ['fg', fg],
  ['bg', bg],
  ['wait', wait],
  ['kill', kill],
  ['disown', disown],
  ['suspend', suspend],
];
