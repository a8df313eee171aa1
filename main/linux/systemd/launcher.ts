// The processes of a service: what they are started with, and where what they print goes. systemd.exec(5).
import { ErrnoError } from '../../network/index.ts';
import {
  SIGNAL_NUMBERS,
  type Credentials,
  type OpenFile,
  type Program,
  type Task,
  type WaitStatus,
} from '../kernel/index.ts';
import { argumentsOf, environmentFile, environmentOf, type ExecCommand } from './exec-command.ts';
import type { JournalEntry } from './journal.ts';
import type { Account, ProcessResult } from './systemd.ts';
import type { UnitConfig } from './unit-file.ts';
import type { UnitWorld } from './unit.ts';

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';
/** systemd.exec(5), PROCESS EXIT CODES. */
const STEPS: Readonly<Record<number, string>> = { 200: 'CHDIR', 203: 'EXEC', 209: 'STDOUT', 217: 'USER' };

/** systemd.exec(5)'s names of exit statuses. */
export function exitStatusName(status: number): string {
  const names: Readonly<Record<number, string>> = {
    0: 'SUCCESS',
    1: 'FAILURE',
    2: 'INVALIDARGUMENT',
    3: 'NOTIMPLEMENTED',
    4: 'NOPERMISSION',
    5: 'NOTINSTALLED',
    6: 'NOTCONFIGURED',
    7: 'NOTRUNNING',
    ...STEPS,
  };
  return names[status] ?? 'n/a';
}

/** A process of a service. */
export interface Spawned {
  readonly task: Task;
  readonly startMs: number;
  readonly ended: Promise<ProcessResult>;
}

/** The unit whose processes they are. */
export interface LaunchingUnit {
  readonly name: string;
  readonly config: UnitConfig;
  readonly cgroup: string;
  readonly type: string;
  readonly world: UnitWorld;
  /** How often it was started. */
  readonly invocations: number;
  log(message: string, priority?: number, more?: Partial<JournalEntry>): void;
}

export class Launcher {
  private readonly unit: LaunchingUnit;
  constructor(unit: LaunchingUnit) {
    this.unit = unit;
  }

  /** The code behind a program that comes with the machine. */
  builtIn(command: ExecCommand): Program | undefined {
    const definition = this.unit.world.definition(this.unit.name);
    return definition?.program !== undefined && definition.execStart[0] === command.path
      ? definition.program
      : undefined;
  }

  /** Starts a command; what can't be started ends at once with systemd's own status. */
  spawn(command: ExecCommand, extra: Readonly<Record<string, string>> = {}): Spawned {
    const { kernel, clock } = this.unit.world;
    const startMs = clock.now();
    const output = kernel.pipe();
    const task = this.execute(command, extra, output.writer);
    void this.collect(output.reader, command, task);
    const ended = task.ended.then((status) => resultOf(task.pid, status, startMs, clock.now()));
    return { task, startMs, ended };
  }

  private execute(command: ExecCommand, extra: Readonly<Record<string, string>>, journal: OpenFile): Task {
    const { kernel } = this.unit.world;
    const user = this.unit.config.value('Service', 'User');
    const account = user === undefined ? undefined : this.unit.world.account(user);
    const env = this.environment(account, extra);
    const argv = argumentsOf(command, env);
    const cwd = this.workingDirectory(account);
    if (user !== undefined && account === undefined)
      return this.failedStep(217, command, argv, 'No such process', journal);
    if (cwd === undefined) return this.failedStep(200, command, argv, 'No such file or directory', journal);
    const stdout = this.outputFile('StandardOutput', journal) ?? journal;
    const stderr = this.outputFile('StandardError', journal) ?? stdout;
    const program = this.builtIn(command);
    try {
      return kernel.start({
        argv,
        ...(program === undefined ? { path: this.executablePath(command.path) } : { program }),
        env,
        cwd,
        namespaces: { cgroup: this.unit.cgroup },
        ...(account === undefined ? {} : { credentials: this.credentials(account) }),
        stdio: [kernel.nullFile(), stdout, stderr],
      });
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      return this.failedStep(203, command, argv, error.message, journal);
    }
  }

  /** Names without a slash are looked up where systemd was built to look. */
  private executablePath(path: string): string {
    if (path.startsWith('/')) return path;
    const { files } = this.unit.world;
    return (
      SEARCH_PATH.split(':')
        .map((directory) => `${directory}/${path}`)
        .find((one) => files.exists(one)) ?? `/usr/bin/${path}`
    );
  }

  private credentials(account: Account): Credentials {
    const group = this.unit.config.value('Service', 'Group');
    return group !== undefined && /^\d+$/.test(group)
      ? { ...account.credentials, gid: Number(group) }
      : account.credentials;
  }

  private environment(
    account: Account | undefined,
    extra: Readonly<Record<string, string>>,
  ): Map<string, string> {
    const { kernel, files } = this.unit.world;
    const env = new Map<string, string>([
      ['PATH', SEARCH_PATH],
      ['LANG', 'en_US.UTF-8'],
      ...(account === undefined
        ? []
        : ([
            ['USER', account.name],
            ['LOGNAME', account.name],
            ['HOME', account.home],
            ['SHELL', account.shell],
          ] as const)),
      [
        'INVOCATION_ID',
        kernel.random
          .fork(`invocation-${this.unit.name}-${this.unit.invocations}`)
          .uuid()
          .replaceAll('-', ''),
      ],
    ]);
    if (this.unit.type.startsWith('notify')) env.set('NOTIFY_SOCKET', '/run/systemd/notify');
    for (const [name, value] of environmentOf(this.unit.config.values('Service', 'Environment')))
      env.set(name, value);
    for (const given of this.unit.config.values('Service', 'EnvironmentFile')) {
      const path = given.replace(/^-/, '');
      if (!files.exists(path)) continue;
      for (const [name, value] of environmentFile(files.readText(path))) env.set(name, value);
    }
    for (const [name, value] of Object.entries(extra)) env.set(name, value);
    return env;
  }

  /** undefined: it isn't there. */
  private workingDirectory(account: Account | undefined): string | undefined {
    const given = this.unit.config.value('Service', 'WorkingDirectory');
    if (given === undefined) return '/';
    const path = given.replace(/^-/, '') === '~' ? (account?.home ?? '/root') : given.replace(/^-/, '');
    const { files } = this.unit.world;
    if (files.exists(path) && files.stat(path).type === 'directory') return path;
    return given.startsWith('-') ? '/' : undefined;
  }

  private outputFile(key: string, journal: OpenFile): OpenFile | undefined {
    const target = this.unit.config.value('Service', key);
    if (target === 'null') return this.unit.world.kernel.nullFile();
    const file = /^(file|append|truncate):(.+)$/.exec(target ?? '');
    if (file !== null)
      return this.unit.world.files.open(file[2]!, {
        write: true,
        create: true,
        append: file[1] === 'append',
        truncate: file[1] === 'truncate',
      });
    return target === 'journal' || target === 'syslog' ? journal : undefined;
  }

  /** A child that could not become the program: its pid and status are all there is of it. */
  private failedStep(
    status: number,
    command: ExecCommand,
    argv: readonly string[],
    why: string,
    journal: OpenFile,
  ): Task {
    const { kernel } = this.unit.world;
    const name = command.path.replace(/.*\//, '');
    const tell = (pid: number, message: string): void =>
      this.unit.log(`${this.unit.name}: ${message}`, 3, { identifier: `(${name})`, pid });
    const task = kernel.start({
      argv,
      // The child itself tells, after the unit has said that it was started.
      program: (proc) => {
        if (status === 217) tell(proc.pid, 'Failed to determine user credentials: No such process');
        if (status === 200)
          tell(proc.pid, 'Changing to the requested working directory failed: No such file or directory');
        tell(proc.pid, `Failed at step ${STEPS[status]} spawning ${command.path}: ${why}`);
        return Promise.resolve(status);
      },
      namespaces: { cgroup: this.unit.cgroup },
      stdio: [kernel.nullFile(), journal, journal],
    });
    return task;
  }

  /** Each line that the unit prints is an entry of the journal. */
  private async collect(reader: OpenFile, command: ExecCommand, task: Task): Promise<void> {
    const identifier =
      this.unit.config.value('Service', 'SyslogIdentifier') ?? command.path.replace(/.*\//, '');
    for await (const line of reader.lines()) {
      const { priority, text } = priorityOf(line);
      this.unit.world.journal.write({
        priority,
        identifier,
        pid: task.pid,
        unit: this.unit.name,
        message: text,
      });
    }
  }
}

function resultOf(pid: number, status: WaitStatus, startMs: number, endMs: number): ProcessResult {
  return status.kind === 'exited'
    ? { pid, code: 'exited', status: status.exitCode, startMs, endMs }
    : { pid, code: 'killed', status: SIGNAL_NUMBERS[status.signal], startMs, endMs };
}

/** `<6>text` carries its priority (sd-daemon(3)). */
function priorityOf(line: string): { priority: number; text: string } {
  const prefixed = /^<([0-7])>(.*)$/s.exec(line);
  if (prefixed !== null) return { priority: Number(prefixed[1]), text: prefixed[2]! };
  return { priority: 6, text: line };
}
