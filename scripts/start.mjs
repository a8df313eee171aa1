// `npm start`: sets up, then opens the app in Electron or, where that can't be had, in the default browser.
import { spawn } from 'node:child_process';
import path from 'node:path';

import { findElectron } from './electron.mjs';
import { ensureBuilt, ensureInstalled, exitStatus, ROOT, runNode, runScript } from './setup.mjs';

/** An Electron that ends this soon with an error never showed a window (missing libraries, no sandbox). */
const STARTED_MS = 5_000;
const HELP = `npm start [-- OPTIONS]   open Drydock

  --browser   use the default browser even where Electron could be had
  --help      print this

Other options go to the app; npx drydock --help lists what the command line can do.
`;

await runScript(async () => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) return void process.stdout.write(HELP);
  await ensureInstalled();
  await ensureBuilt();

  const passed = args.filter((arg) => arg !== '--browser');
  if (!args.includes('--browser')) {
    const refusal = await openDesktop(passed);
    if (typeof refusal === 'number') return refusal;
    process.stderr.write(`drydock: ${refusal}, so Drydock opens in your browser instead.\n`);
  }
  return runNode([path.join(ROOT, 'bin', 'drydock.mjs'), 'serve', '--open', ...passed]);
});

/** Opens the desktop app; settles with its exit status, or with why there is no desktop app to open. */
async function openDesktop(/** @type {string[]} */ args) {
  const electron = await findElectron();
  if ('unavailable' in electron) return electron.unavailable;

  const startedMs = Date.now();
  const child = spawn(electron.path, [ROOT, ...args], { stdio: ['inherit', 'inherit', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => {
    process.stderr.write(data);
    said = (said + data).slice(0, 2_000);
  });
  const status = await exitStatus(child);
  if (status === 0 || Date.now() - startedMs > STARTED_MS) return status;
  return `Electron doesn't start here (${said.trim().split('\n').at(-1) || `status ${status}`})`;
}
