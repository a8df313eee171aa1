// kubectl rollout: history, pause, restart, resume, status, undo.
import { rfc3339 } from '../../../../simulation/index.ts';
import { CommandError } from '../../frame/command-error.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../../frame/dry-run.ts';
import { resultPrinter } from '../../output/result.ts';
import { qualifiedName, type AnyObject } from '../../rest/builder.ts';
import { pathOf } from '../../rest/discovery.ts';
import { visitObjects, type Selected } from '../../rest/selection.ts';
import type { PodTemplate } from '../describe/containers.ts';
import { rolloutHistory, templateText } from './history.ts';
import { revisionsOf, REVISION } from './revisions.ts';
import { rolloutStatus } from './status.ts';

const MANAGER = 'kubectl-rollout';
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

export const rollout: Command = {
  name: 'rollout',
  commands: [
    rolloutHistory,
    { name: 'pause', run: (invocation) => eachPatched(invocation, 'paused', pausePatch) },
    { name: 'restart', run: (invocation) => eachPatched(invocation, 'restarted', restartPatch) },
    { name: 'resume', run: (invocation) => eachPatched(invocation, 'resumed', resumePatch) },
    rolloutStatus,
    { name: 'undo', run: runUndo },
  ],
};

type MakePatch = (selected: Selected, invocation: Invocation) => object;

async function eachPatched(invocation: Invocation, operation: string, make: MakePatch): Promise<number> {
  const { kubectl, flags, args } = invocation;
  requireResource(invocation);
  const print = resultPrinter(invocation);
  const isOneType = args.length === 1 && !args[0]!.includes('/');
  const count = await visitObjects(
    invocation,
    { args, all: isOneType, labelSelector: flags.string('selector'), continueOnError: true },
    async (selected) => {
      const { resource, namespace, name } = selected;
      const patched = await kubectl.api.json<AnyObject>({
        method: 'PATCH',
        path: pathOf(resource, namespace, name),
        query: { fieldManager: flags.string('field-manager') || MANAGER },
        contentType: 'application/strategic-merge-patch+json',
        body: make(selected, invocation),
      });
      await print(resource, patched, operation);
    },
  );
  if (count === 0) await kubectl.err(`No resources found in ${kubectl.namespace} namespace.\n`);
  return 0;
}

function requireResource({ args, flags }: Invocation): void {
  if (args.length === 0 && flags.list('filename').length === 0 && flags.string('kustomize') === '')
    throw new CommandError('required resource not specified');
}

function isPaused({ object }: Selected): boolean {
  return (object['spec'] as { paused?: boolean }).paused === true;
}

function typeAndName({ resource, name }: Selected): string {
  return `${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} "${name}"`;
}

const pausePatch: MakePatch = (selected) => {
  if (selected.resource.kind !== 'Deployment')
    throw new CommandError(`${typeAndName(selected)} pausing is not supported`);
  if (isPaused(selected)) throw new CommandError(`${typeAndName(selected)} is already paused`);
  return { spec: { paused: true } };
};

const resumePatch: MakePatch = (selected) => {
  if (selected.resource.kind !== 'Deployment')
    throw new CommandError(`${typeAndName(selected)} resuming is not supported`);
  if (!isPaused(selected)) throw new CommandError(`${typeAndName(selected)} is not paused`);
  return { spec: { paused: null } };
};

const restartPatch: MakePatch = (selected, { proc }) => {
  if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(selected.resource.kind))
    throw new CommandError(`${typeAndName(selected)} restarting is not supported`);
  if (selected.resource.kind === 'Deployment' && isPaused(selected))
    throw new CommandError(
      `${typeAndName(selected)} can't restart paused deployment (run rollout resume first)`,
    );
  const now = rfc3339(proc.clock.now());
  const { template } = selected.object['spec'] as { template: PodTemplate };
  if (template.metadata?.annotations?.[RESTARTED_AT] === now) {
    throw new CommandError(
      `failed to create patch for ${selected.name}: if restart has already been triggered within the past second, please wait before attempting to trigger another`,
    );
  }
  return { spec: { template: { metadata: { annotations: { [RESTARTED_AT]: now } } } } };
};

async function runUndo(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  requireResource(invocation);
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun === 'server' ? 'server' : 'none');
  await visitObjects(
    invocation,
    { args, labelSelector: flags.string('selector'), continueOnError: true },
    async (selected) => {
      const { resource, namespace, name, object } = selected;
      if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(resource.kind))
        throw new CommandError(`no rollbacker has been implemented for "${resource.kind}"`);
      if (resource.kind === 'Deployment' && isPaused(selected)) {
        throw new CommandError(
          `you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again`,
        );
      }
      const target = await targetRevision(invocation, selected);
      if (dryRun === 'client') {
        await kubectl.out(`${qualifiedName(resource, name)} ${templateText(target.template)}\n`);
        return;
      }
      const current = (object['spec'] as { template: PodTemplate }).template;
      const template = withoutHash(target.template);
      if (same(template, withoutHash(current))) {
        await print(
          resource,
          object,
          `skipped rollback (current template already matches revision ${flags.int('to-revision') || target.number})`,
        );
        return;
      }
      const isDeployment = resource.kind === 'Deployment';
      const rolledBack = await kubectl.api.json<AnyObject>({
        method: 'PATCH',
        path: pathOf(resource, namespace, name),
        query: dryRunQuery(dryRun),
        contentType: isDeployment ? 'application/json-patch+json' : 'application/strategic-merge-patch+json',
        body: isDeployment
          ? [
              { op: 'replace', path: '/spec/template', value: template },
              {
                op: 'replace',
                path: '/metadata/annotations',
                value: rolledBackAnnotations(object, target.object),
              },
            ]
          : { spec: { template: { ...template, $patch: 'replace' } } },
      });
      await print(resource, rolledBack, 'rolled back');
    },
  );
  return 0;
}

/** The revision asked for, or the one before the current. Throws CommandError. */
async function targetRevision(
  { kubectl, flags }: Invocation,
  selected: Selected,
): Promise<Awaited<ReturnType<typeof revisionsOf>>[number]> {
  const wanted = flags.int('to-revision');
  if (wanted < 0) throw new CommandError(`unable to find specified revision ${wanted} in history`);
  const revisions = await revisionsOf(kubectl, selected);
  if (wanted > 0) {
    const found = revisions.find(({ number }) => number === wanted);
    if (found === undefined) throw new CommandError(`unable to find specified revision ${wanted} in history`);
    return found;
  }
  const previous = revisions.at(-2);
  if (previous !== undefined) return previous;
  throw new CommandError(
    selected.resource.kind === 'Deployment'
      ? `no rollout history found for deployment "${selected.name}"`
      : 'no last revision to roll back to',
  );
}

/** The old annotations come back, save those that tell of the rollout itself. */
function rolledBackAnnotations({ metadata }: AnyObject, revision: AnyObject): Record<string, string> {
  const own = new Set([
    'kubectl.kubernetes.io/last-applied-configuration',
    REVISION,
    'deployment.kubernetes.io/revision-history',
    'deployment.kubernetes.io/desired-replicas',
    'deployment.kubernetes.io/max-replicas',
    'deprecated.deployment.rollback.to',
  ]);
  const kept = Object.entries(metadata?.annotations ?? {}).filter(([key]) => own.has(key));
  const restored = Object.entries(revision.metadata?.annotations ?? {}).filter(([key]) => !own.has(key));
  return Object.fromEntries([...kept, ...restored]);
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { 'pod-template-hash': _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function same(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(
            Object.entries(each)
              .filter(([key, member]) => member !== null && key !== 'creationTimestamp')
              .sort(([x], [y]) => (x < y ? -1 : 1)),
          )
        : each,
    );
  return text(a) === text(b);
}
