// A whole cluster of one profile: LAN, machines, control plane, and what kubeadm leaves on them; booted or resumed.
import type { HttpHandler } from '../network/http/index.ts';
import { Trace, type TcpSocket } from '../network/index.ts';
import type { Machine } from '../linux/machine/index.ts';
import type { WindowSize } from '../linux/kernel/index.ts';
import { makeApiServer, type ApiServer } from '../kubernetes/apiserver/index.ts';
import type { ApiClient } from '../kubernetes/client/index.ts';
import { isStatus, resources } from '../kubernetes/api/index.ts';
import { connectKubelets, type Kubelet } from '../kubernetes/kubelet/index.ts';
import type { Random, Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';
import { ApiGate } from './gated-client.ts';
import { addonObjects } from './kubeadm/addons.ts';
import { Lan } from './lan.ts';
import { MachineProcess } from './machine-process.ts';
import { makeNode } from './node.ts';
import { connectFrom, queryDnsFrom } from './reach.ts';
import type { Profile } from './profile.ts';
import { World } from './world.ts';

export interface ClusterOptions {
  readonly simulation: Simulation;
  readonly store: Store;
  readonly random: Random;
  readonly profile: Profile;
  readonly onFault: (error: unknown) => void;
}

const INSTALLED_KEY = '/cluster/installed';
/** Virtual time that a boot may take before it counts as failed. */
const BOOT_WITHIN = { minutes: 5 } as const;

/** Made of a store that holds one, it is that cluster again: same objects, addresses and files. */
export class Cluster implements Disposable {
  readonly profile: Profile;
  readonly machines: ReadonlyMap<string, Machine>;
  /** As a member of system:masters, past the network; refused while the API server doesn't run. */
  readonly admin: ApiClient;
  readonly world: World;
  readonly trace: Trace;
  private readonly options: ClusterOptions;
  private readonly api: ApiServer;
  private readonly gate = new ApiGate();
  private readonly owned = new DisposableStack();

  constructor(options: ClusterOptions) {
    const { simulation: clock, store, random, profile } = options;
    this.options = options;
    this.profile = profile;
    this.trace = new Trace();
    const lan = this.owned.use(new Lan({ profile, clock, random, trace: this.trace }));
    const kubelets = new Map<string, Kubelet>();
    this.api = this.owned.use(
      makeApiServer({
        store,
        clock,
        random: random.fork('apiserver'),
        kubelets: connectKubelets((node) => kubelets.get(node)),
      }),
    );
    this.admin = this.gate.guard(this.api.adminClient());
    const machines = new Map<string, Machine>();
    for (const machine of profile.machines) {
      const node = makeNode({ ...options, machine, lan, api: this.api, gate: this.gate, clock });
      machines.set(machine.name, node.machine);
      if (node.kubelet !== undefined) kubelets.set(machine.name, node.kubelet);
      this.owned.use(node);
    }
    this.machines = machines;
    this.world = new World(this);
  }

  get clock(): Simulation {
    return this.options.simulation;
  }

  /** The API server's handler for the host's door; undefined while its process doesn't run. */
  get apiHandler(): HttpHandler | undefined {
    return this.gate.isOpen ? this.api.handler : undefined;
  }

  /** Switches every machine on and lets virtual time run until all nodes are Ready. Rejects when that doesn't happen. */
  async start(): Promise<void> {
    const { simulation, store, onFault } = this.options;
    for (const machine of this.machines.values()) void machine.boot().catch(onFault);
    if (!(await simulation.advanceUntil(() => this.gate.isOpen, BOOT_WITHIN))) {
      throw new Error('The API server did not come up; the control plane machine says why in journalctl -u kubelet.');
    }
    if (store.get(INSTALLED_KEY) === undefined) {
      await this.runUntilSettled(this.install());
      store.write([{ key: INSTALLED_KEY, value: this.profile.kubernetesVersion }]);
    }
    await this.runUntilReady();
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
      throw new RangeError(`There is no machine "${name}"; there are ${[...this.machines.keys()].join(', ')}.`);
    }
    return machine;
  }

  /** Saves what changed in this instant on every machine. */
  flush(): void {
    for (const machine of this.machines.values()) machine.flush();
  }

  [Symbol.dispose](): void {
    this.gate.close();
    this.owned.dispose();
  }

  /** What `kubeadm init` does once the API server answers. */
  private async install(): Promise<void> {
    const { profile, admin } = this;
    const address = profile.machines.find(({ role }) => role === 'control-plane')!.address;
    for (const object of addonObjects(profile, `https://${address}:6443`, this.api.rootCertificate)) {
      const resource = Object.values(resources).find(
        ({ kind, group, version }) => kind === object.kind && object.apiVersion === (group === '' ? version : `${group}/${version}`),
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

  private async runUntilReady(): Promise<void> {
    const { simulation } = this.options;
    const nodes = this.profile.machines.filter(({ role }) => role !== 'client').length;
    let ready = false;
    let stopped = false;
    const watch = async (): Promise<void> => {
      while (!stopped) {
        const { items } = await this.admin.list<{ status?: { conditions?: { type: string; status: string }[] } }>(resources.nodes);
        const up = items.filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'));
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
