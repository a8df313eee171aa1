// Stub until the editor is written.
import type { Shell } from './shell.ts';

export async function runInteractive(shell: Shell): Promise<number> {
  return shell.status;
}
