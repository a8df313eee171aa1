// What the controller manager leaves besides its controllers' work: accounts, and the status of admission policies.
import { expect, test } from 'vitest';
import { resources, type KubernetesObject } from '../../../../main/kubernetes/api/index.ts';
import { makeControlPlane } from '../../../support/make-control-plane.ts';

type Policy = KubernetesObject & { spec: object; status?: { observedGeneration?: number } };

test('a policy is looked at once a generation', async () => {
  using plane = await makeControlPlane({});
  const policy: Policy = {
    metadata: { name: 'few' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
        ],
      },
      validations: [{ expression: 'object.spec.replicas <= 3' }],
    },
  };
  await plane.create(resources.validatingadmissionpolicies, policy);
  await plane.settle();
  const before = await plane.get<Policy>(resources.validatingadmissionpolicies, 'few');
  expect(before.status).toEqual({ observedGeneration: 1, typeChecking: {} });

  await plane.api.client.patch<Policy>(
    resources.validatingadmissionpolicies,
    'few',
    'application/merge-patch+json',
    { spec: { failurePolicy: 'Ignore' } },
  );
  await plane.settle();
  const after = await plane.get<Policy>(resources.validatingadmissionpolicies, 'few');
  expect(after.status?.observedGeneration).toBe(2);
  expect(plane.errors).toEqual([]);
});

test('each controller has a service account in kube-system', async () => {
  using plane = await makeControlPlane({});
  await plane.settle();
  const accounts = await plane.list(resources.serviceaccounts, 'kube-system');
  const names = accounts.map(({ metadata }) => metadata.name);
  expect(names).toContain('deployment-controller');
  expect(names).toContain('generic-garbage-collector');
});
