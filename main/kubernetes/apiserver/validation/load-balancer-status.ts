// What is wrong with the addresses that a load balancer was given (pkg/apis/core/validation ValidateLoadBalancerStatus).
import type { Ingress, Service } from '../../api/types.ts';
import { subdomainProblems } from '../kinds/names.ts';
import type { ApiObject } from '../object.ts';
import { forbiddenField, invalidValue, required, unsupported, type FieldError } from '../refusals.ts';
import { addressProblems } from './addresses.ts';

interface Entry {
  readonly ip?: string;
  readonly ipMode?: string;
  readonly hostname?: string;
}

export function serviceStatusProblems(object: ApiObject): FieldError[] {
  const { spec, status } = object as Service;
  const entries = (status?.loadBalancer?.ingress ?? []) as readonly Entry[];
  const field = 'status.loadBalancer.ingress';
  if (spec?.type !== 'LoadBalancer' && entries.length > 0)
    return [forbiddenField(field, "may only be used when `spec.type` is 'LoadBalancer'")];
  return entries.flatMap((entry, index) => [
    ...addressErrors(entry, `${field}[${index}]`),
    ...modeErrors(entry, `${field}[${index}].ipMode`),
    ...hostnameErrors(entry, `${field}[${index}].hostname`),
  ]);
}

export function ingressStatusProblems(object: ApiObject): FieldError[] {
  const { status } = object as Ingress;
  return ((status?.loadBalancer?.ingress ?? []) as readonly Entry[]).flatMap((entry, index) => {
    const field = `status.loadBalancer.ingress[${index}]`;
    return [...addressErrors(entry, field), ...hostnameErrors(entry, `${field}.hostname`)];
  });
}

function addressErrors({ ip = '' }: Entry, field: string): FieldError[] {
  return ip === '' ? [] : addressProblems(ip).map((problem) => invalidValue(`${field}.ip`, ip, problem));
}

function modeErrors({ ip = '', ipMode }: Entry, field: string): FieldError[] {
  if (ipMode === undefined) return ip === '' ? [] : [required(field, 'must be specified when `ip` is set')];
  if (ip === '') return [forbiddenField(field, 'may not be specified when `ip` is not set')];
  return ipMode === 'VIP' || ipMode === 'Proxy' ? [] : [unsupported(field, ipMode, ['Proxy', 'VIP'])];
}

function hostnameErrors({ hostname = '' }: Entry, field: string): FieldError[] {
  if (hostname === '') return [];
  const errors = subdomainProblems(hostname).map((problem) => invalidValue(field, hostname, problem));
  if (addressProblems(hostname).length === 0)
    errors.push(invalidValue(field, hostname, 'must be a DNS name, not an IP address'));
  return errors;
}
