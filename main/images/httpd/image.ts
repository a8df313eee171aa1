// The httpd images: Debian and Alpine builds of Apache 2.4, with the configuration and the page that they come with.
import { alpine, debian, programFile, textFile } from '../bases.ts';
import type { ImageContent, Repository } from '../image.ts';
import { makeHttpd } from './program.ts';

const ROOT = '/usr/local/apache2';
const NEWEST = 65;
const RELEASES: Readonly<Record<number, string>> = {
  65: '2025-07-24T12:00:00Z',
  62: '2024-07-18T21:11:51Z',
  58: '2023-10-19T23:50:23Z',
  54: '2022-06-09T20:21:00Z',
  46: '2020-08-15T04:01:46Z',
};

const FOREGROUND = `#!/bin/sh
set -e

# A pid file of an earlier life would keep Apache from starting.
rm -f /usr/local/apache2/logs/httpd.pid

exec httpd -DFOREGROUND "$@"
`;

const CONF = `# The server's own folder; relative paths start here.
ServerRoot "/usr/local/apache2"
Listen 80

LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule mime_module modules/mod_mime.so
LoadModule log_config_module modules/mod_log_config.so
LoadModule headers_module modules/mod_headers.so
LoadModule setenvif_module modules/mod_setenvif.so
#LoadModule proxy_module modules/mod_proxy.so
#LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule unixd_module modules/mod_unixd.so
LoadModule status_module modules/mod_status.so
LoadModule autoindex_module modules/mod_autoindex.so
LoadModule dir_module modules/mod_dir.so
LoadModule alias_module modules/mod_alias.so
#LoadModule rewrite_module modules/mod_rewrite.so

<IfModule unixd_module>
User www-data
Group www-data
</IfModule>

ServerAdmin you@example.com
#ServerName www.example.com:80

<Directory />
    AllowOverride none
    Require all denied
</Directory>

DocumentRoot "/usr/local/apache2/htdocs"
<Directory "/usr/local/apache2/htdocs">
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>

<IfModule dir_module>
    DirectoryIndex index.html
</IfModule>

<Files ".ht*">
    Require all denied
</Files>

ErrorLog /proc/self/fd/2
LogLevel warn

<IfModule log_config_module>
    LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
    LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
    CustomLog /proc/self/fd/1 common
</IfModule>

<IfModule mime_module>
    TypesConfig conf/mime.types
    AddType application/x-compress .Z
    AddType application/x-gzip .gz .tgz
</IfModule>
`;

export const HTTPD: Repository = {
  names: ['docker.io/library/httpd'],
  image(tag) {
    const match =
      /^(?:2(?:\.4(?:\.(\d+))?)?|latest)?(?:-?(alpine|bookworm|trixie|bullseye|buster)(?:3\.\d+)?)?$/.exec(
        tag,
      );
    if (match === null || tag === '') return undefined;
    const patch = match[1] === undefined ? NEWEST : Number(match[1]);
    if (patch > NEWEST || patch < 20) return undefined;
    return content(`2.4.${patch}`, patch, match[2] === 'alpine');
  },
};

function content(version: string, patch: number, isAlpine: boolean): ImageContent {
  const released =
    Object.keys(RELEASES)
      .map(Number)
      .filter((each) => each <= patch)
      .toSorted((a, b) => b - a)[0] ?? 46;
  const httpd = programFile('httpd', makeHttpd(version));
  return {
    base: isAlpine
      ? alpine('3.22.2', ['www-data:x:82:82:Linux User,,,:/home/www-data:/sbin/nologin'])
      : debian({ number: '12.11', codename: 'bookworm' }),
    build: `${version}${isAlpine ? '-alpine' : ''}`,
    sizeBytes: isAlpine ? 20_100_000 : patch >= 58 ? 45_600_000 : 58_800_000,
    created: RELEASES[released]!,
    env: [
      'PATH=/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HTTPD_PREFIX=/usr/local/apache2',
      `HTTPD_VERSION=${version}`,
    ],
    workingDirectory: ROOT,
    exposedPorts: ['80/tcp'],
    stopSignal: 'SIGWINCH',
    command: ['httpd-foreground'],
    files: {
      [`${ROOT}/bin/httpd`]: httpd,
      [`${ROOT}/bin/apachectl`]: textFile('#!/bin/sh\nexec httpd -k "$@"\n', 0o755),
      [`${ROOT}/conf/httpd.conf`]: textFile(CONF),
      [`${ROOT}/conf/mime.types`]: textFile('text/html html htm\ntext/plain txt\ntext/css css\n'),
      [`${ROOT}/htdocs/index.html`]: textFile('<html><body><h1>It works!</h1></body></html>\n'),
      [`${ROOT}/logs`]: { type: 'directory', mode: 0o755 },
      '/usr/local/bin/httpd-foreground': textFile(FOREGROUND, 0o755),
    },
  };
}
