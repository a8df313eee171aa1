// The objects of a kind that are written often and read seldom: memory holds their keys, storage the rest.
import type { StoredObject } from '../object.ts';

/** What a table asks of the map that its objects are in. */
export interface ObjectMap {
  readonly size: number;
  has(key: string): boolean;
  get(key: string): StoredObject | undefined;
  set(key: string, object: StoredObject): unknown;
  delete(key: string): boolean;
  keys(): Iterable<string>;
  values(): Iterable<StoredObject>;
}

/** Reads an object anew each time somebody asks for it. */
export class ColdObjects implements ObjectMap {
  private readonly known = new Set<string>();
  private readonly read: (key: string) => StoredObject | undefined;

  constructor(read: (key: string) => StoredObject | undefined) {
    this.read = read;
  }

  get size(): number {
    return this.known.size;
  }

  has(key: string): boolean {
    return this.known.has(key);
  }

  get(key: string): StoredObject | undefined {
    return this.known.has(key) ? this.read(key) : undefined;
  }

  set(key: string): void {
    this.known.add(key);
  }

  delete(key: string): boolean {
    return this.known.delete(key);
  }

  keys(): Iterable<string> {
    return this.known;
  }

  *values(): Iterable<StoredObject> {
    for (const key of this.known) {
      const object = this.read(key);
      if (object !== undefined) yield object;
    }
  }
}
