// The iptables rules that the kubelet itself keeps on its node (kubelet_network_linux.go).
import type { Netfilter, TableName } from '../../network/index.ts';

const RULE =
  '! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP';

/** Blocks martian packets to 127/8, and leaves the chains by which others find out which iptables is in use. */
export function ensureKubeletRules(netfilter: Netfilter): void {
  for (const chain of ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY']) ensureChain(netfilter, 'mangle', chain);
  ensureChain(netfilter, 'filter', 'KUBE-FIREWALL');
  const present = new Set(netfilter.save({ table: 'filter' }).split('\n'));
  const lines: string[] = [];
  if (!present.has(`-A KUBE-FIREWALL ${RULE}`)) lines.push(`-A KUBE-FIREWALL ${RULE}`);
  for (const from of ['OUTPUT', 'INPUT'])
    if (!present.has(`-A ${from} -j KUBE-FIREWALL`)) lines.push(`-I ${from} -j KUBE-FIREWALL`);
  if (lines.length > 0) netfilter.restore(`*filter\n${lines.join('\n')}\nCOMMIT\n`, { noFlush: true });
}

function ensureChain(netfilter: Netfilter, table: TableName, chain: string): void {
  if (netfilter.table(table).chain(chain) === undefined) netfilter.table(table).newChain(chain);
}
