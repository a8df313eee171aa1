// The frame every controller is made with: informers it reads, a queue of keys, and workers that sync one key each.
import { disposable, every, type Clock, type Random } from '../../simulation/index.ts';
import {
  isStatus,
  keyOf,
  type KubernetesObject,
  type ObjectKey,
  type Resource,
  type Stored,
} from '../api/index.ts';
import {
  makeEventRecorder,
  runWorkers,
  WorkQueue,
  type ApiClient,
  type EventRecorder,
  type Informer,
  type InformerFactory,
  type InformerHandler,
  type Lister,
} from '../client/index.ts';

/** What the controllers of one manager share. */
export interface ControllerContext {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly informers: InformerFactory;
  /** Kubernetes' minor version: some wordings changed with it. */
  readonly minor: number;
  /** Told of what a sync threw; the key is retried with back-off. */
  readonly onError: (controller: string, key: ObjectKey, error: unknown) => void;
}

/** What a controller has while it runs; everything got through it ends with the run. */
export interface ControllerRun {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly queue: WorkQueue;
  readonly recorder: EventRecorder;
  /** Kubernetes' minor version. */
  readonly minor: number;
  /** The shared informer of a resource; workers begin once it has synced. */
  informer<T extends KubernetesObject>(resource: Resource): Informer<T>;
  /** Its cache, when no events are wanted. */
  lister<T extends KubernetesObject>(resource: Resource): Lister<T>;
  /** Hears of changes until the run ends. */
  on<T extends KubernetesObject>(informer: Informer<T>, handler: InformerHandler<T>): void;
  /** Puts the key of every object of the informer that is added, changed or deleted on the queue. */
  enqueueOn<T extends KubernetesObject>(informer: Informer<T>): void;
  readonly enqueue: (object: { readonly metadata?: Stored<KubernetesObject>['metadata'] }) => void;
  /** Repeats a task until the run ends. */
  every(periodMs: number, task: () => void): void;
  /** Disposes something with the run. */
  own(resource: Disposable): void;
  /** Another queue with workers of its own, for controllers that need two. */
  addQueue(workers: number, sync: (key: string) => Promise<void>): WorkQueue;
}

export interface ControllerDefinition {
  /** As `kube-controller-manager --controllers` names it. */
  readonly name: string;
  /** As events name their source. */
  readonly component: string;
  /** Keys worked on at once; the real default. */
  readonly workers: number;
  /** Prepares a run, with fresh state, and answers what brings one key nearer its spec. */
  readonly setUp: (run: ControllerRun) => (key: ObjectKey) => Promise<void>;
}

/** An independent loop. It may be started again after its run was disposed, and then begins afresh. */
export interface Controller {
  readonly name: string;
  start(): Disposable;
}

/** Makes a controller from its definition. */
export function makeController(context: ControllerContext, definition: ControllerDefinition): Controller {
  return { name: definition.name, start: () => startRun(context, definition) };
}

function startRun(context: ControllerContext, definition: ControllerDefinition): Disposable {
  const { client, clock, random, informers, minor } = context;
  const { name, component } = definition;
  const owned: Disposable[] = [];
  const needed = new Set<Informer<KubernetesObject>>();
  const queue = new WorkQueue(clock);
  const queues: { queue: WorkQueue; workers: number; sync: (key: string) => Promise<void> }[] = [];
  let stopped = false;

  const own = (resource: Disposable): void => void owned.push(resource);
  const run: ControllerRun = {
    client,
    clock,
    random,
    queue,
    minor,
    recorder: makeEventRecorder({ client, clock, random: random.fork(`${name}/events`), component }),
    informer<T extends KubernetesObject>(resource: Resource) {
      const informer = informers.informer<T>(resource);
      needed.add(informer as unknown as Informer<KubernetesObject>);
      return informer;
    },
    lister: (resource) => run.informer<never>(resource).lister,
    on: (informer, handler) => own(informer.handle(handler)),
    enqueueOn: (informer) => run.on(informer, { add: run.enqueue, update: run.enqueue, delete: run.enqueue }),
    enqueue: (object) => queue.add(keyOf(object)),
    every: (periodMs, task) => own(every(clock, periodMs, task)),
    own,
    addQueue(workers, sync) {
      const extra = new WorkQueue(clock);
      queues.push({ queue: extra, workers, sync });
      return extra;
    },
  };
  queues.push({ queue, workers: definition.workers, sync: definition.setUp(run) });

  void Promise.all([...needed].map((informer) => informer.waitForSync())).then(() => {
    if (stopped) return;
    for (const { queue: ready, workers, sync } of queues) {
      const onError = (error: unknown, key: string): void => {
        // The cache was behind; the retry reads it anew. That is no news.
        if (!isStatus(error, 'Conflict')) context.onError(name, key, error);
      };
      own(runWorkers(clock, ready, { workers, sync, onError }));
    }
  });
  return disposable(() => {
    stopped = true;
    for (const { queue: open } of queues) open.shutDown();
    for (const resource of owned) resource[Symbol.dispose]();
  });
}
