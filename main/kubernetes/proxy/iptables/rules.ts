// The rules that kube-proxy's iptables mode writes for each Service port, as lines for iptables-restore.
import { chooseEndpoints, type Endpoint, type NodeTopology } from '../endpoints.ts';
import {
  externallyAccessible,
  usesClusterEndpoints,
  usesLocalEndpoints,
  type ServicePort,
} from '../service-ports.ts';
import { endpointChain, serviceChains, type ServiceChains } from './chain-names.ts';

export interface RuleOptions extends NodeTopology {
  readonly nodeIP: string;
  /** The pods' range; undefined when local traffic can't be told from other (detectLocalMode without a range). */
  readonly clusterCIDR: string | undefined;
  readonly masqueradeAll: boolean;
  /** Node ports also answer on 127.0.0.0/8 (iptables.localhostNodePorts). */
  readonly localhostNodePorts: boolean;
  /** The kernel has nfacct, so that what localhost node ports take and what conntrack drops is counted. */
  readonly nfacct: boolean;
}

/** The lines of one Service port: those that go into shared chains, and those of its own chains. */
export interface ServiceRules {
  readonly hash: string;
  /** Into nat KUBE-SERVICES. */
  readonly natServices: string[];
  /** Into nat KUBE-NODEPORTS. */
  readonly natNodePorts: string[];
  /** Into the filter table's KUBE-SERVICES, KUBE-EXTERNAL-SERVICES, KUBE-NODEPORTS, KUBE-PROXY-FIREWALL. */
  readonly filter: string[];
  /** Own chains in nat. */
  readonly chains: string[];
  readonly chainRules: string[];
}

const MARK_MASQ = 'KUBE-MARK-MASQ';

/** Writes everything for one Service port (syncProxyRules of kube-proxy's iptables/proxier.go, v1.36). */
export function serviceRules(
  port: ServicePort,
  all: readonly Endpoint[],
  options: RuleOptions,
): ServiceRules {
  const names = serviceChains(port);
  const { nameString, protocol } = port;
  const { cluster, local, reachable, hasAny } = chooseEndpoints(all, port, options);
  const rules: ServiceRules = {
    hash: names.hash,
    natServices: [],
    natNodePorts: [],
    filter: [],
    chains: [],
    chainRules: [],
  };

  const internalChain = port.internalPolicyLocal ? names.local : names.cluster;
  const hasInternal = hasAny && (!port.internalPolicyLocal || local.length > 0);
  const hasExternal = hasAny && (!port.externalPolicyLocal || local.length > 0);
  const refusal = hasAny ? '-j DROP' : '-j REJECT';
  const refusalComment = comment(`${nameString} has no ${hasAny ? 'local ' : ''}endpoints`);
  const to = (address: string): string => `-m ${protocol} -p ${protocol} -d ${address} --dport ${port.port}`;
  const usesFirewall = hasAny && port.loadBalancerVIPs.length > 0 && port.loadBalancerSourceRanges.length > 0;

  if (hasInternal) {
    rules.natServices.push(
      `-A KUBE-SERVICES ${comment(`${nameString} cluster IP`)} ${to(port.clusterIP)} -j ${internalChain}`,
    );
  } else {
    rules.filter.push(`-A KUBE-SERVICES ${refusalComment} ${to(port.clusterIP)} ${refusal}`);
  }
  for (const ip of port.externalIPs) {
    if (hasAny)
      rules.natServices.push(
        `-A KUBE-SERVICES ${comment(`${nameString} external IP`)} ${to(ip)} -j ${names.external}`,
      );
    if (!hasExternal) rules.filter.push(`-A KUBE-EXTERNAL-SERVICES ${refusalComment} ${to(ip)} ${refusal}`);
  }
  for (const ip of port.loadBalancerVIPs) {
    const target = usesFirewall ? names.firewall : names.external;
    if (hasAny)
      rules.natServices.push(
        `-A KUBE-SERVICES ${comment(`${nameString} loadbalancer IP`)} ${to(ip)} -j ${target}`,
      );
    if (usesFirewall) {
      rules.filter.push(
        `-A KUBE-PROXY-FIREWALL ${comment(`${nameString} traffic not accepted by ${names.firewall}`)} ${to(ip)} -j DROP`,
      );
    }
    if (!hasExternal) rules.filter.push(`-A KUBE-EXTERNAL-SERVICES ${refusalComment} ${to(ip)} ${refusal}`);
  }
  if (port.nodePort !== 0) {
    const match = `${comment(nameString)} -m ${protocol} -p ${protocol} --dport ${port.nodePort}`;
    if (hasAny) {
      if (options.localhostNodePorts) {
        const count = options.nfacct ? ' -m nfacct --nfacct-name localhost_nps_accepted_pkts' : '';
        rules.natNodePorts.push(`-A KUBE-NODEPORTS ${match} -d 127.0.0.0/8${count} -j ${names.external}`);
      }
      rules.natNodePorts.push(`-A KUBE-NODEPORTS ${match} -j ${names.external}`);
    }
    if (!hasExternal) {
      rules.filter.push(
        `-A KUBE-EXTERNAL-SERVICES ${refusalComment} -m addrtype --dst-type LOCAL -m ${protocol} -p ${protocol} --dport ${port.nodePort} ${refusal}`,
      );
    }
  }
  if (port.healthCheckNodePort !== 0) {
    rules.filter.push(
      `-A KUBE-NODEPORTS ${comment(`${nameString} health check node port`)} -m tcp -p tcp --dport ${port.healthCheckNodePort} -j ACCEPT`,
    );
  }

  if (hasInternal) writeInternal(rules, port, internalChain, to(port.clusterIP), options);
  if (hasAny && externallyAccessible(port)) writeExternal(rules, port, names, hasExternal, options);
  if (usesFirewall) writeFirewall(rules, port, names, options.nodeIP);
  if (cluster.length > 0 && usesClusterEndpoints(port)) writeBalancing(rules, port, names.cluster, cluster);
  if (local.length > 0 && usesLocalEndpoints(port)) writeBalancing(rules, port, names.local, local);
  for (const endpoint of reachable) writeEndpoint(rules, port, endpoint);
  return rules;
}

function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}

function writeInternal(
  rules: ServiceRules,
  port: ServicePort,
  chain: string,
  to: string,
  options: RuleOptions,
): void {
  const match = `-A ${chain} ${comment(`${port.nameString} cluster IP`)} ${to}`;
  if (options.masqueradeAll) rules.chainRules.push(`${match} -j ${MARK_MASQ}`);
  else if (options.clusterCIDR !== undefined)
    rules.chainRules.push(`${match} ! -s ${options.clusterCIDR} -j ${MARK_MASQ}`);
}

function writeExternal(
  rules: ServiceRules,
  port: ServicePort,
  names: ServiceChains,
  hasExternal: boolean,
  options: RuleOptions,
): void {
  const { nameString } = port;
  const add = (text: string, rule: string): void => {
    rules.chainRules.push(
      `-A ${names.external} ${comment(`${text} ${nameString} external destinations`)} ${rule}`,
    );
  };
  rules.chains.push(names.external);
  if (!port.externalPolicyLocal) {
    add('masquerade traffic for', `-j ${MARK_MASQ}`);
  } else {
    if (options.clusterCIDR !== undefined)
      add('pod traffic for', `-s ${options.clusterCIDR} -j ${names.cluster}`);
    add('masquerade LOCAL traffic for', `-m addrtype --src-type LOCAL -j ${MARK_MASQ}`);
    add('route LOCAL traffic for', `-m addrtype --src-type LOCAL -j ${names.cluster}`);
  }
  if (hasExternal)
    rules.chainRules.push(
      `-A ${names.external} -j ${port.externalPolicyLocal ? names.local : names.cluster}`,
    );
}

function writeFirewall(rules: ServiceRules, port: ServicePort, names: ServiceChains, nodeIP: string): void {
  const match = `-A ${names.firewall} ${comment(`${port.nameString} loadbalancer IP`)}`;
  rules.chains.push(names.firewall);
  for (const range of port.loadBalancerSourceRanges)
    rules.chainRules.push(`${match} -s ${range} -j ${names.external}`);
  if (port.loadBalancerSourceRanges.some((range) => rangeHolds(range, nodeIP))) {
    // A VIP may be a local address; then the node's own requests arrive with the VIP as their source.
    for (const ip of port.loadBalancerVIPs) rules.chainRules.push(`${match} -s ${ip} -j ${names.external}`);
  }
  rules.chainRules.push(
    `-A ${names.firewall} ${comment(`other traffic to ${port.nameString} will be dropped by KUBE-PROXY-FIREWALL`)}`,
  );
}

function writeBalancing(
  rules: ServiceRules,
  port: ServicePort,
  chain: string,
  endpoints: readonly Endpoint[],
): void {
  rules.chains.push(chain);
  const rule = (endpoint: Endpoint, match: string): void => {
    const target = endpointChain(port, endpoint.address);
    rules.chainRules.push(
      `-A ${chain} ${comment(`${port.nameString} -> ${endpoint.address}`)} ${match}-j ${target}`,
    );
  };
  if (port.affinitySeconds !== undefined) {
    for (const endpoint of endpoints) {
      rule(
        endpoint,
        `-m recent --name ${endpointChain(port, endpoint.address)} --rcheck --seconds ${port.affinitySeconds} --reap `,
      );
    }
  }
  endpoints.forEach((endpoint, index) => {
    const left = endpoints.length - index;
    rule(endpoint, left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `);
  });
}

function writeEndpoint(rules: ServiceRules, port: ServicePort, endpoint: Endpoint): void {
  const chain = endpointChain(port, endpoint.address);
  const match = `-A ${chain} ${comment(port.nameString)}`;
  const recent = port.affinitySeconds === undefined ? '' : ` -m recent --name ${chain} --set`;
  rules.chains.push(chain);
  rules.chainRules.push(
    `${match} -s ${endpoint.ip} -j ${MARK_MASQ}`, // Hairpin: an endpoint that reaches itself by the Service.
    `${match}${recent} -m ${port.protocol} -p ${port.protocol} -j DNAT --to-destination ${endpoint.address}`,
  );
}

function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** Whether an IPv4 range in CIDR form holds an address. */
export function rangeHolds(cidr: string, address: string): boolean {
  const [base = '', prefix = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  return Math.floor(ipv4Number(base) / size) === Math.floor(ipv4Number(address) / size);
}
