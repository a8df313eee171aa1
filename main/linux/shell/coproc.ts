// Coprocesses: `coproc NAME command` runs a command in the background, joined to the shell by two pipes.
import { Job } from './jobs.ts';
import type { RunOptions, Shell } from './shell.ts';
import type { Command } from './syntax/ast.ts';
import { commandText } from './syntax/unparse.ts';
import { quoteForTrace } from './quoting.ts';

type CoprocCommand = Command & { kind: 'coproc' };

/** A coprocess that a shell has started. */
export interface Coprocess {
  readonly name: string;
  readonly pid: number;
  readonly fds: readonly number[];
  readonly job: Job;
}

/** Descriptors are taken downwards from here, so that they stay out of people's way. */
const FD_MAX = 63;

export async function runCoproc(shell: Shell, command: CoprocCommand): Promise<number> {
  const name = command.name ?? 'COPROC';
  forgetCoprocess(shell);
  const running = shell.coprocess;
  if (running !== undefined)
    await shell.error(`warning: execute_coproc: coproc [${running.pid}:${running.name}] still exists`);
  const { kernel } = shell.proc;
  const [input, output] = [kernel.pipe(), kernel.pipe()];
  const fds = shell.childFds();
  fds.set(0, input.reader);
  fds.set(1, output.writer);
  const run: RunOptions = { noFork: true };
  const child = shell.fork((sub) => sub.engine.runCommand(sub, command.body, run), {
    fds,
    processGroup: shell.monitor ? 0 : undefined,
    simple: command.body.kind === 'simple' ? 'background' : undefined,
  });
  const own = [output.reader, input.writer].map((file) => {
    let fd = FD_MAX;
    while (shell.proc.fds.has(fd)) fd--;
    return shell.proc.setFd(file, fd);
  });
  shell.vars.setArray(name, own.map(String));
  shell.vars.set(`${name}_PID`, String(child.pid));
  shell.lastBackgroundPid = child.pid;
  const job = new Job(
    `coproc ${command.name === undefined ? '' : `${quoteForTrace(name)} `}${commandText(command.body)}`,
    shell.monitor ? child.pid : undefined,
  );
  job.background = true;
  shell.jobs.add(job, child);
  const number = shell.jobs.list(job);
  shell.coprocess = { name, pid: child.pid, fds: own, job };
  if (shell.interactive) await shell.err(`[${number}] ${child.pid}\n`);
  return (shell.status = 0);
}

/** Once a coprocess has ended, its pipes and its variables go. */
export function forgetCoprocess(shell: Shell): void {
  const { coprocess } = shell;
  if (coprocess === undefined || coprocess.job.state !== 'done') return;
  shell.coprocess = undefined;
  for (const fd of coprocess.fds) if (shell.proc.fds.has(fd)) shell.proc.closeFd(fd);
  for (const name of [coprocess.name, `${coprocess.name}_PID`])
    if (shell.vars.find(name)?.attributes.has('readonly') !== true) shell.vars.unset(name);
}
