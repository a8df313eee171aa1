// The Pod Security Standards: what each level forbids, with the texts of k8s.io/pod-security-admission.
import type { Container, PodSpec } from '../../api/types.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** One check that a pod fails: its name and what exactly is wrong. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

type Check = (spec: PodSpec, containers: readonly Container[]) => Violation | undefined;

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const SAFE_SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);
const ALLOWED_VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const quoted = (names: Iterable<string>): string => [...names].map((name) => JSON.stringify(name)).join(', ');
const counted = (word: string, names: readonly string[]): string =>
  `${word}${names.length === 1 ? '' : 's'} ${quoted(names)}`;

function offenders(containers: readonly Container[], offends: (container: Container) => boolean): string[] {
  return containers.filter(offends).map(({ name }) => name);
}

const hostNamespaces: Check = ({ hostNetwork, hostPID, hostIPC }) => {
  const found = Object.entries({ hostNetwork, hostPID, hostIPC })
    .filter(([, value]) => value === true)
    .map(([name]) => `${name}=true`);
  return found.length === 0 ? undefined : { reason: 'host namespaces', detail: found.join(', ') };
};

const hostPathVolumes: Check = ({ volumes = [] }) => {
  const found = volumes.filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  return found.length === 0 ? undefined : { reason: 'hostPath volumes', detail: counted('volume', found) };
};

const hostPorts: Check = (_spec, containers) => {
  const ports = new Set<string>();
  const found = offenders(containers, ({ ports: own = [] }) => {
    const used = own.filter(({ hostPort }) => (hostPort ?? 0) !== 0);
    for (const { hostPort } of used) ports.add(String(hostPort));
    return used.length > 0;
  });
  if (found.length === 0) return undefined;
  const numbers = [...ports].sort();
  return {
    reason: 'hostPort',
    detail: `${counted('container', found)} use${found.length === 1 ? 's' : ''} hostPort${numbers.length === 1 ? '' : 's'} ${numbers.join(', ')}`,
  };
};

const privileged: Check = (_spec, containers) => {
  const found = offenders(containers, ({ securityContext }) => securityContext?.privileged === true);
  if (found.length === 0) return undefined;
  return {
    reason: 'privileged',
    detail: `${counted('container', found)} must not set securityContext.privileged=true`,
  };
};

const baselineCapabilities: Check = (_spec, containers) => {
  const bad = new Set<string>();
  const found = offenders(containers, ({ securityContext }) => {
    const added = (securityContext?.capabilities?.add ?? []).filter(
      (name) => !DEFAULT_CAPABILITIES.has(name),
    );
    for (const name of added) bad.add(name);
    return added.length > 0;
  });
  if (found.length === 0) return undefined;
  return {
    reason: 'non-default capabilities',
    detail: `${counted('container', found)} must not include ${quoted([...bad].sort())} in securityContext.capabilities.add`,
  };
};

const restrictedCapabilities: Check = (_spec, containers) => {
  const undropped = offenders(
    containers,
    ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL') !== true,
  );
  const bad = new Set<string>();
  const adding = offenders(containers, ({ securityContext }) => {
    const added = (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
    for (const name of added) bad.add(name);
    return added.length > 0;
  });
  const parts: string[] = [];
  if (undropped.length > 0)
    parts.push(`${counted('container', undropped)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0)
    parts.push(
      `${counted('container', adding)} must not include ${quoted([...bad].sort())} in securityContext.capabilities.add`,
    );
  return parts.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: parts.join('; ') };
};

const escalation: Check = (_spec, containers) => {
  const found = offenders(
    containers,
    ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
  );
  if (found.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${counted('container', found)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const procMount: Check = (_spec, containers) => {
  const bad = new Set<string>();
  const found = offenders(containers, ({ securityContext }) => {
    const mount = securityContext?.procMount ?? 'Default';
    if (mount !== 'Default') bad.add(mount);
    return mount !== 'Default';
  });
  if (found.length === 0) return undefined;
  return {
    reason: 'procMount',
    detail: `${counted('container', found)} must not set securityContext.procMount to ${quoted([...bad].sort())}`,
  };
};

const restrictedVolumes: Check = ({ volumes = [] }) => {
  const types = new Set<string>();
  const found = volumes.filter((volume) => {
    const kinds = Object.keys(volume).filter((field) => field !== 'name' && !ALLOWED_VOLUMES.has(field));
    for (const kind of kinds) types.add(kind);
    return kinds.length > 0;
  });
  if (found.length === 0) return undefined;
  const names = found.map(({ name }) => name);
  return {
    reason: 'restricted volume types',
    detail: `${counted('volume', names)} use${names.length === 1 ? 's' : ''} restricted volume type${types.size === 1 ? '' : 's'} ${quoted([...types].sort())}`,
  };
};

const runAsNonRoot: Check = ({ securityContext }, containers) => {
  const isSetByPod = securityContext?.runAsNonRoot === true;
  const explicit = offenders(containers, (container) => container.securityContext?.runAsNonRoot === false);
  const implicit = offenders(
    containers,
    (container) => container.securityContext?.runAsNonRoot === undefined && !isSetByPod,
  );
  const parts: string[] = [];
  if (securityContext?.runAsNonRoot === false)
    parts.push('pod must not set securityContext.runAsNonRoot=false');
  if (explicit.length > 0)
    parts.push(`${counted('container', explicit)} must not set securityContext.runAsNonRoot=false`);
  if (parts.length === 0 && implicit.length > 0)
    parts.push(`pod or ${counted('container', implicit)} must set securityContext.runAsNonRoot=true`);
  return parts.length === 0 ? undefined : { reason: 'runAsNonRoot != true', detail: parts.join(', ') };
};

const runAsUser: Check = ({ securityContext }, containers) => {
  const found = offenders(containers, (container) => container.securityContext?.runAsUser === 0);
  const parts: string[] = [];
  if (securityContext?.runAsUser === 0) parts.push('pod');
  if (found.length > 0) parts.push(counted('container', found));
  if (parts.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${parts.join(' and ')} must not set runAsUser=0` };
};

const baselineSeccomp: Check = ({ securityContext }, containers) => {
  const isBad = (type: string | undefined): boolean => type === 'Unconfined';
  const found = offenders(containers, (container) => isBad(container.securityContext?.seccompProfile?.type));
  const parts: string[] = [];
  if (isBad(securityContext?.seccompProfile?.type)) parts.push('pod');
  if (found.length > 0) parts.push(counted('container', found));
  if (parts.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${parts.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"`,
  };
};

const restrictedSeccomp: Check = (spec, containers) => {
  const unconfined = baselineSeccomp(spec, containers);
  if (unconfined !== undefined) return unconfined;
  if (spec.securityContext?.seccompProfile !== undefined) return undefined;
  const found = offenders(containers, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (found.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${counted('container', found)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

const sysctls: Check = ({ securityContext }) => {
  const found = (securityContext?.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => !SAFE_SYSCTLS.has(name));
  return found.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: found.join(', ') };
};

/** Each level's checks in upstream's order: those of baseline that restricted keeps come before its own. */
const CHECKS: Readonly<Record<Exclude<Level, 'privileged'>, readonly Check[]>> = {
  baseline: [
    baselineCapabilities,
    hostNamespaces,
    hostPathVolumes,
    hostPorts,
    privileged,
    procMount,
    baselineSeccomp,
    sysctls,
  ],
  restricted: [
    hostNamespaces,
    hostPorts,
    privileged,
    procMount,
    sysctls,
    escalation,
    restrictedCapabilities,
    restrictedVolumes,
    runAsNonRoot,
    runAsUser,
    restrictedSeccomp,
  ],
};

/** What a pod does that a level forbids. */
export function violationsOf(spec: PodSpec, level: Level): Violation[] {
  if (level === 'privileged') return [];
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as Container[]),
  ];
  return CHECKS[level].map((check) => check(spec, containers)).filter((found) => found !== undefined);
}
