// Exponential back-off per key, as client-go's flowcontrol.Backoff counts it.
import type { Clock } from '../../simulation/index.ts';

interface Entry {
  delayMs: number;
  updatedMs: number;
}

/** Doubles a delay from `initialMs` to `maxMs`; forgets a key that has been quiet for twice the maximum. */
export class Backoff {
  private readonly clock: Clock;
  private readonly initialMs: number;
  private readonly maxMs: number;
  private readonly entries = new Map<string, Entry>();

  constructor(clock: Clock, initialMs: number, maxMs: number) {
    this.clock = clock;
    this.initialMs = initialMs;
    this.maxMs = maxMs;
  }

  /** The present delay; 0 for a key without failures. */
  get(key: string): number {
    return this.entries.get(key)?.delayMs ?? 0;
  }

  /** Counts a failure that happened at `eventMs`. */
  next(key: string, eventMs: number): void {
    const entry = this.entries.get(key);
    if (entry === undefined || this.hasExpired(entry, eventMs)) {
      this.entries.set(key, { delayMs: this.initialMs, updatedMs: this.clock.now() });
    } else {
      entry.delayMs = Math.min(this.maxMs, entry.delayMs * 2);
      entry.updatedMs = this.clock.now();
    }
  }

  /** How many ms of the delay are left, counted from `eventMs`; 0 when it is over. */
  leftSince(key: string, eventMs: number): number {
    const entry = this.entries.get(key);
    if (entry === undefined || this.hasExpired(entry, eventMs)) return 0;
    return Math.max(0, eventMs + entry.delayMs - this.clock.now());
  }

  /** As `leftSince`, counted from the last failure. */
  left(key: string): number {
    const entry = this.entries.get(key);
    return entry === undefined ? 0 : this.leftSince(key, entry.updatedMs);
  }

  /** Forgets every key that begins with `prefix`. */
  forget(prefix: string): void {
    for (const key of this.entries.keys()) if (key.startsWith(prefix)) this.entries.delete(key);
  }

  private hasExpired(entry: Entry, eventMs: number): boolean {
    return eventMs - entry.updatedMs > this.maxMs * 2;
  }
}
