// What /etc/resolv.conf and /etc/hosts of a pod say (kubelet's network/dns and kubelet_pods.go).
import type { KubeletConfig } from './config.ts';
import { domainNameOf, hostnameOf, isHostNetwork, type KnownPod } from './pod-facts.ts';

interface ResolvConf {
  nameservers: string[];
  searches: string[];
  options: string[];
}

/** Kubernetes' limits: resolv.conf(5) of old glibc for servers, KEP-2595 for searches. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;

/** The text of a pod's resolv.conf; `hostText` is the node's. */
export function resolvConfOf(
  pod: KnownPod,
  config: KubeletConfig,
  hostText: string,
  runtimeName: string,
): string {
  const host = parseResolvConf(hostText);
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !isHostNetwork(pod));
  let result: ResolvConf = { ...host, options: [] };
  if (policy === 'None') result = { nameservers: [], searches: [], options: [] };
  else if (cluster && config.clusterDNS.length > 0) {
    const domain = config.clusterDomain;
    result = {
      nameservers: [...config.clusterDNS],
      searches: [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches],
      options: ['ndots:5'],
    };
  }
  const extra = pod.spec.dnsConfig;
  if (extra !== undefined) {
    result.nameservers = unique([...result.nameservers, ...(extra.nameservers ?? [])]);
    result.searches = unique([...result.searches, ...(extra.searches ?? [])]);
    const options = new Map(result.options.map((option) => [option.split(':')[0]!, option]));
    for (const { name = '', value } of extra.options ?? [])
      options.set(name, value === undefined ? name : `${name}:${value}`);
    result.options = [...options.values()];
  }
  return formatResolvConf(result, runtimeName);
}

function parseResolvConf(text: string): ResolvConf {
  const result: ResolvConf = { nameservers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'nameserver' && rest[0] !== undefined) result.nameservers.push(rest[0]);
    else if (word === 'search') result.searches = rest.filter((domain) => domain !== '.');
    else if (word === 'options') result.options.push(...rest);
  }
  return result;
}

/** containerd writes the domains first, Docker the servers. */
function formatResolvConf({ nameservers, searches, options }: ResolvConf, runtimeName: string): string {
  const search = searches.length > 0 ? `search ${searches.slice(0, SEARCHES_MAX).join(' ')}\n` : '';
  const servers = nameservers
    .slice(0, NAMESERVERS_MAX)
    .map((server) => `nameserver ${server}\n`)
    .join('');
  const option = options.length > 0 ? `options ${options.join(' ')}\n` : '';
  return (runtimeName === 'docker' ? servers + search : search + servers) + option;
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}

/** The text of a pod's /etc/hosts. */
export function hostsFileOf(
  pod: KnownPod,
  podIPs: readonly string[],
  config: KubeletConfig,
  hostText: string,
): string {
  let text: string;
  if (isHostNetwork(pod)) text = `# Kubernetes-managed hosts file (host network).\n${hostText}`;
  else {
    const hostname = hostnameOf(pod);
    const domain = domainNameOf(pod, config.clusterDomain);
    text =
      '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' +
      'fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n';
    for (const ip of podIPs) text += `${ip}\t${domain === undefined ? '' : `${domain}\t`}${hostname}\n`;
  }
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length > 0) {
    text += '\n# Entries added by HostAliases.\n';
    for (const { ip, hostnames } of aliases) text += `${ip}\t${(hostnames ?? []).join('\t')}\n`;
  }
  return text;
}
