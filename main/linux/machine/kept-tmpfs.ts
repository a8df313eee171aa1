// tmpfs volumes that outlive a closed workspace: to those in the machine they are memory, to the workspace they are saved files.
import type { Clock } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import { openDisk, type Disk, type KeptTmpfs, type TmpfsVolume } from '../kernel/index.ts';

interface Kept {
  readonly volume: TmpfsVolume;
  readonly key: string;
  readonly disk: Disk;
}

/** Finds again what was mounted when the workspace was last open. */
export class SavedTmpfs implements KeptTmpfs {
  private readonly store: Store;
  private readonly prefix: string;
  private readonly clock: Clock;
  private readonly kept = new Map<string, Kept>();
  private nextNumber = 1;

  /** All keys begin with `prefix`. */
  constructor(store: Store, prefix: string, clock: Clock) {
    this.store = store;
    this.prefix = prefix;
    this.clock = clock;
    for (const { key, value } of store.list(`${prefix}volume/`)) {
      const number = Number(key.slice(key.lastIndexOf('/') + 1));
      this.nextNumber = Math.max(this.nextNumber, number + 1);
      this.add(JSON.parse(String(value)) as TmpfsVolume, number);
    }
  }

  list() {
    return Array.from(this.kept.values(), ({ volume, disk }) => ({ volume, tree: disk.tree }));
  }

  open(volume: TmpfsVolume) {
    const number = this.nextNumber++;
    const { disk, key } = this.add(volume, number);
    this.store.save([{ key, value: JSON.stringify(volume) }]);
    return disk.tree;
  }

  drop(target: string): void {
    const kept = this.kept.get(target);
    if (kept === undefined) return;
    this.kept.delete(target);
    kept.disk.erase();
    this.store.save([{ key: kept.key, value: undefined }]);
  }

  /** Saves, and nothing after this. */
  close(): void {
    for (const { disk } of this.kept.values()) disk.close();
  }

  private add(volume: TmpfsVolume, number: number): Kept {
    const { store, clock, prefix } = this;
    const { target, sizeMaxBytes, mode } = volume;
    const disk = openDisk({
      id: `tmpfs:${target}`,
      store,
      prefix: `${prefix}${number}/`,
      clock,
      sizeMaxBytes,
      rootMode: mode,
    });
    const kept: Kept = { volume, key: `${prefix}volume/${number}`, disk };
    this.kept.set(target, kept);
    return kept;
  }
}
