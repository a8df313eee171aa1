// The printers of who may do what and how much: roles, quotas, admission, priority and fairness (pkg/printers/internalversion).
import type { ClusterRoleBinding, ResourceQuota } from '../../api/types.ts';
import type { Cell, Printer } from '../kinds/kind.ts';
import { type StoredObject, textAt } from '../object.ts';
import { AGE, META, NAME, NONE, UNSET, age, printer } from './columns.ts';
import { humanDuration } from './duration.ts';

function quotaCells({ status, spec }: ResourceQuota): [string, string] {
  const requests: string[] = [];
  const limits: string[] = [];
  const hard = status?.hard ?? spec?.hard ?? {};
  for (const name of Object.keys(hard).sort()) {
    const text = `${name}: ${status?.used?.[name] ?? 0}/${hard[name]}`;
    (name.startsWith('limits.') ? limits : requests).push(text);
  }
  return [requests.join(', '), limits.join(', ')];
}

const createdAt = printer<object>([NAME, `d:Created At|${META}.creationTimestamp`], ({ metadata }) => [
  metadata.name,
  metadata.creationTimestamp,
]);

const FLOW = 'io.k8s.api.flowcontrol.v1';

interface ParamKind {
  readonly apiVersion?: string;
  readonly kind?: string;
}

interface AdmissionPolicy {
  readonly spec?: {
    readonly validations?: readonly unknown[];
    readonly mutations?: readonly unknown[];
    readonly paramKind?: ParamKind;
  };
}

interface AdmissionPolicyBinding {
  readonly spec?: {
    readonly policyName?: string;
    readonly paramRef?: { readonly name?: string; readonly namespace?: string };
  };
}

interface FlowSchema {
  readonly spec?: {
    readonly priorityLevelConfiguration?: { readonly name?: string };
    readonly matchingPrecedence?: number;
    readonly distinguisherMethod?: { readonly type?: string };
  };
  readonly status?: { readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] };
}

interface PriorityLevel {
  readonly spec?: {
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
  };
}

const BINDING_COLUMNS = [
  NAME,
  'PolicyName|PolicyName indicates the policy definition which the policy binding binded to',
  'ParamRef|ParamRef indicates the param resource which sets the configration param',
  AGE,
];

function bindingRow(object: AdmissionPolicyBinding & StoredObject, nowMs: number): Cell[] {
  const { policyName = '', paramRef } = object.spec ?? {};
  const place = paramRef?.namespace ?? '*';
  const param =
    paramRef === undefined ? UNSET : paramRef.name === undefined ? '*' : `${place}/${paramRef.name}`;
  return [object.metadata.name, policyName, param, age(object, nowMs)];
}

function paramKindText(kind: ParamKind | undefined): string {
  return kind === undefined ? UNSET : `${kind.apiVersion}/${kind.kind}`;
}

/** What is matched first comes first. */
function byPrecedence(printer: Printer): Printer {
  const precedence = (object: StoredObject): number => Number(textAt(object, 'spec', 'matchingPrecedence'));
  return {
    get columns() {
      return printer.columns;
    },
    row: (object, nowMs) => printer.row(object, nowMs),
    order: (a, b) => precedence(a) - precedence(b),
  };
}

function subjectCells(binding: ClusterRoleBinding): [string, string, string] {
  const of = (kind: string): string =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
      .join(', ');
  return [of('User'), of('Group'), of('ServiceAccount')];
}

const RBAC = 'io.k8s.api.rbac.v1';
const bindingPrinter = (schema: string): Printer =>
  printer<ClusterRoleBinding>(
    [
      NAME,
      `Role|@${RBAC}.${schema}.roleRef`,
      AGE,
      'Users*|Users in the roleBinding',
      'Groups*|Groups in the roleBinding',
      'ServiceAccounts*|ServiceAccounts in the roleBinding',
    ],
    (binding, nowMs) => [
      binding.metadata.name,
      `${binding.roleRef.kind}/${binding.roleRef.name}`,
      age(binding, nowMs),
      ...subjectCells(binding),
    ],
  );

export const policyPrinters: Readonly<Record<string, Printer>> = {
  resourcequotas: printer<ResourceQuota>(
    [
      NAME,
      'Request|Request represents a minimum amount of cpu/memory that a container may consume.',
      'Limit|Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      AGE,
    ],
    (object, nowMs) => [object.metadata.name, ...quotaCells(object), age(object, nowMs)],
  ),
  limitranges: createdAt,
  roles: createdAt,
  clusterroles: createdAt,
  rolebindings: bindingPrinter('RoleBinding'),
  clusterrolebindings: bindingPrinter('ClusterRoleBinding'),
  validatingwebhookconfigurations: printer<{ webhooks?: unknown[] }>(
    [NAME, 'i:Webhooks|Webhooks indicates the number of webhooks registered in this configuration', AGE],
    (object, nowMs) => [object.metadata.name, object.webhooks?.length ?? 0, age(object, nowMs)],
  ),
  mutatingwebhookconfigurations: printer<{ webhooks?: unknown[] }>(
    [NAME, 'i:Webhooks|Webhooks indicates the number of webhooks registered in this configuration', AGE],
    (object, nowMs) => [object.metadata.name, object.webhooks?.length ?? 0, age(object, nowMs)],
  ),
  validatingadmissionpolicies: printer<AdmissionPolicy>(
    [
      NAME,
      'i:Validations|Validations indicates the number of validation rules defined in this configuration',
      'ParamKind|ParamKind specifies the kind of resources used to parameterize this policy',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.validations?.length ?? 0,
      paramKindText(object.spec?.paramKind),
      age(object, nowMs),
    ],
  ),
  validatingadmissionpolicybindings: printer<AdmissionPolicyBinding>(BINDING_COLUMNS, bindingRow),
  mutatingadmissionpolicies: printer<AdmissionPolicy>(
    [
      NAME,
      'i:Mutations|Mutation indicates the number of mutations rules defined in this configuration',
      'ParamKind|ParamKind specifies the kind of resources used to parameterize this policy',
      AGE,
    ],
    (object, nowMs) => [
      object.metadata.name,
      object.spec?.mutations?.length ?? 0,
      paramKindText(object.spec?.paramKind),
      age(object, nowMs),
    ],
  ),
  mutatingadmissionpolicybindings: printer<AdmissionPolicyBinding>(BINDING_COLUMNS, bindingRow),
  flowschemas: byPrecedence(
    printer<FlowSchema>(
      [
        NAME,
        `PriorityLevel|@${FLOW}.PriorityLevelConfigurationReference.name`,
        `i:MatchingPrecedence|@${FLOW}.FlowSchemaSpec.matchingPrecedence`,
        `DistinguisherMethod|@${FLOW}.FlowSchemaSpec.distinguisherMethod`,
        AGE,
        `MissingPL|@${FLOW}.FlowSchemaStatus.conditions`,
      ],
      (object, nowMs) => [
        object.metadata.name,
        object.spec?.priorityLevelConfiguration?.name ?? '',
        object.spec?.matchingPrecedence ?? 0,
        object.spec?.distinguisherMethod?.type ?? NONE,
        age(object, nowMs),
        object.status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
      ],
    ),
  ),
  prioritylevelconfigurations: printer<PriorityLevel>(
    [
      NAME,
      `Type|@${FLOW}.PriorityLevelConfigurationSpec.type`,
      `NominalConcurrencyShares|@${FLOW}.LimitedPriorityLevelConfiguration.nominalConcurrencyShares`,
      `Queues|@${FLOW}.QueuingConfiguration.queues`,
      `HandSize|@${FLOW}.QueuingConfiguration.handSize`,
      `QueueLengthLimit|@${FLOW}.QueuingConfiguration.queueLengthLimit`,
      AGE,
    ],
    (object, nowMs) => {
      const { type = '', limited } = object.spec ?? {};
      const queuing = limited?.limitResponse?.queuing;
      return [
        object.metadata.name,
        type,
        limited === undefined ? NONE : (limited.nominalConcurrencyShares ?? 0),
        queuing?.queues ?? NONE,
        queuing?.handSize ?? NONE,
        queuing?.queueLengthLimit ?? NONE,
        age(object, nowMs),
      ];
    },
  ),
  certificatesigningrequests: printer<object>(
    [
      NAME,
      AGE,
      'SignerName|@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.signerName',
      'Requestor|@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.username',
      'RequestedDuration|@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.expirationSeconds',
      'Condition|@io.k8s.api.certificates.v1.CertificateSigningRequestStatus.conditions',
    ],
    (object, nowMs) => {
      const conditions =
        ((object as StoredObject)['status'] as
          | { conditions?: { type: string }[]; certificate?: string }
          | undefined) ?? {};
      const types = (conditions.conditions ?? []).map(({ type }) => type);
      const verdict = types.length === 0 ? 'Pending' : types.join(',');
      const seconds = textAt(object, 'spec', 'expirationSeconds');
      return [
        object.metadata.name,
        age(object, nowMs),
        textAt(object, 'spec', 'signerName') || NONE,
        textAt(object, 'spec', 'username'),
        seconds === '' ? NONE : humanDuration(Number(seconds) * 1000),
        conditions.certificate === undefined ? verdict : `${verdict},Issued`,
      ];
    },
  ),
};
