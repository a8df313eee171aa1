// getenforce(8), setenforce(8), sestatus(8), firewall-cmd(1): what installation guides switch off.
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { systemdSocket } from '../../systemd/index.ts';

const CONFIG = '/etc/selinux/config';

/** `SELINUX=` of the configuration. The kernel was started with SELinux disabled, as cluster machines are. */
function configured({ fs }: Process): string {
  return fs.exists(CONFIG) ? (/^SELINUX=(\w+)/m.exec(fs.readText(CONFIG))?.[1] ?? 'disabled') : 'disabled';
}

export const getenforce: Program = async (proc) => {
  await proc.stdout.write('Disabled\n');
  return 0;
};

export const setenforce: Program = async (proc) => {
  const [mode] = proc.argv.slice(1);
  if (mode === undefined || !/^(?:[01]|enforcing|permissive)$/i.test(mode)) {
    await proc.stderr.write('usage:  setenforce [ Enforcing | Permissive | 1 | 0 ]\n');
    return 1;
  }
  await proc.stderr.write('setenforce: SELinux is disabled\n');
  return 1;
};

export const sestatus: Program = async (proc) => {
  await proc.stdout.write('SELinux status:                 disabled\n');
  if (proc.argv.includes('-v') && configured(proc) !== 'disabled')
    await proc.stdout.write(`Mode from config file:          ${configured(proc)}\n`);
  return 0;
};

/** firewall-cmd(1): the daemon never runs here. */
export const firewallCmd: Program = async (proc) => {
  if (proc.argv.includes('--version') || proc.argv.includes('-V')) {
    await proc.stdout.write('1.2.1\n');
    return 0;
  }
  const running = isRunning(proc);
  if (proc.argv.includes('--state')) {
    await (running ? proc.stdout.write('running\n') : proc.stderr.write('not running\n'));
    return running ? 0 : 252;
  }
  await proc.stderr.write('FirewallD is not running\n');
  return 252;
};

function isRunning({ kernel }: Process): boolean {
  try {
    return kernel.connectService(systemdSocket).status('firewalld').activeState === 'active';
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}
