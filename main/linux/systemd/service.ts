// Service units: their processes, their states, and what happens when a process ends. systemd.service(5).
import { ErrnoError } from '../../network/index.ts';
import { parseSignal, type Signal } from '../kernel/index.ts';
import { parseCommands, type ExecCommand } from './exec-command.ts';
import { exitStatusName, Launcher, type Spawned } from './launcher.ts';
import {
  UnitError,
  type ControlResult,
  type ProcessResult,
  type RestartPolicy,
  type ServiceResult,
  type UnitStatus,
} from './systemd.ts';
import { parseTimeSpan } from './time-span.ts';
import { Unit } from './unit.ts';

const RESTART_DELAY_MS = 100;
const TIMEOUT_MS = 90_000;
/** StartLimitBurst= starts within StartLimitIntervalSec=, then the unit fails. */
const START_BURST = 5;
const START_INTERVAL_MS = 10_000;
/** How often a stop looks whether the last process of the group is gone. */
const POLL_MS = 10;
const CLEAN_SIGNALS: readonly Signal[] = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'];

export class ServiceUnit extends Unit {
  main: Spawned | undefined;
  result: ProcessResult | undefined;
  serviceResult: ServiceResult = 'success';
  controls: ControlResult[] = [];
  restarts = 0;
  statusText: string | undefined;
  private starts: number[] = [];
  /** Counts launches and stops: what an earlier one still awaits is void. */
  private round = 0;
  private stopping: Promise<void> | undefined;
  private starting: Promise<void> | undefined;
  private restartTimer: Disposable | undefined;
  private readyWaiter: (() => void) | undefined;
  invocations = 0;
  private readonly launcher = new Launcher(this);

  get mainPid(): number {
    return this.main?.task.pid ?? 0;
  }
  get cgroup(): string {
    const { prefix, instance } = splitInstance(this.name);
    return instance === undefined
      ? `/system.slice/${this.name}`
      : `/system.slice/system-${prefix}.slice/${this.name}`;
  }
  get type(): string {
    const declared = this.config.value('Service', 'Type');
    if (declared !== undefined) return declared;
    return this.commands('ExecStart').length === 0 ? 'oneshot' : 'simple';
  }
  get restartPolicy(): RestartPolicy {
    return (this.config.value('Service', 'Restart') as RestartPolicy | undefined) ?? 'no';
  }

  commands(key: string): ExecCommand[] {
    return this.config.values('Service', key).flatMap((line) => parseCommands(line) ?? []);
  }

  /** Why systemd would refuse to load it. */
  badSetting(): string | undefined {
    const starts = this.commands('ExecStart');
    if (starts.length === 0 && this.commands('ExecStop').length === 0)
      return `${this.name}: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.`;
    if (starts.length > 1 && this.type !== 'oneshot')
      return `${this.name}: Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.`;
    return undefined;
  }

  private span(key: string, fallback: number): number {
    const text = this.config.value('Service', key);
    return text === undefined ? fallback : (parseTimeSpan(text) ?? fallback);
  }
  private get startTimeoutMs(): number {
    const fallback = this.span('TimeoutSec', this.type === 'oneshot' ? Number.POSITIVE_INFINITY : TIMEOUT_MS);
    return this.span('TimeoutStartSec', fallback) || Number.POSITIVE_INFINITY;
  }
  private get stopTimeoutMs(): number {
    return this.span('TimeoutStopSec', this.span('TimeoutSec', TIMEOUT_MS)) || Number.POSITIVE_INFINITY;
  }

  // ── Starting ──

  async start(): Promise<void> {
    if (this.starting !== undefined) return this.starting;
    if (this.stopping !== undefined) await this.stopping;
    if (this.activeState === 'active') return;
    this.cancelRestart();
    this.restarts = 0;
    this.starting = this.launch().finally(() => (this.starting = undefined));
    return this.starting;
  }

  private async launch(): Promise<void> {
    this.job = this.world.nextJob();
    const { clock } = this.world;
    const unmet = this.unmetCondition();
    if (unmet !== undefined) {
      this.unmet = { text: unmet, atMs: clock.now() };
      this.log(`${this.title} was skipped because of an unmet condition check (${unmet}).`);
      return;
    }
    this.unmet = undefined;
    if (this.isOverLimit()) this.refuseStart();
    const round = ++this.round;
    this.controls = [];
    this.result = undefined;
    this.serviceResult = 'success';
    this.statusText = undefined;
    this.invocations++;
    this.logStart = this.world.journal.lastSequence;
    const isQuiet =
      ['simple', 'exec', 'idle'].includes(this.type) && this.commands('ExecStartPre').length === 0;
    if (!isQuiet) this.log(`Starting ${this.title}...`, 6, { catalog: 'starting' });
    const deadline = this.armTimeout(round);
    try {
      if (!(await this.runControls('ExecStartPre', 'start-pre', round))) return await this.startFailed(round);
      if (round !== this.round) return this.cancelled();
      if (!(await this.startMain(round))) return await this.startFailed(round);
      if (round !== this.round) return this.cancelled();
      if (!(await this.runControls('ExecStartPost', 'start-post', round)))
        return await this.startFailed(round);
      if (round !== this.round) return this.cancelled();
    } finally {
      deadline?.[Symbol.dispose]();
    }
    this.started();
  }

  /** Somebody stopped it while it was starting. */
  private cancelled(): never {
    throw new UnitError('failed', this.name, `Job for ${this.name} canceled.`);
  }

  private armTimeout(round: number): Disposable | undefined {
    const limit = this.startTimeoutMs;
    if (limit === Number.POSITIVE_INFINITY) return undefined;
    return this.world.clock.after(limit, () => {
      if (round !== this.round || !['activating'].includes(this.activeState)) return;
      if (this.subState === 'auto-restart') return;
      this.log(`${this.name}: start operation timed out. Terminating.`, 4);
      this.serviceResult = 'timeout';
      for (const { pid } of this.members()) this.signal(pid, 'SIGTERM');
      this.readyWaiter?.();
    });
  }

  private isOverLimit(): boolean {
    const now = this.world.clock.now();
    const limit = (key: string): string | undefined =>
      this.config.value('Unit', key) ?? this.config.value('Service', key);
    const interval =
      parseTimeSpan(limit('StartLimitIntervalSec') ?? limit('StartLimitInterval') ?? '') ?? START_INTERVAL_MS;
    const burst = Number(limit('StartLimitBurst') ?? START_BURST);
    this.starts = this.starts.filter((at) => now - at < interval);
    if (interval <= 0 || burst <= 0) return false;
    if (this.starts.length >= burst) return true;
    this.starts.push(now);
    return false;
  }

  private refuseStart(): never {
    this.log(`${this.name}: Start request repeated too quickly.`, 4);
    const before = this.serviceResult;
    this.serviceResult = before === 'success' ? 'start-limit-hit' : before;
    this.log(`${this.name}: Failed with result '${this.serviceResult}'.`, 4, {
      catalog: 'unit-failed',
      result: this.serviceResult,
    });
    this.log(`Failed to start ${this.title}.`, 3, { catalog: 'start-failed' });
    this.enter('failed', 'failed');
    throw new UnitError(
      'failed',
      this.name,
      `Job for ${this.name} failed because start of the service was attempted too often.\nSee "systemctl status ${this.name}" and "journalctl -xeu ${this.name}" for details.\nTo force a start use "systemctl reset-failed ${this.name}"\nfollowed by "systemctl start ${this.name}" again.`,
    );
  }

  /** False: it did not come up. */
  private async startMain(round: number): Promise<boolean> {
    const { type } = this;
    if (type === 'oneshot') return this.runOneshot(round);
    const [command] = this.commands('ExecStart');
    if (command === undefined) return true;
    const spawned = this.launcher.spawn(command);
    if (type === 'forking') return this.awaitFork(spawned, command, round);
    this.main = spawned;
    void spawned.ended.then((result) => this.mainEnded(spawned, result));
    if (type === 'notify' || type === 'notify-reload') {
      const isBuiltIn = this.launcher.builtIn(command) !== undefined;
      if (isBuiltIn) return true; // Says so as soon as it runs.
      this.enter('activating', 'start');
      await new Promise<void>((resolve) => (this.readyWaiter = resolve));
      this.readyWaiter = undefined;
      return this.serviceResult === 'success' && this.main === spawned;
    }
    return true;
  }

  private async runOneshot(round: number): Promise<boolean> {
    for (const command of this.commands('ExecStart')) {
      this.enter('activating', 'start');
      const spawned = this.launcher.spawn(command);
      this.main = spawned;
      const result = await spawned.ended;
      if (round !== this.round) return true;
      this.main = undefined;
      this.result = result;
      if (command.mayFail || this.isClean(result)) continue;
      this.logExit('Main', result);
      if (this.serviceResult === 'success') this.serviceResult = failureOf(result);
      return false;
    }
    return true;
  }

  private async awaitFork(spawned: Spawned, command: ExecCommand, round: number): Promise<boolean> {
    this.enter('activating', 'start');
    const ended = await spawned.ended;
    this.controls.push({ label: 'ExecStart', command: command.text, ...ended });
    if (round !== this.round) return true;
    if (!this.isClean(ended)) {
      this.logExit('Control', ended);
      if (this.serviceResult === 'success') this.serviceResult = failureOf(ended);
      return false;
    }
    const pid = this.forkedPid();
    const process = pid === undefined ? undefined : this.world.kernel.process(pid);
    if (pid === undefined || process === undefined) return true;
    this.main = this.adopt(pid, spawned);
    return true;
  }

  /** What a daemon left running: as its PID file says, else its oldest process. */
  private forkedPid(): number | undefined {
    const path = this.config.value('Service', 'PIDFile');
    if (path !== undefined) {
      const { files } = this.world;
      const absolute = path.startsWith('/') ? path : `/run/${path}`;
      const pid = files.exists(absolute) ? Number(files.readText(absolute).trim()) : Number.NaN;
      if (Number.isInteger(pid) && this.members().some((one) => one.pid === pid)) return pid;
    }
    return this.members()[0]?.pid;
  }

  /** Follows a process that isn't ours by birth. */
  private adopt(pid: number, { task }: Spawned): Spawned {
    const { kernel, clock } = this.world;
    const process = kernel.process(pid)!;
    const startMs = clock.now();
    const ended = new Promise<ProcessResult>((resolve) => {
      const end = (): void => resolve({ pid, code: 'exited', status: 0, startMs, endMs: clock.now() });
      if (process.signal.aborted) end();
      else process.signal.addEventListener('abort', end, { once: true });
      const poll = (): void => {
        if (kernel.process(pid) === process) clock.after(POLL_MS * 100, poll);
        else end();
      };
      poll();
    });
    const spawned: Spawned = { task: { ...task, pid, process }, startMs, ended };
    void ended.then((result) => this.mainEnded(spawned, result));
    return spawned;
  }

  private started(): void {
    const done = this.type === 'oneshot' ? 'Finished' : 'Started';
    const remains = this.config.flag('Service', 'RemainAfterExit');
    if (this.main !== undefined) {
      this.enter('active', 'running');
      this.log(`${done} ${this.title}.`, 6, { catalog: 'started' });
      return;
    }
    if (this.type === 'oneshot' && !remains) {
      this.log(`${this.name}: Deactivated successfully.`, 6, { catalog: 'deactivated' });
      this.log(`${done} ${this.title}.`, 6, { catalog: 'started' });
      this.enter('inactive', 'dead');
      return;
    }
    if (remains) this.enter('active', 'exited');
    else if (this.activeState === 'activating') this.enter('inactive', 'dead');
    this.log(`${done} ${this.title}.`, 6, { catalog: 'started' });
  }

  private async startFailed(round: number): Promise<never> {
    if (round !== this.round) this.cancelled();
    const { name } = this;
    await this.killMembers(this.signalSetting('KillSignal', 'SIGTERM'));
    if (this.serviceResult === 'success') this.serviceResult = 'protocol';
    this.log(`${name}: Failed with result '${this.serviceResult}'.`, 4, {
      catalog: 'unit-failed',
      result: this.serviceResult,
    });
    this.log(`Failed to start ${this.title}.`, 3, { catalog: 'start-failed' });
    const why =
      this.serviceResult === 'timeout'
        ? 'because a timeout was exceeded'
        : this.serviceResult === 'signal'
          ? 'because a fatal signal was delivered to the control process'
          : this.serviceResult === 'protocol'
            ? 'because the service did not take the steps required by its unit configuration'
            : 'because the control process exited with error code';
    if (this.mayRestart(this.result)) this.scheduleRestart();
    else this.enter('failed', 'failed');
    throw new UnitError(
      'failed',
      name,
      `Job for ${name} failed ${why}.\nSee "systemctl status ${name}" and "journalctl -xeu ${name}" for details.`,
    );
  }

  /** Runs ExecStartPre= and its like one after another; false when one failed that may not. */
  private async runControls(key: string, subState: string, round: number): Promise<boolean> {
    for (const command of this.commands(key)) {
      if (this.activeState !== 'active' || key === 'ExecStop')
        this.enter(key.startsWith('ExecStart') ? 'activating' : 'deactivating', subState);
      const result = await this.launcher.spawn(command, key === 'ExecStartPre' ? {} : this.mainEnvironment())
        .ended;
      this.controls.push({ label: key, command: command.text, ...result });
      if (round !== this.round) return true;
      if (command.mayFail || this.isClean(result)) continue;
      this.logExit('Control', result);
      if (this.serviceResult === 'success') this.serviceResult = failureOf(result);
      return false;
    }
    return true;
  }

  private mainEnvironment(): Record<string, string> {
    return this.mainPid === 0 ? {} : { MAINPID: String(this.mainPid) };
  }

  // ── Processes ──

  members(): { pid: number; memoryBytes: number }[] {
    return this.world.kernel
      .listProcesses()
      .filter(({ cgroup, state }) => cgroup === this.cgroup && state !== 'Z');
  }

  kill(signal: Signal, whom: 'main' | 'all' = 'all'): void {
    if (whom === 'main') {
      if (this.mainPid !== 0) this.signal(this.mainPid, signal);
    } else for (const { pid } of this.members()) this.signal(pid, signal);
  }

  private signal(pid: number, signal: Signal): void {
    try {
      this.world.kernel.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // It has just ended.
    }
  }

  /** sd_notify(3). */
  notify(message: string): void {
    for (const line of message.split('\n')) {
      const [key, value] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)];
      if (key === 'STATUS') this.statusText = value;
      if (key === 'READY' && value === '1') this.readyWaiter?.();
      if (
        key === 'MAINPID' &&
        this.main !== undefined &&
        this.world.kernel.process(Number(value)) !== undefined
      )
        this.main = this.adopt(Number(value), this.main);
    }
  }

  // ── Ending ──

  private mainEnded(spawned: Spawned, result: ProcessResult): void {
    if (spawned !== this.main) return;
    this.main = undefined;
    this.result = result;
    const clean = this.isClean(result);
    if (!clean) {
      this.logExit('Main', result);
      if (this.serviceResult === 'success') this.serviceResult = failureOf(result);
    }
    if (this.stopping !== undefined) return;
    if (this.activeState === 'activating' && this.readyWaiter !== undefined) {
      if (this.serviceResult === 'success') this.serviceResult = 'protocol';
      this.readyWaiter();
      return;
    }
    void this.endOfMain(clean, result, this.round);
  }

  private async endOfMain(clean: boolean, result: ProcessResult, round: number): Promise<void> {
    if (clean && this.config.flag('Service', 'RemainAfterExit')) {
      this.enter('active', 'exited');
      return;
    }
    await this.runControls('ExecStopPost', 'stop-post', round);
    if (this.members().length > 0) await this.killMembers(this.signalSetting('KillSignal', 'SIGTERM'));
    if (round !== this.round) return;
    this.logEnd();
    if (this.mayRestart(result)) this.scheduleRestart();
    else this.enter(clean ? 'inactive' : 'failed', clean ? 'dead' : 'failed');
  }

  private logEnd(): void {
    if (this.serviceResult === 'success')
      this.log(`${this.name}: Deactivated successfully.`, 6, { catalog: 'deactivated' });
    else
      this.log(`${this.name}: Failed with result '${this.serviceResult}'.`, 4, {
        catalog: 'unit-failed',
        result: this.serviceResult,
      });
  }

  private logExit(whose: 'Main' | 'Control', { code, status }: ProcessResult): void {
    const shown =
      code === 'exited' ? `${status}/${exitStatusName(status)}` : `${status}/${signalOf(status).slice(3)}`;
    this.log(`${this.name}: ${whose} process exited, code=${code}, status=${shown}`, 5, {
      catalog: 'process-exited',
    });
  }

  private isClean({ code, status }: ProcessResult): boolean {
    const extra = this.config.words('Service', 'SuccessExitStatus');
    if (code === 'exited') return status === 0 || extra.includes(String(status));
    const signal = signalOf(status);
    return CLEAN_SIGNALS.includes(signal) || extra.includes(signal) || extra.includes(signal.slice(3));
  }

  private mayRestart(result: ProcessResult | undefined): boolean {
    const clean = this.serviceResult === 'success';
    const killed = result?.code === 'killed' || this.serviceResult === 'timeout';
    const prevented = this.config.words('Service', 'RestartPreventExitStatus');
    if (result?.code === 'exited' && prevented.includes(String(result.status))) return false;
    switch (this.restartPolicy) {
      case 'always':
        return true;
      case 'on-success':
        return clean;
      case 'on-failure':
        return !clean;
      case 'on-abnormal':
      case 'on-abort':
        return !clean && killed;
      case 'no':
        return false;
      default:
        return false;
    }
  }

  private scheduleRestart(): void {
    this.logStart = this.world.journal.lastSequence;
    this.enter('activating', 'auto-restart');
    this.restartTimer = this.world.clock.after(this.span('RestartSec', RESTART_DELAY_MS), () => {
      this.restartTimer = undefined;
      this.restarts++;
      this.log(`${this.name}: Scheduled restart job, restart counter is at ${this.restarts}.`, 6, {
        catalog: 'restarting',
      });
      this.log(`Stopped ${this.title}.`, 6, { catalog: 'stopped' });
      const restarted = this.launch().catch((error: unknown) => {
        if (!(error instanceof UnitError)) throw error; // It is in the journal.
      });
      this.starting = restarted.finally(() => (this.starting = undefined));
    });
  }

  private cancelRestart(): void {
    this.restartTimer?.[Symbol.dispose]();
    this.restartTimer = undefined;
  }

  async stop(): Promise<void> {
    if (this.stopping !== undefined) return this.stopping;
    const waiting = this.restartTimer !== undefined;
    this.cancelRestart();
    if (waiting) {
      this.round++;
      this.log(`Stopped ${this.title}.`, 6, { catalog: 'stopped' });
      this.enter(
        this.serviceResult === 'success' ? 'inactive' : 'failed',
        this.serviceResult === 'success' ? 'dead' : 'failed',
      );
      return;
    }
    if (!this.isRunning) return;
    this.stopping = this.shutDown().finally(() => (this.stopping = undefined));
    return this.stopping;
  }

  private async shutDown(): Promise<void> {
    const round = ++this.round;
    this.job = this.world.nextJob();
    this.readyWaiter?.();
    this.log(`Stopping ${this.title}...`, 6, { catalog: 'stopping' });
    this.enter('deactivating', 'stop');
    this.serviceResult = 'success';
    await this.runControls('ExecStop', 'stop', round);
    this.enter('deactivating', 'stop-sigterm');
    await this.killMembers(this.signalSetting('KillSignal', 'SIGTERM'));
    await this.runControls('ExecStopPost', 'stop-post', round);
    const failed = this.serviceResult !== 'success';
    this.logEnd();
    this.log(`Stopped ${this.title}.`, 6, { catalog: 'stopped' });
    this.enter(failed ? 'failed' : 'inactive', failed ? 'failed' : 'dead');
  }

  private signalSetting(key: string, fallback: Signal): Signal {
    return parseSignal(this.config.value('Service', key) ?? '') ?? fallback;
  }

  /** KillMode=: first politely, after TimeoutStopSec= with SIGKILL. */
  private async killMembers(signal: Signal): Promise<void> {
    const { clock } = this.world;
    const mode = this.config.value('Service', 'KillMode') ?? 'control-group';
    const mainPid = this.mainPid;
    if (mode === 'none') return;
    const targets = (): number[] =>
      this.members()
        .map(({ pid }) => pid)
        .filter((pid) => mode !== 'process' || pid === mainPid);
    for (const pid of targets())
      this.signal(pid, mode === 'mixed' && pid !== mainPid && mainPid !== 0 ? 'SIGKILL' : signal);
    const deadline = clock.now() + this.stopTimeoutMs;
    let killed = false;
    await clock.sleep(0);
    for (let left = targets(); left.length > 0; left = targets()) {
      if (!killed && clock.now() >= deadline) {
        killed = true;
        this.log(`${this.name}: State 'stop-sigterm' timed out. Killing.`, 4);
        for (const pid of left) {
          const command = this.world.kernel.listProcesses().find((one) => one.pid === pid)?.command ?? 'n/a';
          this.log(`${this.name}: Killing process ${pid} (${command}) with signal SIGKILL.`, 5);
          this.signal(pid, 'SIGKILL');
        }
        this.serviceResult = 'timeout';
        this.enter('deactivating', 'stop-sigkill');
      }
      await clock.sleep(POLL_MS);
    }
    if (this.mainPid === mainPid) await this.main?.ended;
  }

  async reload(): Promise<void> {
    if (this.commands('ExecReload').length === 0)
      throw new UnitError(
        'inapplicable',
        this.name,
        `Job type reload is not applicable for unit ${this.name}.`,
      );
    if (this.activeState !== 'active')
      throw new UnitError('inapplicable', this.name, `Unit ${this.name} is not active, cannot be reloaded.`);
    this.log(`Reloading ${this.title}...`, 6, { catalog: 'reloading' });
    this.enter('reloading', 'reload');
    let failed = false;
    for (const command of this.commands('ExecReload')) {
      const result = await this.launcher.spawn(command, this.mainEnvironment()).ended;
      this.controls = this.controls.filter(({ label }) => label !== 'ExecReload');
      this.controls.push({ label: 'ExecReload', command: command.text, ...result });
      if (command.mayFail || this.isClean(result)) continue;
      this.logExit('Control', result);
      failed = true;
      break;
    }
    if (this.subState === 'reload') this.enter('active', this.main === undefined ? 'exited' : 'running');
    if (!failed) return this.log(`Reloaded ${this.title}.`, 6, { catalog: 'reloaded' });
    this.log(`Reload failed for ${this.title}.`, 3);
    throw new UnitError(
      'failed',
      this.name,
      `Job for ${this.name} failed because the control process exited with error code.\nSee "systemctl status ${this.name}" and "journalctl -xeu ${this.name}" for details.`,
    );
  }

  abandon(): void {
    this.round++;
    this.cancelRestart();
    this.main = undefined;
    this.stopping = new Promise(() => undefined);
  }

  override resetFailed(): void {
    this.starts = [];
    super.resetFailed();
  }

  /** What status needs beyond any unit's. */
  describe(): Pick<
    UnitStatus,
    | 'mainPid'
    | 'execStart'
    | 'canReload'
    | 'result'
    | 'serviceResult'
    | 'controls'
    | 'statusText'
    | 'cgroup'
    | 'pids'
    | 'memoryBytes'
    | 'restarts'
    | 'restartPolicy'
    | 'type'
  > {
    const members = this.members();
    return {
      mainPid: this.mainPid,
      execStart: this.commands('ExecStart').map(({ text }) => text),
      canReload: this.commands('ExecReload').length > 0,
      result: this.result,
      serviceResult: this.serviceResult,
      controls: this.controls,
      statusText: this.statusText,
      cgroup: this.cgroup,
      pids: members.map(({ pid }) => pid),
      memoryBytes: members.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      restarts: this.restarts,
      restartPolicy: this.restartPolicy,
      type: this.type,
    };
  }
}

function splitInstance(name: string): { prefix: string; instance: string | undefined } {
  const match = /^(.*?)@(.*)\.service$/.exec(name);
  return match === null ? { prefix: name, instance: undefined } : { prefix: match[1]!, instance: match[2]! };
}

function failureOf({ code }: ProcessResult): ServiceResult {
  return code === 'exited' ? 'exit-code' : 'signal';
}

function signalOf(number: number): Signal {
  return parseSignal(String(number)) ?? 'SIGKILL';
}
