// The screen as a whole: its connection, its settings, the cluster's state, and which of its two places is shown.
import type { AppState, ClusterState, HostDoors, Settings } from '../../preload/contract.ts';
import type { Connection } from '../bridge.ts';
import { hostLanguage } from '../i18n/index.ts';
import type { Engine, Slice } from '../state/slice.ts';

export interface ScreenSlice {
  readonly connection: Connection;
  /** False until the engine's state came for the first time. */
  readonly loaded: boolean;
  readonly version: string;
  readonly workspace: string;
  readonly door: AppState['door'];
  readonly settings: Settings;
  readonly cluster: ClusterState;
  readonly host: HostDoors | undefined;
  readonly place: 'shelf' | 'workbench';
  /** Terminals keep a copy of their text for screen readers. Known to this screen alone. */
  readonly screenReader: boolean;
  /** Asks for everything anew, as at the start and after the connection was lost. */
  readonly load: () => Promise<void>;
  readonly setScreenReader: (on: boolean) => void;
  readonly updateSettings: (settings: Partial<Settings>) => void;
  readonly goToShelf: () => void;
  readonly goToWorkbench: () => void;
  readonly retryConnection: () => void;
}

const SCREEN_READER_KEY = 'drydock.screenReader';

export const screenSlice =
  ({ ask, bridge }: Engine): Slice<ScreenSlice> =>
  (set, get) => {
    /** Changes of settings on their way. */
    let updating = 0;
    bridge.on('cluster.changed', (cluster) => {
      const before = get().cluster.phase;
      set({ cluster });
      // Its terminals and its doors for the host come with it.
      if (cluster.phase === 'running' && before !== 'running') void get().load();
    });
    return {
      connection: bridge.connection,
      loaded: false,
      version: '',
      workspace: '',
      door: 'browser',
      settings: {
        language: hostLanguage(globalThis.navigator?.languages ?? []),
        theme: 'system',
        terminalFontSize: 13,
      },
      cluster: { phase: 'none', profile: '', machines: [] },
      host: undefined,
      place: 'shelf',
      screenReader: globalThis.localStorage?.getItem(SCREEN_READER_KEY) === 'on',

      load: async () => {
        const state = await ask('app.state', {});
        if (state === undefined) return;
        // What the person chose a moment ago is newer than what was asked for before.
        const settings = updating > 0 ? get().settings : state.settings;
        const { version, workspace, door, cluster, host, clock, lab } = state;
        const place = get().loaded ? get().place : lab === undefined ? 'shelf' : 'workbench';
        set({ loaded: true, version, workspace, door, settings, cluster, host, clock, lab, place });
        get().syncTerminals(state.terminals);
        if (state.editors !== undefined) get().syncEditors(state.editors);
        await Promise.all([get().loadTopology(), get().loadShelf()]);
      },
      updateSettings: (change) => {
        set({ settings: { ...get().settings, ...change } }); // Shown at once; the answer says the same.
        updating++;
        void ask('settings.update', change).finally(() => updating--);
      },
      setScreenReader: (on) => {
        set({ screenReader: on });
        localStorage.setItem(SCREEN_READER_KEY, on ? 'on' : 'off');
      },
      goToShelf: () => {
        set({ place: 'shelf' });
        void get().loadShelf();
      },
      goToWorkbench: () => set({ place: 'workbench' }),
      retryConnection: () => bridge.retry(),
    };
  };
