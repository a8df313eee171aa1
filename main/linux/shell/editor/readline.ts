// What the line editor keeps between lines: keymaps, variables of inputrc, kill ring, the last search.
import { keyOfName, keysOf } from './key-sequence.ts';
import { KillRing } from './kill-ring.ts';
import { defaultKeymaps, keymapNamed, type Keymap, type KeymapName } from './keymap.ts';

/** Variables of inputrc with their values in bash 5.2 (UTF-8), as `bind -v` shows them. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'bell-style': 'audible',
  'bind-tty-special-chars': 'on',
  'blink-matching-paren': 'off',
  'byte-oriented': 'off',
  'colored-completion-prefix': 'off',
  'colored-stats': 'off',
  'comment-begin': '#',
  'completion-display-width': '-1',
  'completion-ignore-case': 'off',
  'completion-map-case': 'off',
  'completion-prefix-display-length': '0',
  'completion-query-items': '100',
  'convert-meta': 'off',
  'disable-completion': 'off',
  'echo-control-characters': 'on',
  'editing-mode': 'emacs',
  'emacs-mode-string': '@',
  'enable-active-region': 'on',
  'enable-bracketed-paste': 'on',
  'enable-keypad': 'off',
  'enable-meta-key': 'on',
  'expand-tilde': 'off',
  'history-preserve-point': 'off',
  'history-size': '0',
  'horizontal-scroll-mode': 'off',
  'input-meta': 'on',
  'isearch-terminators': '',
  keymap: 'emacs',
  'keyseq-timeout': '500',
  'mark-directories': 'on',
  'mark-modified-lines': 'off',
  'mark-symlinked-directories': 'off',
  'match-hidden-files': 'on',
  'menu-complete-display-prefix': 'off',
  'meta-flag': 'on',
  'output-meta': 'on',
  'page-completions': 'on',
  'prefer-visible-bell': 'on',
  'print-completions-horizontally': 'off',
  'revert-all-at-newline': 'off',
  'show-all-if-ambiguous': 'off',
  'show-all-if-unmodified': 'off',
  'show-mode-in-prompt': 'off',
  'skip-completed-text': 'off',
  'vi-cmd-mode-string': '(cmd)',
  'vi-ins-mode-string': '(ins)',
  'visible-stats': 'off',
};
const TEXTS = new Set([
  'bell-style',
  'comment-begin',
  'editing-mode',
  'emacs-mode-string',
  'isearch-terminators',
  'keymap',
  'vi-cmd-mode-string',
  'vi-ins-mode-string',
]);

/** What inputrc's conditions ask about. */
export interface InitConditions {
  readonly term: string;
  /** Reads a file that is included; undefined if there is none. */
  readonly readFile: (path: string) => string | undefined;
}

const INCLUDES_MAX = 10;

export class Readline {
  readonly keymaps: Record<KeymapName, Keymap> = defaultKeymaps();
  private readonly settings = new Map(Object.entries(DEFAULTS));
  readonly kills = new KillRing();
  /** Which keymap lines of inputrc and `bind` change. */
  bound: KeymapName = 'emacs';
  lastSearch: string | undefined;
  /** The string of M-p, M-n and vi's / and ?. */
  lastPattern = '';
  /** What C-x e repeats. */
  macro = '';
  /** After C-o: the history entry that the next line starts with. */
  followUp: number | undefined;

  get editingMode(): 'emacs' | 'vi' {
    return this.settings.get('editing-mode') === 'vi' ? 'vi' : 'emacs';
  }

  set editingMode(mode: 'emacs' | 'vi') {
    this.settings.set('editing-mode', mode);
    this.bound = mode === 'vi' ? 'vi-insert' : 'emacs';
    this.settings.set('keymap', this.bound);
  }

  isOn(variable: string): boolean {
    return this.settings.get(variable) === 'on';
  }

  text(variable: string): string {
    return this.settings.get(variable) ?? '';
  }

  number(variable: string): number {
    return Number.parseInt(this.text(variable), 10) || 0;
  }

  variables(): [string, string][] {
    return [...this.settings].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** `set NAME VALUE`; false if there is no such variable. */
  setVariable(name: string, value: string): boolean {
    const known = name.toLowerCase();
    if (!this.settings.has(known)) return false;
    if (known === 'keymap') {
      const keymap = keymapNamed(value);
      if (keymap !== undefined) this.bound = keymap;
      if (keymap !== undefined) this.settings.set('keymap', keymap);
    } else if (known === 'editing-mode') {
      if (/^(?:vi|emacs)$/.test(value)) this.editingMode = value === 'vi' ? 'vi' : 'emacs';
    } else if (TEXTS.has(known)) {
      this.settings.set(known, known === 'isearch-terminators' ? keysOf(unquoted(value)) : unquoted(value));
    } else if (/^(?:on|off)$/.test(DEFAULTS[known]!)) {
      this.settings.set(known, value === '' || /^(?:on|1)$/i.test(value) ? 'on' : 'off');
    } else if (/^-?\d+$/.test(value)) {
      this.settings.set(known, value);
    }
    return true;
  }

  /** Takes one line of inputrc, without conditions. Returns what is wrong with it, in readline's words. */
  takeLine(line: string, keymap = this.bound): string | undefined {
    const text = line.trim();
    if (text === '' || text.startsWith('#') || text.startsWith('$')) return undefined;
    const setting = /^set\s+(\S+)\s*(.*)$/is.exec(text);
    if (setting !== null) {
      const [, name, value] = setting;
      if (this.setVariable(name!, unquotedEnd(value!))) return undefined;
      return `${name}: unknown variable name`;
    }
    const quoted = /^"((?:\\.|[^"\\])*)"\s*:\s*(.*)$/s.exec(text);
    const named = quoted === null ? /^([^\s:]+|:)\s*:\s*(.*)$/s.exec(text) : null;
    if (text.startsWith('"') && quoted === null)
      return /^"(?:\\.|[^"\\])*$/s.test(text)
        ? `${text}: no closing \`"' in key binding`
        : `${text.replaceAll('"', '')}: no key sequence terminator`;
    if (quoted === null && named === null) return `${text}: no key sequence terminator`;
    const keys = quoted === null ? keyOfName(named![1]!) : keysOf(quoted[1]!);
    if (keys === undefined || keys === '') return undefined;
    const target = (quoted ?? named)![2]!;
    const macro = /^(["'])((?:\\.|(?!\1)[^\\])*)\1/s.exec(target);
    if (macro !== null) this.keymaps[keymap].bind(keys, { kind: 'macro', keys: keysOf(macro[2]!) });
    else {
      const name = target.split(/\s/)[0]!.toLowerCase();
      this.keymaps[keymap].bind(keys, { kind: 'function', name });
    }
    return undefined;
  }

  /** Reads a whole inputrc; wrong lines are left out. */
  takeFile(text: string, conditions: InitConditions, depth = 0): void {
    /** For each open $if: whether its lines count, and whether $else still may. */
    const open: { on: boolean; readonly outer: boolean }[] = [];
    for (const line of text.split('\n')) {
      const directive = /^\s*\$(if|else|endif|include)\s*(.*?)\s*$/.exec(line);
      const on = open.at(-1)?.on ?? true;
      if (directive === null) {
        if (on) this.takeLine(line);
        continue;
      }
      const [, word, rest] = directive;
      if (word === 'if') open.push({ on: on && this.holds(rest!, conditions), outer: on });
      else if (word === 'else' && open.length > 0) {
        const last = open.at(-1)!;
        last.on = last.outer && !last.on;
      } else if (word === 'endif') open.pop();
      else if (word === 'include' && on && depth < INCLUDES_MAX) {
        const included = conditions.readFile(rest!);
        if (included !== undefined) this.takeFile(included, conditions, depth + 1);
      }
    }
  }

  private holds(condition: string, { term }: InitConditions): boolean {
    const [, name, , value] = /^(\w[\w-]*)\s*(==|=|!=|<=|>=|<|>)?\s*(.*)$/.exec(condition) ?? [];
    if (name === undefined) return false;
    if (value === undefined || value === '') return /^bash$/i.test(name);
    if (name === 'mode') return value === this.editingMode;
    if (name === 'term') return value === term || value === term.split('-')[0];
    if (name === 'version') return compares(8.2, condition);
    const actual = this.settings.get(name);
    return actual !== undefined && (actual === value) !== condition.includes('!=');
  }
}

function compares(version: number, condition: string): boolean {
  const [, operator, text] = /(==|=|!=|<=|>=|<|>)\s*([\d.]+)/.exec(condition) ?? [];
  const wanted = Number(text);
  switch (operator) {
    case '<':
      return version < wanted;
    case '<=':
      return version <= wanted;
    case '>':
      return version > wanted;
    case '>=':
      return version >= wanted;
    default:
      return (version === wanted) !== (operator === '!=');
  }
}

function unquoted(value: string): string {
  return /^"(.*)"$/s.exec(value)?.[1] ?? value;
}

/** A value ends at a blank unless it's in quotes. */
function unquotedEnd(value: string): string {
  return value.startsWith('"') ? (/^"(?:\\.|[^"\\])*"/s.exec(value)?.[0] ?? value) : value.split(/\s/)[0]!;
}
