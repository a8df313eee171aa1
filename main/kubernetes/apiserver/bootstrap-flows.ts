// The flow schemas and priority levels of a new cluster (KEP-1040; apiserver/pkg/apis/flowcontrol/bootstrap/default.go).
//
// Differs: requests aren't queued by them; there is one client at a time to be fair to.
import type { KubernetesObject } from '../api/meta.ts';
import type { FlowNonResourceRule, FlowResourceRule, FlowRules, FlowSubject } from './flow-schema.ts';

const group = (name: string): FlowSubject => ({ kind: 'Group', group: { name } });
const user = (name: string): FlowSubject => ({ kind: 'User', user: { name } });
const KUBE_SYSTEM_ACCOUNTS: FlowSubject = {
  kind: 'ServiceAccount',
  serviceAccount: { namespace: 'kube-system', name: '*' },
};

const ALL_RESOURCES: FlowResourceRule = {
  verbs: ['*'],
  apiGroups: ['*'],
  resources: ['*'],
  clusterScope: true,
  namespaces: ['*'],
};
const ALL_PATHS: FlowNonResourceRule = { verbs: ['*'], nonResourceURLs: ['*'] };

/** All that these may ask. */
function everythingOf(...subjects: FlowSubject[]): FlowRules {
  return { subjects, resourceRules: [ALL_RESOURCES], nonResourceRules: [ALL_PATHS] };
}

const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];

function flowSchema(
  name: string,
  level: string,
  precedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rules: FlowRules,
): KubernetesObject {
  return {
    metadata: { name, annotations: AUTOMATIC },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
      rules: [rules],
    },
  } as KubernetesObject;
}

const AUTOMATIC = { 'apf.kubernetes.io/autoupdate-spec': 'true' };

/** Each with the state of its reference, as of `now` in RFC 3339. */
export function flowSchemas(now: string): KubernetesObject[] {
  return SCHEMAS.map((schema) => {
    const { priorityLevelConfiguration: level } = (
      schema as { spec: { priorityLevelConfiguration: { name: string } } }
    ).spec;
    const message = `This FlowSchema references the PriorityLevelConfiguration object named "${level.name}" and it exists`;
    const dangling = { type: 'Dangling', status: 'False', lastTransitionTime: now, reason: 'Found', message };
    return { ...schema, status: { conditions: [dangling] } } as KubernetesObject;
  });
}

const SCHEMAS: readonly KubernetesObject[] = [
  flowSchema('exempt', 'exempt', 1, undefined, everythingOf(group('system:masters'))),
  flowSchema('probes', 'exempt', 2, undefined, {
    subjects: EVERYBODY,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  flowSchema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), KUBE_SYSTEM_ACCOUNTS],
    resourceRules: [
      {
        verbs: ['get', 'create', 'update'],
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        namespaces: ['*'],
      },
    ],
  }),
  flowSchema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: [group('system:nodes')],
    resourceRules: [
      {
        verbs: ['*'],
        apiGroups: [''],
        resources: ['nodes', 'nodes/status'],
        clusterScope: true,
        namespaces: ['*'],
      },
      { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
    ],
  }),
  flowSchema('system-nodes', 'system', 500, 'ByUser', everythingOf(group('system:nodes'))),
  flowSchema(
    'kube-controller-manager',
    'workload-high',
    800,
    'ByNamespace',
    everythingOf(user('system:kube-controller-manager')),
  ),
  flowSchema(
    'kube-scheduler',
    'workload-high',
    800,
    'ByNamespace',
    everythingOf(user('system:kube-scheduler')),
  ),
  flowSchema(
    'kube-system-service-accounts',
    'workload-high',
    900,
    'ByNamespace',
    everythingOf(KUBE_SYSTEM_ACCOUNTS),
  ),
  flowSchema(
    'service-accounts',
    'workload-low',
    9000,
    'ByUser',
    everythingOf(group('system:serviceaccounts')),
  ),
  flowSchema('global-default', 'global-default', 9900, 'ByUser', everythingOf(...EVERYBODY)),
  flowSchema('catch-all', 'catch-all', 10_000, 'ByUser', everythingOf(...EVERYBODY)),
];

/** `queues`, `handSize` and `queueLengthLimit`; without them the level rejects. */
type Queuing = readonly [queues: number, handSize: number, queueLengthLimit: number];

function limited(name: string, shares: number, lendablePercent: number, queuing?: Queuing): KubernetesObject {
  const [queues, handSize, queueLengthLimit] = queuing ?? [];
  const limitResponse =
    queuing === undefined
      ? { type: 'Reject' }
      : { type: 'Queue', queuing: { queues, handSize, queueLengthLimit } };
  return {
    metadata: { name, annotations: AUTOMATIC },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: shares, lendablePercent, limitResponse },
    },
    status: {},
  } as KubernetesObject;
}

export const priorityLevels: readonly KubernetesObject[] = [
  {
    metadata: { name: 'exempt', annotations: AUTOMATIC },
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
    status: {},
  } as KubernetesObject,
  limited('catch-all', 5, 0),
  limited('global-default', 20, 50, [128, 6, 50]),
  limited('leader-election', 10, 0, [16, 4, 50]),
  limited('node-high', 40, 25, [64, 6, 50]),
  limited('system', 30, 33, [64, 6, 50]),
  limited('workload-high', 40, 50, [128, 6, 50]),
  limited('workload-low', 100, 90, [128, 6, 50]),
];
