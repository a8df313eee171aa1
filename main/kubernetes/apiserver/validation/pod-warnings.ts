// Warnings about pods and pod templates (pkg/api/pod/warnings.go).
import type { ObjectMeta } from '../../api/meta.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { Container, PodSpec } from '../../api/types.ts';

const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region':
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone':
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type':
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Annotations that no longer do anything, or soon won't. */
const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod':
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  'seccomp.security.alpha.kubernetes.io/pod':
    'non-functional in v1.27+; use the "seccompProfile" field instead',
};
const SECCOMP_OF_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APP_ARMOR_OF_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/';

/** Kinds of volume that are on their way out, or out. */
const OLD_VOLUMES: Readonly<Record<string, string>> = {
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

/** Warnings about a pod or a template; `root` is the path of the whole, empty for a pod. */
export function podWarnings(spec: PodSpec | undefined, meta: ObjectMeta | undefined, root: string): string[] {
  if (spec === undefined) return [];
  const path = root === '' ? 'spec' : `${root}.spec`;
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {}).sort()) {
    const text = DEPRECATED_NODE_LABELS[key];
    if (text !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${text}`);
  }
  affinityWarnings(spec, `${path}.affinity`, warnings);
  for (const [index, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    if (constraint.labelSelector === undefined) {
      warnings.push(
        `${path}.topologySpreadConstraints[${index}].labelSelector: a null labelSelector results in matching no pod`,
      );
    }
  }
  const aliases = new Set<string>();
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries()) {
    if (aliases.has(ip))
      warnings.push(`${path}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`);
    aliases.add(ip);
  }
  annotationWarnings(meta, root === '' ? 'metadata' : `${root}.metadata`, warnings);
  for (const [index, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    if (name === '') warnings.push(`${path}.imagePullSecrets[${index}].name: invalid empty name ""`);
  }
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    for (const [kind, why] of Object.entries(OLD_VOLUMES))
      if (kind in volume) warnings.push(`${path}.volumes[${index}].${kind}: ${why}`);
    const { sources } = volume.projected ?? {};
    // A source that says nothing is none.
    if (
      volume.projected !== undefined &&
      (sources ?? []).every((source) => Object.keys(source).length === 0)
    ) {
      warnings.push(`volume ${JSON.stringify(volume.name)} (Projected) has no sources provided`);
    }
  }
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries())
      containerWarnings(container, `${path}.${list}[${index}]`, warnings);
  }
  return warnings;
}

function annotationWarnings(meta: ObjectMeta | undefined, path: string, warnings: string[]): void {
  for (const key of Object.keys(meta?.annotations ?? {}).sort()) {
    const text = key.startsWith(SECCOMP_OF_CONTAINER)
      ? DEPRECATED_ANNOTATIONS['seccomp.security.alpha.kubernetes.io/pod']
      : key.startsWith(APP_ARMOR_OF_CONTAINER)
        ? 'deprecated since v1.30; use the "appArmorProfile" field instead'
        : DEPRECATED_ANNOTATIONS[key];
    if (text !== undefined) warnings.push(`${path}.annotations[${key}]: ${text}`);
  }
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

function affinityWarnings({ affinity }: PodSpec, path: string, warnings: string[]): void {
  const terms = [
    ...(affinity?.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms ?? []).map((term, index) => ({
      term,
      at: `${path}.nodeAffinity.${REQUIRED}.nodeSelectorTerms[${index}]`,
    })),
    ...(affinity?.nodeAffinity?.[PREFERRED] ?? []).map(({ preference }, index) => ({
      term: preference,
      at: `${path}.nodeAffinity.${PREFERRED}[${index}].preference`,
    })),
  ];
  for (const { term, at } of terms) {
    for (const [index, { key }] of (term.matchExpressions ?? []).entries()) {
      const text = DEPRECATED_NODE_LABELS[key];
      if (text !== undefined) warnings.push(`${at}.matchExpressions[${index}].key: ${key} is ${text}`);
    }
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    for (const [index, { labelSelector }] of (affinity?.[kind]?.[REQUIRED] ?? []).entries())
      if (labelSelector === undefined)
        warnings.push(
          `${path}.${kind}.${REQUIRED}[${index}].labelSelector: a null labelSelector results in matching no pod`,
        );
    for (const [index, { podAffinityTerm }] of (affinity?.[kind]?.[PREFERRED] ?? []).entries())
      if (podAffinityTerm.labelSelector === undefined)
        warnings.push(
          `${path}.${kind}.${PREFERRED}[${index}].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod`,
        );
  }
}

function containerWarnings(container: Container, path: string, warnings: string[]): void {
  const names = new Set<string>();
  for (const [index, { name }] of (container.env ?? []).entries()) {
    if (names.has(name))
      warnings.push(
        `${path}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    names.add(name);
  }
  const ports = container.ports ?? [];
  for (const [index, port] of ports.entries()) {
    const earlier = ports.findIndex(
      (other, position) =>
        position < index &&
        other.containerPort === port.containerPort &&
        other.protocol === port.protocol &&
        other.hostPort === port.hostPort &&
        other.hostIP === port.hostIP,
    );
    if (earlier >= 0)
      warnings.push(`${path}.ports[${index}]: duplicate port definition with ${path}.ports[${earlier}]`);
  }
  for (const list of ['limits', 'requests'] as const) {
    const amounts = (container.resources?.[list] ?? {}) as Record<string, string | number>;
    for (const name of ['memory', 'ephemeral-storage']) {
      const value = amounts[name];
      if (value === undefined || (parseQuantity(value)?.nano ?? 0n) % 1_000_000_000n === 0n) continue;
      warnings.push(
        `${path}.resources.${list}[${name}]: fractional byte value ${JSON.stringify(String(value))} is invalid, must be an integer`,
      );
    }
  }
}
