// `set -x`: commands shown as they run.
import { quoteForTrace } from './quoting.ts';
import type { Shell } from './shell.ts';

/** A word as the shell shows it: dash as it is, bash so that it can be read back. */
export function traced(shell: Shell, text: string): string {
  return shell.dialect.name === 'dash' ? text : quoteForTrace(text);
}

/** Prints a line of trace if tracing is on; the text is made only then. */
export async function trace(shell: Shell, text: () => string): Promise<void> {
  if (!shell.options.has('xtrace')) return;
  const shown = text();
  const fd = Number(shell.vars.get('BASH_XTRACEFD') ?? 2) || 2;
  shell.options.delete('xtrace'); // Substitutions in PS4 aren't traced.
  const prompt = await shell.promptText(shell.vars.get('PS4') ?? '+ ');
  shell.options.add('xtrace');
  const first = [...prompt][0] ?? '';
  if (shell.proc.fds.has(fd)) await shell.write(fd, `${first.repeat(shell.traceDepth)}${prompt}${shown}\n`);
}
