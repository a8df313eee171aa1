// The lab that is open: its steps, and what the person asks of them.
import type { CallName, LabState, ReplyOf, RequestOf } from '../../preload/contract.ts';
import type { Engine, Slice } from '../state/slice.ts';

export interface LabSlice {
  readonly lab: LabState | undefined;
  /** The lab that is being opened: its machines may be starting. */
  readonly openingLab: string | undefined;
  readonly openLab: (labId: string) => Promise<void>;
  readonly goToStep: (step: number) => void;
  readonly checkStep: (step: number) => Promise<void>;
  readonly takeHint: (step: number, hint: number) => void;
  readonly resetStep: (step: number) => Promise<void>;
  readonly solveStep: (step: number) => Promise<void>;
  readonly restartLab: () => Promise<void>;
}

type LabCall = Extract<CallName, `lab.${string}`>;

export const labSlice =
  ({ ask, bridge }: Engine): Slice<LabSlice> =>
  (set, get) => {
    bridge.on('lab.changed', (lab) => set({ lab }));

    /** Marks the lab busy at once, so that a second click finds the button off. */
    const work = async <Name extends Exclude<LabCall, 'lab.close'>>(
      name: Name,
      request: RequestOf<Name>,
      busy?: LabState['busy'],
    ): Promise<void> => {
      const { lab } = get();
      if (lab !== undefined && busy !== undefined) set({ lab: { ...lab, busy } });
      const answer = (await ask(name, request)) as ReplyOf<Name> | undefined;
      if (answer !== undefined) return set({ lab: answer });
      const now = get().lab;
      if (now !== undefined) set({ lab: { ...now, busy: undefined } }); // It failed, and that was told.
    };

    return {
      lab: undefined,
      openingLab: undefined,
      openLab: async (labId) => {
        if (get().lab?.id === labId) return get().goToWorkbench();
        set({ openingLab: labId });
        const lab = await ask('lab.open', { labId });
        set({ openingLab: undefined });
        if (lab === undefined) return;
        set({ lab, place: 'workbench' });
        await get().load();
      },
      goToStep: (step) => void work('lab.goTo', { step }),
      checkStep: (step) => work('lab.check', { step }, 'checking'),
      takeHint: (step, hint) => void work('lab.takeHint', { step, hint }),
      solveStep: (step) => work('lab.solve', { step }, 'solving'),
      resetStep: async (step) => {
        await work('lab.reset', { step }, 'resetting');
        await get().load(); // Shells are new, and terminals may have closed.
      },
      restartLab: async () => {
        await work('lab.restart', {}, 'resetting');
        await get().load();
      },
    };
  };
