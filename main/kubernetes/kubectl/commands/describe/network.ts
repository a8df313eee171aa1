// Describes Services, Endpoints, EndpointSlices and Ingresses.
import { isStatus } from '../../../api/index.ts';
import type { Kubectl } from '../../kubectl.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { minorOfClient } from '../../rest/release.ts';
import { member, writeOwnEvents, type Describer } from './describer.ts';
import { mapText, type StringMap } from './writer.ts';

/** First releases that show IP families, the internal traffic policy, and that read EndpointSlices. */
const DUAL_STACK_SINCE = 20;
const INTERNAL_POLICY_SINCE = 31;
const SLICES_SINCE = 31;

/** More addresses than this are only counted. */
const ENDPOINTS_MAX = 3;

interface Slice extends AnyObject {
  readonly addressType?: string;
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[];
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
    readonly hostname?: string;
    readonly nodeName?: string;
    readonly zone?: string;
    readonly targetRef?: { readonly kind: string; readonly name: string };
  }[];
}

interface ServiceSpec {
  readonly type: string;
  readonly selector: StringMap;
  readonly ipFamilyPolicy: string;
  readonly ipFamilies: readonly string[];
  readonly clusterIP: string;
  readonly clusterIPs: readonly string[];
  readonly externalIPs: readonly string[];
  readonly externalName: string;
  readonly loadBalancerIP: string;
  readonly loadBalancerSourceRanges: readonly string[];
  readonly sessionAffinity: string;
  readonly externalTrafficPolicy: string;
  readonly internalTrafficPolicy: string;
  readonly healthCheckNodePort: number;
  readonly trafficDistribution: string;
  readonly ports: readonly {
    readonly name?: string;
    readonly port: number;
    readonly protocol: string;
    readonly targetPort?: number | string;
    readonly nodePort?: number;
  }[];
}

export const describeService: Describer = async (describing) => {
  const { kubectl, w, object } = describing;
  const spec = member<ServiceSpec>(object, 'spec');
  const { loadBalancer } = member<{
    loadBalancer: { ingress?: readonly { ip?: string; hostname?: string; ipMode?: string }[] };
  }>(object, 'status');
  const slices = await slicesOf(kubectl, object.metadata?.namespace ?? '', object.metadata?.name ?? '');
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `Selector:\t${mapText(spec.selector)}\nType:\t${spec.type ?? ''}\n`);
  const minor = minorOfClient(kubectl.version);
  if (minor >= DUAL_STACK_SINCE) {
    if (spec.ipFamilyPolicy !== undefined) w.write(0, `IP Family Policy:\t${spec.ipFamilyPolicy}\n`);
    w.write(0, `IP Families:\t${(spec.ipFamilies ?? []).join(',') || '<none>'}\n`);
  }
  w.write(0, `IP:\t${spec.clusterIP ?? ''}\n`);
  if (minor >= DUAL_STACK_SINCE) w.write(0, `IPs:\t${(spec.clusterIPs ?? []).join(',') || '<none>'}\n`);
  if ((spec.externalIPs ?? []).length > 0) w.write(0, `External IPs:\t${spec.externalIPs!.join(',')}\n`);
  if (spec.loadBalancerIP) w.write(0, `Desired LoadBalancer IP:\t${spec.loadBalancerIP}\n`);
  if (spec.externalName) w.write(0, `External Name:\t${spec.externalName}\n`);
  const ingress = (loadBalancer?.ingress ?? []).map(({ ip, hostname, ipMode }) =>
    ip === undefined || ip === '' ? (hostname ?? '') : `${ip}${ipMode === undefined ? '' : ` (${ipMode})`}`,
  );
  if (ingress.length > 0) w.write(0, `LoadBalancer Ingress:\t${ingress.join(', ')}\n`);
  for (const port of spec.ports ?? []) {
    const name = port.name === undefined || port.name === '' ? '<unset>' : port.name;
    w.write(0, `Port:\t${name}\t${port.port}/${port.protocol}\n`);
    w.write(
      0,
      `TargetPort:\t${port.targetPort === undefined ? '' : `${port.targetPort}/${port.protocol}`}\n`,
    );
    if ((port.nodePort ?? 0) !== 0) w.write(0, `NodePort:\t${name}\t${port.nodePort}/${port.protocol}\n`);
    w.write(0, `Endpoints:\t${endpointsText(slices, port.name ?? '')}\n`);
  }
  w.write(0, `Session Affinity:\t${spec.sessionAffinity ?? ''}\n`);
  if (spec.externalTrafficPolicy) w.write(0, `External Traffic Policy:\t${spec.externalTrafficPolicy}\n`);
  if (spec.internalTrafficPolicy && minor >= INTERNAL_POLICY_SINCE)
    w.write(0, `Internal Traffic Policy:\t${spec.internalTrafficPolicy}\n`);
  if (spec.trafficDistribution) w.write(0, `Traffic Distribution:\t${spec.trafficDistribution}\n`);
  if ((spec.healthCheckNodePort ?? 0) !== 0)
    w.write(0, `HealthCheck NodePort:\t${spec.healthCheckNodePort}\n`);
  if ((spec.loadBalancerSourceRanges ?? []).length > 0)
    w.write(0, `LoadBalancer Source Ranges:\t${spec.loadBalancerSourceRanges!.join(',')}\n`);
  await writeOwnEvents(describing);
};

async function slicesOf(kubectl: Kubectl, namespace: string, service: string): Promise<Slice[]> {
  if (minorOfClient(kubectl.version) < SLICES_SINCE) return slicesOfEndpoints(kubectl, namespace, service);
  const { items } = await kubectl.api.json<{ items: Slice[] | null }>({
    method: 'GET',
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    query: { labelSelector: `kubernetes.io/service-name=${service}` },
  });
  return items ?? [];
}

/** Older clients read the Service's Endpoints. */
async function slicesOfEndpoints(kubectl: Kubectl, namespace: string, service: string): Promise<Slice[]> {
  try {
    const { subsets } = await kubectl.api.json<{ subsets?: readonly Subset[] | null }>({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/endpoints/${service}`,
    });
    return (subsets ?? []).map(({ addresses = [], ports = [] }) => ({
      ports,
      endpoints: addresses.map(({ ip }) => ({ addresses: [ip] })),
    }));
  } catch (error) {
    if (isStatus(error, 'NotFound')) return [];
    throw error;
  }
}

/** The ready addresses behind a port, the first few of them. */
function endpointsText(slices: readonly Slice[], portName: string | undefined): string {
  if (slices.length === 0) return '<none>';
  const addresses: string[] = [];
  for (const { ports, endpoints } of slices) {
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    for (const { name = '', port } of ports ?? []) {
      if (portName !== undefined && name !== portName) continue;
      for (const endpoint of ready) addresses.push(`${endpoint.addresses[0]}:${port}`);
    }
  }
  const more = addresses.length - ENDPOINTS_MAX;
  return addresses.slice(0, ENDPOINTS_MAX).join(',') + (more > 0 ? ` + ${more} more...` : '');
}

interface Subset {
  readonly addresses?: readonly { readonly ip: string }[];
  readonly notReadyAddresses?: readonly { readonly ip: string }[];
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
}

export const describeEndpoints: Describer = async (describing) => {
  const { w, object } = describing;
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, 'Subsets:\n');
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of (object['subsets'] as
    | readonly Subset[]
    | undefined) ?? []) {
    w.write(1, `Addresses:\t${addresses.map(({ ip }) => ip).join(',') || '<none>'}\n`);
    w.write(1, `NotReadyAddresses:\t${notReadyAddresses.map(({ ip }) => ip).join(',') || '<none>'}\n`);
    if (ports.length > 0) {
      w.write(1, 'Ports:\n');
      w.write(2, 'Name\tPort\tProtocol\n');
      w.write(2, '----\t----\t--------\n');
      for (const { name, port, protocol } of ports)
        w.write(2, `${name || '<unset>'}\t${port}\t${protocol}\n`);
    }
    w.write(0, '\n');
  }
  await writeOwnEvents(describing);
};

export const describeEndpointSlice: Describer = async (describing) => {
  const { w, object } = describing;
  const slice = object as Slice;
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `AddressType:\t${slice.addressType}\n`);
  if ((slice.ports ?? []).length === 0) w.write(0, 'Ports: <unset>\n');
  else {
    w.write(0, 'Ports:\n');
    w.write(1, 'Name\tPort\tProtocol\n');
    w.write(1, '----\t----\t--------\n');
    for (const { name, port, protocol } of slice.ports!)
      w.write(1, `${name || '<unset>'}\t${port ?? '<unset>'}\t${protocol}\n`);
  }
  if ((slice.endpoints ?? []).length === 0) w.write(0, 'Endpoints: <none>\n');
  else {
    w.write(0, 'Endpoints:\n');
    for (const endpoint of slice.endpoints!) {
      w.write(1, `- Addresses:\t${endpoint.addresses.join(', ')}\n`);
      w.write(2, 'Conditions:\n');
      w.write(3, `Ready:\t${endpoint.conditions?.ready ?? '<unset>'}\n`);
      w.write(2, `Hostname:\t${endpoint.hostname ?? '<unset>'}\n`);
      if (endpoint.targetRef !== undefined)
        w.write(2, `TargetRef:\t${endpoint.targetRef.kind}/${endpoint.targetRef.name}\n`);
      w.write(2, `NodeName:\t${endpoint.nodeName ?? '<unset>'}\n`);
      w.write(2, `Zone:\t${endpoint.zone ?? '<unset>'}\n`);
    }
  }
  await writeOwnEvents(describing);
};

interface Backend {
  readonly service?: {
    readonly name: string;
    readonly port?: { readonly number?: number; readonly name?: string };
  };
  readonly resource?: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
}

interface IngressSpec {
  readonly ingressClassName: string;
  readonly defaultBackend: Backend;
  readonly tls: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
  readonly rules: readonly {
    readonly host?: string;
    readonly http?: { readonly paths: readonly { readonly path?: string; readonly backend: Backend }[] };
  }[];
}

export const describeIngress: Describer = async (describing) => {
  const { kubectl, w, object } = describing;
  const spec = member<IngressSpec>(object, 'spec');
  const status = member<{ loadBalancer: { ingress?: readonly { ip?: string; hostname?: string }[] } }>(
    object,
    'status',
  );
  const namespace = object.metadata?.namespace ?? '';
  const describe = (backend: Backend): Promise<string> => backendText(kubectl, namespace, backend);
  w.write(0, `Name:\t${object.metadata?.name}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.write(0, `Namespace:\t${namespace}\n`);
  w.write(
    0,
    `Address:\t${(status.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || (hostname ?? '')).join(',')}\n`,
  );
  w.write(0, `Ingress Class:\t${spec.ingressClassName ?? '<none>'}\n`);
  const fallback = spec.defaultBackend === undefined ? '<default>' : await describe(spec.defaultBackend);
  w.write(0, `Default backend:\t${fallback}\n`);
  if ((spec.tls ?? []).length > 0) {
    w.write(0, 'TLS:\n');
    for (const { hosts = [], secretName } of spec.tls!)
      w.write(
        1,
        `${secretName === undefined ? 'SNI routes' : `${secretName} terminates`} ${hosts.join(',')}\n`,
      );
  }
  w.write(0, 'Rules:\n');
  w.write(1, 'Host\tPath\tBackends\n');
  w.write(1, '----\t----\t--------\n');
  let count = 0;
  for (const { host, http } of spec.rules ?? []) {
    if (http === undefined) continue;
    count++;
    w.write(1, `${host || '*'}\t\n`);
    for (const { path = '', backend } of http.paths) w.write(2, `\t${path} \t${await describe(backend)}\n`);
  }
  if (count === 0) w.write(1, `*\t*\t${fallback}\n`);
  w.annotations('Annotations', object.metadata?.annotations);
  await writeOwnEvents(describing);
};

async function backendText(
  kubectl: Kubectl,
  namespace: string,
  { service, resource }: Backend,
): Promise<string> {
  if (resource !== undefined)
    return `APIGroup: ${resource.apiGroup ?? '<none>'}, Kind: ${resource.kind}, Name: ${resource.name}`;
  if (service === undefined) return '';
  const { name, port } = service;
  return `${name}:${port?.number ?? port?.name ?? ''} (${await servicePortText(kubectl, namespace, name, port)})`;
}

async function servicePortText(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  port: { readonly number?: number; readonly name?: string } | undefined,
): Promise<string> {
  try {
    const service = await kubectl.api.json<AnyObject>({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/services/${name}`,
    });
    const { ports = [] } = member<ServiceSpec>(service, 'spec');
    const match = ports.find((each) =>
      port?.name === undefined ? each.port === port?.number : each.name === port.name,
    );
    return endpointsText(
      await slicesOf(kubectl, namespace, name),
      match === undefined ? '' : (match.name ?? ''),
    );
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    return `<error: ${error.message}>`;
  }
}
