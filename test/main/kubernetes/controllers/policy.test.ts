import { expect, test } from 'vitest';
import {
  resources,
  type PodDisruptionBudget,
  type ResourceQuota,
} from '../../../../main/kubernetes/api/index.ts';
import { deployment, makeControlPlane } from '../../../support/make-control-plane.ts';

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
