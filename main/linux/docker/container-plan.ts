// What docker's settings for a container mean to the runtime, and the files that tell a container about itself.
import type { ContainerImage, ContainerMount, ContainerSpec } from '../containerd/index.ts';
import type { FileSystemView } from '../kernel/index.ts';
import type { EngineMount, EngineNetwork, EngineSpec } from './engine-types.ts';

const LOCAL_HOSTS =
  '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n';

/** `folder` has the container's hosts, hostname and resolv.conf; `pathOf` tells where a mount's source is. */
export function containerSpecOf(
  spec: EngineSpec,
  image: ContainerImage,
  folder: string,
  logPath: string,
  pathOf: (mount: EngineMount) => string,
): ContainerSpec {
  const mounts: ContainerMount[] = [
    ...(['hosts', 'hostname', 'resolv.conf'] as const).map((name) => ({
      containerPath: `/etc/${name}`,
      hostPath: `${folder}/${name}`,
    })),
    ...spec.mounts.map((mount) => ({
      containerPath: mount.target,
      hostPath: pathOf(mount),
      readOnly: mount.readOnly,
    })),
  ];
  return {
    name: spec.name,
    attempt: 0,
    image: spec.image,
    command: [
      ...(spec.entrypoint ?? image.entrypoint ?? []),
      ...(spec.command.length > 0
        ? spec.command
        : spec.entrypoint === undefined
          ? (image.command ?? [])
          : []),
    ],
    env: spec.env.map((entry) => ({
      name: entry.split('=', 1)[0]!,
      value: entry.includes('=') ? entry.slice(entry.indexOf('=') + 1) : '',
    })),
    ...(spec.workingDirectory === undefined ? {} : { workingDirectory: spec.workingDirectory }),
    ...(spec.user === undefined ? {} : { user: spec.user }),
    mounts,
    tty: spec.tty,
    stdin: spec.stdin,
    stdinOnce: spec.stdin,
    ...(spec.memoryMaxBytes === undefined ? {} : { memoryMaxBytes: spec.memoryMaxBytes }),
    ...(spec.cpus === undefined ? {} : { cpuQuotaUs: Math.round(spec.cpus * 100_000) }),
    readOnlyRoot: spec.readOnlyRoot,
    privileged: spec.privileged,
    capabilities: spec.capabilities,
    labels: spec.labels,
    annotations: {},
    logPath: logPath,
    logFormat: 'json',
  };
}

/**
 * hosts, hostname and resolv.conf.
 * Differs: on networks of their own containers find each other by the hosts file, as of the start, since Docker's
 * DNS server isn't simulated.
 */
export function writeContainerFiles(
  files: FileSystemView,
  folder: string,
  container: {
    readonly spec: EngineSpec;
    readonly address: string;
    readonly hostname: string;
    readonly network: EngineNetwork | undefined;
    readonly peers: readonly { readonly name: string; readonly address: string }[];
  },
): void {
  const { spec, address, hostname, network, peers } = container;
  files.mkdir(folder, { recursive: true, mode: 0o710 });
  const read = (path: string): string => (files.exists(path) ? files.readText(path) : '');
  const own = address === '' ? '' : `${address}\t${hostname}\n`;
  const hosts = network?.driver === 'host' ? read('/etc/hosts') : LOCAL_HOSTS + own;
  const extra = spec.addHosts.map((each) => {
    const [name = '', ip = ''] = each.split(/:(.*)/);
    return `${ip === 'host-gateway' ? (network?.gateway ?? '127.0.0.1') : ip}\t${name}\n`;
  });
  const others = peers.map((peer) => `${peer.address}\t${peer.name}\n`);
  files.writeFile(`${folder}/hosts`, hosts + [...extra, ...others].join(''));
  files.writeFile(`${folder}/hostname`, `${hostname}\n`);
  const servers = spec.dns.map((each) => `nameserver ${each}\n`).join('');
  files.writeFile(`${folder}/resolv.conf`, servers === '' ? read('/etc/resolv.conf') : servers);
}
