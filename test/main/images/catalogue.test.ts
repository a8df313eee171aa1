// The catalogue: which names and tags there are, and that each image holds what its entrypoint needs.
import { expect, test } from 'vitest';
import { makeImageMachine } from '../../support/image-machine.ts';

const { registry } = makeImageMachine();

const THERE = [
  'docker.io/library/nginx:1.14.0',
  'docker.io/library/nginx:1.26',
  'docker.io/library/nginx:alpine',
  'docker.io/library/httpd:2.4',
  'docker.io/library/httpd:latest',
  'docker.io/library/httpd:alpine',
  'docker.io/library/busybox:1.28',
  'docker.io/library/busybox:1.36',
  'docker.io/library/busybox:latest',
  'docker.io/library/alpine:3.18',
  'docker.io/library/centos:7',
  'docker.io/library/debian:12',
  'docker.io/library/debian:bookworm-slim',
  'docker.io/library/ubuntu:22.04',
  'docker.io/library/ubuntu:latest',
  'docker.io/library/redis:7-alpine',
  'docker.io/library/redis:latest',
  'docker.io/library/mysql:5.7',
  'docker.io/library/mysql:8.0',
  'registry.k8s.io/pause:3.9',
  'registry.k8s.io/e2e-test-images/agnhost:2.40',
  'docker.io/tutum/dnsutils:latest',
  'registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3',
  'docker.io/curlimages/curl:latest',
  'docker.io/nicolaka/netshoot:latest',
  'docker.io/hashicorp/http-echo:0.2.3',
  'docker.io/hashicorp/http-echo:latest',
  'docker.io/traefik/whoami:latest',
  'docker.io/containous/whoami:latest',
  'docker.io/mritd/alpine:3.4',
  'docker.io/kennethreitz/httpbin:latest',
  'registry.k8s.io/echoserver:1.4',
  'registry.k8s.io/echoserver:1.10',
  'gcr.io/google-samples/hello-app:1.0',
  'gcr.io/google-samples/hello-app:2.0',
  'docker.io/kubernetes/serve_hostname:latest',
  'k8s.gcr.io/busybox:latest',
  'registry.k8s.io/hpa-example:latest',
  'docker.io/polinux/stress:latest',
  'docker.io/vish/stress:latest',
];

test.each(THERE)('%s can be pulled, and its command is in it', (name) => {
  const image = registry.lookup(name)!;
  expect(image).toBeDefined();
  const [command = ''] = [...(image.entrypoint ?? []), ...(image.command ?? [])];
  const path =
    image.env
      ?.find((entry) => entry.startsWith('PATH='))
      ?.slice(5)
      .split(':') ?? [];
  const candidates = command.startsWith('/')
    ? [command, `/usr${command}`]
    : [
        ...path.map((folder) => `${folder}/${command}`),
        ...path.map((folder) => `/usr${folder}/${command}`),
        `${image.workingDirectory ?? ''}/${command.replace('./', '')}`,
      ];
  expect(candidates.filter((candidate) => image.files.has(candidate))).not.toEqual([]);
});

const ABSENT = [
  'docker.io/library/nginx:1.999',
  'docker.io/library/httpd:2.4.999',
  'docker.io/library/busybox:9',
  'docker.io/library/redis:1',
  'docker.io/library/mysql:3',
  'docker.io/library/debian:99',
  'registry.k8s.io/e2e-test-images/agnhost:latest',
  'docker.io/library/nosuch:latest',
];

test.each(ABSENT)('%s does not exist', (name) => {
  expect(registry.lookup(name)).toBeUndefined();
});

test('what mirrors hold is what the registries upstream hold, under the same id', async () => {
  const m = makeImageMachine();
  const pull = (name: string): Promise<{ id: string }> => m.settle(m.containerd.pullImage(name));
  const busybox = await pull('busybox:1.36');
  for (const mirror of [
    'docker.m.daocloud.io/library/busybox:1.36',
    'm.daocloud.io/docker.io/library/busybox:1.36',
    'docker.mirrors.ustc.edu.cn/library/busybox:1.36',
    'public.ecr.aws/docker/library/busybox:1.36',
  ])
    expect((await pull(mirror)).id).toBe(busybox.id);
  const pause = await pull('registry.k8s.io/pause:3.9');
  for (const mirror of [
    'registry.aliyuncs.com/google_containers/pause:3.9',
    'k8s.gcr.io/pause:3.9',
    'k8s.m.daocloud.io/pause:3.9',
  ])
    expect((await pull(mirror)).id).toBe(pause.id);
});

test('tags of one build share their image; tags of different builds do not', async () => {
  const m = makeImageMachine();
  const id = async (name: string): Promise<string> => (await m.settle(m.containerd.pullImage(name))).id;
  expect(await id('redis:latest')).toBe(await id('redis:8.2.1'));
  expect(await id('httpd:2.4')).toBe(await id('httpd'));
  expect(await id('redis:7')).not.toBe(await id('redis:6'));
});

const refused = (name: string): Promise<string> => {
  const m = makeImageMachine();
  return m.settle(
    m.containerd.pullImage(name).then(
      () => 'pulled',
      (error: unknown) => (error as Error).message,
    ),
  );
};

test('a tag that is not there is not found; a repository that is not there may want a login; a host that is not there has no address', async () => {
  expect(await refused('httpd:9.9')).toContain('docker.io/library/httpd:9.9: not found');
  expect(await refused('nosuchimage:1')).toContain(
    'pull access denied, repository does not exist or may require authorization',
  );
  expect(await refused('registry.k8s.io/e2e-test-images/agnhost:9')).toContain('agnhost:9: not found');
  expect(await refused('reg.example.invalid/x:1')).toContain('no such host');
});
