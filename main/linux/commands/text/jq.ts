// jq(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { compareNames } from '../frame/collate.ts';
import { Output } from '../frame/output.ts';
import { evaluate, JqError, JqHalt, undefinedCall } from './jq-eval.ts';
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
  while (args.length > 0) {
    const arg = args.shift()!;
    if (!arg.startsWith('-') || arg === '-') {
      if (takingArgs !== undefined && positional.length > 0)
        rest.push(takingArgs === 'args' ? arg : JSON.parse(arg));
      else positional.push(arg);
    } else if (arg === '--arg') variables.set(args.shift() ?? '', args.shift() ?? '');
    else if (arg === '--argjson') {
      const name = args.shift() ?? '';
      try {
        variables.set(name, JSON.parse(args.shift() ?? ''));
      } catch {
        return fail(
          `jq: Invalid JSON text passed to --argjson\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n`,
          2,
        ); // Not JSON.
      }
    } else if (arg === '--slurpfile' || arg === '--rawfile') {
      const name = args.shift() ?? '';
      const text = proc.fs.readText(args.shift() ?? '');
      variables.set(name, arg === '--rawfile' ? text : [...parseStream(text)]);
    } else if (arg === '--args' || arg === '--jsonargs') takingArgs = arg === '--args' ? 'args' : 'jsonargs';
    else if (arg === '--indent') indent = Number(args.shift());
    else if (arg === '--tab') indent = -1;
    else if (arg.startsWith('--')) flags.add(arg.slice(2));
    else
      for (const letter of arg.slice(1)) {
        const name = SHORT[letter];
        if (name === undefined)
          return fail(
            `jq: Unknown option ${arg}\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n`,
            2,
          );
        flags.add(name);
      }
  }
  if (flags.has('version')) {
    await proc.stdout.write('jq-1.6\n');
    return 0;
  }
  let source = positional.shift();
  if (source === undefined || flags.has('help'))
    return fail(
      'jq - commandline JSON processor [version 1.6]\n\nUsage:\tjq [options] <jq filter> [file...]\n\tjq [options] --args <jq filter> [strings...]\n\tjq [options] --jsonargs <jq filter> [JSON_TEXTS...]\n',
      flags.has('help') ? 0 : 2,
    );
  if (flags.has('from-file')) source = proc.fs.readText(source);
  let filter: Filter;
  try {
    filter = parseJq(source);
    const unknown = undefinedCall(filter);
    if (unknown !== undefined)
      return await fail(
        `jq: error: ${unknown} is not defined at <top-level>, line 1:\n${source}\njq: 1 compile error\n`,
        3,
      );
  } catch (error) {
    if (!(error instanceof JqSyntaxError)) throw error;
    return fail(
      `jq: error: ${error.message} (Unix shell quoting issues?) at <top-level>, line 1:\n${source} \njq: 1 compile error\n`,
      3,
    );
  }
  variables.set('ENV', Object.fromEntries(proc.env));
  variables.set('__prog_args', rest);
  variables.set('ARGS', { positional: rest, named: Object.fromEntries(variables) });
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
        );
    await out.put(flags.has('join-output') ? text : `${text}\n`);
  };
  const apply = async (input: unknown, remaining: Iterator<unknown>, place: string): Promise<boolean> => {
    try {
      for (const value of evaluate(filter, input, {
        variables,
        inputs: remaining,
        nowMs: proc.clock.now(),
      })) {
        await emit(value);
        const paused = proc.cpu(0.001);
        if (paused !== undefined) await paused;
      }
      return true;
    } catch (error) {
      if (error instanceof JqHalt) {
        status = error.exitCode;
        if (error.text !== undefined) await fail(error.text, status);
        return false;
      }
      if (!(error instanceof JqError)) throw error;
      await fail(
        `jq: error (at ${place}): ${typeof error.value === 'string' ? error.value : `${JSON.stringify(error.value)} (not a string)`}\n`,
        5,
      );
      status = 5;
      return true;
    }
  };
  let text = '';
  let missing = false;
  if (positional.length === 0)
    text =
      flags.has('null-input') && proc.stdin.tty !== undefined
        ? ''
        : flags.has('null-input')
          ? ''
          : await proc.stdin.readText();
  else
    for (const path of positional) {
      try {
        text += proc.fs.readText(path);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await fail(`jq: error: Could not open file ${path}: ${error.message}\n`, 2);
        missing = true;
      }
    }
  const place =
    positional.length > 0
      ? `${positional.at(-1)}:${text.split('\n').length - 1}`
      : `<stdin>:${Math.max(1, text.split('\n').length - 1)}`;
  try {
    const values: Iterator<unknown> = flags.has('raw-input')
      ? (flags.has('slurp')
          ? [text]
          : text
              .replace(/\n$/, '')
              .split('\n')
              .filter((line, _, all) => all.length > 1 || line !== ''))[Symbol.iterator]()
      : parseStream(text);
    if (flags.has('null-input')) await apply(null, values, '<unknown>');
    else if (flags.has('slurp') && !flags.has('raw-input'))
      await apply([...collect(values)], [][Symbol.iterator](), place);
    else
      for (let step = values.next(); step.done !== true; step = values.next())
        if (!(await apply(step.value, values, place))) break;
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return fail(`parse error: ${error.message}\n`, any ? 2 : 4);
  }
  await out.flush();
  if (missing) return 2;
  if (status !== 0) return status;
  if (flags.has('exit-status')) return any ? (last === null || last === false ? 1 : 0) : 4;
  return 0;
};

function* collect(values: Iterator<unknown>): Generator<unknown> {
  for (let step = values.next(); step.done !== true; step = values.next()) yield step.value;
}

class JsonTextError extends Error {}

/** The JSON texts of an input, one after the other. */
function* parseStream(text: string): Generator<unknown> {
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (at >= text.length) return;
    const end = valueEnd(text, at);
    let value: unknown;
    try {
      value = JSON.parse(text.slice(at, end));
    } catch {
      const lines = text.split('\n').length;
      throw new JsonTextError(`Invalid numeric literal at line ${lines}, column 0`); // JSON.parse can't say where as jq does.
    }
    yield value;
    at = end;
  }
}

/** Where the value that begins at `from` ends. */
function valueEnd(text: string, from: number): number {
  const c = text[from]!;
  if (c !== '{' && c !== '[' && c !== '"') {
    const match = /[^\s,[\]{}"]+|[^]/y;
    match.lastIndex = from;
    return from + match.exec(text)![0].length;
  }
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const d = text[i]!;
    if (d === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (depth === 0) return i + 1;
    } else if (d === '{' || d === '[') depth++;
    else if ((d === '}' || d === ']') && --depth === 0) return i + 1;
  }
  return text.length;
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
function format(value: unknown, indent: number, color: boolean): string {
  const paint = (text: string, code: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const pad = (depth: number): string =>
    indent === 0 ? '' : `\n${(indent < 0 ? '\t' : ' '.repeat(indent)).repeat(depth)}`;
  const render = (one: unknown, depth: number): string => {
    if (one === null) return paint('null', '1;30');
    if (typeof one === 'boolean') return paint(String(one), '0;39');
    if (typeof one === 'number')
      return paint(
        Number.isFinite(one)
          ? JSON.stringify(one)
          : one > 0
            ? '1.7976931348623157e+308'
            : Number.isNaN(one)
              ? 'null'
              : '-1.7976931348623157e+308',
        '0;39',
      );
    if (typeof one === 'string') return paint(JSON.stringify(one).replaceAll('\u007f', '\\u007f'), '0;32');
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
        ? `${pad(depth + 1)}\u001b[0m\u001b[34;1m${JSON.stringify(key)}\u001b[0m\u001b[1;39m${colon}\u001b[0m${render(item, depth + 1)}`
        : `${pad(depth + 1)}${JSON.stringify(key)}${colon}${render(item, depth + 1)}`,
    );
    return color
      ? `\u001b[1;39m{${inner.join('\u001b[0m\u001b[1;39m,')}\u001b[0m\u001b[1;39m\u001b[1;39m${pad(depth)}}\u001b[0m`
      : `{${inner.join(',')}${pad(depth)}}`;
  };
  return render(value, 0);
}
