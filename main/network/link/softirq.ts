// The queue of frames that arrive at this very instant: shared by a world, so that delivery never recurses.
import type { Clock } from '../../simulation/index.ts';
import type { Frame } from './frame.ts';
import type { Link } from './link.ts';

/** Frames handled in one task: a fixed number, so that runs repeat and promises get their turn (netdev_budget's role). */
const FRAMES_PER_TASK_MAX = 64;

/** Delivers frames in the order they were sent, through Clock.soon. */
export class Softirq {
  private readonly clock: Clock;
  private links: Link[] = [];
  private frames: Frame[] = [];
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
    this.links.push(link);
    this.frames.push(frame);
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
      while (this.head < this.frames.length && budget-- > 0) {
        const link = this.links[this.head]!;
        const frame = this.frames[this.head]!;
        this.head++;
        link.receive(frame);
      }
    } finally {
      this.compact();
    }
  }

  private compact(): void {
    if (this.head === this.frames.length) {
      this.links = [];
      this.frames = [];
      this.head = 0;
      return;
    }
    if (this.head > 1024) {
      this.links = this.links.slice(this.head);
      this.frames = this.frames.slice(this.head);
      this.head = 0;
    }
    this.wake();
  }
}
