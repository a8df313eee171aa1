// Small questions about pods that many parts of the kubelet ask.
import { createHash } from 'node:crypto';
import type { PortMapping } from '../../linux/containerd/index.ts';
import { requireQuantity } from '../api/index.ts';
import type { Container, Pod, PodSpec } from '../api/index.ts';
import type { ObjectReference } from '../client/index.ts';

export const CONFIG_SOURCE = 'kubernetes.io/config.source';
export const CONFIG_HASH = 'kubernetes.io/config.hash';
export const CONFIG_SEEN = 'kubernetes.io/config.seen';
export const CONFIG_MIRROR = 'kubernetes.io/config.mirror';

/** A pod whose metadata and spec are known to be there. */
export type KnownPod = Pod & {
  metadata: NonNullable<Pod['metadata']> & { name: string; namespace: string; uid: string };
  spec: PodSpec;
};

export type ContainerKind = 'init' | 'sidecar' | 'regular' | 'ephemeral';

/** What a pod's containers have in common, whichever list they stand in. */
export interface PodContainer {
  readonly kind: ContainerKind;
  readonly spec: Container;
}

/** `name_namespace(uid)`, as log lines and back-off messages have it. */
export function formatPod(pod: KnownPod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata?.annotations?.[CONFIG_SOURCE];
  return source !== undefined && source !== 'api';
}

export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata?.annotations?.[CONFIG_MIRROR] !== undefined;
}

/** The hostPorts of a pod's containers, for the network plugin. */
export function portMappingsOf(pod: KnownPod): PortMapping[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, containerPort, protocol = 'TCP', hostIP }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : {
            hostPort,
            containerPort,
            protocol: protocol.toLowerCase() as PortMapping['protocol'],
            hostIp: hostIP,
          },
    ),
  );
}

export function isHostNetwork(pod: Pod): boolean {
  return pod.spec?.hostNetwork === true;
}

/** Init containers in order, sidecars among them. */
export function initContainersOf(pod: KnownPod): PodContainer[] {
  return (pod.spec.initContainers ?? []).map((spec) => ({
    kind: spec.restartPolicy === 'Always' ? 'sidecar' : 'init',
    spec,
  }));
}

export function regularContainersOf(pod: KnownPod): PodContainer[] {
  return pod.spec.containers.map((spec) => ({ kind: 'regular', spec }));
}

export function ephemeralContainersOf(pod: KnownPod): PodContainer[] {
  return (pod.spec.ephemeralContainers ?? []).map((spec) => ({ kind: 'ephemeral', spec: spec as Container }));
}

export function allContainersOf(pod: KnownPod): PodContainer[] {
  return [...initContainersOf(pod), ...regularContainersOf(pod), ...ephemeralContainersOf(pod)];
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** The quality-of-service class: from requests and limits of cpu and memory alone. */
export function qosClassOf(pod: KnownPod): QosClass {
  let any = false;
  let guaranteed = true;
  const containers = [...initContainersOf(pod), ...regularContainersOf(pod)].map(
    ({ spec }) => spec.resources,
  );
  // Resources of the pod as a whole decide alone where there are any (KEP-2837).
  for (const resources of pod.spec.resources === undefined ? containers : [pod.spec.resources]) {
    for (const name of ['cpu', 'memory']) {
      const limit = resources?.limits?.[name];
      const request = resources?.requests?.[name] ?? limit;
      const nano = (value: string | number | undefined): bigint =>
        value === undefined ? 0n : requireQuantity(value).nano;
      if (nano(request) > 0n || nano(limit) > 0n) any = true;
      if (nano(limit) === 0n || nano(limit) !== nano(request)) guaranteed = false;
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable';
}

/** The parent cgroup of a pod's containers. */
export function cgroupParentOf(pod: KnownPod, driver: 'systemd' | 'cgroupfs'): string {
  const qos = qosClassOf(pod).toLowerCase();
  if (driver === 'cgroupfs')
    return `/kubepods${qos === 'guaranteed' ? '' : `/${qos}`}/pod${pod.metadata.uid}`;
  const uid = pod.metadata.uid.replaceAll('-', '_');
  const slice = qos === 'guaranteed' ? 'kubepods' : `kubepods-${qos}`;
  return `/kubepods.slice/${qos === 'guaranteed' ? '' : `${slice}.slice/`}${slice}-pod${uid}.slice`;
}

/** Seconds that a pod is given to end. */
export function gracePeriodOf(pod: KnownPod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** What events about one container refer to. */
export function containerReference(pod: KnownPod, container: PodContainer): ObjectReference {
  const list =
    container.kind === 'regular'
      ? 'containers'
      : container.kind === 'ephemeral'
        ? 'ephemeralContainers'
        : 'initContainers';
  return { ...podReference(pod), fieldPath: `spec.${list}{${container.spec.name}}` };
}

export function podReference(pod: KnownPod): ObjectReference {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: pod.metadata.namespace,
    name: pod.metadata.name,
    // Events of a static pod are about its mirror, which carries the uid of the file as its annotation.
    uid: pod.metadata.uid,
    resourceVersion: pod.metadata.resourceVersion,
  };
}

/** The hash whose change makes a running container restart: its name and image. */
export function containerHash(container: Container): string {
  return createHash('sha256')
    .update(`${container.name}\0${container.image ?? ''}`)
    .digest('hex')
    .slice(0, 8);
}

/** The short host name of a pod, at most 63 characters. */
export function hostnameOf(pod: KnownPod): string {
  const { hostname = '', hostnameOverride = '' } = pod.spec;
  if (hostnameOverride !== '') return hostnameOverride;
  const name = hostname !== '' ? hostname : pod.metadata.name;
  return name.slice(0, 63).replace(/[-.]+$/, '');
}

/** The name that the cluster's DNS has for a pod with a subdomain; undefined for any other. */
export function domainNameOf(pod: KnownPod, clusterDomain: string): string | undefined {
  const { subdomain = '', hostnameOverride = '' } = pod.spec;
  if (subdomain === '' || hostnameOverride !== '') return undefined;
  return `${hostnameOf(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
}

/** The longest host name that Linux takes. */
const HOSTNAME_MAX = 64;

/** What the pod's kernel says its host name is. Throws when its whole domain name doesn't fit (setHostnameAsFQDN). */
export function kernelHostnameOf(pod: KnownPod, clusterDomain: string): string {
  const whole = pod.spec.setHostnameAsFQDN === true ? domainNameOf(pod, clusterDomain) : undefined;
  if (whole !== undefined && whole.length > HOSTNAME_MAX)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${whole} is too long (64 characters is the max, ${whole.length} characters requested)`,
    );
  return whole ?? hostnameOf(pod);
}
