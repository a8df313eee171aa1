// Which cluster IPs and node ports are taken: an index that follows the store, so that a new Service costs no search.
import type { Service } from '../../api/types.ts';
import type { StoredObject } from '../object.ts';
import type { ObjectTable } from '../storage/object-store.ts';
import type { AddressRange } from './address-allocator.ts';

/** What Services hold of what must be unique. */
export class ServiceAllocations {
  /** kube-apiserver's --service-cluster-ip-range. */
  readonly range: AddressRange;
  /** Address → uid of the Service that has it. */
  private readonly addresses = new Map<string, string>();
  private readonly ports = new Map<number, string>();

  constructor(range: AddressRange) {
    this.range = range;
  }

  /** Takes in what a table of Services holds, and from then on each of its changes. */
  follow(services: ObjectTable): void {
    services.observe((before, after) => {
      if (before !== undefined) this.release(before);
      if (after !== undefined) this.take(after);
    });
  }

  /** Whether another Service than the one with this uid has an address. */
  hasAddress(address: string, except: string | undefined): boolean {
    const holder = this.addresses.get(address);
    return holder !== undefined && holder !== except;
  }

  hasPort(port: number, except: string | undefined): boolean {
    const holder = this.ports.get(port);
    return holder !== undefined && holder !== except;
  }

  private take(service: StoredObject): void {
    const { uid } = service.metadata;
    for (const address of addressesOf(service)) this.addresses.set(address, uid);
    for (const port of portsOf(service)) this.ports.set(port, uid);
  }

  private release(service: StoredObject): void {
    const { uid } = service.metadata;
    for (const address of addressesOf(service))
      if (this.addresses.get(address) === uid) this.addresses.delete(address);
    for (const port of portsOf(service)) if (this.ports.get(port) === uid) this.ports.delete(port);
  }
}

function addressesOf(service: StoredObject): readonly string[] {
  return ((service as Service).spec?.clusterIPs ?? []).filter((address) => address !== 'None');
}

function portsOf(service: StoredObject): number[] {
  const { ports = [], healthCheckNodePort } = (service as Service).spec ?? {};
  return [...ports.map(({ nodePort }) => nodePort), healthCheckNodePort].filter(
    (port): port is number => port !== undefined && port !== 0,
  );
}
