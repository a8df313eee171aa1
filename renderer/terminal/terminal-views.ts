// The screens of all open terminals: made when a terminal opens, disposed when it closes, attached anew after every break.
import type { StoreApi } from 'zustand';

import type { TerminalInfo } from '../../preload/contract.ts';
import type { ScreenBridge } from '../bridge.ts';
import type { Store } from '../state/index.ts';
import { TerminalView, type TerminalLook } from './terminal-view.ts';

export class TerminalViews {
  private readonly bridge: ScreenBridge;
  private readonly store: StoreApi<Store>;
  private readonly views = new Map<string, TerminalView>();
  private readonly findListeners = new Map<string, () => void>();
  private readonly onLink: (link: string) => void;
  private look: TerminalLook;

  constructor(options: {
    readonly bridge: ScreenBridge;
    readonly store: StoreApi<Store>;
    readonly look: TerminalLook;
    readonly onLink: (link: string) => void;
  }) {
    this.bridge = options.bridge;
    this.store = options.store;
    this.look = options.look;
    this.onLink = options.onLink;
    this.bridge.on('terminal.output', ({ terminalId, data }) => this.views.get(terminalId)?.write(data));
    this.bridge.onConnection(({ status }) => {
      if (status === 'connected') for (const terminalId of this.views.keys()) void this.attach(terminalId);
    });
    this.store.subscribe(({ terminals }, before) => {
      if (terminals !== before.terminals) this.sync(terminals);
    });
    this.sync(this.store.getState().terminals);
  }

  get(terminalId: string): TerminalView | undefined {
    return this.views.get(terminalId);
  }

  restyle(look: TerminalLook): void {
    this.look = look;
    for (const view of this.views.values()) view.restyle(look);
  }

  /** Calls `listener` when the person asks to search in this terminal, until the result is called. */
  onFind(terminalId: string, listener: () => void): () => void {
    this.findListeners.set(terminalId, listener);
    return () => void this.findListeners.delete(terminalId);
  }

  private sync(terminals: readonly TerminalInfo[]): void {
    const open = new Set(terminals.map(({ terminalId }) => terminalId));
    for (const [terminalId, view] of this.views) {
      if (open.has(terminalId)) continue;
      view[Symbol.dispose]();
      this.views.delete(terminalId);
    }
    for (const terminalId of open) {
      if (this.views.has(terminalId)) continue;
      this.views.set(terminalId, this.make(terminalId));
      void this.attach(terminalId);
    }
  }

  private make(terminalId: string): TerminalView {
    return new TerminalView({
      terminalId,
      look: this.look,
      onInput: (data) => void this.bridge.call('terminal.input', { terminalId, data }),
      onResize: (size) => void this.bridge.call('terminal.resize', { terminalId, ...size }),
      onLink: this.onLink,
      onFind: () => this.findListeners.get(terminalId)?.(),
    });
  }

  private async attach(terminalId: string): Promise<void> {
    const view = this.views.get(terminalId);
    if (view === undefined) return;
    view.awaitReplay();
    const reply = await this.bridge.call('terminal.attach', { terminalId, ...view.size });
    if (reply.ok) view.replay(reply.value.replay);
  }
}
