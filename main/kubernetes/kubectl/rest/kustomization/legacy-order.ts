// The order in which kubectl kustomize tells objects: what others need first (kustomize's legacy order).
import type { AnyObject } from '../builder.ts';

const FIRST: readonly string[] = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const LAST: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** A copy in that order. */
export function inLegacyOrder(objects: readonly AnyObject[]): AnyObject[] {
  return objects.toSorted((a, b) => {
    const byKind = rank(a) - rank(b);
    if (byKind !== 0) return byKind;
    const [left, right] = [sortText(a), sortText(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

function rank({ kind = '' }: AnyObject): number {
  if (FIRST.includes(kind)) return FIRST.indexOf(kind) - FIRST.length;
  return LAST.includes(kind) ? LAST.indexOf(kind) + 1 : 0;
}

function sortText({ apiVersion = '', kind = '', metadata }: AnyObject): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['~G', apiVersion];
  return [group, version, kind, metadata?.namespace || '~X', metadata?.name || '~N'].join('_');
}
