// An open file description (open(2)): what a descriptor refers to, be it a file, pipe, terminal or socket.
import type { ByteStream } from '../../network/index.ts';
import type { FileStat } from './file-system.ts';
import type { Tty } from './tty.ts';

/** Shared by the descriptors that refer to it; reference-counted by the kernel. */
export interface OpenFile {
  readonly kind: 'file' | 'pipe' | 'tty' | 'socket' | 'directory' | 'null' | 'device';
  /**
   * What open(2) waits for: of a fifo, that somebody opens its other end. Rejects with EINTR when a handled signal
   * comes. Undefined where there is nothing to wait for.
   */
  opened(): Promise<void> | undefined;
  /** At most `sizeMax` bytes once there are any; empty at the end. Waits on pipes and terminals. Throws EBADF, EISDIR, EIO … */
  read(sizeMax?: number): Promise<Uint8Array>;
  /** Settles when all is taken; waits while a pipe is full. Rejects with EPIPE (after SIGPIPE), ENOSPC, EBADF … */
  write(data: Uint8Array | string): Promise<void>;
  /** Copies until the end of `source`, closing neither. */
  copyFrom(source: OpenFile): Promise<void>;
  /**
   * Says how many bytes of what it has read from here the reader holds in memory now; they count as the process's.
   * Whoever gathers input of unknown length tells, so that an endless device meets the OOM killer.
   */
  keep(sizeBytes: number): void;
  /** The rest as text (UTF-8). */
  readText(): Promise<string>;
  /** Lines without their newline, as they come. */
  lines(): AsyncIterable<string>;
  /** lseek(2): sets the offset and returns it. Throws ESPIPE on what has none. */
  seek(offset: number, whence: 'set' | 'current' | 'end'): number;
  truncate(sizeBytes: number): void;
  /** fallocate(2): takes the blocks of a range, and extends the file unless `keepSize`. Throws ENOSPC, EOPNOTSUPP, EBADF … */
  allocate(offset: number, sizeBytes: number, keepSize?: boolean): void;
  stat(): FileStat;
  /** The terminal behind it, if it is one. */
  readonly tty: Tty | undefined;
  /** The socket behind it, if it is one. */
  readonly stream: ByteStream | undefined;
  /** The path it was opened by, where it has one (for /proc/PID/fd and error texts). */
  readonly path: string | undefined;
}
