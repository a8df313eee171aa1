// Describes a pod.
import { controllerOf, type DescribeWriter, timeText, type StringMap } from './writer.ts';
import { humanDuration } from '../../output/duration.ts';
import type { ContainerStatus } from '../../rest/pods.ts';
import {
  writeContainers,
  writeTolerations,
  writeVolumes,
  type FullContainer,
  type Toleration,
  type Volume,
} from './containers.ts';
import { member, writeOwnEvents, type Describer } from './describer.ts';

interface Spec {
  readonly priority: number;
  readonly priorityClassName: string;
  readonly runtimeClassName: string;
  readonly serviceAccountName: string;
  readonly nodeName: string;
  readonly readinessGates: readonly { readonly conditionType: string }[];
  readonly initContainers: readonly FullContainer[];
  readonly containers: readonly FullContainer[];
  readonly ephemeralContainers: readonly FullContainer[];
  readonly volumes: readonly Volume[];
  readonly nodeSelector: StringMap;
  readonly tolerations: readonly Toleration[];
  readonly topologySpreadConstraints: readonly {
    readonly topologyKey: string;
    readonly whenUnsatisfiable: string;
    readonly maxSkew: number;
    readonly labelSelector?: { readonly matchLabels?: StringMap };
  }[];
  readonly securityContext: {
    readonly seccompProfile?: { readonly type: string; readonly localhostProfile?: string };
  };
}

interface Status {
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly hostIP: string;
  readonly podIP: string;
  readonly podIPs: readonly { readonly ip: string }[];
  readonly startTime: string;
  readonly qosClass: string;
  readonly nominatedNodeName: string;
  readonly conditions: readonly { readonly type: string; readonly status: string }[];
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  readonly ephemeralContainerStatuses: readonly ContainerStatus[];
}

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

export const describePod: Describer = async (describing) => {
  const { kubectl, w, object } = describing;
  const metadata = object.metadata as unknown as Metadata;
  const spec = member<Spec>(object, 'spec');
  const status = member<Status>(object, 'status');
  w.write(0, `Name:\t${metadata.name}\n`);
  w.write(0, `Namespace:\t${metadata.namespace}\n`);
  if (spec.priority !== undefined) w.write(0, `Priority:\t${spec.priority}\n`);
  if (spec.priorityClassName) w.write(0, `Priority Class Name:\t${spec.priorityClassName}\n`);
  if (spec.runtimeClassName) w.write(0, `Runtime Class Name:\t${spec.runtimeClassName}\n`);
  if (spec.serviceAccountName) w.write(0, `Service Account:\t${spec.serviceAccountName}\n`);
  w.write(0, spec.nodeName ? `Node:\t${spec.nodeName}/${status.hostIP ?? ''}\n` : 'Node:\t<none>\n');
  if (status.startTime !== undefined) w.write(0, `Start Time:\t${timeText(status.startTime)}\n`);
  w.labels('Labels', metadata.labels);
  w.annotations('Annotations', metadata.annotations);
  if (metadata.deletionTimestamp !== undefined && status.phase !== 'Failed' && status.phase !== 'Succeeded') {
    w.write(
      0,
      `Status:\tTerminating (lasts ${humanDuration(kubectl.proc.clock.now() - Date.parse(metadata.deletionTimestamp))})\n`,
    );
    w.write(0, `Termination Grace Period:\t${metadata.deletionGracePeriodSeconds ?? 0}s\n`);
  } else w.write(0, `Status:\t${status.phase ?? ''}\n`);
  if (status.reason) w.write(0, `Reason:\t${status.reason}\n`);
  if (status.message) w.write(0, `Message:\t${status.message}\n`);
  const seccomp = spec.securityContext?.seccompProfile;
  if (seccomp !== undefined) {
    w.write(0, `SeccompProfile:\t${seccomp.type}\n`);
    if (seccomp.type === 'Localhost') w.write(0, `LocalhostProfile:\t${seccomp.localhostProfile ?? ''}\n`);
  }
  w.write(0, `IP:\t${status.podIP ?? ''}\n`);
  if ((status.podIPs ?? []).length === 0) w.write(0, 'IPs:\t<none>\n');
  else {
    w.write(0, 'IPs:\n');
    for (const { ip } of status.podIPs!) w.write(1, `IP:\t${ip}\n`);
  }
  const controller = controllerOf(object.metadata as Parameters<typeof controllerOf>[0]);
  if (controller !== undefined) w.write(0, `Controlled By:\t${controller}\n`);
  if (status.nominatedNodeName) w.write(0, `NominatedNodeName:\t${status.nominatedNodeName}\n`);
  const resolve = fieldResolver(metadata);
  if ((spec.initContainers ?? []).length > 0)
    writeContainers(
      w,
      'Init Containers',
      spec.initContainers!,
      status.initContainerStatuses ?? [],
      '',
      resolve,
    );
  writeContainers(w, 'Containers', spec.containers ?? [], status.containerStatuses ?? [], '', resolve);
  if ((spec.ephemeralContainers ?? []).length > 0)
    writeContainers(
      w,
      'Ephemeral Containers',
      spec.ephemeralContainers!,
      status.ephemeralContainerStatuses ?? [],
      '',
      resolve,
    );
  writeConditions(w, spec, status);
  writeVolumes(w, spec.volumes ?? [], '');
  w.write(0, `QoS Class:\t${status.qosClass ?? 'BestEffort'}\n`);
  w.labels('Node-Selectors', spec.nodeSelector);
  writeTolerations(w, 'Tolerations', spec.tolerations);
  (spec.topologySpreadConstraints ?? []).forEach(
    ({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }, index) => {
      const selector = Object.entries(labelSelector?.matchLabels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(',');
      w.write(
        0,
        `${index === 0 ? 'Topology Spread Constraints:' : ''}\t${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded for selector ${selector}\n`,
      );
    },
  );
  await writeOwnEvents(describing);
};

function writeConditions(
  w: DescribeWriter,
  { readinessGates = [] }: Partial<Spec>,
  { conditions = [] }: Partial<Status>,
): void {
  if (readinessGates.length > 0) {
    w.write(0, 'Readiness Gates:\n  Type\tStatus\n');
    for (const { conditionType } of readinessGates) {
      w.write(
        1,
        `${conditionType} \t${conditions.find(({ type }) => type === conditionType)?.status ?? '<none>'} \n`,
      );
    }
  }
  if (conditions.length === 0) return;
  w.write(0, 'Conditions:\n  Type\tStatus\n');
  for (const { type, status } of conditions) w.write(1, `${type} \t${status} \n`);
}

/** Names, labels and the like are known from the pod; addresses come from the kubelet and are left out. */
function fieldResolver(metadata: Metadata): (fieldPath: string) => string {
  return (path) => {
    const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
    if (keyed !== null) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
    if (path === 'metadata.name') return metadata.name;
    if (path === 'metadata.namespace') return metadata.namespace;
    return path === 'metadata.uid' ? metadata.uid : '';
  };
}
