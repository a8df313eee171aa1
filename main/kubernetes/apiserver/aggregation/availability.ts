// Keeps the Available condition of APIServices, and the discovery of extension servers
// (kube-aggregator pkg/controllers/status/remote/remote_available_controller.go).
import { every, rfc3339 } from '../../../simulation/index.ts';
import { resources } from '../../api/resources.ts';
import { isStatus } from '../../api/status.ts';
import type { Endpoints, EndpointSlice, Service } from '../../api/types.ts';
import { runWorkers, WorkQueue } from '../../client/work-queue.ts';
import type { ServerCore } from '../core.ts';
import { cloneTree, type StoredObject, type Tree } from '../object.ts';
import { ownWrite } from '../verbs/request.ts';
import { askBackend, BackendError, remoteUserHeaders } from './network.ts';
import {
  isRemote,
  portOf,
  backendOf,
  type ApiService,
  type ApiServiceCondition,
  type RemoteApiService,
} from './registration.ts';

/** All are looked at again this often, while there are any. */
const RESYNC_MS = 30_000;
const CHECK_TIMEOUT_MS = 5_000;
const WORKERS = 5;
const AGGREGATOR_USER = { name: 'system:kube-aggregator', groups: ['system:masters'] };

/** What an extension server says of one of its versions (APIResourceList). */
export interface DiscoveredResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const LOCAL: Verdict = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};

/** An extension server that doesn't answer well: looked at again soon. */
class CheckFailed extends Error {}

/** Follows APIServices and the Services and EndpointSlices behind them. Costs nothing while no Service is behind any. */
export class ApiServiceAvailability implements Disposable {
  private readonly core: ServerCore;
  private readonly queue: WorkQueue;
  private readonly stack = new DisposableStack();
  /** `namespace/service` → names of the APIServices before it. */
  private readonly byService = new Map<string, Set<string>>();
  /** By APIService name. */
  private readonly discovered = new Map<string, readonly DiscoveredResource[]>();
  private resync: Disposable | undefined;

  constructor(core: ServerCore) {
    this.core = core;
    this.queue = new WorkQueue(core.clock);
    this.table.observe((before, after) => this.onApiService(before, after));
    const onObject = (namespace: string, service: string | undefined): void => {
      if (this.byService.size === 0 || service === undefined) return;
      for (const name of this.byService.get(`${namespace}/${service}`) ?? []) this.queue.add(name);
    };
    const tableOf = (resource: typeof resources.services): typeof this.table =>
      core.catalogue.find(resource)!.table;
    tableOf(resources.services).observe((before, after) => {
      const { metadata } = (after ?? before)!;
      onObject(metadata.namespace ?? '', metadata.name);
    });
    tableOf(resources.endpointslices).observe((before, after) => {
      const { metadata } = (after ?? before)!;
      onObject(metadata.namespace ?? '', metadata.labels?.['kubernetes.io/service-name']);
    });
    this.stack.use(
      runWorkers(core.clock, this.queue, {
        workers: WORKERS,
        sync: (name) => this.sync(name),
        // It is tried again; the condition says why.
        onError: (error) => {
          if (!(error instanceof CheckFailed || isStatus(error, 'Conflict'))) throw error;
        },
      }),
    );
  }

  /** What the extension server said at the last good check; undefined if it never has. */
  resourcesOf(name: string): readonly DiscoveredResource[] | undefined {
    return this.discovered.get(name);
  }

  /** The APIServices with a Service behind them. */
  remotes(): RemoteApiService[] {
    return [...this.byService.values()]
      .flatMap((names) => [...names])
      .flatMap((name) => {
        const found = this.table.get('', name);
        return found !== undefined && isRemote(found) ? [found] : [];
      });
  }

  [Symbol.dispose](): void {
    this.resync?.[Symbol.dispose]();
    this.stack.dispose();
  }

  private get table() {
    return this.core.catalogue.find(resources.apiservices)!.table;
  }

  private onApiService(before: StoredObject | undefined, after: StoredObject | undefined): void {
    const { name } = (after ?? before)!.metadata;
    if (before !== undefined && isRemote(before)) {
      const key = keyOf(before);
      const names = this.byService.get(key);
      names?.delete(name);
      if (names?.size === 0) this.byService.delete(key);
      if (after === undefined) this.discovered.delete(name);
    }
    if (after !== undefined && isRemote(after)) {
      const key = keyOf(after);
      const names = this.byService.get(key) ?? new Set();
      this.byService.set(key, names.add(name));
    }
    if (after !== undefined) {
      const hasNews = before === undefined || before.metadata.generation !== after.metadata.generation;
      const isSettled = !isRemote(after) && conditionOf(after as ApiService)?.reason === LOCAL.reason;
      if (hasNews && !isSettled) this.queue.add(name);
    }
    const isWanted = this.byService.size > 0;
    if (isWanted) this.resync ??= every(this.core.clock, RESYNC_MS, () => this.enqueueAll());
    else {
      this.resync?.[Symbol.dispose]();
      this.resync = undefined;
    }
  }

  private enqueueAll(): void {
    for (const names of this.byService.values()) for (const name of names) this.queue.add(name);
  }

  private async sync(name: string): Promise<void> {
    const api = this.table.get('', name) as ApiService | undefined;
    if (api === undefined) return;
    const verdict = isRemote(api) ? await this.check(api) : LOCAL;
    this.note(name, verdict);
    if (verdict.reason === 'FailedDiscoveryCheck') throw new CheckFailed(verdict.message);
  }

  /** Writes the condition if it says something new. */
  private note(name: string, { status, reason, message }: Verdict): void {
    const served = this.core.catalogue.find(resources.apiservices)!;
    const api = served.table.get('', name) as ApiService | undefined;
    if (api === undefined) return;
    const old = conditionOf(api);
    if (old?.status === status && old.reason === reason && old.message === message) return;
    const lastTransitionTime =
      old?.status === status && old.lastTransitionTime != null
        ? old.lastTransitionTime
        : rfc3339(this.core.clock.now());
    const condition: ApiServiceCondition = { type: 'Available', status, lastTransitionTime, reason, message };
    const others = (api.status?.conditions ?? []).filter(({ type }) => type !== 'Available');
    const write = ownWrite(served, '', 'status');
    const changed = cloneTree(api as unknown as Tree) as unknown as StoredObject & Tree;
    changed['status'] = { ...api.status, conditions: [...others, condition] };
    this.core.api.update(write, name, changed);
  }

  private async check(api: RemoteApiService): Promise<Verdict> {
    const { name, namespace } = api.spec.service;
    const { catalogue } = this.core;
    const service = catalogue.get('services', '', namespace, name) as Service | undefined;
    if (service === undefined)
      return failed('ServiceNotFound', `service/${name} in "${namespace}" is not present`);
    if ((service.spec?.type ?? 'ClusterIP') === 'ClusterIP') {
      const port = service.spec?.ports?.find((each) => each.port === portOf(api));
      if (port === undefined) {
        const message = `service/${name} in "${namespace}" is not listening on port ${portOf(api)}`;
        return failed('ServicePortError', message);
      }
      const slices = catalogue
        .list('endpointslices', 'discovery.k8s.io', namespace)
        .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
      // Releases without EndpointSlices have Endpoints alone.
      const endpoints = catalogue.get('endpoints', '', namespace, name) as Endpoints | undefined;
      if (slices.length === 0 && endpoints === undefined)
        return failed('EndpointsNotFound', `cannot find endpoints for service/${name} in "${namespace}"`);
      const isActive =
        slices.length === 0
          ? endpoints?.subsets?.some(
              ({ addresses = [], ports = [] }) =>
                addresses.length > 0 && ports.some((each) => (each.name ?? '') === (port.name ?? '')),
            )
          : slices.some((slice) => hasActive(slice as EndpointSlice, port.name ?? ''));
      if (isActive !== true) {
        const message = `endpoints for service/${name} in "${namespace}" have no addresses with port name ${JSON.stringify(port.name ?? '')}`;
        return failed('MissingEndpoints', message);
      }
    }
    const problem = await this.discover(api);
    if (problem !== undefined) return failed('FailedDiscoveryCheck', problem);
    return { status: 'True', reason: 'Passed', message: 'all checks passed' };
  }

  /** Asks the extension server for its resources; answers what went wrong. */
  private async discover(api: RemoteApiService): Promise<string | undefined> {
    const { core } = this;
    const path = `/apis/${api.spec.group}/${api.spec.version}`;
    let url = `https://${api.spec.service.name}.${api.spec.service.namespace}.svc:${portOf(api)}${path}`;
    const timeout = new AbortController();
    using _timer = core.clock.after(CHECK_TIMEOUT_MS, () => timeout.abort(new Error('timeout')));
    try {
      const backend = backendOf(core, api);
      const { host, port } = backend.resolve();
      url = `https://${host}:${port}${path}`;
      const { response, stream } = await askBackend(core, backend, {
        method: 'GET',
        target: path,
        headers: [['Accept', 'application/json'], ...remoteUserHeaders(AGGREGATOR_USER)],
        signal: timeout.signal,
      });
      const pieces: Uint8Array[] = [];
      for await (const piece of response.body) pieces.push(piece);
      stream.close();
      if (response.status < 200 || response.status >= 300)
        return `bad status from ${url}: ${response.status}`;
      const list = JSON.parse(Buffer.concat(pieces).toString('utf8')) as { resources?: DiscoveredResource[] };
      this.discovered.set(api.metadata.name, list.resources ?? []);
      return undefined;
    } catch (error) {
      const words = timeout.signal.aborted
        ? 'net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)'
        : error instanceof BackendError || error instanceof SyntaxError
          ? error.message
          : String(error);
      return `failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${words}`;
    }
  }
}

function failed(reason: string, message: string): Verdict {
  return { status: 'False', reason, message };
}

function conditionOf({ status }: ApiService): ApiServiceCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Available');
}

function keyOf({ spec }: RemoteApiService): string {
  return `${spec.service.namespace}/${spec.service.name}`;
}

/** Whether a slice has a ready address for the Service's port of this name. */
function hasActive({ endpoints, ports }: EndpointSlice, portName: string): boolean {
  return (
    (ports ?? []).some(({ name = '' }) => name === portName) &&
    (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false)
  );
}
