// Many requests without a storm: batches of 1, 2, 4, … that stop growing at the first failure.

/** Requests under way at once; so a burst never holds the loop for long. */
const BATCH_MAX = 64;

/**
 * Calls `request` up to `count` times, in batches that double while all succeed, and stops after a batch with a
 * failure (kubernetes pkg/controller/replicaset's slowStartBatch). Answers how many succeeded and the first error.
 */
export async function slowStart(
  count: number,
  request: (index: number) => Promise<void>,
): Promise<{ succeeded: number; error?: Error }> {
  let succeeded = 0;
  for (let started = 0, size = 1; started < count; size = Math.min(BATCH_MAX, size * 2)) {
    const batch = Math.min(size, count - started);
    const first = started;
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => request(first + i)));
    started += batch;
    const failed = results.find((result) => result.status === 'rejected');
    succeeded += results.filter((result) => result.status === 'fulfilled').length;
    if (failed !== undefined) return { succeeded, error: asError(failed.reason) };
  }
  return { succeeded };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
