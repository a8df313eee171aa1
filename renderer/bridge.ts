// The way to the engine: Electron's preload where it is there, a socket to the browser host otherwise.
import type { Bridge } from '../preload/contract.ts';
import { SocketBridge } from './bridge-socket.ts';

/** How it stands with the engine. `refused` doesn't mend by itself: the host no longer knows this page. */
export interface Connection {
  readonly status: 'connecting' | 'connected' | 'lost' | 'refused';
  /** While lost: when the next try begins, in ms as Date.now counts. */
  readonly retryAtMs?: number;
}

/** A bridge that may break, and tells. */
export interface ScreenBridge extends Bridge {
  readonly connection: Connection;
  /** Returns a function that stops listening. */
  onConnection(listener: (connection: Connection) => void): () => void;
  /** Tries at once instead of waiting for `retryAtMs`. */
  retry(): void;
}

declare global {
  interface Window {
    /** Put there by the preload script; absent in a plain browser. */
    readonly drydock?: Bridge;
  }
}

export function connectBridge(): ScreenBridge {
  const { drydock } = window;
  if (drydock !== undefined) return steady(drydock);
  const address = new URL('bridge', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  address.search = address.hash = '';
  return new SocketBridge(address.href);
}

/** Electron's bridge lives as long as the page. */
function steady(bridge: Bridge): ScreenBridge {
  return {
    call: (name, request) => bridge.call(name, request),
    on: (name, listener) => bridge.on(name, listener),
    connection: { status: 'connected' },
    onConnection: () => () => undefined,
    retry: () => undefined,
  };
}
