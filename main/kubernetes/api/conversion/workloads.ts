// Deployments, DaemonSets, ReplicaSets and StatefulSets before apps/v1 (pkg/apis/{extensions,apps}/v1beta{1,2}/{defaults,conversion}.go).
import {
  annotationOf,
  isTree,
  mapMember,
  treeAt,
  withAnnotations,
  without,
  type Conversion,
  type Tree,
} from './tree.ts';

const ROLLBACK_TO = 'deprecated.deployment.rollback.to';
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';
/** What extensions/v1beta1 calls "no limit". */
const INT32_MAX = 2_147_483_647;

const same = (object: Tree): Tree => object;

/** Selector and labels are the template's where nothing is said. */
function fromTemplate(object: Tree): Tree {
  const spec = treeAt(object, 'spec');
  const labels = treeAt(treeAt(treeAt(spec, 'template'), 'metadata'), 'labels');
  if (Object.keys(labels).length === 0) return spec;
  spec['selector'] ??= { matchLabels: { ...labels } };
  const metadata = (object['metadata'] ??= {}) as Tree;
  if (Object.keys(treeAt(metadata, 'labels')).length === 0) metadata['labels'] = { ...labels };
  return spec;
}

function rolling(spec: Tree, maxUnavailable: unknown, maxSurge: unknown): void {
  const strategy = (spec['strategy'] ??= {}) as Tree;
  strategy['type'] ??= 'RollingUpdate';
  if (strategy['type'] !== 'RollingUpdate') return;
  const rollingUpdate = (strategy['rollingUpdate'] ??= {}) as Tree;
  rollingUpdate['maxUnavailable'] ??= maxUnavailable;
  rollingUpdate['maxSurge'] ??= maxSurge;
}

/** spec.rollbackTo, which went when `kubectl rollout undo` learnt to patch the template, is kept as an annotation. */
const rollback: Pick<Conversion, 'toStored' | 'fromStored'> = {
  toStored(object) {
    const rollbackTo = treeAt(object, 'spec')['rollbackTo'];
    if (!isTree(rollbackTo)) return object;
    return withAnnotations(
      mapMember(object, 'spec', (spec) => without(spec, 'rollbackTo')),
      { [ROLLBACK_TO]: String(Number(rollbackTo['revision'] ?? 0)) },
    );
  },
  fromStored(object) {
    const revision = annotationOf(object, ROLLBACK_TO);
    if (revision === undefined || !/^\d+$/.test(revision)) return object;
    return withAnnotations(
      mapMember(object, 'spec', (spec) => ({ ...spec, rollbackTo: { revision: Number(revision) } })),
      { [ROLLBACK_TO]: undefined },
    );
  },
};

export const extensionsDeployment: Conversion = {
  ...rollback,
  defaults(object) {
    if (!isTree(object['spec'])) return;
    const spec = fromTemplate(object);
    rolling(spec, 1, 1);
    spec['revisionHistoryLimit'] ??= INT32_MAX;
    spec['progressDeadlineSeconds'] ??= INT32_MAX;
  },
};

export const deploymentV1beta1: Conversion = {
  ...rollback,
  defaults(object) {
    if (!isTree(object['spec'])) return;
    const spec = fromTemplate(object);
    rolling(spec, '25%', '25%');
    spec['revisionHistoryLimit'] ??= 2;
  },
};

/** spec.templateGeneration became an annotation in apps/v1beta2. */
export const extensionsDaemonSet: Conversion = {
  defaults(object) {
    if (!isTree(object['spec'])) return;
    const spec = fromTemplate(object);
    const strategy = (spec['updateStrategy'] ??= {}) as Tree;
    strategy['type'] ??= 'OnDelete';
  },
  toStored(object) {
    const generation = treeAt(object, 'spec')['templateGeneration'];
    const rest = mapMember(object, 'spec', (spec) => without(spec, 'templateGeneration'));
    return typeof generation === 'number'
      ? withAnnotations(rest, { [TEMPLATE_GENERATION]: String(generation) })
      : rest;
  },
  fromStored(object) {
    const generation = annotationOf(object, TEMPLATE_GENERATION);
    if (generation === undefined || !/^\d+$/.test(generation)) return object;
    return withAnnotations(
      mapMember(object, 'spec', (spec) => ({ ...spec, templateGeneration: Number(generation) })),
      { [TEMPLATE_GENERATION]: undefined },
    );
  },
};

export const extensionsReplicaSet: Conversion = {
  toStored: same,
  fromStored: same,
  defaults(object) {
    if (isTree(object['spec'])) fromTemplate(object);
  },
};

export const statefulSetV1beta1: Conversion = {
  toStored: same,
  fromStored: same,
  defaults(object) {
    if (!isTree(object['spec'])) return;
    const spec = fromTemplate(object);
    const strategy = (spec['updateStrategy'] ??= {}) as Tree;
    strategy['type'] ??= 'OnDelete';
  },
};
