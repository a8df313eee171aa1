// patch(1): applies what diff printed, in the normal, context or unified form, with offsets and fuzz.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { bytesToText, textToBytes } from '../../shell/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { readAllText } from '../frame/input.ts';
import { parentPart, statOf } from '../coreutils/files.ts';

const FUZZ_MAX = 2;

interface Hunk {
  /** First line in the old and the new file, from 1. */
  readonly oldStart: number;
  readonly newStart: number;
  /** Lines with ' ', '-' or '+' before them. */
  readonly lines: readonly string[];
  /** The last old or new line has no newline. */
  readonly oldOpen: boolean;
  readonly newOpen: boolean;
}

interface FilePatch {
  readonly names: readonly string[];
  /** The lines that name the files. */
  readonly header: readonly string[];
  /** How many lines of the patch come before its first hunk. */
  readonly line: number;
  readonly hunks: readonly Hunk[];
}

/** patch(1) */
export const patch: Program = command(
  {
    short: 'bB:cd:D:eEfF:g:i:lnNo:p:r:RstT:uvV:x:Y:z:Z',
    long: [
      'strip:>p',
      'fuzz:>F',
      'reverse>R',
      'forward>N',
      'input:>i',
      'output:>o',
      'directory:>d',
      'quiet>s',
      'silent>s',
      'backup>b',
      'batch>t',
      'force>f',
      'dry-run',
      'verbose',
      'reject-file:>r',
      'remove-empty-files>E',
      'ignore-whitespace>l',
      'suffix:>z',
      'binary',
      'no-backup-if-mismatch',
      'posix',
      'unified>u',
      'context>c',
      'normal>n',
      'ed>e',
    ],
    usage: '[OPTION]... [ORIGFILE [PATCHFILE]]',
    summary: 'Apply a diff file to an original.',
    version: '(GNU patch) 2.7.6',
    usageExit: 2,
    hint: (name) => `${name}: Try '${name} --help' for more information.\n`,
  },
  async (it) => {
    const [original, patchFile] = it.operands;
    const source = patchFile ?? it.options.value('i');
    let text: string;
    try {
      text = await readAllText(it.open(source ?? '-'));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`**** Can't open patch file ${source} : ${error.message}`, 2);
    }
    const directory = it.options.value('d');
    if (directory !== undefined) it.proc.chdir(directory);
    const patches = parsePatch(text);
    if (patches.length === 0) {
      throw new Failure('**** Only garbage was found in the patch input.', 2);
    }
    const run = new Patcher(it);
    for (const one of patches) await run.apply(one, original);
    return run.failed ? 1 : 0;
  },
);

function nameOf(header: string): string {
  const name = header.replace(/^(?:---|\+\+\+|\*\*\*) /, '');
  return (
    name.includes('\t') ? name.slice(0, name.indexOf('\t')) : name.replace(/ \d{4}-\d\d-\d\d .*$/, '')
  ).trimEnd();
}

function parsePatch(text: string): FilePatch[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const patches: FilePatch[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at]!;
    const next = lines[at + 1] ?? '';
    if (line.startsWith('--- ') && next.startsWith('+++ ')) {
      const names = [nameOf(line), nameOf(next)];
      const read = unified(lines, at + 2);
      patches.push({ names, header: [line, next], line: at + 2, hunks: read.hunks });
      at = read.at;
    } else if (line.startsWith('*** ') && next.startsWith('--- ')) {
      const names = [nameOf(line), nameOf(next)];
      const read = context(lines, at + 2);
      patches.push({ names, header: [line, next], line: at + 2, hunks: read.hunks });
      at = read.at;
    } else if (/^\d+(?:,\d+)?[acd]\d+(?:,\d+)?$/.test(line)) {
      const read = normal(lines, at);
      patches.push({ names: [], header: [], line: at, hunks: read.hunks });
      at = read.at;
    } else at++;
  }
  return patches;
}

function unified(lines: readonly string[], from: number): { hunks: Hunk[]; at: number } {
  const hunks: Hunk[] = [];
  let at = from;
  for (;;) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(lines[at] ?? '');
    if (head === null) return { hunks, at };
    at++;
    let oldLeft = Number(head[2] ?? 1);
    let newLeft = Number(head[4] ?? 1);
    const body: string[] = [];
    let [oldOpen, newOpen] = [false, false];
    while (at < lines.length) {
      const line = lines[at]!;
      if (line.startsWith('\\')) {
        const last = body.at(-1)?.[0];
        if (last !== '+') oldOpen = true;
        if (last !== '-') newOpen = true;
        at++;
        continue;
      }
      if (oldLeft <= 0 && newLeft <= 0) break;
      const mark = line === '' ? ' ' : line[0]!;
      if (!' -+'.includes(mark)) throw new Failure(`**** malformed patch at line ${at + 1}: ${line}`, 2);
      if (mark !== '+') oldLeft--;
      if (mark !== '-') newLeft--;
      body.push(line === '' ? ' ' : line);
      at++;
    }
    hunks.push({ oldStart: Number(head[1]), newStart: Number(head[3]), lines: body, oldOpen, newOpen });
  }
}

function context(lines: readonly string[], from: number): { hunks: Hunk[]; at: number } {
  const hunks: Hunk[] = [];
  let at = from;
  while ((lines[at] ?? '').startsWith('***************')) {
    at++;
    const head = /^\*\*\* (\d+)(?:,(\d+))? \*\*\*\*/.exec(lines[at] ?? '');
    if (head === null) break;
    at++;
    const old: string[] = [];
    let [oldOpen, newOpen] = [false, false];
    while (at < lines.length && !/^--- \d+(?:,\d+)? ----/.test(lines[at]!)) {
      if (lines[at]!.startsWith('\\')) oldOpen = true;
      else old.push(lines[at]!);
      at++;
    }
    const second = /^--- (\d+)(?:,(\d+))? ----/.exec(lines[at] ?? '');
    at++;
    const fresh: string[] = [];
    while (at < lines.length && (/^[ !+] /.test(lines[at]!) || lines[at]!.startsWith('\\'))) {
      if (lines[at]!.startsWith('\\')) newOpen = true;
      else fresh.push(lines[at]!);
      at++;
    }
    hunks.push({
      oldStart: Number(head[1]),
      newStart: Number(second?.[1] ?? 0),
      lines: weave(old, fresh),
      oldOpen,
      newOpen,
    });
  }
  return { hunks, at };
}

/** Both halves of a context hunk as one list. */
function weave(old: readonly string[], fresh: readonly string[]): string[] {
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    const [a, b] = [old[i], fresh[j]];
    if (a !== undefined && (a[0] === '-' || a[0] === '!')) {
      out.push(`-${a.slice(2)}`);
      i++;
    } else if (b !== undefined && (b[0] === '+' || b[0] === '!')) {
      out.push(`+${b.slice(2)}`);
      j++;
    } else {
      out.push(` ${(a ?? b)!.slice(2)}`);
      if (a !== undefined) i++;
      if (b !== undefined && (a !== undefined || old.length === 0 || i >= old.length)) j++;
    }
  }
  return out;
}

function normal(lines: readonly string[], from: number): { hunks: Hunk[]; at: number } {
  const hunks: Hunk[] = [];
  let at = from;
  for (;;) {
    const head = /^(\d+)(?:,(\d+))?([acd])(\d+)(?:,(\d+))?$/.exec(lines[at] ?? '');
    if (head === null) return { hunks, at };
    at++;
    const body: string[] = [];
    let [oldOpen, newOpen] = [false, false];
    for (; /^[<>\\]|^---$/.test(lines[at] ?? ''); at++) {
      const line = lines[at]!;
      if (line.startsWith('\\')) {
        if (body.at(-1)?.startsWith('-') === true) oldOpen = true;
        else newOpen = true;
      } else if (line !== '---') body.push(`${line.startsWith('<') ? '-' : '+'}${line.slice(2)}`);
    }
    const start = Number(head[1]) + (head[3] === 'a' ? 1 : 0);
    hunks.push({
      oldStart: start,
      newStart: Number(head[4]) + (head[3] === 'd' ? 1 : 0),
      lines: body,
      oldOpen,
      newOpen,
    });
  }
}

function reversed(hunk: Hunk): Hunk {
  return {
    oldStart: hunk.newStart,
    newStart: hunk.oldStart,
    lines: hunk.lines.map((line) =>
      line[0] === '-' ? `+${line.slice(1)}` : line[0] === '+' ? `-${line.slice(1)}` : line,
    ),
    oldOpen: hunk.newOpen,
    newOpen: hunk.oldOpen,
  };
}

class Patcher {
  private readonly it: Invocation;
  failed = false;

  constructor(it: Invocation) {
    this.it = it;
  }

  private chosen(one: FilePatch, original: string | undefined): string | undefined {
    if (original !== undefined) return original;
    const { fs } = this.it.proc;
    const strip = this.it.options.value('p');
    const stripped = one.names
      .filter((name) => name !== '/dev/null')
      .map((name) => {
        if (strip === undefined) return name.slice(name.lastIndexOf('/') + 1);
        let rest = name;
        for (let i = 0; i < Number(strip); i++) {
          const slash = rest.indexOf('/');
          if (slash < 0) return '';
          rest = rest.slice(slash + 1).replace(/^\/+/, '');
        }
        return rest;
      })
      .filter((name) => name !== '');
    const existing = stripped.filter((name) => statOf(fs, name) !== undefined);
    const shortest = (names: readonly string[]): string | undefined =>
      names.toSorted((a, b) => a.split('/').length - b.split('/').length || a.length - b.length)[0];
    if (existing.length > 0) return shortest(existing);
    const creates = one.names[0] === '/dev/null' || one.hunks.every((hunk) => hunk.oldStart === 0);
    return creates ? shortest(stripped) : undefined;
  }

  async apply(one: FilePatch, original: string | undefined): Promise<void> {
    const { it } = this;
    const { fs } = it.proc;
    const quiet = it.options.has('s');
    const path = this.chosen(one, original);
    if (path === undefined) {
      await it.out.put(
        `can't find file to patch at input line ${one.line + 1}\nPerhaps you ${it.options.has('p') ? 'used the wrong -p or --strip option?' : 'should have used the -p or --strip option?'}\n${one.header.length === 0 ? '' : `The text leading up to this was:\n--------------------------\n${one.header.map((line) => `|${line}\n`).join('')}--------------------------\n`}File to patch: \nSkip this patch? [y] \nSkipping patch.\n${one.hunks.length} out of ${one.hunks.length} hunk${one.hunks.length === 1 ? '' : 's'} ignored\n`,
      );
      this.failed = true;
      return;
    }
    const before = statOf(fs, path) === undefined ? '' : bytesToText(fs.readFile(path));
    const exists = statOf(fs, path) !== undefined;
    let hunks = it.options.has('R') ? one.hunks.map(reversed) : one.hunks;
    const output = it.options.value('o');
    if (!quiet)
      await it.out.put(
        `${it.options.has('dry-run') ? 'checking' : 'patching'} file ${output === undefined ? path : `${output} (read from ${path})`}\n`,
      );
    let lines = before === '' ? [] : before.replace(/\n$/, '').split('\n');
    let open = before !== '' && !before.endsWith('\n');
    if (!fits(lines, hunks[0]!, 0) && fits(lines, reversed(hunks[0]!), 0)) {
      if (it.options.has('N')) {
        await it.out.put(
          `Reversed (or previously applied) patch detected!  Skipping patch.\n${hunks.length} out of ${hunks.length} hunk${hunks.length === 1 ? '' : 's'} ignored`,
        );
        await this.reject(path, one, hunks, ' -- saving rejects to file ');
        return;
      }
      await it.out.put(
        `Reversed (or previously applied) patch detected!  ${it.options.has('t') ? 'Assuming -R.\n' : 'Assume -R? [n] '}`,
      );
      const answer = it.options.has('t') ? 'y' : '';
      if (answer === 'y') hunks = hunks.map(reversed);
      else {
        await it.out.put(
          `\nApply anyway? [n] \nSkipping patch.\n${hunks.length} out of ${hunks.length} hunk${hunks.length === 1 ? '' : 's'} ignored`,
        );
        await this.reject(path, one, hunks, ' -- saving rejects to file ');
        return;
      }
    }
    let offset = 0;
    let mismatch = false;
    const rejected: Hunk[] = [];
    for (const [index, hunk] of hunks.entries()) {
      const found = locate(lines, hunk, offset, Number(it.options.value('F') ?? FUZZ_MAX));
      if (found === undefined) {
        rejected.push(hunk);
        mismatch = true;
        await it.out.put(`Hunk #${index + 1} FAILED at ${hunk.oldStart === 0 ? 1 : hunk.oldStart}.\n`);
        continue;
      }
      const wanted = Math.max(0, hunk.oldStart - 1) + offset;
      const shown = found.at + 1;
      if (found.at !== wanted || found.fuzz > 0) {
        const parts =
          (found.fuzz > 0 ? ` with fuzz ${found.fuzz}` : '') +
          (found.at === wanted
            ? ''
            : ` (offset ${found.at - wanted + (offset - this.grown)} line${Math.abs(found.at - wanted + (offset - this.grown)) === 1 ? '' : 's'})`);
        if (!quiet || found.fuzz > 0) await it.out.put(`Hunk #${index + 1} succeeded at ${shown}${parts}.\n`);
        mismatch = true;
      }
      const core = hunk.lines.slice(found.before, hunk.lines.length - found.after);
      const old = core.filter((line) => line[0] !== '+');
      const fresh = core.filter((line) => line[0] !== '-').map((line) => line.slice(1));
      const position = found.at + found.before;
      const atEnd = position + old.length === lines.length;
      lines = [...lines.slice(0, position), ...fresh, ...lines.slice(position + old.length)];
      if (atEnd) open = hunk.newOpen;
      offset += found.at - wanted + fresh.length - old.length;
      this.grown += fresh.length - old.length;
    }
    this.grown = 0;
    if (rejected.length > 0)
      await it.out.put(
        `${rejected.length} out of ${hunks.length} hunk${hunks.length === 1 ? '' : 's'} FAILED`,
      );
    if (!it.options.has('dry-run')) {
      const text = lines.length === 0 ? '' : lines.join('\n') + (open ? '' : '\n');
      if (
        (it.options.has('b') || (mismatch && exists)) &&
        !it.options.has('no-backup-if-mismatch') &&
        output === undefined
      )
        fs.writeFile(`${path}${it.options.value('z') ?? '.orig'}`, textToBytes(before));
      const removes = text === '' && (one.names[1] === '/dev/null' || it.options.has('E'));
      if (removes && output === undefined) fs.unlink(path);
      else {
        if (!exists && parentPart(path) !== '.') fs.mkdir(parentPart(path), { recursive: true });
        fs.writeFile(output ?? path, textToBytes(text));
      }
    }
    if (rejected.length > 0) await this.reject(path, one, rejected, ' -- saving rejects to file ');
  }

  /** Lines added so far by hunks of the file at hand. */
  private grown = 0;

  private async reject(
    path: string,
    one: FilePatch,
    rejected: readonly Hunk[],
    words: string,
  ): Promise<void> {
    this.failed = true;
    const file = this.it.options.value('r') ?? `${path}.rej`;
    if (this.it.options.has('dry-run')) {
      await this.it.out.put('\n');
      return;
    }
    await this.it.out.put(`${words}${file}\n`);
    const header = one.header.length > 0 ? one.header : [`--- ${path}`, `+++ ${path}`];
    const range = (start: number, count: number): string =>
      count === 1 ? String(start) : `${start},${count}`;
    const text = rejected
      .map((hunk) => {
        const old = hunk.lines.filter((line) => line[0] !== '+').length;
        const fresh = hunk.lines.filter((line) => line[0] !== '-').length;
        return `@@ -${range(hunk.oldStart, old)} +${range(hunk.newStart, fresh)} @@\n${hunk.lines.map((line) => `${line}\n`).join('')}`;
      })
      .join('');
    this.it.proc.fs.writeFile(
      file,
      textToBytes(`${header[0]!.replace(/^\*\*\*/, '---')}\n${header[1]!.replace(/^---/, '+++')}\n${text}`),
    );
  }
}

/** Whether a hunk's old lines stand at its own place. */
function fits(lines: readonly string[], hunk: Hunk, offset: number): boolean {
  return matchesAt(lines, hunk.lines, Math.max(0, hunk.oldStart - 1) + offset, 0, 0);
}

function matchesAt(
  lines: readonly string[],
  hunk: readonly string[],
  at: number,
  before: number,
  after: number,
): boolean {
  const old = hunk.slice(before, hunk.length - after).filter((line) => line[0] !== '+');
  if (at < 0 || at + before + old.length > lines.length) return false;
  return old.every((line, index) => lines[at + before + index] === line.slice(1));
}

/** Where a hunk fits, nearest to where it should; with growing fuzz, outer context lines don't count. */
function locate(
  lines: readonly string[],
  hunk: Hunk,
  offset: number,
  fuzzMax: number,
): { at: number; fuzz: number; before: number; after: number } | undefined {
  const wanted = Math.max(0, hunk.oldStart - 1) + offset;
  const lead = hunk.lines.findIndex((line) => line[0] !== ' ');
  const tail = hunk.lines.toReversed().findIndex((line) => line[0] !== ' ');
  const most = Math.max(lead, tail);
  for (let fuzz = 0; fuzz <= Math.min(fuzzMax, most); fuzz++) {
    const before = Math.max(0, fuzz + lead - most);
    const after = Math.max(0, fuzz + tail - most);
    for (let distance = 0; distance <= lines.length + 1; distance++)
      for (const at of distance === 0 ? [wanted] : [wanted + distance, wanted - distance])
        if (matchesAt(lines, hunk.lines, at, before, after)) return { at, fuzz, before, after };
  }
  return undefined;
}
