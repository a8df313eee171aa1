// Which pods a quota counts by its scopes, and how much a pod counts for (pkg/quota/v1/evaluator/core/pods.go).
import { addQuantities, compareQuantities, type Pod, type ResourceQuota } from '../api/index.ts';

/** Whether a pod is in all scopes of a quota; one without scopes counts every pod. */
export function isPodInScopes(pod: Pod, { spec }: ResourceQuota): boolean {
  return (
    (spec?.scopes ?? []).every((scope) => isInScope(pod, scope, 'Exists', [])) &&
    (spec?.scopeSelector?.matchExpressions ?? []).every(({ scopeName, operator, values = [] }) =>
      isInScope(pod, scopeName, operator, values),
    )
  );
}

function isInScope(pod: Pod, scope: string, operator: string, values: readonly string[]): boolean {
  const isTerminating = pod.spec?.activeDeadlineSeconds !== undefined;
  const isBestEffort = pod.status?.qosClass === 'BestEffort';
  switch (scope) {
    case 'Terminating':
      return isTerminating;
    case 'NotTerminating':
      return !isTerminating;
    case 'BestEffort':
      return isBestEffort;
    case 'NotBestEffort':
      return !isBestEffort;
    case 'PriorityClass':
      return fits(pod.spec?.priorityClassName ?? '', operator, values);
    case 'CrossNamespacePodAffinity':
      return looksAcross(pod);
    default:
      return false;
  }
}

function fits(word: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'In') return values.includes(word);
  if (operator === 'NotIn') return !values.includes(word);
  return (word !== '') === (operator === 'Exists');
}

/** Whether it is placed by pods of other namespaces. */
function looksAcross({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((part) =>
    [
      ...(part?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(part?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => each.podAffinityTerm),
    ].some(
      ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
    ),
  );
}

/** What a pod asks for: its containers and sidecars together, or an init container if that takes more, and the overhead. */
export function podAmount(pod: Pod, side: 'requests' | 'limits', resource: string): string | undefined {
  let sum: string | undefined;
  const add = (to: string | undefined, amount: string | number | undefined): string | undefined =>
    amount === undefined ? to : to === undefined ? String(amount) : addQuantities(to, amount);
  const larger = (a: string | undefined, b: string | undefined): string | undefined =>
    a === undefined || (b !== undefined && compareQuantities(b, a) > 0) ? b : a;
  for (const container of pod.spec?.containers ?? []) sum = add(sum, container.resources?.[side]?.[resource]);
  let sidecars: string | undefined;
  let peak: string | undefined;
  for (const container of pod.spec?.initContainers ?? []) {
    const amount = container.resources?.[side]?.[resource];
    if (container.restartPolicy === 'Always') {
      sidecars = add(sidecars, amount);
      peak = larger(peak, sidecars);
    } else peak = larger(peak, add(sidecars, amount));
  }
  const running = add(sum, sidecars);
  const whole = larger(running, peak);
  return whole === undefined ? undefined : add(whole, pod.spec?.overhead?.[resource]);
}
