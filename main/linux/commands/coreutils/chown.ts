// chown(1) and chgrp(1)
import type { Process, Program } from '../../kernel/index.ts';
import { groupByName, groupName, userByName, userName } from '../frame/accounts.ts';
import { command, Failure, UsageError, type CommandForm, type Invocation } from '../frame/command.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { attempt, join, lstatOf, statOf } from './files.ts';

const FORM: CommandForm = {
  short: 'cfhHLPRv',
  long: [
    'changes>c',
    'silent>f',
    'quiet>f',
    'dereference',
    'no-dereference>h',
    'recursive>R',
    'verbose>v',
    'reference:',
    'from:',
    'preserve-root',
    'no-preserve-root',
  ],
  version: '(GNU coreutils) 9.1',
};

/** chown(1) */
export const chown: Program = command(
  {
    ...FORM,
    usage: '[OPTION]... [OWNER][:[GROUP]] FILE...',
    summary: 'Change the owner and/or group of each FILE.',
  },
  (it) => change(it, (text) => ownerOf(it.proc, text)),
);

/** chgrp(1) */
export const chgrp: Program = command(
  { ...FORM, usage: '[OPTION]... GROUP FILE...', summary: 'Change the group of each FILE.' },
  (it) => change(it, (text) => ({ uid: undefined, gid: groupOf(it.proc, text, text) })),
);

interface Owner {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

function ownerOf(proc: Process, text: string): Owner {
  const [, user = '', separator = '', group = ''] = /^([^:]*?)(?:([:.])(.*))?$/.exec(text)!;
  const found =
    user === ''
      ? undefined
      : /^\d+$/.test(user)
        ? { uid: Number(user), gid: Number(user) }
        : userByName(proc, user);
  if (user !== '' && found === undefined) throw new Failure(`invalid user: ${quote(text)}`);
  const gid =
    group !== ''
      ? groupOf(proc, group, text)
      : separator !== '' && found !== undefined
        ? found.gid
        : undefined;
  return { uid: found?.uid, gid };
}

function groupOf(proc: Process, name: string, whole: string): number {
  const gid = /^\d+$/.test(name) ? Number(name) : groupByName(proc, name)?.gid;
  if (gid === undefined) throw new Failure(`invalid group: ${quote(whole)}`);
  return gid;
}

async function change(it: Invocation, parse: (text: string) => Owner): Promise<void> {
  const operands = [...it.operands];
  const reference = it.options.value('reference');
  const text = reference === undefined ? operands.shift() : '';
  if (text === undefined) throw new UsageError('missing operand');
  if (operands.length === 0) throw new UsageError(`missing operand after ${quote(text)}`);
  if (reference === undefined && it.name.endsWith('chown') && /^[^:]*\.[^:]*$/.test(text))
    await it.complain(`warning: '.' should be ':': ${quote(text)}`);
  const owner = reference === undefined ? parse(text) : it.proc.fs.stat(reference);
  for (const path of operands) await apply(it, path, owner);
}

async function apply(it: Invocation, path: string, owner: Owner): Promise<void> {
  const { fs } = it.proc;
  const found = statOf(fs, path) ?? lstatOf(fs, path);
  if (found === undefined) return it.warn(`cannot access ${quoteAlways(path)}: No such file or directory`);
  const uid = owner.uid ?? found.uid;
  const gid = owner.gid ?? found.gid;
  const failed = attempt(() => fs.chown(path, uid, gid));
  if (failed !== undefined) return it.warn(`changing ownership of ${quoteAlways(path)}: ${failed.message}`);
  const names = (u: number, g: number): string => `${userName(it.proc, u)}:${groupName(it.proc, g)}`;
  if (it.options.has('v') || (it.options.has('c') && (uid !== found.uid || gid !== found.gid))) {
    if (owner.gid === undefined || owner.uid === undefined) {
      const group = owner.uid === undefined;
      const [before, now] = group
        ? [groupName(it.proc, found.gid), groupName(it.proc, gid)]
        : [userName(it.proc, found.uid), userName(it.proc, uid)];
      const what = group ? 'group' : 'ownership';
      await it.out.line(
        before === now
          ? `${what} of ${quoteAlways(path)} retained as ${now}`
          : `changed ${what} of ${quoteAlways(path)} from ${before} to ${now}`,
      );
    } else
      await it.out.line(
        uid === found.uid && gid === found.gid
          ? `ownership of ${quoteAlways(path)} retained as ${names(uid, gid)}`
          : `changed ownership of ${quoteAlways(path)} from ${names(found.uid, found.gid)} to ${names(uid, gid)}`,
      );
  }
  if (it.options.has('R') && found.type === 'directory')
    for (const entry of fs.readdir(path)) await apply(it, join(path, entry.name), owner);
}
