// /proc/PID/net: a network namespace's tables as text. proc(5), net/ipv4/*_seq_show.
import { parseIpv4, type NetworkNamespace, type SocketInfo } from '../../network/index.ts';
import { fixed, GeneratedFile, type GeneratedTree, type Listing } from './generated-tree.ts';
import type { MachineKernel } from './make-kernel.ts';
import {
  conntrackText,
  fibTrieText,
  ipvsConnectionsText,
  ipvsStatsText,
  ipvsText,
  multicastText,
  sockstatText,
} from './proc-net-tables.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** tcp_states.h by ss's words. */
const TCP_STATES: Readonly<Record<string, number>> = {
  ESTAB: 1,
  'SYN-SENT': 2,
  'SYN-RECV': 3,
  'FIN-WAIT-1': 4,
  'FIN-WAIT-2': 5,
  'TIME-WAIT': 6,
  UNCONN: 7,
  'CLOSE-WAIT': 8,
  'LAST-ACK': 9,
  LISTEN: 10,
  CLOSING: 11,
};

/** The listing for the namespace of a process. */
export function makeNetFiles(
  tree: GeneratedTree,
  kernel: MachineKernel,
): (process: VirtualProcess) => Listing {
  return (process) => {
    const file = (make: (net: NetworkNamespace) => string) => () =>
      new GeneratedFile(tree, () => make(process.net));
    const { modules } = kernel;
    return fixed({
      arp: file(arp),
      dev: file(devices),
      dev_mcast: file(multicastText),
      fib_trie: file(fibTrieText),
      if_inet6: file(() => ''),
      ...(modules.has('ip_vs')
        ? { ip_vs: file(ipvsText), ip_vs_conn: file(ipvsConnectionsText), ip_vs_stats: file(ipvsStatsText) }
        : {}),
      ...(modules.has('nf_conntrack') ? { nf_conntrack: file(conntrackText) } : {}),
      raw: file((net) => sockets(net, 'raw')),
      route: file(routes),
      sockstat: file(sockstatText),
      tcp: file((net) => sockets(net, 'tcp')),
      tcp6: file((net) => sockets6(net, 'tcp')),
      udp: file((net) => sockets(net, 'udp')),
      udp6: file((net) => sockets6(net, 'udp')),
      unix: file(() => unixSockets(kernel)),
    });
  };
}

function devices(net: NetworkNamespace): string {
  const head =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
  const rows = net.links.list().map(({ name, stats }) => {
    const received = [
      pad(stats.rxBytes, 8),
      pad(stats.rxPackets, 7),
      pad(stats.rxErrors, 4),
      pad(stats.rxDropped, 4),
      pad(0, 4),
      pad(0, 5),
      pad(0, 10),
      pad(stats.rxMulticast, 9),
    ];
    const sent = [
      pad(stats.txBytes, 8),
      pad(stats.txPackets, 7),
      pad(stats.txErrors, 4),
      pad(stats.txDropped, 4),
      pad(0, 4),
      pad(0, 5),
      pad(stats.txCarrierErrors, 7),
      pad(0, 10),
    ];
    return `${name.padStart(6)}: ${received.join(' ')} ${sent.join(' ')}\n`;
  });
  return head + rows.join('');
}

function arp(net: NetworkNamespace): string {
  const head = 'IP address       HW type     Flags       HW address            Mask     Device\n';
  const rows = net.neighbours
    .list()
    .map(
      ({ address, mac, link }) =>
        `${address.padEnd(16)} 0x1         ${mac === undefined ? '0x0' : '0x2'}         ${(mac ?? '00:00:00:00:00:00').padEnd(21)} *        ${link.name}\n`,
    );
  return head + rows.join('');
}

function routes(net: NetworkNamespace): string {
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
  const rows = net.routes.list().flatMap((route) => {
    if (route.link === undefined) return [];
    const mask = route.prefixLength === 0 ? 0 : (0xffffffff << (32 - route.prefixLength)) >>> 0;
    const flags = 1 | (route.gateway === undefined ? 0 : 2) | (route.prefixLength === 32 ? 4 : 0);
    const columns = [
      route.link.name,
      hex(route.destination),
      hex(route.gateway ?? '0.0.0.0'),
      flags.toString(16).padStart(4, '0').toUpperCase(),
      0,
      0,
      route.metric,
      littleEndian(mask),
      0,
      0,
      0,
    ];
    return [columns.join('\t')];
  });
  return [head, ...rows].map((line) => `${line.padEnd(127)}\n`).join('');
}

/** Sockets of IPv4; what listens on :: is in the other file. */
function sockets(net: NetworkNamespace, protocol: SocketInfo['protocol']): string {
  const head =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  const end = ({ address, port }: { address: string; port: number }): string =>
    `${hex(address)}:${port4(port)}`;
  const rows = socketRows(net, protocol, false, end);
  return [head, ...rows].map((line) => `${line.padEnd(149)}\n`).join('');
}

function sockets6(net: NetworkNamespace, protocol: SocketInfo['protocol']): string {
  const head =
    '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  const end = ({ port }: { port: number }): string => `${'0'.repeat(32)}:${port4(port)}`;
  return [head, ...socketRows(net, protocol, true, end)].map((line) => `${line}\n`).join('');
}

function socketRows(
  net: NetworkNamespace,
  protocol: SocketInfo['protocol'],
  isIpv6: boolean,
  end: (at: SocketInfo['local']) => string,
): string[] {
  return net.sockets
    .list()
    .filter((socket) => socket.protocol === protocol && socket.local.address.includes(':') === isIpv6)
    .map((socket, index) => {
      const state = (TCP_STATES[socket.state] ?? 7).toString(16).padStart(2, '0').toUpperCase();
      const queues = `${hexNumber(socket.sendQueueBytes)}:${hexNumber(socket.receiveQueueBytes)}`;
      return `${String(index).padStart(4)}: ${end(socket.local)} ${end(socket.remote)} ${state} ${queues} 00:00000000 00000000 ${pad(socket.owner?.uid ?? 0, 5)}        0 ${socket.inode} 1 0000000000000000 100 0 0 10 0`;
    });
}

function port4(port: number): string {
  return port.toString(16).padStart(4, '0').toUpperCase();
}

/** The endpoints that services listen at. */
function unixSockets(kernel: MachineKernel): string {
  const rows = kernel
    .listServices()
    .map(
      ({ path, inode }) => `0000000000000000: 00000002 00000000 00010000 0001 01 ${pad(inode, 5)} ${path}\n`,
    );
  return `Num       RefCount Protocol Flags    Type St Inode Path\n${rows.join('')}`;
}

function pad(number: number, width: number): string {
  return String(number).padStart(width);
}

function hexNumber(number: number): string {
  return number.toString(16).padStart(8, '0').toUpperCase();
}

/** An address as the kernel prints a __be32 on a little-endian machine. */
function hex(address: string): string {
  return littleEndian(parseIpv4(address) ?? 0);
}

function littleEndian(value: number): string {
  const bytes = [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('');
}
