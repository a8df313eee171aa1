// ReplicationControllers and apps/v1: Deployments, ReplicaSets, DaemonSets, StatefulSets, revisions (pkg/apis/apps/validation).
import { labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  PodTemplateSpec,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/types.ts';
import type { Tree } from '../object.ts';
import { required } from '../refusals.ts';
import { checkAtMostAll, checkIntOrPercent, checkLabelSelector, type Faults, isUsable } from './checks.ts';
import { internalForm, labelsForm, selectorForm } from './internal-form.ts';
import { checkRunningTemplate, checkSelected, type Selecting, sizeOf } from './pod-selection.ts';
import { checkStatefulSet, checkStatefulUpdate } from './stateful-sets.ts';
import { both, immutable, validator, type UpdateCheck, type Validator } from './validator.ts';

const sameSelector: UpdateCheck<{ spec?: object }> = (faults, now, old) => {
  const [spec, before] = [now.spec as Selecting | undefined, old.spec as Selecting | undefined];
  immutable(faults, 'spec.selector', spec?.selector, before?.selector, selectorForm(spec?.selector));
};

interface RollingUpdate {
  readonly maxUnavailable?: string | number;
  readonly maxSurge?: string | number;
}

const isZero = (value: string | number | undefined): boolean =>
  value === 0 || value === undefined || value === '0%';

function checkDeployment(faults: Faults, { spec }: Deployment): void {
  faults.notNegative('spec.replicas', spec?.replicas);
  checkSelected(faults, spec, 'deployment');
  const strategy = spec?.strategy ?? {};
  const { type, rollingUpdate } = strategy;
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined)
      faults.forbidden(
        'spec.strategy.rollingUpdate',
        "may not be specified when strategy `type` is 'Recreate'",
      );
  } else if (type === 'RollingUpdate') checkRolling(faults, 'spec.strategy.rollingUpdate', rollingUpdate);
  else
    faults.unsupported('spec.strategy', internalForm('DeploymentStrategy', strategy), [
      'Recreate',
      'RollingUpdate',
    ]);
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  faults.notNegative('spec.revisionHistoryLimit', spec?.revisionHistoryLimit);
  const seconds = spec?.progressDeadlineSeconds;
  if (seconds === undefined) return;
  faults.notNegative('spec.progressDeadlineSeconds', seconds);
  if (seconds <= (spec?.minReadySeconds ?? 0))
    faults.invalid('spec.progressDeadlineSeconds', seconds, 'must be greater than minReadySeconds');
}

function checkRolling(faults: Faults, at: string, rolling: RollingUpdate | undefined): void {
  const { maxUnavailable, maxSurge } = rolling ?? {};
  checkIntOrPercent(faults, `${at}.maxUnavailable`, maxUnavailable);
  checkIntOrPercent(faults, `${at}.maxSurge`, maxSurge);
  if (isZero(maxUnavailable) && isZero(maxSurge))
    faults.invalid(`${at}.maxUnavailable`, maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0');
  checkAtMostAll(faults, `${at}.maxUnavailable`, maxUnavailable);
}

function checkReplicaSet(faults: Faults, { spec }: ReplicaSet): void {
  faults.notNegative('spec.replicas', spec?.replicas);
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  checkSelected(faults, spec, 'replicaset');
}

function checkReplicationController(faults: Faults, { spec }: ReplicationController): void {
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  const selector = Object.entries(spec?.selector ?? {});
  if (selector.length === 0) faults.add(required('spec.selector'));
  faults.notNegative('spec.replicas', spec?.replicas);
  if (spec?.template === undefined) {
    faults.add(required('spec.template'));
    return;
  }
  checkRunningTemplate(
    faults,
    spec.template as PodTemplateSpec,
    (labels) => selector.every(([key, value]) => labels?.[key] === value),
    'ReplicationController',
  );
}

function checkDaemonSet(faults: Faults, { spec }: DaemonSet): void {
  const selector = spec?.selector as LabelSelectorSpec | undefined;
  // A selector that isn't there or can't be used matches nothing.
  const usable = selector !== undefined && isUsable(selector);
  if (selector !== undefined) checkLabelSelector(faults, 'spec.selector', selector);
  if (usable && !labelSelectorOf(selector).matches((spec?.template as PodTemplateSpec)?.metadata?.labels))
    checkMismatch(faults, spec);
  else if (!usable) checkMismatch(faults, spec);
  if (selector !== undefined && sizeOf(selector) === 0)
    faults.invalid('spec.selector', selectorForm(selector), 'empty selector is invalid for daemonset');
  checkRunningTemplate(faults, spec?.template as PodTemplateSpec, () => true, 'DaemonSet');
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  checkDaemonStrategy(faults, spec?.updateStrategy ?? {});
  faults.notNegative('spec.revisionHistoryLimit', spec?.revisionHistoryLimit);
}

function checkMismatch(faults: Faults, spec: Selecting | undefined): void {
  faults.invalid(
    'spec.template.metadata.labels',
    labelsForm((spec?.template as PodTemplateSpec | undefined)?.metadata?.labels),
    '`selector` does not match template `labels`',
  );
}

type DaemonStrategy = NonNullable<NonNullable<DaemonSet['spec']>['updateStrategy']>;

function checkDaemonStrategy(faults: Faults, strategy: DaemonStrategy): void {
  const { type, rollingUpdate } = strategy;
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate') {
    faults.unsupported('spec.updateStrategy', internalForm('DaemonSetUpdateStrategy', strategy), [
      'RollingUpdate',
      'OnDelete',
    ]);
    return;
  }
  const at = 'spec.updateStrategy.rollingUpdate';
  if (rollingUpdate === undefined) {
    faults.add(required(at));
    return;
  }
  const { maxUnavailable, maxSurge } = rollingUpdate;
  checkIntOrPercent(faults, `${at}.maxUnavailable`, maxUnavailable);
  checkAtMostAll(faults, `${at}.maxUnavailable`, maxUnavailable);
  checkIntOrPercent(faults, `${at}.maxSurge`, maxSurge);
  checkAtMostAll(faults, `${at}.maxSurge`, maxSurge);
  if (!isZero(maxUnavailable) && !isZero(maxSurge))
    faults.invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero');
  else if (isZero(maxUnavailable) && isZero(maxSurge))
    faults.add(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
}

/** Templates may only go forward. */
const checkTemplateGeneration: UpdateCheck<DaemonSet> = (faults, now, old) => {
  const key = 'deprecated.daemonset.template.generation';
  const [generation, before] = [now, old].map(({ metadata }) => Number(metadata?.annotations?.[key] ?? 0));
  if (generation! < before!) faults.invalid('spec.templateGeneration', generation, 'must not be decremented');
};

/** Counts of a status: none is negative, and none is more than the replicas. */
function checkCounts(
  faults: Faults,
  status: Readonly<Record<string, unknown>> | undefined,
  counts: readonly string[],
  bounded: readonly (readonly [string, string, string])[],
): void {
  const count = (name: string): number => Number(status?.[name] ?? 0);
  for (const name of counts) faults.notNegative(`status.${name}`, count(name));
  for (const [name, most, why] of bounded)
    if (count(name) > count(most)) faults.invalid(`status.${name}`, count(name), why);
}

const MORE = 'cannot be greater than status.replicas';
const MORE_READY = 'cannot be greater than readyReplicas';

function checkReplicaStatus(faults: Faults, { status }: { status?: object }): void {
  checkCounts(
    faults,
    status as Tree,
    ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
    [
      ['fullyLabeledReplicas', 'replicas', MORE],
      ['readyReplicas', 'replicas', MORE],
      ['availableReplicas', 'replicas', MORE],
      ['availableReplicas', 'readyReplicas', MORE_READY],
    ],
  );
}

function checkDeploymentStatus(faults: Faults, { status }: Deployment, old: Deployment): void {
  checkCounts(
    faults,
    status as Tree,
    [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
    ],
    [
      ['updatedReplicas', 'replicas', MORE],
      ['readyReplicas', 'replicas', MORE],
      ['availableReplicas', 'replicas', MORE],
      ['availableReplicas', 'readyReplicas', MORE_READY],
    ],
  );
  const collisions = (deployment: { status?: { collisionCount?: number } }): number =>
    deployment.status?.collisionCount ?? 0;
  if (old.status?.collisionCount !== undefined && collisions({ status }) < collisions(old))
    faults.invalid('status.collisionCount', status?.collisionCount ?? null, 'cannot be decremented');
}

const DAEMON_COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
];

function checkRevision(faults: Faults, { data, revision }: ControllerRevision): void {
  if (data === undefined || data === null) faults.add(required('data', 'data is mandatory'));
  faults.notNegative('revision', revision);
}

export const workloadValidators: Readonly<Record<string, Validator>> = {
  deployments: validator<Deployment>({
    create: checkDeployment,
    update: both<Deployment>(checkDeployment, sameSelector as UpdateCheck<Deployment>),
    status: checkDeploymentStatus,
  }),
  replicasets: validator<ReplicaSet>({
    create: checkReplicaSet,
    update: both<ReplicaSet>(checkReplicaSet, sameSelector as UpdateCheck<ReplicaSet>),
    status: checkReplicaStatus,
  }),
  replicationcontrollers: validator<ReplicationController>({
    create: checkReplicationController,
    status: checkReplicaStatus,
  }),
  daemonsets: validator<DaemonSet>({
    create: checkDaemonSet,
    update: (faults, now, old, context) => {
      sameSelector(faults, now as never, old as never, context);
      checkTemplateGeneration(faults, now, old, context);
      checkDaemonSet(faults, now);
    },
    status: (faults, { status }) => checkCounts(faults, status as unknown as Tree, DAEMON_COUNTS, []),
  }),
  statefulsets: validator<StatefulSet>({
    create: checkStatefulSet,
    update: both<StatefulSet>(checkStatefulSet, checkStatefulUpdate),
    status: checkReplicaStatus,
  }),
  controllerrevisions: validator<ControllerRevision>({
    create: checkRevision,
    update: (faults, now, old) => {
      checkRevision(faults, now);
      immutable(faults, 'data', now.data, old.data);
    },
  }),
};
