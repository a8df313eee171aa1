// Vim's commands that reach beyond the text: writing, leaving, options. The keymap knows the rest.
import { Vim } from '@replit/codemirror-vim';
import type { EditorView } from '@codemirror/view';

/** What an editor does when a command asks it to. */
export interface VimHost {
  readonly fileName: string;
  readonly readOnly: boolean;
  isModified(): boolean;
  /** Writes the file; settles with whether that worked. */
  write(): Promise<boolean>;
  /** Throws away what was changed since the last write. */
  revert(): void;
  quit(exitCode: number): void;
  say(message: string, isError?: boolean): void;
  showNumbers(show: boolean): void;
  autoindent(on: boolean): void;
}

type ExCommand = Parameters<typeof Vim.defineEx>[2];

const HOSTS = new WeakMap<EditorView, VimHost>();

/** Lets the commands typed into `view` reach `host`. */
export function connectVim(view: EditorView, host: VimHost): void {
  defineCommands();
  HOSTS.set(view, host);
}

let defined = false;

/** The keymap has one table of commands for all editors. */
function defineCommands(): void {
  if (defined) return;
  defined = true;
  define('write', 'w', (host, { forced, argument }) => {
    if (mayWrite(host, forced, argument)) void host.write();
  });
  for (const [name, prefix] of [
    ['wq', 'wq'],
    ['wqall', 'wqa'],
  ] as const) {
    define(name, prefix, (host, { forced, argument }) => {
      if (mayWrite(host, forced, argument)) void writeAndQuit(host);
    });
  }
  for (const [name, prefix] of [
    ['xit', 'x'],
    ['exit', 'exi'],
    ['xall', 'xa'],
  ] as const) {
    define(name, prefix, (host, { forced, argument }) => {
      if (!host.isModified()) return host.quit(0);
      if (mayWrite(host, forced, argument)) void writeAndQuit(host);
    });
  }
  for (const [name, prefix] of [
    ['quit', 'q'],
    ['qall', 'qa'],
    ['quitall', 'quita'],
    ['close', 'clo'],
  ] as const) {
    define(name, prefix, (host, { forced }) => {
      if (host.isModified() && !forced) {
        return host.say('E37: No write since last change (add ! to override)', true);
      }
      host.quit(0);
    });
  }
  define('cquit', 'cq', (host) => host.quit(1));
  define('edit', 'e', (host, { forced, argument }) => {
    if (argument !== '') return host.say(`drydock: :edit ${argument} isn't simulated`, true);
    if (host.isModified() && !forced) {
      return host.say('E37: No write since last change (add ! to override)', true);
    }
    host.revert();
  });
  Vim.defineOption('number', false, 'boolean', ['nu'], (value, cm) => {
    if (value !== undefined && cm !== undefined) HOSTS.get(cm.cm6 as EditorView)?.showNumbers(value === true);
    return undefined;
  });
  Vim.defineOption('autoindent', false, 'boolean', ['ai'], (value, cm) => {
    if (value !== undefined && cm !== undefined) HOSTS.get(cm.cm6 as EditorView)?.autoindent(value === true);
    return undefined;
  });
  // Paste never re-indents here, so the option has nothing to do; the syntax is always on.
  for (const [name, short] of [
    ['paste', 'paste'],
    ['expandtab', 'et'],
    ['cursorcolumn', 'cuc'],
  ] as const) {
    Vim.defineOption(name, false, 'boolean', [short]);
  }
  define('syntax', 'sy', () => undefined);
  Vim.map('ZZ', ':x<CR>', 'normal');
  Vim.map('ZQ', ':q!<CR>', 'normal');
}

interface Said {
  /** With an exclamation mark. */
  readonly forced: boolean;
  readonly argument: string;
}

function define(name: string, prefix: string, run: (host: VimHost, said: Said) => void): void {
  const command: ExCommand = (cm, params) => {
    const host = HOSTS.get(cm.cm6 as EditorView);
    const said = (params.argString ?? '').trim();
    const forced = said.startsWith('!');
    if (host !== undefined) run(host, { forced, argument: (forced ? said.slice(1) : said).trim() });
  };
  Vim.defineEx(name, prefix, command);
}

function mayWrite(host: VimHost, forced: boolean, argument: string): boolean {
  if (argument !== '' && argument !== host.fileName) {
    host.say(`drydock: writing to another file (${argument}) isn't simulated`, true);
    return false;
  }
  if (host.readOnly && !forced) {
    host.say("E45: 'readonly' option is set (add ! to override)", true);
    return false;
  }
  return true;
}

async function writeAndQuit(host: VimHost): Promise<void> {
  if (await host.write()) host.quit(0);
}
