// less(1) and more(1): their options, and what they do without a terminal.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program, Tty } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { escapeRegex } from '../frame/regex.ts';
import { PagerKeys } from './pager-keys.ts';
import { LineSource } from './pager-source.ts';
import { rowsOf } from './pager-text.ts';
import type { PagerOptions } from './pager-window.ts';
import { Pager } from './pager.ts';

/** Copies files to a stdout that is no terminal, as both pagers do. */
async function passThrough(it: Invocation, titled: boolean): Promise<void> {
  for (const path of it.inputs) {
    try {
      const file = it.open(path);
      if (titled) await it.out.put(`::::::::::::::\n${path}\n::::::::::::::\n`);
      await it.out.put(await readAll(file));
      await it.out.flush();
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      if (titled) await it.proc.stderr.write(`more: cannot open ${path}: ${error.message}\n`);
      else await it.proc.stderr.write(`${path}: ${error.message}\n`);
      it.exitCode = 1;
    }
  }
}

/** less(1). */
export const less: Program = command(
  {
    short: 'aAb:BcCdeEfFgGh:iIj:JKlLmMnNo:O:p:P:qQrRsSt:T:uUwWx:Xy:z:~#:',
    long: [
      'quit-if-one-screen>F',
      'RAW-CONTROL-CHARS>R',
      'raw-control-chars>r',
      'chop-long-lines>S',
      'no-init>X',
      'LINE-NUMBERS>N',
      'line-numbers>n',
      'ignore-case>i',
      'IGNORE-CASE>I',
      'quit-at-eof>e',
      'QUIT-AT-EOF>E',
      'hilite-search>g',
      'HILITE-SEARCH>G',
      'pattern:>p',
      'squeeze-blank-lines>s',
      'tilde>~',
      'follow-name',
      'mouse',
      'use-color',
    ],
    usage: '[option]... [file]...',
    version: '590',
    prepare: (args) => [
      ...(args.includes('--') ? args.slice(0, args.indexOf('--')) : args).filter(
        (arg) => !arg.startsWith('+'),
      ),
      ...(args.includes('--') ? args.slice(args.indexOf('--')) : []),
    ],
  },
  async (it) => {
    const { proc, operands } = it;
    if (operands.length === 0 && proc.stdin.tty !== undefined)
      throw new Failure('Missing filename ("less --help" for help)');
    const tty = proc.stdout.tty;
    if (tty === undefined) {
      await passThrough(it, false);
      return it.exitCode;
    }
    const settings = optionsOf(it);
    const keyFile = proc.stdin.tty === undefined ? proc.fs.open('/dev/tty', { read: true }) : proc.stdin;
    const files = [...it.inputs];
    const open = (path: string): LineSource => new LineSource(path, openFile(it, path));
    let source: LineSource | undefined;
    while (source === undefined && files.length > 0) {
      try {
        source = open(files[0]!);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await proc.stderr.write(openFailure(files.shift()!, error));
      }
    }
    if (source === undefined) return 1;
    if (settings.quitsIfShort && files.length === 1 && (await isShort(source, tty, settings.pager))) {
      const rows = source.lines.flatMap((line) =>
        rowsOf(line, [], { ...settings.pager, columns: tty.size.columns, shift: 0 }),
      );
      await it.out.put(rows.map((row) => `${row}\n`).join(''));
      return 0;
    }
    const pager = new Pager(proc, tty, keyFile, files, open, settings.pager);
    return pager.run(source, settings.first);
  },
);

interface Settings {
  readonly pager: PagerOptions;
  readonly quitsIfShort: boolean;
  /** Keys to begin with, from + and -p. */
  readonly first: readonly string[];
}

/** The command line and $LESS, whose options come first. */
function optionsOf(it: Invocation): Settings {
  const { proc, options } = it;
  const environment = new Set(
    (proc.env.get('LESS') ?? '').replace(/--?[\w-]{2,}/g, (word) => word).replaceAll(/[\s-]/g, ''),
  );
  const has = (...letters: string[]): boolean =>
    letters.some((letter) => options.has(letter) || environment.has(letter));
  const first = proc.argv
    .filter((arg, i) => i > 0 && arg.startsWith('+') && arg.length > 1)
    .map((arg) =>
      /^\+\+?\d+$/.test(arg)
        ? `${arg.replace(/^\++/, '')}g`
        : /^\+\+?[/?]/.test(arg)
          ? `${arg.replace(/^\++/, '')}\r`
          : arg.replace(/^\++/, ''),
    );
  const pattern = options.value('p');
  if (pattern !== undefined) first.push(`/${pattern}\r`);
  return {
    quitsIfShort: has('F'),
    first: first.toReversed(),
    pager: {
      chop: has('S'),
      numbers: has('N'),
      ignoreCase: has('I') ? 'always' : has('i') ? 'smart' : 'no',
      colors: has('R', 'r'),
      quitAtEnd: has('E') ? 'first' : has('e') ? 'second' : 'no',
      highlight: !has('G'),
      tildes: !has('~'),
      initialize: !has('X'),
    },
  };
}

function openFile(it: Invocation, path: string): OpenFile {
  const file = it.open(path);
  if (file.kind === 'directory') throw new ErrnoError('EISDIR', path);
  return file;
}

function openFailure(path: string, error: ErrnoError): string {
  return error.code === 'EISDIR' ? `${path} is a directory\n` : `${path}: ${error.message}\n`;
}

/** Reads until it's clear whether all fits on the screen. */
async function isShort(source: LineSource, tty: Tty, options: PagerOptions): Promise<boolean> {
  const { columns, rows } = tty.size;
  for (;;) {
    let height = 0;
    for (const line of source.lines) {
      height += rowsOf(line, [], { ...options, columns, shift: 0 }).length;
      if (height >= rows) return false;
    }
    if (!(await source.more())) return true;
  }
}

/** more(1) */
export const more: Program = command(
  {
    short: 'dflcpsun:',
    usage: '[options] <file>...',
    version: 'from util-linux 2.38.1',
    prepare: (args) => args.filter((arg) => !/^[-+]\d+$/.test(arg)),
  },
  async (it) => {
    const { proc } = it;
    if (it.operands.length === 0 && proc.stdin.tty !== undefined) {
      await proc.stderr.write(`more: bad usage\nTry 'more --help' for more information.\n`);
      return 1;
    }
    const tty = proc.stdout.tty;
    if (tty === undefined) {
      await passThrough(it, it.operands.length > 0);
      return it.exitCode;
    }
    return showPages(it, tty);
  },
);

/** Shows a page at a time, waiting for a key under each; it ends with its input. */
async function showPages(it: Invocation, tty: Tty): Promise<number> {
  const { proc } = it;
  const keyFile = proc.stdin.tty === undefined ? proc.fs.open('/dev/tty', { read: true }) : proc.stdin;
  const keys = new PagerKeys(keyFile, proc);
  const keyTty = keyFile.tty ?? tty;
  const saved = { ...keyTty.modes };
  keyTty.setModes({ canonical: false, echo: false });
  try {
    for (const [index, path] of it.inputs.entries()) {
      let source: LineSource;
      try {
        source = new LineSource(path, openFile(it, path));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await proc.stderr.write(
          error.code === 'EISDIR'
            ? `\n*** ${path}: directory ***\n\n`
            : `more: cannot open ${path}: ${error.message}\n`,
        );
        it.exitCode = 1;
        continue;
      }
      if (it.inputs.length > 1) await proc.stdout.write(`::::::::::::::\n${path}\n::::::::::::::\n`);
      const last = index === it.inputs.length - 1;
      if (!(await showFile(it, tty, source, keys, last))) break;
    }
  } finally {
    keyTty.setModes(saved);
  }
  return it.exitCode;
}

/** False when the person has had enough. */
async function showFile(
  it: Invocation,
  tty: Tty,
  source: LineSource,
  keys: PagerKeys,
  last: boolean,
): Promise<boolean> {
  const { stdout } = it.proc;
  const rows: string[] = [];
  const ends: number[] = [];
  let laidOut = 0;
  const layOut = async (count: number): Promise<void> => {
    for (;;) {
      for (; laidOut < source.lines.length; laidOut++) {
        const own = rowsOf(source.lines[laidOut]!, [], {
          columns: tty.size.columns,
          chop: false,
          shift: 0,
          colors: true,
        });
        for (const row of own) {
          rows.push(row);
          ends.push(source.offsets[laidOut + 1]!);
        }
      }
      if (rows.length > count || !(await source.more())) return;
    }
  };
  let shown = 0;
  let pattern: RegExp | undefined;
  const show = async (count: number): Promise<void> => {
    await layOut(shown + count);
    await stdout.write(
      rows
        .slice(shown, shown + count)
        .map((row) => `${row}\n`)
        .join(''),
    );
    shown = Math.min(rows.length, shown + count);
  };
  const page = (): number => Math.max(1, tty.size.rows - 1);
  await show(page());
  for (;;) {
    await layOut(shown);
    if (shown >= rows.length && last) return true;
    const size = source.isRegular ? await sizeOf(it, source.name) : undefined;
    const share =
      size === undefined || size === 0 ? '' : `(${Math.floor((100 * (ends[shown - 1] ?? 0)) / size)}%)`;
    const atEnd = shown >= rows.length;
    await stdout.write(`\u001b[7m--More--${atEnd ? '(Next file)' : share}\u001b[27m`);
    const key = await keys.next();
    await stdout.write('\r\u001b[K');
    if (key === undefined || key === 'q' || key === 'Q' || key === '\u0003') return false;
    if (atEnd) return true;
    if (key === '\r' || key === '\n' || key === 'j') await show(1);
    else if (key === 'd' || key === '\u0004') await show(11);
    else if (key === ' ' || key === 'z' || key === 'f') await show(page());
    else if (key === 'b' || key === '\u0002') {
      shown = Math.max(0, shown - 2 * page());
      await stdout.write('...back 1 page\n');
      await show(page());
    } else if (key === '=') await stdout.write(`${shown}`);
    else if (key === '/') {
      const typed = await askMore(it, keys);
      if (typed !== '') pattern = new RegExp(escapeRegex(typed));
      await layOut(Infinity);
      const found = pattern === undefined ? -1 : rows.findIndex((row, i) => i >= shown && pattern!.test(row));
      if (found < 0) await stdout.write('\u001b[7mPattern not found\u001b[27m\n');
      else {
        await stdout.write('...skipping\n');
        shown = Math.max(0, found - 2);
        await show(page());
      }
    } else await stdout.write("\u001b[7m[Press 'h' for instructions.]\u001b[27m\r\u001b[K");
  }
}

async function sizeOf(it: Invocation, path: string): Promise<number | undefined> {
  try {
    return it.proc.fs.stat(path).sizeBytes;
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

async function askMore(it: Invocation, keys: PagerKeys): Promise<string> {
  let text = '';
  for (;;) {
    await it.proc.stdout.write(`\r\u001b[K/${text}`);
    const key = await keys.next();
    if (key === undefined || key === '\r' || key === '\n') {
      await it.proc.stdout.write('\r\u001b[K');
      return text;
    }
    text = key === '\u007f' || key === '\b' ? text.slice(0, -1) : text + key;
  }
}
