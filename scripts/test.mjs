// `npm test`: sets up, checks, runs every test, and ends with one line that counts them.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { runChecks } from './check.mjs';
import { ensureBuilt, ensureInstalled, ROOT, runNode, runScript, SetupError } from './setup.mjs';

await runScript(async () => {
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    await ensureInstalled();
    const checksFailed = await runChecks();
    await ensureBuilt();
    counts = await runTests(process.argv.slice(2));
    counts.failed += checksFailed;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`drydock: ${error.message}\n`);
    counts.failed++;
  }
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  return counts.failed === 0 ? 0 : 1;
});

/** Runs vitest; its counts come through a file, so that the last line is ours whatever vitest still prints. */
async function runTests(/** @type {string[]} */ args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drydock-test-'));
  const file = path.join(folder, 'counts.json');
  try {
    const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const status = await runNode([vitest, 'run', ...args], { DRYDOCK_TEST_COUNTS: file });
    const counts = fs.existsSync(file)
      ? JSON.parse(fs.readFileSync(file, 'utf8'))
      : { passed: 0, failed: 1, skipped: 0 };
    if (status !== 0 && counts.failed === 0) counts.failed = 1; // It failed outside of any test.
    return counts;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
