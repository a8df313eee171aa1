// Descriptions of what the kernel didn't open itself: sockets, and other rooms' OpenFiles.
import { ErrnoError, type ByteStream } from '../../network/index.ts';
import { anonymousStat, Description, NO_BYTES } from './description.ts';
import { FileHandle } from './file-handle.ts';
import type { FileStat } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import type { Tty } from './tty.ts';

/** The description behind an OpenFile, made on the spot for one of another make. */
export function describe(file: OpenFile): Description {
  if (file instanceof Description) return file;
  if (file instanceof FileHandle) return file.description;
  const known = adapted.get(file);
  if (known !== undefined) return known;
  const description = new AdaptedDescription(file);
  adapted.set(file, description);
  return description;
}

const adapted = new WeakMap<OpenFile, AdaptedDescription>();

/** Reads and writes that are promises, made into ones that try: what arrives unasked is kept for the next reader. */
abstract class PromisedDescription extends Description {
  private arrived: Uint8Array | undefined;
  private failed: Error | undefined;
  private reading = false;
  private writing = false;

  protected abstract startRead(sizeMax: number): Promise<Uint8Array>;
  protected abstract startWrite(data: Uint8Array): Promise<void>;

  tryRead(sizeMax: number): Uint8Array | undefined {
    if (this.arrived !== undefined) {
      const data = this.arrived.subarray(0, sizeMax);
      this.arrived = data.length < this.arrived.length ? this.arrived.subarray(sizeMax) : undefined;
      return data;
    }
    this.throwFailure();
    if (!this.reading) {
      this.reading = true;
      this.startRead(sizeMax).then(
        (data) => {
          this.reading = false;
          this.arrived = data;
          this.readable.wake();
        },
        (error: unknown) => this.fail(error),
      );
    }
    return undefined;
  }

  tryWrite(data: Uint8Array): number {
    this.throwFailure();
    if (this.writing) return 0;
    this.writing = true;
    this.startWrite(data.slice()).then(
      () => {
        this.writing = false;
        this.writable.wake();
      },
      (error: unknown) => this.fail(error),
    );
    return data.length;
  }

  private fail(error: unknown): void {
    this.reading = false;
    this.writing = false;
    this.failed = error instanceof Error ? error : new Error(String(error));
    this.readable.wake();
    this.writable.wake();
  }

  private throwFailure(): void {
    if (this.failed === undefined) return;
    const error = this.failed;
    this.failed = undefined;
    throw error;
  }
}

/** A connected socket as a file. */
export class SocketDescription extends PromisedDescription {
  readonly kind = 'socket';
  private readonly socket: ByteStream;
  private readonly inode: number;
  private readonly timeMs: number;

  constructor(socket: ByteStream, inode: number, timeMs: number) {
    super();
    this.socket = socket;
    this.inode = inode;
    this.timeMs = timeMs;
  }

  override get stream(): ByteStream {
    return this.socket;
  }
  override get path(): string {
    return `socket:[${this.inode}]`;
  }
  protected async startRead(sizeMax: number): Promise<Uint8Array> {
    return (await this.socket.read(sizeMax)) ?? NO_BYTES;
  }
  protected startWrite(data: Uint8Array): Promise<void> {
    return this.socket.write(data);
  }
  stat(): FileStat {
    return anonymousStat('socket', this.inode, this.timeMs, 0o777);
  }
  protected release(): void {
    this.socket.close();
  }
}

class AdaptedDescription extends PromisedDescription {
  readonly kind: OpenFile['kind'];
  private readonly file: OpenFile;

  constructor(file: OpenFile) {
    super();
    this.file = file;
    this.kind = file.kind;
  }

  override get tty(): Tty | undefined {
    return this.file.tty;
  }
  override get stream(): ByteStream | undefined {
    return this.file.stream;
  }
  override get path(): string | undefined {
    return this.file.path;
  }
  protected startRead(sizeMax: number): Promise<Uint8Array> {
    return this.file.read(sizeMax);
  }
  protected startWrite(data: Uint8Array): Promise<void> {
    return this.file.write(data);
  }
  override seek(offset: number, whence: 'set' | 'current' | 'end'): number {
    return this.file.seek(offset, whence);
  }
  override truncate(sizeBytes: number): void {
    this.file.truncate(sizeBytes);
  }
  stat(): FileStat {
    return this.file.stat();
  }
  protected release(): void {
    return; // Its maker closes it.
  }
}

class ClosedDescription extends Description {
  readonly kind = 'null';
  tryRead(): Uint8Array {
    throw new ErrnoError('EBADF');
  }
  tryWrite(): number {
    throw new ErrnoError('EBADF');
  }
  stat(): FileStat {
    throw new ErrnoError('EBADF');
  }
  protected release(): void {
    return;
  }
}

/** What a descriptor that isn't open gives: EBADF at every call. */
export function closedDescription(): Description {
  return new ClosedDescription();
}
