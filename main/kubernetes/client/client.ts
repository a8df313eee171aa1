// What a component asks of an API server, whatever lies between: nothing (in process) or the virtual network.
import type { KubernetesObject, List, Resource, Stored } from '../api/meta.ts';

export interface Scope {
  /** Absent for cluster-scoped resources, and to list or watch all namespaces. */
  readonly namespace?: string;
}

export interface ListOptions extends Scope {
  /** In the textual form, such as `app=web,tier!=cache`. */
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface WatchOptions extends Scope {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this revision. */
  readonly resourceVersion: string;
  readonly allowWatchBookmarks?: boolean;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Stored<T> }
  | {
      readonly type: 'BOOKMARK';
      readonly object: { readonly metadata: { readonly resourceVersion: string } };
    };

/** Called in revision order. After `onEnd` (StatusError 410 Gone, a lost connection, or undefined for a plain end) nothing more comes. */
export interface WatchListener<T> {
  onEvent(event: WatchEvent<T>): void;
  onEnd(error: unknown): void;
}

export interface WriteOptions extends Scope {
  readonly subresource?: string;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface DeleteOptions extends Scope {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml';

/**
 * Typed requests. All reject with StatusError when the server refuses, and with ErrnoError or another error when it
 * can't be reached. In process, objects given and received are shared, not copied: treat them as frozen.
 */
export interface ApiClient {
  get<T extends KubernetesObject>(
    resource: Resource,
    name: string,
    scope?: Scope & { readonly subresource?: string },
  ): Promise<Stored<T>>;
  list<T extends KubernetesObject>(resource: Resource, options?: ListOptions): Promise<List<Stored<T>>>;
  watch<T extends KubernetesObject>(
    resource: Resource,
    options: WatchOptions,
    listener: WatchListener<T>,
  ): Disposable;
  /** With a `subresource`, such as `binding` or `eviction`, `name` says of what. */
  create<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options?: WriteOptions & { readonly name?: string },
  ): Promise<Stored<T>>;
  /** Optimistic: the object's resourceVersion must be current if it has one, else 409 Conflict. */
  update<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  patch<T extends KubernetesObject>(
    resource: Resource,
    name: string,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions & { readonly force?: boolean },
  ): Promise<Stored<T>>;
  delete(resource: Resource, name: string, options?: DeleteOptions): Promise<unknown>;
  deleteCollection(resource: Resource, options?: ListOptions & DeleteOptions): Promise<void>;
}
