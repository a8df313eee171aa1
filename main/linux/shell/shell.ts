// A running shell: its variables, functions, options, traps and jobs, and the services that its parts share.
import { ErrnoError } from '../../network/index.ts';
import { ProcessExit, SIGNAL_NUMBERS, type OpenFile, type Process, type Signal } from '../kernel/index.ts';
import { ArithmeticError, evaluateArithmetic, type ArithmeticScope } from './arithmetic.ts';
import { bytesToText, textToBytes } from './bytes.ts';
import {
  Discard,
  ExitControl,
  ExpansionError,
  InputEnd,
  Interrupted,
  LoopControl,
  ReturnControl,
} from './control.ts';
import type { Coprocess } from './coproc.ts';
import type { Completions } from './completion/completions.ts';
import { expandToText, type ExpandContext, type Fragment } from './expand.ts';
import type { History } from './history.ts';
import { lesserMessage, type Dialect } from './dialect.ts';
import type { Readline } from './editor/readline.ts';
import { JobTable, statusCode } from './jobs.ts';
import { expandPrompt } from './prompt.ts';
import type { Command, CommandPart, List, ParameterPart, Word } from './syntax/ast.ts';
import { Parser, parseText } from './syntax/parser.ts';
import { exportedText } from './syntax/unparse.ts';
import { ShellSyntaxError } from './syntax/syntax-error.ts';
import { defineDynamicVariables } from './dynamic-variables.ts';
import { VariableError, Variables } from './variables.ts';

export type TrapName = 'EXIT' | 'ERR' | 'DEBUG' | 'RETURN' | Signal;

export interface ShellFunction {
  readonly body: Command;
  readonly file: string;
  readonly line: number;
  readonly exported?: boolean;
  readonly readonly?: boolean;
}

/** A function or sourced file being run. */
interface Frame {
  readonly kind: 'function' | 'source';
  readonly name: string;
  readonly file: string;
  /** Where it was called. */
  readonly callLine: number;
  /** Options as they were before `local -`. */
  savedOptions?: Set<string>;
}

/** What runs and expands; given to the shell because those parts in turn need it. */
interface Engine {
  runList(shell: Shell, list: List, options?: RunOptions): Promise<number>;
  runCommand(shell: Shell, command: Command, options: RunOptions): Promise<number>;
  expandParameter(shell: Shell, part: ParameterPart, context: ExpandContext): Promise<Fragment[]>;
}

/** How a command is run: `noFork` when the process has nothing left to do after it. */
export interface RunOptions {
  readonly noFork?: boolean;
}

/** How messages begin, which depends on where commands come from. */
type Origin = 'interactive' | 'command' | 'script' | 'stdin';

/** Virtual CPU time of a command, in ms. */
const COMMAND_COST_MS = 0.02;
/** What a shell takes before it has any large values. */
const SHELL_BYTES = 4 * 1024 ** 2;
/** Calls of functions within each other before bash would crash. */
export const CALL_DEPTH_MAX = 1000;
/** Descriptors the shell keeps for itself start here. */
const PRIVATE_FD_MIN = 10;
/** Process substitutions get the highest free descriptor up to this one. */
const PROCESS_SUBSTITUTION_FD = 63;

/** Signals that an interactive shell survives. */
const GUARDED: ReadonlySet<Signal> = new Set<Signal>(['SIGTERM', 'SIGQUIT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);

const DEFAULT_OPTIONS = ['braceexpand', 'hashall', 'interactive-comments'];
const DEFAULT_SHOPTS = [
  'checkwinsize',
  'cmdhist',
  'complete_fullquote',
  'extquote',
  'force_fignore',
  'globasciiranges',
  'globskipdots',
  'hostcomplete',
  'interactive_comments',
  'patsub_replacement',
  'progcomp',
  'promptvars',
  'sourcepath',
];

export class Shell {
  proc: Process;
  readonly engine: Engine;
  readonly dialect: Dialect;
  readonly vars: Variables;
  functions = new Map<string, ShellFunction>();
  aliases = new Map<string, string>();
  options = new Set<string>(DEFAULT_OPTIONS);
  shopts = new Set<string>(DEFAULT_SHOPTS);
  traps = new Map<TrapName, string>();
  hashed = new Map<string, { path: string; hits: number }>();
  jobs = new JobTable(() => this.proc.clock.now());
  positional: string[] = [];
  directories: string[] = [];
  disabledBuiltins = new Set<string>();
  frames: Frame[] = [];
  completions: Completions | undefined;
  history: History | undefined;
  /** Keys and settings of the line editor, once there is one. */
  readline: Readline | undefined;

  /** `$0`. */
  name = 'bash';
  /** How the program was called, for messages about its own arguments. */
  programName = 'bash';
  /** Where commands come from. */
  origin: Origin = 'command';
  login = false;
  status = 0;
  lastBackgroundPid: number | undefined;
  lastArgument = '';
  pipeStatus: number[] = [0];
  line = 1;
  currentCommand = '';
  loopDepth = 0;
  /** Above 0 where failure is expected: conditions, `&&`, `!`. */
  errexitIgnored = 0;
  subshellDepth = 0;
  /** BASH_SUBSHELL. */
  shownDepth = 0;
  /** What a command substitution adds to the lines of its commands, which count from the command it stands in. */
  lineShift = 0;
  /** Commands read so far, for \# in prompts. */
  commandNumber = 1;
  traceDepth = 0;
  /** Status of the last command substitution of the command being run. */
  substitutionStatus: number | undefined;
  readonly privateFds = new Set<number>();
  coprocess: Coprocess | undefined;
  startMs = 0;
  private pendingSignals: Signal[] = [];
  private processSubstitutions: number[] = [];
  /** Settles when the last process substitution has ended; `wait` waits for it. */
  lastSubstitution: Promise<void> = Promise.resolve();
  private runningTrap = false;
  readonly arithmetic: ArithmeticScope;

  constructor(proc: Process, engine: Engine, dialect: Dialect) {
    this.proc = proc;
    this.dialect = dialect;
    this.engine = engine;
    this.vars = new Variables((text, use) => this.evaluateOrUnwind(text, use));
    this.vars.onHeld = (bytes) => proc.useMemory(SHELL_BYTES + bytes);
    this.arithmetic = {
      plain: dialect.name === 'dash',
      get: (name, subscript) => {
        const value =
          subscript === undefined
            ? this.vars.get(name)
            : this.vars.element(name, this.subscriptText(name, subscript));
        if (
          value === undefined &&
          this.options.has('nounset') &&
          !(subscript !== undefined && this.vars.isSet(name))
        )
          throw new ExpansionError(`${name}: unbound variable`, true);
        if (
          dialect.name === 'dash' &&
          value !== undefined &&
          !/^\s*[-+]?(?:[0-9]+|0[xX][0-9a-fA-F]+)?\s*$/.test(value)
        )
          throw new ExpansionError(`Illegal number: ${value}`, true);
        return value;
      },
      set: (name, subscript, value) => {
        if (subscript === undefined) this.vars.set(name, String(value));
        else this.vars.setElement(name, this.subscriptText(name, subscript), String(value));
      },
    };
    this.startMs = proc.clock.now();
    defineDynamicVariables(this);
  }

  /** A subscript met in arithmetic: quotes of associative keys go. */
  private subscriptText(name: string, subscript: string): string {
    return this.vars.find(name)?.associative === undefined
      ? subscript
      : subscript.replace(/^(["'])(.*)\1$/s, '$2');
  }

  get interactive(): boolean {
    return this.origin === 'interactive';
  }

  /** Whether pipelines get process groups of their own (`set -m`). */
  get monitor(): boolean {
    return this.options.has('monitor');
  }

  /** `local -`: the options are put back when the function ends. */
  saveOptions(): void {
    const frame = this.frames.findLast(({ kind }) => kind === 'function');
    if (frame !== undefined) frame.savedOptions ??= new Set(this.options);
  }

  private evaluateOrUnwind(text: string, use: 'subscript' | 'integer'): bigint {
    try {
      return evaluateArithmetic(text, this.arithmetic);
    } catch (error) {
      if (error instanceof ArithmeticError) error.unwinds ??= use;
      throw error;
    }
  }

  // ── Output ──

  async write(fd: number, text: string): Promise<void> {
    const file = this.proc.fds.get(fd);
    if (file === undefined) throw new ErrnoError('EBADF');
    await file.write(textToBytes(text));
  }

  async out(text: string): Promise<void> {
    await this.write(1, text);
  }

  /** Writes to stderr; a closed one swallows it. */
  async err(text: string): Promise<void> {
    if (this.proc.fds.has(2)) await this.write(2, text);
  }

  /** How an error message begins. */
  prefix(): string {
    const frame = this.frames.at(-1);
    const interactive = this.interactive || this.interactivePrefix;
    const name = frame === undefined || interactive || this.dialect.name !== 'bash' ? this.name : frame.file;
    return this.dialect.prefix({ name, line: this.line, interactive, where: '' });
  }

  async error(message: string): Promise<void> {
    await this.err(`${this.prefix()}${message}\n`);
  }

  /**
   * Prints what went wrong in an expansion or assignment and abandons the command. Anything else is rethrown.
   */
  async abandon(error: unknown): Promise<never> {
    if (
      !(error instanceof ExpansionError || error instanceof VariableError || error instanceof ArithmeticError)
    )
      throw error;
    if (this.dialect.name !== 'bash') {
      await this.error(lesserMessage(error, this.dialect.name));
      if (!this.interactive) throw new InputEnd(2);
      throw new Discard(2);
    }
    await this.error(error.message);
    if (
      this.options.has('errexit') &&
      this.errexitIgnored === 0 &&
      !this.interactive &&
      !(error instanceof ArithmeticError)
    )
      throw new ExitControl(1);
    if (error instanceof ExpansionError && error.fatal && !this.interactive)
      throw new InputEnd(this.endStatus(1));
    if (error instanceof ArithmeticError && error.unwinds !== undefined) return this.unwind();
    throw new Discard(1);
  }

  /** Gives up everything to the top level, which of a `-c` string leaves nothing. */
  unwind(): never {
    throw this.origin === 'command' && this.subshellDepth === 0 ? new InputEnd(1) : new Discard(1);
  }

  /** With what a shell ends when an error takes the rest of its input away. */
  private endStatus(status: number): number {
    return this.origin === 'command' && this.subshellDepth === 0 ? 127 : status;
  }

  /** Prints a syntax error and tells what it leaves as the status; throws InputEnd where the input ends with it. */
  async reportSyntax(error: ShellSyntaxError, where?: string): Promise<number> {
    await this.syntaxError(error, where);
    if (this.dialect.name !== 'bash' && !this.interactive) throw new InputEnd(2);
    const nested =
      where === 'eval: ' || (where === '' && this.origin !== 'stdin') || where?.endsWith('trap: ') === true;
    if (error.inSubstitution && !error.incomplete && !this.interactive)
      throw new InputEnd(this.endStatus(nested ? 1 : 2));
    return error.kind === 'match' && !nested && this.status !== 0 ? this.status : 2;
  }

  /** Expands; a failure is printed and abandons the command. */
  async attempt<T>(expand: () => Promise<T>): Promise<T> {
    try {
      return await expand();
    } catch (error) {
      return this.abandon(error);
    }
  }

  // ── Parameters ──

  /** The value of a variable, positional or special parameter; undefined when unset. */
  parameter(name: string): string | undefined {
    const c = name[0]!;
    if (c >= '0' && c <= '9') return name === '0' ? this.name : this.positional[Number(name) - 1];
    switch (name) {
      case '?':
        return String(this.status);
      case '#':
        return String(this.positional.length);
      case '$':
        return String(this.shellPid);
      case '!':
        return this.lastBackgroundPid === undefined ? undefined : String(this.lastBackgroundPid);
      case '-':
        return this.optionLetters();
      case '_':
        return this.lastArgument;
      default:
        return this.vars.get(name);
    }
  }

  /** `$$`: the pid of the shell that subshells were forked from. */
  shellPid = 0;

  optionLetters(): string {
    const letters: Record<string, string> = {
      allexport: 'a',
      notify: 'b',
      errexit: 'e',
      noglob: 'f',
      hashall: 'h',
      monitor: 'm',
      noexec: 'n',
      nounset: 'u',
      verbose: 'v',
      xtrace: 'x',
      braceexpand: 'B',
      noclobber: 'C',
      errtrace: 'E',
      histexpand: 'H',
      functrace: 'T',
    };
    let text = '';
    for (const [option, letter] of Object.entries(letters)) if (this.options.has(option)) text += letter;
    if (this.interactive) text = text.replace(/(?=[mnuvxBCEHT]|$)/, 'i');
    return (
      text +
      (this.origin === 'command'
        ? this.dialect.name === 'dash'
          ? ''
          : 'c'
        : this.origin === 'stdin' || this.interactive
          ? 's'
          : '')
    );
  }

  /** The home directory of a user (empty: one's own), `+` and `-`, or undefined. */
  homeOf(user: string): string | undefined {
    if (user === '') return this.vars.get('HOME') ?? this.passwdHome(undefined);
    if (/^[-+0-9]/.test(user) && this.dialect.name === 'dash') return undefined;
    if (user === '+') return this.vars.get('PWD');
    if (user === '-') return this.vars.get('OLDPWD');
    const index = /^[-+]?[0-9]+$/.test(user) ? Number(user.replace(/^\+/, '')) : undefined;
    if (index !== undefined) {
      const stack = [this.vars.get('PWD') ?? this.proc.cwd, ...this.directories];
      return user.startsWith('-') ? stack.at(index - 1) : stack[index];
    }
    return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(user) ? this.passwdHome(user) : undefined;
  }

  private passwdHome(user: string | undefined): string | undefined {
    const row = this.passwdRow((fields) =>
      user === undefined ? fields[2] === String(this.proc.credentials.uid) : fields[0] === user,
    );
    return row?.[5];
  }

  /** Name of the user, as \u shows it. */
  userName(): string {
    return (
      this.passwdRow((fields) => fields[2] === String(this.proc.credentials.uid))?.[0] ?? 'I have no name!'
    );
  }

  private passwdRow(matches: (fields: readonly string[]) => boolean): string[] | undefined {
    const rows = this.readFile('/etc/passwd')?.split('\n') ?? [];
    return rows.map((row) => row.split(':')).find((fields) => fields.length >= 6 && matches(fields));
  }

  /** A small system file's text, or undefined if it can't be read. */
  readFile(path: string): string | undefined {
    try {
      return bytesToText(this.proc.fs.readFile(path));
    } catch (error) {
      if (error instanceof ErrnoError) return undefined;
      throw error;
    }
  }

  /** What commands get: exported variables, and functions as bash hands them on. */
  environment(): Map<string, string> {
    const environment = this.vars.environment();
    for (const [name, { body, exported }] of this.functions)
      if (exported === true) environment.set(`BASH_FUNC_${name}%%`, exportedText(body));
    return environment;
  }

  // ── Descriptors ──

  /** What a child inherits: all but the shell's own. */
  childFds(): Map<number, OpenFile> {
    const fds = new Map(this.proc.fds);
    for (const fd of this.privateFds) fds.delete(fd);
    for (const fd of this.coprocess?.fds ?? []) fds.delete(fd);
    return fds;
  }

  /** Keeps a description open at a number that children don't see. */
  keepPrivate(file: OpenFile): number {
    const fd = this.proc.setFd(file, undefined, PRIVATE_FD_MIN);
    this.privateFds.add(fd);
    return fd;
  }

  dropPrivate(fd: number): void {
    this.privateFds.delete(fd);
    this.proc.closeFd(fd);
  }

  private readonly pendingReads = new WeakMap<OpenFile, Promise<Uint8Array>>();

  /**
   * Waits for the next byte of a file. A wait that is given up, by a signal or a deadline, is taken up again by the
   * next one, so that its byte isn't lost; `readDone` ends it.
   */
  nextByte(file: OpenFile): Promise<Uint8Array> {
    let pending = this.pendingReads.get(file);
    if (pending === undefined) {
      pending = file.read(1);
      this.pendingReads.set(file, pending);
    }
    return pending;
  }

  readDone(file: OpenFile): void {
    this.pendingReads.delete(file);
  }

  /** Reads a descriptor to its end. */
  async readAll(fd: number): Promise<string> {
    const chunks: Uint8Array[] = [];
    const file = this.proc.fds.get(fd)!;
    let kept = 0;
    for (;;) {
      const chunk = await file.read();
      if (chunk.length === 0) return bytesToText(Buffer.concat(chunks));
      chunks.push(chunk);
      file.keep((kept += chunk.length));
    }
  }

  // ── Subshells ──

  /** A copy of the state for a forked process, which must be attached to it. */
  copy(): Shell {
    const copy = new Shell(this.proc, this.engine, this.dialect);
    this.vars.copyTo(copy.vars);
    defineDynamicVariables(copy);
    copy.functions = new Map(this.functions);
    copy.aliases = new Map(this.aliases);
    copy.options = new Set(this.options);
    copy.options.delete('monitor');
    copy.shopts = new Set(this.shopts);
    for (const [name, action] of this.traps)
      if (action === '' || name === 'ERR' || name === 'DEBUG' || name === 'RETURN')
        copy.traps.set(name, action);
    if (!this.options.has('errtrace')) copy.traps.delete('ERR');
    if (!this.options.has('functrace'))
      for (const name of ['DEBUG', 'RETURN'] as const) copy.traps.delete(name);
    copy.hashed = new Map(this.hashed);
    copy.positional = [...this.positional];
    copy.directories = [...this.directories];
    copy.disabledBuiltins = new Set(this.disabledBuiltins);
    copy.frames = [...this.frames];
    copy.completions = this.completions;
    copy.history = this.history;
    copy.readline = this.readline;
    copy.name = this.name;
    copy.origin = this.origin === 'interactive' ? 'stdin' : this.origin;
    copy.interactivePrefix = this.interactive || this.interactivePrefix;
    copy.status = this.status;
    copy.jobs.inherit(this.jobs);
    copy.lastBackgroundPid = this.lastBackgroundPid;
    copy.lastArgument = this.lastArgument;
    copy.pipeStatus = this.pipeStatus;
    copy.line = this.line;
    copy.loopDepth = this.loopDepth;
    copy.errexitIgnored = this.errexitIgnored;
    copy.subshellDepth = this.subshellDepth + 1;
    copy.shownDepth = this.shownDepth + 1;
    copy.traceDepth = this.traceDepth;
    copy.startMs = this.startMs;
    copy.shellPid = this.shellPid;
    return copy;
  }

  /** In a subshell of an interactive shell: messages have no line number. */
  interactivePrefix = false;

  /** Starts a forked process that runs `body` in a copy of this shell. */
  fork(
    body: (shell: Shell) => Promise<number>,
    options: {
      readonly fds?: ReadonlyMap<number, OpenFile>;
      readonly processGroup?: number | undefined;
      /** For a simple command, which needs no subshell around it. */
      readonly simple?: 'pipeline' | 'background' | undefined;
    } = {},
  ): ReturnType<Process['spawn']> {
    const copy = this.copy();
    if (options.simple !== undefined) {
      copy.subshellDepth--;
      const debug = this.traps.get('DEBUG');
      if (debug !== undefined) copy.traps.set('DEBUG', debug);
    }
    if (options.simple === 'pipeline') copy.shownDepth--;
    return this.proc.spawn({
      argv: this.proc.argv,
      program: (proc) => {
        copy.proc = proc;
        return copy.runSubshell(body);
      },
      fds: options.fds ?? this.childFds(),
      env: this.proc.env,
      ignoredSignals: this.ignoredSignals(),
      ...(options.processGroup === undefined ? {} : { processGroup: options.processGroup }),
    });
  }

  /** Signals that commands started from here ignore too. */
  ignoredSignals(): Signal[] {
    return [...this.traps].flatMap(([name, action]) =>
      action === '' && name.startsWith('SIG') ? [name as Signal] : [],
    );
  }

  /** Runs to the end of a process: control that leaves the body becomes a status, and the EXIT trap runs. */
  async runSubshell(body: (shell: Shell) => Promise<number>): Promise<number> {
    this.status = await this.settle(() => body(this));
    return this.runExitTrap();
  }

  /** The status in which `body` ends, however it does. */
  async settle(body: () => Promise<number>): Promise<number> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof ExitControl || error instanceof ReturnControl || error instanceof Discard)
        return error.status;
      if (error instanceof LoopControl) return 0;
      if (error instanceof Interrupted) return 130;
      throw error;
    }
  }

  async runExitTrap(): Promise<number> {
    const action = this.traps.get('EXIT');
    if (action === undefined || action === '') return this.status;
    this.traps.delete('EXIT');
    const status = this.status;
    const after = await this.settle(async () => {
      try {
        await this.runText(action, 'exit trap', 1);
      } catch (error) {
        if (!(error instanceof InputEnd)) throw error;
      }
      return status;
    });
    return after;
  }

  // ── Substitutions ──

  /** The output of a command substitution, its last newlines cut. */
  async substitute(part: CommandPart): Promise<string> {
    const list = part.list ?? (await this.parseSubstitution(part));
    const file = list.items.length === 1 ? inputOnly(list) : undefined;
    if (file !== undefined) return this.contentOf(file);
    const pipe = this.proc.kernel.pipe();
    const fd = this.keepPrivate(pipe.reader);
    const fds = this.childFds();
    fds.set(1, pipe.writer);
    const child = this.fork(
      (shell) => {
        shell.traceDepth++;
        if (shell.dialect.name === 'bash') shell.lineShift = shell.line - (firstLine(list) ?? shell.line);
        if (!shell.options.has('posix') && !shell.shopts.has('inherit_errexit'))
          shell.options.delete('errexit');
        shell.loopDepth = 0;
        return shell.engine.runList(shell, list);
      },
      { fds },
    );
    const text = await this.readAll(fd);
    this.dropPrivate(fd);
    const status = await child.wait();
    this.substitutionStatus = this.status = statusCode(status);
    return text.replaceAll('\0', '').replace(/\n+$/, '');
  }

  private async parseSubstitution(part: CommandPart): Promise<List> {
    try {
      return this.parser(part.source, part.line).all();
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      await this.syntaxError(error, 'command substitution: ');
      this.substitutionStatus = this.status = error.incomplete ? 1 : 2;
      return { items: [] };
    }
  }

  /** `$(<file)`. */
  private async contentOf(file: { target: Word }): Promise<string> {
    const path = await expandToText(this, file.target);
    try {
      const text = bytesToText(this.proc.fs.readFile(path));
      this.substitutionStatus = this.status = 0;
      return text.replaceAll('\0', '').replace(/\n+$/, '');
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await this.error(`${path}: ${error.message}`);
      this.substitutionStatus = this.status = 1;
      return '';
    }
  }

  /** Starts `<(…)` or `>(…)`; the result is the path of its pipe. */
  substituteProcess(direction: '<' | '>', list: List): string {
    const pipe = this.proc.kernel.pipe();
    let fd = PROCESS_SUBSTITUTION_FD;
    while (this.proc.fds.has(fd)) fd--;
    this.proc.setFd(direction === '<' ? pipe.reader : pipe.writer, fd);
    const fds = this.childFds();
    fds.delete(fd);
    fds.set(direction === '<' ? 1 : 0, direction === '<' ? pipe.writer : pipe.reader);
    const child = this.fork((shell) => shell.engine.runList(shell, list), { fds });
    this.lastBackgroundPid = child.pid;
    this.lastSubstitution = child.wait().then(
      (status) => void this.jobs.ended.set(child.pid, statusCode(status)),
      (error: unknown) => {
        if (!(error instanceof ProcessExit)) throw error; // The shell has ended meanwhile.
      },
    );
    this.processSubstitutions.push(fd);
    return `/dev/fd/${fd}`;
  }

  /** How many process substitutions are open; what is opened later is closed by `closeSubstitutions`. */
  get openSubstitutions(): number {
    return this.processSubstitutions.length;
  }

  /** The pipe of an open process substitution. */
  substitutionFile(fd: number): OpenFile | undefined {
    return this.processSubstitutions.includes(fd) ? this.proc.fds.get(fd) : undefined;
  }

  closeSubstitutions(count: number): void {
    for (const fd of this.processSubstitutions.splice(count))
      if (this.proc.fds.has(fd)) this.proc.closeFd(fd);
  }

  // ── Texts that are run ──

  get parserDialect(): 'dash' | 'ash' | undefined {
    return this.dialect.name === 'bash' ? undefined : this.dialect.name;
  }

  /** `onWarning` is told before a warning that parsing brings is printed. */
  parser(source: string, line = 1, onWarning?: () => void): Parser {
    return new Parser(source, {
      dialect: this.parserDialect,
      line,
      extglob: this.shopts.has('extglob'),
      alias: (name) => (this.shopts.has('expand_aliases') ? this.aliases.get(name) : undefined),
      onUnterminatedHereDocument: (at, start, delimiter) => {
        if (this.dialect.name === 'dash') return;
        onWarning?.();
        void this.err(
          `${this.dialect.prefix({ name: this.name, line: at, interactive: this.interactive, where: '' })}warning: here-document at line ${start} delimited by end-of-file (wanted \`${delimiter}')\n`,
        );
      },
    });
  }

  /** Prints a syntax error with the line it is in. `where` stands between the shell's name and the line. */
  async syntaxError(error: ShellSyntaxError, where = this.origin === 'command' ? '-c: ' : ''): Promise<void> {
    const interactive = this.interactive || this.interactivePrefix;
    const frame = this.frames.at(-1);
    const name =
      (frame?.kind === 'source' && where === '') || (frame?.kind === 'function' && !interactive)
        ? frame.file
        : this.name;
    await this.err(this.dialect.syntaxError(error, { name, line: error.line, interactive, where }));
    if (error.then !== undefined) await this.syntaxError(error.then, where);
  }

  /** Runs a text command by command, as eval and traps do. */
  async runText(
    source: string,
    where: 'eval' | 'source' | 'command' | 'exit trap' | 'trap' = 'eval',
    line = this.line,
  ): Promise<number> {
    const parser = this.parser(source, where === 'eval' && this.dialect.name === 'dash' ? 1 : line);
    let status = 0;
    for (;;) {
      let list: List | undefined;
      try {
        parser.setExtglob(this.shopts.has('extglob'));
        list = parser.next();
      } catch (error) {
        if (!(error instanceof ShellSyntaxError)) throw error;
        return (this.status = await this.reportSyntax(
          error,
          where === 'command' ? '-c: ' : where === 'source' ? '' : `${where}: `,
        ));
      }
      if (list === undefined) return status;
      try {
        status = await this.engine.runList(this, list);
      } catch (error) {
        if (!(error instanceof Discard) || this.subshellDepth > 0) throw error;
        status = this.status = error.status; // Only the line it stands in is abandoned.
        this.pipeStatus = [status];
        if (where === 'source') parser.resumeAfter(this.line);
      }
    }
  }

  /** Expands a prompt string: backslash escapes first, then parameters and substitutions. */
  async promptText(text: string): Promise<string> {
    const escaped = expandPrompt(this, text);
    if (!this.shopts.has('promptvars') || !/[$`\\]/.test(escaped)) return escaped;
    const status = this.status;
    try {
      return await expandToText(this, parseText(escaped, 'here-document'));
    } catch (error) {
      if (
        !(
          error instanceof ShellSyntaxError ||
          error instanceof ExpansionError ||
          error instanceof ArithmeticError ||
          error instanceof VariableError
        )
      )
        throw error;
      await this.error(error.message);
      return '';
    } finally {
      this.status = status;
    }
  }

  // ── Signals ──

  /** Arranges for a signal's trap, or takes it away. */
  setTrap(name: TrapName, action: string | undefined): void {
    if (action === undefined) this.traps.delete(name);
    else this.traps.set(name, action);
    if (!name.startsWith('SIG')) return;
    const signal = name as Signal;
    if (signal === 'SIGKILL' || signal === 'SIGSTOP') return;
    if (action === '') this.proc.onSignal(signal, 'ignore');
    else if (action !== undefined) this.proc.onSignal(signal, () => void this.pendingSignals.push(signal));
    else this.restoreSignal(signal);
  }

  /** What an untrapped signal does. */
  private restoreSignal(signal: Signal): void {
    if (!this.interactive) this.proc.onSignal(signal, 'default');
    else if (signal === 'SIGINT') this.proc.onSignal(signal, () => void this.pendingSignals.push(signal));
    else if (signal === 'SIGHUP') this.proc.onSignal(signal, () => this.hangUp());
    else if (GUARDED.has(signal)) this.proc.onSignal(signal, () => undefined); // Not ignored: that would be inherited.
    else this.proc.onSignal(signal, 'default');
  }

  /** The signals an interactive shell doesn't die of. */
  guardSignals(): void {
    this.restoreSignal('SIGINT');
    this.restoreSignal('SIGHUP');
    for (const signal of GUARDED) this.restoreSignal(signal);
  }

  /** The terminal has gone: jobs that aren't disowned are told, and the shell dies of it. */
  private hangUp(): void {
    for (const job of this.jobs.jobs) {
      if (job.noHangup || job.state === 'done') continue;
      for (const { pid, status } of job.members) {
        if (status !== undefined && status.kind !== 'stopped') continue;
        this.proc.kill(pid, 'SIGHUP');
        if (status !== undefined) this.proc.kill(pid, 'SIGCONT');
      }
    }
    this.proc.onSignal('SIGHUP', 'default');
    try {
      this.proc.kill(this.proc.pid, 'SIGHUP');
    } catch (error) {
      if (!(error instanceof ProcessExit)) throw error; // It's what was asked for; whoever sent the signal goes on.
    }
  }

  get signalPending(): boolean {
    return this.pendingSignals.length > 0;
  }

  /** Ctrl-C has come and nothing has dealt with it. */
  get interruptPending(): boolean {
    return this.pendingSignals.includes('SIGINT');
  }

  /** Forgets an interrupt that the line editor has dealt with. */
  clearInterrupts(): void {
    this.pendingSignals = this.pendingSignals.filter(
      (signal) => signal !== 'SIGINT' || this.traps.has('SIGINT'),
    );
  }

  /** Between commands: pays CPU time, runs due traps, and lets Ctrl-C break in. */
  async checkpoint(costMs = COMMAND_COST_MS): Promise<void> {
    const wait = this.proc.cpu(costMs);
    if (wait !== undefined) await wait;
    if (this.pendingSignals.length > 0) await this.takeSignals();
  }

  /** Runs the traps of signals that have come; returns the last one's number, if any. */
  async takeSignals(): Promise<number | undefined> {
    let taken: number | undefined;
    while (this.pendingSignals.length > 0) {
      const signal = this.pendingSignals.shift()!;
      const action = this.traps.get(signal);
      taken = 128 + SIGNAL_NUMBERS[signal];
      if (action !== undefined) await this.runTrap(action, 1);
      else if (signal === 'SIGINT') {
        await this.err('\n');
        throw new Interrupted();
      }
    }
    return taken;
  }

  private async runTrap(action: string, line = this.line): Promise<void> {
    const { status, pipeStatus, line: savedLine } = this;
    await this.runText(action, 'trap', line);
    this.line = savedLine;
    this.status = status;
    this.pipeStatus = pipeStatus;
  }

  /** Puts away the traps that a function doesn't inherit; the result brings back those it hasn't set anew. */
  withoutTraps(): () => void {
    const kept: [TrapName, string][] = [];
    for (const name of ['DEBUG', 'RETURN', 'ERR'] as const) {
      const action = this.traps.get(name);
      if (action === undefined || this.options.has(name === 'ERR' ? 'errtrace' : 'functrace')) continue;
      kept.push([name, action]);
      this.traps.delete(name);
    }
    return () => {
      for (const [name, action] of kept) if (!this.traps.has(name)) this.traps.set(name, action);
    };
  }

  /** Tells which command BASH_COMMAND is; a trap's own aren't. */
  nameCommand(text: () => string): void {
    if (!this.runningTrap && (this.traps.has('DEBUG') || this.traps.has('ERR'))) this.currentCommand = text();
  }

  /** Runs the ERR, DEBUG or RETURN trap unless it's running already. */
  async runPseudoTrap(name: 'ERR' | 'DEBUG' | 'RETURN'): Promise<void> {
    const action = this.traps.get(name);
    if (action === undefined || action === '' || this.runningTrap) return;
    this.runningTrap = true;
    try {
      await this.runTrap(action);
    } finally {
      this.runningTrap = false;
    }
  }
}

/** The line of a list's first command. */
function firstLine(list: List): number | undefined {
  return list.items[0]?.command.first.commands[0]?.line;
}

/** The redirection of a list that is only `<file`. */
function inputOnly(list: List): { target: Word } | undefined {
  const { command, background } = list.items[0]!;
  const only = command.first.commands[0];
  if (background || command.rest.length > 0 || command.first.commands.length !== 1 || only?.kind !== 'simple')
    return undefined;
  if (only.words.length > 0 || only.assignments.length > 0 || only.redirects.length !== 1) return undefined;
  const redirect = only.redirects[0]!;
  return redirect.operator === '<' && (redirect.fd ?? 0) === 0 && redirect.fdVariable === undefined
    ? redirect
    : undefined;
}
