// A vitest reporter that ends the run with `N passed, N failed`, leaving nothing that went wrong uncounted.
import { writeFileSync } from 'node:fs';

import type { Reporter, SerializedError, TestModule } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts tests; a file or suite that failed by itself and every unhandled error count as one failure each. */
function countResults(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Counts {
  const counts: Counts = { passed: 0, failed: unhandled.length, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) counts.failed++;
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) counts.failed++;
    }
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test still pending when the run ends was never shown to pass.
      counts[state === 'pending' ? 'failed' : state]++;
    }
  }
  return counts;
}

/** Why tests were skipped, each reason with the number of tests it kept from running. */
function skipReasons(modules: readonly TestModule[]): Map<string, number> {
  const reasons = new Map<string, number>();
  for (const module of modules) {
    for (const test of module.children.allTests('skipped')) {
      const result = test.result();
      const reason = (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given';
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  return reasons;
}

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    for (const [reason, count] of skipReasons(modules)) {
      process.stdout.write(`Skipped ${count === 1 ? '1 test' : `${count} tests`}: ${reason}\n`);
    }
    const counts = countResults(modules, unhandled);
    const file = process.env['DRYDOCK_TEST_COUNTS'];
    if (file !== undefined) return writeFileSync(file, JSON.stringify(counts));
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  }
}
