// kube-proxy's configuration file, kubeproxy.config.k8s.io/v1alpha1, as the ConfigMap kube-proxy holds it.
import { parse } from 'yaml';

export interface ProxyConfig {
  /** As written: empty, `iptables`, `ipvs` … */
  readonly mode: string;
  readonly clusterCIDR: string | undefined;
  readonly hostnameOverride: string | undefined;
  /** CIDRs of node addresses that take NodePort traffic; empty: all. */
  readonly nodePortAddresses: readonly string[];
  readonly healthzBindAddress: string;
  readonly metricsBindAddress: string;
  readonly iptables: {
    readonly masqueradeAll: boolean;
    readonly masqueradeBit: number;
    readonly localhostNodePorts: boolean;
    readonly minSyncMs: number;
  };
  readonly ipvs: {
    /** Empty: the default, rr. */
    readonly scheduler: string;
    readonly strictARP: boolean;
    readonly excludeCIDRs: readonly string[];
    readonly minSyncMs: number;
    /** Seconds; 0 leaves the kernel's. */
    readonly tcpTimeout: number;
    readonly tcpFinTimeout: number;
    readonly udpTimeout: number;
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads the file with upstream's defaults. Throws an Error with upstream's words when it isn't one. */
export function readProxyConfig(text: string): ProxyConfig {
  const file = record(parse(text));
  if (file['kind'] !== 'KubeProxyConfiguration') {
    throw new Error(
      `no kind "${string(file['kind'], '')}" is registered for version "${string(file['apiVersion'], '')}"`,
    );
  }
  const iptables = record(file['iptables']);
  const ipvs = record(file['ipvs']);
  return {
    mode: string(file['mode'], ''),
    clusterCIDR: string(file['clusterCIDR'], '')
      .split(',')
      .find((cidr) => cidr !== '' && !cidr.includes(':')),
    hostnameOverride: string(file['hostnameOverride'], '') || undefined,
    nodePortAddresses: list(file['nodePortAddresses']),
    healthzBindAddress: bindAddress(string(file['healthzBindAddress'], ''), '0.0.0.0', 10_256),
    metricsBindAddress: bindAddress(string(file['metricsBindAddress'], ''), '127.0.0.1', 10_249),
    iptables: {
      masqueradeAll: iptables['masqueradeAll'] === true,
      masqueradeBit: typeof iptables['masqueradeBit'] === 'number' ? iptables['masqueradeBit'] : 14,
      localhostNodePorts: iptables['localhostNodePorts'] !== false,
      minSyncMs: durationMs(iptables['minSyncPeriod']) ?? 1000,
    },
    ipvs: {
      scheduler: string(ipvs['scheduler'], ''),
      strictARP: ipvs['strictARP'] === true,
      excludeCIDRs: list(ipvs['excludeCIDRs']),
      minSyncMs: durationMs(ipvs['minSyncPeriod']) ?? 1000,
      tcpTimeout: (durationMs(ipvs['tcpTimeout']) ?? 0) / 1000,
      tcpFinTimeout: (durationMs(ipvs['tcpFinTimeout']) ?? 0) / 1000,
      udpTimeout: (durationMs(ipvs['udpTimeout']) ?? 0) / 1000,
    },
  };
}

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function string(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function bindAddress(text: string, host: string, port: number): string {
  if (text === '') return `${host}:${port}`;
  return text.includes(':') ? text : `${text}:${port}`;
}

/** A Go duration in ms; undefined for none or zero, which both mean the default. */
function durationMs(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(amount) * units[unit!]!;
  return total > 0 ? total : undefined;
}
