// Runs one kubectl command line: finds the command, parses its flags, tells what went wrong in kubectl's words.
import type { Process, Program } from '../../linux/kernel/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { StatusError } from '../api/index.ts';
import { UnreachableError } from '../client/http-client.ts';
import { rootCommand } from './commands/root.ts';
import { CommandError } from './frame/command-error.ts';
import { findCommand, parseRest } from './frame/command.ts';
import { globalFlags } from './frame/global-flags.ts';
import { helpText } from './frame/help.ts';
import { Kubectl, type KubectlVersion } from './kubectl.ts';

/** kubectl of a release, as a program. */
export function makeKubectl(version: KubectlVersion): Program {
  return async (proc) => {
    try {
      return await run(proc, version);
    } catch (error) {
      const { text, exitCode } = explain(error);
      await proc.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
      return exitCode;
    }
  };
}

async function run(proc: Process, version: KubectlVersion): Promise<number> {
  const found = findCommand(rootCommand, proc.argv.slice(1), globalFlags);
  const path = found.path.join(' ');
  try {
    const { values, args, dash } = parseRest(found, globalFlags);
    if (values.bool('help') || found.command.run === undefined) {
      await proc.stdout.write(helpText(found.command, found.path));
      return values.bool('help') || args.length === 0 ? (found.command.run === undefined && !values.bool('help') ? 1 : 0) : 1;
    }
    using kubectl = new Kubectl(proc, version, values);
    return await found.command.run({ kubectl, proc, flags: values, args, dash, path });
  } catch (error) {
    if (error instanceof CommandError && error.form === 'usage') {
      throw new CommandError(`${error.message}\nSee '${path} --help' for usage.`);
    }
    throw error;
  }
}

/** cmdutil.StandardErrorMessage and CheckErr. Rethrows what no person should see as text. */
function explain(error: unknown): { text: string; exitCode: number } {
  if (error instanceof CommandError) {
    return { text: error.form === 'plain' ? error.message : `error: ${error.message}`, exitCode: error.exitCode };
  }
  if (error instanceof StatusError) return { text: statusText(error), exitCode: 1 };
  if (error instanceof UnreachableError) return { text: unreachableText(error), exitCode: 1 };
  if (error instanceof ErrnoError) return { text: `error: ${error.path ?? ''}: ${error.message.toLowerCase()}`, exitCode: 1 };
  throw error;
}

/** A refusal of the server as kubectl words it. */
export function statusText({ status }: StatusError): string {
  const { reason = '', message = '', details, code } = status;
  if (code === 401) return 'error: You must be logged in to the server (Unauthorized)';
  if (reason === 'Invalid' && details !== undefined) {
    const causes = details.causes ?? [];
    const subject = `The ${details.kind ?? ''} "${details.name ?? ''}" is invalid`;
    if (causes.length === 0) return subject;
    const texts = [...new Set(causes.map(({ field, message: cause }) => `${field === undefined || field === '' ? '' : `${field}: `}${cause ?? ''}`))];
    return texts.length === 1 ? `${subject}: ${texts[0]}` : `${subject}: \n${texts.map((text) => `* ${text}`).join('\n')}`;
  }
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
