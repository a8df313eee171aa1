// The resource quota controller: adds up what a namespace uses of what its quotas limit.
import {
  addQuantities,
  builtInResources,
  keyOf,
  resources,
  type KubernetesObject,
  type PersistentVolumeClaim,
  type Pod,
  type Resource,
  type ResourceQuota,
  type Service,
  type Stored,
} from '../api/index.ts';
import type { Informer, Lister } from '../client/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { customResources, type CustomResourceDefinition } from './custom-resources.ts';
import { isPodFinished } from './pod-state.ts';
import { isPodInScopes, podAmount } from './quota-scopes.ts';
import { writeStatus } from './status.ts';

/** Everything is added up anew this often (--resource-quota-sync-period). */
const RESYNC_MS = 5 * 60_000;
/** Changes gather for this long. */
const GATHER_MS = 100;
/** Resources that a quota may name without `count/`. */
const PLAIN_COUNTS: Record<string, Resource> = {
  pods: resources.pods,
  services: resources.services,
  secrets: resources.secrets,
  configmaps: resources.configmaps,
  persistentvolumeclaims: resources.persistentvolumeclaims,
  replicationcontrollers: resources.replicationcontrollers,
  resourcequotas: resources.resourcequotas,
};

/** Makes the resource quota controller. */
export function makeResourceQuotaController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'resourcequota-controller',
    component: 'resourcequota-controller',
    workers: 5,
    setUp(run) {
      const quotas = run.informer<ResourceQuota>(resources.resourcequotas);
      const usage = new Usage(run, quotas);
      run.enqueueOn(quotas);
      run.every(RESYNC_MS, () => quotas.lister.list().forEach(run.enqueue));
      return async function sync(key) {
        const quota = quotas.lister.get(key);
        if (quota === undefined) return;
        const hard = quota.spec?.hard ?? {};
        const used: Record<string, string> = {};
        for (const name of Object.keys(hard)) {
          const amount = usage.of(name, quota);
          if (amount !== undefined) used[name] = amount;
        }
        await writeStatus<ResourceQuota>(run.client, resources.resourcequotas, quota, { hard, used });
      };
    },
  });
}

/** Reads what is used from caches, and re-queues quotas when that changes. */
class Usage {
  private readonly run: ControllerRun;
  private readonly quotas: Informer<ResourceQuota>;
  private readonly definitions: Lister<CustomResourceDefinition>;
  private readonly informers = new Map<Resource, Informer<KubernetesObject>>();

  constructor(run: ControllerRun, quotas: Informer<ResourceQuota>) {
    this.run = run;
    this.quotas = quotas;
    this.definitions = run.lister<CustomResourceDefinition>(resources.customresourcedefinitions);
    for (const resource of Object.values(PLAIN_COUNTS)) this.follow(resource);
  }

  /** The amount used of what a quota calls `name`; undefined for what isn't tracked. */
  of(name: string, quota: Stored<ResourceQuota>): string | undefined {
    const namespace = quota.metadata.namespace ?? '';
    if (name.startsWith('count/')) {
      const [plural, ...group] = name.slice('count/'.length).split('.');
      const resource = [...builtInResources, ...customResources(this.definitions)].find(
        (candidate) => candidate.plural === plural && candidate.group === group.join('.'),
      );
      return resource === undefined ? undefined : String(this.objects(resource, namespace).length);
    }
    if (name === 'pods') return String(this.pods(quota).length);
    const plain = PLAIN_COUNTS[name];
    if (plain !== undefined) return String(this.objects(plain, namespace).length);
    if (name.startsWith('services.')) return this.serviceCount(name, namespace);
    if (name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/'))
      return this.storage(name, namespace);
    return this.compute(name, quota);
  }

  private objects(resource: Resource, namespace: string): Stored<KubernetesObject>[] {
    return this.follow(resource).lister.list(namespace);
  }

  private follow(resource: Resource): Informer<KubernetesObject> {
    let informer = this.informers.get(resource);
    if (informer !== undefined) return informer;
    informer = this.run.informer<KubernetesObject>(resource);
    this.informers.set(resource, informer);
    const changed = ({ metadata }: Stored<KubernetesObject>): void => {
      if (this.quotas.lister.size === 0) return;
      for (const quota of this.quotas.lister.list(metadata.namespace))
        this.run.queue.addAfter(keyOf(quota), GATHER_MS);
    };
    const finished = (object: KubernetesObject): boolean =>
      resource === resources.pods && isPodFinished(object as Pod);
    this.run.on(informer, {
      add: changed,
      delete: changed,
      update: (object, old) => {
        if (finished(object) !== finished(old) || object.metadata.generation !== old.metadata.generation)
          changed(object);
      },
    });
    return informer;
  }

  private pods(quota: Stored<ResourceQuota>): Stored<Pod>[] {
    const pods = this.objects(resources.pods, quota.metadata.namespace ?? '') as Stored<Pod>[];
    return pods.filter((pod) => !isPodFinished(pod) && isPodInScopes(pod, quota));
  }

  private serviceCount(name: string, namespace: string): string {
    const services = this.objects(resources.services, namespace) as Stored<Service>[];
    if (name === 'services.loadbalancers')
      return String(services.filter(({ spec }) => spec?.type === 'LoadBalancer').length);
    const ports = services.flatMap(({ spec }) =>
      spec?.type === 'NodePort' ||
      (spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
        ? (spec.ports ?? [])
        : [],
    );
    return String(ports.length);
  }

  private storage(name: string, namespace: string): string {
    const claims = this.objects(
      resources.persistentvolumeclaims,
      namespace,
    ) as Stored<PersistentVolumeClaim>[];
    const [storageClass, what] = name.includes('/')
      ? name.split('.storageclass.storage.k8s.io/')
      : [undefined, name];
    const counted = claims.filter(
      ({ spec }) => storageClass === undefined || spec?.storageClassName === storageClass,
    );
    if (what === 'persistentvolumeclaims') return String(counted.length);
    return total(counted.map(({ spec }) => spec?.resources?.requests?.['storage']));
  }

  /** `cpu`, `limits.memory`, `requests.nvidia.com/gpu` and the like, over all pods. */
  private compute(name: string, quota: Stored<ResourceQuota>): string {
    const side = name.startsWith('limits.') ? 'limits' : 'requests';
    const resource = name.replace(/^(limits|requests)\./, '');
    const amounts = this.pods(quota).map((pod) => podAmount(pod, side, resource));
    return total(amounts);
  }
}

function total(amounts: readonly (string | number | undefined)[]): string {
  let sum: string | undefined;
  for (const amount of amounts) {
    if (amount !== undefined)
      sum = sum === undefined ? addQuantities(amount, '0') : addQuantities(sum, amount);
  }
  return sum ?? '0';
}
