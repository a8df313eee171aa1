// The packet tap that tcpdump opens: every frame on a device, both directions.
import type { Clock } from '../../simulation/index.ts';
import { disposable } from '../../simulation/index.ts';
import { cloneFrame } from '../ip/packet.ts';
import type { Frame } from './frame.ts';
import type { Link } from './link.ts';

export interface CapturedFrame {
  readonly timeMs: number;
  readonly link: Link;
  /** From this device's point of view. */
  readonly direction: 'in' | 'out';
  /** A copy: later hops don't change it. */
  readonly frame: Frame;
}

interface Opened {
  readonly link: Link | undefined;
  readonly listener: (captured: CapturedFrame) => void;
}

export class CaptureTap {
  private readonly clock: Clock;
  private readonly opened = new Set<Opened>();
  /** Whether anybody listens; devices ask before they call `tap`. */
  isOpen = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Every frame on one device, or with undefined on all (`-i any`), until disposed. */
  open(link: Link | undefined, listener: (captured: CapturedFrame) => void): Disposable {
    const entry = { link, listener };
    this.opened.add(entry);
    this.isOpen = true;
    return disposable(() => {
      this.opened.delete(entry);
      this.isOpen = this.opened.size > 0;
    });
  }

  /** Called by devices for each frame while somebody listens. */
  tap(link: Link, direction: 'in' | 'out', frame: Frame): void {
    for (const { link: wanted, listener } of this.opened) {
      if (wanted !== undefined && wanted !== link) continue;
      listener({ timeMs: this.clock.now(), link, direction, frame: cloneFrame(frame) });
    }
  }
}
