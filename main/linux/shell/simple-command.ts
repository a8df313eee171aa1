// Simple commands: expansion, redirections, assignments, then a function, a builtin or a file.
import { ErrnoError } from '../../network/index.ts';
import type { OpenFile } from '../kernel/index.ts';
import { assignAll, temporaryValue } from './assign.ts';
import { failDash, lesserBuiltin } from './builtins/dash.ts';
import { builtins, declarationBuiltins } from './builtins/registry.ts';
import { DashFailure } from './builtins/support.ts';
import { ArithmeticError } from './arithmetic.ts';
import { Discard, ExitControl, ExpansionError, ReturnControl } from './control.ts';
import { expandBraces } from './brace.ts';
import { expandToText, expandWords } from './expand.ts';
import { waitForeground } from './foreground.ts';
import { Job } from './jobs.ts';
import { findCommand } from './lookup.ts';
import { childTable, redirectAll, reportRedirect, shellTable, withRedirects } from './redirect.ts';
import { CALL_DEPTH_MAX, type RunOptions, type Shell, type ShellFunction } from './shell.ts';
import { runScriptFile } from './script.ts';
import type { Assignment, DeclarationArgument, Redirect, SimpleCommand, Word } from './syntax/ast.ts';
import { ShellSyntaxError } from './syntax/syntax-error.ts';
import { commandText } from './syntax/unparse.ts';
import { trace, traced } from './trace.ts';
import { VariableError } from './variables.ts';

/** An argument as a builtin gets it: a text, or an assignment that declare and its kin perform. */
export type Argument = string | DeclarationArgument;

export async function runSimple(shell: Shell, command: SimpleCommand, options: RunOptions): Promise<number> {
  shell.line = command.line + shell.lineShift;
  await shell.checkpoint();
  shell.substitutionStatus = undefined;
  if (shell.traps.size > 0) {
    shell.nameCommand(() => commandText(command));
    await shell.runPseudoTrap('DEBUG');
  }
  const substitutions = shell.openSubstitutions;
  try {
    const whole = shell.options.has('keyword') ? withKeywords(shell, command) : command;
    const words = await shell.attempt(() => expandArguments(shell, whole));
    return (shell.status = await dispatch(shell, whole, words, options));
  } finally {
    shell.closeSubstitutions(substitutions);
  }
}

/** `set -k`: assignments among the arguments belong to the command's environment too. */
function withKeywords(shell: Shell, command: SimpleCommand): SimpleCommand {
  const assignments = [...command.assignments];
  const words = command.words.filter((word, i) => {
    if (i === 0 || 'kind' in word || !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word.text)) return true;
    const parsed = shell.parser(word.text).all().items[0]?.command.first.commands[0];
    if (parsed?.kind !== 'simple' || parsed.assignments.length !== 1) return true;
    assignments.push(parsed.assignments[0]!);
    return false;
  });
  return { ...command, assignments, words };
}

/** Expands the words; assignments stay for builtins that declare, and become text for anything else. */
async function expandArguments(shell: Shell, command: SimpleCommand): Promise<Argument[]> {
  const words: Argument[] = [];
  for (const word of command.words) {
    if (!('kind' in word)) {
      for (const field of await expandWords(shell, [word as Word])) words.push(field);
    } else if (
      typeof words[0] === 'string' &&
      (declarationBuiltins.has(words[0]) || words[0] === 'command' || words[0] === 'builtin')
    )
      words.push(...(await expandDeclaration(shell, word)));
    else words.push(...(await expandWords(shell, [shell.parser(word.text).scanText('word')])));
  }
  return words;
}

/** An assignment as an argument. Brace expansion comes first and leaves plain words. */
async function expandDeclaration(shell: Shell, word: DeclarationArgument): Promise<Argument[]> {
  const { name, value } = word.assignment;
  if (!('kind' in value) && shell.dialect.name !== 'bash')
    return [`${name}=${await expandToText(shell, value, true)}`];
  if ('kind' in value || !shell.options.has('braceexpand') || expandBraces(value).length === 1) return [word];
  return expandWords(shell, [shell.parser(word.text).scanText('word')]);
}

async function dispatch(
  shell: Shell,
  command: SimpleCommand,
  words: readonly Argument[],
  options: RunOptions,
): Promise<number> {
  const name = words[0];
  if (name === undefined) return assignOnly(shell, command);
  if (typeof name !== 'string') throw new Error('a command word is never an assignment');
  try {
    return await dispatchNamed(shell, command, name, words, options);
  } finally {
    setLastArgument(shell, words);
  }
}

async function dispatchNamed(
  shell: Shell,
  command: SimpleCommand,
  name: string,
  words: readonly Argument[],
  options: RunOptions,
): Promise<number> {
  const definition = shell.functions.get(name);
  if (definition !== undefined)
    return withTemporaries(shell, command, words, () => callFunction(shell, name, definition, words));
  const builtin = shell.disabledBuiltins.has(name) ? undefined : builtins.get(name);
  if (builtin !== undefined) {
    if (name === 'exec') return runExec(shell, command, words);
    return withTemporaries(shell, command, words, () => runBuiltin(shell, name, words));
  }
  return runExternal(shell, command, words.map(textOf), options);
}

function textOf(argument: Argument): string {
  return typeof argument === 'string' ? argument : argument.text;
}

function setLastArgument(shell: Shell, words: readonly Argument[]): void {
  shell.lastArgument = textOf(words.at(-1)!);
}

async function traceWords(shell: Shell, words: readonly Argument[]): Promise<void> {
  await trace(shell, () =>
    words.map((word) => (typeof word === 'string' ? traced(shell, word) : word.text)).join(' '),
  );
}

/** Assignments without a command change the shell; their status is the last substitution's. */
async function assignOnly(shell: Shell, command: SimpleCommand): Promise<number> {
  const body = async (): Promise<number> => {
    await shell.attempt(() => assignAll(shell, command.assignments));
    shell.lastArgument = '';
    return shell.substitutionStatus ?? 0;
  };
  const status = await body();
  return command.redirects.length === 0
    ? status
    : withRedirects(shell, command.redirects, () => Promise.resolve(status));
}

/** Runs a function or builtin with the command's redirections and with its assignments for that time. */
async function withTemporaries(
  shell: Shell,
  command: SimpleCommand,
  words: readonly Argument[],
  body: () => Promise<number>,
): Promise<number> {
  if (command.redirects.length > 0 && command.assignments.some(({ name }) => name === 'IFS')) {
    // The redirections are still expanded with the old IFS.
    const plain = { ...command, redirects: [] };
    return withRedirects(shell, command.redirects, () => withTemporaries(shell, plain, words, body));
  }
  const restore = command.assignments.length === 0 ? undefined : await temporaries(shell, command);
  try {
    await traceWords(shell, words);
    if (command.redirects.length === 0) return await body();
    return await withRedirects(shell, command.redirects, body);
  } finally {
    restore?.();
  }
}

/** An element can't be set for one command. */
async function refuseElement(shell: Shell, { name, index }: Assignment): Promise<void> {
  await shell.error(`\`${name}[${index?.text}]': not a valid identifier`);
}

/** Makes the assignments before a command, exported; the result takes them back. */
async function temporaries(shell: Shell, command: SimpleCommand): Promise<() => void> {
  shell.vars.pushTemporary();
  try {
    for (const assignment of command.assignments) {
      if (assignment.index !== undefined) {
        await refuseElement(shell, assignment);
        continue;
      }
      const value = await shell.attempt(() => temporaryValue(shell, assignment));
      if (shell.vars.find(assignment.name)?.attributes.has('readonly') === true) {
        await shell.error(`${assignment.name}: readonly variable`);
        continue;
      }
      const variable = shell.vars.ensureTop(assignment.name);
      variable.attributes.add('exported');
      variable.value = value;
      shell.vars.onChange(assignment.name);
    }
  } catch (error) {
    shell.vars.popScope();
    throw error;
  }
  return () => shell.vars.popScope();
}

async function runBuiltin(shell: Shell, name: string, words: readonly Argument[]): Promise<number> {
  const own = shell.dialect.name === 'bash' ? undefined : lesserBuiltin(shell, name);
  const builtin = own ?? builtins.get(name)!;
  try {
    return await builtin(shell, words.slice(1));
  } catch (error) {
    if (error instanceof DashFailure) return failDash(shell, name, error);
    if (error instanceof ErrnoError) {
      if (error.code === 'EINTR') throw error;
      await shell.error(`${name}: write error: ${error.message}`);
      return 1;
    }
    if (error instanceof ExpansionError) return shell.abandon(error);
    if (error instanceof ArithmeticError && error.unwinds !== undefined) {
      if (error.unwinds === 'integer') error.message = `${name}: ${error.message}`;
      return shell.abandon(error);
    }
    if (
      error instanceof VariableError ||
      error instanceof ArithmeticError ||
      error instanceof ShellSyntaxError
    ) {
      await shell.error(error.message);
      return 1;
    }
    throw error;
  }
}

/** Runs a builtin by name, as `builtin` and `command` do. */
export function runBuiltinNamed(shell: Shell, words: readonly Argument[]): Promise<number> {
  return runBuiltin(shell, textOf(words[0]!), words);
}

// ── Functions ──

export async function callFunction(
  shell: Shell,
  name: string,
  definition: ShellFunction,
  words: readonly Argument[],
): Promise<number> {
  const limit = Number(shell.vars.get('FUNCNEST') ?? 0) || CALL_DEPTH_MAX;
  if (shell.frames.length >= limit) {
    await shell.error(`${name}: maximum function nesting level exceeded (${limit})`);
    throw new Discard(1);
  }
  const saved = { positional: shell.positional, loopDepth: shell.loopDepth, line: shell.line };
  shell.frames.push({ kind: 'function', name, file: definition.file, callLine: shell.line });
  shell.positional = words.slice(1).map(textOf);
  shell.loopDepth = 0;
  const restoreTraps = shell.withoutTraps();
  shell.vars.pushScope();
  try {
    let returned: number | undefined;
    try {
      await shell.engine.runCommand(shell, definition.body, {});
    } catch (error) {
      if (!(error instanceof ReturnControl)) throw error;
      returned = error.status; // The trap still sees the status before `return`.
    }
    await shell.runPseudoTrap('RETURN');
    shell.status = returned ?? shell.status;
  } finally {
    restoreTraps();
    shell.vars.popScope();
    shell.options = shell.frames.pop()?.savedOptions ?? shell.options;
    shell.positional = saved.positional;
    shell.loopDepth = saved.loopDepth;
    shell.line = saved.line;
  }
  return shell.status;
}

// ── Files ──

/** Runs a command from a file. */
async function runExternal(
  shell: Shell,
  command: SimpleCommand,
  words: readonly string[],
  options: RunOptions,
): Promise<number> {
  const fds = shell.childFds();
  const env = await environment(shell, command);
  await traceWords(shell, words);
  try {
    if (options.noFork === true) await redirectAll(shell, command.redirects, shellTable(shell));
    else await redirectChild(shell, command.redirects, fds);
  } catch (error) {
    if (error instanceof Discard || error instanceof ExitControl) return error.status;
    await reportRedirect(shell, error);
    return shell.dialect.name === 'dash' ? 2 : 1;
  }
  if (options.noFork === true) return replaceShell(shell, words, env);
  const stderr = fds.get(2);
  return spawnFile(shell, words, { fds, env, text: commandText(command), stderr });
}

/** A child's redirections: their expansions happen in it, so that what they assign or break is lost on the shell. */
async function redirectChild(
  shell: Shell,
  redirects: readonly Redirect[],
  fds: Map<number, OpenFile>,
): Promise<void> {
  // Of dash's only here-documents are expanded in the child.
  const inChild =
    shell.dialect.name === 'dash'
      ? ({ hereDocument }: Redirect) => hereDocument !== undefined
      : mayFailOrAssign;
  if (!redirects.some(inChild)) return redirectAll(shell, redirects, childTable(shell, fds));
  const child = shell.copy();
  child.subshellDepth--;
  child.shownDepth--;
  try {
    await redirectAll(child, redirects, childTable(shell, fds));
  } catch (error) {
    await reportRedirect(child, error);
    throw new Discard(1);
  }
}

function mayFailOrAssign({ target, hereDocument, fdVariable }: Redirect): boolean {
  return fdVariable !== undefined || /\$[^A-Za-z0-9_]/.test(hereDocument?.raw ?? target.text);
}

async function environment(shell: Shell, command: SimpleCommand): Promise<Map<string, string>> {
  const env = shell.environment();
  for (const assignment of command.assignments) {
    if (assignment.index !== undefined) {
      await refuseElement(shell, assignment);
      continue;
    }
    const value = await shell.attempt(() => temporaryValue(shell, assignment));
    if (shell.vars.find(assignment.name)?.attributes.has('readonly') === true)
      await shell.error(`${assignment.name}: readonly variable`);
    else env.set(assignment.name, value);
  }
  if (shell.dialect.name === 'bash') env.set('_', shell.lastArgument);
  return env;
}

interface Launch {
  readonly fds: Map<number, OpenFile>;
  readonly env: Map<string, string>;
  readonly text: string;
  readonly stderr: OpenFile | undefined;
}

/** Starts a file as a child and waits for it. */
export async function spawnFile(shell: Shell, words: readonly string[], launch: Launch): Promise<number> {
  const say = (message: string): Promise<void> =>
    launch.stderr === undefined ? Promise.resolve() : shellSay(shell, launch.stderr, message);
  if (words[0] === '' && shell.dialect.name === 'dash') {
    await say(`${shell.prefix()}: Permission denied\n`);
    return 127;
  }
  const path = findCommand(shell, words[0]!, launch.env.get('PATH'));
  if (path === undefined) return commandNotFound(shell, words, say);
  const start = (program?: (proc: Shell['proc']) => Promise<number>) =>
    shell.proc.spawn({
      argv: words,
      fds: launch.fds,
      env: shell.dialect.name === 'bash' ? new Map([...launch.env, ['_', path]]) : launch.env,
      ignoredSignals: shell.ignoredSignals(),
      ...(program === undefined ? { path } : { program }),
      ...(shell.monitor ? { processGroup: 0 } : {}),
    });
  let child: ReturnType<typeof start>;
  try {
    child = start();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code !== 'ENOEXEC') return execFailed(shell, path, error, say);
    if (isBinary(shell, path)) {
      await say(`${shell.prefix()}${path}: cannot execute binary file: Exec format error\n`);
      return 126;
    }
    const copy = shell.copy();
    child = start((proc) => {
      copy.proc = proc;
      return copy.runSubshell((sub) => runScriptFile(sub, path, words));
    });
  }
  const job = new Job(launch.text, shell.monitor ? child.pid : undefined);
  if (shell.monitor && shell.interactive && shell.proc.tty !== undefined)
    shell.proc.tty.foreground = child.pid;
  shell.jobs.add(job, child);
  return waitForeground(shell, job);
}

/** Writes a message to where the command's stderr went. */
async function shellSay(shell: Shell, stderr: OpenFile, message: string): Promise<void> {
  const fd = shell.keepPrivate(stderr);
  try {
    await shell.write(fd, message);
  } finally {
    shell.dropPrivate(fd);
  }
}

/** Why a file that was found couldn't be run: 126, or 127 when it isn't there. */
async function execFailed(
  shell: Shell,
  path: string,
  error: ErrnoError,
  say: (message: string) => Promise<void>,
): Promise<number> {
  const { fs } = shell.proc;
  if (
    error.code === 'EISDIR' ||
    (error.code === 'EACCES' && fs.exists(path) && fs.stat(path).type === 'directory')
  ) {
    const why = shell.dialect.name !== 'bash' ? 'Permission denied' : 'Is a directory';
    await say(`${shell.prefix()}${path}: ${why}\n`);
    return 126;
  }
  const interpreter = error.code === 'ENOENT' && fs.exists(path) ? interpreterOf(shell, path) : undefined;
  if (interpreter !== undefined) {
    await say(`${shell.prefix()}${path}: cannot execute: required file not found\n`);
    return 127;
  }
  const absent = error.code === 'ENOENT' && shell.dialect.name !== 'bash';
  await say(`${shell.prefix()}${absent ? shell.dialect.notFound(path) : `${path}: ${error.message}`}\n`);
  return error.code === 'ENOENT' ? 127 : 126;
}

/** Whether a file is no script: it has a NUL in its first line. */
function isBinary(shell: Shell, path: string): boolean {
  return shell.readFile(path)?.split('\n', 1)[0]?.includes('\0') === true;
}

function interpreterOf(shell: Shell, path: string): string | undefined {
  return /^#![ \t]*(\S+)/.exec(shell.readFile(path) ?? '')?.[1];
}

/** Becomes the command (execve). */
async function replaceShell(
  shell: Shell,
  words: readonly string[],
  env: Map<string, string>,
): Promise<number> {
  const say = (message: string): Promise<void> => shell.err(message);
  const path = findCommand(shell, words[0]!, env.get('PATH'));
  if (path === undefined) return commandNotFound(shell, words, say);
  for (const fd of [...shell.privateFds]) shell.dropPrivate(fd);
  if (shell.dialect.name === 'bash') env.set('_', path);
  try {
    return await shell.proc.exec({ path, argv: words, env });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'ENOEXEC') return runScriptFile(shell, path, words);
    return execFailed(shell, path, error, say);
  }
}

/** `exec`: redirections that last, and then perhaps another program in this process. */
async function runExec(shell: Shell, command: SimpleCommand, words: readonly Argument[]): Promise<number> {
  const table = shellTable(shell);
  await traceWords(shell, words);
  try {
    await redirectAll(shell, command.redirects, table);
  } catch (error) {
    table.undo();
    await reportRedirect(shell, error);
    if (!shell.interactive) throw new ExitControl(1);
    return 1;
  }
  table.keep();
  return builtins.get('exec')!(shell, [
    ...words.slice(1),
    ...command.assignments.map((assignment): DeclarationArgument => ({
      kind: 'declaration',
      assignment,
      text: assignment.text,
    })),
  ]);
}

/** `exec command`: what the builtin does once its options are read. A failure ends a shell that isn't interactive. */
export async function execCommand(
  shell: Shell,
  words: readonly string[],
  options: { readonly argv0?: string; readonly clean: boolean },
): Promise<number> {
  const fail = (status: number): number => {
    if (shell.interactive || shell.shopts.has('execfail')) return status;
    throw new ExitControl(status);
  };
  const path = findCommand(shell, words[0]!);
  if (path === undefined) {
    const absent = words[0]!.includes('/')
      ? `${words[0]}: No such file or directory`
      : `exec: ${words[0]}: not found`;
    await shell.error(absent);
    return fail(127);
  }
  const env = options.clean ? new Map<string, string>() : shell.environment();
  const argv = [options.argv0 ?? words[0]!, ...words.slice(1)];
  for (const fd of Array.from(shell.privateFds)) shell.dropPrivate(fd);
  let status: number;
  try {
    status = await shell.proc.exec({ path, argv, env }); // Nothing comes after it, unless it fails.
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code !== 'ENOEXEC')
      return fail(await execFailed(shell, path, error, (message) => shell.err(message)));
    status = await runScriptFile(shell, path, words);
  }
  shell.traps.clear(); // They went with the program that was replaced.
  throw new ExitControl(status);
}

/** 127, by command_not_found_handle if there is one. */
async function commandNotFound(
  shell: Shell,
  words: readonly string[],
  say: (message: string) => Promise<void>,
): Promise<number> {
  const handler = shell.functions.get('command_not_found_handle');
  if (handler !== undefined) {
    return callFunction(shell, 'command_not_found_handle', handler, ['command_not_found_handle', ...words]);
  }
  await say(`${shell.prefix()}${shell.dialect.notFound(words[0]!)}\n`);
  return 127;
}
