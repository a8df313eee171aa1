// APIService objects as the aggregator reads them: which groups and versions an extension server behind a Service has.
import { resources } from '../../api/resources.ts';
import type { Service } from '../../api/types.ts';
import type { Catalogue } from '../catalogue.ts';
import type { ServerCore } from '../core.ts';
import type { StoredObject } from '../object.ts';
import type { Backend } from './network.ts';

/** apiregistration.k8s.io/v1 APIService. */
export interface ApiService extends StoredObject {
  readonly spec: {
    readonly group?: string;
    readonly version?: string;
    readonly groupPriorityMinimum?: number;
    readonly versionPriority?: number;
    readonly insecureSkipTLSVerify?: boolean;
    /** PEM, base64. */
    readonly caBundle?: string | null;
    /** Absent for what this server serves itself. */
    readonly service?: { readonly namespace: string; readonly name: string; readonly port?: number };
  };
  readonly status?: { readonly conditions?: readonly ApiServiceCondition[] };
}

export interface ApiServiceCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

/** An APIService with its Service. */
export type RemoteApiService = ApiService & {
  readonly spec: { readonly service: NonNullable<ApiService['spec']['service']> };
};

export function isRemote(object: StoredObject): object is RemoteApiService {
  return (object as ApiService).spec.service != null;
}

/** The APIService of an extension server for a group and version; undefined for what is served here. */
export function findRemote(
  catalogue: Catalogue,
  group: string,
  version: string,
): RemoteApiService | undefined {
  const found = catalogue.get('apiservices', resources.apiservices.group, '', `${version}.${group}`);
  return found !== undefined && isRemote(found) ? found : undefined;
}

export function isAvailable({ status }: ApiService): boolean {
  return status?.conditions?.some((each) => each.type === 'Available' && each.status === 'True') === true;
}

export function portOf({ spec }: RemoteApiService): number {
  return spec.service.port ?? 443;
}

/** How an APIService's server is asked: as front-proxy-client. */
export function backendOf(core: ServerCore, { spec }: RemoteApiService): Backend {
  const { service, caBundle, insecureSkipTLSVerify } = spec;
  const identity = core.serviceNetwork()?.frontProxy;
  return {
    resolve: () => resolveServicePort(core.catalogue, service, service.port ?? 443),
    serverName: `${service.name}.${service.namespace}.svc`,
    authorities: Buffer.from(caBundle ?? '', 'base64').toString('utf8'),
    insecure: insecureSkipTLSVerify === true,
    ...(identity === undefined ? {} : { identity }),
  };
}

/** Where a Service's port is reached without --enable-aggregator-routing. Throws Error in upstream's words. */
export function resolveServicePort(
  catalogue: Catalogue,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  port: number,
): { host: string; port: number } {
  const service = catalogue.get('services', '', namespace, name) as Service | undefined;
  if (service === undefined) throw new Error(`service "${name}" not found`);
  if (service.spec?.type === 'ExternalName') return { host: service.spec.externalName ?? '', port };
  const host = service.spec?.clusterIP ?? '';
  if (host === '' || host === 'None') throw new Error(`cannot route to service with ClusterIP "${host}"`);
  if (service.spec?.ports?.some((each) => each.port === port) !== true)
    throw new Error(`no service port ${port} found for service "${name}"`);
  return { host, port };
}
