// install(1): copies files and sets what they are to have.
import type { Program } from '../../kernel/index.ts';
import { groupByName, userByName } from '../frame/accounts.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { backUp } from './backup.ts';
import { attempt, isDirectory, join, lastPart, parentPart, statOf } from './files.ts';
import { changeMode } from './mode.ts';

/** install(1) */
export const install: Program = command(
  {
    short: 'bcCsDdg:m:o:pt:TvS:Z',
    long: [
      'backup::',
      'compare>C',
      'directory>d',
      'group:>g',
      'mode:>m',
      'owner:>o',
      'preserve-timestamps>p',
      'strip>s',
      'suffix:>S',
      'target-directory:>t',
      'no-target-directory>T',
      'verbose>v',
    ],
    usage:
      '[OPTION]... [-T] SOURCE DEST\n  or:  install [OPTION]... SOURCE... DIRECTORY\n  or:  install [OPTION]... -t DIRECTORY SOURCE...\n  or:  install [OPTION]... -d DIRECTORY...',
    summary:
      'This install program copies files (often just compiled) into destination\nlocations you choose.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { fs } = it.proc;
    const { options } = it;
    const operands = [...it.operands];
    if (operands.length === 0) throw new UsageError('missing file operand');
    const text = options.value('m') ?? '755';
    const mode = changeMode(0, text, false, 0);
    if (mode === undefined) throw new Failure(`invalid mode ${quote(text)}`);
    if (options.has('d')) {
      for (const path of operands) await makeDirectories(it, path, mode);
      return;
    }
    const directory = options.value('t');
    if (directory !== undefined) {
      if (options.has('D')) await makeDirectories(it, directory, 0o755);
      else if (!isDirectory(fs, directory))
        throw new Failure(`target directory ${quoteAlways(directory)}: No such file or directory`);
      for (const source of operands) await place(it, source, join(directory, lastPart(source)), mode);
      return;
    }
    const target = operands.pop()!;
    if (operands.length === 0)
      throw new UsageError(`missing destination file operand after ${quoteAlways(target)}`);
    const into = isDirectory(fs, target) && !options.has('T');
    if (operands.length > 1 && !into)
      throw new Failure(
        `target ${quoteAlways(target)}: ${statOf(fs, target) === undefined ? 'No such file or directory' : 'Not a directory'}`,
      );
    if (options.has('D') && !into) await makeDirectories(it, parentPart(target), 0o755);
    for (const source of operands)
      await place(it, source, into ? join(target, lastPart(source)) : target, mode);
  },
);

async function makeDirectories(it: Invocation, path: string, mode: number): Promise<void> {
  const { fs } = it.proc;
  const missing: string[] = [];
  for (let at = path; at !== '.' && at !== '/' && statOf(fs, at) === undefined; at = parentPart(at))
    missing.unshift(at);
  for (const one of missing) {
    const failed = attempt(() => fs.mkdir(one));
    if (failed !== undefined)
      return it.warn(`cannot create directory ${quoteAlways(one)}: ${failed.message}`);
    if (it.options.has('v')) await it.out.line(`${it.name}: creating directory ${quoteAlways(one)}`);
  }
  if (it.options.has('d')) {
    fs.chmod(path, mode);
    own(it, path);
  }
}

function own(it: Invocation, path: string): void {
  const { proc, options } = it;
  const [user, group] = [options.value('o'), options.value('g')];
  if (user === undefined && group === undefined) return;
  const found = proc.fs.stat(path);
  const uid =
    user === undefined ? found.uid : /^\d+$/.test(user) ? Number(user) : userByName(proc, user)?.uid;
  const gid =
    group === undefined ? found.gid : /^\d+$/.test(group) ? Number(group) : groupByName(proc, group)?.gid;
  if (uid === undefined) throw new Failure(`invalid user ${quote(user!)}`);
  if (gid === undefined) throw new Failure(`invalid group ${quote(group!)}`);
  proc.fs.chown(path, uid, gid);
}

async function place(it: Invocation, source: string, target: string, mode: number): Promise<void> {
  const { fs } = it.proc;
  const from = statOf(fs, source);
  if (from === undefined) return it.warn(`cannot stat ${quoteAlways(source)}: No such file or directory`);
  if (from.type === 'directory') return it.warn(`omitting directory ${quoteAlways(source)}`);
  const backup = backUp(it, target);
  const failed = attempt(() => {
    const content = fs.readFile(source);
    if (statOf(fs, target) !== undefined) fs.unlink(target);
    fs.writeFile(target, content);
    fs.chmod(target, mode);
    own(it, target);
    if (it.options.has('p')) fs.utimes(target, from.accessMs, from.modifyMs);
  });
  if (failed !== undefined)
    return it.warn(`cannot create regular file ${quoteAlways(target)}: ${failed.message}`);
  if (it.options.has('v'))
    await it.out.line(
      `${quoteAlways(source)} -> ${quoteAlways(target)}${backup === undefined ? '' : ` (backup: ${quoteAlways(backup)})`}`,
    );
}
