// The kernel's log: the newest lines, and who wants to hear of them. syslog(2), dmesg(1).
import { disposable, type Clock } from '../../simulation/index.ts';
import type { KernelMessage } from './kernel.ts';

/** Lines that dmesg keeps. */
const MESSAGES_MAX = 2000;
/** KERN_INFO. */
const INFORMATION = 6;

export class RingBuffer {
  readonly messages: KernelMessage[] = [];
  private readonly clock: Clock;
  private readonly listeners = new Set<(message: KernelMessage) => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  write(text: string, severity = INFORMATION, timeMs = this.clock.now()): void {
    const message: KernelMessage = { timeMs, severity, text };
    this.messages.push(message);
    if (this.messages.length > MESSAGES_MAX) this.messages.splice(0, this.messages.length - MESSAGES_MAX);
    for (const listener of Array.from(this.listeners)) listener(message);
  }

  onMessage(listener: (message: KernelMessage) => void): Disposable {
    const own = (message: KernelMessage): void => listener(message);
    this.listeners.add(own);
    return disposable(() => this.listeners.delete(own));
  }

  /** Nobody is told of anything any more. */
  silence(): void {
    this.listeners.clear();
  }
}
