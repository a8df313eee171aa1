// Which requests a policy or webhook is for (apiserver pkg/admission/plugin/policy/matching).
import { labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import type { AdmissionRequest } from './admission.ts';

export interface ResourceRule {
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly operations?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly scope?: string;
}

export interface MatchResources {
  readonly namespaceSelector?: LabelSelectorSpec;
  readonly objectSelector?: LabelSelectorSpec;
  readonly resourceRules?: readonly ResourceRule[];
  readonly excludeResourceRules?: readonly ResourceRule[];
}

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
