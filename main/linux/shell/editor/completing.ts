// Functions that complete words: insert what is certain, list the possibilities, step through them.
import { completeAt, type Completion, type CompletionKind } from '../completion/complete.ts';
import { columnRows } from '../completion/columns.ts';
import { Interrupted } from '../control.ts';
import type { Readline } from './readline.ts';
import { LineInterrupted, type EditCommand, type LineEditor } from './line-editor.ts';

type Listing = 'insert' | 'list' | 'insert all';

/** What a completion by Tab leaves for the next Tab. */
interface LastCompletion {
  readonly changed: boolean;
  readonly failed: boolean;
}

async function completionOf(
  editor: LineEditor,
  kind: CompletionKind,
  type: '\t' | '?' | '*' | '%' = '\t',
): Promise<Completion> {
  const { shell, readline, buffer } = editor;
  let found: Completion = {
    start: buffer.point,
    candidates: [],
    displays: [],
    insertion: '',
    ending: '',
  };
  try {
    // A completion function that fails or exits offers nothing, and the line stays.
    await shell.settle(async () => {
      try {
        found = await completeAt(
          shell,
          buffer.text,
          buffer.point,
          {
            ignoreCase: readline.isOn('completion-ignore-case'),
            mapCase: readline.isOn('completion-map-case'),
            markDirectories: readline.isOn('mark-directories'),
            markLinks: readline.isOn('mark-symlinked-directories'),
            hidden: readline.isOn('match-hidden-files'),
            type: typeCode(readline, type),
          },
          kind,
        );
      } catch (error) {
        if (error instanceof Interrupted) throw new LineInterrupted();
        throw error;
      }
      return 0;
    });
  } catch (error) {
    if (error instanceof LineInterrupted) await editor.screen.finish();
    throw error;
  }
  return found;
}

/** COMP_TYPE for a completion that inserts what is certain, lists, inserts all, or steps through. */
function typeCode(readline: Readline, type: '\t' | '?' | '*' | '%'): number {
  if (type !== '\t') return type.charCodeAt(0);
  if (readline.isOn('show-all-if-ambiguous')) return '!'.charCodeAt(0);
  return (readline.isOn('show-all-if-unmodified') ? '@' : '\t').charCodeAt(0);
}

async function complete(editor: LineEditor, kind: CompletionKind, wanted: Listing): Promise<void> {
  const { buffer, readline } = editor;
  const last = editor.memory.get('completion') as LastCompletion | undefined;
  const repeated =
    wanted === 'insert' && kind === 'any' && editor.lastCommand === 'complete' && last?.changed === false;
  const type = wanted === 'insert all' ? '*' : wanted === 'list' || repeated ? '?' : '\t';
  const found = await completionOf(editor, kind, type);
  const { candidates } = found;
  if (candidates.length === 0) {
    editor.memory.set('completion', { changed: false, failed: true } satisfies LastCompletion);
    return editor.bell();
  }
  const before = buffer.text;
  const insert = (): void => {
    if (buffer.text.slice(found.start, buffer.point) !== found.insertion)
      buffer.replace(found.start, buffer.point, found.insertion);
    appendEnding(editor, found);
  };
  if (wanted === 'insert all') {
    buffer.replace(found.start, buffer.point, `${candidates.join(' ')} `);
  } else if (wanted === 'list' || repeated) {
    if (candidates.length === 1 && last?.failed === true) insert();
    else await list(editor, found.displays);
  } else {
    insert();
    const changed = buffer.text !== before;
    if (candidates.length > 1) {
      if (readline.isOn('show-all-if-ambiguous') || (readline.isOn('show-all-if-unmodified') && !changed)) {
        await editor.show();
        await list(editor, found.displays);
      } else if (editor.keymap === 'emacs') await editor.bell();
    }
  }
  editor.memory.set('completion', {
    changed: buffer.text !== before,
    failed: false,
  } satisfies LastCompletion);
}

function appendEnding({ buffer }: LineEditor, { ending }: Completion): void {
  if (ending === '/') {
    if (buffer.text[buffer.point] !== '/') buffer.insert('/');
    else buffer.point++;
  } else if (ending !== '' && buffer.point === buffer.end) buffer.insert(ending);
}

/** Shows the possibilities below the line, and the line again. */
async function list(editor: LineEditor, items: readonly string[]): Promise<void> {
  const { buffer, readline, shell } = editor;
  const { point } = buffer;
  buffer.point = buffer.end;
  await editor.show();
  buffer.point = point;
  const query = readline.number('completion-query-items');
  await shell.err('\n');
  if (items.length === 1) {
    await shell.err(`${items[0]!}\n`);
    return editor.showAgain();
  }
  if (query > 0 && items.length >= query) {
    await shell.err(`Display all ${items.length} possibilities? (y or n)`);
    const answer = await yesOrNo(editor, false);
    await shell.err('\n');
    if (answer === 0) return editor.showAgain();
  }
  await listRows(editor, items);
  await editor.showAgain();
}

async function listRows(editor: LineEditor, items: readonly string[]): Promise<void> {
  const { readline, shell } = editor;
  const size = shell.proc.tty?.size ?? { columns: 80, rows: 24 };
  const width = readline.number('completion-display-width');
  const rows = columnRows(items, width >= 0 ? Math.min(width, size.columns) : size.columns, {
    across: readline.isOn('print-completions-horizontally'),
  });
  let lines = 0;
  for (const [index, row] of rows.entries()) {
    await shell.err(`${row}\n`);
    lines++;
    if (!readline.isOn('page-completions') || lines < size.rows - 1 || index === rows.length - 1) continue;
    await shell.err('--More--');
    const answer = await yesOrNo(editor, true);
    await shell.err('\r\x1b[K');
    if (answer === 0) return;
    lines = answer === 2 ? lines - 1 : 0;
  }
}

/** 1: yes; 0: no; 2: one more line. */
async function yesOrNo(editor: LineEditor, pages: boolean): Promise<0 | 1 | 2> {
  for (;;) {
    const c = await editor.readCharacter();
    if (c === undefined || c === '\x07') return 0;
    if (/^[yY ]$/.test(c)) return 1;
    if (/^[nN\x7f]$/.test(c)) return 0;
    if (pages && /^[\r\n]$/.test(c)) return 2;
    if (pages && /^[qQ]$/.test(c)) return 0;
    await editor.bell();
  }
}

interface Menu {
  readonly start: number;
  readonly original: string;
  readonly matches: readonly string[];
  readonly ending: string;
  at: number;
  end: number;
}

/** menu-complete: each time the next match stands in the word's place. */
function menu(sign: 1 | -1): EditCommand {
  return async (editor, count) => {
    const { buffer } = editor;
    const goesOn = editor.lastCommand === 'menu-complete' || editor.lastCommand === 'menu-complete-backward';
    let state = editor.memory.get('menu') as Menu | undefined;
    if (!goesOn || state === undefined) {
      const found = await completionOf(editor, 'any', '%');
      if (found.candidates.length === 0) {
        editor.memory.delete('menu');
        return editor.bell();
      }
      const original = buffer.text.slice(found.start, buffer.point);
      state = {
        start: found.start,
        original,
        matches: found.candidates,
        ending: found.ending,
        at: sign > 0 ? -1 : found.candidates.length,
        end: buffer.point,
      };
      editor.memory.set('menu', state);
      if (editor.readline.isOn('menu-complete-display-prefix') && found.insertion !== original) {
        buffer.replace(found.start, buffer.point, found.insertion);
        state.end = buffer.point;
        return;
      }
    }
    const size = state.matches.length;
    const steps = size + (size > 1 ? 1 : 0); // After the last match comes what was typed.
    state.at = (((state.at + sign * count) % steps) + steps) % steps;
    const text = state.matches[state.at] ?? state.original;
    buffer.replace(state.start, state.end, size === 1 ? text + state.ending : text);
    state.end = buffer.point;
    if (state.at === size) await editor.bell();
  };
}

function completing1(kind: CompletionKind, wanted: Listing): EditCommand {
  return (editor) => {
    if (kind === 'any' && editor.readline.isOn('disable-completion')) return editor.buffer.insert('\t');
    return complete(editor, kind, wanted);
  };
}

export const completing: Readonly<Record<string, EditCommand>> = {
  complete: completing1('any', 'insert'),
  'possible-completions': completing1('any', 'list'),
  'insert-completions': completing1('any', 'insert all'),
  'menu-complete': menu(1),
  'menu-complete-backward': menu(-1),
  'old-menu-complete': menu(1),
  'delete-char-or-list': async (editor) => {
    const { buffer } = editor;
    if (buffer.point === buffer.end) return complete(editor, 'any', 'list');
    buffer.remove(buffer.point, buffer.next(buffer.point));
  },
  'complete-filename': completing1('file', 'insert'),
  'possible-filename-completions': completing1('file', 'list'),
  'complete-command': completing1('command', 'insert'),
  'possible-command-completions': completing1('command', 'list'),
  'complete-variable': completing1('variable', 'insert'),
  'possible-variable-completions': completing1('variable', 'list'),
  'complete-username': completing1('user', 'insert'),
  'possible-username-completions': completing1('user', 'list'),
  'complete-hostname': completing1('host', 'insert'),
  'possible-hostname-completions': completing1('host', 'list'),
  'glob-complete-word': completing1('glob', 'insert'),
  'glob-expand-word': completing1('glob', 'insert all'),
  'glob-list-expansions': completing1('glob', 'list'),
  'complete-into-braces': async (editor) => {
    const { buffer } = editor;
    const found = await completionOf(editor, 'file');
    if (found.candidates.length === 0) return editor.bell();
    if (found.candidates.length === 1) {
      buffer.replace(found.start, buffer.point, found.candidates[0]!);
      return;
    }
    const { insertion } = found;
    const rests = found.candidates.map((each) => each.slice(insertion.length));
    buffer.replace(found.start, buffer.point, `${insertion}{${rests.join(',')}}`);
  },
};
