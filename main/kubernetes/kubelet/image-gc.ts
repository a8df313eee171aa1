// Image garbage collection: unused images go, the longest unused first, when the disk is nearly full.
import { every, type Clock } from '../../simulation/index.ts';
import type { Containerd, ImageRecord } from '../../linux/containerd/index.ts';
import type { Kernel } from '../../linux/kernel/index.ts';
import type { KubeletConfig } from './config.ts';

export interface ImageGcWorld {
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly config: KubeletConfig;
  readonly nodeEvent: (reason: string, message: string) => void;
}

const PERIOD_MS = 5 * 60_000;
const DETECT_MS = 60_000;

interface Known {
  readonly seenMs: number;
  usedMs: number;
}

export class ImageGc {
  private readonly world: ImageGcWorld;
  private readonly known = new Map<string, Known>();

  constructor(world: ImageGcWorld) {
    this.world = world;
  }

  start(): Disposable {
    const stack = new DisposableStack();
    this.detect();
    stack.use(every(this.world.clock, DETECT_MS, () => this.detect()));
    stack.use(every(this.world.clock, PERIOD_MS, () => this.collect()));
    return stack;
  }

  imageBytes(): number {
    return this.world.containerd.listImages().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Removes every image that nothing uses, however young. */
  removeUnused(): void {
    this.free(Infinity, 0);
  }

  private collect(): void {
    const { kernel, config, nodeEvent } = this.world;
    const { totalBytes, usedBytes } = kernel.usage(config.rootDirectory);
    const used = usedBytes + this.imageBytes();
    if (totalBytes === 0 || Math.floor((used * 100) / totalBytes) < config.imageGcHighPercent) return;
    const wanted = used - Math.floor((totalBytes * config.imageGcLowPercent) / 100);
    const freed = this.free(wanted, config.imageMinimumGcAgeMs);
    if (freed < wanted) {
      const message = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
      nodeEvent('FreeDiskSpaceFailed', message);
    }
  }

  /** Notes which images are in use; the others grow old. */
  private detect(): Set<string> {
    const nowMs = this.world.clock.now();
    const inUse = new Set(this.world.containerd.listContainers().map(({ imageId }) => imageId));
    const present = new Set<string>();
    for (const { id } of this.world.containerd.listImages()) {
      present.add(id);
      const known = this.known.get(id);
      if (known === undefined) this.known.set(id, { seenMs: nowMs, usedMs: inUse.has(id) ? nowMs : 0 });
      else if (inUse.has(id)) known.usedMs = nowMs;
    }
    for (const id of this.known.keys()) if (!present.has(id)) this.known.delete(id);
    return inUse;
  }

  private free(wantedBytes: number, minimumAgeMs: number): number {
    const { containerd, clock } = this.world;
    const inUse = this.detect();
    const nowMs = clock.now();
    const usedMs = ({ id }: ImageRecord): number => this.known.get(id)?.usedMs ?? 0;
    const seenMs = ({ id }: ImageRecord): number => this.known.get(id)?.seenMs ?? nowMs;
    const candidates = containerd
      .listImages()
      .filter((image) => !inUse.has(image.id) && nowMs - seenMs(image) >= minimumAgeMs)
      .toSorted((a, b) => usedMs(a) - usedMs(b) || seenMs(a) - seenMs(b));
    let freed = 0;
    for (const image of candidates) {
      if (freed >= wantedBytes) break;
      containerd.removeImage(image.id);
      freed += image.sizeBytes;
    }
    return freed;
  }
}
