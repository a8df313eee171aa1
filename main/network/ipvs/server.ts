// Virtual services and their real servers as the kernel keeps them (ip_vs_service, ip_vs_dest).
import type { Scheduler } from './scheduler.ts';
import { TrafficCounter } from './traffic.ts';

export type IpvsForwarding = 'masq' | 'route' | 'tunnel' | 'local';

/** A real server of one virtual service. */
export class RealServer {
  readonly address: number;
  readonly port: number;
  forwarding: IpvsForwarding;
  weight: number;
  upperThreshold: number;
  lowerThreshold: number;
  activeConnections = 0;
  inactiveConnections = 0;
  persistentConnections = 0;
  /** IP_VS_DEST_F_OVERLOAD. */
  isOverloaded = false;
  /** IP_VS_DEST_F_AVAILABLE: still in its service. */
  isAvailable = true;
  readonly traffic = new TrafficCounter();

  constructor(address: number, port: number, settings: RealServerSettings) {
    this.address = address;
    this.port = port;
    this.forwarding = settings.forwarding;
    this.weight = settings.weight;
    this.upperThreshold = settings.upperThreshold;
    this.lowerThreshold = settings.lowerThreshold;
  }

  get isUsable(): boolean {
    return this.weight > 0 && !this.isOverloaded;
  }

  /** ip_vs_bind_dest and ip_vs_unbind_dest: over the upper threshold it takes no more until under the lower. */
  updateOverload(): void {
    const count = this.activeConnections + this.inactiveConnections;
    if (this.upperThreshold !== 0 && count >= this.upperThreshold) this.isOverloaded = true;
    else if (this.lowerThreshold !== 0) {
      if (count < this.lowerThreshold) this.isOverloaded = false;
    } else if (this.upperThreshold === 0 || count * 4 < this.upperThreshold * 3) this.isOverloaded = false;
  }
}

export interface RealServerSettings {
  readonly forwarding: IpvsForwarding;
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

export interface VirtualServer {
  /** IP protocol; 0 for a firewall mark's. */
  readonly protocol: number;
  readonly address: number;
  readonly port: number;
  readonly mark: number;
  scheduler: Scheduler;
  /** 0 for none. */
  persistentMs: number;
  persistenceMask: number;
  isOnePacket: boolean;
  /** In the kernel's order: the newest first. */
  readonly servers: RealServer[];
  readonly traffic: TrafficCounter;
}
