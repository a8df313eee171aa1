// Warnings about what is accepted but unwise (pkg/api/pod/warnings.go, pkg/api/service/warnings.go).
import type { Container, Pod, PodSpec, PodTemplateSpec, Service } from '../../api/types.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { Kind } from '../kinds/kind.ts';
import { equalTrees } from '../object.ts';

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

function podWarnings(spec: PodSpec | undefined, path: string): string[] {
  if (spec === undefined) return [];
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {}).sort()) {
    const text = DEPRECATED_NODE_LABELS[key];
    if (text !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${text}`);
  }
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
  for (const [index, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    if (name === '') warnings.push(`${path}.imagePullSecrets[${index}].name: invalid empty name ""`);
  }
  for (const volume of spec.volumes ?? []) {
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

function serviceWarnings({ spec }: Service): string[] {
  const warnings: string[] = [];
  if (spec?.clusterIP === 'None' && spec.sessionAffinity === 'ClientIP')
    warnings.push('spec.SessionAffinity is ignored for headless services');
  if ((spec?.externalIPs ?? []).length > 0) {
    warnings.push(
      spec?.type === 'ExternalName'
        ? 'spec.externalIPs is ignored when spec.type is "ExternalName"'
        : 'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    );
  }
  return warnings;
}

type WithTemplate = { readonly spec?: { readonly template?: unknown } };

function templateWarnings(object: unknown): string[] {
  const template = (object as WithTemplate).spec?.template as PodTemplateSpec | undefined;
  return podWarnings(template?.spec, 'spec.template.spec');
}

const TEMPLATED = new Set([
  'deployments',
  'replicasets',
  'daemonsets',
  'statefulsets',
  'jobs',
  'replicationcontrollers',
]);

/** The function that finds a kind's warnings. */
export function warningsOf(plural: string): Kind['warnings'] {
  if (plural === 'pods')
    return (object, old) =>
      old !== undefined && equalTrees(object['spec'], old['spec'])
        ? []
        : podWarnings((object as Pod).spec, 'spec');
  if (plural === 'podtemplates')
    return (object, old) =>
      old !== undefined && equalTrees(object['template'], old['template'])
        ? []
        : podWarnings((object['template'] as PodTemplateSpec | undefined)?.spec, 'template.spec');
  if (plural === 'services')
    return (object, old) =>
      old !== undefined && equalTrees(object['spec'], old['spec']) ? [] : serviceWarnings(object as Service);
  if (TEMPLATED.has(plural))
    return (object, old) =>
      old !== undefined && equalTrees(object['spec'], old['spec']) ? [] : templateWarnings(object);
  return undefined;
}
