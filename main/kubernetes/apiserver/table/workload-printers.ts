// The printers of what runs: pods, what makes them, and what sizes and guards them (pkg/printers/internalversion).
import { summarizePod } from '../../api/pod-status.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  StatefulSet,
} from '../../api/types.ts';
import type { Cell, Printer } from '../kinds/kind.ts';
import type { StoredObject } from '../object.ts';
import { AGE, NAME, NONE, TEMPLATE, UNSET, age, plainNamed, printer } from './columns.ts';
import { ageOf, humanDuration } from './duration.ts';
import { CORE, labelsText, selectorText } from './cells.ts';

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

const APPS = 'io.k8s.api.apps.v1';

export const workloadPrinters: Readonly<Record<string, Printer>> = {
  pods: podPrinter,
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
};
