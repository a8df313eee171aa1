// ls(1), dir(1)
import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, Program } from '../../kernel/index.ts';
import { groupName, userName } from '../frame/accounts.ts';
import { shownName, command, Failure, type Invocation } from '../frame/command.ts';
import { displayWidth, humanSize, modeString, parseSize } from '../frame/format.ts';
import { globRegex } from '../frame/glob.ts';
import { escapeName, hideControls, quote, quoteAlways, quoteLikeC, quoteWhenNeeded } from '../frame/quote.ts';
import { compareNames, compareVersions } from '../frame/collate.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { join, lstatOf, statOf } from './files.ts';
import { dircolorsPalette, type Palette } from './palette.ts';

const HALF_YEAR_MS = 15_778_476_000;

interface Entry {
  /** As shown. */
  readonly name: string;
  readonly path: string;
  readonly stat: FileStat;
}

/** What `--word=…` takes, as GNU lists it after a wrong one: each line's words mean the same. */
const CHOICES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  color: [
    ['always', 'yes', 'force'],
    ['never', 'no', 'none'],
    ['auto', 'tty', 'if-tty'],
  ],
  sort: [['none'], ['time'], ['size'], ['extension'], ['version'], ['width']],
  format: [['verbose', 'long'], ['commas'], ['horizontal', 'across'], ['vertical'], ['single-column']],
  'indicator-style': [['none'], ['slash'], ['file-type'], ['classify']],
  'quoting-style': [
    ['literal'],
    ['shell'],
    ['shell-always'],
    ['shell-escape'],
    ['shell-escape-always'],
    ['c'],
    ['c-maybe'],
    ['escape'],
    ['locale'],
    ['clocale'],
  ],
};

/** Throws UsageError for a word that isn't among the choices. */
function checkChoice(option: string, value: string | undefined): void {
  if (value === undefined) return;
  const lines = CHOICES[option]!;
  if (lines.some((words) => words.includes(value))) return;
  throw new WrongChoice(
    `invalid argument ${quote(value)} for ${quote(`--${option}`)}\nValid arguments are:\n${lines.map((words) => `  - ${words.map(quote).join(', ')}`).join('\n')}`,
  );
}

class WrongChoice extends Error {}

/** ls(1) */
export const ls: Program = lister('ls');
/** dir(1): ls -C -b */
export const dir: Program = lister('dir');
/** vdir(1): ls -l -b */
export const vdir: Program = lister('vdir');

function lister(kind: 'ls' | 'dir' | 'vdir'): Program {
  return command(
    {
      short: 'aAbBcCdDfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ1',
      long: [
        'all>a',
        'almost-all>A',
        'author',
        'escape>b',
        'block-size:',
        'ignore-backups>B',
        'color::',
        'directory>d',
        'dired>D',
        'classify::>F',
        'file-type',
        'format:',
        'full-time',
        'group-directories-first',
        'no-group>G',
        'human-readable>h',
        'si',
        'dereference-command-line>H',
        'hide:',
        'hyperlink::',
        'indicator-style:',
        'inode>i',
        'ignore:>I',
        'kibibytes>k',
        'dereference>L',
        'numeric-uid-gid>n',
        'literal>N',
        'hide-control-chars>q',
        'show-control-chars',
        'quote-name>Q',
        'quoting-style:',
        'reverse>r',
        'recursive>R',
        'size>s',
        'sort:',
        'time:',
        'time-style:',
        'tabsize:>T',
        'width:>w',
        'context>Z',
        'zero',
      ],
      usage: '[OPTION]... [FILE]...',
      summary: 'List information about the FILEs (the current directory by default).',
      version: '(GNU coreutils) 9.1',
      usageExit: 2,
    },
    async (it) => {
      let lister: Lister;
      try {
        lister = new Lister(it, kind);
      } catch (error) {
        if (!(error instanceof WrongChoice)) throw error;
        throw new Failure(`${error.message}\nTry '${it.name} --help' for more information.`, 1);
      }
      const paths = it.operands.length > 0 ? it.operands : ['.'];
      const files: Entry[] = [];
      const directories: Entry[] = [];
      for (const path of paths) {
        try {
          const stat = lister.statOperand(path);
          (stat.type === 'directory' && !it.options.has('d') ? directories : files).push({
            name: path,
            path,
            stat,
          });
        } catch (error) {
          if (!(error instanceof ErrnoError)) throw error;
          if (it.dialect === 'busybox') await it.warn(`${shownName(it, path)}: ${error.message}`);
          else await it.warn(`cannot access ${quoteAlways(path)}: ${error.message}`, 2);
        }
      }
      await lister.listAll(files, directories, paths.length > 1 || it.options.has('R'));
    },
  );
}

class Lister {
  private readonly it: Invocation;
  private readonly tty: boolean;
  private readonly color: boolean;
  private readonly long: boolean;
  private readonly palette: Palette;
  private readonly width: number;
  private readonly indicator: 'none' | 'slash' | 'file-type' | 'classify';

  private readonly kind: 'ls' | 'dir' | 'vdir';

  constructor(it: Invocation, kind: 'ls' | 'dir' | 'vdir') {
    this.it = it;
    this.kind = kind;
    this.palette = dircolorsPalette(it.proc.env.get('LS_COLORS'));
    const { options } = it;
    for (const name of Object.keys(CHOICES)) checkChoice(name, options.value(name));
    this.tty = it.proc.stdout.tty !== undefined;
    const color = options.has('color') ? (options.value('color') ?? 'always') : 'never';
    this.color =
      ['always', 'yes', 'force'].includes(color) || (['auto', 'tty', 'if-tty'].includes(color) && this.tty);
    const format = options.last('l', 'g', 'n', 'o', 'full-time', 'C', 'x', 'm', 'format');
    const named = format === 'format' ? options.value('format') : undefined;
    this.long =
      (format === undefined && kind === 'vdir') ||
      (format !== undefined && ['l', 'g', 'n', 'o', 'full-time'].includes(format)) ||
      named === 'long' ||
      named === 'verbose';
    const width =
      options.value('w') ??
      (this.tty ? String(it.proc.stdout.tty!.size.columns) : (it.proc.env.get('COLUMNS') ?? '80'));
    this.width = Number(width) || 80;
    const last = options.last('F', 'p', 'file-type', 'indicator-style');
    const style =
      last === 'indicator-style'
        ? { slash: 'p', 'file-type': 'file-type', classify: 'F' }[options.value('indicator-style')!]
        : last === 'F' && ['never', 'no', 'none'].includes(options.value('F') ?? '')
          ? undefined
          : last === 'F' && ['auto', 'tty', 'if-tty'].includes(options.value('F') ?? '') && !this.tty
            ? undefined
            : last;
    this.indicator =
      style === 'F' ? 'classify' : style === 'p' ? 'slash' : style === 'file-type' ? 'file-type' : 'none';
  }

  statOperand(path: string): FileStat {
    const { fs } = this.it.proc;
    const { options } = this.it;
    const link = fs.lstat(path);
    if (link.type !== 'symlink') return link;
    if (options.has('L', 'H')) return fs.stat(path);
    if (options.has('l', 'g', 'n', 'o', 'd', 'F')) return link;
    const target = statOf(fs, path);
    return target?.type === 'directory' ? target : link;
  }

  async listAll(files: Entry[], directories: Entry[], titled: boolean): Promise<void> {
    const { it } = this;
    if (files.length > 0) await this.show(this.sort(files), false, directories);
    let first = files.length === 0;
    const queue = this.sort(directories);
    while (queue.length > 0) {
      const directory = queue.shift()!;
      let entries: Entry[];
      try {
        entries = this.read(directory.path);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`cannot open directory ${quoteAlways(directory.path)}: ${error.message}`, 2);
        continue;
      }
      if (!first) await it.out.put('\n');
      first = false;
      if (titled) await it.out.line(`${this.quoted(directory.name)}:`);
      const sorted = this.sort(entries);
      await this.show(sorted, true);
      await it.out.flush();
      if (it.options.has('R'))
        queue.unshift(
          ...sorted
            .filter((entry) => entry.stat.type === 'directory' && entry.name !== '.' && entry.name !== '..')
            .map((entry) => ({ ...entry, name: entry.path })),
        );
    }
  }

  private read(path: string): Entry[] {
    const { fs } = this.it.proc;
    const { options } = this.it;
    const hidden = options.has('a', 'f') ? 'all' : options.has('A') ? 'almost' : 'none';
    const ignored = [
      ...options.values('I'),
      ...(options.has('B') ? ['*~'] : []),
      ...(hidden === 'none' ? options.values('hide') : []),
    ].map((pattern) => globRegex(pattern));
    const names = fs
      .readdir(path)
      .map((entry) => entry.name)
      .filter(
        (name) =>
          (hidden !== 'none' || !name.startsWith('.')) && !ignored.some((pattern) => pattern.test(name)),
      );
    if (hidden === 'all') names.unshift('.', '..');
    return names.flatMap((name) => {
      const full = join(path, name);
      const stat = (options.has('L') ? statOf(fs, full) : undefined) ?? lstatOf(fs, full);
      return stat === undefined ? [] : [{ name, path: full, stat }];
    });
  }

  private sort(entries: Entry[]): Entry[] {
    const { options } = this.it;
    const by =
      options.value('sort') ??
      { S: 'size', t: 'time', U: 'none', f: 'none', v: 'version', X: 'extension' }[
        options.last('S', 't', 'U', 'f', 'v', 'X') ?? ''
      ] ??
      (options.has('c', 'u') && !this.long ? 'time' : 'name');
    if (by === 'none') return [...entries];
    const extension = (name: string): string => (name.includes('.') ? name.slice(name.lastIndexOf('.')) : '');
    const sorted = entries.toSorted((a, b) => {
      const order =
        by === 'size'
          ? b.stat.sizeBytes - a.stat.sizeBytes
          : by === 'time'
            ? this.time(b.stat) - this.time(a.stat)
            : by === 'version'
              ? compareVersions(a.name, b.name)
              : by === 'extension'
                ? compareNames(extension(a.name), extension(b.name))
                : by === 'width'
                  ? displayWidth(this.quoted(a.name)) - displayWidth(this.quoted(b.name))
                  : 0;
      return order === 0 ? compareNames(a.name, b.name) : order;
    });
    if (options.has('r')) sorted.reverse();
    if (options.has('group-directories-first'))
      sorted.sort((a, b) => Number(this.leadsToDirectory(b)) - Number(this.leadsToDirectory(a)));
    return sorted;
  }

  private leadsToDirectory(entry: Entry): boolean {
    if (entry.stat.type === 'directory') return true;
    return entry.stat.type === 'symlink' && statOf(this.it.proc.fs, entry.path)?.type === 'directory';
  }

  private time(stat: FileStat): number {
    const which = this.it.options.value('time') ?? this.it.options.last('c', 'u');
    if (which === 'c' || which === 'ctime' || which === 'status') return stat.changeMs;
    return which === 'u' || which === 'atime' || which === 'access' || which === 'use'
      ? stat.accessMs
      : stat.modifyMs;
  }

  private quoted(name: string): string {
    const { options } = this.it;
    if (this.it.dialect === 'busybox') return this.tty || options.has('q') ? hideControls(name) : name;
    const last = options.last('Q', 'b', 'N', 'quoting-style');
    const style =
      last === 'Q'
        ? 'c'
        : last === 'b'
          ? 'escape'
          : last === 'N'
            ? 'literal'
            : (options.value('quoting-style') ??
              (this.kind !== 'ls' ? 'escape' : this.tty ? 'shell-escape' : 'literal'));
    switch (style) {
      case 'c':
        return quoteLikeC(name);
      case 'c-maybe':
        return /["\\\u0000-\u001f\u007f\udc80-\udcff]/.test(name) ? quoteLikeC(name) : name;
      case 'escape':
        return escapeName(name);
      case 'locale':
      case 'clocale':
        return style === 'clocale' ? quoteLikeC(name) : quote(name);
      case 'shell':
      case 'shell-escape':
        return quoteWhenNeeded(name);
      case 'shell-always':
      case 'shell-escape-always':
        return quoteAlways(name);
      default:
        return options.has('q') || (this.tty && !options.has('show-control-chars'))
          ? hideControls(name)
          : name;
    }
  }

  private suffix(entry: Entry): string {
    const { type, mode } = entry.stat;
    if (this.indicator === 'none') return '';
    if (type === 'directory') return '/';
    if (this.indicator === 'slash') return '';
    if (type === 'symlink') return this.long ? '' : '@';
    if (type === 'fifo') return '|';
    if (type === 'socket') return '=';
    return this.indicator === 'classify' && (mode & 0o111) !== 0 ? '*' : '';
  }

  private painted(text: string, entry: Entry): string {
    if (!this.color) return text;
    const code = this.palette.of(
      entry.stat,
      entry.name,
      entry.stat.type === 'symlink' && statOf(this.it.proc.fs, entry.path) === undefined,
    );
    return code === ''
      ? text
      : `\u001b[0m\u001b[${code}m${text}\u001b[0m`.replace(
          /^\u001b\[0m/,
          this.started ? '' : ((this.started = true), '\u001b[0m'),
        );
  }
  private started = false;

  private label(entry: Entry): { text: string; width: number } {
    const plain = this.quoted(entry.name);
    const suffix = this.suffix(entry);
    return { text: this.painted(plain, entry) + suffix, width: displayWidth(plain) + suffix.length };
  }

  private async show(entries: Entry[], directory: boolean, beside: readonly Entry[] = []): Promise<void> {
    const { it } = this;
    const { options } = it;
    const blocks = entries.reduce((sum, entry) => sum + blocksOf(entry.stat), 0);
    if ((this.long || options.has('s')) && directory) await it.out.line(`total ${this.size(blocks * 1024)}`);
    if (this.long) return this.showLong(entries, beside);
    const prefix = (entry: Entry): string =>
      (options.has('i') ? `${entry.stat.inode} ` : '') +
      (options.has('s')
        ? `${this.size(blocksOf(entry.stat) * 1024).padStart(this.size(blocks * 1024).length)} `
        : '') +
      (options.has('Z') ? '? ' : '');
    const labels = entries.map((entry) => {
      const { text, width } = this.label(entry);
      return { text: prefix(entry) + text, width: prefix(entry).length + width };
    });
    const last = options.last('1', 'C', 'x', 'm', 'format');
    const layout =
      last === 'format'
        ? ({ commas: 'm', horizontal: 'x', across: 'x', vertical: 'C' }[options.value('format')!] ?? '1')
        : (last ?? (this.tty || this.kind === 'dir' ? 'C' : '1'));
    const end = options.has('zero') ? '\0' : '\n';
    if (layout === '1') for (const label of labels) await it.out.put(label.text + end);
    else if (layout === 'm') await it.out.put(withCommas(labels, this.width));
    else if (labels.length > 0) {
      // Tabs fill up the columns, unless names are coloured.
      const tab = this.color ? 0 : Number(options.value('T') ?? (it.dialect === 'busybox' ? 0 : 8));
      await it.out.put(inColumns(labels, this.width, layout === 'x', tab));
    }
  }

  /** Bytes on disk in the unit of --block-size, -h or -k. */
  private size(bytes: number): string {
    const { options } = this.it;
    if (options.has('h')) return humanSize(bytes);
    if (options.has('si')) return humanSize(bytes, 1000);
    const unit = parseSize(options.value('block-size') ?? '1K') ?? 1024;
    return String(Math.ceil(bytes / Math.max(1, unit)));
  }

  /** Columns are as wide as those entries and the directories named beside them need. */
  private async showLong(entries: Entry[], beside: readonly Entry[]): Promise<void> {
    const { it } = this;
    const { proc, options } = it;
    const zone = zoneOf(proc);
    const numeric = options.has('n');
    const all = [...entries, ...beside].map((entry) => {
      const { stat } = entry;
      const device = stat.type === 'character-device' || stat.type === 'block-device';
      return {
        entry,
        inode: String(stat.inode),
        blocks: this.size(blocksOf(stat) * 1024),
        mode: modeString(stat.type, stat.mode),
        links: String(stat.links),
        owner: numeric ? String(stat.uid) : userName(proc, stat.uid),
        group: numeric ? String(stat.gid) : groupName(proc, stat.gid),
        size: device
          ? `${(stat.device >> 8) & 0xfff}, ${stat.device & 0xff}`
          : options.has('h')
            ? humanSize(stat.sizeBytes)
            : options.has('si')
              ? humanSize(stat.sizeBytes, 1000)
              : String(stat.sizeBytes),
        time: this.timeText(this.time(stat), zone),
      };
    });
    const width = (key: 'inode' | 'blocks' | 'links' | 'owner' | 'group' | 'size'): number =>
      all.reduce((max, row) => Math.max(max, displayWidth(row[key])), 0);
    const widths = {
      inode: width('inode'),
      blocks: width('blocks'),
      links: width('links'),
      owner: width('owner'),
      group: width('group'),
      size: width('size'),
    };
    for (const row of all.slice(0, entries.length)) {
      const columns = [
        ...(options.has('i') ? [row.inode.padStart(widths.inode)] : []),
        ...(options.has('s') ? [row.blocks.padStart(widths.blocks)] : []),
        row.mode,
        row.links.padStart(widths.links),
        ...(options.has('g') ? [] : [row.owner.padEnd(widths.owner)]),
        ...(options.has('o', 'G') ? [] : [row.group.padEnd(widths.group)]),
        ...(options.has('author') ? [row.owner.padEnd(widths.owner)] : []),
        ...(options.has('Z') ? ['?'] : []),
        row.size.padStart(widths.size),
        row.time,
        this.longName(row.entry),
      ];
      await it.out.line(columns.join(' '));
    }
  }

  private longName(entry: Entry): string {
    const { text } = this.label(entry);
    if (entry.stat.type !== 'symlink') return text;
    const { fs } = this.it.proc;
    const target = fs.readlink(entry.path);
    const stat = statOf(fs, entry.path);
    const shown = this.quoted(target);
    // A link's target has a colour of its own only where LS_COLORS says what broken links look like.
    const painted =
      !this.color || !this.palette.has('or')
        ? shown
        : stat === undefined
          ? this.palette.has('mi')
            ? this.painted(shown, { ...entry, name: target })
            : shown
          : this.painted(shown, { name: target, path: target, stat });
    return `${text} -> ${painted}${stat === undefined ? '' : this.suffix({ name: target, path: target, stat })}`;
  }

  private timeText(ms: number, zone: Parameters<typeof strftime>[2]): string {
    const style = this.it.options.has('full-time')
      ? 'full-iso'
      : (this.it.options.value('time-style') ?? 'locale');
    if (style.startsWith('+')) return strftime(style.slice(1), ms, zone);
    if (style === 'full-iso') return strftime('%F %T.%N %z', ms, zone);
    if (style === 'long-iso') return strftime('%F %R', ms, zone);
    const now = this.it.proc.clock.now();
    const recent = ms <= now && ms > now - HALF_YEAR_MS;
    if (style === 'iso') return strftime(recent ? '%m-%d %R' : '%F ', ms, zone);
    return strftime(recent ? '%b %e %H:%M' : '%b %e  %Y', ms, zone);
  }
}

function blocksOf(stat: FileStat): number {
  return stat.type === 'file' || stat.type === 'directory'
    ? (stat.allocatedBytes ?? Math.ceil(stat.sizeBytes / 4096) * 4096) / 1024
    : 0;
}

/** Blanks from one column to another, with tabs where they reach. */
function indent(from: number, to: number, tab: number): string {
  let text = '';
  let at = from;
  while (at < to) {
    if (tab !== 0 && Math.floor(to / tab) > Math.floor((at + 1) / tab)) {
      text += '\t';
      at += tab - (at % tab);
    } else {
      text += ' ';
      at++;
    }
  }
  return text;
}

/** Names one after another, a new line where the width is used up (ls -m). */
function withCommas(labels: readonly { text: string; width: number }[], width: number): string {
  let text = '';
  let at = 0;
  for (const [index, label] of labels.entries()) {
    if (index > 0) {
      const fits = at + 2 + label.width < width;
      text += fits ? ', ' : ',\n';
      at = fits ? at + 2 : 0;
    }
    text += label.text;
    at += label.width;
  }
  return labels.length === 0 ? '' : `${text}\n`;
}

/** Columns of varying width, filled down (or across with `across`), two blanks between. */
function inColumns(
  labels: readonly { text: string; width: number }[],
  width: number,
  across: boolean,
  tab: number,
): string {
  const count = labels.length;
  for (let wanted = Math.max(1, Math.min(count, Math.floor(width / 3))); wanted >= 1; wanted--) {
    const rows = Math.ceil(count / wanted);
    const columns = across ? wanted : Math.ceil(count / rows);
    const cell = (row: number, column: number): { text: string; width: number } | undefined =>
      labels[across ? row * columns + column : column * rows + row];
    const widths = Array.from({ length: columns }, (_, column) =>
      Math.max(...Array.from({ length: rows }, (__, row) => cell(row, column)?.width ?? 0)),
    );
    const total = widths.reduce((sum, w) => sum + w + 2, -2);
    if (total >= width && wanted > 1) continue;
    let text = '';
    for (let row = 0; row < rows; row++) {
      let at = 0;
      for (let column = 0; column < columns; column++) {
        const label = cell(row, column);
        if (label === undefined) break;
        text += label.text;
        if (cell(row, column + 1) === undefined || column + 1 >= columns) continue;
        text += indent(at + label.width, at + widths[column]! + 2, tab);
        at += widths[column]! + 2;
      }
      text += '\n';
    }
    return text;
  }
  return '';
}
