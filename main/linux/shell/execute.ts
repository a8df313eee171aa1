// Runs commands: lists, pipelines, compound commands. Simple commands are in simple-command.ts.
import { ArithmeticError, evaluateArithmetic } from './arithmetic.ts';
import { runCoproc } from './coproc.ts';
import { ExitControl, LoopControl } from './control.ts';
import { expandToPattern, expandToText, expandWords } from './expand.ts';
import { waitForeground } from './foreground.ts';
import { Job, statusCode } from './jobs.ts';
import { matchesPattern } from './pattern.ts';
import { refuseName, runSelect } from './select.ts';
import { runTest } from './test-command.ts';
import { redirectAll, reportRedirect, shellTable, withRedirects } from './redirect.ts';
import { runSimple } from './simple-command.ts';
import type { OpenFile } from '../kernel/index.ts';
import type { RunOptions, Shell } from './shell.ts';
import type { AndOr, Command, List, Pipeline, Word } from './syntax/ast.ts';
import { andOrText, commandText, pipelineText } from './syntax/unparse.ts';
import { isName } from './syntax/word-scanner.ts';
import { timeReport } from './time-report.ts';
import { trace } from './trace.ts';
import { VariableError } from './variables.ts';

export async function runList(shell: Shell, list: List, options: RunOptions = {}): Promise<number> {
  const only = options.noFork === true ? lastSimple(list) : undefined;
  for (const item of list.items) {
    if (shell.options.has('noexec') && !shell.interactive) return shell.status;
    if (item.background) await startBackground(shell, item.command);
    else if (only !== undefined && item === list.items.at(-1) && shell.traps.size === 0)
      return runCommand(shell, only, options);
    else await runAndOr(shell, item.command);
  }
  return shell.status;
}

/** A simple command that ends a list, if nothing has to be done after it. */
function lastSimple(list: List): Command | undefined {
  const item = list.items.at(-1);
  if (item === undefined || item.background || item.command.rest.length > 0) return undefined;
  const { first } = item.command;
  const isPlain = !first.negated && first.timed === 'no' && first.commands.length === 1;
  return isPlain && first.commands[0]!.kind === 'simple' ? first.commands[0] : undefined;
}

async function runAndOr(shell: Shell, andOr: AndOr): Promise<number> {
  const { first, rest } = andOr;
  if (rest.length === 0) return runPipeline(shell, first, false);
  let status = await runPipeline(shell, first, true);
  for (const [i, { operator, pipeline }] of rest.entries()) {
    if ((operator === '&&') !== (status === 0)) continue;
    status = await runPipeline(shell, pipeline, i < rest.length - 1);
  }
  return status;
}

// ── Pipelines ──

/** `tolerant` where a failure doesn't end a `set -e` shell: all but the last of an and-or list. */
async function runPipeline(shell: Shell, pipeline: Pipeline, tolerant: boolean): Promise<number> {
  const ignore = tolerant || pipeline.negated;
  if (ignore) shell.errexitIgnored++;
  let status: number;
  try {
    status =
      pipeline.timed === 'no'
        ? await runMembers(shell, pipeline)
        : await timeReport(shell, pipeline.timed === 'time -p', () => runMembers(shell, pipeline));
  } finally {
    if (ignore) shell.errexitIgnored--;
  }
  if (pipeline.negated) status = status === 0 ? 1 : 0;
  shell.status = status;
  if (status !== 0 && !ignore && shell.errexitIgnored === 0 && canFail(pipeline)) await failed(shell, status);
  return status;
}

/** Commands whose own failure counts for `set -e`; in others a command inside has been asked already. */
function canFail(pipeline: Pipeline): boolean {
  const only = pipeline.commands[0];
  if (pipeline.commands.length > 1) return true;
  return only !== undefined && ['simple', 'subshell', 'arithmetic', 'test'].includes(only.kind);
}

async function failed(shell: Shell, status: number): Promise<void> {
  await shell.runPseudoTrap('ERR');
  shell.status = status;
  if (shell.options.has('errexit')) throw new ExitControl(status);
}

async function runMembers(shell: Shell, pipeline: Pipeline): Promise<number> {
  if (pipeline.commands.length === 0) return 0;
  if (pipeline.commands.length === 1) {
    const command = pipeline.commands[0]!;
    const status = await runCommand(shell, command, {});
    if (
      command.kind === 'simple' ||
      command.kind === 'subshell' ||
      command.kind === 'arithmetic' ||
      command.kind === 'test'
    )
      shell.pipeStatus = [status];
    return status;
  }
  const last = shell.shopts.has('lastpipe') && !shell.monitor ? pipeline.commands.at(-1) : undefined;
  const job = startPipeline(shell, pipeline, pipelineText(pipeline), true, last === undefined);
  const own = last === undefined ? undefined : await runLast(shell, last, job.output);
  await waitForeground(shell, job.job);
  const statuses = job.job.members.map((member) =>
    member.status === undefined ? 0 : statusCode(member.status),
  );
  if (own !== undefined) statuses.push(own);
  shell.pipeStatus = statuses;
  if (shell.options.has('pipefail')) return statuses.findLast((status) => status !== 0) ?? 0;
  return statuses.at(-1)!;
}

/** The last command of a pipeline in this very shell (`shopt -s lastpipe`). */
async function runLast(shell: Shell, command: Command, input: OpenFile | undefined): Promise<number> {
  const table = shellTable(shell);
  try {
    if (input !== undefined) table.set(0, input);
    return await runCommand(shell, command, {});
  } finally {
    table.undo();
  }
}

/** Starts the commands of a pipeline, all or all but the last, as processes of their own joined by pipes. */
function startPipeline(
  shell: Shell,
  pipeline: Pipeline,
  text: string,
  foreground: boolean,
  whole = true,
): { readonly job: Job; readonly output: OpenFile | undefined } {
  const { proc } = shell;
  let group: number | undefined = shell.monitor ? 0 : undefined;
  let reader: OpenFile | undefined;
  let job = new Job(text, undefined);
  pipeline.commands.forEach((command, i) => {
    if (!whole && i === pipeline.commands.length - 1) return;
    const fds = shell.childFds();
    if (reader !== undefined) fds.set(0, reader);
    if (i < pipeline.commands.length - 1) {
      const pipe = proc.kernel.pipe();
      fds.set(1, pipe.writer);
      if (pipeline.joins[i] === true) fds.set(2, pipe.writer);
      reader = pipe.reader;
    }
    const child = shell.fork((sub) => runForked(sub, command), {
      fds,
      processGroup: group,
      simple: command.kind === 'simple' ? 'pipeline' : undefined,
    });
    if (group === 0) {
      group = child.pid;
      job = new Job(text, group);
      if (foreground) takeTerminal(shell, group);
    }
    shell.jobs.add(job, child);
  });
  return { job, output: whole ? undefined : reader };
}

/** A command that is all its process does. */
function runForked(shell: Shell, command: Command): Promise<number> {
  shell.loopDepth = 0;
  return runCommand(shell, command, { noFork: true });
}

/** `command &`. */
async function startBackground(shell: Shell, andOr: AndOr): Promise<void> {
  const text = andOrText(andOr);
  const fds = shell.childFds();
  if (!shell.monitor) fds.set(0, shell.proc.kernel.nullFile());
  let job: Job;
  if (andOr.rest.length === 0 && andOr.first.commands.length > 1 && shell.monitor && !andOr.first.negated) {
    job = startPipeline(shell, andOr.first, text, false).job;
  } else {
    const only =
      andOr.rest.length === 0 &&
      !andOr.first.negated &&
      andOr.first.timed === 'no' &&
      andOr.first.commands.length === 1
        ? andOr.first.commands[0]
        : undefined;
    const child = shell.fork((sub) => (only === undefined ? runAndOr(sub, andOr) : runForked(sub, only)), {
      fds,
      processGroup: shell.monitor ? 0 : undefined,
      simple: only?.kind === 'simple' ? 'background' : undefined,
    });
    job = new Job(text, shell.monitor ? child.pid : undefined);
    shell.jobs.add(job, child);
  }
  job.background = true;
  const number = shell.jobs.list(job);
  shell.lastBackgroundPid = job.pid;
  shell.status = 0;
  if (shell.interactive) await shell.err(`[${number}] ${job.pid}\n`);
}

// ── Compound commands ──

export async function runCommand(shell: Shell, command: Command, options: RunOptions): Promise<number> {
  if (command.kind === 'simple') return runSimple(shell, command, options);
  if (command.kind === 'function') return defineFunction(shell, command);
  if (command.kind === 'coproc') return runCoproc(shell, command);
  if (command.kind === 'subshell') return runSubshellCommand(shell, command, options);
  if (command.redirects.length === 0) return (shell.status = await runCompound(shell, command));
  return withRedirects(
    shell,
    command.redirects,
    async () => (shell.status = await runCompound(shell, command)),
  );
}

async function runSubshellCommand(
  shell: Shell,
  command: Command & { kind: 'subshell' | 'group' },
  options: RunOptions,
): Promise<number> {
  if (options.noFork === true) {
    const table = shellTable(shell);
    try {
      await redirectAll(shell, command.redirects, table);
    } catch (error) {
      await reportRedirect(shell, error);
      return (shell.status = 1);
    }
    return runList(shell, command.body, options);
  }
  const child = shell.fork(
    async (sub) => {
      try {
        await redirectAll(sub, command.redirects, shellTable(sub));
      } catch (error) {
        await reportRedirect(sub, error);
        return 1;
      }
      return runList(sub, command.body, { noFork: true });
    },
    { processGroup: shell.monitor ? 0 : undefined },
  );
  const job = new Job(commandText(command), shell.monitor ? child.pid : undefined);
  if (shell.monitor) takeTerminal(shell, child.pid);
  shell.jobs.add(job, child);
  return (shell.status = await waitForeground(shell, job));
}

function takeTerminal(shell: Shell, group: number): void {
  if (shell.proc.tty !== undefined && shell.interactive) shell.proc.tty.foreground = group;
}

function defineFunction(shell: Shell, command: Command & { kind: 'function' }): number {
  const file =
    shell.frames.at(-1)?.file ??
    (shell.origin === 'command' ? 'environment' : shell.origin === 'script' ? shell.name : 'main');
  shell.functions.set(command.name, { body: command.body, file, line: command.line });
  return (shell.status = 0);
}

/** Compound commands that set the line; others leave it to what is in them. */
const LINED: ReadonlySet<string> = new Set(['for', 'select', 'arithmetic-for', 'case', 'arithmetic', 'test']);

type CompoundCommand = Exclude<Command, { kind: 'simple' | 'function' | 'coproc' | 'subshell' }>;

async function runCompound(
  shell: Shell,
  command: CompoundCommand | (Command & { kind: 'subshell' | 'group' }),
): Promise<number> {
  if (LINED.has(command.kind)) shell.line = command.line + shell.lineShift;
  switch (command.kind) {
    case 'group':
    case 'subshell':
      return command.body.items.length === 0 ? 0 : runList(shell, command.body);
    case 'if':
      return runIf(shell, command);
    case 'for':
      return runFor(shell, command);
    case 'select':
      return runSelect(shell, command, iterate);
    case 'arithmetic-for':
      return runArithmeticFor(shell, command);
    case 'while':
    case 'until':
      return runWhile(shell, command);
    case 'case':
      return runCase(shell, command);
    case 'arithmetic':
      await shell.checkpoint();
      shell.nameCommand(() => commandText(command));
      await shell.runPseudoTrap('DEBUG');
      return (await arithmeticCommand(shell, command.expression)) === 0n ? 1 : 0;
    case 'test':
      await shell.checkpoint();
      shell.nameCommand(() => commandText(command));
      await shell.runPseudoTrap('DEBUG');
      return runTest(shell, command.expression);
  }
}

/** Runs a list whose failure is an answer. */
async function condition(shell: Shell, list: List): Promise<boolean> {
  shell.errexitIgnored++;
  try {
    return (await runList(shell, list)) === 0;
  } finally {
    shell.errexitIgnored--;
  }
}

async function runIf(shell: Shell, command: Command & { kind: 'if' }): Promise<number> {
  for (const clause of command.clauses)
    if (await condition(shell, clause.condition)) return runList(shell, clause.body);
  return command.otherwise === undefined ? 0 : runList(shell, command.otherwise);
}

/** Runs a loop's body once; says whether the loop goes on. */
async function iterate(shell: Shell, body: List): Promise<boolean> {
  shell.loopDepth++;
  try {
    await runList(shell, body);
    return true;
  } catch (error) {
    if (!(error instanceof LoopControl)) throw error;
    shell.status = error.status;
    if (error.count > 1) throw new LoopControl(error.kind, error.count - 1, error.status);
    return error.kind === 'continue';
  } finally {
    shell.loopDepth--;
  }
}

async function runFor(shell: Shell, command: Command & { kind: 'for' | 'select' }): Promise<number> {
  if (!isName(command.name)) return refuseName(shell, command.name);
  const words =
    command.words === undefined
      ? shell.positional
      : await shell.attempt(() => expandWords(shell, command.words!));
  const variable = shell.vars.findRaw(command.name);
  let status = 0;
  for (const word of words) {
    await shell.checkpoint();
    if (shell.dialect.name === 'bash')
      await trace(
        shell,
        () =>
          `for ${command.name} in ${command.words === undefined ? '"$@"' : command.words.map(({ text }) => text).join(' ')}`,
      );
    shell.line = command.line + shell.lineShift;
    if (shell.traps.has('DEBUG')) {
      shell.nameCommand(
        () => `for ${command.name} in ${command.words?.map(({ text }) => text).join(' ') ?? '"$@"'}`,
      );
      await shell.runPseudoTrap('DEBUG');
    }
    try {
      if (variable?.attributes.has('nameref') === true) variable.value = word;
      else shell.vars.set(command.name, word);
    } catch (error) {
      if (!(error instanceof VariableError)) throw error;
      await shell.error(error.message);
      return 1;
    }
    shell.status = status;
    const more = await iterate(shell, command.body);
    status = shell.status;
    if (!more) break;
  }
  return status;
}

async function runArithmeticFor(
  shell: Shell,
  command: Command & { kind: 'arithmetic-for' },
): Promise<number> {
  const { initial, condition: test, step } = command;
  let status = 0;
  if (initial.text.trim() !== '') await arithmeticCommand(shell, initial);
  for (;;) {
    await shell.checkpoint();
    shell.line = command.line + shell.lineShift;
    if (test.text.trim() !== '' && (await arithmeticCommand(shell, test)) === 0n) return status;
    const more = await iterate(shell, command.body);
    status = shell.status;
    if (!more) return status;
    if (step.text.trim() !== '') await arithmeticCommand(shell, step);
  }
}

async function runWhile(shell: Shell, command: Command & { kind: 'while' | 'until' }): Promise<number> {
  let status = 0;
  for (;;) {
    await shell.checkpoint();
    let more = true;
    shell.loopDepth++;
    try {
      if ((await condition(shell, command.condition)) !== (command.kind === 'while')) return status;
    } catch (error) {
      if (!(error instanceof LoopControl)) throw error;
      if (error.count > 1) throw new LoopControl(error.kind, error.count - 1, error.status);
      if (error.kind === 'break') return error.status;
      continue;
    } finally {
      shell.loopDepth--;
    }
    more = await iterate(shell, command.body);
    status = shell.status;
    if (!more) return status;
  }
}

async function runCase(shell: Shell, command: Command & { kind: 'case' }): Promise<number> {
  if (shell.traps.size > 0) {
    shell.nameCommand(() => `case ${command.word.text} in `);
    await shell.runPseudoTrap('DEBUG');
  }
  if (shell.dialect.name === 'bash') await trace(shell, () => `case ${command.word.text} in`);
  const subject = await shell.attempt(() => expandToText(shell, command.word));
  const options = { extglob: shell.shopts.has('extglob'), ignoreCase: shell.shopts.has('nocasematch') };
  let status = 0;
  let falling = false;
  for (const item of command.items) {
    let matched = falling;
    for (const pattern of item.patterns) {
      if (matched) break;
      matched = matchesPattern(subject, await shell.attempt(() => expandToPattern(shell, pattern)), options);
    }
    if (!matched) continue;
    status = item.body.items.length === 0 ? 0 : await runList(shell, item.body);
    if (item.terminator === ';;') return status;
    falling = item.terminator === ';&';
  }
  return status;
}

async function arithmeticCommand(shell: Shell, expression: Word): Promise<bigint> {
  const text = await shell.attempt(() => expandToText(shell, expression));
  await trace(shell, () => `(( ${text.trim()} ))`);
  try {
    return evaluateArithmetic(text, shell.arithmetic);
  } catch (error) {
    if (error instanceof ArithmeticError && error.unwinds === undefined)
      await shell.error(`((: ${error.message}`);
    else if (error instanceof VariableError) await shell.error(error.message);
    else return shell.abandon(error);
    return 0n;
  }
}
