// Sentences that the person should know, shown for a while in a corner.
import type { Events, Localized } from '../../preload/contract.ts';
import type { Engine, Slice } from '../state/slice.ts';

export interface Notice {
  readonly id: number;
  readonly level: Events['notice']['level'];
  /** As the engine said it; errors of calls come in one language only. */
  readonly message: Localized;
}

export interface NoticeSlice {
  readonly notices: readonly Notice[];
  readonly tell: (level: Notice['level'], message: Localized | string) => void;
  readonly dismissNotice: (id: number) => void;
}

/** Notices shown at once; older ones make room. */
const NOTICES_MAX = 4;

export const noticeSlice =
  ({ bridge }: Engine): Slice<NoticeSlice> =>
  (set, get) => {
    let lastId = 0;
    bridge.on('notice', ({ level, message }) => get().tell(level, message));
    return {
      notices: [],
      tell: (level, said) => {
        const message = typeof said === 'string' ? { zh: said, en: said } : said;
        const others = get().notices.filter((notice) => notice.message.en !== message.en);
        set({ notices: [...others, { id: ++lastId, level, message }].slice(-NOTICES_MAX) });
      },
      dismissNotice: (id) => set({ notices: get().notices.filter((notice) => notice.id !== id) }),
    };
  };
