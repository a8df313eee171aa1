// Who watches a kind: indexed by field and namespace, so that an event costs only those it interests.
import type { FieldReader, Selection, StorageEvent } from './object-store.ts';
import type { StoredObject } from '../object.ts';

/** What a watcher is told. */
export interface StorageWatcher {
  readonly selection: Selection;
  /** Called in revision order with what the watcher sees of the change. */
  onEvent(type: StorageEvent['type'], object: StoredObject): void;
  onEnd(error: unknown): void;
  /** Called now and then with the latest revision if the watcher wants bookmarks. */
  onBookmark?(revision: number): void;
}

export interface Registration extends Disposable {
  /** Queues one event for this watcher alone. */
  enqueue(event: StorageEvent): void;
}

/** The watchers of one table and the events waiting for them. */
export class Watchers {
  private readonly readers: readonly (readonly [string, FieldReader])[];
  private readonly all = new Set<StorageWatcher>();
  private readonly byNamespace = new Map<string, Set<StorageWatcher>>();
  private readonly byField = new Map<string, Set<StorageWatcher>>();
  private pending: { watcher: StorageWatcher; event: StorageEvent }[] = [];
  private readonly live = new Set<StorageWatcher>();

  constructor(indexed: Readonly<Record<string, FieldReader>>) {
    this.readers = Object.entries(indexed);
  }

  get size(): number {
    return this.live.size;
  }

  add(watcher: StorageWatcher): Registration {
    const { map, key } = this.homeOf(watcher);
    const home = map === undefined ? this.all : setIn(map, key);
    home.add(watcher);
    this.live.add(watcher);
    return {
      enqueue: (event) => void this.pending.push({ watcher, event }),
      [Symbol.dispose]: () => {
        home.delete(watcher);
        if (home.size === 0 && map?.get(key) === home) map.delete(key);
        this.live.delete(watcher);
      },
    };
  }

  /** The map and key under which a watcher is found; no map for one that watches all. */
  private homeOf({ selection }: StorageWatcher): {
    readonly map: Map<string, Set<StorageWatcher>> | undefined;
    readonly key: string;
  } {
    for (const { field, value } of selection.equals ?? []) {
      if (this.readers.some(([name]) => name === field))
        return { map: this.byField, key: `${field}=${value}` };
    }
    const { namespace } = selection;
    return { map: namespace === undefined ? undefined : this.byNamespace, key: namespace ?? '' };
  }

  /** Queues an event for every watcher it may interest. */
  publish(event: StorageEvent): void {
    if (this.live.size === 0) return;
    for (const watcher of this.all) this.pending.push({ watcher, event });
    const namespace = event.object.metadata.namespace;
    if (namespace !== undefined) {
      for (const watcher of this.byNamespace.get(namespace) ?? []) this.pending.push({ watcher, event });
    }
    for (const [field, read] of this.readers) {
      const now = read(event.object);
      for (const watcher of this.byField.get(`${field}=${now}`) ?? []) this.pending.push({ watcher, event });
      const before = event.previous === undefined ? now : read(event.previous);
      if (before === now) continue;
      for (const watcher of this.byField.get(`${field}=${before}`) ?? [])
        this.pending.push({ watcher, event });
    }
  }

  /** Tells the queued events. */
  drain(): void {
    while (this.pending.length > 0) {
      const batch = this.pending;
      this.pending = [];
      for (const { watcher, event } of batch) {
        if (this.live.has(watcher)) tell(watcher, event);
      }
    }
  }

  bookmark(revision: number): void {
    for (const watcher of this.live) watcher.onBookmark?.(revision);
  }

  endAll(error: unknown): void {
    for (const watcher of [...this.live]) {
      this.live.delete(watcher);
      watcher.onEnd(error);
    }
    this.all.clear();
    this.byNamespace.clear();
    this.byField.clear();
  }
}

function setIn(map: Map<string, Set<StorageWatcher>>, key: string): Set<StorageWatcher> {
  let set = map.get(key);
  if (set === undefined) map.set(key, (set = new Set()));
  return set;
}

/** Objects that come to match are ADDED, those that cease to are DELETED. */
function tell(watcher: StorageWatcher, { type, object, previous }: StorageEvent): void {
  const matched = previous !== undefined && selects(watcher.selection, previous);
  const matches = selects(watcher.selection, object);
  if (type === 'DELETED') {
    if (matched || matches) watcher.onEvent('DELETED', object);
  } else if (matches) watcher.onEvent(matched ? 'MODIFIED' : 'ADDED', object);
  else if (matched) {
    const { resourceVersion } = object.metadata;
    watcher.onEvent(
      'DELETED',
      Object.freeze({ ...previous, metadata: Object.freeze({ ...previous.metadata, resourceVersion }) }),
    );
  }
}

/** Whether an object is selected. */
export function selects(selection: Selection, object: StoredObject): boolean {
  if (selection.namespace !== undefined && object.metadata.namespace !== selection.namespace) return false;
  if (selection.labels !== undefined && !selection.labels.matches(object.metadata.labels)) return false;
  return selection.matches === undefined || selection.matches(object);
}
