// A node with the pods on it, kept up to date one pod at a time.
import type { Node, ObjectKey, Stored } from '../api/index.ts';
import { addAmounts, amountOf, noAmounts, type Amounts, type HostPort, type PodInfo } from './pod-info.ts';

/** Everything filters and scores read of one node. */
export class NodeInfo {
  readonly name: string;
  /** Undefined while only pods told of this node. */
  node: Stored<Node> | undefined;
  readonly pods = new Map<ObjectKey, PodInfo>();
  readonly requested: Amounts = noAmounts();
  scoredMilliCpu = 0;
  scoredMemory = 0;
  allocatable: Amounts = noAmounts();
  podsMax = 0;
  /** Image names, with sizes in bytes. */
  images: ReadonlyMap<string, number> = new Map();
  /** Host ports in use: how often each is. */
  private readonly ports = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: Stored<Node>): void {
    this.node = node;
    const amounts = noAmounts();
    this.podsMax = 0;
    for (const [name, quantity] of Object.entries(node.status?.allocatable ?? {})) {
      const amount = amountOf(name, quantity as string | number);
      if (name === 'cpu') amounts.milliCpu = amount;
      else if (name === 'memory') amounts.memory = amount;
      else if (name === 'ephemeral-storage') amounts.ephemeralStorage = amount;
      else if (name === 'pods') this.podsMax = amount;
      else amounts.scalars.set(name, amount);
    }
    this.allocatable = amounts;
    this.images = imagesOf(node);
  }

  add(info: PodInfo): void {
    this.pods.set(info.key, info);
    this.count(info, 1);
  }

  remove(key: ObjectKey): PodInfo | undefined {
    const info = this.pods.get(key);
    if (info === undefined) return undefined;
    this.pods.delete(key);
    this.count(info, -1);
    return info;
  }

  /** True if none of these ports is in use here; 0.0.0.0 stands for every address. */
  portsFree(wanted: readonly HostPort[]): boolean {
    for (const { protocol, ip, port } of wanted) {
      if (this.ports.has(`${protocol}/*/${port}`)) return false;
      if (
        ip === '0.0.0.0'
          ? this.ports.has(`${protocol}/any/${port}`)
          : this.ports.has(`${protocol}/${ip}/${port}`)
      )
        return false;
    }
    return true;
  }

  private count(info: PodInfo, sign: 1 | -1): void {
    addAmounts(this.requested, info.requests, sign);
    this.scoredMilliCpu += sign * info.scoredMilliCpu;
    this.scoredMemory += sign * info.scoredMemory;
    for (const { protocol, ip, port } of info.hostPorts) {
      this.countPort(`${protocol}/${ip === '0.0.0.0' ? '*' : ip}/${port}`, sign);
      this.countPort(`${protocol}/any/${port}`, sign);
    }
  }

  private countPort(id: string, sign: 1 | -1): void {
    const count = (this.ports.get(id) ?? 0) + sign;
    if (count > 0) this.ports.set(id, count);
    else this.ports.delete(id);
  }
}

function imagesOf(node: Stored<Node>): Map<string, number> {
  const images = new Map<string, number>();
  for (const { names = [], sizeBytes = 0 } of node.status?.images ?? [])
    for (const name of names) images.set(name, sizeBytes);
  return images;
}
