// Virtual time as the bar shows it.
import type { ClockState } from '../../preload/contract.ts';

/** What the cluster's clock says now, reckoned on from when the engine last told. All times in ms. */
export function reckon(clock: ClockState, readAtMs: number, nowMs: number): number {
  if (clock.paused || clock.skipping) return clock.nowMs;
  return clock.nowMs + Math.max(0, nowMs - readAtMs) * clock.speed;
}

/** Date and time in UTC, as the machines' own clocks show it: `2026-01-01 08:00:05`. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
