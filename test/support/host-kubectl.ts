// Finds a kubectl on this machine; tests that need one say so when there is none.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
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

/**
 * The path of a kubectl of that minor version, for tests that hold it to its exact words: the one on the PATH,
 * or one beside it named like `kubectl.1.32`, which a dispatcher picks by the server's version.
 */
export function findKubectl(minor: string): string | undefined {
  const onPath = spawnSync('sh', ['-c', `command -v '${KUBECTL}'`], { encoding: 'utf8' }).stdout.trim();
  if (onPath === '') return undefined;
  const beside = `${realpathSync(onPath)}.${minor}`;
  if (existsSync(beside)) return beside;
  const version = spawnSync(onPath, ['version', '--client', '-o', 'json'], { encoding: 'utf8' }).stdout;
  return version.includes(`"gitVersion": "v${minor}.`) ? onPath : undefined;
}
