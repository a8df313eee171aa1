// Printers of what extends or carries a cluster, by plural: admission, storage drivers, addresses, flow control, devices.
import type { Printer } from '../kinds/kind.ts';
import { textAt, type StoredObject } from '../object.ts';
import { age, AGE, META, NAME, NONE, printer, UNSET } from './columns.ts';

const STORAGE = '@io.k8s.api.storage.v1';
const FLOW = '@io.k8s.api.flowcontrol.v1';
const RESOURCE = '@io.k8s.api.resource.v1';

const orElse = (text: string, other: string): string => (text === '' ? other : text);

const webhookPrinter = printer<{ webhooks?: readonly unknown[] }>(
  [NAME, 'i:Webhooks|Webhooks indicates the number of webhooks registered in this configuration', AGE],
  (object, nowMs) => [object.metadata.name, object.webhooks?.length ?? 0, age(object, nowMs)],
);

interface PolicySpec {
  readonly validations?: readonly unknown[];
  readonly paramKind?: { readonly apiVersion?: string; readonly kind?: string };
}

interface BindingSpec {
  readonly policyName?: string;
  readonly paramRef?: { readonly name?: string; readonly namespace?: string };
}

function paramRefText({ paramRef }: BindingSpec): string {
  if (paramRef === undefined) return UNSET;
  const { name = '', namespace = '' } = paramRef;
  if (name === '') return '*';
  return namespace === '' ? name : `${namespace}/${name}`;
}

interface DriverSpec {
  readonly attachRequired?: boolean;
  readonly podInfoOnMount?: boolean;
  readonly storageCapacity?: boolean;
  readonly requiresRepublish?: boolean;
  readonly tokenRequests?: readonly { readonly audience?: string }[];
  readonly volumeLifecycleModes?: readonly string[];
}

interface LevelSpec {
  readonly type?: string;
  readonly limited?: {
    readonly nominalConcurrencyShares?: number;
    readonly limitResponse?: {
      readonly queuing?: {
        readonly queues?: number;
        readonly handSize?: number;
        readonly queueLengthLimit?: number;
      };
    };
  };
  readonly exempt?: { readonly nominalConcurrencyShares?: number };
}

interface FlowSpec {
  readonly matchingPrecedence?: number;
  readonly priorityLevelConfiguration?: { readonly name?: string };
  readonly distinguisherMethod?: { readonly type?: string };
}

type Conditioned = StoredObject & {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/** Whether a FlowSchema names a priority level that isn't there; unknown until somebody looked. */
function danglingText(object: StoredObject): string {
  const { status } = object as Conditioned;
  return status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?';
}

const shown = (value: number | undefined): string => (value === undefined ? NONE : String(value));

export const platformPrinters: Readonly<Record<string, Printer>> = {
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
  mutatingwebhookconfigurations: webhookPrinter,
  validatingwebhookconfigurations: webhookPrinter,
  validatingadmissionpolicies: printer<{ spec?: PolicySpec }>(
    [
      NAME,
      'i:Validations|Validations indicates the number of validation rules defined in this configuration',
      'ParamKind|ParamKind specifies the kind of resources used to parameterize this policy',
      AGE,
    ],
    (object, nowMs) => {
      const { paramKind } = object.spec ?? {};
      return [
        object.metadata.name,
        object.spec?.validations?.length ?? 0,
        paramKind === undefined ? UNSET : `${paramKind.apiVersion}/${paramKind.kind}`,
        age(object, nowMs),
      ];
    },
  ),
  validatingadmissionpolicybindings: printer<{ spec?: BindingSpec }>(
    [
      NAME,
      'PolicyName|PolicyName indicates the policy definition which the policy binding binded to',
      'ParamRef|ParamRef indicates the param resource which sets the configration param',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.policyName ?? '',
      paramRefText(object.spec ?? {}),
      age(object, nowMs),
    ],
  ),
  csidrivers: printer<{ spec?: DriverSpec }>(
    [
      NAME,
      `b:AttachRequired|${STORAGE}.CSIDriverSpec.attachRequired`,
      `b:PodInfoOnMount|${STORAGE}.CSIDriverSpec.podInfoOnMount`,
      `b:StorageCapacity|${STORAGE}.CSIDriverSpec.storageCapacity`,
      `TokenRequests|${STORAGE}.CSIDriverSpec.tokenRequests`,
      `b:RequiresRepublish|${STORAGE}.CSIDriverSpec.requiresRepublish`,
      `Modes|${STORAGE}.CSIDriverSpec.volumeLifecycleModes`,
      AGE,
    ],
    ({ metadata, spec = {}, ...rest }, nowMs) => [
      metadata.name,
      spec.attachRequired ?? true,
      spec.podInfoOnMount ?? false,
      spec.storageCapacity ?? false,
      orElse((spec.tokenRequests ?? []).map(({ audience = '' }) => audience).join(','), UNSET),
      spec.requiresRepublish ?? false,
      orElse((spec.volumeLifecycleModes ?? []).join(','), '<none>'),
      age({ metadata, ...rest } as StoredObject, nowMs),
    ],
  ),
  csinodes: printer<{ spec?: { drivers?: readonly unknown[] } }>(
    [NAME, 'i:Drivers|Drivers indicates the number of CSI drivers registered on the node', AGE],
    (object, nowMs) => [object.metadata.name, object.spec?.drivers?.length ?? 0, age(object, nowMs)],
  ),
  csistoragecapacities: printer<object>(
    [
      NAME,
      `StorageClassName|${STORAGE}.CSIStorageCapacity.storageClassName`,
      `Capacity|${STORAGE}.CSIStorageCapacity.capacity`,
    ],
    (object) => [
      object.metadata.name,
      textAt(object, 'storageClassName'),
      orElse(textAt(object, 'capacity'), UNSET),
    ],
  ),
  volumeattachments: printer<{ status?: { attached?: boolean } }>(
    [
      NAME,
      `Attacher|${STORAGE}.VolumeAttachmentSpec.attacher`,
      `PV|${STORAGE}.VolumeAttachmentSource.persistentVolumeName`,
      `Node|${STORAGE}.VolumeAttachmentSpec.nodeName`,
      `b:Attached|${STORAGE}.VolumeAttachmentStatus.attached`,
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      textAt(object, 'spec', 'attacher'),
      textAt(object, 'spec', 'source', 'persistentVolumeName'),
      textAt(object, 'spec', 'nodeName'),
      object.status?.attached ?? false,
      age(object, nowMs),
    ],
  ),
  volumeattributesclasses: printer<object>(
    [NAME, `DriverName|${STORAGE}.VolumeAttributesClass.driverName`, AGE],
    (object, nowMs) => [object.metadata.name, textAt(object, 'driverName'), age(object, nowMs)],
  ),
  ipaddresses: printer<object>(
    [NAME, 'ParentRef|@io.k8s.api.networking.v1.IPAddressSpec.parentRef'],
    (object) => {
      const part = (name: string): string => textAt(object, 'spec', 'parentRef', name);
      const group = part('group');
      const path = [part('resource') + (group === '' ? '' : `.${group}`), part('namespace'), part('name')];
      return [object.metadata.name, path.filter((text) => text !== '').join('/')];
    },
  ),
  servicecidrs: printer<{ spec?: { cidrs?: readonly string[] } }>(
    [NAME, 'CIDRs|@io.k8s.api.networking.v1.ServiceCIDRSpec.cidrs', AGE],
    (object, nowMs) => [object.metadata.name, (object.spec?.cidrs ?? []).join(','), age(object, nowMs)],
  ),
  flowschemas: printer<{ spec?: FlowSpec }>(
    [
      NAME,
      `PriorityLevel|${FLOW}.PriorityLevelConfigurationReference.name`,
      `i:MatchingPrecedence|${FLOW}.FlowSchemaSpec.matchingPrecedence`,
      `DistinguisherMethod|${FLOW}.FlowSchemaSpec.distinguisherMethod`,
      AGE,
      `MissingPL|${FLOW}.FlowSchemaStatus.conditions`,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.priorityLevelConfiguration?.name ?? '',
      object.spec?.matchingPrecedence ?? 0,
      object.spec?.distinguisherMethod?.type ?? NONE,
      age(object, nowMs),
      danglingText(object),
    ],
  ),
  prioritylevelconfigurations: printer<{ spec?: LevelSpec }>(
    [
      NAME,
      `Type|${FLOW}.PriorityLevelConfigurationSpec.type`,
      `NominalConcurrencyShares|${FLOW}.LimitedPriorityLevelConfiguration.nominalConcurrencyShares`,
      `Queues|${FLOW}.QueuingConfiguration.queues`,
      `HandSize|${FLOW}.QueuingConfiguration.handSize`,
      `QueueLengthLimit|${FLOW}.QueuingConfiguration.queueLengthLimit`,
      AGE,
    ],
    (object, nowMs) => {
      const { type = '', limited } = object.spec ?? {};
      const queuing = limited?.limitResponse?.queuing;
      return [
        object.metadata.name,
        type,
        shown(limited?.nominalConcurrencyShares),
        shown(queuing?.queues),
        shown(queuing?.handSize),
        shown(queuing?.queueLengthLimit),
        age(object, nowMs),
      ];
    },
  ),
  deviceclasses: printer<object>([NAME, AGE], (object, nowMs) => [object.metadata.name, age(object, nowMs)]),
  resourceclaims: printer<{ status?: { allocation?: unknown; reservedFor?: readonly unknown[] } }>(
    [NAME, 'State|A summary of the current state (allocated, pending, reserved, etc.).', AGE],
    (object, nowMs) => {
      const states = [
        ...(object.metadata.deletionTimestamp === undefined ? [] : ['deleted']),
        ...(object.status?.allocation === undefined ? ['pending'] : ['allocated']),
        ...((object.status?.reservedFor?.length ?? 0) > 0 ? ['reserved'] : []),
      ];
      return [object.metadata.name, states.join(','), age(object, nowMs)];
    },
  ),
  resourceclaimtemplates: printer<object>([NAME, AGE], (object, nowMs) => [
    object.metadata.name,
    age(object, nowMs),
  ]),
  resourceslices: printer<object>(
    [
      NAME,
      `Node|${RESOURCE}.ResourceSliceSpec.nodeName`,
      `Driver|${RESOURCE}.ResourceSliceSpec.driver`,
      `Pool|${RESOURCE}.ResourcePool.name`,
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      orElse(textAt(object, 'spec', 'nodeName'), NONE),
      textAt(object, 'spec', 'driver'),
      textAt(object, 'spec', 'pool', 'name'),
      age(object, nowMs),
    ],
  ),
  // The one table whose name column has no format (registerScaleHandlers).
  Scale: unformatted(
    printer<{ spec?: { replicas?: number }; status?: { replicas?: number } }>(
      [
        `Name|${META}.name`,
        'i:Desired|@io.k8s.api.autoscaling.v1.ScaleSpec.replicas',
        'i:Available|@io.k8s.api.autoscaling.v1.ScaleStatus.replicas',
        AGE,
      ],
      (object, nowMs) => [
        object.metadata.name,
        object.spec?.replicas ?? 0,
        object.status?.replicas ?? 0,
        age(object, nowMs),
      ],
    ),
  ),
};

function unformatted(printer: Printer): Printer {
  return {
    get columns() {
      return printer.columns.map((column) => ({
        ...column,
        description: column.description,
        format: '',
      }));
    },
    row: printer.row.bind(printer),
  };
}
