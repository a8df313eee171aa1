// A queue of keys with client-go's promises: no key twice in the queue, and none in two hands at once.
import type { Clock } from '../../simulation/index.ts';
import { controllerRateLimiter, type RateLimiter } from './rate-limiter.ts';

/**
 * Keys waiting for work. A key added while it waits is one key still; a key added while it is worked on waits again
 * as soon as it is done, so that no change is missed and no key is worked on twice at the same time.
 */
export class WorkQueue {
  /** Called whenever a key has become takeable. */
  onReady: () => void = () => undefined;

  private readonly clock: Clock;
  private readonly limiter: RateLimiter;
  /** Waiting keys, first come first served. A Set keeps the order of insertion. */
  private readonly waiting = new Set<string>();
  private readonly working = new Set<string>();
  /** Keys added while they were worked on. */
  private readonly again = new Set<string>();
  private readonly delayed = new Map<string, { dueMs: number; timer: Disposable }>();
  private closed = false;

  constructor(clock: Clock, limiter: RateLimiter = controllerRateLimiter(clock)) {
    this.clock = clock;
    this.limiter = limiter;
  }

  /** Keys waiting to be taken. */
  get length(): number {
    return this.waiting.size;
  }

  /** True when nothing waits, is worked on, or is due later. */
  get idle(): boolean {
    return this.waiting.size === 0 && this.working.size === 0 && this.delayed.size === 0;
  }

  add(key: string): void {
    if (this.closed) return;
    if (this.working.has(key)) {
      this.again.add(key);
      return;
    }
    if (this.waiting.has(key)) return;
    this.waiting.add(key);
    this.onReady();
  }

  /** Adds the key after `delayMs`; of several delayed adds of one key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.closed) return;
    if (delayMs <= 0) return this.add(key);
    const dueMs = this.clock.now() + delayMs;
    const earlier = this.delayed.get(key);
    if (earlier !== undefined) {
      if (earlier.dueMs <= dueMs) return;
      earlier.timer[Symbol.dispose]();
    }
    const timer = this.clock.after(delayMs, () => {
      this.delayed.delete(key);
      this.add(key);
    });
    this.delayed.set(key, { dueMs, timer });
  }

  /** Adds the key when its rate limit lets it. */
  addRateLimited(key: string): void {
    this.addAfter(key, this.limiter.when(key));
  }

  /** The key is done with: its failures no longer count. */
  forget(key: string): void {
    this.limiter.forget(key);
  }

  /** Failures of the key since it was last forgotten. */
  requeues(key: string): number {
    return this.limiter.requeues(key);
  }

  /** Takes the first key; whoever takes it must call `done`. */
  take(): string | undefined {
    for (const key of this.waiting) {
      this.waiting.delete(key);
      this.working.add(key);
      return key;
    }
    return undefined;
  }

  done(key: string): void {
    this.working.delete(key);
    if (this.again.delete(key)) this.add(key);
  }

  /** Nothing can be added or taken afterwards. */
  shutDown(): void {
    this.closed = true;
    this.waiting.clear();
    this.again.clear();
    for (const { timer } of this.delayed.values()) timer[Symbol.dispose]();
    this.delayed.clear();
  }
}

export interface WorkerOptions {
  /** How many keys are worked on at once. */
  readonly workers: number;
  /** Works on one key. Throwing puts it back with back-off. */
  readonly sync: (key: string) => Promise<void>;
  /** Told of what `sync` threw. */
  readonly onError: (error: unknown, key: string) => void;
}

/** Works on the keys of a queue until disposed: then the queue is shut down, and what is under way ends unheeded. */
export function runWorkers(clock: Clock, queue: WorkQueue, options: WorkerOptions): Disposable {
  let busy = 0;
  let stopped = false;

  const work = async (key: string): Promise<void> => {
    try {
      await options.sync(key);
      if (!stopped) queue.forget(key);
    } catch (error) {
      if (stopped) return;
      options.onError(error, key);
      queue.addRateLimited(key);
    } finally {
      busy--;
      if (!stopped) {
        queue.done(key);
        wake();
      }
    }
  };
  let woken = 0;
  const wake = (): void => {
    if (stopped || woken + busy >= options.workers || woken >= queue.length) return;
    woken++;
    clock.soon(() => {
      woken--;
      const key = stopped ? undefined : queue.take();
      if (key === undefined) return;
      busy++;
      void work(key);
      wake();
    });
  };

  queue.onReady = wake;
  for (let i = 0; i < options.workers; i++) wake();
  return {
    [Symbol.dispose]() {
      stopped = true;
      queue.onReady = () => undefined;
      queue.shutDown();
    },
  };
}
