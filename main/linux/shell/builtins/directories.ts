// cd, pwd, pushd, popd, dirs.
import { ErrnoError } from '../../../network/index.ts';
import type { Shell } from '../shell.ts';
import { parseOptions, textual, type Builtin } from './support.ts';

const CD_USAGE = 'cd [-L|[-P [-e]] [-@]] [dir]';

const cd = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'cd', args, 'LPe@', CD_USAGE);
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  if (operands.length > 1) {
    await shell.error('cd: too many arguments');
    return 1;
  }
  let target = operands[0];
  let print = false;
  if (target === undefined) {
    target = shell.vars.get('HOME');
    if (target === undefined) {
      await shell.error('cd: HOME not set');
      return 1;
    }
  } else if (target === '-') {
    target = shell.vars.get('OLDPWD');
    if (target === undefined) {
      await shell.error('cd: OLDPWD not set');
      return 1;
    }
    print = true;
  }
  const physical = options.has('P') || shell.options.has('physical');
  for (const directory of searchDirectories(shell, target)) {
    const path = directory === '' ? target : `${directory}/${target}`;
    if (directory !== '' && !shell.proc.fs.exists(path)) continue;
    const status = await enter(shell, 'cd', path, target, physical);
    if (status === 0 && (print || (directory !== '' && directory !== '.')))
      await shell.out(`${shell.vars.get('PWD')}\n`);
    return status;
  }
  return enter(shell, 'cd', target, target, physical);
});

function searchDirectories(shell: Shell, target: string): string[] {
  const cdpath = shell.vars.get('CDPATH');
  if (cdpath === undefined || cdpath === '' || /^(?:\/|\.\.?(?:\/|$))/.test(target)) return [''];
  return [...cdpath.split(':').filter((directory) => directory !== ''), ''];
}

/** Changes directory and sets PWD and OLDPWD; a message says why not. */
async function enter(
  shell: Shell,
  command: string,
  path: string,
  shown: string,
  physical: boolean,
): Promise<number> {
  const before = shell.vars.get('PWD') ?? shell.proc.cwd;
  const logical = foldPath(path.startsWith('/') ? path : `${before}/${path}`);
  try {
    if (path === '') return 0;
    shell.proc.chdir(physical ? path : logical);
    shell.vars.set('OLDPWD', before);
    shell.vars.set('PWD', physical ? shell.proc.fs.realpath('.') : logical);
    for (const name of ['PWD', 'OLDPWD']) shell.vars.ensure(name).attributes.add('exported');
    return 0;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const words = {
      bash: `${shown}: ${error.message}`,
      dash: `can't cd to ${shown}`,
      ash: `line 0: can't cd to ${shown}: ${error.message}`,
    };
    await shell.error(`${command}: ${words[shell.dialect.name]}`);
    return 1;
  }
}

function foldPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

const pwd = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'pwd', args, 'LP', 'pwd [-LP]');
  if (typeof parsed === 'number') return parsed;
  const logical = shell.vars.get('PWD') ?? shell.proc.cwd;
  await shell.out(`${parsed.options.has('P') ? shell.proc.fs.realpath('.') : logical}\n`);
  return 0;
});

// ── The directory stack ──

function stackOf(shell: Shell): string[] {
  return [shell.vars.get('PWD') ?? shell.proc.cwd, ...shell.directories];
}

function tilde(shell: Shell, path: string): string {
  const home = shell.vars.get('HOME');
  if (home === undefined || home === '' || home === '/') return path;
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

async function showStack(shell: Shell): Promise<void> {
  await shell.out(
    `${stackOf(shell)
      .map((path) => tilde(shell, path))
      .join(' ')}\n`,
  );
}

/** Index into the stack of `+n` or `-n`. */
function position(text: string, size: number): number | undefined {
  const number = Number(text.slice(1));
  const index = text.startsWith('+') ? number : size - 1 - number;
  return index >= 0 && index < size ? index : undefined;
}

const pushd = textual(async (shell, args) => {
  const quiet = args.includes('-n');
  const operand = args.find((arg) => arg !== '-n' && arg !== '--');
  const stack = stackOf(shell);
  if (operand === undefined) {
    if (stack.length < 2) {
      await shell.error('pushd: no other directory');
      return 1;
    }
    [stack[0], stack[1]] = [stack[1]!, stack[0]!];
  } else if (/^[-+][0-9]+$/.test(operand)) {
    const index = position(operand, stack.length);
    if (index === undefined) {
      await shell.error(
        stack.length < 2
          ? 'pushd: directory stack empty'
          : `pushd: ${operand}: directory stack index out of range`,
      );
      return 1;
    }
    stack.push(...stack.splice(0, index));
  } else {
    const status = quiet ? 0 : await enter(shell, 'pushd', operand, operand, false);
    if (status !== 0) return status;
    shell.directories = quiet ? [operand, ...shell.directories] : stack;
    await showStack(shell);
    return 0;
  }
  const status = quiet ? 0 : await enter(shell, 'pushd', stack[0]!, stack[0]!, false);
  if (status !== 0) return status;
  shell.directories = stack.slice(1);
  await showStack(shell);
  return 0;
});

const popd = textual(async (shell, args) => {
  const operand = args.find((arg) => arg !== '-n' && arg !== '--');
  const stack = stackOf(shell);
  if (stack.length < 2) {
    await shell.error('popd: directory stack empty');
    return 1;
  }
  if (operand !== undefined && !/^[-+][0-9]+$/.test(operand)) {
    await shell.error(`popd: ${operand}: invalid argument`);
    await shell.err('popd: usage: popd [-n] [+N | -N]\n');
    return 2;
  }
  const index = operand === undefined ? 0 : position(operand, stack.length);
  if (index === undefined) {
    await shell.error(`popd: ${operand}: directory stack index out of range`);
    return 1;
  }
  stack.splice(index, 1);
  const status = index === 0 ? await enter(shell, 'popd', stack[0]!, stack[0]!, false) : 0;
  if (status !== 0) return status;
  shell.directories = stack.slice(1);
  await showStack(shell);
  return 0;
});

const dirs = textual(async (shell, args) => {
  const letters = args.filter((arg) => /^-[clpv]+$/.test(arg)).join('');
  const index = args.find((arg) => /^[-+][0-9]+$/.test(arg));
  if (letters.includes('c')) {
    shell.directories = [];
    return 0;
  }
  const stack = stackOf(shell).map((path) => (letters.includes('l') ? path : tilde(shell, path)));
  if (index !== undefined) {
    const at = position(index, stack.length);
    if (at === undefined) {
      await shell.error(
        stack.length < 2
          ? 'dirs: directory stack empty'
          : `dirs: ${index}: directory stack index out of range`,
      );
      return 1;
    }
    await shell.out(`${stack[at]}\n`);
  } else if (letters.includes('v')) {
    await shell.out(stack.map((path, i) => `${String(i).padStart(2)}  ${path}\n`).join(''));
  } else {
    await shell.out(`${stack.join(letters.includes('p') ? '\n' : ' ')}\n`);
  }
  return 0;
});

export const directoryBuiltins: readonly (readonly [string, Builtin])[] = [
  ['cd', cd],
  ['pwd', pwd],
  ['pushd', pushd],
  ['popd', popd],
  ['dirs', dirs],
];
