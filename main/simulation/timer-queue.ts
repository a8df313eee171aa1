// A binary heap of timers, ordered by instant and then by the order in which they were asked for.

export interface Timer {
  readonly dueMs: number;
  readonly sequence: number;
  task: (() => void) | undefined;
}

/** Timers by due instant. Cancelled timers stay until they surface, but are swept when they are the majority. */
export class TimerQueue {
  private heap: Timer[] = [];
  private sequence = 0;
  private cancelled = 0;

  add(dueMs: number, task: () => void): Timer {
    const timer: Timer = { dueMs, sequence: this.sequence++, task };
    this.heap.push(timer);
    this.siftUp(this.heap.length - 1);
    return timer;
  }

  cancel(timer: Timer): void {
    if (timer.task === undefined) return;
    timer.task = undefined;
    this.cancelled++;
    if (this.cancelled > 64 && this.cancelled * 2 > this.heap.length) this.sweep();
  }

  /** The earliest timer that is not cancelled. */
  peek(): Timer | undefined {
    while (this.heap.length > 0 && this.heap[0]!.task === undefined) {
      this.removeTop();
      this.cancelled--;
    }
    return this.heap[0];
  }

  /** Takes the earliest timer off the queue. */
  pop(): Timer | undefined {
    const timer = this.peek();
    if (timer !== undefined) this.removeTop();
    return timer;
  }

  get size(): number {
    return this.heap.length - this.cancelled;
  }

  private removeTop(): void {
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return;
    this.heap[0] = last;
    this.siftDown(0);
  }

  private sweep(): void {
    this.heap = this.heap.filter((timer) => timer.task !== undefined);
    this.heap.sort((a, b) => (before(a, b) ? -1 : 1)); // A sorted array is a heap.
    this.cancelled = 0;
  }

  private siftUp(index: number): void {
    const { heap } = this;
    const timer = heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(timer, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  private siftDown(index: number): void {
    const { heap } = this;
    const timer = heap[index]!;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, timer)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = timer;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}
