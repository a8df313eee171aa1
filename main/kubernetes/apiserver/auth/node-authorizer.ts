// The Node authorizer: a kubelet reads what its own pods need, and nothing of others (plugin/pkg/auth/authorizer/node).
// Differs: which pods and nodes it lists isn't restricted by selectors (KEP-4601).
import type { Container, PersistentVolume, Pod, PodSpec } from '../../api/types.ts';
import type { ObjectReader } from '../kinds/kind.ts';
import type { StoredObject } from '../object.ts';
import type { ObjectTable } from '../storage/object-store.ts';
import type { Attributes } from './authorizer.ts';
import type { UserInfo } from './user.ts';

const NODES = 'system:nodes';
const NODE_PREFIX = 'system:node:';
const LEASES_NAMESPACE = 'kube-node-lease';
const MIRROR = 'kubernetes.io/config.mirror';
const OWN_VERBS = ['get', 'create', 'update', 'patch', 'delete'];

/** The node that a kubelet speaks for; undefined for everybody else. */
export function nodeOf({ name, groups }: UserInfo): string | undefined {
  return groups.includes(NODES) && name.startsWith(NODE_PREFIX) ? name.slice(NODE_PREFIX.length) : undefined;
}

/** Whether a kubelet may: yes, no and why, or what the role of nodes says of everything else. */
export type NodeDecision = 'allowed' | 'by-role' | { readonly reason: string };

export class NodeAuthorizer {
  private readonly objects: ObjectReader;
  /** Node → what its pods need (`secrets/default/a`) → how many of them do. */
  private readonly needs = new Map<string, Map<string, number>>();

  constructor(objects: ObjectReader) {
    this.objects = objects;
  }

  /** Keeps the graph of nodes, pods and what pods refer to. */
  follow(pods: ObjectTable): void {
    pods.observe((before, after) => {
      if (before !== undefined) this.note(before, -1);
      if (after !== undefined) this.note(after, 1);
    });
  }

  private note(pod: StoredObject, change: number): void {
    const { spec, metadata } = pod as unknown as Pod & StoredObject;
    const node = spec?.nodeName ?? '';
    // What a node runs from its own files gives it no claim on anything.
    if (node === '' || metadata.annotations?.[MIRROR] !== undefined) return;
    let counts = this.needs.get(node);
    if (counts === undefined) this.needs.set(node, (counts = new Map()));
    for (const key of needsOf(spec!, metadata.namespace ?? '', metadata.name)) {
      const count = (counts.get(key) ?? 0) + change;
      if (count > 0) counts.set(key, count);
      else counts.delete(key);
    }
  }

  private isNeeded(node: string, resource: string, namespace: string, name: string): boolean {
    return this.needs.get(node)?.has(`${resource}/${namespace}/${name}`) === true;
  }

  decide(node: string, attributes: Attributes): NodeDecision {
    if (attributes.path !== undefined) return 'by-role';
    const { group, resource, subresource } = attributes;
    switch (group === '' ? resource : `${resource}.${group}`) {
      case 'secrets':
      case 'configmaps':
        return this.read(node, attributes);
      case 'persistentvolumeclaims':
        return subresource === 'status' ? this.related(node, attributes) : this.getOne(node, attributes);
      case 'persistentvolumes':
        return this.getOne(node, attributes);
      case 'volumeattachments.storage.k8s.io':
        return this.getOne(node, attributes);
      case 'serviceaccounts':
        return this.account(node, attributes);
      case 'leases.coordination.k8s.io':
        return lease(node, attributes);
      case 'csinodes.storage.k8s.io':
        return csiNode(node, attributes);
      default:
        return 'by-role';
    }
  }

  private read(node: string, attributes: Attributes): NodeDecision {
    const { verb, subresource, namespace } = attributes;
    if (!['get', 'list', 'watch'].includes(verb)) return { reason: 'can only read resources of this type' };
    if (subresource !== '') return { reason: 'cannot read subresource' };
    if (namespace === '') return { reason: 'can only read namespaced object of this type' };
    return this.related(node, attributes);
  }

  private getOne(node: string, attributes: Attributes): NodeDecision {
    if (attributes.verb !== 'get') return { reason: 'can only get individual resources of this type' };
    if (attributes.subresource !== '') return { reason: 'cannot get subresource' };
    return this.related(node, attributes);
  }

  private account(node: string, attributes: Attributes): NodeDecision {
    const { verb, subresource, name } = attributes;
    if (subresource === '') return this.getOne(node, attributes);
    if (verb !== 'create' || name === '')
      return { reason: 'can only create tokens for individual service accounts' };
    if (subresource !== 'token') return { reason: 'can only create token subresource of serviceaccount' };
    return this.related(node, attributes);
  }

  private related(node: string, { resource, namespace, name }: Attributes): NodeDecision {
    if (name === '') return { reason: 'No Object name found' };
    const isRelated =
      resource === 'persistentvolumes'
        ? this.isVolumeNeeded(node, name)
        : resource === 'volumeattachments'
          ? this.isAttachedTo(node, name)
          : this.isNeeded(node, resource, namespace, name);
    return isRelated ? 'allowed' : { reason: `no relationship found between node '${node}' and this object` };
  }

  private isVolumeNeeded(node: string, name: string): boolean {
    const volume = this.objects.get('persistentvolumes', '', '', name) as PersistentVolume | undefined;
    const claim = volume?.spec?.claimRef;
    return (
      claim !== undefined &&
      this.isNeeded(node, 'persistentvolumeclaims', claim.namespace ?? '', claim.name ?? '')
    );
  }

  private isAttachedTo(node: string, name: string): boolean {
    const attachment = this.objects.get('volumeattachments', 'storage.k8s.io', '', name);
    return (attachment?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node;
  }
}

function lease(node: string, { verb, namespace, name }: Attributes): NodeDecision {
  if (!OWN_VERBS.includes(verb))
    return { reason: 'can only get, create, update, patch, or delete a node lease' };
  if (namespace !== LEASES_NAMESPACE)
    return { reason: `can only access leases in the "${LEASES_NAMESPACE}" system namespace` };
  return verb === 'create' || name === node
    ? 'allowed'
    : { reason: 'can only access node lease with the same name as the requesting node' };
}

function csiNode(node: string, { verb, name, subresource }: Attributes): NodeDecision {
  if (!OWN_VERBS.includes(verb))
    return { reason: 'can only get, create, update, patch, or delete a CSINode' };
  if (subresource !== '') return { reason: 'cannot authorize CSINode subresources' };
  return verb === 'create' || name === node
    ? 'allowed'
    : { reason: 'can only access CSINode with the same name as the requesting node' };
}

/** What a pod refers to, each once. */
function needsOf(spec: PodSpec, namespace: string, pod: string): Set<string> {
  const needs = new Set<string>();
  const need = (resource: string, name: string | undefined): void => {
    if (name !== undefined && name !== '') needs.add(`${resource}/${namespace}/${name}`);
  };
  need('serviceaccounts', spec.serviceAccountName);
  for (const { name } of spec.imagePullSecrets ?? []) need('secrets', name);
  for (const volume of spec.volumes ?? []) {
    need('secrets', volume.secret?.secretName);
    need('configmaps', volume.configMap?.name);
    need('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName);
    if (volume.ephemeral !== undefined) need('persistentvolumeclaims', `${pod}-${volume.name}`);
    need('secrets', volume.csi?.nodePublishSecretRef?.name);
    for (const { secret, configMap } of volume.projected?.sources ?? []) {
      need('secrets', secret?.name);
      need('configmaps', configMap?.name);
    }
  }
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as Container[]),
  ];
  for (const { env = [], envFrom = [] } of containers) {
    for (const { valueFrom } of env) {
      need('secrets', valueFrom?.secretKeyRef?.name);
      need('configmaps', valueFrom?.configMapKeyRef?.name);
    }
    for (const { secretRef, configMapRef } of envFrom) {
      need('secrets', secretRef?.name);
      need('configmaps', configMapRef?.name);
    }
  }
  return needs;
}
