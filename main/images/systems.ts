// Images of whole systems, to run commands in: busybox, alpine, debian, ubuntu, centos and their kin.
import { alpine, bashFile, busybox, centos, debian, redHatLike, ubuntu, withPackages } from './bases.ts';
import { repository, type Repository } from './image.ts';

/** The newest patch of each alpine release, and when its image was built. */
const ALPINE: Readonly<Record<string, readonly [version: string, created: string, sizeBytes: number]>> = {
  '3.4': ['3.4.6', '2019-03-07T22:19:46Z', 2_320_000],
  '3.5': ['3.5.3', '2019-03-07T22:20:00Z', 1_990_000],
  '3.6': ['3.6.5', '2019-03-07T22:20:11Z', 2_020_000],
  '3.7': ['3.7.3', '2019-03-07T22:20:20Z', 2_110_000],
  '3.8': ['3.8.5', '2020-01-23T16:53:06Z', 2_210_000],
  '3.9': ['3.9.6', '2020-04-24T16:05:31Z', 2_770_000],
  '3.10': ['3.10.9', '2021-04-14T19:20:05Z', 2_800_000],
  '3.11': ['3.11.13', '2021-11-12T17:20:20Z', 2_820_000],
  '3.12': ['3.12.12', '2022-04-04T23:19:55Z', 2_810_000],
  '3.13': ['3.13.12', '2022-08-09T17:19:53Z', 2_830_000],
  '3.14': ['3.14.10', '2023-03-29T18:19:24Z', 2_830_000],
  '3.15': ['3.15.11', '2023-11-30T23:32:31Z', 2_830_000],
  '3.16': ['3.16.9', '2024-01-27T00:30:56Z', 2_810_000],
  '3.17': ['3.17.10', '2024-09-06T22:20:08Z', 3_380_000],
  '3.18': ['3.18.12', '2025-02-14T03:03:06Z', 3_420_000],
  '3.19': ['3.19.9', '2025-10-08T11:05:26Z', 3_420_000],
  '3.20': ['3.20.8', '2025-10-08T11:05:12Z', 3_630_000],
  '3.21': ['3.21.5', '2025-10-08T11:05:07Z', 3_650_000],
  '3.22': ['3.22.2', '2025-10-08T11:04:56Z', 3_800_000],
};
const ALPINE_LATEST = '3.22';

interface DebianRelease {
  readonly number: string;
  readonly codename: string;
  readonly created: string;
  readonly sizeBytes: number;
  readonly slimBytes: number;
}

const DEBIANS: readonly DebianRelease[] = [
  {
    number: '13.1',
    codename: 'trixie',
    created: '2025-09-29T00:00:00Z',
    sizeBytes: 49_286_600,
    slimBytes: 29_776_484,
  },
  {
    number: '12.12',
    codename: 'bookworm',
    created: '2025-09-29T00:00:00Z',
    sizeBytes: 48_479_577,
    slimBytes: 28_228_000,
  },
  {
    number: '11.11',
    codename: 'bullseye',
    created: '2025-09-29T00:00:00Z',
    sizeBytes: 53_760_000,
    slimBytes: 30_260_000,
  },
  {
    number: '10.13',
    codename: 'buster',
    created: '2024-06-12T00:00:00Z',
    sizeBytes: 50_650_000,
    slimBytes: 27_140_000,
  },
  {
    number: '9.13',
    codename: 'stretch',
    created: '2022-06-22T00:00:00Z',
    sizeBytes: 45_380_000,
    slimBytes: 22_530_000,
  },
];

const UBUNTUS: Readonly<Record<string, readonly [codename: string, created: string, sizeBytes: number]>> = {
  '16.04': ['xenial', '2021-08-31T01:21:30Z', 46_500_000],
  '18.04': ['bionic', '2023-05-30T09:32:09Z', 25_690_000],
  '20.04': ['focal', '2025-04-08T10:43:04Z', 27_510_000],
  '22.04': ['jammy', '2025-10-01T13:24:21Z', 29_540_000],
  '24.04': ['noble', '2025-10-01T13:24:54Z', 29_720_000],
  '25.04': ['plucky', '2025-10-01T13:25:20Z', 30_100_000],
};
const UBUNTU_LATEST = '24.04';

/** busybox's releases have no base of their own: the applets are the same. */
const BUSYBOX_TAGS =
  /^(latest|1|stable|unstable|1\.\d\d?(\.\d)?)(-(musl|glibc|uclibc))?$|^(musl|glibc|uclibc)$/;

export const SYSTEMS: readonly Repository[] = [
  {
    names: [
      'docker.io/library/busybox',
      'registry.k8s.io/e2e-test-images/busybox',
      'registry.k8s.io/busybox',
    ],
    image(tag) {
      const minor = /^1\.(\d+)/.exec(tag)?.[1];
      if (!BUSYBOX_TAGS.test(tag) || (minor !== undefined && (Number(minor) < 21 || Number(minor) > 37)))
        return undefined;
      return {
        base: busybox(),
        build: /^(latest|1|stable|1\.37(\.0)?)$/.test(tag) ? '1.37.0' : tag,
        sizeBytes: minor !== undefined && Number(minor) < 31 ? 727_869 : 2_223_686,
        created: minor !== undefined && Number(minor) < 31 ? '2018-05-23T00:19:25Z' : '2024-09-26T21:31:42Z',
        command: ['sh'],
      };
    },
  },
  {
    names: ['docker.io/library/alpine'],
    image(tag) {
      const match = /^(?:(3)(?:\.(\d+)(?:\.(\d+))?)?|latest|edge)$/.exec(tag);
      const release =
        match === null ? undefined : ALPINE[match[2] === undefined ? ALPINE_LATEST : `3.${match[2]}`];
      if (release === undefined) return undefined;
      const [newest, created, sizeBytes] = release;
      if (match?.[3] !== undefined && Number(match[3]) > Number(newest.split('.')[2])) return undefined;
      const version = match?.[3] === undefined ? newest : tag;
      return {
        base: alpine(version),
        build: tag === 'edge' ? 'edge' : version,
        sizeBytes,
        created,
        command: ['/bin/sh'],
      };
    },
  },
  {
    names: ['docker.io/library/debian'],
    image(tag) {
      const [, name = '', slim] = /^(.+?)(-slim)?$/.exec(tag) ?? [];
      const alias: Readonly<Record<string, string>> = {
        latest: 'trixie',
        stable: 'trixie',
        oldstable: 'bookworm',
      };
      const release = DEBIANS.find(
        ({ number, codename }) =>
          codename === (alias[name] ?? name) || number === name || number.split('.')[0] === name,
      );
      if (release === undefined || tag === 'latest-slim') return undefined;
      const { number, codename, created, sizeBytes, slimBytes } = release;
      return {
        base: debian({ number, codename }),
        build: `${number}${slim ?? ''}`,
        sizeBytes: slim === undefined ? sizeBytes : slimBytes,
        created,
        command: ['bash'],
      };
    },
  },
  {
    names: ['docker.io/library/ubuntu'],
    image(tag) {
      const number =
        tag === 'latest' || tag === 'rolling'
          ? UBUNTU_LATEST
          : (Object.entries(UBUNTUS).find(([each, [codename]]) => each === tag || codename === tag)?.[0] ??
            '');
      const release = UBUNTUS[number];
      if (release === undefined) return undefined;
      return {
        base: ubuntu(number, release[0]),
        build: number,
        sizeBytes: release[2],
        created: release[1],
        command: ['/bin/bash'],
      };
    },
  },
  repository('docker.io/library/centos', /^(latest|7|8|centos7|centos8|7\.9\.2009|8\.4\.2105)$/, (tag) =>
    tag.startsWith('7') || tag === 'centos7'
      ? {
          base: centos(),
          build: '7.9.2009',
          sizeBytes: 76_097_157,
          command: ['/bin/bash'],
          created: '2021-09-15T18:20:05Z',
        }
      : {
          base: redHatLike('CentOS Linux', 'centos', '8'),
          build: '8.4.2105',
          sizeBytes: 83_518_086,
          command: ['/bin/bash'],
          created: '2021-09-15T18:20:05Z',
        },
  ),
  repository('docker.io/library/rockylinux', /^(8|9)(\.\d+)?(-minimal)?$/, (tag) => ({
    base: redHatLike('Rocky Linux', 'rocky', tag.replace('-minimal', '')),
    sizeBytes: 67_600_000,
    command: ['/bin/bash'],
    created: '2023-11-18T21:13:09Z',
  })),
  repository('docker.io/rockylinux/rockylinux', /^(8|9|10)(\.\d+)?(-minimal)?$/, (tag) => ({
    base: redHatLike('Rocky Linux', 'rocky', tag.replace('-minimal', '')),
    sizeBytes: 67_600_000,
    command: ['/bin/bash'],
    created: '2025-06-11T18:00:00Z',
  })),
  repository('docker.io/library/almalinux', /^(latest|8|9|10)(\.\d+)?(-minimal)?$/, (tag) => ({
    base: redHatLike('AlmaLinux', 'almalinux', tag === 'latest' ? '10' : tag.replace('-minimal', '')),
    sizeBytes: 67_700_000,
    command: ['/bin/bash'],
    created: '2025-10-01T00:00:00Z',
  })),
  repository('docker.io/library/fedora', /^(latest|rawhide|3[5-9]|4[0-3])$/, (tag) => ({
    base: redHatLike('Fedora Linux', 'fedora', /^\d+$/.test(tag) ? tag : '43'),
    build: tag === 'latest' ? '43' : tag,
    sizeBytes: 66_900_000,
    command: ['/bin/bash'],
    created: '2025-10-28T00:00:00Z',
  })),
  repository('docker.io/mritd/alpine', /^3\.[1-9]$/, (tag) => ({
    base: alpine(`${tag}.6`),
    files: { '/bin/bash': bashFile() },
    sizeBytes: 12_700_000,
    command: ['/bin/bash'],
    created: '2018-09-12T01:30:33Z',
  })),
  repository('docker.io/library/bash', /^(latest|5(\.[0-3](\.\d+)?)?)(-alpine3\.\d+)?$/, () => ({
    base: alpine('3.22.2'),
    files: {
      '/usr/local/bin/bash': bashFile(),
      '/usr/local/bin/docker-entrypoint.sh': {
        type: 'file',
        mode: 0o755,
        content: '#!/usr/local/bin/bash\nif [ "${1#-}" != "$1" ]; then set -- bash "$@"; fi\nexec "$@"\n',
      },
    },
    sizeBytes: 6_500_000,
    entrypoint: ['docker-entrypoint.sh'],
    command: ['bash'],
    created: '2025-10-08T11:20:00Z',
  })),
  repository('docker.io/curlimages/curl', /^(latest|[78]\.\d+\.\d+)$/, (tag) => ({
    base: withPackages(alpine('3.22.2', ['curl_user:x:100:101:Linux User,,,:/home/curl_user:/bin/sh']), [
      'curl',
    ]),
    build: tag === 'latest' ? '8.16.0' : tag,
    sizeBytes: 9_700_000,
    user: 'curl_user',
    workingDirectory: '/home/curl_user',
    entrypoint: ['/entrypoint.sh'],
    command: ['curl'],
    created: '2025-09-10T08:20:00Z',
    files: {
      '/entrypoint.sh': {
        type: 'file',
        mode: 0o755,
        content:
          '#!/bin/sh\nset -e\n# Options alone mean curl.\nif [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]; then\n  set -- curl "$@"\nfi\nexec "$@"\n',
      },
      '/home/curl_user': { type: 'directory', mode: 0o755, uid: 100, gid: 101 },
    },
  })),
];
