// What a machine's service manager offers: units to start, stop, enable and look at.
import { serviceSocket, type Credentials, type Program, type Signal } from '../kernel/index.ts';
import type { EnabledState } from './unit-store.ts';

/** systemd.service(5) Restart=. */
export type RestartPolicy = 'no' | 'always' | 'on-failure' | 'on-abnormal' | 'on-success' | 'on-abort';

/** What User= needs of a user. */
export interface Account {
  readonly name: string;
  readonly credentials: Credentials;
  readonly home: string;
  readonly shell: string;
}

/** A service that comes with the machine: becomes a unit file in /usr/lib/systemd/system, which is what counts from then on. */
export interface UnitDefinition {
  /** Such as `kubelet.service`. */
  readonly name: string;
  readonly description: string;
  readonly documentation?: string;
  readonly execStart: readonly string[];
  /** ExecReload=, such as `/bin/kill -HUP $MAINPID`. */
  readonly execReload?: string;
  /** What runs at execStart[0], where no executable lies at that path. */
  readonly program?: Program;
  readonly type?: 'simple' | 'notify' | 'oneshot';
  readonly restart?: RestartPolicy;
  /** RestartSec=, 100 ms by default. */
  readonly restartDelayMs?: number;
  /** StartLimitBurst= within 10 s, 5 by default; 0: it is never given up. */
  readonly startLimitBurst?: number;
  /** TimeoutStopSec=, 90 s by default: how long SIGTERM may take before SIGKILL. */
  readonly stopTimeoutMs?: number;
  readonly killSignal?: Signal;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly after?: readonly string[];
  readonly wants?: readonly string[];
  /** Enabled and started on a machine's first boot. */
  readonly enabledByDefault?: boolean;
  /** Belongs to a target by a link of its own, and can't be enabled or disabled. */
  readonly staticIn?: string;
}

/** How a process of a service ended. */
export interface ProcessResult {
  readonly pid: number;
  readonly code: 'exited' | 'killed';
  readonly status: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** A control process that has ended, such as ExecStartPre='s. */
export interface ControlResult extends ProcessResult {
  readonly label: string;
  readonly command: string;
}

export type ServiceResult =
  | 'success'
  | 'exit-code'
  | 'signal'
  | 'timeout'
  | 'protocol'
  | 'resources'
  | 'start-limit-hit'
  | 'oom-kill';

/** `systemctl show` and `status`. */
export interface UnitStatus {
  readonly name: string;
  readonly description: string;
  readonly documentation: readonly string[];
  readonly loadState: 'loaded' | 'not-found' | 'masked' | 'bad-setting';
  readonly activeState: 'active' | 'inactive' | 'failed' | 'activating' | 'deactivating' | 'reloading';
  /** Such as `running`, `dead`, `auto-restart`, `waiting`. */
  readonly subState: string;
  readonly enabled: EnabledState;
  readonly vendorPreset: 'enabled' | 'disabled';
  readonly fragmentPath: string;
  readonly dropIns: readonly string[];
  /** It has ExecReload=. */
  readonly canReload: boolean;
  /** Its files changed since it was loaded. */
  readonly needsReload: boolean;
  /** 0 when nothing runs. */
  readonly mainPid: number;
  /** When it entered the active (or inactive, failed) state. */
  readonly sinceMs: number | undefined;
  readonly durationMs: number | undefined;
  /** The journal's entries after this one are of its present (or last) run. */
  readonly logStart: number;
  /** The condition that kept it from starting. */
  readonly unmet: { readonly text: string; readonly atMs: number } | undefined;
  /** ExecStart= as written. */
  readonly execStart: readonly string[];
  /** Of the last main process, if it has ended. */
  readonly result: ProcessResult | undefined;
  /** Why it failed. */
  readonly serviceResult: ServiceResult;
  readonly controls: readonly ControlResult[];
  /** sd_notify(3) STATUS=. */
  readonly statusText: string | undefined;
  readonly cgroup: string;
  /** Pids in its control group. */
  readonly pids: readonly number[];
  readonly memoryBytes: number;
  readonly restarts: number;
  readonly restartPolicy: RestartPolicy;
  readonly type: string;
  /** Of a timer: when it comes due next, and came last. */
  readonly nextMs: number | undefined;
  readonly lastMs: number | undefined;
  readonly triggers: readonly string[];
  readonly triggeredBy: readonly string[];
  /** Requires=, Wants=, After= and the like, with what links and defaults add. */
  readonly relations: Readonly<Record<string, readonly string[]>>;
}

/** A refusal in systemctl's words, such as `Unit foo.service not found.` */
export class UnitError extends Error {
  readonly code: 'not-found' | 'masked' | 'failed' | 'bad-setting' | 'inapplicable';
  readonly unit: string;
  constructor(code: UnitError['code'], unit: string, message: string) {
    super(message);
    this.code = code;
    this.unit = unit;
  }
}

/** What enabling or disabling changed, in the order it was done. */
export type LinkChange = { readonly made: string; readonly target: string } | { readonly removed: string };

/**
 * Names may leave `.service` out. All throw or reject with UnitError for a unit that isn't there.
 * Starting and stopping settle when the job is done, as systemctl without --no-block.
 */
export interface Systemd {
  /** systemd's version, as `systemctl --version` starts with. */
  readonly version: string;
  start(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /** Runs ExecReload=. */
  reload(name: string): Promise<void>;
  /** Starts a target and stops what it doesn't need. */
  isolate(name: string): Promise<void>;
  kill(name: string, signal: Signal, whom?: 'main' | 'all'): void;
  /** undefined: there is nothing in [Install]. */
  enable(name: string, options?: { readonly runtime?: boolean }): readonly LinkChange[] | undefined;
  disable(name: string): readonly LinkChange[];
  mask(name: string): readonly LinkChange[];
  unmask(name: string): readonly LinkChange[];
  /** default.target. */
  readonly defaultTarget: string;
  setDefaultTarget(name: string): readonly LinkChange[];
  daemonReload(): void;
  resetFailed(name?: string): void;
  /** Loads the unit if need be; `loadState` tells whether it is there. */
  status(name: string): UnitStatus;
  /** `systemctl is-enabled`, of an alias its own; undefined: there is no such file. */
  enabledState(name: string): EnabledState | undefined;
  /** Every loaded unit, by name. */
  list(): UnitStatus[];
  /** Every unit file with its state. */
  listFiles(): { readonly name: string; readonly state: EnabledState; readonly preset: string }[];
  /** sd_notify(3) from a process of a service. */
  notify(pid: number, message: string): void;
  /** Told of every change of a unit's state. */
  onChange(listener: (name: string) => void): Disposable;
}

/** /run/systemd/private */
export const systemdSocket = serviceSocket<Systemd>('/run/systemd/private');
