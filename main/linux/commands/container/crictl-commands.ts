// crictl's commands: pods, containers, images, and what they are made of.
import { parse as parseYaml } from 'yaml';
import {
  RuntimeError,
  type Container,
  type ContainerSpec,
  type ImageRecord,
  type Sandbox,
  type SandboxSpec,
} from '../../containerd/index.ts';
import { runInContainer } from './exec.ts';
import { CrictlError, findByPrefix, printValue, tabular, type CrictlWorld } from './crictl-words.ts';
import { followLog } from './log.ts';
import { canonicalReference, decimalSize, humanAge, sandboxOf, shortId, splitReference } from './runtime.ts';
import { makeTemplate } from './docker/template.ts';

export interface CrictlCommand {
  readonly names: readonly string[];
  readonly summary: string;
  readonly form?: string;
  readonly flags?: string;
  readonly stops?: boolean;
  /** Absent: it isn't simulated. */
  readonly run?: (world: CrictlWorld) => Promise<number>;
}

const STATES = {
  created: 'CONTAINER_CREATED',
  running: 'CONTAINER_RUNNING',
  exited: 'CONTAINER_EXITED',
} as const;
const SHOWN = { created: 'Created', running: 'Running', exited: 'Exited' } as const;
const DAY_NS = 1_000_000;

function nanos(ms: number | undefined): string {
  return ms === undefined ? '0' : String(BigInt(Math.floor(ms * 1000)) * 1000n);
}

function stamp(ms: number | undefined): string {
  return ms === undefined
    ? '0001-01-01T00:00:00Z'
    : `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(Math.floor((ms % 1) * DAY_NS)).padStart(6, '0')}Z`;
}

function labelsFit(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((each) => {
    const [key = '', value = ''] = each.split(/=(.*)/s);
    return labels[key] === value;
  });
}

function limitTo<T>(world: CrictlWorld, items: readonly T[]): readonly T[] {
  const { words } = world;
  const last = words.value('last');
  return words.has('latest') ? items.slice(0, 1) : last === undefined ? items : items.slice(0, Number(last));
}

/** Prints as -q or -o say; false: the caller prints its table. */
async function printedOtherwise(
  world: CrictlWorld,
  ids: readonly string[],
  value: unknown,
): Promise<boolean> {
  const { words } = world;
  const format = words.value('output') ?? 'table';
  if (words.has('quiet')) await world.print(ids.map((id) => `${id}\n`).join(''));
  else if (format === 'json' || format === 'yaml') await printValue(world, value);
  else if (format === 'go-template')
    await world.print(`${makeTemplate(words.value('template') ?? '')(value)}\n`);
  else if (format !== 'table') throw new CrictlError(`unsupported output format "${format}"`);
  else return false;
  return true;
}

async function ps(world: CrictlWorld): Promise<number> {
  const { runtime, words, proc } = world;
  const name = words.value('name');
  const state = words.value('state')?.toLowerCase();
  const namespace = words.value('namespace');
  const all = runtime
    .listContainers()
    .toReversed()
    .toSorted((a, b) => b.createdMs - a.createdMs)
    .filter(
      (one) =>
        words.has('all') ||
        state !== undefined ||
        words.has('latest') ||
        words.has('last') ||
        one.state === 'running',
    )
    .filter((one) => state === undefined || one.state === state)
    .filter((one) => name === undefined || new RegExp(name).test(one.spec.name))
    .filter((one) => words.value('pod') === undefined || one.sandboxId.startsWith(words.value('pod')!))
    .filter((one) => words.value('id') === undefined || one.id.startsWith(words.value('id')!))
    .filter(
      (one) =>
        namespace === undefined ||
        new RegExp(namespace).test(sandboxOf(runtime, one)?.spec.podNamespace ?? ''),
    )
    .filter(
      (one) =>
        words.value('image') === undefined ||
        runtime.imageStatus(canonicalReference(words.value('image')!))?.id === one.imageId,
    )
    .filter((one) => labelsFit(one.spec.labels, words.values('label')));
  const wanted = limitTo(world, all);
  const value = {
    containers: wanted.map((one) => ({
      annotations: one.spec.annotations,
      createdAt: nanos(one.createdMs),
      id: one.id,
      image: { annotations: {}, image: one.imageId, runtimeHandler: '', userSpecifiedImage: one.spec.image },
      imageId: one.imageId,
      imageRef: one.imageId,
      labels: one.spec.labels,
      metadata: { attempt: one.spec.attempt, name: one.spec.name },
      podSandboxId: one.sandboxId,
      state: STATES[one.state],
    })),
  };
  if (
    await printedOtherwise(
      world,
      wanted.map(({ id }) => id),
      value,
    )
  )
    return 0;
  const length = words.has('no-trunc') ? 64 : 13;
  const now = proc.clock.now();
  await world.print(
    tabular([
      ['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID', 'POD'],
      ...wanted.map((one) => [
        one.id.slice(0, length),
        words.has('no-trunc') ? one.imageId : shortId(one.imageId, 13),
        `${humanAge(now - one.createdMs)} ago`,
        SHOWN[one.state],
        one.spec.name,
        String(one.spec.attempt),
        one.sandboxId.slice(0, 13),
        sandboxOf(runtime, one)?.spec.podName ?? 'unknown',
      ]),
    ]),
  );
  return 0;
}

async function pods(world: CrictlWorld): Promise<number> {
  const { runtime, words, proc } = world;
  const [name, namespace, state] = [
    words.value('name'),
    words.value('namespace'),
    words.value('state')?.toLowerCase(),
  ];
  const all = runtime
    .listSandboxes()
    .toReversed()
    .toSorted((a, b) => b.createdMs - a.createdMs)
    .filter((one) => name === undefined || new RegExp(name).test(one.spec.podName))
    .filter((one) => namespace === undefined || new RegExp(namespace).test(one.spec.podNamespace))
    .filter((one) => state === undefined || one.state === state)
    .filter((one) => words.value('id') === undefined || one.id.startsWith(words.value('id')!))
    .filter((one) => labelsFit(one.spec.labels, words.values('label')));
  const wanted = limitTo(world, all);
  const value = {
    items: wanted.map((one) => ({
      annotations: one.spec.annotations,
      createdAt: nanos(one.createdMs),
      id: one.id,
      labels: one.spec.labels,
      metadata: metadataOf(one),
      runtimeHandler: '',
      state: one.state === 'ready' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    })),
  };
  if (
    await printedOtherwise(
      world,
      wanted.map(({ id }) => id),
      value,
    )
  )
    return 0;
  const length = words.has('no-trunc') ? 64 : 13;
  const now = proc.clock.now();
  await world.print(
    tabular([
      ['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'],
      ...wanted.map((one) => [
        one.id.slice(0, length),
        `${humanAge(now - one.createdMs)} ago`,
        one.state === 'ready' ? 'Ready' : 'NotReady',
        one.spec.podName,
        one.spec.podNamespace,
        String(one.spec.attempt),
        '(default)',
      ]),
    ]),
  );
  return 0;
}

function metadataOf({ spec }: Sandbox): unknown {
  return { attempt: spec.attempt, name: spec.podName, namespace: spec.podNamespace, uid: spec.podUid };
}

async function images(world: CrictlWorld): Promise<number> {
  const { runtime, words } = world;
  const [wanted] = words.operands;
  const pattern =
    wanted === undefined
      ? undefined
      : canonicalReference(wanted).replace(/:latest$/, wanted.endsWith(':latest') ? ':latest' : '');
  const chosen = runtime
    .listImages()
    .filter(
      (image) =>
        pattern === undefined ||
        image.repoTags.some((tag) => tag === pattern || tag.startsWith(`${pattern}:`)) ||
        image.id.startsWith(`sha256:${wanted ?? ''}`),
    );
  const value = {
    images: chosen.map((image) => ({
      id: image.id,
      pinned: isPinned(image),
      repoDigests: image.repoDigests,
      repoTags: image.repoTags,
      size: String(image.sizeBytes),
      spec: null,
      uid: null,
      username: image.image.user ?? '',
    })),
  };
  if (words.has('verbose')) {
    for (const image of chosen)
      await world.print(
        `ID: ${image.id}\n${image.repoTags.map((tag) => `RepoTags: ${tag}\n`).join('')}${image.repoDigests.map((digest) => `RepoDigests: ${digest}\n`).join('')}Size: ${decimalSize(image.sizeBytes)}\n${image.image.user === undefined ? '' : `Username: ${image.image.user}\n`}\n`,
      );
    return 0;
  }
  if (
    await printedOtherwise(
      world,
      chosen.map(({ id }) => id),
      value,
    )
  )
    return 0;
  const rows = chosen
    .flatMap((image) =>
      (image.repoTags.length > 0 ? image.repoTags : ['<none>:<none>']).map((reference) => ({
        image,
        ...splitReference(reference, false),
      })),
    )
    .toSorted((a, b) => (`${a.repository}:${a.tag}` < `${b.repository}:${b.tag}` ? -1 : 1));
  const digests = words.has('digests');
  await world.print(
    tabular([
      [
        'IMAGE',
        'TAG',
        ...(digests ? ['DIGEST'] : []),
        'IMAGE ID',
        'SIZE',
        ...(words.has('pinned') ? ['PINNED'] : []),
      ],
      ...rows.map(({ image, repository, tag }) => [
        repository,
        tag,
        ...(digests ? [(image.repoDigests[0]?.split('@sha256:')[1] ?? '<none>').slice(0, 13)] : []),
        words.has('no-trunc') ? image.id : shortId(image.id, 13),
        decimalSize(image.sizeBytes),
        ...(words.has('pinned') ? [String(isPinned(image))] : []),
      ]),
    ]),
  );
  return 0;
}

function isPinned({ repoTags }: ImageRecord): boolean {
  return repoTags.some((tag) => /\/pause:/.test(tag));
}

function requireContainer({ runtime }: CrictlWorld, id: string, doing: string): Container {
  const found = findByPrefix(runtime.listContainers(), id);
  if (found === undefined)
    throw new CrictlError(
      `${doing}rpc error: code = NotFound desc = an error occurred when try to find container "${id}": not found`,
    );
  return found;
}

function requireSandbox({ runtime }: CrictlWorld, id: string, doing: string): Sandbox {
  const found = findByPrefix(runtime.listSandboxes(), id);
  if (found === undefined)
    throw new CrictlError(
      `${doing}rpc error: code = NotFound desc = an error occurred when try to find sandbox "${id}": not found`,
    );
  return found;
}

function needIds(world: CrictlWorld, what = 'ID'): readonly string[] {
  if (world.words.operands.length === 0) throw new CrictlError(`${what} cannot be empty`);
  return world.words.operands;
}

async function printInspected(world: CrictlWorld, value: unknown): Promise<void> {
  const format = world.words.value('output') ?? 'json';
  if (format === 'go-template')
    await world.print(`${makeTemplate(world.words.value('template') ?? '')(value)}\n`);
  else await printValue(world, value);
}

async function inspect(world: CrictlWorld): Promise<number> {
  const { runtime } = world;
  for (const id of needIds(world)) {
    const one = requireContainer(world, id, `getting the status of the container "${id}": `);
    const sandbox = sandboxOf(runtime, one);
    const image = runtime.imageStatus(one.imageId);
    const argv =
      one.spec.command !== undefined && one.spec.command.length > 0
        ? [...one.spec.command, ...(one.spec.args ?? [])]
        : [...(image?.image.entrypoint ?? []), ...(one.spec.args ?? image?.image.command ?? [])];
    await printInspected(world, {
      info: {
        pid: one.pid ?? 0,
        removing: false,
        runtimeOptions: { systemd_cgroup: true },
        runtimeType: 'io.containerd.runc.v2',
        runtimeSpec: {
          ociVersion: '1.1.0',
          process: {
            args: argv,
            cwd: one.spec.workingDirectory ?? image?.image.workingDirectory ?? '/',
            env: [...(image?.image.env ?? []), ...one.spec.env.map(({ name, value }) => `${name}=${value}`)],
            terminal: one.spec.tty,
          },
          root: { path: 'rootfs', readonly: one.spec.readOnlyRoot === true },
          hostname: sandbox?.spec.hostname ?? '',
          linux: { cgroupsPath: `${sandbox?.spec.cgroupParent ?? ''}/${one.id}` },
        },
        sandboxID: one.sandboxId,
        snapshotKey: one.id,
        snapshotter: 'overlayfs',
      },
      status: {
        annotations: one.spec.annotations,
        createdAt: stamp(one.createdMs),
        exitCode: one.exitCode ?? 0,
        finishedAt: stamp(one.finishedMs),
        id: one.id,
        image: {
          annotations: {},
          image: image?.repoTags[0] ?? one.spec.image,
          runtimeHandler: '',
          userSpecifiedImage: '',
        },
        imageId: one.imageId,
        imageRef: image?.repoDigests[0] ?? one.imageId,
        labels: one.spec.labels,
        logPath: one.spec.logPath ?? '',
        message: one.message ?? '',
        metadata: { attempt: one.spec.attempt, name: one.spec.name },
        mounts: one.spec.mounts.map((mount) => ({
          containerPath: mount.containerPath,
          gidMappings: [],
          hostPath: mount.hostPath,
          image: null,
          propagation: 'PROPAGATION_PRIVATE',
          readonly: mount.readOnly === true,
          recursiveReadOnly: false,
          selinuxRelabel: false,
          uidMappings: [],
        })),
        reason: one.reason ?? '',
        resources: { linux: { memoryLimitInBytes: String(one.spec.memoryMaxBytes ?? 0) }, windows: null },
        startedAt: stamp(one.startedMs),
        state: STATES[one.state],
      },
    });
  }
  return 0;
}

async function inspectPod(world: CrictlWorld): Promise<number> {
  for (const id of needIds(world)) {
    const one = requireSandbox(world, id, `getting the pod sandbox status for "${id}": `);
    await printInspected(world, {
      info: {
        image: 'registry.k8s.io/pause:3.9',
        pid: 0,
        runtimeType: 'io.containerd.runc.v2',
        snapshotter: 'overlayfs',
        config: {
          annotations: one.spec.annotations,
          hostname: one.spec.hostname,
          labels: one.spec.labels,
          linux: { cgroup_parent: one.spec.cgroupParent },
          metadata: { name: one.spec.podName, namespace: one.spec.podNamespace, uid: one.spec.podUid },
        },
      },
      status: {
        annotations: one.spec.annotations,
        createdAt: stamp(one.createdMs),
        id: one.id,
        labels: one.spec.labels,
        linux: {
          namespaces: {
            options: {
              ipc: 'POD',
              network: one.spec.hostNetwork ? 'NODE' : 'POD',
              pid: 'CONTAINER',
              targetId: '',
              usernsOptions: null,
            },
          },
        },
        metadata: metadataOf(one),
        network: { additionalIps: [], ip: one.ips[0] ?? '' },
        runtimeHandler: '',
        state: one.state === 'ready' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
      },
    });
  }
  return 0;
}

async function inspectImage(world: CrictlWorld): Promise<number> {
  const { runtime } = world;
  for (const name of needIds(world)) {
    const image =
      runtime.imageStatus(name) ??
      runtime.imageStatus(canonicalReference(name)) ??
      runtime.listImages().find(({ id }) => id.startsWith(`sha256:${name}`));
    if (image === undefined) throw new CrictlError(`no such image "${name}" present`);
    const { entrypoint, command, env, user, workingDirectory, exposedPorts, labels, created } = image.image;
    await printInspected(world, {
      info: {
        chainID: image.id,
        imageSpec: {
          architecture: 'amd64',
          config: {
            ...(command === undefined ? {} : { Cmd: command }),
            ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
            Env: env ?? [],
            ...(exposedPorts === undefined
              ? {}
              : { ExposedPorts: Object.fromEntries(exposedPorts.map((port) => [port, {}])) }),
            ...(labels === undefined ? {} : { Labels: labels }),
            ...(user === undefined ? {} : { User: user }),
            ...(workingDirectory === undefined ? {} : { WorkingDir: workingDirectory }),
          },
          created: created ?? '1970-01-01T00:00:00Z',
          os: 'linux',
          rootfs: { diff_ids: [image.id], type: 'layers' },
        },
      },
      status: {
        id: image.id,
        pinned: isPinned(image),
        repoDigests: image.repoDigests,
        repoTags: image.repoTags,
        size: String(image.sizeBytes),
        spec: null,
        uid: null,
        username: user ?? '',
      },
    });
  }
  return 0;
}

async function logs(world: CrictlWorld): Promise<number> {
  const [id] = needIds(world, 'container ID');
  const container = requireContainer(world, id!, '');
  const tail = world.words.value('tail');
  await followLog(world.proc, container.spec.logPath, {
    follow: world.words.has('follow'),
    tail: tail === undefined ? undefined : Number(tail),
    timestamps: world.words.has('timestamps'),
    isRunning: () => world.runtime.containerStatus(container.id)?.state === 'running',
  });
  return 0;
}

async function exec(world: CrictlWorld): Promise<number> {
  const { proc, runtime, words } = world;
  const [id = '', ...command] = words.operands;
  if (id === '') throw new CrictlError('ID cannot be empty');
  const container = requireContainer(world, id, 'execing command in container: ');
  if (container.state !== 'running')
    throw new CrictlError(
      `execing command in container: rpc error: code = Unknown desc = failed to exec in container: container is in ${STATES[container.state]} state`,
    );
  if (command.length === 0)
    throw new CrictlError('execing command in container: exec command cannot be empty');
  try {
    const status = await runInContainer(
      proc,
      runtime,
      container,
      command,
      words.has('tty'),
      words.has('interactive'),
    );
    if (status !== 0 && words.has('sync'))
      throw new CrictlError(
        `execing command in container synchronously: command terminated with exit code ${status}`,
      );
    if (status !== 0)
      await proc.stderr.write(
        proc.stderr.tty === undefined
          ? `time="${new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19)}Z" level=fatal msg="execing command in container: command terminated with exit code ${status}"\n`
          : `\u001b[31mFATA\u001b[0m[0000] execing command in container: command terminated with exit code ${status} \n`,
      );
    return status === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CrictlError(
      `execing command in container: Internal error occurred: error executing command in container: ${error.message}`,
    );
  }
}

async function pull(world: CrictlWorld): Promise<number> {
  const [name] = needIds(world, 'Image name');
  try {
    const image = await world.proc.interruptible(world.runtime.pullImage(canonicalReference(name!)));
    await world.print(`Image is up to date for ${image.id}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CrictlError(`pulling image: rpc error: code = ${error.code} desc = ${error.message}`);
  }
}

async function removeImages(world: CrictlWorld): Promise<number> {
  const { runtime, words } = world;
  const used = new Set(runtime.listContainers().map(({ imageId }) => imageId));
  const all = runtime.listImages();
  const wanted = words.has('all')
    ? all
    : words.has('prune')
      ? all.filter((image) => !used.has(image.id) && !isPinned(image))
      : needIds(world, 'Image name').map((name) => {
          const image =
            runtime.imageStatus(name) ??
            runtime.imageStatus(canonicalReference(name)) ??
            all.find(({ id }) => id.startsWith(`sha256:${name}`));
          if (image === undefined) throw new CrictlError(`no such image ${name}`);
          return image;
        });
  for (const image of wanted) {
    runtime.removeImage(image.id);
    await world.print(
      (image.repoTags.length > 0 ? image.repoTags : [image.id]).map((tag) => `Deleted: ${tag}\n`).join(''),
    );
  }
  return 0;
}

async function stop(world: CrictlWorld): Promise<number> {
  const timeoutMs = Number(world.words.value('timeout') ?? 0) * 1000;
  for (const id of needIds(world)) {
    const one = requireContainer(world, id, `stopping the container "${id}": `);
    await world.proc.interruptible(world.runtime.stopContainer(one.id, timeoutMs));
    await world.print(`${id}\n`);
  }
  return 0;
}

async function remove(world: CrictlWorld): Promise<number> {
  const { words, runtime } = world;
  const ids = words.has('all') ? runtime.listContainers().map(({ id }) => id) : needIds(world);
  let failures = 0;
  for (const id of ids) {
    const one = requireContainer(world, id, `removing the container "${id}": `);
    if (one.state === 'running' && !words.has('force')) {
      failures++;
      await world.proc.stderr.write(`container ${JSON.stringify(id)} is running, please stop it first\n`);
      continue;
    }
    await world.proc.interruptible(runtime.removeContainer(one.id));
    await world.print(`${id}\n`);
  }
  if (failures > 0) throw new CrictlError('unable to remove container(s)');
  return 0;
}

async function stopPods(world: CrictlWorld): Promise<number> {
  for (const id of needIds(world)) {
    const one = requireSandbox(world, id, `stopping the pod sandbox "${id}": `);
    await world.proc.interruptible(world.runtime.stopSandbox(one.id));
    await world.print(`Stopped sandbox ${id}\n`);
  }
  return 0;
}

async function removePods(world: CrictlWorld): Promise<number> {
  const { words, runtime } = world;
  const ids = words.has('all') ? runtime.listSandboxes().map(({ id }) => id) : needIds(world);
  for (const id of ids) {
    const one = requireSandbox(world, id, `getting sandbox status of pod "${id}": `);
    if (one.state === 'ready' && !words.has('force'))
      throw new CrictlError(
        `removing the pod sandbox "${id}": pod sandbox ${JSON.stringify(id)} is running, please stop it first`,
      );
    await world.proc.interruptible(runtime.removeSandbox(one.id));
    await world.print(`Removed sandbox ${id}\n`);
  }
  return 0;
}

interface PodConfig {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly attempt?: number;
  };
  readonly hostname?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly log_directory?: string;
  readonly linux?: {
    readonly cgroup_parent?: string;
    readonly security_context?: { readonly namespace_options?: { readonly network?: number } };
  };
}

interface ContainerConfig {
  readonly metadata?: { readonly name?: string; readonly attempt?: number };
  readonly image?: { readonly image?: string };
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly working_dir?: string;
  readonly envs?: readonly { readonly key: string; readonly value: string }[];
  readonly mounts?: readonly {
    readonly container_path: string;
    readonly host_path: string;
    readonly readonly?: boolean;
  }[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly log_path?: string;
  readonly tty?: boolean;
  readonly stdin?: boolean;
}

function readConfig<T>({ proc }: CrictlWorld, path: string, what: string): T {
  try {
    return parseYaml(proc.fs.readText(path)) as T;
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('YAML'))
      throw new CrictlError(`load ${what}: unmarshal: ${error.message.split('\n')[0]}`);
    throw error;
  }
}

function podSpec(config: PodConfig): SandboxSpec {
  const { metadata = {} } = config;
  if (metadata.name === undefined) throw new CrictlError('load podSandboxConfig: name is not set');
  return {
    podName: metadata.name,
    podNamespace: metadata.namespace ?? 'default',
    podUid: metadata.uid ?? metadata.name,
    attempt: metadata.attempt ?? 0,
    hostname: config.hostname ?? metadata.name,
    hostNetwork: config.linux?.security_context?.namespace_options?.network === 2,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    cgroupParent: config.linux?.cgroup_parent ?? `/k8s.io/${metadata.name}`,
  };
}

function containerSpec(config: ContainerConfig, pod: PodConfig | undefined): ContainerSpec {
  return {
    name: config.metadata?.name ?? '',
    attempt: config.metadata?.attempt ?? 0,
    image: config.image?.image ?? '',
    ...(config.command === undefined ? {} : { command: config.command }),
    ...(config.args === undefined ? {} : { args: config.args }),
    env: (config.envs ?? []).map(({ key, value }) => ({ name: key, value })),
    ...(config.working_dir === undefined ? {} : { workingDirectory: config.working_dir }),
    mounts: (config.mounts ?? []).map((mount) => ({
      containerPath: mount.container_path,
      hostPath: mount.host_path,
      readOnly: mount.readonly === true,
    })),
    tty: config.tty === true,
    stdin: config.stdin === true,
    stdinOnce: false,
    labels: config.labels ?? {},
    annotations: {},
    ...(config.log_path === undefined
      ? {}
      : { logPath: `${pod?.log_directory ?? '/var/log'}/${config.log_path}` }),
  };
}

async function runPod(world: CrictlWorld): Promise<number> {
  const [file] = needIds(world, 'pod-config.json');
  const sandbox = await world.proc.interruptible(
    world.runtime.runSandbox(podSpec(readConfig<PodConfig>(world, file!, 'podSandboxConfig'))),
  );
  await world.print(`${sandbox.id}\n`);
  return 0;
}

async function createIn(
  world: CrictlWorld,
  sandboxId: string,
  file: string,
  podFile: string | undefined,
): Promise<Container> {
  const { runtime, proc } = world;
  const config = readConfig<ContainerConfig>(world, file, 'containerConfig');
  const pod = podFile === undefined ? undefined : readConfig<PodConfig>(world, podFile, 'podSandboxConfig');
  const spec = containerSpec(config, pod);
  if (world.words.has('with-pull') || world.words.has('run'))
    await proc.interruptible(runtime.pullImage(canonicalReference(spec.image)));
  try {
    return await proc.interruptible(runtime.createContainer(sandboxId, spec));
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new CrictlError(`creating container: rpc error: code = ${error.code} desc = ${error.message}`);
  }
}

async function create(world: CrictlWorld): Promise<number> {
  const [pod = '', file = '', podFile] = world.words.operands;
  if (file === '') throw new CrictlError('POD, container-config and pod-config cannot be empty');
  await world.print(`${(await createIn(world, requireSandbox(world, pod, '').id, file, podFile)).id}\n`);
  return 0;
}

async function start(world: CrictlWorld): Promise<number> {
  for (const id of needIds(world)) {
    const one = requireContainer(world, id, `starting the container "${id}": `);
    await world.proc.interruptible(world.runtime.startContainer(one.id));
    await world.print(`${id}\n`);
  }
  return 0;
}

async function run(world: CrictlWorld): Promise<number> {
  const [file = '', podFile = ''] = world.words.operands;
  if (podFile === '') throw new CrictlError('container-config and pod-config cannot be empty');
  const { runtime, proc } = world;
  const sandbox = await proc.interruptible(
    runtime.runSandbox(podSpec(readConfig<PodConfig>(world, podFile, 'podSandboxConfig'))),
  );
  const config = readConfig<ContainerConfig>(world, file, 'containerConfig');
  await proc.interruptible(runtime.pullImage(canonicalReference(config.image?.image ?? '')));
  const container = await createIn(world, sandbox.id, file, podFile);
  await proc.interruptible(runtime.startContainer(container.id));
  await world.print(`${container.id}\n`);
  return 0;
}

async function stats(world: CrictlWorld): Promise<number> {
  const { runtime, words, proc } = world;
  const [wanted] = words.operands;
  const chosen = runtime
    .listContainers()
    .filter(
      (one) =>
        (words.has('all') || one.state === 'running') &&
        (wanted === undefined || one.id.startsWith(wanted)) &&
        (words.value('id') === undefined || one.id.startsWith(words.value('id')!)) &&
        (words.value('pod') === undefined || one.sandboxId.startsWith(words.value('pod')!)) &&
        labelsFit(one.spec.labels, words.values('label')),
    );
  const usageOf = (one: Container): { cpuMs: number; memoryBytes: number } =>
    proc.kernel.cgroupUsage(`${sandboxOf(runtime, one)?.spec.cgroupParent ?? ''}/${one.id}`) ?? {
      cpuMs: 0,
      memoryBytes: 0,
    };
  if (words.value('output') === 'json' || words.value('output') === 'yaml') {
    const now = nanos(proc.clock.now());
    await printValue(world, {
      stats: chosen.map((one) => ({
        attributes: {
          annotations: one.spec.annotations,
          id: one.id,
          labels: one.spec.labels,
          metadata: { attempt: one.spec.attempt, name: one.spec.name },
        },
        cpu: {
          timestamp: now,
          usageCoreNanoSeconds: { value: String(Math.round(usageOf(one).cpuMs * 1e6)) },
        },
        memory: { timestamp: now, workingSetBytes: { value: String(usageOf(one).memoryBytes) } },
        writableLayer: { usedBytes: { value: String(runtime.layerBytes(one.id)) } },
      })),
    });
    return 0;
  }
  const before = new Map(chosen.map((one) => [one.id, usageOf(one).cpuMs]));
  const startMs = proc.clock.now();
  await proc.sleep(Number(words.value('seconds') ?? 1) * 1000);
  const tookMs = Math.max(1, proc.clock.now() - startMs);
  await world.print(
    tabular([
      ['CONTAINER', 'NAME', 'CPU %', 'MEM', 'DISK', 'INODES', 'SWAP'],
      ...chosen.map((one) => {
        const usage = usageOf(one);
        return [
          one.id.slice(0, 13),
          one.spec.name,
          (((usage.cpuMs - before.get(one.id)!) / tookMs) * 100).toFixed(2),
          decimalSize(usage.memoryBytes),
          decimalSize(runtime.layerBytes(one.id)),
          '10',
          '0B',
        ];
      }),
    ]),
  );
  return 0;
}

async function podStats(world: CrictlWorld): Promise<number> {
  const { runtime, proc } = world;
  const sandboxes = runtime.listSandboxes().filter(({ state }) => state === 'ready');
  const usageOf = ({ spec }: Sandbox): { cpuMs: number; memoryBytes: number } =>
    proc.kernel.cgroupUsage(spec.cgroupParent) ?? { cpuMs: 0, memoryBytes: 0 };
  const before = new Map(sandboxes.map((one) => [one.id, usageOf(one).cpuMs]));
  await proc.sleep(1000);
  await world.print(
    tabular([
      ['POD', 'POD ID', 'CPU %', 'MEM'],
      ...sandboxes.map((one) => [
        one.spec.podName,
        one.id.slice(0, 13),
        ((usageOf(one).cpuMs - before.get(one.id)!) / 10).toFixed(2),
        decimalSize(usageOf(one).memoryBytes),
      ]),
    ]),
  );
  return 0;
}

async function imageFs(world: CrictlWorld): Promise<number> {
  const bytes = world.runtime.listImages().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await printValue(world, {
    status: {
      containerFilesystems: [],
      imageFilesystems: [
        {
          fsId: { mountpoint: '/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs' },
          inodesUsed: { value: String(world.runtime.listImages().length * 1200) },
          timestamp: nanos(world.proc.clock.now()),
          usedBytes: { value: String(bytes) },
        },
      ],
    },
  });
  return 0;
}

async function version({ runtime, print }: CrictlWorld): Promise<number> {
  await print(
    `Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  ${runtime.version.startsWith('v') ? '' : 'v'}${runtime.version}\nRuntimeApiVersion:  v1\n`,
  );
  return 0;
}

async function info(world: CrictlWorld): Promise<number> {
  const { proc } = world;
  const config = proc.fs.exists('/etc/cni/net.d')
    ? proc.fs.readdir('/etc/cni/net.d').find(({ name }) => /\.(conf|conflist|json)$/.test(name))
    : undefined;
  const isReady = config !== undefined;
  await printValue(world, {
    cniconfig: {
      PluginConfDir: '/etc/cni/net.d',
      PluginDirs: ['/opt/cni/bin'],
      PluginMaxConfNum: 1,
      Prefix: 'eth',
    },
    config: {
      containerd: { defaultRuntimeName: 'runc', snapshotter: 'overlayfs' },
      sandboxImage: 'registry.k8s.io/pause:3.9',
    },
    golang: 'go1.21.13',
    lastCNILoadStatus: isReady
      ? 'OK'
      : 'cni config load failed: no network config found in /etc/cni/net.d: cni plugin not initialized: failed to load cni config',
    status: {
      conditions: [
        { message: '', reason: '', status: true, type: 'RuntimeReady' },
        isReady
          ? { message: '', reason: '', status: true, type: 'NetworkReady' }
          : {
              message: 'Network plugin returns error: cni plugin not initialized',
              reason: 'NetworkPluginNotReady',
              status: false,
              type: 'NetworkReady',
            },
      ],
    },
  });
  return 0;
}

async function events(world: CrictlWorld): Promise<number> {
  const { runtime, proc } = world;
  let writing = Promise.resolve();
  using _events = runtime.onEvent(({ kind, id }) => {
    const event = {
      containerId: id,
      containerEventType: `CONTAINER_${kind.toUpperCase()}_EVENT`,
      createdAt: nanos(proc.clock.now()),
    };
    writing = writing.then(() => proc.stdout.write(`${JSON.stringify(event)}\n`));
  });
  for (;;) await proc.sleep(1e9);
}

async function config(world: CrictlWorld): Promise<number> {
  const { proc, words } = world;
  const path = '/etc/crictl.yaml';
  const values = new Map(
    Object.entries({
      'runtime-endpoint': '',
      'image-endpoint': '',
      timeout: 0,
      debug: false,
      'pull-image-on-create': false,
      'disable-pull-on-run': false,
      ...(proc.fs.exists(path) ? (parseYaml(proc.fs.readText(path)) as object) : {}),
    } as Record<string, string | number | boolean>),
  );
  const settings = words.values('set');
  const [key, value] = words.operands;
  if (words.value('get') !== undefined) {
    const wanted = words.value('get')!;
    if (!values.has(wanted)) throw new CrictlError(`no configuration key named ${wanted}`);
    await world.print(`${String(values.get(wanted))}\n`);
    return 0;
  }
  if (words.has('list')) {
    await world.print(
      tabular([['KEY', 'VALUE'], ...Array.from(values, ([name, each]) => [name, String(each)])]),
    );
    return 0;
  }
  const pairs =
    settings.length > 0
      ? settings.flatMap((text) => text.split(',')).map((each) => each.split(/=(.*)/s))
      : key === undefined
        ? []
        : [[key, value]];
  if (pairs.length === 0) throw new CrictlError('you must specify at least one option or key');
  for (const [name = '', each = ''] of pairs) {
    if (!values.has(name)) throw new CrictlError(`no section named ${name}`);
    values.set(
      name,
      each === 'true' || each === 'false' ? each === 'true' : /^\d+$/.test(each) ? Number(each) : each,
    );
  }
  proc.fs.writeFile(
    path,
    Array.from(
      values,
      ([name, each]) => `${name}: ${typeof each === 'string' ? JSON.stringify(each) : String(each)}\n`,
    ).join(''),
  );
  return 0;
}

const LISTED = 'quiet,q output,o= template= no-trunc label= latest,l last,n= verbose,v id= state,s= name=';

export const CRICTL_COMMANDS: readonly CrictlCommand[] = [
  { names: ['attach'], summary: 'Attach to a running container' },
  {
    names: ['create'],
    summary: 'Create a new container',
    flags: 'with-pull no-pull auth= creds=',
    run: create,
  },
  {
    names: ['exec'],
    summary: 'Run a command in a running container',
    form: '[command options] CONTAINER-ID COMMAND [ARG...]',
    flags: 'tty,t interactive,i sync,s timeout= transport=',
    stops: true,
    run: exec,
  },
  { names: ['version'], summary: 'Display runtime version information', run: version },
  {
    names: ['images', 'image', 'img'],
    summary: 'List images',
    flags: 'quiet,q output,o= template= no-trunc digests verbose,v pinned filter,f=',
    run: images,
  },
  {
    names: ['inspect'],
    summary: 'Display the status of one or more containers',
    flags: 'output,o= template= quiet,q id= name=',
    run: inspect,
  },
  {
    names: ['inspecti'],
    summary: 'Return the status of one or more images',
    flags: 'output,o= template= quiet,q',
    run: inspectImage,
  },
  { names: ['imagefsinfo'], summary: 'Return image filesystem info', flags: 'output,o=', run: imageFs },
  {
    names: ['inspectp'],
    summary: 'Display the status of one or more pods',
    flags: 'output,o= template= quiet,q',
    run: inspectPod,
  },
  {
    names: ['logs'],
    summary: 'Fetch the logs of a container',
    flags: 'follow,f tail= timestamps,t since= previous,p limit-bytes= reopen,r',
    run: logs,
  },
  { names: ['port-forward'], summary: 'Forward local port to a pod' },
  {
    names: ['ps'],
    summary: 'List containers',
    flags: `${LISTED} all,a pod,p= image= namespace= resolve-image-path,r`,
    run: ps,
  },
  {
    names: ['pull'],
    summary: 'Pull an image from a registry',
    flags: 'creds= auth= annotation,a= pod-config=',
    run: pull,
  },
  {
    names: ['run'],
    summary: 'Run a new container inside a sandbox',
    flags: 'no-pull with-pull runtime,r= timeout,t=',
    run,
  },
  { names: ['runp'], summary: 'Run a new pod', flags: 'runtime,r= cancel-timeout,T=', run: runPod },
  {
    names: ['rm'],
    summary: 'Remove one or more containers',
    flags: 'force,f all,a keep-logs,k',
    run: remove,
  },
  { names: ['rmi'], summary: 'Remove one or more images', flags: 'all,a prune,q', run: removeImages },
  { names: ['rmp'], summary: 'Remove one or more pods', flags: 'force,f all,a', run: removePods },
  { names: ['pods'], summary: 'List pods', flags: `${LISTED} namespace=`, run: pods },
  { names: ['start'], summary: 'Start one or more created containers', run: start },
  {
    names: ['info'],
    summary: 'Display information of the container runtime',
    flags: 'output,o= quiet,q template=',
    run: info,
  },
  { names: ['stop'], summary: 'Stop one or more running containers', flags: 'timeout,t=', run: stop },
  { names: ['stopp'], summary: 'Stop one or more running pods', run: stopPods },
  { names: ['update'], summary: 'Update one or more running containers' },
  {
    names: ['config'],
    summary: 'Get, set and list crictl configuration options',
    flags: 'get= set= list',
    run: config,
  },
  {
    names: ['stats'],
    summary: 'List container(s) resource usage statistics',
    flags: 'all,a id= pod,p= label= output,o= seconds,s= watch,w name=',
    run: stats,
  },
  {
    names: ['statsp'],
    summary:
      "List pod statistics. Stats represent a structured API that will fulfill the Kubelet's /stats/summary endpoint.",
    flags: 'id= label= output,o= watch,w',
    run: podStats,
  },
  {
    names: ['metricsp'],
    summary:
      "List pod metrics. Metrics are unstructured key/value pairs gathered by CRI meant to replace cAdvisor's /metrics/cadvisor endpoint.",
  },
  { names: ['completion'], summary: 'Output shell completion code' },
  { names: ['checkpoint'], summary: 'Checkpoint one or more running containers' },
  { names: ['runtime-config'], summary: 'Retrieve the container runtime configuration' },
  { names: ['events', 'event'], summary: 'Stream the events of containers', flags: 'output,o=', run: events },
];
