// Backslash escapes of prompts: PS1, PS2, PS0 and ${v@P}.
import type { Shell } from './shell.ts';
import { strftime } from './strftime.ts';

/** bash's version as \v and \V show it. */
const VERSION = '5.2';
export const RELEASE = '5.2.15';

/** Decodes the escapes; parameters are still to be expanded. */
export function expandPrompt(shell: Shell, text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      out += text[i];
      continue;
    }
    const octal = /^[0-7]{3}/.exec(text.slice(i + 1, i + 4))?.[0];
    if (octal !== undefined) {
      out += String.fromCharCode(Number.parseInt(octal, 8));
      i += 3;
      continue;
    }
    if (text[i + 1] === 'D' && text[i + 2] === '{') {
      const end = text.indexOf('}', i);
      const format = text.slice(i + 3, end < 0 ? undefined : end);
      out += strftime(format === '' ? '%X' : format, shell.proc.clock.now());
      i = end < 0 ? text.length : end;
      continue;
    }
    out += escapeValue(shell, text[++i]);
  }
  return out;
}

function escapeValue(shell: Shell, c: string | undefined): string {
  const { proc } = shell;
  const now = proc.clock.now();
  switch (c) {
    case 'u':
      return shell.userName();
    case 'h':
      return proc.kernel.hostnameOf(proc.pid).split('.')[0]!;
    case 'H':
      return proc.kernel.hostnameOf(proc.pid);
    case 'w':
      return protect(trimmed(homeRelative(shell), shell.vars.get('PROMPT_DIRTRIM')));
    case 'W':
      return protect(lastComponent(shell));
    case '$':
      return proc.credentials.uid === 0 ? '#' : '\\$';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'a':
      return '\x07';
    case 'e':
      return '\x1b';
    case '[':
      return '\x01';
    case ']':
      return '\x02';
    case '\\':
      return '\\\\';
    case 't':
      return strftime('%H:%M:%S', now);
    case 'T':
      return strftime('%I:%M:%S', now);
    case '@':
      return strftime('%I:%M %p', now);
    case 'A':
      return strftime('%H:%M', now);
    case 'd':
      return strftime('%a %b %d', now);
    case 's':
      return shell.name.replace(/^-/, '').split('/').at(-1)!;
    case 'v':
      return VERSION;
    case 'V':
      return RELEASE;
    case 'j':
      return String(shell.jobs.jobs.length);
    case 'l':
      return proc.tty?.path.split('/').at(-1) ?? 'tty';
    case '!':
      return String(shell.history?.nextNumber ?? 1);
    case '#':
      return String(shell.commandNumber);
    default:
      return `\\${c ?? ''}`;
  }
}

/** A directory's name may hold characters that mean something to the expansion that follows. */
function protect(text: string): string {
  return text.replace(/[\\$`]/g, '\\$&');
}

function homeRelative(shell: Shell): string {
  const directory = shell.vars.get('PWD') ?? shell.proc.cwd;
  const home = shell.vars.get('HOME') ?? '';
  if (home !== '' && home !== '/' && (directory === home || directory.startsWith(`${home}/`)))
    return `~${directory.slice(home.length)}`;
  return directory;
}

/** PROMPT_DIRTRIM: only so many last components, three dots for the rest. */
function trimmed(directory: string, setting: string | undefined): string {
  const count = Number.parseInt(setting ?? '', 10);
  if (!(count > 0)) return directory;
  const tilde = directory.startsWith('~') ? (/^~[^/]*/.exec(directory)?.[0] ?? '') : '';
  const parts = directory
    .slice(tilde.length)
    .split('/')
    .filter((part) => part !== '');
  if (parts.length <= count) return directory;
  return `${tilde === '' ? '' : `${tilde}/`}.../${parts.slice(-count).join('/')}`;
}

function lastComponent(shell: Shell): string {
  const shown = homeRelative(shell);
  return shown === '/' || shown === '~' ? shown : shown.split('/').at(-1)!;
}
