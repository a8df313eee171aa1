// The disruption controller: works out how many pods a PodDisruptionBudget lets go.
import { rfc3339 } from '../../simulation/index.ts';
import {
  keyOf,
  labelSelectorOf,
  resources,
  type Deployment,
  type Pod,
  type PodDisruptionBudget,
  type ReplicaSet,
  type ReplicationController,
  type StatefulSet,
  type Stored,
} from '../api/index.ts';
import type { Lister } from '../client/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { scaledValue } from './deployment/rolling.ts';
import { controllerOf } from './owner.ts';
import { instant, isPodReady } from './pod-state.ts';
import { omitEmpty, writeStatus, type Condition } from './status.ts';

/** An eviction that was granted counts against the budget for this long, or until the pod is gone. */
const DISRUPTED_MAX_MS = 2 * 60_000;
/** Changes of pods gather for this long. */
const GATHER_MS = 10;

interface Listers {
  readonly pods: Lister<Pod>;
  readonly deployments: Lister<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly replicationControllers: Lister<ReplicationController>;
  readonly statefulSets: Lister<StatefulSet>;
}

/** Makes the disruption controller. */
export function makeDisruptionController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'disruption-controller',
    component: 'controllermanager',
    workers: 1,
    setUp(run) {
      const budgets = run.informer<PodDisruptionBudget>(resources.poddisruptionbudgets);
      const pods = run.informer<Pod>(resources.pods);
      const listers: Listers = {
        pods: pods.lister,
        deployments: run.lister<Deployment>(resources.deployments),
        replicaSets: run.lister<ReplicaSet>(resources.replicasets),
        replicationControllers: run.lister<ReplicationController>(resources.replicationcontrollers),
        statefulSets: run.lister<StatefulSet>(resources.statefulsets),
      };
      run.enqueueOn(budgets);
      const podChanged = (pod: Stored<Pod>): void => {
        if (budgets.lister.size === 0) return;
        for (const budget of budgets.lister.list(pod.metadata.namespace)) {
          if (labelSelectorOf(budget.spec?.selector).matches(pod.metadata.labels))
            run.queue.addAfter(keyOf(budget), GATHER_MS);
        }
      };
      run.on(pods, { add: podChanged, update: podChanged, delete: podChanged });
      return async function sync(key) {
        const budget = budgets.lister.get(key);
        if (budget !== undefined) await syncBudget(run, listers, budget);
      };
    },
  });
}

async function syncBudget(
  run: ControllerRun,
  listers: Listers,
  budget: Stored<PodDisruptionBudget>,
): Promise<void> {
  const selector = labelSelectorOf(budget.spec?.selector);
  const pods = listers.pods
    .list(budget.metadata.namespace)
    .filter(({ metadata }) => selector.matches(metadata.labels));
  if (pods.length === 0) run.recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found');
  const counts = expected(listers, budget, pods);
  if (typeof counts === 'string') {
    run.recorder.event(
      budget,
      'Warning',
      'CalculateExpectedPodCountFailed',
      `Failed to calculate the number of expected pods: ${counts}`,
    );
    await write(
      run,
      budget,
      { ...budget.status!, disruptionsAllowed: 0, observedGeneration: budget.metadata.generation },
      'SyncFailed',
      counts,
    );
    return;
  }
  const nowMs = run.clock.now();
  const disruptedPods = stillDisrupted(listers, budget, nowMs);
  const currentHealthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      disruptedPods[pod.metadata.name] === undefined &&
      isPodReady(pod),
  ).length;
  const disruptionsAllowed =
    counts.expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - counts.desiredHealthy);
  const status = {
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    currentHealthy,
    ...counts,
    disruptionsAllowed,
    observedGeneration: budget.metadata.generation,
  };
  await write(run, budget, status, disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods', '');
  if (Object.keys(disruptedPods).length > 0) run.queue.addAfter(keyOf(budget), DISRUPTED_MAX_MS);
}

type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;

async function write(
  run: ControllerRun,
  budget: Stored<PodDisruptionBudget>,
  status: BudgetStatus,
  reason: string,
  message: string,
): Promise<void> {
  const state = reason === 'SufficientPods' ? 'True' : 'False';
  const old = budget.status?.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  const condition: Condition & { observedGeneration?: number } = {
    type: 'DisruptionAllowed',
    status: state,
    lastTransitionTime: old?.status === state ? old.lastTransitionTime : rfc3339(run.clock.now()),
    reason,
    message,
    observedGeneration: budget.metadata.generation,
  };
  const conditions = [condition] as BudgetStatus['conditions'];
  await writeStatus<PodDisruptionBudget>(
    run.client,
    resources.poddisruptionbudgets,
    budget,
    omitEmpty({ ...status, conditions }),
  );
}

/** How many pods there should be and how many of them must stay; or why that can't be told. */
function expected(
  listers: Listers,
  { spec }: PodDisruptionBudget,
  pods: readonly Stored<Pod>[],
): { expectedPods: number; desiredHealthy: number } | string {
  const { minAvailable, maxUnavailable } = spec ?? {};
  if (maxUnavailable === undefined && typeof minAvailable !== 'string') {
    return { expectedPods: pods.length, desiredHealthy: minAvailable ?? 0 };
  }
  const sizes = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) return `found no controllers for pod "${pod.metadata.name}"`;
    const size = scaleOf(listers, pod.metadata.namespace ?? '', owner);
    if (size === undefined) return `${owner.kind} ${owner.name} does not implement the scale subresource`;
    sizes.set(size.uid, size.replicas);
  }
  const expectedPods = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const desiredHealthy =
    maxUnavailable === undefined
      ? scaledValue(minAvailable, expectedPods, 'up')
      : Math.max(0, expectedPods - scaledValue(maxUnavailable, expectedPods, 'up'));
  return { expectedPods, desiredHealthy };
}

/** The size of the workload a pod belongs to: of the Deployment, where there is one. */
function scaleOf(
  listers: Listers,
  namespace: string,
  owner: { kind: string; name: string; uid: string },
): { uid: string; replicas: number } | undefined {
  const key = `${namespace}/${owner.name}`;
  switch (owner.kind) {
    case 'ReplicaSet': {
      const set = listers.replicaSets.get(key);
      const parent = set === undefined ? undefined : controllerOf(set);
      const deployment =
        parent?.kind === 'Deployment' ? listers.deployments.get(`${namespace}/${parent.name}`) : undefined;
      const sized = deployment ?? set;
      return sized === undefined
        ? undefined
        : { uid: sized.metadata.uid, replicas: sized.spec?.replicas ?? 1 };
    }
    case 'StatefulSet':
    case 'ReplicationController': {
      const lister = owner.kind === 'StatefulSet' ? listers.statefulSets : listers.replicationControllers;
      const sized = lister.get(key);
      return sized === undefined ? undefined : { uid: owner.uid, replicas: sized.spec?.replicas ?? 1 };
    }
    default:
      return undefined;
  }
}

function stillDisrupted(
  listers: Listers,
  budget: Stored<PodDisruptionBudget>,
  nowMs: number,
): Record<string, string> {
  const disrupted = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, time]) => {
    const pod = listers.pods.get(`${budget.metadata.namespace}/${name}`);
    return (
      pod !== undefined &&
      pod.metadata.deletionTimestamp === undefined &&
      instant(time as string) + DISRUPTED_MAX_MS > nowMs
    );
  });
  return Object.fromEntries(disrupted) as Record<string, string>;
}
