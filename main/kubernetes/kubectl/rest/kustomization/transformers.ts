// What a kustomization changes in all of its objects: namespace, names, labels, annotations, replicas, images.
import type { AnyObject } from '../builder.ts';
import type { Image, Item, Kustomization } from './kustomization.ts';

type Tree = Record<string, unknown>;
type Labels = Readonly<Record<string, string>>;

/** Kinds whose names stay as they are. */
const UNNAMED = new Set(['CustomResourceDefinition', 'APIService', 'Namespace']);
/** Kinds that live in no namespace. */
const CLUSTER_SCOPED = new Set([
  'APIService',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'ComponentStatus',
  'CSIDriver',
  'CSINode',
  'CustomResourceDefinition',
  'FlowSchema',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PodSecurityPolicy',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
]);

const TEMPLATE = ['spec', 'template', 'metadata'];
const JOB_TEMPLATE = ['spec', 'jobTemplate', 'spec', 'template', 'metadata'];
const WORKLOADS = new Set(['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job']);

/** Changes the items in place, in kustomize's order. */
export function transform(kustomization: Kustomization, items: readonly Item[]): void {
  const { namePrefix = '', nameSuffix = '', labels = [], commonLabels, commonAnnotations } = kustomization;
  for (const item of items) {
    const object = structuredClone(item.object);
    if (kustomization.namespace !== undefined) place(object, kustomization.namespace, items);
    if (namePrefix + nameSuffix !== '' && !UNNAMED.has(object.kind ?? '')) {
      const name = `${namePrefix}${object.metadata?.name ?? ''}${nameSuffix}`;
      Object.assign(object.metadata as object, { name });
    }
    if (commonLabels !== undefined) addLabels(object, commonLabels, true, true);
    for (const { pairs, includeSelectors = false, includeTemplates = false } of labels)
      addLabels(object, pairs, includeSelectors, includeSelectors || includeTemplates);
    if (commonAnnotations !== undefined) addAnnotations(object, commonAnnotations);
    scale(object, item, kustomization);
    for (const image of kustomization.images ?? []) setImages(object, image);
    item.object = object;
  }
}

function place(object: AnyObject, namespace: string, items: readonly Item[]): void {
  const metadata = at(object, ['metadata']);
  if (object.kind === 'Namespace') metadata['name'] = namespace;
  else if (!CLUSTER_SCOPED.has(object.kind ?? '')) metadata['namespace'] = namespace;
  const isOurs = (name: string): boolean =>
    name === 'default' || items.some((item) => item.object.kind === 'ServiceAccount' && item.names.has(name));
  for (const subject of (object['subjects'] ?? []) as { kind?: string; name: string; namespace?: string }[])
    if (subject.kind === 'ServiceAccount' && isOurs(subject.name)) subject.namespace = namespace;
}

/** The map at a path, made if it isn't there. */
function at(object: AnyObject, path: readonly string[]): Tree {
  let tree = object as Tree;
  for (const key of path) tree = (tree[key] ??= {}) as Tree;
  return tree;
}

function templateOf({ kind = '' }: AnyObject): readonly string[] | undefined {
  if (kind === 'CronJob') return JOB_TEMPLATE;
  return WORKLOADS.has(kind) || kind === 'ReplicationController' ? TEMPLATE : undefined;
}

function addLabels(object: AnyObject, labels: Labels, selectors: boolean, templates: boolean): void {
  Object.assign(at(object, ['metadata', 'labels']), labels);
  const template = templateOf(object);
  if (templates && template !== undefined) Object.assign(at(object, [...template, 'labels']), labels);
  if (!selectors) return;
  const { kind = '' } = object;
  if (kind === 'CronJob') Object.assign(at(object, ['spec', 'jobTemplate', 'metadata', 'labels']), labels);
  const spec = at(object, ['spec']);
  if (kind === 'Service' || kind === 'ReplicationController') {
    if (kind === 'ReplicationController' || spec['selector'] !== undefined || spec['type'] !== 'ExternalName')
      Object.assign(at(object, ['spec', 'selector']), labels);
  } else if (WORKLOADS.has(kind) && kind !== 'Job')
    Object.assign(at(object, ['spec', 'selector', 'matchLabels']), labels);
  else if (['Job', 'PodDisruptionBudget'].includes(kind)) addTo(spec['selector'], labels);
  else if (kind === 'NetworkPolicy') addTo(spec['podSelector'], labels);
  if (kind === 'StatefulSet') {
    for (const claim of (spec['volumeClaimTemplates'] ?? []) as AnyObject[])
      Object.assign(at(claim, ['metadata', 'labels']), labels);
  }
  if (!('spec' in object) || Object.keys(spec).length === 0) delete (object as Tree)['spec'];
}

/** Selectors that select nothing by label stay as they are. */
function addTo(selector: unknown, labels: Labels): void {
  const { matchLabels } = (selector ?? {}) as { matchLabels?: object };
  if (matchLabels !== undefined) Object.assign(matchLabels, labels);
}

function addAnnotations(object: AnyObject, annotations: Labels): void {
  Object.assign(at(object, ['metadata', 'annotations']), annotations);
  const template = templateOf(object);
  if (template !== undefined) Object.assign(at(object, [...template, 'annotations']), annotations);
  if (object.kind === 'CronJob')
    Object.assign(at(object, ['spec', 'jobTemplate', 'metadata', 'annotations']), annotations);
}

function scale(object: AnyObject, { names }: Item, { replicas = [] }: Kustomization): void {
  if (!['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController'].includes(object.kind ?? ''))
    return;
  for (const { name, count } of replicas) if (names.has(name)) at(object, ['spec'])['replicas'] = count;
}

function setImages(value: unknown, image: Image): void {
  if (Array.isArray(value)) return value.forEach((each) => setImages(each, image));
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value as Tree)) {
    if ((key === 'containers' || key === 'initContainers') && Array.isArray(inner)) {
      for (const container of inner as { image?: string }[])
        if (container.image !== undefined) container.image = imageOf(container.image, image);
    } else setImages(inner, image);
  }
}

/** The image with another name, tag or digest, if it is the one meant. */
function imageOf(text: string, { name, newName, newTag, digest }: Image): string {
  const [, own = '', tag, hash] = /^(.*?)(?::([^:/@]*))?(?:@(.*))?$/.exec(text)!;
  if (own !== name) return text;
  const changed = newName ?? own;
  if (digest !== undefined) return `${changed}@${digest}`;
  if (newTag !== undefined) return `${changed}:${newTag}`;
  return changed + (tag === undefined ? '' : `:${tag}`) + (hash === undefined ? '' : `@${hash}`);
}
