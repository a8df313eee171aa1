// Functions that move point, and those that only touch the screen.
import type { EditCommand, LineEditor } from './line-editor.ts';
import { wordRanges } from './words.ts';

/** Repeats a step; a negative count takes the other one. */
export function repeatedly(
  editor: LineEditor,
  count: number,
  forward: (from: number) => number,
  backward: (from: number) => number,
): number {
  const step = count < 0 ? backward : forward;
  let at = editor.buffer.point;
  for (let i = 0; i < Math.abs(count); i++) {
    const next = step(at);
    if (next === at) break;
    at = next;
  }
  return at;
}

/** Words as the shell has them; operators stand between them. */
function shellRanges(text: string): [number, number][] {
  return wordRanges(text, false).filter(([from, to]) => !/^\d*[()<>;&|]+/.test(text.slice(from, to)));
}

/** Behind the shell word that is here or next. */
export function shellWordEnd(text: string, from: number): number {
  return shellRanges(text).find(([, to]) => to > from)?.[1] ?? text.length;
}

export function shellWordStart(text: string, from: number): number {
  return shellRanges(text).findLast(([start]) => start < from)?.[0] ?? 0;
}

async function moveTo(editor: LineEditor, at: number): Promise<void> {
  if (at === editor.buffer.point) await editor.bell();
  editor.buffer.point = at;
}

function characters(sign: 1 | -1): EditCommand {
  return async (editor, count) => {
    const { buffer } = editor;
    const next = (from: number): number => buffer.next(from);
    const previous = (from: number): number => buffer.previous(from);
    const at = repeatedly(editor, sign * count, next, previous);
    if (at === buffer.point && count !== 0) await editor.bell();
    buffer.point = at;
  };
}

function words(sign: 1 | -1): EditCommand {
  return (editor, count) => {
    const { buffer } = editor;
    buffer.point = repeatedly(
      editor,
      sign * count,
      (from) => buffer.wordEnd(from),
      (from) => buffer.wordStart(from),
    );
  };
}

function shellWords(sign: 1 | -1): EditCommand {
  return (editor, count) => {
    const { buffer } = editor;
    buffer.point = repeatedly(
      editor,
      sign * count,
      (from) => shellWordEnd(buffer.text, from),
      (from) => shellWordStart(buffer.text, from),
    );
  };
}

function characterSearch(sign: 1 | -1): EditCommand {
  return async (editor, count) => {
    const c = await editor.readQuoted();
    if (c === undefined) return;
    const forward = sign * count > 0;
    let { point } = editor.buffer;
    for (let i = 0; i < Math.abs(count); i++) {
      point = forward
        ? editor.buffer.text.indexOf(c, point + 1)
        : point === 0
          ? -1
          : editor.buffer.text.lastIndexOf(c, point - 1);
      if (point < 0) return editor.bell();
    }
    editor.buffer.point = point;
  };
}

export const movement: Readonly<Record<string, EditCommand>> = {
  'beginning-of-line': ({ buffer }) => void (buffer.point = 0),
  'end-of-line': ({ buffer }) => void (buffer.point = buffer.end),
  'forward-char': characters(1),
  'backward-char': characters(-1),
  'forward-byte': characters(1),
  'backward-byte': characters(-1),
  'forward-word': words(1),
  'backward-word': words(-1),
  'shell-forward-word': shellWords(1),
  'shell-backward-word': shellWords(-1),
  'character-search': characterSearch(1),
  'character-search-backward': characterSearch(-1),
  'clear-screen': (editor, count) =>
    count === 1 ? editor.screen.clear(editor.prompt) : editor.restorePrompt(),
  'clear-display': (editor) => editor.screen.clear(editor.prompt, true),
  'redraw-current-line': (editor) => editor.restorePrompt(),
  'set-mark': (editor, count) => {
    editor.buffer.mark =
      editor.argument === undefined ? editor.buffer.point : Math.min(count, editor.buffer.end);
  },
  'exchange-point-and-mark': async (editor) => {
    const { buffer } = editor;
    const mark = Math.min(buffer.mark, buffer.end);
    buffer.mark = buffer.point;
    await moveTo(editor, mark);
    editor.region = [Math.min(buffer.mark, mark), Math.max(buffer.mark, mark)];
  },
  'previous-screen-line': (editor) => {
    const { columns } = editor.shell.proc.tty?.size ?? { columns: 80 };
    editor.buffer.point = Math.max(0, editor.buffer.point - columns);
  },
  'next-screen-line': (editor) => {
    const { columns } = editor.shell.proc.tty?.size ?? { columns: 80 };
    editor.buffer.point = Math.min(editor.buffer.end, editor.buffer.point + columns);
  },
  abort: async (editor) => {
    await editor.restorePrompt();
    await editor.bell();
  },
  ignore: () => undefined,
};
