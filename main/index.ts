// Electron's entry: opens a window onto a session.
import path from 'node:path';

import { app, BrowserWindow } from 'electron';

await app.whenReady();
const window = new BrowserWindow({
  webPreferences: {
    contextIsolation: true,
    sandbox: true,
    preload: path.join(import.meta.dirname, '../preload/index.cjs'),
  },
});
await window.loadFile(path.join(import.meta.dirname, '../renderer/index.html'));
