// Hands the terminals' screens to the panes.
import { createContext, use, type ReactNode } from 'react';

import type { TerminalViews } from './terminal-views.ts';

const TerminalViewsContext = createContext<TerminalViews | undefined>(undefined);

export function TerminalViewsProvider({ views, children }: { views: TerminalViews; children: ReactNode }) {
  return <TerminalViewsContext value={views}>{children}</TerminalViewsContext>;
}

export function useTerminalViews(): TerminalViews {
  const views = use(TerminalViewsContext);
  if (views === undefined) throw new Error('useTerminalViews needs a TerminalViewsProvider above it.');
  return views;
}
