// Hands the store to the components.
import { createContext, use, type ReactNode } from 'react';
import { useStore as useZustand, type StoreApi } from 'zustand';

import type { Store } from './store.ts';

const StoreContext = createContext<StoreApi<Store> | undefined>(undefined);

export function StoreProvider({ store, children }: { store: StoreApi<Store>; children: ReactNode }) {
  return <StoreContext value={store}>{children}</StoreContext>;
}

/** The store itself, for handlers that read it when something happens. */
export function useStore(): StoreApi<Store> {
  const store = use(StoreContext);
  if (store === undefined) throw new Error('useStore needs a StoreProvider above it.');
  return store;
}

/** A part of what the screen knows; the component is drawn again when that part changes. */
export function useApp<Part>(select: (store: Store) => Part): Part {
  return useZustand(useStore(), select);
}
