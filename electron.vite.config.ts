// How Electron's three processes are built: main as one module, the preload as one sandboxable script, the renderer as a page.
// The browser host and the command need no build: Node 24 runs their sources.
import path from 'node:path';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const ROOT = import.meta.dirname;

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      rolldownOptions: { input: path.join(ROOT, 'main/index.ts') },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload can't load packages, and must be CommonJS.
      externalizeDeps: false,
      rolldownOptions: {
        input: path.join(ROOT, 'preload/index.ts'),
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: path.join(ROOT, 'renderer'),
    build: {
      outDir: path.join(ROOT, 'out/renderer'),
      rolldownOptions: { input: path.join(ROOT, 'renderer/index.html') },
    },
    plugins: [react()],
  },
});
