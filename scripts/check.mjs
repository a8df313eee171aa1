// `npm run check`: types, lint, dead code and format, side by side. Every warning is an error.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';

import { checkoutEnvironment, ensureInstalled, exitStatus, node24, ROOT, runScript } from './setup.mjs';

/** @typedef {{ name: string, script: string, args: string[] }} Check */

/** @type {Check[]} */
const CHECKS = [
  { name: 'lint and fences', script: 'oxlint/bin/oxlint', args: ['--deny-warnings'] },
  { name: 'dead code', script: 'knip/bin/knip.js', args: ['--no-progress'] },
  ...['main', 'preload', 'renderer', 'test'].map((part) => ({
    name: `types of ${part}`,
    script: 'typescript/bin/tsc',
    args: ['-p', `tsconfig.${part}.json`],
  })),
  { name: 'format', script: 'oxfmt/bin/oxfmt', args: ['--check', '.'] },
];

/** Runs every check; prints one line for each, and what the failing ones say. Settles with how many failed. */
export async function runChecks() {
  const queue = [...CHECKS];
  let failed = 0;
  const worker = async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
      const passed = await runCheck(check);
      if (!passed) failed++;
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, os.availableParallelism()) }, worker));
  return failed;
}

/** Runs one check and prints how it went; settles with whether it passed. */
async function runCheck(/** @type {Check} */ { name, script, args }) {
  const startedMs = Date.now();
  const child = spawn(node24(), [path.join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: checkoutEnvironment(),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const status = await exitStatus(child);
  const took = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
  process.stdout.write(
    status === 0 ? `ok      ${name} (${took})\n` : `FAILED  ${name} (${took})\n${output}\n`,
  );
  return status === 0;
}

if (process.argv[1] === path.join(ROOT, 'scripts', 'check.mjs')) {
  await runScript(async () => {
    await ensureInstalled();
    return (await runChecks()) === 0 ? 0 : 1;
  });
}
