// The queue of frames that arrive at this very instant: shared by a world, so that delivery never recurses.
import type { Clock } from '../../simulation/index.ts';
import type { Frame } from './frame.ts';
import type { Link } from './link.ts';

/** Frames handled in one task: a fixed number, so that runs repeat and promises get their turn (netdev_budget's role). */
const FRAMES_PER_TASK_MAX = 64;
const FRAMES_PER_ARRAY_MAX = 4096;

/** Frames with the links that they arrive at. */
interface Arrivals {
  readonly links: Link[];
  readonly frames: Frame[];
}

/** Delivers frames in the order they were sent, through Clock.soon. */
export class Softirq {
  private readonly clock: Clock;
  /** In arrays of which none grows beyond bounds: a broadcast in a big LAN may queue a million frames. */
  private readonly arrays: Arrivals[] = [];
  /** How many of the first array were delivered. */
  private head = 0;
  private isQueued = false;
  private readonly drain = (): void => {
    this.isQueued = false;
    this.run();
  };

  private constructor(clock: Clock) {
    this.clock = clock;
  }

  private static readonly instances = new WeakMap<Clock, Softirq>();

  /** The one queue of a clock's world. */
  static of(clock: Clock): Softirq {
    let softirq = this.instances.get(clock);
    if (softirq === undefined) this.instances.set(clock, (softirq = new Softirq(clock)));
    return softirq;
  }

  /** Lets `link` receive `frame` after everything already queued. */
  enqueue(link: Link, frame: Frame): void {
    let last = this.arrays.at(-1);
    if (last === undefined || last.frames.length >= FRAMES_PER_ARRAY_MAX)
      this.arrays.push((last = { links: [], frames: [] }));
    last.links.push(link);
    last.frames.push(frame);
    this.wake();
  }

  private wake(): void {
    if (this.isQueued) return;
    this.isQueued = true;
    this.clock.soon(this.drain);
  }

  private run(): void {
    let budget = FRAMES_PER_TASK_MAX;
    try {
      for (let first = this.first(); first !== undefined && budget-- > 0; first = this.first()) {
        const at = this.head++;
        first.links[at]!.receive(first.frames[at]!);
      }
    } finally {
      if (this.first() !== undefined) this.wake();
    }
  }

  /** The array with the next frame to be delivered. */
  private first(): Arrivals | undefined {
    const [first] = this.arrays;
    if (first === undefined || this.head < first.frames.length) return first;
    this.arrays.shift();
    this.head = 0;
    return this.arrays[0];
  }
}
