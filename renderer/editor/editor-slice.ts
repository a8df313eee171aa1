// The editors that programs in terminals have opened, at most one for each terminal.
import type { EditorInfo } from '../../preload/contract.ts';
import type { Engine, Slice } from '../state/slice.ts';

export interface EditorSlice {
  /** By the id of the terminal they cover. */
  readonly editors: Readonly<Record<string, EditorInfo>>;
  readonly syncEditors: (editors: readonly EditorInfo[]) => void;
  /** Writes the file on the machine; settles with why not, or undefined. */
  readonly saveEditor: (editorId: string, content: string) => Promise<string | undefined>;
  readonly closeEditor: (editorId: string, exitCode: number) => void;
}

export const editorSlice =
  ({ ask, bridge }: Engine): Slice<EditorSlice> =>
  (set, get) => {
    const remove = (editorId: string): void => {
      const kept = Object.entries(get().editors).filter(([, editor]) => editor.editorId !== editorId);
      set({ editors: Object.fromEntries(kept) });
    };
    bridge.on('editor.opened', (editor) => {
      set({ editors: { ...get().editors, [editor.terminalId]: editor } });
      get().showTerminal(editor.terminalId);
    });
    bridge.on('editor.closed', ({ editorId }) => remove(editorId));
    return {
      editors: {},
      syncEditors: (editors) => {
        // One that is still open keeps what was typed into it.
        const known = new Map(Object.values(get().editors).map((editor) => [editor.editorId, editor]));
        set({
          editors: Object.fromEntries(
            editors.map((editor) => [editor.terminalId, known.get(editor.editorId) ?? editor]),
          ),
        });
      },
      saveEditor: async (editorId, content) => {
        const reply = await bridge.call('editor.save', { editorId, content });
        return reply.ok ? undefined : reply.error.message;
      },
      closeEditor: (editorId, exitCode) => {
        remove(editorId);
        void ask('editor.close', { editorId, exitCode });
      },
    };
  };
