// kubectl options, completion, plugin list: little commands without an object of their own.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { optionsText } from '../frame/help.ts';

export const options: Command = { name: 'options', run: runOptions };

async function runOptions({ kubectl, proc }: Invocation): Promise<number> {
  await kubectl.out(optionsText(proc.env.get('HOME') ?? '', proc.stdout.tty?.size.columns));
  return 0;
}

/** The shell knows how to complete kubectl by itself: the script to be sourced has nothing left to do. */
const COMPLETION_SCRIPT =
  '# bash completion for kubectl: this shell completes kubectl without a script.\n:\n';

export const completion: Command = { name: 'completion', run: runCompletion };

async function runCompletion({ kubectl, args, path }: Invocation): Promise<number> {
  const [shell] = args;
  if (shell === undefined)
    throw new CommandError(`Shell not specified.\nSee '${path} -h' for help and examples`);
  if (args.length > 1)
    throw new CommandError(
      `Too many arguments. Expected only the shell type.\nSee '${path} -h' for help and examples`,
    );
  if (!['bash', 'zsh', 'fish', 'powershell'].includes(shell))
    throw new CommandError(`Unsupported shell type "${shell}".\nSee '${path} -h' for help and examples`);
  if (shell !== 'bash') throw new CommandError(`drydock: completion for ${shell} isn't simulated`, 'plain');
  await kubectl.out(COMPLETION_SCRIPT);
  return 0;
}

export const plugin: Command = {
  name: 'plugin',
  commands: [{ name: 'list', run: runPluginList }],
};

async function runPluginList({ kubectl, proc }: Invocation): Promise<number> {
  const found: string[] = [];
  for (const folder of (proc.env.get('PATH') ?? '').split(':')) {
    if (folder === '' || !proc.fs.exists(folder)) continue;
    for (const { name } of proc.fs.readdir(folder))
      if (name.startsWith('kubectl-')) found.push(`${folder}/${name}`);
  }
  if (found.length === 0) throw new CommandError('unable to find any kubectl plugins in your PATH');
  await kubectl.out(
    `The following compatible plugins are available:\n\n${found.map((path) => `${path}\n`).join('')}`,
  );
  return 0;
}
