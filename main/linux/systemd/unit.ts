// One service unit: its main process, its states, and what happens when the process ends. systemd.service(5).
import { ErrnoError } from '../../network/index.ts';
import type { Clock } from '../../simulation/index.ts';
import {
  SIGNAL_NUMBERS,
  type Kernel,
  type OpenFile,
  type Signal,
  type Task,
  type WaitStatus,
} from '../kernel/index.ts';
import type { Journal } from './journal.ts';
import { UnitError, type UnitDefinition, type UnitStatus } from './systemd.ts';

const RESTART_DELAY_MS = 100;
const STOP_TIMEOUT_MS = 90_000;
/** StartLimitBurst= starts within StartLimitIntervalSec=, then the unit fails. */
const START_BURST = 5;
const START_INTERVAL_MS = 10_000;
/** How long a unit must have run before systemctl calls it started; covers a program that dies at once. */
const SIMPLE_START_MS = 1;
const EXEC_FAILED = 203;

export interface UnitWorld {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly changed: (name: string) => void;
}

type Result = NonNullable<UnitStatus['result']>;

export class Unit {
  readonly definition: UnitDefinition;
  activeState: UnitStatus['activeState'] = 'inactive';
  subState: UnitStatus['subState'] = 'dead';
  sinceMs: number | undefined;
  result: Result | undefined;
  restarts = 0;
  private readonly world: UnitWorld;
  private task: Task | undefined;
  private startedMs = 0;
  private starts: number[] = [];
  private wanted = false;
  private restartTimer: Disposable | undefined;

  constructor(definition: UnitDefinition, world: UnitWorld) {
    this.definition = definition;
    this.world = world;
  }

  get mainPid(): number {
    return this.task?.pid ?? 0;
  }
  get cgroup(): string {
    return `/system.slice/${this.definition.name}`;
  }

  /** Rejects with UnitError when it fails to start. */
  async start(): Promise<void> {
    if (this.activeState === 'active' || this.activeState === 'activating') return;
    this.cancelRestart();
    this.wanted = true;
    this.starts = [];
    this.restarts = 0;
    this.launch();
    await this.world.clock.sleep(SIMPLE_START_MS);
    if (this.definition.type === 'oneshot') await this.task?.ended;
    if (this.activeState === 'failed')
      throw new UnitError('failed', this.definition.name, this.failureText());
  }

  private failureText(): string {
    const { name } = this.definition;
    return `Job for ${name} failed because the control process exited with error code. See "systemctl status ${name}" and "journalctl -xe" for details.`;
  }

  private launch(): void {
    const { definition, world } = this;
    const now = world.clock.now();
    this.starts = [...this.starts.filter((at) => now - at < START_INTERVAL_MS), now];
    const burst = definition.startLimitBurst ?? START_BURST;
    if (burst > 0 && this.starts.length > burst) return this.hitStartLimit();
    const output = world.kernel.pipe();
    this.startedMs = now;
    try {
      this.task = world.kernel.start({
        argv: definition.execStart,
        ...(definition.program === undefined ? {} : { program: definition.program }),
        env: new Map([
          ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'],
          ['LANG', 'en_US.UTF-8'],
          ...Object.entries(definition.env ?? {}),
        ]),
        cwd: '/',
        namespaces: { cgroup: this.cgroup },
        stdio: [world.kernel.nullFile(), output.writer, output.writer],
      });
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.log(
        `${definition.name}: Failed at step EXEC spawning ${definition.execStart[0]}: ${error.message}`,
        3,
      );
      return this.mainEnded(undefined, { kind: 'exited', exitCode: EXEC_FAILED });
    }
    const { task } = this;
    void this.collect(output.reader, task);
    this.enter('active', definition.type === 'oneshot' ? 'start' : 'running');
    this.log(`Started ${definition.description}.`);
    void task.ended.then((status) => this.mainEnded(task, status));
  }

  private hitStartLimit(): void {
    const { name, description } = this.definition;
    this.log(`start request repeated too quickly for ${name}`, 4);
    this.log(`Failed to start ${description}.`, 3);
    this.log(`Unit ${name} entered failed state.`, 5);
    this.log(`${name} failed.`, 4);
    this.enter('failed', 'failed');
  }

  /** Each line that the unit prints is an entry of the journal. */
  private async collect(reader: OpenFile, task: Task): Promise<void> {
    const identifier = (this.definition.execStart[0] ?? '').replace(/.*\//, '');
    for await (const line of reader.lines()) {
      const { priority, text } = priorityOf(line);
      this.world.journal.write({
        priority,
        identifier,
        pid: task.pid,
        unit: this.definition.name,
        message: text,
      });
    }
  }

  private mainEnded(task: Task | undefined, status: WaitStatus): void {
    if (task !== undefined && task !== this.task) return;
    const { clock } = this.world;
    const { name } = this.definition;
    this.task = undefined;
    const code = status.kind === 'exited' ? 'exited' : 'killed';
    const number = status.kind === 'exited' ? status.exitCode : SIGNAL_NUMBERS[status.signal];
    this.result = { pid: task?.pid ?? 0, code, status: number, startMs: this.startedMs, endMs: clock.now() };
    const clean = isClean(status, this.definition.killSignal);
    if (!clean)
      this.log(`${name}: main process exited, code=${code}, status=${number}${statusName(status)}`, 5);
    if (!this.wanted) return this.stopped(clean);
    if (this.definition.type === 'oneshot' && clean) return this.enter('active', 'exited');
    if (!clean) {
      this.log(`Unit ${name} entered failed state.`, 5);
      this.log(`${name} failed.`, 4);
    }
    if (this.restarting(status, clean)) this.scheduleRestart();
    else this.enter(clean ? 'inactive' : 'failed', clean ? 'dead' : 'failed');
  }

  private restarting(status: WaitStatus, clean: boolean): boolean {
    switch (this.definition.restart ?? 'no') {
      case 'always':
        return true;
      case 'on-success':
        return clean;
      case 'on-failure':
        return !clean;
      case 'on-abnormal':
        return !clean && status.kind === 'signaled';
      case 'no':
        return false;
    }
  }

  private scheduleRestart(): void {
    this.enter('activating', 'auto-restart');
    this.restartTimer = this.world.clock.after(this.definition.restartDelayMs ?? RESTART_DELAY_MS, () => {
      this.restartTimer = undefined;
      this.restarts++;
      this.log(`${this.definition.name} holdoff time over, scheduling restart.`);
      this.launch();
    });
  }

  private cancelRestart(): void {
    this.restartTimer?.[Symbol.dispose]();
    this.restartTimer = undefined;
  }

  private stopped(clean: boolean): void {
    this.log(`Stopped ${this.definition.description}.`);
    this.enter(clean ? 'inactive' : 'failed', clean ? 'dead' : 'failed');
  }

  /** Settles when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.wanted = false;
    this.cancelRestart();
    const { task, definition, world } = this;
    if (task === undefined) {
      if (this.activeState !== 'inactive' && this.activeState !== 'failed') this.stopped(true);
      return;
    }
    this.log(`Stopping ${definition.description}...`);
    this.enter('deactivating', 'stop-sigterm');
    world.kernel.kill(task.pid, definition.killSignal ?? 'SIGTERM');
    const timer = world.clock.after(definition.stopTimeoutMs ?? STOP_TIMEOUT_MS, () => {
      if (this.task !== task) return;
      this.log(`${definition.name} stop-sigterm timed out. Killing.`, 4);
      this.enter('deactivating', 'stop-sigkill');
      world.kernel.kill(task.pid, 'SIGKILL');
    });
    await task.ended;
    timer[Symbol.dispose]();
    this.killRemaining();
  }

  /** The machine's power goes: whatever ends now ends unseen. */
  abandon(): void {
    this.wanted = false;
    this.cancelRestart();
    this.task = undefined;
  }

  /** KillMode=control-group: what the main process left behind goes too. */
  private killRemaining(): void {
    for (const { pid } of this.members()) this.world.kernel.kill(pid, 'SIGKILL');
  }

  members(): { pid: number; memoryBytes: number }[] {
    return this.world.kernel
      .listProcesses()
      .filter(({ cgroup, state }) => cgroup === this.cgroup && state !== 'Z');
  }

  kill(signal: Signal): void {
    for (const { pid } of this.members()) this.world.kernel.kill(pid, signal);
  }

  resetFailed(): void {
    this.starts = [];
    if (this.activeState === 'failed') this.enter('inactive', 'dead');
  }

  private enter(activeState: UnitStatus['activeState'], subState: UnitStatus['subState']): void {
    if (this.activeState !== activeState) this.sinceMs = this.world.clock.now();
    this.activeState = activeState;
    this.subState = subState;
    this.world.changed(this.definition.name);
  }

  private log(message: string, priority = 6): void {
    this.world.journal.write({
      priority,
      identifier: 'systemd',
      pid: 1,
      unit: this.definition.name,
      message,
    });
  }
}

/** Exit status 0 and the usual ways of being told to stop are clean. */
function isClean(status: WaitStatus, killSignal: Signal | undefined): boolean {
  if (status.kind === 'exited') return status.exitCode === 0;
  return ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE', killSignal].includes(status.signal);
}

function statusName(status: WaitStatus): string {
  if (status.kind !== 'exited') return `/${status.signal.slice('SIG'.length)}`;
  if (status.exitCode === EXEC_FAILED) return '/EXEC';
  return status.exitCode === 1 ? '/FAILURE' : '/n/a';
}

/** `<6>text` carries its priority (sd-daemon(3)), as does klog's first letter: I0301, W0301, E0301. */
function priorityOf(line: string): { priority: number; text: string } {
  const prefixed = /^<([0-7])>(.*)$/s.exec(line);
  if (prefixed !== null) return { priority: Number(prefixed[1]), text: prefixed[2]! };
  return { priority: 6, text: line };
}
