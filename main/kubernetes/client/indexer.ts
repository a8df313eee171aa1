// A local cache of one resource's objects with indexes; listers read it.
import { keyOf, type KubernetesObject, type ObjectKey, type Stored } from '../api/meta.ts';

/** The values under which an index files an object. */
export type IndexFunction<T> = (object: Stored<T>) => readonly string[];

/** Reads the objects that an informer holds. They are shared: never modify one. */
export interface Lister<T> {
  get(key: ObjectKey): Stored<T> | undefined;
  /** All objects, or those of one namespace. */
  list(namespace?: string): Stored<T>[];
  /** The objects filed under `value` by the index `name`, which must exist. */
  byIndex(name: string, value: string): Stored<T>[];
  readonly size: number;
}

/** The index every indexer has, as client-go's informers do. */
const NAMESPACE_INDEX = 'namespace';
/** Files objects under the uid of the owner that controls them. */
export const CONTROLLER_INDEX = 'controller';

/** Objects by key, and by whatever indexes were added. Every operation costs the object's own index values only. */
export class Indexer<T extends KubernetesObject> implements Lister<T> {
  private readonly objects = new Map<ObjectKey, Stored<T>>();
  private readonly indexes = new Map<
    string,
    { values: IndexFunction<T>; files: Map<string, Map<ObjectKey, Stored<T>>> }
  >();

  constructor() {
    this.addIndex(NAMESPACE_INDEX, (object) => [object.metadata.namespace ?? '']);
  }

  get size(): number {
    return this.objects.size;
  }

  get(key: ObjectKey): Stored<T> | undefined {
    return this.objects.get(key);
  }

  list(namespace?: string): Stored<T>[] {
    return namespace === undefined ? [...this.objects.values()] : this.byIndex(NAMESPACE_INDEX, namespace);
  }

  byIndex(name: string, value: string): Stored<T>[] {
    const index = this.indexes.get(name);
    if (index === undefined) throw new Error(`no index called ${name}`);
    const file = index.files.get(value);
    return file === undefined ? [] : [...file.values()];
  }

  /** The values under which an index files anything. */
  indexValues(name: string): string[] {
    return [...(this.indexes.get(name)?.files.keys() ?? [])];
  }

  keys(): IterableIterator<ObjectKey> {
    return this.objects.keys();
  }

  /** Adds an index, filing what is there already. The same name again changes nothing: one name has one meaning. */
  addIndex(name: string, values: IndexFunction<T>): void {
    if (this.indexes.has(name)) return;
    const index = { values, files: new Map<string, Map<ObjectKey, Stored<T>>>() };
    this.indexes.set(name, index);
    for (const [key, object] of this.objects) file(index.files, values(object), key, object);
  }

  /** Files under the controlling owner's uid, the index most controllers need. */
  addControllerIndex(): void {
    this.addIndex(CONTROLLER_INDEX, (object) => {
      const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
      return owner === undefined ? [] : [owner.uid];
    });
  }

  /** Stores an object and answers the one it replaces. */
  put(object: Stored<T>): Stored<T> | undefined {
    const key = keyOf(object);
    const old = this.objects.get(key);
    this.objects.set(key, object);
    for (const { values, files } of this.indexes.values()) {
      const newValues = values(object);
      if (old !== undefined) {
        const oldValues = values(old);
        if (sameValues(oldValues, newValues)) {
          for (const value of newValues) files.get(value)?.set(key, object);
          continue;
        }
        unfile(files, oldValues, key);
      }
      file(files, newValues, key, object);
    }
    return old;
  }

  /** Takes an object out and answers it. */
  remove(key: ObjectKey): Stored<T> | undefined {
    const old = this.objects.get(key);
    if (old === undefined) return undefined;
    this.objects.delete(key);
    for (const { values, files } of this.indexes.values()) unfile(files, values(old), key);
    return old;
  }
}

function file<T>(
  files: Map<string, Map<ObjectKey, T>>,
  values: readonly string[],
  key: ObjectKey,
  object: T,
): void {
  for (const value of values) {
    let entries = files.get(value);
    if (entries === undefined) files.set(value, (entries = new Map()));
    entries.set(key, object);
  }
}

function unfile<T>(files: Map<string, Map<ObjectKey, T>>, values: readonly string[], key: ObjectKey): void {
  for (const value of values) {
    const entries = files.get(value);
    if (entries === undefined) continue;
    entries.delete(key);
    if (entries.size === 0) files.delete(value);
  }
}

function sameValues(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
