// kubectl top: what nodes and pods use of CPU and memory, as the metrics API says.
import { requireQuantity, type KubernetesObject, type Node, type Pod } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';

export const top: Command = {
  name: 'top',
  commands: [
    { name: 'node', aliases: ['nodes', 'no'], run: runTopNode },
    { name: 'pod', aliases: ['pods', 'po'], run: runTopPod },
  ],
};

interface ResourceList {
  readonly cpu?: string;
  readonly memory?: string;
}

interface NodeMetrics extends KubernetesObject {
  readonly usage: ResourceList;
}

interface PodMetrics extends KubernetesObject {
  readonly containers: readonly { readonly name: string; readonly usage: ResourceList }[];
}

const ROOT = '/apis/metrics.k8s.io/v1beta1';
/** A pod older than this without metrics is an error worth naming. */
const PATIENCE_MS = 120_000;
const MI = 1024 * 1024;

/** CPU in millicores, memory in bytes. */
interface Amounts {
  readonly milli: number;
  readonly bytes: number;
}

async function prepare({ kubectl, flags, args }: Invocation, noun: string): Promise<void> {
  const sortBy = flags.string('sort-by');
  if (sortBy !== '' && sortBy !== 'cpu' && sortBy !== 'memory')
    throw new CommandError('--sort-by accepts only cpu or memory');
  if (args.length > 1) throw new CommandError(`one ${noun} name may be given at most, not ${args.length}`);
  if (args.length === 1 && flags.string('selector') !== '')
    throw new CommandError('only one of NAME or --selector can be provided');
  const { resources } = await kubectl.mapper();
  if (!resources.some(({ group }) => group === 'metrics.k8s.io'))
    throw new CommandError('Metrics API not available');
}

async function runTopNode(invocation: Invocation): Promise<number> {
  await prepare(invocation, 'node');
  const { kubectl, flags, args } = invocation;
  const [name] = args;
  const selector = flags.string('selector') || undefined;
  const read = async <T>(root: string): Promise<T[]> =>
    name === undefined
      ? ((
          await kubectl.api.json<{ items: T[] | null }>({
            method: 'GET',
            path: `${root}/nodes`,
            query: { labelSelector: selector },
          })
        ).items ?? [])
      : [await kubectl.api.json<T>({ method: 'GET', path: `${root}/nodes/${name}` })];
  const metrics = await read<NodeMetrics>(ROOT);
  if (metrics.length === 0) throw new CommandError('metrics not available yet');
  const nodes = await read<Node>('/api/v1');
  const available = new Map(
    nodes.map(({ metadata, status }) => [
      metadata!.name!,
      amountsOf((flags.bool('show-capacity') ? status?.capacity : status?.allocatable) ?? {}),
    ]),
  );
  const known = metrics.map(({ metadata, usage }) => ({ name: metadata!.name!, amounts: amountsOf(usage) }));
  const rows = sorted(known, flags.string('sort-by')).map(({ name: node, amounts }) => {
    const whole = available.get(node);
    const share = (used: number, of: number | undefined): string =>
      of === undefined || of === 0 ? '<unknown>' : `${Math.floor((used / of) * 100)}%`;
    return [
      node,
      cpuText(amounts),
      share(amounts.milli, whole?.milli),
      memoryText(amounts),
      share(amounts.bytes, whole?.bytes),
    ];
  });
  const silent = nodes.filter(({ metadata }) => !known.some((each) => each.name === metadata!.name));
  for (const { metadata } of silent)
    rows.push([metadata!.name!, '<unknown>', '<unknown>', '<unknown>', '<unknown>']);
  const headers = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'];
  await kubectl.out(padded(flags.bool('no-headers') ? rows : [headers, ...rows]));
  return 0;
}

async function runTopPod(invocation: Invocation): Promise<number> {
  await prepare(invocation, 'pod');
  const { kubectl, flags, args } = invocation;
  const [name] = args;
  const all = flags.bool('all-namespaces') && name === undefined;
  const scope = all ? '' : `/namespaces/${kubectl.namespace}`;
  const query = {
    labelSelector: flags.string('selector') || undefined,
    fieldSelector: flags.string('field-selector') || undefined,
  };
  const metrics =
    name === undefined
      ? ((
          await kubectl.api.json<{ items: PodMetrics[] | null }>({
            method: 'GET',
            path: `${ROOT}${scope}/pods`,
            query,
          })
        ).items ?? [])
      : [await kubectl.api.json<PodMetrics>({ method: 'GET', path: `${ROOT}${scope}/pods/${name}` })];
  if (metrics.length === 0) {
    const { items } = await kubectl.api.json<{ items: Pod[] | null }>({
      method: 'GET',
      path: `/api/v1${scope}/pods`,
      query,
    });
    checkAges(invocation, items ?? []);
    await kubectl.err(
      all ? 'No resources found\n' : `No resources found in ${kubectl.namespace} namespace.\n`,
    );
    return 0;
  }
  const byContainer = flags.bool('containers');
  const known = metrics.map(({ metadata, containers }) => ({
    name: metadata!.name!,
    namespace: metadata!.namespace ?? '',
    containers,
    amounts: sum(containers.map(({ usage }) => amountsOf(usage))),
  }));
  const order = sorted(known, flags.string('sort-by'), all);
  const rows = order.flatMap((pod) => {
    const lead = all ? [pod.namespace, pod.name] : [pod.name];
    if (!byContainer) return [[...lead, cpuText(pod.amounts), memoryText(pod.amounts)]];
    const parts = pod.containers.map((each) => ({ name: each.name, amounts: amountsOf(each.usage) }));
    return sorted(parts, flags.string('sort-by')).map((part) => [
      ...lead,
      part.name,
      cpuText(part.amounts),
      memoryText(part.amounts),
    ]);
  });
  const headers = [
    ...(all ? ['NAMESPACE'] : []),
    ...(byContainer ? ['POD'] : []),
    'NAME',
    'CPU(cores)',
    'MEMORY(bytes)',
  ];
  if (flags.bool('sum')) {
    const blanks = headers.slice(2).map(() => '');
    const total = sum(known.map(({ amounts }) => amounts));
    rows.push([...blanks, '________', '________'], [...blanks, cpuText(total), memoryText(total)]);
  }
  await kubectl.out(padded(flags.bool('no-headers') ? rows : [headers, ...rows]));
  return 0;
}

/** Throws CommandError when there are pods that should have metrics. */
function checkAges({ proc }: Invocation, pods: readonly Pod[]): void {
  for (const { metadata } of pods) {
    const ageMs = proc.clock.now() - Date.parse(metadata?.creationTimestamp ?? '');
    if (ageMs <= PATIENCE_MS) throw new CommandError('metrics not available yet');
    const seconds = Math.floor(ageMs / 1000);
    const age = `${seconds >= 3600 ? `${Math.floor(seconds / 3600)}h` : ''}${Math.floor(seconds / 60) % 60}m${seconds % 60}s`;
    throw new CommandError(
      `metrics not available for pod ${metadata?.namespace}/${metadata?.name}, age: ${age}`,
    );
  }
}

function sorted<T extends { readonly name: string; readonly namespace?: string; readonly amounts: Amounts }>(
  items: readonly T[],
  sortBy: string,
  byNamespace = false,
): T[] {
  const key = ({ name, namespace = '' }: T): string => (byNamespace ? `${namespace}\0${name}` : name);
  return [...items].sort((a, b) => {
    if (sortBy === 'cpu') return b.amounts.milli - a.amounts.milli;
    if (sortBy === 'memory') return b.amounts.bytes - a.amounts.bytes;
    return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
  });
}

/** Quantity.MilliValue and Value round up. */
function amountsOf({ cpu = '0', memory = '0' }: ResourceList | Record<string, string>): Amounts {
  return {
    milli: Math.ceil(Number(requireQuantity(cpu).nano) / 1e6),
    bytes: Math.ceil(Number(requireQuantity(memory).nano) / 1e9),
  };
}

function sum(parts: readonly Amounts[]): Amounts {
  return parts.reduce(
    (total, { milli, bytes }) => ({ milli: total.milli + milli, bytes: total.bytes + bytes }),
    { milli: 0, bytes: 0 },
  );
}

function cpuText({ milli }: Amounts): string {
  return `${milli}m`;
}

function memoryText({ bytes }: Amounts): string {
  return `${Math.floor(bytes / MI)}Mi`;
}

/** Here every cell is ended by a tab, so that the last column is padded too. */
function padded(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines)
    for (const [index, cell] of line.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length + 3);
  return lines.map((line) => `${line.map((cell, index) => cell.padEnd(widths[index]!)).join('')}\n`).join('');
}
