// An API server with controllers and scheduler, and nodes whose pods start by themselves, for tests without machines.
import {
  resources,
  type KubernetesObject,
  type Node,
  type Pod,
  type Resource,
  type Stored,
} from '../../main/kubernetes/api/index.ts';
import { Informer, type ApiClient } from '../../main/kubernetes/client/index.ts';
import { makeControllerManager } from '../../main/kubernetes/controllers/index.ts';
import { makeScheduler } from '../../main/kubernetes/scheduler/index.ts';
import { issueCertificate, makeKeyPair } from '../../main/network/tls/index.ts';
import {
  disposable,
  every,
  makeRandom,
  rfc3339,
  rfc3339Micro,
  type Duration,
} from '../../main/simulation/index.ts';
import { makeApi, type TestApi } from './make-api.ts';

export interface TestControlPlane extends Disposable {
  readonly api: TestApi;
  /** What controllers and scheduler complained of. */
  readonly errors: string[];
  /** Runs until nothing changes any more for a moment of virtual time. */
  settle(duration?: Duration): Promise<void>;
  addNode(name: string, overrides?: NodeOverrides): Promise<void>;
  /** The node no longer reports. */
  silence(name: string): void;
  /** Whether nodes leave newly bound pods pending. */
  pauseStarts(paused: boolean): void;
  create<T extends KubernetesObject>(resource: Resource, object: T): Promise<Stored<T>>;
  list<T extends KubernetesObject>(resource: Resource, namespace?: string): Promise<Stored<T>[]>;
  get<T extends KubernetesObject>(resource: Resource, name: string, namespace?: string): Promise<Stored<T>>;
  /** Reason and message of events about the object of this name, oldest first; a count above one is shown. */
  events(name: string): Promise<string[]>;
  /** Starts controllers and scheduler after a `stop`. */
  start(): void;
  stop(): void;
}

export interface NodeOverrides {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly labels?: Record<string, string>;
  readonly taints?: NonNullable<Node['spec']>['taints'];
}

export interface ControlPlaneOptions {
  readonly seed?: number;
  readonly nodes?: readonly string[];
  /** Starts bound pods at once; false leaves them as the scheduler does. */
  readonly startPods?: boolean;
  readonly controllers?: readonly string[];
  /** Stands for metrics-server: the PodMetrics of a namespace, or undefined for no such API. */
  readonly podMetrics?: (namespace: string) => readonly KubernetesObject[] | undefined;
  /** Options for the scheduler's wording. */
  readonly minorVersion?: number;
}

const authorityKey = makeKeyPair(makeRandom(1)).privateKey;
/** The authority that the control planes of tests sign certificates with. */
export const signingAuthority = {
  privateKey: authorityKey,
  certificate: issueCertificate(
    {
      commonName: 'kubernetes',
      isAuthority: true,
      notBeforeMs: 0,
      notAfterMs: Date.UTC(2046, 0),
      serial: '01',
    },
    authorityKey,
  ),
};

/** Makes the control plane and settles it. */
export async function makeControlPlane(options: ControlPlaneOptions = {}): Promise<TestControlPlane> {
  const { seed = 1, nodes = ['worker1', 'worker2'], startPods = true, controllers, minorVersion } = options;
  const api = makeApi({ seed });
  const { client, clock, random } = api;
  const errors: string[] = [];
  const onError = (source: string, key: string, error: unknown): void => {
    errors.push(
      `${source} ${key}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  };
  const manager = makeControllerManager({
    client: withPodMetrics(api.server.adminClient('kube-controller-manager'), options.podMetrics),
    clock,
    random,
    clusterCidr: '10.244.0.0/16',
    signingAuthority,
    rootCa: '-----BEGIN CERTIFICATE-----\ntest\n-----END CERTIFICATE-----\n',
    controllers,
    onError,
  });
  const scheduler = makeScheduler({
    client: api.server.adminClient('kube-scheduler'),
    clock,
    random,
    minorVersion,
    onError,
  });
  const kubelets = makeHollowKubelets(api, startPods);
  let running: Disposable[] = [];

  const plane: TestControlPlane = {
    api,
    errors,
    async settle(duration = { seconds: 2 }) {
      await clock.advance(duration);
    },
    addNode: (name, overrides) => kubelets.add(name, overrides),
    silence: (name) => kubelets.silence(name),
    pauseStarts: (paused) => kubelets.pauseStarts(paused),
    create: (resource, object) => client.create(resource, object, scopeOf(object)),
    list: async <T extends KubernetesObject>(resource: Resource, namespace?: string) =>
      (await client.list<T>(resource, namespace === undefined ? {} : { namespace })).items,
    get: (resource, name, namespace = 'default') =>
      client.get(resource, name, resource.namespaced ? { namespace } : {}),
    async events(name) {
      const { items } = await client.list<KubernetesObject & EventLike>(resources.events);
      return items
        .filter(({ involvedObject }) => involvedObject?.name === name)
        .map(
          ({ reason, message, count }) => `${reason}: ${message}${(count ?? 1) > 1 ? ` (x${count})` : ''}`,
        );
    },
    start() {
      running = [manager.start(), scheduler.start()];
    },
    stop() {
      for (const run of running.splice(0)) run[Symbol.dispose]();
    },
    [Symbol.dispose]() {
      plane.stop();
      kubelets[Symbol.dispose]();
      api[Symbol.dispose]();
    },
  };
  plane.start();
  for (const name of nodes) await plane.addNode(name);
  await plane.settle();
  return plane;
}

/** A client that has its pod metrics from a test. */
function withPodMetrics(client: ApiClient, podMetrics: ControlPlaneOptions['podMetrics']): ApiClient {
  if (podMetrics === undefined) return client;
  const list: ApiClient['list'] = async <T extends KubernetesObject>(
    resource: Resource,
    scope: Parameters<ApiClient['list']>[1] = {},
  ) => {
    const items = resource.group === 'metrics.k8s.io' ? podMetrics(scope.namespace ?? '') : undefined;
    if (items === undefined) return client.list<T>(resource, scope);
    return { kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items } as never;
  };
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'list') return list;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

interface EventLike {
  involvedObject?: { name?: string };
  reason?: string;
  message?: string;
  count?: number;
}

function scopeOf(object: KubernetesObject): { namespace?: string } {
  return object.metadata?.namespace === undefined ? {} : { namespace: object.metadata.namespace };
}

interface HollowKubelets extends Disposable {
  add(name: string, overrides?: NodeOverrides): Promise<void>;
  silence(name: string): void;
  pauseStarts(paused: boolean): void;
}

/** Nodes that renew their lease, call every pod ready as soon as it is bound, and let it go when it is deleted. */
function makeHollowKubelets({ client, clock }: TestApi, startsPods: boolean): HollowKubelets {
  const leases = new Map<string, Disposable>();
  const informer = new Informer<Pod>({ client, clock, resource: resources.pods });
  let address = 2;
  let startPods = startsPods;

  const start = async (pod: Stored<Pod>): Promise<void> => {
    const { name, namespace } = pod.metadata;
    const time = rfc3339(clock.now());
    const podIP = `10.244.${Math.floor(address / 250)}.${(address++ % 250) + 2}`;
    const condition = (type: string): object => ({ type, status: 'True', lastTransitionTime: time });
    const status = {
      phase: 'Running',
      podIP,
      podIPs: [{ ip: podIP }],
      startTime: time,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition),
    };
    await client.patch(
      resources.pods,
      name,
      'application/strategic-merge-patch+json',
      { status },
      { namespace, subresource: 'status' },
    );
  };
  const end = async ({ metadata }: Stored<Pod>): Promise<void> => {
    await client.delete(resources.pods, metadata.name, {
      namespace: metadata.namespace,
      uid: metadata.uid,
      gracePeriodSeconds: 0,
    });
  };
  const unlessGone = (task: Promise<unknown>): void => void task.catch(() => undefined);
  const look = (pod: Stored<Pod>): void => {
    const node = pod.spec?.nodeName;
    if (!node || !leases.has(node)) return;
    if (pod.metadata.deletionTimestamp !== undefined) unlessGone(end(pod));
    else if (startPods && (pod.status?.phase ?? 'Pending') === 'Pending') unlessGone(start(pod));
  };
  informer.handle({
    add: look,
    update: (pod, old) => {
      const bound = pod.spec?.nodeName !== old.spec?.nodeName;
      const doomed =
        pod.metadata.deletionTimestamp !== undefined && old.metadata.deletionTimestamp === undefined;
      if (bound || doomed) look(pod);
    },
  });
  const watching = informer.start();

  return {
    async add(name, { cpu = '4', memory = '8Gi', pods = '110', labels = {}, taints } = {}) {
      const time = rfc3339(clock.now());
      const allocatable = { cpu, memory, pods, 'ephemeral-storage': '100Gi' };
      const condition = (type: string, status: string, reason: string): object => ({
        type,
        status,
        reason,
        message: '',
        lastHeartbeatTime: time,
        lastTransitionTime: time,
      });
      const node = {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels },
        },
        ...(taints === undefined ? {} : { spec: { taints } }),
        status: {
          capacity: allocatable,
          allocatable,
          conditions: [
            condition('Ready', 'True', 'KubeletReady'),
            condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
          ],
        },
      } as Node;
      const created = await client.create<Node>(resources.nodes, node);
      if (created.status?.allocatable === undefined) {
        await client.update<Node>(
          resources.nodes,
          { ...created, status: node.status },
          { subresource: 'status' },
        );
      }
      const lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: 'kube-node-lease' },
        spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: rfc3339Micro(clock.now()) },
      };
      await client.create(resources.leases, lease, { namespace: 'kube-node-lease' });
      const renew = (): void => {
        const patch = { spec: { renewTime: rfc3339Micro(clock.now()) } };
        unlessGone(
          client.patch(resources.leases, name, 'application/merge-patch+json', patch, {
            namespace: 'kube-node-lease',
          }),
        );
      };
      leases.set(name, every(clock, 10_000, renew));
      for (const pod of informer.lister.list()) look(pod);
    },
    pauseStarts(paused) {
      startPods = !paused;
      if (startPods) for (const pod of informer.lister.list()) look(pod);
    },
    silence(name) {
      leases.get(name)?.[Symbol.dispose]();
      leases.delete(name);
    },
    [Symbol.dispose]: disposable(() => {
      for (const lease of leases.values()) lease[Symbol.dispose]();
      watching[Symbol.dispose]();
    })[Symbol.dispose],
  };
}

/** A Deployment of nginx. */
export function deployment(
  name: string,
  replicas: number,
  more: Record<string, unknown> = {},
  spec: Record<string, unknown> = {},
) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      replicas,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'nginx', image: 'nginx:1.20', ...more }] },
      },
      ...spec,
    },
  };
}

/** A pod of one container. */
export function pod(name: string, spec: Record<string, unknown> = {}, labels: Record<string, string> = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { containers: [{ name: 'c', image: 'busybox:1.36' }], ...spec },
  };
}
