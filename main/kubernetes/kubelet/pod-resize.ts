// In-place resize: what a pod has been given of what it asks for, and how running containers come by it (KEP-1287).
import { cgroupOf, type Container as RuntimeContainer } from '../../linux/containerd/index.ts';
import type { Container } from '../api/index.ts';
import { resourcesOf } from './linux-resources.ts';
import { amountOf } from './pod-requests.ts';
import { killContainer } from './pod-ending.ts';
import {
  initContainersOf,
  isStaticPod,
  podReference,
  regularContainersOf,
  type KnownPod,
  type PodContainer,
} from './pod-facts.ts';
import type { PodTask } from './pod-task.ts';
import { newestOf } from './runtime-cache.ts';

type Resources = NonNullable<Container['resources']>;

/** A condition of the pod while its resize isn't done. */
export interface ResizeCondition {
  readonly type: 'PodResizePending' | 'PodResizeInProgress';
  readonly reason?: string;
  readonly message?: string;
}

/** How long a resize that doesn't fit waits before it is looked at again, unless a pod ends meanwhile. */
const DEFERRED_RETRY_MS = 3 * 60_000;
/** How long one that can't be done now is left alone. */
const ERROR_RETRY_MS = 30_000;

/** What containers are given, by name, as far as it may change. */
function resourcesIn(pod: KnownPod): Map<string, Resources> {
  return new Map(
    [...initContainersOf(pod), ...regularContainersOf(pod)].map(({ spec }) => [
      spec.name,
      spec.resources ?? {},
    ]),
  );
}

/** True if the second version of a pod asks for other resources than the first. */
export function asksForOther(before: KnownPod, after: KnownPod): boolean {
  if (before.metadata.generation === after.metadata.generation && after.metadata.generation !== undefined)
    return false;
  return differ(resourcesIn(before), resourcesIn(after));
}

function differ(a: ReadonlyMap<string, Resources>, b: ReadonlyMap<string, Resources>): boolean {
  return [...b].some(([name, wanted]) => {
    const has = a.get(name);
    return has !== undefined && text(has) !== text(wanted);
  });
}

function text({ limits, requests }: Resources): string {
  const list = (values: Readonly<Record<string, string | number>> = {}): (readonly [string, number])[] =>
    Object.entries(values)
      .map(([name, value]) => [name, amountOf(name, value)] as const)
      .toSorted(([x], [y]) => (x < y ? -1 : 1));
  return JSON.stringify([list(limits), list(requests)]);
}

/** What the server was last told a pod had, where that isn't what it asks for: a kubelet that comes back goes on from it. */
export function reportedPod(pod: KnownPod): KnownPod | undefined {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const reported = new Map(
    statuses.flatMap(({ name, resources }) => (resources === undefined ? [] : [[name, resources] as const])),
  );
  return differ(reported, resourcesIn(pod)) ? withResources(pod, reported) : undefined;
}

function withResources(pod: KnownPod, given: ReadonlyMap<string, Resources>): KnownPod {
  const take = (containers: readonly Container[]): Container[] =>
    containers.map((container) => {
      const resources = given.get(container.name);
      return resources === undefined ? container : { ...container, resources };
    });
  const { containers, initContainers } = pod.spec;
  const spec = {
    ...pod.spec,
    containers: take(containers),
    ...(initContainers === undefined ? {} : { initContainers: take(initContainers) }),
  };
  return { ...pod, spec };
}

/** The resizing of one pod, from the first time it asks for something else. */
export class PodResize {
  private readonly task: PodTask;
  /** What is promised. */
  private allocated: Map<string, Resources>;
  /** What containers run with. */
  private readonly actual: Map<string, Resources>;
  private wanted: KnownPod;
  private pending: ResizeCondition | undefined;
  private progress: ResizeCondition | undefined;

  constructor(task: PodTask, before: KnownPod, wanted: KnownPod) {
    this.task = task;
    this.allocated = resourcesIn(before);
    this.actual = new Map(this.allocated);
    this.wanted = wanted;
  }

  /** Takes in a newer version. */
  take(pod: KnownPod): void {
    this.wanted = pod;
  }

  /** The newest version, with what is given instead of what is asked. */
  given(): KnownPod {
    return withResources(this.wanted, this.allocated);
  }

  conditions(): ResizeCondition[] {
    return [this.pending, this.progress].filter((condition) => condition !== undefined);
  }

  /** Promises what is asked for if there is room, and gives what is promised. */
  async step(): Promise<void> {
    if (differ(this.allocated, resourcesIn(this.wanted))) this.allocate();
    else this.pending = undefined;
    if (differ(this.actual, this.allocated)) await this.actuate();
  }

  private allocate(): void {
    const { admission, recorder } = this.task.world;
    const { uid } = this.wanted.metadata;
    const fault = isStaticPod(this.wanted)
      ? { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' }
      : this.shortage();
    if (fault === undefined) {
      this.pending = undefined;
      this.allocated = resourcesIn(this.wanted);
      admission.enter(this.wanted);
      this.task.world.pendingResizes.delete(uid);
      this.progress = { type: 'PodResizeInProgress' };
      recorder.event(
        podReference(this.wanted),
        'Normal',
        'ResizeStarted',
        `Pod resize started: ${this.summary()}`,
      );
      return;
    }
    const { reason, message, word = reason } = fault;
    if (this.pending?.message !== message) {
      const text = `Pod resize ${word}: ${this.summary(message)}`;
      recorder.event(podReference(this.wanted), 'Warning', `Resize${reason}`, text);
    }
    this.pending = { type: 'PodResizePending', reason, message };
    if (reason !== 'Deferred') return;
    this.task.world.pendingResizes.add(uid);
    this.task.retry(DEFERRED_RETRY_MS);
  }

  private shortage(): { reason: string; message: string; word?: string } | undefined {
    const { uid } = this.wanted.metadata;
    const short = this.task.world.admission.shortOf(uid, this.wanted.spec);
    if (short === undefined) return undefined;
    const { name, requested, used, capacity } = short;
    if (requested > capacity) {
      const message = `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`;
      return { reason: 'Infeasible', message };
    }
    const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    return { reason: 'Deferred', message, word: `OutOf${name}` };
  }

  private async actuate(): Promise<void> {
    const { task } = this;
    for (const container of [...initContainersOf(task.pod), ...regularContainersOf(task.pod)]) {
      const { name } = container.spec;
      const given = this.allocated.get(name) ?? {};
      const had = this.actual.get(name) ?? {};
      if (text(given) === text(had)) continue;
      const current = newestOf(task.runtimeState(), name);
      if (current?.state === 'running') {
        const fault = await this.change(container, current, had, given);
        if (fault !== undefined) {
          this.progress = { type: 'PodResizeInProgress', reason: 'Error', message: fault };
          return task.retry(ERROR_RETRY_MS);
        }
      }
      this.actual.set(name, given);
    }
    this.progress = undefined;
    const subject = podReference(this.wanted);
    task.world.recorder.event(
      subject,
      'Normal',
      'ResizeCompleted',
      `Pod resize completed: ${this.summary()}`,
    );
  }

  /** Differs: CPU limits are accounted but slow no process down. */
  private async change(
    container: PodContainer,
    current: RuntimeContainer,
    had: Resources,
    given: Resources,
  ): Promise<string | undefined> {
    const { task } = this;
    const { spec } = container;
    const hasChanged = (name: string): boolean =>
      (['limits', 'requests'] as const).some(
        (list) => amount(had[list]?.[name], name) !== amount(given[list]?.[name], name),
      );
    const mustRestart = (spec.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && hasChanged(resourceName),
    );
    if (mustRestart) {
      const message = `Container ${spec.name} resize requires restart`;
      await killContainer(task, container, current, message, { reason: 'Resized' });
      return undefined;
    }
    const resources = resourcesOf(given);
    const { memoryMaxBytes } = resources;
    const used = this.memoryOf(current);
    if (memoryMaxBytes !== undefined && used > memoryMaxBytes)
      return `attempting to set container "${spec.name}" memory limit (${memoryMaxBytes}) below current usage (${used})`;
    await task.world.containerd.updateContainer(current.id, resources);
    return undefined;
  }

  private memoryOf(current: RuntimeContainer): number {
    const sandbox = this.task.runtimeState().sandboxes.find(({ id }) => id === current.sandboxId);
    const usage = this.task.world.kernel.cgroupUsage(cgroupOf(sandbox?.spec.cgroupParent ?? '', current.id));
    return usage?.memoryBytes ?? 0;
  }

  /** What events say of a resize: what each container is to have. */
  private summary(error?: string): string {
    const list = (containers: readonly PodContainer[]): { name: string; resources: Resources }[] =>
      containers.map(({ spec }) => ({ name: spec.name, resources: sorted(spec.resources ?? {}) }));
    const init = list(initContainersOf(this.wanted));
    return JSON.stringify({
      ...(init.length === 0 ? {} : { initContainers: init }),
      containers: list(regularContainersOf(this.wanted)),
      generation: this.wanted.metadata.generation,
      ...(error === undefined ? {} : { error }),
    });
  }
}

function amount(value: string | number | undefined, name: string): number | undefined {
  return value === undefined ? undefined : amountOf(name, value);
}

function sorted({ limits, requests }: Resources): Resources {
  const inOrder = (list: Resources['limits']): Resources['limits'] =>
    list && Object.fromEntries(Object.entries(list).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...(limits === undefined ? {} : { limits: inOrder(limits) }),
    ...(requests === undefined ? {} : { requests: inOrder(requests) }),
  };
}
