// Images of one small server each: what tutorials and Kubernetes' documentation deploy.
import { alpine, debian, programFile, scratch, textFile } from '../bases.ts';
import { agnhost } from '../agnhost/program.ts';
import { PATH, repository, type Repository } from '../image.ts';
import { httpbin } from '../httpbin.ts';
import { resourceConsumer, stress, stressTool } from '../stress.ts';
import { makeEchoServer } from './echoserver.ts';
import { makeHttpEcho } from './http-echo.ts';
import { hpaExample, makeHelloApp, serveHostname } from './small.ts';
import { whoami } from './whoami.ts';

export const DEMO_SERVERS: readonly Repository[] = [
  repository('registry.k8s.io/e2e-test-images/agnhost', /^2\.\d+(\.\d+)?$/, () => ({
    base: alpine('3.18.4'),
    files: { '/agnhost': programFile('agnhost', agnhost), '/uploads': { type: 'directory', mode: 0o777 } },
    sizeBytes: 51_370_000,
    entrypoint: ['/agnhost'],
    command: ['pause'],
    exposedPorts: ['80/tcp', '8080/tcp', '8081/tcp', '9376/tcp'],
    created: '2024-02-14T10:36:52Z',
  })),
  repository(
    [
      'docker.io/kubernetes/serve_hostname',
      'registry.k8s.io/serve_hostname',
      'registry.k8s.io/e2e-test-images/serve-hostname',
    ],
    /^(latest|v?1\.[0-5])$/,
    () => ({
      base: scratch(),
      files: { '/serve_hostname': programFile('serve_hostname', serveHostname) },
      sizeBytes: 4_900_000,
      entrypoint: ['/serve_hostname'],
      created: '2017-03-01T00:00:00Z',
    }),
  ),
  repository('docker.io/hashicorp/http-echo', /^(latest|alpine|0\.2\.[1-3]|1\.0(\.0)?)$/, (tag) => {
    const version = tag.startsWith('0.') ? tag : '1.0.0';
    return {
      base: scratch(),
      files: {
        [version === '1.0.0' ? '/bin/http-echo' : '/http-echo']: programFile(
          'http-echo',
          makeHttpEcho(version),
        ),
      },
      build: version,
      sizeBytes: version === '1.0.0' ? 3_400_000 : 2_040_000,
      env: [PATH],
      exposedPorts: ['5678/tcp'],
      entrypoint: [version === '1.0.0' ? '/bin/http-echo' : '/http-echo'],
      ...(version === '1.0.0' ? { user: '65532:65532' } : {}),
      created: version === '1.0.0' ? '2024-02-27T18:43:21Z' : '2017-07-12T22:53:36Z',
    };
  }),
  repository(
    ['docker.io/traefik/whoami', 'docker.io/containous/whoami'],
    /^(latest|v1(\.\d+)?(\.\d+)?)$/,
    (tag) => ({
      base: scratch(),
      files: { '/whoami': programFile('whoami', whoami) },
      build: tag === 'latest' ? 'v1.11.0' : tag,
      sizeBytes: 2_900_000,
      entrypoint: ['/whoami'],
      exposedPorts: ['80/tcp'],
      created: '2025-04-23T08:14:17Z',
    }),
  ),
  repository('docker.io/jwilder/whoami', /^latest$/, () => ({
    base: alpine('3.5.0'),
    files: { '/app/http': programFile('whoami', whoami) },
    env: [PATH, 'WHOAMI_PORT_NUMBER=8000', 'PORT=8000'],
    sizeBytes: 4_100_000,
    command: ['/app/http'],
    workingDirectory: '/app',
    exposedPorts: ['8000/tcp'],
    created: '2017-02-02T00:00:00Z',
  })),
  repository(
    ['gcr.io/google-samples/hello-app', 'us-docker.pkg.dev/google-samples/containers/gke/hello-app'],
    /^[12]\.0$/,
    (tag) => ({
      base: alpine('3.19.1'),
      files: { '/hello-app': programFile('hello-app', makeHelloApp(`${tag}.0`)) },
      sizeBytes: 6_300_000,
      env: [PATH, 'PORT=8080'],
      command: ['./hello-app'],
      created: '2022-02-10T21:12:01Z',
    }),
  ),
  repository('registry.k8s.io/echoserver', /^1\.([1-9]|10)$/, (tag) => ({
    base: debian({ number: '9.5', codename: 'stretch' }),
    files: {
      '/usr/sbin/nginx': programFile('echoserver', makeEchoServer(tag)),
      '/usr/local/bin/run.sh': textFile('#!/bin/sh\nexec /usr/sbin/nginx\n', 0o755),
    },
    sizeBytes: 43_300_000,
    command: ['/usr/local/bin/run.sh'],
    exposedPorts: ['8080/tcp'],
    created: '2018-04-12T00:00:00Z',
  })),
  repository('docker.io/kennethreitz/httpbin', /^latest$/, () => ({
    base: debian({ number: 'buster/sid', codename: 'buster' }),
    files: { '/usr/local/bin/gunicorn': programFile('gunicorn', httpbin) },
    sizeBytes: 168_000_000,
    command: ['gunicorn', '-b', '0.0.0.0:80', 'httpbin:app', '-k', 'gevent'],
    env: [PATH, 'LC_ALL=C.UTF-8', 'LANG=C.UTF-8'],
    workingDirectory: '/httpbin',
    exposedPorts: ['80/tcp'],
    created: '2018-10-24T00:00:00Z',
    labels: { name: 'httpbin', version: '0.9.2' },
  })),
  repository('registry.k8s.io/hpa-example', /^latest$/, () => ({
    base: debian({ number: '8.2', codename: 'jessie' }),
    files: {
      '/usr/local/bin/apache2-foreground': programFile('apache2', hpaExample),
      '/var/www/html/index.php': textFile(
        '<?php\n  $x = 0.0001;\n  for ($i = 0; $i <= 1000000; $i++) {\n    $x += sqrt($x);\n  }\n  echo "OK!";\n?>\n',
      ),
    },
    sizeBytes: 200_000_000,
    command: ['apache2-foreground'],
    workingDirectory: '/var/www/html',
    exposedPorts: ['80/tcp'],
    created: '2015-11-01T00:00:00Z',
  })),
  repository('docker.io/polinux/stress', /^(latest|1\.0\.4)$/, () => ({
    base: alpine('3.12.0'),
    files: { '/usr/local/bin/stress': programFile('stress', stressTool) },
    sizeBytes: 4_000_000,
    command: ['/bin/sh'],
    created: '2020-06-03T00:00:00Z',
  })),
  repository('docker.io/vish/stress', /^latest$/, () => ({
    base: scratch(),
    files: { '/stress': programFile('vish-stress', stress) },
    sizeBytes: 900_000,
    entrypoint: ['/stress'],
    created: '2016-01-01T00:00:00Z',
  })),
  repository('registry.k8s.io/e2e-test-images/resource-consumer', /^1\.\d+$/, () => ({
    base: debian({ number: '12.5', codename: 'bookworm' }),
    files: { '/consumer': programFile('resource-consumer', resourceConsumer) },
    sizeBytes: 63_000_000,
    entrypoint: ['/consumer'],
    exposedPorts: ['8080/tcp'],
    created: '2023-05-01T00:00:00Z',
  })),
];
