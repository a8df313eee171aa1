// Defaults of the built-in kinds other than pods (pkg/apis/*/v1/defaults.go).
import type {
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  HorizontalPodAutoscaler,
  IngressClass,
  Job,
  LimitRange,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  ClusterRoleBinding,
  Secret,
  Service,
  StatefulSet,
  StorageClass,
} from '../../api/types.ts';
import type { KubernetesObject } from '../../api/meta.ts';
import type { ApiObject } from '../object.ts';
import { admissionDefaults } from './admission-defaults.ts';
import { defaultPodSpec, roundUp } from './pod-defaults.ts';

type Defaulter = (object: never) => void;

function defaultTemplate(template: PodTemplateSpec | undefined): void {
  if (template?.spec !== undefined) defaultPodSpec(template.spec, false);
}

function pods({ spec }: Pod): void {
  if (spec !== undefined) defaultPodSpec(spec, true);
}

function services({ spec }: Service): void {
  if (spec === undefined) return;
  spec.sessionAffinity ??= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (
    spec.sessionAffinity === 'ClientIP' &&
    spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
  ) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } };
  }
  spec.type ??= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP';
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '')
      port.targetPort = port.port;
  }
  const hasExternalIps = spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0;
  const isExternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer' || hasExternalIps;
  if (isExternal) spec.externalTrafficPolicy ??= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
}

function serviceStatus(service: Service): void {
  for (const ingress of service.status?.loadBalancer?.ingress ?? [])
    if (ingress.ip !== undefined) ingress.ipMode ??= 'VIP';
}

function deployments({ spec }: Deployment): void {
  if (spec === undefined) return;
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ??= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {});
    rolling.maxUnavailable ??= '25%';
    rolling.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultTemplate(spec.template as PodTemplateSpec);
}

function replicasets({ spec }: ReplicaSet): void {
  if (spec === undefined) return;
  spec.replicas ??= 1;
  defaultTemplate(spec.template as PodTemplateSpec | undefined);
}

function replicationcontrollers(controller: ReplicationController): void {
  const { spec } = controller;
  if (spec === undefined) return;
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(controller.metadata?.labels ?? {}).length === 0)
      (controller.metadata ??= {}).labels = { ...labels };
  }
  spec.replicas ??= 1;
  defaultTemplate(spec.template as PodTemplateSpec | undefined);
}

function daemonsets({ spec }: DaemonSet): void {
  if (spec === undefined) return;
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ??= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {});
    rolling.maxUnavailable ??= 1;
    rolling.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultTemplate(spec.template as PodTemplateSpec);
}

function statefulsets({ spec }: StatefulSet): void {
  if (spec === undefined) return;
  spec.podManagementPolicy ??= 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ??= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {});
    rolling.partition ??= 0;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ??= 'Retain';
  retention.whenScaled ??= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  defaultTemplate(spec.template as PodTemplateSpec);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    claim.status ??= {};
    claim.status.phase ??= 'Pending';
    persistentvolumeclaims(claim as PersistentVolumeClaim);
  }
}

function jobSpec(spec: NonNullable<Job['spec']>): void {
  if (spec.completions === undefined && spec.parallelism === undefined) {
    if (spec.successPolicy === undefined) spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ??= 'True';
  }
}

function jobs(job: Job): void {
  const { spec } = job;
  if (spec === undefined) return;
  jobSpec(spec);
  defaultTemplate(spec.template as PodTemplateSpec);
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined && Object.keys(job.metadata?.labels ?? {}).length === 0)
    (job.metadata ??= {}).labels = { ...labels };
}

function cronjobs({ spec }: CronJob): void {
  if (spec === undefined) return;
  spec.concurrencyPolicy ??= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  defaultTemplate(spec.jobTemplate?.spec?.template as PodTemplateSpec | undefined);
}

function namespaces(namespace: Namespace): void {
  const name = namespace.metadata?.name;
  if (name !== undefined && name !== '') {
    const meta = (namespace.metadata ??= {});
    meta.labels = { ...meta.labels, 'kubernetes.io/metadata.name': name };
  }
  (namespace.status ??= {}).phase ??= 'Active';
}

function nodes({ status }: Node): void {
  if (status === undefined) return;
  roundUp(status.capacity);
  if (status.capacity !== undefined) status.allocatable ??= { ...status.capacity };
  roundUp(status.allocatable);
}

function secrets(secret: Secret): void {
  secret.type ??= 'Opaque';
  const { stringData } = secret;
  if (stringData === undefined) return;
  secret.data ??= {};
  for (const [key, value] of Object.entries(stringData))
    secret.data[key] = Buffer.from(value, 'utf8').toString('base64');
  delete secret.stringData;
}

function persistentvolumeclaims(claim: PersistentVolumeClaim): void {
  (claim.status ??= {}).phase ??= 'Pending';
  if (claim.spec === undefined) return;
  claim.spec.volumeMode ??= 'Filesystem';
  roundUp(claim.spec.resources?.requests);
  roundUp(claim.spec.resources?.limits);
}

function persistentvolumes(volume: PersistentVolume): void {
  (volume.status ??= {}).phase ??= 'Pending';
  if (volume.spec === undefined) return;
  roundUp(volume.spec.capacity);
  volume.spec.persistentVolumeReclaimPolicy ??= 'Retain';
  volume.spec.volumeMode ??= 'Filesystem';
  if (volume.spec.hostPath !== undefined) volume.spec.hostPath.type ??= '';
}

function storageclasses(storageClass: StorageClass): void {
  storageClass.reclaimPolicy ??= 'Delete';
  storageClass.volumeBindingMode ??= 'Immediate';
}

function ingressclasses({ spec }: IngressClass): void {
  if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
}

function networkpolicies({ spec }: NetworkPolicy): void {
  if (spec === undefined) return;
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
  }
  if ((spec.policyTypes?.length ?? 0) === 0) {
    spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
}

function endpoints(object: Endpoints): void {
  for (const subset of object.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ??= 'TCP';
}

function endpointslices(slice: EndpointSlice): void {
  for (const port of slice.ports ?? []) {
    port.name ??= '';
    port.protocol ??= 'TCP';
  }
}

type Behavior = NonNullable<NonNullable<HorizontalPodAutoscaler['spec']>['behavior']>;

function horizontalpodautoscalers({ spec }: HorizontalPodAutoscaler): void {
  if (spec === undefined) return;
  spec.minReplicas ??= 1;
  if ((spec.metrics?.length ?? 0) === 0) {
    spec.metrics = [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ];
  }
  const behavior: Behavior | undefined = spec.behavior;
  if (behavior === undefined) return;
  behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
    ...behavior.scaleUp,
  };
  behavior.scaleDown = {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    ...behavior.scaleDown,
  };
}

function limitranges({ spec }: LimitRange): void {
  for (const item of spec?.limits ?? []) {
    for (const list of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
      roundUp(item[list]);
    if (item.type !== 'Container') continue;
    const { max, min } = item;
    item.default ??= {};
    item.defaultRequest ??= {};
    for (const [name, value] of Object.entries(max ?? {})) item.default[name] ??= value;
    for (const [name, value] of Object.entries(item.default)) item.defaultRequest[name] ??= value;
    for (const [name, value] of Object.entries(min ?? {})) item.defaultRequest[name] ??= value;
    if (Object.keys(item.default).length === 0) delete item.default;
    if (Object.keys(item.defaultRequest).length === 0) delete item.defaultRequest;
  }
}

const RBAC_GROUP = 'rbac.authorization.k8s.io';

function bindings(binding: ClusterRoleBinding): void {
  if (binding.roleRef !== undefined && (binding.roleRef.apiGroup ?? '') === '')
    binding.roleRef.apiGroup = RBAC_GROUP;
  for (const subject of binding.subjects ?? []) {
    if ((subject.apiGroup ?? '') === '' && (subject.kind === 'User' || subject.kind === 'Group'))
      subject.apiGroup = RBAC_GROUP;
  }
}

function priorityclasses(priorityClass: PriorityClass): void {
  priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
}

function csidrivers(driver: KubernetesObject & { spec?: Record<string, unknown> }): void {
  const spec = (driver.spec ??= {});
  spec['attachRequired'] ??= true;
  spec['podInfoOnMount'] ??= false;
  spec['storageCapacity'] ??= false;
  spec['fsGroupPolicy'] ??= 'ReadWriteOnceWithFSType';
  spec['volumeLifecycleModes'] ??= ['Persistent'];
  spec['requiresRepublish'] ??= false;
  spec['seLinuxMount'] ??= false;
}

function customresourcedefinitions(definition: KubernetesObject & { spec?: Record<string, unknown> }): void {
  const { spec } = definition;
  if (spec === undefined) return;
  spec['conversion'] ??= { strategy: 'None' };
  const names = (spec['names'] ??= {}) as { singular?: string; listKind?: string; kind?: string };
  names.singular ??= (names.kind ?? '').toLowerCase();
  names.listKind ??= `${names.kind ?? ''}List`;
}

const all: Readonly<Record<string, Defaulter>> = {
  pods,
  services: (service: Service) => {
    services(service);
    serviceStatus(service);
  },
  deployments,
  replicasets,
  replicationcontrollers,
  daemonsets,
  statefulsets,
  jobs,
  cronjobs,
  podtemplates: ({ template }: { template?: PodTemplateSpec }) => defaultTemplate(template),
  namespaces,
  secrets,
  persistentvolumeclaims,
  persistentvolumes,
  storageclasses,
  ingressclasses,
  networkpolicies,
  endpoints,
  endpointslices,
  horizontalpodautoscalers,
  limitranges,
  resourcequotas: ({ spec }: ResourceQuota) => roundUp(spec?.hard),
  nodes,
  apiservices: ({ spec }: { spec?: { service?: { port?: number } } }) => {
    if (spec?.service !== undefined) spec.service.port ??= 443;
  },
  rolebindings: bindings,
  clusterrolebindings: bindings,
  priorityclasses,
  csidrivers,
  customresourcedefinitions,
  ...admissionDefaults,
};

/** The function that fills in an object of a kind; undefined where nothing has defaults. */
export function defaulterOf(plural: string): ((object: ApiObject) => void) | undefined {
  return all[plural] as ((object: ApiObject) => void) | undefined;
}
