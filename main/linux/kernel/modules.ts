// Loadable kernel modules: which exist, what needs what, what is loaded.
import { ErrnoError } from '../../network/index.ts';
import { disposable } from '../../simulation/index.ts';

/** Modules by name, with what each depends on. */
const CATALOGUE: Readonly<Record<string, readonly string[]>> = {
  br_netfilter: ['bridge'],
  bridge: ['stp', 'llc'],
  stp: ['llc'],
  llc: [],
  dummy: [],
  fou: [],
  ip_set: ['nfnetlink'],
  ip_set_bitmap_port: ['ip_set'],
  ip_set_hash_ip: ['ip_set'],
  ip_set_hash_ipport: ['ip_set'],
  ip_set_hash_ipportip: ['ip_set'],
  ip_set_hash_ipportnet: ['ip_set'],
  ip_set_hash_net: ['ip_set'],
  ip_tables: [],
  ip_vs: ['nf_conntrack', 'libcrc32c'],
  ip_vs_dh: ['ip_vs'],
  ip_vs_fo: ['ip_vs'],
  ip_vs_lblc: ['ip_vs'],
  ip_vs_lblcr: ['ip_vs'],
  ip_vs_lc: ['ip_vs'],
  ip_vs_mh: ['ip_vs'],
  ip_vs_nq: ['ip_vs'],
  ip_vs_ovf: ['ip_vs'],
  ip_vs_rr: ['ip_vs'],
  ip_vs_sed: ['ip_vs'],
  ip_vs_sh: ['ip_vs'],
  ip_vs_wlc: ['ip_vs'],
  ip_vs_wrr: ['ip_vs'],
  ipip: ['tunnel4', 'ip_tunnel'],
  ip_tunnel: [],
  ipt_MASQUERADE: ['nf_nat_masquerade_ipv4'],
  ipt_REJECT: ['nf_reject_ipv4'],
  iptable_filter: ['ip_tables'],
  iptable_mangle: ['ip_tables'],
  iptable_nat: ['ip_tables', 'nf_nat_ipv4'],
  iptable_raw: ['ip_tables'],
  libcrc32c: [],
  nf_conntrack: ['libcrc32c'],
  nf_conntrack_ipv4: ['nf_conntrack', 'nf_defrag_ipv4'],
  nf_conntrack_netlink: ['nf_conntrack', 'nfnetlink'],
  nf_defrag_ipv4: [],
  nf_nat: ['nf_conntrack', 'libcrc32c'],
  nf_nat_ipv4: ['nf_nat'],
  nf_nat_masquerade_ipv4: ['nf_nat'],
  nf_reject_ipv4: [],
  nf_tables: ['nfnetlink'],
  nfnetlink: [],
  overlay: [],
  tun: [],
  tunnel4: [],
  udp_tunnel: [],
  ip6_udp_tunnel: [],
  veth: [],
  vxlan: ['udp_tunnel', 'ip6_udp_tunnel'],
  wireguard: ['udp_tunnel', 'ip6_udp_tunnel'],
  xfs: ['libcrc32c'],
  xt_addrtype: [],
  xt_comment: [],
  xt_conntrack: ['nf_conntrack'],
  xt_mark: [],
  xt_multiport: [],
  xt_nat: ['nf_nat'],
  xt_recent: [],
  xt_set: ['ip_set'],
  xt_statistic: [],
};

/** What some say when they are loaded. */
const GREETINGS: Readonly<Record<string, readonly string[]>> = {
  br_netfilter: ['Bridge firewalling registered'],
  bridge: [
    'bridge: filtering via arp/ip/ip6tables is no longer available by default. Update your scripts to load br_netfilter if you need this.',
  ],
  ip_set: ['ip_set: protocol 7'],
  ip_tables: ['ip_tables: (C) 2000-2006 Netfilter Core Team'],
  ip_vs: [
    'IPVS: Registered protocols (TCP, UDP, SCTP, AH, ESP)',
    'IPVS: Connection hash table configured (size=4096, memory=64Kbytes)',
    'IPVS: ipvs loaded.',
  ],
  ipip: ['ipip: IPv4 and MPLS over IPv4 tunneling driver'],
  nfnetlink: ['Netfilter messages via NETLINK v0.30.'],
  tun: ['tun: Universal TUN/TAP device driver, 1.6'],
  wireguard: ['wireguard: WireGuard 1.0.0 loaded. See www.wireguard.com for information.'],
  xfs: ['SGI XFS with ACLs, security attributes, scrub, quota, no debug enabled'],
};
const SCHEDULER = /^ip_vs_([a-z]+)$/;

/** A row of lsmod(8). */
export interface ModuleInfo {
  readonly name: string;
  readonly sizeBytes: number;
  readonly usedBy: readonly string[];
}

export class Modules {
  private readonly loaded = new Set<string>();
  private readonly listeners = new Set<() => void>();

  /** Told what modules say. */
  printk: (text: string) => void = () => undefined;

  get names(): ReadonlySet<string> {
    return this.loaded;
  }

  /** Loads a module with what it depends on. Throws ENOENT. */
  load(name: string): void {
    const module = normalize(name);
    if (!Object.hasOwn(CATALOGUE, module)) throw new ErrnoError('ENOENT', name);
    if (this.loaded.has(module)) return;
    this.insert(module);
    this.tell();
  }

  /** The same without telling listeners: while the machine boots there are none. */
  insert(name: string): void {
    const module = normalize(name);
    for (const needed of CATALOGUE[module] ?? []) if (!this.loaded.has(needed)) this.insert(needed);
    if (this.loaded.has(module)) return;
    this.loaded.add(module);
    for (const text of GREETINGS[module] ?? []) this.printk(text);
    const scheduler = SCHEDULER.exec(module);
    if (scheduler !== null) this.printk(`IPVS: [${scheduler[1]}] scheduler registered.`);
  }

  /** Throws ENOENT, and EBUSY while another needs it. */
  unload(name: string): void {
    const module = normalize(name);
    if (!this.loaded.has(module)) throw new ErrnoError('ENOENT', name);
    if (this.usersOf(module).length > 0) throw new ErrnoError('EBUSY', name);
    this.loaded.delete(module);
    const scheduler = SCHEDULER.exec(module);
    if (scheduler !== null) this.printk(`IPVS: [${scheduler[1]}] scheduler unregistered.`);
    if (module === 'ip_vs') this.printk('IPVS: ipvs unloaded.');
    this.tell();
  }

  onChanged(changed: () => void): Disposable {
    const listener = (): void => changed();
    this.listeners.add(listener);
    return disposable(() => this.listeners.delete(listener));
  }

  /** The newest first, as /proc/modules. */
  list(): ModuleInfo[] {
    return Array.from(this.loaded, (name) => ({
      name,
      sizeBytes: sizeOf(name),
      usedBy: this.usersOf(name),
    })).reverse();
  }

  exists(name: string): boolean {
    return Object.hasOwn(CATALOGUE, normalize(name));
  }

  /** What a module needs directly; undefined: there is no such module. */
  dependencies(name: string): readonly string[] | undefined {
    const module = normalize(name);
    return Object.hasOwn(CATALOGUE, module) ? CATALOGUE[module] : undefined;
  }

  private usersOf(module: string): string[] {
    return Array.from(this.loaded).filter((other) => CATALOGUE[other]?.includes(module) === true);
  }

  private tell(): void {
    for (const listener of Array.from(this.listeners)) listener();
  }
}

function normalize(name: string): string {
  return name.replaceAll('-', '_');
}

/** Where people know them. */
const SIZES: Readonly<Record<string, number>> = { ip_vs: 188_416, nf_conntrack: 188_416 };

function sizeOf(name: string): number {
  const known = SIZES[name] ?? (name.startsWith('ip_vs_') ? 16_384 : undefined);
  if (known !== undefined) return known;
  let hash = 3;
  for (let i = 0; i < name.length; i++) hash = (hash * 33 + name.charCodeAt(i)) % 60_013;
  return 12_288 + (hash % 40) * 4096;
}
