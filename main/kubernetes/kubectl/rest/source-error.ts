// Refusals that name the file they are about (cmdutil.AddSourceToErr).
import { StatusError } from '../../api/index.ts';

/** `error when creating "web.yaml": …`, other errors as they are. */
export function withSource(error: unknown, verb: string, source: string | undefined): unknown {
  if (!(error instanceof StatusError) || source === undefined) return error;
  return new StatusError({ ...error.status, message: `error when ${verb} "${source}": ${error.message}` });
}
