// What the runtime asks of the network plugin: CNI's ADD and DEL. https://www.cni.dev/docs/spec/
import type { NetworkNamespace } from '../../network/index.ts';

/** One hostPort of a pod. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** Absent: every address of the machine. */
  readonly hostIp?: string;
}

export interface PodInfo {
  readonly sandboxId: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly portMappings?: readonly PortMapping[];
  /** Addresses the sandbox had before a restart; the plugin gives them again. */
  readonly requestedIps?: readonly string[];
}

export interface CniResult {
  /** Without prefix length; the first is the primary. */
  readonly ips: readonly string[];
}

/** Rejects with an Error whose message is the plugin's, such as `plugin type="flannel" failed (add): …`. */
export interface Cni {
  add(sandboxId: string, net: NetworkNamespace, pod: PodInfo): Promise<CniResult>;
  /** May be called for what was never added. `net` is gone when the machine was restarted meanwhile. */
  del(sandboxId: string, net: NetworkNamespace | undefined, pod: PodInfo): Promise<void>;
}
