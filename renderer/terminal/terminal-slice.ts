// The open terminals, which of them was used last, and typing into them on the person's behalf.
import type { TerminalInfo } from '../../preload/contract.ts';
import type { Engine, Slice } from '../state/slice.ts';
import { keysOf } from './type-text.ts';

export interface TerminalSlice {
  readonly terminals: readonly TerminalInfo[];
  /** Ids of terminals, the one used last first. */
  readonly terminalsUsed: readonly string[];
  /** The terminal that should come to the front, and a number that rises with each wish. */
  readonly shownTerminal: { readonly terminalId: string; readonly wish: number } | undefined;
  readonly syncTerminals: (terminals: readonly TerminalInfo[]) => void;
  readonly openTerminal: (machine: string) => Promise<TerminalInfo | undefined>;
  readonly closeTerminal: (terminalId: string) => void;
  readonly noteTerminalUse: (terminalId: string) => void;
  readonly showTerminal: (terminalId: string) => void;
  /** Types a block into a terminal of `machine` (of the one used last, without), opening one if there is none. */
  readonly typeText: (text: string, machine: string | undefined) => Promise<void>;
}

/** The size of a terminal before it has a place on the screen. */
export const FIRST_SIZE = { columns: 100, rows: 24 } as const;

export const terminalSlice =
  ({ ask, bridge }: Engine): Slice<TerminalSlice> =>
  (set, get) => {
    let lastWish = 0;
    const add = (info: TerminalInfo): void => {
      if (get().terminals.some(({ terminalId }) => terminalId === info.terminalId)) return;
      set({ terminals: [...get().terminals, info] });
    };
    const remove = (terminalId: string): void => {
      set({
        terminals: get().terminals.filter((info) => info.terminalId !== terminalId),
        terminalsUsed: get().terminalsUsed.filter((id) => id !== terminalId),
      });
      const { [terminalId]: _closed, ...editors } = get().editors;
      set({ editors });
    };
    /** A terminal with a shell at its prompt, as far as the screen can know: none whose editor is open. */
    const freeTerminal = (machine: string | undefined): TerminalInfo | undefined => {
      const { terminals, terminalsUsed, editors } = get();
      const byUse = terminalsUsed.flatMap((id) => terminals.filter(({ terminalId }) => terminalId === id));
      return [...byUse, ...terminals].find(
        (info) =>
          editors[info.terminalId] === undefined && (machine === undefined || info.machine === machine),
      );
    };

    // One that speaks and isn't known was opened elsewhere, as by another window.
    const asked = new Set<string>();
    bridge.on('terminal.output', ({ terminalId }) => {
      if (asked.has(terminalId) || get().terminals.some((info) => info.terminalId === terminalId)) return;
      asked.add(terminalId);
      void get().load();
    });
    bridge.on('terminal.closed', ({ terminalId }) => remove(terminalId));
    return {
      terminals: [],
      terminalsUsed: [],
      shownTerminal: undefined,
      syncTerminals: (terminals) => {
        const open = new Set(terminals.map(({ terminalId }) => terminalId));
        set({ terminals, terminalsUsed: get().terminalsUsed.filter((id) => open.has(id)) });
      },
      openTerminal: async (machine) => {
        const info = await ask('terminal.open', { machine, ...FIRST_SIZE });
        if (info === undefined) return undefined;
        add(info);
        get().showTerminal(info.terminalId);
        return info;
      },
      closeTerminal: (terminalId) => void ask('terminal.close', { terminalId }),
      noteTerminalUse: (terminalId) => {
        const others = get().terminalsUsed.filter((id) => id !== terminalId);
        set({ terminalsUsed: [terminalId, ...others] });
      },
      showTerminal: (terminalId) => {
        get().noteTerminalUse(terminalId);
        set({ shownTerminal: { terminalId, wish: ++lastWish } });
      },
      typeText: async (text, machine) => {
        const wanted = machine ?? get().cluster.machines[0]?.name;
        const terminal =
          freeTerminal(machine) ?? (wanted === undefined ? undefined : await get().openTerminal(wanted));
        if (terminal === undefined) return;
        const { terminalId } = terminal;
        get().showTerminal(terminalId);
        await ask('terminal.input', { terminalId, data: keysOf(text) });
      },
    };
  };
