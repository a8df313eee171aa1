// `npm run dev`: the desktop app with hot reload of the renderer.
import path from 'node:path';

import { findElectron } from './electron.mjs';
import { ensureInstalled, ROOT, runNode, runScript, SetupError } from './setup.mjs';

await runScript(async () => {
  await ensureInstalled();
  const electron = await findElectron();
  if ('unavailable' in electron) {
    throw new SetupError(
      `${electron.unavailable}, and hot reload needs it; npm start serves the app to a browser.`,
    );
  }
  return runNode([
    path.join(ROOT, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'),
    'dev',
    '--watch',
    ...process.argv.slice(2),
  ]);
});
