// The labs to choose from.
import type { Course } from '../../preload/contract.ts';
import type { Engine, Slice } from '../state/slice.ts';

export interface ShelfSlice {
  /** Undefined until they came. */
  readonly courses: readonly Course[] | undefined;
  readonly loadShelf: () => Promise<void>;
}

export const shelfSlice =
  ({ ask }: Engine): Slice<ShelfSlice> =>
  (set) => ({
    courses: undefined,
    loadShelf: async () => {
      const shelf = await ask('shelf.list', {});
      if (shelf !== undefined) set({ courses: shelf.courses });
    },
  });
