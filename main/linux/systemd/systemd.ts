// What a machine's service manager offers: units to start, stop, enable and look at.
import { serviceSocket, type Program, type Signal } from '../kernel/index.ts';

/** systemd.service(5) Restart=. */
export type RestartPolicy = 'no' | 'always' | 'on-failure' | 'on-abnormal' | 'on-success';

/** A service unit, as its file in /usr/lib/systemd/system says. */
export interface UnitDefinition {
  /** Such as `kubelet.service`. */
  readonly name: string;
  readonly description: string;
  readonly documentation?: string;
  /** ExecStart= of an executable on the machine; absent `program`, it is looked up there. */
  readonly execStart: readonly string[];
  /** Runs instead of the file at execStart[0]. */
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
  /** Drop-in files shown by `systemctl status`. */
  readonly dropIns?: readonly string[];
  /** `vendor preset:` in `systemctl status`. */
  readonly vendorPreset?: 'enabled' | 'disabled';
  /** Whose unit file lies elsewhere than /usr/lib/systemd/system/NAME. */
  readonly fragmentPath?: string;
}

/** `systemctl show`, as far as status needs it. */
export interface UnitStatus {
  readonly name: string;
  readonly description: string;
  readonly documentation: string | undefined;
  readonly loadState: 'loaded' | 'not-found' | 'masked';
  readonly activeState: 'active' | 'inactive' | 'failed' | 'activating' | 'deactivating';
  readonly subState:
    | 'running'
    | 'exited'
    | 'dead'
    | 'failed'
    | 'auto-restart'
    | 'start'
    | 'stop-sigterm'
    | 'stop-sigkill';
  readonly enabled: 'enabled' | 'disabled' | 'static' | 'masked';
  readonly vendorPreset: 'enabled' | 'disabled';
  readonly fragmentPath: string;
  readonly dropIns: readonly string[];
  /** 0 when nothing runs. */
  readonly mainPid: number;
  /** When it entered the active (or inactive, failed) state. */
  readonly sinceMs: number | undefined;
  readonly execStart: readonly string[];
  /** Of the last main process, if it has ended. */
  readonly result:
    | {
        readonly pid: number;
        readonly code: 'exited' | 'killed';
        readonly status: number;
        readonly startMs: number;
        readonly endMs: number;
      }
    | undefined;
  /** Pids in its control group, by their tree. */
  readonly pids: readonly number[];
  readonly memoryBytes: number;
  readonly restarts: number;
}

/** A refusal in systemctl's words, such as `Unit foo.service not found.` */
export class UnitError extends Error {
  readonly code: 'not-found' | 'masked' | 'failed';
  readonly unit: string;
  constructor(code: UnitError['code'], unit: string, message: string) {
    super(message);
    this.code = code;
    this.unit = unit;
  }
}

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
  /** SIGHUP to the main process. */
  reload(name: string): Promise<void>;
  kill(name: string, signal: Signal): void;
  /** Returns the symlinks made, as `systemctl enable` prints them: [link, target]. */
  enable(name: string): readonly (readonly [string, string])[];
  /** Returns the symlinks removed. */
  disable(name: string): readonly string[];
  mask(name: string): readonly (readonly [string, string])[];
  unmask(name: string): readonly string[];
  daemonReload(): void;
  resetFailed(name?: string): void;
  status(name: string): UnitStatus;
  /** Every known unit, by name. */
  list(): UnitStatus[];
  onChange(listener: (name: string) => void): Disposable;
}

/** /run/systemd/private */
export const systemdSocket = serviceSocket<Systemd>('/run/systemd/private');
