// column(1), tree(1), file(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command, Failure, type Invocation } from '../frame/command.ts';
import { displayWidth, padEnd } from '../frame/format.ts';
import { lstatOf, statOf } from '../coreutils/files.ts';

/** column(1), util-linux': -t, -s, -o, -N, and filling the width. */
export const column: Program = command(
  {
    short: 'tJs:o:N:c:xR:T:H:O:eLd',
    long: [
      'table>t',
      'separator:>s',
      'output-separator:>o',
      'table-columns:>N',
      'output-width:>c',
      'fillrows>x',
      'table-right:>R',
      'table-noheadings>d',
      'json>J',
    ],
    usage: '[options] [<file>...]',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { options, proc } = it;
    const lines: string[] = [];
    for (const path of it.inputs) {
      try {
        for (const line of (await it.open(path).readText()).split('\n'))
          if (line.trim() !== '') lines.push(line);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
    if (!options.has('t')) {
      const width = Number(
        options.value('c') ?? proc.stdout.tty?.size.columns ?? proc.env.get('COLUMNS') ?? 80,
      );
      // Columns are as wide as the widest entry, rounded up to a tab stop.
      const cell = Math.ceil((Math.max(0, ...lines.map(displayWidth)) + 1) / 8) * 8;
      const across = Math.max(1, Math.floor(width / cell));
      const rows = Math.ceil(lines.length / across);
      for (let row = 0; row < rows; row++) {
        const cells = Array.from(
          { length: across },
          (_, index) => lines[options.has('x') ? row * across + index : index * rows + row],
        ).filter((text) => text !== undefined);
        let text = '';
        cells.forEach((one, index) => {
          text += one;
          if (index < cells.length - 1) text += '\t'.repeat(Math.ceil((cell - displayWidth(one)) / 8));
        });
        await it.out.line(text);
      }
      return;
    }
    const separator = options.value('s');
    const split = (line: string): string[] =>
      separator === undefined
        ? line.trim().split(/\s+/)
        : line.split(new RegExp(`[${separator.replaceAll(/[\\\]^-]/g, '\\$&')}]`));
    const rows = lines.map(split);
    const names = options.value('N')?.split(',');
    if (names !== undefined) rows.unshift(names);
    const widths: number[] = [];
    for (const row of rows)
      row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell))));
    const right = (options.value('R') ?? '').split(',');
    const glue = options.value('o') ?? '  ';
    for (const row of rows)
      await it.out.line(
        widths
          .map((_, index) => row[index] ?? '')
          .map((cell, index) =>
            right.includes(String(index + 1)) || (names !== undefined && right.includes(names[index]!))
              ? cell.padStart(widths[index]!)
              : index === widths.length - 1
                ? cell
                : padEnd(cell, widths[index]!),
          )
          .join(glue),
      );
  },
);

/** file(1) */
export const file: Program = command(
  { short: 'bikLhzr', long: ['brief>b', 'mime>i', 'mime-type'], usage: '[OPTION...] [FILE...]' },
  async (it) => {
    if (it.operands.length === 0)
      throw new Failure(
        'Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] [--mime-encoding]\n            [--mime-type] [-e <testname>] [-F <separator>]  [-f <namefile>]\n            [-m <magicfiles>] [-P <parameter=value>] [--exclude-quiet]\n            <file> ...',
      );
    const width = Math.max(...it.operands.map((path) => path.length));
    for (const path of it.operands)
      await it.out.line(
        `${it.options.has('b') ? '' : `${`${path}:`.padEnd(width + 2)}`}${describe(it, path)}`,
      );
  },
);

function describe(it: Invocation, path: string): string {
  const { fs } = it.proc;
  const stat = (it.options.has('L') ? statOf(fs, path) : undefined) ?? lstatOf(fs, path);
  if (stat === undefined) return `cannot open \`${path}' (No such file or directory)`;
  if (stat.type === 'directory') return it.options.has('i') ? 'inode/directory; charset=binary' : 'directory';
  if (stat.type === 'symlink' && !it.options.has('L')) {
    const kind = statOf(fs, path) === undefined ? 'broken symbolic link' : 'symbolic link';
    return it.options.has('i', 'mime-type')
      ? `inode/symlink${it.options.has('i') ? '; charset=binary' : ''}`
      : `${kind} to ${fs.readlink(path)}`;
  }
  if (stat.type !== 'file') return stat.type.replace('-', ' special (').replace(/device$/, '0/0)');
  if (stat.sizeBytes === 0) return it.options.has('i') ? 'inode/x-empty; charset=binary' : 'empty';
  const bytes = fs.readFile(path);
  if (bytes[0] === 0x7f && bytes[1] === 0x45)
    return 'ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV), dynamically linked, for GNU/Linux 3.2.0, stripped';
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip compressed data';
  const text = Buffer.from(bytes).toString();
  const binary = bytes.includes(0);
  if (it.options.has('i'))
    return binary
      ? 'application/octet-stream; charset=binary'
      : `text/plain; charset=${/[^\u0000-\u007f]/.test(text) ? 'utf-8' : 'us-ascii'}`;
  if (binary) return 'data';
  const kind = /[^\u0000-\u007f]/.test(text) ? 'Unicode text, UTF-8 text' : 'ASCII text';
  const script = /^#!\s*(\S+)/.exec(text)?.[1];
  if (script !== undefined)
    return `${/bash/.test(script) ? 'Bourne-Again shell' : script.endsWith('/sh') ? 'POSIX shell' : script} script, ${kind} executable`;
  if (/^\s*[[{]/.test(text)) {
    try {
      JSON.parse(text);
      return 'JSON text data';
    } catch {
      return kind; // It only begins like JSON.
    }
  }
  return `${kind}${text.includes('\r\n') ? ', with CRLF line terminators' : text.endsWith('\n') ? '' : ', with no line terminators'}`;
}
