// su(1), sudo(8), which(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { listGroups, listUsers, userByName, type User } from '../frame/accounts.ts';
import { DEFAULT_PATH, findExecutable, signalNumber } from '../frame/child.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { askSecret, isPasswordOf } from './passwords.ts';
import { ruleCovering, rulesFor, sudoRules, type Rule } from './sudoers.ts';

/** pam_unix's delay after a wrong password. */
const WRONG_PASSWORD_MS = 2000;

/** Who started it: su and sudo themselves run as root. */
function callerUid({ credentials }: Process): number {
  return credentials.realUid ?? credentials.uid;
}

async function runAs(
  proc: Process,
  user: User,
  argv: readonly string[],
  env: ReadonlyMap<string, string>,
  cwd: string,
): Promise<number> {
  const groups = listGroups(proc)
    .filter((group) => group.members.includes(user.name))
    .map((group) => group.gid);
  const child = proc.spawn({
    argv,
    path: findExecutable(proc, argv[0]!.replace(/^-/, ''), env),
    env,
    cwd,
    credentials: { uid: user.uid, gid: user.gid, groups: [user.gid, ...groups] },
  });
  const status = await child.wait();
  return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
}

/** su(1) */
export const su: Program = command(
  {
    short: 'c:flms:pu:g:G:P',
    long: ['command:>c', 'login>l', 'shell:>s', 'preserve-environment>p'],
    usage: '[options] [-] [<user> [<argument>...]]',
    version: 'from util-linux 2.38.1',
    prepare: (args) => args.map((arg) => (arg === '-' ? '-l' : arg)),
  },
  async (it) => {
    const { proc, options } = it;
    const [name = 'root', ...rest] = it.operands;
    const user = userByName(proc, name);
    if (user === undefined)
      throw new Failure(
        `user ${name} does not exist or the user entry does not contain all the required fields`,
      );
    if (callerUid(proc) !== 0 && callerUid(proc) !== user.uid) {
      const password = await askSecret(proc, 'Password: ');
      if (password === undefined || !isPasswordOf(proc, name, password)) {
        await proc.sleep(WRONG_PASSWORD_MS);
        throw new Failure('Authentication failure');
      }
    }
    const login = options.has('l');
    const shell = options.value('s') ?? (user.shell === '' ? '/bin/sh' : user.shell);
    if (!proc.fs.exists(shell))
      throw new Failure(`failed to execute ${shell}: No such file or directory`, 127);
    const env = new Map(
      login
        ? [
            ['TERM', proc.env.get('TERM') ?? 'linux'],
            ['PATH', DEFAULT_PATH],
          ]
        : proc.env,
    );
    for (const [key, value] of [
      ['HOME', user.home],
      ['SHELL', shell],
      ['USER', user.name],
      ['LOGNAME', user.name],
    ] as const)
      env.set(key, value);
    const command = options.value('c');
    const base = shell.slice(shell.lastIndexOf('/') + 1);
    const argv = [login ? `-${base}` : base, ...(command === undefined ? [] : ['-c', command]), ...rest];
    const child = proc.spawn({
      argv,
      path: shell,
      env,
      cwd: login && proc.fs.exists(user.home) ? user.home : proc.cwd,
      credentials: {
        uid: user.uid,
        gid: user.gid,
        groups: [
          user.gid,
          ...listGroups(proc)
            .filter((group) => group.members.includes(user.name))
            .map((group) => group.gid),
        ],
      },
    });
    const status = await child.wait();
    return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
  },
);

const SUDO_USAGE =
  'usage: sudo -h | -K | -k | -V\nusage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]\nusage: sudo -l [-ABkNnS] [-g group] [-h host] [-p prompt] [-U user] [-u user] [command [arg ...]]\nusage: sudo [-ABbEHkNnPS] [-r role] [-t type] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] [VAR=value] [-i | -s] [command [arg ...]]\nusage: sudo -e [-ABkNnS] [-r role] [-t type] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] file ...\n';
const PASSWORD_TRIES = 3;

/** sudo(8), by /etc/sudoers. Differs: it asks for the password every time, as no time stamp is kept. */
export const sudo: Program = command(
  {
    short: 'AbeEHiKklnPSsu:g:vp:U:D:V',
    long: [
      'user:>u',
      'group:>g',
      'login>i',
      'shell>s',
      'preserve-env::>E',
      'set-home>H',
      'non-interactive>n',
      'list>l',
      'validate>v',
      'prompt:>p',
      'stdin>S',
      'other-user:>U',
      'chdir:>D',
      'reset-timestamp>k',
      'remove-timestamp>K',
    ],
    permute: false,
    usage: '-h | -K | -k | -V',
    hint: () => SUDO_USAGE,
    versionText: 'Sudo version 1.9.13p3\n',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('V')) return void (await it.out.put('Sudo version 1.9.13p3\n'));
    if (options.has('k', 'K') && it.operands.length === 0) return 0;
    const target = userByName(proc, (options.value('u') ?? 'root').replace(/^#0$/, 'root'));
    if (target === undefined) throw new Failure(`unknown user ${options.value('u')}`);
    const caller = listUsers(proc).find(({ uid }) => uid === callerUid(proc));
    const own = await ownRules(it, caller?.name ?? String(callerUid(proc)));
    if (options.has('l') && it.operands.length === 0) return listRules(it, caller?.name ?? 'root', own);
    const argv = [...it.operands];
    const env = sudoEnvironment(proc, target);
    while (/^\w+=/.test(argv[0] ?? '')) {
      const assignment = argv.shift()!;
      env.set(assignment.slice(0, assignment.indexOf('=')), assignment.slice(assignment.indexOf('=') + 1));
    }
    const login = options.has('i');
    if (login || options.has('s')) {
      const shell = target.shell === '' ? '/bin/bash' : target.shell;
      const command = argv.length > 0 ? ['-c', argv.map(shellWord).join(' ')] : [];
      argv.splice(0, argv.length, shell, ...(login && command.length === 0 ? ['-l'] : []), ...command);
    }
    if (options.has('v') && argv.length === 0) return authenticate(it, caller?.name ?? '', own);
    if (argv.length === 0) {
      await proc.stderr.write(SUDO_USAGE);
      return 1;
    }
    const path = pathOf(proc, argv[0]!, env);
    const rule = ruleCovering(own, path ?? argv[0]!, argv.slice(1), target.name);
    const refused = await refusal(it, caller?.name ?? '', own, rule, target.name, argv);
    if (refused !== undefined) return refused;
    try {
      return await runAs(proc, target, argv, env, options.value('D') ?? (login ? target.home : proc.cwd));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        error.code === 'ENOENT'
          ? `${argv[0]}: command not found`
          : `unable to execute ${argv[0]}: ${error.message}`,
      );
    }
  },
);

/** The caller's rules. Root's own word is enough for root. */
async function ownRules({ proc }: Invocation, name: string): Promise<Rule[]> {
  const groups = listGroups(proc)
    .filter(({ gid, members }) => proc.credentials.groups.includes(gid) || members.includes(name))
    .map((group) => group.name);
  const rules = rulesFor(sudoRules(proc.kernel.files), name, callerUid(proc), groups);
  if (callerUid(proc) !== 0) return Promise.resolve(rules);
  return Promise.resolve([{ who: 'root', runAs: ['ALL'], noPassword: true, commands: ['ALL'] }]);
}

function sudoEnvironment(proc: Process, target: User): Map<string, string> {
  const caller = listUsers(proc).find(({ uid }) => uid === callerUid(proc));
  const kept = ['TERM', 'LANG', 'LC_ALL', 'DISPLAY', 'COLUMNS', 'LINES', 'EDITOR', 'KUBECONFIG'];
  const isRoot = callerUid(proc) === 0;
  return new Map([
    ...Array.from(proc.env).filter(([key]) => isRoot || kept.includes(key)),
    ['PATH', proc.env.get('PATH') ?? DEFAULT_PATH],
    ['HOME', target.home],
    ['USER', target.name],
    ['LOGNAME', target.name],
    ['SHELL', target.shell],
    ['SUDO_USER', caller?.name ?? 'root'],
    ['SUDO_UID', String(callerUid(proc))],
    ['SUDO_GID', String(proc.credentials.gid)],
    ['SUDO_COMMAND', proc.argv.slice(1).join(' ')],
  ]);
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function pathOf(proc: Process, name: string, env: ReadonlyMap<string, string>): string | undefined {
  try {
    return proc.fs.resolve(findExecutable(proc, name, env));
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

/** undefined: go on. */
async function refusal(
  it: Invocation,
  caller: string,
  own: readonly Rule[],
  rule: Rule | undefined,
  target: string,
  argv: readonly string[],
): Promise<number | undefined> {
  if (rule?.noPassword === true) return undefined;
  const status = await authenticate(it, caller, rule === undefined ? own : [rule]);
  if (status !== 0) return status;
  if (rule !== undefined) return undefined;
  const { stderr, kernel } = it.proc;
  if (own.length === 0)
    await stderr.write(`${caller} is not in the sudoers file.  This incident will be reported.\n`);
  else
    await stderr.write(
      `Sorry, user ${caller} is not allowed to execute '${argv.join(' ')}' as ${target} on ${kernel.hostname}.\n`,
    );
  return 1;
}

/** Asks for the caller's password, unless nothing they may do needs one. */
async function authenticate(it: Invocation, caller: string, rules: readonly Rule[]): Promise<number> {
  const { proc, options } = it;
  if (rules.length > 0 && rules.every(({ noPassword }) => noPassword)) return 0;
  if (options.has('n')) throw new Failure('a password is required');
  if (proc.tty === undefined && !options.has('S'))
    throw new Failure(
      'a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required',
    );
  const prompt = (options.value('p') ?? '[sudo] password for %p: ')
    .replace('%p', caller)
    .replace('%u', caller);
  for (let tries = 1; ; tries++) {
    const password = await askSecret(proc, prompt, options.has('S') ? 'stdin' : 'terminal');
    if (password === undefined) {
      const before = tries === 1 ? '' : `${tries - 1} incorrect password attempt${tries === 2 ? '' : 's'}`;
      throw new Failure(before === '' ? 'no password was provided\nsudo: a password is required' : before);
    }
    if (isPasswordOf(proc, caller, password)) return 0;
    await proc.sleep(WRONG_PASSWORD_MS);
    if (tries === PASSWORD_TRIES) throw new Failure(`${PASSWORD_TRIES} incorrect password attempts`);
    await proc.stderr.write('Sorry, try again.\n');
  }
}

async function listRules(it: Invocation, user: string, rules: readonly Rule[]): Promise<number> {
  const host = it.proc.kernel.hostname;
  if (rules.length === 0) {
    await it.proc.stderr.write(`Sorry, user ${user} may not run sudo on ${host}.\n`);
    return 1;
  }
  const status = await authenticate(it, user, rules);
  if (status !== 0) return status;
  const rows = rules.map(
    ({ runAs, noPassword, commands }) =>
      `    (${runAs.join(', ')}) ${noPassword && callerUid(it.proc) !== 0 ? 'NOPASSWD: ' : ''}${commands.join(', ')}\n`,
  );
  await it.out.put(`User ${user} may run the following commands on ${host}:\n${rows.join('')}`);
  return 0;
}

/** which(1) */
export const which: Program = command(
  { short: 'as', long: ['all>a'], usage: '[options] [--] COMMAND [...]' },
  async (it) => {
    for (const name of it.operands) {
      const found: string[] = [];
      for (const directory of name.includes('/')
        ? ['']
        : (it.proc.env.get('PATH') ?? DEFAULT_PATH).split(':')) {
        const path = name.includes('/') ? name : `${directory === '' ? '.' : directory}/${name}`;
        if (
          it.proc.fs.exists(path) &&
          it.proc.fs.stat(path).type === 'file' &&
          it.proc.fs.access(path, { execute: true })
        )
          found.push(path);
      }
      if (found.length === 0) it.exitCode = 1;
      else
        for (const path of it.options.has('a') ? [...new Set(found)] : found.slice(0, 1))
          await it.out.line(path);
    }
  },
);
