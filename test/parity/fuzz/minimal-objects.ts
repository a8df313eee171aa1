// The least valid object of each kind: what mutations begin with.

export interface MinimalObject {
  /** Of the collection, with `{ns}` for the namespace. */
  readonly path: string;
  readonly object: Readonly<Record<string, unknown>>;
}

type Spec = readonly [path: string, kind: string, rest?: Readonly<Record<string, unknown>>];

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'nginx:1.20' }] },
};
const selector = { matchLabels: { app: 'x' } };
const jobTemplate = {
  metadata: {},
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox:1.36', command: ['true'] }] },
};

const NAMESPACED: readonly Spec[] = [
  ['v1/configmaps', 'ConfigMap', { data: { a: 'b' }, binaryData: { c: 'AAAA' } }],
  ['v1/secrets', 'Secret', { type: 'Opaque', data: { a: 'Yg==' }, stringData: { c: 'd' } }],
  [
    'v1/services',
    'Service',
    { spec: { selector: { app: 'x' }, ports: [{ name: 'p', port: 80, targetPort: 'http' }] } },
  ],
  [
    'v1/services',
    'Service',
    { spec: { type: 'NodePort', sessionAffinity: 'ClientIP', ports: [{ port: 80, protocol: 'UDP' }] } },
  ],
  [
    'v1/serviceaccounts',
    'ServiceAccount',
    { automountServiceAccountToken: false, imagePullSecrets: [{ name: 's' }] },
  ],
  ['v1/endpoints', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] }],
  [
    'v1/pods',
    'Pod',
    {
      spec: {
        nodeSelector: { no: 'node' },
        tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
            },
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 5,
                podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: selector },
              },
            ],
          },
        },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: selector },
        ],
        volumes: [
          { name: 'v', emptyDir: { sizeLimit: '1Gi' } },
          { name: 'w', projected: { sources: [{ configMap: { name: 'c', optional: true } }] } },
          { name: 'h', hostPath: { path: '/tmp', type: 'Directory' } },
        ],
        initContainers: [{ name: 'i', image: 'busybox:1.36', restartPolicy: 'Always' }],
        containers: [
          {
            name: 'c',
            image: 'nginx:1.20',
            command: ['sh'],
            ports: [{ containerPort: 80, name: 'http', hostPort: 8080 }],
            env: [
              { name: 'A', value: 'b' },
              { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            ],
            resources: { requests: { cpu: '10m', memory: '1Mi' }, limits: { cpu: '1' } },
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
            livenessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 5 },
            readinessProbe: { exec: { command: ['true'] } },
            lifecycle: { preStop: { sleep: { seconds: 1 } } },
            securityContext: { runAsUser: 1, capabilities: { add: ['NET_ADMIN'] } },
          },
        ],
      },
    },
  ],
  [
    'v1/persistentvolumeclaims',
    'PersistentVolumeClaim',
    { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  ],
  ['v1/resourcequotas', 'ResourceQuota', { spec: { hard: { 'count/widgets.example.com': '5' } } }],
  [
    'v1/limitranges',
    'LimitRange',
    { spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '9Gi' } }] } },
  ],
  [
    'v1/replicationcontrollers',
    'ReplicationController',
    { spec: { replicas: 0, selector: { app: 'x' }, template } },
  ],
  ['v1/podtemplates', 'PodTemplate', { template }],
  [
    'v1/events',
    'Event',
    { involvedObject: { kind: 'Pod', name: 'x', namespace: '{ns}' }, reason: 'R', type: 'Normal' },
  ],
  [
    'apps/v1/deployments',
    'Deployment',
    {
      spec: {
        replicas: 0,
        selector,
        template,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
      },
    },
  ],
  ['apps/v1/replicasets', 'ReplicaSet', { spec: { replicas: 0, selector, template } }],
  [
    'apps/v1/daemonsets',
    'DaemonSet',
    {
      spec: { selector, template: { ...template, spec: { ...template.spec, nodeSelector: { no: 'node' } } } },
    },
  ],
  [
    'apps/v1/statefulsets',
    'StatefulSet',
    {
      spec: {
        replicas: 0,
        serviceName: 's',
        selector,
        template,
        volumeClaimTemplates: [
          {
            metadata: { name: 'd' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  ],
  ['apps/v1/controllerrevisions', 'ControllerRevision', { revision: 1, data: { a: 1 } }],
  [
    'batch/v1/jobs',
    'Job',
    { spec: { suspend: true, completions: 2, completionMode: 'Indexed', template: jobTemplate } },
  ],
  [
    'batch/v1/cronjobs',
    'CronJob',
    { spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: jobTemplate } } } },
  ],
  [
    'networking.k8s.io/v1/ingresses',
    'Ingress',
    {
      spec: {
        tls: [{ hosts: ['a.example.com'], secretName: 's' }],
        rules: [
          {
            host: 'a.example.com',
            http: {
              paths: [
                { path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    },
  ],
  [
    'networking.k8s.io/v1/networkpolicies',
    'NetworkPolicy',
    {
      spec: {
        podSelector: selector,
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80 }] },
        ],
        egress: [{ to: [{ namespaceSelector: {} }] }],
      },
    },
  ],
  [
    'discovery.k8s.io/v1/endpointslices',
    'EndpointSlice',
    {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }],
      ports: [{ port: 80, name: 'p' }],
    },
  ],
  ['policy/v1/poddisruptionbudgets', 'PodDisruptionBudget', { spec: { minAvailable: '50%', selector } }],
  [
    'rbac.authorization.k8s.io/v1/roles',
    'Role',
    { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  ],
  [
    'rbac.authorization.k8s.io/v1/rolebindings',
    'RoleBinding',
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }],
    },
  ],
  [
    'autoscaling/v2/horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
    {
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'none' },
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
        ],
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: 10,
            policies: [{ type: 'Pods', value: 1, periodSeconds: 5 }],
          },
        },
      },
    },
  ],
  [
    'coordination.k8s.io/v1/leases',
    'Lease',
    { spec: { holderIdentity: 'h', leaseDurationSeconds: 5, renewTime: '2026-01-01T00:00:00.000000Z' } },
  ],
  [
    'events.k8s.io/v1/events',
    'Event',
    {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'c',
      reportingInstance: 'i',
      action: 'A',
      reason: 'R',
      type: 'Normal',
      regarding: { kind: 'Pod', name: 'x', namespace: '{ns}' },
    },
  ],
];

const CLUSTER_WIDE: readonly Spec[] = [
  ['v1/namespaces', 'Namespace', { metadata: { labels: { a: 'b' } } }],
  [
    'v1/nodes',
    'Node',
    { spec: { podCIDR: '10.250.0.0/24', taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } },
  ],
  [
    'v1/persistentvolumes',
    'PersistentVolume',
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/pv' },
        storageClassName: 'fuzz',
      },
    },
  ],
  [
    'rbac.authorization.k8s.io/v1/clusterroles',
    'ClusterRole',
    {
      rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }],
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { no: 'x' } }] },
    },
  ],
  [
    'rbac.authorization.k8s.io/v1/clusterrolebindings',
    'ClusterRoleBinding',
    { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'none' } },
  ],
  [
    'storage.k8s.io/v1/storageclasses',
    'StorageClass',
    { provisioner: 'example.com/none', parameters: { a: 'b' }, volumeBindingMode: 'WaitForFirstConsumer' },
  ],
  ['scheduling.k8s.io/v1/priorityclasses', 'PriorityClass', { value: 7, preemptionPolicy: 'Never' }],
  ['node.k8s.io/v1/runtimeclasses', 'RuntimeClass', { handler: 'h', overhead: { podFixed: { cpu: '1m' } } }],
  ['networking.k8s.io/v1/ingressclasses', 'IngressClass', { spec: { controller: 'example.com/c' } }],
  [
    'certificates.k8s.io/v1/certificatesigningrequests',
    'CertificateSigningRequest',
    {
      spec: {
        signerName: 'example.com/none',
        usages: ['client auth'],
        request:
          'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIS01IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RVpuVjZlakJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkloSEorVmxsTG1KaXgyVXBWTVlBV0h3Z0p4WGk4dk5MY0w3ZVBoQ3ZkdThodDFQZG1vREZPTEZaQ1hICmRVQitsTWFTSzliTlZiTzRIZGZGc0xPY2pRZWdBREFLQmdncWhrak9QUVFEQWdOSkFEQkdBaUVBMnhPN1NIUjEKaTJJTVc5d1ZZcW5uODdoTUdnK2prTURvWncySmVJN0FmNG9DSVFDN1E2Z2ZPQ01Uc1NLVDN0MjE5YmxMUThYOQpDcFpWUzdlTklPUEVlaGdNNUE9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K',
      },
    },
  ],
  [
    'admissionregistration.k8s.io/v1/validatingadmissionpolicies',
    'ValidatingAdmissionPolicy',
    {
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: ['none.example.com'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['nones'],
            },
          ],
        },
        variables: [{ name: 'v', expression: 'object.metadata.name' }],
        validations: [{ expression: 'variables.v != "x"', messageExpression: "'no ' + variables.v" }],
      },
    },
  ],
  [
    'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
    { spec: { policyName: 'none', validationActions: ['Deny'] } },
  ],
  [
    'apiextensions.k8s.io/v1/customresourcedefinitions',
    'CustomResourceDefinition',
    {
      spec: {
        group: 'fuzz.example.com',
        scope: 'Namespaced',
        names: { plural: '{name}', kind: 'Fuzz', shortNames: ['fz'] },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: {
              status: {},
              scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n' },
            },
            additionalPrinterColumns: [{ name: 'N', type: 'integer', jsonPath: '.spec.n' }],
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: {
                    type: 'object',
                    properties: {
                      n: { type: 'integer', default: 1, minimum: 0, maximum: 9 },
                      s: { type: 'string', pattern: '^a+$', enum: ['a', 'aa'] },
                      l: {
                        type: 'array',
                        items: { type: 'object', properties: { k: { type: 'string' } }, required: ['k'] },
                        'x-kubernetes-list-type': 'map',
                        'x-kubernetes-list-map-keys': ['k'],
                      },
                    },
                    'x-kubernetes-validations': [{ rule: 'self.n < 5', message: 'too many' }],
                  },
                },
              },
            },
          },
        ],
      },
    },
  ],
];

/** Asked and answered, never kept. */
const REVIEWS: readonly Spec[] = [
  ['authentication.k8s.io/v1/tokenreviews', 'TokenReview', { spec: { token: 'a.b.c', audiences: ['x'] } }],
  [
    'authorization.k8s.io/v1/subjectaccessreviews',
    'SubjectAccessReview',
    { spec: { user: 'u', groups: ['g'], resourceAttributes: { verb: 'get', resource: 'pods' } } },
  ],
  [
    'authorization.k8s.io/v1/selfsubjectaccessreviews',
    'SelfSubjectAccessReview',
    { spec: { nonResourceAttributes: { path: '/x', verb: 'get' } } },
  ],
  [
    'authorization.k8s.io/v1/selfsubjectrulesreviews',
    'SelfSubjectRulesReview',
    { spec: { namespace: 'default' } },
  ],
  ['authentication.k8s.io/v1/selfsubjectreviews', 'SelfSubjectReview', {}],
];

function toMinimal([groupPath, kind, rest]: Spec, namespaced: boolean): MinimalObject {
  const parts = groupPath.split('/');
  const plural = parts.pop()!;
  const apiVersion = parts.join('/');
  const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const isDefinition = kind === 'CustomResourceDefinition';
  const name = isDefinition
    ? '{name}.fuzz.example.com'
    : kind === 'PriorityClass'
      ? '{name}-priority'
      : '{name}';
  const metadata = { name, ...(rest?.['metadata'] as object | undefined) };
  return {
    path: `${base}/${namespaced ? 'namespaces/{ns}/' : ''}${plural}`,
    object: { apiVersion, kind, ...rest, metadata },
  };
}

export const MINIMAL_OBJECTS: readonly MinimalObject[] = [
  ...NAMESPACED.map((spec) => toMinimal(spec, true)),
  ...CLUSTER_WIDE.map((spec) => toMinimal(spec, false)),
  ...REVIEWS.map((spec) => toMinimal(spec, false)),
];
