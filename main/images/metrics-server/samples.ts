// What kubelets were seen to use, in two samples each: from their difference comes the CPU rate (metrics-server pkg/storage).

/** Counters of one moment. */
export interface Sample {
  readonly atMs: number;
  /** Since the start, in core-seconds. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Of containers. */
  readonly startedMs?: number;
}

/** One answer of a kubelet's /metrics/resource. */
export interface NodeSamples {
  readonly node: Sample | undefined;
  /** By `namespace/pod`, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Sample>>;
}

/** Usage over the time between two samples. */
export interface Usage {
  readonly atMs: number;
  readonly windowMs: number;
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

/** A container younger than this is rated from its start. */
const FRESH_MS = 90_000;
const FRESH_WINDOW_MIN_MS = 10_000;

/** Reads Prometheus text; lines that say nothing of usage are passed over. */
export function parseResourceMetrics(text: string): NodeSamples {
  const line = /^(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?$/gm;
  const node: Partial<Draft> = {};
  const pods = new Map<string, Map<string, Partial<Draft>>>();
  const of = (labels: string): Partial<Draft> => {
    const label = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const pod = `${label('namespace')}/${label('pod')}`;
    const containers = pods.get(pod) ?? new Map<string, Partial<Draft>>();
    pods.set(pod, containers);
    const container = containers.get(label('container')) ?? {};
    containers.set(label('container'), container);
    return container;
  };
  for (const [, name, labels = '', value, time] of text.matchAll(line)) {
    const number = Number(value);
    const atMs = time === undefined ? {} : { atMs: Number(time) };
    switch (name) {
      case 'node_cpu_usage_seconds_total':
        Object.assign(node, atMs, { cpuSeconds: number });
        break;
      case 'node_memory_working_set_bytes':
        Object.assign(node, atMs, { memoryBytes: number });
        break;
      case 'container_cpu_usage_seconds_total':
        Object.assign(of(labels), atMs, { cpuSeconds: number });
        break;
      case 'container_memory_working_set_bytes':
        Object.assign(of(labels), atMs, { memoryBytes: number });
        break;
      case 'container_start_time_seconds':
        Object.assign(of(labels), { startedMs: number * 1000 });
        break;
      default:
    }
  }
  const whole = new Map<string, Map<string, Sample>>();
  for (const [pod, containers] of pods) {
    const samples = [...containers].flatMap(([name, draft]) =>
      isWhole(draft) ? [[name, draft] as const] : [],
    );
    // One container without figures, and the pod has none.
    if (samples.length === containers.size) whole.set(pod, new Map(samples));
  }
  return { node: isWhole(node) ? node : undefined, pods: whole };
}

interface Draft {
  atMs: number;
  cpuSeconds: number;
  memoryBytes: number;
  startedMs?: number;
}

function isWhole(draft: Partial<Draft>): draft is Draft {
  return draft.atMs !== undefined && draft.cpuSeconds !== undefined && draft.memoryBytes !== undefined;
}

/** Keeps the last two samples of everything. */
export class UsageStore {
  private readonly nodes = new Map<string, { last: Sample; before?: Sample }>();
  private pods = new Map<string, Map<string, { last: Sample; before?: Sample }>>();

  /** Takes in one round: what isn't in it any more is forgotten. */
  take(round: ReadonlyMap<string, NodeSamples>): void {
    const pods = new Map<string, Map<string, { last: Sample; before?: Sample }>>();
    for (const [name, samples] of round) {
      if (samples.node !== undefined)
        this.nodes.set(name, {
          last: samples.node,
          before: earlier(this.nodes.get(name)?.last, samples.node),
        });
      for (const [pod, containers] of samples.pods) {
        const known = this.pods.get(pod);
        const pairs = new Map<string, { last: Sample; before?: Sample }>();
        for (const [container, last] of containers)
          pairs.set(container, { last, before: earlier(known?.get(container)?.last, last) ?? birthOf(last) });
        pods.set(pod, pairs);
      }
    }
    for (const name of this.nodes.keys()) if (!round.has(name)) this.nodes.delete(name);
    this.pods = pods;
  }

  /** Whether there is anything to serve. */
  get isReady(): boolean {
    return [...this.nodes.values()].some(({ before }) => before !== undefined);
  }

  node(name: string): Usage | undefined {
    const pair = this.nodes.get(name);
    return pair === undefined ? undefined : usageOf(pair);
  }

  /** By container; undefined while one of them has too few samples. */
  pod(namespace: string, name: string): ReadonlyMap<string, Usage> | undefined {
    const pairs = this.pods.get(`${namespace}/${name}`);
    if (pairs === undefined) return undefined;
    const usages = new Map<string, Usage>();
    for (const [container, pair] of pairs) {
      const usage = usageOf(pair);
      if (usage === undefined) return undefined;
      usages.set(container, usage);
    }
    return usages;
  }
}

/** The earlier sample, if the later one goes on from it: a restart begins counting at zero. */
function earlier(before: Sample | undefined, last: Sample): Sample | undefined {
  if (before === undefined || before.atMs >= last.atMs || before.cpuSeconds > last.cpuSeconds)
    return undefined;
  return before.startedMs === last.startedMs ? before : undefined;
}

/** For a container that has just begun, its start stands for the sample before. */
function birthOf(last: Sample): Sample | undefined {
  const { startedMs, atMs } = last;
  if (startedMs === undefined) return undefined;
  const ageMs = atMs - startedMs;
  if (ageMs < FRESH_WINDOW_MIN_MS || ageMs > FRESH_MS) return undefined;
  return { atMs: startedMs, cpuSeconds: 0, memoryBytes: 0, startedMs };
}

function usageOf({ last, before }: { last: Sample; before?: Sample }): Usage | undefined {
  if (before === undefined) return undefined;
  const windowMs = last.atMs - before.atMs;
  const cpuNanoCores = Math.round(((last.cpuSeconds - before.cpuSeconds) / (windowMs / 1000)) * 1e9);
  return { atMs: last.atMs, windowMs, cpuNanoCores, memoryBytes: last.memoryBytes };
}
