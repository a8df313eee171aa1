// The ConfigMaps and Secrets that this node's pods refer to, each watched as long as a pod needs it.
import type { Clock } from '../../simulation/index.ts';
import { isStatus, resources, StatusError } from '../api/index.ts';
import type { ConfigMap, KubernetesObject, Secret, Stored } from '../api/index.ts';
import { Informer, type ApiClient } from '../client/index.ts';
import { allContainersOf, type KnownPod } from './pod-facts.ts';

type Kind = 'configmap' | 'secret';

interface Entry {
  readonly informer: Informer<KubernetesObject>;
  readonly running: Disposable;
  /** Uids of the pods that refer to it. */
  readonly users: Set<string>;
}

/** How long a read waits for the first answer before it fails and is tried again. */
const SYNC_WAIT_MS = 1000;

/** Watch-based managers of the kubelet (util/manager): one watch per object, shared by its pods. */
export class ObjectCache {
  private readonly client: ApiClient;
  private readonly clock: Clock;
  /** Told the uids of pods whose object has changed. */
  private readonly onChange: (podUids: readonly string[]) => void;
  private readonly entries = new Map<string, Entry>();
  private readonly referencesOfPod = new Map<string, Set<string>>();

  constructor(client: ApiClient, clock: Clock, onChange: (podUids: readonly string[]) => void) {
    this.client = client;
    this.clock = clock;
    this.onChange = onChange;
  }

  /** Begins to watch what a pod refers to; may be repeated. */
  register(pod: KnownPod): void {
    const wanted = referencesOf(pod);
    const had = this.referencesOfPod.get(pod.metadata.uid) ?? new Set();
    for (const key of wanted) if (!had.has(key)) this.open(key).users.add(pod.metadata.uid);
    for (const key of had) if (!wanted.has(key)) this.release(key, pod.metadata.uid);
    this.referencesOfPod.set(pod.metadata.uid, wanted);
  }

  unregister(podUid: string): void {
    for (const key of this.referencesOfPod.get(podUid) ?? []) this.release(key, podUid);
    this.referencesOfPod.delete(podUid);
  }

  /** Rejects with StatusError NotFound. */
  configMap(namespace: string, name: string): Promise<Stored<ConfigMap>> {
    return this.get<ConfigMap>('configmap', namespace, name);
  }

  /** Rejects with StatusError NotFound. */
  secret(namespace: string, name: string): Promise<Stored<Secret>> {
    return this.get<Secret>('secret', namespace, name);
  }

  /** Whether there is such a Secret. */
  async hasSecret(namespace: string, name: string): Promise<boolean> {
    try {
      await this.secret(namespace, name);
      return true;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return false;
      throw error;
    }
  }

  dispose(): void {
    for (const entry of this.entries.values()) entry.running[Symbol.dispose]();
    this.entries.clear();
  }

  private async get<T extends KubernetesObject>(
    kind: Kind,
    namespace: string,
    name: string,
  ): Promise<Stored<T>> {
    const key = `${kind}/${namespace}/${name}`;
    const known = this.entries.get(key);
    if (known === undefined)
      return this.client.get<T>(kind === 'secret' ? resources.secrets : resources.configmaps, name, {
        namespace,
      });
    if (!known.informer.hasSynced) {
      const timeout = new AbortController();
      await Promise.race([
        known.informer.waitForSync().then(() => timeout.abort()),
        this.clock.sleep(SYNC_WAIT_MS, timeout.signal).catch(() => undefined),
      ]);
      if (!known.informer.hasSynced)
        throw new Error(`failed to sync ${kind} cache: timed out waiting for the condition`);
    }
    const object = known.informer.lister.get(`${namespace}/${name}`);
    if (object === undefined) throw notFound(kind, name);
    return object as Stored<T>;
  }

  private open(key: string): Entry {
    const known = this.entries.get(key);
    if (known !== undefined) return known;
    const [kind, namespace, name] = key.split('/') as [Kind, string, string];
    const informer = new Informer<KubernetesObject>({
      client: this.client,
      clock: this.clock,
      resource: kind === 'secret' ? resources.secrets : resources.configmaps,
      scope: { namespace, fieldSelector: `metadata.name=${name}` },
    });
    const users = new Set<string>();
    const tell = (): void => {
      if (informer.hasSynced) this.onChange([...users]);
    };
    informer.handle({ add: tell, update: tell, delete: tell });
    const entry: Entry = { informer, users, running: informer.start() };
    this.entries.set(key, entry);
    return entry;
  }

  private release(key: string, podUid: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    entry.users.delete(podUid);
    if (entry.users.size > 0) return;
    entry.running[Symbol.dispose]();
    this.entries.delete(key);
  }
}

function notFound(kind: Kind, name: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${kind} "${name}" not found`,
    reason: 'NotFound',
    details: { name, kind },
    code: 404,
  });
}

function referencesOf(pod: KnownPod): Set<string> {
  const keys = new Set<string>();
  const add = (kind: Kind, name: string | undefined): void => {
    if (name !== undefined && name !== '') keys.add(`${kind}/${pod.metadata.namespace}/${name}`);
  };
  for (const { spec } of allContainersOf(pod)) {
    for (const from of spec.envFrom ?? []) {
      add('configmap', from.configMapRef?.name);
      add('secret', from.secretRef?.name);
    }
    for (const { valueFrom } of spec.env ?? []) {
      add('configmap', valueFrom?.configMapKeyRef?.name);
      add('secret', valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { name } of pod.spec.imagePullSecrets ?? []) add('secret', name);
  for (const volume of pod.spec.volumes ?? []) {
    add('configmap', volume.configMap?.name);
    add('secret', volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      add('configmap', source.configMap?.name);
      add('secret', source.secret?.name);
    }
  }
  return keys;
}
