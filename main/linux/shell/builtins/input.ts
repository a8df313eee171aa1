// read and mapfile.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile } from '../../kernel/index.ts';
import { bytesToText } from '../bytes.ts';
import { splitFields } from '../expand.ts';
import { editLine } from '../editor/edit-line.ts';
import type { Shell } from '../shell.ts';
import { isName } from '../syntax/word-scanner.ts';
import { parseOptions, textual, type Builtin } from './support.ts';

const READ_USAGE =
  'read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]';
/** 128 + SIGALRM. */
const TIMED_OUT = 142;

const read = textual(async (shell, args) => {
  const parsed = await parseOptions(shell, 'read', args, 'ersa:d:i:n:N:p:t:u:', READ_USAGE);
  if (typeof parsed === 'number') return parsed;
  const { options, operands } = parsed;
  const bad = operands.find((name) => !isName(name) && !/^[A-Za-z_][A-Za-z0-9_]*\[.+\]$/s.test(name));
  if (bad !== undefined) {
    await shell.error(`read: \`${bad}': not a valid identifier`);
    return 1;
  }
  const timeout = options.get('t');
  for (const letter of ['n', 'N']) {
    const number = options.get(letter);
    if (number === undefined || /^\s*\+?[0-9]+\s*$/.test(number)) continue;
    await shell.error(`read: ${number}: invalid number`);
    return 1;
  }
  if (options.has('u') && !/^[0-9]+$/.test(options.get('u')!)) {
    await shell.error(`read: ${options.get('u')}: invalid file descriptor specification`);
    return 1;
  }
  if (timeout !== undefined && !/^[0-9]*\.?[0-9]*$/.test(timeout)) {
    await shell.error(`read: ${timeout}: invalid timeout specification`);
    return 1;
  }
  const fd = Number(options.get('u') ?? 0);
  const file = shell.proc.fds.get(fd);
  if (file === undefined) {
    await shell.error(`read: ${options.has('u') ? fd : 0}: invalid file descriptor: Bad file descriptor`);
    return 1;
  }
  if (options.has('e') && file.tty !== undefined) {
    const line = await editLine(shell, options.get('p') ?? '');
    await store(shell, operands, options, line ?? '', false);
    return line === undefined ? 1 : 0;
  }
  if (options.has('p') && file.tty !== undefined) await shell.err(options.get('p')!);
  if (timeout !== undefined && Number(timeout) === 0) return 0;
  return readInto(shell, file, operands, options, timeout === undefined ? undefined : Number(timeout) * 1000);
});

async function readInto(
  shell: Shell,
  file: OpenFile,
  operands: readonly string[],
  options: ReadonlyMap<string, string>,
  timeoutMs: number | undefined,
): Promise<number> {
  const tty = file.tty;
  const exact = options.has('N');
  const limit = options.has('n') || exact ? Number(options.get('n') ?? options.get('N')) : undefined;
  const delimiter = options.has('d') ? (options.get('d') === '' ? '\0' : options.get('d')![0]!) : '\n';
  const modes = tty === undefined ? undefined : { ...tty.modes };
  if (tty !== undefined && (options.has('s') || limit !== undefined || delimiter !== '\n')) {
    tty.setModes({
      ...(options.has('s') ? { echo: false } : {}),
      ...(limit !== undefined || delimiter !== '\n' ? { canonical: false } : {}),
    });
  }
  try {
    const reader = new CharacterReader(shell, file, timeoutMs);
    const line = await collect(reader, { raw: options.has('r'), exact, limit, delimiter });
    await store(shell, operands, options, line.text, line.escaped, line.quoted);
    if (line.end === 'timeout') return TIMED_OUT;
    return line.end === 'eof' ? 1 : 0;
  } finally {
    if (modes !== undefined) tty!.setModes(modes);
  }
}

interface Line {
  readonly text: string;
  readonly escaped: boolean;
  /** For each character of `text`, whether a backslash stood before it. */
  readonly quoted: readonly boolean[];
  readonly end: 'delimiter' | 'limit' | 'eof' | 'timeout';
}

async function collect(
  reader: CharacterReader,
  options: { raw: boolean; exact: boolean; limit: number | undefined; delimiter: string },
): Promise<Line> {
  let text = '';
  let count = 0;
  const quoted: boolean[] = [];
  const line = (end: Line['end']): Line => ({ text, escaped: quoted.includes(true), quoted, end });
  const put = (c: string, isQuoted: boolean): void => {
    text += c;
    for (let i = 0; i < c.length; i++) quoted.push(isQuoted);
    count++;
  };
  while (options.limit === undefined || count < options.limit) {
    let c = await reader.next();
    if (c === 'timeout' || c === 'eof') return line(c);
    if (c === options.delimiter && !options.exact) return line('delimiter');
    if (c === '\\' && !options.raw) {
      c = await reader.next();
      if (c === 'timeout' || c === 'eof') return line(c);
      if (c === '\n') continue;
      put(c, true);
      continue;
    }
    if (c !== '\0') put(c, false);
  }
  return line('limit');
}

/** Reads one character at a time so that nothing behind the line is taken from others. */
class CharacterReader {
  private readonly shell: Shell;
  private readonly file: OpenFile;
  private readonly deadlineMs: number | undefined;

  constructor(shell: Shell, file: OpenFile, timeoutMs: number | undefined) {
    this.shell = shell;
    this.file = file;
    this.deadlineMs = timeoutMs === undefined ? undefined : shell.proc.clock.now() + timeoutMs;
  }

  async next(): Promise<string> {
    const first = await this.byte();
    if (typeof first === 'string') return first;
    const size = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const bytes = [first];
    while (bytes.length < size) {
      const byte = await this.byte();
      if (typeof byte === 'string') break;
      bytes.push(byte);
      if ((byte & 0xc0) !== 0x80) break; // Not UTF-8 after all; bash takes both, be the second a newline.
    }
    return bytesToText(Uint8Array.from(bytes));
  }

  private async byte(): Promise<number | 'timeout' | 'eof'> {
    const chunk = await this.limited(this.shell.nextByte(this.file));
    if (chunk === 'timeout') return 'timeout';
    this.shell.readDone(this.file);
    return chunk.length === 0 ? 'eof' : chunk[0]!;
  }

  /** Waits for data, the deadline, or a signal whose trap then runs. */
  private async limited(wait: Promise<Uint8Array>): Promise<Uint8Array | 'timeout'> {
    for (;;) {
      try {
        if (this.deadlineMs === undefined) return await this.shell.proc.interruptible(wait);
        const left = this.deadlineMs - this.shell.proc.clock.now();
        if (left <= 0) return 'timeout';
        const timer = this.shell.proc.sleep(left).then((): 'timeout' => 'timeout');
        timer.catch(() => undefined);
        return await this.shell.proc.interruptible(Promise.race([wait, timer]));
      } catch (error) {
        if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
        await this.shell.takeSignals();
      }
    }
  }
}

async function store(
  shell: Shell,
  names: readonly string[],
  options: ReadonlyMap<string, string>,
  text: string,
  escaped: boolean,
  quoted: readonly boolean[] = [],
): Promise<void> {
  const ifs = shell.vars.get('IFS') ?? ' \t\n';
  const array = options.get('a');
  if (array !== undefined) {
    shell.vars.setArray(array, fieldsOf(text, ifs, quoted));
    return;
  }
  if (names.length === 0) {
    shell.vars.set('REPLY', text);
    return;
  }
  if (options.has('N')) {
    names.forEach((name, i) => assign(shell, name, i === 0 ? text : ''));
    return;
  }
  const values = escaped
    ? splitQuoted(text, ifs, quoted, names.length)
    : splitForNames(text, ifs, names.length);
  names.forEach((name, i) => assign(shell, name, values[i] ?? ''));
}

function assign(shell: Shell, name: string, value: string): void {
  const match = /^([^[]+)\[(.*)\]$/s.exec(name);
  if (match === null) shell.vars.set(name, value);
  else shell.vars.setElement(match[1]!, match[2]!, value);
}

function fieldsOf(text: string, ifs: string, quoted: readonly boolean[]): string[] {
  const fragments: { text: string; quoted: boolean; split: boolean }[] = [];
  for (let i = 0; i < text.length;) {
    let j = i;
    while (j < text.length && (quoted[j] ?? false) === (quoted[i] ?? false)) j++;
    const isQuoted = quoted[i] ?? false;
    fragments.push({ text: text.slice(i, j), quoted: isQuoted, split: !isQuoted });
    i = j;
  }
  return splitFields(fragments, ifs).map((field) => field.map((piece) => piece.text).join(''));
}

/** The first words, one per name; the last name gets the rest with its inner separators. */
function splitForNames(text: string, ifs: string, count: number): string[] {
  const isBlank = (c: string): boolean => ifs.includes(c) && (c === ' ' || c === '\t' || c === '\n');
  const isSeparator = (c: string): boolean => ifs.includes(c);
  let at = 0;
  let end = text.length;
  while (at < end && isBlank(text[at]!)) at++;
  while (end > at && isBlank(text[end - 1]!)) end--;
  const values: string[] = [];
  while (values.length < count - 1) {
    if (at >= end) break;
    let to = at;
    while (to < end && !isSeparator(text[to]!)) to++;
    values.push(text.slice(at, to));
    at = to;
    while (at < end && isBlank(text[at]!)) at++;
    if (at < end && isSeparator(text[at]!) && !isBlank(text[at]!)) {
      at++;
      while (at < end && isBlank(text[at]!)) at++;
    }
  }
  let rest = text.slice(at, end);
  // A single trailing separator goes when what's left is one field.
  const fields = [...rest];
  const last = fields.findIndex((c) => isSeparator(c));
  if (last >= 0 && last === fields.length - 1 && !isBlank(fields[last]!)) rest = fields.slice(0, -1).join('');
  values.push(rest);
  return values;
}

/** As splitForNames, for lines with backslashes: quoted characters don't separate. */
function splitQuoted(text: string, ifs: string, quoted: readonly boolean[], count: number): string[] {
  const marked = [...text]
    .map((c, i) =>
      quoted[i] === true && ifs.includes(c) ? String.fromCharCode(0xe000 + c.charCodeAt(0)) : c,
    )
    .join('');
  return splitForNames(marked, ifs, count).map((value) =>
    value.replace(/[\ue000-\ue0ff]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xe000)),
  );
}

const MAPFILE_USAGE =
  'mapfile [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]';

function mapfileBuiltin(name: 'mapfile' | 'readarray'): Builtin {
  return textual(async (shell, args) => {
    const parsed = await parseOptions(
      shell,
      name,
      args,
      'd:n:O:s:tu:C:c:',
      MAPFILE_USAGE.replace('mapfile', name),
    );
    if (typeof parsed === 'number') return parsed;
    const { options, operands } = parsed;
    for (const [letter, what] of [
      ['u', 'file descriptor specification'],
      ['n', 'line count'],
      ['O', 'array origin'],
      ['s', 'line count'],
      ['c', 'callback quantum'],
    ] as const) {
      const number = options.get(letter);
      if (number === undefined || /^\+?[0-9]+$/.test(number)) continue;
      await shell.error(`${name}: ${number}: invalid ${what}`);
      return 1;
    }
    if (options.get('c') === '0') {
      await shell.error(`${name}: 0: invalid callback quantum`);
      return 1;
    }
    const array = operands[0] ?? 'MAPFILE';
    if (!isName(array)) {
      await shell.error(`${name}: \`${array}': not a valid identifier`);
      return 1;
    }
    const fd = Number(options.get('u') ?? 0);
    if (!shell.proc.fds.has(fd)) {
      await shell.error(`${name}: ${fd}: invalid file descriptor: Bad file descriptor`);
      return 1;
    }
    const target = shell.vars.find(array);
    if (target?.associative !== undefined) {
      await shell.error(`${name}: ${array}: not an indexed array`);
      return 1;
    }
    if (target?.attributes.has('readonly') === true) {
      await shell.error(`${array}: readonly variable`);
      return 1;
    }
    const delimiter = options.has('d') ? (options.get('d')![0] ?? '\0') : '\n';
    const limit = Number(options.get('n') ?? 0);
    const lines = await readLines(
      shell,
      fd,
      delimiter,
      limit === 0 ? undefined : limit + Number(options.get('s') ?? 0),
    );
    const values = lines
      .slice(Number(options.get('s') ?? 0))
      .map((line) => (options.has('t') && line.endsWith(delimiter) ? line.slice(0, -1) : line));
    const origin = Number(options.get('O') ?? 0);
    if (!options.has('O')) shell.vars.setArray(array, []);
    const quantum = Number(options.get('c') ?? 5000);
    for (const [i, value] of values.entries()) {
      if (options.has('C') && (i + 1) % quantum === 0)
        await shell.runText(`${options.get('C')} ${origin + i} ${JSON.stringify(value)}`);
      shell.vars.setElement(array, String(origin + i), value);
    }
    return 0;
  });
}

/** Lines with their delimiters. */
async function readLines(
  shell: Shell,
  fd: number,
  delimiter: string,
  limit: number | undefined,
): Promise<string[]> {
  if (limit === undefined) {
    const text = await shell.readAll(fd);
    const lines = text.split(delimiter).map((line) => line + delimiter);
    const last = lines.pop()!.slice(0, -1);
    return last === '' ? lines : [...lines, last];
  }
  const reader = new CharacterReader(shell, shell.proc.fds.get(fd)!, undefined);
  const lines: string[] = [];
  let line = '';
  while (lines.length < limit) {
    const c = await reader.next();
    if (c === 'eof') {
      if (line !== '') lines.push(line);
      break;
    }
    line += c;
    if (c === delimiter) {
      lines.push(line);
      line = '';
    }
  }
  return lines;
}

export const inputBuiltins: readonly (readonly [string, Builtin])[] = [
  ['read', read],
  ['mapfile', mapfileBuiltin('mapfile')],
  ['readarray', mapfileBuiltin('readarray')],
];
