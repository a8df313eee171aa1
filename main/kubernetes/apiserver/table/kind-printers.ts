// Printers of the built-in kinds, by plural (pkg/printers/internalversion).
import { summarizePod } from '../../api/pod-status.ts';
import {
  formatLabelSelector,
  labelSelectorOf,
  labelsSelector,
  type LabelSelectorSpec,
} from '../../api/selector.ts';
import type {
  ClusterRoleBinding,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Event,
  HorizontalPodAutoscaler,
  Ingress,
  IngressClass,
  Job,
  Lease,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ResourceQuota,
  Secret,
  Service,
  StatefulSet,
  StorageClass,
} from '../../api/types.ts';
import type { Cell, Printer } from '../kinds/kind.ts';
import { textAt, type StoredObject } from '../object.ts';
import { age, AGE, META, NAME, NONE, plainNamed, printer, TEMPLATE, UNSET } from './columns.ts';
import { ageOf, humanDuration } from './duration.ts';

const CORE = 'io.k8s.api.core.v1';

function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(labels ?? {}).length === 0 ? NONE : formatLabelSelector(labelsSelector(labels));
}

function selectorText(selector: unknown): string {
  if (selector === undefined) return NONE;
  const text = formatLabelSelector(labelSelectorOf(selector as LabelSelectorSpec));
  return text === '' ? NONE : text;
}

interface WithTemplate {
  readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
}

function templateCells(template: WithTemplate | undefined): [string, string] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map(({ name }) => name).join(','), containers.map(({ image = '' }) => image).join(',')];
}

const podPrinter = printer<Pod>(
  [
    NAME,
    'Ready|The aggregate readiness state of this pod for accepting traffic.',
    'Status|The aggregate status of the containers in this pod.',
    'Restarts|The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    AGE,
    `IP*|@${CORE}.PodStatus.podIP`,
    `Node*|@${CORE}.PodSpec.nodeName`,
    `Nominated Node*|@${CORE}.PodStatus.nominatedNodeName`,
    `Readiness Gates*|@${CORE}.PodSpec.readinessGates`,
  ],
  (pod, nowMs) => {
    const { status, readyContainers, totalContainers, restarts, lastRestart } = summarizePod(pod);
    const restartText =
      lastRestart === undefined || restarts === 0
        ? String(restarts)
        : `${restarts} (${ageOf(lastRestart, nowMs)} ago)`;
    const gates = pod.spec?.readinessGates ?? [];
    const passed = gates.filter(({ conditionType }) =>
      (pod.status?.conditions ?? []).some(
        (condition) => condition.type === conditionType && condition.status === 'True',
      ),
    ).length;
    return [
      pod.metadata.name,
      `${readyContainers}/${totalContainers}`,
      status,
      restartText,
      age(pod, nowMs),
      pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? NONE,
      (pod.spec?.nodeName ?? '') === '' ? NONE : pod.spec!.nodeName!,
      pod.status?.nominatedNodeName ?? NONE,
      gates.length === 0 ? NONE : `${passed}/${gates.length}`,
    ];
  },
);

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

const nodePrinter = printer<Node>(
  [
    NAME,
    'Status|The status of the node',
    'Roles|The roles of the node',
    AGE,
    `Version|@${CORE}.NodeSystemInfo.kubeletVersion`,
    `Internal-IP*|@${CORE}.NodeStatus.addresses`,
    `External-IP*|@${CORE}.NodeStatus.addresses`,
    `OS-Image*|@${CORE}.NodeSystemInfo.osImage`,
    `Kernel-Version*|@${CORE}.NodeSystemInfo.kernelVersion`,
    `Container-Runtime*|@${CORE}.NodeSystemInfo.containerRuntimeVersion`,
  ],
  (node, nowMs) => {
    const ready = (node.status?.conditions ?? []).find(({ type }) => type === 'Ready');
    const status = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
    const roles = new Set<string>();
    for (const [label, value] of Object.entries(node.metadata.labels ?? {})) {
      if (label.startsWith('node-role.kubernetes.io/'))
        roles.add(label.slice('node-role.kubernetes.io/'.length));
      else if (label === 'kubernetes.io/role' && value !== '') roles.add(value);
    }
    const address = (type: string): string =>
      (node.status?.addresses ?? []).find((item) => item.type === type)?.address ?? NONE;
    const known = (text: string | undefined): string =>
      text === undefined || text === '' ? '<unknown>' : text;
    const info = node.status?.nodeInfo;
    return [
      node.metadata.name,
      node.spec?.unschedulable === true ? `${status},SchedulingDisabled` : status,
      roles.size === 0 ? NONE : [...roles].sort().join(','),
      age(node, nowMs),
      info?.kubeletVersion ?? '',
      address('InternalIP'),
      address('ExternalIP'),
      known(info?.osImage),
      known(info?.kernelVersion),
      known(info?.containerRuntimeVersion),
    ];
  },
);

const replicaSetSpecs = (schema: string, selector: string): string[] => [
  NAME,
  `i:Desired|@${schema}Spec.replicas`,
  `i:Current|@${schema}Status.replicas`,
  `i:Ready|@${schema}Status.readyReplicas`,
  AGE,
  ...TEMPLATE,
  `Selector*|${selector}`,
];

function replicasRow(object: ReplicaSet & StoredObject, nowMs: number, selector: string): Cell[] {
  const { spec, status } = object;
  return [
    object.metadata.name,
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(object, nowMs),
    ...templateCells(spec?.template as WithTemplate),
    selector,
  ];
}

/** Addresses and ports, at most three, with how many more there are. */
function limited(items: readonly string[], most: number): string {
  if (items.length === 0) return NONE;
  const text = items.slice(0, most).join(',');
  return items.length > most ? `${text} + ${items.length - most} more...` : text;
}

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

function jobStatus(job: Job): string {
  const condition = (type: string): boolean =>
    (job.status?.conditions ?? []).some((item) => item.type === type && item.status === 'True');
  if (condition('Complete')) return 'Complete';
  if (condition('Failed')) return 'Failed';
  if (job.metadata?.deletionTimestamp !== undefined) return 'Terminating';
  if (condition('Suspended')) return 'Suspended';
  if (condition('FailureTarget')) return 'FailureTarget';
  if (condition('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function jobCells(job: Job, nowMs: number): [string, string] {
  const { spec, status } = job;
  const parallelism = spec?.parallelism ?? 1;
  const wanted =
    spec?.completions === undefined
      ? parallelism > 1
        ? `1 of ${parallelism}`
        : '1'
      : String(spec.completions);
  let duration = '';
  if (status?.startTime !== undefined) {
    const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
    duration = humanDuration(endMs - Date.parse(status.startTime));
  }
  return [`${status?.succeeded ?? 0}/${wanted}`, duration];
}

type Metric = NonNullable<NonNullable<HorizontalPodAutoscaler['spec']>['metrics']>[number];

function metricText(metric: Metric, index: number, { status }: HorizontalPodAutoscaler): string {
  const { resource } = metric;
  const current = status?.currentMetrics?.[index]?.resource?.current;
  if (resource === undefined) return '<unknown type>';
  const { target } = resource;
  if (target.averageValue !== undefined)
    return `${resource.name}: ${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
  const now = current?.averageUtilization;
  return `${resource.name}: ${now === undefined ? '<unknown>' : `${now}%`}/${target.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`}`;
}

function targetsText(autoscaler: HorizontalPodAutoscaler): string {
  const texts = (autoscaler.spec?.metrics ?? []).map((metric, index) =>
    metricText(metric, index, autoscaler),
  );
  if (texts.length === 0) return NONE;
  return texts.length > 2
    ? `${texts.slice(0, 2).join(', ')} + ${texts.length - 2} more...`
    : texts.join(', ');
}

const ACCESS_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesText(modes: readonly string[] | undefined): string {
  const present = new Set(modes ?? []);
  return Object.keys(ACCESS_MODES)
    .filter((mode) => present.has(mode))
    .map((mode) => ACCESS_MODES[mode])
    .join(',');
}

function quotaCells({ status, spec }: ResourceQuota): [string, string] {
  const requests: string[] = [];
  const limits: string[] = [];
  const hard = status?.hard ?? spec?.hard ?? {};
  for (const name of Object.keys(hard).sort()) {
    const text = `${name}: ${status?.used?.[name] ?? 0}/${hard[name]}`;
    (name.startsWith('limits.') ? limits : requests).push(text);
  }
  return [requests.join(', '), limits.join(', ')];
}

function subjectCells(binding: ClusterRoleBinding): [string, string, string] {
  const of = (kind: string): string =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
      .join(', ');
  return [of('User'), of('Group'), of('ServiceAccount')];
}

const RBAC = 'io.k8s.api.rbac.v1';
const bindingPrinter = (schema: string): Printer =>
  printer<ClusterRoleBinding>(
    [
      NAME,
      `Role|@${RBAC}.${schema}.roleRef`,
      AGE,
      'Users*|Users in the roleBinding',
      'Groups*|Groups in the roleBinding',
      'ServiceAccounts*|ServiceAccounts in the roleBinding',
    ],
    (binding, nowMs) => [
      binding.metadata.name,
      `${binding.roleRef.kind}/${binding.roleRef.name}`,
      age(binding, nowMs),
      ...subjectCells(binding),
    ],
  );

const createdAt = printer<object>([NAME, `d:Created At|${META}.creationTimestamp`], ({ metadata }) => [
  metadata.name,
  metadata.creationTimestamp,
]);

function eventTimes(event: Event, nowMs: number): [last: string, first: string, count: number] {
  const { firstTimestamp, lastTimestamp, eventTime, series, count } = event;
  const first = firstTimestamp ?? eventTime;
  let last = lastTimestamp ?? undefined;
  let times = count ?? 1;
  if (series !== undefined) {
    last = series.lastObservedTime ?? last;
    times = series.count ?? times;
  } else if (last === undefined || last === null) last = eventTime;
  const firstText = ageOf(first, nowMs);
  const lastText = ageOf(last, nowMs);
  return [times > 1 ? `${lastText} (x${times} over ${firstText})` : lastText, firstText, times];
}

const APPS = 'io.k8s.api.apps.v1';

const NETWORKING = 'io.k8s.api.networking.v1';
const FLOW = 'io.k8s.api.flowcontrol.v1';
const CSI_DRIVER = '@io.k8s.api.storage.v1.CSIDriverSpec';

interface ParamKind {
  readonly apiVersion?: string;
  readonly kind?: string;
}

interface AdmissionPolicy {
  readonly spec?: {
    readonly validations?: readonly unknown[];
    readonly mutations?: readonly unknown[];
    readonly paramKind?: ParamKind;
  };
}

interface AdmissionPolicyBinding {
  readonly spec?: {
    readonly policyName?: string;
    readonly paramRef?: { readonly name?: string; readonly namespace?: string };
  };
}

interface ApiService {
  readonly spec?: { readonly service?: { readonly namespace?: string; readonly name?: string } };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
  };
}

interface CsiDriver {
  readonly spec?: {
    readonly attachRequired?: boolean;
    readonly podInfoOnMount?: boolean;
    readonly storageCapacity?: boolean;
    readonly requiresRepublish?: boolean;
    readonly tokenRequests?: readonly { readonly audience?: string }[];
    readonly volumeLifecycleModes?: readonly string[];
  };
}

interface ParentReference {
  readonly group?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

interface FlowSchema {
  readonly spec?: {
    readonly priorityLevelConfiguration?: { readonly name?: string };
    readonly matchingPrecedence?: number;
    readonly distinguisherMethod?: { readonly type?: string };
  };
  readonly status?: { readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] };
}

interface PriorityLevel {
  readonly spec?: {
    readonly type?: string;
    readonly limited?: {
      readonly nominalConcurrencyShares?: number;
      readonly limitResponse?: {
        readonly queuing?: {
          readonly queues?: number;
          readonly handSize?: number;
          readonly queueLengthLimit?: number;
        };
      };
    };
  };
}

const BINDING_COLUMNS = [
  NAME,
  'PolicyName|PolicyName indicates the policy definition which the policy binding binded to',
  'ParamRef|ParamRef indicates the param resource which sets the configration param',
  AGE,
];

function bindingRow(object: AdmissionPolicyBinding & StoredObject, nowMs: number): Cell[] {
  const { policyName = '', paramRef } = object.spec ?? {};
  const place = paramRef?.namespace ?? '*';
  const param =
    paramRef === undefined ? UNSET : paramRef.name === undefined ? '*' : `${place}/${paramRef.name}`;
  return [object.metadata.name, policyName, param, age(object, nowMs)];
}

function paramKindText(kind: ParamKind | undefined): string {
  return kind === undefined ? UNSET : `${kind.apiVersion}/${kind.kind}`;
}

function availabilityText({ status }: ApiService): string {
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`;
}

/** What is matched first comes first. */
function byPrecedence(printer: Printer): Printer {
  const precedence = (object: StoredObject): number => Number(textAt(object, 'spec', 'matchingPrecedence'));
  return {
    get columns() {
      return printer.columns;
    },
    row: (object, nowMs) => printer.row(object, nowMs),
    order: (a, b) => precedence(a) - precedence(b),
  };
}

/** `resource.group/namespace/name`, as far as there is one. */
function parentText(parent: ParentReference | undefined): string {
  if (parent === undefined) return NONE;
  const { group = '', resource = '', namespace = '', name = '' } = parent;
  const parts = [group === '' ? resource : `${resource}.${group}`, namespace, name];
  return parts.filter((part) => part !== '').join('/');
}

export const printers: Readonly<Record<string, Printer>> = {
  pods: podPrinter,
  services: servicePrinter,
  nodes: nodePrinter,
  replicasets: printer<ReplicaSet>(
    replicaSetSpecs(`${APPS}.ReplicaSet`, `@${APPS}.ReplicaSetSpec.selector`),
    (object, nowMs) => replicasRow(object, nowMs, selectorText(object.spec?.selector)),
  ),
  replicationcontrollers: printer<ReplicaSet>(
    replicaSetSpecs(`${CORE}.ReplicationController`, `@${CORE}.ReplicationControllerSpec.selector`),
    (object, nowMs) =>
      replicasRow(
        object,
        nowMs,
        labelsText(object.spec?.selector as unknown as Record<string, string> | undefined),
      ),
  ),
  deployments: printer<Deployment>(
    [
      NAME,
      'Ready|Number of the pod with ready state',
      `Up-to-date|@${APPS}.DeploymentStatus.updatedReplicas`,
      `Available|@${APPS}.DeploymentStatus.availableReplicas`,
      AGE,
      ...TEMPLATE,
      `Selector*|@${APPS}.DeploymentSpec.selector`,
    ],
    (object, nowMs) => [
      object.metadata.name,
      `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
      object.status?.updatedReplicas ?? 0,
      object.status?.availableReplicas ?? 0,
      age(object, nowMs),
      ...templateCells(object.spec?.template as WithTemplate),
      selectorText(object.spec?.selector),
    ],
  ),
  statefulsets: printer<StatefulSet>(
    [NAME, 'Ready|Number of the pod with ready state', AGE, ...TEMPLATE],
    (object, nowMs) => [
      object.metadata.name,
      `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
      age(object, nowMs),
      ...templateCells(object.spec?.template as WithTemplate),
    ],
  ),
  daemonsets: printer<DaemonSet>(
    [
      NAME,
      `i:Desired|@${APPS}.DaemonSetStatus.desiredNumberScheduled`,
      `i:Current|@${APPS}.DaemonSetStatus.currentNumberScheduled`,
      `i:Ready|@${APPS}.DaemonSetStatus.numberReady`,
      `i:Up-to-date|@${APPS}.DaemonSetStatus.updatedNumberScheduled`,
      `i:Available|@${APPS}.DaemonSetStatus.numberAvailable`,
      `Node Selector|@${CORE}.PodSpec.nodeSelector`,
      AGE,
      ...TEMPLATE,
      `Selector*|@${APPS}.DaemonSetSpec.selector`,
    ],
    (object, nowMs) => {
      const { spec, status } = object;
      const template = spec?.template as
        | (WithTemplate & { spec?: { nodeSelector?: Record<string, string> } })
        | undefined;
      return [
        object.metadata.name,
        status?.desiredNumberScheduled ?? 0,
        status?.currentNumberScheduled ?? 0,
        status?.numberReady ?? 0,
        status?.updatedNumberScheduled ?? 0,
        status?.numberAvailable ?? 0,
        labelsText(template?.spec?.nodeSelector),
        age(object, nowMs),
        ...templateCells(template),
        selectorText(spec?.selector),
      ];
    },
  ),
  jobs: printer<Job>(
    [
      NAME,
      'Status|Status of the job.',
      `Completions|@io.k8s.api.batch.v1.JobStatus.succeeded`,
      'Duration|Time required to complete the job.',
      AGE,
      ...TEMPLATE,
      `Selector*|@io.k8s.api.batch.v1.JobSpec.selector`,
    ],
    (job, nowMs) => [
      job.metadata.name,
      jobStatus(job),
      ...jobCells(job, nowMs),
      age(job, nowMs),
      ...templateCells(job.spec?.template as WithTemplate),
      selectorText(job.spec?.selector),
    ],
  ),
  cronjobs: printer<CronJob>(
    [
      NAME,
      `Schedule|@io.k8s.api.batch.v1.CronJobSpec.schedule`,
      `Timezone|@io.k8s.api.batch.v1.CronJobSpec.timeZone`,
      `b:Suspend|@io.k8s.api.batch.v1.CronJobSpec.suspend`,
      `i:Active|@io.k8s.api.batch.v1.CronJobStatus.active`,
      `Last Schedule|@io.k8s.api.batch.v1.CronJobStatus.lastScheduleTime`,
      AGE,
      ...TEMPLATE,
      `Selector*|@io.k8s.api.batch.v1.JobSpec.selector`,
    ],
    (job, nowMs) => {
      const { spec, status } = job;
      return [
        job.metadata.name,
        spec?.schedule ?? '',
        spec?.timeZone ?? NONE,
        spec?.suspend === true ? 'True' : 'False',
        status?.active?.length ?? 0,
        status?.lastScheduleTime === undefined ? NONE : ageOf(status.lastScheduleTime, nowMs),
        age(job, nowMs),
        ...templateCells(spec?.jobTemplate?.spec?.template as WithTemplate | undefined),
        selectorText(spec?.jobTemplate?.spec?.selector),
      ];
    },
  ),
  podtemplates: printer<{ template?: WithTemplate & { metadata?: { labels?: Record<string, string> } } }>(
    [
      NAME,
      'Containers|Names of each container in the template.',
      'Images|Images referenced by each container in the template.',
      'Pod Labels|The labels for the pod template.',
    ],
    (object) => [
      object.metadata.name,
      ...templateCells(object.template),
      labelsText(object.template?.metadata?.labels),
    ],
  ),
  configmaps: printer<{ data?: object; binaryData?: object }>(
    [NAME, `Data|@${CORE}.ConfigMap.data`, AGE],
    (object, nowMs) => [
      object.metadata.name,
      Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
      age(object, nowMs),
    ],
  ),
  secrets: printer<Secret>(
    [NAME, `Type|@${CORE}.Secret.type`, `Data|@${CORE}.Secret.data`, AGE],
    (object, nowMs) => [
      object.metadata.name,
      object.type ?? '',
      Object.keys(object.data ?? {}).length,
      age(object, nowMs),
    ],
  ),
  serviceaccounts: printer<object>([NAME, AGE], (object, nowMs) => [
    object.metadata.name,
    age(object, nowMs),
  ]),
  namespaces: printer<{ status?: { phase?: string } }>(
    [NAME, 'Status|The status of the namespace', AGE],
    (object, nowMs) => [object.metadata.name, object.status?.phase ?? '', age(object, nowMs)],
  ),
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
  events: printer<Event>(
    [
      `Last Seen|@${CORE}.Event.lastTimestamp`,
      `Type|@${CORE}.Event.type`,
      `Reason|@${CORE}.Event.reason`,
      `Object|@${CORE}.Event.involvedObject`,
      `Subobject*|@${CORE}.ObjectReference.fieldPath`,
      `Source*|@${CORE}.Event.source`,
      `Message|@${CORE}.Event.message`,
      `First Seen*|@${CORE}.Event.firstTimestamp`,
      `Count*|@${CORE}.Event.count`,
      `Name*|${META}.name`,
    ],
    (event, nowMs) => {
      const [last, first, count] = eventTimes(event, nowMs);
      const { kind = '', name = '', fieldPath = '' } = event.involvedObject;
      const source = event.source?.component ?? event.reportingComponent ?? '';
      const host = event.source?.host ?? '';
      return [
        last,
        event.type ?? '',
        event.reason ?? '',
        name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
        fieldPath,
        host === '' ? source : `${source}, ${host}`,
        (event.message ?? '').trim(),
        first,
        count,
        event.metadata.name,
      ];
    },
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
  horizontalpodautoscalers: printer<HorizontalPodAutoscaler>(
    [
      NAME,
      'Reference|@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef',
      'Targets|@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.metrics',
      'MinPods|@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas',
      'MaxPods|@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas',
      'Replicas|@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      `${object.spec?.scaleTargetRef.kind}/${object.spec?.scaleTargetRef.name}`,
      targetsText(object),
      object.spec?.minReplicas === undefined ? UNSET : String(object.spec.minReplicas),
      object.spec?.maxReplicas ?? 0,
      object.status?.currentReplicas ?? 0,
      age(object, nowMs),
    ],
  ),
  poddisruptionbudgets: printer<PodDisruptionBudget>(
    [
      NAME,
      'Min Available|The minimum number of pods that must be available.',
      'Max Unavailable|The maximum number of pods that may be unavailable.',
      'i:Allowed Disruptions|Calculated number of pods that may be disrupted at this time.',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.minAvailable === undefined ? 'N/A' : String(object.spec.minAvailable),
      object.spec?.maxUnavailable === undefined ? 'N/A' : String(object.spec.maxUnavailable),
      object.status?.disruptionsAllowed ?? 0,
      age(object, nowMs),
    ],
  ),
  resourcequotas: printer<ResourceQuota>(
    [
      NAME,
      'Request|Request represents a minimum amount of cpu/memory that a container may consume.',
      'Limit|Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      AGE,
    ],
    (object, nowMs) => [object.metadata.name, ...quotaCells(object), age(object, nowMs)],
  ),
  limitranges: createdAt,
  roles: createdAt,
  clusterroles: createdAt,
  rolebindings: bindingPrinter('RoleBinding'),
  clusterrolebindings: bindingPrinter('ClusterRoleBinding'),
  leases: printer<Lease>(
    [NAME, 'Holder|@io.k8s.api.coordination.v1.LeaseSpec.holderIdentity', AGE],
    (object, nowMs) => [object.metadata.name, object.spec?.holderIdentity ?? '', age(object, nowMs)],
  ),
  // Of a subresource, by its kind.
  Scale: plainNamed<{ spec?: { replicas?: number }; status?: { replicas?: number } }>(
    [
      NAME,
      'i:Desired|@io.k8s.api.autoscaling.v1.ScaleSpec.replicas',
      'i:Available|@io.k8s.api.autoscaling.v1.ScaleStatus.replicas',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.replicas ?? 0,
      object.status?.replicas ?? 0,
      age(object, nowMs),
    ],
  ),
  controllerrevisions: printer<{ revision?: number }>(
    [NAME, 'Controller|Controller of the object', `Revision|@${APPS}.ControllerRevision.revision`, AGE],
    (object, nowMs) => {
      const owner = (object.metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
      const [group = ''] = owner?.apiVersion.includes('/') === true ? owner.apiVersion.split('/') : [''];
      const kind = owner === undefined ? '' : `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
      return [
        object.metadata.name,
        owner === undefined ? NONE : `${kind}/${owner.name}`,
        object.revision ?? 0,
        age(object, nowMs),
      ];
    },
  ),
  persistentvolumeclaims: printer<PersistentVolumeClaim>(
    [
      NAME,
      `Status|@${CORE}.PersistentVolumeClaimStatus.phase`,
      `Volume|@${CORE}.PersistentVolumeClaimSpec.volumeName`,
      `Capacity|@${CORE}.PersistentVolumeClaimStatus.capacity`,
      `Access Modes|@${CORE}.PersistentVolumeClaimStatus.accessModes`,
      'StorageClass|StorageClass of the pvc',
      'VolumeAttributesClass|VolumeAttributesClass of the pvc',
      AGE,
      `VolumeMode*|@${CORE}.PersistentVolumeClaimSpec.volumeMode`,
    ],
    (claim, nowMs) => {
      const { spec, status } = claim;
      const isBound = (spec?.volumeName ?? '') !== '';
      return [
        claim.metadata.name,
        claim.metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
        spec?.volumeName ?? '',
        isBound ? String(status?.capacity?.['storage'] ?? '') : '',
        isBound ? modesText(status?.accessModes) : '',
        spec?.storageClassName ?? '',
        spec?.volumeAttributesClassName ?? UNSET,
        age(claim, nowMs),
        spec?.volumeMode ?? UNSET,
      ];
    },
  ),
  persistentvolumes: printer<PersistentVolume>(
    [
      NAME,
      `Capacity|@${CORE}.PersistentVolumeSpec.capacity`,
      `Access Modes|@${CORE}.PersistentVolumeSpec.accessModes`,
      `Reclaim Policy|@${CORE}.PersistentVolumeSpec.persistentVolumeReclaimPolicy`,
      `Status|@${CORE}.PersistentVolumeStatus.phase`,
      `Claim|@${CORE}.PersistentVolumeSpec.claimRef`,
      'StorageClass|StorageClass of the pv',
      'VolumeAttributesClass|VolumeAttributesClass of the pv',
      `Reason|@${CORE}.PersistentVolumeStatus.reason`,
      AGE,
      `VolumeMode*|@${CORE}.PersistentVolumeSpec.volumeMode`,
    ],
    (volume, nowMs) => {
      const { spec, status } = volume;
      const claim = spec?.claimRef;
      return [
        volume.metadata.name,
        String(spec?.capacity?.['storage'] ?? ''),
        modesText(spec?.accessModes),
        spec?.persistentVolumeReclaimPolicy ?? '',
        volume.metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
        claim === undefined ? '' : `${claim.namespace}/${claim.name}`,
        spec?.storageClassName ?? '',
        spec?.volumeAttributesClassName ?? UNSET,
        status?.reason ?? '',
        age(volume, nowMs),
        spec?.volumeMode ?? UNSET,
      ];
    },
  ),
  storageclasses: printer<StorageClass>(
    [
      NAME,
      'Provisioner|@io.k8s.api.storage.v1.StorageClass.provisioner',
      'ReclaimPolicy|@io.k8s.api.storage.v1.StorageClass.reclaimPolicy',
      'VolumeBindingMode|@io.k8s.api.storage.v1.StorageClass.volumeBindingMode',
      'AllowVolumeExpansion|@io.k8s.api.storage.v1.StorageClass.allowVolumeExpansion',
      AGE,
    ],
    (object, nowMs) => {
      const isDefault =
        object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
      return [
        isDefault ? `${object.metadata.name} (default)` : object.metadata.name,
        object.provisioner,
        object.reclaimPolicy ?? 'Delete',
        object.volumeBindingMode ?? 'Immediate',
        object.allowVolumeExpansion ?? false,
        age(object, nowMs),
      ];
    },
  ),
  priorityclasses: printer<PriorityClass>(
    [
      NAME,
      'i:Value|@io.k8s.api.scheduling.v1.PriorityClass.value',
      'b:Global-Default|@io.k8s.api.scheduling.v1.PriorityClass.globalDefault',
      AGE,
      'PreemptionPolicy|@io.k8s.api.scheduling.v1.PriorityClass.preemptionPolicy',
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.value ?? 0,
      object.globalDefault ?? false,
      age(object, nowMs),
      object.preemptionPolicy ?? '',
    ],
  ),
  runtimeclasses: printer<{ handler?: string }>([NAME, 'Handler|', AGE], (object, nowMs) => [
    object.metadata.name,
    object.handler ?? '',
    age(object, nowMs),
  ]),
  validatingwebhookconfigurations: printer<{ webhooks?: unknown[] }>(
    [NAME, 'i:Webhooks|Webhooks indicates the number of webhooks registered in this configuration', AGE],
    (object, nowMs) => [object.metadata.name, object.webhooks?.length ?? 0, age(object, nowMs)],
  ),
  mutatingwebhookconfigurations: printer<{ webhooks?: unknown[] }>(
    [NAME, 'i:Webhooks|Webhooks indicates the number of webhooks registered in this configuration', AGE],
    (object, nowMs) => [object.metadata.name, object.webhooks?.length ?? 0, age(object, nowMs)],
  ),
  validatingadmissionpolicies: printer<AdmissionPolicy>(
    [
      NAME,
      'i:Validations|Validations indicates the number of validation rules defined in this configuration',
      'ParamKind|ParamKind specifies the kind of resources used to parameterize this policy',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.validations?.length ?? 0,
      paramKindText(object.spec?.paramKind),
      age(object, nowMs),
    ],
  ),
  validatingadmissionpolicybindings: printer<AdmissionPolicyBinding>(BINDING_COLUMNS, bindingRow),
  mutatingadmissionpolicies: printer<AdmissionPolicy>(
    [
      NAME,
      'i:Mutations|Mutation indicates the number of mutations rules defined in this configuration',
      'ParamKind|ParamKind specifies the kind of resources used to parameterize this policy',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.mutations?.length ?? 0,
      paramKindText(object.spec?.paramKind),
      age(object, nowMs),
    ],
  ),
  mutatingadmissionpolicybindings: printer<AdmissionPolicyBinding>(BINDING_COLUMNS, bindingRow),
  customresourcedefinitions: printer<object>([NAME, `d:Created At|${META}.creationTimestamp`], (object) => [
    object.metadata.name,
    object.metadata.creationTimestamp,
  ]),
  apiservices: printer<ApiService>(
    [
      NAME,
      'Service|The reference to the service that hosts this API endpoint.',
      'Available|Whether this service is available.',
      AGE,
    ],
    (object, nowMs) => {
      const { service } = object.spec ?? {};
      return [
        object.metadata.name,
        service === undefined ? 'Local' : `${service.namespace}/${service.name}`,
        availabilityText(object),
        age(object, nowMs),
      ];
    },
  ),
  csinodes: printer<{ spec?: { drivers?: unknown[] } }>(
    [NAME, 'i:Drivers|Drivers indicates the number of CSI drivers registered on the node', AGE],
    (object, nowMs) => [object.metadata.name, object.spec?.drivers?.length ?? 0, age(object, nowMs)],
  ),
  csidrivers: printer<CsiDriver>(
    [
      NAME,
      `b:AttachRequired|${CSI_DRIVER}.attachRequired`,
      `b:PodInfoOnMount|${CSI_DRIVER}.podInfoOnMount`,
      `b:StorageCapacity|${CSI_DRIVER}.storageCapacity`,
      `TokenRequests|${CSI_DRIVER}.tokenRequests`,
      `b:RequiresRepublish|${CSI_DRIVER}.requiresRepublish`,
      `Modes|${CSI_DRIVER}.volumeLifecycleModes`,
      AGE,
    ],
    (object, nowMs) => {
      const spec = object.spec ?? {};
      const audiences = (spec.tokenRequests ?? []).map(({ audience = '' }) => audience);
      return [
        object.metadata.name,
        spec.attachRequired ?? true,
        spec.podInfoOnMount ?? false,
        spec.storageCapacity ?? false,
        audiences.length === 0 ? UNSET : audiences.join(','),
        spec.requiresRepublish ?? false,
        (spec.volumeLifecycleModes ?? []).join(',') || NONE,
        age(object, nowMs),
      ];
    },
  ),
  ipaddresses: printer<{ spec?: { parentRef?: ParentReference } }>(
    [NAME, `ParentRef|@${NETWORKING}.IPAddressSpec.parentRef`],
    (object) => [object.metadata.name, parentText(object.spec?.parentRef)],
  ),
  servicecidrs: printer<{ spec?: { cidrs?: string[] } }>(
    [NAME, `CIDRs|@${NETWORKING}.ServiceCIDRSpec.cidrs`, AGE],
    (object, nowMs) => [object.metadata.name, (object.spec?.cidrs ?? []).join(','), age(object, nowMs)],
  ),
  flowschemas: byPrecedence(
    printer<FlowSchema>(
      [
        NAME,
        `PriorityLevel|@${FLOW}.PriorityLevelConfigurationReference.name`,
        `i:MatchingPrecedence|@${FLOW}.FlowSchemaSpec.matchingPrecedence`,
        `DistinguisherMethod|@${FLOW}.FlowSchemaSpec.distinguisherMethod`,
        AGE,
        `MissingPL|@${FLOW}.FlowSchemaStatus.conditions`,
      ],
      (object, nowMs) => [
        object.metadata.name,
        object.spec?.priorityLevelConfiguration?.name ?? '',
        object.spec?.matchingPrecedence ?? 0,
        object.spec?.distinguisherMethod?.type ?? NONE,
        age(object, nowMs),
        object.status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
      ],
    ),
  ),
  prioritylevelconfigurations: printer<PriorityLevel>(
    [
      NAME,
      `Type|@${FLOW}.PriorityLevelConfigurationSpec.type`,
      `NominalConcurrencyShares|@${FLOW}.LimitedPriorityLevelConfiguration.nominalConcurrencyShares`,
      `Queues|@${FLOW}.QueuingConfiguration.queues`,
      `HandSize|@${FLOW}.QueuingConfiguration.handSize`,
      `QueueLengthLimit|@${FLOW}.QueuingConfiguration.queueLengthLimit`,
      AGE,
    ],
    (object, nowMs) => {
      const { type = '', limited } = object.spec ?? {};
      const queuing = limited?.limitResponse?.queuing;
      return [
        object.metadata.name,
        type,
        limited === undefined ? NONE : (limited.nominalConcurrencyShares ?? 0),
        queuing?.queues ?? NONE,
        queuing?.handSize ?? NONE,
        queuing?.queueLengthLimit ?? NONE,
        age(object, nowMs),
      ];
    },
  ),
  certificatesigningrequests: printer<object>(
    [
      NAME,
      AGE,
      'SignerName|@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.signerName',
      'Requestor|@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.username',
      'RequestedDuration|@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.expirationSeconds',
      'Condition|@io.k8s.api.certificates.v1.CertificateSigningRequestStatus.conditions',
    ],
    (object, nowMs) => {
      const conditions =
        ((object as StoredObject)['status'] as
          | { conditions?: { type: string }[]; certificate?: string }
          | undefined) ?? {};
      const types = (conditions.conditions ?? []).map(({ type }) => type);
      const verdict = types.length === 0 ? 'Pending' : types.join(',');
      const seconds = textAt(object, 'spec', 'expirationSeconds');
      return [
        object.metadata.name,
        age(object, nowMs),
        textAt(object, 'spec', 'signerName') || NONE,
        textAt(object, 'spec', 'username'),
        seconds === '' ? NONE : humanDuration(Number(seconds) * 1000),
        conditions.certificate === undefined ? verdict : `${verdict},Issued`,
      ];
    },
  ),
};
