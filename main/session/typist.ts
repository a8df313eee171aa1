// Types a script into somebody's shell at readable speed, waiting for the prompt before each line, as a person would.
import type { TtyMaster } from '../linux/kernel/index.ts';
import type { Clock } from '../simulation/index.ts';

/** Virtual time between two keys of a command, in ms. */
const KEY_MS = 18;
/** Virtual time between two lines of a here-document, in ms. */
const LINE_MS = 40;
/** How often the prompt is looked for, in ms of virtual time. */
const LOOK_MS = 20;

/** Settles when the last command has ended and the shell asks for the next one. Rejects with the signal's reason. */
export async function typeScript(
  terminal: TtyMaster,
  clock: Clock,
  script: string,
  signal: AbortSignal,
): Promise<void> {
  let terminator: string | undefined;
  for (const line of script.trimEnd().split('\n')) {
    await untilPrompt(terminal, clock, signal);
    if (terminator !== undefined) {
      terminal.input(`${line}\r`);
      await clock.sleep(LINE_MS, signal);
      if (line === terminator) terminator = undefined;
      continue;
    }
    for (const key of line) {
      terminal.input(key);
      await clock.sleep(KEY_MS, signal);
    }
    terminal.input('\r');
    await clock.sleep(LOOK_MS, signal);
    terminator = /<<-?\s*['"]?(\w+)/.exec(line)?.[1];
  }
  await untilPrompt(terminal, clock, signal);
}

/** A shell that edits a line has its terminal in raw mode, and is itself in the foreground. */
async function untilPrompt({ tty }: TtyMaster, clock: Clock, signal: AbortSignal): Promise<void> {
  while (tty.modes.canonical || tty.foreground !== tty.session) await clock.sleep(LOOK_MS, signal);
}
