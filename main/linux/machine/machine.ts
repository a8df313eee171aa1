// Makes a machine and lets people and programs in: logins on terminals, and commands without one.
import { ErrnoError, type NetworkNamespace } from '../../network/index.ts';
import type { Clock, Random } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import {
  makeKernel,
  makeLayer,
  makeOverlay,
  openDisk,
  type Kernel,
  type LayerFile,
  type OpenFile,
  type Process,
  type Program,
  type Task,
  type TtyMaster,
} from '../kernel/index.ts';
import {
  baseUnitFiles,
  Journald,
  journalSocket,
  makeSystemd,
  systemdSocket,
  type Journal,
  type SystemdManager,
  type UnitDefinition,
} from '../systemd/index.ts';
import { findAccount, type Account } from './account.ts';
import { distributionFiles } from './distribution.ts';
import { SavedTmpfs } from './kept-tmpfs.ts';
import { keepMachineState, openMachineState } from './machine-state.ts';

/** A program with the name that its file carries, where that isn't the path's last part. */
export interface InstalledProgram {
  readonly name: string;
  readonly program: Program;
}

export interface MachineOptions {
  /** Host name, and the key of everything saved: `/machines/NAME/…`. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly net: NetworkNamespace;
  /** Executables by path, such as `/usr/bin/ls`. */
  readonly programs: ReadonlyMap<string, Program | InstalledProgram>;
  /** Added to, or instead of, the distribution's files. */
  readonly baseFiles?: ReadonlyMap<string, LayerFile>;
  readonly units?: readonly UnitDefinition[];
  /** Modules that the boot loads. */
  readonly modules?: readonly string[];
  readonly release?: string;
  readonly cpuCount?: number;
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
  /** Told of a program that threw what none may. */
  readonly onFault: (error: unknown, process: Process) => void;
}

export interface LoginOptions {
  readonly user: string;
  readonly tty: TtyMaster;
  /** The terminal's type; xterm-256color by default. */
  readonly term?: string;
}

export interface ExecOptions {
  /** root by default. */
  readonly user?: string;
  readonly cwd?: string;
  /** Added to the environment of a login. */
  readonly env?: ReadonlyMap<string, string>;
  /** stdin, stdout, stderr; absent: /dev/null. */
  readonly stdio?: readonly [OpenFile, OpenFile, OpenFile];
  readonly tty?: TtyMaster;
  readonly term?: string;
}

/** Disposing takes the power away: all is saved, every process ends, nothing is written after. Dispose its containerd first. */
export interface Machine extends Disposable {
  readonly name: string;
  readonly kernel: Kernel;
  readonly systemd: SystemdManager;
  readonly journal: Journal;
  /** Where the machine's other records belong, such as `/machines/worker1/`. */
  readonly prefix: string;
  /** Starts the enabled units. Once, after the caller has defined them all. */
  boot(): Promise<void>;
  /** A login shell of the user. Throws ErrnoError ENOENT for an unknown user or a missing shell. */
  login(options: LoginOptions): Task;
  /** Runs a command as after a login, found by that login's PATH. Throws ErrnoError as execve. */
  exec(argv: readonly string[], options?: ExecOptions): Task;
}

const TERM = 'xterm-256color';
const DISK_BYTES = 40 * 1024 ** 3;
/** /dev/sda1: 8, 1. */
const DISK_DEVICE = 0x801;

export function makeMachine(options: MachineOptions): Machine {
  const { name, clock, store } = options;
  const random = options.random.fork(`machine-${name}`);
  const prefix = `/machines/${name}/`;
  const saved = openMachineState(store, `${prefix}state`, clock.now(), random);
  const { bootMs } = saved;
  const disk = openDisk({
    id: `disk:${name}`,
    store,
    prefix: `${prefix}disk/`,
    clock,
    sizeMaxBytes: options.diskBytes ?? DISK_BYTES,
    device: DISK_DEVICE,
  });
  const base = makeLayer(`base:${name}`, baseOf(options), bootMs);
  const memory = new SavedTmpfs(store, `${prefix}tmpfs/`, clock);
  const kernel = makeKernel({
    clock,
    random: random.fork(`open-${saved.opens}`),
    net: options.net,
    hostname: name,
    root: makeOverlay(`root:${name}`, [base], disk.tree),
    bootMs,
    bootId: saved.bootId,
    systemUuid: random.fork('system-uuid').uuid(),
    release: options.release,
    cpuCount: options.cpuCount,
    memoryBytes: options.memoryBytes,
    modules: saved.modules ?? options.modules,
    keptTmpfs: memory,
    onFault: options.onFault,
  });
  kernel.hostname = savedHostname(kernel, name);
  const state = keepMachineState(kernel, store, `${prefix}state`, saved);
  const journal = new Journald({ clock, kernel, store, prefix: `${prefix}journal/` });
  const systemd = makeSystemd({
    kernel,
    clock,
    journal,
    units: options.units ?? [],
    account: (user) => findAccount(kernel.files, user),
  });
  kernel.bindService(journalSocket, journal);
  kernel.bindService(systemdSocket, systemd);

  const start = (
    account: Account,
    argv: readonly string[],
    path: string | undefined,
    { env, cwd, term, tty, stdio }: ExecOptions,
  ): Task =>
    kernel.start({
      argv,
      path,
      env: new Map([
        ...loginEnvironment(account, tty === undefined ? undefined : (term ?? TERM)),
        ...(env ?? []),
      ]),
      cwd: cwd ?? (kernel.files.exists(account.home) ? account.home : '/'),
      credentials: account.credentials,
      ...(tty === undefined ? { stdio } : { tty }),
    });

  return {
    name,
    kernel,
    systemd,
    journal,
    prefix,
    boot: () => systemd.boot(),
    login({ user, tty, term }) {
      const account = requireAccount(kernel, user);
      return start(account, [`-${account.shell.replace(/.*\//, '')}`], account.shell, { tty, term });
    },
    exec: (argv, execOptions = {}) =>
      start(requireAccount(kernel, execOptions.user ?? 'root'), argv, undefined, execOptions),
    [Symbol.dispose]() {
      systemd[Symbol.dispose]();
      disk.close();
      memory.close();
      journal[Symbol.dispose]();
      state[Symbol.dispose]();
      kernel.powerOff();
    },
  };
}

/** What runs as root whoever starts it. */
const SETUID_ROOT: ReadonlySet<string> = new Set([
  '/usr/bin/chage',
  '/usr/bin/crontab',
  '/usr/bin/gpasswd',
  '/usr/bin/passwd',
  '/usr/bin/su',
  '/usr/bin/sudo',
]);

function baseOf(options: MachineOptions): Map<string, LayerFile> {
  const files = distributionFiles(options.name);
  for (const [path, file] of baseUnitFiles()) files.set(path, file);
  for (const [path, installed] of options.programs) {
    const named =
      typeof installed === 'function'
        ? { name: path.slice(path.lastIndexOf('/') + 1), program: installed }
        : installed;
    files.set(path, { type: 'program', ...named, mode: SETUID_ROOT.has(path) ? 0o4755 : 0o755 });
  }
  for (const [path, file] of options.baseFiles ?? []) files.set(path, file);
  return files;
}

function savedHostname(kernel: Kernel, fallback: string): string {
  if (!kernel.files.exists('/etc/hostname')) return fallback;
  return kernel.files.readText('/etc/hostname').trim() || fallback;
}

function requireAccount(kernel: Kernel, user: string): Account {
  const account = findAccount(kernel.files, user);
  if (account === undefined) throw new ErrnoError('ENOENT', user);
  return account;
}

/** What login(1) and sshd set before the shell reads its startup files. */
function loginEnvironment(account: Account, term: string | undefined): [string, string][] {
  const path =
    account.credentials.uid === 0
      ? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root/bin'
      : '/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin';
  const env: [string, string][] = [
    ['USER', account.name],
    ['LOGNAME', account.name],
    ['HOME', account.home],
    ['PATH', path],
    ['MAIL', `/var/spool/mail/${account.name}`],
    ['SHELL', account.shell],
    ['LANG', 'en_US.UTF-8'],
  ];
  return term === undefined ? env : [...env, ['TERM', term]];
}
