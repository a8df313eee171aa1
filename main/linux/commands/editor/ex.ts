// ex(1) as scripts use it: line commands on a buffer, no screen.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';

class ExError extends Error {}

interface Buffer {
  lines: string[];
  current: number;
  changed: boolean;
  pattern: string;
  path: string | undefined;
}

/** `ex -s FILE`, `vim -es FILE`: commands from -c and stdin. */
export async function runEx(
  proc: Process,
  path: string | undefined,
  commands: readonly string[],
): Promise<number> {
  const input = commands.length > 0 ? [...commands] : (await proc.stdin.readText()).split('\n');
  return runLines(proc, load(proc, path), input);
}

function load(proc: Process, path: string | undefined): Buffer {
  const text = path !== undefined && proc.fs.exists(path) ? proc.fs.readText(path) : '';
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  return { lines, current: lines.length, changed: false, pattern: '', path };
}

async function runLines(proc: Process, buffer: Buffer, input: readonly string[]): Promise<number> {
  const queue = [...input];
  let failed = false;
  while (queue.length > 0) {
    const line = queue.shift()!;
    if (line.trim() === '') continue;
    for (const one of splitBars(line.replace(/^:+/, ''))) {
      try {
        const result = await execute(proc, buffer, one, queue);
        if (result === 'quit') return failed ? 1 : 0;
      } catch (error) {
        if (!(error instanceof ExError || error instanceof RegexError || error instanceof ErrnoError))
          throw error;
        failed = true;
      }
    }
  }
  return failed ? 1 : 0;
}

function splitBars(line: string): string[] {
  return /^[^a-z]*(?:g|v)/.test(line) ? [line] : line.split(/(?<!\\)\|/);
}

class Cursor {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }
  take(pattern: RegExp): RegExpExecArray | null {
    const match = new RegExp(`^(?:${pattern.source})`, pattern.flags).exec(this.text.slice(this.at));
    if (match !== null) this.at += match[0].length;
    return match;
  }
  get rest(): string {
    return this.text.slice(this.at);
  }
}

/** One address, as a line number; undefined if there is none. */
function address(cursor: Cursor, buffer: Buffer): number | undefined {
  let value: number | undefined;
  const match = cursor.take(/\s*(?:(\d+)|([.$])|\/((?:\\.|[^/\\])*)\/?|\?((?:\\.|[^?\\])*)\??|(?=[-+]))/);
  if (match === null) return undefined;
  const [, number, symbol, forward, backward] = match;
  if (number !== undefined) value = Number(number);
  else if (symbol !== undefined) value = symbol === '.' ? buffer.current : buffer.lines.length;
  else if (forward !== undefined || backward !== undefined) {
    const pattern = compileRegex((forward ?? backward)! || buffer.pattern, {
      syntax: 'basic',
      global: false,
    });
    const count = buffer.lines.length;
    const step = forward === undefined ? -1 : 1;
    for (let i = 1; i <= count && value === undefined; i++) {
      const index = (((buffer.current - 1 + step * i) % count) + count) % count;
      if (pattern.test(buffer.lines[index]!)) value = index + 1;
    }
    if (value === undefined) throw new ExError('no match');
  } else value = buffer.current;
  for (let offset = cursor.take(/([-+])(\d*)/); offset !== null; offset = cursor.take(/([-+])(\d*)/))
    value += (offset[1] === '-' ? -1 : 1) * Number(offset[2] || 1);
  return value;
}

async function execute(
  proc: Process,
  buffer: Buffer,
  line: string,
  queue: string[],
): Promise<'quit' | undefined> {
  const cursor = new Cursor(line);
  let from: number | undefined;
  let to: number | undefined;
  if (cursor.take(/\s*%/) !== null) [from, to] = [1, buffer.lines.length];
  else {
    to = address(cursor, buffer);
    from = to;
    const separator = cursor.take(/\s*([,;])/);
    if (separator !== null) {
      from = to ?? 1;
      if (separator[1] === ';') buffer.current = from;
      to = address(cursor, buffer) ?? buffer.lines.length;
    }
  }
  const given = to !== undefined;
  const first = from ?? buffer.current;
  const last = to ?? buffer.current;
  if (last > buffer.lines.length || first > last) throw new ExError('range');
  const name = cursor.take(/\s*([a-zA-Z]+!?|=|&|!)?/)?.[1] ?? '';
  const [command, argument] = splitCommand(name, cursor.rest);
  switch (command) {
    case '':
      buffer.current = last;
      await proc.stdout.write(`${buffer.lines[last - 1] ?? ''}\n`);
      return undefined;
    case 'p':
    case 'print':
    case 'n':
    case 'number':
      for (let i = first; i <= last; i++)
        await proc.stdout.write(`${command.startsWith('n') ? `${i}\t` : ''}${buffer.lines[i - 1]}\n`);
      buffer.current = last;
      return undefined;
    case '=':
      await proc.stdout.write(`${given ? last : buffer.lines.length}\n`);
      return undefined;
    case 'd':
    case 'delete':
      buffer.lines.splice(first - 1, last - first + 1);
      buffer.changed = true;
      buffer.current = Math.min(first, buffer.lines.length);
      return undefined;
    case 'a':
    case 'append':
    case 'i':
    case 'insert':
    case 'c':
    case 'change': {
      const text: string[] = [];
      while (queue.length > 0) {
        const next = queue.shift()!;
        if (next === '.') break;
        text.push(next);
      }
      const letter = command[0];
      const at = letter === 'a' ? last : Math.max(0, first - 1);
      buffer.lines.splice(at, letter === 'c' ? last - first + 1 : 0, ...text);
      buffer.current = at + text.length;
      buffer.changed = true;
      return undefined;
    }
    case 's':
    case 'substitute':
      substitute(buffer, first, last, argument);
      return undefined;
    case 'g':
    case 'global':
    case 'v':
    case 'g!': {
      const [, pattern = '', rest = ''] = /^\s*\/((?:\\.|[^/\\])*)\/?(.*)$/.exec(argument) ?? [];
      const regex = compileRegex(pattern === '' ? buffer.pattern : pattern, {
        syntax: 'basic',
        global: false,
      });
      buffer.pattern = pattern === '' ? buffer.pattern : pattern;
      const wanted = command.startsWith('g') && command !== 'g!';
      const marked = buffer.lines
        .slice(given ? first - 1 : 0, given ? last : undefined)
        .filter((text) => regex.test(text) === wanted)
        .map((text) => ({ text }));
      let from = 0;
      for (const { text } of marked) {
        const index = buffer.lines.indexOf(text, from);
        if (index < 0) continue;
        buffer.current = index + 1;
        const before = buffer.lines.length;
        await execute(proc, buffer, rest === '' ? 'p' : rest, []);
        from = buffer.lines.length < before ? index : index + 1;
      }
      return undefined;
    }
    case 'm':
    case 't':
    case 'move':
    case 'copy': {
      const target = address(new Cursor(argument), buffer) ?? buffer.current;
      const block = buffer.lines.slice(first - 1, last);
      if (command.startsWith('m')) buffer.lines.splice(first - 1, block.length);
      buffer.lines.splice(
        command.startsWith('m') && target >= last ? target - block.length : target,
        0,
        ...block,
      );
      buffer.changed = true;
      return undefined;
    }
    case 'j':
    case 'join': {
      const end = given && from !== to ? last : Math.min(first + 1, buffer.lines.length);
      buffer.lines.splice(first - 1, end - first + 1, buffer.lines.slice(first - 1, end).join(' '));
      buffer.changed = true;
      return undefined;
    }
    case 'r':
    case 'read':
      buffer.lines.splice(
        given ? last : buffer.lines.length,
        0,
        ...proc.fs.readText(argument.trim()).replace(/\n$/, '').split('\n'),
      );
      buffer.changed = true;
      return undefined;
    case 'w':
    case 'write':
    case 'w!':
    case 'wq':
    case 'wq!':
    case 'x':
    case 'x!':
    case 'wqa':
    case 'xa':
    case 'xit':
    case 'update': {
      const path = argument.trim() === '' ? buffer.path : argument.trim();
      if (path === undefined) throw new ExError('no file');
      const lines = given ? buffer.lines.slice(first - 1, last) : buffer.lines;
      proc.fs.writeFile(path, lines.map((text) => `${text}\n`).join(''));
      buffer.changed = false;
      return /^(?:wq|x)/.test(command) ? 'quit' : undefined;
    }
    case 'q':
    case 'q!':
    case 'quit':
    case 'quit!':
    case 'qa':
    case 'qa!':
    case 'Q':
      if (buffer.changed && (command === 'q' || command === 'quit')) throw new ExError('unsaved');
      return 'quit';
    case 'set':
    case 'se':
    case 'noh':
    case 'syntax':
    case 'H':
    case 'P':
      return undefined;
    default:
      throw new ExError('unknown command');
  }
}

/** `s/…` and `g/…` come without a blank; `s#a#b#` too. */
function splitCommand(name: string, rest: string): [string, string] {
  return [name, rest];
}

function substitute(buffer: Buffer, first: number, last: number, argument: string): void {
  const delimiter = argument[0];
  if (delimiter === undefined || /[\s\w]/.test(delimiter)) throw new ExError('bad substitute');
  const parts: string[] = [''];
  for (let i = 1; i < argument.length; i++) {
    const c = argument[i]!;
    if (c === '\\' && i + 1 < argument.length)
      parts[parts.length - 1] += argument[++i] === delimiter ? delimiter : `\\${argument[i]}`;
    else if (c === delimiter && parts.length < 3) parts.push('');
    else parts[parts.length - 1] += c;
  }
  const [pattern = '', replacement = '', flags = ''] = parts;
  buffer.pattern = pattern === '' ? buffer.pattern : pattern;
  const regex = compileRegex(buffer.pattern, {
    syntax: 'basic',
    global: flags.includes('g'),
    ignoreCase: flags.includes('i'),
  });
  let any = false;
  for (let i = first; i <= last; i++) {
    const line = buffer.lines[i - 1]!;
    regex.lastIndex = 0;
    const next = line.replace(regex, (...args: (string | undefined)[]) =>
      replacement.replaceAll(/\\([\s\S])|&/g, (whole, c: string | undefined) =>
        whole === '&' ? args[0]! : /\d/.test(c!) ? (args[Number(c)] ?? '') : c === 'n' ? '\n' : c!,
      ),
    );
    if (next !== line) {
      any = true;
      buffer.lines[i - 1] = next;
      buffer.current = i;
      buffer.changed = true;
    }
  }
  buffer.lines = buffer.lines.flatMap((line) => line.split('\n'));
  if (!any && !flags.includes('e')) throw new ExError('no match');
}
