// Where the cursor goes when a motion stands alone.
import type { Motion } from './motions.ts';
import type { Session } from './state.ts';

/** Moves the cursor; lines keep the column unless the motion goes to the first non-blank. */
export function follow(session: Session, motion: Motion, key: string): void {
  if (['j', 'k', '<Up>', '<Down>', '\u000e', '\u0010'].includes(key)) {
    session.moveToLine(motion.to.line);
    return;
  }
  if (/^(?:gg|[GHLM%'`/?nN*#(){}])$/.test(key)) session.markJump();
  session.moveTo(motion.to);
  if (key === '$' || key === '<End>') session.wantedColumn = Infinity;
}
