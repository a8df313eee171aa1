// What lies between the two ends of a veth pair or of a network card and its switch port.
import type { Clock, Random } from '../../simulation/index.ts';
import type { Frame } from './frame.ts';
import type { Link } from './link.ts';
import { Softirq } from './softirq.ts';

/** Properties of a cable; change the fields at any time. */
export interface CableProperties {
  /** One-way, in ms. */
  delayMs: number;
  /** Fraction of frames lost, 0 to 1. */
  lossRate: number;
  /** Bits per second; undefined is unlimited. */
  rateBps: number | undefined;
  /** Cut cables take the carrier away at both ends. */
  isCut: boolean;
  /** Partitioned cables silently lose everything but keep the carrier. */
  isPartitioned: boolean;
}

/** Bytes that may wait for a rate-limited cable before the queue drops from its tail. */
const QUEUE_BYTES_MAX = 1_000_000;

/** A cable. Frames of one direction never overtake each other. */
export class Cable implements CableProperties {
  delayMs: number;
  lossRate: number;
  rateBps: number | undefined;
  isCut: boolean;
  isPartitioned: boolean;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly softirq: Softirq;
  private readonly directions = new Map<Link, Direction>();

  constructor(clock: Clock, random: Random, properties: Partial<CableProperties> = {}) {
    this.clock = clock;
    this.random = random;
    this.softirq = Softirq.of(clock);
    this.delayMs = properties.delayMs ?? 0;
    this.lossRate = properties.lossRate ?? 0;
    this.rateBps = properties.rateBps;
    this.isCut = properties.isCut ?? false;
    this.isPartitioned = properties.isPartitioned ?? false;
  }

  /** Carries a frame to the end `to`; false if it was lost. */
  carry(to: Link, frame: Frame, sizeBytes: number): boolean {
    if (this.isCut || this.isPartitioned) return false;
    if (this.lossRate > 0 && this.random.fraction() < this.lossRate) return false;
    const direction = this.directions.get(to);
    if (this.delayMs === 0 && this.rateBps === undefined && (direction === undefined || direction.isIdle)) {
      this.softirq.enqueue(to, frame);
      return true;
    }
    return (direction ?? this.directionTo(to)).push(frame, sizeBytes, this.delayMs, this.rateBps);
  }

  private directionTo(to: Link): Direction {
    const direction = new Direction(this.clock, to);
    this.directions.set(to, direction);
    return direction;
  }

  dispose(): void {
    for (const direction of this.directions.values()) direction.dispose();
  }
}

/** Frames under way to one end, with one timer for the first of them. */
class Direction {
  private readonly clock: Clock;
  private readonly to: Link;
  private queue: { frame: Frame; dueMs: number }[] = [];
  private head = 0;
  private freeAtMs = 0;
  private timer: Disposable | undefined;

  constructor(clock: Clock, to: Link) {
    this.clock = clock;
    this.to = to;
  }

  get isIdle(): boolean {
    return this.head === this.queue.length;
  }

  push(frame: Frame, sizeBytes: number, delayMs: number, rateBps: number | undefined): boolean {
    const now = this.clock.now();
    let leavesMs = now;
    if (rateBps !== undefined) {
      const startMs = Math.max(now, this.freeAtMs);
      if (((startMs - now) * rateBps) / 8000 > QUEUE_BYTES_MAX) return false;
      leavesMs = this.freeAtMs = startMs + (sizeBytes * 8000) / rateBps;
    }
    const last = this.queue.length > this.head ? this.queue[this.queue.length - 1]!.dueMs : 0;
    this.queue.push({ frame, dueMs: Math.max(last, leavesMs + delayMs) });
    if (this.timer === undefined) this.arm();
    return true;
  }

  private arm(): void {
    this.timer = this.clock.after(this.queue[this.head]!.dueMs - this.clock.now(), () => this.deliver());
  }

  private deliver(): void {
    const now = this.clock.now();
    while (this.head < this.queue.length && this.queue[this.head]!.dueMs <= now) {
      const { frame } = this.queue[this.head++]!;
      Softirq.of(this.clock).enqueue(this.to, frame);
    }
    if (this.isIdle) {
      this.queue = [];
      this.head = 0;
      this.timer = undefined;
    } else {
      if (this.head > 1024) {
        this.queue = this.queue.slice(this.head);
        this.head = 0;
      }
      this.arm();
    }
  }

  dispose(): void {
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
    this.queue = [];
    this.head = 0;
  }
}
