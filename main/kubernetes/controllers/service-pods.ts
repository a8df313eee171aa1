// Which pods are behind a Service, and which Services a pod is behind, without looking at all of either.
import { keyOf, type ObjectKey, type Pod, type Service, type Stored } from '../api/index.ts';
import type { Informer } from '../client/index.ts';

const SELECTOR_INDEX = 'service-selector';
const LABEL_INDEX = 'label';

/** Adds the indexes that `podsBehind` and `servicesOf` read. */
export function indexServicesAndPods(services: Informer<Service>, pods: Informer<Pod>): void {
  services.indexer.addIndex(SELECTOR_INDEX, (service) => {
    const [first] = selectorEntries(service);
    return first === undefined ? [] : [filed(service, first)];
  });
  pods.indexer.addIndex(LABEL_INDEX, (pod) =>
    Object.entries(pod.metadata.labels ?? {}).map((entry) => filed(pod, entry)),
  );
}

/** The pods that the Service's selector picks. */
export function podsBehind(pods: Informer<Pod>, service: Stored<Service>): Stored<Pod>[] {
  const [first] = selectorEntries(service);
  if (first === undefined) return [];
  return pods.indexer.byIndex(LABEL_INDEX, filed(service, first)).filter((pod) => selects(service, pod));
}

/** The keys of the Services that pick this pod. */
export function servicesOf(services: Informer<Service>, pod: Stored<Pod>): ObjectKey[] {
  const keys: ObjectKey[] = [];
  for (const entry of Object.entries(pod.metadata.labels ?? {})) {
    for (const service of services.indexer.byIndex(SELECTOR_INDEX, filed(pod, entry))) {
      if (selects(service, pod)) keys.push(keyOf(service));
    }
  }
  return keys;
}

function selects(service: Stored<Service>, pod: Stored<Pod>): boolean {
  return selectorEntries(service).every(([name, value]) => pod.metadata.labels?.[name] === value);
}

function selectorEntries(service: Stored<Service>): [string, string][] {
  return Object.entries(service.spec?.selector ?? {});
}

function filed(object: Stored<Pod> | Stored<Service>, [name, value]: [string, string]): string {
  return `${object.metadata.namespace}\n${name}=${value}`;
}

/** The number a Service port leads to in this pod; undefined when the pod has no port of that name. */
export function targetPortOf(
  pod: Pod,
  port: NonNullable<NonNullable<Service['spec']>['ports']>[number],
): number | undefined {
  const target = port.targetPort;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  if (target === undefined || target === null || target === '') return port.port;
  const containers = [...(pod.spec?.containers ?? []), ...sidecarsOf(pod)];
  for (const container of containers) {
    for (const candidate of container.ports ?? []) {
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
        return candidate.containerPort;
    }
  }
  return undefined;
}

function sidecarsOf(pod: Pod): NonNullable<Pod['spec']>['containers'] {
  return (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
}

/** The pod's name as a host, when the Service gives its pods names (headless with hostname and subdomain). */
export function hostnameBehind(pod: Stored<Pod>, service: Stored<Service>): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  if (hostname === undefined || hostname === '' || subdomain !== service.metadata.name) return undefined;
  return pod.metadata.namespace === service.metadata.namespace ? hostname : undefined;
}

/** True if a change of the pod can change what Services say of it. */
export function endpointChanged(pod: Stored<Pod>, old: Stored<Pod>): boolean {
  return (
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    pod.status?.phase !== old.status?.phase ||
    pod.status?.podIP !== old.status?.podIP ||
    pod.status?.podIPs?.length !== old.status?.podIPs?.length ||
    pod.spec?.nodeName !== old.spec?.nodeName ||
    readyText(pod) !== readyText(old)
  );
}

function readyText(pod: Pod): string {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  return `${ready?.status}`;
}

export function sameLabels(
  a: Record<string, string> | undefined,
  b: Record<string, string> | undefined,
): boolean {
  if (a === b) return true;
  const [left, right] = [Object.entries(a ?? {}), b ?? {}];
  return left.length === Object.keys(right).length && left.every(([name, value]) => right[name] === value);
}
