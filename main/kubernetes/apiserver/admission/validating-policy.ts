// ValidatingAdmissionPolicy: rules in CEL that cluster administrators write (KEP-3488).
import { labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import { compileCel, runCel } from '../cel/cel.ts';
import { celValue } from '../custom/rules.ts';
import { failure, qualified } from '../refusals.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const GROUP = 'admissionregistration.k8s.io';
const CODES: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

export interface ResourceRule {
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly operations?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly scope?: string;
}

interface MatchResources {
  readonly namespaceSelector?: LabelSelectorSpec;
  readonly objectSelector?: LabelSelectorSpec;
  readonly resourceRules?: readonly ResourceRule[];
  readonly excludeResourceRules?: readonly ResourceRule[];
}

interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

interface PolicySpec {
  readonly failurePolicy?: string;
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations?: readonly Validation[];
}

interface BindingSpec {
  readonly policyName: string;
  readonly validationActions?: readonly string[];
  readonly matchResources?: MatchResources;
}

type Variables = Record<string, unknown>;

export const validatingAdmissionPolicy: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  validate(request) {
    const { objects } = request.context;
    const bindings = objects.list('validatingadmissionpolicybindings', GROUP);
    if (bindings.length === 0 || request.served.resource.group === GROUP) return;
    for (const binding of bindings) {
      const spec = binding['spec'] as BindingSpec;
      const policy = objects.get('validatingadmissionpolicies', GROUP, '', spec.policyName);
      if (policy === undefined) continue;
      const policySpec = policy['spec'] as PolicySpec;
      if (!matches(policySpec.matchConstraints, request, true)) continue;
      if (!matches(spec.matchResources, request, false)) continue;
      judge(request, policySpec, spec, `'${policy.metadata.name}' with binding '${binding.metadata.name}'`);
    }
  },
};

function judge(request: AdmissionRequest, policy: PolicySpec, binding: BindingSpec, names: string): void {
  const variables = variablesOf(request);
  for (const { expression } of policy.matchConditions ?? []) {
    const outcome = evaluate(expression, variables);
    if (outcome.value === false) return;
    if (outcome.error !== undefined) {
      if (policy.failurePolicy === 'Ignore') return;
      break;
    }
  }
  const named: Variables = {};
  variables['variables'] = named;
  for (const { name, expression } of policy.variables ?? [])
    named[name] = evaluate(expression, variables).value;
  for (const validation of policy.validations ?? []) {
    const outcome = evaluate(validation.expression, variables);
    if (outcome.value === true) continue;
    if (outcome.error !== undefined && policy.failurePolicy === 'Ignore') continue;
    const message =
      outcome.error === undefined
        ? messageOf(validation, variables)
        : `expression '${validation.expression}' resulted in error: ${outcome.error}`;
    const actions = binding.validationActions ?? [];
    if (actions.includes('Warn'))
      request.context.warn(`Validation failed for ValidatingAdmissionPolicy ${names}: ${message}`);
    if (actions.includes('Deny')) throw denied(request, validation.reason ?? 'Invalid', names, message);
  }
}

function denied(
  { served, object, old }: AdmissionRequest,
  reason: string,
  names: string,
  why: string,
): Error {
  const { resource } = served;
  const name = object?.metadata?.name ?? old?.metadata.name ?? '';
  const message = `ValidatingAdmissionPolicy ${names} denied request: ${why}`;
  return failure(
    CODES[reason] ?? 422,
    reason,
    `${qualified(resource)} ${JSON.stringify(name)} is forbidden: ${message}`,
    {
      name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      causes: [{ message }],
    },
  );
}

/** A CEL expression's value, or why it has none. */
export function evaluate(expression: string, variables: Variables): { value?: unknown; error?: string } {
  const compiled = compileCel(expression);
  return 'run' in compiled ? runCel(compiled, variables) : { error: compiled.error };
}

function messageOf({ message, messageExpression, expression }: Validation, variables: Variables): string {
  if (messageExpression !== undefined && messageExpression !== '') {
    const text = evaluate(messageExpression, variables).value;
    if (typeof text === 'string' && text.trim() !== '') return text;
  }
  return message !== undefined && message !== '' ? message.trim() : `failed expression: ${expression.trim()}`;
}

/** What expressions may read of a request. */
export function variablesOf({ operation, served, object, old, context }: AdmissionRequest): Variables {
  const { resource } = served;
  const { group, version, kind, plural } = resource;
  const meta = object?.metadata ?? old?.metadata;
  const namespace = context.objects.get('namespaces', '', '', meta?.namespace ?? '');
  return {
    object: celValue(object ?? null, undefined),
    oldObject: celValue(old ?? null, undefined),
    params: null,
    namespaceObject: celValue(namespace ?? null, undefined),
    request: {
      operation,
      name: meta?.name ?? '',
      namespace: meta?.namespace ?? '',
      dryRun: context.dryRun,
      subResource: context.subresource,
      kind: { group, version, kind },
      resource: { group, version, resource: plural },
      userInfo: { username: context.user.name, groups: [...context.user.groups], extra: {} },
    },
  };
}

/** Whether a request is among what these rules and selectors name. */
export function matches(
  match: MatchResources | undefined,
  request: AdmissionRequest,
  isPolicy: boolean,
): boolean {
  if (match === undefined) return !isPolicy;
  const { served, object, old, context } = request;
  const rules = match.resourceRules ?? [];
  if ((isPolicy || rules.length > 0) && !rules.some((rule) => fits(rule, request))) return false;
  if ((match.excludeResourceRules ?? []).some((rule) => fits(rule, request))) return false;
  const meta = object?.metadata ?? old?.metadata;
  if (match.objectSelector !== undefined && !labelSelectorOf(match.objectSelector).matches(meta?.labels))
    return false;
  if (match.namespaceSelector === undefined) return true;
  const isNamespace = served.resource.plural === 'namespaces' && served.resource.group === '';
  if (!served.resource.namespaced && !isNamespace) return true;
  const labels = isNamespace
    ? meta?.labels
    : context.objects.get('namespaces', '', '', meta?.namespace ?? '')?.metadata.labels;
  return labelSelectorOf(match.namespaceSelector).matches(labels);
}

function fits(rule: ResourceRule, { operation, served, object, old, context }: AdmissionRequest): boolean {
  const has = (list: readonly string[] | undefined, value: string): boolean =>
    list?.includes('*') === true || list?.includes(value) === true;
  const { group, version, plural, namespaced } = served.resource;
  const resource = context.subresource === '' ? plural : `${plural}/${context.subresource}`;
  const isResource =
    has(rule.resources, resource) ||
    rule.resources?.includes('*/*') === true ||
    (context.subresource !== '' && rule.resources?.includes(`${plural}/*`) === true);
  if (rule.scope === 'Namespaced' && !namespaced) return false;
  if (rule.scope === 'Cluster' && namespaced) return false;
  const name = object?.metadata?.name ?? old?.metadata.name ?? '';
  if ((rule.resourceNames?.length ?? 0) > 0 && !rule.resourceNames!.includes(name)) return false;
  return (
    has(rule.apiGroups, group) &&
    has(rule.apiVersions, version) &&
    has(rule.operations, operation) &&
    isResource
  );
}
