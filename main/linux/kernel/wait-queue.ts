// Who waits for something in the kernel to change: data in a pipe, room in it, a child's end.

/** Woken all together, in the order they came; each then looks again for what it waits for. */
export class WaitQueue {
  private waiters = new Set<() => void>();

  /** Calls back at the next wake; the result takes the waiter away again. */
  add(woken: () => void): () => void {
    this.waiters.add(woken);
    return () => this.waiters.delete(woken);
  }

  /** Settles at the next wake. */
  wait(): Promise<void> {
    return new Promise((resolve) => void this.add(resolve));
  }

  wake(): void {
    if (this.waiters.size === 0) return;
    const woken = this.waiters;
    this.waiters = new Set();
    for (const waiter of woken) waiter();
  }
}
