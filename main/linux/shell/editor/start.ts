// The line editor of a shell, as inputrc sets it up.
import type { Shell } from '../shell.ts';
import { Readline } from './readline.ts';

/** The shell's line editor, made ready on first use: $INPUTRC, else ~/.inputrc, else /etc/inputrc. */
export function readlineOf(shell: Shell): Readline {
  let { readline } = shell;
  if (readline === undefined) {
    readline = new Readline();
    shell.readline = readline;
    readInit(shell, readline);
    if (readline.editingMode === 'vi') setEditingMode(shell, readline);
  }
  const mode = shell.options.has('vi') ? 'vi' : 'emacs';
  if (readline.editingMode !== mode) readline.editingMode = mode;
  return readline;
}

/** `set -o` tells the mode that inputrc or `bind` chose. */
export function setEditingMode(shell: Shell, { editingMode }: Readline): void {
  shell.options.delete(editingMode === 'vi' ? 'emacs' : 'vi');
  shell.options.add(editingMode);
}

/** Reads the init file again, as C-x C-r does. */
export function readInit(shell: Shell, readline: Readline): void {
  const home = shell.homeOf('') ?? '';
  const named = shell.vars.get('INPUTRC');
  const paths = named === undefined || named === '' ? [`${home}/.inputrc`, '/etc/inputrc'] : [named];
  const readFile = (path: string): string | undefined => shell.readFile(path.replace(/^~(?=\/)/, home));
  for (const path of paths) {
    const text = readFile(path);
    if (text === undefined) continue;
    readline.takeFile(text, { term: shell.vars.get('TERM') ?? 'dumb', readFile });
    return;
  }
}
