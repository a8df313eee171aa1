// What other distributions call the packages of the virtual repository.
import type { CommandPackage } from './package.ts';

/** By the repository's own name; the first is the package, the others are older names and virtual ones. */
const DEBIAN: Readonly<Record<string, readonly string[]>> = {
  'bind-utils': ['bind9-dnsutils', 'dnsutils', 'bind9-host'],
  iputils: ['iputils-ping', 'iputils-arping', 'iputils-tracepath'],
  'procps-ng': ['procps'],
  iproute: ['iproute2'],
  'vim-enhanced': ['vim', 'vim-tiny'],
  'vim-common': ['xxd', 'vim-common'],
  'nmap-ncat': ['netcat-openbsd', 'netcat', 'netcat-traditional', 'ncat'],
  'openssh-clients': ['openssh-client'],
  'conntrack-tools': ['conntrack'],
  'shadow-utils': ['passwd'],
  'glibc-common': ['libc-bin'],
  ncurses: ['ncurses-bin'],
  gawk: ['gawk', 'mawk'],
  which: ['debianutils'],
  'httpd-tools': ['apache2-utils'],
  gettext: ['gettext-base'],
};
const ALPINE: Readonly<Record<string, readonly string[]>> = {
  'bind-utils': ['bind-tools'],
  'procps-ng': ['procps-ng', 'procps'],
  iproute: ['iproute2'],
  'vim-enhanced': ['vim'],
  'vim-common': ['xxd'],
  'nmap-ncat': ['netcat-openbsd', 'nmap-ncat'],
  telnet: ['busybox-extras'],
  'openssh-clients': ['openssh-client', 'openssh'],
  'shadow-utils': ['shadow'],
  'httpd-tools': ['apache2-utils'],
};
/** What has no place in the other family. */
const RED_HAT_ONLY = new Set([
  'yum',
  'policycoreutils',
  'libselinux-utils',
  'passwd',
  'apt',
  'dpkg',
  'apk-tools',
]);

export type Family = 'debian' | 'alpine';

export interface NamedPackage {
  /** As the distribution calls it. */
  readonly name: string;
  readonly version: string;
  readonly pack: CommandPackage;
}

/** A package by a name of the distribution. */
export function findNamed(
  repository: readonly CommandPackage[],
  family: Family,
  name: string,
): NamedPackage | undefined {
  return listNamed(repository, family).find(
    (one) => one.name === name || namesOf(family, one.pack.name).includes(name),
  );
}

export function listNamed(repository: readonly CommandPackage[], family: Family): NamedPackage[] {
  return repository
    .filter(({ name }) => !RED_HAT_ONLY.has(name))
    .map((pack) => ({ name: namesOf(family, pack.name)[0]!, version: versionIn(family, pack), pack }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function namesOf(family: Family, name: string): readonly string[] {
  return (family === 'debian' ? DEBIAN : ALPINE)[name] ?? [name];
}

function versionIn(family: Family, { version, release }: CommandPackage): string {
  const number = /^\d+/.exec(release)?.[0] ?? '1';
  return family === 'debian' ? `${version}-${number}+deb12u1` : `${version}-r${number}`;
}
