// The manifest of metrics-server, as a file that a learner applies: the released components with their rights.
import { stringify } from 'yaml';

const NAME = 'metrics-server';
const NAMESPACE = 'kube-system';
const IMAGE = 'registry.k8s.io/metrics-server/metrics-server:v0.8.0';
const RBAC = 'rbac.authorization.k8s.io';

/** components.yaml. */
export function metricsServerManifest(): string {
  const intro =
    "# metrics-server v0.8.0: kubectl apply -f components.yaml\n# --kubelet-insecure-tls is not in the released file: kubeadm's kubelets sign their own certificates.\n";
  return (
    intro +
    documents()
      .map((object) => stringify(object, { lineWidth: 0 }))
      .join('---\n')
  );
}

function documents(): unknown[] {
  const labels = { 'k8s-app': NAME };
  const account = { kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE };
  const binding = (name: string, role: string): unknown => ({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { labels, name },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [account],
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { labels, name: NAME, namespace: NAMESPACE } },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: {
        labels: {
          ...labels,
          [`${RBAC}/aggregate-to-admin`]: 'true',
          [`${RBAC}/aggregate-to-edit`]: 'true',
          [`${RBAC}/aggregate-to-view`]: 'true',
        },
        name: 'system:aggregated-metrics-reader',
      },
      rules: [
        { apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { labels, name: `system:${NAME}` },
      rules: [
        { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { labels, name: `${NAME}-auth-reader`, namespace: NAMESPACE },
      roleRef: { apiGroup: RBAC, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
      subjects: [account],
    },
    binding(`${NAME}:system:auth-delegator`, 'system:auth-delegator'),
    binding(`system:${NAME}`, `system:${NAME}`),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { labels, name: NAME, namespace: NAMESPACE },
      spec: {
        ports: [{ appProtocol: 'https', name: 'https', port: 443, protocol: 'TCP', targetPort: 'https' }],
        selector: labels,
      },
    },
    deployment(labels),
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { labels, name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        groupPriorityMinimum: 100,
        insecureSkipTLSVerify: true,
        service: { name: NAME, namespace: NAMESPACE },
        version: 'v1beta1',
        versionPriority: 100,
      },
    },
  ];
}

function deployment(labels: Record<string, string>): unknown {
  const probe = (path: string, more: object): object => ({
    failureThreshold: 3,
    httpGet: { path, port: 'https', scheme: 'HTTPS' },
    periodSeconds: 10,
    ...more,
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { labels, name: NAME, namespace: NAMESPACE },
    spec: {
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              args: [
                '--cert-dir=/tmp',
                '--secure-port=10250',
                '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
                '--kubelet-use-node-status-port',
                '--kubelet-insecure-tls',
                '--metric-resolution=15s',
              ],
              image: IMAGE,
              imagePullPolicy: 'IfNotPresent',
              livenessProbe: probe('/livez', {}),
              name: NAME,
              ports: [{ containerPort: 10250, name: 'https', protocol: 'TCP' }],
              readinessProbe: probe('/readyz', { initialDelaySeconds: 20 }),
              resources: { requests: { cpu: '100m', memory: '200Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
                runAsUser: 1000,
                seccompProfile: { type: 'RuntimeDefault' },
              },
              volumeMounts: [{ mountPath: '/tmp', name: 'tmp-dir' }],
            },
          ],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          priorityClassName: 'system-cluster-critical',
          serviceAccountName: NAME,
          volumes: [{ emptyDir: {}, name: 'tmp-dir' }],
        },
      },
    },
  };
}
