// Who wants to know of changes in files: inotify(7) for whole trees, told once per instant.
import { disposable, type Clock } from '../../simulation/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { MountTable, Place } from './mount-table.ts';
import type { Vnode } from './vnode.ts';

interface Watch {
  readonly table: MountTable;
  readonly from: Place;
  readonly path: string;
  readonly changed: (path: string) => void;
  /** The directories on the way with the names looked up in them: a change there may redirect the path. */
  steps: Map<Vnode, Set<string>>;
  node: Vnode | undefined;
  due: Set<string>;
}

export class WatchList {
  private readonly clock: Clock;
  private readonly watches = new Set<Watch>();
  private queued = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  watch(table: MountTable, from: Place, path: string, changed: (path: string) => void): Disposable {
    const watch: Watch = { table, from, path, changed, steps: new Map(), node: undefined, due: new Set() };
    resolve(watch);
    this.watches.add(watch);
    return disposable(() => this.watches.delete(watch));
  }

  /** Something happened to `name` in `directory`, or to the content of `node`. */
  notify(directory: Vnode, name: string, node: Vnode | undefined): void {
    if (this.watches.size === 0) return;
    for (const watch of this.watches) {
      const path = affected(watch, directory, name, node);
      if (path === undefined) continue;
      watch.due.add(path);
      if (this.queued) continue;
      this.queued = true;
      this.clock.soon(() => this.tell());
    }
  }

  private tell(): void {
    this.queued = false;
    for (const watch of Array.from(this.watches)) {
      if (watch.due.size === 0 || !this.watches.has(watch)) continue;
      const paths = watch.due;
      watch.due = new Set();
      resolve(watch);
      for (const path of paths) watch.changed(path);
    }
  }
}

function resolve(watch: Watch): void {
  watch.steps = new Map();
  watch.node = undefined;
  const visit = (directory: Vnode, name: string): void => {
    const names = watch.steps.get(directory) ?? new Set();
    watch.steps.set(directory, names.add(name));
  };
  try {
    watch.node = watch.table.walk(watch.path, { from: watch.from, visit }).place?.node;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error; // Not there yet: the steps tell when it may be.
  }
}

/** The changed path, if it concerns the watch. */
function affected(watch: Watch, directory: Vnode, name: string, node: Vnode | undefined): string | undefined {
  if (watch.steps.get(directory)?.has(name) === true || (node !== undefined && node === watch.node))
    return watch.path;
  const names = [name];
  for (let at: Vnode | undefined = directory; at !== undefined; at = at.parent) {
    if (at === watch.node) return [watch.path.replace(/\/$/, ''), ...names].join('/');
    names.unshift(at.name);
  }
  return undefined;
}
