// The nginx images: Debian and Alpine variants of each version that people ask for.
import type { ContainerImage, ImageFile } from '../../linux/containerd/index.ts';
import { alpine, debian, programFile, textFile, withPackages } from '../bases.ts';
import { DEFAULT_CONF, ERROR_50X, MIME_TYPES, NGINX_CONF, WELCOME } from './pages.ts';
import { ENTRYPOINT, ENVSUBST_SCRIPT, IPV6_SCRIPT, RESOLVERS_SCRIPT, TUNE_SCRIPT } from './entrypoint.ts';
import { makeNginx } from './program.ts';

interface Release {
  readonly version: string;
  readonly debian: { readonly number: string; readonly codename: string };
  readonly alpine: string;
  readonly sizeBytes: number;
  readonly alpineBytes: number;
  readonly created: string;
}

const BULLSEYE = { number: '11.3', codename: 'bullseye' };
const BUSTER = { number: '10.12', codename: 'buster' };
const BOOKWORM = { number: '12.11', codename: 'bookworm' };
const TRIXIE = { number: '13.1', codename: 'trixie' };

/** By `major.minor`; patch versions are tags too. */
const RELEASES: Readonly<Record<string, Release>> = {
  '1.7': {
    version: '1.7.9',
    debian: { number: '7.8', codename: 'wheezy' },
    alpine: '3.4.0',
    sizeBytes: 39_944_451,
    alpineBytes: 7_000_000,
    created: '2015-01-27T18:43:46Z',
  },
  '1.14': {
    version: '1.14.2',
    debian: { number: '9.8', codename: 'stretch' },
    alpine: '3.8.4',
    sizeBytes: 44_708_492,
    alpineBytes: 6_993_120,
    created: '2019-03-26T23:14:52Z',
  },
  '1.15': {
    version: '1.15.12',
    debian: { number: '9.9', codename: 'stretch' },
    alpine: '3.9.3',
    sizeBytes: 44_815_009,
    alpineBytes: 6_121_006,
    created: '2019-05-08T03:01:41Z',
  },
  '1.16': {
    version: '1.16.1',
    debian: BUSTER,
    alpine: '3.10.4',
    sizeBytes: 51_030_575,
    alpineBytes: 8_517_270,
    created: '2020-04-23T13:02:26Z',
  },
  '1.17': {
    version: '1.17.10',
    debian: BUSTER,
    alpine: '3.11.6',
    sizeBytes: 51_030_226,
    alpineBytes: 8_115_902,
    created: '2020-05-15T20:04:39Z',
  },
  '1.18': {
    version: '1.18.0',
    debian: BUSTER,
    alpine: '3.11.10',
    sizeBytes: 53_588_020,
    alpineBytes: 8_977_431,
    created: '2021-04-13T01:02:11Z',
  },
  '1.19': {
    version: '1.19.10',
    debian: BUSTER,
    alpine: '3.13.5',
    sizeBytes: 53_692_391,
    alpineBytes: 9_688_203,
    created: '2021-05-12T16:13:50Z',
  },
  '1.20': {
    version: '1.20.2',
    debian: BULLSEYE,
    alpine: '3.14.6',
    sizeBytes: 56_747_317,
    alpineBytes: 10_035_010,
    created: '2022-05-11T07:45:19Z',
  },
  '1.21': {
    version: '1.21.6',
    debian: BULLSEYE,
    alpine: '3.15.4',
    sizeBytes: 56_749_033,
    alpineBytes: 10_171_446,
    created: '2022-05-28T05:42:25Z',
  },
  '1.22': {
    version: '1.22.1',
    debian: BULLSEYE,
    alpine: '3.17.3',
    sizeBytes: 56_934_270,
    alpineBytes: 16_346_129,
    created: '2023-05-03T20:05:03Z',
  },
  '1.23': {
    version: '1.23.4',
    debian: BULLSEYE,
    alpine: '3.17.3',
    sizeBytes: 57_009_433,
    alpineBytes: 16_359_412,
    created: '2023-05-03T19:51:54Z',
  },
  '1.24': {
    version: '1.24.0',
    debian: BULLSEYE,
    alpine: '3.17.5',
    sizeBytes: 57_170_209,
    alpineBytes: 16_426_017,
    created: '2023-11-21T03:36:42Z',
  },
  '1.25': {
    version: '1.25.5',
    debian: BOOKWORM,
    alpine: '3.19.1',
    sizeBytes: 70_984_068,
    alpineBytes: 18_232_544,
    created: '2024-04-16T23:13:26Z',
  },
  '1.26': {
    version: '1.26.3',
    debian: BOOKWORM,
    alpine: '3.20.6',
    sizeBytes: 72_188_133,
    alpineBytes: 19_990_720,
    created: '2025-02-05T22:07:29Z',
  },
  '1.27': {
    version: '1.27.5',
    debian: BOOKWORM,
    alpine: '3.21.3',
    sizeBytes: 72_404_038,
    alpineBytes: 21_010_881,
    created: '2025-04-16T14:50:31Z',
  },
  '1.28': {
    version: '1.28.0',
    debian: BOOKWORM,
    alpine: '3.21.3',
    sizeBytes: 72_404_110,
    alpineBytes: 21_010_901,
    created: '2025-04-23T19:12:07Z',
  },
  '1.29': {
    version: '1.29.3',
    debian: TRIXIE,
    alpine: '3.22.2',
    sizeBytes: 59_774_010,
    alpineBytes: 22_631_814,
    created: '2025-11-18T02:36:13Z',
  },
};
const LATEST = '1.29';
const STABLE = '1.28';

/** The image behind a tag of docker.io/library/nginx; undefined for a tag that doesn't exist. */
export function nginxImage(tag: string): ContainerImage | undefined {
  const match =
    /^(?:(\d+\.\d+)(?:\.(\d+))?|latest|stable|mainline)?(?:-?(alpine|bullseye|bookworm|buster|trixie))?$/.exec(
      tag,
    );
  if (match === null || tag === '') return undefined;
  const [, minor, patch, flavour] = match;
  const release = RELEASES[minor ?? (tag.startsWith('stable') ? STABLE : LATEST)];
  if (release === undefined) return undefined;
  if (patch !== undefined && Number(patch) > Number(release.version.split('.')[2])) return undefined;
  const version = patch === undefined ? release.version : `${minor}.${patch}`;
  return makeImage(`docker.io/library/nginx:${tag}`, version, release, flavour === 'alpine');
}

function makeImage(name: string, version: string, release: Release, isAlpine: boolean): ContainerImage {
  const minor = Number(version.split('.')[1]);
  const base = isAlpine ? alpine(release.alpine) : debian(release.debian);
  // gettext came with the templates in 1.19, curl with 1.19.10 (docker-nginx's history).
  const brought = [
    ...(minor >= 19 ? ['gettext'] : []),
    ...(minor >= 20 || version === '1.19.10' ? ['curl'] : []),
  ];
  const files = new Map<string, ImageFile>(withPackages(base, brought));
  const hasEntrypoint = minor >= 19;
  files.set('/usr/sbin/nginx', programFile('nginx', makeNginx(version)));
  files.set('/etc/nginx/nginx.conf', textFile(NGINX_CONF));
  files.set('/etc/nginx/conf.d/default.conf', textFile(DEFAULT_CONF));
  files.set('/etc/nginx/mime.types', textFile(MIME_TYPES));
  files.set('/usr/share/nginx/html/index.html', textFile(WELCOME));
  files.set('/usr/share/nginx/html/50x.html', textFile(ERROR_50X));
  files.set('/var/cache/nginx', { type: 'directory', mode: 0o755 });
  files.set('/var/log/nginx/access.log', { type: 'symlink', target: '/dev/stdout' });
  files.set('/var/log/nginx/error.log', { type: 'symlink', target: '/dev/stderr' });
  const passwd = files.get('/etc/passwd');
  if (passwd?.type === 'file')
    files.set(
      '/etc/passwd',
      textFile(`${String(passwd.content)}nginx:x:101:101:nginx user:/nonexistent:/bin/false\n`),
    );
  if (hasEntrypoint) {
    files.set('/docker-entrypoint.sh', textFile(ENTRYPOINT, 0o755));
    files.set('/docker-entrypoint.d/10-listen-on-ipv6-by-default.sh', textFile(IPV6_SCRIPT, 0o755));
    files.set('/docker-entrypoint.d/20-envsubst-on-templates.sh', textFile(ENVSUBST_SCRIPT, 0o755));
    files.set('/docker-entrypoint.d/30-tune-worker-processes.sh', textFile(TUNE_SCRIPT, 0o755));
    if (minor >= 23)
      files.set('/docker-entrypoint.d/15-local-resolvers.envsh', textFile(RESOLVERS_SCRIPT, 0o755));
  }
  return {
    name,
    sizeBytes: isAlpine ? release.alpineBytes : release.sizeBytes,
    created: release.created,
    files,
    ...(hasEntrypoint ? { entrypoint: ['/docker-entrypoint.sh'] } : {}),
    command: ['nginx', '-g', 'daemon off;'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `NGINX_VERSION=${version}`],
    exposedPorts: ['80/tcp'],
    stopSignal: hasEntrypoint ? 'SIGQUIT' : 'SIGTERM',
    labels: { maintainer: 'NGINX Docker Maintainers <docker-maint@nginx.com>' },
  };
}
