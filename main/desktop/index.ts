// The desktop app: Electron's lifecycle around one session and one window. The only folder that knows Electron.
import { app, dialog } from 'electron';
import { openApp, packageVersion, type App } from '../session/index.ts';
import { StorageError } from '../storage/index.ts';
import { answerCalls, forwardEvents } from './bridge.ts';
import { installMenu } from './menu.ts';
import { declareScheme, servePages } from './pages.ts';
import { guardContents } from './security.ts';
import { openWindow } from './window.ts';

/** Starts the app; settles once its window is open. A workspace that can't be had is told in a dialog, and ends it. */
export async function startDesktop(): Promise<void> {
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  declareScheme();
  guardContents(app);
  await app.whenReady();
  const opened = await openSession();
  if (opened === undefined) return app.exit(1);
  servePages();
  const { session } = opened;
  const window = openWindow();
  installMenu(session);
  answerCalls(session, window);
  forwardEvents(session, window);
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  app.on('window-all-closed', () => app.quit());
  let saved = false;
  app.on('before-quit', (event) => {
    if (saved) return;
    event.preventDefault();
    const quit = (): void => {
      saved = true;
      app.quit();
    };
    opened[Symbol.asyncDispose]().then(quit, quit);
  });
}

async function openSession(): Promise<App | undefined> {
  app.setAboutPanelOptions({ applicationName: 'Drydock', applicationVersion: packageVersion });
  try {
    return await openApp({
      folder: app.getPath('userData'),
      door: 'desktop',
      language: app.getLocale().startsWith('zh') ? 'zh' : 'en',
      onFault: (error) =>
        process.stderr.write(`drydock: ${error instanceof Error ? error.stack : String(error)}\n`),
    });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    dialog.showErrorBox('Drydock', error.message);
    return undefined;
  }
}
