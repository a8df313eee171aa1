// A whole cluster of one profile: LAN, machines, control plane, and what kubeadm leaves on them; booted or resumed.
import { serveHttp, type HttpHandler, type StreamSource } from '../network/http/index.ts';
import { GO_PLAIN_ANSWER, isX509IssuedBy, tlsSource } from '../network/tls/index.ts';
import { Trace, type TcpListener, type TcpSocket } from '../network/index.ts';
import type { Machine } from '../linux/machine/index.ts';
import type { Process, WindowSize } from '../linux/kernel/index.ts';
import {
  makeApiServer,
  versionProfile,
  type ApiServer,
  type ServiceNetwork,
} from '../kubernetes/apiserver/index.ts';
import type { ImageRegistry } from '../linux/containerd/index.ts';
import { remoteClient, type ApiClient } from '../kubernetes/client/index.ts';
import { makeCni } from '../kubernetes/cni/index.ts';
import { makeCatalogue, type OwnImage } from '../images/index.ts';
import {
  isStatus,
  minorOf,
  resources,
  type DaemonSet,
  type KubernetesObject,
  type Node,
} from '../kubernetes/api/index.ts';
import { connectKubelets } from '../kubernetes/kubelet/index.ts';
import type { Random, Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';
import { ApiGate } from './gated-client.ts';
import { addonObjects } from './kubeadm/addons.ts';
import { flannelObjects } from './kubeadm/flannel.ts';
import { openInternet } from './internet.ts';
import { Lan } from './lan.ts';
import { MachineProcess } from './machine-process.ts';
import { controlPlanePrograms } from './control-plane.ts';
import { adminKubeconfig, clusterPki, kubeletIdentity, kubeletKubeconfig, type Pki } from './kubeadm/pki.ts';
import { kubeadmRelease } from './kubeadm/release.ts';
import { machineFiles } from './kubeadm/machine-files.ts';
import { makeNode, type ClusterNode } from './node.ts';
import { connectFrom, queryDnsFrom } from './reach.ts';
import type { MachineProfile, Profile } from './profile.ts';
import { World } from './world.ts';

export interface ClusterOptions {
  readonly simulation: Simulation;
  readonly store: Store;
  readonly random: Random;
  readonly profile: Profile;
  /** Images beside the catalogue's. */
  readonly images?: readonly OwnImage[];
  readonly onFault: (error: unknown) => void;
}

const API_PORT = 6443;
const INSTALLED_KEY = '/cluster/installed';
/** Virtual time that a boot may take before it counts as failed. */
const BOOT_WITHIN = { minutes: 5 } as const;
/** Virtual time in which kubelets come back after a power on; one that was disabled doesn't. */
const RESUME_WITHIN = { seconds: 15 } as const;

/** Made of a store that holds one, it is that cluster again: same objects, addresses and files. */
export class Cluster implements Disposable {
  readonly profile: Profile;
  readonly machines = new Map<string, Machine>();
  /** As a member of system:masters, past the network; refused while the API server doesn't run. */
  readonly admin: ApiClient;
  readonly world: World;
  readonly trace: Trace;
  private readonly options: ClusterOptions;
  private readonly api: ApiServer;
  private readonly pki: Pki;
  private readonly nodes = new Map<string, ClusterNode>();
  private readonly gate = new ApiGate();
  private readonly owned = new DisposableStack();

  constructor(options: ClusterOptions) {
    const { simulation: clock, store, random, profile } = options;
    this.options = options;
    this.profile = profile;
    this.trace = new Trace();
    const lan = this.owned.use(new Lan({ profile, clock, random, trace: this.trace }));
    this.owned.use(
      openInternet({
        internet: lan.internet,
        router: lan.router,
        routerAddress: profile.lan.router,
        clock,
        onError: options.onFault,
      }),
    );
    const controlPlane = profile.machines.find(({ role }) => role === 'control-plane')!;
    this.pki = clusterPki(store, clock, random.fork('pki'), profile);
    this.api = this.owned.use(
      makeApiServer({
        store,
        clock,
        random: random.fork('apiserver'),
        advertised: { address: controlPlane.address, port: API_PORT },
        serviceRange: profile.serviceCidr,
        version: versionProfile(profile.kubernetesVersion),
      }),
    );
    this.api.connectKubelets(connectKubelets((node) => this.nodes.get(node)?.kubelet));
    this.api.connectServices(() => this.serviceNetwork());
    this.admin = this.gate.guard(this.api.adminClient());
    const images = this.images();
    for (const machine of profile.machines) {
      const files = machineFiles({
        profile,
        machine,
        authority: this.pki.authority.certificate,
        frontProxyAuthority: this.pki.frontProxyAuthority.certificate,
        adminKubeconfig: adminKubeconfig(this.serverUrl, this.pki),
        kubeletKubeconfig: kubeletKubeconfig(this.serverUrl, this.pki, machine.name),
        kubeletIdentity: () => kubeletIdentity(clock, random, this.pki, machine.name),
      });
      const kubeletClient = this.gate.guard(
        this.api.client(
          { name: `system:node:${machine.name}`, groups: ['system:nodes', 'system:authenticated'] },
          'kubelet',
        ),
      );
      const node = makeNode({
        clock,
        store,
        random,
        profile,
        machine,
        lan,
        files,
        images,
        kubeletClient,
        makeCni: ({ kernel }) =>
          makeCni({ net: kernel.net, fs: () => kernel.files, random: kernel.random.fork('cni') }),
        onFault: options.onFault,
      });
      this.nodes.set(machine.name, this.owned.use(node));
      this.machines.set(machine.name, node.machine);
    }
    this.world = new World(this);
  }

  get clock(): Simulation {
    return this.options.simulation;
  }

  /** The API server's handler for the host's door; undefined while its process doesn't run. */
  get apiHandler(): HttpHandler | undefined {
    return this.gate.isOpen ? this.api.handler : undefined;
  }

  /** Whether the cluster's authority has signed a real certificate (DER) that holds now. */
  hasIssued(certificate: Buffer): boolean {
    return isX509IssuedBy(certificate, this.pki.authority, this.clock.now());
  }

  /** Switches every machine on and lets virtual time run until all nodes are Ready. Rejects when that doesn't happen. */
  async start(): Promise<void> {
    const { simulation, store } = this.options;
    const isNew = store.get(INSTALLED_KEY) === undefined;
    this.boot((role) => !isNew || role !== 'worker');
    if (!(await simulation.advanceUntil(() => this.gate.isOpen, BOOT_WITHIN))) {
      throw new Error(
        'The API server did not come up; the control plane machine says why in journalctl -u kubelet.',
      );
    }
    if (!isNew) return this.runUntilKubeletsServe();
    await this.runUntilSettled(this.install());
    store.save([{ key: INSTALLED_KEY, value: this.profile.kubernetesVersion }]);
    await this.runUntilReady();
  }

  /** Switches machines on. */
  private boot(chosen: (role: MachineProfile['role']) => boolean): void {
    for (const { name, role } of this.profile.machines) {
      if (chosen(role)) void this.nodes.get(name)!.boot().catch(this.options.onFault);
    }
  }

  /** Starts a command on a machine as root, from its home folder. Throws RangeError for an unknown machine. */
  startProcess(machine: string, argv: readonly string[], tty?: WindowSize): MachineProcess {
    return new MachineProcess(this.requireMachine(machine), argv, tty);
  }

  /** A TCP connection from a machine, names resolved as there. Rejects with ErrnoError. */
  connect(machine: string, host: string, port: number): Promise<TcpSocket> {
    return connectFrom(this.requireMachine(machine), host, port);
  }

  /** A DNS message to the cluster's DNS service, sent from the control plane; undefined if nothing answers in time. */
  queryDns(message: Uint8Array): Promise<Uint8Array | undefined> {
    const controlPlane = this.profile.machines.find(({ role }) => role === 'control-plane')!;
    return queryDnsFrom(this.requireMachine(controlPlane.name), this.profile.clusterDns, message);
  }

  requireMachine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) {
      throw new RangeError(
        `There is no machine "${name}"; there are ${[...this.machines.keys()].join(', ')}.`,
      );
    }
    return machine;
  }

  [Symbol.dispose](): void {
    this.gate.close();
    this.owned.dispose();
  }

  private get serverUrl(): string {
    const controlPlane = this.profile.machines.find(({ role }) => role === 'control-plane')!;
    return `https://${controlPlane.address}:${API_PORT}`;
  }

  /** The control plane's own network, as the API server dials extension servers over it. */
  private serviceNetwork(): ServiceNetwork | undefined {
    if (!this.gate.isOpen) return undefined;
    const controlPlane = this.profile.machines.find(({ role }) => role === 'control-plane')!;
    const { sockets } = this.requireMachine(controlPlane.name).kernel.net;
    return {
      connect: (address, port, signal) => sockets.connectTcp({ address, port }, { signal }),
      frontProxy: this.pki.frontProxy,
      kubeletClient: this.pki.kubeletClient,
    };
  }

  /** What the machines can pull. */
  private images(): ImageRegistry {
    const { simulation: clock, random } = this.options;
    const programs = controlPlanePrograms({
      clock,
      random: random.fork('control-plane'),
      gate: this.gate,
      client: (component) => this.gate.guard(this.api.adminClient(component)),
      authority: this.pki.authority,
      minor: minorOf(this.profile.kubernetesVersion),
      signSecretToken: (holder) => this.api.signSecretToken(holder),
      serveApi: (proc, port) => this.serveApi(proc, port),
      tls: (listener) => this.tls(listener),
    });
    return makeCatalogue({
      client: containerClient,
      programs: new Map(Object.entries(programs)),
      own: this.options.images,
    });
  }

  /** The API server's port on the network of its process. */
  private serveApi(proc: Process, port: number): Disposable {
    const stack = new DisposableStack();
    const owner = proc.socketOwner;
    const listener = stack.use(proc.net.sockets.listenTcp({ address: '0.0.0.0', port }, { owner }));
    stack.use(serveHttp(this.tls(listener), this.api.handler, { onError: this.options.onFault }));
    return stack;
  }

  private tls(listener: TcpListener): StreamSource {
    return tlsSource(listener, {
      identity: () => this.pki.apiServer,
      clientAuthorities: () => this.pki.authority.certificate,
      clock: this.options.simulation,
      random: this.options.random,
      plainAnswer: GO_PLAIN_ANSWER,
    });
  }

  /** What `kubeadm init` does once the API server answers, `kubeadm join` on the workers, and the pods' network. */
  private async install(): Promise<void> {
    const { profile } = this;
    const controlPlane = profile.machines.find(({ role }) => role === 'control-plane')!;
    await this.createAll(addonObjects(profile, this.serverUrl, this.pki));
    await this.untilRegistered(controlPlane.name);
    await this.markControlPlane(controlPlane.name);
    this.boot((role) => role === 'worker');
    // Whoever installs the pods' network does it on a cluster whose Services can be reached.
    await this.untilProxied();
    if (profile.cni === 'flannel') await this.createAll(flannelObjects(profile));
  }

  /** kubeadm init phase mark-control-plane: labels that a kubelet may not give its own node. */
  private async markControlPlane(node: string): Promise<void> {
    const { controlPlaneLabels } = kubeadmRelease(this.profile.kubernetesVersion);
    const labels = Object.fromEntries(controlPlaneLabels.map((label) => [label, '']));
    await this.admin.patch(
      resources.nodes,
      node,
      'application/merge-patch+json',
      { metadata: { labels } },
      { fieldManager: 'kubeadm' },
    );
  }

  private async untilRegistered(node: string): Promise<void> {
    const { items } = await this.admin.list<Node>(resources.nodes);
    if (items.some(({ metadata }) => metadata.name === node)) return;
    await this.options.simulation.sleep(100);
    return this.untilRegistered(node);
  }

  /** Until kube-proxy runs on every node. */
  private async untilProxied(): Promise<void> {
    const { admin, profile } = this;
    const nodes = profile.machines.filter(({ role }) => role !== 'client').length;
    for (;;) {
      const { status } = await admin.get<DaemonSet>(resources.daemonsets, 'kube-proxy', {
        namespace: 'kube-system',
      });
      if ((status?.numberReady ?? 0) >= nodes) return;
      await this.options.simulation.sleep(100);
    }
  }

  private async createAll(objects: readonly (KubernetesObject & Record<string, unknown>)[]): Promise<void> {
    const { admin } = this;
    for (const object of objects) {
      const resource = Object.values(resources).find(
        ({ kind, group, version }) =>
          kind === object.kind && object.apiVersion === (group === '' ? version : `${group}/${version}`),
      );
      if (resource === undefined) throw new Error(`no resource for ${object.apiVersion} ${object.kind}`);
      const scope = object.metadata?.namespace === undefined ? {} : { namespace: object.metadata.namespace };
      try {
        await admin.create(resource, object, { ...scope, fieldManager: 'kubeadm' });
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists')) throw error;
      }
    }
  }

  /** A cluster that comes back: its nodes are as they were left, which may be without a kubelet on purpose. */
  private async runUntilKubeletsServe(): Promise<void> {
    const kubelets = [...this.nodes.values()].flatMap(({ kubelet }) => kubelet ?? []);
    await this.options.simulation.advanceUntil(
      () => kubelets.every(({ server }) => server !== undefined),
      RESUME_WITHIN,
    );
  }

  private async runUntilReady(): Promise<void> {
    const { simulation } = this.options;
    const nodes = this.profile.machines.filter(({ role }) => role !== 'client').length;
    let ready = false;
    let stopped = false;
    const watch = async (): Promise<void> => {
      while (!stopped) {
        if (!this.gate.isOpen) {
          await simulation.sleep(100);
          continue;
        }
        const { items } = await this.admin.list<Node>(resources.nodes);
        const up = items.filter(({ status }) =>
          status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
        );
        ready = up.length >= nodes;
        if (ready) return;
        await simulation.sleep(100);
      }
    };
    const watching = watch();
    await simulation.advanceUntil(() => ready, BOOT_WITHIN);
    stopped = true;
    if (!ready) throw new Error('Not all nodes became Ready in five virtual minutes.');
    await watching;
  }

  private async runUntilSettled<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => (settled = true));
    done.catch(() => undefined); // Told by the await below.
    await this.options.simulation.advanceUntil(() => settled, BOOT_WITHIN);
    return done;
  }
}

const PROXY_KUBECONFIG = '/var/lib/kube-proxy/kubeconfig.conf';

/** Programs in containers go over their own network: by the kubeconfig they were given, or by their service account. */
function containerClient(proc: Process): ApiClient {
  const kubeconfig = proc.fs.exists(PROXY_KUBECONFIG) ? PROXY_KUBECONFIG : undefined;
  return remoteClient(proc, `${proc.argv[0]?.split('/').at(-1)}`, kubeconfig);
}
