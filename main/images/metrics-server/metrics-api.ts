// The API group metrics.k8s.io/v1beta1 as metrics-server serves it: NodeMetrics and PodMetrics, lists and tables.
import { headerOf, type HttpRequest, type HttpResponse } from '../../network/http/index.ts';
import {
  parseFieldSelector,
  parseLabelSelector,
  type Node,
  type Pod,
  type Stored,
} from '../../kubernetes/api/index.ts';
import type { Lister } from '../../kubernetes/client/index.ts';
import { rfc3339 } from '../../simulation/index.ts';
import type { Usage, UsageStore } from './samples.ts';

export interface MetricsApiOptions {
  readonly nodes: Lister<Node>;
  readonly pods: Lister<Pod>;
  readonly store: UsageStore;
  readonly nowMs: () => number;
}

interface Metrics {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly timestamp: string;
  readonly window: string;
  readonly usage?: ResourceList;
  readonly containers?: readonly { readonly name: string; readonly usage: ResourceList }[];
}

interface ResourceList {
  readonly cpu: string;
  readonly memory: string;
}

const API_VERSION = 'metrics.k8s.io/v1beta1';
const ROOT = `/apis/${API_VERSION}`;
const VERBS = ['get', 'list'];
const KI = 1024;

/** What a path asks of the group; undefined for other paths. */
export interface MetricsPath {
  readonly resource: 'nodes' | 'pods';
  readonly namespace: string;
  readonly name: string;
}

export function metricsPathOf(path: string): MetricsPath | undefined {
  const match =
    /^\/apis\/metrics\.k8s\.io\/v1beta1(?:\/namespaces\/([^/]+))?\/(nodes|pods)(?:\/([^/]+))?\/?$/.exec(path);
  if (match === null) return undefined;
  const [, namespace = '', resource, name = ''] = match;
  if (resource === 'nodes' && namespace !== '') return undefined;
  return { resource: resource as 'nodes' | 'pods', namespace, name };
}

/** Discovery documents; undefined for other paths. */
export function discoveryDocument(path: string): unknown {
  const version = { groupVersion: API_VERSION, version: 'v1beta1' };
  const group = { name: 'metrics.k8s.io', versions: [version], preferredVersion: version };
  switch (path.replace(/\/$/, '')) {
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };
    case '/apis/metrics.k8s.io':
      return { kind: 'APIGroup', apiVersion: 'v1', ...group };
    case ROOT:
      return {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: API_VERSION,
        resources: [
          { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: VERBS },
          { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: VERBS },
        ],
      };
    default:
      return undefined;
  }
}

/** Answers get and list. */
export function answerMetrics(
  options: MetricsApiOptions,
  { resource, namespace, name }: MetricsPath,
  { target, headers }: HttpRequest,
): HttpResponse {
  const query = new URLSearchParams(target.split('?')[1] ?? '');
  const wantsTable = (headerOf(headers, 'accept') ?? '').includes('as=Table');
  if (name !== '') {
    const found = resource === 'nodes' ? nodeMetrics(options, name) : podMetrics(options, namespace, name);
    if (found === undefined) return notFound(resource, namespace, name);
    return json(200, wantsTable ? tableOf([found]) : found);
  }
  const labels = parseLabelSelector(query.get('labelSelector') ?? undefined);
  const fields = parseFieldSelector(query.get('fieldSelector') ?? undefined);
  const matches = ({ metadata }: Stored<Node> | Stored<Pod>): boolean =>
    labels.matches(metadata.labels) &&
    fields.every(({ field, operator, value }) => {
      const actual = field === 'metadata.name' ? metadata.name : (metadata.namespace ?? '');
      return (actual === value) === (operator === '=');
    });
  const items =
    resource === 'nodes'
      ? options.nodes
          .list()
          .filter(matches)
          .flatMap(({ metadata }) => nodeMetrics(options, metadata.name) ?? [])
      : options.pods
          .list(namespace === '' ? undefined : namespace)
          .filter(matches)
          .flatMap(({ metadata }) => podMetrics(options, metadata.namespace ?? '', metadata.name) ?? []);
  items.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  if (wantsTable) return json(200, tableOf(items));
  const kind = resource === 'nodes' ? 'NodeMetricsList' : 'PodMetricsList';
  const bare = items.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest);
  return json(200, { kind, apiVersion: API_VERSION, metadata: {}, items: bare });
}

function nodeMetrics({ nodes, store, nowMs }: MetricsApiOptions, name: string): Metrics | undefined {
  const node = nodes.get(name);
  const usage = store.node(name);
  if (node === undefined || usage === undefined) return undefined;
  return {
    kind: 'NodeMetrics',
    apiVersion: API_VERSION,
    metadata: metadataOf(node, nowMs()),
    timestamp: rfc3339(usage.atMs),
    window: durationText(usage.windowMs),
    usage: resourceList(usage),
  };
}

function podMetrics(
  { pods, store, nowMs }: MetricsApiOptions,
  namespace: string,
  name: string,
): Metrics | undefined {
  const pod = pods.get(`${namespace}/${name}`);
  const usages = store.pod(namespace, name);
  const [first] = usages?.values() ?? [];
  if (pod === undefined || usages === undefined || first === undefined) return undefined;
  const earliest = [...usages.values()].reduce((a, b) => (b.atMs < a.atMs ? b : a), first);
  return {
    kind: 'PodMetrics',
    apiVersion: API_VERSION,
    metadata: metadataOf(pod, nowMs()),
    timestamp: rfc3339(earliest.atMs),
    window: durationText(earliest.windowMs),
    containers: [...usages].map(([container, usage]) => ({ name: container, usage: resourceList(usage) })),
  };
}

function metadataOf({ metadata }: Stored<Node> | Stored<Pod>, nowMs: number): Metrics['metadata'] {
  const { name, namespace, labels } = metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...{ creationTimestamp: rfc3339(nowMs), ...(labels === undefined ? {} : { labels }) },
  };
}

function resourceList({ cpuNanoCores, memoryBytes }: Usage): ResourceList {
  const cpu = cpuNanoCores === 0 ? '0' : `${cpuNanoCores}n`;
  const memory = memoryBytes % KI === 0 ? `${memoryBytes / KI}Ki` : String(memoryBytes);
  return { cpu, memory };
}

/** metav1.Duration, as Go prints one: `15s`, `14.998s`, `1m0.5s`. */
function durationText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round(ms - minutes * 60_000) / 1000;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}

function tableOf(items: readonly Metrics[]): unknown {
  const column = (name: string, format: string, description: string): object => ({
    name,
    type: 'string',
    format,
    description,
    priority: 0,
  });
  const rows = items.map((item) => {
    const usages =
      item.usage === undefined ? (item.containers ?? []).map(({ usage }) => usage) : [item.usage];
    return {
      cells: [item.metadata.name, totalCpu(usages), totalMemory(usages), item.window],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: item.metadata },
    };
  });
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions: [
      column('Name', 'name', 'Name of the resource'),
      column('cpu', '', 'CPU used'),
      column('memory', '', 'Memory used'),
      column('Window', 'duration', 'Time that the usage is of'),
    ],
    rows,
  };
}

function totalCpu(usages: readonly ResourceList[]): string {
  const nano = usages.reduce((sum, { cpu }) => sum + Number.parseInt(cpu, 10), 0);
  return nano === 0 ? '0' : `${nano}n`;
}

function totalMemory(usages: readonly ResourceList[]): string {
  const bytes = usages.reduce(
    (sum, { memory }) => sum + Number.parseInt(memory, 10) * (memory.endsWith('Ki') ? KI : 1),
    0,
  );
  return bytes % KI === 0 ? `${bytes / KI}Ki` : String(bytes);
}

function notFound(resource: string, namespace: string, name: string): HttpResponse {
  const kind = resource === 'nodes' ? 'nodemetrics' : 'podmetrics';
  const full = namespace === '' ? name : `${namespace}/${name}`;
  return refusal(404, 'NotFound', `${kind}.metrics.k8s.io "${full}" not found`, {
    name: full,
    group: 'metrics.k8s.io',
    kind,
  });
}

/** A Status. */
export function refusal(code: number, reason: string, message: string, details: object = {}): HttpResponse {
  return json(code, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    details,
    code,
  });
}

export function json(status: number, document: unknown): HttpResponse {
  return { status, headers: [['Content-Type', 'application/json']], body: `${JSON.stringify(document)}\n` };
}

function orderOf({ metadata }: Metrics): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
