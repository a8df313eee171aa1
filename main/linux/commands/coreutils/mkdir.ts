// mkdir(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';
import { attempt, isDirectory, parentPart } from './files.ts';
import { changeMode } from './mode.ts';

/** mkdir(1) */
export const mkdir: Program = command(
  {
    short: 'm:pvZ',
    long: ['mode:>m', 'parents>p', 'verbose>v'],
    usage: '[OPTION]... DIRECTORY...',
    summary: 'Create the DIRECTORY(ies), if they do not already exist.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { fs } = it.proc;
    if (it.operands.length === 0) throw new UsageError('missing operand');
    const wanted = it.options.value('m');
    const mode = wanted === undefined ? undefined : changeMode(0o777, wanted, true, it.proc.umask);
    if (wanted !== undefined && changeMode(0, wanted, true, 0) === undefined)
      throw new Failure(`invalid mode ${quote(wanted)}`);
    for (const path of it.operands) {
      const created: string[] = [];
      if (it.options.has('p')) {
        for (let p = path; p !== '.' && p !== '/' && !fs.exists(p); p = parentPart(p)) created.unshift(p);
        if (created.length === 0 && isDirectory(fs, path)) continue;
      }
      if (created.length === 0) created.push(path);
      for (const one of created) {
        const failed = attempt(() => fs.mkdir(one));
        if (failed !== undefined) {
          await it.warn(
            it.dialect === 'busybox'
              ? `can't create directory '${one}': ${failed.message}`
              : `cannot create directory ${quote(it.options.has('p') && failed.code === 'ENOTDIR' ? notDirectory(it, one) : one)}: ${failed.message}`,
          );
          break;
        }
        if (one === path && mode !== undefined) fs.chmod(one, mode);
        if (it.options.has('v')) await it.out.line(`${it.name}: created directory '${one}'`);
      }
    }
  },
);

/** The part of a path that is in the way. */
function notDirectory(it: Invocation, path: string): string {
  let at = parentPart(path);
  while (!it.proc.fs.exists(at) && at !== '.' && at !== '/') at = parentPart(at);
  return at;
}
