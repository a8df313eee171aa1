// The Node object of this machine: registered, kept up to date, and its lease renewed.
import { createHash } from 'node:crypto';
import { disposable, every, rfc3339, rfc3339Micro, type Clock, type Random } from '../../simulation/index.ts';
import type { Containerd } from '../../linux/containerd/index.ts';
import type { FileSystemView, Kernel } from '../../linux/kernel/index.ts';
import { isStatus, resources, StatusError } from '../api/index.ts';
import { ensureCsiNode } from './csi-node.ts';
import type { Lease, Node, NodeCondition, Stored } from '../api/index.ts';
import type { ApiClient, EventRecorder } from '../client/index.ts';
import type { Pressure } from './admission.ts';
import type { KubeletConfig } from './config.ts';

export interface NodeWorld {
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly fs: FileSystemView;
  readonly recorder: EventRecorder;
  readonly config: KubeletConfig;
  /** Such as `v1.36.2`. */
  readonly version: string;
  /** Such as `containerd://2.1.9` or `docker://19.3.11`. */
  readonly runtimeVersion: string;
  readonly diskBytes: number;
  readonly pressure: () => ReadonlySet<Pressure>;
  readonly networkProblem: () => string | undefined;
  readonly runtimeProblem: () => string | undefined;
  readonly onRegistration: (isDone: boolean) => void;
  readonly onRegistrationFailed: (error: unknown) => void;
  readonly onFault: (error: unknown) => void;
}

type Status = NonNullable<Node['status']>;

const KI = 1024;
const REGISTER_RETRY_MIN_MS = 100;
const REGISTER_RETRY_MAX_MS = 7000;
const LEASE_NAMESPACE = 'kube-node-lease';
/** nodeStatusMaxImages. */
const IMAGES_MAX = 50;

export class NodeStatus {
  private readonly world: NodeWorld;
  private readonly ids: { machineID: string; systemUUID: string; bootID: string };
  private reported: Status | undefined;
  private reportedMs = -Infinity;
  private lease: Stored<Lease> | undefined;
  private isReporting = false;
  private isRenewing = false;
  private isStopped = false;
  /** The last that the server gave. */
  node: Stored<Node> | undefined;

  constructor(world: NodeWorld) {
    this.world = world;
    const read = (path: string): string => (world.fs.exists(path) ? world.fs.readText(path).trim() : '');
    const machineID =
      read('/etc/machine-id') || createHash('md5').update(world.config.nodeName).digest('hex');
    const uuid = machineID.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
    this.ids = {
      machineID,
      systemUUID: uuid,
      bootID: read('/proc/sys/kernel/random/boot_id') || world.random.uuid(),
    };
  }

  /** Registers the node and keeps it alive until disposed. */
  start(): Disposable {
    const { clock, config } = this.world;
    void this.register();
    const reports = every(clock, config.nodeStatusUpdateMs, () => void this.report());
    const leases = every(clock, (config.nodeLeaseDurationSeconds * 1000) / 4, () => void this.renew());
    return disposable(() => {
      this.isStopped = true;
      reports[Symbol.dispose]();
      leases[Symbol.dispose]();
    });
  }

  /** Something that the status shows has changed: reports it without waiting for the next turn. */
  refresh(): void {
    if (this.node !== undefined) void this.report();
  }

  /** Reads the node from the server, for what others have changed of it. */
  async reread(): Promise<void> {
    if (this.node !== undefined)
      this.node = await this.world.client.get<Node>(resources.nodes, this.world.config.nodeName);
  }

  allocatable(): Record<string, string> {
    return this.resources().allocatable;
  }

  private async register(): Promise<void> {
    const { clock, onRegistration, onRegistrationFailed } = this.world;
    for (
      let delayMs = REGISTER_RETRY_MIN_MS;
      !this.isStopped;
      delayMs = Math.min(REGISTER_RETRY_MAX_MS, delayMs * 2)
    ) {
      onRegistration(false);
      try {
        this.node = await this.createOrAdopt();
        break;
      } catch (error) {
        onRegistrationFailed(error);
        await clock.sleep(delayMs);
      }
    }
    if (this.isStopped) return;
    onRegistration(true);
    this.event('Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
    await Promise.all([this.report(), this.renew(), this.announceStorage()]);
  }

  private async announceStorage(): Promise<void> {
    if (this.node === undefined) return;
    try {
      await ensureCsiNode(this.world.client, this.node);
    } catch (error) {
      this.world.onFault(error);
    }
  }

  private async createOrAdopt(): Promise<Stored<Node>> {
    const { client, config } = this.world;
    const labels = this.labels();
    try {
      const status = this.status(undefined);
      this.noteConditions(status.conditions ?? [], []);
      return await client.create<Node>(resources.nodes, {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: config.nodeName,
          labels,
          annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
        },
        spec: config.registerWithTaints.length > 0 ? { taints: [...config.registerWithTaints] } : {},
        status,
      });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
      const known = await client.get<Node>(resources.nodes, config.nodeName);
      const missing = Object.entries(labels).some(([key, value]) => known.metadata.labels?.[key] !== value);
      if (!missing) return known;
      return await client.patch<Node>(resources.nodes, config.nodeName, 'application/merge-patch+json', {
        metadata: { labels },
      });
    }
  }

  private labels(): Record<string, string> {
    const { nodeName } = this.world.config;
    return {
      'beta.kubernetes.io/arch': 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': nodeName,
      'kubernetes.io/os': 'linux',
    };
  }

  private async report(): Promise<void> {
    if (this.node === undefined || this.isReporting || this.isStopped) return;
    const { client, clock, config, onFault } = this.world;
    const status = this.status(this.reported ?? this.node.status);
    const hasChanged = this.reported === undefined || facts(status) !== facts(this.reported);
    if (!hasChanged && clock.now() - this.reportedMs < config.nodeStatusReportMs) return;
    this.isReporting = true;
    try {
      const known = await client.get<Node>(resources.nodes, config.nodeName);
      this.noteConditions(status.conditions ?? [], known.status?.conditions ?? []);
      const own = new Set<string>(status.conditions?.map(({ type }) => type));
      const conditions = [
        ...(known.status?.conditions ?? []).filter(({ type }) => !own.has(type)),
        ...(status.conditions ?? []),
      ];
      this.node = await client.update<Node>(
        resources.nodes,
        { ...known, status: { ...known.status, ...status, conditions } },
        { subresource: 'status' },
      );
      this.reported = status;
      this.reportedMs = clock.now();
    } catch (error) {
      if (isStatus(error, 'NotFound')) {
        this.node = undefined; // Somebody deleted it; a real kubelet doesn't register again until it restarts.
      }
      if (!isStatus(error, 'Conflict')) onFault(error);
    }
    this.isReporting = false;
  }

  private noteConditions(now: readonly NodeCondition[], before: readonly NodeCondition[]): void {
    const words: Record<string, readonly [ok: string, bad: string]> = {
      MemoryPressure: ['NodeHasSufficientMemory', 'NodeHasInsufficientMemory'],
      DiskPressure: ['NodeHasNoDiskPressure', 'NodeHasDiskPressure'],
      PIDPressure: ['NodeHasSufficientPID', 'NodeHasInsufficientPID'],
      Ready: ['NodeReady', 'NodeNotReady'],
    };
    for (const { type, status } of now) {
      const old = before.find((condition) => condition.type === type);
      if (old?.status === status || (old === undefined && type === 'Ready' && status !== 'True')) continue;
      const [ok, bad] = words[type] ?? ['', ''];
      const reason = (type === 'Ready') === (status === 'True') ? ok : bad;
      if (reason !== '')
        this.event('Normal', reason, `Node ${this.world.config.nodeName} status is now: ${reason}`);
    }
  }

  event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { recorder, config } = this.world;
    recorder.event({ kind: 'Node', name: config.nodeName, uid: config.nodeName }, type, reason, message);
  }

  private status(before: Status | undefined): Status {
    const { config, kernel, containerd, version, runtimeVersion, fs } = this.world;
    const { capacity, allocatable } = this.resources();
    const release = fs.exists('/etc/os-release') ? fs.readText('/etc/os-release') : '';
    const images = containerd
      .listImages()
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, IMAGES_MAX)
      .map(({ repoDigests, repoTags, sizeBytes }) => ({ names: [...repoDigests, ...repoTags], sizeBytes }));
    return {
      addresses: [
        { type: 'InternalIP', address: config.nodeIP },
        { type: 'Hostname', address: config.nodeName },
      ],
      capacity,
      allocatable,
      conditions: this.conditions(before?.conditions ?? []),
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      ...featuresOf(minorOf(version)),
      images,
      nodeInfo: {
        architecture: 'amd64',
        ...this.ids,
        containerRuntimeVersion: runtimeVersion,
        kernelVersion: kernel.release,
        kubeProxyVersion: minorOf(version) >= 33 ? '' : version,
        kubeletVersion: version,
        operatingSystem: 'linux',
        osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? 'Linux',
      },
    };
  }

  private resources(): { capacity: Record<string, string>; allocatable: Record<string, string> } {
    const { kernel, config, diskBytes } = this.world;
    const common = {
      cpu: String(kernel.cpuCount),
      'hugepages-1Gi': '0',
      'hugepages-2Mi': '0',
      pods: String(config.podsMax),
    };
    const memory = (bytes: number): string => `${Math.floor(bytes / KI)}Ki`;
    return {
      capacity: { ...common, 'ephemeral-storage': memory(diskBytes), memory: memory(kernel.memoryBytes) },
      // A tenth of the disk and the eviction threshold of memory are held back.
      allocatable: {
        ...common,
        'ephemeral-storage': String(Math.floor(diskBytes * 0.9)),
        memory: memory(kernel.memoryBytes - config.evictionMemoryBytes),
      },
    };
  }

  private conditions(before: readonly NodeCondition[]): NodeCondition[] {
    const now = rfc3339(this.world.clock.now());
    const make = (
      type: NodeCondition['type'],
      status: NodeCondition['status'],
      reason: string,
      message: string,
    ): NodeCondition => {
      const old = before.find((condition) => condition.type === type);
      return {
        type,
        status,
        lastHeartbeatTime: now,
        lastTransitionTime: old?.status === status ? (old.lastTransitionTime ?? now) : now,
        reason,
        message,
      };
    };
    const pressure = this.world.pressure();
    const problem =
      [this.world.runtimeProblem(), this.world.networkProblem()]
        .filter((each) => each !== undefined)
        .join(', ') || undefined;
    return [
      ...PRESSURES.map(({ type, bad, good }) =>
        pressure.has(type) ? make(type, 'True', ...bad) : make(type, 'False', ...good),
      ),
      problem === undefined
        ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
        : make('Ready', 'False', 'KubeletNotReady', problem),
    ];
  }

  private async renew(): Promise<void> {
    if (this.node === undefined || this.isRenewing || this.isStopped) return;
    const { client, clock, config, onFault } = this.world;
    const scope = { namespace: LEASE_NAMESPACE };
    const { nodeName } = config;
    this.isRenewing = true;
    try {
      this.lease ??= await client.get<Lease>(resources.leases, nodeName, scope);
      const spec = {
        ...this.lease.spec,
        holderIdentity: nodeName,
        leaseDurationSeconds: config.nodeLeaseDurationSeconds,
        renewTime: rfc3339Micro(clock.now()),
      };
      this.lease = await client.update<Lease>(resources.leases, { ...this.lease, spec }, scope);
    } catch (error) {
      this.lease = undefined;
      if (isStatus(error, 'NotFound')) await this.createLease();
      else if (!(error instanceof StatusError && error.reason === 'Conflict')) onFault(error);
    }
    this.isRenewing = false;
  }

  private async createLease(): Promise<void> {
    const { client, clock, config, onFault } = this.world;
    const { nodeName } = config;
    try {
      this.lease = await client.create<Lease>(
        resources.leases,
        {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: {
            name: nodeName,
            namespace: LEASE_NAMESPACE,
            ownerReferences: [
              { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: this.node?.metadata.uid ?? '' },
            ],
          },
          spec: {
            holderIdentity: nodeName,
            leaseDurationSeconds: config.nodeLeaseDurationSeconds,
            renewTime: rfc3339Micro(clock.now()),
          },
        },
        { namespace: LEASE_NAMESPACE },
      );
    } catch (error) {
      onFault(error);
    }
  }
}

/** Reason and message of each pressure condition, as it is and as it isn't. */
const PRESSURES: readonly {
  readonly type: Pressure;
  readonly bad: readonly [reason: string, message: string];
  readonly good: readonly [reason: string, message: string];
}[] = [
  {
    type: 'MemoryPressure',
    bad: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    good: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  },
  {
    type: 'DiskPressure',
    bad: ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
    good: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  },
  {
    type: 'PIDPressure',
    bad: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    good: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  },
];

/** What nodes of a version say they can (KEP-5328, KEP-3619, KEP-3857). */
function featuresOf(minor: number): object {
  const features = { recursiveReadOnlyMounts: true, userNamespaces: false };
  return {
    ...(minor >= 36 ? { declaredFeatures: DECLARED_FEATURES } : {}),
    ...(minor >= 33 ? { features: { supplementalGroupsPolicy: true } } : {}),
    ...(minor >= 33
      ? {
          runtimeHandlers: [
            { features, name: '' },
            { features, name: 'runc' },
          ],
        }
      : {}),
  };
}

const DECLARED_FEATURES: readonly string[] = [
  'ExtendWebSocketsToKubelet',
  'InPlacePodLevelResourcesVerticalScaling',
  'InPlacePodVerticalScalingInitContainers',
  'RestartAllContainersOnContainerExits',
];

/** What makes a status worth reporting at once: all but the heartbeats. */
function facts(status: Status): string {
  return JSON.stringify({
    ...status,
    conditions: status.conditions?.map(({ lastHeartbeatTime: _, ...rest }) => rest),
  });
}

/** `v1.36.2` → 36. */
export function minorOf(version: string): number {
  return Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? 0);
}
