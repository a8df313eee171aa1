// A node on a test API server: kernel, containerd and kubelet, with images made of small programs.
import { makeCni } from '../../main/kubernetes/cni/index.ts';
import {
  makeContainerd,
  type ContainerdDaemon,
  type ContainerImage,
  type ImageRegistry,
} from '../../main/linux/containerd/index.ts';
import type { Program } from '../../main/linux/kernel/index.ts';
import type { Event, Namespace, Pod, Stored } from '../../main/kubernetes/api/index.ts';
import { resources } from '../../main/kubernetes/api/index.ts';
import {
  defaultKubeletConfig,
  makeKubelet,
  type Kubelet,
  type KubeletConfig,
} from '../../main/kubernetes/kubelet/index.ts';
import { createNamespace, Trace, type NetworkNamespace } from '../../main/network/index.ts';
import { untilStopped } from '../../main/kubernetes/daemon/index.ts';
import { makeApi, type TestApi } from './make-api.ts';
import { makeBareMachine, type BareMachine } from './make-machine.ts';

export interface TestNode extends Disposable {
  readonly api: TestApi;
  readonly machine: BareMachine;
  readonly containerd: ContainerdDaemon;
  readonly kubelet: Kubelet;
  /** What the kubelet logged. */
  log(): string;
  /** Creates a pod bound to this node. */
  createPod(pod: Pod): Promise<Stored<Pod>>;
  pod(name: string): Promise<Stored<Pod>>;
  events(name: string): Promise<string[]>;
  advance(seconds: number): Promise<void>;
  stopKubelet(): Promise<void>;
  startKubelet(): void;
}

/** A program that does nothing until it is told to stop. */
export const sleeper: Program = (proc) => untilStopped(proc);

/** Runs for `ms`, writes `text`, and ends with `code`. */
export function quitter(code: number, ms = 100, text = ''): Program {
  return async (proc) => {
    if (text !== '') await proc.stdout.write(text);
    await proc.sleep(ms);
    return code;
  };
}

/** An image with programs by path; the first is its entrypoint. */
export function imageOf(name: string, programs: Readonly<Record<string, Program>>): ContainerImage {
  const [entrypoint = '/main'] = Object.keys(programs);
  return {
    name,
    sizeBytes: 132,
    files: new Map(
      Object.entries(programs).map(([path, program]) => [
        path,
        { type: 'program', program, name: path.slice(path.lastIndexOf('/') + 1) },
      ]),
    ),
    entrypoint: [entrypoint],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  };
}

const BRIDGE_CONF = JSON.stringify({
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      isDefaultGateway: true,
      ipam: { type: 'host-local', subnet: '10.244.1.0/24' },
    },
  ],
});

export interface TestNodeOptions {
  readonly images?: readonly ContainerImage[];
  /** Asked for what `images` doesn't hold. */
  readonly registry?: ImageRegistry;
  readonly config?: Partial<KubeletConfig>;
  readonly version?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** Boots the node and waits until it is Ready; virtual time has moved on by a few seconds then. */
export async function makeNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const api = makeApi();
  const logged: string[] = [];
  const trace = new Trace();
  const makeNamespace = (name: string): NetworkNamespace => {
    const namespace = createNamespace({ name, clock: api.clock, random: api.random.fork(name), trace });
    namespace.links.setUp(namespace.links.require('lo'));
    return namespace;
  };
  const machine = makeBareMachine({
    simulation: api.clock,
    hostname: 'worker1',
    net: makeNamespace('worker1'),
    files: {
      '/etc/cni/net.d/10-bridge.conflist': BRIDGE_CONF,
      '/etc/resolv.conf': 'nameserver 192.168.10.1\n',
      '/etc/os-release': 'PRETTY_NAME="CentOS Linux 7 (Core)"\n',
      ...options.files,
    },
  });
  const cni = makeCni({
    net: machine.kernel.net,
    fs: () => machine.kernel.files,
    random: api.random.fork('cni'),
  });
  const images = new Map((options.images ?? []).map((image) => [image.name, image]));
  const registry: ImageRegistry = {
    lookup: (reference) => images.get(reference) ?? options.registry?.lookup(reference),
  };
  const containerd = makeContainerd({
    kernel: machine.kernel,
    clock: api.clock,
    random: api.random.fork('containerd'),
    store: api.store,
    prefix: '/machines/worker1/',
    registry,
    cni,
    makeNetworkNamespace: makeNamespace,
    version: '2.1.9',
  });
  machine.kernel.start({ argv: ['containerd'], program: containerd.program });
  const kubelet = makeKubelet({
    client: () => api.server.adminClient('kubelet'),
    config: () => ({
      ...defaultKubeletConfig({ nodeName: 'worker1', nodeIP: '192.168.10.11' }),
      ...options.config,
    }),
    version: options.version ?? 'v1.36.2',
  });
  let running: ReturnType<typeof machine.kernel.start> | undefined;
  const startKubelet = (): void => {
    const output = machine.kernel.pipe();
    running = machine.kernel.start({
      argv: ['/usr/bin/kubelet'],
      program: kubelet.program,
      stdio: [machine.kernel.nullFile(), output.writer, output.writer],
    });
    void output.reader.readText().then((text) => logged.push(text));
  };
  await api.clock.advance({ ms: 10 });
  await ensureNamespaces(api);
  startKubelet();
  await api.clock.advance({ seconds: 2 });

  const pods = { namespace: 'default' };
  return {
    api,
    machine,
    containerd,
    kubelet,
    log: () => logged.join(''),
    createPod: (pod) =>
      api.client.create<Pod>(
        resources.pods,
        { apiVersion: 'v1', kind: 'Pod', ...pod, spec: { nodeName: 'worker1', ...pod.spec! } },
        pods,
      ),
    pod: (name) => api.client.get<Pod>(resources.pods, name, pods),
    async events(name) {
      const { items } = await api.client.list<Event>(resources.events, pods);
      return items
        .filter((event) => event.involvedObject?.name === name)
        .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map((event) => `${event.type} ${event.reason} ${event.message}`);
    },
    advance: async (seconds) => api.clock.advance({ seconds }),
    async stopKubelet() {
      if (running !== undefined) machine.kernel.kill(running.pid, 'SIGTERM');
      await api.clock.advance({ seconds: 1 });
    },
    startKubelet,
    [Symbol.dispose]: () => api[Symbol.dispose](),
  };
}

async function ensureNamespaces(api: TestApi): Promise<void> {
  for (const name of ['default', 'kube-system', 'kube-node-lease']) {
    try {
      await api.client.create<Namespace>(resources.namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      });
    } catch {
      continue; // The server makes some of them itself.
    }
  }
  try {
    await api.client.create(
      resources.serviceaccounts,
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
      { namespace: 'default' },
    );
  } catch {
    return; // Made by a controller.
  }
}
