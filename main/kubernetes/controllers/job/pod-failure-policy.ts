// spec.podFailurePolicy: what the way a pod failed means for its Job (KEP-3329; pkg/controller/job/pod_failure_policy.go).
import type { ContainerStatus, Job, Pod, Stored } from '../../api/index.ts';

type Policy = NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>;
type Rule = Policy['rules'][number];

export interface FailureVerdict {
  readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  /** For FailJob. */
  readonly message?: string;
}

const COUNTED: FailureVerdict = { action: 'Count' };

/** What the first matching rule says of a failed pod; it counts where none matches. */
export function judgeFailure(job: Job, pod: Stored<Pod>): FailureVerdict {
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const words = matchOf(rule, pod);
    if (words === undefined) continue;
    const action = rule.action as FailureVerdict['action'];
    return action === 'FailJob'
      ? { action, message: `${words} matching ${action} rule at index ${index}` }
      : { action };
  }
  return COUNTED;
}

/** How a rule matches, in the words of the condition; undefined if it doesn't. */
function matchOf(rule: Rule, pod: Stored<Pod>): string | undefined {
  const { name, namespace } = pod.metadata;
  if (rule.onExitCodes !== undefined) {
    const found = exitCodeMatch(rule.onExitCodes, pod);
    if (found === undefined) return undefined;
    return `Container ${found.name} for pod ${namespace}/${name} failed with exit code ${found.state!.terminated!.exitCode}`;
  }
  for (const pattern of rule.onPodConditions ?? []) {
    const found = pod.status?.conditions?.find(
      ({ type, status }) => type === pattern.type && status === (pattern.status ?? 'True'),
    );
    if (found !== undefined) return `Pod ${namespace}/${name} has condition ${found.type}`;
  }
  return undefined;
}

function exitCodeMatch(
  { containerName, operator, values }: NonNullable<Rule['onExitCodes']>,
  { status }: Pod,
): ContainerStatus | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return all.find(({ name, state }) => {
    if (containerName !== undefined && containerName !== name) return false;
    const exitCode = state?.terminated?.exitCode;
    if (exitCode === undefined || exitCode === 0) return false;
    return values.includes(exitCode) === (operator === 'In');
  });
}
