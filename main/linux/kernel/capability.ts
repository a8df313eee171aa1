// Capabilities: what root may do, one right at a time, and which of them containers keep. capabilities(7).

/** Names without CAP_, in the order of their numbers: include/uapi/linux/capability.h. */
const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof CAPABILITIES)[number];
export type CapabilitySet = ReadonlySet<Capability>;

export const ALL_CAPABILITIES: CapabilitySet = new Set(CAPABILITIES);
export const NO_CAPABILITIES: CapabilitySet = new Set();

/** What containerd leaves a container that asks for nothing: containerd, oci/spec.go, defaultUnixCaps. */
const CONTAINER_CAPABILITIES: CapabilitySet = new Set<Capability>([
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
]);

/** How a container's capabilities differ from the usual: names with or without CAP_, or ALL. */
export interface CapabilityChanges {
  readonly add?: readonly string[] | undefined;
  readonly drop?: readonly string[] | undefined;
}

/** The bounding set of a container. Sets are shared: most containers change nothing. Unknown names are passed over. */
export function containerCapabilities({ add = [], drop = [] }: CapabilityChanges): CapabilitySet {
  if (add.length === 0 && drop.length === 0) return CONTAINER_CAPABILITIES;
  const addsAll = namesOf(add).includes('ALL');
  const dropsAll = namesOf(drop).includes('ALL');
  const set = new Set<Capability>(
    addsAll ? ALL_CAPABILITIES : dropsAll ? NO_CAPABILITIES : CONTAINER_CAPABILITIES,
  );
  for (const name of namesOf(add)) if (isCapability(name)) set.add(name);
  for (const name of namesOf(drop)) if (isCapability(name)) set.delete(name);
  return set;
}

/** As /proc/PID/status shows a set. */
export function capabilityMask(set: CapabilitySet): string {
  const bits = CAPABILITIES.reduce(
    (mask, name, bit) => (set.has(name) ? mask | (1n << BigInt(bit)) : mask),
    0n,
  );
  return bits.toString(16).padStart(16, '0');
}

function namesOf(names: readonly string[]): string[] {
  return names.map((name) => name.toUpperCase().replace(/^CAP_/, ''));
}

function isCapability(name: string): name is Capability {
  return ALL_CAPABILITIES.has(name as Capability);
}
