// Services (pkg/apis/core/validation ValidateService, ValidateServiceUpdate).
import type { Service } from '../../api/types.ts';
import { equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { validateLabels } from '../verbs/metadata.ts';
import { addressProblems, parseAddress, rangeProblems } from './addresses.ts';
import type { Faults } from './checks.ts';
import { validator, type Validator } from './validator.ts';

type Spec = NonNullable<Service['spec']>;

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const POLICIES = ['Cluster', 'Local'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const AFFINITY_SECONDS_MAX = 86_400;
const KUBELET_PORT = 10_250;
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";
const NOT_EXTERNAL_NAME = 'may not be set for ExternalName services';

const isHeadless = ({ clusterIP, clusterIPs }: Spec): boolean =>
  clusterIP === 'None' || clusterIPs?.[0] === 'None';
const isExternal = ({ type, externalIPs = [] }: Spec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer' || (externalIPs.length > 0 && type !== 'ExternalName');

function checkService(faults: Faults, service: Service): void {
  const spec = service.spec ?? {};
  if ((spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName')
    faults.add(required('spec.ports'));
  checkByType(faults, spec);
  checkPorts(faults, spec);
  faults.add(...validateLabels(spec.selector, 'spec.selector'));
  checkAffinity(faults, spec);
  checkClusterIps(faults, spec);
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    const field = `spec.externalIPs[${index}]`;
    const problems = addressProblems(address);
    if (problems.length > 0) faults.problems(field, address, problems);
    else faults.reachable(field, address);
  }
  if (spec.type === undefined) faults.add(required('spec.type'));
  else faults.word('spec.type', spec.type, TYPES);
  checkPortUse(faults, spec);
  checkLoadBalancer(faults, service, spec);
  checkTraffic(faults, spec);
}

function checkByType(faults: Faults, spec: Spec): void {
  const { type, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  if (type === 'LoadBalancer' || type === 'NodePort') {
    for (const [index, { port }] of (type === 'LoadBalancer' ? (spec.ports ?? []) : []).entries())
      if (port === KUBELET_PORT)
        faults.invalid(
          `spec.ports[${index}]`,
          port,
          `may not expose port ${port} externally since it is used by kubelet`,
        );
    if (isHeadless(spec))
      faults.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`);
  }
  if (type !== 'ExternalName') return;
  if (clusterIPs.length > 0) faults.forbidden('spec.clusterIPs', NOT_EXTERNAL_NAME);
  if (ipFamilies.length > 0) faults.forbidden('spec.ipFamilies', NOT_EXTERNAL_NAME);
  if (ipFamilyPolicy !== undefined) faults.forbidden('spec.ipFamilyPolicy', NOT_EXTERNAL_NAME);
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') faults.add(required('spec.externalName'));
  else faults.subdomain('spec.externalName', name);
}

function checkPorts(faults: Faults, spec: Spec): void {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `spec.ports[${index}]`;
    const { name = '', protocol = '', appProtocol } = port;
    if (name === '') {
      if (ports.length > 1) faults.add(required(`${at}.name`));
    } else {
      faults.label(`${at}.name`, name);
      if (names.has(name)) faults.duplicate(`${at}.name`, name);
      names.add(name);
    }
    faults.port(`${at}.port`, port.port);
    if (protocol === '') faults.add(required(`${at}.protocol`));
    else faults.word(`${at}.protocol`, protocol, PROTOCOLS);
    faults.portOrName(`${at}.targetPort`, port.targetPort);
    if (appProtocol !== undefined) faults.labelKey(`${at}.appProtocol`, appProtocol);
  }
}

/** Ports against each other and against the Service's type. */
function checkPortUse(faults: Faults, spec: Spec): void {
  const seen = new Set<string>();
  for (const [index, { protocol = '', port, nodePort = 0 }] of (spec.ports ?? []).entries()) {
    const at = `spec.ports[${index}]`;
    if (nodePort !== 0 && (spec.type === 'ClusterIP' || spec.type === 'ExternalName'))
      faults.forbidden(`${at}.nodePort`, `may not be used when \`type\` is '${spec.type}'`);
    const key = `${protocol}/${port}`;
    if (seen.has(key))
      faults.duplicate(at, {
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: port,
        TargetPort: 0,
        NodePort: 0,
      });
    seen.add(key);
  }
}

function checkAffinity(faults: Faults, { sessionAffinity, sessionAffinityConfig }: Spec): void {
  if (sessionAffinity === undefined) faults.add(required('spec.sessionAffinity'));
  else faults.word('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']);
  const field = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined)
    faults.forbidden(field, 'must not be set when session affinity is None');
  if (sessionAffinity !== 'ClientIP') return;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds === undefined)
    faults.add(required(`${field}.clientIP`, 'when session affinity type is ClientIP'));
  else if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)
    faults.invalid(
      `${field}.clientIP.timeoutSeconds`,
      seconds,
      `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`,
    );
}

function checkClusterIps(faults: Faults, spec: Spec): void {
  if (spec.type === 'ExternalName') return;
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec;
  if (clusterIP === '' && clusterIPs.length > 0)
    faults.invalid('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified');
  else if (clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    faults.invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`');
  for (const [index, family] of ipFamilies.entries()) {
    faults.word(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']);
    if (ipFamilies.indexOf(family) < index) faults.duplicate(`spec.ipFamilies[${index}]`, family);
  }
  faults.word('spec.ipFamilyPolicy', spec.ipFamilyPolicy, [
    'PreferDualStack',
    'RequireDualStack',
    'SingleStack',
  ]);
  if (!checkAddresses(faults, clusterIPs)) return;
  const versions = clusterIPs.map((address) => parseAddress(address)?.version);
  if (clusterIPs.length > 1 && versions[0] === versions[1])
    faults.invalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family');
  for (const [index, version] of versions.entries()) {
    const family = ipFamilies[index];
    if (version !== undefined && family !== undefined && family !== `IPv${version}`)
      faults.invalid(
        `spec.clusterIPs[${index}]`,
        clusterIPs[index],
        `expected an ${family} value as indicated by \`ipFamilies[${index}]\``,
      );
  }
}

/** Whether all addresses are ones, so that they may be looked at more closely. */
function checkAddresses(faults: Faults, addresses: readonly string[]): boolean {
  let areGood = true;
  for (const [index, address] of addresses.entries()) {
    if (address === 'None') {
      if (addresses.length === 1) continue;
      faults.invalid('spec.clusterIPs', addresses, "'None' must be the first and only value");
      areGood = false;
      continue;
    }
    const problems = addressProblems(address);
    faults.problems(`spec.clusterIPs[${index}]`, address, problems);
    if (problems.length > 0) areGood = false;
    if (addresses.indexOf(address) < index) {
      faults.duplicate(`spec.clusterIPs[${index}]`, address);
      areGood = false;
    }
  }
  if (addresses.length > 2) faults.invalid('spec.clusterIPs', addresses, 'may only hold up to 2 values');
  return areGood;
}

function checkTraffic(faults: Faults, spec: Spec): void {
  const policy = spec.externalTrafficPolicy;
  if (isExternal(spec)) {
    if (policy === undefined) {
      if (spec.type !== 'ClusterIP') faults.add(required('spec.externalTrafficPolicy'));
    } else faults.word('spec.externalTrafficPolicy', policy, POLICIES);
  } else if (policy !== undefined)
    faults.invalid(
      'spec.externalTrafficPolicy',
      policy,
      'may only be set for externally-accessible services',
    );
  const health = spec.healthCheckNodePort ?? 0;
  if (health < 0) faults.invalid('spec.healthCheckNodePort', health, 'must be greater than or equal to 0');
  else if (health > 0 && !(spec.type === 'LoadBalancer' && policy === 'Local'))
    faults.invalid(
      'spec.healthCheckNodePort',
      health,
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    );
  faults.word('spec.internalTrafficPolicy', spec.internalTrafficPolicy, POLICIES);
  faults.word('spec.trafficDistribution', spec.trafficDistribution, DISTRIBUTIONS);
}

function checkLoadBalancer(faults: Faults, { metadata }: Service, spec: Spec): void {
  const isBalanced = spec.type === 'LoadBalancer';
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const field = 'spec.LoadBalancerSourceRanges';
  const annotation = metadata?.annotations?.[SOURCE_RANGES] ?? '';
  if (ranges.length > 0) {
    if (!isBalanced) faults.forbidden(field, ONLY_BALANCED);
    for (const [index, range] of ranges.entries())
      faults.problems(`${field}[${index}]`, range, rangeProblems(range.trim()));
  } else if (annotation !== '') {
    const path = `metadata.annotations[${SOURCE_RANGES}]`;
    if (!isBalanced) faults.forbidden(path, ONLY_BALANCED);
    if (annotation.split(',').some((range) => rangeProblems(range.trim()).length > 0))
      faults.invalid(
        path,
        annotation,
        'must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24',
      );
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    faults.forbidden('spec.allocateLoadBalancerNodePorts', ONLY_BALANCED);
  const { loadBalancerClass } = spec;
  if (loadBalancerClass === undefined) return;
  if (!isBalanced) faults.forbidden('spec.loadBalancerClass', ONLY_BALANCED);
  faults.labelKey('spec.loadBalancerClass', loadBalancerClass);
}

function checkUpdate(faults: Faults, { spec = {} }: Service, old: Service): void {
  const before = old.spec ?? {};
  const [kept, now] = [before.clusterIPs ?? [], spec.clusterIPs ?? []];
  const both = before.type !== 'ExternalName' && spec.type !== 'ExternalName';
  if (both && kept.length > 0) {
    if (now.length === 0) faults.invalid('spec.clusterIPs[0]', now, 'primary clusterIP can not be unset');
    else if (!equalTrees(now[0], kept[0]))
      faults.invalid('spec.clusterIPs[0]', now, 'may not change once set');
    if (kept.length === 2 && now.length === 2 && now[1] !== kept[1])
      faults.invalid('spec.clusterIPs[1]', now, 'may not change once set');
  }
  const isWatched = (candidate: Spec): boolean =>
    candidate.type === 'LoadBalancer' && candidate.externalTrafficPolicy === 'Local';
  if (isWatched(before) && isWatched(spec) && spec.healthCheckNodePort !== before.healthCheckNodePort)
    faults.forbidden('spec.healthCheckNodePort', 'field is immutable');
  if (
    before.type === 'LoadBalancer' &&
    spec.type === 'LoadBalancer' &&
    before.loadBalancerClass !== spec.loadBalancerClass
  )
    faults.invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set');
}

export const serviceValidators: Readonly<Record<string, Validator>> = {
  services: validator<Service>({
    create: checkService,
    update: (faults, now, old) => {
      checkUpdate(faults, now, old);
      checkService(faults, now);
    },
  }),
};
