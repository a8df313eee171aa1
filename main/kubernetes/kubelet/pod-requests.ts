// What a pod asks for, by resource: what admission adds up, and what eviction holds usage against.
import { quantityMilliValue, quantityValue, type PodSpec } from '../api/index.ts';

/** Amounts by resource: cpu in millicores, all others in their unit. */
export type Amounts = ReadonlyMap<string, number>;

type ResourceList = Readonly<Record<string, string | number>> | undefined;

export function amountOf(name: string, quantity: string | number): number {
  return name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
}

/** Containers together, or the largest init stage where that is more; sidecars count beside both; plus overhead. */
export function podRequests(spec: PodSpec): Amounts {
  const total = new Map<string, number>();
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const { resources } of spec.containers) add(total, resources?.requests);
  for (const { resources, restartPolicy } of spec.initContainers ?? []) {
    if (restartPolicy === 'Always') {
      add(total, resources?.requests);
      add(sidecars, resources?.requests);
      raise(peak, sidecars);
    } else {
      const stage = new Map(sidecars);
      add(stage, resources?.requests);
      raise(peak, stage);
    }
  }
  raise(total, peak);
  // What the pod asks for as a whole stands for what its containers add up to (KEP-2837).
  for (const [name, quantity] of Object.entries(spec.resources?.requests ?? {}))
    total.set(name, amountOf(name, quantity));
  add(total, spec.overhead);
  return total;
}

function add(amounts: Map<string, number>, list: ResourceList): void {
  for (const [name, quantity] of Object.entries(list ?? {}))
    amounts.set(name, (amounts.get(name) ?? 0) + amountOf(name, quantity));
}

function raise(amounts: Map<string, number>, other: Amounts): void {
  for (const [name, amount] of other) amounts.set(name, Math.max(amounts.get(name) ?? 0, amount));
}
