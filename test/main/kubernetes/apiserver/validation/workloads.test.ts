import { expect, test } from 'vitest';
import { faultsOf, statusFaultsOf, updateFaultsOf } from '../../../../support/judged.ts';

const template = (spec: object = {}): object => ({
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const workload = (spec: object = {}): { spec: object } => ({
  spec: { selector: { matchLabels: { app: 'a' } }, template: template(), ...spec },
});

test.each([
  [
    'deployments',
    { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
  ],
  [
    'deployments',
    { strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    'deployments',
    { revisionHistoryLimit: -1 },
    'spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    'deployments',
    { template: template({ activeDeadlineSeconds: 5 }) },
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
  ],
  [
    'replicasets',
    { minReadySeconds: -1 },
    'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    'daemonsets',
    { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '101%' } } },
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    'statefulsets',
    { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } },
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0',
  ],
  [
    'deployments',
    { selector: { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'app', operator: 'Is' }] } },
    [
      'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
      'spec.selector: Invalid value: {"matchLabels":{"app":"a"},"matchExpressions":[{"key":"app","operator":"Is"}]}: invalid label selector',
    ],
  ],
])('of %s with %j it says what is wrong', (plural, spec, expected) => {
  expect(faultsOf(plural, workload(spec))).toEqual([expected].flat());
});

test.each(['deployments', 'replicasets', 'daemonsets'])('the selector of %s stays', (plural) => {
  const other = workload({
    selector: { matchLabels: { app: 'b' } },
    template: { ...template(), metadata: { labels: { app: 'b' } } },
  });
  expect(updateFaultsOf(plural, workload(), other)).toEqual([
    'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
  ]);
});

test('a DaemonSet is told of its selector before its template', () => {
  const other = workload({ selector: { matchLabels: { app: 'a', x: 'y' } } });
  expect(updateFaultsOf('daemonsets', workload(), other)).toEqual([
    'spec.selector: Invalid value: {"matchLabels":{"app":"a","x":"y"}}: field is immutable',
    'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
  ]);
});

test('a ReplicationController takes its template for its selector, and needs one', () => {
  expect(faultsOf('replicationcontrollers', { spec: { template: template() } })).toEqual([]);
  expect(faultsOf('replicationcontrollers', { spec: { selector: { app: 'a' } } })).toEqual([
    'spec.template: Required value',
  ]);
});

test('of a StatefulSet only some fields change', () => {
  const set = (spec: object): object => workload({ serviceName: 's', ...spec });
  for (const change of [
    { replicas: 3 },
    { ordinals: { start: 2 } },
    { minReadySeconds: 3 },
    { revisionHistoryLimit: 2 },
  ])
    expect(updateFaultsOf('statefulsets', set({}), set(change))).toEqual([]);
  expect(updateFaultsOf('statefulsets', set({}), set({ podManagementPolicy: 'Parallel' }))).toEqual([
    expect.stringMatching(/^spec: Forbidden: updates to statefulset spec for fields other than 'replicas'/),
  ]);
});

test('a claim template stands for a volume of its name', () => {
  const claims = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ];
  const mounting = template({
    containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/d' }] }],
  });
  expect(faultsOf('statefulsets', workload({ template: mounting, volumeClaimTemplates: claims }))).toEqual(
    [],
  );
  expect(faultsOf('statefulsets', workload({ template: mounting }))).toEqual([
    'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
  ]);
});

test('a status counts no more than there are', () => {
  const status = (counts: object): object => ({ ...workload(), status: counts });
  expect(
    statusFaultsOf(
      'deployments',
      status({}),
      status({ replicas: 1, readyReplicas: 2, availableReplicas: 1 }),
    ),
  ).toEqual(['status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas']);
  expect(
    statusFaultsOf(
      'replicasets',
      status({}),
      status({ replicas: 3, readyReplicas: 1, availableReplicas: 2 }),
    ),
  ).toEqual(['status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas']);
  expect(statusFaultsOf('deployments', status({ collisionCount: 2 }), status({ collisionCount: 1 }))).toEqual(
    ['status.collisionCount: Invalid value: 1: cannot be decremented'],
  );
});

test('a revision keeps its data', () => {
  expect(faultsOf('controllerrevisions', { revision: -1 })).toEqual([
    'data: Required value: data is mandatory',
    'revision: Invalid value: -1: must be greater than or equal to 0',
  ]);
  expect(
    updateFaultsOf('controllerrevisions', { revision: 1, data: { a: 1 } }, { revision: 2, data: { a: 2 } }),
  ).toEqual(['data: Invalid value: {"a":2}: field is immutable']);
});
