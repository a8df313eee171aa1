// The objects of Flannel's manifest: its namespace, account, rights, configuration and DaemonSet.
import { minorOf, type KubernetesObject } from '../../kubernetes/api/index.ts';
import type { Profile } from '../profile.ts';

type Manifest = KubernetesObject & Record<string, unknown>;

/** What differs between Flannel's manifests of the years. */
interface FlannelRelease {
  readonly namespace: string;
  readonly daemonSet: string;
  readonly image: string;
  /** Brings the CNI plugin; before, it came with the package kubernetes-cni. */
  readonly pluginImage?: string;
}

/** First release of Kubernetes that people installed with Flannel's newer manifest. */
const OWN_NAMESPACE_SINCE = 22;

function flannelRelease({ kubernetesVersion }: Profile): FlannelRelease {
  const minor = minorOf(kubernetesVersion);
  if (minor < 17)
    return {
      namespace: 'kube-system',
      daemonSet: 'kube-flannel-ds-amd64',
      image: 'quay.io/coreos/flannel:v0.11.0-amd64',
    };
  if (minor < OWN_NAMESPACE_SINCE)
    return {
      namespace: 'kube-system',
      daemonSet: 'kube-flannel-ds',
      image: 'quay.io/coreos/flannel:v0.13.0',
    };
  return {
    namespace: 'kube-flannel',
    daemonSet: 'kube-flannel-ds',
    image: 'ghcr.io/flannel-io/flannel:v0.27.4',
    pluginImage: 'ghcr.io/flannel-io/flannel-cni-plugin:v1.8.0-flannel1',
  };
}

/** Whether the machines have Flannel's CNI plugin from a package. */
export function hasPackagedPlugin(profile: Profile): boolean {
  return flannelRelease(profile).pluginImage === undefined;
}

export function flannelObjects(profile: Profile): Manifest[] {
  const { namespace, daemonSet, image, pluginImage } = flannelRelease(profile);
  const labels = { app: 'flannel', 'k8s-app': 'flannel', tier: 'node' };
  const conf = {
    name: 'cbr0',
    cniVersion: '0.3.1',
    plugins: [
      { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  const net = { Network: profile.podCidr, EnableNFTables: false, Backend: { Type: 'vxlan' } };
  const hostPath = (name: string, path: string, type?: string): object => ({
    name,
    hostPath: { path, ...(type && { type }) },
  });
  const podInfo = (name: string, fieldPath: string): object => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  return [
    ...(namespace === 'kube-system'
      ? []
      : [
          {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: {
              name: namespace,
              labels: { 'k8s-app': 'flannel', 'pod-security.kubernetes.io/enforce': 'privileged' },
            },
          },
        ]),
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'flannel', namespace, labels: { 'k8s-app': 'flannel' } },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'flannel', labels: { 'k8s-app': 'flannel' } },
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
        { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'patch'] },
        { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'flannel', labels: { 'k8s-app': 'flannel' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'flannel' },
      subjects: [{ kind: 'ServiceAccount', name: 'flannel', namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-flannel-cfg', namespace, labels },
      data: {
        'cni-conf.json': `${JSON.stringify(conf, undefined, 2)}\n`,
        'net-conf.json': `${JSON.stringify(net, undefined, 2)}\n`,
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: daemonSet, namespace, labels },
      spec: {
        selector: { matchLabels: { app: 'flannel' } },
        template: {
          metadata: { labels: { app: 'flannel', tier: 'node' } },
          spec: {
            affinity: {
              nodeAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: {
                  nodeSelectorTerms: [
                    { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] },
                  ],
                },
              },
            },
            hostNetwork: true,
            priorityClassName: 'system-node-critical',
            tolerations: [{ effect: 'NoSchedule', operator: 'Exists' }],
            serviceAccountName: 'flannel',
            initContainers: [
              ...(pluginImage === undefined
                ? []
                : [
                    {
                      name: 'install-cni-plugin',
                      image: pluginImage,
                      command: ['cp'],
                      args: ['-f', '/flannel', '/opt/cni/bin/flannel'],
                      volumeMounts: [{ name: 'cni-plugin', mountPath: '/opt/cni/bin' }],
                    },
                  ]),
              {
                name: 'install-cni',
                image,
                command: ['cp'],
                args: ['-f', '/etc/kube-flannel/cni-conf.json', '/etc/cni/net.d/10-flannel.conflist'],
                volumeMounts: [
                  { name: 'cni', mountPath: '/etc/cni/net.d' },
                  { name: 'flannel-cfg', mountPath: '/etc/kube-flannel/' },
                ],
              },
            ],
            containers: [
              {
                name: 'kube-flannel',
                image,
                command: ['/opt/bin/flanneld'],
                args: ['--ip-masq', '--kube-subnet-mgr'],
                resources: { requests: { cpu: '100m', memory: '50Mi' } },
                securityContext: { privileged: false, capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } },
                env: [
                  podInfo('POD_NAME', 'metadata.name'),
                  podInfo('POD_NAMESPACE', 'metadata.namespace'),
                  podInfo('NODE_NAME', 'spec.nodeName'),
                  { name: 'EVENT_QUEUE_DEPTH', value: '5000' },
                ],
                volumeMounts: [
                  { name: 'run', mountPath: '/run/flannel' },
                  { name: 'flannel-cfg', mountPath: '/etc/kube-flannel/' },
                  { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
                ],
              },
            ],
            volumes: [
              hostPath('run', '/run/flannel'),
              ...(pluginImage === undefined ? [] : [hostPath('cni-plugin', '/opt/cni/bin')]),
              hostPath('cni', '/etc/cni/net.d'),
              { name: 'flannel-cfg', configMap: { name: 'kube-flannel-cfg' } },
              hostPath('xtables-lock', '/run/xtables.lock', 'FileOrCreate'),
            ],
          },
        },
      },
    },
  ];
}
