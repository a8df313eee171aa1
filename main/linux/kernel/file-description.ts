// Open regular files and directories.
import { ErrnoError } from '../../network/index.ts';
import { Description, NO_BYTES } from './description.ts';
import type { FileStat, OpenFlags } from './file-system.ts';
import { currentPath, type Place } from './mount-table.ts';
import type { Vnode } from './vnode.ts';

/** A regular file with its offset. */
export class FileDescription extends Description {
  readonly kind = 'file';
  private readonly file: Vnode;
  private readonly flags: OpenFlags;
  private readonly place: Place;
  private readonly changed: () => void;
  private offset = 0;

  /** `changed` is called after each change of the content. */
  constructor(place: Place, flags: OpenFlags, changed: () => void) {
    super();
    this.place = place;
    this.file = place.node;
    this.flags = flags;
    this.changed = changed;
  }

  /** Where it is now, if it was renamed; of a file with several names, the one it was opened by. */
  override get path(): string {
    const isElsewhere = this.file.name !== nameIn(this.place.path) && this.file.stat().links > 1;
    const { above, path } = this.place;
    if (isElsewhere || above === undefined) return path;
    // A removed file is told by where it was.
    return currentPath(this.place) ?? `${currentPath(above) ?? above.path}/${nameIn(path)}`;
  }
  override get node(): Vnode {
    return this.file;
  }

  override get position(): number {
    return this.flags.append === true ? this.file.sizeBytes : this.offset;
  }

  override get openFlags(): number {
    const { read, write, append } = this.flags;
    const writes = write === true || append === true;
    return (writes ? (read === true ? 0o2 : 0o1) : 0) | (append === true ? 0o2000 : 0) | 0o100000;
  }

  tryRead(sizeMax: number): Uint8Array {
    if (this.flags.read === false || (this.flags.write === true && this.flags.read !== true)) {
      throw new ErrnoError('EBADF', this.path);
    }
    const data = this.file.read(this.offset, sizeMax);
    this.offset += data.length;
    return data;
  }

  tryWrite(data: Uint8Array): number {
    if (this.flags.write !== true && this.flags.append !== true) throw new ErrnoError('EBADF', this.path);
    if (this.flags.append === true) this.offset = this.file.sizeBytes;
    this.file.write(this.offset, data);
    this.offset += data.length;
    this.changed();
    return data.length;
  }

  override seek(offset: number, whence: 'set' | 'current' | 'end'): number {
    const base = whence === 'set' ? 0 : whence === 'current' ? this.offset : this.file.sizeBytes;
    if (base + offset < 0) throw new ErrnoError('EINVAL', this.path);
    this.offset = base + offset;
    return this.offset;
  }

  override truncate(sizeBytes: number): void {
    if (this.flags.write !== true) throw new ErrnoError('EINVAL', this.path);
    this.file.resize(sizeBytes);
    this.changed();
  }

  override allocate(offset: number, sizeBytes: number, keepSize = false): void {
    if (this.flags.write !== true) throw new ErrnoError('EBADF', this.path);
    if (offset < 0 || sizeBytes <= 0) throw new ErrnoError('EINVAL', this.path);
    this.file.allocate(offset, sizeBytes, keepSize);
    this.changed();
  }

  stat(): FileStat {
    return this.file.stat();
  }
  protected release(): void {
    this.offset = 0;
  }
}

/** A directory opened as one; it can be looked at but not read. */
export class DirectoryDescription extends Description {
  readonly kind = 'directory';
  private readonly place: Place;

  constructor(place: Place) {
    super();
    this.place = place;
  }

  override get path(): string {
    return currentPath(this.place) ?? this.place.path;
  }
  override get node(): Vnode {
    return this.place.node;
  }
  tryRead(): Uint8Array {
    throw new ErrnoError('EISDIR', this.path);
  }
  tryWrite(): number {
    throw new ErrnoError('EBADF', this.path);
  }
  stat(): FileStat {
    return this.place.node.stat();
  }
  protected release(): void {
    return;
  }
}

/** What a program made of text gives to its readers: the content as it was when reading began. */
export class TextDescription extends Description {
  readonly kind = 'file';
  private readonly file: Vnode;
  private readonly openPath: string;
  private readonly make: () => Uint8Array;
  private readonly store: ((text: string) => void) | undefined;
  private text: Uint8Array | undefined;
  private offset = 0;

  /** `make` is called at the first read and again when it is read from the start. */
  constructor(file: Vnode, path: string, make: () => Uint8Array, store?: (text: string) => void) {
    super();
    this.file = file;
    this.openPath = path;
    this.make = make;
    this.store = store;
  }

  override get path(): string {
    return this.openPath;
  }
  override get node(): Vnode {
    return this.file;
  }
  tryRead(sizeMax: number): Uint8Array {
    if (this.text === undefined || this.offset === 0) this.text = this.make();
    const data = this.text.slice(this.offset, this.offset + sizeMax);
    this.offset += data.length;
    return data.length === 0 ? NO_BYTES : data;
  }
  tryWrite(data: Uint8Array): number {
    if (this.store === undefined) throw new ErrnoError('EACCES', this.openPath);
    this.store(Buffer.from(data).toString('utf8'));
    return data.length;
  }
  override seek(offset: number, whence: 'set' | 'current' | 'end'): number {
    if (whence === 'end') throw new ErrnoError('EINVAL', this.openPath);
    this.offset = Math.max(0, whence === 'set' ? offset : this.offset + offset);
    return this.offset;
  }
  override truncate(): void {
    return;
  }
  override allocate(): void {
    throw new ErrnoError('EOPNOTSUPP', this.openPath);
  }
  stat(): FileStat {
    return this.file.stat();
  }
  protected release(): void {
    this.text = undefined;
  }
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
