// NodeRestriction: a kubelet writes its own node, the status of its own pods, and the mirrors of what it runs from files (plugin/pkg/admission/noderestriction).
import type { Node, Pod } from '../../api/types.ts';
import { nodeOf } from '../auth/node-authorizer.ts';
import { equalTrees, type ApiObject, type StoredObject } from '../object.ts';
import { forbidden } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const RESTRICTED = 'node-restriction.kubernetes.io';
/** Labels of Kubernetes' own that a kubelet may set. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
]);
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  validate(request) {
    const { served, context } = request;
    if (served.resource.group !== '') return;
    const node = nodeOf(context.user);
    if (node === undefined) return;
    const why =
      served.resource.plural === 'pods'
        ? podFault(node, request)
        : served.resource.plural === 'nodes'
          ? nodeFault(node, request)
          : undefined;
    if (why === undefined) return;
    const { object, old } = request;
    throw forbidden(served.resource, object?.metadata?.name ?? old?.metadata.name ?? '', why);
  },
};

function podFault(node: string, { operation, object, old, context }: AdmissionRequest): string | undefined {
  const before = old as (StoredObject & Pod) | undefined;
  const who = `node ${JSON.stringify(node)}`;
  if (context.subresource === 'status') {
    if (before?.spec?.nodeName !== node)
      return `${who} can only update pod status for pods with spec.nodeName set to itself`;
    return equalTrees(object?.metadata?.labels ?? {}, before.metadata.labels ?? {})
      ? undefined
      : `${who} cannot update labels through pod status`;
  }
  if (context.subresource !== '') return undefined;
  if (operation === 'DELETE') {
    return before?.spec?.nodeName === node
      ? undefined
      : `${who} can only delete pods with spec.nodeName set to itself`;
  }
  if (operation === 'UPDATE')
    return `unexpected operation "UPDATE", ${who} can only create and delete mirror pods`;
  return mirrorFault(node, object as Pod & ApiObject, context.objects.get('nodes', '', '', node));
}

function mirrorFault(
  node: string,
  { metadata, spec }: Pod & ApiObject,
  registered: StoredObject | undefined,
): string | undefined {
  const who = `node ${JSON.stringify(node)}`;
  if (metadata?.annotations?.[MIRROR] === undefined)
    return `pod does not have ${JSON.stringify(MIRROR)} annotation, ${who} can only create mirror pods`;
  if (spec?.nodeName !== node) return `${who} can only create pods with spec.nodeName set to itself`;
  const [owner, ...others] = metadata.ownerReferences ?? [];
  if (others.length > 0) return `${who} can only create pods with a single owner reference set to itself`;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `${who} can only create pods with an owner reference set to itself`;
  if (owner.controller !== true)
    return `${who} can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion === true)
    return `${who} must not set blockOwnerDeletion on an owner reference`;
  const uid = registered?.metadata.uid;
  if (uid !== undefined && owner.uid !== uid)
    return `node ${node} UID mismatch: expected ${uid} got ${owner.uid}`;
  if ((spec.serviceAccountName ?? '') !== '')
    return `${who} can not create pods that reference a service account`;
  const volumes = spec.volumes ?? [];
  if (volumes.some(({ secret }) => secret !== undefined))
    return `${who} can not create pods that reference secrets`;
  if (volumes.some(({ configMap }) => configMap !== undefined))
    return `${who} can not create pods that reference configmaps`;
  return volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined)
    ? `${who} can not create pods that reference persistentvolumeclaims`
    : undefined;
}

function nodeFault(node: string, { operation, object, old, context }: AdmissionRequest): string | undefined {
  const who = `node ${JSON.stringify(node)}`;
  const name = object?.metadata?.name ?? old?.metadata.name ?? '';
  if (name !== node) return `${who} is not allowed to modify node ${JSON.stringify(name)}`;
  if (operation === 'DELETE' || context.subresource === 'status') return undefined;
  const before = old as (StoredObject & Node) | undefined;
  if (operation === 'UPDATE' && !equalTrees((object as Node).spec?.taints ?? [], before?.spec?.taints ?? []))
    return `${who} is not allowed to modify taints`;
  const now = object?.metadata?.labels ?? {};
  const then = before?.metadata.labels ?? {};
  const changed = [...new Set([...Object.keys(now), ...Object.keys(then)])].filter(
    (key) => now[key] !== then[key],
  );
  const bad = changed.filter(isForbidden).sort();
  if (bad.length === 0) return undefined;
  return operation === 'CREATE'
    ? `${who} is not allowed to set the following labels: ${bad.join(', ')}`
    : `is not allowed to modify labels: ${bad.join(', ')}`;
}

/** Whether a label is one that pods are to be kept off untrusted nodes by. */
function isForbidden(label: string): boolean {
  const namespace = label.includes('/') ? label.slice(0, label.indexOf('/')) : '';
  const isIn = (domain: string): boolean => namespace === domain || namespace.endsWith(`.${domain}`);
  if (isIn(RESTRICTED)) return true;
  if (!isIn('kubernetes.io') && !isIn('k8s.io')) return false;
  return !KUBELET_LABELS.has(label) && !KUBELET_NAMESPACES.some(isIn);
}
