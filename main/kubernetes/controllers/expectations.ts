// What a controller has asked for and not yet seen in its cache, so that it doesn't ask twice.
import type { Clock } from '../../simulation/index.ts';

/** After this long an unfulfilled expectation no longer holds a controller back. */
const EXPIRY_MS = 5 * 60_000;

interface Expectation {
  creations: number;
  readonly deletions: Set<string>;
  readonly sinceMs: number;
}

/** client-go's UIDTrackingControllerExpectations: per key, creations by number and deletions by object. */
export class Expectations {
  private readonly clock: Clock;
  private readonly expected = new Map<string, Expectation>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** True when the cache has caught up with what was asked for. */
  satisfied(key: string): boolean {
    const expectation = this.expected.get(key);
    if (expectation === undefined) return true;
    if (expectation.creations <= 0 && expectation.deletions.size === 0) return true;
    return this.clock.now() - expectation.sinceMs > EXPIRY_MS;
  }

  /** Begins anew for the key. */
  expect(key: string, creations: number, deletions: readonly string[] = []): void {
    this.expected.set(key, { creations, deletions: new Set(deletions), sinceMs: this.clock.now() });
  }

  /** One creation was seen, or will never be. */
  created(key: string, count = 1): void {
    const expectation = this.expected.get(key);
    if (expectation !== undefined) expectation.creations -= count;
  }

  /** The deletion of this object was seen, or will never be. */
  deleted(key: string, object: string): void {
    this.expected.get(key)?.deletions.delete(object);
  }

  forget(key: string): void {
    this.expected.delete(key);
  }
}
