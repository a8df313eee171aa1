// Device files: /dev/null and its like, /dev/tty, and the description each gives when opened.
import { ErrnoError } from '../../network/index.ts';
import type { Clock, Random } from '../../simulation/index.ts';
import { anonymousStat, Description, NO_BYTES } from './description.ts';
import type { FileStat, OpenFlags } from './file-system.ts';
import type { Process } from './process.ts';
import { Pty } from './pty.ts';
import { GeneratedDirectory, GeneratedLink, GeneratedNode, GeneratedTree } from './generated-tree.ts';
import type { Vnode } from './vnode.ts';

/** Bytes that one read of an endless device gives at most. */
const ENDLESS_READ_BYTES_MAX = 32 * 1024 ** 2;

const TTY_MAJOR = 5;
const PTS_MAJOR = 136;

interface DeviceKind {
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  read(sizeMax: number): Uint8Array;
  write(data: Uint8Array): number;
}

/** An opened /dev/null, zero, full, random. */
class DeviceDescription extends Description {
  readonly kind: 'null' | 'device';
  private readonly device: DeviceKind;
  private readonly devicePath: string;
  private readonly inode: Vnode | undefined;

  constructor(device: DeviceKind, path: string, node: Vnode | undefined) {
    super();
    this.kind = path === '/dev/null' ? 'null' : 'device';
    this.device = device;
    this.devicePath = path;
    this.inode = node;
  }
  override get path(): string {
    return this.devicePath;
  }
  override get node(): Vnode | undefined {
    return this.inode;
  }
  tryRead(sizeMax: number): Uint8Array {
    return this.device.read(Math.min(sizeMax, ENDLESS_READ_BYTES_MAX));
  }
  tryWrite(data: Uint8Array): number {
    return this.device.write(data);
  }
  override seek(): number {
    return 0;
  }
  override truncate(): void {
    return;
  }
  override allocate(): void {
    throw new ErrnoError('ENODEV', this.devicePath);
  }
  stat(): FileStat {
    return this.inode?.stat() ?? { ...anonymousStat('character-device', 4, 0, 0o666), device: 5 };
  }
  protected release(): void {
    return;
  }
}

class DeviceNode extends GeneratedNode {
  readonly type = 'character-device';
  private readonly device: DeviceKind;

  constructor(tree: GeneratedTree, device: DeviceKind) {
    super(tree, device.mode);
    this.device = device;
  }
  override stat(): FileStat {
    return { ...super.stat(), rdev: this.device.major * 256 + this.device.minor };
  }
  override open(_opener: Process, _flags: OpenFlags, path: string): Description {
    return new DeviceDescription(this.device, path, this);
  }
}

/** /dev/tty: whatever terminal controls the opener. */
class ControllingTtyNode extends GeneratedNode {
  readonly type = 'character-device';
  constructor(tree: GeneratedTree) {
    super(tree, 0o666, 5);
  }
  override stat(): FileStat {
    return { ...super.stat(), rdev: TTY_MAJOR * 256 };
  }
  override open(opener: Process): Description {
    if (!(opener.tty instanceof Pty)) throw new ErrnoError('ENXIO', '/dev/tty');
    return opener.tty.openSlave();
  }
}

class PtyNode extends GeneratedNode {
  readonly type = 'character-device';
  private readonly pty: Pty;
  constructor(tree: GeneratedTree, pty: Pty) {
    super(tree, 0o620, 5);
    this.pty = pty;
  }
  override stat(): FileStat {
    return { ...super.stat(), rdev: PTS_MAJOR * 256 + this.pty.index };
  }
  override open(): Description {
    return this.pty.openSlave();
  }
}

function deviceKinds(random: Random): Record<string, DeviceKind> {
  const discard = (data: Uint8Array): number => data.length;
  const zeros = (sizeMax: number): Uint8Array => new Uint8Array(sizeMax);
  const refuse = (): number => {
    throw new ErrnoError('ENOSPC');
  };
  const chance = (sizeMax: number): Uint8Array => random.bytes(sizeMax);
  return {
    null: { major: 1, minor: 3, mode: 0o666, read: () => NO_BYTES, write: discard },
    zero: { major: 1, minor: 5, mode: 0o666, read: zeros, write: discard },
    full: { major: 1, minor: 7, mode: 0o666, read: zeros, write: refuse },
    random: { major: 1, minor: 8, mode: 0o666, read: chance, write: discard },
    urandom: { major: 1, minor: 9, mode: 0o666, read: chance, write: discard },
  };
}

export interface Devices {
  /** What is mounted at /dev. */
  readonly tree: GeneratedTree;
  nullFile(): Description;
}

/** `terminals` are the open pseudo-terminals, by number. */
export function makeDevices(clock: Clock, random: Random, terminals: ReadonlyMap<number, Pty>): Devices {
  const tree = new GeneratedTree('devtmpfs', () => clock.now());
  const kinds = deviceKinds(random);
  const pts = new GeneratedDirectory(tree, {
    names: () => ['ptmx', ...Array.from(terminals.keys(), String)],
    lookup: (name) => {
      const pty = /^\d+$/.test(name) ? terminals.get(Number(name)) : undefined;
      return pty === undefined ? undefined : new PtyNode(tree, pty);
    },
  });
  const entries = new Map<string, GeneratedNode>(
    Object.entries(kinds).map(([name, kind]) => [name, new DeviceNode(tree, kind)]),
  );
  entries.set('tty', new ControllingTtyNode(tree));
  entries.set('pts', pts);
  entries.set('shm', new GeneratedDirectory(tree, { names: () => [], lookup: () => undefined }));
  entries.set('fd', new GeneratedLink(tree, '/proc/self/fd'));
  entries.set('stdin', new GeneratedLink(tree, '/proc/self/fd/0'));
  entries.set('stdout', new GeneratedLink(tree, '/proc/self/fd/1'));
  entries.set('stderr', new GeneratedLink(tree, '/proc/self/fd/2'));
  entries.set('ptmx', new GeneratedLink(tree, 'pts/ptmx'));
  tree.setRoot({ names: () => Array.from(entries.keys()), lookup: (name) => entries.get(name) });
  return { tree, nullFile: () => new DeviceDescription(kinds['null']!, '/dev/null', entries.get('null')) };
}
