// The namespace controller: empties a namespace that is being deleted, then lets it go.
import { rfc3339 } from '../../simulation/index.ts';
import {
  builtInResources,
  isStatus,
  resources,
  type KubernetesObject,
  type Namespace,
  type Pod,
  type Resource,
  type Stored,
} from '../api/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { customResources, type CustomResourceDefinition } from './custom-resources.ts';
import { messageOf } from './pod-control.ts';
import { sameJson, type Condition } from './status.ts';

const FINALIZER = 'kubernetes';
/** Syncs at once (--concurrent-namespace-syncs). */
const WORKERS = 10;
/** How soon to look again when something refuses to go. */
const RETRY_MS = 5_000;
/** How long a deletion waits for writers that haven't noticed it (namespaceDeletionGracePeriod). */
const DELETION_GRACE_MS = 5_000;

/** Makes the namespace controller. */
export function makeNamespaceController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'namespace-controller',
    component: 'namespace-controller',
    workers: WORKERS,
    setUp(run) {
      const namespaces = run.informer<Namespace>(resources.namespaces);
      const definitions = run.lister<CustomResourceDefinition>(resources.customresourcedefinitions);
      const enqueue = (namespace: Stored<Namespace>): void => {
        if (namespace.metadata.deletionTimestamp !== undefined)
          run.queue.addAfter(namespace.metadata.name, DELETION_GRACE_MS);
      };
      run.on(namespaces, { add: enqueue, update: enqueue });

      return async function sync(name) {
        const namespace = namespaces.lister.get(name);
        if (namespace?.metadata.deletionTimestamp === undefined) return;
        if (namespace.spec?.finalizers?.includes(FINALIZER) !== true) return;
        const all = [...builtInResources, ...customResources(definitions)].filter(isEmptied);
        const left = await empty(run, name, all);
        const current = await noteConditions(run, namespace, left);
        if (left.graceSeconds !== undefined) {
          // Half of the longest grace period, as upstream: what is dying needs no pushing.
          run.queue.addAfter(name, left.graceSeconds > 0 ? (left.graceSeconds / 2 + 1) * 1000 : RETRY_MS);
          return;
        }
        await finalize(run, current);
      };
    },
  });
}

/** Namespaced, and something that is kept and can be deleted. */
function isEmptied(resource: Resource & { readonly verbs?: readonly string[] }): boolean {
  if (!resource.namespaced) return false;
  if (resource.group === 'events.k8s.io' || (resource.group === 'autoscaling' && resource.version === 'v1'))
    return false; // Kept under another name.
  return resource.verbs === undefined || resource.verbs.includes('deletecollection');
}

interface Remains {
  readonly counts: Map<string, number>;
  readonly finalizers: Map<string, number>;
  readonly failures: string[];
  /** Undefined when nothing is left. */
  graceSeconds: number | undefined;
}

/** Deletes everything in the namespace and tells what is still there. Pods go before the rest (KEP-5080). */
async function empty(run: ControllerRun, namespace: string, all: readonly Resource[]): Promise<Remains> {
  const left: Remains = { counts: new Map(), finalizers: new Map(), failures: [], graceSeconds: undefined };
  await emptyOne(run, namespace, resources.pods, left);
  if (left.graceSeconds !== undefined) return left;
  await Promise.all(
    all
      .filter((resource) => resource !== resources.pods)
      .map((resource) => emptyOne(run, namespace, resource, left)),
  );
  return left;
}

async function emptyOne(
  run: ControllerRun,
  namespace: string,
  resource: Resource,
  left: Remains,
): Promise<void> {
  try {
    const { items } = await run.client.list<KubernetesObject>(resource, { namespace, limit: 1 });
    if (items.length === 0) return;
    await run.client.deleteCollection(resource, { namespace, propagationPolicy: 'Background' });
    const remaining = await run.client.list<KubernetesObject>(resource, { namespace });
    if (remaining.items.length === 0) return;
    note(resource, remaining.items, left);
  } catch (error) {
    if (isStatus(error, 'NotFound') || isStatus(error, 'MethodNotAllowed')) return; // Not served (any more).
    left.failures.push(messageOf(error));
    left.graceSeconds = Math.max(left.graceSeconds ?? 0, 0);
  }
}

function note(resource: Resource, items: readonly Stored<KubernetesObject>[], left: Remains): void {
  left.counts.set(`${resource.plural}.${resource.group}`, items.length);
  let graceSeconds = 0;
  for (const item of items) {
    for (const finalizer of item.metadata.finalizers ?? []) {
      left.finalizers.set(finalizer, (left.finalizers.get(finalizer) ?? 0) + 1);
    }
    if (resource === resources.pods) {
      const grace =
        item.metadata.deletionGracePeriodSeconds ??
        (item as Stored<Pod>).spec?.terminationGracePeriodSeconds ??
        0;
      graceSeconds = Math.max(graceSeconds, grace);
    }
  }
  left.graceSeconds = Math.max(left.graceSeconds ?? 0, graceSeconds);
}

/** Tells in the namespace's conditions what holds it back, in upstream's words. */
async function noteConditions(
  run: ControllerRun,
  namespace: Stored<Namespace>,
  left: Remains,
): Promise<Stored<Namespace>> {
  const describe = (entries: Map<string, number>, word: string): string =>
    [...entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${word} ${count} resource instances`)
      .join(', ');
  const wanted: [type: string, status: boolean, reason: string, message: string][] = [
    [
      'NamespaceDeletionDiscoveryFailure',
      false,
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    left.failures.length > 0
      ? [
          'NamespaceDeletionContentFailure',
          true,
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${left.failures.length} remaining: ${[...left.failures].sort().join(', ')}`,
        ]
      : [
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ],
    left.counts.size > 0
      ? [
          'NamespaceContentRemaining',
          true,
          'SomeResourcesRemain',
          `Some resources are remaining: ${describe(left.counts, 'has')}`,
        ]
      : ['NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed'],
    left.finalizers.size > 0
      ? [
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${describe(left.finalizers, 'in')}`,
        ]
      : [
          'NamespaceFinalizersRemaining',
          false,
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ],
  ];
  // A namespace that empties at once is gone before anybody could read why.
  if (left.graceSeconds === undefined && namespace.status?.conditions === undefined) return namespace;
  const conditions: Condition[] = wanted.map(([type, status, reason, message]) => {
    const old = namespace.status?.conditions?.find((condition) => condition.type === type);
    const text = status ? 'True' : 'False';
    const lastTransitionTime = old?.status === text ? old.lastTransitionTime : rfc3339(run.clock.now());
    return { type, status: text, lastTransitionTime, reason, message };
  });
  const status = { ...namespace.status, phase: 'Terminating', conditions } as Namespace['status'];
  if (sameJson(status, namespace.status)) return namespace;
  return run.client.update<Namespace>(
    resources.namespaces,
    { ...namespace, status },
    { subresource: 'status' },
  );
}

async function finalize(run: ControllerRun, namespace: Stored<Namespace>): Promise<void> {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
  try {
    await run.client.update<Namespace>(
      resources.namespaces,
      { ...namespace, spec: { ...namespace.spec, finalizers } },
      { subresource: 'finalize' },
    );
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
