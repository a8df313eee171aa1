// Folds repeated events into one, as client-go's tools/record/events_cache.go does.
import type { Clock } from '../../simulation/index.ts';
import { TokenBucket } from './rate-limiter.ts';

/** What an event says, and of whom. */
export interface EventFacts {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Identifies the object: kind, namespace, name, uid and apiVersion. */
  readonly objectKey: string;
  /** The part of the object, such as `spec.containers{web}`: tells records apart, but counts for no budget of its own. */
  readonly fieldPath: string;
  readonly component: string;
  readonly host: string;
}

/** What to write: an event record, new or already known under its name. */
export interface Observation {
  /** Identifies the record for `confirm`. */
  readonly key: string;
  readonly name: string;
  readonly message: string;
  readonly count: number;
  readonly firstMs: number;
  /** True when this stands for events whose messages differ. */
  readonly combined: boolean;
}

/** Different messages of one kind before they are combined, and the time after which the counting starts afresh. */
const SIMILAR_MAX = 10;
const SIMILAR_WINDOW_MS = 600_000;
/** Events per object: so many at once, then one in five minutes. */
const SPAM_BURST = 25;
const SPAM_PER_SECOND = 1 / 300;
const CACHE_ENTRIES_MAX = 4096;

/** Decides for each event whether it is a new record, one more of a known one, or too much. */
export class EventCorrelator {
  private readonly clock: Clock;
  private readonly newName: () => string;
  private readonly similar = new LruMap<{ messages: Set<string>; lastMs: number }>();
  private readonly records = new LruMap<{ name: string; count: number; firstMs: number }>();
  private readonly spam = new LruMap<TokenBucket>();

  /** `newName` makes the suffix of a record's name. */
  constructor(clock: Clock, newName: () => string) {
    this.clock = clock;
    this.newName = newName;
  }

  /** What to write for this event, or undefined when the object has had too many. */
  observe(facts: EventFacts): Observation | undefined {
    const { key, message, combined } = this.aggregate(facts);
    const nowMs = this.clock.now();
    const known = this.records.get(key);
    const record = {
      name: known?.name ?? this.newName(),
      count: (known?.count ?? 0) + 1,
      firstMs: known?.firstMs ?? nowMs,
    };
    this.records.set(key, record);
    if (!this.spamBucket(facts).tryTake()) return undefined;
    return { key, message, combined, ...record };
  }

  /** The record could not be written, or is gone: the next such event begins a new one. */
  forget(key: string): void {
    this.records.delete(key);
  }

  private aggregate(facts: EventFacts): { key: string; message: string; combined: boolean } {
    const group = [facts.component, facts.host, facts.objectKey, facts.type, facts.reason].join('\n');
    const nowMs = this.clock.now();
    let entry = this.similar.get(group);
    if (entry === undefined || nowMs - entry.lastMs > SIMILAR_WINDOW_MS)
      entry = { messages: new Set(), lastMs: nowMs };
    entry.messages.add(facts.message);
    entry.lastMs = nowMs;
    this.similar.set(group, entry);
    if (entry.messages.size < SIMILAR_MAX)
      return {
        key: `${group}\n${facts.fieldPath}\n${facts.message}`,
        message: facts.message,
        combined: false,
      };
    for (const message of entry.messages) {
      entry.messages.delete(message); // The real one pops any; the oldest is one.
      break;
    }
    return { key: group, message: `(combined from similar events): ${facts.message}`, combined: true };
  }

  private spamBucket(facts: EventFacts): TokenBucket {
    const key = `${facts.component}\n${facts.host}\n${facts.objectKey}`;
    let bucket = this.spam.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.clock, SPAM_PER_SECOND, SPAM_BURST);
      this.spam.set(key, bucket);
    }
    return bucket;
  }
}

/** A map that forgets what was least recently used beyond CACHE_ENTRIES_MAX. */
class LruMap<V> {
  private readonly entries = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= CACHE_ENTRIES_MAX) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.entries.delete(key);
  }
}
