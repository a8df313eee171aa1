// How programs that run until they are told to stop wait for it.
import { ErrnoError } from '../../network/index.ts';
import type { Process } from '../../linux/kernel/index.ts';

/** Settles with 0 on SIGTERM or SIGINT, or with what `failed` gives first. Other handled signals don't end the wait. */
export async function untilStopped(proc: Process, failed?: Promise<number>): Promise<number> {
  const stop = Promise.withResolvers<number>();
  proc.onSignal('SIGTERM', () => stop.resolve(0));
  proc.onSignal('SIGINT', () => stop.resolve(0));
  const ended = failed === undefined ? stop.promise : Promise.race([stop.promise, failed]);
  for (;;) {
    try {
      return await proc.interruptible(ended);
    } catch (error) {
      if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
    }
  }
}
