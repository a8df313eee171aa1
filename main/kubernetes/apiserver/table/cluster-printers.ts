// The printers of nodes, namespaces, configuration, events and the rest (pkg/printers/internalversion).
import type { Event, Lease, Node, PriorityClass, Secret } from '../../api/types.ts';
import type { Printer } from '../kinds/kind.ts';
import { AGE, META, NAME, NONE, age, printer } from './columns.ts';
import { ageOf } from './duration.ts';
import { CORE } from './cells.ts';

const nodePrinter = printer<Node>(
  [
    NAME,
    'Status|The status of the node',
    'Roles|The roles of the node',
    AGE,
    `Version|@${CORE}.NodeSystemInfo.kubeletVersion`,
    `Internal-IP*|@${CORE}.NodeStatus.addresses`,
    `External-IP*|@${CORE}.NodeStatus.addresses`,
    `OS-Image*|@${CORE}.NodeSystemInfo.osImage`,
    `Kernel-Version*|@${CORE}.NodeSystemInfo.kernelVersion`,
    `Container-Runtime*|@${CORE}.NodeSystemInfo.containerRuntimeVersion`,
  ],
  (node, nowMs) => {
    const ready = (node.status?.conditions ?? []).find(({ type }) => type === 'Ready');
    const status = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
    const roles = new Set<string>();
    for (const [label, value] of Object.entries(node.metadata.labels ?? {})) {
      if (label.startsWith('node-role.kubernetes.io/'))
        roles.add(label.slice('node-role.kubernetes.io/'.length));
      else if (label === 'kubernetes.io/role' && value !== '') roles.add(value);
    }
    const address = (type: string): string =>
      (node.status?.addresses ?? []).find((item) => item.type === type)?.address ?? NONE;
    const known = (text: string | undefined): string =>
      text === undefined || text === '' ? '<unknown>' : text;
    const info = node.status?.nodeInfo;
    return [
      node.metadata.name,
      node.spec?.unschedulable === true ? `${status},SchedulingDisabled` : status,
      roles.size === 0 ? NONE : [...roles].sort().join(','),
      age(node, nowMs),
      info?.kubeletVersion ?? '',
      address('InternalIP'),
      address('ExternalIP'),
      known(info?.osImage),
      known(info?.kernelVersion),
      known(info?.containerRuntimeVersion),
    ];
  },
);

function eventTimes(event: Event, nowMs: number): [last: string, first: string, count: number] {
  const { firstTimestamp, lastTimestamp, eventTime, series, count } = event;
  const first = firstTimestamp ?? eventTime;
  let last = lastTimestamp ?? undefined;
  let times = count ?? 1;
  if (series !== undefined) {
    last = series.lastObservedTime ?? last;
    times = series.count ?? times;
  } else if (last === undefined || last === null) last = eventTime;
  const firstText = ageOf(first, nowMs);
  const lastText = ageOf(last, nowMs);
  return [times > 1 ? `${lastText} (x${times} over ${firstText})` : lastText, firstText, times];
}

interface ApiService {
  readonly spec?: { readonly service?: { readonly namespace?: string; readonly name?: string } };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
  };
}

function availabilityText({ status }: ApiService): string {
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`;
}

export const clusterPrinters: Readonly<Record<string, Printer>> = {
  nodes: nodePrinter,
  configmaps: printer<{ data?: object; binaryData?: object }>(
    [NAME, `Data|@${CORE}.ConfigMap.data`, AGE],
    (object, nowMs) => [
      object.metadata.name,
      Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
      age(object, nowMs),
    ],
  ),
  secrets: printer<Secret>(
    [NAME, `Type|@${CORE}.Secret.type`, `Data|@${CORE}.Secret.data`, AGE],
    (object, nowMs) => [
      object.metadata.name,
      object.type ?? '',
      Object.keys(object.data ?? {}).length,
      age(object, nowMs),
    ],
  ),
  serviceaccounts: printer<object>([NAME, AGE], (object, nowMs) => [
    object.metadata.name,
    age(object, nowMs),
  ]),
  namespaces: printer<{ status?: { phase?: string } }>(
    [NAME, 'Status|The status of the namespace', AGE],
    (object, nowMs) => [object.metadata.name, object.status?.phase ?? '', age(object, nowMs)],
  ),
  events: printer<Event>(
    [
      `Last Seen|@${CORE}.Event.lastTimestamp`,
      `Type|@${CORE}.Event.type`,
      `Reason|@${CORE}.Event.reason`,
      `Object|@${CORE}.Event.involvedObject`,
      `Subobject*|@${CORE}.ObjectReference.fieldPath`,
      `Source*|@${CORE}.Event.source`,
      `Message|@${CORE}.Event.message`,
      `First Seen*|@${CORE}.Event.firstTimestamp`,
      `Count*|@${CORE}.Event.count`,
      `Name*|${META}.name`,
    ],
    (event, nowMs) => {
      const [last, first, count] = eventTimes(event, nowMs);
      const { kind = '', name = '', fieldPath = '' } = event.involvedObject;
      const source = event.source?.component ?? event.reportingComponent ?? '';
      const host = event.source?.host ?? '';
      return [
        last,
        event.type ?? '',
        event.reason ?? '',
        name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
        fieldPath,
        host === '' ? source : `${source}, ${host}`,
        (event.message ?? '').trim(),
        first,
        count,
        event.metadata.name,
      ];
    },
  ),
  leases: printer<Lease>(
    [NAME, 'Holder|@io.k8s.api.coordination.v1.LeaseSpec.holderIdentity', AGE],
    (object, nowMs) => [object.metadata.name, object.spec?.holderIdentity ?? '', age(object, nowMs)],
  ),
  // Of a subresource, by its kind.
  priorityclasses: printer<PriorityClass>(
    [
      NAME,
      'i:Value|@io.k8s.api.scheduling.v1.PriorityClass.value',
      'b:Global-Default|@io.k8s.api.scheduling.v1.PriorityClass.globalDefault',
      AGE,
      'PreemptionPolicy|@io.k8s.api.scheduling.v1.PriorityClass.preemptionPolicy',
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.value ?? 0,
      object.globalDefault ?? false,
      age(object, nowMs),
      object.preemptionPolicy ?? '',
    ],
  ),
  runtimeclasses: printer<{ handler?: string }>([NAME, 'Handler|', AGE], (object, nowMs) => [
    object.metadata.name,
    object.handler ?? '',
    age(object, nowMs),
  ]),
  customresourcedefinitions: printer<object>([NAME, `d:Created At|${META}.creationTimestamp`], (object) => [
    object.metadata.name,
    object.metadata.creationTimestamp,
  ]),
  apiservices: printer<ApiService>(
    [
      NAME,
      'Service|The reference to the service that hosts this API endpoint.',
      'Available|Whether this service is available.',
      AGE,
    ],
    (object, nowMs) => {
      const { service } = object.spec ?? {};
      return [
        object.metadata.name,
        service === undefined ? 'Local' : `${service.namespace}/${service.name}`,
        availabilityText(object),
        age(object, nowMs),
      ];
    },
  ),
  componentstatuses: printer<{
    conditions?: readonly { type: string; status: string; message?: string; error?: string }[];
  }>(
    [
      NAME,
      'Status|Status of the component conditions',
      'Message|Message of the component conditions',
      'Error|Error of the component conditions',
    ],
    (object) => {
      const healthy = object.conditions?.find(({ type }) => type === 'Healthy');
      const status =
        healthy?.status === 'True' ? 'Healthy' : healthy?.status === 'False' ? 'Unhealthy' : 'Unknown';
      return [object.metadata.name, status, healthy?.message ?? '', healthy?.error ?? ''];
    },
  ),
};
