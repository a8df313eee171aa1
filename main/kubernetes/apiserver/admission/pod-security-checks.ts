// The Pod Security Standards: what each level forbids, with the texts of k8s.io/pod-security-admission.
import type { Container, PodSpec } from '../../api/types.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** One check that a pod fails: its name and what exactly is wrong. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

type Annotations = Readonly<Record<string, string>>;
type Check = (
  spec: PodSpec,
  containers: readonly Container[],
  annotations: Annotations,
) => Violation | undefined;

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

const restrictedSeccomp: Check = (spec, containers, annotations) => {
  const unconfined = baselineSeccomp(spec, containers, annotations);
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

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';
const APPARMOR_ALLOWED = ['', 'RuntimeDefault', 'Localhost', 'runtime/default'];

const appArmor: Check = ({ securityContext }, containers, annotations) => {
  const bad = new Set<string>();
  const isBad = (type: string): boolean => {
    if (APPARMOR_ALLOWED.includes(type) || type.startsWith('localhost/')) return false;
    bad.add(type);
    return true;
  };
  const setters: string[] = [];
  if (isBad(securityContext?.appArmorProfile?.type ?? '')) setters.push('pod');
  const found = offenders(containers, (container) =>
    isBad(container.securityContext?.appArmorProfile?.type ?? ''),
  );
  if (found.length > 0) setters.push(counted('container', found));
  const keys = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(APPARMOR_ANNOTATION) && isBad(value))
    .map(([key]) => key);
  if (keys.length > 0) setters.push(counted('annotation', keys.sort()));
  if (setters.length === 0) return undefined;
  return {
    reason: `forbidden AppArmor profile${bad.size === 1 ? '' : 's'}`,
    detail: `${setters.join(' and ')} must not set AppArmor profile type to ${quoted([...bad].sort())}`,
  };
};

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];

const seLinux: Check = ({ securityContext }, containers) => {
  const types = new Set<string>();
  const parts = new Set<string>();
  const isBad = (options: { type?: string; user?: string; role?: string } | undefined): boolean => {
    const { type = '', user = '', role = '' } = options ?? {};
    if (!SELINUX_TYPES.includes(type)) types.add(type);
    if (user !== '') parts.add('user may not be set');
    if (role !== '') parts.add('role may not be set');
    return !SELINUX_TYPES.includes(type) || user !== '' || role !== '';
  };
  const setters: string[] = [];
  if (isBad(securityContext?.seLinuxOptions)) setters.push('pod');
  const found = offenders(containers, (container) => isBad(container.securityContext?.seLinuxOptions));
  if (found.length > 0) setters.push(counted('container', found));
  if (setters.length === 0) return undefined;
  const data = [
    ...(types.size === 0 ? [] : [counted('type', [...types].sort())]),
    ...[...parts].sort((a, b) => (a < b ? 1 : -1)),
  ];
  return {
    reason: 'seLinuxOptions',
    detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
  };
};

const hostProcess: Check = ({ securityContext }, containers) => {
  const setters: string[] = [];
  if (securityContext?.windowsOptions?.hostProcess === true) setters.push('pod');
  const found = offenders(
    containers,
    (container) => container.securityContext?.windowsOptions?.hostProcess === true,
  );
  if (found.length > 0) setters.push(counted('container', found));
  if (setters.length === 0) return undefined;
  return {
    reason: 'hostProcess',
    detail: `${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
  };
};

/** Probes and hooks go to the pod itself, not to a host of their choice (KEP-4940). */
const probeHosts: Check = (_spec, containers) => {
  const hosts = new Set<string>();
  const found = offenders(containers, ({ livenessProbe, readinessProbe, startupProbe, lifecycle }) => {
    const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
    const own = handlers
      .flatMap((handler) => [handler?.httpGet?.host ?? '', handler?.tcpSocket?.host ?? ''])
      .filter((host) => host !== '');
    for (const host of own) hosts.add(host);
    return own.length > 0;
  });
  if (found.length === 0) return undefined;
  return {
    reason: 'probe or lifecycle host',
    detail: `${counted('container', found)} use${found.length === 1 ? 's' : ''} probe or lifecycle ${counted('host', [...hosts].sort())}`,
  };
};

/** Each level's checks in upstream's order: those of baseline that restricted keeps come before its own. */
const CHECKS: Readonly<Record<Exclude<Level, 'privileged'>, readonly Check[]>> = {
  baseline: [
    appArmor,
    baselineCapabilities,
    hostNamespaces,
    hostPathVolumes,
    hostPorts,
    probeHosts,
    privileged,
    procMount,
    seLinux,
    baselineSeccomp,
    sysctls,
    hostProcess,
  ],
  restricted: [
    appArmor,
    hostNamespaces,
    hostPorts,
    probeHosts,
    privileged,
    procMount,
    seLinux,
    sysctls,
    hostProcess,
    escalation,
    restrictedCapabilities,
    restrictedVolumes,
    runAsNonRoot,
    runAsUser,
    restrictedSeccomp,
  ],
};

/** What a pod does that a level forbids. */
export function violationsOf(spec: PodSpec, level: Level, annotations: Annotations = {}): Violation[] {
  if (level === 'privileged') return [];
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as Container[]),
  ];
  return CHECKS[level]
    .map((check) => check(spec, containers, annotations))
    .filter((found) => found !== undefined);
}
