// Undo and redo as commands.
import type { Session } from './state.ts';

/** Undo and redo, with what vi says of them. */
export function travel(session: Session, direction: 'undo' | 'redo', count = 1): void {
  session.text.commit(session.nowMs);
  for (let i = 0; i < count; i++) {
    const done = direction === 'undo' ? session.text.undo(session.nowMs) : session.text.redo(session.nowMs);
    if (done === undefined) {
      session.say(direction === 'undo' ? 'Already at oldest change' : 'Already at newest change');
      return;
    }
    session.moveTo(done.cursor);
    session.say(done.message);
  }
}
