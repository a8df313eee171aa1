// Running a whole script: from a file, a -c string or standard input.
import { ErrnoError } from '../../network/index.ts';
import { bytesToText } from './bytes.ts';
import { Discard } from './control.ts';
import { reapJobs } from './foreground.ts';
import { ScriptReader } from './script-reader.ts';
import type { RunOptions, Shell } from './shell.ts';
import type { List } from './syntax/ast.ts';
import { Parser } from './syntax/parser.ts';
import { ShellSyntaxError } from './syntax/syntax-error.ts';

/** Bytes of a file that are looked at to tell whether it's a binary. */
const SNIFF_BYTES = 80;

/**
 * Runs the commands of a text one line at a time; a failed expansion abandons its line only. When the text is all that
 * the process does (`isWhole`), its last command takes the process over.
 */
export async function runSource(
  shell: Shell,
  source: string,
  options: { readonly isWhole?: boolean } = {},
): Promise<number> {
  const reader = new ScriptReader(shell, source);
  for (;;) {
    let list: List | undefined;
    try {
      const from = reader.consumed;
      list = reader.next();
      if (shell.options.has('verbose')) await shell.err(source.slice(from, reader.consumed));
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      const status = await shell.reportSyntax(error);
      return error.kind === 'test' ? shell.status : (shell.status = status);
    }
    if (list === undefined) return shell.status;
    shell.line = reader.line;
    const isLast = options.isWhole === true && source.slice(reader.consumed).trim() === '';
    const abandonedAt = await runLine(shell, list, { noFork: isLast });
    if (abandonedAt !== undefined) reader.resumeAfter(abandonedAt);
  }
}

/** Runs one line's commands; the result is the line at which an error abandoned them. */
async function runLine(shell: Shell, list: List, options: RunOptions = {}): Promise<number | undefined> {
  const depth = shell.frames.length;
  try {
    await shell.engine.runList(shell, list, options);
    await shell.checkpoint(0);
    if (!shell.interactive) await reapJobs(shell);
    return undefined;
  } catch (error) {
    if (!(error instanceof Discard) || shell.subshellDepth > 0) throw error;
    shell.status = error.status;
    shell.pipeStatus = [error.status];
    const inFunction = shell.frames.length > depth;
    shell.frames.length = depth;
    shell.errexitIgnored = 0;
    shell.loopDepth = 0;
    return inFunction ? undefined : shell.line;
  }
}

/** Runs a script file in this shell, which then is that script's. */
export async function runScriptFile(shell: Shell, path: string, words: readonly string[]): Promise<number> {
  shell.name = path;
  shell.positional = words.slice(1);
  shell.origin = 'script';
  shell.interactivePrefix = false;
  const source = await readScript(shell, path);
  return typeof source === 'number' ? source : runSource(shell, source);
}

/** A script's text; a number is the status after a message. */
export async function readScript(shell: Shell, path: string): Promise<string | number> {
  try {
    if (shell.proc.fs.stat(path).type === 'directory') {
      await shell.err(`${path}: ${path}: Is a directory\n`);
      return 126;
    }
    const bytes = shell.proc.fs.readFile(path);
    if (bytes.subarray(0, SNIFF_BYTES).includes(0)) {
      await shell.err(`${path}: ${path}: cannot execute binary file\n`);
      return 126;
    }
    return bytesToText(bytes);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (shell.dialect.name === 'dash') {
      await shell.err(`${shell.programName}: 0: cannot open ${path}: No such file\n`);
      return 2;
    }
    await shell.err(`${shell.programName}: ${path}: ${error.message}\n`);
    return error.code === 'ENOENT' ? 127 : 126;
  }
}

/** Runs commands from standard input, reading no further than each command needs. */
export async function runStandardInput(shell: Shell): Promise<number> {
  let source = '';
  let line = 1;
  for (;;) {
    const text = await readInputLine(shell);
    source += text ?? '';
    if (text === undefined && source === '') return shell.status;
    const parser =
      text === undefined
        ? shell.parser(source, line)
        : new Parser(source, {
            dialect: shell.parserDialect,
            line,
            extglob: shell.shopts.has('extglob'),
            alias: (name) => (shell.shopts.has('expand_aliases') ? shell.aliases.get(name) : undefined),
          });
    try {
      const lists: List[] = [];
      for (let list = parser.next(); list !== undefined; list = parser.next()) lists.push(list);
      if (shell.options.has('verbose')) await shell.err(source);
      line += source.split('\n').length - 1;
      source = '';
      for (const list of lists) {
        shell.line = line - 1;
        await runLine(shell, list);
      }
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      if (error.incomplete && text !== undefined) continue;
      const status = await shell.reportSyntax(error, '');
      return error.kind === 'test' ? shell.status : (shell.status = status);
    }
    if (text === undefined) return shell.status;
  }
}

async function readInputLine(shell: Shell): Promise<string | undefined> {
  const file = shell.proc.fds.get(0);
  if (file === undefined) return undefined;
  const bytes: number[] = [];
  for (;;) {
    const chunk = await file.read(1);
    if (chunk.length === 0) return bytes.length === 0 ? undefined : bytesToText(Uint8Array.from(bytes));
    bytes.push(chunk[0]!);
    if (chunk[0] === 10) return bytesToText(Uint8Array.from(bytes));
  }
}
