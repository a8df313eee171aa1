// Ports that not everybody may bind: ip(7), net.ipv4.ip_unprivileged_port_start.
import { ErrnoError } from '../errno.ts';
import type { Sysctls } from '../ip/sysctls.ts';
import type { SocketOwner } from './socket.ts';

/** Throws EACCES for a low port without CAP_NET_BIND_SERVICE. What has no owner is the kernel's own. */
export function requireBindable(sysctls: Sysctls, port: number, owner: SocketOwner | undefined): void {
  if (port === 0 || owner === undefined || (owner.bindsLowPorts ?? owner.uid === 0)) return;
  if (port < sysctls.number('net.ipv4.ip_unprivileged_port_start')) throw new ErrnoError('EACCES');
}
