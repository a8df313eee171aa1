// Finds a kubectl on this machine; tests that need one say so when there is none.
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'vitest';

export const KUBECTL = process.env['KUBECTL'] ?? 'kubectl';
export const HAS_KUBECTL = spawnSync(KUBECTL, ['version', '--client']).status === 0;

/** Like vitest's `test`, but skipped, with the reason, on a machine without kubectl. */
export function kubectlTest(name: string, body: (context: TestContext) => Promise<void>): void {
  test(name, { timeout: 60_000 }, async (context) => {
    if (!HAS_KUBECTL) context.skip('no kubectl on this machine; install one or set KUBECTL to its path');
    await body(context);
  });
}
