// A Service as kube-proxy sees it: one entry per port, with everything that decides where its traffic goes.
import type { Service } from '../api/types.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** One port of a Service (BaseServicePortInfo of kube-proxy). */
export interface ServicePort {
  /** `namespace/name[:portname]`, as comments and chain hashes have it. */
  readonly nameString: string;
  readonly namespace: string;
  readonly serviceName: string;
  readonly portName: string;
  readonly protocol: Protocol;
  readonly clusterIP: string;
  readonly port: number;
  /** 0 when it has none. */
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  /** Ingress addresses of mode VIP. */
  readonly loadBalancerVIPs: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  /** Seconds of ClientIP affinity; undefined without affinity. */
  readonly affinitySeconds: number | undefined;
  readonly externalPolicyLocal: boolean;
  readonly internalPolicyLocal: boolean;
  /** 0 when it has none. */
  readonly healthCheckNodePort: number;
}

const AFFINITY_SECONDS_DEFAULT = 10_800;
const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** The ports of a Service that kube-proxy handles: none for headless, ExternalName and those of other proxies. */
export function servicePortsOf(service: Service): ServicePort[] {
  const { metadata = {}, spec = {}, status } = service;
  const { clusterIP = '' } = spec;
  if (clusterIP === '' || clusterIP === 'None' || spec.type === 'ExternalName') return [];
  if (metadata.labels?.[PROXY_NAME_LABEL] !== undefined || metadata.labels?.[HEADLESS_LABEL] !== undefined)
    return [];

  const isIpv4 = (address: string): boolean => !address.includes(':');
  const namespace = metadata.namespace ?? '';
  const serviceName = metadata.name ?? '';
  const shared = {
    namespace,
    serviceName,
    clusterIP,
    externalIPs: (spec.externalIPs ?? []).filter(isIpv4),
    loadBalancerVIPs: (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
      ip !== undefined && ip !== '' && isIpv4(ip) && ipMode !== 'Proxy' ? [ip] : [],
    ),
    loadBalancerSourceRanges: (spec.loadBalancerSourceRanges ?? [])
      .map((range) => range.trim())
      .filter(isIpv4),
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS_DEFAULT)
        : undefined,
    externalPolicyLocal:
      spec.externalTrafficPolicy === 'Local' && (spec.type === 'NodePort' || spec.type === 'LoadBalancer'),
    internalPolicyLocal: spec.internalTrafficPolicy === 'Local',
    healthCheckNodePort: spec.type === 'LoadBalancer' ? (spec.healthCheckNodePort ?? 0) : 0,
  };
  return (spec.ports ?? []).map((port) => {
    const portName = port.name ?? '';
    return {
      ...shared,
      portName,
      nameString: `${namespace}/${serviceName}${portName === '' ? '' : `:${portName}`}`,
      protocol: (port.protocol ?? 'TCP').toLowerCase() as Protocol,
      port: port.port,
      nodePort: spec.type === 'NodePort' || spec.type === 'LoadBalancer' ? (port.nodePort ?? 0) : 0,
    };
  });
}

/** True for a port that can be reached by more than its cluster IP. */
export function externallyAccessible(port: ServicePort): boolean {
  return port.nodePort !== 0 || port.loadBalancerVIPs.length > 0 || port.externalIPs.length > 0;
}

/** Cluster endpoints serve internal policy Cluster, and the short cut of pods and the node under external policy Local. */
export function usesClusterEndpoints(port: ServicePort): boolean {
  return !port.internalPolicyLocal || externallyAccessible(port);
}

export function usesLocalEndpoints(port: ServicePort): boolean {
  return port.internalPolicyLocal || (port.externalPolicyLocal && externallyAccessible(port));
}
