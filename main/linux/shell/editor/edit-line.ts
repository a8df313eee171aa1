// Stub until the editor is written.
import type { Shell } from '../shell.ts';

export async function editLine(_shell: Shell, _prompt: string): Promise<string | undefined> {
  return undefined;
}
