// The Endpoints controller: the older list of addresses behind each Service, one object per Service.
import {
  isStatus,
  resources,
  type Endpoints,
  type ObjectKey,
  type Pod,
  type Service,
  type Stored,
} from '../api/index.ts';
import type { Informer } from '../client/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { messageOf } from './pod-control.ts';
import { isPodFinished, isPodReady } from './pod-state.ts';
import {
  endpointChanged,
  hostnameBehind,
  indexServicesAndPods,
  podsBehind,
  sameLabels,
  servicesOf,
  targetPortOf,
} from './service-pods.ts';
import { sameJson } from './status.ts';
import { TRIGGER_TIME, TriggerTimes } from './trigger-time.ts';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];

/** Addresses in one Endpoints object; more are left out, and an annotation says so. */
const ADDRESSES_MAX = 1000;
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
/** Changes of pods gather for this long, so that a rollout doesn't write once per pod. */
const GATHER_MS = 10;
/** Syncs at once (--concurrent-endpoint-syncs). */
const WORKERS = 5;

/** Makes the Endpoints controller. */
export function makeEndpointsController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'endpoints-controller',
    component: 'endpoint-controller',
    workers: WORKERS,
    setUp(run) {
      const services = run.informer<Service>(resources.services);
      const pods = run.informer<Pod>(resources.pods);
      const endpoints = run.informer<Endpoints>(resources.endpoints);
      const times = new TriggerTimes();
      indexServicesAndPods(services, pods);
      run.enqueueOn(services);
      run.on(pods, enqueueServices(run, services, GATHER_MS));
      run.on(endpoints, { delete: run.enqueue });
      return (key) => sync(run, { services, pods, endpoints, times }, key);
    },
  });
}

/** A pod handler that puts the Services of a changed pod on the queue. */
export function enqueueServices(
  run: ControllerRun,
  services: Informer<Service>,
  gatherMs: number,
): {
  add(pod: Stored<Pod>): void;
  update(pod: Stored<Pod>, old: Stored<Pod>): void;
  delete(pod: Stored<Pod>): void;
} {
  const enqueue = (pod: Stored<Pod>): void => {
    for (const key of servicesOf(services, pod)) run.queue.addAfter(key, gatherMs);
  };
  return {
    add: enqueue,
    delete: enqueue,
    update(pod, old) {
      const relabelled = !sameLabels(pod.metadata.labels, old.metadata.labels);
      if (!relabelled && !endpointChanged(pod, old)) return;
      enqueue(pod);
      if (relabelled) enqueue(old);
    },
  };
}

interface Caches {
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly endpoints: Informer<Endpoints>;
  readonly times: TriggerTimes;
}

async function sync(run: ControllerRun, caches: Caches, key: ObjectKey): Promise<void> {
  const service = caches.services.lister.get(key);
  const existing = caches.endpoints.lister.get(key);
  if (service === undefined) {
    caches.times.forget(key);
    // Like the real one, takes whatever bears the Service's name with it.
    if (existing !== undefined) await deleteEndpoints(run, existing);
    return;
  }
  if (service.spec?.type === 'ExternalName' || Object.keys(service.spec?.selector ?? {}).length === 0) return;

  const pods = podsBehind(caches.pods, service);
  const { subsets, truncated } = capped(subsetsOf(service, pods));
  const labels: Record<string, string> = { ...service.metadata.labels, [MANAGED_BY]: 'endpoint-controller' };
  if (service.spec?.clusterIP === 'None') labels[HEADLESS] = '';
  const triggered = caches.times.next(key, service, pods);
  const upToDate =
    existing !== undefined &&
    sameJson(existing.subsets ?? [], subsets) &&
    sameLabels(existing.metadata.labels, labels) &&
    (existing.metadata.annotations?.[OVER_CAPACITY] !== undefined) === truncated;
  if (upToDate) return;

  const annotations = { ...existing?.metadata.annotations };
  if (triggered === undefined) delete annotations[TRIGGER_TIME];
  else annotations[TRIGGER_TIME] = triggered;
  if (truncated) annotations[OVER_CAPACITY] = 'truncated';
  else delete annotations[OVER_CAPACITY];
  await write(run, service, existing, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...(existing?.metadata ?? { name: service.metadata.name, namespace: service.metadata.namespace }),
      labels,
      annotations,
    },
    subsets,
  });
}

async function write(
  run: ControllerRun,
  service: Stored<Service>,
  existing: Stored<Endpoints> | undefined,
  endpoints: Endpoints,
): Promise<void> {
  const { name, namespace } = service.metadata;
  try {
    if (existing === undefined) await run.client.create(resources.endpoints, endpoints, { namespace });
    else await run.client.update(resources.endpoints, endpoints, { namespace });
  } catch (error) {
    const [reason, verb] =
      existing === undefined ? ['FailedToCreateEndpoint', 'create'] : ['FailedToUpdateEndpoint', 'update'];
    if (!isStatus(error, 'Conflict')) {
      const message = `Failed to ${verb} endpoint for service ${namespace}/${name}: ${messageOf(error)}`;
      run.recorder.event(existing ?? endpoints, 'Warning', reason!, message);
    }
    throw error;
  }
}

async function deleteEndpoints(run: ControllerRun, endpoints: Stored<Endpoints>): Promise<void> {
  const { name, namespace } = endpoints.metadata;
  try {
    await run.client.delete(resources.endpoints, name, { namespace });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}

/** The addresses of the pods, grouped by the ports they answer on; ready ones apart from the others. */
function subsetsOf(service: Stored<Service>, pods: readonly Stored<Pod>[]): Subset[] {
  const unreadyToo = service.spec?.publishNotReadyAddresses === true;
  const groups = new Map<string, { ports: Subset['ports']; ready: Address[]; notReady: Address[] }>();
  for (const pod of pods) {
    const ip = pod.status?.podIP;
    if (ip === undefined || ip === '' || isPodFinished(pod)) continue;
    if (pod.metadata.deletionTimestamp !== undefined && !unreadyToo) continue;
    const ports = portsOf(service, pod);
    if (ports === undefined) continue;
    const id = JSON.stringify(ports);
    let group = groups.get(id);
    if (group === undefined) groups.set(id, (group = { ports, ready: [], notReady: [] }));
    (unreadyToo || isPodReady(pod) ? group.ready : group.notReady).push(addressOf(service, pod, ip));
  }
  return [...groups.values()].map(({ ports, ready, notReady }) => ({
    ...(ready.length > 0 ? { addresses: ready.sort(byIp) } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady.sort(byIp) } : {}),
    ...(ports!.length > 0 ? { ports } : {}),
  }));
}

/** Undefined when the pod has none of the Service's ports. */
function portsOf(service: Stored<Service>, pod: Stored<Pod>): Subset['ports'] | undefined {
  const wanted = service.spec?.ports ?? [];
  if (wanted.length === 0) return service.spec?.clusterIP === 'None' ? [] : undefined;
  const ports: NonNullable<Subset['ports']> = [];
  for (const port of wanted) {
    const number = targetPortOf(pod, port);
    if (number === undefined) continue;
    const { name, appProtocol, protocol = 'TCP' } = port;
    ports.push({
      ...(name === undefined || name === '' ? {} : { name }),
      port: number,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    });
  }
  return ports.length === 0 ? undefined : ports;
}

function addressOf(service: Stored<Service>, pod: Stored<Pod>, ip: string): Address {
  const hostname = hostnameBehind(pod, service);
  const { name, namespace, uid } = pod.metadata;
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ip,
    nodeName: pod.spec?.nodeName,
    targetRef: { kind: 'Pod', name, namespace, uid },
  };
}

function byIp(a: Address, b: Address): number {
  return a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0;
}

/** At most ADDRESSES_MAX addresses in all, ready ones first. */
function capped(subsets: Subset[]): { subsets: Subset[]; truncated: boolean } {
  const total = subsets.reduce(
    (sum, subset) => sum + (subset.addresses?.length ?? 0) + (subset.notReadyAddresses?.length ?? 0),
    0,
  );
  if (total <= ADDRESSES_MAX) return { subsets, truncated: false };
  let left = ADDRESSES_MAX;
  const kept = subsets.map((subset) => {
    const addresses = subset.addresses?.slice(0, left);
    left -= addresses?.length ?? 0;
    return { ...subset, addresses };
  });
  const shortened = kept.map((subset) => {
    const notReadyAddresses = subset.notReadyAddresses?.slice(0, left);
    left -= notReadyAddresses?.length ?? 0;
    return { ...subset, notReadyAddresses };
  });
  return { subsets: shortened, truncated: true };
}
