// A client library that isn't ours, @kubernetes/client-node, at a whole cluster's door: what programs do with it works.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  ApiException,
  ApiextensionsV1Api,
  AppsV1Api,
  Attach,
  AuthorizationV1Api,
  BatchV1Api,
  CoreV1Api,
  Cp,
  CustomObjectsApi,
  Exec,
  Health,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  ListWatch,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  VersionApi,
  Watch,
  type V1ConfigMap,
  type V1Pod,
  type V1Status,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDrydock, type OpenDrydock } from '../../support/open-drydock.ts';

let drydock: OpenDrydock;
let config: KubeConfig;
let core: CoreV1Api;
beforeAll(async () => {
  drydock = await openDrydock({ speed: 20 });
  const file = path.join(drydock.folder, 'config.yaml');
  writeFileSync(file, drydock.kubeconfig);
  config = new KubeConfig();
  config.loadFromFile(file);
  core = config.makeApiClient(CoreV1Api);
}, 60_000);
afterAll(async () => {
  await drydock[Symbol.asyncDispose]();
  if (drydock.faults.length > 0) throw new AggregateError(drydock.faults, 'faults inside');
});

async function makeNamespace(name: string): Promise<string> {
  await core.createNamespace({ body: { metadata: { name } } });
  await expect
    .poll(async () => (await core.listNamespacedServiceAccount({ namespace: name })).items.length)
    .toBe(1);
  return name;
}

/** A Pod that is Running when this resolves. */
async function runPod(namespace: string, name: string, image: string, command?: string[]): Promise<V1Pod> {
  await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name, labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'c', image, command, stdin: true, ports: [{ containerPort: 80 }] }],
      },
    },
  });
  await expect
    .poll(async () => (await core.readNamespacedPod({ namespace, name })).status?.phase, { timeout: 15_000 })
    .toBe('Running');
  return core.readNamespacedPod({ namespace, name });
}

async function refusalOf(request: Promise<unknown>): Promise<V1Status> {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiException);
  return JSON.parse((error as ApiException<string>).body) as V1Status;
}

test('typed objects are created, read, replaced, listed in pieces and deleted', async () => {
  const namespace = await makeNamespace('crud');
  const made = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: 'a', labels: { set: 'x' } }, data: { k: '1' } },
  });
  expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);

  const replaced = await core.replaceNamespacedConfigMap({
    namespace,
    name: 'a',
    body: Object.assign(made, { data: { k: '2' } }),
  });
  expect(replaced.data).toEqual({ k: '2' });
  const stale = await refusalOf(core.replaceNamespacedConfigMap({ namespace, name: 'a', body: made }));
  expect([stale.code, stale.reason]).toEqual([409, 'Conflict']);

  for (const name of ['b', 'c'])
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { set: 'x' } } } });
  const names: (string | undefined)[] = [];
  let next: string | undefined;
  do {
    const page = await core.listNamespacedConfigMap({
      namespace,
      labelSelector: 'set=x',
      limit: 2,
      _continue: next,
    });
    names.push(...page.items.map(({ metadata }) => metadata?.name));
    next = page.metadata?._continue;
  } while (next);
  expect(names).toEqual(['a', 'b', 'c']);

  await core.deleteNamespacedConfigMap({ namespace, name: 'a' });
  const gone = await refusalOf(core.readNamespacedConfigMap({ namespace, name: 'a' }));
  expect([gone.code, gone.message]).toEqual([404, 'configmaps "a" not found']);
  await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'set=x' });
  expect((await core.listNamespacedConfigMap({ namespace, labelSelector: 'set=x' })).items).toEqual([]);
});

test('all four kinds of patch', async () => {
  const namespace = await makeNamespace('patches');
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'p' }, data: { a: '1' } } });
  const patch = (strategy: PatchStrategy, body: object, fieldManager?: string): Promise<V1ConfigMap> =>
    core.patchNamespacedConfigMap(
      { namespace, name: 'p', body, fieldManager, force: fieldManager === undefined ? undefined : true },
      setHeaderOptions('Content-Type', strategy),
    );
  const merged = await patch(PatchStrategy.MergePatch, { data: { a: null, b: '2' } });
  expect(merged.data).toEqual({ b: '2' });
  const json = await patch(PatchStrategy.JsonPatch, [{ op: 'add', path: '/data/c', value: '3' }]);
  expect(json.data).toEqual({ b: '2', c: '3' });
  const strategic = await patch(PatchStrategy.StrategicMergePatch, {
    metadata: { finalizers: ['example.com/a'] },
  });
  expect(strategic.metadata?.finalizers).toEqual(['example.com/a']);
  const applied = await patch(
    PatchStrategy.ServerSideApply,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p' }, data: { d: '4' } },
    'library',
  );
  expect(applied.data).toEqual({ b: '2', c: '3', d: '4' });
  expect(
    applied.metadata?.managedFields?.map(({ manager, operation }) => [manager, operation]),
  ).toContainEqual(['library', 'Apply']);
  const cleared = await patch(PatchStrategy.JsonPatch, [{ op: 'remove', path: '/metadata/finalizers' }]);
  expect(cleared.metadata?.finalizers).toBeUndefined();
});

test('objects of any kind, by their apiVersion and kind', async () => {
  const namespace = await makeNamespace('objects');
  const objects = KubernetesObjectApi.makeApiClient(config);
  const made = await objects.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'nginx:1.20' }] },
      },
    },
  } as KubernetesObject);
  expect(made.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
  const apps = config.makeApiClient(AppsV1Api);
  await expect
    .poll(
      async () => (await apps.readNamespacedDeployment({ namespace, name: 'web' })).status?.readyReplicas,
      { timeout: 15_000 },
    )
    .toBe(2);
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'web' });
  await apps.replaceNamespacedDeploymentScale({
    namespace,
    name: 'web',
    body: Object.assign(scale, { spec: { replicas: 1 } }),
  });
  await expect
    .poll(async () => (await core.listNamespacedPod({ namespace })).items.length, { timeout: 15_000 })
    .toBe(1);
  const listed = await objects.list('apps/v1', 'Deployment', namespace);
  expect(listed.items.map(({ metadata }) => metadata?.name)).toEqual(['web']);
  await objects.delete({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
  });
});

test('an informer tells of additions, changes and deletions', async () => {
  const namespace = await makeNamespace('informer');
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'old' } } });
  const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  const seen: string[] = [];
  for (const verb of ['add', 'update', 'delete'] as const)
    informer.on(verb, ({ metadata }) => void seen.push(`${verb} ${metadata?.name}`));
  informer.on('error', (error: unknown) => void seen.push(`error ${String(error)}`));
  await informer.start();
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'new' } } });
  await core.patchNamespacedConfigMap(
    { namespace, name: 'old', body: { data: { a: 'b' } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
  await core.deleteNamespacedConfigMap({ namespace, name: 'new' });
  await expect
    .poll(() => seen.filter((one) => !one.includes('kube-root-ca.crt')))
    .toEqual(['add old', 'add new', 'update old', 'delete new']);
  expect(informer.get('old', namespace)?.data).toEqual({ a: 'b' });
  expect(informer.get('new', namespace)).toBeUndefined();
  await informer.stop();
});

test('an informer whose revision is compacted is told 410 Gone, and lists anew', async () => {
  const namespace = await makeNamespace('expired');
  const early = await core.listNamespacedConfigMap({ namespace });
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'later' } } });
  // More changes than the server's watch cache holds, and a compaction such as comes with time.
  for (let i = 0; i < 600; i++)
    await core.patchNamespacedConfigMap(
      { namespace, name: 'later', body: { data: { i: String(i) } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  const { store } = drydock.session;
  store.compact(store.revision);

  const { resourceVersion } = early.metadata!;
  const refused = await refusalOf(
    core.listNamespacedConfigMap({ namespace, resourceVersion, resourceVersionMatch: 'Exact' }),
  );
  expect([refused.code, refused.reason]).toEqual([410, 'Expired']);

  const lists = [early];
  let listed = 0;
  const informer = new ListWatch<V1ConfigMap>(
    `/api/v1/namespaces/${namespace}/configmaps`,
    new Watch(config),
    async () => {
      listed++;
      return lists.shift() ?? core.listNamespacedConfigMap({ namespace });
    },
    false,
    undefined,
    undefined,
    { delayFn: async () => {} },
  );
  await informer.start();
  await expect.poll(() => informer.get('later', namespace)?.metadata?.name).toBe('later');
  expect(listed).toBe(2);
  await informer.stop();
});

test('a watch begins with what there is, sends bookmarks, and ends when its time is over', async () => {
  const namespace = await makeNamespace('watch');
  const phases: string[] = [];
  const ended = new Promise<unknown>((resolve, reject) => {
    new Watch(config)
      .watch(
        `/api/v1/namespaces/${namespace}/configmaps`,
        {
          sendInitialEvents: true,
          resourceVersionMatch: 'NotOlderThan',
          allowWatchBookmarks: true,
          timeoutSeconds: 20,
        },
        (phase, object: V1ConfigMap) => void phases.push(`${phase} ${object.metadata?.name ?? ''}`.trim()),
        resolve,
      )
      .catch(reject);
  });
  await expect.poll(() => phases).toContain('BOOKMARK');
  expect(phases[0]).toBe('ADDED kube-root-ca.crt');
  await ended;
});

test('exec has stdin, stdout, stderr and a status', async () => {
  const namespace = await makeNamespace('exec');
  await runPod(namespace, 'p', 'busybox:1.36', ['sleep', '1d']);
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const status = new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(
        namespace,
        'p',
        'c',
        ['sh', '-c', 'cat; echo oops >&2; exit 3'],
        stdout,
        stderr,
        Readable.from(['from the ', 'library\n']),
        false,
        resolve,
      )
      .catch(reject);
  });
  const answer = await status;
  stdout.end();
  stderr.end();
  expect([await text(stdout), await text(stderr)]).toEqual(['from the library\n', 'oops\n']);
  expect([answer.status, answer.reason, answer.details?.causes]).toEqual([
    'Failure',
    'NonZeroExitCode',
    [{ reason: 'ExitCode', message: '3' }],
  ]);
});

test('attach joins a running container', async () => {
  const namespace = await makeNamespace('attach');
  await runPod(namespace, 'p', 'busybox:1.36', [
    'sh',
    '-c',
    'while read x; do echo "got $x"; done; sleep 1d',
  ]);
  const stdout = new PassThrough();
  const stdin = new PassThrough();
  const socket = await new Attach(config).attach(namespace, 'p', 'c', stdout, null, stdin, false);
  stdin.write('one\n');
  let seen = '';
  stdout.setEncoding('utf8').on('data', (piece: string) => (seen += piece));
  await expect.poll(() => seen).toBe('got one\n');
  socket.close();
});

test('logs are followed until the container ends', async () => {
  const namespace = await makeNamespace('logs');
  await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name: 'p' },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'c',
            image: 'busybox:1.36',
            command: ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 5; done'],
          },
        ],
      },
    },
  });
  await expect
    .poll(async () => (await core.readNamespacedPod({ namespace, name: 'p' })).status?.phase, {
      timeout: 15_000,
    })
    .toBe('Running');
  const stream = new PassThrough();
  await new Log(config).log(namespace, 'p', 'c', stream, { follow: true });
  expect(await text(stream)).toBe('1\n2\n3\n');
  expect(await core.readNamespacedPodLog({ namespace, name: 'p', tailLines: 1 })).toBe('3\n');
});

test('a port is forwarded, for as many connections as come', async () => {
  const namespace = await makeNamespace('forward');
  await runPod(namespace, 'p', 'nginx:1.20');
  const forward = new PortForward(config);
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    void forward.portForward(namespace, 'p', [80], socket, null, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const pages = await Promise.all(
    [1, 2, 3].map(async () =>
      (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text(),
    ),
  );
  for (const page of pages) expect(page).toContain('<title>Welcome to nginx!</title>');
  server.close();
});

test('files are copied from and to a Pod', async () => {
  const namespace = await makeNamespace('copy');
  await runPod(namespace, 'p', 'busybox:1.36', ['sleep', '1d']);
  const copy = new Cp(config);
  mkdirSync(path.join(drydock.folder, 'up'));
  writeFileSync(path.join(drydock.folder, 'up', 'a.txt'), 'carried');
  await copy.cpToPod(namespace, 'p', 'c', path.join(drydock.folder, 'up'), '/tmp');
  const read = async (): Promise<string> => {
    const stdout = new PassThrough();
    await new Promise<void>((resolve, reject) => {
      new Exec(config)
        .exec(namespace, 'p', 'c', ['cat', '/tmp/a.txt'], stdout, null, null, false, () => resolve())
        .catch(reject);
    });
    stdout.end();
    return text(stdout);
  };
  await expect.poll(read).toBe('carried');
  const down = path.join(drydock.folder, 'down');
  await copy.cpFromPod(namespace, 'p', 'c', '.', down, '/tmp');
  await expect
    .poll(() => existsSync(path.join(down, 'a.txt')) && readFileSync(path.join(down, 'a.txt'), 'utf8'))
    .toBe('carried');
});

test('custom resources, once their definition is there', async () => {
  const namespace = await makeNamespace('custom');
  await config.makeApiClient(ApiextensionsV1Api).createCustomResourceDefinition({
    body: {
      metadata: { name: 'ships.library.example.com' },
      spec: {
        group: 'library.example.com',
        scope: 'Namespaced',
        names: { plural: 'ships', singular: 'ship', kind: 'Ship' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: { type: 'object', properties: { masts: { type: 'integer', _default: 3 } } },
                },
              },
            },
          },
        ],
      },
    },
  });
  const custom = config.makeApiClient(CustomObjectsApi);
  const place = { group: 'library.example.com', version: 'v1', namespace, plural: 'ships' };
  await expect
    .poll(() =>
      custom.listNamespacedCustomObject(place).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  const ship = (await custom.createNamespacedCustomObject({
    ...place,
    body: { apiVersion: 'library.example.com/v1', kind: 'Ship', metadata: { name: 'argo' }, spec: {} },
  })) as { spec: { masts: number } };
  expect(ship.spec.masts).toBe(3);
  await custom.deleteNamespacedCustomObject({ ...place, name: 'argo' });
});

test('a Lease is led by one of two candidates at a time', async () => {
  const namespace = await makeNamespace('lease');
  const objects = KubernetesObjectApi.makeApiClient(config);
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'leader', namespace },
    spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.123456Z' },
  };
  const first = await objects.create(lease as KubernetesObject);
  const claimOf = (holder: string) =>
    objects.replace({
      ...lease,
      metadata: { ...lease.metadata, resourceVersion: first.metadata?.resourceVersion },
      spec: { ...lease.spec, holderIdentity: holder },
    } as KubernetesObject);
  const [won, lost] = await Promise.allSettled([claimOf('b'), claimOf('c')]);
  expect([won.status, lost.status].sort()).toEqual(['fulfilled', 'rejected']);
});

test('jobs, versions, health and rights', async () => {
  const namespace = await makeNamespace('other');
  const batch = config.makeApiClient(BatchV1Api);
  await batch.createNamespacedJob({
    namespace,
    body: {
      metadata: { name: 'sum' },
      spec: {
        completions: 3,
        parallelism: 2,
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [{ name: 'c', image: 'busybox:1.36', command: ['true'] }],
          },
        },
      },
    },
  });
  await expect
    .poll(async () => (await batch.readNamespacedJob({ namespace, name: 'sum' })).status?.succeeded, {
      timeout: 15_000,
    })
    .toBe(3);
  expect((await config.makeApiClient(VersionApi).getCode()).major).toBe('1');
  const health = new Health(config);
  expect([await health.livez({}), await health.readyz({})]).toEqual([true, true]);
  const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
    body: { spec: { resourceAttributes: { verb: 'create', resource: 'pods', namespace } } },
  });
  expect(review.status?.allowed).toBe(true);
});
