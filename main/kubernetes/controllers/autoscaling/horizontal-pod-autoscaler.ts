// The HorizontalPodAutoscaler controller: sizes workloads by what their pods use (pkg/controller/podautoscaler).
import { rfc3339 } from '../../../simulation/index.ts';
import {
  builtInResources,
  keyOf,
  parseLabelSelector,
  resources,
  type HorizontalPodAutoscaler,
  type LabelSelector,
  type ObjectKey,
  type Pod,
  type Resource,
  type Scale,
  type Stored,
} from '../../api/index.ts';
import type { Informer } from '../../client/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { customResources, type CustomResourceDefinition } from '../custom-resources.ts';
import { messageOf } from '../pod-control.ts';
import { omitEmpty, writeStatus } from '../status.ts';
import { MetricError, proposalOf, type MetricStatus } from './metric-specs.ts';
import { TOLERANCE_DEFAULT, type Tolerances } from './replica-calculator.ts';
import { decideScale, newScalingMemory, noteScaled, type ScalingMemory } from './scaling-rules.ts';

/** --horizontal-pod-autoscaler-sync-period: each one is looked at this often, and no sooner. */
const SYNC_PERIOD_MS = 15_000;
/** --concurrent-horizontal-pod-autoscaler-syncs. */
const WORKERS = 5;

type Status = NonNullable<HorizontalPodAutoscaler['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** Makes the controller. */
export function makeHorizontalPodAutoscalerController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'horizontal-pod-autoscaler-controller',
    component: 'horizontal-pod-autoscaler',
    workers: WORKERS,
    setUp(run) {
      const autoscalers = run.informer<HorizontalPodAutoscaler>(resources.horizontalpodautoscalers);
      const pods = run.informer<Pod>(resources.pods);
      const definitions = run.informer<CustomResourceDefinition>(resources.customresourcedefinitions);
      const memories = new Map<ObjectKey, Memory>();
      const later = (autoscaler: Stored<HorizontalPodAutoscaler>): void =>
        run.queue.addAfter(keyOf(autoscaler), SYNC_PERIOD_MS);
      run.on(autoscalers, {
        add: later,
        update: later,
        delete: (autoscaler) => void memories.delete(keyOf(autoscaler)),
      });
      return async function sync(key) {
        const autoscaler = autoscalers.lister.get(key);
        if (autoscaler === undefined) return;
        let memory = memories.get(key);
        if (memory === undefined)
          memories.set(key, (memory = { ...newScalingMemory(), selector: undefined }));
        const others = [...memories].filter(([other]) => other !== key);
        try {
          await new Autoscaling({ run, pods, definitions, autoscaler, memory, others }).sync();
        } catch (error) {
          // It has been told in an event and a condition; the next turn comes as always.
          if (!(error instanceof AutoscalingError)) throw error;
        } finally {
          run.queue.addAfter(key, SYNC_PERIOD_MS);
        }
      };
    },
  });
}

interface Memory extends ScalingMemory {
  /** Of the pods that it sizes, as last seen. */
  selector: LabelSelector | undefined;
}

interface AutoscalingParts {
  readonly run: ControllerRun;
  readonly pods: Informer<Pod>;
  readonly definitions: Informer<CustomResourceDefinition>;
  readonly autoscaler: Stored<HorizontalPodAutoscaler>;
  readonly memory: Memory;
  readonly others: readonly (readonly [ObjectKey, Memory])[];
}

/** Why there was nothing to do this time. */
class AutoscalingError extends Error {}

/** What the metrics ask for together. */
interface Recommendation {
  readonly replicas: number;
  readonly metric: string;
  readonly statuses: MetricStatus[];
}

/** One look at one autoscaler. */
class Autoscaling {
  private readonly parts: AutoscalingParts;
  private conditions: Condition[];

  constructor(parts: AutoscalingParts) {
    this.parts = parts;
    this.conditions = [...(parts.autoscaler.status?.conditions ?? [])];
  }

  async sync(): Promise<void> {
    const { autoscaler, memory, run } = this.parts;
    const { minReplicas = 1, maxReplicas, behavior } = autoscaler.spec!;
    const { resource, scale } = await this.readScale();
    this.condition('AbleToScale', 'True', {
      reason: 'SucceededGetScale',
      message: "the HPA controller was able to get the target's current scale",
    });
    const currentReplicas = scale.spec?.replicas ?? 0;
    const nowMs = run.clock.now();
    if (memory.recommendations.length === 0)
      memory.recommendations.push({ replicas: currentReplicas, atMs: nowMs });
    let desiredReplicas: number;
    let reason = '';
    let statuses: MetricStatus[] = [];
    if (currentReplicas === 0 && minReplicas !== 0) {
      desiredReplicas = 0;
      this.condition('ScalingActive', 'False', {
        reason: 'ScalingDisabled',
        message: 'scaling is disabled since the replica count of the target is zero',
      });
    } else if (currentReplicas > maxReplicas) {
      desiredReplicas = maxReplicas;
      reason = 'Current number of replicas above Spec.MaxReplicas';
    } else if (currentReplicas < minReplicas) {
      desiredReplicas = minReplicas;
      reason = 'Current number of replicas below Spec.MinReplicas';
    } else {
      const recommended = await this.recommend(scale, currentReplicas);
      statuses = recommended.statuses;
      desiredReplicas = recommended.replicas;
      if (desiredReplicas > currentReplicas) reason = `${recommended.metric} above target`;
      if (desiredReplicas < currentReplicas) reason = 'All metrics below target';
      const decision = decideScale(memory, {
        behavior,
        minReplicas,
        maxReplicas,
        currentReplicas,
        desiredReplicas,
        nowMs: run.clock.now(),
      });
      desiredReplicas = decision.replicas;
      this.condition('AbleToScale', 'True', decision.ableToScale);
      this.condition('ScalingLimited', decision.scalingLimited.status, decision.scalingLimited);
    }
    const isRescaled = desiredReplicas !== currentReplicas;
    if (isRescaled) {
      await this.rescale(resource, scale, desiredReplicas, reason, statuses);
      noteScaled(memory, behavior, currentReplicas, desiredReplicas, run.clock.now());
    }
    await this.writeStatus(currentReplicas, desiredReplicas, statuses, isRescaled);
  }

  private async readScale(): Promise<{ resource: Resource; scale: Stored<Scale> }> {
    const { run, autoscaler, definitions } = this.parts;
    const { apiVersion = 'v1', kind, name } = autoscaler.spec!.scaleTargetRef;
    const { namespace } = autoscaler.metadata;
    try {
      const [version = '', group = ''] = apiVersion.split('/').toReversed();
      const known = [...builtInResources, ...customResources(definitions.lister)];
      // Old releases name workloads by a group that they have left.
      const home = group === 'extensions' ? 'apps' : group;
      const resource = known.find((each) => each.kind === kind && each.group === home);
      if (resource === undefined) {
        const where = group === '' ? `version "${version}"` : `group "${group}"`;
        throw new Error(
          `unable to determine resource for scale target reference: no matches for kind "${kind}" in ${where}`,
        );
      }
      const scale = await run.client.get<Scale>(resource, name, { namespace, subresource: 'scale' });
      return { resource, scale };
    } catch (error) {
      const words = messageOf(error);
      this.tell('Warning', 'FailedGetScale', words);
      this.condition('AbleToScale', 'False', {
        reason: 'FailedGetScale',
        message: `the HPA controller was unable to get the target's current scale: ${words}`,
      });
      return this.giveUp(autoscaler.status?.currentReplicas ?? 0, undefined, words, error);
    }
  }

  /** Throws AutoscalingError when too little is known. */
  private async recommend(scale: Stored<Scale>, currentReplicas: number): Promise<Recommendation> {
    const { run, autoscaler } = this.parts;
    const { namespace = '' } = autoscaler.metadata;
    const { selector, pods } = await this.selectPods(scale, currentReplicas);
    const context = {
      client: run.client,
      namespace,
      selector,
      pods,
      currentReplicas,
      tolerances: tolerancesOf(autoscaler),
      nowMs: run.clock.now(),
      target: autoscaler.spec!.scaleTargetRef.name,
    };
    const metrics = autoscaler.spec!.metrics ?? [];
    const statuses: MetricStatus[] = [];
    let best: { replicas: number; metric: string } | undefined;
    let invalid = 0;
    let firstError: MetricError | undefined;
    for (const metric of metrics) {
      try {
        const { replicas, name, status } = await proposalOf(context, metric);
        statuses.push(status);
        if (best === undefined || replicas > best.replicas) best = { replicas, metric: name };
      } catch (error) {
        if (!(error instanceof MetricError)) throw error;
        invalid++;
        firstError ??= error;
        statuses.push({ type: '' });
        this.tell('Warning', error.reason, error.message);
      }
    }
    const problem =
      firstError === undefined
        ? ''
        : `invalid metrics (${invalid} invalid out of ${metrics.length}), first error is: ${firstError.lead === '' ? '' : `${firstError.lead}: `}${firstError.message}`;
    if (best === undefined || (firstError !== undefined && best.replicas < currentReplicas)) {
      this.condition('ScalingActive', 'False', {
        reason: firstError?.reason ?? '',
        message: `the HPA was unable to compute the replica count: ${firstError?.message ?? ''}`,
      });
      this.tell('Warning', 'FailedComputeMetricsReplicas', problem);
      return this.giveUp(currentReplicas, statuses, problem);
    }
    this.condition('ScalingActive', 'True', {
      reason: 'ValidMetricFound',
      message: `the HPA was able to successfully calculate a replica count from ${best.metric}`,
    });
    return { ...best, statuses };
  }

  private async selectPods(
    scale: Stored<Scale>,
    currentReplicas: number,
  ): Promise<{ selector: string; pods: Stored<Pod>[] }> {
    const { pods, memory, others, autoscaler } = this.parts;
    const { namespace = '' } = autoscaler.metadata;
    const text = scale.status?.selector ?? '';
    const refuse = (reason: string, event: string, message: string): Promise<never> => {
      this.tell('Warning', reason, event);
      this.condition('ScalingActive', 'False', { reason, message });
      return this.giveUp(currentReplicas, undefined, event);
    };
    if (text === '')
      return refuse(
        'InvalidSelector',
        'selector is required',
        "the HPA target's scale is missing a selector",
      );
    const selector = parseLabelSelector(text);
    memory.selector = selector;
    const selected = pods.lister.list(namespace).filter(({ metadata }) => selector.matches(metadata.labels));
    const rivals = others.filter(
      ([key, other]) =>
        key.startsWith(`${namespace}/`) &&
        other.selector !== undefined &&
        selected.some(({ metadata }) => other.selector!.matches(metadata.labels)),
    );
    if (rivals.length > 0) {
      const names = [keyOf(autoscaler), ...rivals.map(([key]) => key)].sort().join(' ');
      const message = `pods by selector ${text} are controlled by multiple HPAs: [${names}]`;
      return refuse('AmbiguousSelector', message, message);
    }
    return { selector: text, pods: selected };
  }

  private async rescale(
    resource: Resource,
    scale: Stored<Scale>,
    replicas: number,
    reason: string,
    statuses: MetricStatus[],
  ): Promise<void> {
    const { run, autoscaler } = this.parts;
    const { namespace } = autoscaler.metadata;
    try {
      const changed = { ...scale, spec: { ...scale.spec, replicas } };
      await run.client.update<Scale>(resource, changed, { namespace, subresource: 'scale' });
    } catch (error) {
      const words = messageOf(error);
      this.tell('Warning', 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${words}`);
      this.condition('AbleToScale', 'False', {
        reason: 'FailedUpdateScale',
        message: `the HPA controller was unable to update the target scale: ${words}`,
      });
      await this.giveUp(scale.spec?.replicas ?? 0, statuses, words, error);
    }
    this.condition('AbleToScale', 'True', {
      reason: 'SucceededRescale',
      message: `the HPA controller was able to update the target scale to ${replicas}`,
    });
    this.tell('Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`);
  }

  /** Writes what is known and ends the look. */
  private async giveUp(
    currentReplicas: number,
    statuses: MetricStatus[] | undefined,
    words: string,
    cause?: unknown,
  ): Promise<never> {
    const { status } = this.parts.autoscaler;
    const metrics = statuses ?? status?.currentMetrics ?? [];
    await this.writeStatus(currentReplicas, status?.desiredReplicas ?? 0, metrics, false);
    throw new AutoscalingError(words, { cause });
  }

  private async writeStatus(
    currentReplicas: number,
    desiredReplicas: number,
    currentMetrics: MetricStatus[],
    isRescaled: boolean,
  ): Promise<void> {
    const { run, autoscaler } = this.parts;
    const status: Status = {
      ...autoscaler.status,
      currentReplicas,
      desiredReplicas,
      currentMetrics,
      conditions: this.conditions,
      ...(isRescaled ? { lastScaleTime: rfc3339(run.clock.now()) } : {}),
    };
    await writeStatus<HorizontalPodAutoscaler>(
      run.client,
      resources.horizontalpodautoscalers,
      autoscaler,
      omitEmpty(status, ['currentReplicas']),
    );
  }

  /** In its place, with a new time only if its status is another. */
  private condition(
    type: string,
    status: 'True' | 'False',
    { reason, message }: { readonly reason: string; readonly message: string },
  ): void {
    const old = this.conditions.find((condition) => condition.type === type);
    const lastTransitionTime =
      old?.status === status ? old.lastTransitionTime : rfc3339(this.parts.run.clock.now());
    const made = { type, status, lastTransitionTime, reason, message };
    this.conditions =
      old === undefined
        ? [...this.conditions, made]
        : this.conditions.map((condition) => (condition === old ? made : condition));
  }

  private tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.parts.run.recorder.event(this.parts.autoscaler, type, reason, message);
  }
}

/** spec.behavior may widen or narrow them (KEP-4951). */
function tolerancesOf({ spec }: HorizontalPodAutoscaler): Tolerances {
  const of = (rules: unknown): number => {
    const { tolerance } = (rules ?? {}) as { tolerance?: string | number | null };
    return tolerance == null ? TOLERANCE_DEFAULT : Number(tolerance);
  };
  return { up: of(spec?.behavior?.scaleUp), down: of(spec?.behavior?.scaleDown) };
}
