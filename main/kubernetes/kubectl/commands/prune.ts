// apply --prune: deletes what was applied once, is selected now, and stands in none of the files.
import { rfc3339 } from '../../../simulation/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Invocation } from '../frame/command.ts';
import { dryRunSuffix, type DryRun } from '../frame/dry-run.ts';
import { qualifiedName, type AnyObject } from '../rest/builder.ts';
import { pathOf, type DiscoveredResource } from '../rest/discovery.ts';
import { LAST_APPLIED } from '../rest/last-applied.ts';

/** What is looked through unless --prune-allowlist says otherwise. */
const DEFAULT_KINDS: readonly string[] = [
  'core/v1/ConfigMap',
  'core/v1/Endpoints',
  'core/v1/Namespace',
  'core/v1/PersistentVolumeClaim',
  'core/v1/PersistentVolume',
  'core/v1/Pod',
  'core/v1/ReplicationController',
  'core/v1/Secret',
  'core/v1/Service',
  'batch/v1/Job',
  'batch/v1/CronJob',
  'networking.k8s.io/v1/Ingress',
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'apps/v1/ReplicaSet',
  'apps/v1/StatefulSet',
];

/** Checks the flags before anything is done. Throws CommandError in kubectl's words. */
export function requirePruneFlags({ flags }: Invocation): void {
  const all = flags.bool('all');
  if (all && flags.string('selector') !== '')
    throw new CommandError('cannot set --all and --selector at the same time');
  if (!flags.bool('prune')) return;
  if (!all && flags.string('selector') === '')
    throw new CommandError(
      'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
    );
}

/** The kinds to look through. Throws CommandError for what the server doesn't have. */
export async function kindsToPrune({ kubectl, flags }: Invocation): Promise<DiscoveredResource[]> {
  const given = flags.list('prune-allowlist');
  const mapper = await kubectl.mapper();
  const found: DiscoveredResource[] = [];
  for (const text of given.length > 0 ? given : DEFAULT_KINDS) {
    const [group = '', version = '', kind = '', ...more] = text.split('/');
    if (kind === '' || more.length > 0)
      throw new CommandError(`invalid GroupVersionKind format: ${text}, please follow <group/version/kind>`);
    const core = group === 'core' ? '' : `${group}/`;
    const resource = mapper.findKind(core + version, kind);
    if (resource !== undefined) found.push(resource);
    else if (given.length > 0)
      throw new CommandError(
        `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(core + version)}`,
      );
  }
  return [...found.filter(({ namespaced }) => namespaced), ...found.filter(({ namespaced }) => !namespaced)];
}

/** Deletes what isn't among the `applied`. */
export async function prune(
  invocation: Invocation,
  kinds: readonly DiscoveredResource[],
  applied: readonly AnyObject[],
  dryRun: DryRun,
): Promise<void> {
  const { kubectl, flags, proc } = invocation;
  const isDefault = flags.list('prune-allowlist').length === 0;
  if (isDefault && kubectl.enforceNamespace) {
    const [, month, day, time] = /^\d+-(\d\d)-(\d\d)T([\d:]+)Z$/.exec(rfc3339(proc.clock.now()))!;
    await kubectl.err(
      `W${month}${day} ${time}.000000 ${String(proc.pid).padStart(7)} prune.go:71] Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.\n`,
    );
  }
  const kept = new Set(applied.map(({ metadata }) => metadata?.uid));
  const namespaces = new Set(applied.flatMap(({ metadata }) => metadata?.namespace ?? []));
  for (const resource of kinds) {
    for (const namespace of resource.namespaced ? namespaces : [undefined]) {
      const { items } = await kubectl.api.json<{ items: AnyObject[] | null }>({
        method: 'GET',
        path: pathOf(resource, namespace),
        query: { labelSelector: flags.string('selector') || undefined },
      });
      for (const { metadata } of items ?? []) {
        if (metadata?.annotations?.[LAST_APPLIED] === undefined || kept.has(metadata.uid)) continue;
        const name = metadata.name ?? '';
        if (dryRun !== 'client')
          await kubectl.api.json({
            method: 'DELETE',
            path: pathOf(resource, namespace, name),
            body: {
              kind: 'DeleteOptions',
              apiVersion: 'v1',
              propagationPolicy: 'Background',
              ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
            },
          });
        await kubectl.out(`${qualifiedName(resource, name)} pruned${dryRunSuffix(dryRun)}\n`);
      }
    }
  }
}
