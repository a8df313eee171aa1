import { describe, expect, test } from 'vitest';
import { ask, type Answer } from '../../../../support/ask-json.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const KUBELET = { as: 'system:node:worker1', groups: ['system:nodes'] };
const DEFAULT = '/api/v1/namespaces/default';

/** A server where worker1 runs a pod that needs a few things, and worker2 one that needs others. */
async function makeNodes(): Promise<TestApi> {
  const api = makeApi();
  for (const name of ['mine', 'theirs']) {
    await ask(api, 'POST', `${DEFAULT}/secrets`, { metadata: { name } });
    await ask(api, 'POST', `${DEFAULT}/configmaps`, { metadata: { name } });
    await ask(api, 'POST', `${DEFAULT}/serviceaccounts`, { metadata: { name } });
    await ask(api, 'POST', `${DEFAULT}/pods`, {
      metadata: { name },
      spec: {
        nodeName: name === 'mine' ? 'worker1' : 'worker2',
        serviceAccountName: name,
        volumes: [
          { name: 's', secret: { secretName: name } },
          { name: 'p', persistentVolumeClaim: { claimName: name } },
        ],
        containers: [{ name: 'c', image: 'x', envFrom: [{ configMapRef: { name } }] }],
      },
    });
    await ask(api, 'POST', '/api/v1/persistentvolumes', {
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/x' },
        claimRef: { namespace: 'default', name },
      },
    });
  }
  return api;
}

const read = (api: TestApi, target: string): Promise<Answer> => ask(api, 'GET', target, undefined, KUBELET);

describe('a kubelet', () => {
  test('reads what its pods need, and nothing of others', async () => {
    using api = await makeNodes();
    for (const [path, name] of [
      [`${DEFAULT}/secrets`, 'secrets'],
      [`${DEFAULT}/configmaps`, 'configmaps'],
      ['/api/v1/persistentvolumes', 'persistentvolumes'],
    ] as const) {
      expect((await read(api, `${path}/mine`)).status).toBe(200);
      const { status, body } = await read(api, `${path}/theirs`);
      expect(status).toBe(403);
      expect(body.message).toMatch(
        new RegExp(
          `^${name} "theirs" is forbidden: User "system:node:worker1" cannot get resource "${name}"`,
        ),
      );
      expect(body.message).toContain("no relationship found between node 'worker1' and this object");
    }
  });

  test('lists by name only', async () => {
    using api = await makeNodes();
    expect((await read(api, `${DEFAULT}/secrets?fieldSelector=metadata.name=mine`)).status).toBe(200);
    expect((await read(api, `${DEFAULT}/secrets?fieldSelector=metadata.name=theirs`)).status).toBe(403);
    expect((await read(api, `${DEFAULT}/secrets`)).body.message).toContain('No Object name found');
    expect((await read(api, '/api/v1/secrets')).body.message).toContain(
      'can only read namespaced object of this type',
    );
  });

  test('has no claim any more once the pod is gone', async () => {
    using api = await makeNodes();
    await ask(api, 'DELETE', `${DEFAULT}/pods/mine?gracePeriodSeconds=0`);
    expect((await read(api, `${DEFAULT}/secrets/mine`)).status).toBe(403);
  });

  test('makes tokens for the accounts of its pods', async () => {
    using api = await makeNodes();
    const token = (name: string): Promise<Answer> =>
      ask(api, 'POST', `${DEFAULT}/serviceaccounts/${name}/token`, { spec: { audiences: [] } }, KUBELET);
    expect((await token('mine')).status).toBe(201);
    expect((await token('theirs')).status).toBe(403);
  });

  test('renews its own lease', async () => {
    using api = await makeNodes();
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    for (const name of ['worker1', 'worker2']) await ask(api, 'POST', leases, { metadata: { name } });
    expect((await read(api, `${leases}/worker1`)).status).toBe(200);
    expect((await read(api, `${leases}/worker2`)).body.message).toContain(
      'can only access node lease with the same name as the requesting node',
    );
    expect(
      (await read(api, '/apis/coordination.k8s.io/v1/namespaces/default/leases/a')).body.message,
    ).toContain('can only access leases in the "kube-node-lease" system namespace');
  });

  test('may what a binding allows it besides', async () => {
    using api = await makeNodes();
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    await ask(api, 'POST', `${rbac}/roles`, {
      metadata: { name: 'r' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
    });
    await ask(api, 'POST', `${rbac}/rolebindings`, {
      metadata: { name: 'r' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
    });
    expect((await read(api, `${DEFAULT}/secrets/theirs`)).status).toBe(200);
  });
});
