// Docker's volumes: folders of the machine with names, kept apart from containers.
import { createHash } from 'node:crypto';
import type { Clock } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import type { ContainerImage } from '../containerd/index.ts';
import type { FileSystemView } from '../kernel/index.ts';
import { EngineError, type EngineMount, type EngineVolume } from './engine-types.ts';

export interface VolumesOptions {
  readonly files: FileSystemView;
  readonly clock: Clock;
  readonly store: Store;
  readonly prefix: string;
  /** Where they are, such as `/var/lib/docker/volumes`. */
  readonly folder: string;
  readonly newName: () => string;
  readonly told: (action: 'create' | 'destroy', name: string) => void;
}

export class Volumes {
  private readonly options: VolumesOptions;
  private readonly volumes = new Map<string, EngineVolume>();

  constructor(options: VolumesOptions) {
    this.options = options;
    for (const { value } of options.store.list(options.prefix)) {
      const volume = JSON.parse(String(value)) as EngineVolume;
      this.volumes.set(volume.name, volume);
    }
  }

  list(): EngineVolume[] {
    return Array.from(this.volumes.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The one of the name, made if need be. */
  create(name: string): EngineVolume {
    const known = this.volumes.get(name);
    if (known !== undefined) return known;
    const { files, clock, folder, told } = this.options;
    const mountpoint = `${folder}/${name}/_data`;
    files.mkdir(mountpoint, { recursive: true, mode: 0o755 });
    const volume: EngineVolume = { name, createdMs: clock.now(), mountpoint };
    this.volumes.set(name, volume);
    this.save(name, JSON.stringify(volume));
    told('create', name);
    return volume;
  }

  /** Throws EngineError where `users` still have it. */
  remove(name: string, users: readonly string[]): void {
    const volume = this.volumes.get(name);
    if (volume === undefined) throw new EngineError('not-found', `No such volume: ${name}`, 1);
    if (users.length > 0)
      throw new EngineError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`, 1);
    this.volumes.delete(name);
    this.options.files.removeAll(`${this.options.folder}/${name}`);
    this.save(name, undefined);
    this.options.told('destroy', name);
  }

  private save(name: string, value: string | undefined): void {
    const { store, prefix } = this.options;
    store.save([{ key: `${prefix}${createHash('sha1').update(name).digest('hex')}`, value }]);
  }

  /** What a mount's source is on the machine. */
  pathOf(mount: EngineMount): string {
    return mount.type === 'volume'
      ? (this.volumes.get(mount.source)?.mountpoint ?? mount.source)
      : mount.source;
  }

  /** Named volumes are made when they are first used; the image's own get one without a name. */
  forMounts(mounts: readonly EngineMount[], image: ContainerImage): EngineMount[] {
    const own = (image.volumes ?? [])
      .filter((target) => !mounts.some((mount) => mount.target === target))
      .map((target): EngineMount => ({ type: 'volume', source: '', target, readOnly: false }));
    return [...mounts, ...own].map((mount) => {
      if (mount.type !== 'volume') return mount;
      const isNew = mount.source === '' || !this.volumes.has(mount.source);
      const volume = isNew
        ? this.create(mount.source === '' ? this.options.newName() : mount.source)
        : this.volumes.get(mount.source)!;
      if (isNew) this.fill(volume, mount.target, image);
      return { ...mount, source: volume.name };
    });
  }

  /** A new volume gets what the image has at its place. */
  private fill({ mountpoint }: EngineVolume, target: string, image: ContainerImage): void {
    const { files } = this.options;
    const owner = image.files.get(target);
    if (owner?.type === 'directory') {
      files.chmod(mountpoint, owner.mode ?? 0o755);
      files.chown(mountpoint, owner.uid ?? 0, owner.gid ?? 0);
    }
    for (const [path, file] of image.files) {
      if (!path.startsWith(`${target}/`)) continue;
      const to = `${mountpoint}${path.slice(target.length)}`;
      files.mkdir(to.slice(0, to.lastIndexOf('/')), { recursive: true });
      if (file.type === 'directory') files.mkdir(to, { recursive: true });
      else if (file.type === 'file') files.writeFile(to, file.content, { mode: file.mode ?? 0o644 });
      else if (file.type === 'symlink') files.symlink(file.target, to);
    }
  }
}
