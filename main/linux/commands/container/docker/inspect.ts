// docker inspect: a container or an image as the daemon's API describes it.
import { EngineError, type EngineContainer } from '../../../docker/index.ts';
import type { ImageRecord } from '../../../containerd/index.ts';
import { canonicalReference, sandboxOf } from '../runtime.ts';
import { parseFlags } from './flags.ts';
import { inspectAll } from './objects.ts';
import { listShown, type Shown, type World } from './world.ts';

const NEVER = '0001-01-01T00:00:00Z';

export async function inspect(
  world: World,
  args: readonly string[],
  only?: 'container' | 'image',
): Promise<number> {
  const flags = parseFlags(`${world.program} inspect`, args, 'f,format= s,size type=');
  const type = only ?? flags.value('type');
  return inspectAll(world, flags.operands, flags.value('format'), (name) => {
    const shown = type === 'image' ? undefined : findQuietly(world, name);
    if (shown !== undefined) return containerObject(world, shown);
    const image = type === 'container' ? undefined : findImage(world, name);
    if (image !== undefined) return imageObject(image);
    const network =
      type === undefined ? world.engine.listNetworks().find((one) => one.name === name) : undefined;
    if (network !== undefined)
      return {
        Name: network.name,
        Id: network.id,
        Driver: network.driver,
        Scope: 'local',
        IPAM: { Config: [{ Subnet: network.subnet, Gateway: network.gateway }] },
      };
    const volume =
      type === undefined ? world.engine.listVolumes().find((one) => one.name === name) : undefined;
    if (volume !== undefined)
      return { Name: volume.name, Driver: 'local', Mountpoint: volume.mountpoint, Scope: 'local' };
    throw new EngineError(
      'not-found',
      type === 'image'
        ? `No such image: ${name}`
        : type === 'container'
          ? `No such container: ${name}`
          : `No such object: ${name}`,
      1,
    );
  });
}

function findQuietly(world: World, name: string): Shown | undefined {
  const all = listShown(world);
  return (
    all.find((one) => one.id === name || one.name === name.replace(/^\//, '')) ??
    (/^[0-9a-f]+$/.test(name) ? all.find(({ id }) => id.startsWith(name)) : undefined)
  );
}

/** By name, id or the beginning of an id. */
export function findImage(world: World, name: string): ImageRecord | undefined {
  const byName = /^sha256:|@/.test(name)
    ? world.images.status(name)
    : world.images.status(canonicalReference(name));
  return (
    byName ??
    (/^[0-9a-f]{2,64}$/.test(name)
      ? world.images.list().find(({ id }) => id.startsWith(`sha256:${name}`))
      : undefined)
  );
}

function stamp(ms: number | undefined): string {
  return ms === undefined ? NEVER : new Date(Math.floor(ms)).toISOString().replace('Z', '000000Z');
}

function containerObject(world: World, shown: Shown): unknown {
  const { own } = shown;
  const [path = '', ...args] = shown.argv;
  const folder = `/var/lib/docker/containers/${shown.id}`;
  return {
    Id: shown.id,
    Created: stamp(shown.createdMs),
    Path: path,
    Args: args,
    State: {
      Status: shown.state,
      Running: shown.state === 'running',
      Paused: shown.state === 'paused',
      Restarting: false,
      OOMKilled: own?.isOutOfMemory ?? false,
      Dead: false,
      Pid: shown.pid ?? 0,
      ExitCode: shown.exitCode,
      Error: own?.error ?? '',
      StartedAt: stamp(shown.startedMs),
      FinishedAt: stamp(shown.finishedMs),
    },
    Image: shown.imageId,
    ResolvConfPath: `${folder}/resolv.conf`,
    HostnamePath: `${folder}/hostname`,
    HostsPath: `${folder}/hosts`,
    LogPath: shown.logPath ?? '',
    Name: `/${shown.name}`,
    RestartCount: own?.restartCount ?? 0,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: hostConfig(own),
    GraphDriver: {
      Data: {
        MergedDir: `/var/lib/docker/overlay2/${shown.id}/merged`,
        UpperDir: `/var/lib/docker/overlay2/${shown.id}/diff`,
        WorkDir: `/var/lib/docker/overlay2/${shown.id}/work`,
      },
      Name: 'overlay2',
    },
    Mounts: (own?.spec.mounts ?? []).map((mount) => ({
      Type: mount.type,
      ...(mount.type === 'volume' ? { Name: mount.source } : {}),
      Source: mount.type === 'volume' ? `/var/lib/docker/volumes/${mount.source}/_data` : mount.source,
      Destination: mount.target,
      ...(mount.type === 'volume' ? { Driver: 'local' } : {}),
      Mode: mount.readOnly ? 'ro' : '',
      RW: !mount.readOnly,
      Propagation: mount.type === 'bind' ? 'rprivate' : '',
    })),
    Config: config(world, shown),
    NetworkSettings: own === undefined ? podNetwork(world, shown) : networkSettings(world, own),
  };
}

function hostConfig(own: EngineContainer | undefined): unknown {
  const spec = own?.spec;
  const binds = (spec?.mounts ?? [])
    .filter(({ source }) => source !== '')
    .map(({ source, target, readOnly }) => `${source}:${target}${readOnly ? ':ro' : ''}`);
  return {
    Binds: binds.length === 0 ? null : binds,
    ContainerIDFile: '',
    LogConfig: { Type: 'json-file', Config: {} },
    NetworkMode: spec?.network === undefined || spec.network === 'bridge' ? 'default' : spec.network,
    PortBindings: Object.fromEntries(
      (spec?.ports ?? []).map(({ containerPort, protocol, hostIp, hostPort }) => [
        `${containerPort}/${protocol}`,
        [{ HostIp: hostIp === '0.0.0.0' ? '' : hostIp, HostPort: String(hostPort) }],
      ]),
    ),
    RestartPolicy: { Name: spec?.restart.name ?? 'no', MaximumRetryCount: spec?.restart.max ?? 0 },
    AutoRemove: spec?.autoRemove ?? false,
    VolumeDriver: '',
    CapAdd: (spec?.capabilities.add.length ?? 0) === 0 ? null : spec?.capabilities.add,
    CapDrop: (spec?.capabilities.drop.length ?? 0) === 0 ? null : spec?.capabilities.drop,
    Dns: spec?.dns ?? [],
    ExtraHosts: (spec?.addHosts.length ?? 0) === 0 ? null : spec?.addHosts,
    PidMode: spec?.pidOfMachine === true ? 'host' : '',
    Privileged: spec?.privileged ?? false,
    PublishAllPorts: false,
    ReadonlyRootfs: spec?.readOnlyRoot ?? false,
    Runtime: 'runc',
    Memory: spec?.memoryMaxBytes ?? 0,
    NanoCpus: 0,
  };
}

function config(world: World, shown: Shown): unknown {
  const { own } = shown;
  const pod =
    own === undefined ? world.runtime?.listContainers().find(({ id }) => id === shown.id) : undefined;
  const image = own?.imageConfig ?? world.images.status(shown.imageId)?.image;
  const env = new Map((image?.env ?? []).map((entry) => [entry.split('=', 1)[0]!, entry]));
  for (const entry of own?.spec.env ?? pod?.spec.env.map(({ name, value }) => `${name}=${value}`) ?? [])
    env.set(entry.split('=', 1)[0]!, entry);
  const exposed = [
    ...(image?.exposedPorts ?? []),
    ...(own?.spec.ports ?? []).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`),
  ];
  return {
    Hostname: own?.spec.hostname ?? shown.id.slice(0, 12),
    Domainname: '',
    User: own?.spec.user ?? image?.user ?? '',
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    ...(exposed.length === 0 ? {} : { ExposedPorts: Object.fromEntries(exposed.map((each) => [each, {}])) }),
    Tty: own?.spec.tty ?? pod?.spec.tty ?? false,
    OpenStdin: own?.spec.stdin ?? pod?.spec.stdin ?? false,
    StdinOnce: own?.spec.stdin ?? false,
    Env: Array.from(env.values()),
    Cmd:
      own === undefined
        ? shown.argv
        : own.spec.command.length > 0
          ? own.spec.command
          : (image?.command ?? null),
    Image: shown.image,
    Volumes:
      image?.volumes === undefined ? null : Object.fromEntries(image.volumes.map((each) => [each, {}])),
    WorkingDir: own?.spec.workingDirectory ?? image?.workingDirectory ?? '',
    Entrypoint: own?.spec.entrypoint ?? image?.entrypoint ?? null,
    OnBuild: null,
    Labels: shown.labels,
    ...(image?.stopSignal === undefined ? {} : { StopSignal: image.stopSignal }),
  };
}

function podNetwork(world: World, shown: Shown): unknown {
  const pod = world.runtime?.listContainers().find(({ id }) => id === shown.id);
  return {
    IPAddress:
      pod === undefined || world.runtime === undefined ? '' : (sandboxOf(world.runtime, pod)?.ips[0] ?? ''),
    Networks: {},
  };
}

function networkSettings(world: World, own: EngineContainer): unknown {
  const network = world.engine.listNetworks().find(({ name }) => name === own.spec.network);
  const isUp = own.state === 'running' && own.address !== '';
  const prefix = Number(network?.subnet.split('/')[1] ?? 16);
  const endpoint = {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    NetworkID: network?.id ?? '',
    EndpointID: isUp ? own.id.split('').reverse().join('') : '',
    Gateway: isUp ? (network?.gateway ?? '') : '',
    IPAddress: isUp ? own.address : '',
    IPPrefixLen: isUp ? prefix : 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    MacAddress: isUp ? own.mac : '',
  };
  const isDefault = own.spec.network === 'bridge';
  const ports: Record<string, unknown> = Object.fromEntries(
    (own.imageConfig.exposedPorts ?? []).map((each) => [each, null]),
  );
  if (own.state === 'running')
    for (const { containerPort, protocol, hostIp, hostPort } of own.spec.ports)
      ports[`${containerPort}/${protocol}`] =
        hostIp === '0.0.0.0'
          ? [
              { HostIp: hostIp, HostPort: String(hostPort) },
              { HostIp: '::', HostPort: String(hostPort) },
            ]
          : [{ HostIp: hostIp, HostPort: String(hostPort) }];
  return {
    Bridge: '',
    SandboxID: own.id,
    HairpinMode: false,
    Ports: own.state === 'running' ? ports : {},
    SandboxKey: `/var/run/docker/netns/${own.id.slice(0, 12)}`,
    EndpointID: isDefault ? endpoint.EndpointID : '',
    Gateway: isDefault ? endpoint.Gateway : '',
    IPAddress: isDefault ? endpoint.IPAddress : '',
    IPPrefixLen: isDefault ? endpoint.IPPrefixLen : 0,
    MacAddress: isDefault ? endpoint.MacAddress : '',
    Networks: { [own.spec.network]: endpoint },
  };
}

function imageObject({ id, repoTags, repoDigests, sizeBytes, image }: ImageRecord): unknown {
  const short = (name: string): string => name.replace(/^docker\.io\/(?:library\/)?/, '');
  return {
    Id: id,
    RepoTags: repoTags.map(short),
    RepoDigests: repoDigests.map(short),
    Parent: '',
    Comment: '',
    Created: image.created ?? NEVER,
    DockerVersion: '',
    Author: '',
    Config: {
      Hostname: '',
      Domainname: '',
      User: image.user ?? '',
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      ...(image.exposedPorts === undefined
        ? {}
        : { ExposedPorts: Object.fromEntries(image.exposedPorts.map((each) => [each, {}])) }),
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      Env: image.env ?? [],
      Cmd: image.command ?? null,
      Image: '',
      Volumes:
        image.volumes === undefined ? null : Object.fromEntries(image.volumes.map((each) => [each, {}])),
      WorkingDir: image.workingDirectory ?? '',
      Entrypoint: image.entrypoint ?? null,
      OnBuild: null,
      Labels: image.labels ?? null,
      ...(image.stopSignal === undefined ? {} : { StopSignal: image.stopSignal }),
    },
    Architecture: 'amd64',
    Os: 'linux',
    Size: sizeBytes,
    VirtualSize: sizeBytes,
    GraphDriver: { Data: {}, Name: 'overlay2' },
    RootFS: {
      Type: 'layers',
      Layers: (image.origin?.history ?? [{ by: '' }]).map(
        (_, index) => `sha256:${id.slice(7 + (index % 8))}${id.slice(7, 7 + (index % 8))}`,
      ),
    },
    Metadata: { LastTagTime: NEVER },
  };
}
