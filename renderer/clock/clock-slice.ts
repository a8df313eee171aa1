// The cluster's clock, and the person's hand on it.
import type { CallName, ClockState, RequestOf } from '../../preload/contract.ts';
import type { Engine, Slice } from '../state/slice.ts';

export interface ClockSlice {
  readonly clock: ClockState;
  /** When `clock` came, in ms as performance.now counts: between two messages the screen reckons on. */
  readonly clockReadAtMs: number;
  readonly pauseClock: () => void;
  readonly resumeClock: () => void;
  readonly setClockSpeed: (speed: number) => void;
  readonly skipClock: (seconds: number) => void;
  readonly skipClockUntilReady: () => void;
}

type ClockCall = Extract<CallName, `clock.${string}`>;

export const clockSlice =
  ({ ask, bridge }: Engine): Slice<ClockSlice> =>
  (set, get) => {
    const show = (clock: ClockState): void => set({ clock, clockReadAtMs: performance.now() });
    const work = async <Name extends ClockCall>(name: Name, request: RequestOf<Name>): Promise<void> => {
      const clock = await ask(name, request);
      if (clock !== undefined) show(clock);
    };
    const skip = async (skipping: Promise<void>): Promise<void> => {
      show({ ...get().clock, skipping: true });
      await skipping;
      if (get().clock.skipping) show({ ...get().clock, skipping: false });
    };
    bridge.on('clock.changed', show);
    return {
      clock: { nowMs: 0, paused: true, speed: 1, skipping: false },
      clockReadAtMs: 0,
      pauseClock: () => void work('clock.pause', {}),
      resumeClock: () => void work('clock.resume', {}),
      setClockSpeed: (speed) => void work('clock.setSpeed', { speed }),
      skipClock: (seconds) => void skip(work('clock.skip', { seconds })),
      skipClockUntilReady: () => void skip(work('clock.skipUntilReady', {})),
    };
  };
