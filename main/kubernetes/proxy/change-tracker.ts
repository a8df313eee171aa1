// The Services and EndpointSlices as kube-proxy holds them, and which Services changed since the last sync.
import type { EndpointSlice, Service } from '../api/index.ts';
import { endpointsOf, portKey, type Endpoint } from './endpoints.ts';
import { servicePortsOf, type ServicePort } from './service-ports.ts';

/** A Service with what stands behind it. */
export interface ProxiedService {
  /** `namespace/name`. */
  readonly key: string;
  readonly ports: readonly ServicePort[];
  endpointsOf(port: ServicePort): readonly Endpoint[];
}

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Keeps Services and slices apart by Service, so that a change costs work for one Service only. */
export class ChangeTracker {
  private readonly nodeName: string;
  private readonly services = new Map<string, readonly ServicePort[]>();
  private readonly slices = new Map<string, Map<string, EndpointSlice>>();
  private readonly dirty = new Set<string>();

  constructor(nodeName: string) {
    this.nodeName = nodeName;
  }

  setService(service: Service): void {
    const key = `${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`;
    this.services.set(key, servicePortsOf(service));
    this.dirty.add(key);
  }

  deleteService(service: Service): void {
    const key = `${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`;
    this.services.delete(key);
    this.dirty.add(key);
  }

  setSlice(slice: EndpointSlice): void {
    const key = serviceOf(slice);
    if (key === undefined) return;
    let slices = this.slices.get(key);
    if (slices === undefined) this.slices.set(key, (slices = new Map()));
    slices.set(slice.metadata?.name ?? '', slice);
    this.dirty.add(key);
  }

  deleteSlice(slice: EndpointSlice): void {
    const key = serviceOf(slice);
    if (key === undefined) return;
    this.slices.get(key)?.delete(slice.metadata?.name ?? '');
    if (this.slices.get(key)?.size === 0) this.slices.delete(key);
    this.dirty.add(key);
  }

  get hasChanges(): boolean {
    return this.dirty.size > 0;
  }

  /** The Services that changed since the last call; one without ports is gone or not for kube-proxy. */
  takeChanges(): ProxiedService[] {
    const changes = [...this.dirty].map((key) => this.get(key));
    this.dirty.clear();
    return changes;
  }

  /** Every Service that has ports. */
  list(): ProxiedService[] {
    return [...this.services.keys()].map((key) => this.get(key));
  }

  private get(key: string): ProxiedService {
    const endpoints = endpointsOf(this.slices.get(key)?.values() ?? [], this.nodeName);
    return {
      key,
      ports: this.services.get(key) ?? [],
      endpointsOf: (port) => endpoints.get(portKey(port.portName, port.protocol)) ?? [],
    };
  }
}

function serviceOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata?.labels?.[SERVICE_NAME_LABEL];
  return name === undefined || name === '' ? undefined : `${slice.metadata?.namespace ?? ''}/${name}`;
}
