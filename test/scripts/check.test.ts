// `npm run check` and `npm test` fail when anything fails, and count it.
import { expect, test } from 'vitest';

import { Checkout } from './checkout.ts';

const TOOLS = ['oxlint/bin/oxlint', 'knip/bin/knip.js', 'typescript/bin/tsc', 'oxfmt/bin/oxfmt'];
const PASSES = 'process.exit(0);\n';
const FAILS = "setTimeout(() => { console.log('here is why'); process.exit(1); }, 50);\n";

/** Vitest's part: leaves its counts where the reporter would, and an exit status. */
function countingVitest(counts: object, status: number): string {
  const file = 'process.env.DRYDOCK_TEST_COUNTS';
  return `require('node:fs').writeFileSync(${file}, '${JSON.stringify(counts)}');\nprocess.exit(${status});\n`;
}

function makeCheckout(tool: string): Checkout {
  const checkout = new Checkout();
  checkout.pretendInstalled();
  for (const name of TOOLS) {
    checkout.write(`node_modules/${name.split('/')[0]}/package.json`, '{"type":"commonjs"}');
    checkout.write(`node_modules/${name}`, tool);
  }
  return checkout;
}

/** vitest.mjs is a module by its name, so the stand-in has a CommonJS file beside it. */
function pretendVitest(checkout: Checkout, script: string): void {
  checkout.write('node_modules/vitest/vitest.mjs', "await import('./run.cjs');\n");
  checkout.write('node_modules/vitest/run.cjs', script);
}

test('checks that pass leave exit status 0', async () => {
  using checkout = makeCheckout(PASSES);

  const run = await checkout.run('scripts/check.mjs');

  expect(run.stdout.trimEnd().split('\n')).toHaveLength(7);
  expect(run.stdout).not.toContain('FAILED');
  expect(run.status).toBe(0);
});

test('a check that fails shows what its tool said', async () => {
  using checkout = makeCheckout(PASSES);
  checkout.write('node_modules/oxfmt/bin/oxfmt', FAILS);

  const run = await checkout.run('scripts/check.mjs');

  expect(run.stdout).toMatch(/^FAILED {2}format \(\d\.\d s\)\nhere is why$/m);
  expect(run.status).toBe(1);
});

test('npm test ends with the counts of its tests', async () => {
  using checkout = makeCheckout(PASSES);
  pretendVitest(checkout, countingVitest({ passed: 12, failed: 0, skipped: 3 }, 0));

  const run = await checkout.run('scripts/test.mjs');

  expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('12 passed, 0 failed, 3 skipped');
  expect(run.status).toBe(0);
});

test('every failed check counts, and the tests run all the same', async () => {
  using checkout = makeCheckout(FAILS);
  pretendVitest(checkout, countingVitest({ passed: 12, failed: 1, skipped: 0 }, 1));

  const run = await checkout.run('scripts/test.mjs');

  expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('12 passed, 8 failed');
  expect(run.status).toBe(1);
});

test('a vitest that fails without a failing test, or without a word, is a failure', async () => {
  using checkout = makeCheckout(PASSES);
  pretendVitest(checkout, countingVitest({ passed: 12, failed: 0, skipped: 0 }, 1));
  const odd = await checkout.run('scripts/test.mjs');
  pretendVitest(checkout, 'process.exit(1);\n');
  const silent = await checkout.run('scripts/test.mjs');

  expect(odd.stdout.trimEnd().split('\n').at(-1)).toBe('12 passed, 1 failed');
  expect(silent.stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
  expect([odd.status, silent.status]).toEqual([1, 1]);
});

test('a set-up that fails is a failure in one sentence', async () => {
  using checkout = makeCheckout(PASSES);
  checkout.pretendInstalled('process.exit(1);');

  const run = await checkout.run('scripts/test.mjs');

  expect(run.stderr).toContain('drydock: The app does not build; the messages above say where.');
  expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
  expect(run.status).toBe(1);
});
