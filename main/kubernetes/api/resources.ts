// The table of built-in resources: names, scope, verbs and subresources of every kind that the API server has.
import type { Resource } from './meta.ts';

/** A subresource as discovery tells it. */
export interface Subresource {
  readonly name: string;
  /** `group/version` of the body when it isn't the parent's, such as `autoscaling/v1` for Scale. */
  readonly groupVersion?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** A resource with what discovery says of it. */
export interface ResourceInfo extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Name of the list kind, such as `PodList`. */
  readonly listKind: string;
}

const ALL_VERBS = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const;
const STATUS_VERBS = ['get', 'patch', 'update'] as const;
const PROXY_VERBS = ['create', 'delete', 'get', 'patch', 'update'] as const;

interface Options {
  readonly singular?: string;
  readonly short?: readonly string[];
  readonly all?: boolean;
  readonly categories?: readonly string[];
  readonly verbs?: readonly string[];
  readonly status?: boolean;
  readonly scale?: boolean;
  readonly more?: readonly Subresource[];
}

function define(
  groupVersion: string,
  plural: string,
  kind: string,
  namespaced: boolean,
  options: Options = {},
): ResourceInfo {
  const slash = groupVersion.indexOf('/');
  const subresources = [...(options.more ?? [])];
  if (options.scale === true) {
    subresources.push({ name: 'scale', groupVersion: 'autoscaling/v1', kind: 'Scale', verbs: STATUS_VERBS });
  }
  if (options.status === true) subresources.push({ name: 'status', kind, verbs: STATUS_VERBS });
  subresources.sort((a, b) => (a.name < b.name ? -1 : 1));
  return Object.freeze({
    group: slash < 0 ? '' : groupVersion.slice(0, slash),
    version: groupVersion.slice(slash + 1),
    plural,
    kind,
    namespaced,
    singular: options.singular ?? kind.toLowerCase(),
    shortNames: options.short ?? [],
    categories: options.categories ?? (options.all === true ? ['all'] : []),
    verbs: options.verbs ?? ALL_VERBS,
    subresources,
    listKind: `${kind}List`,
  });
}

const NAMESPACED = true;
const CLUSTER = false;

/**
 * Every built-in resource by its plural. Where two groups share a plural (events), the one of the core group has the
 * plain name and the other says its group.
 */
export const resources = Object.freeze({
  // core/v1
  bindings: define('v1', 'bindings', 'Binding', NAMESPACED, { verbs: ['create'] }),
  componentstatuses: define('v1', 'componentstatuses', 'ComponentStatus', CLUSTER, {
    short: ['cs'],
    verbs: ['get', 'list'],
  }),
  configmaps: define('v1', 'configmaps', 'ConfigMap', NAMESPACED, { short: ['cm'] }),
  endpoints: define('v1', 'endpoints', 'Endpoints', NAMESPACED, { short: ['ep'] }),
  events: define('v1', 'events', 'Event', NAMESPACED, { short: ['ev'] }),
  limitranges: define('v1', 'limitranges', 'LimitRange', NAMESPACED, { short: ['limits'] }),
  namespaces: define('v1', 'namespaces', 'Namespace', CLUSTER, {
    short: ['ns'],
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    status: true,
    more: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  }),
  nodes: define('v1', 'nodes', 'Node', CLUSTER, {
    short: ['no'],
    status: true,
    more: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: PROXY_VERBS }],
  }),
  persistentvolumeclaims: define('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', NAMESPACED, {
    short: ['pvc'],
    status: true,
  }),
  persistentvolumes: define('v1', 'persistentvolumes', 'PersistentVolume', CLUSTER, {
    short: ['pv'],
    status: true,
  }),
  pods: define('v1', 'pods', 'Pod', NAMESPACED, {
    short: ['po'],
    all: true,
    status: true,
    more: [
      { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
      { name: 'binding', kind: 'Binding', verbs: ['create'] },
      { name: 'ephemeralcontainers', kind: 'Pod', verbs: STATUS_VERBS },
      { name: 'eviction', groupVersion: 'policy/v1', kind: 'Eviction', verbs: ['create'] },
      { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
      { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
      { name: 'proxy', kind: 'PodProxyOptions', verbs: PROXY_VERBS },
      { name: 'resize', kind: 'Pod', verbs: STATUS_VERBS },
    ],
  }),
  podtemplates: define('v1', 'podtemplates', 'PodTemplate', NAMESPACED),
  replicationcontrollers: define('v1', 'replicationcontrollers', 'ReplicationController', NAMESPACED, {
    short: ['rc'],
    all: true,
    status: true,
    scale: true,
  }),
  resourcequotas: define('v1', 'resourcequotas', 'ResourceQuota', NAMESPACED, {
    short: ['quota'],
    status: true,
  }),
  secrets: define('v1', 'secrets', 'Secret', NAMESPACED),
  serviceaccounts: define('v1', 'serviceaccounts', 'ServiceAccount', NAMESPACED, {
    short: ['sa'],
    more: [
      { name: 'token', groupVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', verbs: ['create'] },
    ],
  }),
  services: define('v1', 'services', 'Service', NAMESPACED, {
    short: ['svc'],
    all: true,
    status: true,
    more: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: PROXY_VERBS }],
  }),

  // apiregistration.k8s.io/v1
  apiservices: define('apiregistration.k8s.io/v1', 'apiservices', 'APIService', CLUSTER, {
    categories: ['api-extensions'],
    status: true,
  }),

  // apps/v1
  controllerrevisions: define('apps/v1', 'controllerrevisions', 'ControllerRevision', NAMESPACED),
  daemonsets: define('apps/v1', 'daemonsets', 'DaemonSet', NAMESPACED, {
    short: ['ds'],
    all: true,
    status: true,
  }),
  deployments: define('apps/v1', 'deployments', 'Deployment', NAMESPACED, {
    short: ['deploy'],
    all: true,
    status: true,
    scale: true,
  }),
  replicasets: define('apps/v1', 'replicasets', 'ReplicaSet', NAMESPACED, {
    short: ['rs'],
    all: true,
    status: true,
    scale: true,
  }),
  statefulsets: define('apps/v1', 'statefulsets', 'StatefulSet', NAMESPACED, {
    short: ['sts'],
    all: true,
    status: true,
    scale: true,
  }),

  // events.k8s.io/v1
  eventsEventsK8sIo: define('events.k8s.io/v1', 'events', 'Event', NAMESPACED, { short: ['ev'] }),

  // authentication.k8s.io/v1, authorization.k8s.io/v1: asked, never stored
  selfsubjectreviews: define('authentication.k8s.io/v1', 'selfsubjectreviews', 'SelfSubjectReview', CLUSTER, {
    verbs: ['create'],
  }),
  tokenreviews: define('authentication.k8s.io/v1', 'tokenreviews', 'TokenReview', CLUSTER, {
    verbs: ['create'],
  }),
  localsubjectaccessreviews: define(
    'authorization.k8s.io/v1',
    'localsubjectaccessreviews',
    'LocalSubjectAccessReview',
    NAMESPACED,
    { verbs: ['create'] },
  ),
  selfsubjectaccessreviews: define(
    'authorization.k8s.io/v1',
    'selfsubjectaccessreviews',
    'SelfSubjectAccessReview',
    CLUSTER,
    {
      verbs: ['create'],
    },
  ),
  selfsubjectrulesreviews: define(
    'authorization.k8s.io/v1',
    'selfsubjectrulesreviews',
    'SelfSubjectRulesReview',
    CLUSTER,
    {
      verbs: ['create'],
    },
  ),
  subjectaccessreviews: define(
    'authorization.k8s.io/v1',
    'subjectaccessreviews',
    'SubjectAccessReview',
    CLUSTER,
    {
      verbs: ['create'],
    },
  ),

  // autoscaling/v2 and v1
  horizontalpodautoscalers: define(
    'autoscaling/v2',
    'horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
    NAMESPACED,
    {
      short: ['hpa'],
      all: true,
      status: true,
    },
  ),
  horizontalpodautoscalersV1: define(
    'autoscaling/v1',
    'horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
    NAMESPACED,
    {
      short: ['hpa'],
      all: true,
      status: true,
    },
  ),

  // batch/v1
  cronjobs: define('batch/v1', 'cronjobs', 'CronJob', NAMESPACED, { short: ['cj'], all: true, status: true }),
  jobs: define('batch/v1', 'jobs', 'Job', NAMESPACED, { all: true, status: true }),

  // certificates.k8s.io/v1
  certificatesigningrequests: define(
    'certificates.k8s.io/v1',
    'certificatesigningrequests',
    'CertificateSigningRequest',
    CLUSTER,
    {
      short: ['csr'],
      status: true,
      more: [{ name: 'approval', kind: 'CertificateSigningRequest', verbs: STATUS_VERBS }],
    },
  ),

  // networking.k8s.io/v1
  ingressclasses: define('networking.k8s.io/v1', 'ingressclasses', 'IngressClass', CLUSTER),
  ingresses: define('networking.k8s.io/v1', 'ingresses', 'Ingress', NAMESPACED, {
    short: ['ing'],
    status: true,
  }),
  ipaddresses: define('networking.k8s.io/v1', 'ipaddresses', 'IPAddress', CLUSTER, { short: ['ip'] }),
  networkpolicies: define('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy', NAMESPACED, {
    short: ['netpol'],
  }),
  servicecidrs: define('networking.k8s.io/v1', 'servicecidrs', 'ServiceCIDR', CLUSTER, { status: true }),

  // policy/v1
  poddisruptionbudgets: define('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget', NAMESPACED, {
    short: ['pdb'],
    status: true,
  }),

  // rbac.authorization.k8s.io/v1
  clusterrolebindings: define(
    'rbac.authorization.k8s.io/v1',
    'clusterrolebindings',
    'ClusterRoleBinding',
    CLUSTER,
  ),
  clusterroles: define('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole', CLUSTER),
  rolebindings: define('rbac.authorization.k8s.io/v1', 'rolebindings', 'RoleBinding', NAMESPACED),
  roles: define('rbac.authorization.k8s.io/v1', 'roles', 'Role', NAMESPACED),

  // storage.k8s.io/v1
  csidrivers: define('storage.k8s.io/v1', 'csidrivers', 'CSIDriver', CLUSTER),
  csinodes: define('storage.k8s.io/v1', 'csinodes', 'CSINode', CLUSTER),
  csistoragecapacities: define('storage.k8s.io/v1', 'csistoragecapacities', 'CSIStorageCapacity', NAMESPACED),
  storageclasses: define('storage.k8s.io/v1', 'storageclasses', 'StorageClass', CLUSTER, { short: ['sc'] }),
  volumeattachments: define('storage.k8s.io/v1', 'volumeattachments', 'VolumeAttachment', CLUSTER, {
    status: true,
  }),
  volumeattributesclasses: define(
    'storage.k8s.io/v1',
    'volumeattributesclasses',
    'VolumeAttributesClass',
    CLUSTER,
    {
      short: ['vac'],
    },
  ),

  // admissionregistration.k8s.io/v1
  mutatingadmissionpolicies: define(
    'admissionregistration.k8s.io/v1',
    'mutatingadmissionpolicies',
    'MutatingAdmissionPolicy',
    CLUSTER,
    { categories: ['api-extensions'] },
  ),
  mutatingadmissionpolicybindings: define(
    'admissionregistration.k8s.io/v1',
    'mutatingadmissionpolicybindings',
    'MutatingAdmissionPolicyBinding',
    CLUSTER,
    { categories: ['api-extensions'] },
  ),
  mutatingwebhookconfigurations: define(
    'admissionregistration.k8s.io/v1',
    'mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
    CLUSTER,
    { categories: ['api-extensions'] },
  ),
  validatingadmissionpolicies: define(
    'admissionregistration.k8s.io/v1',
    'validatingadmissionpolicies',
    'ValidatingAdmissionPolicy',
    CLUSTER,
    { categories: ['api-extensions'], status: true },
  ),
  validatingadmissionpolicybindings: define(
    'admissionregistration.k8s.io/v1',
    'validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
    CLUSTER,
    { categories: ['api-extensions'] },
  ),
  validatingwebhookconfigurations: define(
    'admissionregistration.k8s.io/v1',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    CLUSTER,
    { categories: ['api-extensions'] },
  ),

  // apiextensions.k8s.io/v1
  customresourcedefinitions: define(
    'apiextensions.k8s.io/v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    CLUSTER,
    {
      short: ['crd', 'crds'],
      categories: ['api-extensions'],
      status: true,
    },
  ),

  // scheduling.k8s.io/v1, coordination.k8s.io/v1, node.k8s.io/v1, discovery.k8s.io/v1
  priorityclasses: define('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass', CLUSTER, {
    short: ['pc'],
  }),
  leases: define('coordination.k8s.io/v1', 'leases', 'Lease', NAMESPACED),
  runtimeclasses: define('node.k8s.io/v1', 'runtimeclasses', 'RuntimeClass', CLUSTER),
  endpointslices: define('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice', NAMESPACED),

  // flowcontrol.apiserver.k8s.io/v1
  flowschemas: define('flowcontrol.apiserver.k8s.io/v1', 'flowschemas', 'FlowSchema', CLUSTER, {
    status: true,
  }),
  prioritylevelconfigurations: define(
    'flowcontrol.apiserver.k8s.io/v1',
    'prioritylevelconfigurations',
    'PriorityLevelConfiguration',
    CLUSTER,
    { status: true },
  ),

  // resource.k8s.io/v1
  deviceclasses: define('resource.k8s.io/v1', 'deviceclasses', 'DeviceClass', CLUSTER),
  resourceclaims: define('resource.k8s.io/v1', 'resourceclaims', 'ResourceClaim', NAMESPACED, {
    status: true,
  }),
  resourceclaimtemplates: define(
    'resource.k8s.io/v1',
    'resourceclaimtemplates',
    'ResourceClaimTemplate',
    NAMESPACED,
  ),
  resourceslices: define('resource.k8s.io/v1', 'resourceslices', 'ResourceSlice', CLUSTER),
});

/** All built-in resources, in the order of the table. */
export const builtInResources: readonly ResourceInfo[] = Object.freeze(Object.values(resources));
