// The least that tests of the API server alone need of controllers: namespaces get their default objects and go away, quotas begin at zero.
import {
  builtInResources,
  isStatus,
  resources,
  type Namespace,
  type ResourceQuota,
  type Stored,
} from '../../main/kubernetes/api/index.ts';
import type { ApiClient } from '../../main/kubernetes/client/index.ts';

const ignoreExisting = (error: unknown): void => {
  if (!isStatus(error, 'AlreadyExists')) throw error;
};

/** Fills new namespaces and empties those being deleted, until disposed. */
export function runStandInControllers(client: ApiClient, onError: (error: unknown) => void): Disposable {
  const busy = new Set<string>();
  const fill = async (name: string): Promise<void> => {
    await client
      .create(resources.serviceaccounts, { metadata: { name: 'default', namespace: name } })
      .catch(ignoreExisting);
    await client.create(resources.configmaps, {
      metadata: { name: 'kube-root-ca.crt', namespace: name },
      data: { 'ca.crt': '' },
    } as never);
  };
  const empty = async (namespace: Stored<Namespace>): Promise<void> => {
    const { name } = namespace.metadata;
    for (const resource of builtInResources) {
      if (resource.namespaced && resource.verbs.includes('deletecollection')) {
        await client.deleteCollection(resource, { namespace: name, gracePeriodSeconds: 0 });
      }
    }
    await client.update(resources.namespaces, { ...namespace, spec: {} }, { subresource: 'finalize' });
  };
  const handle = async (namespace: Stored<Namespace>): Promise<void> => {
    const key = `${namespace.metadata.name}/${namespace.metadata.deletionTimestamp === undefined}`;
    if (busy.has(key)) return;
    busy.add(key);
    if (namespace.metadata.deletionTimestamp === undefined) await fill(namespace.metadata.name);
    else await empty(namespace);
  };
  const measure = async (quota: Stored<ResourceQuota>): Promise<void> => {
    const hard = quota.spec?.hard ?? {};
    if (quota.status?.hard !== undefined || quota.metadata.deletionTimestamp !== undefined) return;
    const used = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
    await client.update(
      resources.resourcequotas,
      { ...quota, status: { hard, used } },
      { subresource: 'status' },
    );
  };
  const quotas = client.watch<ResourceQuota>(
    resources.resourcequotas,
    { resourceVersion: '0' },
    {
      onEvent(event) {
        if (event.type === 'ADDED') measure(event.object).catch(onError);
      },
      onEnd: (error) => {
        if (error !== undefined) onError(error);
      },
    },
  );
  const namespaces = client.watch<Namespace>(
    resources.namespaces,
    { resourceVersion: '0' },
    {
      onEvent(event) {
        if (event.type === 'BOOKMARK' || event.type === 'DELETED') return;
        handle(event.object).catch(onError);
      },
      onEnd: (error) => {
        if (error !== undefined) onError(error);
      },
    },
  );
  return {
    [Symbol.dispose]() {
      namespaces[Symbol.dispose]();
      quotas[Symbol.dispose]();
    },
  };
}
