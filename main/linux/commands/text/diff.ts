// diff(1) and cmp(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import {
  shownName,
  command,
  Failure,
  UsageError,
  type CommandForm,
  type Invocation,
} from '../frame/command.ts';
import { readAll, readAllText } from '../frame/input.ts';
import { compileRegex } from '../frame/regex.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { isDirectory, join, lastPart, statOf } from '../coreutils/files.ts';

interface Change {
  readonly fromA: number;
  readonly toA: number;
  readonly fromB: number;
  readonly toB: number;
}

/** Myers' shortest edit script, as runs of lines to take out of `a` and put in from `b` (half-open, from 0). */
function diffLines(a: readonly string[], b: readonly string[]): Change[] {
  const [n, m] = [a.length, b.length];
  const trace: Int32Array[] = [];
  const offset = n + m + 1;
  let v: Int32Array = new Int32Array(2 * offset + 1);
  search: for (let d = 0; d <= n + m; d++) {
    trace.push(v.slice());
    for (let k = -d; k <= d; k += 2) {
      let x =
        k === -d || (k !== d && v[offset + k - 1]! < v[offset + k + 1]!)
          ? v[offset + k + 1]!
          : v[offset + k - 1]! + 1;
      let y = x - k;
      while (x < n && y < m && a[x] === b[y]) {
        x++;
        y++;
      }
      v[offset + k] = x;
      if (x >= n && y >= m) break search;
    }
  }
  const deleted = new Set<number>();
  const inserted = new Set<number>();
  let [x, y] = [n, m];
  for (let d = trace.length - 1; d > 0; d--) {
    v = trace[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && v[offset + k - 1]! < v[offset + k + 1]!);
    const previousX = v[offset + (down ? k + 1 : k - 1)]!;
    const previousY = previousX - (down ? k + 1 : k - 1);
    if (down) inserted.add(previousY);
    else deleted.add(previousX);
    [x, y] = [previousX, previousY];
  }
  const changes: Change[] = [];
  for (let i = 0, j = 0; i < n || j < m;) {
    const [fromA, fromB] = [i, j];
    while (deleted.has(i)) i++;
    while (inserted.has(j)) j++;
    if (i > fromA || j > fromB) changes.push({ fromA, toA: i, fromB, toB: j });
    else {
      i++;
      j++;
    }
  }
  return changes;
}

const FORM: CommandForm = {
  short: 'abBcC:dD:eEfF:hHiI:lL:nNpPqrsS:tTuU:vwW:x:X:yZ',
  long: [
    'brief>q',
    'report-identical-files>s',
    'context::>c',
    'unified::>u',
    'ed>e',
    'side-by-side>y',
    'width:>W',
    'recursive>r',
    'new-file>N',
    'ignore-case>i',
    'ignore-all-space>w',
    'ignore-space-change>b',
    'ignore-blank-lines>B',
    'text>a',
    'color::',
    'label:>L',
    'exclude:>x',
    'strip-trailing-cr',
    'suppress-common-lines',
    'no-dereference',
  ],
  // -3 and -u3 give the lines of context.
  prepare: (args) =>
    args.map((arg) =>
      arg.replace(
        /^-([uc]?)(\d+)$/,
        (_, kind: string, count: string) => `-${kind === 'c' ? 'C' : 'U'}${count}`,
      ),
    ),
  usage: '[OPTION]... FILES',
  summary: 'Compare FILES line by line.',
  version: '(GNU diffutils) 3.8',
  usageExit: 2,
  hint: (name) => `${name}: Try '${name} --help' for more information.\n`,
};

/** diff(1): normal, -u, -c, -q, -y, -r. */
export const diff: Program = command(FORM, async (it) => {
  const [a, b, extra] = it.operands;
  if (a === undefined || b === undefined)
    throw new UsageError(`missing operand after '${a ?? it.proc.argv.at(-1)}'`);
  if (extra !== undefined) throw new UsageError(`extra operand '${extra}'`);
  const { fs } = it.proc;
  for (const path of [a, b])
    if (path !== '-' && statOf(fs, path) === undefined && !it.options.has('N')) {
      await it.proc.stderr.write(`${it.name}: ${path}: No such file or directory\n`);
      it.exitCode = 2;
    }
  if (it.exitCode === 2) return 2;
  if (isDirectory(fs, a) && isDirectory(fs, b)) return directories(it, a, b);
  const left = isDirectory(fs, a) ? join(a, lastPart(b)) : a;
  const right = isDirectory(fs, b) ? join(b, lastPart(a)) : b;
  return files(it, left, right, undefined);
});

async function read(it: Invocation, path: string): Promise<string> {
  if (path !== '-' && it.options.has('N') && statOf(it.proc.fs, path) === undefined) return '';
  try {
    return await readAllText(it.open(path));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`${shownName(it, path)}: ${error.message}`, 2);
  }
}

function normal(it: Invocation, line: string): string {
  let text = line;
  if (it.options.has('w')) text = text.replaceAll(/\s+/g, '');
  else if (it.options.has('b')) text = text.replaceAll(/\s+/g, ' ').trimEnd();
  if (it.options.has('strip-trailing-cr')) text = text.replace(/\r$/, '');
  return it.options.has('i') ? text.toLowerCase() : text;
}

async function directories(it: Invocation, a: string, b: string): Promise<number> {
  const { fs } = it.proc;
  const names = [...new Set([...fs.readdir(a), ...fs.readdir(b)].map((entry) => entry.name))].toSorted();
  let status = 0;
  for (const name of names) {
    const [left, right] = [join(a, name), join(b, name)];
    const [inA, inB] = [statOf(fs, left), statOf(fs, right)];
    if (inA === undefined || inB === undefined) {
      if (!it.options.has('N')) {
        await it.out.line(`Only in ${inA === undefined ? b : a}: ${name}`);
        status = 1;
        continue;
      }
    } else if (inA.type === 'directory' && inB.type === 'directory') {
      if (it.options.has('r')) status = Math.max(status, await directories(it, left, right));
      else await it.out.line(`Common subdirectories: ${left} and ${right}`);
      continue;
    }
    status = Math.max(
      status,
      await files(
        it,
        left,
        right,
        `${it.name} ${it.proc.argv
          .slice(1)
          .filter((arg) => arg.startsWith('-'))
          .join(' ')} ${left} ${right}`,
      ),
    );
  }
  return status;
}

async function files(it: Invocation, a: string, b: string, heading: string | undefined): Promise<number> {
  const { options } = it;
  const [textA, textB] = [await read(it, a), await read(it, b)];
  if (
    textA !== textB &&
    !options.has('a') &&
    (textA.slice(0, 4096).includes('\0') || textB.slice(0, 4096).includes('\0'))
  ) {
    await it.out.line(`${options.has('q') ? 'Files' : 'Binary files'} ${a} and ${b} differ`);
    return 1;
  }
  const lines = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));
  const [linesA, linesB] = [lines(textA), lines(textB)];
  const mark = (text: string, all: readonly string[]): string[] =>
    all.map(
      (line, index) => normal(it, line) + (index === all.length - 1 && !text.endsWith('\n') ? '\0' : ''),
    );
  const ignored = options
    .values('I')
    .map((pattern) => compileRegex(pattern, { syntax: 'basic', global: false }));
  const blank = options.has('B');
  const matters = (change: Change): boolean => {
    if (ignored.length === 0 && !blank) return true;
    const all = [...linesA.slice(change.fromA, change.toA), ...linesB.slice(change.fromB, change.toB)];
    return !all.every((line) => (blank && line === '') || ignored.some((regex) => regex.test(line)));
  };
  const changes = diffLines(mark(textA, linesA), mark(textB, linesB)).filter(matters);
  if (changes.length === 0) {
    if (options.has('s')) await it.out.line(`Files ${a} and ${b} are identical`);
    if (options.has('y')) await sideBySide(it, linesA, linesB, changes);
    return 0;
  }
  if (options.has('q')) {
    await it.out.line(`Files ${a} and ${b} differ`);
    return 1;
  }
  if (heading !== undefined) await it.out.line(heading);
  const show = async (sign: string, all: readonly string[], text: string, index: number): Promise<void> => {
    const painter =
      sign.startsWith('<') || sign.startsWith('-')
        ? '31'
        : sign.startsWith('>') || sign.startsWith('+')
          ? '32'
          : '';
    await it.out.line(paint(it, sign + all[index]!, painter));
    if (index === all.length - 1 && !text.endsWith('\n')) await it.out.line('\\ No newline at end of file');
  };
  if (options.has('y')) await sideBySide(it, linesA, linesB, changes);
  else if (options.has('e', 'n')) await edScript(it, linesB, changes, options.has('n'));
  else if (options.last('u', 'U', 'c', 'C') === 'c' || options.last('u', 'U', 'c', 'C') === 'C')
    await contextual(it, a, b, linesA, linesB, changes, textA, textB);
  else if (options.has('u', 'U')) await unified(it, a, b, linesA, linesB, changes, show, textA, textB);
  else
    for (const change of changes) {
      const range = (from: number, to: number): string =>
        to - from <= 1 ? String(to === from ? from : to) : `${from + 1},${to}`;
      const kind = change.fromA === change.toA ? 'a' : change.fromB === change.toB ? 'd' : 'c';
      await it.out.line(
        paint(it, `${range(change.fromA, change.toA)}${kind}${range(change.fromB, change.toB)}`, '36'),
      );
      for (let i = change.fromA; i < change.toA; i++) await show('< ', linesA, textA, i);
      if (kind === 'c') await it.out.line('---');
      for (let i = change.fromB; i < change.toB; i++) await show('> ', linesB, textB, i);
    }
  return 1;
}

/** How many lines of context: -U, -C, or three. */
function contextOf(it: Invocation): number {
  return Number(
    it.options.value('U') ?? it.options.value('u') ?? it.options.value('C') ?? it.options.value('c') ?? 3,
  );
}

/** The names and times above a comparison. */
function titles(it: Invocation, a: string, b: string): [string, string] {
  const labels = it.options.values('L');
  const stamp = (path: string): string =>
    strftime(
      '%F %T.%N %z',
      path === '-' ? it.proc.clock.now() : (statOf(it.proc.fs, path)?.modifyMs ?? 0),
      zoneOf(it.proc),
    );
  return [labels[0] ?? `${a}\t${stamp(a)}`, labels[1] ?? `${b}\t${stamp(b)}`];
}

/** Changes whose contexts touch, together. */
function gathered(changes: readonly Change[], context: number): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1)?.at(-1);
    if (last !== undefined && change.fromA - last.toA <= 2 * context) hunks.at(-1)!.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

/** -p: the last line before a hunk that begins like a function. */
function functionBefore(lines: readonly string[], from: number): string {
  for (let i = from - 1; i >= 0; i--)
    if (/^[A-Za-z$_]/.test(lines[i]!)) return ` ${lines[i]!.slice(0, 40).trimEnd()}`;
  return '';
}

function paint(it: Invocation, text: string, code: string): string {
  const when = it.options.has('color') ? (it.options.value('color') ?? 'auto') : 'never';
  const on = when === 'always' || (when === 'auto' && it.proc.stdout.tty !== undefined);
  return on && code !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** diff -c. */
async function contextual(
  it: Invocation,
  a: string,
  b: string,
  linesA: readonly string[],
  linesB: readonly string[],
  changes: readonly Change[],
  textA: string,
  textB: string,
): Promise<void> {
  const context = contextOf(it);
  const [titleA, titleB] = titles(it, a, b);
  await it.out.put(`${paint(it, `*** ${titleA}`, '1')}\n${paint(it, `--- ${titleB}`, '1')}\n`);
  const range = (from: number, to: number): string => (to - from <= 1 ? String(to) : `${from + 1},${to}`);
  for (const hunk of gathered(changes, context)) {
    const [first, last] = [hunk[0]!, hunk.at(-1)!];
    const fromA = Math.max(0, first.fromA - context);
    const fromB = Math.max(0, first.fromB - context);
    const toA = Math.min(linesA.length, last.toA + context);
    const toB = Math.min(linesB.length, last.toB + context);
    await it.out.line(`***************${it.options.has('p') ? functionBefore(linesA, fromA) : ''}`);
    await it.out.line(paint(it, `*** ${range(fromA, toA)} ****`, '36'));
    const half = async (
      lines: readonly string[],
      text: string,
      from: number,
      to: number,
      side: (change: Change) => [number, number],
      alone: string,
    ): Promise<void> => {
      for (let i = from; i < to; i++) {
        const change = hunk.find((one) => side(one)[0] <= i && i < side(one)[1]);
        const both = change !== undefined && change.fromA < change.toA && change.fromB < change.toB;
        const sign = change === undefined ? ' ' : both ? '!' : alone;
        const code = change === undefined ? '' : alone === '-' ? '31' : '32';
        await it.out.line(paint(it, `${sign} ${lines[i]}`, code));
        if (i === lines.length - 1 && !text.endsWith('\n')) await it.out.line('\\ No newline at end of file');
      }
    };
    if (hunk.some((one) => one.fromA < one.toA))
      await half(linesA, textA, fromA, toA, (one) => [one.fromA, one.toA], '-');
    await it.out.line(paint(it, `--- ${range(fromB, toB)} ----`, '36'));
    if (hunk.some((one) => one.fromB < one.toB))
      await half(linesB, textB, fromB, toB, (one) => [one.fromB, one.toB], '+');
  }
}

/** diff -e, a script for ed from the end to the beginning, and -n, RCS's form. */
async function edScript(
  it: Invocation,
  linesB: readonly string[],
  changes: readonly Change[],
  rcs: boolean,
): Promise<void> {
  if (rcs) {
    for (const change of changes) {
      if (change.toA > change.fromA) await it.out.line(`d${change.fromA + 1} ${change.toA - change.fromA}`);
      if (change.toB === change.fromB) continue;
      await it.out.line(`a${change.toA} ${change.toB - change.fromB}`);
      for (const line of linesB.slice(change.fromB, change.toB)) await it.out.line(line);
    }
    return;
  }
  for (const change of changes.toReversed()) {
    const kind = change.fromA === change.toA ? 'a' : change.fromB === change.toB ? 'd' : 'c';
    const range =
      kind === 'a'
        ? String(change.fromA)
        : change.toA - change.fromA === 1
          ? String(change.toA)
          : `${change.fromA + 1},${change.toA}`;
    await it.out.line(range + kind);
    if (kind === 'd') continue;
    for (const line of linesB.slice(change.fromB, change.toB)) await it.out.line(line);
    await it.out.line('.');
  }
}

async function unified(
  it: Invocation,
  a: string,
  b: string,
  linesA: readonly string[],
  linesB: readonly string[],
  changes: readonly Change[],
  show: (sign: string, all: readonly string[], text: string, index: number) => Promise<void>,
  textA: string,
  textB: string,
): Promise<void> {
  const context = contextOf(it);
  const [titleA, titleB] = titles(it, a, b);
  await it.out.put(`${paint(it, `--- ${titleA}`, '1')}\n${paint(it, `+++ ${titleB}`, '1')}\n`);
  const hunks = gathered(changes, context);
  for (const hunk of hunks) {
    const [first, last] = [hunk[0]!, hunk.at(-1)!];
    const fromA = Math.max(0, first.fromA - context);
    const fromB = Math.max(0, first.fromB - context);
    const toA = Math.min(linesA.length, last.toA + context);
    const toB = Math.min(linesB.length, last.toB + context);
    const range = (from: number, to: number): string =>
      to - from === 1 ? String(from + 1) : `${to === from ? from : from + 1},${to - from}`;
    const about = it.options.has('p') ? functionBefore(linesA, fromA) : '';
    await it.out.line(paint(it, `@@ -${range(fromA, toA)} +${range(fromB, toB)} @@`, '36') + about);
    let i = fromA;
    for (const change of hunk) {
      for (; i < change.fromA; i++) await show(' ', linesA, textA, i);
      for (; i < change.toA; i++) await show('-', linesA, textA, i);
      for (let j = change.fromB; j < change.toB; j++) await show('+', linesB, textB, j);
    }
    for (; i < toA; i++) await show(' ', linesA, textA, i);
  }
}

async function sideBySide(
  it: Invocation,
  a: readonly string[],
  b: readonly string[],
  changes: readonly Change[],
): Promise<void> {
  // diffutils' side.c: half columns on the left, a gutter of three, tabs where they fit.
  const width = Number(it.options.value('W') ?? 130);
  const half =
    Math.max(
      0,
      Math.floor((width + 8) / 16) * 8 - 3 > Math.floor(width / 2)
        ? Math.floor((width - 3) / 16) * 8
        : Math.floor((width + 8) / 16) * 8,
    ) - 3;
  const column = Math.floor((half + 3 + 7) / 8) * 8;
  const row = async (left: string | undefined, sign: string, right: string | undefined): Promise<void> => {
    let text = (left ?? '').slice(0, half);
    let at = text.length;
    const to = (goal: number): void => {
      while (at < goal) {
        const next = (Math.floor(at / 8) + 1) * 8;
        if (next <= goal) {
          text += '\t';
          at = next;
        } else {
          text += ' ';
          at++;
        }
      }
    };
    if (sign !== ' ') {
      to(column - 2);
      text += sign;
      at++;
    }
    if (right !== undefined && right !== '') {
      to(column);
      text += right.slice(0, half);
    }
    await it.out.line(text);
  };
  let [i, j] = [0, 0];
  for (const change of [...changes, { fromA: a.length, toA: a.length, fromB: b.length, toB: b.length }]) {
    for (; i < change.fromA; i++, j++)
      if (!it.options.has('suppress-common-lines')) await row(a[i], ' ', b[j]);
    for (; i < change.toA && j < change.toB; i++, j++) await row(a[i], '|', b[j]);
    for (; i < change.toA; i++) await row(a[i], '<', undefined);
    for (; j < change.toB; j++) await row(undefined, '>', b[j]);
  }
}

/** A byte as cat -v shows it. */
function visible(byte: number): string {
  const low = byte & 0x7f;
  const text = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low);
  return byte > 127 ? `M-${text}` : text;
}

/** cmp(1) */
export const cmp: Program = command(
  {
    short: 'bi:ln:s',
    long: ['print-bytes>b', 'ignore-initial:>i', 'verbose>l', 'bytes:>n', 'quiet>s', 'silent>s'],
    usage: '[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]',
    version: '(GNU diffutils) 3.8',
    usageExit: 2,
    hint: (name) => `${name}: Try '${name} --help' for more information.\n`,
  },
  async (it) => {
    const [a, b = '-'] = it.operands;
    if (a === undefined) throw new UsageError(`missing operand after 'cmp'`);
    const data: Uint8Array[] = [];
    for (const path of [a, b]) {
      try {
        data.push(await readAll(it.open(path)));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        throw new Failure(`${shownName(it, path)}: ${error.message}`, 2);
      }
    }
    const skips = (it.options.value('i') ?? '0').split(':').map(Number);
    const [left, right] = [data[0]!.subarray(skips[0]), data[1]!.subarray(skips[1] ?? skips[0])];
    const limit = Number(it.options.value('n') ?? Infinity);
    let line = 1;
    let different = false;
    for (let i = 0; i < Math.min(left.length, right.length, limit); i++) {
      if (left[i] !== right[i]) {
        const bytes = it.options.has('b')
          ? [left[i]!, right[i]!].map((byte) => `${byte.toString(8).padStart(3)} ${visible(byte)}`)
          : undefined;
        if (it.options.has('l') && !it.options.has('s')) {
          const digits = String(Math.max(left.length, right.length)).length;
          const [x, y] = bytes ?? [left[i]!.toString(8).padStart(3), right[i]!.toString(8).padStart(3)];
          await it.out.line(
            `${String(i + 1).padStart(digits)} ${bytes === undefined ? x : x!.padEnd(8)} ${y}`,
          );
          different = true;
          continue;
        }
        if (!it.options.has('s'))
          await it.out.line(
            `${a} ${b} differ: byte ${i + 1}, line ${line}${bytes === undefined ? '' : ` is ${bytes.join(' ')}`}`,
          );
        return 1;
      }
      if (left[i] === 10) line++;
    }
    if (left.length === right.length || limit <= Math.min(left.length, right.length))
      return different ? 1 : 0;
    const [short, size] = left.length < right.length ? [a, left.length] : [b, right.length];
    if (!it.options.has('s'))
      await it.proc.stderr.write(
        `cmp: EOF on ${short}${size === 0 ? ' which is empty' : it.options.has('l') ? ` after byte ${size}` : ` after byte ${size}, ${left.at(-1) === 10 || right.at(-1) === 10 ? '' : 'in '}line ${line - 1}`}\n`,
      );
    return 1;
  },
);
