// Functions that change the line: typing, deleting, killing and yanking, transposing, undo.
import type { EditCommand, LineEditor } from './line-editor.ts';
import { repeatedly, shellWordEnd, shellWordStart } from './movement.ts';
import { readInit } from './start.ts';

/** Characters that a count may insert. */
const INSERT_MAX = 1_000_000;

/** Kills from point to where a movement leads. */
function killTo(
  sign: 1 | -1,
  forward: (editor: LineEditor, from: number) => number,
  backward: (editor: LineEditor, from: number) => number,
): EditCommand {
  return (editor, count) => {
    const { buffer } = editor;
    const { point } = buffer;
    const to = repeatedly(
      editor,
      sign * count,
      (from) => forward(editor, from),
      (from) => backward(editor, from),
    );
    if (to !== point) editor.kill(point, to);
    else editor.killed = false;
  };
}

const wordEnd = ({ buffer }: LineEditor, from: number): number => buffer.wordEnd(from);
const wordStart = ({ buffer }: LineEditor, from: number): number => buffer.wordStart(from);
const unixStart = ({ buffer }: LineEditor, from: number): number => buffer.blankStart(from);
const shellEnd = ({ buffer }: LineEditor, from: number): number => shellWordEnd(buffer.text, from);
const shellStart = ({ buffer }: LineEditor, from: number): number => shellWordStart(buffer.text, from);

function deleting(sign: 1 | -1): EditCommand {
  return async (editor, count) => {
    const { buffer } = editor;
    const backward = sign * count < 0;
    if (backward ? buffer.point === 0 : buffer.point === buffer.end) return editor.bell();
    const to = repeatedly(
      editor,
      sign * count,
      (from) => buffer.next(from),
      (from) => buffer.previous(from),
    );
    if (editor.argument !== undefined) editor.kill(buffer.point, to);
    else if (backward && editor.overwrites && buffer.point < buffer.end) {
      buffer.replace(to, buffer.point, ' ');
      buffer.point = to;
    } else buffer.remove(buffer.point, to);
  };
}

function caseChange(change: 'upper' | 'lower' | 'capital'): EditCommand {
  return (editor, count) => {
    const { buffer } = editor;
    const end = repeatedly(
      editor,
      count,
      (from) => buffer.wordEnd(from),
      (from) => buffer.wordStart(from),
    );
    buffer.changeCase(change, end);
  };
}

/** Inserts what was typed, or writes over what is there. */
function type(editor: LineEditor, text: string): void {
  const { buffer } = editor;
  if (!editor.overwrites) return buffer.insert(text);
  buffer.together(() => {
    let to = buffer.point;
    for (let i = 0; i < text.length; i++) to = buffer.next(to);
    buffer.remove(buffer.point, to);
    buffer.insert(text);
  });
}

const discard: EditCommand = async (editor) => {
  if (editor.buffer.point === 0) return editor.bell();
  editor.kill(editor.buffer.point, 0);
};

export const changes: Readonly<Record<string, EditCommand>> = {
  'self-insert': (editor, count, keys) => {
    if (count > 0) type(editor, keys.repeat(Math.min(count, Math.floor(INSERT_MAX / keys.length))));
  },
  'tab-insert': ({ buffer }, count) => buffer.insert('\t'.repeat(Math.max(0, Math.min(count, INSERT_MAX)))),
  'quoted-insert': async (editor, count) => {
    const c = await editor.readQuoted();
    if (c !== undefined) editor.buffer.insert(c.repeat(Math.max(1, Math.min(count, INSERT_MAX))));
  },
  'bracketed-paste-begin': async (editor) => {
    const { buffer } = editor;
    const text = await editor.readPaste();
    buffer.mark = buffer.point;
    buffer.insert(text);
    editor.region = [buffer.mark, buffer.point];
  },
  'overwrite-mode': (editor, count) => {
    editor.overwrites = editor.argument === undefined ? !editor.overwrites : count > 0;
  },
  'digit-argument': (editor, _count, keys) => editor.readArgument(keys),
  'universal-argument': (editor) => editor.readArgument('4'),

  'delete-char': deleting(1),
  'backward-delete-char': deleting(-1),
  'forward-backward-delete-char': (editor, count, keys) =>
    deleting(editor.buffer.point === editor.buffer.end ? -1 : 1)(editor, count, keys),
  'delete-horizontal-space': ({ buffer }) => {
    let from = buffer.point;
    let to = buffer.point;
    while (from > 0 && /[ \t]/.test(buffer.text[from - 1]!)) from--;
    while (to < buffer.end && /[ \t]/.test(buffer.text[to]!)) to++;
    buffer.remove(from, to);
  },

  'kill-line': async (editor, count) => {
    const { buffer } = editor;
    if (count < 0) return discard(editor, 1, '');
    if (buffer.point < buffer.end) editor.kill(buffer.point, buffer.end);
  },
  'backward-kill-line': (editor, count) => {
    const { buffer } = editor;
    if (count < 0) editor.kill(buffer.point, buffer.end);
    else if (buffer.point > 0) editor.kill(buffer.point, 0);
  },
  'unix-line-discard': discard,
  'kill-whole-line': (editor) => {
    editor.kill(editor.buffer.end, 0);
  },
  'kill-word': killTo(1, wordEnd, wordStart),
  'backward-kill-word': killTo(-1, wordEnd, wordStart),
  'shell-kill-word': killTo(1, shellEnd, shellStart),
  'shell-backward-kill-word': killTo(-1, shellEnd, shellStart),
  'unix-word-rubout': async (editor, count) => {
    if (editor.buffer.point === 0) return editor.bell();
    await killTo(-1, wordEnd, unixStart)(editor, Math.abs(count), '');
  },
  'unix-filename-rubout': async (editor, count) => {
    const { buffer } = editor;
    if (buffer.point === 0) return editor.bell();
    let from = buffer.point;
    for (let i = 0; i < Math.max(1, count); i++) {
      while (from > 0 && /[\s/]/.test(buffer.text[from - 1]!)) from--;
      while (from > 0 && !/[\s/]/.test(buffer.text[from - 1]!)) from--;
    }
    editor.kill(buffer.point, from);
  },
  'kill-region': (editor) => {
    editor.kill(editor.buffer.point, Math.min(editor.buffer.mark, editor.buffer.end));
  },
  'copy-region-as-kill': (editor) => editor.copy(editor.buffer.point, editor.buffer.mark),
  'copy-forward-word': (editor) => editor.copy(editor.buffer.point, editor.buffer.wordEnd()),
  'copy-backward-word': (editor) => editor.copy(editor.buffer.wordStart(), editor.buffer.point),
  yank: async (editor) => {
    const text = editor.readline.kills.current;
    if (text === undefined) return editor.bell();
    editor.buffer.mark = editor.buffer.point;
    editor.buffer.insert(text);
  },
  'yank-pop': async (editor) => {
    const { buffer, readline } = editor;
    const before = readline.kills.current;
    if (
      (editor.lastCommand !== 'yank' && editor.lastCommand !== 'yank-pop') ||
      before === undefined ||
      !buffer.before.endsWith(before)
    )
      return editor.bell();
    buffer.remove(buffer.point - before.length, buffer.point);
    buffer.mark = buffer.point;
    buffer.insert(readline.kills.rotate()!);
  },

  'transpose-chars': async (editor, count) => {
    if (!editor.buffer.transpose(count)) await editor.bell();
  },
  'transpose-words': async (editor, count) => {
    const { buffer } = editor;
    const done = buffer.transposeWords(
      Math.max(1, Math.min(count, INSERT_MAX)),
      (from) => buffer.wordEnd(from),
      (from) => buffer.wordStart(from),
    );
    if (!done) await editor.bell();
  },
  'shell-transpose-words': async (editor) => {
    const { buffer } = editor;
    const done = buffer.transposeWords(
      1,
      (from) => shellWordEnd(buffer.text, from),
      (from) => shellWordStart(buffer.text, from),
    );
    if (!done) await editor.bell();
  },
  'upcase-word': caseChange('upper'),
  'downcase-word': caseChange('lower'),
  'capitalize-word': caseChange('capital'),

  undo: async (editor, count) => {
    for (let i = 0; i < Math.max(0, Math.min(count, INSERT_MAX)); i++)
      if (!editor.buffer.undo()) return editor.bell();
  },
  'revert-line': async (editor) => {
    if (editor.buffer.undoList.length === 0) return editor.bell();
    while (editor.buffer.undo());
    if (editor.keymap === 'vi-command') editor.buffer.point = 0;
  },
  'tilde-expand': ({ buffer, shell }) => {
    const start = buffer.text.lastIndexOf(' ', buffer.point - 1) + 1;
    const word = /^~[^/\s]*/.exec(buffer.text.slice(start))?.[0];
    const home = word === undefined ? undefined : shell.homeOf(word.slice(1));
    if (word !== undefined && home !== undefined) buffer.replace(start, start + word.length, home);
  },
  'insert-comment': async (editor) => {
    const { buffer } = editor;
    const mark = editor.readline.text('comment-begin');
    buffer.point = 0;
    if (editor.argument === undefined || !buffer.text.startsWith(mark)) buffer.insert(mark);
    else buffer.remove(0, mark.length);
    await editor.show();
    await editor.accept();
  },

  'start-kbd-macro': async (editor) => {
    if (editor.recording !== undefined) return editor.bell();
    editor.recording = [];
  },
  'end-kbd-macro': async (editor, count, keys) => {
    if (editor.recording === undefined) return editor.bell();
    editor.readline.macro = editor.recording.join('').slice(0, -keys.length);
    editor.recording = undefined;
    for (let i = 1; i < Math.min(count, 100); i++) editor.push(editor.readline.macro);
  },
  'call-last-kbd-macro': async (editor, count) => {
    if (editor.recording !== undefined || editor.readline.macro === '') return editor.bell();
    for (let i = 0; i < Math.min(count, 100); i++) editor.push(editor.readline.macro);
  },
  're-read-init-file': ({ shell, readline }) => readInit(shell, readline),
  'emacs-editing-mode': (editor) => {
    editor.shell.options.delete('vi');
    editor.shell.options.add('emacs');
    editor.readline.editingMode = 'emacs';
    editor.keymap = 'emacs';
  },
};
