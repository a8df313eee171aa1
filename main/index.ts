// Electron's entry: opens a window onto a session.
import { startDesktop } from './desktop/index.ts';

await startDesktop();
