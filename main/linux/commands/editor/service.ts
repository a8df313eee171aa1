// The seam between editor programs in a terminal and the screen that shows a real editor.
import { serviceSocket, type Tty } from '../../kernel/index.ts';

/** An editor program asks to be shown; it waits in its terminal until `edit` settles. */
export interface EditRequest {
  /** Absolute, as the machine (or container) sees it. */
  readonly path: string;
  readonly content: string;
  /** The file didn't exist when it was opened. */
  readonly isNew: boolean;
  readonly readOnly: boolean;
  /** Which keymap was asked for. */
  readonly editor: 'vim' | 'nano';
  /** The terminal to open in. */
  readonly tty: Tty;
  /** `+N`: the line to start at, from 1. */
  readonly line: number | undefined;
  /** Writes the file as the program's user; returns what went wrong (strerror's text), or undefined. May be called many times. */
  readonly save: (content: string) => string | undefined;
  /** Aborted when the program is killed: close the editor. */
  readonly signal: AbortSignal;
}

/** Offered by the session on every machine's kernel with bindService. */
export interface EditorService {
  /** Whether a terminal has a screen that an editor can be shown in. */
  shows(tty: Tty): boolean;
  /** Settles when the person leaves the editor; the exit code is the program's (`:cq` gives 1). */
  edit(request: EditRequest): Promise<{ readonly exitCode: number }>;
}

/** Where a machine's editor programs find the session. */
export const editorSocket = serviceSocket<EditorService>('/run/drydock/editor');
