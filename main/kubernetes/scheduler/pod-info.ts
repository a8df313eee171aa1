// What the scheduler needs to know of a pod, worked out once.
import {
  keyOf,
  labelSelectorOf,
  quantityMilliValue,
  quantityValue,
  type LabelSelector,
  type LabelSelectorSpec,
  type ObjectKey,
  type Pod,
  type PodSpec,
  type Stored,
} from '../api/index.ts';
import { canonicalLabelSelector } from './term-signature.ts';

/** What a pod that asks for nothing counts as, when nodes are scored. */
const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024;

/** Amounts of resources: cpu in millicores, the others in their unit. */
export interface Amounts {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  /** Extended resources and hugepages, by name. */
  readonly scalars: Map<string, number>;
}

export interface HostPort {
  readonly protocol: string;
  readonly ip: string;
  readonly port: number;
}

/** One term of pod affinity or anti-affinity. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly selector: LabelSelector;
  /** Namespaces by name; those that `namespaceSelector` picks count too. */
  readonly namespaces: readonly string[];
  readonly namespaceSelector: LabelSelector | undefined;
  /** Equal for terms that mean the same. */
  readonly signature: string;
  readonly weight: number;
}

export interface PodInfo {
  readonly key: ObjectKey;
  /** Its latest version. */
  pod: Stored<Pod>;
  readonly requests: Amounts;
  /** Requests with defaults for containers that ask for nothing. */
  readonly scoredMilliCpu: number;
  readonly scoredMemory: number;
  readonly hostPorts: readonly HostPort[];
  /** Claims it uses, by `namespace/name`. */
  readonly claims: readonly string[];
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
  readonly priority: number;
}

/** Works out what the scheduler needs to know of a pod. */
export function podInfo(pod: Stored<Pod>): PodInfo {
  const spec = pod.spec!;
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const term = (affinity: RawTerm, weight = 1): AffinityTerm => affinityTerm(pod, affinity, weight);
  const required = (terms: RawTerm[] | undefined): AffinityTerm[] => (terms ?? []).map((raw) => term(raw));
  const preferred = (terms: { weight: number; podAffinityTerm: RawTerm }[] | undefined): AffinityTerm[] =>
    (terms ?? []).map(({ weight, podAffinityTerm }) => term(podAffinityTerm, weight));
  return {
    key: keyOf(pod),
    pod,
    requests: requestsOf(spec, 0, 0),
    scoredMilliCpu: requestsOf(spec, DEFAULT_MILLI_CPU, 0).milliCpu,
    scoredMemory: requestsOf(spec, 0, DEFAULT_MEMORY_BYTES).memory,
    hostPorts: hostPortsOf(spec),
    claims: claimsOf(pod),
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    priority: spec.priority ?? 0,
  };
}

interface RawTerm {
  labelSelector?: LabelSelectorSpec;
  matchLabelKeys?: string[];
  namespaceSelector?: LabelSelectorSpec;
  namespaces?: string[];
  topologyKey: string;
}

function affinityTerm(pod: Stored<Pod>, raw: RawTerm, weight: number): AffinityTerm {
  const { namespaces: named = [], namespaceSelector, topologyKey } = raw;
  // Neither names nor a selector: the pod's own namespace.
  const namespaces =
    named.length === 0 && namespaceSelector === undefined ? [pod.metadata.namespace ?? ''] : named;
  return {
    topologyKey,
    namespaces,
    selector: labelSelectorOf(raw.labelSelector),
    namespaceSelector: namespaceSelector === undefined ? undefined : labelSelectorOf(namespaceSelector),
    signature: `${topologyKey}|${[...namespaces].sort().join()}|${canonicalLabelSelector(namespaceSelector)}|${canonicalLabelSelector(raw.labelSelector)}|${weight}`,
    weight,
  };
}

/** True if the term is about pods like this one. */
export function termMatches(
  term: AffinityTerm,
  pod: Stored<Pod>,
  namespaceLabels: (namespace: string) => Record<string, string> | undefined,
): boolean {
  const namespace = pod.metadata.namespace ?? '';
  const inNamespace =
    term.namespaces.includes(namespace) ||
    term.namespaceSelector?.matches(namespaceLabels(namespace)) === true;
  return inNamespace && term.selector.matches(pod.metadata.labels);
}

// ── Requests ──

/** The largest of what the containers ask for together and what any init container asks for, plus overhead. */
function requestsOf(spec: PodSpec, defaultMilliCpu: number, defaultMemory: number): Amounts {
  const total = noAmounts();
  for (const { resources } of spec.containers)
    addContainer(total, resources?.requests, defaultMilliCpu, defaultMemory);
  if (spec.initContainers !== undefined) {
    // Sidecars run on beside what comes after them (KEP-753).
    const sidecars = noAmounts();
    const peak = noAmounts();
    for (const { resources, restartPolicy } of spec.initContainers) {
      if (restartPolicy === 'Always') {
        addContainer(total, resources?.requests, defaultMilliCpu, defaultMemory);
        addContainer(sidecars, resources?.requests, defaultMilliCpu, defaultMemory);
        raise(peak, sidecars);
      } else {
        const stage = copyAmounts(sidecars);
        addContainer(stage, resources?.requests, defaultMilliCpu, defaultMemory);
        raise(peak, stage);
      }
    }
    raise(total, peak);
  }
  // What the pod asks for as a whole stands for what its containers add up to (KEP-2837).
  const whole = spec.resources?.requests;
  if (whole !== undefined) {
    const { cpu, memory } = whole;
    if (cpu !== undefined) total.milliCpu = amountOf('cpu', cpu);
    if (memory !== undefined) total.memory = amountOf('memory', memory);
  }
  addContainer(total, spec.overhead, 0, 0);
  return total;
}

export function noAmounts(): Amounts {
  return { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() };
}

function copyAmounts({ milliCpu, memory, ephemeralStorage, scalars }: Amounts): Amounts {
  return { milliCpu, memory, ephemeralStorage, scalars: new Map(scalars) };
}

type ResourceList = Readonly<Record<string, string | number>> | undefined;

function addContainer(
  amounts: Amounts,
  list: ResourceList,
  defaultMilliCpu: number,
  defaultMemory: number,
): void {
  let hasCpu = false;
  let hasMemory = false;
  if (list !== undefined) {
    for (const [name, quantity] of Object.entries(list)) {
      if (name === 'cpu') {
        amounts.milliCpu += amountOf(name, quantity);
        hasCpu = true;
      } else if (name === 'memory') {
        amounts.memory += amountOf(name, quantity);
        hasMemory = true;
      } else if (name === 'ephemeral-storage') amounts.ephemeralStorage += amountOf(name, quantity);
      else amounts.scalars.set(name, (amounts.scalars.get(name) ?? 0) + amountOf(name, quantity));
    }
  }
  if (!hasCpu) amounts.milliCpu += defaultMilliCpu;
  if (!hasMemory) amounts.memory += defaultMemory;
}

function raise(amounts: Amounts, other: Amounts): void {
  amounts.milliCpu = Math.max(amounts.milliCpu, other.milliCpu);
  amounts.memory = Math.max(amounts.memory, other.memory);
  amounts.ephemeralStorage = Math.max(amounts.ephemeralStorage, other.ephemeralStorage);
  for (const [name, value] of other.scalars)
    amounts.scalars.set(name, Math.max(amounts.scalars.get(name) ?? 0, value));
}

/** Adds (or with -1 takes away) the second amounts to the first. */
export function addAmounts(amounts: Amounts, other: Amounts, sign: 1 | -1): void {
  amounts.milliCpu += sign * other.milliCpu;
  amounts.memory += sign * other.memory;
  amounts.ephemeralStorage += sign * other.ephemeralStorage;
  for (const [name, value] of other.scalars)
    amounts.scalars.set(name, (amounts.scalars.get(name) ?? 0) + sign * value);
}

const PARSED_MAX = 4096;
const parsed = new Map<string, number>();

/** A quantity in the unit the scheduler counts in; the same few texts come again and again. */
export function amountOf(name: string, quantity: string | number): number {
  const id = `${name === 'cpu' ? 'm' : ''}${quantity}`;
  let amount = parsed.get(id);
  if (amount === undefined) {
    amount = name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(id, amount);
  }
  return amount;
}

const NO_CLAIMS: readonly string[] = [];

/** The claims of a pod's volumes; those made for it have its name before the volume's. */
function claimsOf(pod: Stored<Pod>): readonly string[] {
  const { volumes } = pod.spec!;
  if (volumes === undefined) return NO_CLAIMS;
  const claims = volumes.flatMap(({ name, ephemeral, persistentVolumeClaim }) => {
    const claim = ephemeral == null ? persistentVolumeClaim?.claimName : `${pod.metadata.name}-${name}`;
    return claim === undefined ? [] : [`${pod.metadata.namespace}/${claim}`];
  });
  return claims.length === 0 ? NO_CLAIMS : claims;
}

function hostPortsOf(spec: PodSpec): HostPort[] {
  const ports: HostPort[] = [];
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const container of [...spec.containers, ...sidecars]) {
    for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
      if (hostPort === undefined || hostPort === 0) continue;
      ports.push({
        protocol: protocol ?? 'TCP',
        ip: hostIP === undefined || hostIP === '' ? '0.0.0.0' : hostIP,
        port: hostPort,
      });
    }
  }
  return ports;
}
