// umask, times, help, caller, bind.
import { builtins } from './registry.ts';
import { parseOptions, textual, type Builtin } from './support.ts';

const umask = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'umask', args, 'pS', 'umask [-p] [-S] [mode]');
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  const mask = shell.proc.umask;
  const mode = operands[0];
  if (mode === undefined) {
    const text = options.has('S') ? symbolic(mask) : mask.toString(8).padStart(4, '0');
    await shell.out(`${options.has('p') ? `umask ${options.has('S') ? '-S ' : ''}` : ''}${text}\n`);
    return 0;
  }
  if (/^[0-9]/.test(mode)) {
    if (!/^[0-7]{1,4}$/.test(mode)) {
      await shell.error(`umask: ${mode}: octal number out of range`);
      return 1;
    }
    shell.proc.setUmask(Number.parseInt(mode, 8));
    return 0;
  }
  const next = applySymbolic(mask, mode);
  if (next === undefined) {
    await shell.error(`umask: \`${mode[0]}': invalid symbolic mode operator`);
    return 1;
  }
  shell.proc.setUmask(next);
  if (options.has('S')) await shell.out(`${symbolic(next)}\n`);
  return 0;
});

function symbolic(mask: number): string {
  return ['u', 'g', 'o'].map((who, i) => `${who}=${bits(((~mask & 0o777) >> (6 - 3 * i)) & 7)}`).join(',');
}

function bits(value: number): string {
  return (value & 4 ? 'r' : '') + (value & 2 ? 'w' : '') + (value & 1 ? 'x' : '');
}

function applySymbolic(mask: number, text: string): number | undefined {
  let allowed = ~mask & 0o777;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)([-+=])([rwx]*)$/.exec(clause);
    if (match === null) return undefined;
    const who = match[1] === '' || match[1]!.includes('a') ? 'ugo' : match[1]!;
    const value = [...match[3]!].reduce((sum, c) => sum | { r: 4, w: 2, x: 1 }[c as 'r'], 0);
    for (const each of who) {
      const shift = { u: 6, g: 3, o: 0 }[each as 'u'];
      if (match[2] === '+') allowed |= value << shift;
      else if (match[2] === '-') allowed &= ~(value << shift);
      else allowed = (allowed & ~(7 << shift)) | (value << shift);
    }
  }
  return ~allowed & 0o777;
}

/** Differs: the kernel keeps no user and system times apart; both are shown as nil. */
const times = textual(async (shell) => {
  await shell.out('0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n');
  return 0;
});

const caller = textual(async (shell, args) => {
  if (shell.frames.length === 0 && shell.origin !== 'script') return 1;
  if (shell.frames.length === 0 && args.length === 0) {
    await shell.out('0 NULL\n');
    return 0;
  }
  if (args[0] !== undefined && !/^[0-9]+$/.test(args[0])) {
    await shell.error(`caller: ${args[0]}: invalid number`);
    await shell.err('caller: usage: caller [expr]\n');
    return 2;
  }
  const depth = Number(args[0] ?? 0);
  const frames = shell.frames.toReversed();
  const frame = frames[depth];
  if (frame === undefined) return 1;
  const outer = frames[depth + 1];
  const file =
    outer?.file ?? (shell.origin === 'script' ? shell.name : shell.origin === 'stdin' ? 'main' : 'NULL');
  await shell.out(
    args[0] === undefined
      ? `${frame.callLine} ${file}\n`
      : `${frame.callLine} ${outer?.name ?? 'main'} ${file}\n`,
  );
  return 0;
});

const help = textual(async (shell, args) => {
  if (args.length === 0) {
    await shell.out(helpText());
    return 0;
  }
  let status = 0;
  for (const name of args.filter((arg) => !arg.startsWith('-'))) {
    if (builtins.has(name)) {
      await shell.out(`${name}: a shell builtin. See bash(1), SHELL BUILTIN COMMANDS.\n`);
    } else {
      await shell.error(
        `help: no help topics match \`${name}'.  Try \`help help' or \`man -k ${name}' or \`info ${name}'.`,
      );
      status = 1;
    }
  }
  return status;
});

function helpText(): string {
  const names = [...builtins.keys()].toSorted();
  let text =
    "GNU bash, version 5.2.15(1)-release (x86_64-redhat-linux-gnu)\nThese shell commands are defined internally.  Type `help' to see this list.\n\n";
  for (let i = 0; i < names.length; i += 6)
    text += ` ${names
      .slice(i, i + 6)
      .map((name) => name.padEnd(12))
      .join('')
      .trimEnd()}\n`;
  return text;
}

export const miscellaneousBuiltins: readonly (readonly [string, Builtin])[] = [
  ['umask', umask],
  ['times', times],
  ['caller', caller],
  ['help', help],
];
