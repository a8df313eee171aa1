// Which package brings which commands, and where they are installed: the virtual repository, and busybox's applets.
import type { Program } from '../../kernel/index.ts';
import { applet } from '../frame/command.ts';
import { crictl } from '../container/crictl/crictl.ts';
import { ctr } from '../container/ctr.ts';
import { docker, nerdctl } from '../container/docker/docker.ts';
import { base32, base64 } from '../coreutils/base64.ts';
import { basename, dirname } from '../coreutils/basename.ts';
import { cat } from '../coreutils/cat.ts';
import { chmod } from '../coreutils/chmod.ts';
import { chgrp, chown } from '../coreutils/chown.ts';
import { cp } from '../coreutils/cp.ts';
import { date } from '../coreutils/date.ts';
import { dd } from '../coreutils/dd.ts';
import { dircolors } from '../coreutils/dircolors.ts';
import { du } from '../coreutils/du.ts';
import { echo } from '../coreutils/echo.ts';
import { env, printenv } from '../coreutils/env.ts';
import { expr } from '../coreutils/expr.ts';
import {
  b2sum,
  cksum,
  md5sum,
  sha1sum,
  sha224sum,
  sha256sum,
  sha384sum,
  sha512sum,
  sum,
} from '../coreutils/hashes.ts';
import { groups, id, logname, whoami } from '../coreutils/identity.ts';
import { install } from '../coreutils/install.ts';
import { ln } from '../coreutils/ln.ts';
import { dir, ls, vdir } from '../coreutils/ls.ts';
import { fallocate, link, mkfifo, unlink } from '../coreutils/make-node.ts';
import { mkdir } from '../coreutils/mkdir.ts';
import { mktemp } from '../coreutils/mktemp.ts';
import { mv } from '../coreutils/mv.ts';
import { pathchk } from '../coreutils/pathchk.ts';
import { printf } from '../coreutils/printf.ts';
import { readlink } from '../coreutils/readlink.ts';
import { realpath } from '../coreutils/realpath.ts';
import { rm } from '../coreutils/rm.ts';
import { rmdir } from '../coreutils/rmdir.ts';
import { seq } from '../coreutils/seq.ts';
import { sleep } from '../coreutils/sleep.ts';
import { stat } from '../coreutils/stat.ts';
import { stdbuf } from '../coreutils/stdbuf.ts';
import { arch, nproc, pwd, sync, tty, uname } from '../coreutils/system.ts';
import { stty } from '../coreutils/stty.ts';
import { clear, reset, tput } from '../coreutils/terminal.ts';
import { test } from '../coreutils/test.ts';
import { touch } from '../coreutils/touch.ts';
import { falseCommand, trueCommand } from '../coreutils/true.ts';
import { yes } from '../coreutils/yes.ts';
import { ed } from '../editor/ed.ts';
import { nano, vim } from '../editor/vim.ts';
import { brctl } from '../network/brctl.ts';
import { bridge } from '../network/bridge.ts';
import { conntrack, ipset } from '../network/conntrack.ts';
import { curl } from '../network/curl.ts';
import { dig } from '../network/dig.ts';
import { ip } from '../network/ip.ts';
import { ip6tables, iptables, iptablesRestore, iptablesSave } from '../network/iptables.ts';
import { ipvsadm, ipvsadmRestore, ipvsadmSave } from '../network/ipvsadm.ts';
import { htpasswd } from '../network/htpasswd.ts';
import { nc, telnet } from '../network/nc.ts';
import { arp, ifconfig, netstat, route } from '../network/net-tools.ts';
import { host, nslookup } from '../network/nslookup.ts';
import { openssl } from '../network/openssl/index.ts';
import { ab } from '../network/ab.ts';
import { hey } from '../network/hey.ts';
import { python3 } from '../network/python3.ts';
import { arping, ping } from '../network/ping.ts';
import { ss } from '../network/ss.ts';
import { tcpdump } from '../network/tcpdump.ts';
import { tracepath, traceroute } from '../network/traceroute.ts';
import { wget } from '../network/wget.ts';
import { scp } from '../ssh/scp.ts';
import { ssh } from '../ssh/ssh.ts';
import { sshCopyId, sshKeygen, sshKeyscan } from '../ssh/keygen.ts';
import { sshd } from '../ssh/sshd.ts';
import { kill, killall, pgrep, pidof, pkill } from '../process/kill.ts';
import { free, uptime, w, who } from '../process/memory.ts';
import { top } from '../process/top.ts';
import { fuser, lsof } from '../process/lsof.ts';
import { ps } from '../process/ps.ts';
import { pstree } from '../process/pstree.ts';
import { nice, nohup, setsid, time, timeout } from '../process/timing.ts';
import { watch } from '../process/watch.ts';
import { vmstat } from '../process/vmstat.ts';
import { flock } from '../system/flock.ts';
import { dmesg, getent, hostname, hostnamectl } from '../system/host.ts';
import { journalctl } from '../system/journalctl.ts';
import { depmod, insmod, lsmod, modinfo, modprobe, rmmod } from '../system/modules.ts';
import { mount, umount } from '../system/mount.ts';
import { df, lsblk } from '../system/mounts.ts';
import { lsns, nsenter, unshare } from '../system/namespaces.ts';
import { setpriv } from '../system/setpriv.ts';
import { sysctl } from '../system/sysctl.ts';
import {
  ethtool,
  getconf,
  last,
  lastlog,
  locale,
  lscpu,
  man,
  renice,
  swapoff,
  swapon,
  uuidgen,
  whereis,
} from '../system/machine-facts.ts';
import { chpasswd, passwd } from '../system/passwords.ts';
import { shutdown } from '../system/power.ts';
import {
  chage,
  gpasswd,
  groupadd,
  groupdel,
  groupmod,
  useradd,
  userdel,
  usermod,
} from '../system/user-management.ts';
import { service, systemctl } from '../system/systemctl.ts';
import { firewallCmd, getenforce, sestatus, setenforce } from '../system/security.ts';
import {
  localectl,
  logger,
  loginctl,
  runlevel,
  systemdAnalyze,
  systemdCat,
  systemdCgls,
  systemdDetectVirt,
  systemdEscape,
  systemdNotify,
} from '../system/systemd-tools.ts';
import { chronyc, hwclock } from '../system/time-sync.ts';
import { timedatectl } from '../system/timedatectl.ts';
import { su, sudo, which } from '../system/users.ts';
import { awk } from '../text/awk.ts';
import { bc } from '../text/bc.ts';
import { column, file } from '../text/column.ts';
import { dos2unix, iconv, unix2dos } from '../text/convert.ts';
import { csplit } from '../text/csplit.ts';
import { cut } from '../text/cut.ts';
import { cmp, diff } from '../text/diff.ts';
import { hexdump, od, xxd } from '../text/dump.ts';
import { envsubst } from '../text/envsubst.ts';
import { find } from '../text/find.ts';
import { fmt } from '../text/fmt.ts';
import { expand, fold, unexpand } from '../text/fold.ts';
import { getopt } from '../text/getopt.ts';
import { egrep, fgrep, grep } from '../text/grep.ts';
import { gunzip, gzip, zcat } from '../text/gzip.ts';
import { head } from '../text/head.ts';
import { comm, join } from '../text/join.ts';
import { jq } from '../text/jq.ts';
import { less, more } from '../text/less.ts';
import { look } from '../text/look.ts';
import { nl } from '../text/nl.ts';
import { paste } from '../text/paste.ts';
import { patch } from '../text/patch.ts';
import { rev, shuf, tac } from '../text/reorder.ts';
import { sed } from '../text/sed.ts';
import { sort } from '../text/sort.ts';
import { factor, numfmt, truncate } from '../text/numbers.ts';
import { split } from '../text/split.ts';
import { strings } from '../text/strings.ts';
import { tail } from '../text/tail.ts';
import { tar } from '../text/tar.ts';
import { tee } from '../text/tee.ts';
import { tr } from '../text/tr.ts';
import { tree } from '../text/tree.ts';
import { tsort } from '../text/tsort.ts';
import { uniq } from '../text/uniq.ts';
import { wc } from '../text/wc.ts';
import { xargs } from '../text/xargs.ts';
import { storePath, type CommandPackage, type InstalledProgram } from './package.ts';
import { makeApk } from './apk.ts';
import { makeApt, makeAptCache, makeDpkg } from './apt.ts';
import { makeRpm } from './rpm.ts';
import { makeYum } from './yum.ts';

type Programs = Readonly<Record<string, Program>>;

function pack(
  name: string,
  version: string,
  release: string,
  summary: string,
  sizeBytes: number,
  bin: Programs,
  sbin: Programs = {},
): CommandPackage {
  const programs = new Map<string, InstalledProgram>();
  for (const [directory, group] of [
    ['/usr/bin', bin],
    ['/usr/sbin', sbin],
  ] as const) {
    for (const [command, program] of Object.entries(group))
      programs.set(`${directory}/${command}`, { name: command, program });
  }
  return { name, version, release, summary, sizeBytes, programs };
}

const yum = makeYum(() => PACKAGES);
const rpm = makeRpm(() => PACKAGES);
const apt = makeApt(() => PACKAGES);
const aptCache = makeAptCache(() => PACKAGES);
const dpkg = makeDpkg(() => PACKAGES);
const apk = makeApk(() => PACKAGES);

/** Every package there is, by what a machine installs first. */
export const PACKAGES: readonly CommandPackage[] = [
  pack('coreutils', '9.1', '1.el9', 'A set of basic GNU tools commonly used in shell scripts', 5_700_000, {
    basename,
    dirname,
    cat,
    chgrp,
    chown,
    chmod,
    cksum,
    comm,
    cp,
    cut,
    date,
    df,
    du,
    echo,
    env,
    expand,
    expr,
    factor,
    fmt,
    fold,
    groups,
    head,
    id,
    join,
    ln,
    logname,
    ls,
    md5sum,
    mkdir,
    mktemp,
    mv,
    nice,
    nl,
    nohup,
    nproc,
    numfmt,
    od,
    paste,
    printenv,
    printf,
    pwd,
    readlink,
    realpath,
    rm,
    rmdir,
    seq,
    sha1sum,
    sha224sum,
    sha256sum,
    sha384sum,
    sha512sum,
    shuf,
    sleep,
    sort,
    split,
    stat,
    stty,
    sync,
    tac,
    tail,
    tee,
    test,
    timeout,
    touch,
    tr,
    truncate,
    tty,
    uname,
    unexpand,
    uniq,
    wc,
    who,
    whoami,
    yes,
    arch,
    base64,
    base32,
    b2sum,
    csplit,
    dd,
    dircolors,
    install,
    link,
    mkfifo,
    pathchk,
    stdbuf,
    sum,
    tsort,
    unlink,
    false: falseCommand,
    '[': test,
    true: trueCommand,
    dir,
    vdir,
  }),
  pack(
    'util-linux',
    '2.38.1',
    '1.el9',
    'Collection of basic system utilities',
    8_300_000,
    {
      column,
      fallocate,
      getopt,
      look,
      flock,
      last,
      logger,
      lscpu,
      renice,
      uuidgen,
      whereis,
      dmesg,
      hexdump,
      kill,
      lsblk,
      lsns,
      more,
      mount,
      nsenter,
      rev,
      setpriv,
      setsid,
      su,
      umount,
      unshare,
    },
    { hwclock, swapoff, swapon },
  ),
  pack(
    'procps-ng',
    '4.0.2',
    '1.el9',
    'System and process monitoring utilities',
    900_000,
    { free, pgrep, pkill, ps, top, uptime, vmstat, w, watch, pidof },
    { sysctl },
  ),
  pack('psmisc', '23.6', '1.el9', 'Utilities for managing processes on your system', 400_000, {
    fuser,
    killall,
    pstree,
  }),
  pack('lsof', '4.94.0', '3.el9', 'A utility which lists open files on a Linux/UNIX system', 600_000, {
    lsof,
  }),
  pack('findutils', '4.9.0', '1.el9', 'The GNU versions of find utilities (find and xargs)', 1_700_000, {
    find,
    xargs,
  }),
  pack('grep', '3.8', '1.el9', 'Pattern matching utilities', 800_000, { grep, egrep, fgrep }),
  pack('sed', '4.9', '1.el9', 'A GNU stream text editor', 600_000, { sed }),
  pack('gawk', '5.2.1', '1.el9', 'The GNU version of the AWK text processing utility', 1_600_000, {
    awk,
    gawk: awk,
  }),
  pack('diffutils', '3.8', '1.el9', 'GNU collection of diff utilities', 1_400_000, { diff, cmp }),
  pack('patch', '2.7.6', '1.el9', 'Utility for modifying/upgrading files', 270_000, { patch }),
  pack('bc', '1.07.1', '1.el9', "GNU's bc (a numeric processing language)", 220_000, { bc }),
  pack('binutils', '2.40', '1.el9', 'A GNU collection of binary utilities', 29_000_000, { strings }),
  pack('dos2unix', '7.4.3', '1.el9', 'Text file format converters', 680_000, { dos2unix, unix2dos }),
  pack('less', '590', '1.el9', 'A text file browser similar to more, but better', 300_000, { less }),
  pack('gzip', '1.12', '1.el9', 'GNU data compression program', 400_000, { gzip, gunzip, zcat }),
  pack('ncurses', '6.4', '1.el9', 'Ncurses support utilities', 600_000, { clear, reset, tput }),
  pack('hostname', '3.23', '1.el9', 'Utility to set/show the host name or domain name', 60_000, { hostname }),
  pack(
    'kmod',
    '30',
    '1.el9',
    'Linux kernel module management utilities',
    400_000,
    {},
    { depmod, insmod, lsmod, modprobe, rmmod, modinfo },
  ),
  pack(
    'shadow-utils',
    '4.9',
    '9.el9',
    'Utilities for managing accounts and shadow password files',
    4_000_000,
    { chage, gpasswd },
    { lastlog, useradd, usermod, userdel, groupadd, groupmod, groupdel, chpasswd },
  ),
  pack('passwd', '0.80', '12.el9', 'An utility for setting or changing passwords using PAM', 400_000, {
    passwd,
  }),
  pack('sudo', '1.9.13', '1.el9', 'Allows restricted root access for specified users', 4_200_000, { sudo }),
  pack('which', '2.21', '1.el9', 'Displays where a particular program in your path is located', 80_000, {
    which,
  }),
  pack('file', '5.44', '1.el9', 'Utility for determining file types', 100_000, { file }),
  pack('time', '1.9', '1.el9', "A GNU utility for monitoring a program's use of system resources", 100_000, {
    time,
  }),
  pack('glibc-common', '2.36', '1.el9', 'Common binaries and locale data for glibc', 2_000_000, {
    getconf,
    iconv,
    getent,
    locale,
  }),
  pack(
    'systemd',
    '252',
    '14.el9',
    'System and Service Manager',
    15_000_000,
    {
      hostnamectl,
      journalctl,
      localectl,
      loginctl,
      systemctl,
      'systemd-analyze': systemdAnalyze,
      'systemd-cat': systemdCat,
      'systemd-cgls': systemdCgls,
      'systemd-detect-virt': systemdDetectVirt,
      'systemd-escape': systemdEscape,
      'systemd-notify': systemdNotify,
      timedatectl,
    },
    { runlevel, service, reboot: shutdown, poweroff: shutdown, halt: shutdown, init: shutdown, shutdown },
  ),
  pack('chrony', '4.3', '1.el9', 'An NTP client/server', 600_000, { chronyc }),
  pack(
    'libselinux-utils',
    '3.5',
    '1.el9',
    'SELinux libselinux utilities',
    800_000,
    {},
    { getenforce, setenforce },
  ),
  pack('policycoreutils', '3.5', '1.el9', 'SELinux policy core utilities', 700_000, {}, { sestatus }),
  pack('firewalld', '1.2.1', '1.el9', 'A firewall daemon with D-Bus interface', 2_000_000, {
    'firewall-cmd': firewallCmd,
  }),
  pack('ethtool', '6.2', '1.el9', 'Settings tool for Ethernet NICs', 600_000, {}, { ethtool }),
  pack('man-db', '2.9.3', '7.el9', 'Tools for searching and reading man pages', 2_800_000, { man }),
  pack('ed', '1.19', '1.el9', 'The GNU line editor', 100_000, { ed }),
  pack(
    'vim-enhanced',
    '9.0.1000',
    '1.el9',
    'A version of the VIM editor which includes recent enhancements',
    3_500_000,
    { vim, vi: vim, view: vim, ex: vim },
  ),
  pack('nano', '7.2', '1.el9', 'A small text editor', 2_800_000, { nano }),
  pack(
    'iproute',
    '6.1.0',
    '1.el9',
    'Advanced IP routing and network device configuration tools',
    2_600_000,
    {},
    { ip, ss, bridge },
  ),
  pack(
    'bridge-utils',
    '1.7.1',
    '1.el9',
    'Utilities for configuring the linux ethernet bridge',
    100_000,
    {},
    { brctl },
  ),
  pack(
    'net-tools',
    '2.0',
    '0.65.el9',
    'Basic networking tools',
    1_000_000,
    { netstat },
    { ifconfig, route, arp },
  ),
  pack(
    'iputils',
    '20221126',
    '1.el9',
    'Network monitoring tools including ping',
    700_000,
    { ping, tracepath },
    { arping },
  ),
  pack(
    'iptables',
    '1.8.9',
    '1.el9',
    'Tools for managing Linux kernel packet filtering capabilities',
    2_000_000,
    {},
    { iptables, ip6tables, 'iptables-save': iptablesSave, 'iptables-restore': iptablesRestore },
  ),
  pack(
    'ipvsadm',
    '1.31',
    '1.el9',
    'Utility to administer the Linux Virtual Server',
    200_000,
    {},
    { ipvsadm, 'ipvsadm-save': ipvsadmSave, 'ipvsadm-restore': ipvsadmRestore },
  ),
  pack('ipset', '7.17', '1.el9', 'Manage Linux IP sets', 300_000, {}, { ipset }),
  pack(
    'conntrack-tools',
    '1.4.7',
    '1.el9',
    'Manipulate netfilter connection tracking table and run High Availability',
    700_000,
    {},
    { conntrack },
  ),
  pack('bind-utils', '9.18.49', '1.el9', 'Utilities for querying DNS name servers', 700_000, {
    dig,
    nslookup,
    host,
  }),
  pack(
    'curl',
    '7.88.1',
    '1.el9',
    'A utility for getting files from remote servers (FTP, HTTP, and others)',
    700_000,
    { curl },
  ),
  pack(
    'wget',
    '1.21.3',
    '1.el9',
    'A utility for retrieving files using the HTTP or FTP protocols',
    3_100_000,
    { wget },
  ),
  pack(
    'openssl',
    '3.0.22',
    '1.el9',
    'Utilities from the general purpose cryptography library with TLS implementation',
    1_200_000,
    { openssl },
  ),
  pack('httpd-tools', '2.4.57', '1.el9', 'Tools for use with the Apache HTTP Server', 81_000, {
    ab,
    htpasswd,
  }),
  pack('python3', '3.11.2', '1.el9', 'Python 3 interpreter', 32_000_000, { python3 }),
  pack('hey', '0.1.4', '1.el9', 'HTTP load generator', 9_000_000, { hey }),
  pack(
    'gettext',
    '0.21',
    '7.el9',
    'GNU libraries and utilities for producing multi-lingual messages',
    5_300_000,
    {
      envsubst,
    },
  ),
  pack('nmap-ncat', '7.93', '1.el9', "Nmap's Netcat replacement", 500_000, { nc, ncat: nc }),
  pack('telnet', '0.17', '85.el9', 'The client program for the Telnet remote login protocol', 120_000, {
    telnet,
  }),
  pack('tcpdump', '4.99.3', '1.el9', 'A network traffic monitoring tool', 1_400_000, {}, { tcpdump }),
  pack(
    'traceroute',
    '2.1.2',
    '1.el9',
    'Traces the route taken by packets over an IPv4/IPv6 network',
    160_000,
    { traceroute },
  ),
  pack('openssh-clients', '8.7p1', '43.el9', 'An open source SSH client applications', 3_500_000, {
    scp,
    ssh,
    'ssh-copy-id': sshCopyId,
    'ssh-keygen': sshKeygen,
    'ssh-keyscan': sshKeyscan,
  }),
  pack('openssh-server', '8.7p1', '43.el9', 'An open source SSH server daemon', 1_000_000, {}, { sshd }),
  pack('tar', '1.34', '1.el9', 'A GNU file archiving program', 3_100_000, { tar }),
  pack('tree', '2.1.0', '1.el9', 'File system tree viewer', 110_000, { tree }),
  pack('jq', '1.6', '14.el9', 'Command-line JSON processor', 400_000, { jq }),
  pack(
    'vim-common',
    '9.0.1000',
    '1.el9',
    'The common files needed by any version of the VIM editor',
    27_000_000,
    { xxd },
  ),
  pack('yum', '4.14.0', '1.el9', 'Package manager', 100_000, { yum, rpm, dnf: yum }),
  pack('apt', '2.6.1', '1', 'Package manager of Debian', 4_000_000, {
    apt,
    'apt-cache': aptCache,
    'apt-get': apt,
    dpkg,
    'dpkg-query': dpkg,
  }),
  pack('apk-tools', '2.14.4', '1', 'Package manager of Alpine', 300_000, {}, { apk }),
  pack(
    'cri-tools',
    '1.31.1',
    '1',
    'Command-line utility for interacting with a container runtime',
    40_000_000,
    { crictl },
  ),
  pack('containerd.io', '1.7.22', '1.el9', 'An industry-standard container runtime', 120_000_000, { ctr }),
  pack('docker-ce-cli', '26.1.4', '1.el9', 'The open-source application container engine', 37_000_000, {
    docker,
  }),
  pack('nerdctl', '1.7.7', '1', 'Docker-compatible CLI for containerd', 25_000_000, { nerdctl }),
];

/** What a machine has from the start; the rest comes with yum. */
const PREINSTALLED: readonly string[] = [
  'coreutils',
  'util-linux',
  'procps-ng',
  'psmisc',
  'findutils',
  'grep',
  'sed',
  'gawk',
  'diffutils',
  'patch',
  'bc',
  'less',
  'gzip',
  'ncurses',
  'hostname',
  'kmod',
  'shadow-utils',
  'passwd',
  'sudo',
  'which',
  'file',
  'time',
  'glibc-common',
  'systemd',
  'chrony',
  'libselinux-utils',
  'policycoreutils',
  'firewalld',
  'ethtool',
  'man-db',
  'ed',
  'vim-enhanced',
  'nano',
  'iproute',
  'iputils',
  'iptables',
  'curl',
  'tar',
  'openssh-clients',
  'openssh-server',
  'yum',
  'vim-common',
];

/** A package by its name; undefined if the repository has none such. */
function packageOf(name: string): CommandPackage | undefined {
  return PACKAGES.find((one) => one.name === name);
}

/** The programs of a machine by path, and those its repository holds. Profiles name further packages, such as `bind-utils` or `ipvsadm`. */
export function machinePrograms(extra: readonly string[] = []): Map<string, InstalledProgram> {
  const programs = new Map<string, InstalledProgram>();
  for (const pack of PACKAGES)
    for (const [path, program] of pack.programs) programs.set(storePath(pack, path), program);
  for (const name of [...PREINSTALLED, ...extra])
    for (const [path, program] of packageOf(name)?.programs ?? []) programs.set(path, program);
  return programs;
}

const APPLETS: Programs = {
  cat,
  basename,
  dirname,
  chmod,
  chown,
  chgrp,
  cp,
  cut,
  date,
  df,
  du,
  echo,
  env,
  expr,
  find,
  free,
  grep,
  egrep,
  fgrep,
  gunzip,
  gzip,
  head,
  hostname,
  id,
  ifconfig,
  ip,
  kill,
  killall,
  less,
  ln,
  ls,
  lsmod,
  md5sum,
  mkdir,
  mktemp,
  more,
  mount,
  mv,
  nc,
  netstat,
  nslookup,
  od,
  paste,
  pgrep,
  pidof,
  ping,
  pkill,
  printenv,
  printf,
  ps,
  pwd,
  readlink,
  realpath,
  rev,
  rm,
  rmdir,
  route,
  sed,
  seq,
  sha1sum,
  sha256sum,
  sha512sum,
  shuf,
  sleep,
  sort,
  split,
  stat,
  stty,
  sysctl,
  tac,
  tail,
  tar,
  tee,
  telnet,
  test,
  time,
  timeout,
  top,
  touch,
  tr,
  truncate,
  tty,
  umount,
  uname,
  uniq,
  uptime,
  watch,
  wc,
  wget,
  which,
  who,
  whoami,
  xargs,
  xxd,
  yes,
  zcat,
  awk,
  arping,
  base64,
  brctl,
  clear,
  cksum,
  cmp,
  comm,
  diff,
  dmesg,
  expand,
  fold,
  hexdump,
  nproc,
  nl,
  setsid,
  su,
  sync,
  tree,
  arp,
  false: falseCommand,
  '[': test,
  true: trueCommand,
  vi: vim,
};

/** busybox's applets by name, with its texts; images put them under /bin. */
export const BUSYBOX_APPLETS: ReadonlyMap<string, Program> = new Map(
  Object.entries(APPLETS).map(([name, program]) => [name, applet(program)]),
);
