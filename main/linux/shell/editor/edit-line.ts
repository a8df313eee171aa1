// Reads a line from the terminal with readline's editing.
import type { Shell } from '../shell.ts';
import { commandNamed } from './commands.ts';
import { LineEditor } from './line-editor.ts';
import { readlineOf } from './start.ts';

/** Edits one line; undefined at Ctrl-D on an empty one. Throws LineInterrupted on Ctrl-C. */
export async function editLine(shell: Shell, prompt: string): Promise<string | undefined> {
  const { tty } = shell.proc.fds.get(0)!;
  if (tty === undefined) return undefined;
  const saved = { ...tty.modes };
  const readline = readlineOf(shell);
  // Differs: readline leaves Ctrl-S to the terminal unless `stty -ixon` was said; here it searches.
  tty.setModes({ canonical: false, echo: false, inputNewline: false, flowControl: false });
  const pastes = (shell.vars.get('TERM') ?? 'dumb') !== 'dumb' && readline.isOn('enable-bracketed-paste');
  const editor = new LineEditor(shell, readline, () => tty.size, commandNamed);
  try {
    if (pastes) await shell.err('\x1b[?2004h');
    const line = await editor.run(prompt);
    if (line === undefined && pastes) await shell.err('\n'); // As readline 8.2 does with bracketed paste.
    return line;
  } finally {
    tty.setModes(saved);
    if (pastes) await shell.err('\x1b[?2004l');
    shell.setTrap('SIGWINCH', shell.traps.get('SIGWINCH'));
  }
}
