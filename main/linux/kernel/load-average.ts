// The load averages of a machine: how many processes ran, of late. kernel/sched/loadavg.c.

/** How often the kernel takes a sample. */
const SAMPLE_MS = 5000;
const PERIODS_MS = [60_000, 300_000, 900_000] as const;

/**
 * Brought up to date when time is spent or somebody looks, so that an idle machine needs no timer. Processes that
 * wait for a CPU that others have aren't there: each gets its own.
 */
export class LoadAverage {
  private values = [0, 0, 0];
  private lastMs: number;
  private busyMs = 0;

  constructor(nowMs: number) {
    this.lastMs = nowMs;
  }

  /** Somebody has used a CPU for so long. */
  spend(costMs: number, nowMs: number): void {
    this.update(nowMs);
    this.busyMs += costMs;
  }

  /** Of the last minute, five minutes and quarter of an hour. */
  at(nowMs: number): readonly number[] {
    this.update(nowMs);
    return this.values;
  }

  private update(nowMs: number): void {
    const elapsedMs = nowMs - this.lastMs;
    if (elapsedMs < SAMPLE_MS) return;
    const running = this.busyMs / elapsedMs;
    this.values = PERIODS_MS.map((periodMs, index) => {
      const kept = Math.exp(-elapsedMs / periodMs);
      return this.values[index]! * kept + running * (1 - kept);
    });
    this.lastMs = nowMs;
    this.busyMs = 0;
  }
}
