// Makes and starts one container of a pod: image, environment, mounts, hooks, and the events about each step.
import type { Clock } from '../../simulation/index.ts';
import {
  RuntimeError,
  type Container as RuntimeContainer,
  type Containerd,
  type ContainerMount,
  type ContainerSpec,
  type Sandbox,
} from '../../linux/containerd/index.ts';
import type { FileSystemView, Kernel } from '../../linux/kernel/index.ts';
import { StatusError } from '../api/index.ts';
import { oomScoreAdjOf, resourcesOf } from './linux-resources.ts';
import type { Container, Service } from '../api/index.ts';
import type { EventRecorder } from '../client/index.ts';
import type { KubeletConfig } from './config.ts';
import { hostsFileOf, resolvConfOf } from './dns.ts';
import { ConfigError, environmentOf, expand, type EnvironmentEntry } from './environment.ts';
import { WaitingError, type Images } from './images.ts';
import { runHook } from './lifecycle.ts';
import type { ObjectCache } from './object-cache.ts';
import {
  containerHash,
  containerReference,
  kernelHostnameOf,
  isHostNetwork,
  type KnownPod,
  type PodContainer,
} from './pod-facts.ts';
import { POD_UID_LABEL } from './runtime-cache.ts';
import type { VolumeManager } from './volumes.ts';

export const HASH_ANNOTATION = 'io.kubernetes.container.hash';
/** Folder of container logs, as the runtime writes them. */
export const LOG_FOLDER = '/var/log/pods';

export interface StarterWorld {
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly fs: FileSystemView;
  readonly config: KubeletConfig;
  readonly images: Images;
  readonly volumes: VolumeManager;
  readonly objects: ObjectCache;
  readonly recorder: EventRecorder;
  readonly version: string;
  readonly minor: number;
  /** The runtime as container ids begin with it: `containerd`, `docker`. */
  readonly runtimeName: string;
  readonly services: (namespace: string) => readonly Service[];
  readonly allocatable: () => Readonly<Record<string, string>>;
}

/** Told by hooks that a container has to be killed at once. */
export interface KillContainer {
  (pod: KnownPod, container: PodContainer, instance: RuntimeContainer, message: string): Promise<void>;
}

/** kuberuntime's startContainer. Rejects with WaitingError: why the container isn't running. */
export async function startContainer(
  world: StarterWorld,
  pod: KnownPod,
  container: PodContainer,
  sandbox: Sandbox,
  attempt: number,
  podIPs: readonly string[],
  targetId: string | undefined,
  kill: KillContainer,
): Promise<void> {
  const { recorder, containerd, minor } = world;
  const { name } = container.spec;
  const subject = containerReference(pod, container);
  const fail = (reason: string, error: unknown): WaitingError => {
    const message = messageOf(error);
    recorder.event(subject, 'Warning', 'Failed', `Error: ${message}`);
    return new WaitingError(reason, message, undefined, { cause: error });
  };

  try {
    await ensureVolumeImages(world, pod, container);
    await world.images.ensure(pod, container);
  } catch (error) {
    if (error instanceof WaitingError) recorder.event(subject, 'Warning', 'Failed', `Error: ${error.reason}`);
    throw error;
  }
  let spec: ContainerSpec;
  try {
    spec = await containerSpec(world, pod, container, attempt, podIPs, targetId);
  } catch (error) {
    throw fail('CreateContainerConfigError', error);
  }
  let instance: RuntimeContainer;
  try {
    instance = await containerd.createContainer(sandbox.id, spec);
  } catch (error) {
    throw fail('CreateContainerError', error);
  }
  recorder.event(
    subject,
    'Normal',
    'Created',
    minor >= 36
      ? 'Container created'
      : minor >= 32
        ? `Created container: ${name}`
        : `Created container ${name}`,
  );
  try {
    await containerd.startContainer(instance.id);
  } catch (error) {
    throw fail('RunContainerError', error);
  }
  recorder.event(
    subject,
    'Normal',
    'Started',
    minor >= 36 ? 'Container started' : `Started container ${name}`,
  );
  linkLog(world, pod, name, instance.id, spec.logPath);

  const hook = container.spec.lifecycle?.postStart;
  if (hook === undefined) return;
  if (await runHook(world, hook, container.spec, instance.id, podIPs[0] ?? '')) return;
  recorder.event(subject, 'Warning', 'FailedPostStartHook', 'PostStartHook failed');
  await kill(pod, container, instance, 'FailedPostStartHook');
  throw new WaitingError('PostStartHookError', 'PostStartHookError');
}

/** Images that are mounted as volumes are pulled like any other, by the policy that the volume names. */
async function ensureVolumeImages(
  world: StarterWorld,
  pod: KnownPod,
  { kind, spec }: PodContainer,
): Promise<void> {
  for (const { name, image } of pod.spec.volumes ?? []) {
    if (image === undefined || spec.volumeMounts?.some((mount) => mount.name === name) !== true) continue;
    const imagePullPolicy = image.pullPolicy as Container['imagePullPolicy'];
    await world.images.ensure(pod, {
      kind,
      spec: { name: spec.name, image: image.reference, imagePullPolicy },
    });
  }
}

function messageOf(error: unknown): string {
  if (error instanceof RuntimeError || error instanceof ConfigError || error instanceof StatusError)
    return error.message;
  if (error instanceof Error) return error.message;
  throw error;
}

async function containerSpec(
  world: StarterWorld,
  pod: KnownPod,
  container: PodContainer,
  attempt: number,
  podIPs: readonly string[],
  targetId: string | undefined,
): Promise<ContainerSpec> {
  const { spec } = container;
  const { namespace, name: podName, uid } = pod.metadata;
  checkNonRoot(world, pod, container);
  const env = await environmentOf(pod, spec, {
    services: world.services(namespace),
    configMap: (name) => world.objects.configMap(namespace, name),
    secret: (name) => world.objects.secret(namespace, name),
    allocatable: world.allocatable(),
    podIPs,
    hostIP: world.config.nodeIP,
  });
  const lookup = (name: string): string | undefined => env.find((entry) => entry.name === name)?.value;
  const user = userOf(pod, container);
  const groups = supplementalGroupsOf(pod);
  const pid = pidNamespaceOf(pod, targetId);
  const stopSignal = spec.lifecycle?.stopSignal;
  const logFolder = `${LOG_FOLDER}/${namespace}_${podName}_${uid}/${spec.name}`;
  if (!world.fs.exists(logFolder)) world.fs.mkdir(logFolder, { recursive: true, mode: 0o755 });
  return {
    name: spec.name,
    attempt,
    image: spec.image ?? '',
    ...(spec.command === undefined ? {} : { command: spec.command.map((word) => expand(word, lookup)) }),
    ...(spec.args === undefined ? {} : { args: spec.args.map((word) => expand(word, lookup)) }),
    env,
    ...(spec.workingDir === undefined || spec.workingDir === '' ? {} : { workingDirectory: spec.workingDir }),
    ...(user === undefined ? {} : { user }),
    ...(groups.length === 0 ? {} : { supplementalGroups: groups }),
    ...(pid === undefined ? {} : { pid }),
    ...(stopSignal === undefined ? {} : { stopSignal }),
    mounts: mountsOf(world, pod, container, podIPs, env, attempt),
    tty: spec.tty === true,
    stdin: spec.stdin === true,
    stdinOnce: spec.stdinOnce === true,
    ...resourcesOf(spec.resources),
    oomScoreAdj: oomScoreAdjOf(pod, container, world.kernel.memoryBytes),
    ...(spec.securityContext?.privileged === true ? { privileged: true } : {}),
    ...(spec.securityContext?.capabilities === undefined
      ? {}
      : { capabilities: spec.securityContext.capabilities }),
    ...(spec.securityContext?.readOnlyRootFilesystem === true ? { readOnlyRoot: true } : {}),
    labels: {
      'io.kubernetes.container.name': spec.name,
      'io.kubernetes.pod.name': podName,
      'io.kubernetes.pod.namespace': namespace,
      [POD_UID_LABEL]: uid,
    },
    annotations: {
      [HASH_ANNOTATION]: containerHash(spec),
      'io.kubernetes.container.restartCount': String(attempt),
      'io.kubernetes.container.terminationMessagePath': spec.terminationMessagePath ?? '/dev/termination-log',
      'io.kubernetes.container.terminationMessagePolicy': spec.terminationMessagePolicy ?? 'File',
      'io.kubernetes.pod.terminationGracePeriod': String(pod.spec.terminationGracePeriodSeconds ?? 30),
    },
    logPath: `${logFolder}/${attempt}.log`,
    logRotation: { sizeBytes: world.config.containerLogMaxBytes, files: world.config.containerLogMaxFiles },
  };
}

function checkNonRoot(world: StarterWorld, pod: KnownPod, { spec }: PodContainer): void {
  if ((spec.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot) !== true) return;
  const uid = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${spec.name})`;
  if (uid === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (uid !== undefined) return;
  const user = world.containerd.imageStatus(spec.image ?? '')?.image.user ?? '';
  const name = user.split(':')[0]!;
  if (name === '' || name === '0' || name === 'root')
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (!/^\d+$/.test(name))
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root ${where}`,
    );
}

function userOf(pod: KnownPod, { spec }: PodContainer): string | undefined {
  const uid = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const gid = spec.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup;
  if (uid === undefined) return gid === undefined ? undefined : `0:${gid}`;
  return gid === undefined ? String(uid) : `${uid}:${gid}`;
}

function supplementalGroupsOf({ spec: { securityContext } }: KnownPod): number[] {
  const groups = [...(securityContext?.supplementalGroups ?? [])];
  if (securityContext?.fsGroup !== undefined) groups.unshift(securityContext.fsGroup);
  return groups;
}

/** Whose processes a container sees: its own, the pod's, the node's, or those of the container it debugs. */
function pidNamespaceOf(pod: KnownPod, targetId: string | undefined): ContainerSpec['pid'] {
  if (pod.spec.hostPID === true) return 'node';
  if (pod.spec.shareProcessNamespace === true) return 'pod';
  return targetId === undefined ? undefined : { container: targetId };
}

/** Where the file behind a container's termination log is. */
export function terminationLogPath(
  volumes: VolumeManager,
  podUid: string,
  containerName: string,
  attempt: number,
): string {
  return `${volumes.podFolder(podUid)}/containers/${containerName}/${attempt}`;
}

function mountsOf(
  world: StarterWorld,
  pod: KnownPod,
  container: PodContainer,
  podIPs: readonly string[],
  env: readonly EnvironmentEntry[],
  attempt: number,
): ContainerMount[] {
  const { fs, volumes, config } = world;
  const { spec } = container;
  const folder = volumes.podFolder(pod.metadata.uid);
  const mounts: ContainerMount[] = [];
  for (const mount of spec.volumeMounts ?? []) {
    const image = pod.spec.volumes?.find(({ name }) => name === mount.name)?.image;
    if (image !== undefined) {
      mounts.push({
        containerPath: mount.mountPath,
        hostPath: '',
        image: image.reference ?? '',
        readOnly: true,
      });
      continue;
    }
    const base = volumes.pathOf(pod, mount.name);
    if (base === undefined)
      throw new ConfigError(`cannot find volume "${mount.name}" to mount into container "${spec.name}"`);
    const subPath = mount.subPathExpr === undefined ? mount.subPath : expandPath(mount.subPathExpr, env);
    let hostPath = base;
    if (subPath !== undefined && subPath !== '') {
      hostPath = `${base}/${subPath}`;
      if (!fs.exists(hostPath)) fs.mkdir(hostPath, { recursive: true, mode: 0o755 });
      else hostPath = fs.realpath(hostPath); // The runtime binds the file itself: it doesn't follow updates.
    }
    mounts.push({
      containerPath: mount.mountPath,
      hostPath,
      ...(mount.readOnly === true || volumes.isReadOnly(pod, mount.name) ? { readOnly: true } : {}),
    });
  }
  const has = (path: string): boolean => mounts.some(({ containerPath }) => containerPath === path);
  const add = (containerPath: string, hostPath: string, text: string, mode = 0o644): void => {
    if (has(containerPath)) return;
    const parent = hostPath.slice(0, hostPath.lastIndexOf('/'));
    if (!fs.exists(parent)) fs.mkdir(parent, { recursive: true, mode: 0o750 });
    if (!fs.exists(hostPath) || containerPath !== '/etc/hosts') fs.writeFile(hostPath, text, { mode });
    fs.chmod(hostPath, mode);
    mounts.push({ containerPath, hostPath });
  };
  const read = (path: string): string => (fs.exists(path) ? fs.readText(path) : '');
  add('/etc/hosts', `${folder}/etc-hosts`, hostsFileOf(pod, podIPs, config, read('/etc/hosts')));
  add(
    '/etc/hostname',
    `${folder}/hostname`,
    `${isHostNetwork(pod) ? world.kernel.hostname : kernelHostnameOf(pod, config.clusterDomain)}\n`,
  );
  const resolvConf = resolvConfOf(pod, config, read(config.resolvConf), world.runtimeName);
  add('/etc/resolv.conf', `${folder}/resolv.conf`, resolvConf);
  add(
    spec.terminationMessagePath ?? '/dev/termination-log',
    terminationLogPath(volumes, pod.metadata.uid, spec.name, attempt),
    '',
    0o666,
  );
  return mounts;
}

/** A subPathExpr with its variables filled in; throws ConfigError for one that isn't set. */
function expandPath(text: string, env: readonly EnvironmentEntry[]): string {
  const missing = new Set<string>();
  const path = expand(text, (name) => {
    const value = env.find((entry) => entry.name === name)?.value;
    if (value === undefined || value === '') missing.add(name);
    return value;
  });
  if (missing.size > 0) throw new ConfigError(`missing value for ${[...missing].toSorted().join(', ')}`);
  return path;
}

/** /var/log/containers holds a link to each container's log, by names that log collectors understand. */
function linkLog(
  world: StarterWorld,
  pod: KnownPod,
  name: string,
  id: string,
  logPath: string | undefined,
): void {
  if (logPath === undefined) return;
  const { fs } = world;
  if (!fs.exists('/var/log/containers')) fs.mkdir('/var/log/containers', { recursive: true, mode: 0o755 });
  const link = `/var/log/containers/${pod.metadata.name}_${pod.metadata.namespace}_${name}-${id}.log`;
  fs.symlink(logPath, link);
}
