// Runs one kubectl command line: finds the command, parses its flags, tells what went wrong in kubectl's words.
import type { Process, Program } from '../../linux/kernel/index.ts';
import { rootCommand } from './commands/root.ts';
import { runComplete } from './completion.ts';
import { CommandError, UsageError } from './frame/command-error.ts';
import { explain } from './frame/explain.ts';
import { findCommand, parseRest, type Found } from './frame/command.ts';
import { helpText } from './frame/help.ts';
import { findPlugin } from './plugin.ts';
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
  const [, first, ...rest] = proc.argv;
  if (first === '__complete' || first === '__completeNoDesc')
    return runComplete(proc, version, rest, first === '__complete');
  const plugin = findPlugin(proc, rootCommand);
  if (plugin !== undefined) return proc.exec({ ...plugin, env: proc.env });
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
