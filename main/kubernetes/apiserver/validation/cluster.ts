// Nodes, namespaces, events, leases and the small kinds of a cluster (pkg/apis/core, coordination, events, node, policy, scheduling validation).
import type { LabelSelectorSpec } from '../../api/selector.ts';
import type { Event, Lease, Namespace, Node, PodDisruptionBudget, PriorityClass } from '../../api/types.ts';
import { labelKeyProblems } from '../../api/selector.ts';
import { cloneTree, equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { sortedEntries, validateLabels } from '../verbs/metadata.ts';
import { checkAtMostAll, checkIntOrPercent, checkLabelSelector, type Faults } from './checks.ts';
import { internalForm } from './internal-form.ts';
import { checkHostLabel } from './pod-spec.ts';
import { checkTaints, checkTolerations } from './pod-placement.ts';
import { checkAmount, checkContainerResourceName, checkResourceName, type Amounts } from './resources.ts';
import { immutable, validator, type Validator } from './validator.ts';

const USER_PRIORITY_MAX = 1_000_000_000;

function checkNode(faults: Faults, { spec, status }: Node): void {
  checkTaints(faults, 'spec.taints', spec?.taints ?? []);
  const ranges = spec?.podCIDRs ?? [];
  for (const [index, range] of ranges.entries()) faults.range(`spec.podCIDRs[${index}]`, range);
  if (ranges.length > 2)
    faults.invalid('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family');
  for (const [name, value] of sortedEntries(status?.capacity as Amounts | undefined)) {
    checkResourceName(faults, `status.capacity[${name}]`, name);
    checkAmount(faults, `status.capacity[${name}]`, name, value);
  }
}

/** A node's ranges; a single one that isn't the first of the list stands for all (core/v1's conversion). */
function rangesOf({ podCIDR = '', podCIDRs }: NonNullable<Node['spec']>): readonly string[] {
  const ranges = podCIDRs ?? [];
  return podCIDR !== '' && ranges[0] !== podCIDR ? [podCIDR] : ranges;
}

/** A node's range and provider are given once; the rest of its spec stays. */
function checkNodeUpdate(faults: Faults, node: Node, old: Node): void {
  checkNode(faults, node);
  const [spec, before] = [node.spec ?? {}, old.spec ?? {}];
  const [ranges, had] = [rangesOf(spec), rangesOf(before)];
  if (had.length > 0 && ranges.length !== had.length)
    faults.forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid');
  else if (had.some((range, index) => range !== ranges[index]))
    faults.forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid');
  if ((before.providerID ?? '') !== '' && before.providerID !== spec.providerID)
    faults.forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid');
  const munged = cloneTree(spec);
  for (const field of [
    'podCIDR',
    'podCIDRs',
    'providerID',
    'taints',
    'unschedulable',
    'configSource',
  ] as const) {
    if (before[field] === undefined) delete munged[field];
    else (munged as Record<string, unknown>)[field] = before[field];
  }
  if (!equalTrees(munged, before))
    faults.forbidden(
      '',
      'node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)',
    );
}

function checkNamespace(faults: Faults, { spec }: Namespace): void {
  for (const finalizer of spec?.finalizers ?? []) {
    faults.problems('spec.finalizers', finalizer, labelKeyProblems(finalizer));
    if (!finalizer.includes('/') && finalizer !== 'kubernetes')
      faults.invalid(
        'spec.finalizers',
        finalizer,
        'name is neither a standard finalizer name nor is it fully qualified',
      );
  }
}

/** Events of either group; those of events.k8s.io have to say who reports what. */
function checkEvent(faults: Faults, event: Event): void {
  const namespace = event.metadata?.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const isAtHome = about === '' ? namespace === '' || namespace === 'default' : namespace === about;
  if (!isAtHome) faults.invalid('involvedObject.namespace', about, 'does not match event.namespace');
  if (event.apiVersion !== 'events.k8s.io/v1') return;
  faults.required('eventTime', event.eventTime);
  if (faults.required('reportingController', event.reportingComponent))
    faults.labelKey('reportingController', event.reportingComponent!);
  faults.required('reportingInstance', event.reportingInstance);
  faults.required('action', event.action);
  faults.required('reason', event.reason);
  if (event.type !== 'Normal' && event.type !== 'Warning')
    faults.invalid('type', event.type ?? '', 'has invalid value: ' + (event.type ?? ''));
}

function checkLease(faults: Faults, { spec }: Lease): void {
  faults.positive('spec.leaseDurationSeconds', spec?.leaseDurationSeconds);
  faults.notNegative('spec.leaseTransitions', spec?.leaseTransitions);
  const { strategy, preferredHolder } = spec ?? {};
  if (preferredHolder !== undefined && preferredHolder !== '' && (strategy ?? '') === '')
    faults.forbidden('spec.preferredHolder', 'can only be specified when `strategy` is specified');
}

function checkPriorityClass(faults: Faults, { metadata, value, preemptionPolicy }: PriorityClass): void {
  const name = metadata?.name ?? '';
  if (name.startsWith('system-')) checkSystemClass(faults, name, value ?? 0);
  else if ((value ?? 0) > USER_PRIORITY_MAX)
    faults.forbidden('value', `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`);
  faults.word('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']);
}

const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

/** Names that begin with `system-` are the server's own. */
function checkSystemClass(faults: Faults, name: string, value: number): void {
  const wanted = SYSTEM_CLASSES[name];
  if (value === wanted) return;
  const why =
    wanted === undefined
      ? `${name} is not a known system priority class`
      : `value of ${name} PriorityClass must be ${wanted}`;
  faults.forbidden(
    'metadata.name',
    `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
  );
}

interface ApiService {
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly group?: string;
    readonly version?: string;
    readonly groupPriorityMinimum?: number;
    readonly versionPriority?: number;
    readonly insecureSkipTLSVerify?: boolean;
    readonly caBundle?: string;
    readonly service?: { readonly name?: string; readonly namespace?: string; readonly port?: number };
  };
}

/** Who serves a group's version; the name says which (kube-aggregator pkg/apis/apiregistration/validation). */
function checkApiService(faults: Faults, { metadata, spec = {} }: ApiService): void {
  const { group = '', version = '', service } = spec;
  const name = metadata?.name ?? '';
  if (name !== `${version}.${group}`)
    faults.invalid(
      'metadata.name',
      name,
      `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(`${version}.${group}`)}`,
    );
  if (group === '' && version !== 'v1')
    faults.add(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') faults.subdomain('spec.group', group);
  faults.label('spec.version', version);
  for (const [field, most] of [
    ['groupPriorityMinimum', 20_000],
    ['versionPriority', 1000],
  ] as const) {
    const priority = spec[field] ?? 0;
    if (priority <= 0 || priority > most)
      faults.invalid(`spec.${field}`, priority, `must be positive and less than ${most}`);
  }
  if (service === undefined) {
    if ((spec.caBundle ?? '') !== '')
      faults.invalid(
        'spec.caBundle',
        `${Buffer.from(spec.caBundle!, 'base64').length} bytes`,
        'local APIServices may not have a caBundle',
      );
    if (spec.insecureSkipTLSVerify === true)
      faults.invalid(
        'spec.insecureSkipTLSVerify',
        true,
        'local APIServices may not have insecureSkipTLSVerify',
      );
    return;
  }
  faults.required('spec.service.namespace', service.namespace);
  faults.required('spec.service.name', service.name);
  const { port = 443 } = service;
  if (port < 1 || port > 65_535)
    faults.invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive');
  if (spec.insecureSkipTLSVerify === true && (spec.caBundle ?? '') !== '')
    faults.invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present');
}

interface RuntimeClass {
  readonly handler?: string;
  readonly overhead?: { readonly podFixed?: Amounts };
  readonly scheduling?: {
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: never[];
  };
}

function checkRuntimeClass(faults: Faults, { handler = '', overhead, scheduling }: RuntimeClass): void {
  checkHostLabel(faults, 'handler', handler);
  for (const [name, value] of sortedEntries(overhead?.podFixed)) {
    checkContainerResourceName(faults, `overhead.limits[${name}]`, name);
    checkAmount(faults, `overhead.limits[${name}]`, name, value);
  }
  faults.add(...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'));
  const tolerations = scheduling?.tolerations ?? [];
  checkTolerations(faults, 'scheduling.tolerations', tolerations);
  for (const [index, toleration] of tolerations.entries())
    if (tolerations.findIndex((other) => equalTrees(other, toleration)) < index)
      faults.duplicate(`scheduling.tolerations[${index}]`, internalForm('Toleration', toleration));
}

function checkBudget(faults: Faults, { spec }: PodDisruptionBudget): void {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy } = spec ?? {};
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    faults.invalid(
      'spec',
      internalForm('PodDisruptionBudgetSpec', spec),
      'minAvailable and maxUnavailable cannot be both set',
    );
  for (const [field, value] of Object.entries({ minAvailable, maxUnavailable })) {
    checkIntOrPercent(faults, `spec.${field}`, value);
    checkAtMostAll(faults, `spec.${field}`, value);
  }
  checkLabelSelector(faults, 'spec.selector', spec?.selector as LabelSelectorSpec | undefined);
  faults.word('spec.unhealthyPodEvictionPolicy', unhealthyPodEvictionPolicy, [
    'AlwaysAllow',
    'IfHealthyBudget',
  ]);
}

export const clusterValidators: Readonly<Record<string, Validator>> = {
  nodes: validator<Node>({ create: checkNode, update: checkNodeUpdate }),
  namespaces: validator<Namespace>({ create: checkNamespace }),
  events: validator<Event>({ create: checkEvent }),
  leases: validator<Lease>({ create: checkLease }),
  priorityclasses: validator<PriorityClass>({
    create: checkPriorityClass,
    update: (faults, now, old) => {
      if (now.value !== old.value) faults.forbidden('value', 'may not be changed in an update.');
      immutable(faults, 'preemptionPolicy', now.preemptionPolicy, old.preemptionPolicy);
    },
  }),
  runtimeclasses: validator<RuntimeClass>({
    create: checkRuntimeClass,
    update: (faults, now, old) => {
      checkRuntimeClass(faults, now);
      immutable(faults, 'handler', now.handler, old.handler);
    },
  }),
  apiservices: validator<ApiService>({ create: checkApiService }),
  poddisruptionbudgets: validator<PodDisruptionBudget>({
    create: checkBudget,
    status(faults, { status }) {
      for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const)
        faults.notNegative(`status.${field}`, status?.[field]);
    },
  }),
};
