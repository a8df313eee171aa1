// kubectl attach: joins the streams of a running container.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import type { Kubectl } from '../kubectl.ts';
import { byActivity, defaultContainer, podOf, type PodObject } from '../rest/pods.ts';
import { runRemote } from '../rest/remote-streams.ts';
import { selectObjects } from '../rest/selection.ts';
import { endOf, terminalOf } from './exec.ts';

export const attach: Command = { name: 'attach', run: runAttach };

async function runAttach(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const [target] = args;
  if (target === undefined) throw new CommandError('at least 1 argument is required for attach');
  if (args.length > 1)
    throw new CommandError(
      'expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ' +
        args.length +
        ': [' +
        args.join(' ') +
        ']',
    );
  const [selected] = await selectObjects(invocation, { args: [target], defaultType: 'pods' });
  const { pod } = await podOf(kubectl, selected!, flags.durationMs('pod-running-timeout'), byActivity);
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new CommandError(`cannot attach a container in a completed pod; current phase is ${phase}`);
  const container =
    flags.string('container') === ''
      ? await defaultContainer(kubectl, pod, flags.bool('quiet'))
      : flags.string('container');
  const spec = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []),
    ...(pod.spec.ephemeralContainers ?? []),
  ].find(({ name }) => name === container);
  let tty = flags.bool('tty');
  if (tty && spec?.tty !== true) {
    await kubectl.err(`error: Unable to use a TTY - container ${container} did not allocate one\n`);
    tty = false;
  } else if (!tty && spec?.tty === true && flags.bool('stdin')) tty = true;
  if (tty) tty = await terminalOf(invocation);
  return endOf(
    kubectl,
    await attachTo(kubectl, pod, container, flags.bool('stdin'), tty, flags.bool('quiet')),
  );
}

/** Streams until the container ends or lets go; settles with the status told, 0 if none was. */
export async function attachTo(
  kubectl: Kubectl,
  pod: PodObject,
  container: string,
  stdin: boolean,
  tty: boolean,
  quiet: boolean,
): Promise<number> {
  if (!quiet) await kubectl.err("If you don't see a command prompt, try pressing enter.\n");
  return runRemote(kubectl, {
    path: `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/attach`,
    query: [['container', container]],
    stdin,
    tty,
  });
}
