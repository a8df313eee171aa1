// journald: gathers what units print and what the kernel says, and keeps the newest of it in the workspace.
import { disposable, type Clock } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import type { Kernel, KernelMessage } from '../kernel/index.ts';
import type { Journal, JournalEntry, JournalQuery } from './journal.ts';
import { unitName } from './unit-file.ts';

/** Entries kept per machine; the oldest go first (SystemMaxUse=). */
const ENTRIES_MAX = 5000;
/** Bytes of one message (LineMax=). */
const MESSAGE_CHARS_MAX = 48 * 1024;

export interface JournaldOptions {
  readonly clock: Clock;
  readonly kernel: Kernel;
  readonly store: Store;
  /** Such as `/machines/worker1/journal/`. */
  readonly prefix: string;
}

/** A saved record: the entries of one instant. */
interface Segment {
  readonly key: string;
  readonly count: number;
}

export class Journald implements Journal, Disposable {
  private readonly options: JournaldOptions;
  private readonly followers = new Set<{ query: JournalQuery; listener: (entry: JournalEntry) => void }>();
  private readonly kernelMessages: Disposable;
  private closed = false;
  private entries: JournalEntry[] = [];
  private segments: Segment[] = [];
  private unsaved: JournalEntry[] = [];
  lastSequence = 0;
  private queued = false;

  constructor(options: JournaldOptions) {
    this.options = options;
    for (const { key, value } of options.store.list(options.prefix)) {
      const entries = JSON.parse(String(value)) as JournalEntry[];
      this.segments.push({ key, count: entries.length });
      this.entries.push(...entries);
    }
    this.lastSequence = this.entries.at(-1)?.sequence ?? 0;
    const take = ({ text, severity }: KernelMessage): void =>
      this.write({
        priority: severity,
        identifier: 'kernel',
        pid: undefined,
        unit: undefined,
        message: text,
      });
    if (this.lastSequence === 0) options.kernel.messages.forEach(take); // What was said before there was a journal.
    this.kernelMessages = options.kernel.onMessage(take);
  }

  get bootMs(): number {
    return this.options.kernel.bootMs;
  }

  write(entry: Omit<JournalEntry, 'sequence' | 'timeMs' | 'hostname'>): void {
    const { clock, kernel, store } = this.options;
    const full: JournalEntry = {
      ...entry,
      message: entry.message.slice(0, MESSAGE_CHARS_MAX),
      sequence: ++this.lastSequence,
      timeMs: clock.now(),
      hostname: kernel.hostname.split('.')[0]!,
    };
    this.entries.push(full);
    this.unsaved.push(full);
    if (this.entries.length > ENTRIES_MAX * 1.2) this.entries = this.entries.slice(-ENTRIES_MAX);
    for (const { query, listener } of Array.from(this.followers)) if (matches(full, query)) listener(full);
    if (this.queued) return;
    this.queued = true;
    store.defer(() => this.flush());
  }

  private flush(): void {
    this.queued = false;
    if (this.unsaved.length === 0 || this.closed) return;
    const { store, prefix } = this.options;
    const key = `${prefix}${String(this.unsaved[0]!.sequence).padStart(12, '0')}`;
    this.segments.push({ key, count: this.unsaved.length });
    store.save([
      { key, value: JSON.stringify(this.unsaved) },
      ...this.expired().map((old) => ({ key: old, value: undefined })),
    ]);
    this.unsaved = [];
  }

  /** Saves, and nothing after this. */
  [Symbol.dispose](): void {
    this.flush();
    this.closed = true;
    this.kernelMessages[Symbol.dispose]();
  }

  private expired(): string[] {
    const keys: string[] = [];
    let total = this.segments.reduce((sum, { count }) => sum + count, 0);
    while (this.segments.length > 1 && total - this.segments[0]!.count >= ENTRIES_MAX) {
      const { key, count } = this.segments.shift()!;
      total -= count;
      keys.push(key);
    }
    return keys;
  }

  query(query: JournalQuery = {}): JournalEntry[] {
    const found = this.entries.filter((entry) => matches(entry, query));
    return query.lines === undefined ? found : query.lines === 0 ? [] : found.slice(-query.lines);
  }

  follow(query: JournalQuery, listener: (entry: JournalEntry) => void): Disposable {
    const follower = { query, listener };
    this.followers.add(follower);
    return disposable(() => this.followers.delete(follower));
  }
}

function matches(entry: JournalEntry, query: JournalQuery): boolean {
  if (query.units !== undefined && !query.units.some((unit) => entry.unit === unitName(unit))) return false;
  if (query.identifier !== undefined && entry.identifier !== query.identifier) return false;
  if (query.kernel === true && entry.identifier !== 'kernel') return false;
  if (query.priorityMax !== undefined && entry.priority > query.priorityMax) return false;
  if (query.priorityMin !== undefined && entry.priority < query.priorityMin) return false;
  if (query.sinceMs !== undefined && entry.timeMs < query.sinceMs) return false;
  if (query.untilMs !== undefined && entry.timeMs > query.untilMs) return false;
  if (query.afterSequence !== undefined && entry.sequence <= query.afterSequence) return false;
  return query.grep === undefined || query.grep.test(entry.message);
}
