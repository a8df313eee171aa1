// How ip shows devices and addresses: their lines, details and counters.
import type { Address, Link, NetworkNamespace } from '../../../network/index.ts';

/** `veth0@if2`, `eth0.100@eth0`, `tunl0@NONE`. */
export function shownName(link: Link): string {
  if (link.kind === 'ipip') return `${link.name}@NONE`;
  const { peer } = link;
  if (link.kind === 'vlan' && peer !== undefined) return `${link.name}@${peer.name}`;
  if (link.kind === 'veth' && peer !== undefined)
    return `${link.name}@${peer.namespace === link.namespace ? peer.name : `if${peer.index}`}`;
  return link.name;
}

export function linkType(link: Link): string {
  return link.kind === 'loopback' ? 'loopback' : link.kind === 'ipip' ? 'ipip' : 'ether';
}

export function firstLine(link: Link, withMode: boolean): string {
  const master = link.master === undefined ? '' : ` master ${link.master.name}`;
  return `${link.index}: ${shownName(link)}: <${link.flags.join(',')}> mtu ${link.mtu} qdisc ${link.qdisc}${master} state ${link.operState}${withMode ? ' mode DEFAULT' : ''} group default qlen ${link.queueLength}`;
}

/** The other end's namespace by its name under /run/netns, or by number: they count up as links to new ones are met. */
function namespaceText(link: Link, other: NetworkNamespace): string {
  if (!other.name.includes(' ')) return `link-netns ${other.name}`; // A pod's namespace bears the pod's name, and no file's.
  const others = new Set<NetworkNamespace>();
  for (const { kind, peer } of link.namespace.links.list()) {
    if (kind === 'veth' && peer !== undefined && peer.namespace !== link.namespace)
      others.add(peer.namespace);
  }
  return `link-netnsid ${[...others].indexOf(other)}`;
}

export function secondLine(link: Link): string {
  const broadcast =
    link.kind === 'loopback'
      ? '00:00:00:00:00:00'
      : link.kind === 'ipip' && link.details.kind === 'ipip'
        ? link.details.remote
        : 'ff:ff:ff:ff:ff:ff';
  const elsewhere =
    link.kind === 'veth' && link.peer !== undefined && link.peer.namespace !== link.namespace
      ? ` ${namespaceText(link, link.peer.namespace)}`
      : '';
  return `    link/${linkType(link)} ${link.mac} brd ${broadcast}${elsewhere}`;
}

/** Lines of -d, the first of them to be put behind the second line of the device. */
export function detailLines(link: Link, cpuCount: number): string[] {
  const { details } = link;
  const [min, max] =
    details.kind === 'dummy' ? [0, 0] : details.kind === 'vlan' ? [0, 65_535] : link.mtuRange;
  const port = link.master === undefined ? '0' : '1';
  const own = ` promiscuity ${port}  allmulti ${port} minmtu ${min} maxmtu ${max} `;
  const kind = kindText(link);
  const master = link.master === undefined ? undefined : bridgePortText(link, link.master);
  const lines = [
    own,
    ...(kind === undefined ? [] : [`    ${kind} `]),
    ...(master === undefined ? [] : [`    ${master} `]),
  ];
  lines[lines.length - 1] += queuesText(link, cpuCount);
  return lines;
}

function queuesText(link: Link, cpuCount: number): string {
  // A veth has a queue for each processor (drivers/net/veth.c, veth_init_queues).
  const queues = link.kind === 'veth' ? cpuCount : 1;
  const segments = link.kind === 'veth' || link.kind === 'bridge' ? 524_280 : 65_536;
  const mode = link.kind === 'ipip' ? '' : 'addrgenmode eui64 ';
  return `${mode}numtxqueues ${queues} numrxqueues ${queues} gso_max_size 65536 gso_max_segs 65535 tso_max_size ${segments} tso_max_segs 65535 gro_max_size 65536 ${parentText(link)}`;
}

/** The bus that a card is on, as its predictable name tells it (systemd.net-naming-scheme(7)): enp2s1 is bus 2, slot 1. */
function parentText({ altNames }: Link): string {
  const [, bus, slot] =
    altNames.map((name) => /^enp(\d+)s(\d+)$/.exec(name)).find((match) => match !== null) ?? [];
  const hex = (text: string | undefined): string => Number(text).toString(16).padStart(2, '0');
  return bus === undefined ? '' : `parentbus pci parentdev 0000:${hex(bus)}:${hex(slot)}.0 `;
}

/** What a device of a kind is set to. */
function kindText(link: Link): string | undefined {
  const { details } = link;
  const any = (address: string): string => (address === '0.0.0.0' ? 'any' : address);
  switch (details.kind) {
    case 'vxlan':
      return `vxlan id ${details.id}${details.remote === undefined ? '' : ` remote ${details.remote}`}${details.local === undefined ? '' : ` local ${details.local}`}${details.underlay === undefined ? '' : ` dev ${details.underlay.name}`} srcport 0 0 dstport ${details.port}${details.learning ? '' : ' nolearning'} ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx`;
    case 'bridge':
      return bridgeText(link, details.ageingMs, details.stp);
    case 'vlan':
      return `vlan protocol 802.1Q id ${details.id} <REORDER_HDR>`;
    case 'ipip':
      return `ipip ${details.local === '0.0.0.0' && details.remote === '0.0.0.0' ? 'any ' : ''}remote ${any(details.remote)} local ${any(details.local)} ttl ${details.ttl === 0 ? 'inherit' : details.ttl} nopmtudisc`;
    case 'veth':
    case 'dummy':
      return details.kind;
    default:
      return undefined;
  }
}

/** A bridge's identifier: its priority and its address without leading zeros. */
function bridgeId(bridge: Link): string {
  const bytes = bridge.mac.split(':').map((pair) => Number.parseInt(pair, 16).toString(16));
  return `8000.${bytes.join(':')}`;
}

/** A bridge's settings: the kernel's defaults, but for those that it keeps (net/bridge/br_device.c, br_multicast.c). */
function bridgeText(bridge: Link, ageingMs: number, stp: boolean): string {
  const id = bridgeId(bridge);
  const timer = (name: string): string => `${name}    0.00`;
  return [
    `bridge forward_delay 1500 hello_time 200 max_age 2000 ageing_time ${ageingMs / 10} stp_state ${stp ? 1 : 0} priority 32768 vlan_filtering 0 vlan_protocol 802.1Q`,
    `bridge_id ${id} designated_root ${id} root_port 0 root_path_cost 0 topology_change 0 topology_change_detected 0`,
    ['hello_timer', 'tcn_timer', 'topology_change_timer', 'gc_timer'].map(timer).join(' '),
    'vlan_default_pvid 1 vlan_stats_enabled 0 vlan_stats_per_port 0 group_fwd_mask 0 group_address 01:80:c2:00:00:00',
    'mcast_snooping 1 no_linklocal_learn 0 mcast_vlan_snooping 0 mcast_router 1 mcast_query_use_ifaddr 0 mcast_querier 0 mcast_hash_elasticity 16 mcast_hash_max 4096',
    'mcast_last_member_count 2 mcast_startup_query_count 2 mcast_last_member_interval 100 mcast_membership_interval 26000 mcast_querier_interval 25500 mcast_query_interval 12500 mcast_query_response_interval 1000 mcast_startup_query_interval 3124',
    'mcast_stats_enabled 0 mcast_igmp_version 2 mcast_mld_version 1 nf_call_iptables 0 nf_call_ip6tables 0 nf_call_arptables 0',
  ].join(' ');
}

/** A port of a bridge; ports count from 1 in the order of their devices. */
function bridgePortText(link: Link, bridge: Link): string {
  const ports = bridge.namespace.links.list().filter(({ master }) => master === bridge);
  const number = ports.indexOf(link) + 1;
  const identifier = 0x8000 + number;
  const id = bridgeId(bridge);
  return [
    `bridge_slave state forwarding priority 32 cost 2 hairpin ${link.isHairpin ? 'on' : 'off'} guard off root_block off fastleave off learning on flood on`,
    `port_id 0x${identifier.toString(16)} port_no 0x${number.toString(16)} designated_port ${identifier} designated_cost 0 designated_bridge ${id} designated_root ${id}`,
    'hold_timer    0.00 message_age_timer    0.00 forward_delay_timer    0.00 topology_change_ack 0 config_pending 0 proxy_arp off proxy_arp_wifi off mcast_router 1 mcast_fast_leave off mcast_flood on bcast_flood on mcast_to_unicast off neigh_suppress off group_fwd_mask 0 group_fwd_mask_str 0x0 vlan_tunnel off isolated off locked off',
  ].join(' ');
}

/** Counters: of -s, and with `twice` the errors by their kinds. */
export function statLines(link: Link, twice: boolean): string[] {
  const { stats } = link;
  const row = (values: readonly number[], widths: readonly number[]): string =>
    `    ${values.map((value, index) => String(value).padStart(widths[index]!)).join(' ')} `;
  const width = (value: number, least: number): number => Math.max(least, String(value).length);
  const widths = [
    width(Math.max(stats.rxBytes, stats.txBytes), 10),
    width(Math.max(stats.rxPackets, stats.txPackets), 7),
    6,
    7,
    7,
    7,
  ];
  return [
    `    RX:${'bytes'.padStart(widths[0]! - 3)} ${'packets'.padStart(widths[1]!)} errors dropped  missed   mcast           `,
    row([stats.rxBytes, stats.rxPackets, stats.rxErrors, stats.rxDropped, 0, stats.rxMulticast], widths),
    ...(twice ? ['    RX errors:  length    crc   frame    fifo overrun', errorsRow([0, 0, 0, 0, 0])] : []),
    `    TX:${'bytes'.padStart(widths[0]! - 3)} ${'packets'.padStart(widths[1]!)} errors dropped carrier collsns           `,
    row([stats.txBytes, stats.txPackets, stats.txErrors, stats.txDropped, stats.txCarrierErrors, 0], widths),
    ...(twice
      ? [
          '    TX errors: aborted   fifo  window heartbt transns',
          errorsRow([0, 0, 0, 0, link.carrierChanges]),
        ]
      : []),
  ];
}

/** Kinds of errors that no device here has, under their headings. */
function errorsRow(values: readonly number[]): string {
  const [first, second, ...rest] = values;
  return `${' '.repeat(14)}${String(first).padStart(8)}${String(second).padStart(7)}${rest.map((value) => String(value).padStart(8)).join('')} `;
}

export function addressLine(address: Address): string {
  const family = address.family === 4 ? 'inet' : 'inet6';
  const broadcast = address.broadcast === undefined ? '' : ` brd ${address.broadcast}`;
  const secondary = address.isSecondary ? ' secondary' : '';
  return `    ${family} ${address.address}/${address.prefixLength}${broadcast} scope ${address.scope}${secondary} ${address.family === 4 ? address.label : ''}`;
}
