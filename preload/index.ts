// The bridge between the renderer and main, as one sandboxed script.
import { contextBridge, ipcRenderer } from 'electron';
import type { Bridge, CallChannel, EventChannel, EventName } from './contract.ts';

const CALL_CHANNEL: CallChannel = 'drydock:call';
const EVENT_CHANNEL: EventChannel = 'drydock:event';

const listeners = new Map<string, Set<(payload: never) => void>>();

ipcRenderer.on(EVENT_CHANNEL, (_event, name: EventName, payload: unknown) => {
  for (const listener of listeners.get(name) ?? []) listener(payload as never);
});

const bridge: Bridge = {
  call: (name, request) =>
    ipcRenderer.invoke(CALL_CHANNEL, name, request) as ReturnType<Bridge['call']> as never,
  on(name, listener) {
    let set = listeners.get(name);
    if (set === undefined) listeners.set(name, (set = new Set()));
    set.add(listener as (payload: never) => void);
    return () => void set.delete(listener as (payload: never) => void);
  },
};

contextBridge.exposeInMainWorld('drydock', bridge);
