// The live picture of a cluster: kept by watches, told to the screen when it has changed.
import type { Topology, TopologyMachine, TopologyPod, TopologyService } from '../../preload/contract.ts';
import type { Cluster } from '../cluster/index.ts';
import {
  podStatusText,
  resources,
  type EndpointSlice,
  type Node,
  type Pod,
  type Service,
  type Stored,
} from '../kubernetes/api/index.ts';
import { makeInformerFactory, type InformerFactory } from '../kubernetes/client/index.ts';
import type { HostLoop } from '../simulation/index.ts';

/** Wall time between two pictures, in ms. */
const PICTURE_MS = 120;
const EMPTY: Topology = { machines: [], pods: [], services: [] };
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export class TopologyDesk implements Disposable {
  private readonly host: HostLoop;
  private readonly tell: (topology: Topology) => void;
  private cluster: Cluster | undefined;
  private factory: InformerFactory | undefined;
  private running: Disposable | undefined;
  private timer: Disposable | undefined;
  private picture = EMPTY;
  private stale = false;

  constructor(host: HostLoop, tell: (topology: Topology) => void) {
    this.host = host;
    this.tell = tell;
  }

  /** Shows another cluster, or none. */
  follow(cluster: Cluster | undefined): void {
    if (cluster === this.cluster) return;
    this.running?.[Symbol.dispose]();
    this.running = undefined;
    this.factory = undefined;
    this.cluster = cluster;
    this.changed();
    if (cluster === undefined) return;
    const factory = makeInformerFactory(cluster.admin, cluster.clock);
    const changed = { add: () => this.changed(), update: () => this.changed(), delete: () => this.changed() };
    for (const resource of [resources.nodes, resources.pods, resources.services, resources.endpointslices]) {
      factory.informer(resource).handle(changed);
    }
    this.factory = factory;
    this.running = factory.start();
  }

  get current(): Topology {
    if (this.stale) {
      this.picture = this.draw();
      this.stale = false;
    }
    return this.picture;
  }

  /** True when every node is ready, and no pod is on its way or going. */
  isSettled(): boolean {
    if (this.factory === undefined) return true;
    const nodes = this.factory.informer<Node>(resources.nodes).lister.list();
    const pods = this.factory.informer<Pod>(resources.pods).lister.list();
    return nodes.length > 0 && nodes.every(isNodeReady) && pods.length > 0 && pods.every(isAtRest);
  }

  [Symbol.dispose](): void {
    this.running?.[Symbol.dispose]();
    this.timer?.[Symbol.dispose]();
  }

  private changed(): void {
    this.stale = true;
    this.timer ??= this.host.timeout(PICTURE_MS, () => {
      this.timer = undefined;
      this.tell(this.current);
    });
  }

  private draw(): Topology {
    const { cluster, factory } = this;
    if (cluster === undefined || factory === undefined) return EMPTY;
    const nodes = factory.informer<Node>(resources.nodes).lister;
    const slices = new Map<string, Stored<EndpointSlice>[]>();
    for (const slice of factory.informer<EndpointSlice>(resources.endpointslices).lister.list()) {
      const key = `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME_LABEL]}`;
      slices.set(key, [...(slices.get(key) ?? []), slice]);
    }
    return {
      machines: cluster.profile.machines.map(({ name, address, role }): TopologyMachine => {
        const node = nodes.get(name);
        return {
          name,
          address,
          role,
          ready: node === undefined ? undefined : isNodeReady(node),
          unschedulable: node?.spec?.unschedulable === true,
        };
      }),
      pods: sorted(factory.informer<Pod>(resources.pods).lister.list()).map(podPicture),
      services: sorted(factory.informer<Service>(resources.services).lister.list()).map((service) =>
        servicePicture(service, slices.get(`${service.metadata.namespace}/${service.metadata.name}`) ?? []),
      ),
    };
  }
}

function podPicture(pod: Stored<Pod>): TopologyPod {
  const { metadata, spec, status } = pod;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    status: podStatusText(pod),
    ready: isPodReady(pod),
    restarts: (status?.containerStatuses ?? []).reduce((sum, container) => sum + container.restartCount, 0),
    address: status?.podIP,
    node: spec?.nodeName,
    labels: metadata.labels ?? {},
  };
}

function servicePicture(service: Stored<Service>, slices: readonly Stored<EndpointSlice>[]): TopologyService {
  const { metadata, spec, status } = service;
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    type: spec?.type ?? 'ClusterIP',
    clusterIP: spec?.clusterIP,
    ports: (spec?.ports ?? []).map(
      ({ port, nodePort, protocol = 'TCP' }) =>
        `${port}${nodePort === undefined ? '' : `:${nodePort}`}/${protocol}`,
    ),
    externalAddresses: [
      ...(spec?.externalIPs ?? []),
      ...(status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? ''),
      ...(spec?.externalName === undefined ? [] : [spec.externalName]),
    ],
    sessionAffinity: spec?.sessionAffinity ?? 'None',
    endpoints: endpoints.map(({ addresses, conditions, targetRef }) => ({
      pod: targetRef?.kind === 'Pod' ? `${targetRef.namespace}/${targetRef.name}` : '',
      address: addresses[0] ?? '',
      ready: conditions?.ready !== false,
    })),
  };
}

function isNodeReady(node: Node): boolean {
  return (node.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
}

function isPodReady(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** Ready, finished, or failed for good: nothing to wait for. */
function isAtRest(pod: Stored<Pod>): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return isPodReady(pod) || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function sorted<T extends { readonly metadata: { readonly namespace?: string; readonly name: string } }>(
  objects: T[],
): T[] {
  const key = ({ metadata }: T): string => `${metadata.namespace}/${metadata.name}`;
  return objects.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
