import { expect, test } from 'vitest';
import {
  resources,
  type Deployment,
  type Pod,
  type ReplicaSet,
} from '../../../../main/kubernetes/api/index.ts';
import { deployment, makeControlPlane } from '../../../support/make-control-plane.ts';

test('a Deployment gets a ReplicaSet named after its template, and its pods', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.deployments, deployment('web', 3));
  await plane.settle();

  const [set] = await plane.list<ReplicaSet>(resources.replicasets, 'default');
  expect(plane.errors).toEqual([]);
  expect(set!.metadata.name).toMatch(/^web-[456789bcdf]{7,10}$/);
  expect(set!.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/desired-replicas': '3',
    'deployment.kubernetes.io/max-replicas': '4',
    'deployment.kubernetes.io/revision': '1',
  });
  const pods = await plane.list<Pod>(resources.pods, 'default');
  expect(pods).toHaveLength(3);
  expect(new Set(pods.map(({ spec }) => spec?.nodeName))).toEqual(new Set(['worker1', 'worker2']));
  for (const { metadata } of pods)
    expect(metadata.name).toMatch(new RegExp(`^${set!.metadata.name}-[bcdfghjklmnpqrstvwxz2456789]{5}$`));

  const web = await plane.get<Deployment>(resources.deployments, 'web');
  expect(web.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
  expect(web.status).toMatchObject({
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    observedGeneration: 1,
  });
  expect(
    web.status?.conditions?.map(
      ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
    ),
  ).toEqual([
    'Available True MinimumReplicasAvailable: Deployment has minimum availability.',
    `Progressing True NewReplicaSetAvailable: ReplicaSet "${set!.metadata.name}" has successfully progressed.`,
  ]);
  expect(await plane.events('web')).toEqual([
    `ScalingReplicaSet: Scaled up replica set ${set!.metadata.name} from 0 to 3`,
  ]);
});
