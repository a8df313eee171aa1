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
    command: ['/usr/local/bin/kube-proxy'],
  })),
  repository(
    [...names('coredns'), 'registry.k8s.io/coredns/coredns', 'docker.io/coredns/coredns'],
    /^v?1\.\d+\.\d+/,
    (tag, { client }) => ({
      base: scratch(),
      files: { '/coredns': programFile('coredns', makeCoreDns({ client, version: tag.replace(/^v/, '') })) },
      sizeBytes: 22_387_000,
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
    command: ['local-path-provisioner'],
  })),
];
