// Which keys do what: readline's three keymaps with their defaults, to be changed by inputrc and `bind`.
import { keysOf } from './key-sequence.ts';

/** A function's name, keys to be read in its place, or a command of `bind -x`. */
export type Binding =
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'macro'; readonly keys: string }
  | { readonly kind: 'command'; readonly text: string };

export type KeymapName = 'emacs' | 'vi-insert' | 'vi-command';

/** Sequences that one keymap holds at most. */
const BINDINGS_MAX = 4096;

export class Keymap {
  private readonly bindings = new Map<string, Binding>();
  /** How many bindings begin with each proper prefix. */
  private readonly prefixes = new Map<string, number>();

  constructor(defaults: readonly string[]) {
    for (const line of defaults) {
      const space = line.indexOf(' ');
      const name = line.slice(0, space);
      for (const keys of line.slice(space + 1).split(' '))
        this.bind(keysOf(keys.replaceAll('SPC', ' ')), { kind: 'function', name });
    }
  }

  get(keys: string): Binding | undefined {
    return this.bindings.get(keys);
  }

  /** Whether a longer sequence begins with these keys. */
  isPrefix(keys: string): boolean {
    return this.prefixes.has(keys);
  }

  bind(keys: string, binding: Binding): void {
    if (keys === '' || this.bindings.size >= BINDINGS_MAX) return;
    if (!this.bindings.has(keys)) this.count(keys, 1);
    this.bindings.set(keys, binding);
  }

  unbind(keys: string): boolean {
    if (!this.bindings.delete(keys)) return false;
    this.count(keys, -1);
    return true;
  }

  private count(keys: string, by: number): void {
    for (let i = 1; i < keys.length; i++) {
      const prefix = keys.slice(0, i);
      const sum = (this.prefixes.get(prefix) ?? 0) + by;
      if (sum > 0) this.prefixes.set(prefix, sum);
      else this.prefixes.delete(prefix);
    }
  }

  entries(): [string, Binding][] {
    return [...this.bindings].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  copy(): Keymap {
    const copy = new Keymap([]);
    for (const [keys, binding] of this.bindings) copy.bind(keys, binding);
    return copy;
  }
}

/** Keys of the keypad and the cursor block, the same in every mode. */
const CURSOR_KEYS = [
  'previous-history \\e[A \\eOA',
  'next-history \\e[B \\eOB',
  'forward-char \\e[C \\eOC',
  'backward-char \\e[D \\eOD',
  'beginning-of-line \\e[H \\eOH \\e[1~ \\e[7~',
  'end-of-line \\e[F \\eOF \\e[4~ \\e[8~',
  'delete-char \\e[3~',
  'history-search-backward \\e[5~',
  'history-search-forward \\e[6~',
  'forward-word \\e[1;5C \\e[1;3C \\e[5C',
  'backward-word \\e[1;5D \\e[1;3D \\e[5D',
  'kill-word \\e[3;5~ \\e[3;3~',
  'bracketed-paste-begin \\e[200~',
];

/** `bind -p` of bash 5.2 without self-insert and do-lowercase-version; \e[7~, \e[8~ and \e[3;3~ are rxvt's. */
const EMACS = [
  ...CURSOR_KEYS,
  'abort \\C-g \\C-x\\C-g \\e\\C-g',
  'accept-line \\C-j \\C-m',
  'backward-char \\C-b',
  'backward-delete-char \\C-h \\C-?',
  'backward-kill-line \\C-x\\C-?',
  'backward-kill-word \\e\\C-h \\e\\C-?',
  'backward-word \\eb \\e\\e[D',
  'beginning-of-history \\e<',
  'beginning-of-line \\C-a',
  'call-last-kbd-macro \\C-xe',
  'capitalize-word \\ec',
  'character-search \\C-]',
  'character-search-backward \\e\\C-]',
  'clear-display \\e\\C-l',
  'clear-screen \\C-l',
  'complete \\C-i \\e\\e',
  'complete-command \\e!',
  'complete-filename \\e/',
  'complete-hostname \\e@',
  'complete-into-braces \\e{',
  'complete-username \\e~',
  'complete-variable \\e$',
  'delete-char \\C-d',
  'delete-horizontal-space \\e\\\\',
  'digit-argument \\e- \\e0 \\e1 \\e2 \\e3 \\e4 \\e5 \\e6 \\e7 \\e8 \\e9',
  'display-shell-version \\C-x\\C-v',
  'downcase-word \\el',
  'dynamic-complete-history \\e\\C-i',
  'edit-and-execute-command \\C-x\\C-e',
  'end-kbd-macro \\C-x)',
  'end-of-history \\e>',
  'end-of-line \\C-e',
  'exchange-point-and-mark \\C-x\\C-x',
  'forward-char \\C-f',
  'forward-search-history \\C-s',
  'forward-word \\ef \\e\\e[C',
  'glob-complete-word \\eg',
  'glob-expand-word \\C-x*',
  'glob-list-expansions \\C-xg',
  'history-expand-line \\e^',
  'insert-comment \\e#',
  'insert-completions \\e*',
  'kill-line \\C-k',
  'kill-word \\ed',
  'next-history \\C-n',
  'non-incremental-forward-search-history \\en',
  'non-incremental-reverse-search-history \\ep',
  'operate-and-get-next \\C-o',
  'possible-command-completions \\C-x!',
  'possible-completions \\e= \\e?',
  'possible-filename-completions \\C-x/',
  'possible-hostname-completions \\C-x@',
  'possible-username-completions \\C-x~',
  'possible-variable-completions \\C-x$',
  'previous-history \\C-p',
  'quoted-insert \\C-q \\C-v \\e[2~',
  're-read-init-file \\C-x\\C-r',
  'reverse-search-history \\C-r',
  'revert-line \\e\\C-r \\er',
  'set-mark \\C-@ \\eSPC',
  'shell-backward-word \\e\\C-b',
  'shell-expand-line \\e\\C-e',
  'shell-forward-word \\e\\C-f',
  'shell-kill-word \\e\\C-d',
  'shell-transpose-words \\e\\C-t',
  'spell-correct-word \\C-xs',
  'start-kbd-macro \\C-x(',
  'tilde-expand \\e&',
  'transpose-chars \\C-t',
  'transpose-words \\et',
  'undo \\C-_ \\C-x\\C-u',
  'unix-line-discard \\C-u',
  'unix-word-rubout \\C-w',
  'upcase-word \\eu',
  'yank \\C-y',
  'yank-last-arg \\e. \\e_',
  'yank-nth-arg \\e\\C-y',
  'yank-pop \\ey',
];

const VI_INSERT = [
  ...CURSOR_KEYS,
  'accept-line \\C-j \\C-m',
  'backward-delete-char \\C-h \\C-?',
  'complete \\C-i',
  'forward-search-history \\C-s',
  'menu-complete \\C-n',
  'menu-complete-backward \\C-p',
  'overwrite-mode \\e[2~',
  'quoted-insert \\C-v',
  'reverse-search-history \\C-r',
  'transpose-chars \\C-t',
  'unix-line-discard \\C-u',
  'vi-eof-maybe \\C-d',
  'vi-movement-mode \\e',
  'vi-undo \\C-_',
  'vi-unix-word-rubout \\C-w',
  'yank \\C-y',
];

const VI_COMMAND = [
  ...CURSOR_KEYS,
  'abort \\C-g',
  'accept-line \\C-j \\C-m',
  'backward-char \\C-h \\C-? h',
  'beginning-of-line 0',
  'clear-screen \\C-l',
  'end-of-line $',
  'forward-char SPC l',
  'forward-search-history \\C-s',
  'insert-comment #',
  'kill-line \\C-k',
  'next-history \\C-n + j',
  'overwrite-mode \\e[2~',
  'previous-history \\C-p - k',
  'quoted-insert \\C-q \\C-v',
  'reverse-search-history \\C-r',
  'revert-line U',
  'transpose-chars \\C-t',
  'unix-line-discard \\C-u',
  'vi-append-eol A',
  'vi-append-mode a',
  'vi-arg-digit 1 2 3 4 5 6 7 8 9',
  'vi-change-case ~',
  'vi-change-char r',
  'vi-change-to C c',
  'vi-char-search , ; F T f t',
  'vi-column |',
  'vi-complete * = \\\\',
  'vi-delete x',
  'vi-delete-to D d',
  'vi-edit-and-execute-command v',
  'vi-end-word E e',
  'vi-eof-maybe \\C-d',
  'vi-fetch-history G',
  'vi-first-print ^',
  'vi-goto-mark `',
  'vi-insert-beg I',
  'vi-insertion-mode i',
  'vi-match %',
  'vi-next-word W w',
  'vi-prev-word B b',
  'vi-put P p',
  'vi-redo .',
  'vi-replace R',
  'vi-rubout X',
  'vi-search / ?',
  'vi-search-again N n',
  'vi-set-mark m',
  'vi-subst S s',
  'vi-tilde-expand &',
  'vi-undo \\C-_ u',
  'vi-unix-word-rubout \\C-w',
  'vi-yank-arg _',
  'vi-yank-to Y y',
  'yank \\C-y',
];

export function defaultKeymaps(): Record<KeymapName, Keymap> {
  return {
    emacs: new Keymap(EMACS),
    'vi-insert': new Keymap(VI_INSERT),
    'vi-command': new Keymap(VI_COMMAND),
  };
}

/** A keymap by one of the names that `bind -m` and `set keymap` take. */
export function keymapNamed(name: string): KeymapName | undefined {
  if (/^emacs(?:-standard|-meta|-ctlx)?$/.test(name)) return 'emacs';
  if (name === 'vi' || name === 'vi-move' || name === 'vi-command') return 'vi-command';
  return name === 'vi-insert' ? 'vi-insert' : undefined;
}
