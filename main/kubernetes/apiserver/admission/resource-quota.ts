// ResourceQuota: what a namespace may hold; usage is charged in the same turn as it's checked (apiserver admission/plugin/resourcequota).
import { addQuantities, compareQuantities, formatQuantity, requireQuantity } from '../../api/quantity.ts';
import type { Pod, PodSpec, PersistentVolumeClaim, ResourceQuota, Service } from '../../api/types.ts';
import { qosClassOf } from '../kinds/qos.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import { forbidden, qualified } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { podResources } from './limit-ranger.ts';

type Amounts = Record<string, string>;
type Quota = ResourceQuota & StoredObject;

/** Writes a quota's new usage. */
export type Charge = (quota: StoredObject, used: Amounts) => void;

/** Kinds that are counted under their own name, besides `count/…`. */
const COUNTED = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);
/** What every container must say when a quota limits it. */
const COMPUTE = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

export function resourceQuota(charge: Charge): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    validate(request) {
      const { operation, object, old, served, context } = request;
      if (operation === 'DELETE' || !served.resource.namespaced || context.subresource !== '') return;
      if (operation === 'UPDATE' && !['services', 'persistentvolumeclaims'].includes(served.resource.plural))
        return;
      const quotas = context.objects.list('resourcequotas', '', object?.metadata?.namespace);
      if (quotas.length === 0) return;
      const wanted = usageOf(request, object!);
      const before = old === undefined ? {} : usageOf(request, old);
      const charges = (quotas as readonly Quota[]).flatMap((quota) =>
        chargeOf(request, quota, wanted, before),
      );
      if (context.dryRun) return;
      for (const [quota, used] of charges) charge(quota, used);
    },
  };
}

function chargeOf(
  request: AdmissionRequest,
  quota: Quota,
  wanted: Amounts,
  before: Amounts,
): [Quota, Amounts][] {
  const hard = (quota.status?.hard ?? {}) as Amounts;
  const limited = Object.keys(wanted).filter((name) => (quota.spec?.hard as Amounts)?.[name] !== undefined);
  const isPod = request.served.resource.plural === 'pods';
  if (!isInScope(quota, request)) return [];
  const { resource } = request.served;
  const refuse = (why: string): Error => forbidden(resource, request.object?.metadata?.name ?? '', why);
  if (isPod) {
    const missing = missingOf(
      (request.object as Pod).spec!,
      Object.keys((quota.spec?.hard ?? {}) as Amounts),
    );
    if (missing !== '') throw refuse(`failed quota: ${quota.metadata.name}: must specify ${missing}`);
  }
  const unknown = limited.filter((name) => hard[name] === undefined);
  if (unknown.length > 0)
    throw refuse(`status unknown for quota: ${quota.metadata.name}, resources: ${unknown.sort().join(',')}`);
  const used = (quota.status?.used ?? {}) as Amounts;
  const delta = Object.fromEntries(
    limited
      .map((name) => [name, difference(wanted[name]!, before[name])] as const)
      .filter(([, amount]) => compareQuantities(amount, '0') !== 0),
  );
  const next: Amounts = { ...used };
  const exceeded: string[] = [];
  for (const [name, amount] of Object.entries(delta)) {
    next[name] = addQuantities(used[name] ?? '0', amount);
    if (compareQuantities(amount, '0') > 0 && compareQuantities(next[name], hard[name]!) > 0)
      exceeded.push(name);
  }
  if (exceeded.length > 0) {
    const shown = (amounts: Amounts): string =>
      exceeded
        .sort()
        .map((name) => `${name}=${amounts[name] ?? '0'}`)
        .join(',');
    throw refuse(
      `exceeded quota: ${quota.metadata.name}, requested: ${shown(delta)}, used: ${shown(used)}, limited: ${shown(hard)}`,
    );
  }
  return Object.keys(delta).length === 0 ? [] : [[quota, next]];
}

function difference(now: string, before: string | undefined): string {
  if (before === undefined) return now;
  const left = requireQuantity(now);
  return formatQuantity({ nano: left.nano - requireQuantity(before).nano, format: left.format });
}

function usageOf({ served }: AdmissionRequest, object: ApiObject): Amounts {
  const { plural, group } = served.resource;
  const usage: Amounts = { [`count/${qualified(served.resource)}`]: '1' };
  if (group !== '') return usage;
  if (COUNTED.has(plural)) usage[plural] = '1';
  if (plural === 'pods') Object.assign(usage, podUsage((object as Pod).spec!));
  if (plural === 'services') Object.assign(usage, serviceUsage(object as Service));
  if (plural === 'persistentvolumeclaims') {
    const { spec } = object as PersistentVolumeClaim;
    const storage = (spec?.resources?.requests as Amounts | undefined)?.['storage'];
    if (storage !== undefined) {
      usage['requests.storage'] = storage;
      const storageClass = spec?.storageClassName ?? '';
      if (storageClass !== '') {
        usage[`${storageClass}.storageclass.storage.k8s.io/requests.storage`] = storage;
        usage[`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`] = '1';
      }
    }
  }
  return usage;
}

function podUsage(spec: PodSpec): Amounts {
  const { requests, limits } = podResources(spec);
  const usage: Amounts = {};
  for (const [name, amount] of Object.entries(requests)) {
    usage[`requests.${name}`] = amount;
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) usage[`limits.${name}`] = amount;
  return usage;
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec?.ports?.length ?? 0;
  const isBalanced = spec?.type === 'LoadBalancer';
  const hasNodePorts =
    spec?.type === 'NodePort' || (isBalanced && spec.allocateLoadBalancerNodePorts !== false);
  return {
    'services.nodeports': String(hasNodePorts ? ports : 0),
    'services.loadbalancers': isBalanced ? '1' : '0',
  };
}

/** What containers don't say although a quota limits it, such as `limits.memory for: c; requests.cpu for: c`. */
function missingOf(spec: PodSpec, limited: readonly string[]): string {
  const missing = new Map<string, Set<string>>();
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const resources = container.resources as { requests?: Amounts; limits?: Amounts } | undefined;
    for (const name of limited.filter((each) => COMPUTE.includes(each))) {
      const [field, resource] = name.includes('.') ? name.split('.') : ['requests', name];
      if (resources?.[field as 'requests' | 'limits']?.[resource!] !== undefined) continue;
      missing.set(name, (missing.get(name) ?? new Set()).add(container.name));
    }
  }
  return [...missing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, containers]) => `${name} for: ${[...containers].sort().join(',')}`)
    .join('; ');
}

/** Whether a word is what a scope's operator asks for. */
function fitsWord(word: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'In') return values.includes(word);
  if (operator === 'NotIn') return !values.includes(word);
  return (word !== '') === (operator === 'Exists');
}

/** Whether a pod is placed by pods of other namespaces. */
function looksAcross({ affinity }: PodSpec): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((part) =>
    [
      ...(part?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(part?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => each.podAffinityTerm),
    ].some(
      ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
    ),
  );
}

/** Scopes are of pods, and one of claims; what has none is in quotas without scopes only. */
function isInScope({ spec }: ResourceQuota, { served, object }: AdmissionRequest): boolean {
  const { plural, group } = served.resource;
  const pod = plural === 'pods' && group === '' ? (object as Pod).spec : undefined;
  const claim =
    plural === 'persistentvolumeclaims' && group === '' ? (object as PersistentVolumeClaim).spec : undefined;
  const matches = (scope: string, operator: string, values: readonly string[]): boolean => {
    if (scope === 'VolumeAttributesClass')
      return claim !== undefined && fitsWord(claim.volumeAttributesClassName ?? '', operator, values);
    if (pod === undefined) return false;
    const isBestEffort = qosClassOf(pod) === 'BestEffort';
    const isTerminating = pod.activeDeadlineSeconds !== undefined;
    switch (scope) {
      case 'BestEffort':
        return isBestEffort;
      case 'NotBestEffort':
        return !isBestEffort;
      case 'Terminating':
        return isTerminating;
      case 'NotTerminating':
        return !isTerminating;
      case 'CrossNamespacePodAffinity':
        return looksAcross(pod);
      case 'PriorityClass':
        return fitsWord(pod.priorityClassName ?? '', operator, values);
      default:
        return false;
    }
  };
  const terms = [
    ...(spec?.scopes ?? []).map((scope) => ({ scopeName: scope, operator: 'Exists', values: [] })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  return terms.every(({ scopeName, operator, values = [] }) => matches(scopeName, operator, values));
}
