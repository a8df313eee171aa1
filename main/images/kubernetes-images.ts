// Kubernetes' own images: the control plane, kube-proxy, CoreDNS, pause, metrics-server, and the pods' network.
import type { Program } from '../linux/kernel/index.ts';
import { untilStopped } from '../kubernetes/daemon/index.ts';
import { makeKubeProxy } from '../kubernetes/proxy/index.ts';
import { alpine, debian, programFile, scratch, textFile } from './bases.ts';
import { makeCoreDns } from './coredns/server.ts';
import { makeFlanneld } from './flannel.ts';
import { repository, type Repository } from './image.ts';
import { makeLocalPathProvisioner } from './local-path-provisioner.ts';
import { makeMetricsServer } from './metrics-server/server.ts';

/** When a minor version's images were built, roughly: its first release's day. */
const RELEASED: Readonly<Record<string, string>> = {
  16: '2019-09-18',
  17: '2019-12-07',
  18: '2020-03-25',
  19: '2020-08-26',
  20: '2020-12-08',
  21: '2021-04-08',
  22: '2021-08-04',
  23: '2021-12-07',
  24: '2022-05-03',
  25: '2022-08-23',
  26: '2022-12-09',
  27: '2023-04-11',
  28: '2023-08-15',
  29: '2023-12-13',
  30: '2024-04-17',
  31: '2024-08-13',
  32: '2024-12-11',
  33: '2025-04-23',
  34: '2025-08-27',
};

function builtOf(tag: string): string {
  return `${RELEASED[/^v1\.(\d+)/.exec(tag)?.[1] ?? ''] ?? '2025-08-27'}T10:00:00Z`;
}

const RELEASE = /^v1\.\d+\.\d+/;

/** Holds a pod's namespaces and does nothing. */
const pause: Program = (proc) => untilStopped(proc);

/** Both names: some mirrors keep the architecture's. */
function names(short: string): string[] {
  return [`registry.k8s.io/${short}`, `registry.k8s.io/${short}-amd64`];
}

/** A part of the control plane: a program that the cluster passes in. */
function controlPlane(short: string, tags: RegExp, sizeBytes: number): Repository {
  return {
    names: names(short),
    image(tag, { programs }) {
      const program = programs.get(short);
      if (program === undefined || !tags.test(tag)) return undefined;
      return {
        base: scratch(),
        files: { [`/usr/local/bin/${short}`]: programFile(short, program) },
        sizeBytes,
        created: builtOf(tag),
        command: [`/usr/local/bin/${short}`],
      };
    },
  };
}

export const KUBERNETES_IMAGES: readonly Repository[] = [
  repository(names('pause'), /^(latest|1\.0|2\.0|3\.(\d|10)(\.\d)?)$/, () => ({
    base: scratch(),
    files: { '/pause': programFile('pause', pause) },
    sizeBytes: 320_368,
    created: '2022-11-30T20:00:00Z',
    entrypoint: ['/pause'],
    user: '65535:65535',
  })),
  controlPlane('kube-apiserver', RELEASE, 27_060_000),
  controlPlane('kube-controller-manager', RELEASE, 22_820_000),
  controlPlane('kube-scheduler', RELEASE, 17_390_000),
  controlPlane('etcd', /^3\.\d+\.\d+(-\d+)?$/, 58_000_000),
  repository(names('kube-proxy'), RELEASE, (tag, { client }) => ({
    base: debian({ number: '12.11', codename: 'bookworm' }),
    files: {
      '/usr/local/bin/kube-proxy': programFile('kube-proxy', makeKubeProxy({ client, version: tag })),
    },
    sizeBytes: 25_960_000,
    created: builtOf(tag),
    command: ['/usr/local/bin/kube-proxy'],
  })),
  repository(
    [...names('coredns'), 'registry.k8s.io/coredns/coredns', 'docker.io/coredns/coredns'],
    /^v?1\.\d+\.\d+/,
    (tag, { client }) => ({
      base: scratch(),
      files: { '/coredns': programFile('coredns', makeCoreDns({ client, version: tag.replace(/^v/, '') })) },
      sizeBytes: 22_387_000,
      created: '2023-02-06T22:11:38Z',
      entrypoint: ['/coredns'],
      exposedPorts: ['53/tcp', '53/udp'],
    }),
  ),
  repository('registry.k8s.io/metrics-server/metrics-server', /^v0\.[678]\.\d+$/, (_, { client }) => ({
    base: scratch(),
    files: {
      '/metrics-server': programFile('metrics-server', makeMetricsServer({ client })),
      '/tmp': { type: 'directory', mode: 0o1777 },
    },
    sizeBytes: 22_489_000,
    created: '2024-08-22T00:00:00Z',
    entrypoint: ['/metrics-server'],
    user: '65534',
  })),
  repository(
    [
      'ghcr.io/flannel-io/flannel',
      'docker.io/flannel/flannel',
      'docker.io/rancher/mirrored-flannelcni-flannel',
      'quay.io/coreos/flannel',
      'docker.io/rancher/flannel',
    ],
    /^v0\.\d+\.\d+/,
    (_, { client }) => ({
      base: alpine('3.22.2'),
      files: { '/opt/bin/flanneld': programFile('flanneld', makeFlanneld({ client })) },
      sizeBytes: 33_068_000,
      created: '2025-10-08T00:00:00Z',
      entrypoint: ['/opt/bin/flanneld'],
    }),
  ),
  repository(
    [
      'ghcr.io/flannel-io/flannel-cni-plugin',
      'docker.io/flannel/flannel-cni-plugin',
      'docker.io/rancher/mirrored-flannelcni-flannel-cni-plugin',
      'docker.io/rancher/mirrored-flannel-cni-plugin',
    ],
    /^v1\.\d+\.\d+/,
    () => ({
      base: alpine('3.22.2'),
      files: { '/flannel': textFile('', 0o755) },
      sizeBytes: 5_000_000,
      created: '2025-06-01T00:00:00Z',
      command: ['/bin/sh'],
    }),
  ),
  repository('docker.io/rancher/local-path-provisioner', /^v0\.0\.\d+$/, (_, { client }) => ({
    base: alpine('3.22.2'),
    files: {
      '/usr/bin/local-path-provisioner': programFile(
        'local-path-provisioner',
        makeLocalPathProvisioner({ client }),
      ),
    },
    sizeBytes: 19_500_000,
    created: '2025-01-15T00:00:00Z',
    command: ['local-path-provisioner'],
  })),
];
