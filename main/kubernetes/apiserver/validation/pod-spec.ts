// Pod specs as a whole, of pods and of templates (pkg/apis/core/validation ValidatePodSpec).
import type { ObjectMeta } from '../../api/meta.ts';
import type { PodSpec, PodTemplateSpec } from '../../api/types.ts';
import { labelKeyProblems } from '../../api/selector.ts';
import { hostLabelProblems } from '../kinds/names.ts';
import { sortedEntries, validateAnnotations, validateLabels } from '../verbs/metadata.ts';
import { required } from '../refusals.ts';
import type { Faults } from './checks.ts';
import { checkContainers } from './pod-containers.ts';
import { checkAffinity, checkSpread, checkTolerations } from './pod-placement.ts';
import { checkOperatingSystem, checkPodSecurity } from './pod-security.ts';
import { checkVolumes } from './pod-volumes.ts';
import { checkAmount, checkContainerResourceName, checkPodResources, type Amounts } from './resources.ts';

const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const ACTIVE_SECONDS_MAX = 2_147_483_647;
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;

/** A template: its labels and annotations, then its spec. */
export function checkTemplate(faults: Faults, path: string, template: PodTemplateSpec | undefined): void {
  faults.add(...validateLabels(template?.metadata?.labels, `${path}.labels`));
  faults.add(...validateAnnotations(template?.metadata?.annotations, `${path}.annotations`));
  checkPodSpec(faults, `${path}.spec`, template?.spec, template?.metadata);
  if ((template?.spec?.ephemeralContainers ?? []).length > 0)
    faults.forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template');
}

/** Everything that is wrong with a pod spec. `meta` is of the pod or the template. */
export function checkPodSpec(
  faults: Faults,
  path: string,
  given: PodSpec | undefined,
  meta: ObjectMeta | undefined,
): void {
  const spec: PodSpec = given ?? { containers: [] };
  const at = (field: string): string => `${path}.${field}`;
  const volumes = checkVolumes(faults, at('volumes'), spec, meta);
  checkResourceClaims(faults, at('resourceClaims'), spec);
  checkContainers(faults, path, { spec, volumes });
  if (given === undefined) return;
  checkPodResources(faults, at('resources'), spec);
  if ((spec.restartPolicy ?? '') === '') faults.add(required(at('restartPolicy')));
  else faults.word(at('restartPolicy'), spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  if ((spec.dnsPolicy ?? '') === '') faults.add(required(at('dnsPolicy')));
  else faults.word(at('dnsPolicy'), spec.dnsPolicy, DNS_POLICIES);
  faults.add(...validateLabels(spec.nodeSelector, at('nodeSelector')));
  checkPodSecurity(faults, path, spec);
  checkAffinity(faults, at('affinity'), spec.affinity);
  checkDns(faults, at('dnsConfig'), spec);
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries())
    faults.labelKey(at(`readinessGates[${index}].conditionType`), conditionType);
  checkGates(faults, at('schedulingGates'), spec);
  checkSpread(faults, at('topologySpreadConstraints'), spec.topologySpreadConstraints ?? []);
  checkHostUsers(faults, path, spec);
  checkNames(faults, path, spec);
  checkTolerations(faults, at('tolerations'), spec.tolerations ?? []);
  checkAliases(faults, at('hostAliases'), spec);
  for (const field of ['priorityClassName', 'runtimeClassName'] as const)
    if ((spec[field] ?? '') !== '') faults.subdomain(at(field), spec[field]!);
  faults.word(at('preemptionPolicy'), spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  for (const [name, value] of sortedEntries(spec.overhead as Amounts | undefined)) {
    checkContainerResourceName(faults, `${at('overhead')}.limits[${name}]`, name);
    checkAmount(faults, `${at('overhead')}.limits[${name}]`, name, value);
  }
  checkOperatingSystem(faults, path, spec);
  checkHostnameOverride(faults, path, spec);
}

/** A DNS label in the words of apimachinery's IsDNS1123Label. */
export function checkHostLabel(faults: Faults, field: string, value: string): void {
  faults.problems(field, value, hostLabelProblems(value));
}

function checkNames(faults: Faults, path: string, spec: PodSpec): void {
  for (const field of ['serviceAccountName', 'nodeName'] as const)
    if ((spec[field] ?? '') !== '') faults.subdomain(`${path}.${field}`, spec[field]!);
  faults.between(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, ACTIVE_SECONDS_MAX);
  for (const field of ['hostname', 'subdomain'] as const)
    if ((spec[field] ?? '') !== '') checkHostLabel(faults, `${path}.${field}`, spec[field]!);
}

function checkHostnameOverride(faults: Faults, path: string, spec: PodSpec): void {
  const { hostnameOverride } = spec;
  if (hostnameOverride === undefined) return;
  if (spec.setHostnameAsFQDN === true)
    faults.forbidden(`${path}.hostnameOverride`, 'may not be set when `setHostnameAsFQDN` is true');
  if (spec.hostNetwork === true)
    faults.forbidden(`${path}.hostnameOverride`, 'may not be set when `hostNetwork` is true');
  faults.subdomain(`${path}.hostnameOverride`, hostnameOverride);
}

/** What a pod with a user namespace of its own may not share with the node. */
function checkHostUsers(faults: Faults, path: string, spec: PodSpec): void {
  if (spec.hostUsers !== false) return;
  const message = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) faults.forbidden(`${path}.hostNetwork`, message);
  if (spec.hostPID === true) faults.forbidden(`${path}.HostPID`, message);
  if (spec.hostIPC === true) faults.forbidden(`${path}.HostIPC`, message);
}

function checkGates(faults: Faults, path: string, { schedulingGates }: PodSpec): void {
  const seen = new Set<string>();
  for (const [index, { name }] of (schedulingGates ?? []).entries()) {
    faults.problems(`${path}[${index}]`, name, labelKeyProblems(name));
    if (seen.has(name)) faults.duplicate(`${path}[${index}]`, name);
    seen.add(name);
  }
}

function checkAliases(faults: Faults, path: string, { hostAliases }: PodSpec): void {
  for (const [index, { ip, hostnames }] of (hostAliases ?? []).entries()) {
    faults.address(`${path}[${index}].ip`, ip ?? '');
    for (const [position, name] of (hostnames ?? []).entries())
      faults.subdomain(`${path}[${index}].hostnames[${position}]`, name);
  }
}

function checkDns(faults: Faults, path: string, { dnsPolicy, dnsConfig }: PodSpec): void {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) {
      faults.add(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
      return;
    }
    if ((dnsConfig.nameservers ?? []).length === 0) {
      faults.add(
        required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
      );
      return;
    }
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  if (nameservers.length > NAMESERVERS_MAX)
    faults.invalid(
      `${path}.nameservers`,
      nameservers,
      `must not have more than ${NAMESERVERS_MAX} nameservers`,
    );
  for (const [index, server] of nameservers.entries())
    faults.address(`${path}.nameservers[${index}]`, server);
  if (searches.length > SEARCHES_MAX)
    faults.invalid(`${path}.searches`, searches, `must not have more than ${SEARCHES_MAX} search paths`);
  if (searches.join(' ').length > SEARCH_CHARACTERS_MAX)
    faults.invalid(
      `${path}.searches`,
      searches,
      `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`,
    );
  for (const [index, search] of searches.entries()) {
    const name = search === '.' ? '' : search.replace(/\.$/, '').replaceAll('_', '-');
    if (name !== '') faults.subdomain(`${path}.searches[${index}]`, name);
  }
  for (const [index, { name = '' }] of options.entries())
    if (name === '') faults.add(required(`${path}.options[${index}]`, 'must not be empty'));
}

function checkResourceClaims(faults: Faults, path: string, { resourceClaims }: PodSpec): void {
  const names = new Set<string>();
  for (const [index, claim] of (resourceClaims ?? []).entries()) {
    const at = `${path}[${index}]`;
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claim as Partial<typeof claim>;
    if (name === '') faults.add(required(`${at}.name`));
    else if (names.has(name)) faults.duplicate(`${at}.name`, name);
    else faults.label(`${at}.name`, name);
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      faults.invalid(
        at,
        {
          Name: name,
          ResourceClaimName: resourceClaimName,
          ResourceClaimTemplateName: resourceClaimTemplateName,
        },
        'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      );
    else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      faults.invalid(
        at,
        { Name: name, ResourceClaimName: null, ResourceClaimTemplateName: null },
        'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
      );
    for (const field of ['resourceClaimName', 'resourceClaimTemplateName'] as const)
      if (claim[field] !== undefined) faults.subdomain(`${at}.${field}`, claim[field]);
  }
}
