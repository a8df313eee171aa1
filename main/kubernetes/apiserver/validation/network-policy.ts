// NetworkPolicies (pkg/apis/networking/validation ValidateNetworkPolicy), IPAddresses and ServiceCIDRs.
import type { LabelSelectorSpec } from '../../api/selector.ts';
import type { NetworkPolicy } from '../../api/types.ts';
import { required } from '../refusals.ts';
import { containsRange, parseAddress, parseRange, rangeProblems } from './addresses.ts';
import { checkLabelSelector, portNameProblems, type Faults } from './checks.ts';
import { immutable, validator, type Validator } from './validator.ts';

type Spec = NonNullable<NetworkPolicy['spec']>;
type IngressRule = NonNullable<Spec['ingress']>[number];
type Port = NonNullable<IngressRule['ports']>[number];
type Peer = NonNullable<IngressRule['from']>[number];

function checkPort(faults: Faults, at: string, { port, endPort, protocol }: Port): void {
  faults.word(`${at}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']);
  if (port === undefined) {
    if (endPort !== undefined)
      faults.invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is not specified');
  } else if (typeof port === 'number') {
    faults.port(`${at}.port`, port);
    if (endPort === undefined) return;
    // The message shows the port, not its end.
    if (endPort < port) faults.invalid(`${at}.endPort`, port, 'must be greater than or equal to `port`');
    faults.port(`${at}.endPort`, endPort);
  } else {
    if (endPort !== undefined)
      faults.invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is non-numeric');
    faults.problems(`${at}.port`, port, portNameProblems(port));
  }
}

function checkPeer(faults: Faults, at: string, { podSelector, namespaceSelector, ipBlock }: Peer): void {
  for (const [field, selector] of Object.entries({ podSelector, namespaceSelector }))
    checkLabelSelector(faults, `${at}.${field}`, selector as LabelSelectorSpec | undefined);
  if (ipBlock !== undefined) checkBlock(faults, `${at}.ipBlock`, ipBlock);
  const peers = [podSelector, namespaceSelector, ipBlock].filter((peer) => peer !== undefined).length;
  if (peers === 0) faults.add(required(at, 'must specify a peer'));
  else if (peers > 1 && ipBlock !== undefined)
    faults.forbidden(at, 'may not specify both ipBlock and another peer');
}

function checkBlock(faults: Faults, at: string, { cidr, except = [] }: NonNullable<Peer['ipBlock']>): void {
  if (!faults.required(`${at}.cidr`, cidr)) return;
  faults.range(`${at}.cidr`, cidr);
  const outer = parseRange(cidr);
  if (outer === undefined) return;
  for (const [index, text] of except.entries()) {
    const field = `${at}.except[${index}]`;
    faults.problems(field, text, rangeProblems(text));
    const inner = parseRange(text);
    if (inner !== undefined && (inner.bits <= outer.bits || !containsRange(outer, inner)))
      faults.invalid(field, text, 'must be a strict subset of `cidr`');
  }
}

function checkNetworkPolicy(faults: Faults, { spec }: NetworkPolicy): void {
  checkLabelSelector(faults, 'spec.podSelector', spec?.podSelector as LabelSelectorSpec | undefined);
  const rules = [
    ...(spec?.ingress ?? []).map(({ ports, from }, index) => ({ at: `spec.ingress[${index}]`, ports, from })),
    ...(spec?.egress ?? []).map(({ ports, to }, index) => ({ at: `spec.egress[${index}]`, ports, to })),
  ];
  for (const rule of rules) {
    for (const [index, port] of (rule.ports ?? []).entries())
      checkPort(faults, `${rule.at}.ports[${index}]`, port);
    const [field, peers] = 'from' in rule ? ['from', rule.from] : ['to', rule.to];
    for (const [index, peer] of (peers ?? []).entries())
      checkPeer(faults, `${rule.at}.${field}[${index}]`, peer);
  }
  const types: readonly string[] = spec?.policyTypes ?? [];
  if (types.length > 2) {
    faults.invalid('spec.policyTypes', types, 'may not specify more than two policyTypes');
    return;
  }
  for (const [index, type] of types.entries())
    faults.word(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']);
}

interface ServiceCidr {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

function checkServiceCidr(faults: Faults, { spec }: ServiceCidr): void {
  const ranges = spec?.cidrs ?? [];
  if (ranges.length === 0) faults.add(required('spec.cidrs', 'at least one CIDR required'));
  else if (ranges.length > 2) faults.invalid('spec.cidrs', ranges, 'may only hold up to 2 values');
  const versions = ranges.map((range) => parseRange(range)?.address.version);
  if (ranges.length === 2 && versions[0] === versions[1])
    faults.invalid(
      'spec.cidrs',
      ranges,
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    );
  for (const [index, range] of ranges.entries()) faults.range(`spec.cidrs[${index}]`, range);
}

interface IpAddress {
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly parentRef?: { readonly resource?: string; readonly name?: string };
  };
}

function checkIpAddress(faults: Faults, { metadata, spec }: IpAddress): void {
  const name = metadata?.name ?? '';
  if (parseAddress(name) === undefined)
    faults.invalid(
      'metadata.name',
      name,
      'must be a valid IP address in canonical form, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    );
  if (spec?.parentRef === undefined) {
    faults.add(required('spec.parentRef'));
    return;
  }
  faults.required('spec.parentRef.resource', spec.parentRef.resource);
  faults.required('spec.parentRef.name', spec.parentRef.name);
}

export const networkPolicyValidators: Readonly<Record<string, Validator>> = {
  networkpolicies: validator<NetworkPolicy>({ create: checkNetworkPolicy }),
  servicecidrs: validator<ServiceCidr>({
    create: checkServiceCidr,
    update: (faults, now, old) => {
      immutable(faults, 'spec.cidrs[0]', now.spec?.cidrs?.[0], old.spec?.cidrs?.[0]);
      checkServiceCidr(faults, now);
    },
  }),
  ipaddresses: validator<IpAddress>({
    create: checkIpAddress,
    update: (faults, now, old) => {
      checkIpAddress(faults, now);
      immutable(faults, 'spec.parentRef', now.spec?.parentRef, old.spec?.parentRef);
    },
  }),
};
