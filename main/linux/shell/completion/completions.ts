// What can follow on a command line: specifications made by `complete`, and completers written in TypeScript.
import type { Process } from '../../kernel/index.ts';
import type { Shell } from '../shell.ts';

/** What a completer knows of the line. */
export interface CompletionRequest {
  readonly shell: Shell;
  /** The shell's process, with its environment, files and network. */
  readonly proc: Process;
  /** Words of the command up to the cursor, quotes removed; the last is the one being completed, perhaps empty. */
  readonly words: readonly string[];
  readonly line: string;
  readonly point: number;
}

export interface CompletionAnswer {
  readonly candidates: readonly string[];
  /** No blank after a single match. */
  readonly noSpace?: boolean;
  /** Complete file names when there are no candidates. */
  readonly files?: boolean;
}

/** Suggests words for one command. Candidates that don't begin with the word are left out. */
export type Completer = (request: CompletionRequest) => Promise<CompletionAnswer> | CompletionAnswer;

/** One `complete` specification. */
export interface CompletionSpec {
  readonly actions: readonly string[];
  readonly options: Set<string>;
  readonly functionName: string | undefined;
  readonly command: string | undefined;
  readonly words: string | undefined;
  readonly glob: string | undefined;
  readonly filter: string | undefined;
  readonly prefix: string | undefined;
  readonly suffix: string | undefined;
}

const completers = new Map<string, Completer>();

/** Makes a completer the one for a command, in every shell; `complete` in a shell goes before it. */
export function registerCompleter(command: string, completer: Completer): void {
  completers.set(command, completer);
}

export function completerFor(command: string): Completer | undefined {
  return completers.get(command);
}

/** The specifications of one shell. */
export class Completions {
  readonly specs = new Map<string, CompletionSpec>();
  /** `complete -D`, `-E` and `-I`. */
  readonly special = new Map<'D' | 'E' | 'I', CompletionSpec>();
  /** What compopt in a running completion function changes. */
  current: CompletionSpec | undefined;
}
