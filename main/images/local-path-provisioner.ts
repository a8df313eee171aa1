// The program of rancher/local-path-provisioner: makes a folder on a node for each claim, by a helper pod, and clears it away.
import { parse } from 'yaml';
import type { Process, Program } from '../linux/kernel/index.ts';
import {
  isStatus,
  keyOf,
  resources,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type StorageClass,
  type Stored,
} from '../kubernetes/api/index.ts';
import {
  makeEventRecorder,
  makeInformerFactory,
  runWorkers,
  WorkQueue,
  type ApiClient,
  type EventRecorder,
  type Lister,
} from '../kubernetes/client/index.ts';
import { untilStopped } from '../kubernetes/daemon/index.ts';

export interface LocalPathProvisionerOptions {
  /** How the program reaches the API server, with its pod's service account. */
  readonly client: (proc: Process) => ApiClient;
}

const NAME = 'rancher.io/local-path';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const OTHER_NODES = 'DEFAULT_PATH_FOR_NON_LISTED_NODES';
const CONFIG_DEFAULT = '/etc/config/config.json';
/** How long a helper pod may take. */
const HELPER_SECONDS_MAX = 120;
const WORKERS = 4;

interface Config {
  readonly nodePathMap?: readonly { readonly node: string; readonly paths: readonly string[] }[];
}

/** Makes the program of the local-path-provisioner image. */
export function makeLocalPathProvisioner({ client }: LocalPathProvisionerOptions): Program {
  return async (proc) => {
    const at = proc.argv.indexOf('--config');
    const path = at < 0 ? CONFIG_DEFAULT : (proc.argv[at + 1] ?? CONFIG_DEFAULT);
    if (!proc.fs.exists(path)) {
      await proc.stderr.write(
        `time="${time(proc)}" level=fatal msg="Error starting daemon: invalid empty flag config-file and it also does not exist at ConfigMap"\n`,
      );
      return 1;
    }
    const provisioner = new Provisioner(proc, client(proc), path);
    using _running = provisioner.start();
    return await untilStopped(proc);
  };
}

class Provisioner {
  private readonly proc: Process;
  private readonly client: ApiClient;
  private readonly configPath: string;
  private readonly namespace: string;
  private readonly recorder: EventRecorder;
  private readonly claims: Lister<PersistentVolumeClaim>;
  private readonly volumes: Lister<PersistentVolume>;
  private readonly classes: Lister<StorageClass>;
  private readonly informers;
  private readonly queue: WorkQueue;

  constructor(proc: Process, client: ApiClient, configPath: string) {
    this.proc = proc;
    this.client = client;
    this.configPath = configPath;
    this.namespace = proc.env.get('POD_NAMESPACE') ?? 'local-path-storage';
    const { clock } = proc;
    const random = proc.random.fork('local-path');
    const component = `${NAME}_${proc.kernel.hostnameOf(proc.pid)}_${random.uuid()}`;
    this.recorder = makeEventRecorder({ client, clock, random, component });
    this.queue = new WorkQueue(clock);
    this.informers = makeInformerFactory(client, clock, {
      onError: (error) => this.log('error', String(error)),
    });
    const claims = this.informers.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims);
    const volumes = this.informers.informer<PersistentVolume>(resources.persistentvolumes);
    this.claims = claims.lister;
    this.volumes = volumes.lister;
    this.classes = this.informers.informer<StorageClass>(resources.storageclasses).lister;
    const claimSeen = (claim: Stored<PersistentVolumeClaim>): void => this.queue.add(`claim ${keyOf(claim)}`);
    const volumeSeen = (volume: Stored<PersistentVolume>): void => this.queue.add(`volume ${keyOf(volume)}`);
    claims.handle({ add: claimSeen, update: claimSeen });
    volumes.handle({ add: volumeSeen, update: volumeSeen });
  }

  start(): Disposable {
    const stack = new DisposableStack();
    stack.use(this.informers.start());
    this.log('debug', `Provisioner started`);
    void this.informers.waitForSync().then(() => {
      stack.use(
        runWorkers(this.proc.clock, this.queue, {
          workers: WORKERS,
          sync: (key) => this.sync(key),
          onError: (error, key) => this.log('error', `${key}: ${messageOf(error)}`),
        }),
      );
    });
    return stack;
  }

  private async sync(key: string): Promise<void> {
    const [kind, name = ''] = key.split(' ');
    if (kind === 'claim') {
      const claim = this.claims.get(name);
      if (claim !== undefined) await this.provision(claim);
    } else {
      const volume = this.volumes.get(name);
      if (volume !== undefined) await this.reclaim(volume);
    }
  }

  private async provision(claim: Stored<PersistentVolumeClaim>): Promise<void> {
    const storageClass = this.classes.get(claim.spec?.storageClassName ?? '');
    if (storageClass?.provisioner !== NAME || (claim.spec?.volumeName ?? '') !== '') return;
    if (claim.metadata.deletionTimestamp !== undefined) return;
    const node = claim.metadata.annotations?.[SELECTED_NODE];
    if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && node === undefined) return;
    const name = `pvc-${claim.metadata.uid}`;
    if (this.volumes.get(name) !== undefined) return;
    const message = `External provisioner is provisioning volume for claim "${keyOf(claim)}"`;
    this.recorder.event(claim, 'Normal', 'Provisioning', message);
    try {
      await this.makeVolume(claim, storageClass, name, node);
    } catch (error) {
      const failed = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${messageOf(error)}`;
      this.recorder.event(claim, 'Warning', 'ProvisioningFailed', failed);
      throw error;
    }
    this.recorder.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
  }

  private async makeVolume(
    claim: Stored<PersistentVolumeClaim>,
    storageClass: Stored<StorageClass>,
    name: string,
    node: string | undefined,
  ): Promise<void> {
    const { accessModes = [], volumeMode = 'Filesystem' } = claim.spec ?? {};
    if (accessModes.some((mode) => mode !== 'ReadWriteOnce' && mode !== 'ReadWriteOncePod'))
      throw new Error('NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes');
    if (claim.spec?.selector !== undefined) throw new Error('claim.Spec.Selector is not supported');
    if (node === undefined) throw new Error('configuration error, no node was specified');
    const { namespace, name: claimName, uid, resourceVersion } = claim.metadata;
    const path = `${this.basePath(node)}/${name}_${namespace}_${claimName}`;
    const storage = claim.spec?.resources?.requests?.['storage'] ?? '0';
    await this.runHelper('create', name, node, path, String(storage));
    const hostname = { key: 'kubernetes.io/hostname', operator: 'In' as const, values: [node] };
    const volume: PersistentVolume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { [PROVISIONED_BY]: NAME } },
      spec: {
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy as 'Delete',
        accessModes,
        volumeMode,
        capacity: { storage },
        hostPath: { path, type: 'DirectoryOrCreate' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
        storageClassName: storageClass.metadata.name,
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          namespace,
          name: claimName,
          uid,
          resourceVersion,
        },
      },
    };
    try {
      await this.client.create<PersistentVolume>(resources.persistentvolumes, volume);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  }

  private async reclaim(volume: Stored<PersistentVolume>): Promise<void> {
    const { metadata, spec, status } = volume;
    if (metadata.annotations?.[PROVISIONED_BY] !== NAME || metadata.deletionTimestamp !== undefined) return;
    if (status?.phase !== 'Released' || spec?.persistentVolumeReclaimPolicy !== 'Delete') return;
    const path = spec.hostPath?.path ?? spec.local?.path;
    const [term] = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
    const node = term?.matchExpressions?.find(({ key }) => key === 'kubernetes.io/hostname')?.values?.[0];
    if (path !== undefined && node !== undefined)
      await this.runHelper('delete', metadata.name, node, path, String(spec.capacity?.['storage'] ?? '0'));
    try {
      await this.client.delete(resources.persistentvolumes, metadata.name);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  /** Read each time: the ConfigMap may have changed. Throws Error for a node that no path is meant for. */
  private basePath(node: string): string {
    const config = JSON.parse(this.proc.fs.readText(this.configPath)) as Config;
    const entries = config.nodePathMap ?? [];
    const own =
      entries.find((entry) => entry.node === node) ?? entries.find((entry) => entry.node === OTHER_NODES);
    if (own === undefined)
      throw new Error(`config doesn't contain node ${node}, and no ${OTHER_NODES} available`);
    const [first] = own.paths;
    if (first === undefined) throw new Error(`no local path available on node ${node}`);
    return own.paths.length === 1 ? first : this.proc.random.fork(node).pick(own.paths);
  }

  /** Runs the setup or teardown script on the node. Rejects when it fails, or takes too long. */
  private async runHelper(
    action: 'create' | 'delete',
    volume: string,
    node: string,
    path: string,
    size: string,
  ): Promise<void> {
    const { client, namespace, proc } = this;
    const name = `helper-pod-${action}-${volume}`.slice(0, 128);
    const pod = this.helperPod(name, action === 'create' ? 'setup' : 'teardown', node, path, size);
    try {
      await client.create<Pod>(resources.pods, pod, { namespace });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
    try {
      for (let second = 0; second < HELPER_SECONDS_MAX; second++) {
        const { status } = await client.get<Pod>(resources.pods, name, { namespace });
        if (status?.phase === 'Succeeded') return;
        await proc.clock.sleep(1000);
      }
      throw new Error(`create process timeout after ${HELPER_SECONDS_MAX} seconds`);
    } finally {
      await client.delete(resources.pods, name, { namespace }).catch((error: unknown) => {
        if (!isStatus(error, 'NotFound'))
          this.log('error', `unable to delete the helper pod: ${messageOf(error)}`);
      });
    }
  }

  private helperPod(name: string, script: string, node: string, path: string, size: string): Pod {
    const folder = this.configPath.slice(0, this.configPath.lastIndexOf('/'));
    const template = parse(this.proc.fs.readText(`${folder}/helperPod.yaml`)) as Pod;
    const parent = path.slice(0, path.lastIndexOf('/'));
    const [container] = template.spec!.containers;
    return {
      ...template,
      metadata: { ...template.metadata, name, namespace: this.namespace },
      spec: {
        ...template.spec!,
        restartPolicy: 'Never',
        nodeName: node,
        serviceAccountName: 'local-path-provisioner-service-account',
        tolerations: [...(template.spec!.tolerations ?? []), { operator: 'Exists' }],
        containers: [
          {
            ...container!,
            command: ['/bin/sh', `/script/${script}`],
            args: ['-p', path, '-s', size, '-m', 'Filesystem'],
            env: [
              { name: 'VOL_DIR', value: path },
              { name: 'VOL_MODE', value: 'Filesystem' },
              { name: 'VOL_SIZE_BYTES', value: size },
            ],
            volumeMounts: [
              { name: 'script', mountPath: '/script' },
              { name: 'data', mountPath: parent },
            ],
          },
        ],
        volumes: [
          { name: 'data', hostPath: { path: parent, type: 'DirectoryOrCreate' } },
          {
            name: 'script',
            configMap: {
              name: 'local-path-config',
              items: ['setup', 'teardown'].map((key) => ({ key, path: key })),
            },
          },
        ],
      },
    };
  }

  private log(level: string, message: string): void {
    void this.proc.stderr.write(`time="${time(this.proc)}" level=${level} msg=${JSON.stringify(message)}\n`);
  }
}

function time(proc: Process): string {
  return new Date(Math.floor(proc.clock.now() / 1000) * 1000).toISOString().replace('.000', '');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
