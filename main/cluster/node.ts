// One machine of a cluster: a Linux machine on the LAN with what its role installs on it.
import { MACHINE_UNITS, machinePrograms } from '../linux/commands/index.ts';
import {
  makeContainerd,
  type Cni,
  type ContainerdDaemon,
  type ImageRegistry,
} from '../linux/containerd/index.ts';
import { makeEngine, nerdSocket, type EngineDaemon } from '../linux/docker/index.ts';
import type { LayerFile, Program } from '../linux/kernel/index.ts';
import { makeMachine, type Machine } from '../linux/machine/index.ts';
import { bash, registerCompleter } from '../linux/shell/index.ts';
import type { UnitDefinition } from '../linux/systemd/index.ts';
import type { ApiClient } from '../kubernetes/client/index.ts';
import {
  defaultKubeletConfig,
  makeKubelet,
  readKubeletConfig,
  type Kubelet,
  type KubeletConfig,
} from '../kubernetes/kubelet/index.ts';
import { completeKubectl, makeKubectl } from '../kubernetes/kubectl/index.ts';
import type { NetworkNamespace } from '../network/index.ts';
import type { Random, Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';
import { kubeadmRelease } from './kubeadm/release.ts';
import type { Lan } from './lan.ts';
import type { Latencies, MachineProfile, Profile } from './profile.ts';

export interface NodeOptions {
  readonly clock: Simulation;
  readonly store: Store;
  readonly random: Random;
  readonly profile: Profile;
  readonly machine: MachineProfile;
  readonly lan: Lan;
  readonly files: ReadonlyMap<string, LayerFile>;
  readonly images: ImageRegistry;
  /** The API as the machine's kubelet reaches it. */
  readonly kubeletClient: ApiClient;
  readonly makeCni: (machine: Machine) => Cni;
  readonly onFault: (error: unknown) => void;
}

export interface ClusterNode extends Disposable {
  readonly machine: Machine;
  /** Of cluster machines only. */
  readonly kubelet: Kubelet | undefined;
  /** Switches it on. */
  boot(): Promise<void>;
}

const KERNEL_RELEASE = '5.14.0-503.el9.x86_64';
const NODE_MODULES = [
  'br_netfilter',
  'nf_conntrack',
  'ip_vs',
  'ip_vs_rr',
  'ip_vs_wrr',
  'ip_vs_sh',
  'overlay',
];
/** Packages that whoever set the nodes up has installed. */
const PREINSTALLED = [
  'ipvsadm',
  'ipset',
  'cri-tools',
  'containerd.io',
  'nerdctl',
  'net-tools',
  'tcpdump',
  'traceroute',
];
/** Kustomize inside kubectl, where it isn't the latest. */
const KUSTOMIZE_VERSIONS: Readonly<Record<string, string>> = {
  'v1.28.2': 'v5.0.4-0.20230601165947-6ce0bf390ce3',
};
const DOCKER_PACKAGES = ['docker-ce-cli'];
/** How whoever set the nodes up has configured the runtime and its client. */
const RUNTIME_FILES: ReadonlyMap<string, LayerFile> = new Map([
  [
    '/etc/crictl.yaml',
    {
      type: 'file',
      content:
        'runtime-endpoint: unix:///run/containerd/containerd.sock\nimage-endpoint: unix:///run/containerd/containerd.sock\ntimeout: 10\ndebug: false\n',
    },
  ],
]);
const XTABLES_LOCK = '/run/xtables.lock';
const CPU_COUNT = 2;
const MEMORY_BYTES = 4 * 1024 ** 3;
const MIB_BYTES = 1024 ** 2;

export function makeNode(options: NodeOptions): ClusterNode {
  const { machine: profile, clock, store, lan, onFault } = options;
  const random = options.random.fork(`machine/${profile.name}`);
  const net = lan.namespace(profile.name);
  lan.attach(net, options.profile.device, profile.address);
  const isNode = profile.role !== 'client';
  const machine = makeMachine({
    name: profile.name,
    clock,
    random,
    store,
    net,
    programs: programsFor(options),
    baseFiles: isNode ? new Map([...RUNTIME_FILES, ...options.files]) : options.files,
    modules: isNode ? NODE_MODULES : [],
    release: KERNEL_RELEASE,
    cpuCount: CPU_COUNT,
    memoryBytes: MEMORY_BYTES,
    onFault,
  });
  const owned = new DisposableStack();
  owned.use(machine);
  owned.use(joinKernelToNetwork(machine));
  for (const unit of MACHINE_UNITS) machine.systemd.define(unit);
  if (!isNode) {
    return {
      machine,
      kubelet: undefined,
      boot: () => machine.boot(),
      [Symbol.dispose]: () => owned.dispose(),
    };
  }
  net.sysctls.set('net.ipv4.ip_forward', '1');
  const { runtime } = options.profile;
  if (runtime.name === 'docker') addDockerBridge(net);
  const containerd = makeContainerd({
    kernel: machine.kernel,
    clock,
    random: random.fork('containerd'),
    store,
    prefix: machine.prefix,
    registry: options.images,
    cni: options.makeCni(machine),
    makeNetworkNamespace: (name) => lan.namespace(`${profile.name}/${name}`),
    latency: runtimeLatency(options.profile.latencies),
    version: containerdVersionFor(options.profile.kubernetesVersion),
  });
  owned.use(containerd);
  const engines = makeEngines(options, machine, containerd);
  for (const engine of engines) owned.use(engine);
  const [docker, nerd] = engines;
  const kubelet = makeKubelet({
    client: () => options.kubeletClient,
    config: (proc) =>
      readKubeletConfig(proc.fs.readText('/var/lib/kubelet/config.yaml'), {
        ...defaultKubeletConfig({ nodeName: profile.name, nodeIP: profile.address }),
        ...(profile.role === 'control-plane' ? controlPlaneTaints(options.profile) : {}),
      }),
    version: options.profile.kubernetesVersion,
    ...(runtime.name === 'docker' ? { runtimeVersion: `docker://${runtime.version}` } : {}),
  });
  for (const unit of nodeUnits(withNerd(containerd.program, nerd), kubelet.program))
    machine.systemd.define(unit);
  if (runtime.name === 'docker') machine.systemd.define(dockerUnit(docker.program));
  return {
    machine,
    kubelet,
    async boot() {
      // iptables' lock, a file that containers mount; /run is empty after power on.
      if (!machine.kernel.files.exists(XTABLES_LOCK))
        machine.kernel.files.writeFile(XTABLES_LOCK, '', { mode: 0o600 });
      await containerd.resume();
      for (const engine of engines) await engine.resume();
      await machine.boot();
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** Docker's engine, and the one that nerdctl and ctr reach through containerd. Docker's images are the kubelet's. */
function makeEngines(
  { clock, store, random, profile, machine: { name }, lan }: NodeOptions,
  { kernel, prefix }: Machine,
  containerd: ContainerdDaemon,
): readonly [docker: EngineDaemon, nerd: EngineDaemon] {
  const { runtime } = profile;
  const common = {
    kernel,
    clock,
    store,
    prefix,
    makeNetworkNamespace: (title: string) => lan.namespace(`${name}/${title}`),
  };
  return [
    makeEngine({
      ...common,
      random: random.fork(`docker/${name}`),
      flavour: 'docker',
      version: runtime.name === 'docker' ? runtime.version : '26.1.4',
      imagesOf: () => containerd.imagesOf('k8s.io'),
    }),
    makeEngine({
      ...common,
      random: random.fork(`nerdctl/${name}`),
      flavour: 'nerdctl',
      version: containerd.version,
      imagesOf: (namespace) => containerd.imagesOf(namespace),
    }),
  ];
}

/** containerd, which also answers for containers that no kubelet knows. */
function withNerd(containerd: Program, nerd: EngineDaemon): Program {
  return async (proc) => {
    using _nerd = proc.kernel.bindService(nerdSocket, nerd);
    return await containerd(proc);
  };
}

function dockerUnit(program: Program): UnitDefinition {
  return {
    name: 'docker.service',
    description: 'Docker Application Container Engine',
    documentation: 'https://docs.docker.com',
    execStart: ['/usr/bin/dockerd', '-H', 'fd://', '--containerd=/run/containerd/containerd.sock'],
    program,
    restart: 'always',
    restartDelayMs: 2000,
    after: ['containerd.service'],
    enabledByDefault: true,
  };
}

/** The containerd that went with a Kubernetes version: from 1.36 on the kubelet wants 2.0 or later. */
function containerdVersionFor(kubernetesVersion: string): string {
  const minor = Number(/^v1\.(\d+)/.exec(kubernetesVersion)?.[1] ?? 0);
  return minor >= 34 ? '2.1.9' : '1.6.33';
}

/** The taints that kubeadm has a control plane's kubelet register with. */
function controlPlaneTaints({ kubernetesVersion }: Profile): Pick<KubeletConfig, 'registerWithTaints'> {
  const { controlPlaneTaints: keys } = kubeadmRelease(kubernetesVersion);
  return { registerWithTaints: keys.map((key) => ({ key, effect: 'NoSchedule' as const })) };
}

/** The bridge that Docker makes for containers of its own; pods aren't on it. */
function addDockerBridge({ links, addresses }: NetworkNamespace): void {
  const bridge = links.addBridge({ name: 'docker0' });
  links.setUp(bridge);
  addresses.add(bridge, { address: '172.17.0.1', prefixLength: 16, broadcast: '+' });
}

function programsFor({ profile }: NodeOptions): Map<string, Program> {
  const programs = new Map(
    [
      ...machinePrograms([...PREINSTALLED, ...(profile.runtime.name === 'docker' ? DOCKER_PACKAGES : [])]),
    ].map(([path, { program }]) => [path, program] as const),
  );
  programs.set('/usr/bin/bash', bash);
  programs.set('/usr/bin/sh', bash);
  programs.set(
    '/usr/bin/kubectl',
    makeKubectl({
      gitVersion: profile.kubernetesVersion,
      kustomizeVersion: KUSTOMIZE_VERSIONS[profile.kubernetesVersion] ?? 'v5.7.1',
    }),
  );
  programs.set('/usr/bin/kubelet', byHand(`Kubernetes ${profile.kubernetesVersion}`));
  programs.set(
    '/usr/bin/containerd',
    byHand(`containerd github.com/containerd/containerd v${containerdVersionFor(profile.kubernetesVersion)}`),
  );
  registerCompleter('kubectl', completeKubectl);
  return programs;
}

/** A daemon that the machine's units start, when somebody starts it by hand: only its version is to be had. */
function byHand(version: string): Program {
  return async (proc) => {
    if (proc.argv.includes('--version')) {
      await proc.stdout.write(`${version}\n`);
      return 0;
    }
    const name = proc.argv[0]!.slice(proc.argv[0]!.lastIndexOf('/') + 1);
    await proc.stderr.write(`drydock: ${name} runs as a unit only: systemctl start ${name}\n`);
    return 1;
  };
}

function nodeUnits(containerd: Program, kubelet: Program): UnitDefinition[] {
  return [
    {
      name: 'containerd.service',
      description: 'containerd container runtime',
      documentation: 'https://containerd.io',
      execStart: ['/usr/bin/containerd'],
      program: containerd,
      restart: 'always',
      restartDelayMs: 5000,
      enabledByDefault: true,
    },
    {
      name: 'kubelet.service',
      description: 'kubelet: The Kubernetes Node Agent',
      documentation: 'https://kubernetes.io/docs/',
      execStart: ['/usr/bin/kubelet'],
      program: kubelet,
      restart: 'always',
      restartDelayMs: 10_000,
      startLimitBurst: 0,
      wants: ['network-online.target'],
      after: ['network-online.target', 'containerd.service'],
      enabledByDefault: true,
    },
  ];
}

function runtimeLatency(latencies: Latencies): {
  sandboxMs: number;
  createMs: number;
  startMs: number;
  pullMs(image: { sizeBytes: number }): number;
} {
  return {
    sandboxMs: latencies.sandboxStartMs,
    createMs: 0,
    startMs: latencies.containerStartMs,
    pullMs: ({ sizeBytes }) =>
      latencies.imagePullBaseMs + latencies.imagePullPerMiBMs * (sizeBytes / MIB_BYTES),
  };
}

/** What the network stack has of the kernel it is part of: the ip_vs module, and the ring buffer for `-j LOG`. */
function joinKernelToNetwork({ kernel }: Machine): Disposable {
  const { net } = kernel;
  const update = (): void => {
    net.ipvs.isLoaded = kernel.modules.has('ip_vs');
  };
  update();
  net.netfilter.onLog = ({ text, level }) => kernel.printk(text, level);
  return kernel.onModulesChanged(update);
}
