// cp(1)
import type { FileStat, Program } from '../../kernel/index.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { quoteAlways } from '../frame/quote.ts';
import { backUp } from './backup.ts';
import {
  attempt,
  confirm,
  isDirectory,
  join,
  lastPart,
  lstatOf,
  parentPart,
  sameFile,
  statOf,
} from './files.ts';

/** cp(1): files, trees with -r or -a. */
export const cp: Program = command(
  {
    short: 'abdfHiLlnPprRsS:t:TuvxZ',
    long: [
      'archive>a',
      'backup::',
      'force>f',
      'interactive>i',
      'link>l',
      'no-clobber>n',
      'no-dereference>P',
      'dereference>L',
      'recursive>R',
      'symbolic-link>s',
      'target-directory:>t',
      'no-target-directory>T',
      'update::>u',
      'verbose>v',
      'preserve::',
      'no-preserve:',
      'parents',
      'suffix:>S',
      'one-file-system>x',
      'reflink::',
      'sparse:',
      'attributes-only',
      'remove-destination',
      'strip-trailing-slashes',
    ],
    usage: '[OPTION]... [-T] SOURCE DEST\n  or:  cp [OPTION]... SOURCE... DIRECTORY',
    summary: 'Copy SOURCE to DEST, or multiple SOURCE(s) to DIRECTORY.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { sources, target, into } = destination(it);
    const copier = new Copier(it);
    const parents = it.options.has('parents');
    if (parents && !into) throw new UsageError('with --parents, the destination must be a directory');
    for (const source of sources) {
      if (parents) makeParents(it, target, parentPart(source));
      const name = parents ? source.replace(/^\/+|\/+$/g, '') : lastPart(source);
      await copier.copy(source, into ? join(target, name) : target, true);
    }
  },
);

/** The directories that lead to a source, below the target. */
function makeParents(it: Invocation, target: string, path: string): void {
  const { fs } = it.proc;
  let at = target;
  for (const part of path.split('/').filter((piece) => piece !== '' && piece !== '.')) {
    at = join(at, part);
    if (statOf(fs, at) === undefined) fs.mkdir(at);
  }
}

/** How cp, mv, ln and install read their operands. Throws UsageError and Failure. */
export function destination(it: Invocation): { sources: string[]; target: string; into: boolean } {
  const { fs } = it.proc;
  const { options } = it;
  const directory = options.value('t');
  const operands = [...it.operands];
  if (operands.length === 0) throw new UsageError('missing file operand');
  if (directory !== undefined) {
    if (!isDirectory(fs, directory))
      throw new Failure(`target directory ${quoteAlways(directory)}: No such file or directory`);
    return { sources: operands, target: directory, into: true };
  }
  const target = operands.pop()!;
  if (operands.length === 0)
    throw new UsageError(`missing destination file operand after ${quoteAlways(target)}`);
  const found = statOf(fs, target);
  if (options.has('T')) {
    if (operands.length > 1) throw new UsageError(`extra operand ${quoteAlways(operands[1]!)}`);
    return { sources: operands, target, into: false };
  }
  if (operands.length > 1 && found?.type !== 'directory') {
    throw new Failure(
      `target ${quoteAlways(target)}: ${found === undefined ? 'No such file or directory' : 'Not a directory'}`,
    );
  }
  return { sources: operands, target, into: found?.type === 'directory' };
}

/** Copies files and trees as an invocation's options say; mv across file systems uses it too. */
export class Copier {
  private readonly it: Invocation;
  private readonly recursive: boolean;
  private readonly keep: boolean;
  private readonly followAll: boolean;
  /** The copy of a directory that is made inside it, which isn't copied again. */
  private ownCopy: string | undefined;
  constructor(it: Invocation, archive = false) {
    this.it = it;
    const { options } = it;
    this.recursive = archive || options.has('r', 'R', 'a');
    this.keep = archive || options.has('a', 'p', 'preserve');
    this.followAll = options.has('L') || (!this.recursive && !options.has('P', 'd'));
  }

  /** False if anything under it failed. */
  async copy(source: string, target: string, top: boolean): Promise<boolean> {
    const { it } = this;
    const { fs } = it.proc;
    const from = this.followAll ? statOf(fs, source) : lstatOf(fs, source);
    if (from === undefined) {
      await it.warn(`cannot stat ${quoteAlways(source)}: No such file or directory`);
      return false;
    }
    const to = statOf(fs, target);
    if (from.type === 'directory') return this.copyDirectory(source, target, from, to, top);
    if (sameFile(from, to)) {
      await it.warn(`${quoteAlways(source)} and ${quoteAlways(target)} are the same file`);
      return false;
    }
    if (to?.type === 'directory') {
      await it.warn(`cannot overwrite directory ${quoteAlways(target)} with non-directory`);
      return false;
    }
    if (to !== undefined && !(await this.mayReplace(target, from, to))) return true;
    const backup = to === undefined ? undefined : backUp(it, target);
    if (to === undefined && target.endsWith('/')) {
      await it.warn(`cannot create regular file ${quoteAlways(target)}: Not a directory`);
      return false;
    }
    const failed = attempt(() => this.copyFile(source, target, from));
    if (failed !== undefined) {
      const reading = attempt(() => void fs.open(source)) !== undefined && from.type === 'file';
      await it.warn(
        reading
          ? `cannot open ${quoteAlways(source)} for reading: ${failed.message}`
          : `cannot create regular file ${quoteAlways(target)}: ${failed.message}`,
      );
      return false;
    }
    if (it.options.has('v'))
      await it.out.line(
        `${quoteAlways(source)} -> ${quoteAlways(target)}${backup === undefined ? '' : ` (backup: ${quoteAlways(backup)})`}`,
      );
    return true;
  }

  private async mayReplace(target: string, from: FileStat, to: FileStat): Promise<boolean> {
    const { options } = this.it;
    if (options.has('u') && to.modifyMs >= from.modifyMs) return false;
    const choice = options.last('f', 'i', 'n');
    if (choice === 'n') return false;
    return choice !== 'i' || confirm(this.it, `overwrite ${quoteAlways(target)}?`);
  }

  private async copyDirectory(
    source: string,
    target: string,
    from: FileStat,
    to: FileStat | undefined,
    top: boolean,
  ): Promise<boolean> {
    const { it } = this;
    const { fs } = it.proc;
    if (!this.recursive) {
      await it.warn(`-r not specified; omitting directory ${quoteAlways(source)}`);
      return false;
    }
    if (to !== undefined && to.type !== 'directory') {
      await it.warn(
        `cannot overwrite non-directory ${quoteAlways(target)} with directory ${quoteAlways(source)}`,
      );
      return false;
    }
    const into = fs.resolve(target);
    const outside = `${fs.resolve(source)}/`;
    if (top && `${into}/` === outside) {
      await it.warn(`cannot copy a directory, ${quoteAlways(source)}, into itself, ${quoteAlways(target)}`);
      return false;
    }
    if (top && `${into}/`.startsWith(outside)) this.ownCopy = into;
    if (!top && this.ownCopy === fs.resolve(source)) return true;
    if (to === undefined) {
      const failed = attempt(() => fs.mkdir(target, { mode: from.mode & ~it.proc.umask }));
      if (failed !== undefined) {
        await it.warn(`cannot create directory ${quoteAlways(target)}: ${failed.message}`);
        return false;
      }
      if (it.options.has('v')) await it.out.line(`${quoteAlways(source)} -> ${quoteAlways(target)}`);
    }
    let whole = true;
    for (const entry of fs.readdir(source))
      whole = (await this.copy(join(source, entry.name), join(target, entry.name), false)) && whole;
    this.keepAttributes(target, from);
    if (top && this.ownCopy !== undefined) {
      await it.warn(`cannot copy a directory, ${quoteAlways(source)}, into itself, ${quoteAlways(target)}`);
      return false;
    }
    return whole;
  }

  private copyFile(source: string, target: string, from: FileStat): void {
    const { fs } = this.it.proc;
    const { options } = this.it;
    if (from.type === 'symlink') {
      fs.removeAll(target);
      fs.symlink(fs.readlink(source), target);
      return;
    }
    if (options.has('s')) return fs.symlink(source, target);
    if (options.has('l')) return fs.link(source, target);
    if (options.has('f') && statOf(fs, target) !== undefined && !fs.access(target, { write: true }))
      fs.unlink(target);
    fs.writeFile(target, fs.readFile(source), { mode: from.mode & 0o777 & ~this.it.proc.umask });
    this.keepAttributes(target, from);
  }

  private keepAttributes(target: string, from: FileStat): void {
    if (!this.keep) return;
    const { fs } = this.it.proc;
    if (this.it.proc.credentials.uid === 0) fs.chown(target, from.uid, from.gid);
    fs.chmod(target, from.mode);
    fs.utimes(target, from.accessMs, from.modifyMs);
  }
}
