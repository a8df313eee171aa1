// From what a command names (a pod, a deployment, a service) to a pod, and in it to a container (polymorphichelpers).
import { formatLabelSelector, labelSelectorOf, type LabelSelectorSpec } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Kubectl } from '../kubectl.ts';
import { TimedOut } from './wait-for.ts';
import type { AnyObject } from './builder.ts';
import type { Selected } from './selection.ts';

export interface ContainerSpec {
  readonly name: string;
  readonly image?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly ports?: readonly {
    readonly containerPort: number;
    readonly name?: string;
    readonly protocol?: string;
  }[];
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly signal?: number;
    readonly message?: string;
    readonly startedAt?: string;
    readonly finishedAt?: string;
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly image?: string;
  readonly imageID?: string;
  readonly containerID?: string;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export type PodObject = AnyObject & {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Record<string, string>;
    readonly creationTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly restartPolicy?: string;
    readonly containers: readonly ContainerSpec[];
    readonly initContainers?: readonly ContainerSpec[];
    readonly ephemeralContainers?: readonly ContainerSpec[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
};

/** The kind has no pods, or this one of it. */
class NoPods extends CommandError {}

/** The labels by which an object finds its pods. Throws NoPods for a kind that has none. */
export function podSelectorOf({ object, resource }: Pick<Selected, 'object' | 'resource'>): string {
  const spec = (object['spec'] ?? {}) as { selector?: unknown };
  switch (resource.kind) {
    case 'Service': {
      const selector = spec.selector as Record<string, string> | undefined;
      if (selector === undefined || Object.keys(selector).length === 0) {
        throw new NoPods(
          `invalid service '${object.metadata?.name ?? ''}': Service is defined without a selector`,
        );
      }
      return pairs(selector);
    }
    case 'ReplicationController':
      return pairs(spec.selector as Record<string, string>);
    case 'Deployment':
    case 'ReplicaSet':
    case 'DaemonSet':
    case 'StatefulSet':
    case 'Job':
      return formatLabelSelector(labelSelectorOf(spec.selector as LabelSelectorSpec));
    default:
      throw new NoPods(`selector for *${resource.version}.${resource.kind} not implemented`);
  }
}

function pairs(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

export async function listPods(
  kubectl: Kubectl,
  namespace: string,
  labelSelector: string,
): Promise<PodObject[]> {
  const { items } = await kubectl.api.json<{ items: PodObject[] | null }>({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/pods`,
    query: { labelSelector },
  });
  return (items ?? []).map((pod) => ({ ...pod, apiVersion: 'v1', kind: 'Pod' }));
}

/**
 * The pod itself, or one of the object's: waits up to `timeoutMs` for the first. `order` puts the preferred one first.
 * Throws CommandError; `verb` is for kinds that have no pods.
 */
export async function podOf(
  kubectl: Kubectl,
  selected: Selected,
  timeoutMs: number,
  order: (a: PodObject, b: PodObject) => number,
): Promise<{ pod: PodObject; count: number }> {
  if (selected.resource.kind === 'Pod') return { pod: selected.object as PodObject, count: 1 };
  const selector = attachSelectorOf(selected);
  const namespace = selected.namespace ?? kubectl.namespace;
  const started = kubectl.proc.clock.now();
  for (;;) {
    const found = await listPods(kubectl, namespace, selector);
    if (found.length > 0) return { pod: found.toSorted(order)[0]!, count: found.length };
    if (kubectl.proc.clock.now() - started >= timeoutMs)
      throw new TimedOut('timed out waiting for the condition');
    await kubectl.proc.sleep(500);
  }
}

function attachSelectorOf(selected: Selected): string {
  try {
    return podSelectorOf(selected);
  } catch (error) {
    if (!(error instanceof NoPods)) throw error;
    const { version, kind } = selected.resource;
    throw new CommandError(`cannot attach to *${version}.${kind}: ${error.message}`);
  }
}

/** Active first, ready first, then by age (controller.ActivePods, podutils). */
export function byActivity(a: PodObject, b: PodObject): number {
  const rank = (pod: PodObject): number[] => [
    pod.spec.nodeName === undefined ? 1 : 0,
    { Running: 0, Unknown: 1, Pending: 2 }[pod.status?.phase ?? ''] ?? 3,
    isReady(pod) ? 0 : 1,
  ];
  const [left, right] = [rank(a), rank(b)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return value - right[index]!;
  return (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1;
}

/** The other way about: those that log most to be read first (podutils.ByLogging). */
export function byLogging(a: PodObject, b: PodObject): number {
  const rank = (pod: PodObject): number[] => [
    pod.spec.nodeName === undefined ? 1 : 0,
    { Running: 0, Unknown: 1, Pending: 2 }[pod.status?.phase ?? ''] ?? 3,
    isReady(pod) ? 0 : 1,
  ];
  const [left, right] = [rank(a), rank(b)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return value - right[index]!;
  return (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1;
}

function isReady(pod: PodObject): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** Containers in the order in which `out of:` tells them: plain, ephemeral, init. */
function allContainerNames({ spec }: PodObject): string {
  return [
    ...spec.containers.map(({ name }) => name),
    ...(spec.ephemeralContainers ?? []).map(({ name }) => `${name} (ephem)`),
    ...(spec.initContainers ?? []).map(({ name }) => `${name} (init)`),
  ].join(', ');
}

export function hasContainer({ spec }: PodObject, wanted: string): boolean {
  return [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].some(
    ({ name }) => name === wanted,
  );
}

/** The default container: by annotation, or the first, which is told unless `quiet` (podcmd.FindOrDefaultContainerByName). */
export async function defaultContainer(kubectl: Kubectl, pod: PodObject, quiet: boolean): Promise<string> {
  const annotated = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (annotated !== undefined && annotated !== '') {
    if (hasContainer(pod, annotated)) return annotated;
    await kubectl.err(`Default container name "${annotated}" not found in pod ${pod.metadata.name}\n`);
  }
  const [first] = pod.spec.containers;
  if (first === undefined)
    throw new CommandError(
      `the pod ${pod.metadata.namespace}/${pod.metadata.name} does not have any containers`,
    );
  if (pod.spec.containers.length > 1 && !quiet)
    await kubectl.err(`Defaulted container "${first.name}" out of: ${allContainerNames(pod)}\n`);
  return first.name;
}
