// Runs the engine's events in order, in step with the wall, flat out, or not at all.
import { disposable, durationMs, type Clock, type Duration } from './clock.ts';
import { StuckWatch, type StuckInstant } from './stuck-instant.ts';
import { TimerQueue } from './timer-queue.ts';

/** What the simulation borrows from the host. Only a door passes the real one in. */
export interface HostLoop {
  /** The wall's clock in ms since the Unix epoch. */
  wallNowMs(): number;
  /** Runs `task` on the host's next turn, after all settled promises have run and I/O has had its chance. */
  immediate(task: () => void): void;
  /** Runs `task` after `delayMs` of wall time. */
  timeout(delayMs: number, task: () => void): Disposable;
}

/** Something from outside that entered the simulation; with the same seed and these, a run repeats itself. */
export interface Input {
  readonly sequence: number;
  /** How many batches had run when it entered. */
  readonly batch: number;
  /** The virtual instant at which it entered, in ms. */
  readonly timeMs: number;
  /** Names the handler, such as `terminal.input`. */
  readonly kind: string;
  /** JSON-like. */
  readonly payload: unknown;
}

export interface SimulationOptions {
  /** The instant at which virtual time begins, in ms since the epoch. */
  readonly startMs: number;
  readonly host: HostLoop;
  /** Told of what a task threw, and the simulation goes on with the next one; or of a StuckInstant, and it stops. */
  readonly onFault: (error: unknown) => void;
  /** Told of each input as it enters, before it takes effect. */
  readonly onInput?: (input: Input) => void;
}

/** Wall time by which the simulation may lag before it forgives itself the rest, in ms. */
const LAG_MAX_MS = 250;

interface Goal {
  readonly untilMs: number;
  readonly condition: (() => boolean) | undefined;
  readonly settle: (reached: boolean) => void;
  readonly fail: (error: unknown) => void;
}

interface PendingInput {
  readonly kind: string;
  readonly payload: unknown;
  readonly isRecorded: boolean;
  readonly settle: (result: unknown) => void;
  readonly fail: (error: unknown) => void;
}

type InputHandler = (payload: never) => unknown;

/**
 * The event loop of the virtual world. It starts paused. A batch is one task and all that its promises lead to; between
 * batches the host gets a turn, so that no slice is long and the order never depends on the host's speed.
 */
export class Simulation implements Clock {
  private readonly options: SimulationOptions;
  private readonly timers = new TimerQueue();
  private ready: (() => void)[] = [];
  private readyHead = 0;
  private nowMs: number;
  private speedFactor = 0;
  private anchorVirtualMs: number;
  private anchorWallMs: number;
  private goals: Goal[] = [];
  private inputs: PendingInput[] = [];
  private readonly inputHandlers = new Map<string, InputHandler>();
  private inputSequence = 0;
  private batches = 0;
  private turnQueued = false;
  private wake: Disposable | undefined;
  private disposed = false;
  private readonly watch = new StuckWatch();
  /** Time stood still; the next input, or whoever sets it going, lets it try again. */
  private halted = false;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.nowMs = options.startMs;
    this.anchorVirtualMs = options.startMs;
    this.anchorWallMs = options.host.wallNowMs();
  }

  // ── Clock ──

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): Disposable {
    if (delayMs <= 0) this.watch.asked();
    const timer = this.timers.add(this.nowMs + Math.max(0, delayMs), task);
    this.queueTurn();
    return { [Symbol.dispose]: () => this.timers.cancel(timer) };
  }

  soon(task: () => void): void {
    this.watch.asked();
    this.ready.push(task);
    this.queueTurn();
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return new Promise((resolve) => void this.after(delayMs, resolve));
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        timer[Symbol.dispose]();
        reject(signal.reason);
      };
      const timer = this.after(delayMs, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  // ── Control ──

  /** Virtual ms per wall ms: 0 when paused, Infinity when flat out. */
  get speed(): number {
    return this.speedFactor;
  }

  /** How many batches have run; with the inputs, the position in this run. */
  get batch(): number {
    return this.batches;
  }

  /** Timers and tasks waiting; after everything is disposed this must return to its baseline. */
  get pending(): number {
    return this.timers.size + this.ready.length - this.readyHead;
  }

  /** Runs at `factor` times the wall's pace; 0 pauses and Infinity runs flat out. */
  setSpeed(factor: number): void {
    if (!(factor >= 0)) throw new RangeError(`A speed is zero or more, not ${factor}`);
    this.speedFactor = factor;
    this.halted = false;
    this.reanchor();
    this.queueTurn();
  }

  /** Runs flat out through everything due within `duration`; settles when that is done. Speed is as before then. */
  async advance(duration: Duration): Promise<void> {
    await this.pursue(this.nowMs + durationMs(duration), undefined);
  }

  /** Runs flat out until `condition` holds or `within` has passed; tells which. The condition is read after each batch. */
  async advanceUntil(condition: () => boolean, within: Duration): Promise<boolean> {
    if (condition()) return true;
    return this.pursue(this.nowMs + durationMs(within), condition);
  }

  /** Runs the next batch only; false if there is none. For stepping while paused. */
  async step(): Promise<boolean> {
    const next = this.nextDueMs();
    if (next === undefined) return false;
    this.runBatch(next);
    await new Promise<void>((resolve) => this.options.host.immediate(resolve));
    return true;
  }

  /** The instant of the next thing that will happen, or undefined when nothing waits. */
  nextDueMs(): number | undefined {
    if (this.readyHead < this.ready.length) return this.nowMs;
    return this.timers.peek()?.dueMs;
  }

  // ── Inputs ──

  /** Names what happens on inputs of one kind. Registering a kind twice is a mistake and throws. */
  onInput<Payload>(kind: string, handler: (payload: Payload) => unknown): Disposable {
    if (this.inputHandlers.has(kind)) throw new Error(`inputs of kind ${kind} already have a handler`);
    this.inputHandlers.set(kind, handler as InputHandler);
    return disposable(() => this.inputHandlers.delete(kind));
  }

  /**
   * Brings something from outside in, at the next boundary between batches, also while paused.
   * Settles with what the handler returns. An unknown kind rejects. One that changes nothing needn't be recorded.
   */
  input<Result>(
    kind: string,
    payload: unknown,
    { isRecorded = true }: { readonly isRecorded?: boolean } = {},
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.inputs.push({
        kind,
        payload,
        isRecorded,
        settle: resolve as (result: unknown) => void,
        fail: reject,
      });
      this.queueTurn();
    });
  }

  /** Stops for good; nothing runs afterwards. */
  [Symbol.dispose](): void {
    this.disposed = true;
    this.wake?.[Symbol.dispose]();
    for (const goal of this.goals.splice(0)) goal.settle(false);
  }

  // ── The loop ──

  private pursue(untilMs: number, condition: (() => boolean) | undefined): Promise<boolean> {
    this.halted = false;
    return new Promise((settle, fail) => {
      this.goals.push({ untilMs, condition, settle, fail });
      this.queueTurn();
    });
  }

  private queueTurn(): void {
    if (this.turnQueued || this.disposed) return;
    this.turnQueued = true;
    this.options.host.immediate(() => {
      this.turnQueued = false;
      if (!this.disposed) this.turn();
    });
  }

  private turn(): void {
    this.wake?.[Symbol.dispose]();
    this.wake = undefined;
    this.settleGoals();

    const limitMs = this.limitMs();
    this.admitInputs(limitMs);
    const next = this.nextDueMs();
    if (this.halted) return;
    if (next !== undefined && next <= limitMs) {
      this.runBatch(next);
      this.queueTurn();
      return;
    }
    if (limitMs !== Infinity && limitMs > this.nowMs) this.nowMs = limitMs;
    if (this.goals.length > 0) {
      this.queueTurn();
    } else if (next !== undefined && this.speedFactor > 0 && this.speedFactor !== Infinity) {
      const delayMs = Math.max(0, (next - this.nowMs) / this.speedFactor);
      this.wake = this.options.host.timeout(delayMs, () => this.queueTurn());
    }
  }

  /** How far virtual time may go in this turn. */
  private limitMs(): number {
    if (this.goals.length > 0) return Math.min(...this.goals.map((goal) => goal.untilMs));
    if (this.speedFactor === Infinity) return Infinity;
    if (this.speedFactor === 0) return this.nowMs;
    const target =
      this.anchorVirtualMs + (this.options.host.wallNowMs() - this.anchorWallMs) * this.speedFactor;
    // Lag is how late the next thing is; time in which nothing was due is no lag.
    const due = this.nextDueMs() ?? Infinity;
    const excess = target - Math.max(this.nowMs, due) - LAG_MAX_MS * this.speedFactor;
    if (!(excess > 0)) return Math.max(this.nowMs, target);
    this.anchorVirtualMs -= excess;
    return target - excess;
  }

  private runBatch(dueMs: number): void {
    this.nowMs = Math.max(this.nowMs, dueMs);
    const notice = this.watch.step(this.nowMs);
    if (notice !== undefined) return this.halt(notice);
    this.batches++;
    try {
      this.takeDue()?.();
    } catch (error) {
      this.options.onFault(error);
    }
  }

  /** Who waits for the future hears that it won't come. */
  private halt(notice: StuckInstant): void {
    this.halted = true;
    for (const goal of this.goals.splice(0)) goal.fail(notice);
    this.options.onFault(notice);
  }

  private takeDue(): (() => void) | undefined {
    if (this.readyHead < this.ready.length) {
      const task = this.ready[this.readyHead++];
      if (this.readyHead === this.ready.length) {
        this.ready = [];
        this.readyHead = 0;
      } else if (this.readyHead > 4096) {
        this.ready = this.ready.slice(this.readyHead);
        this.readyHead = 0;
      }
      return task;
    }
    const timer = this.timers.peek();
    if (timer === undefined || timer.dueMs > this.nowMs) return undefined;
    this.timers.pop();
    const { task } = timer;
    timer.task = undefined; // A dispose after this must not count it as cancelled.
    return task;
  }

  private admitInputs(limitMs: number): void {
    if (this.inputs.length === 0) return;
    // Time goes on to the wall's present, but never past something that is still to happen.
    if (this.goals.length === 0 && limitMs !== Infinity) {
      this.nowMs = Math.max(this.nowMs, Math.min(limitMs, this.nextDueMs() ?? limitMs));
    }
    this.halted = false;
    const { kind, payload, isRecorded, settle, fail } = this.inputs.shift()!;
    const handler = this.inputHandlers.get(kind);
    if (handler === undefined) return fail(new Error(`no handler for inputs of kind ${kind}`));
    if (isRecorded) {
      this.options.onInput?.({
        sequence: this.inputSequence++,
        batch: this.batches,
        timeMs: this.nowMs,
        kind,
        payload,
      });
    }
    this.queueTurn();
    try {
      settle(handler(payload as never));
    } catch (error) {
      fail(error);
    }
  }

  private settleGoals(): void {
    if (this.goals.length === 0) return;
    const next = this.nextDueMs();
    const open: Goal[] = [];
    for (const goal of this.goals) {
      if (goal.condition?.() === true) goal.settle(true);
      else if (this.nowMs >= goal.untilMs && (next === undefined || next > goal.untilMs)) goal.settle(false);
      else open.push(goal);
    }
    this.goals = open;
    if (open.length === 0) this.reanchor();
  }

  private reanchor(): void {
    this.anchorVirtualMs = this.nowMs;
    this.anchorWallMs = this.options.host.wallNowMs();
  }
}
