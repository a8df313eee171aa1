// kubectl set: image, env, resources, selector, serviceaccount, subject.
import { CommandError } from '../../frame/command-error.ts';
import { parseQuantity } from '../../../api/index.ts';
import type { Command, Invocation } from '../../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../../frame/dry-run.ts';
import { resultPrinter } from '../../output/result.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { pathOf } from '../../rest/discovery.ts';
import { splitPairs } from '../../rest/pairs.ts';
import { visitObjects } from '../../rest/selection.ts';
import { subjectsOf } from '../create/rbac.ts';
import { parseLabels } from '../expose.ts';
import { changeEach, matches, requirePodSpec, type MutableContainer } from './pod-specs.ts';
import { setEnv } from './set-env.ts';

export const set: Command = {
  name: 'set',
  commands: [
    setEnv,
    { name: 'image', run: runSetImage },
    { name: 'resources', run: runSetResources },
    { name: 'selector', run: runSetSelector },
    { name: 'serviceaccount', aliases: ['sa'], run: runSetServiceAccount },
    { name: 'subject', run: runSetSubject },
  ],
};

function runSetImage(invocation: Invocation): Promise<number> {
  const { resources, pairs } = splitPairs(invocation.args, 'image');
  if (resources.length === 0 && invocation.flags.list('filename').length === 0)
    throw new CommandError(
      'one or more resources must be specified as <resource> <name> or <resource>/<name>',
    );
  if (pairs.length === 0) throw new CommandError('at least one image update is required');
  const images = pairs.map(
    (pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const,
  );
  if (images.length > 1 && images.some(([name]) => name === '*'))
    throw new CommandError(
      'all containers are already specified by *, but saw more than one container_name=container_image pairs',
    );
  return changeEach(invocation, {
    args: resources,
    done: 'image updated',
    failure: 'failed to patch image update to pod template',
    apply: (copy, selected) => {
      const spec = requirePodSpec(copy, selected);
      const containers = [...(spec.initContainers ?? []), ...spec.containers];
      for (const [name, image] of images) {
        const matching = containers.filter((container) => name === '*' || container.name === name);
        if (matching.length === 0) throw new CommandError(`unable to find container named "${name}"`);
        for (const container of matching) container.image = image;
      }
    },
  });
}

function runSetResources(invocation: Invocation): Promise<number> {
  const { flags, args } = invocation;
  const limits = quantities(flags.string('limits'));
  const requests = quantities(flags.string('requests'));
  if (flags.string('limits') === '' && flags.string('requests') === '')
    throw new CommandError(
      'you must specify an update to requests or limits (in the form of --requests/--limits)',
    );
  return changeEach(invocation, {
    args,
    done: 'resource requirements updated',
    failure: 'failed to patch resources update to pod template',
    apply: (copy, selected) => {
      const wanted = flags.string('containers');
      const containers = requirePodSpec(copy, selected).containers.filter(({ name }) =>
        matches(name, wanted),
      );
      if (containers.length === 0) throw new CommandError(`containers named "${wanted}" not found`);
      for (const container of containers) setResources(container, limits, requests);
    },
  });
}

function setResources(
  container: MutableContainer,
  limits: Record<string, string>,
  requests: Record<string, string>,
): void {
  const resources = (container.resources ??= {});
  for (const [title, list] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    if (Object.keys(list).length === 0) continue;
    const merged: Record<string, string> = { ...resources[title], ...list };
    for (const [name, amount] of Object.entries(merged)) if (amount === '0') delete merged[name];
    resources[title] = merged;
  }
}

function quantities(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const parts = pair.split('=');
        if (parts.length !== 2)
          throw new CommandError(`Invalid argument syntax ${pair}, expected <resource>=<value>`);
        if (parseQuantity(parts[1]!) === undefined)
          throw new CommandError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
          );
        return parts as [string, string];
      }),
  );
}

function runSetServiceAccount(invocation: Invocation): Promise<number> {
  const { args } = invocation;
  const account = args.at(-1);
  if (account === undefined) throw new CommandError('serviceaccount is required');
  return changeEach(invocation, {
    args: args.slice(0, -1),
    done: 'serviceaccount updated',
    failure: 'failed to patch ServiceAccountName',
    apply: (copy, selected) => {
      const spec = requirePodSpec(copy, selected);
      spec.serviceAccountName = account;
    },
  });
}

async function runSetSelector(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const expression = args.at(-1) ?? '';
  const selector = expression.includes('=') ? parseLabels(expression) : undefined;
  if (selector === undefined)
    throw new CommandError(
      'one or more resources must be specified as <resource> <name> or <resource>/<name>',
    );
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  await visitObjects(
    invocation,
    { args: args.slice(0, -1), unfetched: flags.bool('local'), continueOnError: true },
    async ({ resource, namespace, name, object }) => {
      if (resource.kind !== 'Service')
        throw new CommandError('setting a selector is only supported for Services');
      const changed = { ...object, spec: { ...(object['spec'] as object), selector } } as AnyObject;
      const before = ((object['spec'] ?? {}) as { selector?: Record<string, string> }).selector ?? {};
      const patch = Object.fromEntries([
        ...Object.keys(before)
          .filter((key) => selector[key] === undefined)
          .map((key) => [key, null]),
        ...Object.entries(selector),
      ] as [string, string | null][]);
      const shown =
        dryRun === 'client' || flags.bool('local')
          ? changed
          : await kubectl.api.json<AnyObject>({
              method: 'PATCH',
              path: pathOf(resource, namespace, name),
              query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
              contentType: 'application/strategic-merge-patch+json',
              body: { spec: { selector: patch } },
            });
      await print(resource, shown, 'selector updated');
    },
  );
  return 0;
}

async function runSetSubject(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const added = subjectsOf(flags);
  if (added.length === 0)
    throw new CommandError('you must specify at least one value of user, group or serviceaccount');
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  await visitObjects(
    invocation,
    { args, all: flags.bool('all'), labelSelector: flags.string('selector'), continueOnError: true },
    async ({ resource, namespace, name, object }) => {
      if (!resource.kind.endsWith('RoleBinding'))
        throw new CommandError('setting subjects is only supported for RoleBinding/ClusterRoleBinding');
      const before = (object['subjects'] ?? []) as Record<string, string>[];
      const isKnown = (subject: Record<string, string>): boolean =>
        before.some(
          (each) =>
            each['kind'] === subject['kind'] &&
            each['name'] === subject['name'] &&
            each['namespace'] === subject['namespace'],
        );
      const subjects = [...before, ...added.filter((subject) => !isKnown(subject))];
      if (subjects.length === before.length) return;
      const shown =
        dryRun === 'client'
          ? ({ ...object, subjects } as AnyObject)
          : await kubectl.api.json<AnyObject>({
              method: 'PATCH',
              path: pathOf(resource, namespace, name),
              query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
              contentType: 'application/merge-patch+json',
              body: { subjects },
            });
      await print(resource, shown, 'subjects updated');
    },
  );
  return 0;
}
