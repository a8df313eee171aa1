// What a cluster has from the start: namespaces, roles, priority classes, the kubernetes Service.
import { rfc3339 } from '../../simulation/index.ts';
import { apiVersionOf, type KubernetesObject } from '../api/meta.ts';
import { resources, type ResourceInfo } from '../api/resources.ts';
import type { EndpointSlice, Endpoints, PriorityClass, Service } from '../api/types.ts';
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './auth/bootstrap-policy.ts';
import { flowSchemas, priorityLevels } from './bootstrap-flows.ts';
import type { ServerCore } from './core.ts';
import type { Tree } from './object.ts';
import { ownWrite } from './verbs/request.ts';
import { shape } from './verbs/shaping.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Where the API server itself is reached. */
export interface Advertised {
  readonly address: string;
  readonly port: number;
  /** First address of the Service range, which the kubernetes Service has. */
  readonly serviceAddress: string;
  /** The Service range in CIDR notation. */
  readonly serviceRange: string;
}

const PRIORITY_CLASSES: readonly PriorityClass[] = [
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
];

/** groupPriorityMinimum of the groups served here (pkg/controlplane/apiserver/apis). */
const GROUP_PRIORITIES: Readonly<Record<string, number>> = {
  '': 18_000,
  extensions: 17_900,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
};

/** Makes what is missing. */
export function bootstrap(core: ServerCore, advertised: Advertised): void {
  const ensure = (resource: ResourceInfo, object: KubernetesObject): void =>
    ensureObject(core, resource, object);
  for (const name of NAMESPACES) ensure(resources.namespaces, { metadata: { name } });
  for (const role of clusterRoles) ensure(resources.clusterroles, role);
  for (const binding of clusterRoleBindings) ensure(resources.clusterrolebindings, binding);
  for (const role of roles) ensure(resources.roles, role);
  for (const binding of roleBindings) ensure(resources.rolebindings, binding);
  for (const priorityClass of PRIORITY_CLASSES) ensure(resources.priorityclasses, priorityClass);
  for (const level of priorityLevels) ensure(resources.prioritylevelconfigurations, level);
  for (const schema of flowSchemas(timeText(core))) ensure(resources.flowschemas, schema);
  ensureApiServices(core, ensure);
  ensureServiceRange(core, advertised.serviceRange, ensure);
  ensureKubernetesService(advertised, ensure);
}

function ensureObject(core: ServerCore, resource: ResourceInfo, object: KubernetesObject): void {
  const served = core.catalogue.find(resource);
  if (served === undefined) return; // Older versions don't serve it.
  const namespace = object.metadata?.namespace ?? '';
  if (served.table.get(namespace, object.metadata?.name ?? '') !== undefined) return;
  core.api.writer.create(ownWrite(served, namespace), shape(served, object as Tree).object);
}

function ensureApiServices(
  core: ServerCore,
  ensure: (resource: ResourceInfo, object: KubernetesObject) => void,
): void {
  const seen = new Set<string>();
  for (const resource of core.catalogue.builtIns) {
    const name = `${resource.version}.${resource.group}`;
    // The aggregator's own group has no APIService.
    if (seen.has(name) || resource.group === resources.apiservices.group) continue;
    seen.add(name);
    ensure(resources.apiservices, {
      metadata: { name, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: {
        ...(resource.group === '' ? {} : { group: resource.group }),
        version: resource.version,
        groupPriorityMinimum: GROUP_PRIORITIES[resource.group] ?? 15_000,
        versionPriority: resource.group === '' ? 1 : resource.version === 'v2' ? 30 : 15,
      },
      status: {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            lastTransitionTime: timeText(core),
            reason: 'Local',
            message: 'Local APIServices are always available',
          },
        ],
      },
    } as KubernetesObject);
  }
}

/** The default range of cluster IPs (KEP-1880). */
function ensureServiceRange(
  core: ServerCore,
  range: string,
  ensure: (resource: ResourceInfo, object: KubernetesObject) => void,
): void {
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: timeText(core), reason: '' };
  ensure(resources.servicecidrs, {
    metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    spec: { cidrs: [range] },
    status: { conditions: [{ ...ready, message: 'Kubernetes Service CIDR is ready' }] },
  } as KubernetesObject);
}

function timeText({ clock }: ServerCore): string {
  return rfc3339(clock.now());
}

/** The Service `kubernetes`, whose endpoints the server itself keeps. */
function ensureKubernetesService(
  { address, port, serviceAddress }: Advertised,
  ensure: (resource: ResourceInfo, object: KubernetesObject) => void,
): void {
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const service: Service = {
    apiVersion: apiVersionOf(resources.services),
    metadata: { name: 'kubernetes', namespace: 'default', labels },
    spec: {
      clusterIP: serviceAddress,
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
    },
  };
  ensure(resources.services, service);
  const endpoints: Endpoints = {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
  ensure(resources.endpoints, endpoints);
  const slice: EndpointSlice = {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
  ensure(resources.endpointslices, slice);
}
