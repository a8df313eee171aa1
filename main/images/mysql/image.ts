// The mysql images, and mariadb's refusal to be one: Oracle Linux with server, clients and an entrypoint that wants a password.
import { oracleLinux, programFile, textFile } from '../bases.ts';
import type { ImageContent, Repository } from '../image.ts';
import { makeMysql, makeMysqladmin } from './client.ts';
import { makeMysqld, mysqlInit } from './server.ts';

const RELEASES: Readonly<Record<string, readonly [version: string, created: string, sizeBytes: number]>> = {
  '5.6': ['5.6.51', '2021-12-21T02:57:53Z', 103_000_000],
  '5.7': ['5.7.44', '2023-12-13T18:48:03Z', 145_000_000],
  '8.0': ['8.0.43', '2025-07-22T17:19:16Z', 233_000_000],
  '8.4': ['8.4.6', '2025-07-22T17:19:16Z', 233_500_000],
  '9.4': ['9.4.0', '2025-07-22T17:19:16Z', 263_000_000],
};
const LATEST = '9.4';
const NEWEST: Readonly<Record<string, string>> = {
  5: '5.7',
  8: '8.4',
  9: '9.4',
  lts: '8.4',
  innovation: '9.4',
};

const ENTRYPOINT = `#!/bin/bash
set -e

note() {
	printf '%s [%s] [Entrypoint]: %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%S+00:00 | tr T ' ')" "$1" "$2"
}

# Options alone mean the server.
if [ "\${1:0:1}" = '-' ]; then
	set -- mysqld "$@"
fi

if [ "$1" = 'mysqld' ]; then
	note Note "Entrypoint script for MySQL Server \${MYSQL_VERSION} started."
	if [ ! -e /var/lib/mysql/mysql.ibd ]; then
		if [ -z "$MYSQL_ROOT_PASSWORD" ] && [ -z "$MYSQL_ALLOW_EMPTY_PASSWORD" ] && [ -z "$MYSQL_RANDOM_ROOT_PASSWORD" ]; then
			note ERROR 'Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - MYSQL_ROOT_PASSWORD
    - MYSQL_ALLOW_EMPTY_PASSWORD
    - MYSQL_RANDOM_ROOT_PASSWORD' >&2
			exit 1
		fi
		note Note 'Initializing database files'
		mysql-init
		note Note 'Database files initialized'
		for f in /docker-entrypoint-initdb.d/*.sh; do
			[ -f "$f" ] && { note Note "$0: running $f"; . "$f"; }
		done
		note Note 'MySQL init process done. Ready for start up.'
	fi
	set -- "$@" --user=mysql
fi

exec "$@"
`;

export const MYSQL: Repository = {
  names: ['docker.io/library/mysql'],
  image(tag) {
    const match =
      /^(?:(\d+)(?:\.(\d+)(?:\.(\d+))?)?|latest|lts|innovation)(?:-(debian|oracle|oraclelinux9|bookworm|buster))?$/.exec(
        tag,
      );
    if (match === null) return undefined;
    const [, major, minor, patch] = match;
    const line =
      major === undefined
        ? (NEWEST[tag.split('-')[0]!] ?? LATEST)
        : minor === undefined
          ? NEWEST[major]
          : `${major}.${minor}`;
    const release = line === undefined ? undefined : RELEASES[line];
    if (release === undefined || (patch !== undefined && Number(patch) > Number(release[0].split('.')[2])))
      return undefined;
    return content(patch === undefined ? release[0] : `${line}.${patch}`, release[1], release[2]);
  },
};

function content(version: string, created: string, sizeBytes: number): ImageContent {
  return {
    base: oracleLinux(['mysql:x:999:999::/var/lib/mysql:/bin/bash']),
    build: version,
    sizeBytes,
    created,
    env: [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'GOSU_VERSION=1.17',
      `MYSQL_MAJOR=${version.split('.').slice(0, 2).join('.')}`,
      `MYSQL_VERSION=${version}-1.el9`,
    ],
    entrypoint: ['docker-entrypoint.sh'],
    command: ['mysqld'],
    exposedPorts: ['3306/tcp', '33060/tcp'],
    volumes: ['/var/lib/mysql'],
    files: {
      '/usr/sbin/mysqld': programFile('mysqld', makeMysqld(version)),
      '/usr/sbin/mysql-init': programFile('mysql-init', mysqlInit),
      '/usr/bin/mysql': programFile('mysql', makeMysql(version)),
      '/usr/bin/mysqladmin': programFile('mysqladmin', makeMysqladmin(version)),
      '/usr/local/bin/docker-entrypoint.sh': textFile(ENTRYPOINT, 0o755),
      '/docker-entrypoint-initdb.d': { type: 'directory' },
      '/etc/my.cnf': textFile(
        '[mysqld]\nhost-cache-size=0\nskip-name-resolve\ndatadir=/var/lib/mysql\nsocket=/var/run/mysqld/mysqld.sock\nuser=mysql\n',
      ),
      '/var/lib/mysql': { type: 'directory', mode: 0o1777, uid: 999, gid: 999 },
    },
  };
}
