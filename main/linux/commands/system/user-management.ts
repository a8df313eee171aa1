// useradd(8), usermod(8), userdel(8), groupadd(8), groupmod(8), groupdel(8), gpasswd(1)
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { findRow, freeId, readRows, setPasswordField, today, writeRows } from './account-files.ts';

const NAME = /^[a-z_][a-z0-9_-]{0,30}\$?$/i;
const HINT = (): string => '';

/** Only root locks the files. */
function requireRoot(it: Invocation, file: 'passwd' | 'group'): void {
  if (it.proc.credentials.uid !== 0)
    throw new Failure(
      `Permission denied.\n${it.name}: cannot lock /etc/${file}; try again later.`,
      file === 'passwd' ? 1 : 10,
    );
}

/** The number of a group given by name or number. */
function groupId(it: Invocation, text: string, exitCode = 6): number {
  const row = readRows(it.proc, 'group').find(([name, , gid]) => name === text || gid === text);
  if (row === undefined) throw new Failure(`group '${text}' does not exist`, exitCode);
  return Number(row[2]);
}

function numberOf(it: Invocation, letter: 'u' | 'g', file: 'passwd' | 'group'): number | undefined {
  const text = it.options.value(letter);
  if (text === undefined) return undefined;
  const what = letter === 'u' ? 'user' : 'group';
  if (!/^\d+$/.test(text)) throw new Failure(`invalid ${what} ID '${text}'`, 3);
  const taken = readRows(it.proc, file).some((row) => row[2] === text);
  if (taken && !it.options.has('o'))
    throw new Failure(letter === 'u' ? `UID ${text} is not unique` : `GID '${text}' already exists`, 4);
  return Number(text);
}

/** Makes somebody a member of groups; `only` takes them out of the others. */
function setGroups(proc: Process, user: string, groups: readonly string[], only: boolean): void {
  const rows = readRows(proc, 'group');
  for (const row of rows) {
    const members = (row[3] ?? '').split(',').filter((name) => name !== '');
    const wanted = groups.includes(row[0]!) || groups.includes(row[2]!);
    if (wanted && !members.includes(user)) members.push(user);
    row[3] = (wanted || !only ? members : members.filter((name) => name !== user)).join(',');
  }
  writeRows(proc, 'group', rows);
}

function addGroupRow(proc: Process, name: string, gid: number): void {
  writeRows(proc, 'group', [...readRows(proc, 'group'), [name, 'x', String(gid), '']]);
}

/** useradd(8) */
export const useradd: Program = command(
  {
    short: 'b:c:d:De:f:g:G:hk:K:lmMNop:rs:u:U',
    long: [
      'comment:>c',
      'home-dir:>d',
      'base-dir:>b',
      'defaults>D',
      'expiredate:>e',
      'inactive:>f',
      'gid:>g',
      'groups:>G',
      'skel:>k',
      'key:>K',
      'no-log-init>l',
      'create-home>m',
      'no-create-home>M',
      'no-user-group>N',
      'non-unique>o',
      'password:>p',
      'system>r',
      'shell:>s',
      'uid:>u',
      'user-group>U',
    ],
    usage: '[options] LOGIN',
    usageExit: 2,
    hint: HINT,
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('D')) {
      await it.out.put(
        'GROUP=100\nHOME=/home\nINACTIVE=-1\nEXPIRE=\nSHELL=/bin/bash\nSKEL=/etc/skel\nCREATE_MAIL_SPOOL=yes\n',
      );
      return;
    }
    const [name] = it.operands;
    if (name === undefined) {
      await proc.stderr.write(
        'Usage: useradd [options] LOGIN\n       useradd -D\n       useradd -D [options]\n',
      );
      return void (it.exitCode = 2);
    }
    requireRoot(it, 'passwd');
    const users = readRows(proc, 'passwd');
    if (!NAME.test(name)) throw new Failure(`invalid user name '${name}': use --badname to ignore`, 3);
    if (findRow(users, name) !== undefined) throw new Failure(`user '${name}' already exists`, 9);
    const system = options.has('r');
    const uid = numberOf(it, 'u', 'passwd') ?? freeId(users, system);
    const extra = options.value('G')?.split(',') ?? [];
    for (const group of extra) groupId(it, group);
    const gid = chooseGroup(it, name, uid, system);
    const home = options.value('d') ?? `${options.value('b') ?? '/home'}/${name}`;
    const shell = options.value('s') ?? '/bin/bash';
    if (!shell.startsWith('/')) throw new Failure(`invalid shell '${shell}'`, 3);
    writeRows(proc, 'passwd', [
      ...users,
      [name, 'x', String(uid), String(gid), options.value('c') ?? '', home, shell],
    ]);
    setPasswordField(proc, name, options.value('p') ?? '!!');
    if (extra.length > 0) setGroups(proc, name, extra, false);
    if (options.has('m') || (!options.has('M') && !system)) await makeHome(it, home, uid, gid);
  },
);

function chooseGroup(it: Invocation, name: string, uid: number, system: boolean): number {
  const { proc, options } = it;
  const given = options.value('g');
  if (given !== undefined) return groupId(it, given);
  if (options.has('N')) return 100;
  const groups = readRows(proc, 'group');
  if (findRow(groups, name) !== undefined)
    throw new Failure(`group ${name} exists - if you want to add this user to that group, use -g.`, 9);
  const gid = groups.some((row) => Number(row[2]) === uid) ? freeId(groups, system) : uid;
  addGroupRow(proc, name, gid);
  return gid;
}

async function makeHome(it: Invocation, home: string, uid: number, gid: number): Promise<void> {
  const { fs } = it.proc;
  if (fs.exists(home)) {
    await it.complain(
      `warning: the home directory ${home} already exists.\n${it.name}: Not copying any file from skel directory into it.`,
    );
    return;
  }
  fs.mkdir(home, { recursive: true, mode: 0o700 });
  const skeleton = it.options.value('k') ?? '/etc/skel';
  const copy = (from: string, to: string): void => {
    for (const { name, type } of fs.readdir(from)) {
      const [source, target] = [`${from}/${name}`, `${to}/${name}`];
      if (type === 'directory') {
        fs.mkdir(target);
        copy(source, target);
      } else if (type === 'symlink') fs.symlink(fs.readlink(source), target);
      else fs.writeFile(target, fs.readFile(source));
      if (type !== 'symlink') fs.chown(target, uid, gid);
    }
  };
  if (fs.exists(skeleton)) copy(skeleton, home);
  fs.chmod(home, 0o700);
  fs.chown(home, uid, gid);
}

/** usermod(8) */
export const usermod: Program = command(
  {
    short: 'ac:d:e:f:g:G:l:Lmop:rs:u:U',
    long: [
      'append>a',
      'comment:>c',
      'home:>d',
      'expiredate:>e',
      'inactive:>f',
      'gid:>g',
      'groups:>G',
      'login:>l',
      'lock>L',
      'move-home>m',
      'non-unique>o',
      'password:>p',
      'remove>r',
      'shell:>s',
      'uid:>u',
      'unlock>U',
    ],
    usage: '[options] LOGIN',
    usageExit: 2,
    hint: HINT,
  },
  async (it) => {
    const { proc, options } = it;
    const [name] = it.operands;
    if (name === undefined) {
      await proc.stderr.write('Usage: usermod [options] LOGIN\n');
      return void (it.exitCode = 2);
    }
    requireRoot(it, 'passwd');
    const users = readRows(proc, 'passwd');
    const row = findRow(users, name);
    if (row === undefined) throw new Failure(`user '${name}' does not exist`, 6);
    const groups = options
      .value('G')
      ?.split(',')
      .filter((group) => group !== '');
    for (const group of groups ?? []) groupId(it, group);
    const uid = numberOf(it, 'u', 'passwd');
    const renamed = options.value('l');
    if (renamed !== undefined && findRow(users, renamed) !== undefined)
      throw new Failure(`user '${renamed}' already exists`, 9);
    const [oldHome, newHome] = [row[5]!, options.value('d')];
    if (uid !== undefined) row[2] = String(uid);
    if (options.has('g')) row[3] = String(groupId(it, options.value('g')!));
    row[4] = options.value('c') ?? row[4]!;
    row[5] = newHome ?? oldHome;
    row[6] = options.value('s') ?? row[6]!;
    row[0] = renamed ?? name;
    writeRows(proc, 'passwd', users);
    if (newHome !== undefined && options.has('m') && proc.fs.exists(oldHome))
      proc.fs.rename(oldHome, newHome);
    if (groups !== undefined) {
      if (options.has('r')) removeFromGroups(proc, name, groups);
      else setGroups(proc, name, groups, !options.has('a'));
    }
    lockOrSet(it, name);
    if (renamed !== undefined) renameMember(proc, name, renamed);
  },
);

function removeFromGroups(proc: Process, user: string, groups: readonly string[]): void {
  const rows = readRows(proc, 'group');
  for (const row of rows)
    if (groups.includes(row[0]!))
      row[3] = (row[3] ?? '')
        .split(',')
        .filter((name) => name !== user)
        .join(',');
  writeRows(proc, 'group', rows);
}

function lockOrSet(it: Invocation, name: string): void {
  const { proc, options } = it;
  const field = findRow(readRows(proc, 'shadow'), name)?.[1] ?? '!!';
  if (options.has('p')) setPasswordField(proc, name, options.value('p')!);
  else if (options.has('L') && !field.startsWith('!')) setPasswordField(proc, name, `!${field}`);
  else if (options.has('U')) {
    if (/^!+$/.test(field))
      throw new Failure(
        `unlocking the user's password would result in a passwordless account.\nYou should set a password with usermod -p to unlock this user's password.`,
      );
    setPasswordField(proc, name, field.replace(/^!/, ''));
  }
}

function renameMember(proc: Process, from: string, to: string): void {
  for (const file of ['group', 'shadow'] as const) {
    const rows = readRows(proc, file);
    for (const row of rows) {
      if (file === 'shadow' && row[0] === from) row[0] = to;
      if (file === 'group')
        row[3] = (row[3] ?? '')
          .split(',')
          .map((name) => (name === from ? to : name))
          .join(',');
    }
    writeRows(proc, file, rows);
  }
}

/** userdel(8) */
export const userdel: Program = command(
  {
    short: 'frZ',
    long: ['force>f', 'remove>r', 'selinux-user>Z'],
    usage: '[options] LOGIN',
    usageExit: 2,
    hint: HINT,
  },
  async (it) => {
    const { proc, options } = it;
    const [name] = it.operands;
    if (name === undefined) {
      await proc.stderr.write('Usage: userdel [options] LOGIN\n');
      return void (it.exitCode = 2);
    }
    requireRoot(it, 'passwd');
    const users = readRows(proc, 'passwd');
    const row = findRow(users, name);
    if (row === undefined) throw new Failure(`user '${name}' does not exist`, 6);
    const using = proc.kernel
      .listProcesses(proc)
      .find(({ credentials }) => String(credentials.uid) === row[2]);
    if (using !== undefined && !options.has('f'))
      throw new Failure(`user ${name} is currently used by process ${using.pid}`, 8);
    writeRows(
      proc,
      'passwd',
      users.filter((one) => one !== row),
    );
    writeRows(
      proc,
      'shadow',
      readRows(proc, 'shadow').filter(([user]) => user !== name),
    );
    const shared = users.some((one) => one !== row && one[3] === row[3]);
    setGroups(proc, name, [], true);
    if (!shared)
      writeRows(
        proc,
        'group',
        readRows(proc, 'group').filter(
          ([group, , gid, members]) => !(group === name && gid === row[3] && members === ''),
        ),
      );
    if (!options.has('r')) return;
    if (proc.fs.exists(row[5]!)) proc.fs.removeAll(row[5]!);
    else
      await it.complain(
        `${name} mail spool (/var/spool/mail/${name}) not found\n${it.name}: ${name} home directory (${row[5]}) not found`,
      );
  },
);

/** groupadd(8) */
export const groupadd: Program = command(
  {
    short: 'fg:K:op:rU:',
    long: ['force>f', 'gid:>g', 'non-unique>o', 'system>r', 'users:>U'],
    usage: '[options] GROUP',
    usageExit: 2,
    hint: HINT,
  },
  async (it) => {
    const { proc, options } = it;
    const [name] = it.operands;
    if (name === undefined) {
      await proc.stderr.write('Usage: groupadd [options] GROUP\n');
      return void (it.exitCode = 2);
    }
    requireRoot(it, 'group');
    const groups = readRows(proc, 'group');
    if (!NAME.test(name)) throw new Failure(`'${name}' is not a valid group name`, 3);
    if (findRow(groups, name) !== undefined) {
      if (options.has('f')) return;
      throw new Failure(`group '${name}' already exists`, 9);
    }
    addGroupRow(proc, name, numberOf(it, 'g', 'group') ?? freeId(groups, options.has('r')));
  },
);

/** groupmod(8) */
export const groupmod: Program = command(
  {
    short: 'g:n:o',
    long: ['gid:>g', 'new-name:>n', 'non-unique>o'],
    usage: '[options] GROUP',
    usageExit: 2,
    hint: HINT,
  },
  async (it) => {
    const { proc, options } = it;
    const [name = ''] = it.operands;
    requireRoot(it, 'group');
    const groups = readRows(proc, 'group');
    const row = findRow(groups, name);
    if (row === undefined) throw new Failure(`group '${name}' does not exist`, 6);
    const renamed = options.value('n');
    if (renamed !== undefined && findRow(groups, renamed) !== undefined)
      throw new Failure(`group '${renamed}' already exists`, 9);
    row[0] = renamed ?? name;
    row[2] = String(numberOf(it, 'g', 'group') ?? row[2]);
    writeRows(proc, 'group', groups);
    return Promise.resolve();
  },
);

/** groupdel(8) */
export const groupdel: Program = command(
  { short: 'f', long: ['force>f'], usage: '[options] GROUP', usageExit: 2, hint: HINT },
  async (it) => {
    const { proc } = it;
    const [name] = it.operands;
    if (name === undefined) {
      await proc.stderr.write('Usage: groupdel [options] GROUP\n');
      return void (it.exitCode = 2);
    }
    requireRoot(it, 'group');
    const groups = readRows(proc, 'group');
    const row = findRow(groups, name);
    if (row === undefined) throw new Failure(`group '${name}' does not exist`, 6);
    const primary = readRows(proc, 'passwd').find((user) => user[3] === row[2]);
    if (primary !== undefined && !it.options.has('f'))
      throw new Failure(`cannot remove the primary group of user '${primary[0]}'`, 8);
    writeRows(
      proc,
      'group',
      groups.filter((one) => one !== row),
    );
  },
);

/** gpasswd(1): -a and -d. */
export const gpasswd: Program = command(
  {
    short: 'a:d:A:M:rR',
    long: ['add:>a', 'delete:>d', 'members:>M'],
    usage: '[option] GROUP',
    usageExit: 2,
    hint: HINT,
  },
  async (it) => {
    const { proc, options } = it;
    const [name = ''] = it.operands;
    if ((proc.credentials.realUid ?? proc.credentials.uid) !== 0) throw new Failure('Permission denied.');
    const row = findRow(readRows(proc, 'group'), name);
    if (row === undefined) throw new Failure(`group '${name}' does not exist in /etc/group`);
    const user = options.value('a') ?? options.value('d');
    if (user === undefined) throw new Failure("drydock: gpasswd other than -a and -d isn't simulated");
    if (findRow(readRows(proc, 'passwd'), user) === undefined)
      throw new Failure(`user '${user}' does not exist`, 3);
    if (options.has('a')) {
      await it.out.line(`Adding user ${user} to group ${name}`);
      setGroups(proc, user, [name], false);
      return;
    }
    if (!(row[3] ?? '').split(',').includes(user))
      throw new Failure(`user '${user}' is not a member of '${name}'`, 3);
    await it.out.line(`Removing user ${user} from group ${name}`);
    removeFromGroups(proc, user, [name]);
  },
);

/** chage(1): -l, and the dates that it sets. */
export const chage: Program = command(
  {
    short: 'd:E:I:lm:M:W:',
    long: ['list>l', 'lastday:>d', 'expiredate:>E', 'inactive:>I', 'mindays:>m', 'maxdays:>M', 'warndays:>W'],
    usage: '[options] LOGIN',
    usageExit: 2,
    hint: HINT,
  },
  async (it) => {
    const { proc, options } = it;
    const [name = ''] = it.operands;
    if (findRow(readRows(proc, 'passwd'), name) === undefined)
      throw new Failure(`user '${name}' does not exist in /etc/passwd`);
    if ((proc.credentials.realUid ?? proc.credentials.uid) !== 0) throw new Failure('Permission denied.');
    const rows = readRows(proc, 'shadow');
    const row = findRow(rows, name) ?? [name, '!!', today(proc), '0', '99999', '7', '', '', ''];
    if (!options.has('l')) {
      for (const [letter, column] of [
        ['d', 2],
        ['m', 3],
        ['M', 4],
        ['W', 5],
        ['I', 6],
      ] as const)
        if (options.has(letter)) row[column] = options.value(letter)!;
      writeRows(proc, 'shadow', [...rows.filter(([user]) => user !== name), row]);
      return;
    }
    const day = (text: string): string =>
      new Date(Number(text) * 86_400_000).toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) .*$/, '$2 $1, $3');
    const max = Number(row[4]);
    await it.out.put(
      `Last password change\t\t\t\t\t: ${day(row[2]!)}\nPassword expires\t\t\t\t\t: ${max >= 99_999 ? 'never' : day(String(Number(row[2]) + max))}\nPassword inactive\t\t\t\t\t: never\nAccount expires\t\t\t\t\t\t: never\nMinimum number of days between password change\t\t: ${row[3]}\nMaximum number of days between password change\t\t: ${row[4]}\nNumber of days of warning before password expires\t: ${row[5]}\n`,
    );
  },
);
