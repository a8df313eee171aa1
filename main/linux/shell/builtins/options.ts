// set and shopt.
import type { Shell } from '../shell.ts';
import { listSet } from './variables.ts';
import { parseOptions, textual, usageError, type Builtin } from './support.ts';

/** `set -o` names with their letters, in the order `set -o` lists them. */
const OPTIONS: readonly (readonly [string, string])[] = [
  ['allexport', 'a'],
  ['braceexpand', 'B'],
  ['emacs', ''],
  ['errexit', 'e'],
  ['errtrace', 'E'],
  ['functrace', 'T'],
  ['hashall', 'h'],
  ['histexpand', 'H'],
  ['history', ''],
  ['ignoreeof', ''],
  ['interactive-comments', ''],
  ['keyword', 'k'],
  ['monitor', 'm'],
  ['noclobber', 'C'],
  ['noexec', 'n'],
  ['noglob', 'f'],
  ['nolog', ''],
  ['notify', 'b'],
  ['nounset', 'u'],
  ['onecmd', 't'],
  ['physical', 'P'],
  ['pipefail', ''],
  ['posix', ''],
  ['privileged', 'p'],
  ['verbose', 'v'],
  ['vi', ''],
  ['xtrace', 'x'],
];
const BY_LETTER = new Map(
  OPTIONS.filter(([, letter]) => letter !== '').map(([name, letter]) => [letter, name]),
);
const NAMES = new Set(OPTIONS.map(([name]) => name));
const SET_USAGE = 'set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]';

/** Turns a `set` option on or off by letter; false for an unknown one. */
export function setOptionLetter(shell: Shell, letter: string, on: boolean): boolean {
  const name = BY_LETTER.get(letter);
  return name !== undefined && setOptionNamed(shell, name, on);
}

/** Turns a `set -o` option on or off; false for an unknown one. */
export function setOptionNamed(shell: Shell, name: string, on: boolean): boolean {
  if (!NAMES.has(name)) return false;
  if (on) shell.options.add(name);
  else shell.options.delete(name);
  if (on && name === 'vi') shell.options.delete('emacs');
  if (on && name === 'emacs') shell.options.delete('vi');
  return true;
}

const set = textual(async (shell, args) => {
  if (args.length === 0) return listSet(shell);
  let i = 0;
  for (; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      shell.positional = args.slice(i + 1);
      return 0;
    }
    if (arg === '-') {
      shell.options.delete('xtrace');
      shell.options.delete('verbose');
      if (i + 1 < args.length) shell.positional = args.slice(i + 1);
      return 0;
    }
    if (!/^[-+]./.test(arg)) break;
    const on = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      if (letter === 'o') {
        const name = args[i + 1];
        if (name === undefined || /^[-+]/.test(name)) {
          await listOptions(shell, on);
          continue;
        }
        i++;
        if (!setOptionNamed(shell, name, on)) {
          await shell.error(`set: ${name}: invalid option name`);
          return 2;
        }
      } else if (!setOptionLetter(shell, letter, on)) {
        return usageError(shell, 'set', `${on ? '-' : '+'}${letter}: invalid option`, SET_USAGE);
      }
    }
  }
  if (i < args.length) shell.positional = args.slice(i);
  return 0;
});

async function listOptions(shell: Shell, table: boolean): Promise<void> {
  let text = '';
  for (const [name] of OPTIONS) {
    const on = shell.options.has(name);
    text += table ? `${name.padEnd(15)}\t${on ? 'on' : 'off'}\n` : `set ${on ? '-' : '+'}o ${name}\n`;
  }
  await shell.out(text);
}

const SHOPTS = [
  'autocd',
  'assoc_expand_once',
  'cdable_vars',
  'cdspell',
  'checkhash',
  'checkjobs',
  'checkwinsize',
  'cmdhist',
  'compat31',
  'compat32',
  'compat40',
  'compat41',
  'compat42',
  'compat43',
  'compat44',
  'complete_fullquote',
  'direxpand',
  'dirspell',
  'dotglob',
  'execfail',
  'expand_aliases',
  'extdebug',
  'extglob',
  'extquote',
  'failglob',
  'force_fignore',
  'globasciiranges',
  'globskipdots',
  'globstar',
  'gnu_errfmt',
  'histappend',
  'histreedit',
  'histverify',
  'hostcomplete',
  'huponexit',
  'inherit_errexit',
  'interactive_comments',
  'lastpipe',
  'lithist',
  'localvar_inherit',
  'localvar_unset',
  'login_shell',
  'mailwarn',
  'no_empty_cmd_completion',
  'nocaseglob',
  'nocasematch',
  'noexpand_translation',
  'nullglob',
  'patsub_replacement',
  'progcomp',
  'progcomp_alias',
  'promptvars',
  'restricted_shell',
  'shift_verbose',
  'sourcepath',
  'varredir_close',
  'xpg_echo',
];

const shopt = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'shopt', args, 'psuqo', 'shopt [-pqsu] [-o] [optname ...]');
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  const named = options.has('o');
  const known = named ? OPTIONS.map(([name]) => name) : SHOPTS;
  const current = named ? shell.options : shell.shopts;
  const show = (name: string): string => {
    const on = current.has(name);
    if (options.has('p'))
      return named ? `set ${on ? '-' : '+'}o ${name}\n` : `shopt ${on ? '-s' : '-u'} ${name}\n`;
    return `${name.padEnd(15)}\t${on ? 'on' : 'off'}\n`;
  };
  let status = 0;
  if (operands.length === 0) {
    const filter = options.has('s') ? true : options.has('u') ? false : undefined;
    if (!options.has('q'))
      await shell.out(
        known
          .filter((name) => filter === undefined || current.has(name) === filter)
          .map(show)
          .join(''),
      );
    return 0;
  }
  for (const name of operands) {
    if (!known.includes(name)) {
      await shell.error(`shopt: ${name}: invalid ${named ? 'option name' : 'shell option name'}`);
      status = 1;
    } else if (options.has('s') || options.has('u')) {
      if (named) setOptionNamed(shell, name, options.has('s'));
      else if (options.has('s')) shell.shopts.add(name);
      else shell.shopts.delete(name);
    } else {
      if (!current.has(name)) status = 1;
      if (!options.has('q')) await shell.out(show(name));
    }
  }
  return status;
});

export const optionBuiltins: readonly (readonly [string, Builtin])[] = [
  ['set', set],
  ['shopt', shopt],
];

/** Names of shell options, for completion. */
export const shoptNames: readonly string[] = SHOPTS;
export const setOptionNames: readonly string[] = OPTIONS.map(([name]) => name);
