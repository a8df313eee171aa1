import { expect, test } from 'vitest';
import { resources, type ClusterRole } from '../../../../main/kubernetes/api/index.ts';
import { makeControlPlane } from '../../../support/make-control-plane.ts';

test('a ClusterRole with an aggregation label adds to the roles that select it, and takes its rules along', async () => {
  using plane = await makeControlPlane();
  const view = async (): Promise<string> =>
    JSON.stringify((await plane.get<ClusterRole>(resources.clusterroles, 'view')).rules);
  const before = await view();
  await plane.create(resources.clusterroles, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'gizmo-viewer', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
    rules: [{ apiGroups: ['example.com'], resources: ['gizmos'], verbs: ['get', 'list', 'watch'] }],
  } as ClusterRole);
  await plane.settle();
  expect(await view()).toContain('gizmos');
  await plane.api.client.delete(resources.clusterroles, 'gizmo-viewer');
  await plane.settle();
  expect(await view()).toBe(before);
});

test('nothing is written for the roles that a cluster begins with', async () => {
  using plane = await makeControlPlane();
  const roles = await plane.list<ClusterRole>(resources.clusterroles);
  const aggregated = roles.filter(({ metadata }) => ['admin', 'edit', 'view'].includes(metadata.name));
  const first = Math.min(...roles.map(({ metadata }) => Number(metadata.resourceVersion)));
  for (const { metadata } of aggregated)
    expect(Number(metadata.resourceVersion)).toBeLessThan(first + roles.length);
});

test('roles that aggregate each other for ever do not stop time', async () => {
  using plane = await makeControlPlane();
  const { client, clock } = plane.api;
  const both = { clusterRoleSelectors: [{ matchLabels: { both: 'yes' } }] };
  for (const name of ['a', 'b']) {
    await client.create<ClusterRole>(resources.clusterroles, {
      metadata: { name, labels: { both: 'yes' } },
      aggregationRule: both,
      rules: [{ apiGroups: [''], resources: [name], verbs: ['get'] }],
    } as ClusterRole);
  }
  const before = clock.now();
  await clock.advance({ seconds: 1 });
  expect(clock.now() - before).toBe(1000);
});
