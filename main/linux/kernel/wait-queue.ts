// Who waits for something in the kernel to change: data in a pipe, room in it, a child's end.

/** Woken all together, in the order they came; each then looks again for what it waits for. */
export class WaitQueue {
  /** Absent while nobody waits, as at most of the many queues. */
  private waiters: Set<() => void> | undefined;

  /** Calls back at the next wake; the result takes the waiter away again. */
  add(woken: () => void): () => void {
    (this.waiters ??= new Set()).add(woken);
    return () => void this.waiters?.delete(woken);
  }

  /** Settles at the next wake. */
  wait(): Promise<void> {
    return new Promise((resolve) => void this.add(resolve));
  }

  wake(): void {
    const woken = this.waiters;
    if (woken === undefined) return;
    this.waiters = undefined;
    for (const waiter of woken) waiter();
  }
}
