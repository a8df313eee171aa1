// How long a work queue holds a key back after a failure: client-go's util/workqueue default_rate_limiters.
import type { Clock } from '../../simulation/index.ts';

/** Says how long a key has to wait, and remembers how often it was asked. */
export interface RateLimiter {
  /** The delay in ms before `key` may be taken again; each call counts as one failure. */
  when(key: string): number;
  /** The key is done with, well or badly; its failures no longer count. */
  forget(key: string): void;
  /** Failures since the last `forget`. */
  requeues(key: string): number;
}

const FAILURE_BASE_MS = 5;
const FAILURE_MAX_MS = 1_000_000;
const BUCKET_PER_SECOND = 10;
const BUCKET_BURST = 100;

/** `baseMs` doubled with each failure of the key, at most `maxMs`. */
function exponentialRateLimiter(baseMs = FAILURE_BASE_MS, maxMs = FAILURE_MAX_MS): RateLimiter {
  const failures = new Map<string, number>();
  return {
    when(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      return Math.min(maxMs, baseMs * 2 ** count);
    },
    forget: (key) => void failures.delete(key),
    requeues: (key) => failures.get(key) ?? 0,
  };
}

/** A token bucket: `burst` at once, then `perSecond`. May go into debt, which is the delay it answers. */
export class TokenBucket {
  private readonly clock: Clock;
  private readonly perSecond: number;
  private readonly burst: number;
  private tokens: number;
  private filledMs: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.clock = clock;
    this.perSecond = perSecond;
    this.burst = burst;
    this.tokens = burst;
    this.filledMs = clock.now();
  }

  /** Takes a token, if need be from the future; the answer is how many ms away that is. */
  reserve(): number {
    this.fill();
    this.tokens -= 1;
    return this.tokens >= 0 ? 0 : (-this.tokens * 1000) / this.perSecond;
  }

  /** Takes a token if there is one. */
  tryTake(): boolean {
    this.fill();
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  private fill(): void {
    const nowMs = this.clock.now();
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.filledMs) / 1000) * this.perSecond);
    this.filledMs = nowMs;
  }
}

/** What client-go gives controllers: the longer of 5 ms … 1000 s per key and 10 a second (burst 100) over all. */
export function controllerRateLimiter(clock: Clock): RateLimiter {
  const perKey = exponentialRateLimiter();
  const overall = new TokenBucket(clock, BUCKET_PER_SECOND, BUCKET_BURST);
  return {
    when: (key) => Math.max(perKey.when(key), overall.reserve()),
    forget: (key) => perKey.forget(key),
    requeues: (key) => perKey.requeues(key),
  };
}
