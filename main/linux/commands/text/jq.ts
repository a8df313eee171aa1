// jq(1)
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Process, Program } from '../../kernel/index.ts';
import { compareNames } from '../frame/collate.ts';
import { readAll } from '../frame/input.ts';
import { Output } from '../frame/output.ts';
import { bytesToText } from '../../shell/index.ts';
import { LosslessDecoder } from '../frame/text-decoder.ts';
import { evaluate, JqError, JqHalt, missingNames } from './jq-eval.ts';
import { JsonParser, JsonTextError, numberText, parseJson, streamEvents, stringText } from './jq-json.ts';
import { JqSyntaxError, parseJq, type Filter } from './jq-parse.ts';

const SHORT: Readonly<Record<string, string>> = {
  c: 'compact-output',
  r: 'raw-output',
  j: 'join-output',
  R: 'raw-input',
  s: 'slurp',
  n: 'null-input',
  e: 'exit-status',
  S: 'sort-keys',
  C: 'color-output',
  M: 'monochrome-output',
  a: 'ascii-output',
  h: 'help',
  V: 'version',
  f: 'from-file',
};

const LONG = new Set([...Object.values(SHORT), 'seq', 'stream', 'stream-errors', 'unbuffered']);

const USAGE = `jq - commandline JSON processor [version 1.6]

Usage:\tjq [options] <jq filter> [file...]
\tjq [options] --args <jq filter> [strings...]
\tjq [options] --jsonargs <jq filter> [JSON_TEXTS...]

jq is a tool for processing JSON inputs, applying the given filter to
its JSON text inputs and producing the filter's results as JSON on
standard output.
`;

/** jq(1) */
export const jq: Program = async (proc) => {
  const flags = new Set<string>();
  const variables = new Map<string, unknown>();
  const positional: string[] = [];
  let indent = 2;
  const out = new Output(proc, proc.stdout);
  const args = proc.argv.slice(1);
  const rest: unknown[] = [];
  let takingArgs: 'args' | 'jsonargs' | undefined;
  const fail = async (text: string, status: number): Promise<number> => {
    await out.flush();
    await proc.stderr.write(text);
    return status;
  };
  const unknownOption = (arg: string): Promise<number> =>
    fail(
      `jq: Unknown option ${arg}\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n`,
      2,
    );
  while (args.length > 0) {
    const arg = args.shift()!;
    if (!arg.startsWith('-') || arg === '-') {
      if (takingArgs !== undefined && positional.length > 0)
        rest.push(takingArgs === 'args' ? arg : parseJson(arg));
      else positional.push(arg);
    } else if (arg === '--arg') variables.set(args.shift() ?? '', args.shift() ?? '');
    else if (arg === '--argjson') {
      const name = args.shift() ?? '';
      try {
        variables.set(name, parseJson(args.shift() ?? ''));
      } catch (error) {
        if (!(error instanceof JsonTextError)) throw error;
        return fail(
          `jq: invalid JSON text passed to --argjson\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n`,
          2,
        );
      }
    } else if (arg === '--slurpfile' || arg === '--rawfile') {
      const name = args.shift() ?? '';
      const path = args.shift() ?? '';
      try {
        const text = bytesToText(proc.fs.readFile(path));
        variables.set(name, arg === '--rawfile' ? text : valuesOf(text));
      } catch (error) {
        if (!(error instanceof ErrnoError || error instanceof JsonTextError)) throw error;
        return fail(
          `jq: Bad JSON in --${arg.slice(2)} ${name} ${path}: ${error instanceof ErrnoError ? `Could not open ${path}: ${error.message}` : error.message}\n`,
          2,
        );
      }
    } else if (arg === '--args' || arg === '--jsonargs') takingArgs = arg === '--args' ? 'args' : 'jsonargs';
    else if (arg === '--indent') {
      indent = Number(args.shift());
      if (!(indent >= -1 && indent <= 7))
        return fail(
          `jq: --indent takes a number between -1 and 7\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n`,
          2,
        );
    } else if (arg === '--tab') indent = -1;
    else if (arg.startsWith('--')) {
      if (!LONG.has(arg.slice(2))) return unknownOption(arg);
      flags.add(arg.slice(2));
    } else
      for (const letter of arg.slice(1)) {
        const name = SHORT[letter];
        if (name === undefined) return unknownOption(arg);
        flags.add(name);
      }
  }
  if (flags.has('version')) {
    await proc.stdout.write('jq-1.6\n');
    return 0;
  }
  let source = positional.shift();
  if (flags.has('help')) {
    await out.put(USAGE);
    await out.flush();
    return 0;
  }
  if (source === undefined) {
    if (proc.stdin.tty !== undefined && proc.stdout.tty !== undefined) return fail(USAGE, 2);
    source = '.';
  }
  if (flags.has('from-file')) {
    try {
      source = bytesToText(source === '/dev/stdin' ? await readAll(proc.stdin) : proc.fs.readFile(source));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      return fail(`jq: Could not open ${source}: ${error.message}\n`, 2);
    }
  }
  let filter: Filter;
  const program = source;
  const compileError = (message: string, at: number): string => {
    const line = program.slice(0, at).split('\n').length;
    const start = program.lastIndexOf('\n', at - 1) + 1;
    const end = program.indexOf('\n', at);
    return `jq: error: ${message} at <top-level>, line ${line}:\n${program.slice(start, end < 0 ? undefined : end)}${' '.repeat(at - start)}\n`;
  };
  variables.set('ARGS', { positional: rest, named: Object.fromEntries(variables) });
  variables.set('ENV', Object.fromEntries(proc.env));
  try {
    filter = parseJq(source);
  } catch (error) {
    if (!(error instanceof JqSyntaxError)) throw error;
    return fail(
      `${compileError(error.message.startsWith('syntax') ? `${error.message} (Unix shell quoting issues?)` : error.message, error.at)}jq: 1 compile error\n`,
      3,
    );
  }
  const missingNamed = missingNames(filter, variables.keys());
  if (missingNamed.length > 0)
    return fail(
      `${missingNamed.map(({ name, at }) => compileError(`${name} is not defined`, at)).join('')}jq: ${missingNamed.length} compile error${missingNamed.length === 1 ? '' : 's'}\n`,
      3,
    );
  const color =
    flags.has('color-output') || (proc.stdout.tty !== undefined && !flags.has('monochrome-output'));
  let status = 0;
  let last: unknown;
  let any = false;
  const emit = async (value: unknown): Promise<void> => {
    any = true;
    last = value;
    const raw = (flags.has('raw-output') || flags.has('join-output')) && typeof value === 'string';
    const text = raw
      ? value
      : format(
          flags.has('sort-keys') ? sorted(value) : value,
          flags.has('compact-output') ? 0 : indent,
          color,
          flags.has('ascii-output'),
        );
    await out.put((flags.has('seq') ? '\u001e' : '') + (flags.has('join-output') ? text : `${text}\n`));
  };
  const apply = async (
    input: unknown,
    remaining: Iterator<unknown>,
    where: () => string,
  ): Promise<boolean> => {
    const told: string[] = [];
    const tell = async (): Promise<void> => {
      if (told.length > 0) await fail(told.splice(0).join(''), 0);
    };
    try {
      for (const value of evaluate(filter, input, {
        variables,
        inputs: remaining,
        nowMs: proc.clock.now(),
        fileName: () => feed.fileName,
        tell: (text) => told.push(text),
      })) {
        await tell();
        await emit(value);
        const paused = proc.cpu(0.001);
        if (paused !== undefined) await paused;
      }
      await tell();
      return true;
    } catch (error) {
      await tell();
      if (error instanceof JqHalt) {
        status = error.exitCode;
        if (error.text !== undefined) await fail(error.text, status);
        return false;
      }
      if (error instanceof RangeError) {
        status = 5;
        await fail('jq: error: stack overflow\n', 5); // A filter that calls itself without end.
        return false;
      }
      if (!(error instanceof JqError)) throw error;
      if (error.value === null) return true; // error(null) is as empty.
      await fail(
        typeof error.value === 'string'
          ? `jq: error (at ${where()}): ${error.value}\n`
          : `jq: error (at ${where()}) (not a string): ${format(error.value, 0, false, false)}\n`,
        5,
      );
      status = 5;
      return true;
    }
  };
  const feed = new InputSource(
    proc,
    positional,
    flags.has('raw-input'),
    async (path, message) => void (await fail(`jq: error: Could not open file ${path}: ${message}\n`, 2)),
  );
  const place = (): string => feed.place();
  try {
    if (flags.has('null-input') || flags.has('slurp')) {
      // `input` and `inputs` are asked for in the midst of a filter, which can't wait: all is read before.
      const usesInput = /\binputs?\b/.test(program);
      const all: unknown[] = [];
      let wrong: JsonTextError | undefined;
      try {
        if (flags.has('slurp') || usesInput)
          for await (const value of feed.values(out)) all.push(...prepared(value, flags));
      } catch (error) {
        if (!(error instanceof JsonTextError)) throw error;
        wrong = error;
      }
      const iterator = endingWith(all, wrong);
      if (flags.has('null-input') && flags.has('slurp'))
        await apply(
          null,
          [flags.has('raw-input') ? all.join('') : all][Symbol.iterator](),
          () => '<unknown>',
        );
      else if (flags.has('null-input')) await apply(null, iterator, () => '<unknown>');
      else {
        if (wrong !== undefined) throw wrong;
        await apply(flags.has('raw-input') ? feed.rawText : all, [][Symbol.iterator](), place);
      }
    } else if (/\binputs?\b/.test(program)) {
      const all: unknown[] = [];
      for await (const value of feed.values(out)) all.push(...prepared(value, flags));
      const iterator = all[Symbol.iterator]();
      for (let step = iterator.next(); step.done !== true; step = iterator.next())
        if (!(await apply(step.value, iterator, place))) break;
    } else
      reading: for await (const value of feed.values(out))
        for (const one of prepared(value, flags))
          if (!(await apply(one, [][Symbol.iterator](), place))) break reading;
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return fail(`parse error: ${error.message}\n`, any ? 2 : 4);
  }
  await out.flush();
  if (feed.missing) return 2;
  if (status !== 0) return status;
  if (flags.has('exit-status')) return any ? (last === null || last === false ? 1 : 0) : 4;
  return 0;
};

/** What a value becomes under --stream. */
function prepared(value: unknown, flags: ReadonlySet<string>): Iterable<unknown> {
  return flags.has('stream') ? streamEvents(value) : [value];
}

function* endingWith(values: readonly unknown[], wrong: JsonTextError | undefined): Generator<unknown> {
  yield* values;
  if (wrong !== undefined) throw new JqError(wrong.message);
}

/** The JSON texts of a file. Throws JsonTextError. */
function valuesOf(text: string): unknown[] {
  const parser = new JsonParser();
  parser.push(text);
  parser.end();
  return parser.take();
}

/** The values of jq's files, or of stdin, as they come. */
class InputSource {
  private readonly proc: Process;
  private readonly paths: readonly string[];
  private readonly raw: boolean;
  private readonly cannotOpen: (path: string, message: string) => Promise<void>;
  private lines = 0;
  private current: string | undefined;
  missing = false;
  /** All of a raw input, for -Rs. */
  rawText = '';

  constructor(
    proc: Process,
    paths: readonly string[],
    raw: boolean,
    cannotOpen: (path: string, message: string) => Promise<void>,
  ) {
    this.proc = proc;
    this.paths = paths;
    this.raw = raw;
    this.cannotOpen = cannotOpen;
  }

  /** Where an error is said to be. */
  place(): string {
    return `${this.current ?? '<stdin>'}:${this.lines}`;
  }

  get fileName(): string | null {
    return this.current ?? null;
  }

  async *values(out: Output): AsyncGenerator<unknown> {
    const parser = new JsonParser();
    let rest = '';
    for (const path of this.paths.length > 0 ? this.paths : [undefined]) {
      let file: OpenFile;
      try {
        file = path === undefined ? this.proc.stdin : this.proc.fs.open(path);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        this.missing = true;
        await this.cannotOpen(path ?? '', error.message);
        continue;
      }
      this.current = path;
      this.lines = 0;
      const decoder = new LosslessDecoder();
      for (;;) {
        await out.flush();
        const chunk = await file.read(65_536);
        const text = (chunk.length === 0 ? decoder.end() : decoder.decode(chunk)).replaceAll(
          /[\udc80-\udcff](?<![\ud800-\udbff][\udc80-\udcff])/g,
          '\ufffd',
        );
        if (this.raw) {
          this.rawText += text;
          const pieces = (rest + text).split('\n');
          rest = pieces.pop()!;
          yield* pieces;
        } else {
          // A line at a time: what an error names is the line jq had read by then.
          for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
            if (line.endsWith('\n')) this.lines++;
            let wrong: JsonTextError | undefined;
            try {
              parser.push(line);
            } catch (error) {
              if (!(error instanceof JsonTextError)) throw error;
              wrong = error;
            }
            yield* parser.take();
            if (wrong !== undefined) throw wrong;
          }
        }
        if (chunk.length === 0) break;
      }
    }
    if (this.raw) {
      if (rest !== '') yield rest;
      return;
    }
    parser.end();
    yield* parser.take();
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => compareNames(a, b))
      .map(([key, one]) => [key, sorted(one)]),
  );
}

/** As jq prints it; `indent` 0 is compact, -1 tabs. */
function format(value: unknown, indent: number, color: boolean, ascii: boolean): string {
  const paint = (text: string, code: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const pad = (depth: number): string =>
    indent === 0 ? '' : `\n${(indent < 0 ? '\t' : ' '.repeat(indent)).repeat(depth)}`;
  const render = (one: unknown, depth: number): string => {
    if (one === null) return paint('null', '1;30');
    if (typeof one === 'boolean') return paint(String(one), '0;39');
    if (typeof one === 'number') return paint(numberText(one), '0;39');
    if (typeof one === 'string') return paint(stringText(one, ascii), '0;32');
    if (Array.isArray(one)) {
      if (one.length === 0) return paint('[]', '1;39');
      const inner = one.map((item) => pad(depth + 1) + render(item, depth + 1));
      return color
        ? `\u001b[1;39m[${inner.map((text, index) => (index > 0 ? `\u001b[1;39m,${text}` : text)).join('')}\u001b[1;39m${pad(depth)}\u001b[1;39m]\u001b[0m`
        : `[${inner.join(',')}${pad(depth)}]`;
    }
    const entries = Object.entries(one as Record<string, unknown>);
    if (entries.length === 0) return paint('{}', '1;39');
    const colon = indent === 0 ? ':' : ': ';
    const inner = entries.map(([key, item]) =>
      color
        ? `${pad(depth + 1)}\u001b[0m\u001b[34;1m${stringText(key, ascii)}\u001b[0m\u001b[1;39m${colon}\u001b[0m${render(item, depth + 1)}`
        : `${pad(depth + 1)}${stringText(key, ascii)}${colon}${render(item, depth + 1)}`,
    );
    return color
      ? `\u001b[1;39m{${inner.join('\u001b[1;39m,')}\u001b[1;39m${pad(depth)}\u001b[1;39m}\u001b[0m`
      : `{${inner.join(',')}${pad(depth)}}`;
  };
  return render(value, 0);
}
