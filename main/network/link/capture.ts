// The packet tap that tcpdump opens: every frame on a device, both directions.
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

export interface CaptureTap {
  /** Every frame on one device, or with undefined on all (`-i any`), until disposed. */
  open(link: Link | undefined, listener: (captured: CapturedFrame) => void): Disposable;
}
