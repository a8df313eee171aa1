// The contract over Electron's IPC: calls from our own main frame only, events to it.
import { ipcMain, type BrowserWindow, type IpcMainInvokeEvent } from 'electron';
import type { CallChannel, EventChannel, Reply } from '../../preload/contract.ts';
import { eventNames, isCallName, type Session } from '../session/index.ts';
import { isOurs } from './security.ts';

const CALL_CHANNEL: CallChannel = 'drydock:call';
const EVENT_CHANNEL: EventChannel = 'drydock:event';

/** Answers the window's calls. A sender other than its main frame on our own page is refused. */
export function answerCalls(session: Session, window: BrowserWindow): void {
  ipcMain.handle(CALL_CHANNEL, async (event, name: unknown, request: unknown): Promise<Reply<unknown>> => {
    if (!isTrusted(event, window)) {
      return { ok: false, error: { reason: 'unknown-sender', message: 'This page may not call Drydock.' } };
    }
    if (!isCallName(name)) {
      return { ok: false, error: { reason: 'unknown-call', message: 'There is no such call.' } };
    }
    return session.call(name, request);
  });
}

export function forwardEvents(session: Session, window: BrowserWindow): void {
  const listening = eventNames.map((name) =>
    session.on(name, (payload) => {
      if (!window.isDestroyed()) window.webContents.send(EVENT_CHANNEL, name, payload);
    }),
  );
  window.once('closed', () => listening.forEach((each) => each[Symbol.dispose]()));
}

function isTrusted(event: IpcMainInvokeEvent, window: BrowserWindow): boolean {
  const { senderFrame } = event;
  return senderFrame !== null && senderFrame === window.webContents.mainFrame && isOurs(senderFrame.url);
}
