// The strategies of the built-in kinds, by plural (pkg/registry/*/strategy.go).
import type { LabelSelectorSpec } from '../../api/selector.ts';
import type { Job, PersistentVolumeClaim, Pod, PodTemplateSpec } from '../../api/types.ts';
import { rfc3339 } from '../../../simulation/index.ts';
import { cloneTree, metaOf, textAt, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import {
  defaultDefinition,
  definitionProblems,
  definitionUpdateProblems,
  holdForInstances,
  initialStatus,
  keepStoredVersion,
} from '../custom/definition-validation.ts';
import { certificateRequests } from './certificate-request.ts';
import { defaulterOf } from './defaults.ts';
import type { Kind, WriteContext } from './kind.ts';
import { qosClassOf } from './qos.ts';
import { serviceStrategy } from './service-strategy.ts';
import { certificateRequestProblems } from '../validation/certificate-request.ts';
import { ingressStatusProblems, serviceStatusProblems } from '../validation/load-balancer-status.ts';
import { podStatusProblems, podSubresources } from '../validation/pod-subresources.ts';
import { validators } from '../validation/validators.ts';
import { warningsOf } from '../validation/warnings.ts';

const field =
  (...path: string[]) =>
  (object: StoredObject): string =>
    textAt(object, ...path);

/** Kinds that keep no status from a create. */
function dropStatus(status: Tree): (object: ApiObject) => void {
  return (object) => {
    object['status'] = { ...status };
  };
}

const podStrategy: Partial<Kind> = {
  fields: {
    'spec.nodeName': field('spec', 'nodeName'),
    'spec.restartPolicy': field('spec', 'restartPolicy'),
    'spec.schedulerName': field('spec', 'schedulerName'),
    'spec.serviceAccountName': field('spec', 'serviceAccountName'),
    'spec.hostNetwork': (object) => String((object as Pod).spec?.hostNetwork === true),
    'status.phase': field('status', 'phase'),
    'status.podIP': field('status', 'podIP'),
    'status.podIPs': field('status', 'podIP'),
    'status.nominatedNodeName': field('status', 'nominatedNodeName'),
  },
  indexed: ['metadata.name', 'spec.nodeName'],
  prepareCreate(object) {
    const pod = object as Pod & ApiObject;
    const status: Tree = { phase: 'Pending' };
    if (pod.spec !== undefined) status['qosClass'] = qosClassOf(pod.spec);
    if ((pod.spec?.schedulingGates?.length ?? 0) > 0) {
      status['conditions'] = [
        {
          type: 'PodScheduled',
          status: 'False',
          lastProbeTime: null,
          lastTransitionTime: null,
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ];
    }
    object['status'] = status;
  },
  prepareStatus(object, old) {
    const status = object['status'] as Tree | undefined;
    const podIP = status?.['podIP'];
    if (status !== undefined && typeof podIP === 'string' && podIP !== '')
      status['podIPs'] ??= [{ ip: podIP }];
    const qosClass = (old['status'] as Tree | undefined)?.['qosClass'];
    if (status !== undefined && qosClass !== undefined) status['qosClass'] ??= qosClass;
  },
};

/** The labels by which a Job finds its pods. */
function labelJob(object: ApiObject): void {
  const job = object as Job & ApiObject;
  const { spec } = job;
  if (spec === undefined || spec.manualSelector === true) return;
  const { uid = '', name = '' } = metaOf(object);
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const template = spec.template as { metadata?: { labels?: Record<string, string> } };
  const meta = (template.metadata ??= {});
  meta.labels = { ...meta.labels, ...labels };
  const selector = (spec.selector ??= {}) as LabelSelectorSpec;
  selector.matchLabels = { 'batch.kubernetes.io/controller-uid': uid, ...selector.matchLabels };
}

/** A Job without labels has its template's, once it's stored. */
function takeTemplateLabels(object: ApiObject, old: StoredObject | undefined): void {
  const meta = metaOf(object);
  const { labels } = ((object as Job).spec?.template as PodTemplateSpec | undefined)?.metadata ?? {};
  if (old === undefined && labels !== undefined && Object.keys(meta.labels ?? {}).length === 0)
    meta.labels = { ...labels };
}

/** Sources of a claim that the server understands without being told their group (pkg/api/persistentvolumeclaim). */
function keepDataSources(object: ApiObject): void {
  const { spec } = object as PersistentVolumeClaim;
  if (spec === undefined) return;
  const { kind, apiGroup } = spec.dataSource ?? {};
  const isKnown =
    (kind === 'PersistentVolumeClaim' && (apiGroup ?? '') === '') ||
    (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io');
  if (spec.dataSource !== undefined && !isKnown) delete spec.dataSource;
  if (spec.dataSource !== undefined) spec.dataSourceRef ??= cloneTree(spec.dataSource);
  else if (spec.dataSourceRef !== undefined && (spec.dataSourceRef.namespace ?? '') === '')
    spec.dataSource = cloneTree(spec.dataSourceRef);
}

/** Whether a FlowSchema's priority level is there (what upstream's configuration controller notes). */
function noteLevel(object: ApiObject, ...rest: readonly unknown[]): void {
  const { objects, nowMs } = rest.at(-1) as WriteContext;
  const name = textAt(object, 'spec', 'priorityLevelConfiguration', 'name');
  const isThere =
    objects.get('prioritylevelconfigurations', 'flowcontrol.apiserver.k8s.io', '', name) !== undefined;
  const level = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`;
  object['status'] = {
    conditions: [
      {
        type: 'Dangling',
        status: isThere ? 'False' : 'True',
        lastTransitionTime: rfc3339(nowMs),
        reason: isThere ? 'Found' : 'NotFound',
        message: isThere ? `${level} and it exists` : `${level} but there is no such object`,
      },
    ],
  };
}

const own: Readonly<Record<string, Partial<Kind>>> = {
  pods: podStrategy,
  services: serviceStrategy,
  nodes: {
    fields: {
      'spec.unschedulable': (object) =>
        String((object['spec'] as { unschedulable?: boolean } | undefined)?.unschedulable === true),
    },
  },
  namespaces: {
    fields: { 'status.phase': field('status', 'phase'), name: (object) => object.metadata.name },
    prepareCreate(object) {
      const spec = (object['spec'] ?? {}) as { finalizers?: string[] };
      spec.finalizers = [...new Set([...(spec.finalizers ?? []), 'kubernetes'])];
      object['spec'] = spec;
      object['status'] = { phase: 'Active' };
      const meta = metaOf(object);
      meta.labels = { ...meta.labels, 'kubernetes.io/metadata.name': meta.name ?? '' };
    },
    prepareUpdate(object, old, { subresource }) {
      if (subresource === '') object['spec'] = old['spec'];
      object['status'] = old['status'];
      const meta = metaOf(object);
      meta.labels = { ...meta.labels, 'kubernetes.io/metadata.name': meta.name ?? '' };
    },
  },
  events: {
    fields: {
      'involvedObject.kind': field('involvedObject', 'kind'),
      'involvedObject.namespace': field('involvedObject', 'namespace'),
      'involvedObject.name': field('involvedObject', 'name'),
      'involvedObject.uid': field('involvedObject', 'uid'),
      'involvedObject.apiVersion': field('involvedObject', 'apiVersion'),
      'involvedObject.resourceVersion': field('involvedObject', 'resourceVersion'),
      'involvedObject.fieldPath': field('involvedObject', 'fieldPath'),
      reason: field('reason'),
      reportingComponent: field('reportingComponent'),
      source: (object) => textAt(object, 'source', 'component') || textAt(object, 'reportingComponent'),
      type: field('type'),
    },
  },
  secrets: { fields: { type: field('type') } },
  replicationcontrollers: {
    fields: { 'status.replicas': field('status', 'replicas') },
    prepareCreate: dropStatus({ replicas: 0 }),
  },
  replicasets: { fields: {}, prepareCreate: dropStatus({ replicas: 0 }) },
  deployments: { prepareCreate: dropStatus({}) },
  statefulsets: { prepareCreate: dropStatus({ replicas: 0, availableReplicas: 0 }) },
  daemonsets: {
    prepareCreate(object) {
      object['status'] = {
        currentNumberScheduled: 0,
        numberMisscheduled: 0,
        desiredNumberScheduled: 0,
        numberReady: 0,
      };
      const meta = metaOf(object);
      meta.annotations = { ...meta.annotations, 'deprecated.daemonset.template.generation': '1' };
    },
    prepareUpdate(object, old) {
      const meta = metaOf(object);
      const key = 'deprecated.daemonset.template.generation';
      const before = Number(old.metadata.annotations?.[key] ?? 0);
      const template = (candidate: ApiObject): string =>
        JSON.stringify((candidate['spec'] as { template?: unknown } | undefined)?.template);
      const changed = template(object) !== template(old);
      meta.annotations = { ...meta.annotations, [key]: String(changed ? before + 1 : before) };
    },
  },
  jobs: {
    fields: { 'status.successful': field('status', 'succeeded') },
    prepareCreate(object) {
      object['status'] = {};
      labelJob(object);
    },
    allocate: takeTemplateLabels,
  },
  customresourcedefinitions: {
    defaults: defaultDefinition,
    prepareCreate: initialStatus,
    validate: (object) => definitionProblems(object),
    validateUpdate: (object, old) => definitionUpdateProblems(object, old),
    prepareUpdate: keepStoredVersion,
    prepareDelete: holdForInstances,
  },
  cronjobs: { prepareCreate: dropStatus({}) },
  flowschemas: { prepareCreate: noteLevel, prepareUpdate: noteLevel },
  prioritylevelconfigurations: { prepareCreate: dropStatus({}) },
  ingresses: { prepareCreate: dropStatus({ loadBalancer: {} }) },
  poddisruptionbudgets: {
    prepareCreate: dropStatus({
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    }),
  },
  horizontalpodautoscalers: { prepareCreate: dropStatus({ desiredReplicas: 0, currentMetrics: null }) },
  resourcequotas: { prepareCreate: dropStatus({}) },
  persistentvolumeclaims: {
    prepareCreate(object) {
      keepDataSources(object);
      object['status'] = { phase: 'Pending' };
      const meta = metaOf(object);
      meta.finalizers = [...new Set([...(meta.finalizers ?? []), 'kubernetes.io/pvc-protection'])];
    },
  },
  persistentvolumes: {
    prepareCreate(object, { nowMs }) {
      object['status'] = { phase: 'Pending', lastPhaseTransitionTime: rfc3339(nowMs) };
      const meta = metaOf(object);
      meta.finalizers = [...new Set([...(meta.finalizers ?? []), 'kubernetes.io/pv-protection'])];
    },
  },
  certificatesigningrequests: {
    fields: { 'spec.signerName': field('spec', 'signerName') },
    ...certificateRequests,
  },
};

/** What the writers of a status may say. */
const statusRules: Readonly<Record<string, Partial<Kind>>> = {
  pods: { validateStatus: podStatusProblems, subresources: podSubresources },
  services: { validateStatus: serviceStatusProblems },
  ingresses: { validateStatus: ingressStatusProblems },
  certificatesigningrequests: { validate: certificateRequestProblems },
};

/** A kind's strategy: defaults, validation and warnings come from their tables. */
export function strategyOf(plural: string): Partial<Kind> {
  const defaults = defaulterOf(plural);
  const warnings = warningsOf(plural);
  return {
    ...(defaults === undefined ? {} : { defaults }),
    ...(warnings === undefined ? {} : { warnings }),
    ...validators[plural],
    ...statusRules[plural],
    ...own[plural],
  };
}
