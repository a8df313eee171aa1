// Describes Deployments, ReplicaSets, ReplicationControllers, DaemonSets, StatefulSets, Jobs and CronJobs.
import type { LabelSelectorSpec } from '../../../api/index.ts';
import { humanDuration } from '../../output/duration.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { listPods, podSelectorOf, type PodObject } from '../../rest/pods.ts';
import { writePodTemplate, type PodTemplate } from './containers.ts';
import { member, writeOwnEvents, type Describer, type Describing } from './describer.ts';
import { boolText, controllerOf, mapText, selectorText, timeText, type StringMap } from './writer.ts';

interface WorkloadSpec {
  readonly replicas: number;
  readonly selector: LabelSelectorSpec;
  readonly template: PodTemplate;
  readonly strategy: {
    readonly type?: string;
    readonly rollingUpdate?: {
      readonly maxUnavailable?: number | string;
      readonly maxSurge?: number | string;
    };
  };
  readonly minReadySeconds: number;
}

interface DeploymentStatus {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
  }[];
}

export const describeDeployment: Describer = async (describing) => {
  const { w, object } = describing;
  const spec = member<WorkloadSpec>(object, 'spec');
  const status = member<DeploymentStatus>(object, 'status');
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.write(0, `CreationTimestamp:\t${timeText(created(object))}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `Selector:\t${selectorText(spec.selector)}\n`);
  w.write(
    0,
    `Replicas:\t${spec.replicas ?? 0} desired | ${status.updatedReplicas ?? 0} updated | ${status.replicas ?? 0} total | ${status.availableReplicas ?? 0} available | ${status.unavailableReplicas ?? 0} unavailable\n`,
  );
  w.write(0, `StrategyType:\t${spec.strategy?.type ?? ''}\nMinReadySeconds:\t${spec.minReadySeconds ?? 0}\n`);
  const rolling = spec.strategy?.rollingUpdate;
  if (rolling !== undefined)
    w.write(
      0,
      `RollingUpdateStrategy:\t${rolling.maxUnavailable ?? ''} max unavailable, ${rolling.maxSurge ?? ''} max surge\n`,
    );
  writePodTemplate(w, spec.template);
  if ((status.conditions ?? []).length > 0) {
    w.write(0, 'Conditions:\n  Type\tStatus\tReason\n');
    w.write(1, '----\t------\t------\n');
    for (const { type, status: state, reason } of status.conditions!)
      w.write(1, `${type} \t${state}\t${reason ?? ''}\n`);
  }
  const { old, current } = await replicaSetsOf(describing);
  w.write(0, `OldReplicaSets:\t${replicaSetsText(old)}\n`);
  w.write(0, `NewReplicaSet:\t${replicaSetsText(current === undefined ? [] : [current])}\n`);
  await writeOwnEvents(describing);
};

interface ReplicaSetObject extends AnyObject {
  readonly spec: { readonly replicas?: number; readonly template: PodTemplate };
  readonly status?: { readonly replicas?: number };
}

async function replicaSetsOf({
  kubectl,
  object,
}: Describing): Promise<{ old: ReplicaSetObject[]; current: ReplicaSetObject | undefined }> {
  const { selector, template } = member<WorkloadSpec>(object, 'spec');
  const { items } = await kubectl.api.json<{ items: ReplicaSetObject[] | null }>({
    method: 'GET',
    path: `/apis/apps/v1/namespaces/${object.metadata?.namespace}/replicasets`,
    query: { labelSelector: selectorText(selector) },
  });
  const uid = (object.metadata as { uid?: string }).uid;
  const owned = (items ?? []).filter((each) =>
    (
      (each.metadata as { ownerReferences?: { uid: string; controller?: boolean }[] }).ownerReferences ?? []
    ).some((owner) => owner.uid === uid && owner.controller === true),
  );
  const sameTemplate = (each: ReplicaSetObject): boolean =>
    JSON.stringify(withoutHash(each.spec.template)) === JSON.stringify(withoutHash(template));
  const current = owned
    .toSorted((a, b) => ((created(a) ?? '') < (created(b) ?? '') ? -1 : 1))
    .find(sameTemplate);
  return { old: owned.filter((each) => each !== current), current };
}

function withoutHash(template: PodTemplate | undefined): unknown {
  const { 'pod-template-hash': _, ...labels } = template?.metadata?.labels ?? {};
  const metadata = template?.metadata as { annotations?: StringMap } | undefined;
  return sorted({ labels, annotations: metadata?.annotations ?? {}, spec: template?.spec });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

function replicaSetsText(sets: readonly ReplicaSetObject[]): string {
  if (sets.length === 0) return '<none>';
  return sets
    .map(
      ({ metadata, spec, status }) =>
        `${metadata?.name} (${status?.replicas ?? 0}/${spec.replicas ?? 0} replicas created)`,
    )
    .join(', ');
}

export const describeReplicaSet: Describer = async (describing) => {
  const { w, object } = describing;
  const spec = member<WorkloadSpec>(object, 'spec');
  const status = member<DeploymentStatus>(object, 'status');
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.write(
    0,
    `Selector:\t${object.kind === 'ReplicationController' ? mapText(spec.selector as unknown as StringMap) : selectorText(spec.selector)}\n`,
  );
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  writeController(describing);
  w.write(0, `Replicas:\t${status.replicas ?? 0} current / ${spec.replicas ?? 0} desired\n`);
  w.write(0, `Pods Status:\t${await podsStatus(describing)}\n`);
  writePodTemplate(w, spec.template);
  writeConditions(describing, status);
  await writeOwnEvents(describing);
};

function writeConditions({ w }: Describing, { conditions = [] }: Partial<DeploymentStatus>): void {
  if (conditions.length === 0) return;
  w.write(0, 'Conditions:\n  Type\tStatus\tReason\n');
  w.write(1, '----\t------\t------\n');
  for (const { type, status, reason } of conditions) w.write(1, `${type} \t${status}\t${reason ?? ''}\n`);
}

export const describeDaemonSet: Describer = async (describing) => {
  const { w, object } = describing;
  const spec = member<WorkloadSpec>(object, 'spec');
  const status = member<Record<string, number>>(object, 'status');
  w.write(0, `Name:\t${object.metadata?.name}\n`);
  w.write(0, `Selector:\t${selectorText(spec.selector)}\n`);
  w.write(0, `Node-Selector:\t${mapText(spec.template?.spec?.nodeSelector)}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `Desired Number of Nodes Scheduled: ${status['desiredNumberScheduled'] ?? 0}\n`);
  w.write(0, `Current Number of Nodes Scheduled: ${status['currentNumberScheduled'] ?? 0}\n`);
  w.write(0, `Number of Nodes Scheduled with Up-to-date Pods: ${status['updatedNumberScheduled'] ?? 0}\n`);
  w.write(0, `Number of Nodes Scheduled with Available Pods: ${status['numberAvailable'] ?? 0}\n`);
  w.write(0, `Number of Nodes Misscheduled: ${status['numberMisscheduled'] ?? 0}\n`);
  w.write(0, `Pods Status:\t${await podsStatus(describing)}\n`);
  writePodTemplate(w, spec.template);
  await writeOwnEvents(describing);
};

interface StatefulSetSpec extends WorkloadSpec {
  readonly updateStrategy: {
    readonly type: string;
    readonly rollingUpdate?: { readonly partition?: number };
  };
  readonly volumeClaimTemplates: readonly {
    readonly metadata: {
      readonly name: string;
      readonly labels?: StringMap;
      readonly annotations?: StringMap;
    };
    readonly spec: {
      readonly storageClassName?: string;
      readonly accessModes?: readonly string[];
      readonly resources?: { readonly requests?: StringMap };
    };
  }[];
}

export const describeStatefulSet: Describer = async (describing) => {
  const { w, object } = describing;
  const spec = member<StatefulSetSpec>(object, 'spec');
  const status = member<DeploymentStatus>(object, 'status');
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.write(0, `CreationTimestamp:\t${timeText(created(object))}\n`);
  w.write(0, `Selector:\t${selectorText(spec.selector)}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `Replicas:\t${spec.replicas ?? 0} desired | ${status.replicas ?? 0} total\n`);
  w.write(0, `Update Strategy:\t${spec.updateStrategy?.type ?? ''}\n`);
  const partition = spec.updateStrategy?.rollingUpdate?.partition;
  if (partition !== undefined) w.write(1, `Partition:\t${partition}\n`);
  w.write(0, `Pods Status:\t${await podsStatus(describing)}\n`);
  writePodTemplate(w, spec.template);
  if ((spec.volumeClaimTemplates ?? []).length === 0) w.write(0, 'Volume Claims:\t<none>\n');
  else {
    w.write(0, 'Volume Claims:\n');
    for (const { metadata, spec: claim } of spec.volumeClaimTemplates!) {
      w.write(1, `Name:\t${metadata.name}\n`);
      w.write(1, `StorageClass:\t${claim.storageClassName ?? ''}\n`);
      w.labels('  Labels', metadata.labels);
      w.annotations('  Annotations', metadata.annotations);
      w.write(1, `Capacity:\t${claim.resources?.requests?.['storage'] ?? '<default>'}\n`);
      w.write(1, `Access Modes:\t[${(claim.accessModes ?? []).join(' ')}]\n`);
    }
  }
  await writeOwnEvents(describing);
};

interface JobSpec extends WorkloadSpec {
  readonly parallelism: number;
  readonly completions: number;
  readonly completionMode: string;
  readonly suspend: boolean;
  readonly backoffLimit: number;
  readonly ttlSecondsAfterFinished: number;
  readonly activeDeadlineSeconds: number;
}

export const describeJob: Describer = async (describing) => {
  const { w, object } = describing;
  const spec = member<JobSpec>(object, 'spec');
  const status = member<{
    startTime: string;
    completionTime: string;
    active: number;
    ready: number;
    succeeded: number;
    failed: number;
    completedIndexes: string;
  }>(object, 'status');
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  if (spec.selector !== undefined) w.write(0, `Selector:\t${selectorText(spec.selector)}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  writeController(describing);
  if (spec.parallelism !== undefined) w.write(0, `Parallelism:\t${spec.parallelism}\n`);
  w.write(0, `Completions:\t${spec.completions ?? '<unset>'}\n`);
  if (spec.completionMode !== undefined) w.write(0, `Completion Mode:\t${spec.completionMode}\n`);
  if (spec.suspend !== undefined) w.write(0, `Suspend:\t${spec.suspend}\n`);
  if (spec.backoffLimit !== undefined) w.write(0, `Backoff Limit:\t${spec.backoffLimit}\n`);
  if (spec.ttlSecondsAfterFinished !== undefined)
    w.write(0, `TTL Seconds After Finished:\t${spec.ttlSecondsAfterFinished}\n`);
  if (status.startTime !== undefined) w.write(0, `Start Time:\t${timeText(status.startTime)}\n`);
  if (status.completionTime !== undefined) w.write(0, `Completed At:\t${timeText(status.completionTime)}\n`);
  if (status.startTime !== undefined && status.completionTime !== undefined) {
    w.write(
      0,
      `Duration:\t${humanDuration(Date.parse(status.completionTime) - Date.parse(status.startTime))}\n`,
    );
  }
  if (spec.activeDeadlineSeconds !== undefined)
    w.write(0, `Active Deadline Seconds:\t${spec.activeDeadlineSeconds}s\n`);
  w.write(
    0,
    `Pods Statuses:\t${status.active ?? 0} Active${status.ready === undefined ? '' : ` (${status.ready} Ready)`} / ${status.succeeded ?? 0} Succeeded / ${status.failed ?? 0} Failed\n`,
  );
  if (spec.completionMode === 'Indexed')
    w.write(0, `Completed Indexes:\t${status.completedIndexes || '<none>'}\n`);
  writePodTemplate(w, spec.template);
  await writeOwnEvents(describing);
};

export const describeCronJob: Describer = async (describing) => {
  const { w, object } = describing;
  const spec = member<{
    schedule: string;
    timeZone: string;
    concurrencyPolicy: string;
    suspend: boolean;
    successfulJobsHistoryLimit: number;
    failedJobsHistoryLimit: number;
    startingDeadlineSeconds: number;
    jobTemplate: {
      spec: {
        selector?: LabelSelectorSpec;
        parallelism?: number;
        completions?: number;
        activeDeadlineSeconds?: number;
        template: PodTemplate;
      };
    };
  }>(object, 'spec');
  const status = member<{ lastScheduleTime: string; active: readonly { name: string }[] }>(object, 'status');
  const job = spec.jobTemplate?.spec;
  w.write(0, `Name:\t${object.metadata?.name}\nNamespace:\t${object.metadata?.namespace}\n`);
  w.labels('Labels', object.metadata?.labels);
  w.annotations('Annotations', object.metadata?.annotations);
  w.write(0, `Schedule:\t${spec.schedule}\n`);
  if (spec.timeZone !== undefined) w.write(0, `Time Zone:\t${spec.timeZone}\n`);
  w.write(0, `Concurrency Policy:\t${spec.concurrencyPolicy}\nSuspend:\t${boolText(spec.suspend)}\n`);
  w.write(0, `Successful Job History Limit:\t${spec.successfulJobsHistoryLimit ?? '<unset>'}\n`);
  w.write(0, `Failed Job History Limit:\t${spec.failedJobsHistoryLimit ?? '<unset>'}\n`);
  w.write(
    0,
    `Starting Deadline Seconds:\t${spec.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`}\n`,
  );
  w.write(0, `Selector:\t${selectorText(job?.selector)}\n`);
  w.write(0, `Parallelism:\t${job?.parallelism ?? '<unset>'}\n`);
  w.write(0, `Completions:\t${job?.completions ?? '<unset>'}\n`);
  if (job?.activeDeadlineSeconds !== undefined)
    w.write(0, `Active Deadline Seconds:\t${job.activeDeadlineSeconds}s\n`);
  writePodTemplate(w, job?.template);
  w.write(0, `Last Schedule Time:\t${timeText(status.lastScheduleTime)}\n`);
  w.write(0, `Active Jobs:\t${(status.active ?? []).map(({ name }) => name).join(', ') || '<none>'}\n`);
  await writeOwnEvents(describing);
};

function writeController({ w, object }: Describing): void {
  const controller = controllerOf(object.metadata as Parameters<typeof controllerOf>[0]);
  if (controller !== undefined) w.write(0, `Controlled By:\t${controller}\n`);
}

async function podsStatus({ kubectl, object }: Describing): Promise<string> {
  const resource = { kind: object.kind ?? '', version: 'v1' } as Parameters<
    typeof podSelectorOf
  >[0]['resource'];
  const pods: PodObject[] = await listPods(
    kubectl,
    object.metadata?.namespace ?? '',
    podSelectorOf({ object, resource }),
  );
  const uid = (object.metadata as { uid?: string }).uid;
  const owned = pods.filter(({ metadata }) =>
    ((metadata as { ownerReferences?: { uid: string; controller?: boolean }[] }).ownerReferences ?? []).some(
      (owner) => owner.controller === true && owner.uid === uid,
    ),
  );
  const count = (phase: string): number => owned.filter(({ status }) => status?.phase === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}

function created({ metadata }: AnyObject): string | undefined {
  return (metadata as { creationTimestamp?: string } | undefined)?.creationTimestamp;
}
