// PodSecurity: namespaces say by labels which level their pods must keep to (k8s.io/pod-security-admission).
import type { Pod, PodSpec } from '../../api/types.ts';
import { isTree, type ApiObject } from '../object.ts';
import { forbidden, invalid, invalidValue, type FieldError } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { violationsOf, type Level, type Violation } from './pod-security-checks.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'];
/** Existing pods that are looked at when a namespace's level changes. */
const PODS_CHECKED_MAX = 3000;

interface Policy {
  readonly level: Level;
  readonly version: string;
}

type Labels = Readonly<Record<string, string>> | undefined;

function policyOf(labels: Labels, mode: string): Policy {
  const level = labels?.[PREFIX + mode] ?? 'privileged';
  return {
    level: (LEVELS.includes(level) ? level : 'restricted') as Level,
    version: labels?.[`${PREFIX}${mode}-version`] ?? 'latest',
  };
}

const told = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  validate(request) {
    const { operation, served, object, context } = request;
    if (operation === 'DELETE' || object === undefined) return;
    if (served.resource.plural === 'namespaces' && served.resource.group === '') checkNamespace(request);
    if (!served.resource.namespaced || context.subresource === 'status') return;
    const spec = podSpecOf(served.resource.plural, object);
    if (spec === undefined) return;
    const namespace = context.objects.get('namespaces', '', '', object.metadata?.namespace ?? '');
    const labels = namespace?.metadata.labels;
    if (labels === undefined) return;
    const isPod = served.resource.plural === 'pods';
    if (isPod && operation === 'UPDATE' && context.subresource !== 'ephemeralcontainers') return;
    const enforced = policyOf(labels, 'enforce');
    const annotations = isPod ? object.metadata?.annotations : undefined;
    const found = violationsOf(spec, enforced.level, annotations);
    const name = (policy: Policy): string =>
      `PodSecurity ${JSON.stringify(`${policy.level}:${policy.version}`)}`;
    if (isPod && found.length > 0)
      throw forbidden(
        served.resource,
        object.metadata?.name ?? '',
        `violates ${name(enforced)}: ${told(found)}`,
      );
    const warned = labels[`${PREFIX}warn`] === undefined ? enforced : policyOf(labels, 'warn');
    const warnings = violationsOf(spec, warned.level, annotations);
    if (warnings.length > 0) context.warn(`would violate ${name(warned)}: ${told(warnings)}`);
  },
};

/** The pod, or the pod template, that an object is about. */
function podSpecOf(plural: string, object: ApiObject): PodSpec | undefined {
  const spec = object['spec'];
  switch (plural) {
    case 'pods':
      return (object as Pod).spec;
    case 'deployments':
    case 'replicasets':
    case 'statefulsets':
    case 'daemonsets':
    case 'jobs':
    case 'replicationcontrollers':
      return templateOf(spec);
    case 'cronjobs':
      return isTree(spec) && isTree(spec['jobTemplate'])
        ? templateOf(spec['jobTemplate']['spec'])
        : undefined;
    default:
      return undefined;
  }
}

function templateOf(spec: unknown): PodSpec | undefined {
  const template = isTree(spec) ? spec['template'] : undefined;
  return isTree(template) ? (template['spec'] as PodSpec | undefined) : undefined;
}

function checkNamespace({ operation, object, old, context }: AdmissionRequest): void {
  const labels = object?.metadata?.labels;
  const before = old?.metadata.labels;
  const name = object?.metadata?.name ?? '';
  const errors: FieldError[] = [];
  for (const mode of ['enforce', 'audit', 'warn']) {
    const level = labels?.[PREFIX + mode];
    if (level !== undefined && level !== before?.[PREFIX + mode] && !LEVELS.includes(level)) {
      errors.push(
        invalidValue(`metadata.labels[${PREFIX}${mode}]`, level, `must be one of ${LEVELS.join(', ')}`),
      );
    }
  }
  if (errors.length > 0) throw invalid('', 'Namespace', name, errors);
  const policy = policyOf(labels, 'enforce');
  if (operation !== 'UPDATE' || policy.level === policyOf(before, 'enforce').level) return;
  warnOfPods(name, policy, context);
}

/** Pods that are there already stay, but whoever tightens a level is told of them. */
function warnOfPods(name: string, policy: Policy, context: AdmissionRequest['context']): void {
  const groups = new Map<string, string[]>();
  for (const pod of context.objects.list('pods', '', name).slice(0, PODS_CHECKED_MAX)) {
    const found = violationsOf((pod as Pod).spec!, policy.level);
    if (found.length === 0) continue;
    const key = found.map(({ reason }) => reason).join(', ');
    groups.set(key, [...(groups.get(key) ?? []), pod.metadata.name]);
  }
  if (groups.size === 0) return;
  context.warn(
    `existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level ${JSON.stringify(`${policy.level}:${policy.version}`)}`,
  );
  for (const [reasons, pods] of groups) {
    const others = pods.length - 1;
    const more = others === 0 ? '' : ` (and ${others} other pod${others === 1 ? '' : 's'})`;
    context.warn(`${pods[0]}${more}: ${reasons}`);
  }
}
