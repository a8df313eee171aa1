// The frame every command runs in: options parsed, output buffered, --help and --version, errors turned into text.
import { ErrnoError } from '../../../network/index.ts';
import { ProcessExit, type OpenFile, type Process, type Program } from '../../kernel/index.ts';
import { textToBytes } from '../../shell/index.ts';
import { quoteWhenNeeded } from './quote.ts';
import { OptionError, parseOptions, type Options, type OptionTable } from './options.ts';
import { Output } from './output.ts';

/** A command line that makes no sense; printed with the hint to --help. */
export class UsageError extends Error {}

/** The command gives up: prints `name: message` (or nothing for '') and exits. */
export class Failure extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface CommandForm extends OptionTable {
  /** The operands in the usage line, such as `[OPTION]... [FILE]...`. */
  readonly usage?: string;
  /** One sentence on what it does. */
  readonly summary?: string;
  /** The whole of --help, where it isn't put together from usage and summary. */
  readonly help?: string;
  /** First line of --version without the name: `(GNU coreutils) 9.1`. */
  readonly version?: string;
  /** The whole of --version, where that is more than a line. */
  readonly versionText?: string;
  readonly usageExit?: number;
  /** What follows a usage error; absent: GNU's `Try 'x --help' …`. */
  readonly hint?: (name: string) => string;
  /** Changes the arguments before they are parsed (`head -5`, `tar xzf`). */
  readonly prepare?: (args: string[]) => string[];
}

export type Dialect = 'gnu' | 'busybox';

const dialects = new WeakMap<Process, Dialect>();

/** The version banner busybox applets print above their usage. */
const BUSYBOX_BANNER = 'BusyBox v1.36.1 (2024-05-14 09:12:33 UTC) multi-call binary.';

/** Whose manners a process has: a GNU tool's or a busybox applet's. */
export function dialectOf(proc: Process): Dialect {
  return dialects.get(proc) ?? 'gnu';
}

/** The same command as a busybox applet. */
export function applet(program: Program): Program {
  return (proc) => {
    dialects.set(proc, 'busybox');
    return program(proc);
  };
}

/** One run of a command. */
export class Invocation {
  readonly proc: Process;
  /** argv[0]'s last part, as messages show it. */
  readonly name: string;
  readonly options: Options;
  readonly operands: string[];
  readonly out: Output;
  readonly dialect: Dialect;
  exitCode = 0;

  constructor(proc: Process, name: string, options: Options, out: Output) {
    this.proc = proc;
    this.name = name;
    this.options = options;
    this.operands = options.operands;
    this.out = out;
    this.dialect = dialectOf(proc);
  }

  /** Prints `name: message` on stderr and makes the exit status 1 (or as given); the command goes on. */
  async warn(message: string, exitCode = 1): Promise<void> {
    this.exitCode = Math.max(this.exitCode, exitCode);
    await this.complain(message);
  }

  /** Like warn, without touching the exit status. */
  async complain(message: string): Promise<void> {
    await this.out.flush();
    await this.proc.stderr.write(textToBytes(`${this.name}: ${message}\n`));
  }

  /** Opens a path for reading, `-` being stdin. Throws ErrnoError. */
  open(path: string): OpenFile {
    return path === '-' ? this.proc.stdin : this.proc.fs.open(path);
  }

  /** The operands, or `-` if there are none. */
  get inputs(): string[] {
    return this.operands.length > 0 ? this.operands : ['-'];
  }
}

/** A file's name in a message: quoted where a shell would need it, as GNU's tools do; as it is for busybox's. */
export function shownName(it: Invocation, path: string): string {
  return it.dialect === 'busybox' ? path : quoteWhenNeeded(path);
}

/** Makes a Program of a form and what to do. `run` may return nothing to mean `exitCode`. */
export function command(form: CommandForm, run: (it: Invocation) => Promise<number | void>): Program {
  const table: OptionTable = {
    short: form.short ?? '',
    long: [
      ...(form.long ?? []),
      ...['help', 'version'].filter((name) => !(form.long ?? []).some((entry) => entry.startsWith(name))),
    ],
    permute: form.permute ?? true,
  };
  return async (proc) => {
    const name = commandName(proc);
    const out = new Output(proc, proc.stdout);
    let exitCode: number;
    try {
      const args = proc.argv.slice(1);
      const options = parseOptions(form.prepare?.(args) ?? args, table);
      const text = options.has('help')
        ? helpOf(form, name, dialectOf(proc))
        : options.has('version')
          ? (form.versionText ?? `${name} ${form.version ?? '(Drydock)'}\n`)
          : undefined;
      if (text === undefined) {
        const it = new Invocation(proc, name, options, out);
        const result = await run(it);
        exitCode = typeof result === 'number' ? result : it.exitCode;
      } else {
        await out.put(text);
        exitCode = 0;
      }
      await out.flush();
    } catch (error) {
      exitCode = await report(proc, out, name, form, error);
    }
    return exitCode;
  };
}

function commandName(proc: Process): string {
  const given = proc.argv[0] ?? '';
  return dialectOf(proc) === 'busybox' ? given.slice(given.lastIndexOf('/') + 1) : given;
}

async function report(
  proc: Process,
  out: Output,
  name: string,
  form: CommandForm,
  error: unknown,
): Promise<number> {
  if (error instanceof ProcessExit) throw error;
  if (error instanceof ErrnoError) {
    if (error.code === 'EPIPE') await proc.stderr.write(`${name}: write error: ${error.message}\n`);
    else if (error.code === 'EINTR') return 130;
    else
      await proc.stderr.write(
        `${name}: ${error.path === undefined ? '' : `${error.path}: `}${error.message}\n`,
      );
    return form.usageExit ?? 1;
  }
  if (
    error instanceof RangeError &&
    /Invalid (?:string|array|typed array) length|BigInt|allocation/.test(error.message)
  ) {
    await proc.stderr.write(`${name}: memory exhausted\n`); // What grew is beyond what the engine's strings and arrays hold.
    return form.usageExit ?? 1;
  }
  if (!(error instanceof Failure || error instanceof UsageError || error instanceof OptionError)) throw error;
  await out.flush();
  if (error instanceof Failure) {
    if (error.message !== '') await proc.stderr.write(`${name}: ${error.message}\n`);
    return error.exitCode;
  }
  if (dialectOf(proc) === 'busybox') {
    const reason = error instanceof OptionError ? `${name}: ${busyboxOptionText(error.message)}\n` : '';
    await proc.stderr.write(reason + helpOf(form, name, 'busybox'));
    return 1;
  }
  await proc.stderr.write(
    `${name}: ${error.message}\n${form.hint?.(name) ?? `Try '${name} --help' for more information.\n`}`,
  );
  return form.usageExit ?? 1;
}

/** musl's getopt words, which busybox images print. */
function busyboxOptionText(message: string): string {
  return message
    .replace(/^invalid option -- '(.)'$/, 'unrecognized option: $1')
    .replace(/^unrecognized option '--(.*)'$/, 'unrecognized option: $1')
    .replace(/^option requires an argument -- '(.)'$/, 'option requires an argument: $1');
}

function helpOf(form: CommandForm, name: string, dialect: Dialect): string {
  if (dialect === 'busybox') {
    return `${BUSYBOX_BANNER}\n\nUsage: ${name} ${form.usage ?? '[OPTIONS]'}\n${form.summary === undefined ? '' : `\n${form.summary}\n`}`;
  }
  if (form.help !== undefined) return form.help.replaceAll('{name}', name);
  const options = optionList(form);
  return `Usage: ${name} ${form.usage ?? '[OPTION]...'}\n${form.summary === undefined ? '' : `${form.summary}\n`}${options === '' ? '' : `\nOptions:\n${options}`}`;
}

function optionList(form: CommandForm): string {
  const lines: string[] = [];
  const longOf = new Map<string, string>();
  const alone: string[] = [];
  for (const entry of form.long ?? []) {
    const [, name = '', colons = '', as] = /^([^:>]+)(:{0,2})(?:>(.+))?$/.exec(entry) ?? [];
    const shown = `--${name}${colons === '' ? '' : colons === ':' ? '=ARG' : '[=ARG]'}`;
    if (as !== undefined && as.length === 1) longOf.set(as, shown);
    else alone.push(`      ${shown}`);
  }
  for (const [, letter = '', colons = ''] of (form.short ?? '').matchAll(/(.)(:{0,2})/g)) {
    const long = longOf.get(letter);
    lines.push(
      long === undefined
        ? `  -${letter}${colons === '' ? '' : colons === ':' ? ' ARG' : '[ARG]'}`
        : `  -${letter}, ${long}`,
    );
  }
  const all = [...lines, ...alone, '      --help', '      --version'];
  return `${all.join('\n')}\n`;
}
