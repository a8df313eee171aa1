// How control leaves the ordinary course of a script: break, return, exit, and failures that abandon a command.

/** No failure, so that nobody wants to know where it came from: it carries no stack. */
class Control extends Error {
  constructor(message: string) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** `break` and `continue`, with how many loops they still leave. */
export class LoopControl extends Control {
  readonly kind: 'break' | 'continue';
  readonly count: number;
  /** What the loop's status becomes. */
  readonly status: number;
  constructor(kind: 'break' | 'continue', count: number, status = 0) {
    super(kind);
    this.status = status;
    this.kind = kind;
    this.count = count;
  }
}

/** `return`. */
export class ReturnControl extends Control {
  readonly status: number;
  constructor(status: number) {
    super('return');
    this.status = status;
  }
}

/** `exit`, `set -e`, or an error that ends the shell. */
export class ExitControl extends Control {
  readonly status: number;
  constructor(status: number) {
    super('exit');
    this.status = status;
  }
}

/** An error that a shell which isn't interactive ends at as if its input did; `status` is what it ends with. */
export class InputEnd extends ExitControl {}

/** An error in an expansion: its text has been printed, and the line it stands in is abandoned. */
export class Discard extends Control {
  readonly status: number;
  constructor(status = 1) {
    super('discard');
    this.status = status;
  }
}

/** An expansion that fails; `message` is bash's text without prefix. `fatal` ends a shell that isn't interactive. */
export class ExpansionError extends Error {
  readonly fatal: boolean;
  constructor(message: string, fatal = false) {
    super(message);
    this.fatal = fatal;
  }
}

/** Ctrl-C at an interactive shell: everything up to the prompt is abandoned. */
export class Interrupted extends Control {
  constructor() {
    super('interrupted');
  }
}
