// id(1), whoami(1), groups(1), logname(1)
import type { Process, Program } from '../../kernel/index.ts';
import { groupName, listGroups, userByName, userName } from '../frame/accounts.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';

interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** busybox lists the groups as the kernel does; coreutils begins with the process's own. */
function identityOf(proc: Process, name: string | undefined, asKernel = false): Identity | undefined {
  if (name === undefined) {
    const { uid, gid, groups } = proc.credentials;
    return { uid, gid, groups: [...new Set(asKernel ? groups : [gid, ...groups])] };
  }
  const user = userByName(proc, name);
  if (user === undefined) return undefined;
  const more = listGroups(proc)
    .filter((group) => group.members.includes(name))
    .map((group) => group.gid);
  return { uid: user.uid, gid: user.gid, groups: [...new Set([user.gid, ...more])] };
}

/** id(1) */
export const id: Program = command(
  {
    short: 'agGnruzZ',
    long: ['group>g', 'groups>G', 'name>n', 'real>r', 'user>u', 'zero>z', 'context>Z'],
    usage: '[OPTION]... [USER]...',
    summary: 'Print user and group information for each specified USER.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc, options } = it;
    const which = ['u', 'g', 'G'].filter((letter) => options.has(letter));
    if (which.length > 1) throw new Failure('cannot print "only" of more than one choice');
    if (which.length === 0 && options.has('n', 'r'))
      throw new Failure('cannot print only names or real IDs in default format');
    const show = (uid: number): string => (options.has('n') ? userName(proc, uid) : String(uid));
    const showGroup = (gid: number): string => (options.has('n') ? groupName(proc, gid) : String(gid));
    for (const name of it.operands.length > 0 ? it.operands : [undefined]) {
      const identity = identityOf(proc, name, it.dialect === 'busybox');
      if (identity === undefined) {
        await it.warn(`${quote(name!)}: no such user`);
        continue;
      }
      if (which[0] === 'u') await it.out.line(show(identity.uid));
      else if (which[0] === 'g') await it.out.line(showGroup(identity.gid));
      else if (which[0] === 'G') await it.out.line(identity.groups.map(showGroup).join(' '));
      else {
        const groups = identity.groups.map((gid) => named(gid, groupName(proc, gid))).join(',');
        const user = named(identity.uid, userName(proc, identity.uid));
        await it.out.line(
          `uid=${user} gid=${named(identity.gid, groupName(proc, identity.gid))} groups=${groups}`,
        );
      }
    }
  },
);

/** `0(root)`; a number that has no name stands alone. */
function named(id: number, name: string): string {
  return name === String(id) ? name : `${id}(${name})`;
}

/** whoami(1) */
export const whoami: Program = command(
  {
    usage: '[OPTION]...',
    summary: 'Print the user name associated with the current effective user ID.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands[0] !== undefined) throw new UsageError(`extra operand ${quote(it.operands[0])}`);
    await it.out.line(userName(it.proc, it.proc.credentials.uid));
  },
);

/** groups(1) */
export const groups: Program = command(
  {
    usage: '[OPTION]... [USERNAME]...',
    summary: 'Print group memberships for each USERNAME.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    for (const name of it.operands.length > 0 ? it.operands : [undefined]) {
      const identity = identityOf(it.proc, name);
      if (identity === undefined) await it.warn(`${quote(name!)}: no such user`);
      else
        await it.out.line(
          `${name === undefined ? '' : `${name} : `}${identity.groups.map((gid) => groupName(it.proc, gid)).join(' ')}`,
        );
    }
  },
);

/** logname(1) */
export const logname: Program = command({}, async (it) => {
  await it.out.line(it.proc.env.get('LOGNAME') ?? userName(it.proc, it.proc.credentials.uid));
});
