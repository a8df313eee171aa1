// The one clock of the engine: virtual time, timers, and tasks of the present instant.

/**
 * Virtual time as engine code sees it. Instants are milliseconds since the Unix epoch, possibly fractional;
 * they never go back. Everything in the engine that waits, waits here.
 */
export interface Clock {
  /** The present instant in ms. */
  now(): number;
  /** Runs `task` once, `delayMs` from now; tasks due at one instant run in the order they were asked for. */
  after(delayMs: number, task: () => void): Disposable;
  /** Runs `task` at the present instant, after everything already queued for it. Cheaper than `after(0)`. */
  soon(task: () => void): void;
  /** Settles `delayMs` from now; rejects with the signal's reason as soon as that is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Wraps a function as a Disposable that runs it at most once. */
export function disposable(dispose: () => void): Disposable {
  let disposed = false;
  return {
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      dispose();
    },
  };
}

/** A stretch of virtual time, in any mix of units. */
export interface Duration {
  readonly ms?: number;
  readonly seconds?: number;
  readonly minutes?: number;
  readonly hours?: number;
}

/** A Duration in milliseconds. */
export function durationMs(duration: Duration): number {
  const { ms = 0, seconds = 0, minutes = 0, hours = 0 } = duration;
  return ms + 1000 * (seconds + 60 * (minutes + 60 * hours));
}

/** Starts `task` every `periodMs`, the first time after one period, until disposed. */
export function every(clock: Clock, periodMs: number, task: () => void): Disposable {
  let timer: Disposable;
  const arm = (): void => {
    timer = clock.after(periodMs, () => {
      arm();
      task();
    });
  };
  arm();
  return disposable(() => timer[Symbol.dispose]());
}

/** An instant as RFC 3339 with seconds, the form of Kubernetes' metav1.Time. */
export function rfc3339(instantMs: number): string {
  return new Date(Math.floor(instantMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** An instant as RFC 3339 with microseconds, the form of Kubernetes' metav1.MicroTime. */
export function rfc3339Micro(instantMs: number): string {
  const micros = Math.floor((instantMs - Math.floor(instantMs)) * 1000);
  return new Date(Math.floor(instantMs)).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}
