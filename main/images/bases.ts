// The layers that images build on: Debian, Alpine, CentOS and busybox, with the commands that each brings.
import type { ImageFile } from '../linux/containerd/index.ts';
import { BUSYBOX_APPLETS, PACKAGES } from '../linux/commands/index.ts';
import type { Program } from '../linux/kernel/index.ts';
import { ash, bash, dash } from '../linux/shell/index.ts';
import { busyboxHttpd } from './busybox-httpd.ts';

export type Files = ReadonlyMap<string, ImageFile>;

const DIRECTORIES: Readonly<Record<string, number>> = {
  '/dev': 0o755,
  '/etc': 0o755,
  '/home': 0o755,
  '/proc': 0o555,
  '/root': 0o700,
  '/run': 0o755,
  '/sys': 0o555,
  '/tmp': 0o1777,
  '/var/log': 0o755,
  '/var/run': 0o755,
};

const PASSWD =
  'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\n' +
  'www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';
const GROUP = 'root:x:0:\ndaemon:x:1:\nbin:x:2:\nadm:x:4:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\n';

function text(content: string, mode = 0o644): ImageFile {
  return { type: 'file', content, mode };
}

function program(name: string, run: Program): ImageFile {
  return { type: 'program', program: run, name, mode: 0o755 };
}

function common(): Map<string, ImageFile> {
  const files = new Map<string, ImageFile>();
  for (const [path, mode] of Object.entries(DIRECTORIES)) files.set(path, { type: 'directory', mode });
  return files;
}

/** The programs of packages of the machines' repository, under /usr. */
function packages(files: Map<string, ImageFile>, names: readonly string[]): void {
  const wanted = new Set(names);
  for (const { name, programs } of PACKAGES) {
    if (!wanted.has(name)) continue;
    for (const [path, { name: command, program: run }] of programs) files.set(path, program(command, run));
  }
}

/** What Debian's bash reads before ~/.bashrc: its prompt names user, host and the whole path. */
const DEBIAN_BASHRC = `# System-wide .bashrc file for interactive bash(1) shells.
[ -z "$PS1" ] && return
shopt -s checkwinsize
PS1='\\u@\\h:\\w\\$ '
`;

/** Debian's slim image: bash and the GNU tools, no editors, no ps, no ip. */
export function debian(
  version: { readonly number: string; readonly codename: string },
  accounts: readonly string[] = [],
): Files {
  const files = common();
  for (const [path, target] of [
    ['/bin', 'usr/bin'],
    ['/sbin', 'usr/sbin'],
    ['/lib', 'usr/lib'],
  ] as const)
    files.set(path, { type: 'symlink', target });
  packages(files, [
    'coreutils',
    'grep',
    'sed',
    'findutils',
    'hostname',
    'util-linux',
    'glibc-common',
    'gawk',
    'diffutils',
    'tar',
    'gzip',
    'which',
    'apt',
  ]);
  files.set('/usr/bin/bash', program('bash', bash));
  files.set('/usr/bin/dash', program('dash', dash));
  files.set('/usr/bin/sh', program('sh', dash));
  addAccounts(files, PASSWD, GROUP, accounts);
  files.set('/etc/bash.bashrc', text(DEBIAN_BASHRC));
  files.set('/etc/debian_version', text(`${version.number}\n`));
  files.set(
    '/etc/os-release',
    text(
      `PRETTY_NAME="Debian GNU/Linux ${version.number.split('.')[0]} (${version.codename})"\nNAME="Debian GNU/Linux"\nVERSION_ID="${version.number.split('.')[0]}"\nVERSION="${version.number.split('.')[0]} (${version.codename})"\nVERSION_CODENAME=${version.codename}\nID=debian\nHOME_URL="https://www.debian.org/"\nSUPPORT_URL="https://www.debian.org/support"\nBUG_REPORT_URL="https://bugs.debian.org/"\n`,
    ),
  );
  return files;
}

/** Ubuntu: Debian's tools under another name, and ps. */
export function ubuntu(number: string, codename: string): Files {
  const files = new Map(debian({ number: 'trixie/sid', codename: 'trixie' }));
  packages(files, ['procps-ng']);
  const lts = Number(number.split('.')[0]) % 2 === 0 && number.endsWith('.04') ? ' LTS' : '';
  const title = codename.charAt(0).toUpperCase() + codename.slice(1);
  files.set(
    '/etc/os-release',
    text(
      `PRETTY_NAME="Ubuntu ${number}${lts}"\nNAME="Ubuntu"\nVERSION_ID="${number}"\nVERSION="${number}${lts} (${title})"\nVERSION_CODENAME=${codename}\nID=ubuntu\nID_LIKE=debian\nHOME_URL="https://www.ubuntu.com/"\nSUPPORT_URL="https://help.ubuntu.com/"\nBUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"\nUBUNTU_CODENAME=${codename}\n`,
    ),
  );
  files.set(
    '/etc/lsb-release',
    text(
      `DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=${number}\nDISTRIB_CODENAME=${codename}\nDISTRIB_DESCRIPTION="Ubuntu ${number}${lts}"\n`,
    ),
  );
  return files;
}

/** passwd and group with an image's own accounts added: lines of passwd(5), each with a group of its own. */
function addAccounts(
  files: Map<string, ImageFile>,
  passwd: string,
  group: string,
  accounts: readonly string[],
): void {
  const groups = accounts.map((line) => {
    const [name, , , gid] = line.split(':');
    return `${name}:x:${gid}:\n`;
  });
  files.set('/etc/passwd', text(passwd + accounts.map((line) => `${line}\n`).join('')));
  files.set('/etc/group', text(group + groups.join('')));
}

/** The same with more packages installed. */
export function withPackages(base: Files, names: readonly string[]): Files {
  const files = new Map(base);
  packages(files, names);
  return files;
}

/** bash, for an image that adds it. */
export function bashFile(): ImageFile {
  return program('bash', bash);
}

/** What images of Red Hat's family hold. */
const ENTERPRISE_PACKAGES = [
  'coreutils',
  'grep',
  'sed',
  'findutils',
  'util-linux',
  'glibc-common',
  'gawk',
  'diffutils',
  'tar',
  'gzip',
  'curl',
  'yum',
  'ncurses',
];
const CENTOS_PACKAGES = [...ENTERPRISE_PACKAGES, 'hostname', 'procps-ng', 'iputils', 'kmod', 'systemd'];

/** CentOS 7: the course's own machines' system, as far as its image goes: ps, curl and vi, but no ip, dig or wget. */
export function centos(): Files {
  const files = enterpriseLinux(
    CENTOS_PACKAGES,
    [],
    'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n',
  );
  files.set('/etc/centos-release', text('CentOS Linux release 7.9.2009 (Core)\n'));
  files.set('/etc/redhat-release', { type: 'symlink', target: 'centos-release' });
  const vi = PACKAGES.find(({ name }) => name === 'vim-enhanced')?.programs.get('/usr/bin/vi');
  if (vi !== undefined) files.set('/usr/bin/vi', program(vi.name, vi.program));
  return files;
}

/** Rocky, Alma, Fedora and their like: no ps, no ip. */
export function redHatLike(name: string, id: string, version: string): Files {
  const files = enterpriseLinux(
    ENTERPRISE_PACKAGES,
    [],
    `NAME="${name}"\nVERSION="${version}"\nID="${id}"\nID_LIKE="rhel centos fedora"\nVERSION_ID="${version}"\nPRETTY_NAME="${name} ${version}"\n`,
  );
  files.set('/etc/redhat-release', text(`${name} release ${version}\n`));
  return files;
}

/** Oracle Linux' slim image, which the mysql images are made of. */
export function oracleLinux(accounts: readonly string[]): Files {
  const packs = ENTERPRISE_PACKAGES.filter((name) => !['diffutils', 'yum'].includes(name));
  return enterpriseLinux(
    packs,
    accounts,
    'NAME="Oracle Linux Server"\nVERSION="9.6"\nID="ol"\nID_LIKE="fedora"\nVERSION_ID="9.6"\nPRETTY_NAME="Oracle Linux Server 9.6"\n',
  );
}

function enterpriseLinux(
  names: readonly string[],
  accounts: readonly string[],
  osRelease: string,
): Map<string, ImageFile> {
  const files = common();
  for (const [path, target] of [
    ['/bin', 'usr/bin'],
    ['/sbin', 'usr/sbin'],
    ['/lib', 'usr/lib'],
  ] as const)
    files.set(path, { type: 'symlink', target });
  packages(files, names);
  files.set('/usr/bin/bash', program('bash', bash));
  files.set('/usr/bin/sh', program('sh', bash));
  addAccounts(files, PASSWD, GROUP, accounts);
  files.set('/etc/os-release', text(osRelease));
  return files;
}

/** busybox under every name of its applets. */
function applets(
  files: Map<string, ImageFile>,
  folder: string,
  more: readonly (readonly [string, Program])[] = [],
): void {
  const all = new Map<string, Program>([...BUSYBOX_APPLETS, ['sh', ash], ['ash', ash], ...more]);
  for (const [name, run] of all) files.set(`${folder}/${name}`, program(name, run));
  files.set(`${folder}/busybox`, program('busybox', makeBusybox(all)));
}

/** busybox itself: the applet is the first word. */
function makeBusybox(all: ReadonlyMap<string, Program>): Program {
  return async (proc) => {
    const [, name] = proc.argv;
    if (name === undefined || name === '--help') {
      await proc.stdout.write(
        `BusyBox v1.36.1 () multi-call binary.\nBusyBox is copyrighted by many authors between 1998-2015.\nLicensed under GPLv2. See source distribution for detailed\ncopyright notices.\n\nUsage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n   or: function [arguments]...\n\nCurrently defined functions:\n\t${[...all.keys()].toSorted().join(', ')}\n`,
      );
      return 0;
    }
    if (name === '--list') {
      await proc.stdout.write(`${[...all.keys()].toSorted().join('\n')}\n`);
      return 0;
    }
    const run = all.get(name);
    if (run === undefined) {
      await proc.stderr.write(`${name}: applet not found\n`);
      return 127;
    }
    const child = proc.spawn({ argv: proc.argv.slice(1), program: run });
    const status = await child.wait();
    return status.kind === 'exited' ? status.exitCode : 1;
  };
}

/** The busybox image: applets in /bin and little else. */
export function busybox(): Files {
  const files = common();
  files.delete('/run'); // Only /var/run is there.
  applets(files, '/bin', [['httpd', busyboxHttpd]]);
  files.set(
    '/etc/passwd',
    text(
      'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    ),
  );
  files.set(
    '/etc/group',
    text('root:x:0:\ndaemon:x:1:\nbin:x:2:\ntty:x:5:\nwww-data:x:33:\nnobody:x:65534:\n'),
  );
  for (const path of ['/usr/bin', '/usr/sbin', '/lib', '/lib64', '/var/www', '/var/spool/mail'])
    files.set(path, { type: 'directory', mode: 0o755 });
  files.set('/usr/bin/env', { type: 'symlink', target: '../../bin/env' });
  return files;
}

/** Alpine: busybox as /bin/busybox with links, and apk's files. */
export function alpine(version: string, accounts: readonly string[] = []): Files {
  const files = common();
  applets(files, '/bin');
  for (const path of ['/usr/bin', '/usr/sbin', '/sbin', '/lib', '/media', '/mnt', '/opt', '/srv'])
    files.set(path, { type: 'directory', mode: 0o755 });
  files.set('/usr/bin/env', { type: 'symlink', target: '/bin/env' });
  addAccounts(
    files,
    'root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\ndaemon:x:2:2:daemon:/sbin:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
    'root:x:0:root\nbin:x:1:root,bin,daemon\ndaemon:x:2:root,bin,daemon\ntty:x:5:\nnobody:x:65534:\n',
    accounts,
  );
  const apk = PACKAGES.find(({ name }) => name === 'apk-tools')?.programs.get('/usr/sbin/apk');
  if (apk !== undefined) files.set('/sbin/apk', program(apk.name, apk.program));
  files.set('/etc/alpine-release', text(`${version}\n`));
  files.set(
    '/etc/os-release',
    text(
      `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${version}\nPRETTY_NAME="Alpine Linux v${version.split('.').slice(0, 2).join('.')}"\nHOME_URL="https://alpinelinux.org/"\nBUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"\n`,
    ),
  );
  return files;
}

/** Next to nothing: images with one static program. */
export function scratch(): Files {
  return common();
}

export { program as programFile, text as textFile };
