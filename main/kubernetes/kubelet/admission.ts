// Whether a pod that was bound to this node may run here after all (pkg/kubelet/lifecycle's predicate admit handler).
import type { Node, PodSpec, Stored } from '../api/index.ts';
import { matchesNodeAffinity, untoleratedTaint } from '../scheduler/index.ts';
import { isStaticPod, portMappingsOf, qosClassOf, type KnownPod } from './pod-facts.ts';
import { amountOf, podRequests, type Amounts } from './pod-requests.ts';

/** Why a pod is refused: `reason` as `kubectl get pods` shows it. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
  /** It rests on the node's labels or taints. */
  readonly isAboutNode?: boolean;
}

export type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

export interface AdmissionWorld {
  /** As last read from the server; undefined before it is registered. */
  readonly node: () => Stored<Node> | undefined;
  readonly allocatable: () => Readonly<Record<string, string>>;
  readonly pressure: () => ReadonlySet<Pressure>;
}

interface Guest {
  readonly requests: Amounts;
  readonly ports: readonly string[];
}

/** What the pods of this node hold, added up as they come and go. */
export class Admission {
  private readonly world: AdmissionWorld;
  private readonly guests = new Map<string, Guest>();
  private readonly used = new Map<string, number>();
  private readonly ports = new Map<string, number>();

  constructor(world: AdmissionWorld) {
    this.world = world;
  }

  /** Counts a pod from now on; to be repeated when its requests have changed. */
  enter(pod: KnownPod): void {
    this.leave(pod.metadata.uid);
    const guest = { requests: podRequests(pod.spec), ports: portsOf(pod) };
    this.guests.set(pod.metadata.uid, guest);
    this.count(guest, 1);
  }

  /** The pod holds nothing any more. */
  leave(podUid: string): void {
    const guest = this.guests.get(podUid);
    if (guest === undefined) return;
    this.guests.delete(podUid);
    this.count(guest, -1);
  }

  /** Why the pod can't run here; undefined when it can. */
  refusal(pod: KnownPod): Refusal | undefined {
    return this.pressureRefusal(pod) ?? this.shortage(pod) ?? this.misplacement(pod);
  }

  /** The resource of which a changed pod would ask for more than is left beside the others; undefined if it fits. */
  shortOf(
    podUid: string,
    spec: PodSpec,
  ): { name: string; requested: number; used: number; capacity: number } | undefined {
    const own = this.guests.get(podUid)?.requests;
    const allocatable = this.world.allocatable();
    for (const [name, requested] of podRequests(spec)) {
      const capacity = allocatable[name];
      if (capacity === undefined) continue; // Resources that the node doesn't have are nobody's here.
      const used = (this.used.get(name) ?? 0) - (own?.get(name) ?? 0);
      const limit = amountOf(name, capacity);
      if (requested > 0 && requested > limit - used) return { name, requested, used, capacity: limit };
    }
    return undefined;
  }

  private count({ requests, ports }: Guest, sign: 1 | -1): void {
    for (const [name, amount] of requests) this.used.set(name, (this.used.get(name) ?? 0) + sign * amount);
    for (const port of ports) this.ports.set(port, (this.ports.get(port) ?? 0) + sign);
  }

  /** Under pressure only those come in that don't add to it: for memory, all that ask for some. */
  private pressureRefusal(pod: KnownPod): Refusal | undefined {
    const pressure = this.world.pressure();
    if (pressure.size === 0 || isCritical(pod)) return undefined;
    if (pressure.size === 1 && pressure.has('MemoryPressure')) {
      if (qosClassOf(pod) !== 'BestEffort') return undefined;
      const taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' } as const;
      if (untoleratedTaint([taint], pod.spec.tolerations, ['NoSchedule']) === undefined) return undefined;
    }
    return { reason: 'Evicted', message: `The node had condition: [${[...pressure].join(' ')}]. ` };
  }

  private shortage(pod: KnownPod): Refusal | undefined {
    const { metadata, spec } = pod;
    const podsMax = Number(this.world.allocatable()['pods'] ?? Infinity);
    const present = this.guests.size - (this.guests.has(metadata.uid) ? 1 : 0);
    const short =
      present + 1 > podsMax
        ? { name: 'pods', requested: 1, used: present, capacity: podsMax }
        : this.shortOf(metadata.uid, spec);
    if (short === undefined) return undefined;
    const { name, requested, used, capacity } = short;
    const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    return { reason: `OutOf${name}`, message };
  }

  private misplacement(pod: KnownPod): Refusal | undefined {
    const node = this.world.node();
    const refuse = (predicate: string, words: string): Refusal => ({
      reason: predicate,
      message: `Predicate ${predicate} failed: ${words}`,
    });
    if (node !== undefined && !isStaticPod(pod)) {
      if (!matchesNodeAffinity(pod.spec, node))
        return {
          ...refuse('NodeAffinity', "node(s) didn't match Pod's node affinity/selector"),
          isAboutNode: true,
        };
      const taint = untoleratedTaint(node.spec?.taints, pod.spec.tolerations, ['NoExecute']);
      if (taint !== undefined)
        return {
          ...refuse('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`),
          isAboutNode: true,
        };
    }
    const own = this.guests.get(pod.metadata.uid)?.ports ?? [];
    const isTaken = (port: string): boolean =>
      (this.ports.get(port) ?? 0) > own.filter((each) => each === port).length;
    if (portsOf(pod).some(isTaken))
      return refuse('NodePorts', "node(s) didn't have free ports for the requested pod ports");
    return undefined;
  }
}

function portsOf(pod: KnownPod): string[] {
  return portMappingsOf(pod).map(
    ({ hostPort, protocol, hostIp }) => `${protocol}/${hostIp ?? ''}/${hostPort}`,
  );
}

/** system-cluster-critical. */
const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;

/** Pods that are neither evicted nor kept out under pressure. */
export function isCritical(pod: KnownPod): boolean {
  return isStaticPod(pod) || (pod.spec.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
}
