// Which version of a kind to ask an older server for, and how its answers become those of the present version.
import { formerVersionsOf } from '../api/api-versions.ts';
import { conversionOf } from '../api/conversion/conversion.ts';
import {
  apiVersionOf,
  resources,
  StatusError,
  type Endpoints,
  type EndpointSlice,
  type KubernetesObject,
  type Resource,
} from '../api/index.ts';

/** How a kind is asked for, and what becomes of what is sent and what is answered. */
export interface SpokenVersion {
  readonly resource: Resource;
  read<T>(object: T): T;
  write<T>(object: T): T;
}

function asIs(resource: Resource): SpokenVersion {
  return { resource, read: (object) => object, write: (object) => object };
}

/** In the order to try them: the present version first. */
function spokenVersionsOf(resource: Resource): SpokenVersion[] {
  const former = formerVersionsOf(resource).map((older): SpokenVersion => {
    const conversion = conversionOf(older);
    const typed = <T>(object: T, type: Resource): T =>
      ({ ...object, apiVersion: apiVersionOf(type), kind: type.kind }) as T;
    return {
      resource: older,
      read: <T>(object: T) => typed(conversion.toStored(object as Record<string, unknown>) as T, resource),
      write: <T>(object: T) => typed(conversion.fromStored(object as Record<string, unknown>) as T, older),
    };
  });
  const versions = [asIs(resource), ...former];
  if (
    resource.plural !== resources.endpointslices.plural ||
    resource.group !== resources.endpointslices.group
  )
    return versions;
  // Before 1.17 programs followed Endpoints.
  const endpoints: SpokenVersion = {
    resource: resources.endpoints,
    read: <T>(object: T) => sliceOf(object as Endpoints) as T,
    write: () => {
      throw new Error('Endpoints are read as EndpointSlices, never written as such.');
    },
  };
  return [...versions, endpoints];
}

/** What a client has found out about its server. */
export class ServerVersions {
  private readonly found = new Map<string, SpokenVersion>();

  /** The version known to be served, or the present one. */
  of(resource: Resource): SpokenVersion {
    return this.found.get(keyOf(resource)) ?? asIs(resource);
  }

  /** Does the work in the first version that the server has. */
  async ask<T>(resource: Resource, work: (version: SpokenVersion) => Promise<T>): Promise<T> {
    const known = this.found.get(keyOf(resource));
    if (known !== undefined) return work(known);
    try {
      return await work(asIs(resource));
    } catch (error) {
      if (!isMissing(error)) throw error;
      for (const version of spokenVersionsOf(resource).slice(1)) {
        const outcome = await attempt(version, work);
        if (outcome === undefined) continue;
        this.found.set(keyOf(resource), version);
        return outcome.value;
      }
      throw error;
    }
  }
}

async function attempt<T>(
  version: SpokenVersion,
  work: (version: SpokenVersion) => Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  try {
    return { value: await work(version) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function keyOf({ group, version, plural }: Resource): string {
  return `${group}/${version}/${plural}`;
}

/** Whether it's the resource that isn't there, not an object of it. */
function isMissing(error: unknown): boolean {
  return (
    error instanceof StatusError && error.status.code === 404 && error.status.details?.name === undefined
  );
}

/** Endpoints as one slice of the same name; the addresses of all subsets that have the first one's ports. */
function sliceOf(endpoints: Endpoints): EndpointSlice & KubernetesObject {
  const { metadata, subsets = [] } = endpoints;
  const [first] = subsets;
  const named = JSON.stringify(first?.ports);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...metadata,
      labels: { ...metadata?.labels, 'kubernetes.io/service-name': metadata?.name ?? '' },
    },
    addressType: 'IPv4',
    ports: (first?.ports ?? []).map(({ name = '', ...port }) => ({ name, ...port })),
    endpoints: subsets
      .filter(({ ports }) => JSON.stringify(ports) === named)
      .flatMap(({ addresses = [], notReadyAddresses = [] }) => [
        ...addresses.map((address) => ({ address, ready: true })),
        ...notReadyAddresses.map((address) => ({ address, ready: false })),
      ])
      .map(({ address: { ip, hostname, nodeName, targetRef }, ready }) => ({
        addresses: [ip],
        conditions: { ready, serving: ready, terminating: false },
        ...(hostname === undefined ? {} : { hostname }),
        ...(nodeName === undefined ? {} : { nodeName }),
        ...(targetRef === undefined ? {} : { targetRef }),
      })),
  };
}
