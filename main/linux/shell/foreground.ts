// Waiting for a foreground job, and saying what became of jobs.
import { ErrnoError } from '../../network/index.ts';
import { Interrupted } from './control.ts';
import { signalText, statusCode, type Job } from './jobs.ts';
import { forgetCoprocess } from './coproc.ts';
import type { Shell } from './shell.ts';

/** How long news of a child takes: what `kill %1` did shows after the next command, as it does on a real machine. */
const NEWS_DELAY_MS = 0.5;

/** Waits until a job ends or stops; takes the terminal back and prints what a shell says about it. */
export async function waitForeground(shell: Shell, job: Job): Promise<number> {
  const { proc } = shell;
  const terminal = shell.interactive ? proc.tty : undefined;
  const modes = terminal === undefined ? undefined : { ...terminal.modes };
  while (job.state === 'running') await interruptibly(shell, job.changed());
  if (terminal !== undefined && shell.monitor) terminal.foreground = proc.processGroup;
  const status = job.lastStatus!;
  job.notified = true;
  if (job.state === 'stopped') {
    if (modes !== undefined) terminal!.setModes(modes);
    shell.jobs.list(job);
    await shell.err(`\n${shell.jobs.line(job)}\n`);
    const stopped = job.members.findLast((member) => member.status?.kind === 'stopped')!.status!;
    return statusCode(stopped);
  }
  shell.jobs.remove(job);
  if (status.kind === 'signaled') {
    if (modes !== undefined) terminal!.setModes(modes);
    await tellDeath(shell, job);
  }
  if (!shell.interactive && shell.jobs.jobs.length > 0) await reapJobs(shell);
  return statusCode(status);
}

/** bash names the signals a foreground job died of, except those one sends by typing or piping. */
async function tellDeath(shell: Shell, job: Job): Promise<void> {
  const status = job.lastStatus!;
  if (status.kind !== 'signaled') return;
  const { signal } = status;
  if (signal === 'SIGINT' && shell.interactive) {
    await shell.err('\n');
    throw new Interrupted(); // As if the shell itself had been interrupted: loops end.
  }
  if (signal === 'SIGINT' || signal === 'SIGPIPE') return;
  if (shell.interactive || signal === 'SIGTERM') await shell.err(`${signalText(signal)}\n`);
  else
    await shell.err(
      `${shell.prefix()}${String(job.pid).padStart(5)} ${signalText(signal).padEnd(23)} ${job.text}\n`,
    );
}

/** Waits; signals that come meanwhile keep their traps for later. */
async function interruptibly(shell: Shell, wait: Promise<void>): Promise<void> {
  for (;;) {
    try {
      await shell.proc.interruptible(wait);
      return;
    } catch (error) {
      if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
    }
  }
}

/** Before a prompt: tells of background jobs that ended or stopped, and forgets the ended ones. */
export async function notifyJobs(shell: Shell): Promise<void> {
  for (const job of [...shell.jobs.jobs]) {
    if (job.state === 'running') continue;
    if (shell.proc.clock.now() - job.changedMs < NEWS_DELAY_MS && shell.interactive) continue;
    if (!job.notified && shell.interactive) await shell.err(`${shell.jobs.line(job)}\n`);
    job.notified = true;
    if (job.state === 'done') shell.jobs.remove(job);
  }
}

/** A shell that isn't interactive forgets ended jobs quietly, but tells of violent deaths. */
export async function reapJobs(shell: Shell): Promise<void> {
  if (shell.coprocess !== undefined) forgetCoprocess(shell);
  for (const job of [...shell.jobs.jobs]) {
    if (job.state !== 'done') continue;
    shell.jobs.remove(job);
    const status = job.lastStatus!;
    if (
      status.kind === 'signaled' &&
      !job.notified &&
      !['SIGINT', 'SIGPIPE', 'SIGTERM'].includes(status.signal)
    ) {
      await shell.err(
        `${shell.prefix()}${String(job.pid).padStart(5)} ${signalText(status.signal).padEnd(23)} ${job.text}\n`,
      );
    }
  }
}
