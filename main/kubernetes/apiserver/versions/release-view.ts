// How a release shows its objects: without the fields that came later, with those that went.
import type { ResourceInfo } from '../../api/resources.ts';
import { isTree, type StoredObject, type Tree } from '../object.ts';

/** A path of members (`*` is every item of a list) and the first release that has it. */
type Field = readonly [path: readonly string[], since: number];

const field = (path: string, since: number): Field => [path.split('.'), since];

const CONTAINER_STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'];

/**
 * Fields that servers or controllers fill in by themselves, by plural. What clients alone would set isn't here: an old
 * release lets it pass. Source: release notes and the API changes of each release.
 */
const LATER: Readonly<Record<string, readonly Field[]>> = {
  pods: [
    field('metadata.generation', 33),
    field('spec.preemptionPolicy', 19),
    field('status.hostIPs', 29),
    field('status.observedGeneration', 33),
    field('status.conditions.*.observedGeneration', 33),
    ...CONTAINER_STATUSES.flatMap((list) => [
      field(`status.${list}.*.started`, 16),
      field(`status.${list}.*.allocatedResources`, 33),
      field(`status.${list}.*.resources`, 33),
      field(`status.${list}.*.volumeMounts`, 31),
      field(`status.${list}.*.user`, 31),
    ]),
    field('status.podIPs', 16),
  ],
  services: [
    field('spec.clusterIPs', 20),
    field('spec.ipFamilies', 21),
    field('spec.ipFamilyPolicy', 21),
    field('spec.internalTrafficPolicy', 22),
    field('spec.allocateLoadBalancerNodePorts', 22),
    field('status.loadBalancer.ingress.*.ipMode', 30),
    field('status.loadBalancer.ingress.*.ports', 20),
  ],
  namespaces: [[['metadata', 'labels', 'kubernetes.io/metadata.name'], 21]],
  nodes: [
    field('status.declaredFeatures', 35),
    field('status.features', 30),
    field('status.runtimeHandlers', 30),
    field('status.nodeInfo.swap', 34),
    field('spec.podCIDRs', 16),
  ],
  jobs: [
    field('spec.completionMode', 22),
    field('spec.suspend', 22),
    field('spec.podReplacementPolicy', 29),
    field('spec.manualSelector', 33),
    field('status.ready', 24),
    field('status.terminating', 29),
    field('status.uncountedTerminatedPods', 23),
  ],
  cronjobs: [field('status.lastSuccessfulTime', 22)],
  daemonsets: [field('spec.updateStrategy.rollingUpdate.maxSurge', 22)],
  deployments: [field('status.terminatingReplicas', 33)],
  replicasets: [field('status.terminatingReplicas', 33)],
  statefulsets: [
    field('spec.persistentVolumeClaimRetentionPolicy', 27),
    field('status.availableReplicas', 22),
  ],
  ingresses: [field('spec.ingressClassName', 18), field('spec.rules.*.http.paths.*.pathType', 18)],
  endpointslices: [
    field('endpoints.*.conditions.serving', 20),
    field('endpoints.*.conditions.terminating', 20),
    field('endpoints.*.nodeName', 20),
  ],
  persistentvolumes: [field('status.lastPhaseTransitionTime', 29)],
  poddisruptionbudgets: [field('status.conditions', 21)],
  priorityclasses: [field('metadata.generation', 33), field('preemptionPolicy', 19)],
};

/** Conditions of pods that came later. */
const LATER_CONDITIONS: Readonly<Record<string, number>> = { PodReadyToStartContainers: 29 };

/** First release without metadata.selfLink (KEP-1164). */
const SELF_LINK_UNTIL = 20;
/** First release that keeps managedFields of every writer (server-side apply, beta 2). */
const MANAGED_FIELDS_SINCE = 18;

/** What a release makes of an object of this resource before a client sees it; undefined if nothing. */
export function viewOf(
  minor: number,
  resource: ResourceInfo,
): ((object: StoredObject) => StoredObject) | undefined {
  const hidden = (LATER[resource.plural] ?? []).filter(([, since]) => minor < since);
  const conditions = new Set(
    resource.plural === 'pods'
      ? Object.keys(LATER_CONDITIONS).filter((type) => minor < LATER_CONDITIONS[type]!)
      : [],
  );
  if (minor < MANAGED_FIELDS_SINCE) hidden.push(field('metadata.managedFields', MANAGED_FIELDS_SINCE));
  const linked = minor < SELF_LINK_UNTIL;
  if (hidden.length === 0 && conditions.size === 0 && !linked) return undefined;
  const views = new WeakMap<StoredObject, StoredObject>();
  return (object) => {
    // Bookmarks have no name, and subresources may answer with another kind.
    if (object.kind !== resource.kind || (object.metadata.name as string | undefined) === undefined)
      return object;
    const known = views.get(object);
    if (known !== undefined) return known;
    let view: Tree = object;
    for (const [path] of hidden) view = withoutPath(view, path);
    if (conditions.size > 0) view = withoutConditions(view, conditions);
    if (linked)
      view = { ...view, metadata: { ...(view['metadata'] as Tree), selfLink: selfLink(resource, object) } };
    views.set(object, view as unknown as StoredObject);
    return view as unknown as StoredObject;
  };
}

function selfLink({ group, version, plural }: ResourceInfo, { metadata }: StoredObject): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${plural}/${metadata.name}`;
}

/** A copy without what is at the path; the same object if nothing is. */
function withoutPath(tree: Tree, [member = '', ...rest]: readonly string[]): Tree {
  if (!Object.hasOwn(tree, member)) return tree;
  if (rest.length === 0) {
    const { [member]: _gone, ...others } = tree;
    return others;
  }
  const value = tree[member];
  if (rest[0] === '*') {
    if (!Array.isArray(value)) return tree;
    const inner = rest.slice(1);
    const items = value.map((item: unknown) => (isTree(item) ? withoutPath(item, inner) : item));
    return items.every((item, index) => item === value[index]) ? tree : { ...tree, [member]: items };
  }
  if (!isTree(value)) return tree;
  const changed = withoutPath(value, rest);
  if (changed === value) return tree;
  if (rest.length === 1 && member === 'labels' && Object.keys(changed).length === 0) {
    const { [member]: _empty, ...others } = tree;
    return others;
  }
  return { ...tree, [member]: changed };
}

function withoutConditions(pod: Tree, types: ReadonlySet<string>): Tree {
  const { status } = pod;
  if (!isTree(status) || !Array.isArray(status['conditions'])) return pod;
  const conditions = (status['conditions'] as { type: string }[]).filter(({ type }) => !types.has(type));
  return { ...pod, status: { ...status, conditions } };
}
