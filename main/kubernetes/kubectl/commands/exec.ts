// kubectl exec: runs a command in a container.
import { CommandError, UsageError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import type { Kubectl } from '../kubectl.ts';
import { byActivity, defaultContainer, podOf, type PodObject } from '../rest/pods.ts';
import { runRemote } from '../rest/remote-streams.ts';
import { selectObjects } from '../rest/selection.ts';

export const exec: Command = {
  name: 'exec',
  run: runExec,
};

async function runExec(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args, dash, path } = invocation;
  const hasFile = flags.list('filename').length > 0;
  const target = hasFile || dash === 0 ? undefined : args[0];
  const command = dash === -1 ? args.slice(target === undefined ? 0 : 1) : args.slice(Math.max(dash, 0));
  if (target === undefined && !hasFile)
    throw new CommandError('pod, type/name or --filename must be specified');
  if (dash === -1 && command.length > 0) await requireOldForm(kubectl, path);
  if (command.length === 0) throw new CommandError('you must specify at least one command for the container');
  if (dash > 1 || (dash === 1 && hasFile))
    throw new UsageError(
      `exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead`,
      path,
    );
  const [selected] = await selectObjects(invocation, {
    args: target === undefined ? [] : [target],
    defaultType: 'pods',
  });
  if (selected === undefined) throw new CommandError('pod, type/name or --filename must be specified');
  const { pod } = await podOf(kubectl, selected, flags.durationMs('pod-running-timeout'), byActivity);
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new CommandError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  const container =
    flags.string('container') === ''
      ? await defaultContainer(kubectl, pod, flags.bool('quiet'))
      : flags.string('container');
  const tty = await terminalOf(invocation);
  return endOf(kubectl, await execIn(kubectl, pod, container, command, flags.bool('stdin'), tty));
}

/** Without `--`: releases before 1.31 warn, later ones refuse. */
async function requireOldForm(kubectl: Kubectl, path: string): Promise<void> {
  const minor = Number(/^v1\.(\d+)/.exec(kubectl.version.gitVersion)?.[1] ?? '32');
  if (minor >= 31)
    throw new UsageError(
      'exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead',
      path,
    );
  await kubectl.err(
    'kubectl exec [POD] [COMMAND] is DEPRECATED and will be removed in a future version. Use kubectl exec [POD] -- [COMMAND] instead.\n',
  );
}

/** Whether -t can be had: it needs -i and a terminal to stand at. */
export async function terminalOf({ kubectl, flags, proc }: Invocation): Promise<boolean> {
  if (!flags.bool('tty')) return false;
  if (flags.bool('stdin') && proc.stdin.tty !== undefined) return true;
  await kubectl.err('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  return false;
}

/** Runs a command in a pod's container; settles with its exit status. */
function execIn(
  kubectl: Kubectl,
  pod: PodObject,
  container: string,
  command: readonly string[],
  stdin: boolean,
  tty: boolean,
): Promise<number> {
  return runRemote(kubectl, {
    path: `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/exec`,
    query: [...command.map((word) => ['command', word] as const), ['container', container]],
    stdin,
    tty,
  });
}

/** Says how a remote command ended that didn't end well. */
export async function endOf(kubectl: Kubectl, exitCode: number): Promise<number> {
  if (exitCode !== 0) await kubectl.err(`command terminated with exit code ${exitCode}\n`);
  return exitCode;
}
