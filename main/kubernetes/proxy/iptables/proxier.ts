// kube-proxy's iptables mode: keeps the nat and filter tables as the Services want them.
import type { Netfilter } from '../../../network/index.ts';
import type { ProxiedService } from '../change-tracker.ts';
import { ensureJumps, type JumpRule } from '../jump-rules.ts';
import { compareHashes } from './chain-names.ts';
import { serviceRules, type RuleOptions, type ServiceRules } from './rules.ts';

export interface IptablesOptions extends RuleOptions {
  /** The bit of the packet mark that asks for masquerading. */
  readonly masqueradeBit: number;
  /** CIDRs of addresses that take NodePorts; empty: every local one. */
  readonly nodePortAddresses: readonly string[];
  /** This node's addresses within them. */
  readonly nodePortIPs: () => readonly string[];
}

const NEW = '-m conntrack --ctstate NEW';
const PORTALS = 'kubernetes service portals';
const EXTERNAL = 'kubernetes externally-visible service portals';
const FIREWALL = 'kubernetes load balancer firewall';
const JUMPS: readonly JumpRule[] = [
  { table: 'filter', from: 'INPUT', to: 'KUBE-EXTERNAL-SERVICES', comment: EXTERNAL, match: NEW },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-EXTERNAL-SERVICES', comment: EXTERNAL, match: NEW },
  { table: 'filter', from: 'INPUT', to: 'KUBE-NODEPORTS', comment: 'kubernetes health check service ports' },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-SERVICES', comment: PORTALS, match: NEW },
  { table: 'filter', from: 'OUTPUT', to: 'KUBE-SERVICES', comment: PORTALS, match: NEW },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-FORWARD', comment: 'kubernetes forwarding rules' },
  { table: 'filter', from: 'INPUT', to: 'KUBE-PROXY-FIREWALL', comment: FIREWALL, match: NEW },
  { table: 'filter', from: 'OUTPUT', to: 'KUBE-PROXY-FIREWALL', comment: FIREWALL, match: NEW },
  { table: 'filter', from: 'FORWARD', to: 'KUBE-PROXY-FIREWALL', comment: FIREWALL, match: NEW },
  { table: 'nat', from: 'OUTPUT', to: 'KUBE-SERVICES', comment: PORTALS },
  { table: 'nat', from: 'PREROUTING', to: 'KUBE-SERVICES', comment: PORTALS },
  { table: 'nat', from: 'POSTROUTING', to: 'KUBE-POSTROUTING', comment: 'kubernetes postrouting rules' },
];
const FILTER_CHAINS = [
  'KUBE-NODEPORTS',
  'KUBE-SERVICES',
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-FORWARD',
  'KUBE-PROXY-FIREWALL',
];
const NAT_CHAINS = ['KUBE-NODEPORTS', 'KUBE-SERVICES', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ'];
const OWN_CHAIN = /^KUBE-(SVC|SVL|EXT|FW|SEP)-/;
const NODEPORTS_COMMENT = 'kubernetes service nodeports; NOTE: this must be the last rule in this chain';

export class IptablesProxier {
  private readonly netfilter: Netfilter;
  private readonly options: IptablesOptions;
  /** Rules of every Service's ports, by Service. */
  private readonly services = new Map<string, readonly ServiceRules[]>();
  /** Chains of our kinds that are in the kernel. */
  private readonly present = new Set<string>();

  constructor(netfilter: Netfilter, options: IptablesOptions) {
    this.netfilter = netfilter;
    this.options = options;
  }

  /** Makes what doesn't depend on Services, and learns which chains an earlier run left. */
  start(): void {
    ensureJumps(this.netfilter, JUMPS);
    if (this.netfilter.table('mangle').chain('KUBE-PROXY-CANARY') === undefined)
      this.netfilter.table('mangle').newChain('KUBE-PROXY-CANARY');
    for (const { name } of this.netfilter.table('nat').listChains())
      if (OWN_CHAIN.test(name)) this.present.add(name);
  }

  /** Writes the changed Services' chains, the shared chains, and takes chains away that nothing uses. */
  sync(changes: readonly ProxiedService[]): void {
    const changed: ServiceRules[] = [];
    for (const service of changes) {
      const rules = service.ports.map((port) => serviceRules(port, service.endpointsOf(port), this.options));
      changed.push(...rules);
      if (rules.length === 0) this.services.delete(service.key);
      else this.services.set(service.key, rules);
    }
    const all = [...this.services.values()].flat().toSorted((a, b) => compareHashes(a.hash, b.hash));
    const active = new Set(all.flatMap(({ chains }) => chains));
    const stale = [...this.present].filter((chain) => !active.has(chain));
    this.netfilter.restore(this.filterText(all) + this.natText(all, changed, stale), { noFlush: true });
    for (const chain of stale) this.present.delete(chain);
    for (const { chains } of changed) for (const chain of chains) this.present.add(chain);
  }

  private get mark(): string {
    return `0x${(1 << this.options.masqueradeBit).toString(16)}`;
  }

  private filterText(all: readonly ServiceRules[]): string {
    const nfacct = this.options.nfacct ? ' -m nfacct --nfacct-name ct_state_invalid_dropped_pkts' : '';
    const forwarding = '-m comment --comment "kubernetes forwarding';
    return table('filter', FILTER_CHAINS, [
      ...all.flatMap(({ filter }) => filter),
      `-A KUBE-FORWARD -m conntrack --ctstate INVALID${nfacct} -j DROP`,
      `-A KUBE-FORWARD ${forwarding} rules" -m mark --mark ${this.mark}/${this.mark} -j ACCEPT`,
      `-A KUBE-FORWARD ${forwarding} conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    ]);
  }

  private natText(
    all: readonly ServiceRules[],
    changed: readonly ServiceRules[],
    stale: readonly string[],
  ): string {
    return table(
      'nat',
      [...NAT_CHAINS, ...changed.flatMap(({ chains }) => chains), ...stale],
      [
        `-A KUBE-POSTROUTING -m mark ! --mark ${this.mark}/${this.mark} -j RETURN`,
        `-A KUBE-POSTROUTING -j MARK --xor-mark ${this.mark}`,
        '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
        `-A KUBE-MARK-MASQ -j MARK --or-mark ${this.mark}`,
        ...all.flatMap(({ natServices, natNodePorts }) => [...natServices, ...natNodePorts]),
        ...changed.flatMap(({ chainRules }) => chainRules),
        ...this.nodePortJumps(),
        ...stale.map((chain) => `-X ${chain}`),
      ],
    );
  }

  private nodePortJumps(): string[] {
    const match = `-A KUBE-SERVICES -m comment --comment "${NODEPORTS_COMMENT}"`;
    if (this.options.nodePortAddresses.length === 0)
      return [`${match} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`];
    return this.options.nodePortIPs().map((ip) => `${match} -d ${ip} -j KUBE-NODEPORTS`);
  }
}

function table(name: string, chains: readonly string[], rules: readonly string[]): string {
  return `*${name}\n${[...chains].map((chain) => `:${chain} - [0:0]\n`).join('')}${rules.map((rule) => `${rule}\n`).join('')}COMMIT\n`;
}
