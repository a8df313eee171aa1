// kubectl label.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { parsePairs, type Pairs } from '../rest/pairs.ts';
import { visitObjects, type Selected } from '../rest/selection.ts';

type Labels = Readonly<Record<string, string>>;

export const label: Command = { name: 'label', run: runLabel };

async function runLabel(invocation: Invocation): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const pairs = parsePairs(args, 'label');
  for (const [key, value] of pairs.set) requireLabelValue(key, value);
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
    throw new CommandError('at least one label update is required');
  const dryRun = dryRunOf(flags);
  const isLocal = flags.bool('local');
  const print = resultPrinter(invocation, dryRun);
  await visitObjects(
    invocation,
    {
      args: pairs.resources,
      all: flags.bool('all'),
      labelSelector: flags.string('selector'),
      fieldSelector: flags.string('field-selector'),
      allNamespaces: flags.bool('all-namespaces'),
      unfetched: isLocal,
      continueOnError: true,
    },
    async (selected) => {
      const { resource, namespace, name, object } = selected;
      const labels = await changed(invocation, selected, pairs);
      if (flags.bool('list')) return listLabels(invocation, selected);
      let labeled: AnyObject = { ...object, metadata: { ...object.metadata, labels } } as AnyObject;
      const version = flags.string('resource-version');
      const what = changeText(object, labeled, flags.bool('overwrite'));
      if (dryRun !== 'client' && !isLocal && (what !== 'not labeled' || version !== '')) {
        labeled = await kubectl.api.json<AnyObject>({
          method: 'PATCH',
          path: pathOf(resource, namespace, name),
          query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
          contentType: 'application/merge-patch+json',
          body: {
            metadata: {
              labels: patchOf(object.metadata?.labels ?? {}, labels),
              ...(version === '' ? {} : { resourceVersion: version }),
            },
          },
        });
      }
      await print(resource, labeled, what);
    },
  );
  return 0;
}

function requireLabelValue(key: string, value: string): void {
  const reasons: string[] = [];
  if (value.length > 63) reasons.push('must be no more than 63 characters');
  if (!/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value)) {
    reasons.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    );
  }
  if (reasons.length > 0)
    throw new CommandError(`invalid label value: "${key}=${value}": ${reasons.join(';')}`);
}

async function changed(
  { kubectl, flags }: Invocation,
  { object }: Selected,
  { set, removed }: Pairs,
): Promise<Labels> {
  const labels: Record<string, string> = { ...object.metadata?.labels };
  for (const [key, value] of set) {
    const before = labels[key];
    if (before !== undefined && before !== value && !flags.bool('overwrite')) {
      throw new CommandError(`'${key}' already has a value (${before}), and --overwrite is false`);
    }
    labels[key] = value;
  }
  for (const key of removed) {
    if (labels[key] === undefined) await kubectl.out(`label "${key}" not found.\n`);
    delete labels[key];
  }
  return labels;
}

/** kubectl goes by the lengths of the two texts (updateDataChangeMsg). */
function changeText(before: AnyObject, after: AnyObject, overwrite: boolean): string {
  const [from, to] = [sortedText(before.metadata?.labels), sortedText(after.metadata?.labels)];
  if (from === to) return 'not labeled';
  return !overwrite && to.length < from.length ? 'unlabeled' : 'labeled';
}

function sortedText(labels: Labels | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '' : JSON.stringify(entries);
}

/** What a merge patch says to get from one map to another. */
export function patchOf(before: Labels, after: Labels): Record<string, string | null> {
  const patch: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(after)) if (before[key] !== value) patch[key] = value;
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null;
  return patch;
}

async function listLabels({ kubectl }: Invocation, { object }: Selected): Promise<void> {
  const lines = Object.entries(object.metadata?.labels ?? {}).map(([key, value]) => `${key}=${value}\n`);
  await kubectl.out(lines.sort().join(''));
}
