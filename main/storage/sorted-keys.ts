// An ordered set of keys for prefix listing: sorted chunks, so that adding a key costs little in a set of many.

/** Keys a chunk holds before it is split. */
const CHUNK_KEYS_MAX = 512;

/** Strings in code-unit order. */
export class SortedKeys {
  private chunks: string[][] = [];

  add(key: string): void {
    if (this.chunks.length === 0) {
      this.chunks.push([key]);
      return;
    }
    const index = this.chunkFor(key);
    const chunk = this.chunks[index]!;
    const at = lowerBound(chunk, key);
    if (chunk[at] === key) return;
    chunk.splice(at, 0, key);
    if (chunk.length > CHUNK_KEYS_MAX) this.chunks.splice(index + 1, 0, chunk.splice(chunk.length >> 1));
  }

  delete(key: string): void {
    if (this.chunks.length === 0) return;
    const index = this.chunkFor(key);
    const chunk = this.chunks[index]!;
    const at = lowerBound(chunk, key);
    if (chunk[at] !== key) return;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.chunks.splice(index, 1);
  }

  /** The keys that begin with `prefix`, in order. */
  withPrefix(prefix: string): string[] {
    const found: string[] = [];
    if (this.chunks.length === 0) return found;
    for (let index = this.chunkFor(prefix); index < this.chunks.length; index++) {
      const chunk = this.chunks[index]!;
      for (let at = lowerBound(chunk, prefix); at < chunk.length; at++) {
        if (!chunk[at]!.startsWith(prefix)) return found;
        found.push(chunk[at]!);
      }
    }
    return found;
  }

  /** The last chunk whose first key isn't after `key`. */
  private chunkFor(key: string): number {
    let low = 0;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.chunks[middle]![0]! <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
