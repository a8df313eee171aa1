// What --validate says.
import { CommandError } from './command-error.ts';

/** The query parameter of requests. Throws CommandError in kubectl's words. */
export function validationOf(validate: string): string {
  switch (validate) {
    case '':
    case 'true':
    case 'strict':
      return 'Strict';
    case 'warn':
      return 'Warn';
    case 'false':
    case 'ignore':
      return 'Ignore';
    default:
      throw new CommandError(
        `invalid - validate option "${validate}"; must be one of: strict (or true), warn, ignore (or false)`,
      );
  }
}
