// The API in process: the same pipeline as over HTTP, without serialising. Objects are shared and frozen.
import type { KubernetesObject, List, Resource, Stored } from '../api/meta.ts';
import type {
  ApiClient,
  DeleteOptions,
  ListOptions,
  PatchType,
  Scope,
  WatchListener,
  WatchOptions,
  WriteOptions,
} from '../client/client.ts';
import { disposable } from '../../simulation/index.ts';
import type { Attributes } from './auth/authorizer.ts';
import type { UserInfo } from './auth/user.ts';
import type { Served } from './catalogue.ts';
import type { ApiObject, Tree } from './object.ts';
import { badRequest, noSuchResource } from './refusals.ts';
import type { ServerCore } from './core.ts';
import { askDoor } from './in-process-http.ts';
import { admitted } from './verbs/admitted.ts';
import { createOf } from './verbs/creating.ts';
import { deleteCollection } from './verbs/collection.ts';
import { getObject, listObjects, watchObjects } from './verbs/reading.ts';
import { nameSelected } from './verbs/selecting.ts';
import type { WriteRequest } from './verbs/request.ts';
import { shape } from './verbs/shaping.ts';

export function makeInProcessClient(core: ServerCore, user: UserInfo, component: string): ApiClient {
  return new InProcessClient(core, user, component);
}

class InProcessClient implements ApiClient {
  private readonly core: ServerCore;
  private readonly user: UserInfo;
  /** Field manager of writes that name none. */
  private readonly component: string;

  constructor(core: ServerCore, user: UserInfo, component: string) {
    this.core = core;
    this.user = user;
    this.component = component;
  }

  /** Not stored here: a review, or the API of an extension server. */
  private isElsewhere(resource: Resource): boolean {
    return this.core.catalogue.find(resource) === undefined;
  }

  private serve(resource: Resource): Served {
    const served = this.core.catalogue.find(resource);
    if (served === undefined) throw noSuchResource();
    return served;
  }

  private allow(resource: Resource, verb: string, namespace: string, name: string, subresource = ''): void {
    const attributes: Attributes = {
      user: this.user,
      verb,
      group: resource.group,
      version: resource.version,
      resource: resource.plural,
      subresource,
      namespace,
      name,
    };
    this.core.authorize(attributes);
  }

  private request(served: Served, options: WriteOptions | undefined, namespace: string): WriteRequest {
    return {
      served,
      namespace,
      user: this.user,
      subresource: options?.subresource ?? '',
      dryRun: options?.dryRun ?? false,
      fieldManager: options?.fieldManager ?? this.component,
      tracked: false,
      warn: () => undefined,
    };
  }

  private namespaceOf(
    served: Served,
    options: Scope | undefined,
    object: KubernetesObject | undefined,
  ): string {
    if (!served.resource.namespaced) return '';
    const namespace = options?.namespace ?? object?.metadata?.namespace ?? '';
    if (namespace === '') throw badRequest('an empty namespace may not be set during creation');
    return namespace;
  }

  async get<T extends KubernetesObject>(
    resource: Resource,
    name: string,
    scope?: Scope & { readonly subresource?: string },
  ): Promise<Stored<T>> {
    if (this.isElsewhere(resource))
      return askDoor(this.core, {
        user: this.user,
        method: 'GET',
        resource,
        name,
        namespace: scope?.namespace,
      });
    const served = this.serve(resource);
    const namespace = scope?.namespace ?? '';
    const subresource = scope?.subresource ?? '';
    this.allow(resource, 'get', namespace, name, subresource);
    const object = getObject(served, namespace, name);
    return this.core.api.getSubresource(served, object, subresource) as unknown as Stored<T>;
  }

  async list<T extends KubernetesObject>(
    resource: Resource,
    options?: ListOptions,
  ): Promise<List<Stored<T>>> {
    if (this.isElsewhere(resource)) {
      const { namespace, labelSelector, fieldSelector } = options ?? {};
      const query = { labelSelector, fieldSelector };
      return askDoor(this.core, { user: this.user, method: 'GET', resource, namespace, query });
    }
    const served = this.serve(resource);
    this.allow(resource, 'list', options?.namespace ?? '', nameSelected(options?.fieldSelector));
    return listObjects(this.core.objects, {
      ...options,
      served,
      namespace: options?.namespace,
      continueToken: options?.continue,
    }) as unknown as List<Stored<T>>;
  }

  watch<T extends KubernetesObject>(
    resource: Resource,
    options: WatchOptions,
    listener: WatchListener<T>,
  ): Disposable {
    let ended = false;
    let watch: Disposable | undefined;
    const end = (error: unknown): void => {
      if (ended) return;
      ended = true;
      listener.onEnd(error);
    };
    try {
      const served = this.serve(resource);
      this.allow(resource, 'watch', options.namespace ?? '', nameSelected(options.fieldSelector));
      const started = watchObjects(
        this.core.objects,
        { ...options, served, namespace: options.namespace, initialEvents: false },
        {
          onEvent: (type, object) => {
            if (!ended) listener.onEvent({ type, object: object as unknown as Stored<T> });
          },
          onEnd: end,
          ...(options.allowWatchBookmarks === true
            ? {
                onBookmark: (revision: number) => {
                  if (!ended)
                    listener.onEvent({
                      type: 'BOOKMARK',
                      object: { metadata: { resourceVersion: String(revision) } },
                    });
                },
              }
            : {}),
        },
      );
      watch = started.watch;
      if (started.initial.length > 0) {
        this.core.objects.afterEvents(() => {
          for (const object of started.initial)
            if (!ended) listener.onEvent({ type: 'ADDED', object: object as unknown as Stored<T> });
        });
      }
    } catch (error) {
      this.core.objects.afterEvents(() => end(error));
    }
    return disposable(() => {
      ended = true;
      watch?.[Symbol.dispose]();
    });
  }

  async create<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options?: WriteOptions & { readonly name?: string },
  ): Promise<Stored<T>> {
    if (this.isElsewhere(resource)) {
      const { namespace } = options ?? object.metadata ?? {};
      return askDoor(this.core, { user: this.user, method: 'POST', resource, namespace, body: object });
    }
    const served = this.serve(resource);
    const namespace = this.namespaceOf(served, options, object);
    const request = this.request(served, options, namespace);
    const name = options?.name ?? object.metadata?.name ?? '';
    this.allow(
      resource,
      'create',
      namespace,
      options?.subresource === undefined ? '' : name,
      request.subresource,
    );
    const made = await admitted(this.core, request, (tried) => {
      const own = request.subresource === '' ? this.shaped(served, object) : (object as unknown as ApiObject);
      return createOf(this.core, tried, name, own);
    });
    if (made === undefined) throw noSuchResource();
    return made as Stored<T>;
  }

  private shaped(served: Served, object: KubernetesObject): ApiObject {
    const { object: made, error } = shape(served, object as unknown as Tree);
    if (error !== undefined) {
      throw badRequest(
        `${served.resource.kind} in version "${served.resource.version}" cannot be handled as a ${served.resource.kind}: ${error}`,
      );
    }
    return made;
  }

  async update<T extends KubernetesObject>(
    resource: Resource,
    object: T,
    options?: WriteOptions,
  ): Promise<Stored<T>> {
    const served = this.serve(resource);
    const namespace = this.namespaceOf(served, options, object);
    const request = this.request(served, options, namespace);
    const name = object.metadata?.name ?? '';
    this.allow(resource, 'update', namespace, name, request.subresource);
    const updated = await admitted(this.core, request, (tried) => {
      const given = object as unknown as ApiObject;
      switch (request.subresource) {
        case 'scale':
          return this.core.api.update(tried, name, given).object;
        case 'finalize':
          return this.core.api.finalize(tried, name, given);
        default:
          return this.core.api.update(tried, name, this.shaped(served, object)).object;
      }
    });
    return updated as unknown as Stored<T>;
  }

  async patch<T extends KubernetesObject>(
    resource: Resource,
    name: string,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions & { readonly force?: boolean },
  ): Promise<Stored<T>> {
    const served = this.serve(resource);
    const namespace = options?.namespace ?? '';
    const request = this.request(served, options, namespace);
    this.allow(resource, 'patch', namespace, name, request.subresource);
    const write = { ...request, tracked: type === 'application/apply-patch+yaml' };
    const { object } = await admitted(this.core, write, (tried) =>
      this.core.api.patch({
        write: tried,
        name,
        type,
        patch,
        fieldValidation: 'Ignore',
        duplicates: [],
        force: options?.force ?? false,
      }),
    );
    return object as unknown as Stored<T>;
  }

  async delete(resource: Resource, name: string, options?: DeleteOptions): Promise<unknown> {
    const served = this.serve(resource);
    const namespace = options?.namespace ?? '';
    this.allow(resource, 'delete', namespace, name);
    const { answer } = await admitted(this.core, this.request(served, undefined, namespace), (tried) =>
      this.core.api.writer.delete(tried, name, options ?? {}),
    );
    return answer;
  }

  async deleteCollection(resource: Resource, options?: ListOptions & DeleteOptions): Promise<void> {
    const served = this.serve(resource);
    this.allow(resource, 'deletecollection', options?.namespace ?? '', '');
    await deleteCollection(
      this.core,
      this.request(served, undefined, options?.namespace ?? ''),
      {
        ...options,
        resourceVersion: undefined,
        continueToken: options?.continue,
        served,
        namespace: options?.namespace,
      },
      options ?? {},
    );
  }
}
