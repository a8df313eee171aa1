// The kubelet's configuration: what KubeletConfiguration and its flags say, with upstream's defaults.
import { parse } from 'yaml';
import type { Taint } from '../api/index.ts';

export interface KubeletConfig {
  readonly nodeName: string;
  /** The node's InternalIP. */
  readonly nodeIP: string;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  readonly podsMax: number;
  /** Folder of static pod manifests; undefined reads none. */
  readonly staticPodPath: string | undefined;
  /** How often the state is computed and the lease renewed. */
  readonly nodeStatusUpdateMs: number;
  /** How often an unchanged state is reported all the same. */
  readonly nodeStatusReportMs: number;
  readonly nodeLeaseDurationSeconds: number;
  /** How often a running pod is looked at though nothing happened: volumes follow their ConfigMaps then. */
  readonly syncFrequencyMs: number;
  readonly cgroupDriver: 'systemd' | 'cgroupfs';
  readonly serializeImagePulls: boolean;
  readonly resolvConf: string;
  readonly rootDirectory: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly registerWithTaints: readonly Taint[];
  /** Memory that is never promised to pods: the hard eviction threshold. */
  readonly evictionMemoryBytes: number;
}

/** A KubeletConfig with every default but the node's name and address. */
export function defaultKubeletConfig(node: Pick<KubeletConfig, 'nodeName' | 'nodeIP'>): KubeletConfig {
  return {
    ...node,
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    podsMax: 110,
    staticPodPath: '/etc/kubernetes/manifests',
    nodeStatusUpdateMs: 10_000,
    nodeStatusReportMs: 300_000,
    nodeLeaseDurationSeconds: 40,
    syncFrequencyMs: 60_000,
    cgroupDriver: 'systemd',
    serializeImagePulls: true,
    resolvConf: '/etc/resolv.conf',
    rootDirectory: '/var/lib/kubelet',
    nodeLabels: {},
    registerWithTaints: [],
    evictionMemoryBytes: 100 * 1024 * 1024,
  };
}

/** Overlays a KubeletConfiguration file (kubelet.config.k8s.io/v1beta1) on `base`. Throws when it isn't YAML of that kind. */
export function readKubeletConfig(text: string, base: KubeletConfig): KubeletConfig {
  const file: unknown = parse(text);
  if (
    typeof file !== 'object' ||
    file === null ||
    !('kind' in file) ||
    file.kind !== 'KubeletConfiguration'
  ) {
    throw new Error(
      'failed to load Kubelet config file: no kind "KubeletConfiguration" is registered for it',
    );
  }
  const fields = file as Record<string, unknown>;
  const text_ = (name: string, otherwise: string): string =>
    typeof fields[name] === 'string' && fields[name] !== '' ? fields[name] : otherwise;
  const duration = (name: string, otherwise: number): number => parseDurationMs(fields[name]) ?? otherwise;
  return {
    ...base,
    clusterDNS: Array.isArray(fields['clusterDNS']) ? fields['clusterDNS'].map(String) : base.clusterDNS,
    clusterDomain: text_('clusterDomain', base.clusterDomain),
    podsMax: typeof fields['maxPods'] === 'number' ? fields['maxPods'] : base.podsMax,
    staticPodPath: typeof fields['staticPodPath'] === 'string' ? fields['staticPodPath'] : base.staticPodPath,
    nodeStatusUpdateMs: duration('nodeStatusUpdateFrequency', base.nodeStatusUpdateMs),
    nodeStatusReportMs: duration('nodeStatusReportFrequency', base.nodeStatusReportMs),
    syncFrequencyMs: duration('syncFrequency', base.syncFrequencyMs),
    cgroupDriver: fields['cgroupDriver'] === 'cgroupfs' ? 'cgroupfs' : base.cgroupDriver,
    serializeImagePulls:
      typeof fields['serializeImagePulls'] === 'boolean'
        ? fields['serializeImagePulls']
        : base.serializeImagePulls,
    resolvConf: text_('resolvConf', base.resolvConf),
  };
}

/** A Go duration such as `10s`, `1m30s`, `500ms` in ms; undefined for none or zero, which mean the default. */
function parseDurationMs(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(amount) * units[unit!]!;
  return total > 0 ? total : undefined;
}
