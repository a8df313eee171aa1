// What a slice is made of: its part of the store, and its way to the engine.
import type { StateCreator } from 'zustand';

import type { CallName, ReplyOf, RequestOf } from '../../preload/contract.ts';
import type { ScreenBridge } from '../bridge.ts';
import type { Store } from './store.ts';

/** A part of the store that is made with the whole in view. */
export type Slice<Part> = StateCreator<Store, [], [], Part>;

export interface Engine {
  readonly bridge: ScreenBridge;
  /** Calls the engine. When it fails, the person is told, and the answer is undefined. */
  readonly ask: <Name extends CallName>(
    name: Name,
    request: RequestOf<Name>,
  ) => Promise<ReplyOf<Name> | undefined>;
}
