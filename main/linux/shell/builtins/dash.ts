// The builtins of dash where they differ from bash's: fewer options, and messages of their own (dash(1) 0.5.12).
import { parseSignal, SIGNAL_NUMBERS, type Signal } from '../../kernel/index.ts';
import { ExitControl, InputEnd, LoopControl, ReturnControl } from '../control.ts';
import { signalText } from '../jobs.ts';
import { singleQuote } from '../quoting.ts';
import { isExecutable, searchPath } from '../lookup.ts';
import type { Shell } from '../shell.ts';
import { decodeEscapes } from '../syntax/ansi-c.ts';
import { isReservedWord } from '../syntax/parser.ts';
import { isName } from '../syntax/word-scanner.ts';
import { VariableError } from '../variables.ts';
import { builtins } from './registry.ts';
import { DashFailure, texts, textual, type Builtin } from './support.ts';

/** Builtins at whose failure a shell that isn't interactive ends (POSIX's special ones, and `local`). */
const DASH_SPECIAL: ReadonlySet<string> = new Set([
  '.',
  ':',
  'source',
  'break',
  'continue',
  'eval',
  'exec',
  'exit',
  'export',
  'local',
  'readonly',
  'return',
  'set',
  'shift',
  'times',
  'trap',
  'unset',
]);
/** Reserved words of bash that are none here. */
const NOT_RESERVED: ReadonlySet<string> = new Set(['[[', ']]', 'function', 'select', 'time', 'coproc']);

const ASH_OPTIONS: readonly string[] = [
  'errexit',
  'noglob',
  'ignoreeof',
  'monitor',
  'noexec',
  'xtrace',
  'verbose',
  'noclobber',
  'allexport',
  'notify',
  'nounset',
  'vi',
  'pipefail',
];
const OPTIONS: readonly string[] = [
  'errexit',
  'noglob',
  'ignoreeof',
  'interactive',
  'monitor',
  'noexec',
  'stdin',
  'xtrace',
  'verbose',
  'vi',
  'emacs',
  'noclobber',
  'allexport',
  'notify',
  'nounset',
  'privileged',
  'nolog',
  'debug',
];
const LETTERS: Readonly<Record<string, string>> = {
  e: 'errexit',
  f: 'noglob',
  I: 'ignoreeof',
  i: 'interactive',
  m: 'monitor',
  n: 'noexec',
  s: 'stdin',
  x: 'xtrace',
  v: 'verbose',
  V: 'vi',
  E: 'emacs',
  C: 'noclobber',
  a: 'allexport',
  b: 'notify',
  u: 'nounset',
  p: 'privileged',
};

/** Options of one letter each, up to the first operand; an unknown one fails. */
function readLetters(args: readonly string[], letters: string): { found: Set<string>; operands: string[] } {
  const found = new Set<string>();
  let i = 0;
  for (; i < args.length && /^-./.test(args[i]!); i++) {
    if (args[i] === '--') {
      i++;
      break;
    }
    for (const letter of args[i]!.slice(1)) {
      if (!letters.includes(letter)) throw new DashFailure(`Illegal option -${letter}`);
      found.add(letter);
    }
  }
  return { found, operands: args.slice(i) };
}

function number(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new DashFailure(`Illegal number: ${text}`);
  return Number(text);
}

function loop(kind: 'break' | 'continue'): Builtin {
  return textual((shell, args) => {
    const count = args[0] === undefined ? 1 : number(args[0]);
    if (count < 1) throw new DashFailure(`Illegal number: ${args[0]}`);
    if (shell.loopDepth === 0) return Promise.resolve(0);
    throw new LoopControl(kind, Math.min(count, shell.loopDepth));
  });
}

const returnBuiltin = textual((shell, args) => {
  const status = args[0] === undefined ? shell.status : number(args[0]);
  if (shell.frames.length === 0) throw new ExitControl(status & 0xff);
  throw new ReturnControl(status & 0xff);
});

const exit = textual((shell, args) => {
  throw new ExitControl((args[0] === undefined ? shell.status : number(args[0])) & 0xff);
});

const shift = textual((shell, args) => {
  const count = args[0] === undefined ? 1 : number(args[0]);
  if (count > shell.positional.length && shell.dialect.name === 'ash') return Promise.resolve(1);
  if (count > shell.positional.length) throw new DashFailure("can't shift that many");
  shell.positional = shell.positional.slice(count);
  return Promise.resolve(0);
});

const echo = textual(async (shell, args) => {
  const newline = args[0] !== '-n';
  const text = (newline ? args : args.slice(1)).join(' ');
  const { value, stopped } = decodeEscapes(text, 'dash');
  await shell.out(newline && !stopped ? `${value}\n` : value);
  return 0;
});

const read: Builtin = (shell, args) => {
  const { found, operands } = readLetters(withoutPrompt(texts(args)), 'r');
  if (operands.length === 0) throw new DashFailure('arg count');
  const bad = operands.find((name) => !isName(name));
  if (bad !== undefined) throw new DashFailure(`${bad}: bad variable name`);
  return builtins.get('read')!(shell, [...(found.has('r') ? ['-r'] : []), '--', ...operands]);
};

/** `-p prompt` only shows on a terminal. */
function withoutPrompt(args: readonly string[]): string[] {
  return args[0] === '-p' ? args.slice(2) : [...args];
}

const set = textual(async (shell, args) => {
  if (args.length === 0) return listVariables(shell);
  let i = 0;
  for (; i < args.length && /^[-+]./.test(args[i]!); i++) {
    const arg = args[i]!;
    const on = arg.startsWith('-');
    if (arg === '--') {
      shell.positional = args.slice(i + 1);
      return 0;
    }
    for (const letter of arg.slice(1)) {
      if (letter === 'o') {
        const name = args[++i];
        if (name === undefined) return listOptions(shell, on);
        if (!optionsOf(shell).includes(name)) throw new DashFailure(`Illegal option ${arg[0]}o ${name}`);
        switchOption(shell, name, on);
        continue;
      }
      const name = LETTERS[letter];
      if (name === undefined) throw new DashFailure(`Illegal option ${arg[0]}${letter}`);
      switchOption(shell, name, on);
    }
  }
  if (i < args.length) shell.positional = args.slice(i);
  return 0;
});

function optionsOf(shell: Shell): readonly string[] {
  return shell.dialect.name === 'ash' ? ASH_OPTIONS : OPTIONS;
}

function switchOption(shell: Shell, name: string, on: boolean): void {
  if (on) shell.options.add(name);
  else shell.options.delete(name);
}

async function listOptions(shell: Shell, table: boolean): Promise<number> {
  const rows = optionsOf(shell).map((name) => ({ name, on: shell.options.has(name) }));
  await shell.out(
    table
      ? `${shell.dialect.name === 'ash' ? '' : 'Current option settings\n'}${rows.map(({ name, on }) => `${name.padEnd(15)} ${on ? 'on' : 'off'}\n`).join('')}`
      : rows.map(({ name, on }) => `set ${on ? '-' : '+'}o ${name}\n`).join(''),
  );
  return 0;
}

async function listVariables(shell: Shell): Promise<number> {
  for (const name of shell.vars.names()) {
    const value = shell.vars.get(name);
    if (value !== undefined && shell.vars.findRaw(name)?.dynamic === undefined)
      await shell.out(`${name}=${alwaysQuoted(value)}\n`);
  }
  return 0;
}

function alwaysQuoted(text: string): string {
  return text === "'" ? `"'"` : `'${text.replaceAll("'", `'"'"'`)}'`;
}

const trap = textual(async (shell, args) => {
  const operands = args[0] === '--' ? args.slice(1) : args;
  if (operands.length === 0) return listTraps(shell);
  const only = operands.length === 1;
  const [action, ...names] = only ? ['-', operands[0]!] : operands;
  for (const text of names) {
    const name =
      text === '0' || text === 'EXIT' ? 'EXIT' : /^SIG/i.test(text) ? undefined : parseSignal(text);
    if (name === undefined) {
      if (shell.dialect.name === 'ash')
        await shell.error(`trap: line ${ashLine(shell)}: ${text}: invalid signal specification`);
      else await shell.err(`trap: ${text}: bad trap\n`);
      return 1;
    }
    shell.setTrap(name, action === '-' ? undefined : action);
  }
  return 0;
});

async function listTraps(shell: Shell): Promise<number> {
  for (const name of ['EXIT', ...(Object.keys(SIGNAL_NUMBERS) as Signal[])] as const) {
    const action = shell.traps.get(name);
    if (action !== undefined) await shell.out(`trap -- ${singleQuote(action)} ${name.replace(/^SIG/, '')}\n`);
  }
  return 0;
}

function attribute(command: 'export' | 'readonly'): Builtin {
  return async (shell, args) => {
    const { found, operands } = readLetters(texts(args), 'p');
    if (found.has('p') || operands.length === 0) return listMarked(shell, command);
    for (const operand of operands) {
      const at = operand.indexOf('=');
      const name = at < 0 ? operand : operand.slice(0, at);
      if (!isName(name)) throw new DashFailure(`${name}: bad variable name`);
      assign(shell, name, at < 0 ? undefined : operand.slice(at + 1));
      shell.vars.ensure(name).attributes.add(command === 'export' ? 'exported' : 'readonly');
    }
    return 0;
  };
}

function assign(shell: Shell, name: string, value: string | undefined): void {
  if (value === undefined) return;
  try {
    shell.vars.set(name, value);
  } catch (error) {
    if (error instanceof VariableError) throw new DashFailure(`${name}: is read only`);
    throw error;
  }
}

async function listMarked(shell: Shell, command: 'export' | 'readonly'): Promise<number> {
  const mark = command === 'export' ? 'exported' : 'readonly';
  for (const name of shell.vars.names()) {
    const variable = shell.vars.findRaw(name);
    if (variable?.attributes.has(mark) !== true || variable.dynamic !== undefined) continue;
    const value = shell.vars.get(name);
    await shell.out(`${command} ${name}${value === undefined ? '' : `=${alwaysQuoted(value)}`}\n`);
  }
  return 0;
}

const local: Builtin = (shell, args) => {
  if (!shell.frames.some(({ kind }) => kind === 'function')) throw new DashFailure('not in a function');
  for (const operand of texts(args)) {
    const at = operand.indexOf('=');
    const name = at < 0 ? operand : operand.slice(0, at);
    if (name === '-') {
      shell.saveOptions();
      continue;
    }
    if (!isName(name)) throw new DashFailure(`${name}: bad variable name`);
    // Differs from bash: a local variable begins with the outer one's value.
    const outer = shell.vars.get(name);
    const variable = shell.vars.ensureLocal(name);
    variable.value = at < 0 ? outer : operand.slice(at + 1);
  }
  return Promise.resolve(0);
};

const unset = textual((shell, args) => {
  const { found, operands } = readLetters(args, 'fv');
  for (const name of operands) {
    if (found.has('f')) shell.functions.delete(name);
    else if (!isName(name)) throw new DashFailure(`${name}: bad variable name`);
    else {
      try {
        shell.vars.unset(name);
      } catch (error) {
        if (error instanceof VariableError) throw new DashFailure(`${name}: is read only`);
        throw error;
      }
    }
  }
  return Promise.resolve(0);
});

const umask: Builtin = (shell, args) => {
  const { found, operands } = readLetters(texts(args), 'S');
  const mode = operands[0];
  if (mode !== undefined && /^[0-9]/.test(mode) && !/^[0-7]+$/.test(mode))
    throw new DashFailure(`Illegal ${shell.dialect.name === 'ash' ? 'mode' : 'number'}: ${mode}`);
  if (mode !== undefined && !/^[0-9]/.test(mode) && !/^[ugoa]*[-+=][rwxXst]*(?:,|$)/.test(mode))
    throw new DashFailure(`Illegal mode: ${mode}`);
  return builtins.get('umask')!(shell, [...(found.has('S') ? ['-S'] : []), ...operands]);
};

const ulimit: Builtin = (shell, args) => {
  const bad = /^-[^-]*?([^HSatfdscmlpnvwr-])/.exec(texts(args).find((arg) => arg.startsWith('-')) ?? '')?.[1];
  if (bad !== undefined) throw new DashFailure(`Illegal option -${bad}`);
  const value = texts(args).find((arg) => !arg.startsWith('-'));
  if (value !== undefined && !/^(?:[0-9]+|unlimited)$/.test(value)) throw new DashFailure('bad number');
  return builtins.get('ulimit')!(shell, args);
};

const cd: Builtin = async (shell, args) => {
  const { found, operands } = readLetters(texts(args), 'LP');
  const target = operands[0] ?? shell.vars.get('HOME');
  if (target === undefined) return 0;
  const status = await builtins.get('cd')!(shell, [...(found.has('P') ? ['-P'] : []), '--', target]);
  return status === 0 ? 0 : 2;
};

const wait: Builtin = async (shell, args) => {
  const { operands } = readLetters(texts(args), '');
  for (const operand of operands) if (!operand.startsWith('%')) number(operand);
  if (operands.length === 0) return builtins.get('wait')!(shell, []);
  let status = 0;
  for (const operand of operands) {
    const pid = Number(operand);
    const isKnown =
      operand.startsWith('%') || shell.jobs.byPid(pid) !== undefined || shell.jobs.ended.has(pid);
    status = isKnown ? await builtins.get('wait')!(shell, [operand]) : 127;
    const signal = Object.entries(SIGNAL_NUMBERS).find(([, each]) => each === status - 128)?.[0];
    if (isKnown && signal !== undefined && signal !== 'SIGINT')
      await shell.err(`${signalText(signal as Signal)}\n`);
  }
  return status;
};

const kill: Builtin = async (shell, args) => {
  const words = texts(args);
  const first = words[0];
  if (first === undefined)
    throw new DashFailure(
      'Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]',
    );
  if (first === '-l') {
    if (words.length === 1) {
      const names = Array.from({ length: 65 }, (_, i) => nameOf(i));
      await shell.out(names.map((name, i) => `${name ?? i}\n`).join(''));
      return 0;
    }
    const status = number(words[1]!);
    const name = nameOf(status > 128 ? status - 128 : status);
    if (name === undefined) throw new DashFailure(`invalid signal number or exit status: ${words[1]}`);
    await shell.out(`${name}\n`);
    return 0;
  }
  if (/^-[^s]/.test(first) && first !== '--' && parseSignal(first.slice(1)) === undefined && first !== '-0')
    throw new DashFailure(`Illegal option ${first.slice(0, 2)}`);
  const targets = words.slice(first === '-s' ? 2 : first.startsWith('-') ? 1 : 0);
  const bad = targets.find((target) => !/^(?:-?[0-9]+|%.*)$/.test(target));
  if (bad !== undefined) throw new DashFailure(`Illegal number: ${bad}`);
  const job = targets.find((target) => target.startsWith('%') && shell.jobs.find(target) === undefined);
  if (job !== undefined) throw new DashFailure(`No such job: ${job}`);
  return builtins.get('kill')!(shell, args);
};

function nameOf(value: number): string | undefined {
  if (value === 0) return '0';
  return Object.entries(SIGNAL_NUMBERS)
    .find(([, each]) => each === value)?.[0]
    .slice(3);
}

function foreground(name: 'fg' | 'bg'): Builtin {
  return (shell, args) => {
    const spec = texts(args)[0];
    const job = shell.jobs.find(spec ?? '%%');
    if (job === undefined || job === 'ambiguous')
      throw new DashFailure(spec === undefined ? 'No current job' : `No such job: ${spec}`);
    return builtins.get(name)!(shell, args);
  };
}

const type = textual(async (shell, all) => {
  const args = shell.dialect.name === 'ash' && /^-[at]$/.test(all[0] ?? '') ? all.slice(1) : all;
  if (args.length < all.length && all[0] === '-t') {
    // ash knows -t of nothing but takes it, and then says what command -v says.
    for (const name of args) await shell.out(`${name}\n`);
    return 0;
  }
  let status = 0;
  for (const name of args) {
    const text = description(shell, name);
    await shell.out(text === undefined ? `${name}: not found\n` : `${name} ${text}\n`);
    if (text === undefined) status = 127;
  }
  return status;
});

function description(shell: Shell, name: string): string | undefined {
  if (isReservedWord(name) && !NOT_RESERVED.has(name)) return 'is a shell keyword';
  const alias = shell.aliases.get(name);
  if (alias !== undefined) return `is an alias for ${alias}`;
  if (shell.functions.has(name)) return 'is a shell function';
  if (builtins.has(name) && !shell.disabledBuiltins.has(name))
    return DASH_SPECIAL.has(name) && name !== 'local' ? 'is a special shell builtin' : 'is a shell builtin';
  const path = name.includes('/')
    ? isExecutable(shell, name)
      ? name
      : undefined
    : searchPath(shell, name)[0];
  if (path === undefined) return undefined;
  return shell.hashed.has(name) ? `is a tracked alias for ${path}` : `is ${path}`;
}

const command: Builtin = async (shell, args) => {
  const words = texts(args);
  const { found, operands } = readLetters(words, 'pvV');
  const name = operands[0];
  if (name === undefined || !(found.has('v') || found.has('V'))) return builtins.get('command')!(shell, args);
  const text = description(shell, name);
  if (found.has('V')) {
    await shell.out(text === undefined ? `${name}: not found\n` : `${name} ${text}\n`);
    return text === undefined ? 127 : 0;
  }
  if (text === undefined) return 127;
  const alias = shell.aliases.get(name);
  const path = /^is (?:a tracked alias for )?(\/.*)/.exec(text)?.[1];
  await shell.out(`${alias === undefined ? (path ?? name) : `alias ${name}=${alwaysQuoted(alias)}`}\n`);
  return 0;
};

const alias = textual(async (shell, args) => {
  let status = 0;
  const shown = args.length === 0 ? [...shell.aliases.keys()].toSorted() : args;
  for (const operand of shown) {
    const at = operand.indexOf('=');
    const text = shell.aliases.get(operand);
    if (at > 0) shell.aliases.set(operand.slice(0, at), operand.slice(at + 1));
    else if (text !== undefined) await shell.out(`${operand}=${alwaysQuoted(text)}\n`);
    else {
      await shell.err(`alias: ${operand} not found\n`);
      status = 1;
    }
  }
  return status;
});

const unalias = textual(async (shell, args) => {
  const { found, operands } = readLetters(args, 'a');
  if (found.has('a')) shell.aliases.clear();
  let status = 0;
  for (const name of operands) {
    if (shell.aliases.delete(name)) continue;
    await shell.err(`unalias: ${name} not found\n`);
    status = 1;
  }
  return status;
});

const getopts: Builtin = (shell, args) => {
  if (args.length < 2) throw new DashFailure('Usage: getopts optstring var [arg...]');
  return builtins.get('getopts')!(shell, args);
};

const times = textual(async (shell) => {
  await shell.out('0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n');
  return 0;
});

/** Of those, what ash has as bash does. */
const AS_IN_BASH: ReadonlySet<string> = new Set(['echo', 'read', 'ulimit', 'kill', 'times']);

/** The builtin of dash or ash that replaces bash's, if one does. */
export function lesserBuiltin(shell: Shell, name: string): Builtin | undefined {
  return shell.dialect.name === 'ash' && AS_IN_BASH.has(name) ? undefined : dashBuiltins.get(name);
}

/** What replaces bash's builtins in dash. */
const dashBuiltins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['break', loop('break')],
  ['continue', loop('continue')],
  ['return', returnBuiltin],
  ['exit', exit],
  ['shift', shift],
  ['echo', echo],
  ['read', read],
  ['set', set],
  ['trap', trap],
  ['export', attribute('export')],
  ['readonly', attribute('readonly')],
  ['local', local],
  ['unset', unset],
  ['umask', umask],
  ['ulimit', ulimit],
  ['cd', cd],
  ['wait', wait],
  ['kill', kill],
  ['fg', foreground('fg')],
  ['bg', foreground('bg')],
  ['type', type],
  ['command', command],
  ['alias', alias],
  ['unalias', unalias],
  ['getopts', getopts],
  ['times', times],
]);

/** ash counts the lines of a -c string from 0. */
function ashLine(shell: Shell): number {
  return shell.origin === 'command' ? shell.line - 1 : shell.line;
}

function ashWords(message: string): string {
  return message
    .replace(/^Illegal (option|mode)/, 'illegal $1')
    .replace(/^cannot open (.*): No such file$/, "can't open '$1': No such file or directory");
}

/** Ends a builtin that has failed: a special one takes the shell with it. */
export async function failDash(shell: Shell, name: string, failure: DashFailure): Promise<number> {
  if (shell.dialect.name === 'dash') await shell.error(`${name}: ${failure.message}`);
  else await shell.error(`${name}: line ${ashLine(shell)}: ${ashWords(failure.message)}`);
  if (DASH_SPECIAL.has(name) && !shell.interactive) throw new InputEnd(2);
  return 2;
}
