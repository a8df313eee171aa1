// The EndpointSlice controller: the endpoints behind each Service, in slices of limited size.
import {
  isStatus,
  resources,
  type Endpoint,
  type EndpointPort,
  type EndpointSlice,
  type Node,
  type ObjectKey,
  type Pod,
  type Service,
  type Stored,
} from '../api/index.ts';
import type { Informer, Lister } from '../client/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { enqueueServices } from './endpoints.ts';
import { controllerReference } from './owner.ts';
import { isNamespaceTerminating } from './pod-control.ts';
import { isPodFinished, isPodReady } from './pod-state.ts';
import {
  hostnameBehind,
  indexServicesAndPods,
  podsBehind,
  sameLabels,
  targetPortOf,
} from './service-pods.ts';
import { sameJson } from './status.ts';
import { canonicalJson } from './template-hash.ts';
import { TRIGGER_TIME, TriggerTimes } from './trigger-time.ts';

/** The label by which a slice names its Service. */
export const SERVICE_NAME = 'kubernetes.io/service-name';
/** The label by which a slice names who keeps it. */
export const SLICE_MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** The index of slices by the key of their Service. */
export const SLICE_SERVICE_INDEX = 'service';
const MANAGER = 'endpointslice-controller.k8s.io';
const HEADLESS = 'service.kubernetes.io/headless';
const ZONE = 'topology.kubernetes.io/zone';
/** Endpoints in one slice (--max-endpoints-per-slice). */
const ENDPOINTS_PER_SLICE_MAX = 100;
const GATHER_MS = 10;
/** Syncs at once (--concurrent-service-endpoint-syncs). */
const WORKERS = 5;

interface Caches {
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly slices: Informer<EndpointSlice>;
  readonly nodes: Lister<Node>;
  readonly times: TriggerTimes;
}

/** Makes the EndpointSlice controller. */
export function makeEndpointSliceController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'endpointslice-controller',
    component: 'endpoint-slice-controller',
    workers: WORKERS,
    setUp(run) {
      const services = run.informer<Service>(resources.services);
      const pods = run.informer<Pod>(resources.pods);
      const slices = run.informer<EndpointSlice>(resources.endpointslices);
      const nodes = run.lister<Node>(resources.nodes);
      indexServicesAndPods(services, pods);
      indexSlices(slices);
      run.enqueueOn(services);
      run.on(pods, enqueueServices(run, services, GATHER_MS));
      const enqueueOf = (slice: Stored<EndpointSlice>): void => {
        if (slice.metadata.labels?.[SLICE_MANAGED_BY] === MANAGER) run.queue.add(serviceKeyOf(slice));
      };
      run.on(slices, {
        delete: enqueueOf,
        update: (slice, old) => {
          // Our own writes come back too; what differs from them was somebody else's doing.
          if (slice.metadata.generation !== old.metadata.generation) enqueueOf(old);
        },
      });
      const caches = { services, pods, slices, nodes, times: new TriggerTimes() };
      return (key) => sync(run, caches, key);
    },
  });
}

/** Files slices under the Service they belong to. */
export function indexSlices(slices: Informer<EndpointSlice>): void {
  slices.indexer.addIndex(SLICE_SERVICE_INDEX, (slice) => [serviceKeyOf(slice)]);
}

function serviceKeyOf(slice: Stored<EndpointSlice>): ObjectKey {
  return `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME] ?? ''}`;
}

async function sync(run: ControllerRun, caches: Caches, key: ObjectKey): Promise<void> {
  const service = caches.services.lister.get(key);
  if (service === undefined) return caches.times.forget(key); // The garbage collector takes the slices.
  if (service.spec?.type === 'ExternalName' || Object.keys(service.spec?.selector ?? {}).length === 0) return;

  const pods = podsBehind(caches.pods, service);
  const existing = caches.slices.indexer
    .byIndex(SLICE_SERVICE_INDEX, key)
    .filter(
      (slice) =>
        slice.metadata.labels?.[SLICE_MANAGED_BY] === MANAGER &&
        slice.metadata.deletionTimestamp === undefined,
    );
  const triggered = caches.times.next(key, service, pods);
  for (const family of service.spec?.ipFamilies ?? ['IPv4']) {
    const wanted = groupByPorts(service, pods, caches.nodes, family);
    await reconcile(run, {
      owner: service,
      addressType: family,
      labels: labelsOf(service),
      triggered,
      wanted,
      existing: existing.filter((slice) => slice.addressType === family),
      perSliceMax: ENDPOINTS_PER_SLICE_MAX,
    });
  }
}

/** Endpoints that share their ports. */
export interface PortGroup {
  readonly ports: EndpointPort[];
  readonly endpoints: Endpoint[];
}

function groupByPorts(
  service: Stored<Service>,
  pods: readonly Stored<Pod>[],
  nodes: Lister<Node>,
  family: string,
): PortGroup[] {
  const groups = new Map<string, PortGroup>();
  for (const pod of pods) {
    if (isPodFinished(pod)) continue;
    const address = addressOf(pod, family);
    if (address === undefined) continue;
    const node = pod.spec?.nodeName === undefined ? undefined : nodes.get(pod.spec.nodeName);
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) continue;
    const ports = portsOf(service, pod);
    const id = JSON.stringify(ports);
    let group = groups.get(id);
    if (group === undefined) groups.set(id, (group = { ports, endpoints: [] }));
    group.endpoints.push(endpointOf(service, pod, node, address));
  }
  return [...groups.values()];
}

function addressOf(pod: Pod, family: string): string | undefined {
  const addresses = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP];
  return addresses.find((ip) => ip !== undefined && ip !== '' && ip.includes(':') === (family === 'IPv6'));
}

function portsOf(service: Stored<Service>, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const port of service.spec?.ports ?? []) {
    const number = targetPortOf(pod, port);
    if (number === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = port;
    ports.push({ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports;
}

function endpointOf(
  service: Stored<Service>,
  pod: Stored<Pod>,
  node: Stored<Node> | undefined,
  address: string,
): Endpoint {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isPodReady(pod);
  const hostname = hostnameBehind(pod, service);
  const zone = node?.metadata.labels?.[ZONE];
  const { name, namespace, uid } = pod.metadata;
  return {
    addresses: [address],
    conditions: {
      ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', name, namespace, uid },
    ...(zone === undefined ? {} : { zone }),
  };
}

function labelsOf(service: Stored<Service>): Record<string, string> {
  const labels = { ...service.metadata.labels };
  delete labels[HEADLESS];
  if (service.spec?.clusterIP === 'None') labels[HEADLESS] = '';
  labels[SLICE_MANAGED_BY] = MANAGER;
  labels[SERVICE_NAME] = service.metadata.name;
  return labels;
}

/** What the slices of one owner and one address family should hold, and what is there. */
export interface SlicePlan {
  readonly owner: Stored<Service>;
  readonly addressType: string;
  readonly labels: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly triggered: string | undefined;
  readonly wanted: readonly PortGroup[];
  readonly existing: readonly Stored<EndpointSlice>[];
  readonly perSliceMax: number;
}

/**
 * Creates, updates and deletes slices until they hold what is wanted, writing as few of them as possible: endpoints
 * stay in the slice they are in, new ones fill the fullest slice that has room (endpointslice's reconcileByPortMapping).
 */
export async function reconcile(run: ControllerRun, plan: SlicePlan): Promise<void> {
  const slicesByPorts = Map.groupBy(plan.existing, (slice) => canonicalJson(slice.ports ?? []));
  const changes: {
    slice: Stored<EndpointSlice> | undefined;
    ports: EndpointPort[];
    endpoints: Endpoint[];
  }[] = [];
  // A Service without endpoints still has one empty slice, so that clients see it has none.
  const wanted = plan.wanted.length === 0 ? [{ ports: [], endpoints: [] }] : plan.wanted;
  for (const { ports, endpoints } of wanted) {
    const id = canonicalJson(ports);
    changes.push(
      ...distribute(
        ports,
        endpoints,
        slicesByPorts.get(id) ?? [],
        plan.perSliceMax,
        plan.wanted.length === 0,
      ),
    );
    slicesByPorts.delete(id);
  }
  const orphans = [...slicesByPorts.values()].flat();
  for (const { slice, ports, endpoints } of changes) {
    const recycled =
      slice ?? (endpoints.length > 0 || plan.wanted.length === 0 ? orphans.shift() : undefined);
    if (endpoints.length === 0 && slice !== undefined && plan.wanted.length > 0) await remove(run, slice);
    else await write(run, plan, recycled, ports, endpoints);
  }
  for (const slice of orphans) await remove(run, slice);
}

function distribute(
  ports: EndpointPort[],
  endpoints: readonly Endpoint[],
  slices: readonly Stored<EndpointSlice>[],
  max: number,
  placeholder: boolean,
): { slice: Stored<EndpointSlice> | undefined; ports: EndpointPort[]; endpoints: Endpoint[] }[] {
  const missing = new Map(endpoints.map((endpoint) => [idOf(endpoint), endpoint]));
  const plans: { slice: Stored<EndpointSlice> | undefined; ports: EndpointPort[]; endpoints: Endpoint[] }[] =
    slices.map((slice) => {
      const kept: Endpoint[] = [];
      for (const { addresses, targetRef } of slice.endpoints ?? []) {
        const id = idOf({ addresses, targetRef });
        const current = missing.get(id);
        if (current === undefined) continue;
        kept.push(current);
        missing.delete(id);
      }
      return { slice, ports, endpoints: kept };
    });
  const left = [...missing.values()];
  for (const plan of [...plans].sort((a, b) => b.endpoints.length - a.endpoints.length)) {
    if (left.length === 0) break;
    plan.endpoints.push(...left.splice(0, max - plan.endpoints.length));
  }
  while (left.length > 0) plans.push({ slice: undefined, ports, endpoints: left.splice(0, max) });
  if (placeholder && plans.length === 0) plans.push({ slice: undefined, ports, endpoints: [] });
  return plans;
}

function idOf({ addresses, targetRef }: Pick<Endpoint, 'addresses' | 'targetRef'>): string {
  return `${addresses.join(',')} ${targetRef?.uid ?? ''} ${targetRef?.name ?? ''}`;
}

async function write(
  run: ControllerRun,
  plan: SlicePlan,
  slice: Stored<EndpointSlice> | undefined,
  ports: EndpointPort[],
  endpoints: Endpoint[],
): Promise<void> {
  const { namespace, name } = plan.owner.metadata;
  const { labels } = plan;
  if (
    slice !== undefined &&
    sameJson(slice.endpoints ?? [], endpoints) &&
    sameJson(slice.ports ?? [], ports) &&
    sameLabels(slice.metadata.labels, labels)
  ) {
    return;
  }
  const annotations = { ...plan.annotations };
  if (plan.triggered !== undefined) annotations[TRIGGER_TIME] = plan.triggered;
  const metadata = { labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) };
  const { addressType } = plan;
  const body = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: addressType as EndpointSlice['addressType'],
    endpoints,
    ports,
  };
  try {
    if (slice === undefined) {
      const ownerReferences = [controllerReference(plan.owner)];
      const object = {
        ...body,
        metadata: { generateName: `${name}-`, namespace, ownerReferences, ...metadata },
      };
      await run.client.create<EndpointSlice>(resources.endpointslices, object, { namespace });
    } else {
      const kept = { ...slice.metadata };
      delete kept.annotations;
      await run.client.update<EndpointSlice>(
        resources.endpointslices,
        { ...body, metadata: { ...kept, ...metadata } },
        { namespace },
      );
    }
  } catch (error) {
    if (slice === undefined && isNamespaceTerminating(error)) return;
    throw error;
  }
}

async function remove(run: ControllerRun, slice: Stored<EndpointSlice>): Promise<void> {
  const { name, namespace } = slice.metadata;
  try {
    await run.client.delete(resources.endpointslices, name, { namespace });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
