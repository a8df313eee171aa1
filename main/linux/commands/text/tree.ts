// tree(1): a directory's content, drawn.
import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, Program } from '../../kernel/index.ts';
import { groupName, userName } from '../frame/accounts.ts';
import { compareNames, compareVersions } from '../frame/collate.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { humanSize, modeString } from '../frame/format.ts';
import { globRegex } from '../frame/glob.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { join, lstatOf, statOf } from '../coreutils/files.ts';
import { dircolorsPalette } from '../coreutils/palette.ts';

interface Node {
  readonly name: string;
  readonly path: string;
  readonly stat: FileStat;
  /** What a link leads to; undefined for one that leads nowhere. */
  readonly target: FileStat | undefined;
  readonly children: Node[] | undefined;
  readonly failed: boolean;
}

/** tree(1) */
export const tree: Program = command(
  {
    short: 'acdfghilnpqrstuvxACDFJL:NQI:P:o:RST:UXH:',
    long: [
      'dirsfirst',
      'filesfirst',
      'noreport',
      'charset:',
      'filelimit:',
      'prune',
      'sort:',
      'inodes>inodes',
      'device',
      'si',
      'du',
      'timefmt:',
      'ignore-case',
      'matchdirs',
      'metafirst',
      'nolinks',
      'gitignore',
      'fromfile',
    ],
    usage:
      '[-acdfghilnpqrstuvxACDFJQNSUX] [-L level [-R]] [-P pattern] [-I pattern] [-o filename] [--dirsfirst] [--noreport] [<directory list>]',
    version:
      'v2.1.0 © 1996 - 2022 by Steve Baker, Thomas Moore, Francesc Rocher, Florian Sesser, Kyosuke Tokoro',
  },
  async (it) => {
    const { options } = it;
    const level = options.value('L');
    if (level !== undefined && !(Number(level) > 0))
      throw new Failure('Invalid level, must be greater than 0.');
    const drawing = new Drawing(it);
    const roots = it.operands.length > 0 ? it.operands : ['.'];
    let exitCode = 0;
    if (options.has('J')) drawing.put('[\n');
    for (const [index, root] of roots.entries()) {
      if (index > 0 && options.has('J')) drawing.put(',\n');
      if (!drawing.root(root)) exitCode = 2;
    }
    drawing.report();
    if (options.has('J')) drawing.put('\n]\n');
    const output = options.value('o');
    if (output === undefined) await it.out.put(drawing.text);
    else it.proc.fs.writeFile(output, drawing.text);
    return exitCode;
  },
);

class Drawing {
  private readonly it: Invocation;
  private readonly color: boolean;
  private readonly palette: ReturnType<typeof dircolorsPalette>;
  private readonly lines: { readonly down: string; readonly tee: string; readonly end: string };
  private readonly excluded: RegExp[];
  private readonly wanted: RegExp[] | undefined;
  private readonly deepest: number;
  private directories = 0;
  private files = 0;
  text = '';

  constructor(it: Invocation) {
    this.it = it;
    const { options, proc } = it;
    this.color =
      options.has('C') || (proc.stdout.tty !== undefined && !options.has('n') && !options.has('o'));
    this.palette = dircolorsPalette(proc.env.get('LS_COLORS') ?? proc.env.get('TREE_COLORS'));
    const plain = options.has('charset') && !/utf-?8/i.test(options.value('charset')!);
    this.lines = plain
      ? { down: '|   ', tee: '|-- ', end: '`-- ' }
      : { down: '│\u00a0\u00a0 ', tee: '├── ', end: '└── ' };
    const globs = (letter: string): RegExp[] =>
      options
        .values(letter)
        .flatMap((text) => text.split('|'))
        .map((pattern) => globRegex(pattern.replace(/\/$/, ''), { ignoreCase: options.has('ignore-case') }));
    this.excluded = globs('I');
    this.wanted = options.has('P') ? globs('P') : undefined;
    this.deepest = Number(options.value('L') ?? Infinity);
  }

  put(text: string): void {
    this.text += text;
  }

  /** Draws one tree; false when it can't be opened. */
  root(path: string): boolean {
    const { fs } = this.it.proc;
    const stat = statOf(fs, path);
    const directory = stat?.type === 'directory';
    const node: Node = {
      name: path,
      path,
      stat: stat ?? lstatOf(fs, path) ?? MISSING,
      target: undefined,
      children: directory ? this.read(path, 1) : undefined,
      failed: !directory,
    };
    if (this.it.options.has('J')) this.json(node, '  ');
    else {
      this.put(`${this.facts(node)}${this.label(node, true)}${directory ? '' : '  [error opening dir]'}\n`);
      if (directory) this.branch(node.children ?? [], '');
    }
    if ((node.children ?? []).length > 0) this.directories++; // An empty one does not count itself.
    return directory;
  }

  private read(path: string, depth: number): Node[] | undefined {
    if (depth > this.deepest) return undefined;
    const { fs } = this.it.proc;
    const { options } = this.it;
    let names: string[];
    try {
      names = fs.readdir(path).map((entry) => entry.name);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      return undefined;
    }
    const nodes: Node[] = [];
    for (const name of names) {
      if (!options.has('a') && name.startsWith('.')) continue;
      if (this.excluded.some((glob) => glob.test(name))) continue;
      const full = join(path, name);
      const stat = lstatOf(fs, full);
      if (stat === undefined) continue;
      const target = stat.type === 'symlink' ? statOf(fs, full) : undefined;
      const leads = stat.type === 'directory' || target?.type === 'directory';
      if (options.has('d') && !leads) continue;
      const followed = stat.type === 'directory' || (options.has('l') && leads);
      if (!leads && this.wanted !== undefined && !this.wanted.some((glob) => glob.test(name))) continue;
      const children = followed ? this.read(full, depth + 1) : undefined;
      if (options.has('prune') && leads && (children === undefined || children.length === 0)) continue;
      nodes.push({ name, path: full, stat, target, children, failed: false });
    }
    return this.sorted(nodes);
  }

  private sorted(nodes: Node[]): Node[] {
    const { options } = this.it;
    const how = options.value('sort');
    const byTime = options.has('t') || how === 'mtime';
    const by = (a: Node, b: Node): number =>
      byTime
        ? a.stat.modifyMs - b.stat.modifyMs || compareNames(a.name, b.name)
        : options.has('v') || how === 'version'
          ? compareVersions(a.name, b.name)
          : how === 'size'
            ? b.stat.sizeBytes - a.stat.sizeBytes || compareNames(a.name, b.name)
            : compareNames(a.name, b.name);
    const sorted = options.has('U') ? nodes : nodes.toSorted(by);
    if (options.has('r')) sorted.reverse();
    const first = options.has('dirsfirst') ? 1 : options.has('filesfirst') ? -1 : 0;
    if (first !== 0) sorted.sort((a, b) => first * (Number(isDirectory(b)) - Number(isDirectory(a))));
    return sorted;
  }

  private branch(nodes: readonly Node[], lead: string): void {
    const flat = this.it.options.has('i');
    for (const [index, node] of nodes.entries()) {
      const last = index === nodes.length - 1;
      this.put(
        `${flat ? '' : lead + (last ? this.lines.end : this.lines.tee)}${this.facts(node)}${this.label(node, false)}\n`,
      );
      if (isDirectory(node)) this.directories++;
      else this.files++;
      if (node.children !== undefined)
        this.branch(node.children, `${lead}${last ? '    ' : this.lines.down}`);
    }
  }

  /** What stands in brackets before a name. */
  private facts(node: Node): string {
    const { options, proc } = this.it;
    const { stat } = node;
    const parts: string[] = [];
    if (options.has('inodes')) parts.push(String(stat.inode).padStart(7));
    if (options.has('p')) parts.push(modeString(stat.type, stat.mode));
    if (options.has('u')) parts.push(userName(proc, stat.uid).padEnd(8));
    if (options.has('g')) parts.push(groupName(proc, stat.gid).padEnd(8));
    if (options.has('h', 'si'))
      parts.push(humanSize(stat.sizeBytes, options.has('si') ? 1000 : 1024).padStart(4));
    else if (options.has('s')) parts.push(String(stat.sizeBytes).padStart(11));
    if (options.has('D', 'timefmt')) {
      const recent = stat.modifyMs > proc.clock.now() - 15_778_476_000 && stat.modifyMs <= proc.clock.now();
      const format = options.value('timefmt') ?? (recent ? '%b %e %H:%M' : '%b %e  %Y');
      parts.push(strftime(format, stat.modifyMs, zoneOf(proc)));
    }
    return parts.length === 0 ? '' : `[${parts.join(' ')}]  `;
  }

  private label(node: Node, root: boolean): string {
    const { options, proc } = this.it;
    const shown = (text: string): string => (options.has('Q') ? `"${text}"` : text);
    const paint = (text: string, stat: FileStat | undefined): string => {
      if (!this.color) return text;
      const code = stat === undefined ? '' : this.palette.of(stat, node.name, false);
      return code === ''
        ? stat?.type === 'file'
          ? `\u001b[00m${text}\u001b[0m`
          : text
        : `\u001b[${code}m${text}\u001b[0m`;
    };
    const name = paint(shown(root || options.has('f') ? node.path : node.name), node.stat);
    if (node.stat.type === 'symlink' && !root) {
      const target = proc.fs.readlink(node.path);
      return `${name} -> ${node.target === undefined ? target : paint(shown(target), node.target)}${this.mark(node.target)}`;
    }
    return name + this.mark(node.stat);
  }

  private mark(stat: FileStat | undefined): string {
    if (!this.it.options.has('F') || stat === undefined) return '';
    if (stat.type === 'directory') return '/';
    if (stat.type === 'socket') return '=';
    if (stat.type === 'fifo') return '|';
    return stat.type === 'file' && (stat.mode & 0o111) !== 0 ? '*' : '';
  }

  private json(node: Node, lead: string): void {
    const kind = JSON_KINDS[node.stat.type];
    const { fs } = this.it.proc;
    const link = node.stat.type === 'symlink' ? `,"target":${JSON.stringify(fs.readlink(node.path))}` : '';
    const shown = this.it.options.has('f') || lead === '  ' ? node.path : node.name;
    this.put(`${lead}{"type":"${kind}","name":${JSON.stringify(shown)}${link}`);
    if (node.failed) {
      this.put(`,"contents":[{"error": "opening dir"}\n${lead}]}`);
      return;
    }
    if (node.children !== undefined && (node.children.length > 0 || lead === '  ')) {
      this.put(',"contents":[\n');
      for (const [index, child] of node.children.entries()) {
        if (isDirectory(child)) this.directories++;
        else this.files++;
        this.json(child, `${lead}  `);
        this.put(index < node.children.length - 1 ? ',\n' : '\n');
      }
      this.put(`${lead}]`);
    }
    this.put('}');
  }

  report(): void {
    const { options } = this.it;
    if (options.has('noreport')) return;
    const { directories, files } = this;
    if (options.has('J')) {
      this.put(
        `,\n  {"type":"report","directories":${directories}${options.has('d') ? '' : `,"files":${files}`}}`,
      );
      return;
    }
    this.put(
      `\n${directories} director${directories === 1 ? 'y' : 'ies'}${options.has('d') ? '' : `, ${files} file${files === 1 ? '' : 's'}`}\n`,
    );
  }
}

function isDirectory(node: Node): boolean {
  return node.stat.type === 'directory' || node.target?.type === 'directory';
}

const JSON_KINDS: Readonly<Record<FileStat['type'], string>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'link',
  fifo: 'fifo',
  socket: 'socket',
  'character-device': 'char',
  'block-device': 'block',
};

const MISSING: FileStat = {
  type: 'file',
  inode: 0,
  device: 0,
  mode: 0,
  links: 0,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  accessMs: 0,
  modifyMs: 0,
  changeMs: 0,
};
