import { expect, test } from 'vitest';
import {
  resources,
  type PodDisruptionBudget,
  type ResourceQuota,
} from '../../../../main/kubernetes/api/index.ts';
import { deployment, makeControlPlane, pod } from '../../../support/make-control-plane.ts';

function budget(name: string, spec: Record<string, unknown>) {
  const metadata = { name, namespace: 'default' };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata,
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  };
}

test('a budget tells how many pods may go', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.deployments, deployment('web', 4));
  await plane.create(resources.poddisruptionbudgets, budget('min', { minAvailable: 3 }));
  await plane.create(resources.poddisruptionbudgets, budget('max', { maxUnavailable: '50%' }));
  await plane.settle();
  const status = async (name: string): Promise<unknown> =>
    (await plane.get<PodDisruptionBudget>(resources.poddisruptionbudgets, name)).status;
  expect(await status('min')).toMatchObject({
    currentHealthy: 4,
    desiredHealthy: 3,
    disruptionsAllowed: 1,
    expectedPods: 4,
  });
  expect(await status('max')).toMatchObject({
    currentHealthy: 4,
    desiredHealthy: 2,
    disruptionsAllowed: 2,
    expectedPods: 4,
  });
  expect(await status('min')).toMatchObject({
    conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
  });
});

test('a budget without pods allows nothing and says so', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.poddisruptionbudgets, budget('idle', { minAvailable: 1 }));
  await plane.settle();
  const { status } = await plane.get<PodDisruptionBudget>(resources.poddisruptionbudgets, 'idle');
  expect(status).toMatchObject({
    disruptionsAllowed: 0,
    conditions: [{ reason: 'InsufficientPods', status: 'False' }],
  });
  expect((await plane.events('idle'))[0]).toMatch(/^NoPods: No matching pods found/);
});

test('a quota shows what the namespace uses', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.resourcequotas, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'compute', namespace: 'default' },
    spec: {
      hard: { pods: '10', 'requests.cpu': '4', 'limits.memory': '4Gi', 'count/deployments.apps': '5' },
    },
  });
  await plane.settle(); // Until the controller has looked, the status is unknown and nothing is admitted.
  const container = { resources: { requests: { cpu: '250m' }, limits: { cpu: '250m', memory: '128Mi' } } };
  await plane.create(resources.deployments, deployment('web', 3, container));
  await plane.settle();
  const { status } = await plane.get<ResourceQuota>(resources.resourcequotas, 'compute');
  expect(status?.used).toEqual({
    pods: '3',
    'requests.cpu': '750m',
    'limits.memory': '384Mi',
    'count/deployments.apps': '1',
  });
});

test('a quota counts the pods of its scopes only, an init container as far as it takes more', async () => {
  using plane = await makeControlPlane();
  const metadata = (name: string) => ({ name, namespace: 'default' });
  await plane.create(resources.priorityclasses, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  } as never);
  const matchExpressions = [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }];
  const quota = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: metadata(name),
    spec,
  });
  await plane.create(
    resources.resourcequotas,
    quota('high', { hard: { pods: '5', cpu: '4' }, scopeSelector: { matchExpressions } }) as never,
  );
  await plane.create(
    resources.resourcequotas,
    quota('brief', { hard: { pods: '5' }, scopes: ['Terminating'] }) as never,
  );
  await plane.settle();
  const containers = [{ name: 'c', image: 'busybox', resources: { requests: { cpu: '200m' } } }];
  const initContainers = [{ name: 'i', image: 'busybox', resources: { requests: { cpu: '1' } } }];
  await plane.create(
    resources.pods,
    pod('important', { priorityClassName: 'high', containers, initContainers }),
  );
  await plane.create(resources.pods, pod('plain', { containers, activeDeadlineSeconds: 600 }));
  await plane.settle();
  const used = async (name: string): Promise<unknown> =>
    (await plane.get<ResourceQuota>(resources.resourcequotas, name)).status?.used;
  expect(await used('high')).toEqual({ pods: '1', cpu: '1' });
  expect(await used('brief')).toEqual({ pods: '1' });
  await plane.api.client.delete(resources.pods, 'important', { namespace: 'default' });
  await plane.settle();
  expect(await used('high')).toEqual({ pods: '0', cpu: '0' });
});
