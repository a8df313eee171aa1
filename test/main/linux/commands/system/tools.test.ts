// System tools on a machine that runs nothing but its own services: their words and statuses.
import { expect, test } from 'vitest';

import { makeSystemMachine } from '../../../../parity/tools/system-machine.ts';
import { scriptRunner } from '../../../../support/run-on.ts';

const CASES: readonly (readonly [script: string, out: string | RegExp, status?: number])[] = [
  // psmisc and lsof
  ['pstree -A | tail -1', '        `-systemd-journal\n'],
  ['sleep 100 & sleep 100 & sleep 0.1; pstree -A $$; true', 'bash-+-pstree\n     `-2*[sleep]\n'],
  ['pstree -p $$ | grep -c "bash($$)"', '1\n'],
  ['pstree nosuch', 'No such user name: nosuch\n', 1],
  ['lsof -t -i :22 | xargs ps -o comm= -p', 'sshd\n'],
  ['lsof -i :9', '', 1],
  ['lsof /no/such', 'lsof: status error on /no/such: No such file or directory\n', 1],
  ['fuser 22/tcp', /^22\/tcp: {15} +\d+\n$/],
  ['fuser 9/tcp', '', 1],
  // Memory and processors
  ['vmstat | head -2', /^procs -+memory-+ -+swap-+ -+io-+ -+system-+ -+cpu-+\n r  b   swpd/],
  ['vmstat x', 'vmstat: delay must be positive integer\n', 1],
  ['lscpu | grep "^CPU(s)"', /^CPU\(s\): +\d+\n$/],
  ['getconf PAGESIZE; getconf NOPE', "4096\ngetconf: Unrecognized variable `NOPE'\n", 2],
  // What guides switch off
  ['swapoff -a; swapon -s; swapon --show', ''],
  ['swapoff /dev/sdz', 'swapoff: /dev/sdz: swapoff failed: No such file or directory\n', 4],
  ['getenforce; setenforce 0', 'Disabled\nsetenforce: SELinux is disabled\n', 1],
  ['firewall-cmd --state', 'not running\n', 252],
  ['firewall-cmd --list-all', 'FirewallD is not running\n', 252],
  ['systemctl disable --now firewalld; systemctl is-active firewalld', 'inactive\n', 3],
  // Modules
  ['modprobe ip_vs_rr; rmmod ip_vs', 'rmmod: ERROR: Module ip_vs is in use by: ip_vs_rr\n', 1],
  ['modprobe ip_vs_rr; modprobe -r ip_vs', 'modprobe: FATAL: Module ip_vs is in use.\n', 1],
  ['rmmod ip_vs', 'rmmod: ERROR: Module ip_vs is not currently loaded\n', 1],
  ['modinfo -n ip_vs_rr', /^\/lib\/modules\/.*\/kernel\/ip_vs_rr\.ko\.xz\n$/],
  ['modinfo nosuch', 'modinfo: ERROR: Module nosuch not found.\n', 1],
  [
    'modprobe --show-depends ip_vs_rr | sed "s,.*/,,"',
    'libcrc32c.ko.xz \nnf_conntrack.ko.xz \nip_vs.ko.xz \nip_vs_rr.ko.xz \n',
  ],
  [
    'insmod /tmp/none.ko',
    'insmod: ERROR: could not load module /tmp/none.ko: No such file or directory\n',
    1,
  ],
  // Locks and logs
  ['flock /tmp/l echo one; flock -n /tmp/l -c "echo two"', 'one\ntwo\n'],
  [
    'flock /tmp/l sleep 5 & sleep 1; flock -n /tmp/l true; echo $?; flock -w 2 /tmp/l true; echo $?; flock /tmp/l echo free',
    '1\n1\nfree\n',
  ],
  ['(flock 9; echo in) 9>/tmp/l', 'in\n'],
  [
    'logger -t me -p user.err bad news; journalctl -t me -o cat; journalctl -p err -t me -o json | grep -o "\\"PRIORITY\\":\\"3\\""',
    'bad news\n"PRIORITY":"3"\n',
  ],
  ['echo one | systemd-cat -t job -p warning; journalctl -t job -o cat', 'one\n'],
  ['logger -p nope x', 'logger: unknown priority name: nope\n', 1],
  // Names, time and place
  ['systemd-escape -p /var/lib/x-y; systemd-escape -u var-lib', 'var-lib-x\\x2dy\nvar/lib\n'],
  [
    'systemd-analyze calendar daily',
    '  Original form: daily\n    Next elapse: Sat 2024-03-02 00:00:00 UTC\n',
  ],
  [
    'timedatectl set-timezone Asia/Shanghai; timedatectl | grep zone; date +%Z',
    '                Time zone: Asia/Shanghai (CST, +0800)\nCST\n',
  ],
  [
    'timedatectl set-timezone Nowhere',
    /Failed to set time zone: Invalid or not installed time zone 'Nowhere'/,
    1,
  ],
  [
    'timedatectl set-ntp false; timedatectl | grep NTP; systemctl is-enabled chronyd',
    '              NTP service: inactive\ndisabled\n',
    1,
  ],
  ['systemctl stop chronyd; chronyc tracking', '506 Cannot talk to daemon\n', 1],
  ['whereis ls', 'ls: /usr/bin/ls\n'],
  ['man -k', "What manual page do you want?\nFor example, try 'man man'.\n", 1],
  ['man ls', 'No manual entry for ls\n', 16],
  ['runlevel', 'N 3\n'],
  ['ethtool -i eth9', 'Cannot get driver information: No such device\n', 71],
  ['shutdown --foo', "shutdown: unrecognized option '--foo'\n", 1],
  // The journal's questions
  ['journalctl -u nosuch', '-- No entries --\n'],
  ['journalctl --since foo', 'Failed to parse timestamp: foo\n', 1],
  ['journalctl -o nope', "Unknown output 'nope'.\n", 1],
  ['journalctl -p nope', 'Unknown log level nope\n', 1],
  ['journalctl -nx', "Failed to parse lines 'x'\n", 1],
  ['journalctl nonsense', "Failed to add match 'nonsense': Invalid argument\n", 1],
  ['journalctl _SYSTEMD_UNIT=sshd.service -o cat | head -1', 'Server listening on 0.0.0.0 port 22.\n'],
  ['journalctl -u "ssh*" -n 1 -o cat', 'Server listening on :: port 22.\n'],
  ['journalctl -k -o cat -g processors', /^smpboot: Total of 2 processors activated/],
  ['journalctl --since -1h --until now -u sshd -n 1 -o short-unix | cut -d. -f1', '1709251200\n'],
  ['journalctl --since tomorrow', '-- No entries --\n'],
  ['journalctl -b -5', 'Data from the specified boot (-5) is not available: No such boot ID in journal\n', 1],
  // systemctl's questions
  ['systemctl status nosuch', 'Unit nosuch.service could not be found.\n', 4],
  ['systemctl list-unit-files "sshd*" --no-legend', 'sshd.service enabled enabled\n'],
  [
    'systemctl list-units --type=target --no-legend basic.target',
    '  basic.target loaded active active Basic System\n',
  ],
  ['systemctl show sshd -p Id,Type --value', 'simple\nsshd.service\n'],
  [
    'systemctl set-default graphical.target; systemctl get-default',
    'Created symlink /etc/systemd/system/default.target → /usr/lib/systemd/system/graphical.target.\ngraphical.target\n',
  ],
  [
    'systemctl list-dependencies sshd | head -4',
    'sshd.service\n● ├─system.slice\n● └─sysinit.target\n●   ├─systemd-journald.service\n'.replace(
      '● ├─system.slice',
      '○ ├─system.slice',
    ),
  ],
  [
    'systemctl kill -s KILL nosuch',
    'Failed to kill unit nosuch.service: Unit nosuch.service not loaded.\n',
    5,
  ],
  ['systemctl kill -s HUP sshd.service; systemctl cat nosuch', 'No files found for nosuch.service.\n', 1],
];

for (const [script, out, status = 0] of CASES)
  test(script, async () => {
    const result = await scriptRunner(await makeSystemMachine())(script);
    const fits = typeof out === 'string' ? result.out === out : out.test(result.out);
    expect({ out: fits ? out : result.out, status: result.status }).toEqual({ out, status });
  });
