// One colon command as it is run: its lines, its argument, and what it may ask of the loop.
import type { CommandReader, Lines } from './addresses.ts';
import type { Range } from './operators.ts';
import { ViError, type Session } from './state.ts';
import type { Confirm } from './substitute.ts';

/** What colon commands need of the loop. */
export interface CommandHost {
  /** Shows lines over the text and waits for a key. */
  show(text: string): Promise<void>;
  /** Runs keys as if typed in normal mode. */
  type(keys: string): Promise<void>;
  confirm?: Confirm;
  /** Hands the screen to a command, and takes it back. */
  aside(run: () => Promise<string>): Promise<void>;
}

/** The lines that follow a command, for :append and its like in scripts. */
export type Following = string[];

export type Handler = (call: Call) => Promise<void> | void;

export interface Call {
  readonly session: Session;
  readonly host: CommandHost;
  readonly lines: Lines;
  /** With `!` after the name. */
  readonly forced: boolean;
  readonly argument: string;
  readonly reader: CommandReader;
  readonly following: Following;
  readonly name: string;
}

export function linesOf({ text }: Session, { from, to }: Lines): string[] {
  return text.isEmpty ? [] : text.lines.slice(from, to + 1);
}

/** Whole lines as operators take them; a count after the command begins at the last line. */
export function counted(session: Session, { from, to }: Lines, argument: string): Range {
  const count = /(?:^|\s)(\d+)$/.exec(argument)?.[1];
  const start = count === undefined ? from : to;
  const end = count === undefined ? to : Math.min(to + Number(count) - 1, session.text.lines.length - 1);
  if (start < 0) throw new ViError('E16: Invalid range');
  return { from: { line: start, column: 0 }, to: { line: end, column: 0 }, extent: 'linewise' };
}

export function registerIn(argument: string): string | undefined {
  return /^[a-zA-Z"_]/.exec(argument)?.[0];
}
