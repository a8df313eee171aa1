// Volumes of pods as folders on the machine: made before the containers, kept up to date, removed after them.
import { rfc3339Micro, type Clock, type Random } from '../../simulation/index.ts';
import type { FileSystemView, Kernel } from '../../linux/kernel/index.ts';
import { isStatus, quantityValue, resources } from '../api/index.ts';
import type { KubernetesObject, PersistentVolume, PersistentVolumeClaim, Volume } from '../api/index.ts';
import type { ApiClient } from '../client/index.ts';
import { writeAtomically, type PayloadFile } from './atomic-writer.ts';
import type { KubeletConfig } from './config.ts';
import { fieldValue, resourceValue } from './environment.ts';
import type { ObjectCache } from './object-cache.ts';
import { CONFIG_SEEN, CONFIG_SOURCE, isStaticPod, type KnownPod } from './pod-facts.ts';

type KeyToPath = { readonly key: string; readonly path: string; readonly mode?: number };
type ProjectedSources = NonNullable<NonNullable<Volume['projected']>['sources']>;
type DownwardItems = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

export interface VolumeWorld {
  readonly kernel: Kernel;
  readonly fs: FileSystemView;
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: KubeletConfig;
  readonly objects: ObjectCache;
  readonly allocatable: () => Readonly<Record<string, string>>;
}

/** One volume can't be set up. */
export class MountError extends Error {
  readonly volumeName: string;
  constructor(volumeName: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.volumeName = volumeName;
  }
}

interface Token {
  readonly token: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

const MODE_DEFAULT = 0o644;
/** The plug-in folder of each kind of volume. */
const PLUGIN: Partial<Record<keyof Volume, string>> = {
  emptyDir: 'kubernetes.io~empty-dir',
  configMap: 'kubernetes.io~configmap',
  secret: 'kubernetes.io~secret',
  projected: 'kubernetes.io~projected',
  downwardAPI: 'kubernetes.io~downward-api',
};

/** The volumes of this node's pods. */
export class VolumeManager {
  private readonly world: VolumeWorld;
  /** Tokens by pod uid, then by volume and path. */
  private readonly tokens = new Map<string, Map<string, Token>>();
  /** When pods that asked for it were first seen. */
  private readonly seen = new Map<string, string>();
  /** Folders of claims, by pod uid and volume name. */
  private readonly claims = new Map<string, string>();

  constructor(world: VolumeWorld) {
    this.world = world;
  }

  podFolder(podUid: string): string {
    return `${this.world.config.rootDirectory}/pods/${podUid}`;
  }

  /** Sets up, or brings up to date, every volume of a pod. Rejects with the first MountError. */
  async mount(pod: KnownPod, podIPs: readonly string[]): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      try {
        await this.mountOne(pod, volume, podIPs);
      } catch (error) {
        if (error instanceof Error) throw new MountError(volume.name, error.message, { cause: error });
        throw error;
      }
    }
  }

  /** The folder or file on the machine behind a volume of a pod; undefined for one that the pod doesn't have. */
  pathOf(pod: KnownPod, volumeName: string): string | undefined {
    const volume = pod.spec.volumes?.find(({ name }) => name === volumeName);
    if (volume === undefined) return undefined;
    if (volume.hostPath !== undefined) return volume.hostPath.path;
    if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined)
      return this.claims.get(`${pod.metadata.uid}/${volumeName}`);
    return this.folderOf(pod, volume);
  }

  /** Whether containers see a volume read-only whatever they ask for: what the kubelet itself writes. */
  isReadOnly(pod: KnownPod, volumeName: string): boolean {
    const volume = pod.spec.volumes?.find(({ name }) => name === volumeName);
    return (
      volume?.configMap !== undefined ||
      volume?.secret !== undefined ||
      volume?.projected !== undefined ||
      volume?.downwardAPI !== undefined ||
      volume?.persistentVolumeClaim?.readOnly === true
    );
  }

  /** When a token of the pod wants to be renewed, in ms since the epoch. */
  renewalMs(podUid: string): number | undefined {
    const due = [...(this.tokens.get(podUid)?.values() ?? [])].map(renewalOf);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Removes everything that the pod had here. */
  unmount(pod: KnownPod): void {
    this.tokens.delete(pod.metadata.uid);
    this.seen.delete(pod.metadata.uid);
    for (const { name } of pod.spec.volumes ?? []) this.claims.delete(`${pod.metadata.uid}/${name}`);
    for (const volume of pod.spec.volumes ?? []) {
      if (!isInMemory(volume)) continue;
      const folder = this.folderOf(pod, volume);
      if (this.world.kernel.isMounted(folder)) this.world.kernel.unmount(folder);
    }
    const own = this.podFolder(pod.metadata.uid);
    if (this.world.fs.exists(own)) this.world.fs.removeAll(own);
  }

  private folderOf(pod: KnownPod, volume: Volume): string {
    const kind =
      (Object.keys(PLUGIN) as (keyof Volume)[]).find((key) => volume[key] !== undefined) ?? 'emptyDir';
    return `${this.podFolder(pod.metadata.uid)}/volumes/${PLUGIN[kind]}/${volume.name}`;
  }

  private async mountOne(pod: KnownPod, volume: Volume, podIPs: readonly string[]): Promise<void> {
    if (volume.image !== undefined) return; // The runtime mounts it.
    if (volume.hostPath !== undefined) return this.mountHostPath(volume.hostPath);
    if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined)
      return this.mountClaim(pod, volume);
    const folder = this.folderOf(pod, volume);
    if (
      volume.configMap === undefined &&
      volume.secret === undefined &&
      volume.projected === undefined &&
      volume.downwardAPI === undefined
    ) {
      const kind = Object.keys(volume).find((key) => key !== 'name');
      if (volume.emptyDir === undefined && kind !== undefined)
        throw new Error(`drydock: volumes of kind ${kind} aren't simulated`);
      this.makeFolder(pod, folder, 0o777);
      if (volume.emptyDir?.medium === 'Memory') this.mountMemory(pod, folder, volume.emptyDir.sizeLimit);
      return;
    }
    const files = await this.payloadOf(pod, volume, podIPs);
    this.makeFolder(pod, folder, volume.configMap !== undefined ? 0o777 : 0o1777);
    if (isInMemory(volume)) this.mountMemory(pod, folder, undefined);
    const gid = pod.spec.securityContext?.fsGroup;
    writeAtomically(this.world.fs, folder, files, {
      clock: this.world.clock,
      random: this.world.random,
      ...(gid === undefined ? {} : { gid }),
    });
  }

  /** A tmpfs as large as its limit, or as the pod's memory if that is less, with the folder's owner and mode. */
  private mountMemory(pod: KnownPod, folder: string, sizeLimit: string | number | undefined): void {
    const { kernel, fs } = this.world;
    if (kernel.isMounted(folder)) return;
    const limits = pod.spec.containers.map(({ resources }) => resources?.limits?.['memory']);
    const podBytes = limits.every((limit) => limit !== undefined)
      ? limits.reduce<number>((sum, limit) => sum + quantityValue(limit!), 0)
      : kernel.memoryBytes;
    const wanted = sizeLimit === undefined ? 0 : quantityValue(sizeLimit);
    const sizeMaxBytes = wanted > 0 ? Math.min(wanted, podBytes) : podBytes;
    const { mode, uid, gid } = fs.stat(folder);
    kernel.mountVolume({ target: folder, sizeMaxBytes, mode });
    fs.chown(folder, uid, gid);
  }

  private makeFolder(pod: KnownPod, folder: string, mode: number): void {
    const { fs } = this.world;
    if (fs.exists(folder)) return;
    fs.mkdir(folder, { recursive: true, mode: 0o750 });
    const gid = pod.spec.securityContext?.fsGroup;
    if (gid !== undefined) fs.chown(folder, 0, gid);
    fs.chmod(folder, gid === undefined ? mode : mode | 0o2000);
  }

  private async payloadOf(
    pod: KnownPod,
    volume: Volume,
    podIPs: readonly string[],
  ): Promise<Map<string, PayloadFile>> {
    if (volume.configMap !== undefined) {
      const { name = '', items, defaultMode, optional } = volume.configMap;
      return this.configMapFiles(pod, name, items, defaultMode ?? MODE_DEFAULT, optional === true);
    }
    if (volume.secret !== undefined) {
      const { secretName = '', items, defaultMode, optional } = volume.secret;
      return this.secretFiles(pod, secretName, items, defaultMode ?? MODE_DEFAULT, optional === true);
    }
    if (volume.downwardAPI !== undefined) {
      return this.downwardFiles(
        pod,
        volume.downwardAPI.items ?? [],
        volume.downwardAPI.defaultMode ?? MODE_DEFAULT,
        podIPs,
      );
    }
    return this.projectedFiles(
      pod,
      volume,
      volume.projected?.sources ?? [],
      volume.projected?.defaultMode ?? MODE_DEFAULT,
      podIPs,
    );
  }

  private async projectedFiles(
    pod: KnownPod,
    volume: Volume,
    sources: ProjectedSources,
    mode: number,
    podIPs: readonly string[],
  ): Promise<Map<string, PayloadFile>> {
    const files = new Map<string, PayloadFile>();
    const add = (part: Map<string, PayloadFile>): void => {
      for (const [path, file] of part) files.set(path, file);
    };
    for (const source of sources) {
      if (source.configMap !== undefined) {
        add(
          await this.configMapFiles(
            pod,
            source.configMap.name ?? '',
            source.configMap.items,
            mode,
            source.configMap.optional === true,
          ),
        );
      } else if (source.secret !== undefined) {
        add(
          await this.secretFiles(
            pod,
            source.secret.name ?? '',
            source.secret.items,
            mode,
            source.secret.optional === true,
          ),
        );
      } else if (source.downwardAPI !== undefined) {
        add(this.downwardFiles(pod, source.downwardAPI.items ?? [], mode, podIPs));
      } else if (source.serviceAccountToken !== undefined) {
        const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken;
        const content = await this.tokenOf(pod, `${volume.name}/${path}`, audience, expirationSeconds);
        files.set(path, { content, ...tokenOwnership(pod, mode) });
      } else
        throw new Error(`drydock: projected volumes of kind ${Object.keys(source).join()} aren't simulated`);
    }
    return files;
  }

  private async configMapFiles(
    pod: KnownPod,
    name: string,
    items: readonly KeyToPath[] | undefined,
    mode: number,
    optional: boolean,
  ) {
    const object = await orMissing(this.world.objects.configMap(pod.metadata.namespace, name), optional);
    const data = new Map<string, Uint8Array | string>(Object.entries(object?.data ?? {}));
    for (const [key, value] of Object.entries(object?.binaryData ?? {}))
      data.set(key, Buffer.from(value, 'base64'));
    return pick(data, items, mode, optional, 'configmap references non-existent config key');
  }

  private async secretFiles(
    pod: KnownPod,
    name: string,
    items: readonly KeyToPath[] | undefined,
    mode: number,
    optional: boolean,
  ) {
    const object = await orMissing(this.world.objects.secret(pod.metadata.namespace, name), optional);
    const data = new Map<string, Uint8Array | string>(
      Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
    );
    return pick(data, items, mode, optional, 'references non-existent secret key');
  }

  private downwardFiles(
    pod: KnownPod,
    items: DownwardItems,
    mode: number,
    podIPs: readonly string[],
  ): Map<string, PayloadFile> {
    const files = new Map<string, PayloadFile>();
    const { config, allocatable } = this.world;
    for (const item of items) {
      const content =
        item.fieldRef !== undefined
          ? fieldValue(this.withSource(pod), item.fieldRef.fieldPath, { podIPs, hostIP: config.nodeIP })
          : item.resourceFieldRef !== undefined
            ? resourceValue(pod, pod.spec.containers[0]!, item.resourceFieldRef, allocatable())
            : '';
      files.set(item.path, { content, mode: item.mode ?? mode });
    }
    return files;
  }

  /** The pod with the annotations that the kubelet itself keeps of where it has it from, and since when. */
  private withSource(pod: KnownPod): KnownPod {
    const { uid, annotations } = pod.metadata;
    if (isStaticPod(pod)) return pod;
    let seen = this.seen.get(uid);
    if (seen === undefined) this.seen.set(uid, (seen = rfc3339Micro(this.world.clock.now())));
    const own = { [CONFIG_SEEN]: seen.replace(/Z$/, '000Z'), [CONFIG_SOURCE]: 'api' };
    return { ...pod, metadata: { ...pod.metadata, annotations: { ...annotations, ...own } } };
  }

  private async tokenOf(
    pod: KnownPod,
    key: string,
    audience: string | undefined,
    expirationSeconds: number,
  ): Promise<string> {
    const { clock, client } = this.world;
    let tokens = this.tokens.get(pod.metadata.uid);
    if (tokens === undefined) this.tokens.set(pod.metadata.uid, (tokens = new Map()));
    const known = tokens.get(key);
    if (known !== undefined && clock.now() < renewalOf(known)) return known.token;
    const name = pod.spec.serviceAccountName ?? 'default';
    const request: KubernetesObject & {
      spec: object;
      status?: { token?: string; expirationTimestamp?: string };
    } = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === undefined || audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
      },
    };
    const { status } = await client.create(resources.serviceaccounts, request, {
      namespace: pod.metadata.namespace,
      name,
      subresource: 'token',
    });
    const token = status?.token ?? '';
    const issuedMs = clock.now();
    tokens.set(key, { token, issuedMs, expiresMs: issuedMs + expirationSeconds * 1000 });
    return token;
  }

  private mountHostPath({ path, type = '' }: NonNullable<Volume['hostPath']>): void {
    const { fs } = this.world;
    if (type === 'DirectoryOrCreate' && !fs.exists(path)) fs.mkdir(path, { recursive: true, mode: 0o755 });
    if (type === 'FileOrCreate' && !fs.exists(path)) fs.writeFile(path, '', { mode: 0o644 });
    if (type === '') {
      // Without a type nothing is checked; the runtime makes a folder where nothing is.
      if (!fs.exists(path)) fs.mkdir(path, { recursive: true, mode: 0o755 });
      return;
    }
    const found = fs.exists(path) ? fs.stat(path).type : undefined;
    const [wanted, words] = type.startsWith('Directory')
      ? (['directory', 'a directory'] as const)
      : type.startsWith('File')
        ? (['file', 'a file'] as const)
        : type === 'Socket'
          ? (['socket', 'a socket file'] as const)
          : type === 'CharDevice'
            ? (['character-device', 'a character device'] as const)
            : (['block-device', 'a block device'] as const);
    if (found !== wanted) throw new Error(`hostPath type check failed: ${path} is not ${words}`);
  }

  private async mountClaim(pod: KnownPod, volume: Volume): Promise<void> {
    const { client, fs } = this.world;
    const { namespace, uid } = pod.metadata;
    const claim = await client.get<PersistentVolumeClaim>(
      resources.persistentvolumeclaims,
      volume.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume.name}`,
      { namespace },
    );
    const volumeName = claim.spec?.volumeName ?? '';
    if (claim.status?.phase !== 'Bound' || volumeName === '')
      throw new Error(`PVC ${claim.metadata.name} is not bound`);
    const { spec } = await client.get<PersistentVolume>(resources.persistentvolumes, volumeName);
    const path = spec?.hostPath?.path ?? spec?.local?.path;
    if (path === undefined)
      throw new Error(`drydock: PersistentVolumes other than hostPath and local aren't simulated`);
    if (!fs.exists(path)) {
      if (spec?.local !== undefined) throw new Error(`path "${path}" does not exist`);
      fs.mkdir(path, { recursive: true, mode: 0o777 });
    }
    this.claims.set(`${uid}/${volume.name}`, path);
  }
}

/** The kubelet renews a token when 80 % of its life, or a day, has passed. */
function renewalOf({ issuedMs, expiresMs }: Token): number {
  return Math.min(issuedMs + 0.8 * (expiresMs - issuedMs), issuedMs + 24 * 3_600_000);
}

/** A token belongs to the user that all containers run as, if there is one; a group of the pod's may read it. */
function tokenOwnership(pod: KnownPod, mode: number): { mode: number; uid?: number } {
  if (pod.spec.securityContext?.fsGroup !== undefined) {
    const uid = pod.spec.securityContext.runAsUser;
    return { mode: 0o640, ...(uid === undefined ? {} : { uid }) };
  }
  const users = new Set(
    pod.spec.containers.map(
      ({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
    ),
  );
  const [user] = users;
  return users.size === 1 && user !== undefined ? { mode: 0o600, uid: user } : { mode };
}

async function orMissing<T>(object: Promise<T>, optional: boolean): Promise<T | undefined> {
  try {
    return await object;
  } catch (error) {
    if (optional && isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

function pick(
  data: ReadonlyMap<string, Uint8Array | string>,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
  missing: string,
): Map<string, PayloadFile> {
  const files = new Map<string, PayloadFile>();
  if (items === undefined || items.length === 0) {
    for (const [key, content] of data) files.set(key, { content, mode });
    return files;
  }
  for (const item of items) {
    const content = data.get(item.key);
    if (content !== undefined) files.set(item.path, { content, mode: item.mode ?? mode });
    else if (!optional) throw new Error(`${missing}: ${item.key}`);
  }
  return files;
}

/** Secrets and tokens never touch a node's disk, and an emptyDir may ask for the same. */
function isInMemory({ emptyDir, secret, projected, downwardAPI }: Volume): boolean {
  const isPayload = secret !== undefined || projected !== undefined || downwardAPI !== undefined;
  return isPayload || emptyDir?.medium === 'Memory';
}
