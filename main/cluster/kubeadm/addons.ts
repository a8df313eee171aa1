// The objects that kubeadm creates in a new cluster: kube-proxy, CoreDNS, and the ConfigMaps beside them.
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../kubernetes/api/index.ts';
import type { Profile } from '../profile.ts';
import { kubeProxyConfiguration } from './kube-proxy-configuration.ts';
import type { Pki } from './pki.ts';
import { kubeadmRelease } from './release.ts';

type Manifest = KubernetesObject & Record<string, unknown>;

/** All of them, in the order of creation. */
export function addonObjects(profile: Profile, apiServer: string, pki: Pki): Manifest[] {
  return [
    ...configMaps(profile, apiServer, pki.authority.certificate),
    extensionAuthentication(pki),
    ...kubeProxy(profile, apiServer),
    ...coreDns(profile),
  ];
}

function configMaps(profile: Profile, apiServer: string, authority: string): Manifest[] {
  const release = kubeadmRelease(profile.kubernetesVersion);
  const clusterInfo = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: '',
        cluster: {
          'certificate-authority-data': Buffer.from(authority).toString('base64'),
          server: apiServer,
        },
      },
    ],
    contexts: null,
    'current-context': '',
    preferences: {},
    users: null,
  };
  return [
    configMap('kube-public', 'cluster-info', { kubeconfig: stringify(clusterInfo, { lineWidth: 0 }) }),
    configMap('kube-system', 'kubeadm-config', {
      ClusterConfiguration: stringify({
        apiVersion: release.configApiVersion,
        kind: 'ClusterConfiguration',
        clusterName: 'kubernetes',
        kubernetesVersion: profile.kubernetesVersion,
        networking: {
          dnsDomain: profile.clusterDomain,
          podSubnet: profile.podCidr,
          serviceSubnet: profile.serviceCidr,
        },
      }),
      ...(release.hasClusterStatus ? { ClusterStatus: clusterStatus(profile, apiServer) } : {}),
    }),
    configMap('kube-system', release.kubeletConfigMap, {
      kubelet: stringify({
        apiVersion: 'kubelet.config.k8s.io/v1beta1',
        kind: 'KubeletConfiguration',
        cgroupDriver: 'systemd',
        clusterDNS: [profile.clusterDns],
        clusterDomain: profile.clusterDomain,
        staticPodPath: '/etc/kubernetes/manifests',
      }),
    }),
  ];
}

/** How extension servers know the aggregator's requests; kube-apiserver itself writes it. */
function extensionAuthentication({ authority, frontProxyAuthority }: Pki): Manifest {
  return configMap('kube-system', 'extension-apiserver-authentication', {
    'client-ca-file': authority.certificate,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-client-ca-file': frontProxyAuthority.certificate,
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '[]',
    'requestheader-username-headers': '["X-Remote-User"]',
  });
}

function kubeProxy(profile: Profile, apiServer: string): Manifest[] {
  const config = kubeProxyConfiguration(profile);
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        cluster: {
          'certificate-authority': '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
          server: apiServer,
        },
        name: 'default',
      },
    ],
    contexts: [{ context: { cluster: 'default', namespace: 'default', user: 'default' }, name: 'default' }],
    'current-context': 'default',
    users: [{ name: 'default', user: { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' } }],
  };
  const labels = { 'k8s-app': 'kube-proxy' };
  return [
    serviceAccount('kube-proxy'),
    clusterRoleBinding('kubeadm:node-proxier', 'system:node-proxier', 'kube-proxy'),
    configMap(
      'kube-system',
      'kube-proxy',
      {
        'config.conf': stringify(config, { nullStr: 'null' }),
        'kubeconfig.conf': stringify(kubeconfig, { lineWidth: 0 }),
      },
      { app: 'kube-proxy' },
    ),
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'kube-proxy', namespace: 'kube-system', labels },
      spec: {
        selector: { matchLabels: labels },
        updateStrategy: { type: 'RollingUpdate' },
        template: {
          metadata: { labels },
          spec: {
            priorityClassName: 'system-node-critical',
            serviceAccountName: 'kube-proxy',
            hostNetwork: true,
            nodeSelector: { 'kubernetes.io/os': 'linux' },
            tolerations: [{ operator: 'Exists' }],
            containers: [
              {
                name: 'kube-proxy',
                image: `${kubeadmRelease(profile.kubernetesVersion).imageRepository}/kube-proxy:${profile.kubernetesVersion}`,
                imagePullPolicy: 'IfNotPresent',
                command: [
                  '/usr/local/bin/kube-proxy',
                  '--config=/var/lib/kube-proxy/config.conf',
                  '--hostname-override=$(NODE_NAME)',
                ],
                env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
                securityContext: { privileged: true },
                volumeMounts: [
                  { mountPath: '/var/lib/kube-proxy', name: 'kube-proxy' },
                  { mountPath: '/lib/modules', name: 'lib-modules', readOnly: true },
                ],
              },
            ],
            volumes: [
              { name: 'kube-proxy', configMap: { name: 'kube-proxy' } },
              { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
            ],
          },
        },
      },
    },
  ];
}

/** Which address each API server is at; kept in kubeadm-config until kubeadm read it off the static pods. */
function clusterStatus({ machines }: Profile, apiServer: string): string {
  const { hostname: advertiseAddress, port } = new URL(apiServer);
  const name = machines.find(({ role }) => role === 'control-plane')!.name;
  return stringify({
    apiEndpoints: { [name]: { advertiseAddress, bindPort: Number(port) } },
    apiVersion: 'kubeadm.k8s.io/v1beta2',
    kind: 'ClusterStatus',
  });
}

/** CoreDNS' configuration as kubeadm writes it. */
function corefile(profile: Profile): string {
  const { minor } = kubeadmRelease(profile.kubernetesVersion);
  const block = (head: string, lines: readonly string[]): string[] =>
    lines.length === 0
      ? [`    ${head}`]
      : [`    ${head} {`, ...lines.map((line) => `       ${line}`), '    }'];
  const lines = [
    '    errors',
    ...block('health', minor < 18 ? [] : ['lameduck 5s']),
    ...(minor < 16 ? [] : ['    ready']),
    ...block(`kubernetes ${profile.clusterDomain} in-addr.arpa ip6.arpa`, [
      'pods insecure',
      ...(minor < 16 ? ['upstream'] : []),
      'fallthrough in-addr.arpa ip6.arpa',
      'ttl 30',
    ]),
    '    prometheus :9153',
    ...block('forward . /etc/resolv.conf', minor < 19 ? [] : ['max_concurrent 1000']),
    ...block(
      'cache 30',
      minor < 33
        ? []
        : [`disable success ${profile.clusterDomain}`, `disable denial ${profile.clusterDomain}`],
    ),
    '    loop',
    '    reload',
    '    loadbalance',
  ];
  return `.:53 {\n${lines.join('\n')}\n}\n`;
}

function coreDns(profile: Profile): Manifest[] {
  const { coreDnsImage, controlPlaneTaints, minor } = kubeadmRelease(profile.kubernetesVersion);
  const labels = { 'k8s-app': 'kube-dns' };
  return [
    serviceAccount('coredns'),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        {
          apiGroups: [''],
          resources: ['endpoints', 'services', 'pods', 'namespaces'],
          verbs: ['list', 'watch'],
        },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    clusterRoleBinding('system:coredns', 'system:coredns', 'coredns'),
    configMap('kube-system', 'coredns', { Corefile: corefile(profile) }),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'coredns', namespace: 'kube-system', labels },
      spec: {
        replicas: 2,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            affinity: {
              podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  {
                    weight: 100,
                    podAffinityTerm: {
                      labelSelector: {
                        matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }],
                      },
                      topologyKey: 'kubernetes.io/hostname',
                    },
                  },
                ],
              },
            },
            priorityClassName: 'system-cluster-critical',
            serviceAccountName: 'coredns',
            nodeSelector: { 'kubernetes.io/os': 'linux' },
            tolerations: [
              { key: 'CriticalAddonsOnly', operator: 'Exists' },
              ...controlPlaneTaints.map((key) => ({ key, effect: 'NoSchedule' })),
            ],
            dnsPolicy: 'Default',
            containers: [
              {
                name: 'coredns',
                image: coreDnsImage,
                imagePullPolicy: 'IfNotPresent',
                args: ['-conf', '/etc/coredns/Corefile'],
                resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
                volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
                ports: [
                  { containerPort: 53, name: 'dns', protocol: 'UDP' },
                  { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
                  { containerPort: 9153, name: 'metrics', protocol: 'TCP' },
                  { containerPort: 8080, name: 'liveness-probe', protocol: 'TCP' },
                  { containerPort: 8181, name: 'readiness-probe', protocol: 'TCP' },
                ],
                livenessProbe: {
                  httpGet: { path: '/health', port: 'liveness-probe', scheme: 'HTTP' },
                  initialDelaySeconds: 60,
                  timeoutSeconds: 5,
                  successThreshold: 1,
                  failureThreshold: 5,
                },
                readinessProbe: {
                  httpGet:
                    minor < 16
                      ? { path: '/health', port: 'liveness-probe', scheme: 'HTTP' }
                      : { path: '/ready', port: 'readiness-probe', scheme: 'HTTP' },
                },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
                  readOnlyRootFilesystem: true,
                },
              },
            ],
            volumes: [
              {
                name: 'config-volume',
                configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'kube-dns',
        namespace: 'kube-system',
        annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
        labels: { ...labels, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      },
      spec: {
        selector: labels,
        clusterIP: profile.clusterDns,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
          { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
        ],
      },
    },
  ];
}

function configMap(
  namespace: string,
  name: string,
  data: Record<string, string>,
  labels?: Record<string, string>,
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...(labels && { labels }) },
    data,
  };
}

function serviceAccount(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'kube-system' } };
}

function clusterRoleBinding(name: string, role: string, account: string): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
  };
}
