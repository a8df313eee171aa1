// su(1), sudo(8), which(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { listGroups, userByName, type User } from '../frame/accounts.ts';
import { DEFAULT_PATH, findExecutable, signalNumber } from '../frame/child.ts';
import { command, Failure } from '../frame/command.ts';

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

/** su(1). Differs: there are no passwords, so only root may change user. */
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
    if (proc.credentials.uid !== 0 && proc.credentials.uid !== user.uid) {
      await proc.stderr.write('Password: \n');
      throw new Failure('Authentication failure');
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
      credentials: { uid: user.uid, gid: user.gid, groups: [user.gid] },
    });
    const status = await child.wait();
    return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
  },
);

/** sudo(8): root and members of wheel or sudo, without a password. */
export const sudo: Program = command(
  {
    short: 'AbEeHiKklnPSsu:g:v',
    long: [
      'user:>u',
      'login>i',
      'shell>s',
      'preserve-env::>E',
      'set-home>H',
      'non-interactive>n',
      'list>l',
      'validate>v',
    ],
    permute: false,
    usage: '-h | -K | -k | -V\nusage: sudo [-u user] [command [arg ...]]',
  },
  async (it) => {
    const { proc, options } = it;
    const target = userByName(proc, options.value('u') ?? 'root');
    if (target === undefined) throw new Failure(`unknown user ${options.value('u')}`);
    const caller = proc.credentials.uid;
    const allowed =
      caller === 0 ||
      listGroups(proc).some(
        (group) =>
          (group.name === 'wheel' || group.name === 'sudo') && proc.credentials.groups.includes(group.gid),
      );
    if (!allowed) {
      await proc.stderr.write(`[sudo] password for ${proc.env.get('USER') ?? caller}: \n`);
      throw new Failure('a password is required');
    }
    const argv = [...it.operands];
    const env = new Map(proc.env);
    for (const [key, value] of [
      ['HOME', target.home],
      ['USER', target.name],
      ['LOGNAME', target.name],
      ['SUDO_USER', proc.env.get('USER') ?? 'root'],
      ['SUDO_UID', String(caller)],
      ['SUDO_GID', String(proc.credentials.gid)],
    ] as const)
      env.set(key, value);
    while (/^\w+=/.test(argv[0] ?? '')) {
      const assignment = argv.shift()!;
      env.set(assignment.slice(0, assignment.indexOf('=')), assignment.slice(assignment.indexOf('=') + 1));
    }
    const login = options.has('i');
    if (login || options.has('s')) {
      const shell = target.shell === '' ? '/bin/bash' : target.shell;
      const command = argv.length > 0 ? ['-c', argv.join(' ')] : [];
      argv.splice(0, argv.length, shell, ...(login && command.length === 0 ? ['-l'] : []), ...command);
    }
    if (argv.length === 0) {
      await proc.stderr.write('usage: sudo -h | -K | -k | -V\nusage: sudo [-u user] [command [arg ...]]\n');
      return 1;
    }
    try {
      return await runAs(proc, target, argv, env, login ? target.home : proc.cwd);
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
