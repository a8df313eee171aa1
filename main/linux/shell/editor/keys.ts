// Decodes what a terminal sends into keys.

/** A key by readline's name (`C-a`, `M-f`, `up`), or text to insert. */
export type Key =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'paste'; readonly text: string };

const SEQUENCES: Record<string, string> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[4~': 'end',
  '[7~': 'home',
  '[8~': 'end',
  '[3~': 'delete',
  '[2~': 'insert',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[1;5C': 'M-f',
  '[1;5D': 'M-b',
  '[1;3C': 'M-f',
  '[1;3D': 'M-b',
  '[5C': 'M-f',
  '[5D': 'M-b',
  '[3;5~': 'M-d',
  '[3;3~': 'M-d',
  '[Z': 'backtab',
};
/** Longest escape sequence taken for one. */
const SEQUENCE_MAX = 16;
const PASTE_START = '[200~';
const PASTE_END = '\x1b[201~';
/** Pasted characters taken at once. */
const PASTE_MAX = 1_000_000;

/** Reads the next key; `next` gives characters one at a time, undefined at the end of input. */
export async function readKey(next: () => Promise<string | undefined>): Promise<Key | undefined> {
  const c = await next();
  if (c === undefined) return undefined;
  if (c === '\x1b') return readEscape(next);
  if (c < ' ' || c === '\x7f') return { kind: 'key', name: controlName(c) };
  return { kind: 'text', text: c };
}

function controlName(c: string): string {
  if (c === '\r' || c === '\n') return 'enter';
  if (c === '\t') return 'tab';
  if (c === '\x7f' || c === '\b') return 'backspace';
  if (c === '\x1f') return 'C-_';
  return `C-${String.fromCharCode(c.charCodeAt(0) + 0x60)}`;
}

async function readEscape(next: () => Promise<string | undefined>): Promise<Key | undefined> {
  const c = await next();
  if (c === undefined) return undefined;
  if (c !== '[' && c !== 'O')
    return {
      kind: 'key',
      name: c === '\x1b' ? 'escape' : `M-${c < ' ' || c === '\x7f' ? controlName(c) : c}`,
    };
  let sequence = c;
  while (sequence.length < SEQUENCE_MAX) {
    const more = await next();
    if (more === undefined) return undefined;
    sequence += more;
    if (/[A-Za-z~]/.test(more)) break;
  }
  if (sequence === PASTE_START) return readPaste(next);
  return { kind: 'key', name: SEQUENCES[sequence] ?? 'unknown' };
}

async function readPaste(next: () => Promise<string | undefined>): Promise<Key | undefined> {
  let text = '';
  while (text.length < PASTE_MAX) {
    const c = await next();
    if (c === undefined) return undefined;
    text += c;
    if (text.endsWith(PASTE_END))
      return { kind: 'paste', text: text.slice(0, -PASTE_END.length).replace(/\r\n?/g, '\n') };
  }
  return { kind: 'paste', text };
}
