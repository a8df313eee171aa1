// FlowSchemas and priority levels (pkg/apis/flowcontrol/validation).
import { subdomainProblems } from '../kinds/names.ts';
import { required } from '../refusals.ts';
import type { Faults } from './checks.ts';
import { validator, type Validator } from './validator.ts';

interface Subject {
  readonly kind?: string;
  readonly user?: { readonly name?: string };
  readonly group?: { readonly name?: string };
  readonly serviceAccount?: { readonly name?: string; readonly namespace?: string };
}

interface ResourceRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly clusterScope?: boolean;
}

interface Rule {
  readonly subjects?: readonly Subject[];
  readonly resourceRules?: readonly ResourceRule[];
  readonly nonResourceRules?: readonly {
    readonly verbs?: readonly string[];
    readonly nonResourceURLs?: readonly string[];
  }[];
}

interface FlowSchema {
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly matchingPrecedence?: number;
    readonly distinguisherMethod?: { readonly type?: string };
    readonly priorityLevelConfiguration?: { readonly name?: string };
    readonly rules?: readonly Rule[];
  };
}

const PRECEDENCE_MAX = 10_000;
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

function checkSchema(faults: Faults, { metadata, spec = {} }: FlowSchema): void {
  const precedence = spec.matchingPrecedence ?? 0;
  const field = 'spec.matchingPrecedence';
  if (precedence <= 0) faults.invalid(field, precedence, 'must be a positive value');
  if (precedence > PRECEDENCE_MAX)
    faults.invalid(field, precedence, `must not be greater than ${PRECEDENCE_MAX}`);
  if (precedence === 1 && metadata?.name !== 'exempt')
    faults.invalid(field, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  faults.word('spec.distinguisherMethod', spec.distinguisherMethod?.type, ['ByNamespace', 'ByUser']);
  const level = spec.priorityLevelConfiguration?.name ?? '';
  if (level === '')
    faults.add(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
  else faults.subdomain('spec.priorityLevelConfiguration.name', level);
  for (const [index, rule] of (spec.rules ?? []).entries()) checkRule(faults, `spec.rules[${index}]`, rule);
}

function checkRule(faults: Faults, at: string, rule: Rule): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0)
    faults.add(required(`${at}.subjects`, 'subjects must contain at least one value'));
  for (const [index, subject] of subjects.entries())
    checkSubject(faults, `${at}.subjects[${index}]`, subject);
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    faults.add(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  for (const [index, each] of resourceRules.entries()) {
    const path = `${at}.resourceRules[${index}]`;
    checkVerbs(faults, `${path}.verbs`, each.verbs ?? []);
    checkStarred(faults, `${path}.apiGroups`, each.apiGroups ?? [], 'api group', 'api groups');
    checkStarred(faults, `${path}.resources`, each.resources ?? [], 'resource', 'resources');
    const namespaces = each.namespaces ?? [];
    if (namespaces.length === 0 && each.clusterScope !== true)
      faults.add(
        required(
          `${path}.namespaces`,
          'resource rules that are not cluster scoped must supply at least one namespace',
        ),
      );
    if (namespaces.length > 1 && namespaces.includes('*'))
      faults.invalid(
        `${path}.namespaces`,
        namespaces,
        "if '*' is present, must not specify other namespaces",
      );
  }
  for (const [index, { verbs = [], nonResourceURLs = [] }] of nonResourceRules.entries()) {
    const path = `${at}.nonResourceRules[${index}]`;
    checkVerbs(faults, `${path}.verbs`, verbs);
    if (nonResourceURLs.length === 0)
      faults.add(required(`${path}.nonResourceURLs`, 'nonResourceURLs must contain at least one value'));
    else if (nonResourceURLs.length > 1 && nonResourceURLs.includes('*'))
      faults.invalid(
        `${path}.nonResourceURLs`,
        nonResourceURLs,
        "if '*' is present, must not specify other non-resource URLs",
      );
  }
}

function checkVerbs(faults: Faults, field: string, verbs: readonly string[]): void {
  if (verbs.length === 0) faults.add(required(field, 'verbs must contain at least one value'));
  else if (verbs.includes('*')) {
    if (verbs.length > 1) faults.invalid(field, verbs, "if '*' is present, must not specify other verbs");
  } else if (!verbs.every((verb) => VERBS.includes(verb))) faults.unsupported(field, verbs, VERBS);
}

function checkStarred(
  faults: Faults,
  field: string,
  values: readonly string[],
  one: string,
  many: string,
): void {
  if (values.length === 0) faults.add(required(field, `resource rules must supply at least one ${one}`));
  else if (values.length > 1 && values.includes('*'))
    faults.invalid(field, values, `if '*' is present, must not specify other ${many}`);
}

function checkSubject(faults: Faults, at: string, subject: Subject): void {
  const { kind = '', user, group, serviceAccount } = subject;
  const members = {
    User: ['user', user],
    Group: ['group', group],
    ServiceAccount: ['serviceAccount', serviceAccount],
  } as const;
  if (!(kind in members)) {
    faults.unsupported(`${at}.kind`, kind, ['Group', 'ServiceAccount', 'User']);
    return;
  }
  for (const [name, [field, value]] of Object.entries(members)) {
    if (name === kind && value === undefined)
      faults.add(required(`${at}.${field}`, `${field} is required when subject kind is '${kind}'`));
    if (name !== kind && value !== undefined)
      faults.forbidden(`${at}.${field}`, `${field} is forbidden when subject kind is not '${name}'`);
  }
  const chosen = members[kind as keyof typeof members][1];
  if (chosen === undefined) return;
  const field = members[kind as keyof typeof members][0];
  if (faults.required(`${at}.${field}.name`, chosen.name) && kind === 'ServiceAccount' && chosen.name !== '*')
    faults.problems(`${at}.${field}.name`, chosen.name, subdomainProblems(chosen.name!));
  if (kind === 'ServiceAccount')
    faults.required(
      `${at}.${field}.namespace`,
      serviceAccount?.namespace,
      'must specify namespace for service account',
    );
}

interface PriorityLevel {
  readonly spec?: {
    readonly type?: string;
    readonly exempt?: { readonly nominalConcurrencyShares?: number; readonly lendablePercent?: number };
    readonly limited?: Limited;
  };
}

interface Limited {
  readonly nominalConcurrencyShares?: number;
  readonly lendablePercent?: number;
  readonly borrowingLimitPercent?: number;
  readonly limitResponse?: {
    readonly type?: string;
    readonly queuing?: {
      readonly queues?: number;
      readonly handSize?: number;
      readonly queueLengthLimit?: number;
    };
  };
}

const QUEUES_MAX = 10_000_000;

function checkLevel(faults: Faults, { spec = {} }: PriorityLevel): void {
  const { type = '', limited, exempt } = spec;
  if (type === 'Exempt') {
    if (limited !== undefined) faults.forbidden('spec.limited', 'must be nil if the type is not Limited');
    checkShares(faults, 'spec.exempt', exempt);
  } else if (type === 'Limited') {
    if (exempt !== undefined) faults.forbidden('spec.exempt', 'must be nil if the type is Limited');
    if (limited === undefined) faults.add(required('spec.limited', 'must not be empty when type is Limited'));
    else checkLimited(faults, 'spec.limited', limited);
  } else faults.unsupported('spec.type', type, ['Exempt', 'Limited']);
}

function checkShares(faults: Faults, at: string, shares: Limited | undefined): void {
  const { nominalConcurrencyShares: nominal, lendablePercent: lendable } = shares ?? {};
  if (nominal !== undefined && nominal < 0)
    faults.invalid(`${at}.nominalConcurrencyShares`, nominal, 'must be a non-negative integer');
  if (lendable !== undefined && (lendable < 0 || lendable > 100))
    faults.invalid(`${at}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive');
}

function checkLimited(faults: Faults, at: string, limited: Limited): void {
  checkShares(faults, at, limited);
  const { borrowingLimitPercent: borrowed, limitResponse: { type = '', queuing } = {} } = limited;
  if (borrowed !== undefined && borrowed < 0)
    faults.invalid(`${at}.borrowingLimitPercent`, borrowed, 'if specified, must be a non-negative integer');
  const response = `${at}.limitResponse`;
  if (type === 'Reject') {
    if (queuing !== undefined)
      faults.forbidden(`${response}.queuing`, 'must be nil if limited.limitResponse.type is not Limited');
  } else if (type !== 'Queue') faults.unsupported(`${response}.type`, type, ['Queue', 'Reject']);
  else if (queuing === undefined)
    faults.add(required(`${response}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'));
  else {
    const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
    const field = `${response}.queuing`;
    if (queueLengthLimit <= 0)
      faults.invalid(`${field}.queueLengthLimit`, queueLengthLimit, 'must be positive');
    if (queues <= 0) faults.invalid(`${field}.queues`, queues, 'must be positive');
    else if (queues > QUEUES_MAX)
      faults.invalid(`${field}.queues`, queues, `must not be greater than ${QUEUES_MAX}`);
    if (handSize <= 0) faults.invalid(`${field}.handSize`, handSize, 'must be positive');
    else if (handSize > queues)
      faults.invalid(`${field}.handSize`, handSize, `should not be greater than queues (${queues})`);
  }
}

export const flowControlValidators: Readonly<Record<string, Validator>> = {
  flowschemas: validator<FlowSchema>({ create: checkSchema }),
  prioritylevelconfigurations: validator<PriorityLevel>({ create: checkLevel }),
};
