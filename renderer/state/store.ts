// The store of one screen: its slices put together, and fed by the bridge's events.
import { createStore, type StoreApi } from 'zustand/vanilla';

import type { ScreenBridge } from '../bridge.ts';
import { clockSlice, type ClockSlice } from '../clock/clock-slice.ts';
import { editorSlice, type EditorSlice } from '../editor/editor-slice.ts';
import { labSlice, type LabSlice } from '../guide/lab-slice.ts';
import { shelfSlice, type ShelfSlice } from '../shelf/shelf-slice.ts';
import { noticeSlice, type NoticeSlice } from '../shell/notice-slice.ts';
import { screenSlice, type ScreenSlice } from '../shell/screen-slice.ts';
import { terminalSlice, type TerminalSlice } from '../terminal/terminal-slice.ts';
import { topologySlice, type TopologySlice } from '../topology/topology-slice.ts';
import type { Engine } from './slice.ts';

export interface Store
  extends
    ScreenSlice,
    NoticeSlice,
    ShelfSlice,
    LabSlice,
    TerminalSlice,
    EditorSlice,
    TopologySlice,
    ClockSlice {}

/** Makes the store and listens to the engine; the store lives as long as the page. */
export function makeStore(bridge: ScreenBridge): StoreApi<Store> {
  const engine: Engine = {
    bridge,
    ask: async (name, request) => {
      const reply = await bridge.call(name, request);
      if (reply.ok) return reply.value;
      // A lost connection has its own bar; everything else is said once, where it happened.
      if (reply.error.reason !== 'disconnected') store.getState().tell('error', reply.error.message);
      return undefined;
    },
  };
  const store = createStore<Store>()((...tools) => ({
    ...screenSlice(engine)(...tools),
    ...noticeSlice(engine)(...tools),
    ...shelfSlice(engine)(...tools),
    ...labSlice(engine)(...tools),
    ...terminalSlice(engine)(...tools),
    ...editorSlice(engine)(...tools),
    ...topologySlice(engine)(...tools),
    ...clockSlice(engine)(...tools),
  }));
  bridge.onConnection((connection) => {
    const before = store.getState().connection.status;
    store.setState({ connection });
    if (connection.status === 'connected' && before !== 'connected') void store.getState().load();
  });
  // Otherwise it is loaded as soon as the connection is there.
  if (bridge.connection.status === 'connected') void store.getState().load();
  return store;
}
