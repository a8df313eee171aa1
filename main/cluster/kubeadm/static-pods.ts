// The manifests that kubeadm leaves in /etc/kubernetes/manifests for the kubelet of a control-plane machine.
import { stringify } from 'yaml';
import type { Profile } from '../profile.ts';
import { kubeadmRelease } from './release.ts';

interface StaticPod {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly cpu: string;
  readonly memory?: string;
  /** Host paths mounted at the same place. */
  readonly folders: readonly string[];
  readonly probe: {
    readonly port: number;
    readonly path: string;
    readonly scheme: 'HTTP' | 'HTTPS';
    readonly host: string;
  };
}

/** File name to YAML, for a control plane at `address`. */
export function staticPodManifests(profile: Profile, address: string): Map<string, string> {
  return new Map(
    staticPods(profile, address).map((pod) => [
      `${pod.name}.yaml`,
      stringify(manifest(pod, address), { lineWidth: 0 }),
    ]),
  );
}

function staticPods(profile: Profile, address: string): StaticPod[] {
  const version = profile.kubernetesVersion;
  const { etcdImage, imageRepository, minor } = kubeadmRelease(version);
  const pki = '/etc/kubernetes/pki';
  return [
    {
      name: 'etcd',
      image: etcdImage,
      command: [
        'etcd',
        `--advertise-client-urls=https://${address}:2379`,
        `--cert-file=${pki}/etcd/server.crt`,
        '--data-dir=/var/lib/etcd',
        `--key-file=${pki}/etcd/server.key`,
        `--listen-client-urls=https://127.0.0.1:2379,https://${address}:2379`,
        '--listen-metrics-urls=http://127.0.0.1:2381',
        `--trusted-ca-file=${pki}/etcd/ca.crt`,
      ],
      cpu: '100m',
      memory: '100Mi',
      folders: ['/var/lib/etcd', `${pki}/etcd`],
      probe: { port: 2381, path: '/health', scheme: 'HTTP', host: '127.0.0.1' },
    },
    {
      name: 'kube-apiserver',
      image: `${imageRepository}/kube-apiserver:${version}`,
      command: [
        'kube-apiserver',
        `--advertise-address=${address}`,
        '--allow-privileged=true',
        '--authorization-mode=Node,RBAC',
        `--client-ca-file=${pki}/ca.crt`,
        '--enable-admission-plugins=NodeRestriction',
        '--etcd-servers=https://127.0.0.1:2379',
        `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
        `--proxy-client-key-file=${pki}/front-proxy-client.key`,
        '--requestheader-allowed-names=front-proxy-client',
        `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-username-headers=X-Remote-User',
        '--secure-port=6443',
        `--service-cluster-ip-range=${profile.serviceCidr}`,
        `--tls-cert-file=${pki}/apiserver.crt`,
        `--tls-private-key-file=${pki}/apiserver.key`,
      ],
      cpu: '250m',
      folders: [pki, '/etc/ssl/certs'],
      probe: { port: 6443, path: minor < 18 ? '/healthz' : '/livez', scheme: 'HTTPS', host: address },
    },
    {
      name: 'kube-controller-manager',
      image: `${imageRepository}/kube-controller-manager:${version}`,
      command: [
        'kube-controller-manager',
        `--allocate-node-cidrs=${profile.cni !== 'bridge'}`,
        '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--bind-address=127.0.0.1',
        ...(profile.cni === 'bridge' ? [] : [`--cluster-cidr=${profile.podCidr}`]),
        '--cluster-name=kubernetes',
        `--cluster-signing-cert-file=${pki}/ca.crt`,
        `--cluster-signing-key-file=${pki}/ca.key`,
        '--controllers=*,bootstrapsigner,tokencleaner',
        '--kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--leader-elect=true',
        `--service-cluster-ip-range=${profile.serviceCidr}`,
        '--use-service-account-credentials=true',
      ],
      cpu: '200m',
      folders: [pki, '/etc/ssl/certs'],
      probe: { port: 10257, path: '/healthz', scheme: 'HTTPS', host: '127.0.0.1' },
    },
    {
      name: 'kube-scheduler',
      image: `${imageRepository}/kube-scheduler:${version}`,
      command: [
        'kube-scheduler',
        '--authentication-kubeconfig=/etc/kubernetes/scheduler.conf',
        '--authorization-kubeconfig=/etc/kubernetes/scheduler.conf',
        '--bind-address=127.0.0.1',
        '--kubeconfig=/etc/kubernetes/scheduler.conf',
        '--leader-elect=true',
      ],
      cpu: '100m',
      folders: [],
      probe: { port: 10259, path: '/healthz', scheme: 'HTTPS', host: '127.0.0.1' },
    },
  ];
}

function manifest(pod: StaticPod, address: string): unknown {
  const probe = (failureThreshold: number, extra: object): object => ({
    failureThreshold,
    httpGet: { host: pod.probe.host, path: pod.probe.path, port: pod.probe.port, scheme: pod.probe.scheme },
    periodSeconds: 10,
    timeoutSeconds: 15,
    ...extra,
  });
  const endpoint =
    pod.name === 'kube-apiserver'
      ? {
          annotations: {
            'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${address}:6443`,
          },
        }
      : {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...endpoint,
      labels: { component: pod.name, tier: 'control-plane' },
      name: pod.name,
      namespace: 'kube-system',
    },
    spec: {
      containers: [
        {
          command: pod.command,
          image: pod.image,
          imagePullPolicy: 'IfNotPresent',
          livenessProbe: probe(8, { initialDelaySeconds: 10 }),
          name: pod.name,
          resources: {
            requests: { cpu: pod.cpu, ...(pod.memory === undefined ? {} : { memory: pod.memory }) },
          },
          startupProbe: probe(24, { initialDelaySeconds: 10 }),
          volumeMounts: pod.folders.map((path, index) => ({ mountPath: path, name: `folder-${index}` })),
        },
      ],
      hostNetwork: true,
      priority: 2000001000,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      volumes: pod.folders.map((path, index) => ({
        hostPath: { path, type: 'DirectoryOrCreate' },
        name: `folder-${index}`,
      })),
    },
  };
}
