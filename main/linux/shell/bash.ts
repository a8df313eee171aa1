// The bash program: its command line, startup files, and the kinds of shell it can be.
import type { Process, Program } from '../kernel/index.ts';
import { installBuiltins } from './builtins/index.ts';
import { bytesToText } from './bytes.ts';
import { ExitControl } from './control.ts';
import { runSourced } from './builtins/flow.ts';
import { setOptionLetter, setOptionNamed } from './builtins/options.ts';
import { ErrnoError } from '../../network/index.ts';
import { BASH_ONLY, DIALECTS, type DialectName } from './dialect.ts';
import { runCommand, runList } from './execute.ts';
import { expandParameter } from './parameter.ts';
import { runInteractive } from './interactive.ts';
import { searchPath } from './lookup.ts';
import { readScript, runSource, runStandardInput } from './script.ts';
import { Shell } from './shell.ts';
import { RELEASE } from './prompt.ts';
import { ShellSyntaxError } from './syntax/syntax-error.ts';

interface Invocation {
  command: string | undefined;
  interactive: boolean;
  login: boolean;
  standardInput: boolean;
  readProfile: boolean;
  readRc: boolean;
  rcFile: string | undefined;
  operands: string[];
}

const LONG_OPTIONS = new Set([
  '--debug',
  '--debugger',
  '--dump-po-strings',
  '--dump-strings',
  '--help',
  '--init-file',
  '--login',
  '--noediting',
  '--noprofile',
  '--norc',
  '--posix',
  '--pretty-print',
  '--rcfile',
  '--restricted',
  '--verbose',
  '--version',
]);
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** bash(1): runs a script, a -c string, standard input, or a person's commands. */
export const bash: Program = (proc) => runShell(proc, 'bash');

/** dash(1), Debian's sh: the same interpreter with dash's syntax, builtins and messages. */
export const dash: Program = (proc) => runShell(proc, 'dash');

/** busybox's ash. */
export const ash: Program = (proc) => runShell(proc, 'ash');

async function runShell(proc: Process, dialect: DialectName): Promise<number> {
  installBuiltins();
  const shell = new Shell(proc, { runList, runCommand, expandParameter }, DIALECTS[dialect]);
  shell.programName = (proc.argv[0] ?? dialect).replace(/^-/, '');
  shell.name = proc.argv[0] ?? dialect;
  if (dialect !== 'bash') becomeLesser(shell);
  shell.shellPid = proc.pid;
  const invocation = await readInvocation(shell, proc.argv.slice(1));
  if (typeof invocation === 'number') return invocation;
  importEnvironment(shell);
  shell.status = await shell.settle(() => start(shell, invocation));
  return shell.runExitTrap();
}

/** Takes away what dash and ash don't have. */
function becomeLesser(shell: Shell): void {
  shell.options.delete('braceexpand');
  shell.options.add('posix');
  shell.shopts.add('expand_aliases');
  for (const name of BASH_ONLY) shell.disabledBuiltins.add(name);
  if (shell.dialect.name === 'dash') shell.options.delete('hashall');
  if (shell.dialect.name !== 'dash') return;
  shell.shopts.delete('globskipdots');
  for (const name of ['source', 'let', 'history', 'help']) shell.disabledBuiltins.add(name);
  shell.shopts.add('xpg_echo');
}

async function readInvocation(shell: Shell, args: readonly string[]): Promise<Invocation | number> {
  const invocation: Invocation = {
    command: undefined,
    interactive: false,
    login: shell.proc.argv[0]?.startsWith('-') === true,
    standardInput: false,
    readProfile: true,
    readRc: true,
    rcFile: undefined,
    operands: [],
  };
  let wantsCommand = false;
  let i = 0;
  for (; i < args.length && /^--./.test(args[i]!); i++) {
    const option = args[i]!;
    if (option === '--version') {
      await shell.out(
        `GNU bash, version ${RELEASE}(1)-release (x86_64-redhat-linux-gnu)\nCopyright (C) 2022 Free Software Foundation, Inc.\nLicense GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\n\nThis is free software; you are free to change and redistribute it.\nThere is NO WARRANTY, to the extent permitted by law.\n`,
      );
      return 0;
    }
    if (!LONG_OPTIONS.has(option)) return badOption(shell, option);
    if (option === '--login') invocation.login = true;
    else if (option === '--noprofile') invocation.readProfile = false;
    else if (option === '--norc') invocation.readRc = false;
    else if (option === '--posix') shell.options.add('posix');
    else if (option === '--verbose') shell.options.add('verbose');
    else if (option === '--rcfile' || option === '--init-file') invocation.rcFile = args[++i];
    else if (option === '--help') {
      await shell.out(usageText(shell));
      return 0;
    }
  }
  for (; i < args.length && /^[-+]./.test(args[i]!); i++) {
    const arg = args[i]!;
    if (arg === '--') {
      i++;
      break;
    }
    for (const letter of arg.slice(1)) {
      if (letter === 'c') wantsCommand = true;
      else if (letter === 'i') invocation.interactive = true;
      else if (letter === 'l') invocation.login = true;
      else if (letter === 's') invocation.standardInput = true;
      else if (letter === 'o' || letter === 'O') {
        const name = args[++i];
        if (letter === 'O' && name !== undefined) shell.shopts.add(name);
        else if (name !== undefined && !setOptionNamed(shell, name, arg.startsWith('-'))) {
          if (shell.dialect.name === 'dash') return badOption(shell, `-o ${name}`);
          await shell.err(`${shell.programName}: ${name}: invalid option name\n`);
          return 2;
        }
      } else if (!setOptionLetter(shell, letter, arg.startsWith('-')))
        return badOption(shell, `${arg[0]}${letter}`);
    }
  }
  if (args[i] === '-') i++;
  const operands = args.slice(i);
  if (wantsCommand) {
    if (operands.length === 0) {
      await shell.err(`${shell.programName}: -c: option requires an argument\n`);
      return 2;
    }
    invocation.command = operands.shift();
  }
  invocation.operands = operands;
  return invocation;
}

async function badOption(shell: Shell, option: string): Promise<number> {
  if (shell.dialect.name === 'dash') {
    await shell.err(`${shell.programName}: 0: Illegal option ${option}\n`);
    return 2;
  }
  await shell.err(`${shell.programName}: ${option}: invalid option\n${usageText(shell)}`);
  return 2;
}

function usageText(shell: Shell): string {
  return `Usage:\t${shell.programName} [GNU long option] [option] ...\n\t${shell.programName} [GNU long option] [option] script-file ...\nGNU long options:\n${[...LONG_OPTIONS].map((option) => `\t${option}\n`).join('')}Shell options:\n\t-ilrsD or -c command or -O shopt_option\t\t(invocation only)\n\t-abefhkmnptuvxBCEHPT or -o option\n`;
}

function importEnvironment(shell: Shell): void {
  const { proc, vars } = shell;
  for (const [name, value] of proc.env) {
    const exported = /^BASH_FUNC_(.+)%%$/.exec(name)?.[1];
    if (exported !== undefined && shell.dialect.name === 'bash') importFunction(shell, exported, value);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || vars.findRaw(name)?.dynamic !== undefined) continue;
    vars.set(name, value);
    vars.ensure(name).attributes.add('exported');
  }
  if (shell.dialect.name !== 'dash') countLevel(shell);
  if (vars.get('PATH') === undefined) vars.set('PATH', DEFAULT_PATH);
  const inherited = vars.get('PWD');
  vars.set('PWD', inherited !== undefined && sameDirectory(shell, inherited) ? inherited : proc.cwd);
  setExported(shell, 'PWD');
  if (shell.dialect.name !== 'dash') vars.ensure('OLDPWD').attributes.add('exported');
  vars.set('IFS', ' \t\n');
  vars.set('OPTIND', '1');
  if (shell.dialect.name === 'dash') {
    vars.set('PS4', vars.get('PS4') ?? '+ ');
    vars.set('PPID', String(proc.parentPid));
    return;
  }
  vars.set('OPTERR', '1');
  vars.set('PS4', vars.get('PS4') ?? '+ ');
  vars.set('BASH', '/bin/bash');
  vars.set('BASH_VERSION', `${RELEASE}(1)-release`);
  vars.set('HOSTNAME', vars.get('HOSTNAME') ?? proc.kernel.hostnameOf(proc.pid));
  vars.set('HOSTTYPE', 'x86_64');
  vars.set('MACHTYPE', 'x86_64-redhat-linux-gnu');
  vars.set('OSTYPE', 'linux-gnu');
  vars.set('TERM', vars.get('TERM') ?? 'dumb');
  for (const [name, value] of [
    ['UID', proc.credentials.uid],
    ['EUID', proc.credentials.uid],
    ['PPID', proc.parentPid],
  ] as const) {
    vars.set(name, String(value));
    const variable = vars.ensure(name);
    variable.attributes.add('readonly');
    variable.attributes.add('integer');
  }
}

/** SHLVL: how many shells are around this one. */
function countLevel(shell: Shell): void {
  const level = Number.parseInt(shell.vars.get('SHLVL') ?? '0', 10);
  shell.vars.set('SHLVL', String(Number.isNaN(level) ? 1 : level + 1));
  setExported(shell, 'SHLVL');
}

/** A function that the parent shell exported: `() { …` in a variable. */
function importFunction(shell: Shell, name: string, value: string): void {
  if (!value.startsWith('() {')) return;
  try {
    const command = shell.parser(`${name} ${value}`).all().items[0]?.command.first.commands[0];
    if (command?.kind !== 'function') return;
    shell.functions.set(name, { body: command.body, file: 'environment', line: 0, exported: true });
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error; // A text that isn't a function is left out.
  }
}

function setExported(shell: Shell, name: string): void {
  shell.vars.ensure(name).attributes.add('exported');
}

function sameDirectory(shell: Shell, path: string): boolean {
  try {
    return path.startsWith('/') && shell.proc.fs.realpath(path) === shell.proc.fs.realpath('.');
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

async function start(shell: Shell, invocation: Invocation): Promise<number> {
  const { proc } = shell;
  shell.login = invocation.login;
  if (invocation.login) shell.shopts.add('login_shell');
  const [first, ...rest] = invocation.operands;
  if (invocation.command !== undefined) {
    if (first !== undefined) shell.name = first;
    shell.positional = rest;
    shell.origin = 'command';
    if (invocation.interactive) await becomeInteractive(shell, invocation);
    else if (invocation.login) await readProfiles(shell, invocation);
    return runSource(shell, invocation.command, { isWhole: !shell.interactive });
  }
  if (first !== undefined && !invocation.standardInput) {
    shell.origin = 'script';
    shell.name = first;
    shell.positional = rest;
    if (invocation.login) await readProfiles(shell, invocation);
    const path =
      first.includes('/') || proc.fs.exists(first) ? first : (searchPath(shell, first)[0] ?? first);
    const source = await readScript(shell, path);
    return typeof source === 'number' ? source : runSource(shell, source);
  }
  shell.positional = invocation.operands;
  if (invocation.interactive || (isTerminal(proc, 0) && isTerminal(proc, 2))) {
    await becomeInteractive(shell, invocation);
    return runInteractive(shell);
  }
  shell.origin = 'stdin';
  if (invocation.login) await readProfiles(shell, invocation);
  return runStandardInput(shell);
}

function isTerminal(proc: Process, fd: number): boolean {
  return proc.fds.get(fd)?.tty !== undefined;
}

async function becomeInteractive(shell: Shell, invocation: Invocation): Promise<void> {
  const { vars } = shell;
  const command = shell.origin === 'command' && invocation.command !== undefined;
  shell.origin = 'interactive';
  for (const option of ['histexpand', 'history', 'emacs']) shell.options.add(option);
  shell.shopts.add('expand_aliases');
  if (isTerminal(shell.proc, 0) && !command) shell.options.add('monitor');
  vars.set('PS1', vars.get('PS1') ?? shell.dialect.prompt(shell.proc.credentials.uid === 0));
  vars.set('PS2', vars.get('PS2') ?? '> ');
  vars.set('HISTSIZE', vars.get('HISTSIZE') ?? '500');
  vars.set('HISTFILESIZE', vars.get('HISTFILESIZE') ?? '500');
  vars.set('HISTFILE', vars.get('HISTFILE') ?? `${vars.get('HOME') ?? ''}/.bash_history`);
  shell.guardSignals();
  if (invocation.login) await readProfiles(shell, invocation);
  else if (shell.dialect.name !== 'bash') {
    const file = vars.get('ENV');
    if (file !== undefined && file !== '') await readStartup(shell, file);
  } else if (invocation.readRc) {
    // Debian builds bash with SYS_BASHRC; others have no such file.
    if (invocation.rcFile === undefined) await readStartup(shell, '/etc/bash.bashrc');
    await readStartup(shell, invocation.rcFile ?? `${vars.get('HOME') ?? ''}/.bashrc`);
  }
}

async function readProfiles(shell: Shell, invocation: Invocation): Promise<void> {
  if (!invocation.readProfile) return;
  await readStartup(shell, '/etc/profile');
  const home = shell.vars.get('HOME') ?? '';
  for (const name of ['.bash_profile', '.bash_login', '.profile'])
    if (await readStartup(shell, `${home}/${name}`)) return;
}

/** Runs a startup file if there is one. */
async function readStartup(shell: Shell, path: string): Promise<boolean> {
  let source: string;
  try {
    source = bytesToText(shell.proc.fs.readFile(path));
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
  try {
    await runSourced(shell, path, source, []);
  } catch (error) {
    if (!(error instanceof ExitControl) || !shell.interactive) throw error;
    throw error;
  }
  return true;
}
