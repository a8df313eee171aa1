// Services: cluster IPs, node ports and what follows from a change of type (pkg/registry/core/service/storage).
import { equalTrees } from '../object.ts';
import type { Service, ServicePort } from '../../api/types.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import { internalError, invalid, invalidValue, type FieldError } from '../refusals.ts';
import { inRange, isInside, isIpv4, networkAddress, pickAddress, pickPort } from './address-allocator.ts';
import type { Kind, WriteContext } from './kind.ts';

/** kube-apiserver's --service-node-port-range. */
const NODE_PORT_FIRST = 30_000;
const NODE_PORT_LAST = 32_767;

type Spec = NonNullable<Service['spec']>;
type ServiceObject = Service & ApiObject;

const specOf = (object: unknown): Spec | undefined => (object as Service | undefined)?.spec;

function needsClusterIp(spec: Spec): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIP !== 'None';
}

function needsNodePorts(spec: Spec): boolean {
  return (
    spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
  );
}

function needsHealthCheck(spec: Spec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

/** clusterIPs follows clusterIP where only that is said, and the other way round. */
function normalizeClusterIps(spec: Spec, old: Spec | undefined): void {
  const { clusterIP = '', clusterIPs = [] } = spec;
  if (old === undefined) {
    if (clusterIP !== '' && clusterIPs.length === 0) spec.clusterIPs = [clusterIP];
    return;
  }
  const same =
    (old.clusterIPs ?? []).length === clusterIPs.length &&
    (old.clusterIPs ?? []).every((ip, index) => ip === clusterIPs[index]);
  if (clusterIP !== (old.clusterIP ?? '')) {
    if (clusterIP === '' && same) delete spec.clusterIPs;
    else if (same && clusterIP !== '') spec.clusterIPs = [clusterIP];
  }
}

/** What an update leaves out stays as it was, unless the type changes. */
function patchAllocated(spec: Spec, old: Spec): void {
  if (needsClusterIp(old) && needsClusterIp(spec)) {
    if ((spec.clusterIP ?? '') === '' && old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    // Clients that don't know clusterIPs send back clusterIP alone.
    if (
      (spec.clusterIPs ?? []).length === 0 &&
      spec.clusterIP === old.clusterIP &&
      old.clusterIPs !== undefined
    )
      spec.clusterIPs = [...old.clusterIPs];
  }
  if (needsNodePorts(old) && needsNodePorts(spec)) {
    const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
    for (const port of spec.ports ?? []) {
      if ((port.nodePort ?? 0) !== 0) continue;
      const before = (old.ports ?? []).find(
        (item) => item.port === port.port && item.protocol === port.protocol,
      );
      if (before?.nodePort !== undefined && !used.has(before.nodePort)) port.nodePort = before.nodePort;
    }
  }
  if (
    needsHealthCheck(old) &&
    needsHealthCheck(spec) &&
    (spec.healthCheckNodePort ?? 0) === 0 &&
    old.healthCheckNodePort !== undefined
  ) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

/** Fields of the old type that the new one doesn't have are dropped if the update didn't touch them. */
function dropTypeFields(spec: Spec, old: Spec): void {
  if (old.type !== 'ExternalName' && spec.type === 'ExternalName') {
    if (spec.clusterIP === old.clusterIP) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (equalTrees(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  const isNodePorted = (candidate: Spec): boolean =>
    candidate.type === 'NodePort' || candidate.type === 'LoadBalancer';
  if (isNodePorted(old) && !isNodePorted(spec)) {
    for (const [index, port] of (spec.ports ?? []).entries()) {
      const before = (old.ports ?? []).find((item) => item.port === port.port) ?? old.ports?.[index];
      if (before?.nodePort === port.nodePort) delete port.nodePort;
    }
    if (spec.externalTrafficPolicy === old.externalTrafficPolicy) delete spec.externalTrafficPolicy;
  }
  if (
    needsHealthCheck(old) &&
    !needsHealthCheck(spec) &&
    spec.healthCheckNodePort === old.healthCheckNodePort
  )
    delete spec.healthCheckNodePort;
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy;
  if (old.type === 'ExternalName' && spec.type !== 'ExternalName' && spec.externalName === old.externalName)
    delete spec.externalName;
}

function defaultFamilies(spec: Spec): void {
  if (spec.type === 'ExternalName') return;
  const headlessWithoutSelector = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;
  if (spec.ipFamilyPolicy === undefined) {
    const dual = headlessWithoutSelector || (spec.ipFamilies?.length ?? 0) === 2;
    spec.ipFamilyPolicy = dual ? 'RequireDualStack' : 'SingleStack';
  }
  if (spec.ipFamilies === undefined) {
    spec.ipFamilies =
      headlessWithoutSelector && spec.ipFamilyPolicy !== 'SingleStack' ? ['IPv4', 'IPv6'] : ['IPv4'];
  }
}

function refuse(object: ServiceObject, errors: FieldError[]): Error {
  return invalid('', 'Service', object.metadata?.name ?? '', errors);
}

/** What a cluster with one address family can't give. */
function checkFamilies(object: ServiceObject, spec: Spec): void {
  if (spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0) return;
  for (const [index, family] of (spec.ipFamilies ?? []).entries())
    if (family !== 'IPv4')
      throw refuse(object, [
        invalidValue(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'),
      ]);
  if (spec.ipFamilyPolicy === 'RequireDualStack')
    throw refuse(object, [
      invalidValue(
        'spec.ipFamilyPolicy',
        spec.ipFamilyPolicy,
        'this cluster is not configured for dual-stack services',
      ),
    ]);
}

function allocate(given: ApiObject, old: StoredObject | undefined, context: WriteContext): void {
  const object = given as ServiceObject;
  const spec = object.spec!;
  if (spec.type === 'ExternalName') return;
  checkFamilies(object, spec);
  const uid = old?.metadata.uid;
  allocateClusterIp(object, spec, uid, context, specOf(old));
  allocateNodePorts(object, spec, (port) => context.services.hasPort(port, uid), context);
}

function allocateClusterIp(
  object: ServiceObject,
  spec: Spec,
  uid: string | undefined,
  context: WriteContext,
  old: Spec | undefined,
): void {
  if (!needsClusterIp(spec)) return;
  const { range } = context.services;
  const isTaken = (address: string): boolean => context.services.hasAddress(address, uid);
  const wanted = spec.clusterIPs?.[0] ?? spec.clusterIP ?? '';
  if (wanted === '') {
    // A dry run allocates nothing; upstream then shows the range's own address.
    const address = context.dryRun ? networkAddress(range) : pickAddress(range, isTaken, context.random);
    if (address === undefined) throw internalError('failed to allocate a serviceIP: range is full');
    spec.clusterIP = address;
    spec.clusterIPs = [address];
    return;
  }
  spec.clusterIP = wanted;
  spec.clusterIPs ??= [wanted];
  if (old?.clusterIP === wanted) return;
  const problem = (why: string): Error =>
    refuse(object, [
      invalidValue('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${wanted}: ${why}`),
    ]);
  if (!isIpv4(wanted) || !isInside(range, wanted))
    throw problem('the provided network does not match the current range');
  if (!inRange(range, wanted)) {
    throw problem(
      `the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${range.text}`,
    );
  }
  if (isTaken(wanted)) throw problem('provided IP is already allocated');
}

function allocateNodePorts(
  object: ServiceObject,
  spec: Spec,
  isTaken: (port: number) => boolean,
  context: WriteContext,
): void {
  const byNumber = new Map<number, Set<string>>();
  const takenHere = (port: ServicePort): boolean =>
    byNumber.get(port.nodePort!)?.has(port.protocol ?? 'TCP') === true;
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if ((port.nodePort ?? 0) === 0) continue;
      const field = `spec.ports[${index}].nodePort`;
      const nodePort = port.nodePort!;
      if (nodePort < NODE_PORT_FIRST || nodePort > NODE_PORT_LAST) {
        throw refuse(object, [
          invalidValue(
            field,
            nodePort,
            `provided port is not in the valid range. The range of valid ports is ${NODE_PORT_FIRST}-${NODE_PORT_LAST}`,
          ),
        ]);
      }
      if (isTaken(nodePort) || takenHere(port))
        throw refuse(object, [invalidValue(field, nodePort, 'provided port is already allocated')]);
      const protocols = byNumber.get(nodePort) ?? new Set();
      protocols.add(port.protocol ?? 'TCP');
      byNumber.set(nodePort, protocols);
    }
  }
  const here = new Set(byNumber.keys());
  const all = (port: number): boolean => here.has(port) || isTaken(port);
  if (needsNodePorts(spec)) {
    for (const port of spec.ports ?? []) {
      if ((port.nodePort ?? 0) !== 0) continue;
      // One number serves the same port under several protocols.
      const sibling = (spec.ports ?? []).find(
        (other) =>
          other !== port &&
          other.port === port.port &&
          other.protocol !== port.protocol &&
          (other.nodePort ?? 0) !== 0,
      );
      const nodePort = sibling?.nodePort ?? pickPort(NODE_PORT_FIRST, NODE_PORT_LAST, all, context.random);
      if (nodePort === undefined) throw internalError('failed to allocate a nodePort: range is full');
      port.nodePort = nodePort;
      here.add(nodePort);
    }
  }
  if (needsHealthCheck(spec)) {
    const wanted = spec.healthCheckNodePort ?? 0;
    if (wanted === 0) {
      const port = pickPort(NODE_PORT_FIRST, NODE_PORT_LAST, all, context.random);
      if (port === undefined)
        throw internalError('failed to allocate a HealthCheck NodePort : range is full');
      spec.healthCheckNodePort = port;
    } else if (isTaken(wanted)) {
      throw internalError(
        `failed to allocate requested HealthCheck NodePort ${wanted}: provided port is already allocated`,
      );
    }
  }
}

export const serviceStrategy: Partial<Kind> = {
  fields: {
    'spec.clusterIP': (object) => specOf(object)?.clusterIP ?? '',
    'spec.type': (object) => specOf(object)?.type ?? '',
  },
  prepareCreate(object) {
    const spec = specOf(object);
    delete object['status'];
    object['status'] = { loadBalancer: {} };
    if (spec === undefined) return;
    normalizeClusterIps(spec, undefined);
    defaultFamilies(spec);
  },
  prepareUpdate(object, old) {
    const spec = specOf(object);
    const before = specOf(old);
    if (spec === undefined || before === undefined) return;
    normalizeClusterIps(spec, before);
    patchAllocated(spec, before);
    dropTypeFields(spec, before);
    if (
      spec.type !== 'ExternalName' &&
      spec.ipFamilyPolicy === undefined &&
      before.ipFamilyPolicy !== undefined
    )
      spec.ipFamilyPolicy = before.ipFamilyPolicy;
    if (spec.type !== 'ExternalName' && spec.ipFamilies === undefined && before.ipFamilies !== undefined)
      spec.ipFamilies = [...before.ipFamilies];
    defaultFamilies(spec);
  },
  allocate,
};
