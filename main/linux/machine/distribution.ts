// The files that a freshly installed CentOS 7 machine has, as far as people and tools look at them.
import { BASH_COMPLETION, BASH_COMPLETION_PROFILE } from './bash-completion.ts';
import type { LayerFile } from '../kernel/index.ts';

const DIRECTORIES: Readonly<Record<string, number>> = {
  '/boot': 0o555,
  '/dev': 0o755,
  '/etc/cni/net.d': 0o755,
  '/etc/kubernetes/manifests': 0o755,
  '/etc/modprobe.d': 0o755,
  '/etc/modules-load.d': 0o755,
  '/etc/profile.d': 0o755,
  '/etc/skel': 0o755,
  '/etc/sudoers.d': 0o750,
  '/etc/sysctl.d': 0o755,
  '/etc/systemd/system': 0o755,
  '/etc/yum.repos.d': 0o755,
  '/home': 0o755,
  '/media': 0o755,
  '/mnt': 0o755,
  '/opt': 0o755,
  '/opt/cni/bin': 0o755,
  '/proc': 0o555,
  '/root': 0o550,
  '/run': 0o755,
  '/srv': 0o755,
  '/sys': 0o555,
  '/tmp': 0o1777,
  '/usr/bin': 0o755,
  '/usr/lib/modules': 0o755,
  '/usr/lib/systemd/system': 0o755,
  '/usr/lib64': 0o755,
  '/usr/libexec': 0o755,
  '/usr/local/bin': 0o755,
  '/usr/local/sbin': 0o755,
  '/usr/sbin': 0o755,
  '/usr/share': 0o755,
  '/var/cache': 0o755,
  '/var/lib': 0o755,
  '/var/lib/containerd': 0o711,
  '/var/lib/kubelet': 0o755,
  '/var/log': 0o755,
  '/var/log/containers': 0o755,
  '/var/log/pods': 0o755,
  '/var/spool/mail': 0o775,
  '/var/tmp': 0o1777,
};

const LINKS: Readonly<Record<string, string>> = {
  '/bin': 'usr/bin',
  '/lib': 'usr/lib',
  '/lib64': 'usr/lib64',
  '/sbin': 'usr/sbin',
  '/var/run': '../run',
  '/etc/redhat-release': 'centos-release',
  '/etc/system-release': 'centos-release',
  '/etc/localtime': '../usr/share/zoneinfo/UTC',
  '/etc/mtab': '/proc/self/mounts',
};

const OS_RELEASE = `NAME="CentOS Linux"
VERSION="7 (Core)"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="7"
PRETTY_NAME="CentOS Linux 7 (Core)"
ANSI_COLOR="0;31"
CPE_NAME="cpe:/o:centos:centos:7"
HOME_URL="https://www.centos.org/"
BUG_REPORT_URL="https://bugs.centos.org/"

CENTOS_MANTISBT_PROJECT="CentOS-7"
CENTOS_MANTISBT_PROJECT_VERSION="7"
REDHAT_SUPPORT_PRODUCT="centos"
REDHAT_SUPPORT_PRODUCT_VERSION="7"

`;

const PASSWD = `root:x:0:0:root:/root:/bin/bash
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
adm:x:3:4:adm:/var/adm:/sbin/nologin
lp:x:4:7:lp:/var/spool/lpd:/sbin/nologin
sync:x:5:0:sync:/sbin:/bin/sync
shutdown:x:6:0:shutdown:/sbin:/sbin/shutdown
halt:x:7:0:halt:/sbin:/sbin/halt
mail:x:8:12:mail:/var/spool/mail:/sbin/nologin
operator:x:11:0:operator:/root:/sbin/nologin
games:x:12:100:games:/usr/games:/sbin/nologin
ftp:x:14:50:FTP User:/var/ftp:/sbin/nologin
nobody:x:99:99:Nobody:/:/sbin/nologin
systemd-network:x:192:192:systemd Network Management:/:/sbin/nologin
dbus:x:81:81:System message bus:/:/sbin/nologin
sshd:x:74:74:Privilege-separated SSH:/var/empty/sshd:/sbin/nologin
chrony:x:998:996::/var/lib/chrony:/sbin/nologin
`;

const GROUP = `root:x:0:
bin:x:1:
daemon:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
lp:x:7:
mem:x:8:
kmem:x:9:
wheel:x:10:
cdrom:x:11:
mail:x:12:
man:x:15:
dialout:x:18:
floppy:x:19:
games:x:20:
utmp:x:22:
tape:x:33:
utempter:x:35:
video:x:39:
ftp:x:50:
lock:x:54:
audio:x:63:
sshd:x:74:
dbus:x:81:
nobody:x:99:
users:x:100:
systemd-network:x:192:
chrony:x:996:
ssh_keys:x:999:
`;

const SUDOERS = `# Who may run what as whom; see sudoers(5).

root    ALL=(ALL)       ALL
%wheel  ALL=(ALL)       ALL

#includedir /etc/sudoers.d
`;

const PROFILE = `# System-wide environment of login shells.

add_to_path () {
    case ":$PATH:" in
        *:"$1":*) ;;
        *) if [ "$2" = after ]; then PATH=$PATH:$1; else PATH=$1:$PATH; fi ;;
    esac
}

if [ -z "$EUID" ]; then EUID=$(id -u); fi
if [ "$EUID" = 0 ]; then
    add_to_path /usr/sbin
    add_to_path /usr/local/sbin
else
    add_to_path /usr/local/sbin after
    add_to_path /usr/sbin after
fi

HOSTNAME=$(hostname 2>/dev/null)
HISTSIZE=1000
export PATH USER LOGNAME MAIL HOSTNAME HISTSIZE
umask 022

for script in /etc/profile.d/*.sh; do
    if [ -r "$script" ]; then . "$script"; fi
done
unset script
unset -f add_to_path
`;

const BASHRC = `# System-wide functions and aliases of interactive shells.

if [ "$PS1" ]; then
    PS1='[\\u@\\h \\W]\\$ '
    shopt -s checkwinsize
fi
`;

const ROOT_BASHRC = `# .bashrc

# User specific aliases and functions

alias rm='rm -i'
alias cp='cp -i'
alias mv='mv -i'

# Source global definitions
if [ -f /etc/bashrc ]; then
	. /etc/bashrc
fi
`;

const USER_BASHRC = `# .bashrc

# Source global definitions
if [ -f /etc/bashrc ]; then
	. /etc/bashrc
fi

# User specific aliases and functions
`;

const BASH_PROFILE = `# .bash_profile

# Get the aliases and functions
if [ -f ~/.bashrc ]; then
	. ~/.bashrc
fi

# User specific environment and startup programs

PATH=$PATH:$HOME/bin

export PATH
`;

const COLOR_LS = `# Aliases that colour ls and grep.
alias ll='ls -l --color=auto'
alias l.='ls -d .* --color=auto'
alias ls='ls --color=auto'
`;

const COLOR_GREP = `alias grep='grep --color=auto'
alias egrep='egrep --color=auto'
alias fgrep='fgrep --color=auto'
`;

const SERVICES = `ftp             21/tcp
ssh             22/tcp
telnet          23/tcp
smtp            25/tcp
domain          53/tcp
domain          53/udp
http            80/tcp          www www-http
pop3            110/tcp
ntp             123/udp
imap            143/tcp
https           443/tcp
mysql           3306/tcp
redis           6379/tcp
webcache        8080/tcp        http-alt
`;

const TEXTS: Readonly<Record<string, string>> = {
  '/etc/centos-release': 'CentOS Linux release 7.9.2009 (Core)\n',
  '/etc/os-release': OS_RELEASE,
  '/etc/passwd': PASSWD,
  '/etc/group': GROUP,
  '/etc/hosts':
    '127.0.0.1   localhost localhost.localdomain localhost4 localhost4.localdomain4\n::1         localhost localhost.localdomain localhost6 localhost6.localdomain6\n',
  '/etc/resolv.conf': '# Generated by NetworkManager\n',
  '/etc/nsswitch.conf':
    'passwd:     files sss\nshadow:     files sss\ngroup:      files sss\nhosts:      files dns myhostname\nservices:   files sss\n',
  '/etc/shells': '/bin/sh\n/bin/bash\n/usr/bin/sh\n/usr/bin/bash\n',
  '/etc/profile': PROFILE,
  '/etc/bashrc': BASHRC,
  '/etc/profile.d/bash_completion.sh': BASH_COMPLETION_PROFILE,
  '/usr/share/bash-completion/bash_completion': BASH_COMPLETION,
  '/etc/profile.d/colorls.sh': COLOR_LS,
  '/etc/profile.d/colorgrep.sh': COLOR_GREP,
  '/etc/services': SERVICES,
  '/etc/protocols':
    'ip\t0\tIP\nicmp\t1\tICMP\nigmp\t2\tIGMP\nipencap\t4\tIP-ENCAP\ntcp\t6\tTCP\nudp\t17\tUDP\n',
  '/etc/fstab':
    '/dev/mapper/centos-root /                       xfs     defaults        0 0\n/dev/sda1               /boot                   xfs     defaults        0 0\n',
  '/etc/motd': '',
  '/etc/issue': '\\S\nKernel \\r on an \\m\n\n',
  '/etc/environment': '',
  '/etc/yum.repos.d/centos.repo':
    '[baseos]\nname=CentOS - BaseOS\nbaseurl=http://mirrors.aliyun.com/centos/9/BaseOS/x86_64/os/\nenabled=1\ngpgcheck=1\n',
  '/etc/sysctl.conf': '# Settings of the kernel; see sysctl.conf(5).\n',
  '/etc/inputrc': '# Key bindings of readline; see readline(3).\n',
  '/etc/vimrc': '',
  '/etc/skel/.bash_logout': '# ~/.bash_logout\n\n',
  '/etc/skel/.bash_profile': BASH_PROFILE,
  '/etc/skel/.bashrc': USER_BASHRC,
  '/root/.bashrc': ROOT_BASHRC,
  '/root/.bash_profile': BASH_PROFILE,
  '/root/.bash_logout': '# ~/.bash_logout\n\n',
  '/usr/share/zoneinfo/UTC': 'TZif2',
};

/** Files by path. The caller adds programs and whatever its profile changes. */
export function distributionFiles(hostname: string): Map<string, LayerFile> {
  const files = new Map<string, LayerFile>();
  for (const [path, target] of Object.entries(LINKS)) files.set(path, { type: 'symlink', target });
  for (const [path, mode] of Object.entries(DIRECTORIES)) files.set(path, { type: 'directory', mode });
  for (const [path, content] of Object.entries(TEXTS)) files.set(path, { type: 'file', content });
  files.set('/etc/hostname', { type: 'file', content: `${hostname}\n` });
  files.set('/etc/sudoers', { type: 'file', content: SUDOERS, mode: 0o440 });
  files.set('/etc/shadow', { type: 'file', content: 'root:!!:19000:0:99999:7:::\n', mode: 0 });
  files.set('/etc/machine-id', { type: 'file', content: `${machineId(hostname)}\n`, mode: 0o444 });
  return files;
}

/** 32 hexadecimal digits that only the name decides. */
function machineId(name: string): string {
  let id = '';
  for (let round = 0; id.length < 32; round++) {
    let hash = 0x811c9dc5 ^ round;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    id += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return id;
}
