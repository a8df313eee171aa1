// crictl runp, create, start and run: pods and containers from files.
import { parse as parseYaml } from 'yaml';
import {
  RuntimeError,
  type Container,
  type ContainerSpec,
  type SandboxSpec,
} from '../../../containerd/index.ts';
import { CrictlError, type CrictlWorld } from './words.ts';
import { canonicalReference } from '../runtime.ts';
import { needIds, requireContainer, requireSandbox } from './shared.ts';

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

export async function runPod(world: CrictlWorld): Promise<number> {
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

export async function create(world: CrictlWorld): Promise<number> {
  const [pod = '', file = '', podFile] = world.words.operands;
  if (file === '') throw new CrictlError('POD, container-config and pod-config cannot be empty');
  await world.print(`${(await createIn(world, requireSandbox(world, pod, '').id, file, podFile)).id}\n`);
  return 0;
}

export async function start(world: CrictlWorld): Promise<number> {
  for (const id of needIds(world)) {
    const one = requireContainer(world, id, `starting the container "${id}": `);
    await world.proc.interruptible(world.runtime.startContainer(one.id));
    await world.print(`${id}\n`);
  }
  return 0;
}

export async function run(world: CrictlWorld): Promise<number> {
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
