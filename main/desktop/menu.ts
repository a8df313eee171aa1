// The application menu, by each system's convention.
import { app, Menu, type MenuItemConstructorOptions } from 'electron';
import type { Session } from '../session/index.ts';

export function installMenu(session: Session): void {
  const clock: MenuItemConstructorOptions = {
    label: 'Clock',
    submenu: [
      { label: 'Pause', click: () => void session.call('clock.pause', {}) },
      { label: 'Resume', click: () => void session.call('clock.resume', {}) },
      { label: 'Skip One Minute', click: () => void session.call('clock.skip', { seconds: 60 }) },
      { label: 'Skip Until Ready', click: () => void session.call('clock.skipUntilReady', {}) },
    ],
  };
  const template: MenuItemConstructorOptions[] = [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    { role: 'fileMenu' },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    clock,
    { role: 'windowMenu' },
    { role: 'help', submenu: [{ label: 'About Drydock', click: () => app.showAboutPanel() }] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
