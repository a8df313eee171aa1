// The redis images: Debian and Alpine builds of the server and its client.
import { alpine, debian, programFile, textFile } from '../bases.ts';
import type { ImageContent, Repository } from '../image.ts';
import { makeRedisCli } from './cli.ts';
import { makeRedisServer } from './server.ts';

/** By major and minor; the newest patch and when it was built. */
const RELEASES: Readonly<
  Record<string, readonly [version: string, created: string, sizeBytes: number, alpineBytes: number]>
> = {
  '3.2': ['3.2.12', '2018-12-29T10:31:06Z', 28_000_000, 8_300_000],
  '4.0': ['4.0.14', '2020-06-09T16:46:01Z', 33_000_000, 9_400_000],
  '5.0': ['5.0.14', '2022-07-12T09:02:33Z', 40_500_000, 10_600_000],
  '6.0': ['6.0.20', '2023-09-07T02:34:12Z', 40_600_000, 11_500_000],
  '6.2': ['6.2.19', '2025-07-06T12:13:22Z', 41_500_000, 11_700_000],
  '7.0': ['7.0.15', '2024-01-09T19:23:48Z', 50_500_000, 13_000_000],
  '7.2': ['7.2.10', '2025-07-06T12:13:22Z', 41_700_000, 15_900_000],
  '7.4': ['7.4.5', '2025-07-06T12:13:22Z', 45_900_000, 17_200_000],
  '8.0': ['8.0.3', '2025-07-06T12:13:22Z', 49_900_000, 25_200_000],
  '8.2': ['8.2.1', '2025-08-18T18:35:20Z', 52_500_000, 29_400_000],
};
const LATEST = '8.2';
const NEWEST_OF_MAJOR: Readonly<Record<string, string>> = {
  3: '3.2',
  4: '4.0',
  5: '5.0',
  6: '6.2',
  7: '7.4',
  8: '8.2',
};

const ENTRYPOINT = `#!/bin/sh
set -e

# Options or a configuration file alone mean the server.
if [ "\${1#-}" != "$1" ] || [ "\${1%.conf}" != "$1" ]; then
	set -- redis-server "$@"
fi

exec "$@"
`;

export const REDIS: Repository = {
  names: ['docker.io/library/redis'],
  image(tag) {
    const match =
      /^(?:(\d+)(?:\.(\d+)(?:\.(\d+))?)?|latest)?(?:-?(alpine|bookworm|bullseye|buster|trixie)(?:3\.\d+)?)?$/.exec(
        tag,
      );
    if (match === null || tag === '') return undefined;
    const [, major, minor, patch, flavour] = match;
    const line =
      major === undefined ? LATEST : minor === undefined ? NEWEST_OF_MAJOR[major] : `${major}.${minor}`;
    const release = line === undefined ? undefined : RELEASES[line];
    if (release === undefined || (patch !== undefined && Number(patch) > Number(release[0].split('.')[2])))
      return undefined;
    const version = patch === undefined ? release[0] : `${line}.${patch}`;
    return content(version, release[1], flavour === 'alpine', flavour === 'alpine' ? release[3] : release[2]);
  },
};

function content(version: string, created: string, isAlpine: boolean, sizeBytes: number): ImageContent {
  const account = isAlpine ? 'redis:x:999:1000::/home/redis:/bin/sh' : 'redis:x:999:999::/home/redis:/bin/sh';
  const server = programFile('redis-server', makeRedisServer(version));
  return {
    base: isAlpine
      ? alpine('3.22.2', [account])
      : debian({ number: '12.11', codename: 'bookworm' }, [account]),
    build: `${version}${isAlpine ? '-alpine' : ''}`,
    sizeBytes,
    created,
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `REDIS_VERSION=${version}`],
    workingDirectory: '/data',
    exposedPorts: ['6379/tcp'],
    volumes: ['/data'],
    entrypoint: ['docker-entrypoint.sh'],
    command: ['redis-server'],
    files: {
      '/usr/local/bin/redis-server': server,
      '/usr/local/bin/redis-cli': programFile('redis-cli', makeRedisCli(version)),
      '/usr/local/bin/docker-entrypoint.sh': textFile(ENTRYPOINT, 0o755),
      '/data': { type: 'directory', mode: 0o755, uid: 999, gid: 999 },
    },
  };
}
