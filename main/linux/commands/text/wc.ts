// wc(1)
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { command } from '../frame/command.ts';
import { displayWidth } from '../frame/format.ts';

interface Counts {
  l: number;
  w: number;
  m: number;
  c: number;
  L: number;
}

/** wc(1) */
export const wc: Program = command(
  {
    short: 'cLlmw',
    long: ['bytes>c', 'chars>m', 'lines>l', 'words>w', 'max-line-length>L', 'files0-from:', 'total:'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Print newline, word, and byte counts for each FILE.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const chosen = (['l', 'w', 'm', 'c', 'L'] as const).filter((letter) => it.options.has(letter));
    const columns = chosen.length === 0 ? (['l', 'w', 'c'] as const) : chosen;
    const rows: { counts: Counts; name: string | undefined; failed?: string }[] = [];
    const total: Counts = { l: 0, w: 0, m: 0, c: 0, L: 0 };
    let width = it.operands.length <= 1 && columns.length === 1 ? 1 : 0;
    for (const path of it.inputs) {
      const name = it.operands.length === 0 ? undefined : path;
      try {
        const file = it.open(path);
        const stat = file.stat();
        if (stat.type !== 'file' && width === 0) width = 7;
        const failing = stat.type === 'directory';
        const counts = failing ? { l: 0, w: 0, m: 0, c: 0, L: 0 } : await countFile(file);
        rows.push({ counts, name, ...(failing ? { failed: `${path}: Is a directory` } : {}) });
        for (const key of ['l', 'w', 'm', 'c'] as const) total[key] += counts[key];
        total.L = Math.max(total.L, counts.L);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`${path}: ${error.message}`);
      }
    }
    if (width === 0) width = String(total.c).length;
    const show = (counts: Counts, name: string | undefined): string =>
      columns.map((key) => String(counts[key]).padStart(width)).join(' ') +
      (name === undefined ? '' : ` ${name}`);
    for (const row of rows) {
      if (row.failed !== undefined) await it.warn(row.failed);
      await it.out.line(
        it.dialect === 'busybox'
          ? busybox(
              columns.map((key) => row.counts[key]),
              row.name,
            )
          : show(row.counts, row.name),
      );
    }
    if (it.operands.length > 1)
      await it.out.line(
        it.dialect === 'busybox'
          ? busybox(
              columns.map((key) => total[key]),
              'total',
            )
          : show(total, 'total'),
      );
  },
);

function busybox(counts: readonly number[], name: string | undefined): string {
  const shown =
    counts.length === 1 ? String(counts[0]) : counts.map((count) => String(count).padStart(9)).join(' ');
  return name === undefined ? shown : `${shown} ${name}`;
}

async function countFile(file: OpenFile): Promise<Counts> {
  const counts: Counts = { l: 0, w: 0, m: 0, c: 0, L: 0 };
  const decoder = new TextDecoder();
  let inWord = false;
  let line = '';
  for (;;) {
    const chunk = await file.read(65_536);
    if (chunk.length === 0) break;
    counts.c += chunk.length;
    const text = decoder.decode(chunk, { stream: true });
    for (const c of text) {
      counts.m++;
      if (c === '\n') {
        counts.l++;
        counts.L = Math.max(counts.L, displayWidth(line));
        line = '';
      } else if (c === '\t') line += ' '.repeat(8 - (displayWidth(line) % 8));
      else line += c;
      const space = /\s/.test(c);
      if (!space && !inWord) counts.w++;
      inWord = !space;
    }
  }
  counts.L = Math.max(counts.L, displayWidth(line));
  return counts;
}
