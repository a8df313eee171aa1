// What kubectl label and kubectl annotate share: pairs on the command line that go into a map of the metadata.
import { CommandError } from '../frame/command-error.ts';
import type { Invocation } from '../frame/command.ts';
import { dryRunOf, dryRunQuery } from '../frame/dry-run.ts';
import { resultPrinter } from '../output/result.ts';
import type { AnyObject } from '../rest/builder.ts';
import { pathOf } from '../rest/discovery.ts';
import { parsePairs, type Pairs } from '../rest/pairs.ts';
import { visitObjects } from '../rest/selection.ts';

export type StringMap = Readonly<Record<string, string>>;

/** How the two differ. */
export interface MetadataPairs {
  readonly word: 'label' | 'annotation';
  readonly field: 'labels' | 'annotations';
  /** Looks at the pairs before anything is asked of the server. Throws CommandError. */
  readonly check?: (pairs: Pairs) => void;
  /** The map after the change. Throws CommandError where it may not be changed. */
  readonly change: (invocation: Invocation, before: StringMap, pairs: Pairs) => Promise<StringMap>;
  /** What is said of the change; undefined: there is nothing to send. */
  readonly outcome: (
    before: StringMap,
    after: StringMap,
    overwrite: boolean,
  ) => { word: string; isChange: boolean };
}

/** Runs the command. */
export async function runMetadataPairs(invocation: Invocation, kind: MetadataPairs): Promise<number> {
  const { kubectl, flags, args } = invocation;
  const pairs = parsePairs(args, kind.word);
  kind.check?.(pairs);
  requireArguments(invocation, pairs, kind);
  const dryRun = dryRunOf(flags);
  const isLocal = flags.bool('local');
  const version = flags.string('resource-version');
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
    const before = object.metadata?.[kind.field] ?? {};
    if (flags.bool('list')) return kubectl.out(listed(before));
    const after = await kind.change(invocation, before, pairs);
    const { word, isChange } = kind.outcome(before, after, flags.bool('overwrite'));
    let changed = { ...object, metadata: { ...object.metadata, [kind.field]: after } } as AnyObject;
    if (dryRun !== 'client' && !isLocal && (isChange || version !== '')) {
      changed = await kubectl.api.json<AnyObject>({
        method: 'PATCH',
        path: pathOf(resource, namespace, name),
        query: { fieldManager: flags.string('field-manager'), ...dryRunQuery(dryRun) },
        contentType: 'application/merge-patch+json',
        body: {
          metadata: {
            [kind.field]: patchOf(before, after),
            ...(version === '' ? {} : { resourceVersion: version }),
          },
        },
      });
    }
    await print(resource, changed, word);
  });
  return 0;
}

function requireArguments({ flags }: Invocation, pairs: Pairs, { word }: MetadataPairs): void {
  if (flags.bool('all') && flags.string('selector') !== '')
    throw new CommandError('cannot set --all and --selector at the same time');
  const hasFiles = flags.list('filename').length > 0 || flags.string('kustomize') !== '';
  if (pairs.resources.length === 0 && !hasFiles)
    throw new CommandError(
      'one or more resources must be specified as <resource> <name> or <resource>/<name>',
    );
  if (pairs.set.size === 0 && pairs.removed.length === 0 && !flags.bool('list'))
    throw new CommandError(`at least one ${word} update is required`);
}

function listed(map: StringMap): string {
  return Object.entries(map)
    .map(([key, value]) => `${key}=${value}\n`)
    .sort()
    .join('');
}

/** What a merge patch says to get from one map to another. */
function patchOf(before: StringMap, after: StringMap): Record<string, string | null> {
  const patch: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(after)) if (before[key] !== value) patch[key] = value;
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null;
  return patch;
}
