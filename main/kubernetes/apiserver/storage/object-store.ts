// The server's objects: parsed once and frozen in memory, written through to storage, told to watchers.
import type { Clock } from '../../../simulation/index.ts';
import { CompactedError, type Change, type Revision, type Store } from '../../../storage/index.ts';
import type { LabelSelector } from '../../api/selector.ts';
import { deepFreeze, type ApiObject, type StoredObject } from '../object.ts';
import { expired } from '../refusals.ts';
import { ColdObjects, type ObjectMap } from './cold-objects.ts';
import { Watchers, type StorageWatcher } from './watchers.ts';

/** Events kept in memory per kind for watches that begin in the past; older ones are read from storage. */
const WINDOW_EVENTS_MAX = 512;

/** One change of one object, as watchers see it. */
export interface StorageEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: Revision;
  /** The new state; of a deletion the last state, with the deletion's resourceVersion. */
  readonly object: StoredObject;
  /** The state before; undefined for ADDED. */
  readonly previous: StoredObject | undefined;
}

/** A write to one object: undefined `after` deletes. */
export interface ObjectWrite {
  readonly table: ObjectTable;
  readonly after: ApiObject | undefined;
  /** What stands there now; undefined to create. */
  readonly before: StoredObject | undefined;
}

/** What a watch or list selects. */
export interface Selection {
  readonly namespace?: string | undefined;
  readonly labels?: LabelSelector | undefined;
  /** Requirements that one field has a value (used to find interested watchers quickly). */
  readonly equals?: readonly { readonly field: string; readonly value: string }[] | undefined;
  readonly matches?: ((object: StoredObject) => boolean) | undefined;
}

/** Keeps an index of a table: told in the same turn as the write. `after` is absent for a deletion. */
export type Observer = (before: StoredObject | undefined, after: StoredObject | undefined) => void;

/** Reads an indexed field of an object. */
export type FieldReader = (object: StoredObject) => string;

export interface TableOptions {
  /** etcd's key prefix, such as `/registry/pods/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  /** Written often, read seldom, such as Events: the objects stay in storage. */
  readonly isCold?: boolean;
  /** Fields by which watchers are indexed. */
  readonly indexed?: Readonly<Record<string, FieldReader>>;
}

/** All objects of one kind. */
export class ObjectTable {
  readonly options: TableOptions;
  readonly watchers: Watchers;
  private readonly objects: ObjectMap;
  private readonly byNamespace = new Map<string, Set<string>>();
  private sorted: StoredObject[] | undefined;
  private readonly sortedNamespaces = new Map<string, StoredObject[]>();
  private readonly observers: Observer[] = [];
  private readonly named = new Set<string>();
  private window: StorageEvent[] = [];
  private windowHead = 0;
  /** Events after this revision are all in the window. */
  private windowAfter: Revision = 0;

  /** `read` finds an object of a cold table in storage by its key within the table. */
  constructor(options: TableOptions, read: (key: string) => StoredObject | undefined = () => undefined) {
    this.options = options;
    this.objects = options.isCold === true ? new ColdObjects(read) : new Map<string, StoredObject>();
    this.watchers = new Watchers(options.indexed ?? {});
  }

  get(namespace: string, name: string): StoredObject | undefined {
    return this.objects.get(this.options.namespaced ? `${namespace}/${name}` : name);
  }

  get size(): number {
    return this.objects.size;
  }

  /** Objects in the order of their keys. Don't modify the array. */
  list(namespace?: string): readonly StoredObject[] {
    const isCold = this.options.isCold === true;
    if (namespace === undefined || !this.options.namespaced) {
      if (isCold) return this.sort(this.objects.keys());
      this.sorted ??= this.sort(this.objects.keys());
      return this.sorted;
    }
    let sorted = this.sortedNamespaces.get(namespace);
    if (sorted === undefined) {
      const keys = this.byNamespace.get(namespace);
      if (keys === undefined) return [];
      sorted = this.sort(keys);
      if (!isCold) this.sortedNamespaces.set(namespace, sorted);
    }
    return sorted;
  }

  private sort(keys: Iterable<string>): StoredObject[] {
    return [...keys].sort().map((key) => this.objects.get(key)!);
  }

  keyOf(object: { readonly metadata?: { readonly namespace?: string; readonly name?: string } }): string {
    const { namespace = '', name = '' } = object.metadata ?? {};
    return this.options.namespaced ? `${namespace}/${name}` : name;
  }

  /** Puts an object in memory, without telling anyone. */
  load(key: string, object: StoredObject): void {
    const present = this.objects.has(key);
    this.objects.set(key, object);
    this.sorted = undefined;
    if (!this.options.namespaced) return;
    const namespace = key.slice(0, key.indexOf('/'));
    this.sortedNamespaces.delete(namespace);
    if (present) return;
    let names = this.byNamespace.get(namespace);
    if (names === undefined) this.byNamespace.set(namespace, (names = new Set()));
    names.add(key);
  }

  private unload(key: string): void {
    this.objects.delete(key);
    this.sorted = undefined;
    if (!this.options.namespaced) return;
    const namespace = key.slice(0, key.indexOf('/'));
    this.sortedNamespaces.delete(namespace);
    const names = this.byNamespace.get(namespace);
    names?.delete(key);
    if (names?.size === 0) this.byNamespace.delete(namespace);
  }

  /** Calls `observer` with each object there is, and from then on with each change as it's committed. A name is taken once. */
  observe(observer: Observer, name?: string): void {
    if (name !== undefined && this.named.has(name)) return;
    if (name !== undefined) this.named.add(name);
    this.observers.push(observer);
    for (const object of this.objects.values()) observer(undefined, object);
  }

  /** Takes a committed change into memory and queues it for watchers. */
  apply(event: StorageEvent): void {
    const key = this.keyOf(event.object);
    if (event.type === 'DELETED') this.unload(key);
    else this.load(key, event.object);
    this.window.push(event);
    if (this.window.length - this.windowHead > WINDOW_EVENTS_MAX) {
      this.windowAfter = this.window[this.windowHead]!.revision;
      this.windowHead++;
      if (this.windowHead >= WINDOW_EVENTS_MAX) {
        this.window = this.window.slice(this.windowHead);
        this.windowHead = 0;
      }
    }
    const after = event.type === 'DELETED' ? undefined : event.object;
    for (const observer of this.observers) observer(event.previous, after);
    this.watchers.publish(event);
  }

  /** Forgets all events up to `revision`, when memory was filled from storage. */
  startWindow(revision: Revision): void {
    this.window = [];
    this.windowHead = 0;
    this.windowAfter = revision;
  }

  /** The events after `revision` that are still in memory, or undefined if some aren't. */
  since(revision: Revision): StorageEvent[] | undefined {
    if (revision < this.windowAfter) return undefined;
    let low = this.windowHead;
    let high = this.window.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.window[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.window.slice(low);
  }
}

/** Everything under `/registry/`, over the workspace's Store. */
export class ObjectStore {
  readonly store: Store;
  private readonly clock: Clock;
  private readonly tables: ObjectTable[] = [];
  private drainQueued = false;
  /** The latest revision that memory knows. */
  private seen: Revision = 0;
  private watchableAfter: Revision = 0;

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /** Makes the table for a kind and fills it from storage. */
  open(options: TableOptions): ObjectTable {
    const table = new ObjectTable(options, (key) => {
      const record = this.store.get(options.prefix + key);
      return record === undefined ? undefined : parse(record.value, record.revision);
    });
    for (const { key, value, revision } of this.store.list(options.prefix)) {
      const object = parse(value, revision);
      table.load(table.keyOf(object), object);
      if (!key.startsWith(options.prefix)) throw new Error(`storage listed ${key} under ${options.prefix}`);
    }
    table.startWindow(this.store.revision);
    this.seen = Math.max(this.seen, this.store.revision);
    this.tables.push(table);
    return table;
  }

  /** Forgets a kind, ending its watches; its records stay in storage. */
  close(table: ObjectTable): void {
    const index = this.tables.indexOf(table);
    if (index >= 0) this.tables.splice(index, 1);
    table.watchers.endAll(undefined);
  }

  /** From here on watches may begin; those from before are told to list anew, as by a watch cache that was just filled. */
  beginWatches(): void {
    this.watchableAfter = this.store.revision;
  }

  get revision(): Revision {
    return this.store.revision;
  }

  /** Writes all at once under one revision; returns the new states (for a deletion, the last one). */
  commit(writes: readonly ObjectWrite[]): StoredObject[] {
    const changes: Change[] = writes.map(({ table, after, before }) => ({
      key: table.options.prefix + table.keyOf(after ?? before!),
      value: after === undefined ? undefined : serialize(after),
    }));
    const revision = this.store.write(changes);
    this.seen = revision;
    const states = writes.map(({ table, after, before }) => {
      const object = withRevision(after ?? before!, revision);
      const type = after === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED';
      table.apply({ type, revision, object, previous: before });
      return object;
    });
    this.queueDrain();
    return states;
  }

  /** Takes in what was written to storage behind the server's back, such as a restored snapshot. */
  resync(): void {
    for (const table of this.tables) {
      for (const change of this.store.history(table.options.prefix, this.seen)) {
        const event = eventOf(change);
        if (event !== undefined) table.apply(event);
      }
    }
    this.seen = this.store.revision;
    this.queueDrain();
  }

  /** Tells a watcher everything after `after`, and from then on. Throws 410 Expired if that is gone. */
  watch(table: ObjectTable, after: Revision, watcher: StorageWatcher): Disposable {
    if (after < this.watchableAfter) {
      throw expired(`too old resource version: ${after} (${this.watchableAfter})`);
    }
    const past = table.since(after) ?? this.past(table, after);
    const registration = table.watchers.add(watcher);
    for (const event of past) registration.enqueue(event);
    if (past.length > 0) this.queueDrain();
    return registration;
  }

  private past(table: ObjectTable, after: Revision): StorageEvent[] {
    try {
      return this.store
        .history(table.options.prefix, after)
        .map(eventOf)
        .filter((event) => event !== undefined);
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      throw expired(`too old resource version: ${after} (${error.compactedRevision})`);
    }
  }

  /** The objects of a table as they stood at a past revision, in key order. Throws 410 Expired if that is gone. */
  listAt(table: ObjectTable, revision: Revision, namespace: string | undefined): readonly StoredObject[] {
    const later = table.since(revision) ?? this.past(table, revision);
    if (later.length === 0) return table.list(namespace);
    const state = new Map(table.list(namespace).map((object) => [table.keyOf(object), object]));
    for (const event of later.toReversed()) {
      if (namespace !== undefined && event.object.metadata.namespace !== namespace) continue;
      const key = table.keyOf(event.object);
      if (event.previous === undefined) state.delete(key);
      else state.set(key, event.previous);
    }
    return [...state.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /** Tells watches that want to know how far storage has come. */
  bookmark(): void {
    for (const table of this.tables) {
      table.watchers.drain();
      table.watchers.bookmark(this.revision);
    }
  }

  /** Runs `task` after the events queued now have been told. */
  afterEvents(task: () => void): void {
    this.clock.soon(task);
  }

  queueDrain(): void {
    if (this.drainQueued) return;
    this.drainQueued = true;
    this.clock.soon(() => {
      this.drainQueued = false;
      for (const table of [...this.tables]) table.watchers.drain();
    });
  }
}

function serialize(object: ApiObject): string {
  if (object.metadata?.resourceVersion === undefined) return JSON.stringify(object);
  const { resourceVersion: _resourceVersion, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

function parse(value: string | Uint8Array, revision: Revision): StoredObject {
  const text = typeof value === 'string' ? value : new TextDecoder().decode(value);
  return withRevision(JSON.parse(text) as ApiObject, revision);
}

function eventOf(change: {
  readonly revision: Revision;
  readonly value: string | Uint8Array | undefined;
  readonly previous: string | Uint8Array | undefined;
}): StorageEvent | undefined {
  const { revision, value, previous } = change;
  const state = value ?? previous;
  if (state === undefined) return undefined;
  return {
    type: value === undefined ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED',
    revision,
    object: parse(state, revision),
    previous: previous === undefined ? undefined : parse(previous, revision - 1),
  };
}

/** The object with its resourceVersion where upstream's marshalling puts it, frozen. */
function withRevision(object: ApiObject, revision: Revision): StoredObject {
  const {
    name,
    generateName,
    namespace,
    uid,
    resourceVersion: _old,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    labels,
    annotations,
    ownerReferences,
    finalizers,
    ...rest
  } = object.metadata ?? {};
  const metadata = {
    ...(name === undefined ? {} : { name }),
    ...(generateName === undefined ? {} : { generateName }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    resourceVersion: String(revision),
    ...(generation === undefined ? {} : { generation }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...rest,
  };
  const { kind, apiVersion, metadata: _metadata, ...body } = object;
  return deepFreeze({ kind, apiVersion, metadata, ...body }) as StoredObject;
}
