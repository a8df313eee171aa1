// What the screen knows, as one store of small slices: each feature keeps its own slice in its own folder.
// The store holds what the engine told; what only one component cares about stays in that component.
export { makeStore, type Store } from './store.ts';
export { StoreProvider, useApp, useStore } from './store-context.tsx';
export { useLocalized } from './localized.ts';
