// kubectl annotate.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { parsePairs } from '../rest/pairs.ts';
import { visitObjects } from '../rest/selection.ts';
import { patchOf } from './label.ts';

export const annotate: Command = { name: 'annotate', run: runAnnotate };

async function runAnnotate(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const pairs = parsePairs(args, 'annotation');
  if (flags.bool('all') && flags.string('selector') !== '')
    throw new CommandError('cannot set --all and --selector at the same time');
  if (
    pairs.resources.length === 0 &&
    flags.list('filename').length === 0 &&
    flags.string('kustomize') === ''
  ) {
    throw new CommandError(
      'one or more resources must be specified as <resource> <name> or <resource>/<name>',
    );
  }
  if (pairs.set.size === 0 && pairs.removed.length === 0 && !flags.bool('list'))
    throw new CommandError('at least one annotation update is required');
  const dryRun = dryRunOf(flags);
  const isLocal = flags.bool('local');
  const print = resultPrinter(invocation, dryRun);
  const selection = {
    args: pairs.resources,
    all: flags.bool('all'),
    labelSelector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    allNamespaces: flags.bool('all-namespaces'),
    unfetched: isLocal,
    continueOnError: true,
  };
  await visitObjects(invocation, selection, async ({ resource, namespace, name, object }) => {
    const before = object.metadata?.annotations ?? {};
    if (flags.bool('list')) {
      await kubectl.out(
        Object.entries(before)
          .map(([key, value]) => `${key}=${value}\n`)
          .sort()
          .join(''),
      );
      return;
    }
    if (!flags.bool('overwrite')) {
      const clashes = [...pairs.set]
        .filter(([key, value]) => before[key] !== undefined && before[key] !== value)
        .map(([key]) => `'${key}' already has a value (${before[key]})`);
      if (clashes.length > 0)
        throw new CommandError(
          `--overwrite is false but found the following declared annotation(s): ${clashes.join('; ')}`,
        );
    }
    const after: Record<string, string> = { ...before, ...Object.fromEntries(pairs.set) };
    for (const key of pairs.removed) delete after[key];
    let annotated = { ...object, metadata: { ...object.metadata, annotations: after } } as AnyObject;
    const version = flags.string('resource-version');
    if (dryRun !== 'client' && !isLocal) {
      annotated = await kubectl.api.json<AnyObject>({
        method: 'PATCH',
        path: pathOf(resource, namespace, name),
        query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
        contentType: 'application/merge-patch+json',
        body: {
          metadata: {
            annotations: patchOf(before, after),
            ...(version === '' ? {} : { resourceVersion: version }),
          },
        },
      });
    }
    await print(resource, annotated, 'annotated');
  });
  return 0;
}
