// LimitRanger: what containers get of a namespace's LimitRanges, and what they may not exceed (plugin/pkg/admission/limitranger).
import { addQuantities, compareQuantities, quantityMilliValue } from '../../api/quantity.ts';
import type { Container, LimitRange, PersistentVolumeClaim, Pod, PodSpec } from '../../api/types.ts';
import { metaOf, type ApiObject } from '../object.ts';
import { forbidden } from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

type Amounts = Record<string, string>;
type LimitItem = NonNullable<NonNullable<LimitRange['spec']>['limits']>[number];

interface Resources {
  requests?: Amounts;
  limits?: Amounts;
}

const ANNOTATION = 'kubernetes.io/limit-ranger';

function rangesOf({ context, object }: AdmissionRequest): readonly LimitRange[] {
  return context.objects.list('limitranges', '', object?.metadata?.namespace) as readonly LimitRange[];
}

function concerns({ operation, served, context }: AdmissionRequest, plural: string): boolean {
  const { group } = served.resource;
  return (
    operation === 'CREATE' && context.subresource === '' && group === '' && served.resource.plural === plural
  );
}

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  mutate(request) {
    if (!concerns(request, 'pods')) return;
    const pod = request.object as Pod & ApiObject;
    if (pod.spec === undefined) return;
    for (const range of rangesOf(request)) fillIn(pod, range);
  },
  validate(request) {
    const isPod = concerns(request, 'pods');
    if (!isPod && !concerns(request, 'persistentvolumeclaims')) return;
    const { object, served } = request;
    for (const range of rangesOf(request)) {
      const faults = (range.spec?.limits ?? []).flatMap((limit) =>
        isPod ? podFaults((object as Pod).spec!, limit) : claimFaults(object as PersistentVolumeClaim, limit),
      );
      if (faults.length === 0) continue;
      const why = faults.length === 1 ? faults[0]! : `[${faults.join(', ')}]`;
      throw forbidden(served.resource, object?.metadata?.name ?? '', why);
    }
  },
};

function fillIn(pod: Pod & ApiObject, range: LimitRange): void {
  const requests: Amounts = {};
  const limits: Amounts = {};
  for (const limit of range.spec?.limits ?? []) {
    if (limit.type !== 'Container') continue;
    Object.assign(requests, limit.defaultRequest);
    Object.assign(limits, limit.default);
  }
  const told: string[] = [];
  const each = (containers: readonly Container[] | undefined, what: string): void => {
    for (const container of containers ?? []) {
      const resources = (container.resources ??= {}) as Resources;
      const set = (kind: 'request' | 'limit', amounts: Amounts): void => {
        const field = `${kind}s` as const;
        const missing = Object.keys(amounts).filter((name) => resources[field]?.[name] === undefined);
        if (missing.length === 0) return;
        resources[field] = {
          ...resources[field],
          ...Object.fromEntries(missing.map((name) => [name, amounts[name]!])),
        };
        told.push(`${missing.sort().join(', ')} ${kind} for ${what} ${container.name}`);
      };
      set('request', requests);
      set('limit', limits);
    }
  };
  each(pod.spec?.containers, 'container');
  each(pod.spec?.initContainers, 'init container');
  if (told.length === 0) return;
  const meta = metaOf(pod);
  meta.annotations = { ...meta.annotations, [ANNOTATION]: `LimitRanger plugin set: ${told.join('; ')}` };
}

function podFaults(spec: PodSpec, limit: LimitItem): string[] {
  if (limit.type === 'Container') {
    return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap((container) =>
      faultsOf((container.resources ?? {}) as Resources, limit),
    );
  }
  return limit.type === 'Pod' ? faultsOf(podResources(spec), limit) : [];
}

function claimFaults({ spec }: PersistentVolumeClaim, limit: LimitItem): string[] {
  if (limit.type !== 'PersistentVolumeClaim') return [];
  const requests = (spec?.resources?.requests ?? {}) as Amounts;
  const faults: string[] = [];
  const check = (amounts: Amounts | undefined, word: string, isFault: (order: number) => boolean): void => {
    for (const [name, amount] of sortedEntries(amounts)) {
      const asked = requests[name];
      const text = `${word} ${name} usage per PersistentVolumeClaim is ${amount}`;
      if (asked === undefined) faults.push(`${text}. No request is specified`);
      else if (isFault(compareQuantities(asked, amount))) faults.push(`${text}, but request is ${asked}`);
    }
  };
  check(limit.min as Amounts, 'minimum', (order) => order < 0);
  check(limit.max as Amounts, 'maximum', (order) => order > 0);
  return faults;
}

function faultsOf({ requests = {}, limits = {} }: Resources, limit: LimitItem): string[] {
  const faults: string[] = [];
  for (const [name, least] of sortedEntries(limit.min as Amounts)) {
    const text = `minimum ${name} usage per ${limit.type} is ${least}`;
    if (requests[name] === undefined) faults.push(`${text}. No request is specified`);
    else if (compareQuantities(requests[name], least) < 0)
      faults.push(`${text}, but request is ${requests[name]}`);
    else if (limits[name] !== undefined && compareQuantities(limits[name], least) < 0)
      faults.push(`${text}, but limit is ${limits[name]}`);
  }
  for (const [name, most] of sortedEntries(limit.max as Amounts)) {
    const text = `maximum ${name} usage per ${limit.type} is ${most}`;
    if (limits[name] === undefined) faults.push(`${text}. No limit is specified`);
    else if (compareQuantities(limits[name], most) > 0) faults.push(`${text}, but limit is ${limits[name]}`);
    else if (requests[name] !== undefined && compareQuantities(requests[name], most) > 0)
      faults.push(`${text}, but request is ${requests[name]}`);
  }
  for (const [name, ratio] of sortedEntries(limit.maxLimitRequestRatio as Amounts)) {
    const asked = quantityMilliValue(requests[name] ?? '0');
    const text = `${name} max limit to request ratio per ${limit.type} is ${ratio}`;
    if (asked === 0) faults.push(`${text}, but no request is specified or request is 0`);
    else if (limits[name] === undefined) faults.push(`${text}, but no limit is specified or limit is 0`);
    else {
      const found = quantityMilliValue(limits[name]) / asked;
      if (found * 1000 > quantityMilliValue(ratio))
        faults.push(`${text}, but provided ratio is ${found.toFixed(6)}`);
    }
  }
  return faults;
}

/** What a pod asks for as a whole: the sum of its containers, or the largest init container if that is more. */
export function podResources(spec: PodSpec): Required<Resources> {
  const total: Required<Resources> = { requests: {}, limits: {} };
  for (const field of ['requests', 'limits'] as const) {
    const sum = total[field];
    for (const container of spec.containers ?? []) {
      for (const [name, amount] of Object.entries((container.resources as Resources)?.[field] ?? {}))
        sum[name] = sum[name] === undefined ? amount : addQuantities(sum[name], amount);
    }
    for (const container of spec.initContainers ?? []) {
      for (const [name, amount] of Object.entries((container.resources as Resources)?.[field] ?? {}))
        if (sum[name] === undefined || compareQuantities(amount, sum[name]) > 0) sum[name] = amount;
    }
  }
  return total;
}
