// The printers of Services, what stands behind and before them, and of network policy (pkg/printers/internalversion).
import type {
  EndpointSlice,
  Endpoints,
  Ingress,
  IngressClass,
  NetworkPolicy,
  Service,
} from '../../api/types.ts';
import type { Printer } from '../kinds/kind.ts';
import { AGE, NAME, NONE, UNSET, age, printer } from './columns.ts';
import { CORE, labelsText, limited, selectorText } from './cells.ts';

function externalAddresses({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'LoadBalancer': {
      const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) =>
        ip !== undefined && ip !== '' ? ip : (hostname ?? ''),
      );
      const all = [...balanced, ...external];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return external.length === 0 ? NONE : external.join(',');
  }
}

const servicePrinter = printer<Service>(
  [
    NAME,
    `Type|@${CORE}.ServiceSpec.type`,
    `Cluster-IP|@${CORE}.ServiceSpec.clusterIP`,
    `External-IP|@${CORE}.ServiceSpec.externalIPs`,
    `Port(s)|@${CORE}.ServiceSpec.ports`,
    AGE,
    `Selector*|@${CORE}.ServiceSpec.selector`,
  ],
  (service, nowMs) => {
    const { spec } = service;
    const ports = (spec?.ports ?? []).map(
      ({ port, nodePort, protocol }) => `${port}${(nodePort ?? 0) > 0 ? `:${nodePort}` : ''}/${protocol}`,
    );
    return [
      service.metadata.name,
      spec?.type ?? '',
      spec?.clusterIPs?.[0] ?? spec?.clusterIP ?? NONE,
      externalAddresses(service),
      ports.length === 0 ? NONE : ports.join(','),
      age(service, nowMs),
      labelsText(spec?.selector),
    ];
  },
);

function endpointsText({ subsets }: Endpoints): string {
  const all: string[] = [];
  for (const { addresses = [], ports = [] } of subsets ?? []) {
    if (ports.length === 0) all.push(...addresses.map(({ ip }) => ip));
    for (const { port } of ports) all.push(...addresses.map(({ ip }) => `${ip}:${port}`));
  }
  return limited(all, 3);
}

function sliceText(slice: EndpointSlice): [string, string] {
  const ports = (slice.ports ?? []).map(({ port }) => (port === undefined ? '*' : String(port)));
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  const or = (text: string): string => (text === NONE ? UNSET : text);
  return [or(limited(ports, 3)), or(limited(addresses, 3))];
}

function ingressAddress({ status }: Ingress): string {
  return (status?.loadBalancer?.ingress ?? [])
    .map(({ ip, hostname }) => (ip !== undefined && ip !== '' ? ip : (hostname ?? '')))
    .join(',');
}

function hostsText({ spec }: Ingress): string {
  const hosts = [...(spec?.rules ?? [])].map(({ host }) => host ?? '').filter((host) => host !== '');
  return hosts.length === 0 ? '*' : limited(hosts, 3);
}

const NETWORKING = 'io.k8s.api.networking.v1';

interface ParentReference {
  readonly group?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** `resource.group/namespace/name`, as far as there is one. */
function parentText(parent: ParentReference | undefined): string {
  if (parent === undefined) return NONE;
  const { group = '', resource = '', namespace = '', name = '' } = parent;
  const parts = [group === '' ? resource : `${resource}.${group}`, namespace, name];
  return parts.filter((part) => part !== '').join('/');
}

export const networkPrinters: Readonly<Record<string, Printer>> = {
  services: servicePrinter,
  endpoints: printer<Endpoints>([NAME, `Endpoints|@${CORE}.Endpoints.subsets`, AGE], (object, nowMs) => [
    object.metadata.name,
    endpointsText(object),
    age(object, nowMs),
  ]),
  endpointslices: printer<EndpointSlice>(
    [
      NAME,
      'AddressType|@io.k8s.api.discovery.v1.EndpointSlice.addressType',
      'Ports|@io.k8s.api.discovery.v1.EndpointSlice.ports',
      'Endpoints|@io.k8s.api.discovery.v1.EndpointSlice.endpoints',
      AGE,
    ],
    (object, nowMs) => [object.metadata.name, object.addressType, ...sliceText(object), age(object, nowMs)],
  ),
  ingresses: printer<Ingress>(
    [
      NAME,
      'Class|The name of the IngressClass resource that should be used for additional configuration',
      'Hosts|Hosts that incoming requests are matched against before the ingress rule',
      'Address|Address is a list containing ingress points for the load-balancer',
      'Ports|Ports of TLS configurations that open',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.ingressClassName ?? NONE,
      hostsText(object),
      ingressAddress(object),
      (object.spec?.tls?.length ?? 0) > 0 ? '80, 443' : '80',
      age(object, nowMs),
    ],
  ),
  ingressclasses: printer<IngressClass>(
    [
      NAME,
      'Controller|Controller that is responsible for handling this class',
      'Parameters|A reference to a resource with additional parameters',
      AGE,
    ],
    (object, nowMs) => {
      const parameters = object.spec?.parameters;
      const group = parameters?.apiGroup === undefined ? '' : `.${parameters.apiGroup}`;
      return [
        object.metadata.name,
        object.spec?.controller ?? '',
        parameters === undefined ? NONE : `${parameters.kind}${group}/${parameters.name}`,
        age(object, nowMs),
      ];
    },
  ),
  networkpolicies: printer<NetworkPolicy>(
    [NAME, 'Pod-Selector|@io.k8s.api.networking.v1.NetworkPolicySpec.podSelector', AGE],
    (object, nowMs) => [object.metadata.name, selectorText(object.spec?.podSelector), age(object, nowMs)],
  ),
  ipaddresses: printer<{ spec?: { parentRef?: ParentReference } }>(
    [NAME, `ParentRef|@${NETWORKING}.IPAddressSpec.parentRef`],
    (object) => [object.metadata.name, parentText(object.spec?.parentRef)],
  ),
  servicecidrs: printer<{ spec?: { cidrs?: string[] } }>(
    [NAME, `CIDRs|@${NETWORKING}.ServiceCIDRSpec.cidrs`, AGE],
    (object, nowMs) => [object.metadata.name, (object.spec?.cidrs ?? []).join(','), age(object, nowMs)],
  ),
};
