// The portmap plugin: a pod's hostPorts as DNAT rules on its machine. github.com/containernetworking/plugins, plugins/meta/portmap.
import { createHash } from 'node:crypto';
import type { NetworkNamespace } from '../../network/index.ts';
import type { PortMapping } from '../../linux/containerd/index.ts';

const DNAT = 'CNI-HOSTPORT-DNAT';
const MASQUERADE = 'CNI-HOSTPORT-MASQ';
const SET_MARK = 'CNI-HOSTPORT-SETMARK';
/** The mark of what must be masqueraded because it comes from the pods' own network or from localhost. */
const MARK = '0x2000/0x2000';
/** Ports that one multiport match takes. */
const MULTIPORT_MAX = 15;

/** Sends what comes to the machine at the ports on to the pod. Safe to repeat. */
export function addPortMappings(
  host: NetworkNamespace,
  network: string,
  containerId: string,
  address: string,
  subnet: string,
  mappings: readonly PortMapping[],
): void {
  removePortMappings(host, network, containerId);
  const chain = chainName(network, containerId);
  const comment = `-m comment --comment "dnat name: \\"${network}\\" id: \\"${containerId}\\""`;
  const lines = [`:${chain} - [0:0]`];
  for (const protocol of ['tcp', 'udp', 'sctp']) {
    const own = mappings.filter((mapping) => mapping.protocol === protocol);
    for (let i = 0; i < own.length; i += MULTIPORT_MAX) {
      const ports = own.slice(i, i + MULTIPORT_MAX).map(({ hostPort }) => hostPort);
      lines.push(`-A ${DNAT} -p ${protocol} ${comment} -m multiport --dports ${ports.join(',')} -j ${chain}`);
    }
  }
  for (const { hostPort, containerPort, protocol, hostIp } of mappings) {
    const to = hostIp === undefined || hostIp === '' || hostIp === '0.0.0.0' ? '' : `-d ${hostIp}/32 `;
    const match = `${to}-p ${protocol} -m ${protocol} --dport ${hostPort}`;
    lines.push(
      `-A ${chain} -s ${subnet} ${match} -j ${SET_MARK}`,
      `-A ${chain} -s 127.0.0.1/32 ${match} -j ${SET_MARK}`,
      `-A ${chain} ${match} -j DNAT --to-destination ${address}:${containerPort}`,
    );
  }
  host.netfilter.restore(`*nat\n${[...topChains(host), ...lines].join('\n')}\nCOMMIT\n`, { noFlush: true });
}

/** The chains that all pods share, if they aren't there yet. */
function topChains(host: NetworkNamespace): string[] {
  if (host.netfilter.table('nat').chain(DNAT) !== undefined) return [];
  return [
    `:${DNAT} - [0:0]`,
    `:${MASQUERADE} - [0:0]`,
    `:${SET_MARK} - [0:0]`,
    `-A PREROUTING -m addrtype --dst-type LOCAL -j ${DNAT}`,
    `-A OUTPUT -m addrtype --dst-type LOCAL -j ${DNAT}`,
    `-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j ${MASQUERADE}`,
    `-A ${MASQUERADE} -m mark --mark ${MARK} -j MASQUERADE`,
    `-A ${SET_MARK} -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark ${MARK}`,
  ];
}

/** Lets what localhost sends to a hostPort leave by the pods' bridge. */
export function routeLocalnet(host: NetworkNamespace, bridge: string): void {
  host.sysctls.set(`net.ipv4.conf.${bridge}.route_localnet`, '1');
}

export function removePortMappings(host: NetworkNamespace, network: string, containerId: string): void {
  const chain = chainName(network, containerId);
  const nat = host.netfilter.table('nat');
  if (nat.chain(chain) === undefined) return;
  const rules = nat.chain(DNAT)?.rules ?? [];
  for (let number = rules.length; number > 0; number--) {
    if (rules[number - 1]?.target?.name === chain) nat.deleteNumber(DNAT, number);
  }
  nat.flush(chain);
  nat.deleteChain(chain);
}

/** `CNI-DN-` and as much of the hash of network and container as a chain's name has room for (28). */
function chainName(network: string, containerId: string): string {
  return `CNI-DN-${createHash('sha512')
    .update(network + containerId)
    .digest('hex')
    .slice(0, 21)}`;
}
