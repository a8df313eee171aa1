// What node, pods and containers use of CPU and memory, from the kernel's control groups: /metrics/resource, /stats/summary.
import { rfc3339 } from '../../simulation/index.ts';
import { cgroupOf, type Container, type Containerd } from '../../linux/containerd/index.ts';
import type { CgroupUsage, Kernel } from '../../linux/kernel/index.ts';

export interface UsageWorld {
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly nodeName: string;
}

interface ContainerUsage extends CgroupUsage {
  readonly name: string;
  readonly startedMs: number;
}

interface PodUsage extends CgroupUsage {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly createdMs: number;
  readonly containers: readonly ContainerUsage[];
}

interface NodeUsage extends CgroupUsage {
  readonly pods: readonly PodUsage[];
}

/** The kernel's own share of a machine's memory, as free(1) shows it. */
const KERNEL_SHARE = 0.04;
const PAGE_BYTES = 4096;
/** Differs: cadvisor keeps samples of its own; here a rate is over the time since the last question, if that was this long ago. */
const RATE_WINDOW_MIN_MS = 10_000;

/**
 * Reads control groups when it is asked. Differs: processes that stand for parts of the simulation (kube-apiserver,
 * etcd …) use no CPU of their machine.
 */
export class ResourceUsage {
  private readonly world: UsageWorld;
  private samples: ReadonlyMap<string, number> = new Map();
  private rates: ReadonlyMap<string, number> = new Map();
  private sampledMs = -Infinity;

  constructor(world: UsageWorld) {
    this.world = world;
  }

  /** Prometheus text of `/metrics/resource` (kubelet pkg/kubelet/metrics/collectors/resource_metrics.go). */
  metricsText(): string {
    const node = this.read();
    const nowMs = Math.floor(this.world.kernel.clock.now());
    const pods = [...node.pods].sort((a, b) =>
      a.namespace === b.namespace ? compare(a.name, b.name) : compare(a.namespace, b.namespace),
    );
    const containers = pods.flatMap((pod) =>
      pod.containers.map((container) => ({
        container,
        labels: `{container="${container.name}",namespace="${pod.namespace}",pod="${pod.name}"}`,
      })),
    );
    const perPod = pods.map((pod) => ({ pod, labels: `{namespace="${pod.namespace}",pod="${pod.name}"}` }));
    const family = (
      name: string,
      stability: 'STABLE' | 'ALPHA',
      type: 'counter' | 'gauge',
      help: string,
      lines: readonly string[],
    ): string =>
      lines.length === 0
        ? ''
        : `# HELP ${name} [${stability}] ${help}\n# TYPE ${name} ${type}\n${lines.map((line) => `${name}${line}\n`).join('')}`;
    const timed = (labels: string, value: number): string => `${labels} ${goFloat(value)} ${nowMs}`;
    return [
      family(
        'container_cpu_usage_seconds_total',
        'STABLE',
        'counter',
        'Cumulative cpu time consumed by the container in core-seconds',
        containers.map(({ container, labels }) => timed(labels, seconds(container.cpuMs))),
      ),
      family(
        'container_memory_working_set_bytes',
        'STABLE',
        'gauge',
        'Current working set of the container in bytes',
        containers.map(({ container, labels }) => timed(labels, container.memoryBytes)),
      ),
      family(
        'container_start_time_seconds',
        'STABLE',
        'gauge',
        'Start time of the container since unix epoch in seconds',
        containers.map(({ container, labels }) => `${labels} ${goFloat(container.startedMs / 1000)}`),
      ),
      family(
        'node_cpu_usage_seconds_total',
        'STABLE',
        'counter',
        'Cumulative cpu time consumed by the node in core-seconds',
        [timed('', seconds(node.cpuMs))],
      ),
      family('node_memory_working_set_bytes', 'STABLE', 'gauge', 'Current working set of the node in bytes', [
        timed('', node.memoryBytes),
      ]),
      family(
        'pod_cpu_usage_seconds_total',
        'STABLE',
        'counter',
        'Cumulative cpu time consumed by the pod in core-seconds',
        perPod.map(({ pod, labels }) => timed(labels, seconds(pod.cpuMs))),
      ),
      family(
        'pod_memory_working_set_bytes',
        'STABLE',
        'gauge',
        'Current working set of the pod in bytes',
        perPod.map(({ pod, labels }) => timed(labels, pod.memoryBytes)),
      ),
      family(
        'resource_scrape_error',
        'STABLE',
        'gauge',
        '1 if there was an error while getting container metrics, 0 otherwise',
        [' 0'],
      ),
    ].join('');
  }

  /** The document of `/stats/summary`: CPU, memory and process counts. Differs: no network and file system figures. */
  summary(): unknown {
    const node = this.read();
    const { kernel, nodeName } = this.world;
    const nowMs = kernel.clock.now();
    this.sample(node, nowMs);
    const time = rfc3339(nowMs);
    const cpu = (key: string, { cpuMs }: CgroupUsage): object => {
      const rate = this.rates.get(key);
      return {
        time,
        ...(rate === undefined ? {} : { usageNanoCores: Math.round(rate * 1e9) }),
        usageCoreNanoSeconds: Math.round(cpuMs * 1e6),
      };
    };
    const memory = ({ memoryBytes }: CgroupUsage, availableBytes?: number): object => ({
      time,
      ...(availableBytes === undefined ? {} : { availableBytes }),
      usageBytes: memoryBytes,
      workingSetBytes: memoryBytes,
      rssBytes: memoryBytes,
    });
    return {
      node: {
        nodeName,
        startTime: rfc3339(kernel.bootMs),
        cpu: cpu('', node),
        memory: memory(node, kernel.memoryBytes - node.memoryBytes),
        rlimit: { time, maxpid: 32_768, curproc: node.processes },
      },
      pods: node.pods.map((pod) => ({
        podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
        startTime: rfc3339(pod.createdMs),
        containers: pod.containers.map((container) => ({
          name: container.name,
          startTime: rfc3339(container.startedMs),
          cpu: cpu(`${pod.uid}/${container.name}`, container),
          memory: memory(container),
        })),
        cpu: cpu(pod.uid, pod),
        memory: memory(pod),
        process_stats: { process_count: pod.processes },
      })),
    };
  }

  private read(): NodeUsage {
    const { kernel, containerd } = this.world;
    const running = new Map<string, Container[]>();
    for (const container of containerd.listContainers()) {
      if (container.state !== 'running') continue;
      const siblings = running.get(container.sandboxId);
      if (siblings === undefined) running.set(container.sandboxId, [container]);
      else siblings.push(container);
    }
    const pods: PodUsage[] = [];
    for (const { id, spec, createdMs, state } of containerd.listSandboxes()) {
      const inside = running.get(id);
      if (state !== 'ready' || inside === undefined) continue;
      const containers = inside.flatMap((container) => {
        const usage = kernel.cgroupUsage(cgroupOf(spec.cgroupParent, container.id));
        const startedMs = container.startedMs ?? createdMs;
        return usage === undefined ? [] : [{ ...usage, name: container.spec.name, startedMs }];
      });
      const pause = kernel.cgroupUsage(cgroupOf(spec.cgroupParent, id));
      const { podName: name, podNamespace: namespace, podUid: uid } = spec;
      const total = sum(pause === undefined ? containers : [...containers, pause]);
      pods.push({ ...total, name, namespace, uid, createdMs, containers });
    }
    const machine = kernel.cgroupUsage()!;
    const memoryBytes =
      machine.memoryBytes + Math.round((kernel.memoryBytes * KERNEL_SHARE) / PAGE_BYTES) * PAGE_BYTES;
    return { ...machine, memoryBytes: Math.min(kernel.memoryBytes, memoryBytes), pods };
  }

  /** Keeps the counters for the next question, and works out the rates since the last. */
  private sample(node: NodeUsage, nowMs: number): void {
    if (nowMs - this.sampledMs < RATE_WINDOW_MIN_MS) return;
    const counters = new Map<string, number>([['', node.cpuMs]]);
    for (const pod of node.pods) {
      counters.set(pod.uid, pod.cpuMs);
      for (const { name, cpuMs } of pod.containers) counters.set(`${pod.uid}/${name}`, cpuMs);
    }
    const rates = new Map<string, number>();
    for (const [key, cpuMs] of counters) {
      const before = this.samples.get(key);
      if (before !== undefined && cpuMs >= before)
        rates.set(key, (cpuMs - before) / (nowMs - this.sampledMs));
    }
    this.samples = counters;
    this.rates = rates;
    this.sampledMs = nowMs;
  }
}

function sum(usages: readonly CgroupUsage[]): CgroupUsage {
  return usages.reduce<CgroupUsage>(
    (total, { cpuMs, memoryBytes, processes }) => ({
      cpuMs: total.cpuMs + cpuMs,
      memoryBytes: total.memoryBytes + memoryBytes,
      processes: total.processes + processes,
    }),
    { cpuMs: 0, memoryBytes: 0, processes: 0 },
  );
}

/** A number as Go's strconv prints it with 'g' and the shortest precision: exponents from 1e+06 up. */
function goFloat(value: number): string {
  if (value === 0 || (Math.abs(value) < 1e6 && Math.abs(value) >= 1e-4)) return String(value);
  const [mantissa, exponent = '+0'] = value.toExponential().split('e');
  const digits = exponent.slice(1).padStart(2, '0');
  return `${mantissa}e${exponent[0]}${digits}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** CPU time is booked in parts of a ms; what is beyond µs is rounding. */
function seconds(cpuMs: number): number {
  return Math.round(cpuMs * 1000) / 1e6;
}
