// Functions of vi mode, `set -o vi`: movement, operators, put, repeat and search as people use them daily.
import type { LineBuffer } from './line-buffer.ts';
import type { EditCommand, LineEditor } from './line-editor.ts';
import { askString, searchString } from './searching.ts';

/** Counts and repeats beyond this are no person's. */
const COUNT_MAX = 10_000;

/** Where a motion leads, and whether an operator takes the character there too. */
interface Motion {
  readonly to: number;
  readonly inclusive?: boolean;
}

interface CharacterSearch {
  readonly kind: string;
  readonly c: string;
}

type CharacterClass = 'blank' | 'word' | 'other';

function classOf(c: string, big: boolean): CharacterClass {
  if (/^\s/.test(c)) return 'blank';
  return big || /^[\p{L}\p{N}_]/u.test(c) ? 'word' : 'other';
}

function nextWord(buffer: LineBuffer, from: number, big: boolean): number {
  const kind = (at: number): CharacterClass => classOf(buffer.charAt(at), big);
  let at = from;
  if (at < buffer.end && kind(at) !== 'blank') {
    const start = kind(at);
    while (at < buffer.end && kind(at) === start) at = buffer.next(at);
  }
  while (at < buffer.end && kind(at) === 'blank') at = buffer.next(at);
  return at;
}

function previousWord(buffer: LineBuffer, from: number, big: boolean): number {
  const kind = (at: number): CharacterClass => classOf(buffer.charAt(at), big);
  let at = from;
  while (at > 0 && kind(buffer.previous(at)) === 'blank') at = buffer.previous(at);
  if (at === 0) return 0;
  const start = kind(buffer.previous(at));
  while (at > 0 && kind(buffer.previous(at)) === start) at = buffer.previous(at);
  return at;
}

function endOfWord(buffer: LineBuffer, from: number, big: boolean): number {
  const kind = (at: number): CharacterClass => classOf(buffer.charAt(at), big);
  let at = buffer.next(from);
  while (at < buffer.end && kind(at) === 'blank') at = buffer.next(at);
  if (at >= buffer.end) return Math.max(0, buffer.previous(buffer.end));
  const start = kind(at);
  while (buffer.next(at) < buffer.end && kind(buffer.next(at)) === start) at = buffer.next(at);
  return at;
}

function times(count: number, from: number, step: (at: number) => number): number {
  let at = from;
  for (let i = 0; i < Math.min(count, COUNT_MAX); i++) {
    const next = step(at);
    if (next === at) break;
    at = next;
  }
  return at;
}

/** f F t T, and ; , for the last of them. */
async function characterMotion(editor: LineEditor, key: string, count: number): Promise<Motion | undefined> {
  const { buffer, memory } = editor;
  let search = memory.get('vi character') as CharacterSearch | undefined;
  let kind = key;
  if (key === ';' || key === ',') {
    if (search === undefined) return undefined;
    const other =
      search.kind === search.kind.toLowerCase() ? search.kind.toUpperCase() : search.kind.toLowerCase();
    kind = key === ';' ? search.kind : other;
  } else {
    const c = await editor.readCharacter();
    if (c === undefined || c === '\x1b') return undefined;
    search = { kind: key, c };
    memory.set('vi character', search);
  }
  const forward = kind === 'f' || kind === 't';
  const before = kind === 't' || kind === 'T';
  let at = buffer.point;
  for (let i = 0; i < count; i++) {
    const from = before && i === 0 && key === ';' ? (forward ? at + 1 : at - 1) : at;
    at = forward
      ? buffer.text.indexOf(search.c, from + 1)
      : from <= 0
        ? -1
        : buffer.text.lastIndexOf(search.c, from - 1);
    if (at < 0) return undefined;
  }
  if (before) at = forward ? buffer.previous(at) : buffer.next(at);
  return { to: at, inclusive: forward };
}

/** The bracket that goes with the first one at or behind point. */
function matchingBracket({ text, point }: LineBuffer): number | undefined {
  const pairs = '()[]{}';
  for (let from = point; from < text.length; from++) {
    const index = pairs.indexOf(text[from]!);
    if (index < 0) continue;
    const step = index % 2 === 0 ? 1 : -1;
    const other = pairs[index + step]!;
    let depth = 0;
    for (let at = from; at >= 0 && at < text.length; at += step) {
      if (text[at] === text[from]) depth++;
      else if (text[at] === other && --depth === 0) return at;
    }
    return undefined;
  }
  return undefined;
}

async function motionOf(editor: LineEditor, key: string, count: number): Promise<Motion | undefined> {
  const { buffer } = editor;
  const { point } = buffer;
  const big = /^[WBE]$/.test(key);
  switch (key) {
    case 'h':
    case '\b':
    case '\x7f':
      return { to: times(count, point, (at) => buffer.previous(at)) };
    case 'l':
    case ' ':
      return { to: times(count, point, (at) => buffer.next(at)) };
    case '0':
      return { to: 0 };
    case '^':
      return { to: /^\s*/.exec(buffer.text)![0].length };
    case '$':
      return { to: buffer.end };
    case 'w':
    case 'W':
      return { to: times(count, point, (at) => nextWord(buffer, at, big)) };
    case 'b':
    case 'B':
      return { to: times(count, point, (at) => previousWord(buffer, at, big)) };
    case 'e':
    case 'E':
      return { to: times(count, point, (at) => endOfWord(buffer, at, big)), inclusive: true };
    case '|':
      return { to: Math.min(count - 1, buffer.end) };
    case '%': {
      const to = matchingBracket(buffer);
      return to === undefined ? undefined : { to, inclusive: true };
    }
    case '`': {
      const name = await editor.readCharacter();
      const to = editor.memory.get(`vi mark ${name}`) as number | undefined;
      return to === undefined ? undefined : { to: Math.min(to, buffer.end) };
    }
    default:
      return /^[fFtT;,]$/.test(key) ? characterMotion(editor, key, count) : undefined;
  }
}

function moving(): EditCommand {
  return async (editor, count, keys) => {
    const motion = await motionOf(editor, keys, count);
    if (motion === undefined) return editor.bell();
    editor.buffer.point = motion.to;
  };
}

/** What `.` does again. */
interface Change {
  readonly name: string;
  readonly count: number;
  readonly keys: string;
}

/** Remembers a change with the keys that it reads, for `.`; text typed after it is repeated too. */
function repeatable(command: EditCommand): EditCommand {
  return async (editor, count, keys) => {
    const outer = editor.recording;
    editor.recording = [];
    await command(editor, count, keys);
    const typed = editor.recording.join('');
    editor.recording = outer;
    outer?.push(typed);
    if (editor.memory.get('vi repeats') === true) return;
    editor.memory.set('vi change', { name: keys, count, keys: keys + typed } satisfies Change);
    editor.memory.set('vi typing from', editor.keymap === 'vi-insert' ? editor.buffer.point : undefined);
    editor.memory.delete('vi typed');
  };
}

function insertAt(place: (buffer: LineBuffer) => number): EditCommand {
  return repeatable((editor) => {
    editor.buffer.point = place(editor.buffer);
    editor.keymap = 'vi-insert';
  });
}

/** d, c and y: an operator, then a motion; twice is the whole line. */
function operator(act: (editor: LineEditor, from: number, to: number) => void): EditCommand {
  return async (editor, count, keys) => {
    const { buffer } = editor;
    if (/^[DCY]$/.test(keys)) return act(editor, buffer.point, buffer.end);
    let key = await editor.readCharacter();
    let digits = '';
    while (key !== undefined && /^\d$/.test(key) && (digits !== '' || key !== '0')) {
      digits += key;
      key = await editor.readCharacter();
    }
    if (key === undefined || key === '\x1b') return;
    if (key === keys) {
      act(editor, 0, buffer.end);
      return;
    }
    const size = Math.min(COUNT_MAX, count * (digits === '' ? 1 : Number(digits)));
    // `cw` on a word changes to its end, as `ce` does.
    const changesWord = keys === 'c' && /^[wW]$/.test(key) && !/^\s/.test(buffer.charAt(buffer.point));
    const motion = changesWord
      ? { to: wordEndHere(buffer, size, key === 'W'), inclusive: true }
      : await motionOf(editor, key, size);
    if (motion === undefined) return editor.bell();
    const [from, to] = motion.to < buffer.point ? [motion.to, buffer.point] : [buffer.point, motion.to];
    act(editor, from, motion.inclusive === true && motion.to >= buffer.point ? buffer.next(to) : to);
  };
}

/** The last character of the word that point is in. */
function wordEndHere(buffer: LineBuffer, count: number, big: boolean): number {
  const before = buffer.point === 0 ? -1 : buffer.previous(buffer.point);
  const here = classOf(buffer.charAt(buffer.point), big);
  const next = buffer.charAt(buffer.next(buffer.point));
  const single = next === '' || classOf(next, big) !== here;
  if (single && count === 1) return buffer.point;
  return times(single ? count - 1 : count, before < 0 || !single ? buffer.point : buffer.point, (at) =>
    endOfWord(buffer, at, big),
  );
}

function removeTo(editor: LineEditor, from: number, to: number): void {
  const { buffer } = editor;
  if (from === to) return;
  editor.copy(from, to);
  buffer.remove(from, to);
}

/** vi's own way to ask: the pattern stays for n and N. */
function viSearch(direction: 1 | -1): EditCommand {
  return async (editor, _count, keys) => {
    const text = await askString(editor, keys);
    await editor.restorePrompt();
    if (text === undefined) return;
    if (text !== '') editor.readline.lastPattern = text;
    editor.memory.set('vi search', direction);
    await searchString(editor, editor.readline.lastPattern, direction);
  };
}

export const viCommands: Readonly<Record<string, EditCommand>> = {
  'vi-editing-mode': (editor) => {
    editor.shell.options.delete('emacs');
    editor.shell.options.add('vi');
    editor.readline.editingMode = 'vi';
    editor.keymap = 'vi-insert';
  },
  'vi-movement-mode': async (editor) => {
    const { buffer, memory } = editor;
    if (editor.keymap === 'vi-insert') {
      const from = memory.get('vi typing from');
      if (typeof from === 'number' && from <= buffer.point)
        memory.set('vi typed', buffer.text.slice(from, buffer.point));
      memory.delete('vi typing from');
      if (buffer.point > 0) buffer.point = buffer.previous(buffer.point);
      editor.overwrites = false;
      editor.keymap = 'vi-command';
      if (editor.readline.isOn('show-mode-in-prompt')) await editor.restorePrompt();
    } else await editor.bell();
  },
  'vi-insertion-mode': insertAt(({ point }) => point),
  'vi-insert-beg': insertAt(() => 0),
  'vi-append-mode': insertAt((buffer) => buffer.next(buffer.point)),
  'vi-append-eol': insertAt(({ end }) => end),
  'vi-arg-digit': (editor, _count, keys) => editor.readArgument(keys),
  'vi-next-word': moving(),
  'vi-prev-word': moving(),
  'vi-end-word': moving(),
  'vi-char-search': moving(),
  'vi-first-print': moving(),
  'vi-column': moving(),
  'vi-match': moving(),
  'vi-goto-mark': moving(),
  'vi-set-mark': async (editor) => {
    const name = await editor.readCharacter();
    if (name !== undefined) editor.memory.set(`vi mark ${name}`, editor.buffer.point);
  },
  'vi-delete': repeatable(async (editor, count) => {
    const { buffer } = editor;
    if (buffer.end === 0) return editor.bell();
    removeTo(
      editor,
      buffer.point,
      times(count, buffer.point, (at) => buffer.next(at)),
    );
  }),
  'vi-rubout': repeatable((editor, count) => {
    const { buffer } = editor;
    removeTo(
      editor,
      times(count, buffer.point, (at) => buffer.previous(at)),
      buffer.point,
    );
  }),
  'vi-delete-to': repeatable(operator(removeTo)),
  'vi-change-to': repeatable(
    operator((editor, from, to) => {
      removeTo(editor, from, to);
      editor.keymap = 'vi-insert';
    }),
  ),
  'vi-yank-to': operator((editor, from, to) => {
    editor.copy(from, to);
    if (to !== editor.buffer.end || from > 0) editor.buffer.point = from;
  }),
  'vi-subst': repeatable((editor, count, keys) => {
    const { buffer } = editor;
    if (keys === 'S') removeTo(editor, 0, buffer.end);
    else
      removeTo(
        editor,
        buffer.point,
        times(count, buffer.point, (at) => buffer.next(at)),
      );
    editor.keymap = 'vi-insert';
  }),
  'vi-replace': repeatable((editor) => {
    editor.overwrites = true;
    editor.keymap = 'vi-insert';
  }),
  'vi-change-char': repeatable(async (editor, count) => {
    const c = await editor.readCharacter();
    const { buffer } = editor;
    if (c === undefined || c === '\x1b' || buffer.end === 0) return;
    const to = times(count, buffer.point, (at) => buffer.next(at));
    const size = Math.max(1, Array.from(buffer.text.slice(buffer.point, to)).length);
    buffer.replace(buffer.point, to, c.repeat(size));
    buffer.point = buffer.previous(buffer.point);
  }),
  'vi-change-case': repeatable((editor, count) => {
    const { buffer } = editor;
    const to = times(count, buffer.point, (at) => buffer.next(at));
    const changed = Array.from(buffer.text.slice(buffer.point, to), (c) =>
      c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase(),
    ).join('');
    if (to > buffer.point) buffer.replace(buffer.point, to, changed);
  }),
  'vi-put': repeatable(async (editor, count, keys) => {
    const text = editor.readline.kills.current;
    const { buffer } = editor;
    if (text === undefined) return editor.bell();
    if (keys === 'p' && buffer.end > 0) buffer.point = buffer.next(buffer.point);
    buffer.insert(text.repeat(Math.min(count, 1000)));
    buffer.point = buffer.previous(buffer.point);
  }),
  'vi-redo': async (editor, count) => {
    const { buffer, memory, readline } = editor;
    const change = memory.get('vi change') as Change | undefined;
    if (change === undefined) return editor.bell();
    const typed = memory.get('vi typed');
    const binding = readline.keymaps['vi-command'].get(change.name);
    if (binding === undefined) return editor.bell();
    editor.push(change.keys.slice(change.name.length));
    memory.set('vi repeats', true);
    await editor.perform(
      { binding, keys: change.name },
      editor.argument === undefined ? change.count : count,
    );
    memory.delete('vi repeats');
    if (editor.keymap !== 'vi-insert') return;
    if (typeof typed === 'string') {
      if (editor.overwrites) buffer.remove(buffer.point, Math.min(buffer.end, buffer.point + typed.length));
      buffer.insert(typed);
      if (buffer.point > 0) buffer.point = buffer.previous(buffer.point);
    }
    editor.overwrites = false;
    editor.keymap = 'vi-command';
  },
  'vi-search': (editor, count, keys) => viSearch(keys === '/' ? -1 : 1)(editor, count, keys),
  'vi-search-again': async (editor, _count, keys) => {
    const direction = (editor.memory.get('vi search') as 1 | -1 | undefined) ?? -1;
    const { lastPattern } = editor.readline;
    if (lastPattern === '') return editor.bell();
    await searchString(editor, lastPattern, keys === 'n' ? direction : direction === 1 ? -1 : 1);
  },
  'vi-fetch-history': async (editor, count) => {
    const base = editor.shell.history?.base ?? 1;
    await editor.goToHistory(editor.argument === undefined ? 0 : count - base);
  },
  'vi-yank-arg': async (editor) => {
    const words = (editor.entries[editor.historyAt - 1]?.text ?? '').split(/\s+/);
    const word = words.at(-1) ?? '';
    if (word === '') return editor.bell();
    const { buffer } = editor;
    if (buffer.end > 0) buffer.point = buffer.next(buffer.point);
    buffer.insert(` ${word}`);
    editor.keymap = 'vi-insert';
  },
  'vi-complete': async (editor, count, keys) => {
    const { buffer } = editor;
    buffer.point = buffer.next(buffer.point);
    const name = keys === '*' ? 'insert-completions' : keys === '=' ? 'possible-completions' : 'complete';
    await editor.perform({ binding: { kind: 'function', name }, keys }, count);
    if (keys !== '=') editor.keymap = 'vi-insert';
  },
  'vi-eof-maybe': async (editor) => {
    if (editor.buffer.end === 0) editor.done = { line: undefined };
    else await editor.accept();
  },
  'vi-tilde-expand': (editor, count, keys) =>
    editor.perform({ binding: { kind: 'function', name: 'tilde-expand' }, keys }, count),
};
