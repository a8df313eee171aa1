// /proc/net of what modules bring and of sockets in sum: ip_vs*, nf_conntrack, sockstat, fib_trie, dev_mcast. proc(5).
import {
  parseIpv4,
  type ConntrackEntry,
  type ConntrackTuple,
  type NetworkNamespace,
} from '../../network/index.ts';

const IPVS_TABLE_SIZE = 4096;
const HERTZ = 100;
/** The same words as `ipvsadm -L` has, in ip_vs_fwd_name. */
const FORWARDS: Readonly<Record<string, string>> = {
  masq: 'Masq',
  masquerade: 'Masq',
  masquerading: 'Masq',
  tunnel: 'Tunnel',
  ipip: 'Tunnel',
  route: 'Route',
  direct: 'Route',
  local: 'Local',
};

/** /proc/net/ip_vs: net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show. */
export function ipvsText({ ipvs }: NetworkNamespace): string {
  const lines = [
    `IP Virtual Server version 1.2.1 (size=${IPVS_TABLE_SIZE})`,
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port Forward Weight ActiveConn InActConn',
  ];
  for (const { key, options, destinations } of ipvs.listServices()) {
    const scheduler = `${options.scheduler} ${options.onePacket === true ? 'ops ' : ''}`;
    const name =
      'firewallMark' in key
        ? `FWM  ${hex(key.firewallMark, 8)}`
        : `${key.protocol.toUpperCase()}  ${address(key.address)}:${hex(key.port, 4)}`;
    const { persistentSeconds, persistenceMask = '255.255.255.255' } = options;
    const persistence =
      persistentSeconds === undefined
        ? ''
        : `persistent ${persistentSeconds * HERTZ} ${address(persistenceMask)}`;
    lines.push(`${name} ${scheduler} ${persistence}`);
    for (const each of destinations) {
      const columns = [
        (FORWARDS[each.forwarding] ?? each.forwarding).padEnd(7),
        String(each.weight).padEnd(6),
        String(each.activeConnections).padEnd(10),
        String(each.inactiveConnections).padEnd(10),
      ];
      lines.push(`  -> ${address(each.address)}:${hex(each.port, 4)}      ${columns.join(' ')}`);
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** /proc/net/ip_vs_conn: ip_vs_conn_seq_show. */
export function ipvsConnectionsText({ ipvs }: NetworkNamespace): string {
  const end = (at: { readonly address: string; readonly port: number }): string =>
    `${address(at.address)} ${hex(at.port, 4)}`;
  const rows = ipvs
    .listConnections()
    .map(
      ({ protocol, client, virtual, destination, state, expiresSeconds }) =>
        `${protocol.padEnd(3)} ${end(client)} ${end(virtual)} ${end(destination)} ${state.padEnd(11)} ${String(Math.ceil(expiresSeconds)).padStart(7)}\n`,
    );
  return `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n${rows.join('')}`;
}

/** /proc/net/ip_vs_stats: ip_vs_stats_show. */
export function ipvsStatsText({ ipvs }: NetworkNamespace): string {
  const { stats, rates } = ipvs.totals;
  const row = (values: readonly number[]): string =>
    values.map((value, index) => hex(Math.round(value), 0).padStart(index < 3 ? 8 : 16)).join(' ');
  return [
    '   Total Incoming Outgoing         Incoming         Outgoing',
    '   Conns  Packets  Packets            Bytes            Bytes',
    row([stats.connections, stats.inPackets, stats.outPackets, stats.inBytes, stats.outBytes]),
    '',
    ' Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
    row([
      rates.connectionsPerSecond,
      rates.inPacketsPerSecond,
      rates.outPacketsPerSecond,
      rates.inBytesPerSecond,
      rates.outBytesPerSecond,
    ]),
    '',
  ].join('\n');
}

/** /proc/net/nf_conntrack: nf_conntrack_standalone.c, ct_seq_show. */
export function conntrackText({ conntrack, sysctls }: NetworkNamespace): string {
  const counts = sysctls.number('net.netfilter.nf_conntrack_acct') === 1;
  return conntrack
    .list()
    .map((entry) => conntrackLine(entry, counts))
    .join('');
}

function conntrackLine(entry: ConntrackEntry, counts: boolean): string {
  const words = [
    `ipv4     2 ${entry.protocol.padEnd(8)} ${entry.protocolNumber} ${Math.ceil(entry.timeoutSeconds)}`,
    ...(entry.state === undefined ? [] : [entry.state]),
    tupleText(entry.original, counts),
    ...(entry.isSeenReply ? [] : ['[UNREPLIED]']),
    tupleText(entry.reply, counts),
    ...(entry.isAssured ? ['[ASSURED]'] : []),
    `mark=${entry.mark} zone=0 use=2`,
  ];
  return `${words.join(' ')}\n`;
}

function tupleText(tuple: ConntrackTuple, counts: boolean): string {
  const { source, destination, sourcePort, destinationPort, icmp, packets, bytes } = tuple;
  const ports =
    icmp === undefined
      ? `sport=${sourcePort} dport=${destinationPort}`
      : `type=${icmp.type} code=${icmp.code} id=${icmp.id}`;
  return `src=${source} dst=${destination} ${ports}${counts ? ` packets=${packets} bytes=${bytes}` : ''}`;
}

/** /proc/net/sockstat. */
export function sockstatText({ sockets }: NetworkNamespace): string {
  const all = sockets.list();
  const tcp = all.filter(({ protocol }) => protocol === 'tcp');
  const waiting = tcp.filter(({ state }) => state === 'TIME-WAIT').length;
  const orphans = tcp.filter(({ owner, state }) => owner === undefined && state !== 'TIME-WAIT').length;
  const inUse = tcp.length - waiting;
  const udp = all.filter(({ protocol }) => protocol === 'udp').length;
  const raw = all.filter(({ protocol }) => protocol === 'raw').length;
  return (
    `sockets: used ${inUse + udp + raw}\n` +
    `TCP: inuse ${inUse - orphans} orphan ${orphans} tw ${waiting} alloc ${inUse} mem ${inUse}\n` +
    `UDP: inuse ${udp} mem ${udp}\nUDPLITE: inuse 0\nRAW: inuse ${raw}\nFRAG: inuse 0 memory 0\n`
  );
}

/** /proc/net/dev_mcast: the groups that every device that can is in. */
export function multicastText({ links }: NetworkNamespace): string {
  return links
    .list()
    .filter(({ flags }) => flags.includes('MULTICAST'))
    .map(({ index, name }) => `${String(index).padEnd(4)} ${name.padEnd(15)} 1     0     01005e000001\n`)
    .join('');
}

/**
 * /proc/net/fib_trie. Differs: the leaves are the routes', in order and with the kernel's words, but they all hang
 * from the root, as the inner nodes of the kernel's trie mean nothing to anybody.
 */
export function fibTrieText({ routes }: NetworkNamespace): string {
  const table = (name: string, number: number): string => {
    const leaves = new Map<string, string[]>();
    const sorted = routes
      .list(number)
      .toSorted(
        (a, b) =>
          (parseIpv4(a.destination) ?? 0) - (parseIpv4(b.destination) ?? 0) ||
          a.prefixLength - b.prefixLength,
      );
    for (const { destination, prefixLength, scope, type } of sorted) {
      const line = `        /${prefixLength} ${scope === 'global' ? 'universe' : scope} ${type.toUpperCase()}\n`;
      leaves.set(destination, [...(leaves.get(destination) ?? []), line]);
    }
    const rows = Array.from(leaves, ([destination, lines]) => `     |-- ${destination}\n${lines.join('')}`);
    return rows.length === 0
      ? ''
      : `${name}:\n  +-- 0.0.0.0/0 ${rows.length} 0 ${rows.length}\n${rows.join('')}`;
  };
  return table('Main', 254) + table('Local', 255);
}

/** In network order, as %08X prints it. */
function address(text: string): string {
  return hex(parseIpv4(text) ?? 0, 8);
}

function hex(value: number, width: number): string {
  return value.toString(16).toUpperCase().padStart(width, '0');
}
