// Keeps a local copy of one resource up to date by list and watch, and tells handlers what changed.
import { disposable, every, type Clock } from '../../simulation/index.ts';
import { keyOf, type KubernetesObject, type Resource, type Stored } from '../api/meta.ts';
import { isStatus } from '../api/status.ts';
import type { ApiClient, ListOptions, WatchEvent } from './client.ts';
import { Indexer, type Lister } from './indexer.ts';

/** Called after the cache has changed. `old` is what the cache held before. */
export interface InformerHandler<T> {
  add?(object: Stored<T>): void;
  update?(object: Stored<T>, old: Stored<T>): void;
  delete?(object: Stored<T>): void;
}

export interface InformerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly resource: Resource;
  /** Narrows what is listed and watched. */
  readonly scope?: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;
  /** Tells handlers of every object again each so many ms, as an update without change; 0 or absent: never. */
  readonly resyncMs?: number;
  /** Told of failed lists and watches; they are retried by themselves. */
  readonly onError?: (error: unknown) => void;
}

/** client-go's reflector: 0.8 s doubled up to 30 s between attempts that fail. */
const BACKOFF_MIN_MS = 800;
const BACKOFF_MAX_MS = 30_000;

/** A watch-kept cache of one resource. Objects in it are shared: never modify one. */
export class Informer<T extends KubernetesObject> {
  readonly indexer = new Indexer<T>();
  readonly resource: Resource;
  private readonly options: InformerOptions;
  private readonly handlers = new Set<InformerHandler<T>>();
  private readonly syncWaiters: (() => void)[] = [];
  private synced = false;
  /** Counts starts, so that what an earlier run left under way is not heeded. */
  private run = 0;
  private running = false;
  private backoffMs = BACKOFF_MIN_MS;
  private resourceVersion = '';
  private watching: Disposable | undefined;
  private retryTimer: Disposable | undefined;

  constructor(options: InformerOptions) {
    this.options = options;
    this.resource = options.resource;
  }

  get lister(): Lister<T> {
    return this.indexer;
  }

  /** True once the first list has been taken in. */
  get hasSynced(): boolean {
    return this.synced;
  }

  /** Settles once the first list has been taken in. */
  waitForSync(): Promise<void> {
    if (this.synced) return Promise.resolve();
    return new Promise((resolve) => this.syncWaiters.push(resolve));
  }

  /** Tells `handler` of every change from now on, after telling it of what is there already. */
  handle(handler: InformerHandler<T>): Disposable {
    this.handlers.add(handler);
    if (handler.add !== undefined) for (const object of this.indexer.list()) handler.add(object);
    return disposable(() => this.handlers.delete(handler));
  }

  /** Starts listing and watching; disposing stops it and keeps what the cache holds. */
  start(): Disposable {
    if (this.running) throw new Error(`the informer of ${this.resource.plural} runs already`);
    this.running = true;
    const run = ++this.run;
    const { resyncMs = 0, clock } = this.options;
    const resync = resyncMs > 0 ? every(clock, resyncMs, () => this.resync()) : undefined;
    void this.listThenWatch(run);
    return disposable(() => {
      this.running = false;
      this.run++;
      resync?.[Symbol.dispose]();
      this.retryTimer?.[Symbol.dispose]();
      this.watching?.[Symbol.dispose]();
      this.watching = undefined;
    });
  }

  private async listThenWatch(run: number): Promise<void> {
    try {
      const list = await this.options.client.list<T>(this.resource, this.options.scope ?? {});
      if (run !== this.run) return;
      this.replace(list.items);
      this.resourceVersion = list.metadata.resourceVersion;
      this.backoffMs = BACKOFF_MIN_MS;
      this.watch(run);
    } catch (error) {
      if (run !== this.run) return;
      this.options.onError?.(error);
      this.retry(() => void this.listThenWatch(run));
    }
  }

  private watch(run: number): void {
    let ended = false;
    const watching = this.options.client.watch<T>(
      this.resource,
      { ...this.options.scope, resourceVersion: this.resourceVersion, allowWatchBookmarks: true },
      {
        onEvent: (event) => {
          if (run !== this.run || ended) return;
          this.backoffMs = BACKOFF_MIN_MS;
          this.take(event);
        },
        onEnd: (error) => {
          if (run !== this.run || ended) return;
          ended = true;
          this.watching = undefined;
          this.resume(run, error);
        },
      },
    );
    if (!ended) this.watching = watching;
  }

  /** A watch that ends plainly goes on where it was; a revision that is gone needs a new list; the rest waits. */
  private resume(run: number, error: unknown): void {
    if (error === undefined) return this.retry(() => this.watch(run));
    if (isStatus(error, 'Expired') || isStatus(error, 'Gone')) {
      this.options.clock.soon(() => {
        if (run === this.run) void this.listThenWatch(run);
      });
      return;
    }
    this.options.onError?.(error);
    this.retry(() => void this.listThenWatch(run));
  }

  private retry(task: () => void): void {
    this.retryTimer = this.options.clock.after(this.backoffMs, task);
    this.backoffMs = Math.min(BACKOFF_MAX_MS, this.backoffMs * 2);
  }

  private take(event: WatchEvent<T>): void {
    this.resourceVersion = event.object.metadata.resourceVersion;
    if (event.type === 'BOOKMARK') return;
    if (event.type === 'DELETED') this.remove(event.object);
    else this.put(event.object);
  }

  private put(object: Stored<T>): void {
    const old = this.indexer.put(object);
    if (old === undefined) for (const handler of this.handlers) handler.add?.(object);
    else for (const handler of this.handlers) handler.update?.(object, old);
  }

  private remove(object: Stored<T>): void {
    if (this.indexer.remove(keyOf(object)) === undefined) return;
    for (const handler of this.handlers) handler.delete?.(object);
  }

  /** Takes in a whole list: what is missing from it was deleted while nobody watched. */
  private replace(items: readonly Stored<T>[]): void {
    const gone = new Set(this.indexer.keys());
    for (const item of items) gone.delete(keyOf(item));
    for (const key of gone) {
      const object = this.indexer.get(key);
      if (object !== undefined) this.remove(object);
    }
    for (const item of items) {
      const known = this.indexer.get(keyOf(item));
      if (known === undefined || known.metadata.resourceVersion !== item.metadata.resourceVersion)
        this.put(item);
    }
    if (this.synced) return;
    this.synced = true;
    for (const settle of this.syncWaiters.splice(0)) settle();
  }

  private resync(): void {
    for (const object of this.indexer.list())
      for (const handler of this.handlers) handler.update?.(object, object);
  }
}
