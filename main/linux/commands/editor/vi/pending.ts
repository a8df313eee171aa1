// One command of vi's normal mode as far as it has been read, and what commands ask of the loop.
import type { CommandHost } from './call.ts';
import type { InsertHost } from './insert.ts';
import { ESCAPE } from './keys.ts';
import type { Session } from './state.ts';

/** What normal mode needs of the loop. */
export interface NormalHost extends InsertHost, CommandHost {
  /** Reads a line after `:`, `/` or `?`; undefined when it is given up. */
  prompt(first: string, initial?: string): Promise<string | undefined>;
  command(line: string): Promise<void>;
  redraw(): Promise<void>;
  suspend(): Promise<void>;
}

/** One command as far as it has been read. */
export interface Pending {
  readonly session: Session;
  readonly host: NormalHost;
  register: string | undefined;
  /** 0 where none was typed. */
  count: number;
}

/** The next key, shown as pending. */
export async function next({ session, host }: Pending): Promise<string> {
  const key = (await host.key()) ?? ESCAPE;
  session.pending += key.startsWith('<') ? '' : key;
  return key;
}

/** Counts and registers before a command, in any order. */
export async function readCounts(pending: Pending): Promise<string | undefined> {
  const { session, host } = pending;
  for (;;) {
    const key = await host.key();
    if (key === undefined) return undefined;
    session.pending += key.length === 1 && key >= ' ' ? key : '';
    if (key === '"') pending.register = await next(pending);
    else if (/^\d$/.test(key) && (key !== '0' || pending.count > 0))
      pending.count = Math.min(pending.count * 10 + Number(key), 99_999_999);
    else return key;
  }
}
