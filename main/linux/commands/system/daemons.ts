// The services that a machine runs besides those of its role: their programs, and the units that start them.
import type { Program } from '../../kernel/index.ts';
import type { UnitDefinition } from '../../systemd/index.ts';
import { sshd } from '../ssh/sshd.ts';

/** Runs until it is told to stop: what it stands for is done by the kernel's own parts. */
const resident: Program = async (proc) => {
  for (;;) await proc.sleep(1e12);
};

/** firewalld(1): there to be stopped and disabled, as installation guides do. */
const firewalld: Program = async (proc) => {
  await proc.stderr.write("drydock: firewalld isn't simulated\n");
  return 1;
};

/** Every machine's. */
export const MACHINE_UNITS: readonly UnitDefinition[] = [
  {
    name: 'systemd-journald.service',
    description: 'Journal Service',
    documentation: 'man:systemd-journald.service(8) man:journald.conf(5)',
    execStart: ['/usr/lib/systemd/systemd-journald'],
    program: resident,
    restart: 'always',
    restartDelayMs: 0,
    staticIn: 'sysinit.target',
  },
  {
    name: 'sshd.service',
    description: 'OpenSSH server daemon',
    documentation: 'man:sshd(8) man:sshd_config(5)',
    execStart: ['/usr/sbin/sshd', '-D'],
    execReload: '/bin/kill -HUP $MAINPID',
    program: sshd,
    restart: 'on-failure',
    restartDelayMs: 42_000,
    enabledByDefault: true,
  },
  {
    name: 'chronyd.service',
    description: 'NTP client/server',
    documentation: 'man:chronyd(8) man:chrony.conf(5)',
    execStart: ['/usr/sbin/chronyd'],
    program: resident,
    enabledByDefault: true,
  },
  {
    name: 'firewalld.service',
    description: 'firewalld - dynamic firewall daemon',
    documentation: 'man:firewalld(1)',
    execStart: ['/usr/sbin/firewalld', '--nofork', '--nopid'],
    program: firewalld,
  },
];
