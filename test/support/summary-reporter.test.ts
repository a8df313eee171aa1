// The last line of a test run counts everything that went wrong.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

const FILES = {
  'good.test.ts': `
    import { expect, test } from 'vitest';
    test('passes', () => expect(1).toBe(1));
    test.skip('is skipped', () => expect(1).toBe(2));
    test('says why it is skipped', (context) => context.skip('no moon tonight'));
  `,
  'bad.test.ts': `
    import { beforeAll, describe, expect, test } from 'vitest';
    test('fails', () => expect(1).toBe(2));
    describe('a suite that cannot begin', () => {
      beforeAll(() => { throw new Error('no'); });
      test('is not reached', () => expect(1).toBe(1));
    });
  `,
  'unloadable.test.ts': "import './absent.ts';\n",
  'unhandled.test.ts': `
    import { expect, test } from 'vitest';
    test('leaves a bomb', async () => {
      setTimeout(() => { throw new Error('late'); }, 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(1).toBe(1);
    });
  `,
};

function runVitest(names: (keyof typeof FILES)[]): { status: number | null; lines: string[] } {
  const folder = mkdtempSync(path.join(tmpdir(), 'drydock-reporter-'));
  try {
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
    const reporter = JSON.stringify(path.join(ROOT, 'test/support/summary-reporter.ts'));
    writeFileSync(
      path.join(folder, 'vitest.config.ts'),
      `import { SummaryReporter } from ${reporter};\nexport default { test: { reporters: ['default', new SummaryReporter()] } };\n`,
    );
    for (const name of names) writeFileSync(path.join(folder, name), FILES[name]);
    const { status, stdout } = spawnSync(
      process.execPath,
      [path.join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--no-color'],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, DRYDOCK_TEST_COUNTS: undefined } },
    );
    return { status, lines: stdout.trimEnd().split('\n') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('files that do not load, suites that do not begin and unhandled errors count as failed', () => {
  const { status, lines } = runVitest([
    'good.test.ts',
    'bad.test.ts',
    'unloadable.test.ts',
    'unhandled.test.ts',
  ]);

  // Failed: a test, a suite, a file, an unhandled error.
  expect(lines.at(-1)).toBe('2 passed, 4 failed, 3 skipped');
  expect(status).toBe(1);
});

test('skipped tests are listed with their reasons', () => {
  const { status, lines } = runVitest(['good.test.ts']);

  expect(lines).toContain('Skipped 1 test: no moon tonight');
  expect(lines.at(-1)).toBe('1 passed, 0 failed, 2 skipped');
  expect(status).toBe(0);
});
