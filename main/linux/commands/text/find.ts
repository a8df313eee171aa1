// find(1)
import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, Process, Program } from '../../kernel/index.ts';
import { groupByName, groupName, userByName, userName } from '../frame/accounts.ts';
import { runChild } from '../frame/child.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { modeString } from '../frame/format.ts';
import { globRegex } from '../frame/glob.ts';
import { quote } from '../frame/quote.ts';
import { compileRegex } from '../frame/regex.ts';
import { parseDate, strftime, zoneOf } from '../frame/time.ts';
import { join, lastPart, lstatOf, parentPart, statOf } from '../coreutils/files.ts';
import { changeMode } from '../coreutils/mode.ts';
import { expandEscapes } from '../coreutils/printf.ts';

interface Visit {
  readonly path: string;
  readonly root: string;
  readonly depth: number;
  readonly stat: FileStat;
  prune: boolean;
}

type Test = (visit: Visit) => boolean | Promise<boolean>;

/** find(1) */
export const find: Program = command(
  {
    permute: false,
    usage: '[-H] [-L] [-P] [path...] [expression]',
    summary: 'Search for files in a directory hierarchy.',
    version: '(GNU findutils) 4.9.0',
    prepare: (args) => (args[0] === '--help' || args[0] === '--version' ? args : ['--', ...args]),
  },
  async (it) => {
    const args = [...it.operands];
    let follow = '-P';
    while (/^-[HLPD]$|^-O|^--$/.test(args[0] ?? '')) {
      const flag = args.shift()!;
      if (/^-[HLP]$/.test(flag)) follow = flag;
      if (flag === '-D' && args.shift() === undefined)
        throw new UsageError('Missing argument after the -D option.');
      if (flag === '--') break;
    }
    const roots: string[] = [];
    while (args.length > 0 && !/^-|^[(!)]$/.test(args[0]!)) roots.push(args.shift()!);
    const finder = new Finder(it, follow, args);
    const test = finder.parse();
    for (const root of roots.length > 0 ? roots : ['.']) await finder.walk(root, root, 0, test);
    await finder.finish();
    return it.exitCode;
  },
);

/** The type of the file system a path is on, as mount(8) names it. */
function fileSystemOf(proc: Process, path: string): string | undefined {
  const full = proc.fs.resolve(path);
  return proc.kernel
    .listMounts(proc)
    .filter((one) => full === one.target || full.startsWith(one.target === '/' ? '/' : `${one.target}/`))
    .toSorted((a, b) => a.target.length - b.target.length)
    .at(-1)?.type;
}

const TYPES = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  p: 'fifo',
  s: 'socket',
  c: 'character-device',
  b: 'block-device',
} as const;
const LETTERS = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  'character-device': 'c',
  'block-device': 'b',
  missing: 'N',
} as const;

class Finder {
  private readonly it: Invocation;
  private readonly follow: boolean;
  /** -H: links among the starting points only. */
  private readonly followOperands: boolean;
  private readonly args: string[];
  private at = 0;
  private acts = false;
  private depthFirst = false;
  private extended = false;
  private quit = false;
  private minDepth = 0;
  private maxDepth = Infinity;
  private readonly batches: { readonly argv: readonly string[]; readonly paths: string[] }[] = [];

  constructor(it: Invocation, follow: string, args: string[]) {
    this.it = it;
    this.follow = follow === '-L' || args.includes('-follow');
    this.followOperands = follow === '-H';
    this.args = args;
  }

  parse(): Test {
    const test = this.args.length === 0 ? (): boolean => true : this.list();
    if (this.at < this.args.length) {
      const extra = this.args[this.at]!;
      throw new Failure(
        extra === ')' ? "you have too many ')'" : `paths must precede expression: \`${extra}'`,
      );
    }
    if (this.acts) return test;
    return async (visit) => {
      if (!(await test(visit))) return false;
      await this.it.out.line(visit.path);
      return true;
    };
  }

  private list(): Test {
    let left = this.or();
    while (this.args[this.at] === ',') {
      this.at++;
      const [a, b] = [left, this.or()];
      left = async (visit) => {
        await a(visit);
        return b(visit);
      };
    }
    return left;
  }

  private or(): Test {
    let left = this.and();
    while (/^-(?:o|or)$/.test(this.args[this.at] ?? '')) {
      this.at++;
      const [a, b] = [left, this.and()];
      left = async (visit) => (await a(visit)) || b(visit);
    }
    return left;
  }

  private and(): Test {
    const first = this.args[this.at];
    if (first !== undefined && /^-(?:o|or|a|and)$|^,$/.test(first))
      throw new Failure(
        `invalid expression; you have used a binary operator '${first}' with nothing before it.`,
      );
    let left = this.not();
    while (this.at < this.args.length && !/^(?:-o|-or|,|\))$/.test(this.args[this.at]!)) {
      if (/^-(?:a|and)$/.test(this.args[this.at]!)) this.at++;
      const [a, b] = [left, this.not()];
      left = async (visit) => (await a(visit)) && b(visit);
    }
    return left;
  }

  private not(): Test {
    const word = this.args[this.at];
    if (word === '!' || word === '-not') {
      this.at++;
      if (this.at >= this.args.length) throw new Failure(`expected an expression after '${word}'`);
      const test = this.not();
      return async (visit) => !(await test(visit));
    }
    if (word === '(') {
      this.at++;
      const test = this.list();
      if (this.args[this.at] !== ')')
        throw new Failure("invalid expression; I was expecting to find a ')' somewhere but did not see one.");
      this.at++;
      return test;
    }
    return this.primary();
  }

  private argument(name: string): string {
    const value = this.args[this.at++];
    if (value === undefined) throw new Failure(`missing argument to \`${name}'`);
    return value;
  }

  private number(name: string, text: string): (value: number) => boolean {
    const match = /^([-+]?)(\d+)$/.exec(text);
    if (match === null) throw new Failure(`invalid argument \`${text}' to \`${name}'`);
    const wanted = Number(match[2]);
    return match[1] === '+'
      ? (value) => value > wanted
      : match[1] === '-'
        ? (value) => value < wanted
        : (value) => value === wanted;
  }

  private primary(): Test {
    const name = this.args[this.at++]!;
    const { proc, out } = this.it;
    if (!name.startsWith('-')) throw new Failure(`paths must precede expression: \`${name}'`);
    const now = proc.clock.now();
    switch (name) {
      case '-name':
      case '-iname': {
        const glob = globRegex(this.argument(name), { ignoreCase: name === '-iname' });
        return ({ path }) => glob.test(lastPart(path));
      }
      case '-path':
      case '-ipath':
      case '-wholename': {
        const glob = globRegex(this.argument(name), { ignoreCase: name === '-ipath' });
        return ({ path }) => glob.test(path);
      }
      case '-regex':
      case '-iregex': {
        const regex = compileRegex(this.argument(name), {
          syntax: this.extended ? 'extended' : 'basic',
          ignoreCase: name === '-iregex',
          global: false,
        });
        const whole = new RegExp(`^(?:${regex.source})$`, regex.flags);
        return ({ path }) => whole.test(path);
      }
      case '-regextype':
        this.extended = /extended|egrep|awk/.test(this.argument(name));
        return () => true;
      case '-type':
      case '-xtype': {
        const letters = this.argument(name).split(',');
        const types = letters.map((letter) => {
          if (!(letter in TYPES)) throw new Failure(`Unknown argument to ${name}: ${letter}`);
          return TYPES[letter as keyof typeof TYPES];
        });
        if (name === '-type') return ({ stat }) => types.includes(stat.type);
        return ({ path, stat }) =>
          types.includes(
            this.follow ? (lstatOf(proc.fs, path) ?? stat).type : (statOf(proc.fs, path) ?? stat).type,
          );
      }
      case '-maxdepth':
      case '-mindepth': {
        const text = this.argument(name);
        if (!/^\d+$/.test(text))
          throw new Failure(
            `Expected a positive decimal integer argument to ${name}, but got ${quote(text)}`,
          );
        if (name === '-maxdepth') this.maxDepth = Number(text);
        else this.minDepth = Number(text);
        return () => true;
      }
      case '-depth':
      case '-d':
        this.depthFirst = true;
        return () => true;
      case '-mount':
      case '-xdev':
      case '-noleaf':
      case '-daystart':
      case '-follow':
      case '-ignore_readdir_race':
      case '-warn':
      case '-nowarn':
        return () => true;
      case '-empty':
        return ({ stat, path }) =>
          stat.type === 'directory'
            ? proc.fs.readdir(path).length === 0
            : stat.type === 'file' && stat.sizeBytes === 0;
      case '-true':
        return () => true;
      case '-false':
        return () => false;
      case '-size': {
        const text = this.argument(name);
        const match = /^([-+]?\d+)([bcwkMG]?)$/.exec(text);
        if (match === null) throw new Failure(`invalid -size type \`${text.at(-1)}'`);
        const unit = { b: 512, c: 1, w: 2, k: 1024, M: 1_048_576, G: 1_073_741_824, '': 512 }[match[2]!]!;
        const holds = this.number(name, match[1]!);
        return ({ stat }) => holds(Math.ceil(stat.sizeBytes / unit));
      }
      case '-mtime':
      case '-atime':
      case '-ctime':
      case '-mmin':
      case '-amin':
      case '-cmin': {
        const holds = this.number(name, this.argument(name));
        const unit = name.endsWith('time') ? 86_400_000 : 60_000;
        const key = name[1] === 'm' ? 'modifyMs' : name[1] === 'a' ? 'accessMs' : 'changeMs';
        return ({ stat }) => holds(Math.floor((now - stat[key]) / unit));
      }
      case '-newer':
      case '-anewer':
      case '-cnewer': {
        const reference = this.reference(this.argument(name));
        const key = name === '-anewer' ? 'accessMs' : name === '-cnewer' ? 'changeMs' : 'modifyMs';
        return ({ stat }) => stat[key] > reference.modifyMs;
      }
      case '-nouser':
        return ({ stat }) => userName(proc, stat.uid) === String(stat.uid);
      case '-nogroup':
        return ({ stat }) => groupName(proc, stat.gid) === String(stat.gid);
      case '-lname':
      case '-ilname': {
        const glob = globRegex(this.argument(name), { ignoreCase: name === '-ilname' });
        return ({ path, stat }) => stat.type === 'symlink' && glob.test(proc.fs.readlink(path));
      }
      case '-fstype': {
        const kind = this.argument(name);
        return ({ path }) => kind === fileSystemOf(proc, path);
      }
      case '-used': {
        const holds = this.number(name, this.argument(name));
        return ({ stat }) => holds(Math.floor((stat.accessMs - stat.changeMs) / 86_400_000));
      }
      case '-user':
      case '-uid': {
        const text = this.argument(name);
        const uid = /^\d+$/.test(text) ? Number(text) : userByName(proc, text)?.uid;
        if (uid === undefined) throw new Failure(`${quote(text)} is not the name of a known user`);
        return ({ stat }) => stat.uid === uid;
      }
      case '-group':
      case '-gid': {
        const text = this.argument(name);
        const gid = /^\d+$/.test(text) ? Number(text) : groupByName(proc, text)?.gid;
        if (gid === undefined) throw new Failure(`${quote(text)} is not the name of an existing group`);
        return ({ stat }) => stat.gid === gid;
      }
      case '-perm': {
        const text = this.argument(name);
        const [, prefix = '', rest = ''] = /^([-/]?)(.*)$/.exec(text)!;
        const mode = changeMode(0, rest, false, 0);
        if (mode === undefined) throw new Failure(`invalid mode ${quote(text)}`);
        return ({ stat }) =>
          prefix === '-'
            ? (stat.mode & mode) === mode
            : prefix === '/'
              ? (stat.mode & mode) !== 0 || mode === 0
              : (stat.mode & 0o7777) === mode;
      }
      case '-links': {
        const holds = this.number(name, this.argument(name));
        return ({ stat }) => holds(stat.links);
      }
      case '-inum': {
        const holds = this.number(name, this.argument(name));
        return ({ stat }) => holds(stat.inode);
      }
      case '-samefile': {
        const other = statOf(proc.fs, this.argument(name));
        return ({ stat }) => other?.inode === stat.inode && other.device === stat.device;
      }
      case '-readable':
        return ({ path }) => proc.fs.access(path, { read: true });
      case '-writable':
        return ({ path }) => proc.fs.access(path, { write: true });
      case '-executable':
        return ({ path }) => proc.fs.access(path, { execute: true });
      case '-prune':
        return (visit) => (visit.prune = true);
      case '-quit':
        this.acts = true;
        return () => (this.quit = true);
      case '-print':
        return this.action(({ path }) => out.line(path));
      case '-print0':
        return this.action(({ path }) => out.put(`${path}\0`));
      case '-ls':
        return this.action((visit) => out.line(this.long(visit)));
      case '-printf': {
        const format = this.argument(name);
        return this.action((visit) => out.put(this.format(format, visit)));
      }
      case '-fprint': {
        const file = this.argument(name);
        proc.fs.writeFile(file, '');
        return this.action(({ path }) => void proc.fs.writeFile(file, `${path}\n`, { append: true }));
      }
      case '-delete':
        this.acts = true;
        this.depthFirst = true;
        return async ({ path, stat }) => {
          try {
            if (stat.type === 'directory') proc.fs.rmdir(path);
            else proc.fs.unlink(path);
            return true;
          } catch (error) {
            if (!(error instanceof ErrnoError)) throw error;
            await this.it.warn(`cannot delete ${quote(path)}: ${error.message}`);
            return false;
          }
        };
      case '-exec':
      case '-execdir':
      case '-ok':
      case '-okdir':
        return this.exec(name);
      default: {
        const newer = /^-newer([aBcm])([aBcmt])$/.exec(name);
        if (newer === null) throw new Failure(`unknown predicate \`${name}'`);
        const text = this.argument(name);
        const keys = { a: 'accessMs', B: 'changeMs', c: 'changeMs', m: 'modifyMs' } as const;
        const key = keys[newer[1] as 'a'];
        const since =
          newer[2] === 't' ? parseDate(text, now, zoneOf(proc)) : this.reference(text)[keys[newer[2] as 'a']];
        if (since === undefined)
          throw new Failure(`I cannot figure out how to interpret ${quote(text)} as a date or time`);
        return ({ stat }) => stat[key] > since;
      }
    }
  }

  /** The file a test compares with. */
  private reference(path: string): FileStat {
    const found = statOf(this.it.proc.fs, path) ?? lstatOf(this.it.proc.fs, path);
    if (found === undefined) throw new Failure(`${quote(path)}: No such file or directory`);
    return found;
  }

  private action(act: (visit: Visit) => Promise<void> | undefined | void): Test {
    this.acts = true;
    return async (visit) => {
      await act(visit);
      return true;
    };
  }

  private exec(name: string): Test {
    this.acts = true;
    const argv: string[] = [];
    for (;;) {
      const arg = this.args[this.at++];
      if (arg === undefined) throw new Failure(`missing argument to \`${name}'`);
      if (arg === ';') break;
      if (arg === '+' && argv.at(-1) === '{}') {
        const batch = { argv: argv.slice(0, -1), paths: [] as string[] };
        this.batches.push(batch);
        return ({ path }) => batch.paths.push(path) > 0;
      }
      argv.push(arg);
    }
    return async ({ path }) => {
      const shown = name.endsWith('dir') ? `./${lastPart(path)}` : path;
      const filled = argv.map((arg) => arg.replaceAll('{}', shown));
      if (name.startsWith('-ok') && !(await this.agrees(`< ${argv[0]} ... ${path} > ? `))) return false;
      return this.run(filled, name.endsWith('dir') ? parentPart(path) : undefined);
    };
  }

  private async agrees(question: string): Promise<boolean> {
    await this.it.out.flush();
    await this.it.proc.stderr.write(question);
    let answer = '';
    while (!answer.includes('\n')) {
      const chunk = await this.it.proc.stdin.read(256);
      if (chunk.length === 0) break;
      answer += Buffer.from(chunk).toString();
    }
    return /^[yY]/.test(answer);
  }

  private async run(argv: readonly string[], cwd?: string): Promise<boolean> {
    await this.it.out.flush();
    try {
      const end = await runChild(this.it.proc, { argv, ...(cwd === undefined ? {} : { cwd }) });
      return end.kind === 'exited' && end.exitCode === 0;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await this.it.complain(`${quote(argv[0]!)}: ${error.message}`);
      return false;
    }
  }

  async finish(): Promise<void> {
    for (const batch of this.batches)
      if (batch.paths.length > 0 && !(await this.run([...batch.argv, ...batch.paths]))) this.it.exitCode = 1;
  }

  async walk(path: string, root: string, depth: number, test: Test): Promise<void> {
    const { proc } = this.it;
    const stat =
      (this.follow || (this.followOperands && depth === 0) ? statOf(proc.fs, path) : undefined) ??
      lstatOf(proc.fs, path);
    if (stat === undefined) return this.it.warn(`${quote(path)}: No such file or directory`);
    const visit: Visit = { path, root, depth, stat, prune: false };
    const considered = depth >= this.minDepth;
    if (!this.depthFirst && considered) await test(visit);
    if (this.quit) return;
    if (stat.type === 'directory' && depth < this.maxDepth && !visit.prune) {
      try {
        for (const entry of proc.fs.readdir(path)) {
          await this.walk(join(path, entry.name), root, depth + 1, test);
          if (this.quit) return;
        }
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await this.it.warn(`${quote(path)}: ${error.message}`);
      }
    }
    if (this.depthFirst && considered) await test(visit);
    const paused = proc.cpu(0.002);
    if (paused !== undefined) await paused;
  }

  private long({ path, stat }: Visit): string {
    const { proc } = this.it;
    const target = stat.type === 'symlink' ? ` -> ${proc.fs.readlink(path)}` : '';
    return `${String(stat.inode).padStart(9)} ${String(Math.ceil(stat.sizeBytes / 4096) * 4).padStart(6)} ${modeString(stat.type, stat.mode)} ${String(stat.links).padStart(3)} ${userName(proc, stat.uid).padEnd(8)} ${groupName(proc, stat.gid).padEnd(8)} ${String(stat.sizeBytes).padStart(8)} ${strftime('%b %e %H:%M', stat.modifyMs, zoneOf(proc))} ${path}${target}`;
  }

  private format(format: string, { path, root, depth, stat }: Visit): string {
    const { proc } = this.it;
    const zone = zoneOf(proc);
    return expandEscapes(format, false).text.replaceAll(
      /%([-0]?\d*)([ACT].|[a-zA-Z%])/g,
      (whole, width: string, key: string) => {
        const text = ((): string | undefined => {
          if (/^[ACT].$/.test(key)) {
            const ms = key[0] === 'A' ? stat.accessMs : key[0] === 'C' ? stat.changeMs : stat.modifyMs;
            return key[1] === '@'
              ? `${Math.floor(ms / 1000)}.${String(Math.floor((ms % 1000) * 1e7)).padStart(10, '0')}`
              : key[1] === '+'
                ? strftime('%F+%T.%N0', ms, zone)
                : strftime(`%${key[1]}`, ms, zone);
          }
          switch (key) {
            case 'f':
              return lastPart(path);
            case 'p':
              return path;
            case 'P':
              return path === root ? '' : path.slice(root.endsWith('/') ? root.length : root.length + 1);
            case 'h':
              return path.includes('/') ? parentPart(path) : '.';
            case 'H':
              return root;
            case 's':
              return String(stat.sizeBytes);
            case 'b':
              return String(Math.ceil(stat.sizeBytes / 4096) * 8);
            case 'k':
              return String(Math.ceil(stat.sizeBytes / 4096) * 4);
            case 'm':
              return (stat.mode & 0o7777).toString(8);
            case 'M':
              return modeString(stat.type, stat.mode);
            case 'y':
              return LETTERS[stat.type];
            case 'Y':
              return stat.type === 'symlink'
                ? LETTERS[statOf(proc.fs, path)?.type ?? 'missing']
                : LETTERS[stat.type];
            case 'u':
              return userName(proc, stat.uid);
            case 'U':
              return String(stat.uid);
            case 'g':
              return groupName(proc, stat.gid);
            case 'G':
              return String(stat.gid);
            case 'n':
              return String(stat.links);
            case 'i':
              return String(stat.inode);
            case 'd':
              return String(depth);
            case 'D':
              return String(stat.device);
            case 'l':
              return stat.type === 'symlink' ? proc.fs.readlink(path) : '';
            case 't':
              return strftime('%a %b %e %T.%N0 %Y', stat.modifyMs, zone);
            case 'a':
              return strftime('%a %b %e %T.%N0 %Y', stat.accessMs, zone);
            case 'c':
              return strftime('%a %b %e %T.%N0 %Y', stat.changeMs, zone);
            case '%':
              return '%';
            default:
              return undefined;
          }
        })();
        if (text === undefined) return whole;
        return width.startsWith('-')
          ? text.padEnd(-Number(width))
          : text.padStart(Number(width || 0), width.startsWith('0') ? '0' : ' ');
      },
    );
  }
}
