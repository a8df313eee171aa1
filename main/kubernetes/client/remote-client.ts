// An ApiClient over the virtual network: what programs in containers use, with their service account or a kubeconfig.
import type { Process } from '../../linux/kernel/index.ts';
import {
  apiVersionOf,
  StatusError,
  type KubernetesObject,
  type List,
  type Resource,
  type Status,
  type Stored,
} from '../api/index.ts';
import type {
  ApiClient,
  ListOptions,
  Scope,
  WatchEvent,
  WatchListener,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { dialFrom } from './dial.ts';
import { HttpApi, type ApiRequest } from './http-client.ts';
import { ServerVersions } from './server-versions.ts';
import { inClusterConfig, loadKubeconfig, restConfig, type RestConfig } from './kubeconfig.ts';

/** The client of a process: by the kubeconfig given, else by its service account. Throws Error when it has neither. */
export function remoteClient(proc: Process, userAgent: string, kubeconfig?: string): ApiClient {
  const config = configOf(proc, kubeconfig);
  const make = (): HttpApi =>
    new HttpApi({
      config,
      sockets: proc.net.sockets,
      random: proc.random,
      dial: dialFrom(proc, config),
      userAgent,
    });
  return new RemoteClient(make, proc);
}

function configOf(proc: Process, kubeconfig: string | undefined): RestConfig {
  if (kubeconfig !== undefined) return restConfig(proc, loadKubeconfig(proc, kubeconfig));
  const config = inClusterConfig(proc);
  if (config === undefined) {
    throw new Error(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    );
  }
  return config;
}

class RemoteClient implements ApiClient {
  private readonly make: () => HttpApi;
  private readonly api: HttpApi;
  private readonly proc: Process;
  private readonly versions = new ServerVersions();

  constructor(make: () => HttpApi, proc: Process) {
    this.make = make;
    this.api = make();
    this.proc = proc;
  }

  get<T extends KubernetesObject>(
    resource: Resource,
    name: string,
    scope: Scope & { readonly subresource?: string } = {},
  ): Promise<Stored<T>> {
    return this.versions.ask(resource, async (version) => {
      const path = pathOf(version.resource, scope, name, scope.subresource);
      return version.read(await this.json<Stored<T>>({ method: 'GET', path }));
    });
  }

  async list<T extends KubernetesObject>(
    resource: Resource,
    options: ListOptions = {},
  ): Promise<List<Stored<T>>> {
    return this.versions.ask(resource, async (version) => {
      const list = await this.json<List<Stored<T>>>({
        method: 'GET',
        path: pathOf(version.resource, options),
        query: listQuery(options),
      });
      // Items of a list carry no type of their own on the wire.
      const { kind } = version.resource;
      const apiVersion = apiVersionOf(version.resource);
      return { ...list, items: list.items.map((item) => version.read({ ...item, apiVersion, kind })) };
    });
  }

  watch<T extends KubernetesObject>(
    resource: Resource,
    options: WatchOptions,
    listener: WatchListener<T>,
  ): Disposable {
    const controller = new AbortController();
    void this.follow(resource, options, listener, controller.signal);
    return { [Symbol.dispose]: () => controller.abort(new Error('the watch was given up')) };
  }

  create<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options: WriteOptions & { readonly name?: string } = {},
  ): Promise<Stored<T>> {
    const namespace = options.namespace ?? object.metadata?.namespace;
    const scope = namespace === undefined ? {} : { namespace };
    return this.versions.ask(resource, async (version) => {
      const path =
        options.subresource === undefined
          ? pathOf(version.resource, scope)
          : pathOf(version.resource, scope, options.name ?? object.metadata?.name ?? '', options.subresource);
      const body = version.write(typed(resource, object));
      return version.read(
        await this.json<Stored<T>>({ method: 'POST', path, query: writeQuery(options), body }),
      );
    });
  }

  update<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    const namespace = options.namespace ?? object.metadata?.namespace;
    const scope = namespace === undefined ? {} : { namespace };
    return this.versions.ask(resource, async (version) =>
      version.read(
        await this.json<Stored<T>>({
          method: 'PUT',
          path: pathOf(version.resource, scope, object.metadata?.name ?? '', options.subresource),
          query: writeQuery(options),
          body: version.write(typed(resource, object)),
        }),
      ),
    );
  }

  patch<T extends KubernetesObject>(
    resource: Resource,
    name: string,
    type: string,
    patch: unknown,
    options: WriteOptions & { readonly force?: boolean } = {},
  ): Promise<Stored<T>> {
    return this.json({
      method: 'PATCH',
      path: pathOf(this.versions.of(resource).resource, options, name, options.subresource),
      query: {
        ...writeQuery(options),
        ...(options.force === undefined ? {} : { force: String(options.force) }),
      },
      contentType: type,
      body: patch,
    });
  }

  delete(
    resource: Resource,
    name: string,
    options: Parameters<ApiClient['delete']>[2] = {},
  ): Promise<unknown> {
    return this.json({
      method: 'DELETE',
      path: pathOf(this.versions.of(resource).resource, options, name),
      body: deleteOptions(options),
    });
  }

  async deleteCollection(
    resource: Resource,
    options: Parameters<ApiClient['deleteCollection']>[1] = {},
  ): Promise<void> {
    await this.json({
      method: 'DELETE',
      path: pathOf(resource, options),
      query: listQuery(options),
      body: deleteOptions(options),
    });
  }

  private json<T>(request: ApiRequest): Promise<T> {
    return this.api.json<T>({ ...request, signal: this.proc.signal });
  }

  /** One watch on a connection of its own, until an end. */
  private async follow<T extends KubernetesObject>(
    resource: Resource,
    options: WatchOptions,
    listener: WatchListener<T>,
    given: AbortSignal,
  ): Promise<void> {
    using api = this.make();
    const version = this.versions.of(resource);
    const signal = AbortSignal.any([given, this.proc.signal]);
    const decoder = new TextDecoder();
    let pending = '';
    let failure: unknown;
    try {
      const query = {
        ...listQuery(options),
        watch: 'true',
        resourceVersion: options.resourceVersion,
        ...(options.allowWatchBookmarks === true ? { allowWatchBookmarks: 'true' } : {}),
      };
      for await (const piece of api.stream({
        method: 'GET',
        path: pathOf(version.resource, options),
        query,
        signal,
      })) {
        pending += decoder.decode(piece, { stream: true });
        for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n')) {
          const event = JSON.parse(pending.slice(0, end)) as
            | WatchEvent<T>
            | { type: 'ERROR'; object: Status };
          pending = pending.slice(end + 1);
          if (signal.aborted) return;
          if (event.type === 'ERROR') throw new StatusError(event.object as Status);
          const isBookmark = (event.type as string) === 'BOOKMARK';
          listener.onEvent(
            (isBookmark ? event : { ...event, object: version.read(event.object) }) as WatchEvent<T>,
          );
        }
      }
    } catch (error) {
      failure = error;
    }
    if (!signal.aborted) listener.onEnd(failure);
  }
}

function pathOf(resource: Resource, { namespace }: Scope, name?: string, subresource?: string): string {
  const root =
    resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope =
    resource.namespaced && namespace !== undefined && namespace !== '' ? `/namespaces/${namespace}` : '';
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${name}`}${subresource === undefined ? '' : `/${subresource}`}`;
}

function listQuery(options: Partial<ListOptions>): Record<string, string | undefined> {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit === undefined ? undefined : String(options.limit),
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  };
}

function writeQuery({ fieldManager, dryRun }: WriteOptions): Record<string, string | undefined> {
  return { fieldManager, dryRun: dryRun === true ? 'All' : undefined };
}

function deleteOptions(options: NonNullable<Parameters<ApiClient['delete']>[2]>): unknown {
  const { gracePeriodSeconds, propagationPolicy, uid, resourceVersion } = options;
  const preconditions =
    uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
  return { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds, propagationPolicy, preconditions };
}

function typed<T extends KubernetesObject>(resource: Resource, object: T): T {
  return object.kind === undefined
    ? { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind }
    : object;
}
