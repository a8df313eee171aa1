// In-kernel endpoints that stand for Unix sockets with typed protocols. unix(7).
import { ErrnoError } from '../../network/index.ts';
import { disposable } from '../../simulation/index.ts';
import type { FileSystemView } from './file-system.ts';
import type { ServiceSocket } from './kernel.ts';
import type { MountTable } from './mount-table.ts';

export class ServiceTable {
  private readonly files: FileSystemView;
  private readonly mounts: MountTable;
  /** undefined: its server is gone, its file is still there. */
  private readonly services = new Map<string, unknown>();

  constructor(files: FileSystemView, mounts: MountTable) {
    this.files = files;
    this.mounts = mounts;
  }

  bind<Service>(socket: ServiceSocket<Service>, service: Service): Disposable {
    if (this.services.get(socket.path) !== undefined) throw new ErrnoError('EADDRINUSE', socket.path);
    this.services.set(socket.path, service);
    this.makeFile(socket.path);
    return disposable(() => this.services.set(socket.path, undefined));
  }

  private makeFile(path: string): void {
    if (this.files.exists(path)) return;
    const folder = path.slice(0, path.lastIndexOf('/'));
    this.files.mkdir(folder, { recursive: true, mode: 0o755 });
    const { node } = this.mounts.find(folder);
    node.create(path.slice(folder.length + 1), { type: 'socket', mode: 0o660, uid: 0, gid: 0 });
  }

  /** The sockets that are being listened at. */
  list(): { readonly path: string; readonly inode: number }[] {
    return Array.from(this.services)
      .filter(([, service]) => service !== undefined)
      .map(([path]) => ({ path, inode: this.files.exists(path) ? this.files.stat(path).inode : 0 }));
  }

  connect<Service>(socket: ServiceSocket<Service>): Service {
    const service = this.services.get(socket.path);
    if (service === undefined) {
      throw new ErrnoError(this.services.has(socket.path) ? 'ECONNREFUSED' : 'ENOENT', socket.path);
    }
    return service as Service; // Bound under a path that names this protocol.
  }
}
