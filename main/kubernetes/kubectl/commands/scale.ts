// kubectl scale: through the scale subresource.
import { ManyErrors, CommandError } from '../frame/command-error.ts';
import { StatusError } from '../../api/index.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { visitObjects, type Selected } from '../rest/selection.ts';
import { waitForObject, TimedOut } from '../rest/wait-for.ts';
import { messageOf } from '../frame/explain.ts';

interface Scale {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly replicas?: number };
}

export const scale: Command = { name: 'scale', required: ['replicas'], run: runScale };

async function runScale(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const replicas = flags.int('replicas');
  if (replicas < 0)
    throw new CommandError(
      'The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0',
    );
  const dryRun = dryRunOf(flags);
  const print = resultPrinter(invocation, dryRun);
  const selection = {
    args,
    all: flags.bool('all'),
    labelSelector: flags.string('selector'),
    continueOnError: true,
  };
  let visited = 0;
  let count: number;
  try {
    count = await visitObjects(invocation, selection, async (selected) => {
      visited++;
      const { resource, namespace, name, object } = selected;
      if (dryRun !== 'client') {
        await requirePreconditions(invocation, selected);
        await kubectl.api.json({
          method: 'PATCH',
          path: pathOf(resource, namespace, name, 'scale'),
          query: dryRunQuery(dryRun),
          contentType: 'application/merge-patch+json',
          body: { spec: { replicas } },
        });
        if (flags.durationMs('timeout') > 0 && dryRun === 'none')
          await waitUntilScaled(invocation, selected, replicas);
      }
      await print(resource, object, 'scaled');
    });
  } catch (error) {
    if (visited === 0 && (error instanceof StatusError || error instanceof ManyErrors)) {
      const text =
        error instanceof ManyErrors
          ? `[${error.errors.map((each) => (each instanceof Error ? each.message : messageOf(each))).join(', ')}]`
          : error.message;
      throw new CommandError(`no objects passed to scale ${text}`);
    }
    throw error;
  }
  if (count === 0) throw new CommandError('no objects passed to scale');
  return 0;
}

async function requirePreconditions(
  { kubectl, flags }: Invocation,
  { resource, namespace, name }: Selected,
): Promise<void> {
  const wanted = flags.int('current-replicas');
  const version = flags.string('resource-version');
  if (wanted === -1 && version === '') return;
  const current = await kubectl.api.json<Scale>({
    method: 'GET',
    path: pathOf(resource, namespace, name, 'scale'),
  });
  const replicas = current.spec.replicas ?? 0;
  if (wanted !== -1 && replicas !== wanted)
    throw new CommandError(`Expected replicas to be ${wanted}, was ${replicas}`);
  if (version !== '' && current.metadata.resourceVersion !== version) {
    throw new CommandError(
      `Expected resource version to be ${version}, was ${current.metadata.resourceVersion}`,
    );
  }
}

async function waitUntilScaled(
  { kubectl, flags }: Invocation,
  { resource, namespace, name }: Selected,
  replicas: number,
): Promise<void> {
  try {
    await waitForObject(kubectl, { resource, namespace, name }, flags.durationMs('timeout'), (object) => {
      const status = (object as AnyObject | undefined)?.['status'] as { replicas?: number } | undefined;
      return (status?.replicas ?? 0) === replicas;
    });
  } catch (error) {
    if (!(error instanceof TimedOut)) throw error;
    throw new CommandError('timed out waiting for the condition');
  }
}
