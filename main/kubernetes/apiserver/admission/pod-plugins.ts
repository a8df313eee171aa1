// DefaultTolerationSeconds, Priority and RuntimeClass: what pods get unless they say otherwise.
import type { Pod, PriorityClass, Toleration } from '../../api/types.ts';
import type { ApiObject } from '../object.ts';
import { forbidden } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** Seconds for which pods stay on a node that is not ready or unreachable. */
const TOLERATION_SECONDS = 300;
const NODE_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

function podOf({ served, object }: AdmissionRequest): (Pod & ApiObject) | undefined {
  return served.resource.plural === 'pods' && served.resource.group === ''
    ? (object as Pod & ApiObject)
    : undefined;
}

function tolerates(toleration: Toleration, key: string): boolean {
  const sameKey = toleration.key === key || (toleration.key ?? '') === '';
  return sameKey && (toleration.effect === 'NoExecute' || (toleration.effect ?? '') === '');
}

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate(request) {
    const pod = podOf(request);
    if (pod?.spec === undefined || request.operation !== 'CREATE') return;
    const given = pod.spec.tolerations ?? [];
    const missing = NODE_TAINTS.filter((key) => !given.some((toleration) => tolerates(toleration, key)));
    if (missing.length === 0) return;
    pod.spec.tolerations = [
      ...given,
      ...missing.map((key) => ({
        key,
        operator: 'Exists' as const,
        effect: 'NoExecute' as const,
        tolerationSeconds: TOLERATION_SECONDS,
      })),
    ];
  },
};

export const priority: AdmissionPlugin = {
  name: 'Priority',
  mutate(request) {
    const pod = podOf(request);
    if (pod?.spec === undefined || request.operation !== 'CREATE') return;
    const { spec } = pod;
    const classes = request.context.objects;
    let value = 0;
    let policy = 'PreemptLowerPriority';
    if ((spec.priorityClassName ?? '') === '') {
      const byDefault = (classes.list('priorityclasses', 'scheduling.k8s.io') as readonly PriorityClass[])
        .filter(({ globalDefault }) => globalDefault === true)
        .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
      if (byDefault !== undefined) {
        spec.priorityClassName = byDefault.metadata?.name;
        value = byDefault.value ?? 0;
        policy = byDefault.preemptionPolicy ?? policy;
      }
    } else {
      const named = classes.get('priorityclasses', 'scheduling.k8s.io', '', spec.priorityClassName!) as
        | PriorityClass
        | undefined;
      if (named === undefined) {
        throw forbidden(
          request.served.resource,
          pod.metadata?.name ?? '',
          `no PriorityClass with name ${spec.priorityClassName} was found`,
        );
      }
      value = named.value ?? 0;
      policy = named.preemptionPolicy ?? policy;
    }
    if (spec.priority !== undefined && spec.priority !== value) {
      throw forbidden(
        request.served.resource,
        pod.metadata?.name ?? '',
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    spec.priority = value;
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
      throw forbidden(
        request.served.resource,
        pod.metadata?.name ?? '',
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    }
    spec.preemptionPolicy = policy as typeof spec.preemptionPolicy;
  },
};
