// ls(1), dir(1)
import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, Program } from '../../kernel/index.ts';
import { groupName, userName } from '../frame/accounts.ts';
import { command, UsageError, type Invocation } from '../frame/command.ts';
import { displayWidth, humanSize, modeString } from '../frame/format.ts';
import { globRegex } from '../frame/glob.ts';
import { quote, quoteAlways, quoteWhenNeeded } from '../frame/quote.ts';
import { compareNames, compareVersions } from '../frame/collate.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { join, lstatOf, statOf } from './files.ts';

const HALF_YEAR_MS = 15_778_476_000;

interface Entry {
  /** As shown. */
  readonly name: string;
  readonly path: string;
  readonly stat: FileStat;
}

/** ls(1) */
export const ls: Program = command(
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
    const lister = new Lister(it);
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
        if (it.dialect === 'busybox') await it.warn(`${path}: ${error.message}`);
        else await it.warn(`cannot access ${quoteAlways(path)}: ${error.message}`, 2);
      }
    }
    await lister.listAll(files, directories, paths.length > 1 || it.options.has('R'));
  },
);

class Lister {
  private readonly it: Invocation;
  private readonly tty: boolean;
  private readonly color: boolean;
  private readonly long: boolean;
  private readonly width: number;
  private readonly indicator: 'none' | 'slash' | 'file-type' | 'classify';

  constructor(it: Invocation) {
    this.it = it;
    const { options } = it;
    this.tty = it.proc.stdout.tty !== undefined;
    const color = options.has('color') ? (options.value('color') ?? 'always') : 'never';
    if (!['always', 'yes', 'force', 'never', 'no', 'none', 'auto', 'tty', 'if-tty'].includes(color))
      throw new UsageError(`invalid argument ${quote(color)} for ${quote('--color')}`);
    this.color =
      ['always', 'yes', 'force'].includes(color) || (['auto', 'tty', 'if-tty'].includes(color) && this.tty);
    this.long =
      options.has('l', 'g', 'n', 'o', 'full-time') &&
      options.last('l', 'g', 'n', 'o', 'full-time', '1', 'C', 'x', 'm') !== 'C';
    const width =
      options.value('w') ??
      (this.tty ? String(it.proc.stdout.tty!.size.columns) : (it.proc.env.get('COLUMNS') ?? '80'));
    this.width = Number(width) || 80;
    const style = options.last('F', 'p', 'file-type', 'indicator-style');
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
    if (files.length > 0) await this.show(this.sort(files), false);
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
                : 0;
      return order === 0 ? compareNames(a.name, b.name) : order;
    });
    if (options.has('r')) sorted.reverse();
    if (options.has('group-directories-first'))
      sorted.sort((a, b) => Number(b.stat.type === 'directory') - Number(a.stat.type === 'directory'));
    return sorted;
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
    if (options.has('Q')) return JSON.stringify(name);
    const literal =
      options.has('N') || this.it.dialect === 'busybox' || options.value('quoting-style') === 'literal';
    return this.tty && !literal ? quoteWhenNeeded(name) : name;
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
    const code = colorOf(
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

  private async show(entries: Entry[], directory: boolean): Promise<void> {
    const { it } = this;
    const { options } = it;
    const blocks = entries.reduce((sum, entry) => sum + blocksOf(entry.stat), 0);
    if ((this.long || options.has('s')) && directory)
      await it.out.line(`total ${options.has('h') ? humanSize(blocks * 1024) : blocks}`);
    if (this.long) return this.showLong(entries);
    const prefix = (entry: Entry): string =>
      (options.has('i') ? `${entry.stat.inode} ` : '') +
      (options.has('s') ? `${String(blocksOf(entry.stat)).padStart(String(blocks).length)} ` : '');
    const labels = entries.map((entry) => {
      const { text, width } = this.label(entry);
      return { text: prefix(entry) + text, width: prefix(entry).length + width };
    });
    const layout = options.last('1', 'C', 'x', 'm') ?? (this.tty ? 'C' : '1');
    const end = options.has('zero') ? '\0' : '\n';
    if (layout === '1') for (const label of labels) await it.out.put(label.text + end);
    else if (layout === 'm') await it.out.line(labels.map((label) => label.text).join(', '));
    else if (labels.length > 0) await it.out.put(inColumns(labels, this.width, layout === 'x'));
  }

  private async showLong(entries: Entry[]): Promise<void> {
    const { it } = this;
    const { proc, options } = it;
    const zone = zoneOf(proc);
    const numeric = options.has('n');
    const rows = entries.map((entry) => {
      const { stat } = entry;
      const device = stat.type === 'character-device' || stat.type === 'block-device';
      return {
        entry,
        inode: String(stat.inode),
        blocks: String(blocksOf(stat)),
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
      rows.reduce((max, row) => Math.max(max, displayWidth(row[key])), 0);
    const widths = {
      inode: width('inode'),
      blocks: width('blocks'),
      links: width('links'),
      owner: width('owner'),
      group: width('group'),
      size: width('size'),
    };
    for (const row of rows) {
      const columns = [
        ...(options.has('i') ? [row.inode.padStart(widths.inode)] : []),
        ...(options.has('s') ? [row.blocks.padStart(widths.blocks)] : []),
        row.mode,
        row.links.padStart(widths.links),
        ...(options.has('g') ? [] : [row.owner.padEnd(widths.owner)]),
        ...(options.has('o', 'G') ? [] : [row.group.padEnd(widths.group)]),
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
    const painted = this.color
      ? stat === undefined
        ? `\u001b[00m${shown}\u001b[0m`
        : this.painted(shown, { name: target, path: target, stat })
      : shown;
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
  return stat.type === 'file' || stat.type === 'directory' ? Math.ceil(stat.sizeBytes / 4096) * 4 : 0;
}

const ARCHIVES =
  /\.(?:tar|tgz|arc|arj|taz|lha|lz4|lzh|lzma|tlz|txz|tzo|t7z|zip|z|dz|gz|lrz|lz|lzo|xz|zst|tzst|bz2|bz|tbz|tbz2|tz|deb|rpm|jar|war|ear|sar|rar|alz|ace|zoo|cpio|7z|rz|cab|wim|swm|dwm|esd)$/;
const PICTURES =
  /\.(?:jpg|jpeg|mjpg|mjpeg|gif|bmp|pbm|pgm|ppm|tga|xbm|xpm|tif|tiff|png|svg|svgz|mng|pcx|mov|mpg|mpeg|m2v|mkv|webm|webp|ogm|mp4|m4v|mp4v|vob|qt|nuv|wmv|asf|rm|rmvb|flc|avi|fli|flv|gl|dl|xcf|xwd|yuv|cgm|emf|ogv|ogx)$/;

/** dircolors' default. */
function colorOf(stat: FileStat, name: string, dangling: boolean): string {
  switch (stat.type) {
    case 'directory':
      return (stat.mode & 0o1002) === 0o1002 ? '30;42' : (stat.mode & 0o2) !== 0 ? '34;42' : '01;34';
    case 'symlink':
      return dangling ? '40;31;01' : '01;36';
    case 'fifo':
      return '40;33';
    case 'socket':
      return '01;35';
    case 'character-device':
    case 'block-device':
      return '40;33;01';
    case 'file':
      if ((stat.mode & 0o4000) !== 0) return '37;41';
      if ((stat.mode & 0o111) !== 0) return '01;32';
      return ARCHIVES.test(name) ? '01;31' : PICTURES.test(name) ? '01;35' : '';
  }
}

/** Columns of varying width, filled down (or across with `across`), two blanks between. */
function inColumns(
  labels: readonly { text: string; width: number }[],
  width: number,
  across: boolean,
): string {
  const count = labels.length;
  for (let rows = 1; rows <= count; rows++) {
    const columns = Math.ceil(count / rows);
    if (across && Math.ceil(count / columns) !== rows) continue;
    const cell = (row: number, column: number): { text: string; width: number } | undefined =>
      labels[across ? row * columns + column : column * rows + row];
    const widths = Array.from({ length: columns }, (_, column) =>
      Math.max(...Array.from({ length: rows }, (__, row) => cell(row, column)?.width ?? 0)),
    );
    const total = widths.reduce((sum, w) => sum + w + 2, -2);
    if (total >= width && rows < count) continue;
    let text = '';
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const label = cell(row, column);
        if (label === undefined) break;
        text += label.text;
        if (cell(row, column + 1) !== undefined && column + 1 < columns)
          text += ' '.repeat(widths[column]! + 2 - label.width);
      }
      text += '\n';
    }
    return text;
  }
  return '';
}
