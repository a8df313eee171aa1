// Stands in for `test` and `describe` where the recordings of real tools aren't beside the checkout: skipped, with the reason.
import { test } from 'vitest';

/** Declares one skipped test of that name; the body never runs. */
export function noRecordings(name: string, ..._body: readonly unknown[]): void {
  test(name, (context) => context.skip('the recordings of the real tools are not here (../shared/golden)'));
}
