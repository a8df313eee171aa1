// What goes wrong while parsing, in the terms of bash's own messages.

/**
 * `token`: an unexpected token. `end`: the input ended inside a command; an interactive shell asks for more.
 * `match`: the input ended while looking for a closing character. `test`: a bad [[, behind which bash sees no more
 * input (`test-end`: there is none).
 */
type SyntaxErrorKind = 'token' | 'end' | 'match' | 'message' | 'test' | 'test-end';

/** A syntax error. `message` is bash's text without its prefix; `line` counts from 1. */
export class ShellSyntaxError extends Error {
  readonly kind: SyntaxErrorKind;
  readonly line: number;
  /** The source line that bash repeats under the message, where it does. */
  sourceLine: string | undefined;
  /** What is said after it, of another line. */
  then: ShellSyntaxError | undefined;
  /** The unexpected token's text. */
  token: string | undefined;
  /** Whether that was a word that isn't reserved. */
  isWord = false;
  /** Whether it is inside a command substitution; the shell then ends as if its input did. */
  inSubstitution = false;
  /** The reserved word that would have been right. */
  expected: string | undefined;

  /** A second message, for the same line. */
  readonly more: string | undefined;

  constructor(kind: SyntaxErrorKind, message: string, line: number, sourceLine?: string, more?: string) {
    super(message);
    this.kind = kind;
    this.line = line;
    this.sourceLine = sourceLine;
    this.more = more;
  }

  /** Whether more input could make it right. */
  get incomplete(): boolean {
    return this.kind === 'end' || this.kind === 'match' || this.kind === 'test-end';
  }
}
