// Eviction thresholds as KubeletConfiguration writes them: `memory.available: 100Mi`, `nodefs.available: 10%`.
import { quantityValue } from '../api/index.ts';

export type Signal =
  | 'memory.available'
  | 'nodefs.available'
  | 'nodefs.inodesFree'
  | 'imagefs.available'
  | 'imagefs.inodesFree'
  | 'pid.available';

export interface Threshold {
  readonly signal: Signal;
  /** How long it must be met before anything is done; 0 for hard ones. */
  readonly graceMs: number;
  /** What has to be there, of a capacity. */
  amountOf(capacity: number): number;
}

const SIGNALS: ReadonlySet<string> = new Set<Signal>([
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
]);

export type ThresholdTexts = Readonly<Record<string, string>>;

/** Upstream's defaults for Linux. */
export const EVICTION_HARD_DEFAULT: ThresholdTexts = {
  'imagefs.available': '15%',
  'imagefs.inodesFree': '5%',
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
};

/** Throws for a signal or an amount that isn't one. */
export function parseThresholds(texts: ThresholdTexts, graceMs: (signal: string) => number): Threshold[] {
  return Object.entries(texts).flatMap(([signal, text]) => {
    if (!SIGNALS.has(signal)) throw new Error(`unsupported eviction signal ${signal}`);
    if (text === '0' || text === '0%' || text === '100%') return []; // That is how one is turned off.
    const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
    const amount = percent === undefined ? quantityValue(text) : 0;
    const share = Number(percent) / 100;
    return {
      signal: signal as Signal,
      graceMs: graceMs(signal),
      amountOf: (capacity: number) => (percent === undefined ? amount : Math.floor(capacity * share)),
    };
  });
}
