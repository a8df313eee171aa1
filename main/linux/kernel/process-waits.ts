// How one process waits: for time, for a queue, for the world outside; and what signals do to those waits.
import { ErrnoError } from '../../network/index.ts';
import type { Clock } from '../../simulation/index.ts';
import { quiet } from './file-handle.ts';
import { ProcessExit, type WaitStatus } from './process.ts';
import { WaitQueue } from './wait-queue.ts';

/** CPU time that gathers before a process really waits for it, in ms. */
const SLICE_MS = 1;

/** A wait that a signal may end. */
interface Blocked {
  kill(): void;
  /** For a handled signal; absent: the call is restarted (SA_RESTART). */
  interrupt?(): void;
  /** After a stop the call begins anew: a terminal may have gone to the background meanwhile. */
  restart?(): void;
}

export interface WaitHost {
  readonly clock: Clock;
  /** How it ended, once it has. */
  readonly status: WaitStatus | undefined;
  readonly stopped: boolean;
  /** Accounts for CPU time. */
  spend(costMs: number): void;
  /** How long the CPU is withheld from one that has used so much. */
  throttleMs(costMs: number): number;
}

export class ProcessWaits {
  private readonly host: WaitHost;
  private readonly blocked = new Set<Blocked>();
  private readonly continued = new WaitQueue();
  private cpuPendingMs = 0;
  private burning: Promise<void> | undefined;

  constructor(host: WaitHost) {
    this.host = host;
  }

  /** Using the CPU rather than waiting. */
  get running(): boolean {
    return this.burning !== undefined;
  }

  charge(costMs: number): void {
    this.cpuPendingMs += costMs;
  }

  /** What every waiting call passes first: an ended process gets no further, a stopped one waits, a busy one pays. */
  gate(): Promise<void> | undefined {
    const { status, stopped } = this.host;
    if (status !== undefined) return quiet(Promise.reject<never>(new ProcessExit(status)));
    if (stopped) return quiet(this.whileStopped());
    if (this.cpuPendingMs >= SLICE_MS) return (this.burning ??= quiet(this.burn()));
    return undefined;
  }

  private async whileStopped(): Promise<void> {
    while (this.host.stopped) await this.continued.wait();
    const { status } = this.host;
    if (status !== undefined) throw new ProcessExit(status);
  }

  private async burn(): Promise<void> {
    const spentMs = this.settleAccount();
    await this.timer(Math.max(spentMs, this.host.throttleMs(spentMs)), false);
    this.burning = undefined;
    if (this.host.stopped) await this.whileStopped();
  }

  /** Books what has gathered, also at the end of a process that never paid for it. */
  settleAccount(): number {
    const spentMs = this.cpuPendingMs;
    this.cpuPendingMs = 0;
    this.host.spend(spentMs);
    return spentMs;
  }

  /** Rejects with EINTR when a handled signal comes. */
  async sleep(delayMs: number): Promise<void> {
    const gate = this.gate();
    if (gate !== undefined) await gate;
    await this.timer(delayMs, true);
    if (this.host.stopped) await this.whileStopped();
  }

  /** Rejects with EINTR when a handled signal comes; the awaited goes on regardless. */
  async interruptible<T>(wait: Promise<T>): Promise<T> {
    const gate = this.gate();
    if (gate !== undefined) await gate;
    const result = await this.race(wait);
    if (this.host.stopped) await this.whileStopped();
    return result;
  }

  /** Until the queue is woken, or the process continued after a stop; only death ends it before. */
  block(queue: WaitQueue): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry: Blocked = {
        kill: () => {
          leave();
          reject(this.exit());
        },
        restart: () => {
          leave();
          this.blocked.delete(entry);
          resolve();
        },
      };
      const leave = queue.add(() => {
        this.blocked.delete(entry);
        resolve();
      });
      this.blocked.add(entry);
    });
  }

  private timer(delayMs: number, interruptible: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        timer[Symbol.dispose]();
        this.blocked.delete(entry);
        settle();
      };
      const timer = this.host.clock.after(delayMs, () => finish(resolve));
      const entry: Blocked = {
        kill: () => finish(() => reject(this.exit())),
        ...(interruptible ? { interrupt: () => finish(() => reject(new ErrnoError('EINTR'))) } : {}),
      };
      this.blocked.add(entry);
    });
  }

  private race<T>(wait: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Blocked = {
        kill: () => reject(this.exit()),
        interrupt: () => {
          this.blocked.delete(entry);
          // A handler that settles what is awaited wins over the interruption it causes.
          void Promise.resolve().then(() => reject(new ErrnoError('EINTR')));
        },
      };
      this.blocked.add(entry);
      wait.then(
        (value) => {
          this.blocked.delete(entry);
          resolve(value);
        },
        (error: unknown) => {
          this.blocked.delete(entry);
          reject(error as Error);
        },
      );
    });
  }

  private exit(): ProcessExit {
    return new ProcessExit(this.host.status!);
  }

  // ── What signals do ──

  interrupt(): void {
    for (const blocked of Array.from(this.blocked)) blocked.interrupt?.();
  }

  /** The process was continued. */
  resume(): void {
    for (const blocked of Array.from(this.blocked)) blocked.restart?.();
    this.continued.wake();
  }

  /** The process has ended: every wait rejects with ProcessExit. */
  kill(): void {
    for (const blocked of Array.from(this.blocked)) blocked.kill();
    this.blocked.clear();
    this.continued.wake();
    this.settleAccount();
  }
}
