// Vi's normal and visual modes: counts, registers, operators and the commands that stand alone.
import { follow } from './follow.ts';
import { readMotion } from './move.ts';
import { operate } from './operate.ts';
import { next, type NormalHost, type Pending, readCounts } from './pending.ts';
import { simpleCommand } from './simple.ts';
import type { Session } from './state.ts';
import { visualCommand } from './visual.ts';

const OPERATORS = ['d', 'c', 'y', '<', '>', '!', '=', 'g~', 'gu', 'gU', 'gJ'];
/** Commands that `.` repeats, by their first keys. */
const CHANGES = /^(?:[dcxXDCsSrRiIaAoOpPJ~<>!=]|g[~uUJpPiI]|[\u0001\u0018&]|gv?[\s\S]$)/;

/** Reads and runs one command, and says whether `.` is to repeat it. */
export async function normalCommand(session: Session, host: NormalHost): Promise<boolean> {
  const pending: Pending = { session, host, register: undefined, count: 0 };
  const isVisual = session.mode.startsWith('visual');
  const key = await readCounts(pending);
  if (key === undefined) return false;
  const whole = key === 'g' || key === 'z' || key === 'Z' ? key + (await next(pending)) : key;
  session.pending = '';
  if (isVisual) return visualCommand(pending, whole);
  if (OPERATORS.includes(whole) && whole !== 'gJ') {
    const before = session.text.lines;
    await operate(pending, whole);
    return whole !== 'y' || before !== session.text.lines;
  }
  const motion = await readMotion(pending, whole);
  if (motion !== undefined) {
    follow(session, motion, whole);
    return false;
  }
  await simpleCommand(pending, whole);
  return CHANGES.test(whole);
}
