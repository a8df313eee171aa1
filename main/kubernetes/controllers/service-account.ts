// What every namespace is given: the service account `default` and the cluster's root certificate.
import {
  isStatus,
  resources,
  type ConfigMap,
  type Namespace,
  type ServiceAccount,
  type Stored,
} from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';
import { isNamespaceTerminating } from './pod-control.ts';

const DEFAULT = 'default';
const ROOT_CA = 'kube-root-ca.crt';
const DESCRIPTION = 'kubernetes.io/description';
const DESCRIPTION_TEXT =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Makes the controller that gives each namespace its service account `default`. */
export function makeServiceAccountController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'serviceaccount-controller',
    component: 'serviceaccount-controller',
    workers: 1,
    setUp(run) {
      const namespaces = run.informer<Namespace>(resources.namespaces);
      const accounts = run.informer<ServiceAccount>(resources.serviceaccounts);
      run.on(namespaces, { add: run.enqueue, update: run.enqueue });
      run.on(accounts, { delete: (account) => run.queue.add(account.metadata.namespace!) });

      return async function sync(name) {
        if (!isLive(namespaces.lister.get(name)) || accounts.lister.get(`${name}/${DEFAULT}`) !== undefined)
          return;
        const account = {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: DEFAULT, namespace: name },
        };
        await unlessThereOrGone(
          run.client.create<ServiceAccount>(resources.serviceaccounts, account, { namespace: name }),
        );
      };
    },
  });
}

/** Makes the controller that publishes the root certificate (PEM) in each namespace. */
export function makeRootCaPublisher(context: ControllerContext, rootCa: string): Controller {
  return makeController(context, {
    name: 'root-ca-certificate-publisher-controller',
    component: 'root-ca-certificate-publisher',
    workers: 1,
    setUp(run) {
      const namespaces = run.informer<Namespace>(resources.namespaces);
      const maps = run.informer<ConfigMap>(resources.configmaps);
      const ours = (map: Stored<ConfigMap>): void => {
        if (map.metadata.name === ROOT_CA) run.queue.add(map.metadata.namespace!);
      };
      run.on(namespaces, { add: run.enqueue, update: run.enqueue });
      run.on(maps, { update: ours, delete: ours });

      return async function sync(name) {
        if (!isLive(namespaces.lister.get(name))) return;
        const existing = maps.lister.get(`${name}/${ROOT_CA}`);
        const data = { 'ca.crt': rootCa };
        if (existing === undefined) {
          const metadata = {
            name: ROOT_CA,
            namespace: name,
            annotations: { [DESCRIPTION]: DESCRIPTION_TEXT },
          };
          const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
          return unlessThereOrGone(
            run.client.create<ConfigMap>(resources.configmaps, map, { namespace: name }),
          );
        }
        const { annotations } = existing.metadata;
        if (existing.data?.['ca.crt'] === rootCa && annotations?.[DESCRIPTION] === DESCRIPTION_TEXT) return;
        const metadata = {
          ...existing.metadata,
          annotations: { ...annotations, [DESCRIPTION]: DESCRIPTION_TEXT },
        };
        await run.client.update<ConfigMap>(
          resources.configmaps,
          { ...existing, metadata, data },
          { namespace: name },
        );
      };
    },
  });
}

function isLive(namespace: Stored<Namespace> | undefined): boolean {
  return (
    namespace !== undefined &&
    namespace.metadata.deletionTimestamp === undefined &&
    namespace.status?.phase !== 'Terminating'
  );
}

async function unlessThereOrGone(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
  }
}
