#!/usr/bin/env node
// The `drydock` command: makes sure that Node 24 and the packages are there, then opens one of two doors:
// main/browser for `serve`, main/cli for everything else.
import { spawn } from 'node:child_process';
import module from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import {
  checkoutEnvironment,
  ensureBuilt,
  ensureInstalled,
  node24,
  ROOT,
  runScript,
} from '../scripts/setup.mjs';

const NODE_MAJOR_WANTED = 24; // It runs TypeScript as it is, and better-sqlite3 crashes on older ones.

await runScript(async () => {
  await ensureInstalled();
  const args = process.argv.slice(2);
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_WANTED) return handOver(args);

  module.enableCompileCache(path.join(ROOT, 'out', '.compile-cache'));
  if (args[0] === 'serve') {
    await ensureBuilt();
    const { main } = await import('../main/browser/index.ts');
    return main(args.slice(1));
  }
  const { main } = await import('../main/cli/index.ts');
  return main(args);
});

/** Becomes Node 24 running this same file; where a process can't become another, starts one and stands in for it. */
async function handOver(/** @type {string[]} */ args) {
  const node = node24();
  const line = [fileURLToPath(import.meta.url), ...args];
  const env = checkoutEnvironment();
  if (process.execve !== undefined && process.platform !== 'win32')
    process.execve(node, [node, ...line], env);

  const child = spawn(node, line, { stdio: 'inherit', env });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    // Ctrl-C reaches both through the terminal; anything else comes to this process only.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal));
  }
  return new Promise((/** @type {(status: number) => void} */ resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal === null) return resolve(code ?? 1);
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  });
}
