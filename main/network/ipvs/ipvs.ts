// IP Virtual Server: services, real servers and connections, as ipvsadm(8) shows them.

export type IpvsProtocol = 'tcp' | 'udp' | 'sctp';
export type IpvsSchedulerName =
  | 'rr'
  | 'wrr'
  | 'lc'
  | 'wlc'
  | 'lblc'
  | 'lblcr'
  | 'sh'
  | 'dh'
  | 'sed'
  | 'nq'
  | 'fo'
  | 'ovf'
  | 'mh';
export type IpvsForwarding = 'masq' | 'route' | 'tunnel' | 'local';

/** A virtual service is known by protocol, address and port, or by a firewall mark. */
export type IpvsServiceKey =
  | { readonly protocol: IpvsProtocol; readonly address: string; readonly port: number }
  | { readonly firewallMark: number };

export interface IpvsServiceOptions {
  readonly scheduler: IpvsSchedulerName;
  /** Persistence in seconds; undefined is none. */
  readonly persistentSeconds?: number;
  /** Dotted; clients within it go together. */
  readonly persistenceMask?: string;
  /** One-packet scheduling (UDP). */
  readonly onePacket?: boolean;
  /** sh-port, sh-fallback, mh-port, mh-fallback, flag-1 … flag-3. */
  readonly schedulerFlags?: readonly string[];
}

export interface IpvsStats {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

/** Per second, as the kernel's estimator smooths them. */
export interface IpvsRates {
  readonly connectionsPerSecond: number;
  readonly inPacketsPerSecond: number;
  readonly outPacketsPerSecond: number;
  readonly inBytesPerSecond: number;
  readonly outBytesPerSecond: number;
}

export interface IpvsDestination {
  readonly address: string;
  readonly port: number;
  readonly forwarding: IpvsForwarding;
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
  readonly stats: IpvsStats;
  readonly rates: IpvsRates;
}

export interface IpvsService {
  readonly key: IpvsServiceKey;
  readonly options: IpvsServiceOptions;
  /** In the order they were added. */
  readonly destinations: readonly IpvsDestination[];
  readonly stats: IpvsStats;
  readonly rates: IpvsRates;
}

export interface IpvsConnection {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'IP';
  readonly expiresSeconds: number;
  /** ESTABLISHED, SYN_RECV, FIN_WAIT, TIME_WAIT, CLOSE, UDP, NONE … */
  readonly state: string;
  readonly client: { readonly address: string; readonly port: number };
  readonly virtual: { readonly address: string; readonly port: number };
  readonly destination: { readonly address: string; readonly port: number };
  readonly isTemplate: boolean;
}

export interface IpvsDestinationOptions {
  readonly address: string;
  readonly port: number;
  readonly forwarding?: IpvsForwarding;
  readonly weight?: number;
  readonly upperThreshold?: number;
  readonly lowerThreshold?: number;
}

export interface Ipvs {
  /** In the order of the kernel's hash table, as `ipvsadm -L` unsorted prints them. */
  listServices(): IpvsService[];
  getService(key: IpvsServiceKey): IpvsService | undefined;
  /** Throws ErrnoError EEXIST, EINVAL; ENOENT for an unknown scheduler. */
  addService(key: IpvsServiceKey, options: IpvsServiceOptions): void;
  /** Throws ESRCH. */
  editService(key: IpvsServiceKey, options: IpvsServiceOptions): void;
  deleteService(key: IpvsServiceKey): void;
  /** Throws ESRCH (no service), EEXIST. */
  addDestination(key: IpvsServiceKey, destination: IpvsDestinationOptions): void;
  /** Throws ESRCH (no service), ENOENT (no destination). */
  editDestination(key: IpvsServiceKey, destination: IpvsDestinationOptions): void;
  deleteDestination(key: IpvsServiceKey, address: string, port: number): void;
  /** `ipvsadm -C`. */
  flush(): void;
  /** `ipvsadm -Z`. */
  zero(key?: IpvsServiceKey): void;
  listConnections(): IpvsConnection[];
  readonly totals: { readonly stats: IpvsStats; readonly rates: IpvsRates };
  /** `--set`, in seconds. Zero leaves one as it is. */
  setTimeouts(timeouts: { readonly tcp: number; readonly tcpFin: number; readonly udp: number }): void;
  readonly timeouts: { readonly tcp: number; readonly tcpFin: number; readonly udp: number };
  /** ip_vs.ko is loaded; false makes every call throw ENOPROTOOPT-like EPERM as ipvsadm reports. Set by the kernel's module list. */
  isLoaded: boolean;
}
