// Describes a node: its conditions, resources, pods, and what they have claimed.
import { addQuantities, canonicalQuantity, isStatus, quantityMilliValue } from '../../../api/index.ts';
import { humanDuration } from '../../output/duration.ts';
import type { AnyObject } from '../../rest/builder.ts';
import type { PodObject } from '../../rest/pods.ts';
import { member, type Describer, type Describing } from './describer.ts';
import { eventsOf, sortEvents, writeEvents } from './events.ts';
import { timeText, type StringMap } from './writer.ts';

/** Go's zero time, which conditions show where they have none. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

interface Status {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly lastHeartbeatTime?: string;
    readonly lastTransitionTime?: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  readonly capacity: StringMap;
  readonly allocatable: StringMap;
  readonly nodeInfo: StringMap;
}

export const describeNode: Describer = async (describing) => {
  const { kubectl, w, object, showEvents } = describing;
  const spec = member<{
    taints: readonly { key: string; value?: string; effect: string }[];
    unschedulable: boolean;
    podCIDR: string;
    podCIDRs: readonly string[];
    providerID: string;
  }>(object, 'spec');
  const status = member<Status>(object, 'status');
  const metadata = object.metadata as {
    name: string;
    labels?: StringMap;
    annotations?: StringMap;
    creationTimestamp?: string;
    uid: string;
  };
  const roles = Object.keys(metadata.labels ?? {})
    .filter((key) => key.startsWith('node-role.kubernetes.io/'))
    .map((key) => key.slice(24))
    .sort();
  w.write(0, `Name:\t${metadata.name}\nRoles:\t${roles.join(',') || '<none>'}\n`);
  w.labels('Labels', metadata.labels);
  w.annotations('Annotations', metadata.annotations);
  w.write(0, `CreationTimestamp:\t${timeText(metadata.creationTimestamp)}\n`);
  const taints = (spec.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`,
  );
  if (taints.length === 0) w.write(0, 'Taints:\t<none>\n');
  else taints.sort().forEach((taint, index) => w.write(0, `${index === 0 ? 'Taints:' : ''}\t${taint}\n`));
  w.write(0, `Unschedulable:\t${spec.unschedulable === true}\n`);
  await writeLease(describing, metadata.name);
  if ((status.conditions ?? []).length > 0) {
    w.write(0, 'Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n');
    w.write(1, '----\t------\t-----------------\t------------------\t------\t-------\n');
    for (const each of status.conditions!) {
      w.write(
        1,
        `${each.type} \t${each.status} \t${timeText(each.lastHeartbeatTime ?? ZERO_TIME)} \t${timeText(each.lastTransitionTime ?? ZERO_TIME)} \t${each.reason ?? ''} \t${each.message ?? ''}\n`,
      );
    }
  }
  w.write(0, 'Addresses:\n');
  for (const { type, address } of status.addresses ?? []) w.write(1, `${type}:\t${address}\n`);
  for (const [title, list] of [
    ['Capacity', status.capacity],
    ['Allocatable', status.allocatable],
  ] as const) {
    if (Object.keys(list ?? {}).length === 0) continue;
    w.write(0, `${title}:\n`);
    for (const name of Object.keys(list!).sort()) w.write(1, `${name}:\t${list![name]}\n`);
  }
  const info = status.nodeInfo ?? {};
  w.write(0, 'System Info:\n');
  for (const [title, key] of SYSTEM_INFO) w.write(1, `${title}:\t${info[key] ?? ''}\n`);
  if (spec.podCIDR) w.write(0, `PodCIDR:\t${spec.podCIDR}\n`);
  if ((spec.podCIDRs ?? []).length > 0) w.write(0, `PodCIDRs:\t${spec.podCIDRs!.join(',')}\n`);
  if (spec.providerID) w.write(0, `ProviderID:\t${spec.providerID}\n`);
  await writePods(describing, metadata.name, status.allocatable ?? status.capacity ?? {});
  if (!showEvents) return;
  // Controllers name a node by its uid in their events, the kubelet by its name.
  const byName = await eventsOf(kubectl, object, 'Node', metadata.name);
  const events = [
    ...(metadata.uid === metadata.name ? [] : await eventsOf(kubectl, object, 'Node', metadata.uid)),
    ...byName,
  ];
  writeEvents(w, kubectl, sortEvents(events));
};

const SYSTEM_INFO = [
  ['Machine ID', 'machineID'],
  ['System UUID', 'systemUUID'],
  ['Boot ID', 'bootID'],
  ['Kernel Version', 'kernelVersion'],
  ['OS Image', 'osImage'],
  ['Operating System', 'operatingSystem'],
  ['Architecture', 'architecture'],
  ['Container Runtime Version', 'containerRuntimeVersion'],
  ['Kubelet Version', 'kubeletVersion'],
  ['Kube-Proxy Version', 'kubeProxyVersion'],
] as const;

async function writeLease({ kubectl, w }: Describing, name: string): Promise<void> {
  try {
    const lease = await kubectl.api.json<AnyObject>({
      method: 'GET',
      path: `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`,
    });
    const spec = member<{ holderIdentity: string; acquireTime: string; renewTime: string }>(lease, 'spec');
    w.write(0, 'Lease:\n');
    w.write(1, `HolderIdentity:\t${spec.holderIdentity ?? '<unset>'}\n`);
    w.write(1, `AcquireTime:\t${timeText(spec.acquireTime)}\n`);
    w.write(1, `RenewTime:\t${timeText(spec.renewTime)}\n`);
  } catch (error) {
    if (isStatus(error, 'NotFound'))
      w.write(0, 'Lease:\n  HolderIdentity:\t<unset>\n  AcquireTime:\t<unset>\n  RenewTime:\t<unset>\n');
    else if (!isStatus(error, 'Forbidden')) throw error;
  }
}

type Which = 'requests' | 'limits';
interface Resources {
  readonly resources?: { readonly requests?: StringMap; readonly limits?: StringMap };
  readonly restartPolicy?: string;
}

/** A sum in the format of what was first not nothing. */
function add(a: string, b: string): string {
  return a === '0' ? b : addQuantities(a, b);
}

/** What a pod claims of a resource: its containers together, or its greediest init container (PodRequestsAndLimits). */
function claimed(pod: PodObject, which: Which, name: string): string {
  const amount = (container: Resources): string => container.resources?.[which]?.[name] ?? '0';
  const initial = (pod.spec.initContainers ?? []) as readonly Resources[];
  const sidecars = initial.filter(({ restartPolicy }) => restartPolicy === 'Always');
  let sum = '0';
  for (const container of [...(pod.spec.containers as readonly Resources[]), ...sidecars])
    sum = add(sum, amount(container));
  for (const container of initial)
    if (quantityMilliValue(amount(container)) > quantityMilliValue(sum)) sum = amount(container);
  return sum;
}

async function writePods({ kubectl, w }: Describing, node: string, allocatable: StringMap): Promise<void> {
  const { items } = await kubectl.api.json<{ items: PodObject[] | null }>({
    method: 'GET',
    path: '/api/v1/pods',
    query: {
      fieldSelector: `spec.nodeName=${node},status.phase!=Succeeded,status.phase!=Failed`,
      limit: '500',
    },
  });
  const pods = items ?? [];
  const now = kubectl.proc.clock.now();
  const percent = (quantity: string, name: string): string => {
    const whole = quantityMilliValue(allocatable[name] ?? '0');
    return `${canonicalQuantity(quantity)} (${whole === 0 ? 0 : Math.trunc((quantityMilliValue(quantity) / whole) * 100)}%)`;
  };
  w.write(0, `Non-terminated Pods:\t(${pods.length} in total)\n`);
  w.write(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n');
  w.write(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n');
  for (const pod of pods) {
    const cells = (['cpu', 'memory'] as const).flatMap((name) => [
      percent(claimed(pod, 'requests', name), name),
      percent(claimed(pod, 'limits', name), name),
    ]);
    const age =
      pod.metadata.creationTimestamp === undefined
        ? '<unknown>'
        : humanDuration(now - Date.parse(pod.metadata.creationTimestamp));
    w.write(1, `${pod.metadata.namespace}\t${pod.metadata.name}\t\t${cells.join('\t')}\t${age}\n`);
  }
  w.write(0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n');
  w.write(1, 'Resource\tRequests\tLimits\n');
  w.write(1, '--------\t--------\t------\n');
  const total = (which: Which, name: string): string =>
    pods.map((pod) => claimed(pod, which, name)).reduce(add, '0');
  const others = Object.keys(allocatable)
    .filter((name) => !['cpu', 'memory', 'ephemeral-storage', 'pods'].includes(name))
    .sort();
  for (const name of ['cpu', 'memory', 'ephemeral-storage', ...others]) {
    w.write(
      1,
      `${name}\t${percent(total('requests', name), name)}\t${percent(total('limits', name), name)}\n`,
    );
  }
}
