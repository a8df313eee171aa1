// Vi's colon commands that run others: the shell, and filters of lines.
import { runChild } from '../../frame/child.ts';
import type { Lines } from './addresses.ts';
import { type Call, linesOf } from './call.ts';
import { capture } from './shell-out.ts';
import type { Session } from './state.ts';

/** `:!cmd`, and with lines a filter of them. */
export async function bang(call: Call): Promise<void> {
  const { session, host, lines, argument } = call;
  if (lines.given === 0) {
    await host.aside(async () => runShell(session, ['-c', argument]));
    return;
  }
  await filter(session, lines, argument);
}

/** Replaces lines by what a command makes of them. */
export async function filter(
  session: Session,
  { from, to }: Pick<Lines, 'from' | 'to'>,
  command: string,
): Promise<void> {
  const input = session.text.lines
    .slice(from, to + 1)
    .map((line) => `${line}\n`)
    .join('');
  const { output, exitCode } = await capture(session.proc, command, input);
  const made = output === '' ? [] : output.replace(/\n$/, '').split('\n');
  session.text.splice(from, to - from + 1, made);
  session.toFirstNonBlank(from);
  if (exitCode !== 0) session.say(`shell returned ${exitCode}`);
  else if (to - from + 1 > 2) session.say(`${to - from + 1} lines filtered`);
}

export async function filterTo({ session, lines, host }: Call, command: string): Promise<void> {
  const content =
    lines.given > 0
      ? linesOf(session, lines)
          .map((line) => `${line}\n`)
          .join('')
      : session.text.contents;
  const { output } = await capture(session.proc, command, content);
  if (output !== '') await host.show(output.replace(/\n$/, ''));
}

export async function runShell({ proc }: Session, args: readonly string[]): Promise<string> {
  const shell = proc.env.get('SHELL') ?? '/bin/sh';
  const end = await runChild(proc, { argv: [proc.fs.exists(shell) ? shell : '/bin/sh', ...args] });
  const code = end.kind === 'exited' ? end.exitCode : 128 + end.number;
  return code === 0 ? '' : `\nshell returned ${code}\n`;
}
