// Builtins that steer control: break, continue, return, exit, eval, source, exec, shift, trap, true, false.
import { ErrnoError } from '../../../network/index.ts';
import { parseSignal, SIGNAL_NUMBERS, type Signal } from '../../kernel/index.ts';
import { ExitControl, LoopControl, ReturnControl } from '../control.ts';
import { bytesToText } from '../bytes.ts';
import { searchPath } from '../lookup.ts';
import { singleQuote } from '../quoting.ts';
import { execCommand } from '../simple-command.ts';
import type { Shell, TrapName } from '../shell.ts';
import { DashFailure, integerArgument, parseOptions, textual, usageError, type Builtin } from './support.ts';

function loopBuiltin(kind: 'break' | 'continue'): Builtin {
  return textual(async (shell, args) => {
    if (shell.loopDepth === 0) {
      await shell.error(`${kind}: only meaningful in a \`for', \`while', or \`until' loop`);
      return 0;
    }
    if (args[0] === '--') args.shift();
    if (args.length === 0) throw new LoopControl(kind, 1);
    const count = await integerArgument(shell, kind, args[0]!);
    if (count === undefined) throw new ExitControl(128);
    if (count < 1) {
      await shell.error(`${kind}: ${args[0]}: loop count out of range`);
      throw new LoopControl('break', shell.loopDepth, 1);
    }
    throw new LoopControl(kind, Math.min(count, shell.loopDepth));
  });
}

const returnBuiltin = textual(async (shell, args) => {
  if (args.length > 1 && args[0] !== '--') {
    await shell.error('return: too many arguments');
    return shell.unwind();
  }
  const text = args[0] === '--' ? args[1] : args[0];
  const status = text === undefined ? shell.status : ((await integerArgument(shell, 'return', text)) ?? 2);
  if (shell.frames.length === 0) {
    await shell.error("return: can only `return' from a function or sourced script");
    return 2;
  }
  throw new ReturnControl(status & 0xff);
});

const exitBuiltin = textual(async (shell, args) => {
  const text = args[0] === '--' ? args[1] : args[0];
  if (shell.interactive) await shell.err(shell.login ? 'logout\n' : 'exit\n');
  if (text === undefined) throw new ExitControl(shell.status);
  const status = await integerArgument(shell, 'exit', text);
  if (status === undefined) throw new ExitControl(2);
  if (args.length > 1 && args[0] !== '--') {
    await shell.error('exit: too many arguments');
    return shell.unwind();
  }
  throw new ExitControl(status & 0xff);
});

const logout = textual(async (shell, args) => {
  if (shell.login) return exitBuiltin(shell, args);
  await shell.error("logout: not login shell: use `exit'");
  return 1;
});

const evalBuiltin = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'eval', args, '', 'eval [arg ...]');
  if (typeof parsed === 'number') return parsed;
  const source = parsed.operands.join(' ');
  if (source.trim() === '') return 0;
  shell.traceDepth++;
  try {
    return await shell.runText(source, 'eval');
  } finally {
    shell.traceDepth--;
  }
});

function sourceBuiltin(name: string): Builtin {
  return textual(async (shell, args) => {
    const parsed = await parseOptions(shell, name, args, '', `${name} filename [arguments]`);
    if (typeof parsed === 'number') return parsed;
    const [file, ...parameters] = parsed.operands;
    if (file === undefined)
      return usageError(shell, name, 'filename argument required', `${name} filename [arguments]`);
    const path = file.includes('/') ? file : (sourceOnPath(shell, file) ?? file);
    const source = await readSource(shell, path, file, name);
    if (source === undefined) return 1;
    return runSourced(shell, file, source, shell.dialect.name === 'dash' ? [] : parameters);
  });
}

function sourceOnPath(shell: Shell, name: string): string | undefined {
  if (!shell.shopts.has('sourcepath')) return undefined;
  const directories = (shell.vars.get('PATH') ?? '').split(':');
  return (
    searchPath(shell, name)[0] ??
    directories.map((directory) => `${directory}/${name}`).find((path) => shell.proc.fs.exists(path))
  );
}

async function readSource(
  shell: Shell,
  path: string,
  shown: string,
  command: string,
): Promise<string | undefined> {
  try {
    if (shell.proc.fs.exists(path) && shell.proc.fs.stat(path).type === 'directory') {
      await shell.error(`${command}: ${shown}: is a directory`);
      return undefined;
    }
    const descriptor = /^\/dev\/fd\/([0-9]+)$/.exec(path);
    if (descriptor !== null && shell.proc.fds.has(Number(descriptor[1])))
      return await shell.readAll(Number(descriptor[1]));
    return bytesToText(shell.proc.fs.readFile(path));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (shell.dialect.name !== 'bash')
      throw new DashFailure(
        shown.includes('/') ? `cannot open ${shown}: No such file` : `${shown}: not found`,
      );
    await shell.error(`${shown}: ${error.message}`);
    return undefined;
  }
}

/** Runs a file's text in this shell, `return` ending it. */
export async function runSourced(
  shell: Shell,
  file: string,
  source: string,
  parameters: readonly string[],
): Promise<number> {
  const saved = shell.positional;
  const { line } = shell;
  if (parameters.length > 0) shell.positional = [...parameters];
  shell.frames.push({ kind: 'source', name: 'source', file, callLine: line });
  const savedName = shell.name;
  try {
    shell.status = 0;
    return await shell.runText(source, 'source', 1);
  } catch (error) {
    if (!(error instanceof ReturnControl)) throw error;
    return error.status;
  } finally {
    shell.name = savedName;
    shell.frames.pop();
    shell.line = line;
    if (parameters.length > 0) shell.positional = saved;
  }
}

const exec = textual(async (shell, args) => {
  const parsed = await parseOptions(
    shell,
    'exec',
    args,
    'cla:',
    'exec [-cl] [-a name] [command [argument ...]] [redirection ...]',
  );
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  if (operands.length === 0) return 0;
  const argv0 = (options.has('l') ? '-' : '') + (options.get('a') ?? operands[0]!);
  return execCommand(shell, operands, { argv0, clean: options.has('c') });
});

const shift = textual(async (shell, args) => {
  if (args[0] === '--') args.shift();
  if (args.length > 1) {
    await shell.error('shift: too many arguments');
    return shell.unwind();
  }
  const count = args[0] === undefined ? 1 : await integerArgument(shell, 'shift', args[0]);
  if (count === undefined) return 1;
  if (count < 0) {
    await shell.error(`shift: ${args[0]}: shift count out of range`);
    return 1;
  }
  if (count > shell.positional.length) {
    if (shell.shopts.has('shift_verbose')) await shell.error(`shift: ${args[0]}: shift count out of range`);
    return 1;
  }
  shell.positional = shell.positional.slice(count);
  return 0;
});

// ── trap ──

const PSEUDO = ['EXIT', 'DEBUG', 'ERR', 'RETURN'] as const;

/** A trap's name as arguments give it: `INT`, `sigint`, `2`, `0`, `exit`. */
function parseTrapName(text: string): TrapName | undefined {
  if (text === '0') return 'EXIT';
  const upper = text.toUpperCase();
  const pseudo = PSEUDO.find((name) => name === upper);
  return pseudo ?? parseSignal(text);
}

const TRAP_USAGE = 'trap [-lp] [[arg] signal_spec ...]';

const trap = textual(async (shell, args) => {
  const parsed =
    args[0] === '-'
      ? { options: new Map<string, string>(), operands: args }
      : await parseOptions(shell, 'trap', args, 'lp', TRAP_USAGE);
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  if (options.has('l')) return listSignals(shell);
  if (options.has('p') || operands.length === 0) return listTraps(shell, operands);
  const only = operands.length === 1;
  if (only && operands[0] !== '-' && parseTrapName(operands[0]!) === undefined) {
    await shell.err(`trap: usage: ${TRAP_USAGE}\n`);
    return 2;
  }
  const [action, ...names] = only ? ['-', operands[0]!] : operands;
  let status = 0;
  for (const text of /^[0-9]+$/.test(action!) && !only ? [action!, ...names] : names) {
    const name = parseTrapName(text);
    if (name === undefined) {
      await shell.error(`trap: ${text}: invalid signal specification`);
      status = 1;
      continue;
    }
    shell.setTrap(name, action === '-' || /^[0-9]+$/.test(action!) ? undefined : action);
  }
  return status;
});

async function listTraps(shell: Shell, names: readonly string[]): Promise<number> {
  const wanted = names.map(parseTrapName);
  const order: TrapName[] = ['EXIT', ...(Object.keys(SIGNAL_NUMBERS) as Signal[]), 'DEBUG', 'ERR', 'RETURN'];
  for (const name of order) {
    const action = shell.traps.get(name);
    if (action === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
    await shell.out(`trap -- ${action === '' ? "''" : singleQuote(action)} ${name}\n`);
  }
  return 0;
}

/** The table of `kill -l`. */
export async function listSignals(shell: Shell): Promise<number> {
  const rows = Object.entries(SIGNAL_NUMBERS).map(([name, number]) => ({ name, number }));
  for (let i = 34; i <= 64; i++)
    rows.push({
      name:
        i === 34 ? 'SIGRTMIN' : i === 64 ? 'SIGRTMAX' : i <= 49 ? `SIGRTMIN+${i - 34}` : `SIGRTMAX-${64 - i}`,
      number: i,
    });
  let text = '';
  rows.forEach(({ name, number }, i) => {
    text += `${String(number).padStart(2)}) ${name}${i % 5 === 4 || i === rows.length - 1 ? '\n' : '\t'}`;
  });
  await shell.out(text);
  return 0;
}

export const flowBuiltins: readonly (readonly [string, Builtin])[] = [
  [':', async () => 0],
  ['true', async () => 0],
  ['false', async () => 1],
  ['break', loopBuiltin('break')],
  ['continue', loopBuiltin('continue')],
  ['return', returnBuiltin],
  ['exit', exitBuiltin],
  ['logout', logout],
  ['eval', evalBuiltin],
  ['.', sourceBuiltin('.')],
  ['source', sourceBuiltin('source')],
  ['exec', exec],
  ['shift', shift],
  ['trap', trap],
];
