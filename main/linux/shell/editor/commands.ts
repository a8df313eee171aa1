// Readline's functions by name.
import { changes } from './changes.ts';
import { completing } from './completing.ts';
import { historyCommands } from './history-commands.ts';
import type { EditCommand } from './line-editor.ts';
import { movement } from './movement.ts';
import { searching } from './searching.ts';
import { viCommands } from './vi-commands.ts';

const COMMANDS: ReadonlyMap<string, EditCommand> = new Map(
  [movement, changes, historyCommands, searching, completing, viCommands].flatMap((group) =>
    Object.entries(group),
  ),
);
/** Names that older inputrc files use. */
const ALIASES: Readonly<Record<string, string>> = {
  'insert-last-argument': 'yank-last-arg',
  'vi-undo': 'undo',
  'vi-unix-word-rubout': 'unix-word-rubout',
};

export function commandNamed(name: string): EditCommand | undefined {
  return COMMANDS.get(ALIASES[name] ?? name);
}

/** All names, for `bind -l`. */
export function commandNames(): string[] {
  return [...COMMANDS.keys(), ...Object.keys(ALIASES).filter((name) => !COMMANDS.has(name))].toSorted();
}
