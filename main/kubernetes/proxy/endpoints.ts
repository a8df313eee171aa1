// Endpoints of a Service port, and which of them take its traffic on this node (kube-proxy's topology.go).
import type { EndpointSlice } from '../api/types.ts';
import {
  usesClusterEndpoints,
  usesLocalEndpoints,
  type Protocol,
  type ServicePort,
} from './service-ports.ts';

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
  /** `ip:port`. */
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly local: boolean;
  readonly nodeHints: readonly string[];
  readonly zoneHints: readonly string[];
}

export interface NodeTopology {
  readonly nodeName: string;
  /** Label topology.kubernetes.io/zone of the node. */
  readonly zone: string | undefined;
}

/** Name of a Service port among its slices: `portname/protocol`. */
export function portKey(portName: string, protocol: Protocol): string {
  return `${portName}/${protocol}`;
}

/** The endpoints of all slices of one Service by port key, each list sorted by `ip:port` and without doubles. */
export function endpointsOf(slices: Iterable<EndpointSlice>, nodeName: string): Map<string, Endpoint[]> {
  const byPort = new Map<string, Map<string, Endpoint>>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    for (const port of slice.ports ?? []) {
      if (port.port === undefined) continue;
      const key = portKey(port.name ?? '', (port.protocol ?? 'TCP').toLowerCase() as Protocol);
      let endpoints = byPort.get(key);
      if (endpoints === undefined) byPort.set(key, (endpoints = new Map()));
      for (const endpoint of slice.endpoints ?? []) {
        const ip = endpoint.addresses[0];
        if (ip === undefined) continue;
        const ready = endpoint.conditions?.ready ?? true;
        const address = `${ip}:${port.port}`;
        endpoints.set(address, {
          ip,
          port: port.port,
          address,
          ready,
          serving: endpoint.conditions?.serving ?? ready,
          terminating: endpoint.conditions?.terminating ?? false,
          local: endpoint.nodeName === nodeName,
          nodeHints: endpoint.hints?.forNodes?.map(({ name }) => name) ?? [],
          zoneHints: endpoint.hints?.forZones?.map(({ name }) => name) ?? [],
        });
      }
    }
  }
  const sorted = new Map<string, Endpoint[]>();
  for (const [key, endpoints] of byPort) {
    sorted.set(
      key,
      [...endpoints.values()].toSorted((a, b) =>
        a.address < b.address ? -1 : a.address > b.address ? 1 : 0,
      ),
    );
  }
  return sorted;
}

export interface EndpointChoice {
  /** For traffic policy Cluster. */
  readonly cluster: readonly Endpoint[];
  /** For traffic policy Local. */
  readonly local: readonly Endpoint[];
  /** All that this node can send to: the union of both. */
  readonly reachable: readonly Endpoint[];
  /** Whether anything in the cluster could take the traffic; otherwise it is rejected rather than dropped. */
  readonly hasAny: boolean;
}

const usable = (endpoint: Endpoint): boolean => endpoint.serving && endpoint.terminating;

/** CategorizeEndpoints of kube-proxy: ready ones, filtered by hints, else terminating ones that still serve. */
export function chooseEndpoints(
  endpoints: readonly Endpoint[],
  port: ServicePort,
  node: NodeTopology,
): EndpointChoice {
  let cluster: readonly Endpoint[] = [];
  let hasAny = false;
  if (usesClusterEndpoints(port)) {
    const suits = hintFilter(endpoints, node);
    cluster = endpoints.filter((endpoint) => endpoint.ready && suits(endpoint));
    if (cluster.length === 0) cluster = endpoints.filter(usable);
    hasAny = cluster.length > 0;
  }
  if (!usesLocalEndpoints(port)) return { cluster, local: [], reachable: cluster, hasAny };

  hasAny ||= endpoints.some((endpoint) => endpoint.ready || usable(endpoint));
  let local = endpoints.filter((endpoint) => endpoint.local && endpoint.ready);
  if (local.length === 0) local = endpoints.filter((endpoint) => endpoint.local && usable(endpoint));
  const extra = local.filter((endpoint) => !cluster.includes(endpoint));
  return { cluster, local, reachable: extra.length === 0 ? cluster : [...cluster, ...extra], hasAny };
}

/** Hints count only when every ready endpoint has them and one names this node (KEP-3015), else this zone (KEP-2433). */
function hintFilter(
  endpoints: readonly Endpoint[],
  { nodeName, zone }: NodeTopology,
): (endpoint: Endpoint) => boolean {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const forNode = (endpoint: Endpoint): boolean => endpoint.nodeHints.includes(nodeName);
  if (ready.every((endpoint) => endpoint.nodeHints.length > 0) && ready.some(forNode)) return forNode;
  if (zone === undefined || zone === '') return () => true;
  const forZone = (endpoint: Endpoint): boolean => endpoint.zoneHints.includes(zone);
  if (ready.every((endpoint) => endpoint.zoneHints.length > 0) && ready.some(forZone)) return forZone;
  return () => true;
}
