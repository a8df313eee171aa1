// Vi's commands that move the window over the text.
import type { Session } from './state.ts';

/** Commands that move the window, and the cursor only as far as it must. */
export function scrollCommand(session: Session, key: string, count: number): void {
  const { screen, text, cursor, options } = session;
  if (screen === undefined) return;
  const last = text.lines.length - 1;
  const scroll = (by: number): void => {
    screen.top = Math.max(0, Math.min(last, screen.top + by));
  };
  const keepInside = (): void => {
    const margin = Math.min(options.scrolloff, Math.floor((screen.height - 1) / 2));
    const low = screen.top === 0 ? 0 : screen.top + margin;
    const shown = screen.lastShown(text, options);
    const high = shown === last ? last : shown - margin;
    if (cursor.line < low || cursor.line > high)
      session.moveToLine(Math.max(low, Math.min(high, cursor.line)));
  };
  const half = count > 0 ? count : Math.floor(screen.height / 2);
  switch (key) {
    case '\u0005':
      scroll(Math.max(1, count));
      return keepInside();
    case '\u0019':
      scroll(-Math.max(1, count));
      return keepInside();
    case '\u0004':
      scroll(Math.min(half, Math.max(0, last - screen.lastShown(text, options))));
      return session.toFirstNonBlank(cursor.line + half);
    case '\u0015':
      scroll(-half);
      return session.toFirstNonBlank(cursor.line - half);
    case '\u0006':
    case '<PageDown>':
      scroll(Math.max(1, count) * (screen.height - 2));
      return session.toFirstNonBlank(
        Math.max(cursor.line, Math.min(last, screen.top + (screen.top === 0 ? 0 : options.scrolloff))),
      );
    case '\u0002':
    case '<PageUp>': {
      const top = screen.top;
      scroll(-Math.max(1, count) * (screen.height - 2));
      return session.toFirstNonBlank(
        Math.min(
          cursor.line,
          Math.max(0, Math.min(last, (top === screen.top ? 0 : top + 1) - options.scrolloff)),
        ),
      );
    }
    case 'zt':
    case 'z\r':
    case 'zz':
    case 'z.':
    case 'zb':
    case 'z-': {
      const where = key[1]!;
      const line = count > 0 ? Math.min(count - 1, last) : cursor.line;
      const margin = Math.min(options.scrolloff, Math.floor((screen.height - 1) / 2));
      screen.top = Math.max(
        0,
        where === 't' || where === '\r'
          ? line - margin
          : where === 'b' || where === '-'
            ? line - screen.height + 1 + margin
            : line - Math.floor((screen.height - 1) / 2),
      );
      if (where === '\r' || where === '.' || where === '-') session.toFirstNonBlank(line);
      else if (line !== cursor.line) session.moveToLine(line);
      return;
    }
    default:
  }
}
