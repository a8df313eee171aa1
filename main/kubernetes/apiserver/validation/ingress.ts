// Ingresses and IngressClasses (pkg/apis/networking/validation).
import type { Ingress, IngressClass } from '../../api/types.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { required } from '../refusals.ts';
import { parseAddress } from './addresses.ts';
import { checkDomainPath, checkPathSegment, portNameProblems, type Faults } from './checks.ts';
import { immutable, validator, type Validator } from './validator.ts';

type Backend = NonNullable<NonNullable<Ingress['spec']>['defaultBackend']>;
type Path = NonNullable<
  NonNullable<NonNullable<NonNullable<Ingress['spec']>['rules']>[number]['http']>['paths']
>[number];

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDINGS = ['/..', '/.'];
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const CONTROLLER_CHARACTERS_MAX = 250;

const WILDCARD = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const WILDCARD_MESSAGE = String.raw`a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;

function hostProblems(host: string): string[] {
  if (!host.includes('*')) return subdomainProblems(host);
  return WILDCARD.test(host) ? [] : [WILDCARD_MESSAGE];
}

interface TypedReference {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name?: string;
}

function checkReference(
  faults: Faults,
  at: string,
  { apiGroup, kind = '', name = '' }: TypedReference,
): void {
  if (apiGroup !== undefined && apiGroup !== '') faults.subdomain(`${at}.apiGroup`, apiGroup);
  if (faults.required(`${at}.kind`, kind)) checkPathSegment(faults, `${at}.kind`, kind);
  if (faults.required(`${at}.name`, name)) checkPathSegment(faults, `${at}.name`, name);
}

function checkBackend(faults: Faults, at: string, { service, resource }: Backend): void {
  if (service !== undefined && resource !== undefined)
    faults.invalid(at, '', 'cannot set both resource and service backends');
  else if (resource !== undefined) checkReference(faults, `${at}.resource`, resource);
  else if (service === undefined) faults.invalid(at, '', 'resource or service backend is required');
  else checkServiceBackend(faults, at, service);
}

function checkServiceBackend(faults: Faults, at: string, service: NonNullable<Backend['service']>): void {
  if (faults.required(`${at}.service.name`, service.name)) faults.label(`${at}.service.name`, service.name);
  const { name = '', number = 0 } = service.port ?? {};
  if (name !== '' && number !== 0) faults.invalid(at, '', 'cannot set both port name & port number');
  else if (name !== '') faults.problems(`${at}.service.port.name`, name, portNameProblems(name));
  else if (number !== 0) faults.port(`${at}.service.port.number`, number);
  else faults.add(required(at, 'port name or number is required'));
}

function checkPath(faults: Faults, at: string, { path = '', pathType, backend }: Path): void {
  if (pathType === undefined || (pathType as string) === '') {
    faults.add(required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  if (!PATH_TYPES.includes(pathType)) faults.unsupported(`${at}.pathType`, pathType, PATH_TYPES);
  else if (!path.startsWith('/')) {
    if (path !== '' || pathType !== 'ImplementationSpecific')
      faults.invalid(`${at}.path`, path, 'must be an absolute path');
  } else if (pathType !== 'ImplementationSpecific') {
    for (const part of BAD_SEQUENCES)
      if (path.includes(part)) faults.invalid(`${at}.path`, path, `must not contain '${part}'`);
    for (const end of BAD_ENDINGS)
      if (path.endsWith(end)) faults.invalid(`${at}.path`, path, `cannot end with '${end}'`);
  }
  checkBackend(faults, `${at}.backend`, backend ?? {});
}

function checkIngress(faults: Faults, { spec }: Ingress): void {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec ?? {};
  if (rules.length === 0 && defaultBackend === undefined)
    faults.invalid('spec', spec?.rules ?? null, 'either `defaultBackend` or `rules` must be specified');
  if (defaultBackend !== undefined) checkBackend(faults, 'spec.defaultBackend', defaultBackend);
  for (const [index, { host = '', http }] of rules.entries()) {
    const at = `spec.rules[${index}]`;
    if (host !== '') {
      if (parseAddress(host) !== undefined)
        faults.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address');
      faults.problems(`${at}.host`, host, hostProblems(host));
    }
    if (http === undefined) continue;
    if ((http.paths ?? []).length === 0) faults.add(required(`${at}.http.paths`));
    for (const [position, path] of (http.paths ?? []).entries())
      checkPath(faults, `${at}.http.paths[${position}]`, path);
  }
  for (const [index, { hosts = [], secretName = '' }] of tls.entries()) {
    for (const [position, host] of hosts.entries())
      faults.problems(`spec.tls[${index}].hosts[${position}]`, host, hostProblems(host));
    if (secretName !== '') faults.subdomain(`spec.tls[${index}].secretName`, secretName);
  }
  if (ingressClassName !== undefined) faults.subdomain('spec.ingressClassName', ingressClassName);
}

function checkNewIngress(faults: Faults, ingress: Ingress): void {
  checkIngress(faults, ingress);
  const named = ingress.metadata?.annotations?.[CLASS_ANNOTATION];
  const { ingressClassName } = ingress.spec ?? {};
  if (named !== undefined && ingressClassName !== undefined && named !== ingressClassName)
    faults.invalid(
      `annotations.${CLASS_ANNOTATION}`,
      named,
      'must match `ingressClassName` when both are specified',
    );
}

function checkClass(faults: Faults, { spec }: IngressClass): void {
  const controller = spec?.controller ?? '';
  if (controller.length > CONTROLLER_CHARACTERS_MAX)
    faults.tooLong('spec.controller', CONTROLLER_CHARACTERS_MAX);
  checkDomainPath(faults, 'spec.controller', controller);
  const parameters = spec?.parameters;
  if (parameters === undefined) return;
  const at = 'spec.parameters';
  checkReference(faults, at, parameters);
  const { scope, namespace } = parameters;
  if (scope === undefined) {
    faults.add(required(`${at}.scope`));
    return;
  }
  faults.word(`${at}.scope`, scope, ['Cluster', 'Namespace']);
  if (scope === 'Namespace') {
    if (namespace === undefined)
      faults.add(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    else faults.label(`${at}.namespace`, namespace);
  }
  if (scope === 'Cluster' && namespace !== undefined)
    faults.forbidden(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'");
}

export const ingressValidators: Readonly<Record<string, Validator>> = {
  ingresses: validator<Ingress>({ create: checkNewIngress, update: checkIngress }),
  ingressclasses: validator<IngressClass>({
    create: checkClass,
    update: (faults, now, old) => {
      checkClass(faults, now);
      immutable(faults, 'spec.controller', now.spec?.controller, old.spec?.controller);
    },
  }),
};
