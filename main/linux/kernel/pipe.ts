// Pipes and fifos: a buffer between who writes and who reads, with back-pressure. pipe(7).
import { ErrnoError } from '../../network/index.ts';
import { anonymousStat, Description, NO_BYTES } from './description.ts';
import type { FileStat } from './file-system.ts';
import type { Vnode } from './vnode.ts';

const CAPACITY_BYTES = 65_536;
/** Writes up to this size are never torn (PIPE_BUF). */
const ATOMIC_BYTES = 4096;

/** The buffer that both ends share. An end that nobody opened yet isn't taken for closed. */
export class PipeBuffer {
  readonly inode: number;
  readonly createdMs: number;
  private chunks: Uint8Array[] = [];
  private bytes = 0;
  private readonly readers = new Set<PipeEnd>();
  private readonly writers = new Set<PipeEnd>();
  private hadReaders = false;
  private hadWriters = false;

  constructor(inode: number, createdMs: number) {
    this.inode = inode;
    this.createdMs = createdMs;
  }

  open(write: boolean, read: boolean, path?: string, node?: Vnode): Description {
    const end = new PipeEnd(this, read, write, path, node);
    if (read) {
      this.readers.add(end);
      this.hadReaders = true;
    }
    if (write) {
      this.writers.add(end);
      this.hadWriters = true;
    }
    // Whoever waits for the other end to be opened looks again.
    for (const other of [...this.readers, ...this.writers]) {
      other.readable.wake();
      other.writable.wake();
    }
    return end;
  }

  /** Whether open(2) of an end has what it waits for. */
  isConnected(reads: boolean, writes: boolean): boolean {
    if (reads && writes) return true;
    return reads ? this.hadWriters : this.hadReaders;
  }

  take(sizeMax: number): Uint8Array | undefined {
    if (this.bytes === 0) return this.hadWriters && this.writers.size === 0 ? NO_BYTES : undefined;
    const taken: Uint8Array[] = [];
    let room = sizeMax;
    while (room > 0 && this.chunks.length > 0) {
      const chunk = this.chunks[0]!;
      if (chunk.length <= room) {
        this.chunks.shift();
        taken.push(chunk);
      } else {
        taken.push(chunk.subarray(0, room));
        this.chunks[0] = chunk.subarray(room);
      }
      room -= Math.min(room, chunk.length);
    }
    this.bytes -= sizeMax - room;
    for (const writer of this.writers) writer.writable.wake();
    return taken.length === 1 ? taken[0]! : Buffer.concat(taken);
  }

  put(data: Uint8Array): number {
    if (this.hadReaders && this.readers.size === 0) throw new ErrnoError('EPIPE');
    const room = CAPACITY_BYTES - this.bytes;
    if (room === 0 || (data.length <= ATOMIC_BYTES && data.length > room)) return 0;
    const taken = data.slice(0, room);
    this.chunks.push(taken);
    this.bytes += taken.length;
    for (const reader of this.readers) reader.readable.wake();
    return taken.length;
  }

  closeEnd(end: PipeEnd): void {
    this.readers.delete(end);
    this.writers.delete(end);
    if (this.writers.size === 0) for (const reader of this.readers) reader.readable.wake();
    if (this.readers.size === 0) {
      for (const writer of this.writers) writer.writable.wake();
    }
    if (this.readers.size > 0 || this.writers.size > 0) return;
    // Differs: what was written before anybody came to read is kept, as not every writer waits for that.
    if (this.hadReaders) {
      this.chunks = [];
      this.bytes = 0;
    }
    this.hadWriters = this.bytes > 0;
    this.hadReaders = false;
  }
}

class PipeEnd extends Description {
  readonly kind = 'pipe';
  private readonly buffer: PipeBuffer;
  private readonly reads: boolean;
  private readonly writes: boolean;
  private readonly fifoPath: string | undefined;
  private readonly fifoNode: Vnode | undefined;

  constructor(
    buffer: PipeBuffer,
    reads: boolean,
    writes: boolean,
    path: string | undefined,
    node: Vnode | undefined,
  ) {
    super();
    this.buffer = buffer;
    this.reads = reads;
    this.writes = writes;
    this.fifoPath = path;
    this.fifoNode = node;
  }

  override get isConnected(): boolean {
    return this.fifoNode === undefined || this.buffer.isConnected(this.reads, this.writes);
  }
  override get path(): string | undefined {
    return this.fifoPath ?? `pipe:[${this.buffer.inode}]`;
  }
  override get node(): Vnode | undefined {
    return this.fifoNode;
  }
  tryRead(sizeMax: number): Uint8Array | undefined {
    if (!this.reads || this.closed) throw new ErrnoError('EBADF', this.path);
    return this.buffer.take(sizeMax);
  }
  tryWrite(data: Uint8Array): number {
    if (!this.writes || this.closed) throw new ErrnoError('EBADF', this.path);
    return this.buffer.put(data);
  }
  stat(): FileStat {
    return this.fifoNode?.stat() ?? anonymousStat('fifo', this.buffer.inode, this.buffer.createdMs);
  }
  protected release(): void {
    this.buffer.closeEnd(this);
    this.readable.wake();
    this.writable.wake();
  }
}
