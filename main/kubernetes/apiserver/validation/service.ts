// Services (pkg/apis/core/validation ValidateService).
import type { Service } from '../../api/types.ts';
import { equalTrees } from '../object.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { duplicate, required, unsupported } from '../refusals.ts';
import { validateLabels } from '../verbs/metadata.ts';
import { addressProblem, type Faults } from './checks.ts';

type Spec = NonNullable<Service['spec']>;
const POLICIES = ['Cluster', 'Local'];
const AFFINITY_SECONDS_MAX = 86_400;

export function checkService(faults: Faults, { spec = {} }: Service): void {
  const headless = spec.clusterIP === 'None';
  if ((spec.ports ?? []).length === 0 && !headless && spec.type !== 'ExternalName')
    faults.add(required('spec.ports'));
  checkType(faults, spec);
  checkPorts(faults, spec);
  faults.add(...validateLabels(spec.selector, 'spec.selector'));
  if (spec.sessionAffinity === undefined) faults.add(required('spec.sessionAffinity'));
  else faults.word('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']);
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (
    spec.sessionAffinity === 'ClientIP' &&
    seconds !== undefined &&
    (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)
  ) {
    faults.invalid(
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
      seconds,
      `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`,
    );
  }
  checkClusterIps(faults, spec);
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    const field = `spec.externalIPs[${index}]`;
    const problem = addressProblem(address);
    if (problem !== undefined) faults.invalid(field, address, problem);
    else faults.reachable(field, address);
  }
  checkTraffic(faults, spec);
  checkLoadBalancer(faults, spec);
}

function checkType(faults: Faults, spec: Spec): void {
  const { type } = spec;
  if (type === undefined) faults.add(required('spec.type'));
  else faults.word('spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  if (type === 'ExternalName') {
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') faults.add(required('spec.externalName'));
    else for (const problem of subdomainProblems(name)) faults.invalid('spec.externalName', name, problem);
  }
}

function checkPorts(faults: Faults, spec: Spec): void {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `spec.ports[${index}]`;
    const { name = '', protocol = '' } = port;
    if (name === '') {
      if (ports.length > 1) faults.add(required(`${at}.name`));
    } else {
      faults.label(`${at}.name`, name);
      if (names.has(name)) faults.add(duplicate(`${at}.name`, name));
      names.add(name);
    }
    faults.port(`${at}.port`, port.port);
    if (protocol === '') faults.add(required(`${at}.protocol`));
    else faults.word(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']);
    faults.portOrName(`${at}.targetPort`, port.targetPort);
    const nodePort = port.nodePort ?? 0;
    if (nodePort !== 0 && (spec.type === 'ClusterIP' || spec.type === 'ExternalName')) {
      faults.forbidden(`${at}.nodePort`, `may not be used when \`type\` is '${spec.type}'`);
    }
    const key = `${protocol}/${port.port}`;
    if (seen.has(key)) {
      faults.add(
        duplicate(at, {
          Name: '',
          Protocol: protocol,
          AppProtocol: null,
          Port: port.port,
          TargetPort: 0,
          NodePort: 0,
        }),
      );
    }
    seen.add(key);
  }
}

function checkClusterIps(faults: Faults, spec: Spec): void {
  const { clusterIP = '', clusterIPs = [], type } = spec;
  if (type === 'ExternalName') {
    if (clusterIPs.length > 0)
      faults.forbidden('spec.clusterIPs', 'may not be set for ExternalName services');
    return;
  }
  if (clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    faults.invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`');
  }
  for (const [index, address] of clusterIPs.entries()) {
    const field = `spec.clusterIPs[${index}]`;
    if (address === 'None') {
      if (type === 'NodePort' || type === 'LoadBalancer')
        faults.invalid(field, address, `may not be set to 'None' for ${type} services`);
      continue;
    }
    faults.address(field, address);
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const field = `spec.ipFamilies[${index}]`;
    if (family !== 'IPv4' && family !== 'IPv6') faults.add(unsupported(field, family, ['IPv4', 'IPv6']));
    else if (family === 'IPv6' && clusterIP !== 'None')
      faults.invalid(field, family, 'not configured on this cluster');
  }
  faults.word('spec.ipFamilyPolicy', spec.ipFamilyPolicy, [
    'PreferDualStack',
    'RequireDualStack',
    'SingleStack',
  ]);
}

function checkTraffic(faults: Faults, spec: Spec): void {
  const external =
    spec.type === 'NodePort' || spec.type === 'LoadBalancer' || (spec.externalIPs ?? []).length > 0;
  if (spec.externalTrafficPolicy !== undefined) {
    if (!external)
      faults.invalid(
        'spec.externalTrafficPolicy',
        spec.externalTrafficPolicy,
        'may only be set for externally-accessible services',
      );
    else faults.word('spec.externalTrafficPolicy', spec.externalTrafficPolicy, POLICIES);
  }
  faults.word('spec.internalTrafficPolicy', spec.internalTrafficPolicy, POLICIES);
  faults.word('spec.trafficDistribution', spec.trafficDistribution, [
    'PreferClose',
    'PreferSameZone',
    'PreferSameNode',
  ]);
}

function checkLoadBalancer(faults: Faults, spec: Spec): void {
  const isBalanced = spec.type === 'LoadBalancer';
  const only = "may only be used when `type` is 'LoadBalancer'";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !isBalanced) faults.forbidden('spec.LoadBalancerSourceRanges', only);
  else {
    for (const [index, range] of ranges.entries()) {
      const [address = '', bits = ''] = range.trim().split('/');
      if (
        addressProblem(address) !== undefined ||
        !/^\d+$/.test(bits) ||
        Number(bits) > (address.includes(':') ? 128 : 32)
      ) {
        faults.invalid(
          `spec.LoadBalancerSourceRanges[${index}]`,
          range,
          'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        );
      }
    }
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    faults.forbidden('spec.allocateLoadBalancerNodePorts', only);
  if (spec.loadBalancerClass !== undefined && !isBalanced) faults.forbidden('spec.loadBalancerClass', only);
}

export function checkServiceUpdate(faults: Faults, { spec = {} }: Service, old: Service): void {
  const before = old.spec ?? {};
  const kept = before.clusterIPs ?? [];
  if (
    before.type !== 'ExternalName' &&
    spec.type !== 'ExternalName' &&
    kept.length > 0 &&
    !equalTrees(spec.clusterIPs?.[0], kept[0])
  ) {
    faults.invalid('spec.clusterIPs[0]', spec.clusterIPs ?? [], 'may not change once set');
  }
  if (
    before.healthCheckNodePort !== undefined &&
    spec.healthCheckNodePort !== before.healthCheckNodePort &&
    spec.type === 'LoadBalancer' &&
    spec.externalTrafficPolicy === 'Local'
  ) {
    faults.forbidden('spec.healthCheckNodePort', 'field is immutable');
  }
}
