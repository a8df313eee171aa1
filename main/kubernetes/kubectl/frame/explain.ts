// What goes wrong, in kubectl's words (cmdutil.CheckErr).
import { ErrnoError } from '../../../network/index.ts';
import { StatusError } from '../../api/index.ts';
import { UnreachableError } from '../../client/http-client.ts';
import { JsonPathError } from '../output/jsonpath.ts';
import { CommandError, ManyErrors } from './command-error.ts';

/** cmdutil.StandardErrorMessage and CheckErr. Rethrows what no person should see as text. */
export function explain(error: unknown): { text: string; exitCode: number } {
  if (error instanceof CommandError) {
    return {
      text: error.form === 'plain' ? error.message : `error: ${error.message}`,
      exitCode: error.exitCode,
    };
  }
  if (error instanceof ManyErrors)
    return { text: error.errors.map((each) => `${messageOf(each)}\n`).join(''), exitCode: 1 };
  if (error instanceof StatusError) return { text: topLevelStatusText(error), exitCode: 1 };
  if (error instanceof JsonPathError) return { text: `error: ${error.message}`, exitCode: 1 };
  if (error instanceof UnreachableError) return { text: unreachableText(error), exitCode: 1 };
  if (error instanceof ErrnoError)
    return { text: `error: ${error.path ?? ''}: ${error.message.toLowerCase()}`, exitCode: 1 };
  throw error;
}

/** One of several errors; the word `error:` stands only before a single one. */
export function messageOf(error: unknown): string {
  if (error instanceof StatusError) return statusText(error);
  if (error instanceof CommandError) return error.message;
  return explain(error).text;
}

/** cmdutil.CheckErr's way with what validation found; every other refusal is told as `statusText`. */
function topLevelStatusText(error: StatusError): string {
  const { code, reason, details, message = '' } = error.status;
  if (code === 401 || reason !== 'Invalid') return statusText(error);
  const { kind = '', name = '', causes = [] } = details ?? {};
  let subject = 'The request is invalid';
  if (kind !== '' || name !== '') subject = `The ${kind} "${name}" is invalid`;
  else if (message !== '' && causes.length === 0) subject = `${subject}: ${message}`;
  if (causes.length === 0) return subject;
  const texts = [
    ...new Set(
      causes.map(
        (cause) =>
          `${cause.field === undefined || cause.field === '' ? '' : `${cause.field}: `}${cause.message ?? ''}`,
      ),
    ),
  ];
  return texts.length === 1
    ? `${subject}: ${texts[0]}`
    : `${subject}: \n${texts.map((text) => `* ${text}`).join('\n')}`;
}

/** A refusal of the server as kubectl words it. */
export function statusText({ status }: StatusError): string {
  const { reason = '', message = '', code } = status;
  if (code === 401) return 'error: You must be logged in to the server (Unauthorized)';
  return reason === '' ? `Error from server: ${message}` : `Error from server (${reason}): ${message}`;
}

function unreachableText({ message, url, cause }: UnreachableError): string {
  if (cause instanceof ErrnoError && cause.code === 'ECONNREFUSED') {
    return `The connection to the server ${new URL(url).host} was refused - did you specify the right host or port?`;
  }
  if (cause instanceof ErrnoError) {
    const { hostname, port } = new URL(url);
    const why = cause.code === 'ETIMEDOUT' ? 'i/o timeout' : `connect: ${cause.message.toLowerCase()}`;
    return `Unable to connect to the server: dial tcp ${hostname}:${port}: ${why}`;
  }
  return `Unable to connect to the server: ${message.replace(/^[A-Z][a-z]+ "[^"]*": /, '')}`;
}
