// The registries of this world: which images there are, under which names and tags.
import type { ContainerImage, ImageFile, ImageRegistry } from '../linux/containerd/index.ts';
import type { Process, Program } from '../linux/kernel/index.ts';
import type { ApiClient } from '../kubernetes/client/index.ts';
import { untilStopped } from '../kubernetes/daemon/index.ts';
import { makeKubeProxy } from '../kubernetes/proxy/index.ts';
import {
  alpine,
  bashFile,
  busybox,
  centos,
  debian,
  programFile,
  scratch,
  textFile,
  withPackages,
  type Files,
} from './bases.ts';
import { agnhost } from './agnhost.ts';
import { makeCoreDns } from './coredns/server.ts';
import { makeFlanneld } from './flannel.ts';
import { makeLocalPathProvisioner } from './local-path-provisioner.ts';
import { makeMetricsServer } from './metrics-server/server.ts';
import { nginxImage } from './nginx/image.ts';

export interface CatalogueOptions {
  /** How a program in a container reaches the API server: over its pod's network, with its service account. */
  readonly client: (proc: Process) => ApiClient;
  /**
   * Programs that wrap parts of the simulation, by the name of their binary: `kube-apiserver`,
   * `kube-controller-manager`, `kube-scheduler`, `etcd` …
   */
  readonly programs: ReadonlyMap<string, Program>;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** The registries that answer in this world, whether or not they have anything. */
const REGISTRY_HOSTS: ReadonlySet<string> = new Set([
  'docker.io',
  'docker.elastic.co',
  'gcr.io',
  'ghcr.io',
  'k8s.gcr.io',
  'mcr.microsoft.com',
  'public.ecr.aws',
  'quay.io',
  'registry.aliyuncs.com',
  'registry.cn-hangzhou.aliyuncs.com',
  'registry.k8s.io',
]);
/** Where Kubernetes' own images are published, and mirrored. */
const KUBERNETES_REGISTRIES = [
  'registry.k8s.io',
  'k8s.gcr.io',
  'registry.aliyuncs.com/google_containers',
  'registry.cn-hangzhou.aliyuncs.com/google_containers',
];
const CONTROL_PLANE_BYTES: Readonly<Record<string, number>> = {
  'kube-apiserver': 27_060_000,
  'kube-controller-manager': 22_820_000,
  'kube-scheduler': 17_390_000,
};

/** A registry that knows every image of this world. The same reference always gives the same image. */
export function makeCatalogue(options: CatalogueOptions): ImageRegistry {
  const known = new Map<string, ContainerImage | undefined>();
  return {
    lookup(reference) {
      if (!known.has(reference)) known.set(reference, find(reference, options));
      return known.get(reference);
    },
    hasHost: (host) => REGISTRY_HOSTS.has(host),
  };
}

function find(reference: string, options: CatalogueOptions): ContainerImage | undefined {
  const [plain = ''] = reference.split('@');
  const colon = plain.indexOf(':', plain.lastIndexOf('/') + 1);
  const repository = colon < 0 ? plain : plain.slice(0, colon);
  const tag = colon < 0 ? 'latest' : plain.slice(colon + 1);
  if (repository === 'docker.io/library/nginx') return nginxImage(tag);
  return (
    baseImage(repository, tag) ??
    addOnImage(repository, tag, options) ??
    kubernetesImage(repository, tag, options)
  );
}

function image(
  name: string,
  sizeBytes: number,
  base: Files,
  more: Readonly<Record<string, ImageFile>>,
  rest: Partial<ContainerImage>,
): ContainerImage {
  return { name, sizeBytes, files: new Map([...base, ...Object.entries(more)]), env: [PATH], ...rest };
}

function baseImage(repository: string, tag: string): ContainerImage | undefined {
  const name = `${repository}:${tag}`;
  const isTag = (pattern: RegExp): boolean => tag === 'latest' || pattern.test(tag);
  switch (repository) {
    case 'docker.io/library/busybox':
      if (!isTag(/^(1|stable|musl|glibc|uclibc|1\.(2[4-9]|3[0-7])(\.\d)?)(-(musl|glibc|uclibc))?$/))
        return undefined;
      return image(name, 2_223_686, busybox(), {}, { command: ['sh'], created: '2024-09-26T21:31:42Z' });
    case 'docker.io/library/alpine':
      if (!isTag(/^3(\.\d+){0,2}$|^edge$/)) return undefined;
      return image(
        name,
        3_626_897,
        alpine(/^3\.\d+\.\d+$/.test(tag) ? tag : /^3\.\d+$/.test(tag) ? `${tag}.0` : '3.22.2'),
        {},
        { command: ['/bin/sh'], created: '2025-10-08T11:04:56Z' },
      );
    case 'docker.io/library/debian':
      if (!isTag(/^(1[0-3]|bookworm|bullseye|buster|trixie|stable)(-slim)?$/)) return undefined;
      return image(
        name,
        48_479_577,
        debian({ number: '12.11', codename: 'bookworm' }),
        {},
        { command: ['bash'], created: '2025-09-29T00:00:00Z' },
      );
    case 'docker.io/library/centos':
      if (!isTag(/^(7|centos7|7\.9\.2009)$/)) return undefined;
      return image(
        name,
        76_097_157,
        centos(),
        {},
        { command: ['/bin/bash'], created: '2021-09-15T18:20:05Z' },
      );
    case 'docker.io/tutum/dnsutils':
      if (tag !== 'latest') return undefined;
      return image(
        name,
        67_385_062,
        dnsTools(),
        {},
        { command: ['/bin/bash'], created: '2015-06-11T08:46:19Z' },
      );
    case 'registry.k8s.io/e2e-test-images/jessie-dnsutils':
      if (!/^1\.[0-7]$/.test(tag)) return undefined;
      return image(
        name,
        84_800_000,
        dnsTools(),
        {},
        { command: ['sleep', '3600'], created: '2022-04-18T17:34:42Z' },
      );
    case 'registry.k8s.io/e2e-test-images/agnhost':
      if (!/^2\.\d+$/.test(tag)) return undefined;
      return image(
        name,
        51_370_000,
        alpine('3.18.4'),
        { '/agnhost': programFile('agnhost', agnhost) },
        {
          entrypoint: ['/agnhost'],
          command: ['pause'],
          exposedPorts: ['80/tcp', '8080/tcp', '8081/tcp', '9376/tcp'],
        },
      );
    case 'docker.io/mritd/alpine':
      if (!/^3\.[1-9]$/.test(tag)) return undefined;
      return image(
        name,
        12_700_000,
        alpine(`${tag}.6`),
        { '/bin/bash': bashFile() },
        { command: ['/bin/bash'], created: '2018-09-12T01:30:33Z' },
      );
    default:
      return undefined;
  }
}

/** Debian with dig, nslookup and what else asks the network. */
function dnsTools(): Files {
  return withPackages(debian({ number: '8.11', codename: 'jessie' }), [
    'bind-utils',
    'iputils',
    'curl',
    'net-tools',
    'procps-ng',
  ]);
}

function addOnImage(
  repository: string,
  tag: string,
  { client }: CatalogueOptions,
): ContainerImage | undefined {
  const name = `${repository}:${tag}`;
  if (
    /^(ghcr\.io\/flannel-io|docker\.io\/flannel|docker\.io\/rancher|quay\.io\/coreos)\/(mirrored-flannelcni-)?flannel$/.test(
      repository,
    ) &&
    /^v0\.\d+\.\d+/.test(tag)
  ) {
    return image(
      name,
      33_068_000,
      alpine('3.22.2'),
      { '/opt/bin/flanneld': programFile('flanneld', makeFlanneld({ client })) },
      { entrypoint: ['/opt/bin/flanneld'] },
    );
  }
  if (/\/(mirrored-)?flannel(cni)?-(flannel-)?cni-plugin$/.test(repository) && /^v1\.\d+\.\d+/.test(tag)) {
    return image(
      name,
      5_000_000,
      alpine('3.22.2'),
      { '/flannel': textFile('', 0o755) },
      { command: ['/bin/sh'] },
    );
  }
  if (repository === 'docker.io/rancher/local-path-provisioner' && /^v0\.0\.\d+$/.test(tag)) {
    const program = programFile('local-path-provisioner', makeLocalPathProvisioner({ client }));
    return image(
      name,
      19_500_000,
      alpine('3.22.2'),
      { '/usr/bin/local-path-provisioner': program },
      { command: ['local-path-provisioner'] },
    );
  }
  return undefined;
}

function kubernetesImage(
  repository: string,
  tag: string,
  options: CatalogueOptions,
): ContainerImage | undefined {
  const registry = KUBERNETES_REGISTRIES.find((candidate) => repository.startsWith(`${candidate}/`));
  if (registry === undefined || tag === 'latest') return undefined;
  const name = `${repository}:${tag}`;
  const short = repository.slice(registry.length + 1).replace(/-amd64$/, '');
  if (short === 'pause')
    return image(
      name,
      320_368,
      scratch(),
      { '/pause': programFile('pause', pause) },
      { entrypoint: ['/pause'], user: '65535:65535' },
    );
  if (short === 'coredns' || short === 'coredns/coredns') {
    const program = makeCoreDns({ client: options.client, version: tag.replace(/^v/, '') });
    return image(
      name,
      22_387_000,
      scratch(),
      { '/coredns': programFile('coredns', program) },
      { entrypoint: ['/coredns'], exposedPorts: ['53/tcp', '53/udp'] },
    );
  }
  if (short === 'kube-proxy' && /^v1\.\d+\.\d+/.test(tag)) {
    const program = makeKubeProxy({ client: options.client, version: tag });
    return image(
      name,
      25_960_000,
      debian({ number: '12.11', codename: 'bookworm' }),
      { '/usr/local/bin/kube-proxy': programFile('kube-proxy', program) },
      { command: ['/usr/local/bin/kube-proxy'] },
    );
  }
  if (short === 'metrics-server/metrics-server' && /^v0\.[678]\.\d+$/.test(tag)) {
    const program = makeMetricsServer({ client: options.client });
    return image(
      name,
      22_489_000,
      scratch(),
      {
        '/metrics-server': programFile('metrics-server', program),
        '/tmp': { type: 'directory', mode: 0o1777 },
      },
      { entrypoint: ['/metrics-server'], user: '65534' },
    );
  }
  const isRelease = /^v1\.\d+\.\d+/.test(tag) || (short === 'etcd' && /^3\.\d+\.\d+(-\d+)?$/.test(tag));
  const program = options.programs.get(short);
  if (program === undefined || !isRelease) return undefined;
  return image(
    name,
    CONTROL_PLANE_BYTES[short] ?? 58_000_000,
    scratch(),
    { [`/usr/local/bin/${short}`]: programFile(short, program) },
    { command: [`/usr/local/bin/${short}`] },
  );
}

/** Holds a pod's namespaces and does nothing. */
const pause: Program = (proc) => untilStopped(proc);
