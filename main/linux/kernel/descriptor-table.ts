// The descriptors of one process: numbers for open files that others may share. open(2), dup(2).
import { ErrnoError } from '../../network/index.ts';
import { closedDescription, describe } from './adapted-description.ts';
import type { Description } from './description.ts';
import { FileHandle } from './file-handle.ts';
import type { OpenFile } from './open-file.ts';
import type { VirtualProcess } from './virtual-process.ts';

export class DescriptorTable {
  readonly handles = new Map<number, FileHandle>();
  private readonly process: VirtualProcess;
  /** Opened but never given a number; closed when the process ends. */
  private readonly loose = new Set<Description>();

  constructor(process: VirtualProcess) {
    this.process = process;
  }

  /** The file at a number; one that gives EBADF if there is none. */
  at(fd: number): OpenFile {
    return this.handles.get(fd) ?? new FileHandle(this.process, closedDescription());
  }

  /** Hands a freshly opened description to the process, which may give it a number. */
  adopt(description: Description): OpenFile {
    const needsClosing = ['pipe', 'tty', 'socket'].includes(description.kind);
    if (description.references === 0 && needsClosing) this.loose.add(description);
    return new FileHandle(this.process, description);
  }

  /** dup2 to `fd`, or to the lowest free number from `from`. Throws EMFILE, EBADF. */
  set(file: OpenFile, fd: number | undefined, from: number): number {
    const description = describe(file);
    const number = fd ?? this.lowestFree(from);
    if (number < 0 || number >= this.process.limits.nofile.soft)
      throw new ErrnoError(fd === undefined ? 'EMFILE' : 'EBADF');
    const replaced = this.handles.get(number);
    this.install(number, description);
    replaced?.description.drop();
    return number;
  }

  private install(fd: number, description: Description): void {
    description.retain();
    this.loose.delete(description);
    this.handles.set(fd, new FileHandle(this.process, description));
  }

  private lowestFree(from: number): number {
    let fd = from;
    while (this.handles.has(fd)) fd++;
    return fd;
  }

  /** Throws EBADF. */
  close(fd: number): void {
    const handle = this.handles.get(fd);
    if (handle === undefined) throw new ErrnoError('EBADF');
    this.handles.delete(fd);
    handle.description.drop();
  }

  /** What a new process gets. */
  inherit(fds: ReadonlyMap<number, OpenFile>): void {
    const described = Array.from(fds, ([fd, file]) => [fd, describe(file)] as const).sort(
      ([a], [b]) => a - b,
    );
    for (const [fd, description] of described) this.install(fd, description);
  }

  any(holds: (description: Description) => boolean): boolean {
    for (const { description } of this.handles.values()) if (holds(description)) return true;
    return false;
  }

  closeAll(): void {
    for (const handle of this.handles.values()) handle.description.drop();
    this.handles.clear();
    for (const description of this.loose) if (description.references === 0) description.close();
    this.loose.clear();
  }
}
