// Kernel network parameters by their dotted names, as sysctl(8) shows them.
import { ErrnoError } from '../errno.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';

/** net.ipv4.conf.*: what a new namespace has. Documentation/networking/ip-sysctl. */
const CONF_DEFAULTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    accept_local: '0',
    accept_redirects: '1',
    accept_source_route: '0',
    arp_accept: '0',
    arp_announce: '0',
    arp_evict_nocarrier: '1',
    arp_filter: '0',
    arp_ignore: '0',
    arp_notify: '0',
    forwarding: '0',
    log_martians: '0',
    promote_secondaries: '1',
    proxy_arp: '0',
    proxy_arp_pvlan: '0',
    route_localnet: '0',
    rp_filter: '0',
    secure_redirects: '1',
    send_redirects: '1',
    src_valid_mark: '0',
  }),
);

const DEFAULTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'net.core.rmem_max': '212992',
    'net.core.somaxconn': '4096',
    'net.core.wmem_max': '212992',
    'net.ipv4.icmp_echo_ignore_all': '0',
    'net.ipv4.icmp_echo_ignore_broadcasts': '1',
    'net.ipv4.ip_default_ttl': '64',
    'net.ipv4.ip_forward': '0',
    'net.ipv4.ip_local_port_range': '32768\t60999',
    'net.ipv4.ip_local_reserved_ports': '',
    'net.ipv4.ip_nonlocal_bind': '0',
    'net.ipv4.ip_unprivileged_port_start': '1024',
    'net.ipv4.ping_group_range': '1\t0',
    'net.ipv4.neigh.default.base_reachable_time_ms': '30000',
    'net.ipv4.neigh.default.delay_first_probe_time': '5',
    'net.ipv4.neigh.default.gc_thresh1': '128',
    'net.ipv4.neigh.default.gc_thresh2': '512',
    'net.ipv4.neigh.default.gc_thresh3': '1024',
    'net.ipv4.neigh.default.retrans_time_ms': '1000',
    'net.ipv4.tcp_fin_timeout': '60',
    'net.ipv4.tcp_keepalive_intvl': '75',
    'net.ipv4.tcp_keepalive_probes': '9',
    'net.ipv4.tcp_keepalive_time': '7200',
    'net.ipv4.tcp_max_syn_backlog': '512',
    'net.ipv4.tcp_retries2': '15',
    'net.ipv4.tcp_syn_retries': '6',
    'net.ipv4.tcp_synack_retries': '5',
    'net.ipv4.tcp_tw_reuse': '2',
    'net.ipv4.vs.am_droprate': '10',
    'net.ipv4.vs.amemthresh': '1024',
    'net.ipv4.vs.conn_reuse_mode': '1',
    'net.ipv4.vs.conntrack': '0',
    'net.ipv4.vs.drop_entry': '0',
    'net.ipv4.vs.drop_packet': '0',
    'net.ipv4.vs.expire_nodest_conn': '0',
    'net.ipv4.vs.expire_quiescent_template': '0',
    'net.ipv4.vs.ignore_tunneled': '0',
    'net.ipv4.vs.nat_icmp_send': '0',
    'net.ipv4.vs.pmtu_disc': '1',
    'net.ipv4.vs.run_estimation': '1',
    'net.ipv4.vs.schedule_icmp': '0',
    'net.ipv4.vs.secure_tcp': '0',
    'net.ipv4.vs.sloppy_sctp': '0',
    'net.ipv4.vs.sloppy_tcp': '0',
    'net.ipv4.vs.snat_reroute': '1',
    'net.ipv4.vs.sync_ports': '1',
    'net.ipv4.vs.sync_refresh_period': '0',
    'net.ipv4.vs.sync_retries': '0',
    'net.ipv4.vs.sync_threshold': '3\t50',
    'net.ipv4.vs.sync_version': '1',
    'net.ipv6.conf.all.disable_ipv6': '0',
    'net.ipv6.conf.all.forwarding': '0',
    'net.ipv6.conf.default.disable_ipv6': '0',
    'net.netfilter.nf_conntrack_acct': '0',
    'net.netfilter.nf_conntrack_buckets': '65536',
    'net.netfilter.nf_conntrack_generic_timeout': '600',
    'net.netfilter.nf_conntrack_icmp_timeout': '30',
    'net.netfilter.nf_conntrack_max': '262144',
    'net.netfilter.nf_conntrack_tcp_be_liberal': '0',
    'net.netfilter.nf_conntrack_tcp_loose': '1',
    'net.netfilter.nf_conntrack_tcp_timeout_close': '10',
    'net.netfilter.nf_conntrack_tcp_timeout_close_wait': '60',
    'net.netfilter.nf_conntrack_tcp_timeout_established': '432000',
    'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': '120',
    'net.netfilter.nf_conntrack_tcp_timeout_last_ack': '30',
    'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': '60',
    'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': '120',
    'net.netfilter.nf_conntrack_tcp_timeout_time_wait': '120',
    'net.netfilter.nf_conntrack_udp_timeout': '30',
    'net.netfilter.nf_conntrack_udp_timeout_stream': '120',
  }),
);

const BRIDGE_DEFAULTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'net.bridge.bridge-nf-call-arptables': '1',
    'net.bridge.bridge-nf-call-ip6tables': '1',
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.bridge.bridge-nf-filter-pppoe-tagged': '0',
    'net.bridge.bridge-nf-filter-vlan-tagged': '0',
    'net.bridge.bridge-nf-pass-vlan-input-dev': '0',
  }),
);

/** The defaults as numbers. */
const DEFAULT_NUMBERS: ReadonlyMap<string, number> = new Map(
  Array.from(DEFAULTS, ([name, value]) => [name, numberIn(value)]),
);
const CONNTRACK_COUNT = 'net.netfilter.nf_conntrack_count';
const CONF_PREFIX = 'net.ipv4.conf.';

export class Sysctls {
  private readonly namespace: NetworkNamespace;
  /** What differs from the defaults; a namespace changes few of them. */
  private readonly values = new Map<string, string>();
  private readonly conf = new Map<string, Map<string, string>>();
  /** What confMax has found since something was last set, by key and device: it is asked for every frame. */
  private readonly maxima = new Map<string, Map<string, number>>();
  private hasBridgeNetfilter = false;
  /** net.ipv4.ip_forward. */
  forwards = false;
  /** br_netfilter is loaded and net.bridge.bridge-nf-call-iptables is 1. */
  bridgeCallsIptables = false;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  /** Every name with its value, in sysctl -a's order (by path). */
  list(): { readonly name: string; readonly value: string }[] {
    const bridge = this.hasBridgeNetfilter ? BRIDGE_DEFAULTS.keys() : [];
    const names = [...DEFAULTS.keys(), ...bridge, CONNTRACK_COUNT];
    for (const device of ['all', 'default', ...this.namespace.links.list().map((link) => link.name)]) {
      for (const key of CONF_DEFAULTS.keys())
        names.push(`${CONF_PREFIX}${device.replaceAll('.', '/')}.${key}`);
    }
    return names.toSorted().map((name) => ({ name, value: this.get(name)! }));
  }

  /** Undefined for a name that doesn't exist. Dots inside a device's name are written `/`, as sysctl does. */
  get(name: string): string | undefined {
    if (name === CONNTRACK_COUNT) return String(this.namespace.conntrack.count);
    const conf = this.parseConf(name);
    if (conf === undefined) return this.valueOf(name);
    if (!this.hasDevice(conf.device)) return undefined;
    return this.confOf(conf.device).get(conf.key) ?? CONF_DEFAULTS.get(conf.key);
  }

  /** Throws ENOENT for an unknown name, EINVAL for a bad value, EACCES for a read-only one. */
  set(name: string, value: string): void {
    const old = this.get(name);
    if (name === CONNTRACK_COUNT) throw new ErrnoError('EACCES');
    if (old === undefined) throw new ErrnoError('ENOENT');
    const text = value.trim().replaceAll(/\s+/g, '\t');
    const isNumeric = /^-?\d+(\t-?\d+)*$/.test(old) || old === '';
    if (isNumeric && text !== '' && !/^-?\d+([\t,-]-?\d+)*$/.test(text)) throw new ErrnoError('EINVAL');
    const conf = this.parseConf(name);
    if (conf !== undefined) this.setConf(conf.device, conf.key, text);
    else this.values.set(name, text);
    if (name === 'net.ipv4.ip_forward') this.setForwarding(text);
    this.refresh();
  }

  /** A value as a number; 0 when it doesn't exist. */
  number(name: string): number {
    const own = this.values.get(name);
    if (own !== undefined) return numberIn(own);
    return DEFAULT_NUMBERS.get(name) ?? numberIn(this.valueOf(name) ?? '0');
  }

  /** The larger of `all` and the device's own value: how arp_ignore, arp_announce and others combine (IN_DEV_MAXCONF). */
  confMax(link: Link, key: string): number {
    let values = this.maxima.get(key);
    if (values === undefined) this.maxima.set(key, (values = new Map()));
    let value = values.get(link.name);
    if (value === undefined) values.set(link.name, (value = this.findMax(link.name, key)));
    return value;
  }

  private findMax(device: string, key: string): number {
    const fallback = CONF_DEFAULTS.get(key) ?? '0';
    const own = (this.conf.get(device) ?? this.conf.get('default'))?.get(key) ?? fallback;
    return Math.max(Number(this.conf.get('all')?.get(key) ?? fallback), Number(own));
  }

  /** modprobe br_netfilter: from now on the net.bridge names exist. */
  loadBridgeNetfilter(): void {
    this.hasBridgeNetfilter = true;
    this.refresh();
  }

  unloadBridgeNetfilter(): void {
    this.hasBridgeNetfilter = false;
    for (const name of BRIDGE_DEFAULTS.keys()) this.values.delete(name);
    this.refresh();
  }

  private refresh(): void {
    this.maxima.clear();
    this.forwards = this.valueOf('net.ipv4.ip_forward') === '1';
    this.bridgeCallsIptables = this.valueOf('net.bridge.bridge-nf-call-iptables') === '1';
  }

  private valueOf(name: string): string | undefined {
    const own = this.values.get(name) ?? DEFAULTS.get(name);
    return own === undefined && this.hasBridgeNetfilter ? BRIDGE_DEFAULTS.get(name) : own;
  }

  private parseConf(name: string): { device: string; key: string } | undefined {
    if (!name.startsWith(CONF_PREFIX)) return undefined;
    const rest = name.slice(CONF_PREFIX.length);
    const dot = rest.lastIndexOf('.');
    return { device: rest.slice(0, dot).replaceAll('/', '.'), key: rest.slice(dot + 1) };
  }

  private hasDevice(device: string): boolean {
    return device === 'all' || device === 'default' || this.namespace.links.get(device) !== undefined;
  }

  /** What differs from the defaults; a device begins with what `default` has when it is first asked for. */
  private confOf(device: string): Map<string, string> {
    let own = this.conf.get(device);
    if (own === undefined) {
      own = new Map(device === 'all' ? [] : this.conf.get('default'));
      this.conf.set(device, own);
    }
    return own;
  }

  private setConf(device: string, key: string, value: string): void {
    this.confOf(device).set(key, value);
    if (key === 'forwarding' && device === 'all') {
      this.values.set('net.ipv4.ip_forward', value);
      this.setForwarding(value);
    }
  }

  private setForwarding(value: string): void {
    this.confOf('all');
    this.confOf('default');
    for (const conf of this.conf.values()) conf.set('forwarding', value);
  }
}

function numberIn(value: string): number {
  return Number.parseInt(value, 10);
}
