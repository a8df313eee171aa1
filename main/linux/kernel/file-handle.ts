// An open file in the hands of one process: its reads and writes obey that process's signals.
import { ErrnoError, type ByteStream } from '../../network/index.ts';
import { OpenFileBase, READ_BYTES_DEFAULT, toBytes, type Description } from './description.ts';
import type { FileStat } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import { dropPrivileges } from './permissions.ts';
import type { Process } from './process.ts';
import type { Tty } from './tty.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** Virtual CPU time of a read or write, and of each byte in it, in ms. */
const CALL_COST_MS = 0.002;
const BYTE_COST_MS = 1 / 1_000_000;
/** The same for a byte to a terminal: one is drawn at some 5 MB/s, and a flood must not outrun it. */
const TTY_BYTE_COST_MS = 1 / 5_000;

/** What readers hold counts in steps of this. */
const KEPT_STEP_BYTES = 256 * 1024;

export class FileHandle extends OpenFileBase {
  readonly description: Description;
  private readonly process: VirtualProcess;
  private keptBytes = 0;

  constructor(process: VirtualProcess, description: Description) {
    super();
    this.process = process;
    this.description = description;
  }

  override keep(sizeBytes: number): void {
    const more = sizeBytes - this.keptBytes;
    if (Math.abs(more) < KEPT_STEP_BYTES) return;
    this.keptBytes = sizeBytes;
    this.process.keep(more);
  }

  get kind(): OpenFile['kind'] {
    return this.description.kind;
  }
  get tty(): Tty | undefined {
    return this.description.tty;
  }
  get stream(): ByteStream | undefined {
    return this.description.stream;
  }
  get path(): string | undefined {
    return this.description.path;
  }

  override opened(): Promise<void> | undefined {
    return this.description.isConnected ? undefined : quiet(this.untilConnected());
  }

  private async untilConnected(): Promise<void> {
    while (!this.description.isConnected) await this.process.interruptible(this.description.readable.wait());
  }

  read(sizeMax: number = READ_BYTES_DEFAULT): Promise<Uint8Array> {
    return quiet(this.readSome(sizeMax));
  }

  private async readSome(sizeMax: number): Promise<Uint8Array> {
    const { process, description } = this;
    process.charge(CALL_COST_MS);
    for (;;) {
      const wait = process.gate();
      if (wait !== undefined) await wait;
      if (!description.mayRead(process)) {
        if (!process.stopped) throw new ErrnoError('EINTR', description.path);
        continue;
      }
      const data = description.tryRead(sizeMax);
      if (data !== undefined) {
        process.charge(data.length * BYTE_COST_MS);
        process.calls.reads++;
        process.calls.readBytes += data.length;
        return data;
      }
      await process.block(description.readable);
    }
  }

  write(data: Uint8Array | string): Promise<void> {
    return quiet(this.writeAll(toBytes(data)));
  }

  private async writeAll(data: Uint8Array): Promise<void> {
    const { process, description } = this;
    let rest = data;
    const byteCostMs = description.tty === undefined ? BYTE_COST_MS : TTY_BYTE_COST_MS;
    process.charge(CALL_COST_MS + rest.length * byteCostMs);
    for (;;) {
      const wait = process.gate();
      if (wait !== undefined) await wait;
      if (description.tty !== undefined && !description.mayWrite(process)) {
        if (!process.stopped) throw new ErrnoError('EINTR', description.path);
        continue;
      }
      const taken = rest.length === 0 ? 0 : this.tryWrite(rest);
      rest = rest.subarray(taken);
      if (rest.length === 0) return;
      if (taken === 0) await process.block(description.writable);
    }
  }

  private tryWrite(data: Uint8Array): number {
    try {
      this.process.table.current = this.process;
      const taken = this.description.tryWrite(withinFileLimit(this.process, this.description, data));
      const { node } = this.description;
      if (node !== undefined) dropPrivileges(node, this.process);
      this.process.calls.writes++;
      this.process.calls.writtenBytes += taken;
      return taken;
    } catch (error) {
      if (error instanceof ErrnoError && error.code === 'EPIPE') {
        this.process.deliver('SIGPIPE');
        this.process.enter();
      }
      throw error;
    }
  }

  seek(offset: number, whence: 'set' | 'current' | 'end'): number {
    this.process.enter();
    return this.description.seek(offset, whence);
  }
  truncate(sizeBytes: number): void {
    this.process.enter();
    const { node } = this.description;
    this.description.truncate(sizeBytes);
    if (node !== undefined) dropPrivileges(node, this.process);
  }
  allocate(offset: number, sizeBytes: number, keepSize?: boolean): void {
    this.process.enter();
    this.description.allocate(offset, sizeBytes, keepSize);
  }
  stat(): FileStat {
    this.process.enter();
    return this.description.stat();
  }
}

/** As much of the data as RLIMIT_FSIZE lets be written; at the limit SIGXFSZ, and EFBIG for who survives that. */
export function withinFileLimit(process: Process, description: Description, data: Uint8Array): Uint8Array {
  const { position } = description;
  if (position === undefined || process.limits.fsize.soft === Infinity || data.length === 0) return data;
  const room = process.limits.fsize.soft - position;
  if (room > 0) return data.length > room ? data.subarray(0, room) : data;
  process.kill(process.pid, 'SIGXFSZ');
  throw new ErrnoError('EFBIG', description.path);
}

/**
 * Lets a caller drop the promise: a program that ends while a wait of its is abandoned must not bring the host down.
 * Whoever awaits it still sees the rejection.
 */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
