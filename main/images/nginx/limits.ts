// limit_req's leaky buckets and limit_conn's counters, which all workers share.
import type { LimitReq } from './settings.ts';

interface Bucket {
  /** Thousandths of a request above the rate. */
  excess: number;
  lastMs: number;
}

/** Keys remembered per zone; the oldest are forgotten first, as in a full shared memory zone. */
const KEYS_MAX = 10_000;

export type ReqVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'delay'; readonly ms: number; readonly excess: number }
  | { readonly kind: 'reject'; readonly excess: number };

export class Limits {
  private readonly buckets = new Map<string, Map<string, Bucket>>();
  private readonly connections = new Map<string, Map<string, number>>();

  /** Accounts for one request. */
  request({ zone, burst, delayAfter }: LimitReq, key: string, nowMs: number): ReqVerdict {
    let zoneBuckets = this.buckets.get(zone.name);
    if (zoneBuckets === undefined) this.buckets.set(zone.name, (zoneBuckets = new Map<string, Bucket>()));
    const bucket = zoneBuckets.get(key);
    if (bucket === undefined) {
      if (zoneBuckets.size >= KEYS_MAX) zoneBuckets.delete(zoneBuckets.keys().next().value!);
      zoneBuckets.set(key, { excess: 0, lastMs: nowMs });
      return { kind: 'pass' };
    }
    const elapsed = Math.max(0, Math.floor(nowMs - bucket.lastMs));
    const excess = Math.max(0, bucket.excess - Math.floor((zone.rate * elapsed) / 1000) + 1000);
    if (excess > burst * 1000) return { kind: 'reject', excess };
    bucket.excess = excess;
    if (elapsed > 0) bucket.lastMs = nowMs;
    if (excess <= delayAfter * 1000) return { kind: 'pass' };
    return { kind: 'delay', excess, ms: Math.floor(((excess - delayAfter * 1000) * 1000) / zone.rate) };
  }

  /** Counts a connection in; undefined when there are too many, else what counts it out. */
  connect(zone: string, key: string, max: number): (() => void) | undefined {
    let counts = this.connections.get(zone);
    if (counts === undefined) this.connections.set(zone, (counts = new Map<string, number>()));
    const open = counts;
    const now = open.get(key) ?? 0;
    if (now >= max) return undefined;
    open.set(key, now + 1);
    return () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left <= 0) open.delete(key);
      else open.set(key, left);
    };
  }
}
