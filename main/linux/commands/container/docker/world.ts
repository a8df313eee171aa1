// What one run of docker or nerdctl works with: the engine, the kubelet's containers beside it, and the terminal.
import { ErrnoError } from '../../../../network/index.ts';
import { containerdSocket, type Containerd, type ExecOptions } from '../../../containerd/index.ts';
import {
  dockerSocket,
  EngineError,
  nerdSocket,
  type Engine,
  type EngineContainer,
  type EngineImages,
} from '../../../docker/index.ts';
import type { Process, WaitStatus } from '../../../kernel/index.ts';
import { dockerName, sandboxOf, splitReference } from '../runtime.ts';
import { CliError } from './flags.ts';

/** A container as listings and commands see it: the engine's own, or the kubelet's. */
export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly argv: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  readonly createdMs: number;
  readonly startedMs: number | undefined;
  readonly finishedMs: number | undefined;
  readonly exitCode: number;
  readonly pid: number | undefined;
  readonly logPath: string | undefined;
  readonly cgroup: string;
  /** The engine's record; undefined of the kubelet's. */
  readonly own: EngineContainer | undefined;
}

export interface World {
  readonly proc: Process;
  readonly engine: Engine;
  readonly runtime: Containerd | undefined;
  readonly isNerd: boolean;
  readonly namespace: string;
  readonly program: string;
  readonly images: EngineImages;
  readonly print: (text: string) => Promise<void>;
  readonly complain: (text: string) => Promise<void>;
}

/** What docker says first of a configuration that it may not read; '' for nothing. */
export function configWarning(proc: Process): string {
  const path = `${proc.env.get('HOME') ?? '/root'}/.docker/config.json`;
  try {
    proc.fs.stat(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'EACCES')
      return `WARNING: Error loading config file: ${path}: open ${path}: permission denied\n`;
  }
  return '';
}

/** Throws CliError when the daemon doesn't answer. */
export function openWorld(proc: Process, isNerd: boolean, namespace: string): World {
  const engine = connectEngine(proc, isNerd);
  let runtime: Containerd | undefined;
  try {
    runtime = proc.kernel.connectService(containerdSocket);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
  }
  return {
    proc,
    engine,
    runtime: isNerd && namespace !== 'k8s.io' ? undefined : runtime,
    isNerd,
    namespace,
    program: isNerd ? 'nerdctl' : 'docker',
    images: engine.images(namespace),
    print: (text) => proc.stdout.write(text),
    complain: (text) => proc.stderr.write(text),
  };
}

function connectEngine(proc: Process, isNerd: boolean): Engine {
  const { uid, groups } = proc.credentials;
  const isAllowed = uid === 0 || groups.some((gid) => groupName(proc, gid) === 'docker');
  if (isNerd && uid !== 0)
    throw new CliError(
      'time="1970-01-01T00:00:00Z" level=fatal msg="rootless containerd not running? (hint: use `containerd-rootless-setuptool.sh install` to start rootless containerd): stat /run/user: no such file or directory"'.replace(
        '1970-01-01T00:00:00Z',
        new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19) + 'Z',
      ),
    );
  if (!isNerd && !isAllowed)
    throw new CliError(
      'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/containers/json": dial unix /var/run/docker.sock: connect: permission denied',
    );
  try {
    return proc.kernel.connectService(isNerd ? nerdSocket : dockerSocket);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (!isNerd)
      throw new CliError(
        'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      );
    throw new CliError(
      `time="${new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19)}Z" level=fatal msg="cannot access containerd socket \\"/run/containerd/containerd.sock\\": no such file or directory"`,
    );
  }
}

function groupName(proc: Process, gid: number): string | undefined {
  if (!proc.fs.exists('/etc/group')) return undefined;
  return proc.fs
    .readText('/etc/group')
    .split('\n')
    .find((line) => line.split(':')[2] === String(gid))
    ?.split(':')[0];
}

/** Everything there is, the newest first. */
export function listShown(world: World): Shown[] {
  const own = world.engine.list(world.namespace).map((each): Shown => ({
    id: each.id,
    name: each.spec.name,
    image: each.spec.image,
    imageId: each.imageId,
    argv: argvOf(each),
    labels: { ...each.imageConfig.labels, ...each.spec.labels },
    state: each.state,
    createdMs: each.createdMs,
    startedMs: each.startedMs,
    finishedMs: each.finishedMs,
    exitCode: each.exitCode,
    pid: each.pid,
    logPath: each.logPath,
    cgroup: each.cgroup,
    own: each,
  }));
  return [...own, ...podContainers(world)].toSorted((a, b) => b.createdMs - a.createdMs);
}

/** What a container runs, of its image and its own. */
function argvOf({ spec, imageConfig }: EngineContainer): string[] {
  const entrypoint = spec.entrypoint ?? imageConfig.entrypoint ?? [];
  return [
    ...entrypoint,
    ...(spec.command.length > 0
      ? spec.command
      : spec.entrypoint === undefined
        ? (imageConfig.command ?? [])
        : []),
  ];
}

function podContainers({ runtime }: World): Shown[] {
  if (runtime === undefined) return [];
  const sandboxes = runtime.listSandboxes();
  const containers = runtime.listContainers().map((one): Shown => {
    const image = runtime.imageStatus(one.imageId)?.image;
    const argv =
      one.spec.command !== undefined && one.spec.command.length > 0
        ? [...one.spec.command, ...(one.spec.args ?? [])]
        : [
            ...(image?.entrypoint ?? []),
            ...(one.spec.args !== undefined && one.spec.args.length > 0
              ? one.spec.args
              : (image?.command ?? [])),
          ];
    const cgroup = `${sandboxOf(runtime, one)?.spec.cgroupParent ?? ''}/${one.id}`;
    return {
      id: one.id,
      name: dockerName(runtime, one),
      image: shortImage(one.spec.image, one.imageId),
      imageId: one.imageId,
      argv,
      labels: one.spec.labels,
      state: one.state,
      createdMs: one.createdMs,
      startedMs: one.startedMs,
      finishedMs: one.finishedMs,
      exitCode: one.exitCode ?? 0,
      pid: one.pid,
      logPath: one.spec.logPath,
      cgroup,
      own: undefined,
    };
  });
  const pauses = sandboxes.map((one): Shown => ({
    id: one.id,
    name: `k8s_POD_${one.spec.podName}_${one.spec.podNamespace}_${one.spec.podUid}_${one.spec.attempt}`,
    image: runtime.sandboxImage,
    imageId: runtime.imageStatus(runtime.sandboxImage)?.id ?? '',
    argv: ['/pause'],
    labels: one.spec.labels,
    state: one.state === 'ready' ? 'running' : 'exited',
    createdMs: one.createdMs,
    startedMs: one.createdMs,
    finishedMs: one.state === 'ready' ? undefined : one.createdMs,
    exitCode: 0,
    pid: undefined,
    logPath: undefined,
    cgroup: `${one.spec.cgroupParent}/${one.id}`,
    own: undefined,
  }));
  return [...containers, ...pauses];
}

/** The kubelet asks by id where it can; docker shows that. */
function shortImage(image: string, imageId: string): string {
  if (image.startsWith('sha256:')) return imageId.slice('sha256:'.length, 'sha256:'.length + 12);
  const { repository, tag } = splitReference(image, true);
  return image.includes('@') || !/:[^/]+$/.test(image) ? repository : `${repository}:${tag}`;
}

/** By id, a beginning of it, or name. Throws EngineError not-found. */
export function findShown(world: World, text: string): Shown {
  const all = listShown(world);
  const found =
    all.find(({ id, name }) => id === text || name === text.replace(/^\//, '')) ??
    (text === '' ? undefined : all.find(({ id }) => id.startsWith(text)));
  if (found === undefined) throw new EngineError('not-found', `No such container: ${text}`, 1);
  return found;
}

export function execIn(world: World, shown: Shown, options: ExecOptions): Promise<WaitStatus> {
  return shown.own === undefined
    ? world.runtime!.exec(shown.id, options)
    : world.engine.exec(shown.id, options);
}
