// How a kubectl command fails: what goes to standard error, and with which status it ends.

/** How the message is dressed: as `error: …`, with the hint at --help behind it, or printed as it stands. */
export type ErrorForm = 'error' | 'usage' | 'plain';

export class CommandError extends Error {
  readonly form: ErrorForm;
  readonly exitCode: number;
  constructor(message: string, form: ErrorForm = 'error', exitCode = 1) {
    super(message);
    this.form = form;
    this.exitCode = exitCode;
  }
}

/** A usage error of cmdutil.UsageErrorf: the hint names the command's own -h. */
export class UsageError extends CommandError {
  constructor(message: string, command: string) {
    super(`${message}\nSee '${command} -h' for help and examples`);
  }
}
