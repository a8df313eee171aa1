// The interactive loop: prompt, read, expand history, run, and again.
import { ErrnoError } from '../../network/index.ts';
import { bytesToText } from './bytes.ts';
import { Discard, ExitControl, Interrupted, LoopControl, ReturnControl } from './control.ts';
import { editLine } from './editor/edit-line.ts';
import { LineInterrupted } from './editor/line-editor.ts';
import { notifyJobs } from './foreground.ts';
import { expandHistory, HistoryError } from './history-expansion.ts';
import { History } from './history.ts';
import type { Shell } from './shell.ts';
import type { List } from './syntax/ast.ts';
import { Parser } from './syntax/parser.ts';
import { ShellSyntaxError } from './syntax/syntax-error.ts';

/** Runs commands typed by a person until they leave. */
export async function runInteractive(shell: Shell): Promise<number> {
  shell.history = new History(shell);
  shell.history.load();
  takeTerminal(shell);
  let warned = false;
  for (;;) {
    await betweenCommands(shell);
    let entered: Entered;
    try {
      entered = await readCommand(shell);
    } catch (error) {
      if (!(error instanceof LineInterrupted || error instanceof Interrupted)) throw error;
      shell.clearInterrupts(); // A trap's is still to be taken.
      shell.status = 130;
      continue;
    }
    if (entered === 'end') {
      await shell.err(shell.login ? 'logout\n' : 'exit\n');
      if (!warned && (await warnOfStopped(shell))) {
        warned = true;
        continue;
      }
      return shell.status;
    }
    if (entered === 'nothing') continue;
    const wasWarned = warned;
    warned = false;
    try {
      await runEntered(shell, entered);
    } catch (error) {
      if (!(error instanceof ExitControl)) throw error;
      if (!wasWarned && (await warnOfStopped(shell))) warned = true;
      else return error.status;
    }
  }
}

async function warnOfStopped(shell: Shell): Promise<boolean> {
  if (!shell.jobs.jobs.some((job) => job.state === 'stopped')) return false;
  await shell.err('There are stopped jobs.\n');
  shell.status = 1;
  return true;
}

/** An interactive shell leads a process group that has the terminal. */
function takeTerminal(shell: Shell): void {
  const { proc } = shell;
  if (proc.tty === undefined || !shell.monitor) return;
  try {
    if (proc.processGroup !== proc.pid) proc.setProcessGroup(proc.pid, proc.pid);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error; // A session leader already is one.
  }
  proc.tty.foreground = proc.processGroup;
}

/** What happens before each prompt. The terminal stays as commands left it; see waitForeground for those that died. */
async function betweenCommands(shell: Shell): Promise<void> {
  const { tty } = shell.proc;
  if (tty !== undefined) {
    if (shell.monitor) tty.foreground = shell.proc.processGroup;
    if (shell.shopts.has('checkwinsize')) {
      shell.vars.set('COLUMNS', String(tty.size.columns));
      shell.vars.set('LINES', String(tty.size.rows));
    }
  }
  await guarded(shell, async () => {
    await shell.takeSignals();
    return shell.status;
  });
  await notifyJobs(shell);
  const commands = shell.vars.values('PROMPT_COMMAND');
  for (const command of commands) {
    const { status } = shell;
    if (command !== '') await guarded(shell, () => shell.runText(command, 'eval'));
    shell.status = status;
  }
}

/** Runs something whose failures end at the prompt. */
async function guarded(shell: Shell, body: () => Promise<number>): Promise<void> {
  try {
    await body();
  } catch (error) {
    shell.frames.length = 0;
    shell.loopDepth = 0;
    shell.errexitIgnored = 0;
    shell.traceDepth = 0;
    if (error instanceof Interrupted) {
      shell.clearInterrupts();
      shell.status = 130;
    } else if (error instanceof Discard || error instanceof ReturnControl) {
      shell.status = error.status;
    } else if (!(error instanceof LoopControl)) {
      throw error;
    }
  }
}

type Entered = 'end' | 'nothing' | { readonly lists: readonly List[] };

/** Reads lines until they make complete commands. */
async function readCommand(shell: Shell): Promise<Entered> {
  let source = '';
  let first = true;
  const lines: string[] = [];
  let remembered = false;
  for (;;) {
    const prompt = await shell.promptText(shell.vars.get(first ? 'PS1' : 'PS2') ?? '');
    const raw = await readLine(shell, prompt);
    if (raw === undefined) {
      if (first) return 'end';
      const error = new ShellSyntaxError('end', 'syntax error: unexpected end of file', 1);
      await shell.syntaxError(error, '');
      shell.status = 2;
      return 'nothing';
    }
    const line = await historyExpanded(shell, raw);
    if (line === undefined) return 'nothing';
    if (first && line.trim() === '') {
      if (shell.options.has('history') && shell.history?.add(line) === true) shell.history.append();
      return 'nothing';
    }
    lines.push(line);
    source += `${line}\n`;
    if (first) remembered = shell.options.has('history') && shell.history?.add(line) === true;
    else if (remembered) continueEntry(shell, lines, source);
    first = false;
    const parsed = parse(shell, source);
    if (parsed === 'more') continue;
    shell.commandNumber++;
    shell.history?.append();
    if (parsed instanceof ShellSyntaxError) {
      await shell.syntaxError(parsed, '');
      shell.status = 2;
      return 'nothing';
    }
    return { lists: parsed };
  }
}

function parse(shell: Shell, source: string): List[] | ShellSyntaxError | 'more' {
  const parser = new Parser(source, {
    dialect: shell.parserDialect,
    extglob: shell.shopts.has('extglob'),
    alias: (name) => (shell.shopts.has('expand_aliases') ? shell.aliases.get(name) : undefined),
  });
  const lists: List[] = [];
  try {
    for (let list = parser.next(); list !== undefined; list = parser.next()) lists.push(list);
    return lists;
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    return error.incomplete ? 'more' : error;
  }
}

async function readLine(shell: Shell, prompt: string): Promise<string | undefined> {
  const file = shell.proc.fds.get(0);
  if (file?.tty !== undefined && shell.dialect.edits) return editLine(shell, prompt);
  await shell.err(prompt.replace(/[\x01\x02]/g, ''));
  const bytes: number[] = [];
  while (file !== undefined) {
    const chunk = await file.read(1);
    if (chunk.length === 0) return bytes.length === 0 ? undefined : bytesToText(Uint8Array.from(bytes));
    if (chunk[0] === 10) return bytesToText(Uint8Array.from(bytes));
    bytes.push(chunk[0]!);
  }
  return undefined;
}

/** Replaces `!` expressions; undefined if the line isn't to be run. */
async function historyExpanded(shell: Shell, line: string): Promise<string | undefined> {
  if (!shell.options.has('histexpand') || shell.history === undefined) return line;
  try {
    const expanded = expandHistory(line, shell.history, shell.shopts.has('extglob'));
    if (expanded === undefined) return line;
    await shell.err(`${expanded.text}\n`);
    if (!expanded.printOnly) return expanded.text;
    shell.history.add(expanded.text);
    shell.history.append();
    return undefined;
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    await shell.err(`${shell.prefix()}${error.message}\n`);
    shell.status = 1;
    return undefined;
  }
}

/** A command of several lines is one entry of the history under cmdhist, and else one for each line. */
function continueEntry(shell: Shell, lines: readonly string[], source: string): void {
  if (shell.shopts.has('cmdhist'))
    shell.history?.amend(joinLines(lines, source, shell.shopts.has('lithist')));
  else shell.history?.add(lines.at(-1)!);
}

function joinLines(lines: readonly string[], source: string, literally: boolean): string {
  if (literally || source.includes('<<')) return lines.join('\n');
  let joined = lines[0]!;
  for (const line of lines.slice(1)) {
    if (insideQuotes(joined)) joined += `\n${line}`;
    else if (joined.endsWith('\\')) joined = joined.slice(0, -1) + line;
    else if (
      /(?:^|[\s;&|(])(?:do|then|else|elif|in|\{|\()$|[;&|]$|\)$/.test(joined.trimEnd()) ||
      joined.trim() === ''
    )
      joined += ` ${line}`;
    else joined += `; ${line}`;
  }
  return joined;
}

function insideQuotes(text: string): boolean {
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\' && quote !== "'") i++;
    else if (quote === '' && (c === "'" || c === '"')) quote = c;
    else if (c === quote) quote = '';
  }
  return quote !== '';
}

async function runEntered(shell: Shell, entered: Exclude<Entered, string>): Promise<void> {
  const started = shell.vars.get('PS0');
  if (started !== undefined && started !== '') await shell.err(await shell.promptText(started));
  await guarded(shell, async () => {
    for (const list of entered.lists) {
      shell.line = 1;
      await shell.engine.runList(shell, list);
      await shell.checkpoint(0);
    }
    return shell.status;
  });
  shell.clearInterrupts();
}
