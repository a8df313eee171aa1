// Functions that fetch lines and words from the history, and those that end a line.
import { ErrnoError } from '../../../network/index.ts';
import { expandToText } from '../expand.ts';
import { expandHistory, HistoryError } from '../history-expansion.ts';
import { parseText } from '../syntax/parser.ts';
import { ShellSyntaxError } from '../syntax/syntax-error.ts';
import { ExpansionError } from '../control.ts';
import type { EditCommand, LineEditor } from './line-editor.ts';
import { splitWords, wordRanges } from './words.ts';

function step(sign: 1 | -1): EditCommand {
  return async (editor, count) => {
    if (count === 0) return;
    const wanted = Math.max(0, Math.min(editor.entries.length, editor.historyAt + sign * count));
    await editor.goToHistory(wanted);
  };
}

interface PrefixSearch {
  readonly text: string;
  at: number;
  found: string | undefined;
}

/** Looks for a line that begins with (or has) what stands before point; repeated, for the next one. */
function searchFor(sign: 1 | -1, anchored: boolean): EditCommand {
  const kind = anchored ? 'prefix search' : 'substring search';
  const names = anchored
    ? ['history-search-backward', 'history-search-forward']
    : ['history-substring-search-backward', 'history-substring-search-forward'];
  return async (editor, count) => {
    const { buffer } = editor;
    const goesOn = names.includes(editor.lastCommand);
    const kept = editor.memory.get(kind) as PrefixSearch | undefined;
    const search: PrefixSearch =
      goesOn && kept !== undefined ? kept : { text: buffer.before, at: editor.historyAt, found: undefined };
    editor.memory.set(kind, search);
    if (search.text === '') return step(sign)(editor, count, '');
    const direction = count < 0 ? -sign : sign;
    const lines = editor.lines();
    for (let i = search.at + direction; i >= 0 && i < editor.entries.length; i += direction) {
      const line = lines[i]!;
      if (!(anchored ? line.startsWith(search.text) : line.includes(search.text))) continue;
      if (line === search.found) continue;
      search.at = i;
      search.found = line;
      buffer.replace(0, buffer.end, line); // The place in the history stays, as in readline.
      buffer.point = anchored ? search.text.length : line.indexOf(search.text) + search.text.length;
      buffer.mark = buffer.end;
      return;
    }
    await editor.bell();
    buffer.point = Math.min(buffer.end, search.text.length);
  };
}

interface LastArgument {
  skip: number;
  direction: number;
  readonly word: number | undefined;
  undo: boolean;
}

/** Puts one word of an earlier line at point; false if there's none. `word` counts from 0, negative from the end. */
function insertArgument(editor: LineEditor, word: number | undefined, skip: number): boolean {
  const line = editor.entries[editor.historyAt - 1 - skip]?.text;
  if (line === undefined) return false;
  const words = splitWords(line);
  const index = word === undefined ? words.length - 1 : word < 0 ? words.length + word - 1 : word;
  const text = words[index] ?? '';
  if (text === '') return false;
  const { buffer } = editor;
  buffer.mark = buffer.point;
  const vi = editor.keymap !== 'emacs';
  buffer.together(() => {
    if (editor.keymap === 'vi-command') buffer.point = buffer.next(buffer.point);
    buffer.insert(vi && editor.keymap === 'vi-command' ? ` ${text}` : text);
  });
  return true;
}

/** Lets a person change the line in an editor, and runs what comes back. */
function editAndExecute(fallback: string): EditCommand {
  return async (editor) => {
    const { shell, buffer } = editor;
    const { proc } = shell;
    const text = buffer.text;
    buffer.point = buffer.end;
    await editor.show();
    await editor.screen.finish();
    if (text.trim() !== '') shell.history?.add(text);
    const path = `${shell.vars.get('TMPDIR') ?? '/tmp'}/bash-fc.${proc.random.string(6, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}`;
    const program = shell.vars.get('VISUAL') || shell.vars.get('EDITOR') || fallback;
    let edited: string | undefined;
    await editor.runAside(async () => {
      try {
        proc.fs.writeFile(path, `${text}\n`, { mode: 0o600 });
        const status = await shell.settle(() => shell.runText(`${program} ${path}`, 'eval'));
        edited = status === 0 ? shell.readFile(path) : undefined;
        proc.fs.unlink(path);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await shell.err(`${shell.prefix()}${path}: ${error.message}\n`);
      }
    });
    const line = edited?.replace(/\n+$/, '') ?? '';
    if (line !== '') await shell.err(`${line}\n`);
    editor.done = { line };
  };
}

async function expandLine(editor: LineEditor): Promise<boolean> {
  const { shell, buffer } = editor;
  if (shell.history === undefined) return true;
  try {
    const expanded = expandHistory(buffer.text, shell.history);
    if (expanded !== undefined && expanded.text !== buffer.text) buffer.replace(0, buffer.end, expanded.text);
    return true;
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    await shell.err(`\r\n${shell.prefix()}${error.message}\n`);
    await editor.showAgain();
    return false;
  }
}

function expandAliases(editor: LineEditor): void {
  const { buffer, shell } = editor;
  const [first] = wordRanges(buffer.text);
  if (first === undefined) return;
  const alias = shell.aliases.get(buffer.text.slice(...first));
  if (alias !== undefined) buffer.replace(first[0], first[1], alias);
}

export const historyCommands: Readonly<Record<string, EditCommand>> = {
  'accept-line': (editor) => editor.accept(),
  'previous-history': step(-1),
  'next-history': step(1),
  'beginning-of-history': async (editor) => void (await editor.goToHistory(0)),
  'end-of-history': async (editor) => void (await editor.goToHistory(editor.entries.length)),
  'fetch-history': async (editor, count) =>
    void (await editor.goToHistory(
      editor.argument === undefined ? 0 : count - (editor.shell.history?.base ?? 1),
    )),
  'operate-and-get-next': async (editor) => {
    const at = editor.historyAt + 1;
    await editor.accept();
    editor.readline.followUp = at;
  },
  'history-search-backward': searchFor(-1, true),
  'history-search-forward': searchFor(1, true),
  'history-substring-search-backward': searchFor(-1, false),
  'history-substring-search-forward': searchFor(1, false),

  'yank-nth-arg': async (editor, count) => {
    if (!insertArgument(editor, editor.argument === undefined ? 1 : count, 0)) await editor.bell();
  },
  'yank-last-arg': async (editor, count) => {
    const kept = editor.memory.get('last argument') as LastArgument | undefined;
    const state: LastArgument =
      editor.lastCommand === 'yank-last-arg' || editor.lastCommand === 'insert-last-argument'
        ? kept!
        : { skip: 0, direction: 1, word: editor.argument, undo: false };
    if (state === kept) {
      if (state.undo) editor.buffer.undo();
      if (count < 0) state.direction = -state.direction;
      state.skip = Math.max(0, state.skip + state.direction);
    }
    editor.memory.set('last argument', state);
    state.undo = insertArgument(editor, state.word, state.skip);
    if (!state.undo) await editor.bell();
  },

  'history-expand-line': async (editor) => void (await expandLine(editor)),
  'history-and-alias-expand-line': async (editor) => {
    if (await expandLine(editor)) expandAliases(editor);
  },
  'alias-expand-line': (editor) => expandAliases(editor),
  'magic-space': async (editor) => {
    const { buffer } = editor;
    if (await expandLine(editor)) buffer.insert(' ');
  },
  'shell-expand-line': async (editor) => {
    const { buffer, shell } = editor;
    if (!(await expandLine(editor))) return;
    expandAliases(editor);
    try {
      const expanded = await expandToText(shell, parseText(buffer.text, 'here-document'));
      if (expanded !== buffer.text) buffer.replace(0, buffer.end, expanded);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError || error instanceof ExpansionError)) throw error;
      await editor.bell();
    }
  },
  'display-shell-version': async (editor) => {
    await editor.shell.err('\nGNU bash, version 5.2.15(1)-release (x86_64-redhat-linux-gnu)\n');
    await editor.showAgain();
  },
  'edit-and-execute-command': editAndExecute('vi'),
  'vi-edit-and-execute-command': editAndExecute('vi'),
};
