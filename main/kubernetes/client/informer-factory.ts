// One shared informer per resource, however many components read it.
import { disposable, type Clock } from '../../simulation/index.ts';
import { apiVersionOf, type KubernetesObject, type Resource } from '../api/meta.ts';
import type { ApiClient } from './client.ts';
import { Informer, type InformerOptions } from './informer.ts';

/** Hands out shared informers and starts them together. */
export interface InformerFactory {
  /** The shared informer of a resource; begins at once if the factory runs. */
  informer<T extends KubernetesObject>(resource: Resource): Informer<T>;
  /** Starts all informers, present and future; disposing stops them. */
  start(): Disposable;
  /** Settles once every informer asked for so far has synced. */
  waitForSync(): Promise<void>;
}

/** Makes the shared informers of one program, such as kube-controller-manager. */
export function makeInformerFactory(
  client: ApiClient,
  clock: Clock,
  options: Pick<InformerOptions, 'resyncMs' | 'onError'> = {},
): InformerFactory {
  // The type of each entry is that of the first caller; a resource has one type.
  const informers = new Map<string, Informer<KubernetesObject>>();
  const started = new Map<string, Disposable>();
  let running = false;

  return {
    informer<T extends KubernetesObject>(resource: Resource): Informer<T> {
      const key = `${apiVersionOf(resource)}/${resource.plural}`;
      let informer = informers.get(key);
      if (informer === undefined) {
        informer = new Informer<KubernetesObject>({ client, clock, resource, ...options });
        informers.set(key, informer);
        if (running) started.set(key, informer.start());
      }
      return informer as unknown as Informer<T>;
    },
    start() {
      running = true;
      for (const [key, informer] of informers) if (!started.has(key)) started.set(key, informer.start());
      return disposable(() => {
        running = false;
        for (const running of started.values()) running[Symbol.dispose]();
        started.clear();
      });
    },
    async waitForSync() {
      await Promise.all([...informers.values()].map((informer) => informer.waitForSync()));
    },
  };
}
