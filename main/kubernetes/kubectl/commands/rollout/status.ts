// kubectl rollout status: follows a rollout to its end (polymorphichelpers.StatusViewer).
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { visitObjects } from '../../rest/selection.ts';
import { TimedOut, waitForObject } from '../../rest/wait-for.ts';
import { REVISION } from './revisions.ts';

export const rolloutStatus: Command = { name: 'status', run: runStatus };

async function runStatus(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  if (args.length === 0 && flags.list('filename').length === 0 && flags.string('kustomize') === '')
    throw new CommandError('required resource not specified');
  const wanted = flags.int('revision');
  if (wanted < 0) throw new CommandError(`revision must be a positive integer: ${wanted}`);
  const isOneType = args.length === 1 && !args[0]!.includes('/');
  const count = await visitObjects(
    invocation,
    { args, all: isOneType, labelSelector: flags.string('selector') },
    async ({ resource, namespace, name }) => {
      const view = VIEWERS[resource.kind];
      if (view === undefined)
        throw new CommandError(`no status viewer has been implemented for ${resource.kind}`);
      try {
        await waitForObject(
          kubectl,
          { resource, namespace, name },
          flags.durationMs('timeout'),
          async (object) => {
            if (object === undefined) throw new CommandError('object has been deleted');
            const { text, isDone } = view(object, wanted);
            await kubectl.out(text);
            return isDone || !flags.bool('watch');
          },
        );
      } catch (error) {
        if (!(error instanceof TimedOut)) throw error;
        throw new CommandError('timed out waiting for the condition');
      }
    },
  );
  if (count === 0) await kubectl.err(`No resources found in ${kubectl.namespace} namespace.\n`);
  return 0;
}

interface View {
  readonly text: string;
  readonly isDone: boolean;
}

type Counts = Readonly<Record<string, number | undefined>>;

const VIEWERS: Readonly<Record<string, (object: AnyObject, revision: number) => View>> = {
  Deployment: deploymentView,
  DaemonSet: daemonSetView,
  StatefulSet: statefulSetView,
};

function deploymentView(object: AnyObject, revision: number): View {
  const name = object.metadata?.name;
  const { replicas = 1 } = object['spec'] as { replicas?: number };
  const status = (object['status'] ?? {}) as Counts & {
    conditions?: readonly { type: string; reason?: string }[];
  };
  const [updated, total, available] = [
    status['updatedReplicas'] ?? 0,
    status['replicas'] ?? 0,
    status['availableReplicas'] ?? 0,
  ];
  if (revision > 0) {
    const current = Number(object.metadata?.annotations?.[REVISION] ?? '0');
    if (current !== revision)
      throw new CommandError(
        `desired revision (${revision}) is different from the running revision (${current})`,
      );
  }
  if (generation(object) > (status['observedGeneration'] ?? 0))
    return { text: 'Waiting for deployment spec update to be observed...\n', isDone: false };
  const conditions = status.conditions as readonly { type: string; reason?: string }[] | undefined;
  if (
    conditions?.some(
      ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
    ) === true
  )
    throw new CommandError(`deployment "${name}" exceeded its progress deadline`);
  const waiting = (what: string): View => ({
    text: `Waiting for deployment "${name}" rollout to finish: ${what}...\n`,
    isDone: false,
  });
  if (updated < replicas) return waiting(`${updated} out of ${replicas} new replicas have been updated`);
  if (total > updated) return waiting(`${total - updated} old replicas are pending termination`);
  if (available < updated) return waiting(`${available} of ${updated} updated replicas are available`);
  return { text: `deployment "${name}" successfully rolled out\n`, isDone: true };
}

function daemonSetView(object: AnyObject): View {
  const name = object.metadata?.name;
  const { updateStrategy } = object['spec'] as { updateStrategy?: { type?: string } };
  if (updateStrategy?.type !== 'RollingUpdate')
    throw new CommandError('rollout status is only available for RollingUpdate strategy type');
  const status = (object['status'] ?? {}) as Counts;
  if (generation(object) > (status['observedGeneration'] ?? 0))
    return { text: 'Waiting for daemon set spec update to be observed...\n', isDone: false };
  const [updated, desired, available] = [
    status['updatedNumberScheduled'] ?? 0,
    status['desiredNumberScheduled'] ?? 0,
    status['numberAvailable'] ?? 0,
  ];
  if (updated < desired)
    return {
      text: `Waiting for daemon set "${name}" rollout to finish: ${updated} out of ${desired} new pods have been updated...\n`,
      isDone: false,
    };
  if (available < desired)
    return {
      text: `Waiting for daemon set "${name}" rollout to finish: ${available} of ${desired} updated pods are available...\n`,
      isDone: false,
    };
  return { text: `daemon set "${name}" successfully rolled out\n`, isDone: true };
}

function statefulSetView(object: AnyObject): View {
  const { updateStrategy, replicas = 1 } = object['spec'] as {
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    replicas?: number;
  };
  if (updateStrategy?.type !== 'RollingUpdate')
    throw new CommandError('rollout status is only available for RollingUpdate strategy type');
  const status = (object['status'] ?? {}) as Counts & { currentRevision?: string; updateRevision?: string };
  if ((status['observedGeneration'] ?? 0) === 0 || generation(object) > (status['observedGeneration'] ?? 0))
    return { text: 'Waiting for statefulset spec update to be observed...\n', isDone: false };
  const ready = status['readyReplicas'] ?? 0;
  if (ready < replicas)
    return { text: `Waiting for ${replicas - ready} pods to be ready...\n`, isDone: false };
  const partition = updateStrategy.rollingUpdate?.partition;
  const updated = status['updatedReplicas'] ?? 0;
  if (partition !== undefined) {
    if (updated < replicas - partition)
      return {
        text: `Waiting for partitioned roll out to finish: ${updated} out of ${replicas - partition} new pods have been updated...\n`,
        isDone: false,
      };
    return {
      text: `partitioned roll out complete: ${updated} new pods have been updated...\n`,
      isDone: true,
    };
  }
  if (status.updateRevision !== status.currentRevision)
    return {
      text: `waiting for statefulset rolling update to complete ${updated} pods at revision ${status.updateRevision}...\n`,
      isDone: false,
    };
  return {
    text: `statefulset rolling update complete ${status['currentReplicas'] ?? 0} pods at revision ${status.currentRevision}...\n`,
    isDone: true,
  };
}

function generation({ metadata }: AnyObject): number {
  return (metadata as { generation?: number } | undefined)?.generation ?? 0;
}
