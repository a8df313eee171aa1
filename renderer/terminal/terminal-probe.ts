// What tests may read of the terminals: a frozen global with functions that look and never touch.
import type { TerminalInfo } from '../../preload/contract.ts';
import type { TerminalViews } from './terminal-views.ts';

export interface TerminalProbe {
  list(): readonly TerminalInfo[];
  /** All that a terminal shows and has scrolled away, without colours; undefined for one that isn't open. */
  text(terminalId: string): string | undefined;
  /** The same with escape sequences, through xterm's serialize addon. */
  serialized(terminalId: string): string | undefined;
}

declare global {
  interface Window {
    drydockTerminals?: TerminalProbe;
  }
}

export function offerTerminalProbe(views: TerminalViews, list: () => readonly TerminalInfo[]): void {
  window.drydockTerminals = Object.freeze({
    list,
    text: (terminalId: string) => views.get(terminalId)?.text,
    serialized: (terminalId: string) => views.get(terminalId)?.serialized,
  });
}
