// The kubelet's configuration: what KubeletConfiguration and its flags say, with upstream's defaults.
import { parse } from 'yaml';
import { quantityValue, type Taint } from '../api/index.ts';
import { EVICTION_HARD_DEFAULT, type ThresholdTexts } from './eviction-thresholds.ts';

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
  readonly registerWithTaints: readonly Taint[];
  /** Memory that is never promised to pods: the hard eviction threshold. */
  readonly evictionMemoryBytes: number;
  /** By signal: how much must be left, as `100Mi` or `10%`. */
  readonly evictionHard: ThresholdTexts;
  readonly evictionSoft: ThresholdTexts;
  /** How long a soft threshold must be met, by signal. */
  readonly evictionSoftGraceMs: Readonly<Record<string, number>>;
  /** The longest that a pod evicted softly is given to end. */
  readonly evictionMaxPodGraceSeconds: number;
  /** How long a pressure condition outlasts its cause. */
  readonly evictionPressureTransitionMs: number;
  /** Images are collected from this share of the disk on, until no more than the other is used. */
  readonly imageGcHighPercent: number;
  readonly imageGcLowPercent: number;
  readonly imageMinimumGcAgeMs: number;
  /** A container's log is put aside when it has grown to this, */
  readonly containerLogMaxBytes: number;
  /** and so many files of it are kept, the present one among them. */
  readonly containerLogMaxFiles: number;
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
    registerWithTaints: [],
    evictionMemoryBytes: 100 * 1024 * 1024,
    evictionHard: EVICTION_HARD_DEFAULT,
    evictionSoft: {},
    evictionSoftGraceMs: {},
    evictionMaxPodGraceSeconds: 0,
    evictionPressureTransitionMs: 5 * 60_000,
    imageGcHighPercent: 85,
    imageGcLowPercent: 80,
    imageMinimumGcAgeMs: 2 * 60_000,
    containerLogMaxBytes: 10 * 1024 * 1024,
    containerLogMaxFiles: 5,
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
  const number = (name: string, otherwise: number): number =>
    typeof fields[name] === 'number' ? fields[name] : otherwise;
  const evictionHard = textsOf(fields['evictionHard']) ?? base.evictionHard;
  return {
    ...base,
    evictionHard,
    evictionMemoryBytes: memoryHeldBack(evictionHard),
    evictionSoft: textsOf(fields['evictionSoft']) ?? base.evictionSoft,
    evictionSoftGraceMs: durationsOf(fields['evictionSoftGracePeriod']) ?? base.evictionSoftGraceMs,
    evictionMaxPodGraceSeconds: number('evictionMaxPodGracePeriod', base.evictionMaxPodGraceSeconds),
    evictionPressureTransitionMs: duration(
      'evictionPressureTransitionPeriod',
      base.evictionPressureTransitionMs,
    ),
    imageGcHighPercent: number('imageGCHighThresholdPercent', base.imageGcHighPercent),
    imageGcLowPercent: number('imageGCLowThresholdPercent', base.imageGcLowPercent),
    imageMinimumGcAgeMs: duration('imageMinimumGCAge', base.imageMinimumGcAgeMs),
    containerLogMaxBytes: sizeOf(fields['containerLogMaxSize']) ?? base.containerLogMaxBytes,
    containerLogMaxFiles: number('containerLogMaxFiles', base.containerLogMaxFiles),
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

function textsOf(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

function durationsOf(value: unknown): Record<string, number> | undefined {
  const texts = textsOf(value);
  if (texts === undefined) return undefined;
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, parseDurationMs(text) ?? 0]));
}

function sizeOf(value: unknown): number | undefined {
  return typeof value === 'string' && value !== '' ? quantityValue(value) : undefined;
}

/** A share of memory isn't held back: how much it is depends on the machine. */
function memoryHeldBack(hard: ThresholdTexts): number {
  const text = hard['memory.available'] ?? '0';
  return text.endsWith('%') ? 0 : quantityValue(text);
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
