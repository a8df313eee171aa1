// An IPAddress for each cluster IP that a Service holds (KEP-1880; pkg/registry/core/service/ipallocator).
import type { Service } from '../../api/types.ts';
import { resources } from '../../api/resources.ts';
import type { Catalogue, Served } from '../catalogue.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { ownWrite } from '../verbs/request.ts';
import type { Writer } from '../verbs/writing.ts';

interface Holder {
  readonly namespace: string;
  readonly name: string;
}

interface IpAddressParts {
  readonly objects: ObjectStore;
  readonly catalogue: Catalogue;
  readonly writer: Writer;
}

/** Keeps the IPAddresses in step with the Services. */
export class IpAddresses {
  private readonly parts: IpAddressParts;
  /** Address → who holds it now; written once the events of this moment are out. */
  private readonly changed = new Map<string, Holder | undefined>();

  constructor(parts: IpAddressParts) {
    this.parts = parts;
    const served = parts.catalogue.find(resources.ipaddresses);
    if (served === undefined) return; // Releases before 1.33 keep a bitmap.
    parts.catalogue.find(resources.services)!.table.observe((before, after) => {
      const [held, holds] = [addressesOf(before), addressesOf(after)];
      for (const address of held) if (!holds.includes(address)) this.note(served, address, undefined);
      if (after === undefined) return;
      const { namespace = '', name } = after.metadata;
      for (const address of holds)
        if (!held.includes(address)) this.note(served, address, { namespace, name });
    });
  }

  private note(served: Served, address: string, holder: Holder | undefined): void {
    if (this.changed.size === 0) this.parts.objects.afterEvents(() => this.write(served));
    this.changed.set(address, holder);
  }

  private write(served: Served): void {
    const changes = [...this.changed];
    this.changed.clear();
    for (const [address, holder] of changes) {
      const known = served.table.get('', address);
      if (known !== undefined && sameHolder(known, holder)) continue;
      if (known !== undefined) this.parts.writer.delete(ownWrite(served), address, {});
      if (holder !== undefined) this.parts.writer.create(ownWrite(served), ipAddress(address, holder));
    }
  }
}

function addressesOf(service: StoredObject | undefined): readonly string[] {
  return ((service as Service | undefined)?.spec?.clusterIPs ?? []).filter((address) => address !== 'None');
}

function sameHolder(known: StoredObject, holder: Holder | undefined): boolean {
  const { parentRef } = known['spec'] as { parentRef?: Partial<Holder> };
  return holder !== undefined && parentRef?.name === holder.name && parentRef.namespace === holder.namespace;
}

function ipAddress(address: string, { namespace, name }: Holder): ApiObject {
  return {
    kind: 'IPAddress',
    apiVersion: 'networking.k8s.io/v1',
    metadata: {
      name: address,
      labels: {
        'ipaddress.kubernetes.io/ip-family': address.includes(':') ? 'IPv6' : 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
}
