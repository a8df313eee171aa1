// The roles and bindings that a kubeadm cluster has from the start (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../../api/types.ts';

const API_GROUP = 'rbac.authorization.k8s.io';
const READ = 'get list watch';
const WRITE = 'create delete deletecollection patch update';

/** `verbs | groups | resources [| names]`; words are separated by spaces, the core group is `-`. */
function rule(text: string): PolicyRule {
  const [verbs = '', groups = '', resources = '', names = ''] = text.split('|').map((part) => part.trim());
  const words = (part: string): string[] => part.split(' ').filter((word) => word !== '');
  return {
    verbs: words(verbs),
    apiGroups: words(groups).map((group) => (group === '-' ? '' : group)),
    resources: words(resources),
    ...(names === '' ? {} : { resourceNames: words(names) }),
  };
}

function urls(verbs: string, ...nonResourceURLs: string[]): PolicyRule {
  return { verbs: verbs.split(' '), nonResourceURLs };
}

const PUBLIC_URLS = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const EVENTS = 'create patch update | - events.k8s.io | events';

const VIEW = [
  `${READ} | - | configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status`,
  `${READ} | - | bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status`,
  `${READ} | - | namespaces`,
  `${READ} | - events.k8s.io | events`,
  `${READ} | discovery.k8s.io | endpointslices`,
  `${READ} | apps | controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status`,
  `${READ} | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status`,
  `${READ} | batch | cronjobs cronjobs/status jobs jobs/status`,
  `${READ} | extensions | daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale`,
  `${READ} | policy | poddisruptionbudgets poddisruptionbudgets/status`,
  `${READ} | networking.k8s.io | ingresses ingresses/status networkpolicies`,
  `${READ} | resource.k8s.io | resourceclaims resourceclaims/status resourceclaimtemplates`,
].map(rule);

const EDIT = [
  `${READ} | - | pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy`,
  'impersonate | - | serviceaccounts',
  `${WRITE} | - | pods pods/attach pods/exec pods/portforward pods/proxy`,
  'create | - | pods/eviction',
  `${WRITE} | - | configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy`,
  'create | - | serviceaccounts/token',
  `${WRITE} | - events.k8s.io | events`,
  `${WRITE} | apps | daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale`,
  `${WRITE} | autoscaling | horizontalpodautoscalers`,
  `${WRITE} | batch | cronjobs jobs`,
  `${WRITE} | extensions | daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale`,
  `${WRITE} | policy | poddisruptionbudgets`,
  `${WRITE} | networking.k8s.io | ingresses networkpolicies`,
  'create delete deletecollection get list patch update watch | coordination.k8s.io | leases',
  `${WRITE} | resource.k8s.io | resourceclaims resourceclaimtemplates`,
].map(rule);

const ADMIN = [
  'create | authorization.k8s.io | localsubjectaccessreviews',
  'create delete deletecollection get list patch update watch | rbac.authorization.k8s.io | rolebindings roles',
].map(rule);

const NODE = [
  'create | authentication.k8s.io | tokenreviews',
  'create | authorization.k8s.io | localsubjectaccessreviews subjectaccessreviews',
  `${READ} | - | services`,
  `create ${READ} | - | nodes`,
  'patch update | - | nodes/status',
  'patch update | - | nodes',
  EVENTS,
  `${READ} | - | pods`,
  'create delete | - | pods',
  'patch update | - | pods/status',
  'create | - | pods/eviction',
  `${READ} | - | configmaps secrets`,
  'get | - | persistentvolumeclaims persistentvolumes',
  'get | - | endpoints',
  `create ${READ} | certificates.k8s.io | certificatesigningrequests`,
  'create delete get patch update | coordination.k8s.io | leases',
  'get | storage.k8s.io | volumeattachments',
  'create | - | serviceaccounts/token',
  'get patch update | - | persistentvolumeclaims/status',
  `${READ} | storage.k8s.io | csidrivers`,
  'create delete get patch update | storage.k8s.io | csinodes',
  `${READ} | node.k8s.io | runtimeclasses`,
  'get | resource.k8s.io | resourceclaims',
  'deletecollection | resource.k8s.io | resourceslices',
  'get | - | serviceaccounts',
].map(rule);

const SCHEDULER = [
  EVENTS,
  'create | coordination.k8s.io | leases',
  'get list update watch | coordination.k8s.io | leases | kube-scheduler',
  'create delete deletecollection get list patch update watch | coordination.k8s.io | leasecandidates',
  `${READ} | - | nodes`,
  `delete ${READ} | - | pods`,
  'create | - | bindings pods/binding',
  'patch update | - | pods/status',
  `${READ} | - | replicationcontrollers services`,
  `${READ} | apps extensions | replicasets`,
  `${READ} | apps | statefulsets`,
  `${READ} | policy | poddisruptionbudgets`,
  `${READ} | - | persistentvolumeclaims persistentvolumes`,
  'create | authentication.k8s.io | tokenreviews',
  'create | authorization.k8s.io | subjectaccessreviews',
  `${READ} | storage.k8s.io | csinodes csidrivers csistoragecapacities volumeattachments`,
  `${READ} | - | namespaces`,
  `${READ} | resource.k8s.io | deviceclasses resourceslices`,
  'get list patch update watch | resource.k8s.io | resourceclaims resourceclaims/status',
  'create delete | resource.k8s.io | resourceclaims',
  'patch update | resource.k8s.io | resourceclaims/binding',
  'update | - | pods/finalizers',
].map(rule);

const PROXIER = [
  'list watch | - | endpoints services',
  `${READ} | - | nodes`,
  EVENTS,
  'list watch | discovery.k8s.io | endpointslices',
  'list watch | networking.k8s.io | servicecidrs',
].map(rule);

const CONTROLLER_MANAGER = [
  EVENTS,
  'create | coordination.k8s.io | leases',
  'get list update watch | coordination.k8s.io | leases | kube-controller-manager',
  'create | - | secrets serviceaccounts',
  'delete | - | secrets',
  'get | - | configmaps namespaces secrets serviceaccounts',
  'update | - | secrets serviceaccounts',
  'create | authentication.k8s.io | tokenreviews',
  'create | authorization.k8s.io | subjectaccessreviews',
  'list watch | * | *',
  'create | - | serviceaccounts/token',
].map(rule);

/** Each controller's role, bound to the service account of its name in kube-system. */
const CONTROLLERS: Readonly<Record<string, readonly string[]>> = {
  'attachdetach-controller': [
    `list watch | - | persistentvolumeclaims persistentvolumes`,
    `${READ} | - | nodes`,
    'patch update | - | nodes/status',
    'list watch | - | pods',
    EVENTS,
    `create delete get list watch | storage.k8s.io | volumeattachments`,
  ],
  'certificate-controller': [
    `delete ${READ} | certificates.k8s.io | certificatesigningrequests`,
    'update | certificates.k8s.io | certificatesigningrequests/approval certificatesigningrequests/status',
    'approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet',
    'sign | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown',
    'create | authorization.k8s.io | subjectaccessreviews',
    EVENTS,
  ],
  'clusterrole-aggregation-controller': [
    'escalate get list patch update watch | rbac.authorization.k8s.io | clusterroles',
  ],
  'cronjob-controller': [
    'get list update watch | batch | cronjobs',
    `create delete ${READ} patch update | batch | jobs`,
    'update | batch | cronjobs/status',
    'update | batch | cronjobs/finalizers',
    'delete list | - | pods',
    EVENTS,
  ],
  'daemon-set-controller': [
    `${READ} | apps extensions | daemonsets`,
    'update | apps extensions | daemonsets/status',
    'update | apps extensions | daemonsets/finalizers',
    'list watch | - | nodes',
    'create delete list patch watch | - | pods',
    'create | - | pods/binding',
    `create delete ${READ} patch update | apps | controllerrevisions`,
    EVENTS,
  ],
  'deployment-controller': [
    'get list update watch | apps extensions | deployments',
    'update | apps extensions | deployments/status',
    'update | apps extensions | deployments/finalizers',
    `create delete ${READ} patch update | apps extensions | replicasets`,
    'get list update watch | - | pods',
    EVENTS,
  ],
  'device-taint-eviction-controller': [
    `delete ${READ} | - | pods`,
    'patch update | - | pods/status',
    `${READ} | resource.k8s.io | deviceclasses resourceclaims resourceslices`,
    EVENTS,
  ],
  'disruption-controller': [
    `${READ} | apps extensions | deployments`,
    `${READ} | apps extensions | replicasets`,
    `${READ} | - | replicationcontrollers`,
    `${READ} | policy | poddisruptionbudgets`,
    `${READ} | apps | statefulsets`,
    'update | policy | poddisruptionbudgets/status',
    EVENTS,
    '* | * | */scale',
  ],
  'endpoint-controller': [
    `${READ} | - | pods services`,
    `create delete ${READ} update | - | endpoints`,
    'create | - | endpoints/restricted',
    EVENTS,
  ],
  'endpointslice-controller': [
    `${READ} | - | nodes pods services`,
    'update | - | services/finalizers',
    `create delete ${READ} update | discovery.k8s.io | endpointslices`,
    EVENTS,
  ],
  'endpointslicemirroring-controller': [
    `${READ} | - | endpoints services`,
    'update | - | services/finalizers',
    `create delete ${READ} update | discovery.k8s.io | endpointslices`,
    EVENTS,
  ],
  'ephemeral-volume-controller': [
    'update | - | pods/finalizers',
    `${READ} | - | pods`,
    `create ${READ} | - | persistentvolumeclaims`,
    EVENTS,
  ],
  'expand-controller': [
    `${READ} patch update | - | persistentvolumes`,
    'patch update | - | persistentvolumeclaims/status',
    `${READ} | - | persistentvolumeclaims`,
    EVENTS,
  ],
  'generic-garbage-collector': [`delete ${READ} patch update | * | *`, EVENTS],
  'horizontal-pod-autoscaler': [
    `${READ} | autoscaling | horizontalpodautoscalers`,
    'update | autoscaling | horizontalpodautoscalers/status',
    'get update | * | */scale',
    'list | - | pods',
    'list | metrics.k8s.io | pods',
    EVENTS,
  ],
  'job-controller': [
    'get list patch update watch | batch | jobs',
    'update | batch | jobs/status',
    'update | batch | jobs/finalizers',
    'create delete list patch watch | - | pods',
    EVENTS,
  ],
  'legacy-service-account-token-cleaner': [
    'get | - | configmaps | kube-apiserver-legacy-service-account-token-tracking',
    'delete patch | - | secrets',
  ],
  'namespace-controller': [
    `delete ${READ} | - | namespaces`,
    'update | - | namespaces/finalize namespaces/status',
    'delete deletecollection get list | * | *',
  ],
  'node-controller': [
    'delete get list patch update | - | nodes',
    'patch update | - | nodes/status',
    'patch update | - | pods/status',
    'delete list | - | pods',
    EVENTS,
    'get | - | pods',
  ],
  'persistent-volume-binder': [
    `create delete ${READ} update | - | persistentvolumes`,
    'update | - | persistentvolumes/status',
    `${READ} update | - | persistentvolumeclaims`,
    'update | - | persistentvolumeclaims/status',
    `create delete ${READ} | - | pods`,
    `${READ} | storage.k8s.io | storageclasses`,
    EVENTS,
  ],
  'pod-garbage-collector': [
    'delete list watch | - | pods',
    'get list | - | nodes',
    'patch | - | pods/status',
  ],
  'pv-protection-controller': ['get list update watch | - | persistentvolumes', EVENTS],
  'pvc-protection-controller': [
    'get list update watch | - | persistentvolumeclaims',
    `${READ} | - | pods`,
    EVENTS,
  ],
  'replicaset-controller': [
    'get list update watch | apps extensions | replicasets',
    'update | apps extensions | replicasets/status',
    'update | apps extensions | replicasets/finalizers',
    'create delete list patch watch | - | pods',
    EVENTS,
  ],
  'replication-controller': [
    'get list update watch | - | replicationcontrollers',
    'update | - | replicationcontrollers/status',
    'update | - | replicationcontrollers/finalizers',
    'create delete list patch watch | - | pods',
    EVENTS,
  ],
  'resource-claim-controller': [
    `${READ} | - | pods`,
    'update | - | pods/finalizers',
    `create delete ${READ} | resource.k8s.io | resourceclaims`,
    `${READ} | resource.k8s.io | resourceclaimtemplates`,
    'patch update | resource.k8s.io | resourceclaims/status',
    'patch update | - | pods/status',
    EVENTS,
  ],
  'resourcequota-controller': ['list watch | * | *', 'update | - | resourcequotas/status', EVENTS],
  'root-ca-cert-publisher': ['create update | - | configmaps', EVENTS],
  'route-controller': ['list watch | - | nodes', 'patch | - | nodes/status', EVENTS],
  'selinux-warning-controller': [
    `${READ} | - | persistentvolumeclaims persistentvolumes pods`,
    `${READ} | storage.k8s.io | csidrivers`,
    EVENTS,
  ],
  'service-account-controller': ['create | - | serviceaccounts', EVENTS],
  'service-cidrs-controller': [
    'get list patch update watch | networking.k8s.io | servicecidrs',
    'patch update | networking.k8s.io | servicecidrs/finalizers servicecidrs/status',
    `${READ} | networking.k8s.io | ipaddresses`,
    EVENTS,
  ],
  'service-controller': [
    `${READ} | - | services`,
    'patch update | - | services/status',
    'list watch | - | nodes',
    EVENTS,
  ],
  'statefulset-controller': [
    'list watch | - | pods',
    `${READ} | apps | statefulsets`,
    'update | apps | statefulsets/status',
    'update | apps | statefulsets/finalizers',
    'create delete get patch update | - | pods',
    `create delete ${READ} patch update | apps | controllerrevisions`,
    'create get | - | persistentvolumeclaims',
    EVENTS,
  ],
  'ttl-after-finished-controller': ['delete get list watch | batch | jobs', EVENTS],
  'ttl-controller': ['list patch update watch | - | nodes', EVENTS],
  'validatingadmissionpolicy-status-controller': [
    'get list watch | admissionregistration.k8s.io | validatingadmissionpolicies',
    'get patch update | admissionregistration.k8s.io | validatingadmissionpolicies/status',
    EVENTS,
  ],
  'volumeattributesclass-protection-controller': [
    `${READ} | - | persistentvolumeclaims persistentvolumes`,
    'get list update watch | storage.k8s.io | volumeattributesclasses',
    EVENTS,
  ],
};

const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const ANNOTATIONS = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };

function clusterRole(
  name: string,
  rules: PolicyRule[],
  labels: Record<string, string> = {},
  aggregate?: string,
): ClusterRole {
  return {
    metadata: { name, labels: { ...LABELS, ...labels }, annotations: ANNOTATIONS },
    rules,
    ...(aggregate === undefined
      ? {}
      : {
          aggregationRule: {
            clusterRoleSelectors: [{ matchLabels: { [`${API_GROUP}/aggregate-to-${aggregate}`]: 'true' } }],
          },
        }),
  };
}

function binding(role: string, subjects: readonly string[], name = role): ClusterRoleBinding {
  return {
    metadata: { name, labels: LABELS, annotations: ANNOTATIONS },
    roleRef: { apiGroup: API_GROUP, kind: 'ClusterRole', name: role },
    ...(subjects.length === 0 ? {} : { subjects: subjects.map(subjectOf) }),
  };
}

/** `Group name`, `User name` or `ServiceAccount namespace/name`. */
function subjectOf(text: string): NonNullable<ClusterRoleBinding['subjects']>[number] {
  const [kind = '', name = ''] = text.split(' ');
  if (kind !== 'ServiceAccount') return { kind, apiGroup: API_GROUP, name };
  const [namespace = '', account = ''] = name.split('/');
  return { kind, name: account, namespace };
}

const to = (role: string): Record<string, string> => ({ [`${API_GROUP}/aggregate-to-${role}`]: 'true' });

/** Cluster roles; the aggregated ones are filled in as the aggregation controller would. */
export const clusterRoles: readonly ClusterRole[] = [
  clusterRole('cluster-admin', [rule('* | * | *'), urls('*', '*')]),
  clusterRole('system:discovery', [
    urls(
      'get',
      '/api',
      '/api/*',
      '/apis',
      '/apis/*',
      '/healthz',
      '/livez',
      '/openapi',
      '/openapi/*',
      '/readyz',
      '/version',
      '/version/',
    ),
  ]),
  clusterRole('system:basic-user', [
    rule('create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create | authentication.k8s.io | selfsubjectreviews'),
  ]),
  clusterRole('system:public-info-viewer', [urls('get', ...PUBLIC_URLS)]),
  clusterRole('system:monitoring', [
    urls(
      'get',
      '/healthz',
      '/healthz/*',
      '/livez',
      '/livez/*',
      '/metrics',
      '/metrics/slis',
      '/readyz',
      '/readyz/*',
    ),
  ]),
  clusterRole('admin', [...EDIT, ...VIEW, ...ADMIN], {}, 'admin'),
  clusterRole('edit', [...EDIT, ...VIEW], to('admin'), 'edit'),
  clusterRole('view', VIEW, to('edit'), 'view'),
  clusterRole('system:aggregate-to-admin', ADMIN, to('admin')),
  clusterRole('system:aggregate-to-edit', EDIT, to('edit')),
  clusterRole('system:aggregate-to-view', VIEW, to('view')),
  clusterRole('system:node', NODE),
  clusterRole('system:node-proxier', PROXIER),
  clusterRole('system:kube-scheduler', SCHEDULER),
  clusterRole('system:volume-scheduler', [
    rule(`get list patch update watch | - | persistentvolumes`),
    rule(`${READ} | storage.k8s.io | storageclasses`),
    rule('get list patch update watch | - | persistentvolumeclaims'),
  ]),
  clusterRole('system:kube-controller-manager', CONTROLLER_MANAGER),
  clusterRole('system:kube-dns', [rule('list watch | - | endpoints services')]),
  clusterRole('system:auth-delegator', [
    rule('create | authentication.k8s.io | tokenreviews'),
    rule('create | authorization.k8s.io | subjectaccessreviews'),
  ]),
  clusterRole('system:heapster', [
    rule(`${READ} | - | events namespaces nodes pods`),
    rule(`${READ} | extensions | deployments`),
  ]),
  clusterRole('system:kubelet-api-admin', [
    rule(`${READ} | - | nodes`),
    rule('proxy | - | nodes'),
    rule('* | - | nodes/log nodes/metrics nodes/proxy nodes/stats'),
  ]),
  clusterRole('system:kube-aggregator', [rule(`${READ} | - | endpoints services`)]),
  clusterRole('system:node-bootstrapper', [
    rule(`create ${READ} | certificates.k8s.io | certificatesigningrequests`),
  ]),
  clusterRole('system:node-problem-detector', [
    rule('get | - | nodes'),
    rule('patch | - | nodes/status'),
    rule(EVENTS),
  ]),
  clusterRole('system:persistent-volume-provisioner', [
    rule(`create delete ${READ} | - | persistentvolumes`),
    rule('get list update watch | - | persistentvolumeclaims'),
    rule(`${READ} | storage.k8s.io | storageclasses`),
    rule(`watch | - | events`),
    rule(EVENTS),
  ]),
  clusterRole('system:service-account-issuer-discovery', [
    urls(
      'get',
      '/.well-known/openid-configuration',
      '/.well-known/openid-configuration/',
      '/openid/v1/jwks',
      '/openid/v1/jwks/',
    ),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:nodeclient', [
    rule('create | certificates.k8s.io | certificatesigningrequests/nodeclient'),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', [
    rule('create | certificates.k8s.io | certificatesigningrequests/selfnodeclient'),
  ]),
  clusterRole('system:certificates.k8s.io:kube-apiserver-client-approver', [
    rule('approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client'),
  ]),
  clusterRole('system:certificates.k8s.io:kube-apiserver-client-kubelet-approver', [
    rule('approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet'),
  ]),
  clusterRole('system:certificates.k8s.io:kubelet-serving-approver', [
    rule('approve | certificates.k8s.io | signers | kubernetes.io/kubelet-serving'),
  ]),
  clusterRole('system:certificates.k8s.io:legacy-unknown-approver', [
    rule('approve | certificates.k8s.io | signers | kubernetes.io/legacy-unknown'),
  ]),
  ...Object.entries(CONTROLLERS).map(([name, rules]) =>
    clusterRole(`system:controller:${name}`, rules.map(rule)),
  ),
  // kubeadm's own; it doesn't label them.
  { metadata: { name: 'kubeadm:get-nodes' }, rules: [rule('get | - | nodes')] },
];

function plainBinding(name: string, role: string, ...subjects: string[]): ClusterRoleBinding {
  const { metadata: _metadata, ...rest } = binding(role, subjects);
  return { metadata: { name }, ...rest };
}

export const clusterRoleBindings: readonly ClusterRoleBinding[] = [
  binding('cluster-admin', ['Group system:masters']),
  binding('system:monitoring', ['Group system:monitoring']),
  binding('system:discovery', ['Group system:authenticated']),
  binding('system:basic-user', ['Group system:authenticated']),
  binding('system:public-info-viewer', ['Group system:authenticated', 'Group system:unauthenticated']),
  binding('system:node-proxier', ['User system:kube-proxy']),
  binding('system:kube-controller-manager', ['User system:kube-controller-manager']),
  binding('system:kube-dns', ['ServiceAccount kube-system/kube-dns']),
  binding('system:kube-scheduler', ['User system:kube-scheduler']),
  binding('system:volume-scheduler', ['User system:kube-scheduler']),
  binding('system:node', []),
  binding('system:service-account-issuer-discovery', ['Group system:serviceaccounts']),
  ...Object.keys(CONTROLLERS).map((name) =>
    binding(`system:controller:${name}`, [`ServiceAccount kube-system/${name}`]),
  ),
  plainBinding('kubeadm:cluster-admins', 'cluster-admin', 'Group kubeadm:cluster-admins'),
  plainBinding(
    'kubeadm:get-nodes',
    'kubeadm:get-nodes',
    'Group system:bootstrappers:kubeadm:default-node-token',
  ),
  plainBinding(
    'kubeadm:kubelet-bootstrap',
    'system:node-bootstrapper',
    'Group system:bootstrappers:kubeadm:default-node-token',
  ),
  plainBinding(
    'kubeadm:node-autoapprove-bootstrap',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    'Group system:bootstrappers:kubeadm:default-node-token',
  ),
  plainBinding(
    'kubeadm:node-autoapprove-certificate-rotation',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    'Group system:nodes',
  ),
  plainBinding('kubeadm:node-proxier', 'system:node-proxier', 'ServiceAccount kube-system/kube-proxy'),
];

function role(namespace: string, name: string, rules: PolicyRule[]): Role {
  return { metadata: { name, namespace, labels: LABELS, annotations: ANNOTATIONS }, rules };
}

function roleBinding(
  namespace: string,
  name: string,
  subjects: readonly string[],
  bound = name,
): RoleBinding {
  return {
    metadata: { name, namespace, labels: LABELS, annotations: ANNOTATIONS },
    roleRef: { apiGroup: API_GROUP, kind: 'Role', name: bound },
    subjects: subjects.map(subjectOf),
  };
}

export const roles: readonly Role[] = [
  role('kube-system', 'extension-apiserver-authentication-reader', [
    rule(`${READ} | - | configmaps | extension-apiserver-authentication`),
  ]),
  role('kube-system', 'system:controller:bootstrap-signer', [rule(`${READ} | - | secrets`)]),
  role('kube-system', 'system:controller:cloud-provider', [
    rule(`create get list update watch | - | configmaps`),
  ]),
  role('kube-system', 'system:controller:token-cleaner', [
    rule(`delete ${READ} | - | secrets`),
    rule(EVENTS),
  ]),
  role('kube-system', 'system::leader-locking-kube-controller-manager', [
    rule('watch | - | configmaps'),
    rule('get update | - | configmaps | kube-controller-manager'),
  ]),
  role('kube-system', 'system::leader-locking-kube-scheduler', [
    rule('watch | - | configmaps'),
    rule('get update | - | configmaps | kube-scheduler'),
  ]),
  role('kube-public', 'system:controller:bootstrap-signer', [
    rule(`${READ} | - | configmaps`),
    rule('update | - | configmaps | cluster-info'),
    rule(EVENTS),
  ]),
];

export const roleBindings: readonly RoleBinding[] = [
  roleBinding(
    'kube-system',
    'system::extension-apiserver-authentication-reader',
    ['User system:kube-controller-manager', 'User system:kube-scheduler'],
    'extension-apiserver-authentication-reader',
  ),
  roleBinding('kube-system', 'system::leader-locking-kube-controller-manager', [
    'User system:kube-controller-manager',
    'ServiceAccount kube-system/kube-controller-manager',
  ]),
  roleBinding('kube-system', 'system::leader-locking-kube-scheduler', [
    'User system:kube-scheduler',
    'ServiceAccount kube-system/kube-scheduler',
  ]),
  roleBinding('kube-system', 'system:controller:bootstrap-signer', [
    'ServiceAccount kube-system/bootstrap-signer',
  ]),
  roleBinding('kube-system', 'system:controller:cloud-provider', [
    'ServiceAccount kube-system/cloud-provider',
  ]),
  roleBinding('kube-system', 'system:controller:token-cleaner', ['ServiceAccount kube-system/token-cleaner']),
  roleBinding('kube-public', 'system:controller:bootstrap-signer', [
    'ServiceAccount kube-system/bootstrap-signer',
  ]),
];
