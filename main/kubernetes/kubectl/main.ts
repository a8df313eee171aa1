// Runs one kubectl command line: finds the command, parses its flags, tells what went wrong in kubectl's words.
import type { Process, Program } from '../../linux/kernel/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { StatusError } from '../api/index.ts';
import { UnreachableError } from '../client/http-client.ts';
import { rootCommand } from './commands/root.ts';
import { CommandError, ManyErrors, UsageError } from './frame/command-error.ts';
import { findCommand, parseRest, type Found } from './frame/command.ts';
import { helpText } from './frame/help.ts';
import { JsonPathError } from './output/jsonpath.ts';
import { Kubectl, type KubectlVersion } from './kubectl.ts';

/** kubectl of a release, as a program. */
export function makeKubectl(version: KubectlVersion): Program {
  return async (proc) => {
    try {
      return await run(proc, version);
    } catch (error) {
      const { text, exitCode } = explain(error);
      if (text !== '') await proc.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
      return exitCode;
    }
  };
}

async function run(proc: Process, version: KubectlVersion): Promise<number> {
  const found = findCommand(rootCommand, proc.argv.slice(1));
  const path = found.path.join(' ');
  try {
    const { values, args, dash } = parseRest(found);
    const { command } = found;
    if (values.bool('help')) {
      await proc.stdout.write(helpText(command, found.path, proc.stdout.tty?.size.columns));
      return 0;
    }
    if (command.run === undefined) return await runGroup(proc, found, args);
    using kubectl = new Kubectl(proc, version, values);
    return await command.run({ kubectl, proc, flags: values, args, dash, path });
  } catch (error) {
    if (error instanceof CommandError && error.form === 'usage') {
      throw new CommandError(`${error.message}\nSee '${path} --help' for usage.`);
    }
    throw error;
  }
}

/** A command that only groups others: its help, on the stream and with the status that each has. */
async function runGroup(proc: Process, found: Found, args: readonly string[]): Promise<number> {
  const { command, path } = found;
  const isPlain = command.name === 'kubectl' || command.name === 'certificate';
  if (args.length > 0 && !isPlain)
    throw new UsageError(`unknown command "${args.join(' ')}"`, path.join(' '));
  const stream = isPlain || command.name === 'rollout' ? proc.stdout : proc.stderr;
  await stream.write(helpText(command, path, stream.tty?.size.columns));
  return isPlain ? 0 : 1;
}

/** cmdutil.StandardErrorMessage and CheckErr. Rethrows what no person should see as text. */
function explain(error: unknown): { text: string; exitCode: number } {
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
