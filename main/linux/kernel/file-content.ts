// The bytes of one regular file held in memory: what was written is kept, zeros and holes beyond it aren't.
import { NO_BYTES } from './description.ts';

/** Space is given out in blocks of this many bytes. */
export const BLOCK_BYTES = 4096;
/** How much more than needed a growing buffer takes, at most. */
const HEADROOM_BYTES = 1024 ** 2;

/** Ranges of whole blocks in order, not touching: start, end, start, end … */
type Extents = readonly number[];

export class FileContent {
  sizeBytes = 0;
  /** Up to here the bytes are kept; what follows reads as zeros. */
  private bytes: Uint8Array = NO_BYTES;
  private kept = 0;
  /** The buffer belongs to another file too and is copied before the first write. */
  private shared = false;
  /** Brings the content when it is first wanted. */
  private load: (() => Uint8Array) | undefined;
  /** Which blocks are on the disk; absent: all up to the size. */
  private extents: Extents | undefined;

  /** Gives a file its content; brought when first wanted, it may end before the size does. */
  provide(sizeBytes: number, load: () => Uint8Array, extents?: Extents): void {
    this.sizeBytes = sizeBytes;
    this.load = load;
    this.shared = true;
    this.extents = extents;
  }

  /** The same content, shared until either is written. */
  copy(): FileContent {
    const copy = new FileContent();
    copy.sizeBytes = this.sizeBytes;
    copy.extents = this.extents;
    this.shared = true;
    copy.shared = true;
    if (this.load === undefined) {
      copy.bytes = this.bytes;
      copy.kept = this.kept;
    } else {
      copy.load = () => this.keptBytes();
    }
    return copy;
  }

  /** What is kept of it, from the start; not a copy. */
  keptBytes(): Uint8Array {
    if (this.load !== undefined) {
      this.bytes = this.load();
      this.kept = Math.min(this.bytes.length, this.sizeBytes);
      this.load = undefined;
    }
    return this.bytes.length === this.kept ? this.bytes : this.bytes.subarray(0, this.kept);
  }

  /** st_blocks, in bytes. */
  get allocatedBytes(): number {
    if (this.extents === undefined) return blocks(this.sizeBytes);
    let sum = 0;
    for (let at = 0; at < this.extents.length; at += 2) sum += this.extents[at + 1]! - this.extents[at]!;
    return sum;
  }

  /** What `provide` must be given to find the same blocks allocated again. */
  get holes(): Extents | undefined {
    return this.extents;
  }

  /** What writing or allocating a range would add to `allocatedBytes`. */
  growth(from: number, to: number): number {
    return sumOf(this.with(from, to)) - this.allocatedBytes;
  }

  read(offset: number, sizeMax: number): Uint8Array {
    const end = Math.min(offset + sizeMax, this.sizeBytes);
    if (end <= offset) return NO_BYTES;
    const kept = this.keptBytes();
    if (end <= kept.length) return kept.slice(offset, end);
    const data = new Uint8Array(end - offset);
    if (offset < kept.length) data.set(kept.subarray(offset));
    return data;
  }

  /** Whether writing this makes more bytes be kept. Zeros where none are stay so: files that fill a disk cost nothing. */
  keeps(offset: number, data: Uint8Array): boolean {
    return offset < this.keptBytes().length || !isZero(data);
  }

  /** `keeps` as it was found. */
  write(offset: number, data: Uint8Array, keeps: boolean): void {
    const end = offset + data.length;
    this.allocate(offset, end, true);
    if (keeps) {
      this.reserve(end);
      this.bytes.set(data, offset);
    }
    this.grow(end);
  }

  /** Puts blocks on the disk without writing to them: fallocate(2). */
  allocate(from: number, to: number, keepSize: boolean): void {
    const extents = this.with(from, to);
    this.extents = extents;
    if (!keepSize) this.grow(to);
    this.normalize();
  }

  resize(sizeBytes: number): void {
    if (sizeBytes < this.sizeBytes) {
      const kept = this.keptBytes();
      if (kept.length > sizeBytes) this.bytes = sizeBytes === 0 ? NO_BYTES : kept.slice(0, sizeBytes);
      if (kept.length > sizeBytes) this.shared = false;
      this.kept = Math.min(kept.length, sizeBytes);
      if (this.extents !== undefined) this.extents = cut(this.extents, blocks(sizeBytes));
    } else {
      this.extents ??= [0, blocks(this.sizeBytes)];
    }
    this.sizeBytes = sizeBytes;
    this.normalize();
  }

  private grow(end: number): void {
    if (end <= this.sizeBytes) return;
    this.keptBytes(); // What is still to be brought belongs to the old size.
    this.sizeBytes = end;
    this.normalize();
  }

  /** The extents with a range added. */
  private with(from: number, to: number): Extents {
    const current = this.extents ?? [0, blocks(this.sizeBytes)];
    return to <= from ? current : merged(current, Math.floor(from / BLOCK_BYTES) * BLOCK_BYTES, blocks(to));
  }

  private normalize(): void {
    const { extents } = this;
    if (extents === undefined) return;
    const end = blocks(this.sizeBytes);
    const isWhole =
      end === 0 ? extents.length === 0 : extents.length === 2 && extents[0] === 0 && extents[1] === end;
    if (isWhole) this.extents = undefined;
  }

  /** Makes the buffer the file's own, and keeps the bytes up to `end`. */
  private reserve(end: number): void {
    const kept = this.keptBytes();
    const needed = Math.max(end, kept.length);
    if (this.shared || this.bytes.length < needed) {
      const room =
        needed <= kept.length
          ? needed
          : Math.max(needed, Math.min(kept.length * 2, kept.length + HEADROOM_BYTES));
      const grown = new Uint8Array(room);
      grown.set(kept);
      this.bytes = grown;
      this.shared = false;
    } else if (needed > kept.length) {
      this.bytes.fill(0, kept.length, needed);
    }
    this.kept = needed;
  }
}

function blocks(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function sumOf(extents: Extents): number {
  let sum = 0;
  for (let at = 0; at < extents.length; at += 2) sum += extents[at + 1]! - extents[at]!;
  return sum;
}

function merged(extents: Extents, from: number, to: number): Extents {
  const result: number[] = [];
  let [start, end] = [from, to];
  let placed = false;
  for (let at = 0; at < extents.length; at += 2) {
    const [otherStart, otherEnd] = [extents[at]!, extents[at + 1]!];
    if (otherEnd === otherStart) continue;
    if (otherEnd < start) {
      result.push(otherStart, otherEnd);
    } else if (otherStart > end) {
      if (!placed) result.push(start, end);
      placed = true;
      result.push(otherStart, otherEnd);
    } else {
      start = Math.min(start, otherStart);
      end = Math.max(end, otherEnd);
    }
  }
  if (!placed) result.push(start, end);
  return result;
}

/** Without what lies beyond `end`. */
function cut(extents: Extents, end: number): Extents {
  const result: number[] = [];
  for (let at = 0; at < extents.length && extents[at]! < end; at += 2)
    result.push(extents[at]!, Math.min(extents[at + 1]!, end));
  return result;
}

function isZero(data: Uint8Array): boolean {
  for (const byte of data) if (byte !== 0) return false;
  return true;
}
