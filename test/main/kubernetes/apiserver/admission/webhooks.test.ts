// Admission webhooks: one that can't be reached refuses what it is for, unless it may fail.
import { expect, test } from 'vitest';
import { resources, type KubernetesObject } from '../../../../../main/kubernetes/api/index.ts';
import { makeApi } from '../../../../support/make-api.ts';

function hook(name: string, more: Record<string, unknown> = {}): KubernetesObject {
  return {
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { service: { namespace: 'default', name: 'hook', path: '/v' } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        namespaceSelector: { matchLabels: { hook: 'on' } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 2,
        ...more,
      },
    ],
  } as KubernetesObject;
}

const map = (namespace: string): KubernetesObject => ({ metadata: { name: 'm', namespace } });

test('what a missing webhook is for is refused in upstream’s words, the rest goes through', async () => {
  using api = makeApi();
  await api.client.create(resources.namespaces, { metadata: { name: 'watched', labels: { hook: 'on' } } });
  await api.client.create(resources.validatingwebhookconfigurations, hook('strict'));

  await expect(api.client.create(resources.configmaps, map('watched'))).rejects.toThrow(
    'Internal error occurred: failed calling webhook "strict.example.com": failed to call webhook: Post "https://hook.default.svc:443/v?timeout=2s": service "hook" not found',
  );
  await api.client.create(resources.configmaps, map('default'));
  await api.client.create(resources.secrets, map('watched'));
});

test('one that may fail lets pass', async () => {
  using api = makeApi();
  await api.client.create(resources.namespaces, { metadata: { name: 'watched', labels: { hook: 'on' } } });
  await api.client.create(resources.mutatingwebhookconfigurations, hook('lax', { failurePolicy: 'Ignore' }));
  const made = await api.client.create(resources.configmaps, map('watched'));
  expect(made.metadata.name).toBe('m');
});

test('one that could be reached says that it isn’t', async () => {
  using api = makeApi();
  await api.client.create(resources.namespaces, { metadata: { name: 'watched', labels: { hook: 'on' } } });
  await api.client.create(resources.services, {
    metadata: { name: 'hook', namespace: 'default' },
    spec: { ports: [{ port: 443 }] },
  } as KubernetesObject);
  await api.client.create(resources.mutatingwebhookconfigurations, hook('strict'));
  await expect(api.client.create(resources.configmaps, map('watched'))).rejects.toThrow(
    "drydock: calling admission webhooks isn't simulated",
  );
});
