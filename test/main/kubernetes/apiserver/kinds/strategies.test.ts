// What the server makes of new objects besides their defaults, over its API.
import { expect, test } from 'vitest';
import {
  resources,
  type Job,
  type Node,
  type PersistentVolumeClaim,
  type Pod,
  type Service,
} from '../../../../../main/kubernetes/api/index.ts';
import { makeApi } from '../../../../support/make-api.ts';

const named = (name: string): { name: string; namespace: string } => ({ name, namespace: 'default' });

test('amounts finer than thousandths are rounded up', async () => {
  using api = makeApi();
  const pod = await api.client.create<Pod>(resources.pods, {
    metadata: named('p'),
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '0.0001', memory: '1.5' } } }],
    },
  });
  expect(pod.spec?.containers[0]?.resources).toEqual({
    limits: { cpu: '1m', memory: '1500m' },
    requests: { cpu: '1m', memory: '1500m' },
  });
});

test("a Job finds its pods by its own uid, and takes its template's labels once it is stored", async () => {
  using api = makeApi();
  const template = { spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' as const } };
  const job = await api.client.create<Job>(resources.jobs, { metadata: named('j'), spec: { template } });
  const uid = job.metadata.uid;
  expect(job.spec?.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': uid } });
  expect(job.metadata.labels).toMatchObject({ 'job-name': 'j', 'controller-uid': uid });
  // A selector of one's own is completed, and then isn't the server's.
  await expect(
    api.client.create<Job>(resources.jobs, {
      metadata: named('k'),
      spec: { template, selector: { matchLabels: { a: 'b' } } },
    }),
  ).rejects.toThrow('`selector` not auto-generated');
});

test('a claim keeps the sources that the server understands', async () => {
  using api = makeApi();
  const claim = (name: string, kind: string): PersistentVolumeClaim => ({
    metadata: named(name),
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      dataSource: { kind, name: 'other' },
    },
  });
  const copied = await api.client.create(
    resources.persistentvolumeclaims,
    claim('a', 'PersistentVolumeClaim'),
  );
  expect(copied.spec?.dataSourceRef).toMatchObject({ kind: 'PersistentVolumeClaim', name: 'other' });
  const plain = await api.client.create(resources.persistentvolumeclaims, claim('b', 'Tape'));
  expect(plain.spec?.dataSource).toBeUndefined();
  expect(plain.spec?.dataSourceRef).toBeUndefined();
});

test('a cluster with one address family gives out no other', async () => {
  using api = makeApi();
  const service = (spec: Service['spec']): Service => ({
    metadata: named('s'),
    spec: { ports: [{ port: 80 }], ...spec },
  });
  await expect(api.client.create(resources.services, service({ ipFamilies: ['IPv6'] }))).rejects.toThrow(
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  );
  await expect(
    api.client.create(
      resources.services,
      service({ ipFamilyPolicy: 'RequireDualStack', selector: { a: 'b' } }),
    ),
  ).rejects.toThrow('this cluster is not configured for dual-stack services');
  const headless = await api.client.create(resources.services, service({ clusterIP: 'None' }));
  expect(headless.spec?.ipFamilies).toEqual(['IPv4', 'IPv6']);
});

test('all of a node may be allocated unless it says otherwise', async () => {
  using api = makeApi();
  const node = await api.client.create<Node>(resources.nodes, {
    metadata: { name: 'n' },
    status: { capacity: { cpu: '2' } },
  });
  expect(node.status?.allocatable).toEqual({ cpu: '2' });
});
