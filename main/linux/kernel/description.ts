// Open file descriptions as the kernel keeps them, and the reading and writing that all kinds share.
import { ErrnoError, type ByteStream } from '../../network/index.ts';
import type { FileStat } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import type { Tty } from './tty.ts';
import type { Vnode } from './vnode.ts';
import { WaitQueue } from './wait-queue.ts';

/** Bytes that one read asks for when its caller names no number. */
export const READ_BYTES_DEFAULT = 65_536;

export const NO_BYTES = new Uint8Array(0);

export function toBytes(data: Uint8Array | string): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}

/** What every OpenFile does in terms of read and write. */
export abstract class OpenFileBase implements OpenFile {
  abstract readonly kind: OpenFile['kind'];
  abstract read(sizeMax?: number): Promise<Uint8Array>;
  abstract write(data: Uint8Array | string): Promise<void>;
  abstract seek(offset: number, whence: 'set' | 'current' | 'end'): number;
  abstract truncate(sizeBytes: number): void;
  abstract allocate(offset: number, sizeBytes: number, keepSize?: boolean): void;
  abstract stat(): FileStat;
  abstract readonly tty: Tty | undefined;
  abstract readonly stream: ByteStream | undefined;
  abstract readonly path: string | undefined;

  opened(): Promise<void> | undefined {
    return undefined;
  }

  keep(_sizeBytes: number): void {
    return; // Outside any process nobody counts.
  }

  async copyFrom(source: OpenFile): Promise<void> {
    for (;;) {
      const data = await source.read();
      if (data.length === 0) return;
      await this.write(data);
    }
  }

  async readText(): Promise<string> {
    const parts: Uint8Array[] = [];
    let kept = 0;
    for (;;) {
      const data = await this.read();
      if (data.length === 0) return Buffer.concat(parts).toString('utf8');
      parts.push(data);
      this.keep((kept += data.length));
    }
  }

  async *lines(): AsyncIterable<string> {
    let rest: Uint8Array = NO_BYTES;
    for (;;) {
      const data = await this.read();
      if (data.length === 0) break;
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      let start = 0;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
        yield Buffer.from(rest.subarray(start, end)).toString('utf8');
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
    if (rest.length > 0) yield Buffer.from(rest).toString('utf8');
  }
}

/**
 * One open file description. Reads and writes try at once and tell when they would block; whoever waits does so
 * on the queues, so that a signal can end the wait and nothing is lost. Used directly as an OpenFile (by the kernel's
 * callers outside any process) it waits without being interruptible.
 */
export abstract class Description extends OpenFileBase {
  /** How many descriptors refer to it. */
  references = 0;
  closed = false;
  readonly readable = new WaitQueue();
  readonly writable = new WaitQueue();

  /** undefined: would block; empty: the end. */
  abstract tryRead(sizeMax: number): Uint8Array | undefined;
  /** How many bytes were taken; 0: would block. */
  abstract tryWrite(data: Uint8Array): number;
  /** The last descriptor is gone. */
  protected abstract release(): void;

  get tty(): Tty | undefined {
    return undefined;
  }
  get stream(): ByteStream | undefined {
    return undefined;
  }
  get path(): string | undefined {
    return undefined;
  }
  /** Where the next write goes, of a regular file. */
  get position(): number | undefined {
    return undefined;
  }
  /** O_RDONLY, O_RDWR …, as /proc/PID/fdinfo shows them. */
  get openFlags(): number {
    return 0o2;
  }
  /** The inode behind it, for fchdir-like uses and /proc/PID/fd. */
  get node(): Vnode | undefined {
    return undefined;
  }
  /** False while open(2) would wait: for the other end of a fifo. Both queues are woken when that changes. */
  get isConnected(): boolean {
    return true;
  }
  /** What a process must do before it may read: a background process must not take the terminal's input. */
  mayRead(_reader: Process): boolean {
    return true;
  }
  /** The same for writing, which `stty tostop` keeps from background processes. */
  mayWrite(_writer: Process): boolean {
    return true;
  }

  retain(): void {
    this.references++;
  }

  drop(): void {
    this.references--;
    if (this.references <= 0) this.close();
  }

  /** Also for one that no descriptor ever referred to. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.release();
  }

  async read(sizeMax: number = READ_BYTES_DEFAULT): Promise<Uint8Array> {
    for (;;) {
      const data = this.tryRead(sizeMax);
      if (data !== undefined) return data;
      await this.readable.wait();
    }
  }

  async write(data: Uint8Array | string): Promise<void> {
    let rest = toBytes(data);
    while (rest.length > 0) {
      const taken = this.tryWrite(rest);
      if (taken === 0) await this.writable.wait();
      rest = rest.subarray(taken);
    }
  }

  seek(_offset: number, _whence: 'set' | 'current' | 'end'): number {
    throw new ErrnoError('ESPIPE', this.path);
  }

  truncate(_sizeBytes: number): void {
    throw new ErrnoError('EINVAL', this.path);
  }

  allocate(_offset: number, _sizeBytes: number, _keepSize?: boolean): void {
    throw new ErrnoError('ESPIPE', this.path);
  }
}

/** stat(2) of what has no inode in any file system. */
export function anonymousStat(type: FileStat['type'], inode: number, timeMs: number, mode = 0o600): FileStat {
  return {
    type,
    inode,
    device: 0xd,
    mode,
    links: 1,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    accessMs: timeMs,
    modifyMs: timeMs,
    changeMs: timeMs,
  };
}
